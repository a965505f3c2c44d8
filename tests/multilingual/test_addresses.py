"""Addresses: former ones that lead on, two claims to one, and the sitemap of all there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.multilingual.bare import look, undress
from tests.multilingual.sites import TERMS, WITH_TERMS, Site

XHTML = "{http://www.w3.org/1999/xhtml}link"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = undress(Site(tmp_path, MULTILINGUAL_LANGUAGES={"en": {}, "fa": {}}, MULTILINGUAL_REDIRECTS="redirects.txt"))
    site.article("en", "one")
    site.translation("fa", "one", "en", Slug="یک")
    return site


def target(site: Site, url: str) -> str:
    """Where a redirect leads, from its own place."""
    page = site.html(url)
    [refresh] = page.xpath("//meta[@http-equiv='refresh']/@content")
    [link] = page.xpath("//a/@href")
    assert refresh == f"0; url={link}"
    assert page.xpath("//meta[@name='robots']/@content") == ["noindex"]
    assert not page.xpath("//script")
    return str(link)


def first_problem(site: Site) -> str:
    [problem] = site.build().errors
    assert not site.output.exists() or not any(site.output.rglob("*")), "something was written"
    return str(problem)


# Former addresses


def test_former_slugs_lead_on(site: Site) -> None:
    site.article("en", "one", Former_slugs="uno, eins")
    site.translation("fa", "one", "en", Slug="یک", Former_slugs="نخست")
    site.page("en", "about", Former_slugs="who")
    site.build_whole()
    assert target(site, "en/uno/") == "../../en/one/"
    assert target(site, "en/eins/") == "../../en/one/"
    assert target(site, "fa/نخست/") == "../../fa/یک/"
    assert target(site, "en/who/") == "../../en/about/"
    assert dict(site.html("fa/نخست/").attrib) == {"lang": "fa", "dir": "rtl"}
    assert "uno" not in site.text("sitemap.xml")


def test_former_keys_lead_on_where_the_key_was_the_address(site: Site) -> None:
    site.article("en", "one", Former_keys="first")
    site.translation("fa", "one", "en", Slug="یک", Former_keys="first")
    site.build_whole()
    assert target(site, "en/first/") == "../../en/one/"
    assert target(site, "k/first/") == "../../k/one/"
    assert not site.has("fa/first/")


def test_hidden_article_keeps_its_former_address(site: Site) -> None:
    site.article("en", "quiet", Status="hidden", Former_slugs="silent", Former_keys="mute")
    site.build_whole()
    assert target(site, "en/silent/") == "../../en/quiet/"
    assert target(site, "en/mute/") == "../../en/quiet/"
    assert not site.has("k/mute/")


@pytest.mark.parametrize("production", [False, True])
def test_draft_has_no_former_address(site: Site, production: bool) -> None:
    site.translation("fa", "one", "en", Slug="یک", Former_slugs="نخست", Status="draft")
    site.article("en", "later", Status="draft", Former_slugs="sooner", Former_keys="soonest")
    site.build_whole(overrides={"MULTILINGUAL_DRAFTS": not production})
    assert not site.has("fa/نخست/")
    assert not any("soon" in url for url in site.pages())


def test_former_address_of_a_withdrawn_article_leads_to_the_notice(site: Site) -> None:
    site.article("en", "gone", Withdrawn="2026-03-04", Former_slugs="left", Former_keys="went")
    site.build_whole()
    assert target(site, "en/left/") == "../../en/gone/"
    assert target(site, "en/went/") == "../../en/gone/"
    assert target(site, "k/went/") == "../../k/gone/"


def test_notice_stands_where_the_article_had_stated_its_own_address(site: Site) -> None:
    site.article("en", "gone", Withdrawn="2026-03-04", Url="special/", Save_as="special/index.html")
    site.build_whole()
    assert look(site, "special/").template == "withdrawn"
    assert look(site, "fa/gone/").template == "withdrawn"


def test_redirects_file_leads_on_and_chains_end_at_once(site: Site) -> None:
    site.write(
        "redirects.txt",
        "\ufeff# addresses of the old site\n/a/ /b/   # on its way\r\n/b/ /en/one/\n"
        "/blog/one.html /fa/%DB%8C%DA%A9/\n\n/persian /fa/\n",
    )
    site.build_whole()
    assert target(site, "b/") == "../en/one/"
    assert target(site, "a/") == "../en/one/"
    assert target(site, "blog/one.html") == "../fa/یک/"
    assert target(site, "persian") == "./fa/"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("/old/ /en/on/", "the redirect to /en/on/ leads to nothing. Did you mean 'en/one/'?"),
        ("/old/ /old/", "the redirect from /old/ goes in a circle. Lead it to a page."),
        ("/old/", "'/old/' is not a redirect. Write `/old/ /new/`: two addresses of this site."),
        ("old/ /en/one/", "'old/ /en/one/' is not a redirect."),
        ("/old/ https://elsewhere.example/", "'/old/ https://elsewhere.example/' is not a redirect."),
        ("/%2e%2e/x/ /en/one/", "'/%2e%2e/x/ /en/one/' is not a redirect."),
        ("/en/one/ /fa/", "/en/one/ is claimed twice, the other time by content/articles/en/one.md."),
        ("/EN/One/ /fa/", "/EN/One/ is claimed twice, the other time by content/articles/en/one.md."),
        ("/ /en/", "/ is claimed twice, the other time by the index page index.html."),
    ],
)
def test_redirect_that_cannot_be(site: Site, line: str, problem: str) -> None:
    site.write("redirects.txt", f"# first line\n{line}\n")
    found = first_problem(site)
    assert found.startswith("content/redirects.txt:2: ")
    assert problem in found


def test_circle_of_redirects_names_each_of_its_lines(site: Site) -> None:
    site.write("redirects.txt", "/a/ /b/\n/b/ /c/\n/c/ /a/\n/d/ /en/one/\n")
    assert [(p.line, "circle" in p.what) for p in site.build().errors] == [(1, True), (2, True), (3, True)]


# Two claims to one address


@pytest.mark.parametrize(
    ("path", "fields", "settings", "twice"),
    [
        ("articles/en/two.md", {"Slug": "one"}, {}, "/en/one/"),
        ("articles/en/two.md", {"Slug": "One", "Date": "2025-01-01"}, {}, "/en/One/"),
        ("pages/en/one.md", {}, {}, "/en/one/"),
        ("pages/en/two.md", {}, {"FEED_ATOM": "two/index.html"}, "/en/two/index.html"),
        ("articles/en/two.md", {"Former_slugs": "one"}, {}, "/en/one/"),
        ("articles/en/two.md", {}, {"MULTILINGUAL_SITEMAP": "en/two/index.html"}, "/en/two/"),
        ("articles/en/two.md", {"Url": "images/a.txt", "Save_as": "images/a.txt"}, {}, "/images/a.txt"),
    ],
    ids=["two slugs", "case", "page", "feed", "former slug", "sitemap", "static file"],
)
def test_two_claims_to_one_address_stop_the_build_before_it_writes(
    site: Site, path: str, fields: dict[str, str], settings: dict[str, Any], twice: str
) -> None:
    site.settings(**settings)
    site.write("images/a.txt", "a picture")
    header = "".join(f"{name}: {value}\n" for name, value in ({"Title": "Two", "Date": "2026-01-03"} | fields).items())
    site.write(path, header + "\nText.\n")
    assert f"{twice} is claimed twice" in first_problem(site)


def test_two_files_of_one_key_are_one_too_many(site: Site) -> None:
    site.write("articles/en/deep/one.md", "Title: Again\nDate: 2026-01-02\n\nText.\n")
    assert any("deep/one.md" in str(problem) for problem in site.build().errors)


def test_page_may_take_a_lists_place_on_purpose(site: Site) -> None:
    """Pelican's `save_as` overrides what would be written there; two of them cannot both."""
    site.page("en", "front", "My own front page.", Url="en/", Save_as="en/index.html")
    site.build_whole()
    assert "My own front page." in site.text("en/")
    site.page("fa", "entry", Url="en/", Save_as="en/index.html")
    assert any("claimed twice" in str(problem) for problem in site.build().errors)


