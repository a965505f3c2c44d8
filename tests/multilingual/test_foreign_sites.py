"""Somebody else's site: untouched until it names its languages, and then in editions without changing a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.multilingual.foreign import make_foreign_site, tree
from tests.multilingual.sites import Site

LANGUAGES = {"MULTILINGUAL_LANGUAGES": {"en": {}, "fr": {"SITENAME": "Notes de cuisine"}}}
HELPFUL = """
from pelican.plugins import signals
from pelican.writers import Writer

class CountingWriter(Writer):
    written = []
    def write_file(self, name, *args, **kwargs):
        self.written.append(name)
        super().write_file(name, *args, **kwargs)

def count_words(generator):
    for article in generator.articles + generator.translations:
        article.words = len(article._content.split())
    generator.context["MOST_WORDS"] = max(article.words for article in generator.articles)

def get_writer(pelican):
    return CountingWriter

sent = []
def note(generator, content):
    sent.append(content.save_as)

def tell(pelican):
    print("SENT", *sorted(sent))
    print("WROTE", len(CountingWriter.written), len(set(CountingWriter.written)))

def register():
    signals.article_generator_finalized.connect(count_words)
    signals.get_writer.connect(get_writer)
    signals.article_generator_write_article.connect(note)
    signals.page_generator_write_page.connect(note)
    signals.finalized.connect(tell)
"""


def build(site: Site, name: str, *arguments: str) -> dict[str, bytes]:
    """Build into a folder of that name; return what was written and show what was complained of."""
    output = site.folder / name
    built = site.run_pelican("-o", str(output), *arguments)
    assert built.returncode == 0, built.stderr
    assert "ERROR" not in built.stdout + built.stderr, built.stdout + built.stderr
    site.output = output
    return tree(output)


# Without languages


@pytest.mark.parametrize("theme", ["simple", "notmyidea"])
def test_without_languages_the_output_is_pelicans_own(tmp_path: Path, theme: str) -> None:
    site = make_foreign_site(tmp_path, THEME=theme)
    without = build(site, "without")
    site.settings(PLUGINS=["multilingual"])
    listed = build(site, "listed")
    assert "bread-fr.html" in without
    assert listed == without


# With languages


@pytest.fixture(scope="module", params=["simple", "notmyidea"])
def editions(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site with two languages named, in each of the themes that Pelican brings."""
    folder = tmp_path_factory.mktemp("foreign")
    site = make_foreign_site(folder, THEME=request.param, PLUGINS=["multilingual"], **LANGUAGES)
    build(site, "output")
    return site


def test_site_in_pelicans_own_manner_gets_its_editions(editions: Site) -> None:
    pages = set(editions.pages())
    assert {
        "", "404.html", "colophon.html", "k/bread/", "k/soup/",
        "en/", "en/archives.html", "en/bread.html", "en/soup.html", "en/market.html", "en/undated.html",
        "en/quiet.html", "en/drafts/half.html", "en/pages/about.html", "en/pages/secret.html", "special/naples/",
        "en/category/baking.html", "en/category/travel.html", "en/tag/oven.html", "en/author/ali-reza.html",
        "en/index2.html", "en/posts/2026/", "en/posts/2026/Feb/", "en/tags.html", "en/categories.html",
        "en/authors.html",
        "fr/", "fr/archives.html", "fr/bread.html", "fr/soup.html", "fr/pages/about.html", "fr/tag/farine.html",
        "fr/category/baking.html", "fr/author/nora-berg.html",
    } <= pages  # fmt: skip
    assert not {"bread.html", "bread-fr.html", "archives.html", "fr/market.html"} & pages
    files = set(editions.snapshot())
    assert {"robots.txt", "pictures/bread.svg", "sitemap.xml", "en/bread.text", "fr/bread.text"} <= files
    assert {"en/feeds/all.atom.xml", "fr/feeds/all.rss.xml", "fr/feeds/baking.rss.xml"} <= files
    assert {"en/feeds/tag-oven.atom.xml", "en/feeds/all-en.atom.xml"} <= files


def test_its_pages_are_its_themes_in_the_right_language(editions: Site) -> None:
    french = editions.html("fr/bread.html")
    assert french.get("lang") == "fr"
    assert "Notes de cuisine" in (editions.html("fr/").findtext(".//title") or "")
    assert "Kitchen Notes" in (editions.html("en/").findtext(".//title") or "")
    assert "Pain" in french.text_content()
    [link] = [a for a in editions.html("fr/soup.html").iter("a") if (a.text or "").strip() == "du pain"]
    assert link.get("href") in ("./bread.html", "../fr/bread.html")
    assert "Market" in editions.html("en/").text_content() + editions.html("en/index2.html").text_content()
    assert "Market" not in editions.html("fr/").text_content()


def test_pages_its_theme_does_not_know_come_with_the_plugin(editions: Site) -> None:
    assert [a.get("href") for a in editions.html("").iter("a") if a.get("hreflang") in ("en", "fr")][:1] == ["./en/"]
    neutral = editions.html("k/bread/")
    assert {a.text for a in neutral.iter("a") if a.get("hreflang")} >= {"Bread", "Pain"}
    assert neutral.xpath("//meta[@name='robots']/@content") == ["noindex"]
    assert len(list(editions.html("404.html").iter("section"))) == 2


def test_its_feeds_are_one_per_language(editions: Site) -> None:
    titles = {
        lang: {e.findtext("{*}title") for e in editions.xml(f"{lang}/feeds/all.atom.xml").iter("{*}entry")}
        for lang in ("en", "fr")
    }
    assert titles["fr"] == {"Pain", "Soupe"}
    assert titles["en"] == {"Bread", "Soup", "Market", "Undated", "Naples"}


def test_every_link_of_it_leads_somewhere(tmp_path: Path) -> None:
    site = make_foreign_site(tmp_path, PLUGINS=["multilingual"], **LANGUAGES)
    broken = [str(p) for p in site.check().problems if "leads to nothing" in p.what or not p.warning]
    assert broken == []


@pytest.mark.parametrize("order", [["multilingual", "helpful"], ["helpful", "multilingual"]])
def test_beside_other_plugins(tmp_path: Path, order: list[str]) -> None:
    site = make_foreign_site(tmp_path, PLUGINS=order, THEME="own", **LANGUAGES)
    (site.folder / "helpful.py").write_text(HELPFUL, "utf-8")
    templates = site.folder / "own/templates"
    templates.mkdir(parents=True)
    (templates / "article.html").write_text("{{ article.title }}: {{ article.words }} of {{ MOST_WORDS }}", "utf-8")
    built = site.run_pelican()
    assert "ERROR" not in built.stdout + built.stderr
    assert site.text("fr/bread.html") == "Pain: 1 of 25"
    assert site.text("en/market.html") == "Market: 4 of 25"
    [told] = [line.split() for line in built.stdout.splitlines() if line.startswith("WROTE")]
    assert int(told[1]) == int(told[2]) == len(site.pages())  # its writer wrote every page, each once
    assert all(word in built.stdout for word in ("SENT", "fr/bread.html", "en/drafts/half.html", "fr/pages/about.html"))
