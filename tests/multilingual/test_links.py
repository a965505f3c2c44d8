"""Links between sources: to the reader's language, marked where they lead to another, checked before any page is."""

from urllib.parse import unquote

import pytest
from lxml.html import HtmlElement

from tests.multilingual.sites import TERMS, WITH_TERMS, Site, texts


def links(site: Site, url: str, text: str) -> list[HtmlElement]:
    return [link for link in site.html(url).xpath("//a") if link.text_content() == text]


def target(site: Site, url: str, text: str = "that") -> str:
    """Where a page's link leads, from the site's root."""
    found = {link.get("href", "") for link in links(site, url, text)}
    assert len(found) == 1, (url, found)
    href = found.pop()
    parts = url.split("/")[:-1]
    while href.startswith("../"):
        href = href[3:]
        parts.pop()
    return "/".join([*parts, href])


@pytest.fixture
def linked(site: Site) -> Site:
    """An article in English and Persian that links to one in English and Chinese."""
    site.article("en", "one", "See [that](that.md) and [that]({filename}that.md).".replace("[that](that.md) and ", ""))
    site.translation("fa", "one", "en", "ببینید [that]({filename}../en/that.md).")
    site.article("en", "that")
    site.translation("zh-Hans", "that", "en")
    return site


def test_a_link_leads_to_the_reader_s_language(linked: Site) -> None:
    linked.translation("fa", "that", "en")
    linked.build_whole()
    assert target(linked, "fa/one/") == "fa/that/"
    (link,) = links(linked, "fa/one/", "that")
    assert link.get("hreflang") is None
    assert "link-language" not in linked.text("fa/one/")


def test_else_to_the_source_and_says_so(linked: Site) -> None:
    linked.build_whole()
    assert target(linked, "en/one/") == "en/that/"
    assert target(linked, "fa/one/") == "en/that/"
    (link,) = links(linked, "fa/one/", "that")
    assert link.get("hreflang") == "en"
    mark = link.getnext()
    assert mark is not None
    assert (mark.text_content(), mark.get("lang"), mark.get("dir")) == ("(English)", "en", "ltr")
    (own,) = links(linked, "en/one/", "that")
    assert own.get("hreflang") is None


def test_else_to_the_fallback(linked: Site) -> None:
    linked.settings(MULTILINGUAL_FALLBACK={"fa": ["zh-Hans"]})
    linked.build_whole()
    assert target(linked, "fa/one/") == "zh-Hans/that/"
    (link,) = links(linked, "fa/one/", "that")
    assert link.get("hreflang") == "zh-Hans"


@pytest.mark.parametrize(
    "written",
    [
        "[that]({filename}that.md)",
        "[that](|filename|that.md)",
        "[that]({filename}../en/that.md)",
        "[that]({filename}/articles/en/that.md)",
        "[that]({filename}/articles/fa/that.md)",
        "[that]({filename}that.md 'A title')",
        "<a class='x' href='{filename}that.md' id='y'>that</a>",
        "[*that*]({filename}that.md)",
        "[that][1]\n\n[1]: {filename}that.md",
    ],
)
def test_a_link_may_be_written_in_many_ways(site: Site, written: str) -> None:
    site.article("en", "one", written)
    site.article("en", "that")
    site.translation("fa", "that", "en")
    site.build_whole()
    assert target(site, "en/one/") == "en/that/"


def test_a_fragment_and_a_title_stay(site: Site) -> None:
    site.article(
        "en", "one", '[that]({filename}that.md#part "A title") [there]({filename}../../pages/en/about.md?x=1#y)'
    )
    site.article("en", "that")
    site.page("en", "about")
    site.build_whole()
    assert target(site, "en/one/") == "en/that/#part"
    (link,) = links(site, "en/one/", "that")
    assert link.get("title") == "A title"
    assert target(site, "en/one/", "there").startswith("en/about/")


def test_a_link_to_a_page_leads_to_the_reader_s_language(site: Site) -> None:
    site.page("en", "about", "[that]({filename}../../articles/en/one.md)")
    site.page("fa", "about", "[that]({filename}../../articles/en/one.md)", Translated_from="en")
    site.article("en", "one", "[that]({filename}/pages/en/about.md)")
    site.translation("fa", "one", "en", "[that]({filename}/pages/en/about.md)")
    site.build_whole()
    for lang in ("en", "fa"):
        assert target(site, f"{lang}/one/") == f"{lang}/about/"
        assert target(site, f"{lang}/about/") == f"{lang}/one/"


def test_static_files_are_found(site: Site) -> None:
    site.write("images/a b.png", b"x")
    site.article("en", "one", "![x]({static}/images/a%20b.png) [that]({static}../../images/a%20b.png)")
    site.build_whole()
    assert site.has("images/a b.png")
    assert unquote(target(site, "en/one/")) == "images/a b.png"


