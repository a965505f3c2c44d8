"""Feeds: whole articles, in their language, with ids that neither a new slug nor a new domain changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import feedparser
import pytest

from tests.multilingual.bare import undress
from tests.multilingual.sites import TERMS, WITH_TERMS, Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = undress(Site(tmp_path, MULTILINGUAL_LANGUAGES={"en": {}, "fa": {}}))
    site.article(
        "en", "one", "Read [the next](/en/two/) and [this]({filename}two.md).", Date="2025-05-01", Summary="S."
    )
    site.article("en", "two", Date="2026-01-02")
    site.translation("fa", "one", "en", "متن", Slug="یک", Translated="2026-02-01")
    return site


def read(site: Site, url: str) -> Any:
    feed = feedparser.parse((site.output / url).read_bytes())
    assert not feed.bozo, feed.get("bozo_exception")
    return feed


def ids(site: Site) -> list[str]:
    return [entry.id for lang in ("en", "fa") for entry in read(site, f"{lang}/feed.atom").entries]


def test_feed_is_in_its_language_from_first_to_last(site: Site) -> None:
    site.build_whole()
    feed = read(site, "fa/feed.atom")
    assert feed.version == "atom10"
    assert feed.feed.language == "fa"
    assert feed.feed.link == "https://site.example/fa/"
    [own] = [link.href for link in feed.feed.links if link.rel == "self"]
    assert own == "https://site.example/fa/feed.atom"
    [entry] = feed.entries
    assert entry.link == "https://site.example/fa/%DB%8C%DA%A9/"
    assert entry.published == "2026-02-01T00:00:00+00:00"
    assert site.xml("fa/feed.atom").findtext(".//{*}content") == '<div lang="fa" dir="rtl"><p>متن</p></div>'


def test_feed_has_whole_articles_with_absolute_links(site: Site) -> None:
    site.build_whole()
    entries = read(site, "en/feed.atom").entries
    assert [entry.title for entry in entries] == ["two in en", "one in en"]
    assert 'href="https://site.example/en/two/">this' in entries[1].content[0].value
    assert entries[1].summary == "<p>S.</p>"


def test_ids_are_of_authority_year_language_and_key(site: Site) -> None:
    site.build_whole()
    assert ids(site) == [
        "tag:site.example,2026:en/two",
        "tag:site.example,2025:en/one",
        "tag:site.example,2025:fa/one",
    ]
    before = {url: read(site, url).feed.id for url in ("en/feed.atom", "fa/feed.atom")}
    assert len(set(before.values())) == 2
    entries = ids(site)

    site.settings(SITEURL="https://mirror.example/copy")
    site.article("en", "one", Date="2025-05-01", Slug="another-slug", Title="Another title")
    site.build_whole()
    assert ids(site) == entries
    assert {url: read(site, url).feed.id for url in before} == before


def test_authority_is_the_host_where_none_is_named(site: Site) -> None:
    site.settings(FEED_AUTHORITY=...)
    site.build_whole()
    assert ids(site)[0] == "tag:site.example,2026:en/two"


def test_edition_without_articles_has_no_feed(site: Site) -> None:
    site.settings(MULTILINGUAL_LANGUAGES={"en": {}, "fa": {}, "fr": {}})
    site.build_whole()
    assert not site.has("fr/feed.atom")
    assert not site.html("fr/").xpath("//link[@type='application/atom+xml']")
    [link] = site.html("fa/").xpath("//link[@type='application/atom+xml']/@href")
    assert link == "https://site.example/fa/feed.atom"


def test_rss_has_the_same_ids_and_the_language(site: Site) -> None:
    site.settings(FEED_RSS="feed.rss", RSS_FEED_SUMMARY_ONLY=False)
    site.article("en", "two", Retracted="2026-01-09 It was invented.")
    site.build_whole()
    feed = read(site, "fa/feed.rss")
    assert feed.version == "rss20"
    assert feed.feed.language == "fa"
    assert [entry.id for entry in feed.entries] == ["tag:site.example,2025:fa/one"]
    assert not feed.entries[0].guidislink
    assert 'dir="rtl"' in feed.entries[0].summary
    assert "It was invented." in read(site, "en/feed.rss").entries[0].summary


def test_every_feed_of_pelican_has_its_edition(site: Site) -> None:
    site.settings(
        FEED_ALL_ATOM="all.atom",
        FEED_ALL_RSS="all.rss",
        CATEGORY_FEED_ATOM="category/{slug}.atom",
        AUTHOR_FEED_ATOM="author/{slug}.atom",
        TAG_FEED_RSS="tag/{slug}.rss",
        TRANSLATION_FEED_ATOM="all-{lang}.atom",
        FEED_ATOM_URL="the-feed",
    )
    site.article("en", "two", Tags="war", Category="news", Author="Amina")
    site.translation("fa", "two", "en")
    site.build_whole()
    found = sorted(name for name in site.snapshot() if name.endswith((".atom", ".rss")))
    assert found == [
        f"{lang}/{name}"
        for lang in ("en", "fa")
        for name in (
            f"all-{lang}.atom", "all.atom", "all.rss", "author/amina.atom", "category/news.atom", "feed.atom",
            "tag/war.rss",
        )
    ]  # fmt: skip
    assert [entry.title for entry in read(site, "fa/tag/war.rss").entries] == ["two in fa"]
    assert read(site, "en/author/amina.atom").feed.title == "The Site - Amina"
    assert len({read(site, name).feed.get("id", name) for name in found}) == len(found)
    [own] = [link.href for link in read(site, "en/feed.atom").feed.links if link.rel == "self"]
    assert own == "https://site.example/en/the-feed"


def test_topic_has_a_feed(site: Site) -> None:
    site.settings(**WITH_TERMS)
    site.write("terms.yaml", TERMS)
    site.article("en", "two", Topics="asylum")
    site.translation("fa", "two", "en")
    site.build_whole()
    feed = read(site, "fa/topics/پناهندگی/feed.atom")
    assert feed.feed.title == "The Site - پناهندگی"
    assert [entry.title for entry in feed.entries] == ["two in fa"]


def test_links_of_a_summary_are_right_wherever_it_stands(site: Site) -> None:
    """Pelican freezes a summary's links for one page's depth, and the last page's depth leaks into feeds."""
    site.settings(PAGINATED_TEMPLATES={"index": 1}, THEME=str(site.folder / "summaries"), **WITH_TERMS)
    site.write("terms.yaml", TERMS)
    templates = site.folder / "summaries/templates"
    templates.mkdir(parents=True)
    for name in ("index", "topic", "topics", "authors", "article", "404"):
        (templates / f"{name}.html").write_text(
            "{% for one in (articles_page.object_list if articles_page else editions[0].articles) %}"
            "{{ one.summary|safe }}{% endfor %}",
            "utf-8",
        )
    summary = "See [two]({filename}two.md)."
    site.article("en", "one", Date="2025-05-01", Topics="war", Summary=summary)
    site.article("en", "two", Date="2026-01-02")
    site.build_whole()

    def link(url: str) -> str:
        return str(site.html(url).xpath("//a/@href")[0])

    assert link("en/page/2/") == "../../../en/two/"
    assert link("en/topics/war/") == "../../../en/two/"
    assert link("en/two/") == "../../en/two/"
    assert link("404.html") == "https://site.example/en/two/"
    for url in ("en/feed.atom", "en/topics/war/feed.atom"):
        [entry] = [one for one in read(site, url).entries if one.title == "one in en"]
        assert 'href="https://site.example/en/two/"' in entry.summary


def test_words_that_are_code_in_html_do_no_harm(site: Site) -> None:
    site.article("en", "two", Title="A & B <c>", Corrected="2026-01-09 x < y & z")
    site.build_whole()
    entry = read(site, "en/feed.atom").entries[0]
    assert "x &lt; y &amp; z" in entry.content[0].value
    assert entry.title.startswith("A &")
