"""Real sites: the same ids in every edition, visible numbers on pages only, warnings, caches, foreign themes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.multilingual.sites import Site, texts

TEXT = """\
{words}[^1] [out](https://example.org/a) [in](https://site.example/b) [other]({{filename}}/articles/en/other.md)

## {words}

- {words}

    {words}

> {words}

### {words}

| {words} | 2 |
|---|---|
| 3 | 4 |

    {words} <p id="p1">

* * *

<div class="note">{words}</div>

{words}
:   {words}

[^1]: {words}
"""
WORDS = {"en": "Some words", "fa": "چند واژه", "zh-Hans": "几个词"}
IDS = ["p1", "s1", "p2", "p3", "s2", "p4", "p5", "p6", "p7"]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path, PLUGINS=["multilingual", "prose"])


def write(site: Site) -> None:
    site.article("en", "one", TEXT.format(words=WORDS["en"]), Summary="With [a link](https://example.org/s)")
    for lang in ("fa", "zh-Hans"):
        site.translation(lang, "one", "en", TEXT.format(words=WORDS[lang]), Summary="-")
    site.article("en", "other", "Text")
    site.translation("fa", "other", "en", "Text")


def ids(site: Site, url: str) -> list[str]:
    found = site.html(url).xpath('//*[@class="prose"]//@id')
    return [str(one) for one in found if re.fullmatch(r"[ps]\d+", one)]


def test_a_block_has_the_same_id_in_every_language(site: Site) -> None:
    write(site)
    result = site.build_whole()
    assert not [text for text in texts(result) if "numbered" in text]
    for lang in ("en", "fa", "zh-Hans"):
        assert ids(site, f"{lang}/one/") == IDS, lang


def test_each_block_shows_its_number_in_the_digits_of_its_page(site: Site) -> None:
    write(site)
    site.build_whole()
    for lang, digits in (("en", "1234567"), ("fa", "۱۲۳۴۵۶۷"), ("zh-Hans", "1234567")):
        page = site.html(f"{lang}/one/")
        links = page.xpath('//a[@class="number"]')
        assert [link.text for link in links] == list(digits)
        for link in links:
            parent = link.getparent()
            assert parent[0] is link
            assert not (parent.text or "").strip()
            assert link.get("href") == f"#{parent.get('id')}"
        assert page.xpath('string(//a[@class="footnote-ref"])') == digits[0]


def test_feeds_have_the_ids_and_no_numbers(site: Site) -> None:
    write(site)
    site.build_whole()
    feed = site.text("fa/feed.atom")
    assert 'id="p7"' in feed.replace("&quot;", '"')
    assert "number" not in feed


def test_links_within_the_site_still_lead_to_the_readers_language(site: Site) -> None:
    write(site)
    site.build_whole()
    page = site.html("fa/one/")
    assert page.xpath('//a[text()="other"]/@href') == ["../../fa/other/"]
    assert page.xpath('//a[text()="other"]/@rel') == []
    assert site.html("zh-Hans/one/").xpath('//a[text()="other"]/@hreflang') == ["en"]


def test_links_outwards_tell_nothing_in_text_summary_and_feed(site: Site) -> None:
    write(site)
    site.build_whole()
    for url in ("en/one/", "en/"):
        assert site.html(url).xpath('//a[text()="a link"]/@rel') == ["noreferrer noopener"]
    assert site.html("en/one/").xpath('//a[text()="out"]/@rel') == ["noreferrer noopener"]
    assert site.html("en/one/").xpath('//a[text()="in"]/@rel') == []
    assert site.text("en/feed.atom").count("noreferrer noopener") >= 2


def test_drafts_and_hidden_articles_are_numbered_pages_are_not(site: Site) -> None:
    site.article("en", "draft", "## H\n\nText", Status="draft")
    site.article("en", "hidden", "Text", Status="hidden")
    site.page("en", "about", "Text\n\n## H\n\n### I\n")
    site.build_whole()
    assert ids(site, "en/drafts/draft/") == ["s1", "p1"]
    assert ids(site, "en/hidden/") == ["p1"]
    assert ids(site, "en/about/") == ["s1", "s2"]
    site.settings(PROSE_NUMBERED=("page",))
    site.build_whole()
    assert ids(site, "en/about/") == ["p1", "s1", "s2"]
    assert not site.html("en/about/").xpath('//a[@class="number"]')  # our theme shows numbers in articles alone
    assert ids(site, "en/hidden/") == []


def test_a_translation_with_other_blocks_is_named_and_stops_nothing(site: Site) -> None:
    site.article("en", "one", "A\n\nB\n\nC")
    site.translation("fa", "one", "en", "A\n\nB")
    site.translation("zh-Hans", "one", "en", "A\n\nB\n\nC\n\nD", Status="draft")
    site.build_whole()
    found = [problem for problem in site.check().problems if "numbered paragraphs" in problem.what]
    assert [(problem.file, problem.warning) for problem in found] == [
        ("content/articles/fa/one.md", True),
        ("content/articles/zh-Hans/one.md", True),
    ]
    assert found[0].what == "has 2 numbered paragraphs, its source (en) has 3: citations by number will not match"
    site.translation("fa", "one", "en", "A\n\nB\n\nC")
    site.translation("zh-Hans", "one", "en", "A\n\nB\n\n- C")
    assert not [text for text in texts(site.check()) if "numbered paragraphs" in text]


def test_an_id_of_the_authors_that_stands_in_the_way_is_named(site: Site) -> None:
    site.article("en", "one", '<p><span id="p2">A</span></p>\n\nB')
    assert any("the id 'p2' stands in the text" in text for text in texts(site.check()))
    site.build_whole()
    assert ids(site, "en/one/") == ["p1", "p2"]


def test_a_wrong_setting_ends_the_build_with_its_remedy(site: Site) -> None:
    site.article("en", "one")
    site.settings(PROSE_SPEED={"fa": 100})
    run = site.run("build")
    assert run.returncode
    assert "Did you mean PROSE_SPEEDS?" in run.stdout + run.stderr


def test_templates_get_contents_and_reading_time(site: Site) -> None:
    theme = site.folder / "theme" / "templates"
    theme.mkdir(parents=True)
    (theme / "article.html").write_text(
        "{{ article.paragraphs }} {{ article.reading_minutes }}"
        "{% for section in article.contents %} {{ section.id }}={{ section.level }}:{{ section.title }}{% endfor %}"
    )
    for name in ("index", "archives", "page"):
        (theme / f"{name}.html").write_text("-")
    site.settings(THEME="theme", PROSE_SPEEDS={"zh": 100})
    site.article("en", "one", "## A *b*[^1]\n\n" + "word " * 2280 + "\n\n### C & d\n\n[^1]: " + "no " * 9000)
    site.translation("zh-Hans", "one", "en", "## 甲\n\n" + "乙" * 1000)
    site.build_whole()
    assert site.text("en/one/") == "1 10 s1=2:A b s2=3:C &amp; d"
    assert site.text("zh-Hans/one/") == "1 10 s1=2:甲"


# Builds that repeat


TWICE = """
import sys
from pelican import Pelican
from pelican.settings import read_settings
site = Pelican(read_settings("pelicanconf.py", override={"OUTPUT_PATH": sys.argv[1]}))
site.run()
site.run()
"""


@pytest.mark.parametrize("layer", ["reader", "none"])
def test_builds_that_repeat_mark_a_text_once(site: Site, layer: str) -> None:
    write(site)
    if layer != "none":
        site.settings(CACHE_CONTENT=True, LOAD_CONTENT_CACHE=True, CONTENT_CACHING_LAYER=layer, CACHE_PATH="cache")
    for _ in range(2):
        run = site.run_python("-c", TWICE, str(site.output))
        assert run.returncode == 0, run.stderr
        assert ids(site, "fa/one/") == IDS
        assert len(site.html("fa/one/").xpath('//a[@class="number"]')) == 7
        assert site.html("fa/one/").xpath('//a[text()="out"]/@rel') == ["noreferrer noopener"]


# Other people's sites


@pytest.fixture
def foreign(tmp_path: Path) -> Site:
    site = Site(tmp_path, PLUGINS=["prose"], THEME="simple", MULTILINGUAL_LANGUAGES=..., SUMMARY_MAX_LENGTH=50)
    site.settings(JINJA_ENVIRONMENT=..., ARTICLE_PATHS=["articles"], PAGE_PATHS=["pages"], DIRECT_TEMPLATES=["index"])
    return site


@pytest.mark.parametrize("caching", ["", "reader", "generator"])
def test_a_site_without_multilingual(foreign: Site, caching: str) -> None:
    if caching:
        foreign.settings(CACHE_CONTENT=True, LOAD_CONTENT_CACHE=True, CONTENT_CACHING_LAYER=caching, CACHE_PATH="cache")
        foreign.settings(WITH_FUTURE_DATES=True)
    foreign.write(
        "articles/a.md",
        "Title: A\nDate: 2026-01-02\n\nOne [b]({filename}/articles/b.rst)\n\n## H\n\n- " + "word " * 80,
    )
    foreign.write(
        "articles/b.rst",
        "B\n#\n\n:date: 2026-01-02\n\nOne [1]_ `out <https://example.org/>`_\n\nH\n===\n\n* Two\n\nI\n---\n\nThree\n\n"
        ".. [1] Note\n",
    )
    for _ in range(2):
        run = foreign.run_pelican("--log-handler", "plain")
        assert run.returncode == 0, run.stderr
        first, second = foreign.text("a/"), foreign.text("b/")
        assert re.findall(r'id="([ps]\d+)"', first) == ["p1", "s1", "p2"]
        assert re.findall(r'<p>|<p id="p1">', first)[0] == '<p id="p1">'
        assert re.findall(r'id="([ps]\d+)"', second) == ["p1", "s1", "p2", "s2", "p3"]
        assert re.search(r'<a [^>]*rel="noreferrer noopener"[^>]*href="https://example.org/"', second)
        assert re.search(r'href="[^"{]*/b/"', first), "with the generator's cache, Pelican forgets to make it relative"
        assert 'class="number"' not in first
        assert not re.findall(r'id="[ps]\d+"', foreign.text("")), "a list page has the ids of none"
        assert "One" in foreign.text("")


def test_a_foreign_theme_may_show_numbers(foreign: Site) -> None:
    theme = foreign.folder / "theme" / "templates"
    theme.mkdir(parents=True)
    (theme / "article.html").write_text("{{ article.content|numbered }}")
    (theme / "index.html").write_text("-")
    foreign.settings(THEME="theme")
    foreign.write("articles/a.md", "Title: A\nDate: 2026-01-02\n\nOne")
    run = foreign.run_pelican()
    assert run.returncode == 0, run.stderr
    assert foreign.text("a/") == '<p id="p1"><a class="number" href="#p1">1</a> One</p>'


def test_our_theme_works_without_the_plugin(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.article("en", "one", "Text")
    site.build_whole()
    assert site.html("en/one/").xpath('//*[@class="prose"]/p/@id') == []