# The sitemap


def test_sitemap_lists_what_is_indexed_with_the_alternates_of_its_page(site: Site) -> None:
    site.settings(PAGINATED_TEMPLATES={"index": 1}, **WITH_TERMS)
    site.write("terms.yaml", TERMS)
    site.article("en", "two & three", Date="2026-02-02 10:30", Slug="two", Corrected="2026-03-04 A word.", Topics="war")
    site.article("en", "hidden", Status="hidden")
    site.article("en", "draft", Status="draft")
    site.article("en", "gone", Withdrawn="2026-03-04")
    (site.content / "articles/en/two & three.md").rename(site.content / "articles/en/two.md")
    site.build_whole()
    pages = {}
    for entry in site.xml("sitemap.xml"):
        url = entry.findtext("{*}loc") or ""
        pages[url] = {str(link.get("hreflang")): str(link.get("href")) for link in entry.iter(XHTML)}
        if url.endswith("/en/two/"):
            assert entry.findtext("{*}lastmod") == "2026-03-04"
    base = "https://site.example/"
    assert sorted(url.removeprefix(base) for url in pages) == [
        "", "en/", "en/archive/", "en/authors/", "en/one/", "en/page/2/", "en/topics/", "en/topics/war/", "en/two/",
        "fa/", "fa/%DB%8C%DA%A9/", "fa/archive/", "fa/authors/", "fa/topics/",
    ]  # fmt: skip
    for url, alternates in pages.items():
        page = look(site, url.removeprefix(base).replace("%DB%8C%DA%A9", "یک"))
        assert page.alternates == alternates, url
        assert page.canonical == url