def test_a_link_in_a_summary_leads_right_wherever_it_stands(site: Site) -> None:
    site.settings(**WITH_TERMS, DEFAULT_PAGINATION=1, FEED_ALL_ATOM="deep/er/all.atom")
    site.write("terms.yaml", TERMS)
    site.article("en", "that", Date="2026-01-01", Topics="asylum")
    site.translation("fa", "that", "en")
    for key, day in (("one", "2026-01-03"), ("two", "2026-01-02")):
        site.article("en", key, Date=day, Topics="war", Summary="See [that]({filename}that.md).")
        site.translation("fa", key, "en", Summary="ببینید [that]({filename}../en/that.md).")
    site.build_whole()
    for lang in ("en", "fa"):
        for page in ("", "page/2/", "topics/war/", "one/", "two/"):
            assert target(site, f"{lang}/{page}") == f"{lang}/that/", (lang, page)
    # The last page written of one edition must not decide what the next edition's feeds say.
    for lang in ("en", "fa"):
        for feed in ("feed.atom", "topics/war/feed.atom", "deep/er/all.atom"):
            text = site.text(f"{lang}/{feed}")
            assert f"https://site.example/{lang}/that/" in text, feed
            assert "{filename}" not in text
            assert "../" not in text


def test_no_placeholder_reaches_the_output(linked: Site) -> None:
    linked.build_whole()
    for url in linked.pages():
        assert "{filename}" not in linked.text(url)


@pytest.mark.parametrize(
    ("written", "what"),
    [
        ("[x]({filename}nowhere.md)", "{filename}nowhere.md leads to nothing"),
        ("[x]({filename}nowhere.md#part)", "{filename}nowhere.md#part leads to nothing"),
        ("![x]({static}/images/nowhere.png)", "{static}/images/nowhere.png leads to nothing"),
        ("![x]({static}../../../pelicanconf.py)", "{static}../../../pelicanconf.py leads to nothing"),
        ("![x]({static}/../pelicanconf.py)", "{static}/../pelicanconf.py leads to nothing"),
        ("[x]({filename}../../../README.md)", "{filename}../../../README.md leads to nothing"),
        ("[x]({filename}/notes/todo.md)", "{filename}/notes/todo.md leads to nothing"),
        ("![x]({attach}../../images/a.png)", "{attach}../../images/a.png would move the file to one language's folder"),
        ("[x]({filename}سلام.md)", "{filename}سلام.md leads to nothing"),
    ],
)
def test_a_dead_link_is_told_with_its_line_and_nothing_is_written(site: Site, written: str, what: str) -> None:
    site.write("images/a.png", b"x")
    site.write("notes/todo.md", "Title: x\n\nText.\n")
    site.write("../README.md", "Title: x\n\nText.\n")
    before = {path: path.read_bytes() for path in site.folder.rglob("*.*") if path.is_file()}
    site.article("en", "one", f"First.\n\n{written}")
    (problem,) = site.build().problems
    assert (problem.file, problem.line, problem.what) == ("content/articles/en/one.md", 6, what)
    assert not site.output.exists()
    assert {path: path.read_bytes() for path in before} == before


def test_a_dead_link_in_a_summary_is_told(site: Site) -> None:
    site.article("en", "one", Summary="[x]({filename}nowhere.md)")
    (problem,) = site.build().problems
    assert (problem.file, problem.line) == ("content/articles/en/one.md", 3)


def test_a_link_to_a_broken_file_is_not_told_twice(site: Site) -> None:
    site.article("en", "one", "[x]({filename}two.md) [x]({filename}three.md) [x]({filename}four.md)")
    site.write("articles/en/two.md", "")
    site.article("en", "three", Date="soon")
    site.article("en", "four", Slug="../x")
    assert {problem.file for problem in site.build().problems} == {
        "content/articles/en/two.md", "content/articles/en/three.md", "content/articles/en/four.md",
    }  # fmt: skip


def test_a_link_to_a_draft_is_no_link_in_production(site: Site) -> None:
    site.article("en", "one", "[that]({filename}that.md)")
    site.article("en", "that", Status="draft")
    site.build_whole()
    assert target(site, "en/one/") == "en/drafts/that/"
    site.settings(MULTILINGUAL_DRAFTS=False)
    assert texts(site.build()) == [
        "content/articles/en/one.md:4: {filename}that.md leads to a draft, which is not published. "
        "Remove the link, or publish that article.",
    ]


def test_a_draft_may_link_to_a_draft_in_production(site: Site) -> None:
    site.article("en", "one", "[that]({filename}that.md)", Status="draft")
    site.article("en", "that", Status="draft")
    site.article("en", "three")
    site.settings(MULTILINGUAL_DRAFTS=False)
    site.build_whole()
    assert not site.has("en/drafts/one/")


def test_a_link_to_a_translation_in_draft_leads_to_what_is_published(linked: Site) -> None:
    linked.translation("fa", "that", "en", Status="draft")
    linked.settings(MULTILINGUAL_DRAFTS=False)
    linked.build_whole()
    assert target(linked, "fa/one/") == "en/that/"


def test_a_link_to_a_withdrawn_article_leads_to_its_notice(linked: Site) -> None:
    linked.article("en", "that", Withdrawn="2026-02-03")
    linked.build_whole()
    assert target(linked, "en/one/") == "en/that/"
    assert target(linked, "fa/one/") in ("fa/that/", "en/that/")


def test_attach_is_allowed_where_folders_are_no_languages(site: Site) -> None:
    site.write("articles/a.png", b"x")
    site.write("articles/one.md", "Title: One\nDate: 2026-01-02\nSlug: one\n\n![x]({attach}a.png)\n")
    site.build_whole()
    assert site.has("en/one/a.png")
