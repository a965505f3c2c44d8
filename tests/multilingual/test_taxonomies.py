"""Topics, authors and whatever another plugin puts on an article: pages, feeds and alternates in every edition."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.multilingual.bare import look, undress
from tests.multilingual.sites import TERMS, WITH_TERMS, Site

COUNTRIES = """
from pelican.plugins import signals

NAMES = {"ru": {"en": "Russia", "fa": "روسیه"}, "ua": {"en": "Ukraine", "fa": "اوکراین"}}

class Country:
    def __init__(self, key):
        self.key = key
    def name(self, lang):
        return NAMES[self.key].get(lang, NAMES[self.key]["en"])
    def slug(self, lang):
        return self.key

def set_countries(generator):
    if __name__ not in generator.settings["PLUGINS"]:  # receivers outlive their site
        return
    for article in generator.articles + generator.translations:
        stated = getattr(article, "countries", "")
        article.countries = [Country(key.strip().lower()) for key in stated.split(",") if key.strip()]

def register():
    signals.article_generator_finalized.connect(set_countries)
"""
PATTERNS = {
    "url": "countries/{key}/",
    "template": "country",
    "feed": "countries/{key}/feed.atom",
    "paginate": 2,
    "index": "countries/",
    "index_template": "countries",
}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return undress(Site(tmp_path, MULTILINGUAL_LANGUAGES={"en": {}, "fa": {}}))


@pytest.mark.parametrize("order", [["atlas_of_test", "multilingual"], ["multilingual", "atlas_of_test"]])
def test_terms_of_another_plugin_get_pages_in_every_edition(site: Site, order: list[str]) -> None:
    (site.folder / "atlas_of_test.py").write_text(COUNTRIES, "utf-8")
    site.settings(PLUGINS=order, PLUGIN_PATHS=[*site.configuration["PLUGIN_PATHS"], "."])
    site.settings(MULTILINGUAL_TAXONOMIES={"countries": PATTERNS})
    for day in (1, 2, 3):
        site.article("en", f"a{day}", Date=f"2026-01-0{day}", Countries="RU, UA" if day == 3 else "RU")
    site.translation("fa", "a3", "en")  # countries are the source's
    site.translation("fa", "a2", "en", Countries="UA")
    built = site.run_pelican()
    assert "ERROR" not in built.stdout + built.stderr

    russia = look(site, "en/countries/ru/")
    assert russia.heading == "Russia"
    assert russia.articles == ["/en/a3/", "/en/a2/"]
    assert russia.next == "/en/countries/ru/page/2/"
    assert russia.alternates == {lang: f"https://site.example/{lang}/countries/ru/" for lang in ("en", "fa")}
    persian = look(site, "fa/countries/ru/")
    assert persian.heading == "روسیه"
    assert persian.articles == ["/fa/a3/"]
    assert persian.untranslated == ["/en/a1/"]
    assert persian.switcher["en"].url == "/en/countries/ru/"
    assert look(site, "fa/countries/ua/").articles == ["/fa/a3/", "/fa/a2/"]
    assert look(site, "en/countries/").texts("term") == ["Russia 3", "Ukraine 1"]
    assert look(site, "fa/countries/").texts("term") == ["اوکراین 2", "روسیه 1"]  # by their Persian names
    titles = [entry.findtext("{*}title") for entry in site.xml("fa/countries/ua/feed.atom").iter("{*}entry")]
    assert titles == ["a3 in fa", "a2 in fa"]
    assert "<loc>https://site.example/fa/countries/ru/</loc>" in site.text("sitemap.xml")


def test_a_broken_article_is_not_offered_to_other_editions(site: Site) -> None:
    """What is wrong with it is told; another plugin never saw it, so its countries are still text."""
    (site.folder / "atlas_of_test.py").write_text(COUNTRIES, "utf-8")
    site.settings(PLUGINS=["multilingual", "atlas_of_test"])
    site.settings(PLUGIN_PATHS=[*site.configuration["PLUGIN_PATHS"], "."])
    site.settings(MULTILINGUAL_TERMS="terms.yaml", MULTILINGUAL_TAXONOMIES={"countries": PATTERNS})
    site.write("terms.yaml", TERMS)
    site.article("en", "one", Topics="nothing", Countries="RU")
    [problem] = site.build().errors
    assert "'nothing' is not in the table of topics" in str(problem)


def test_terms_lead_to_their_pages_from_the_article(site: Site) -> None:
    (site.folder / "bare/templates/article.html").write_text(
        "{% for one in article.topics %}[{{ one }}|{{ one.name('en') }}|{{ one.url }}|{{ one.name_lang }}]{% endfor %}"
    )
    site.settings(**WITH_TERMS)
    site.write("terms.yaml", TERMS.replace("fa: جنگ, ", ""))
    site.article("en", "one", Topics="asylum, war")
    site.translation("fa", "one", "en")
    site.build_whole()
    assert site.text("en/one/") == "[Asylum|Asylum|en/topics/asylum/|en][War|War|en/topics/war/|en]"
    assert site.text("fa/one/") == "[پناهندگی|Asylum|fa/topics/پناهندگی/|fa][War|War|fa/topics/war/|en]"
    assert look(site, "fa/topics/").terms == ["/fa/topics/war/", "/fa/topics/پناهندگی/"]


def test_terms_say_more_about_themselves(site: Site) -> None:
    (site.folder / "bare/templates/article.html").write_text(
        "{% for one in article.authors + article.topics %}[{{ one.credentials }}|{{ one.about }}]{% endfor %}"
    )
    site.settings(**WITH_TERMS)
    site.write("terms.yaml", TERMS.replace("Amina}", "Amina}, credentials: {en: Writer}, about: {fa: نویسنده}"))
    site.article("en", "one", Author="amina", Topics="war")
    site.translation("fa", "one", "en")
    site.build_whole()
    assert site.text("en/one/") == "[Writer|][|]"
    assert site.text("fa/one/") == "[|نویسنده][|]"
    warnings = {problem.what for problem in site.check().problems}
    assert "authors.amina has no credentials in fa" in warnings
    assert "topics.war has no about in fa" not in warnings


def test_a_misspelt_field_of_a_term_is_an_error(site: Site) -> None:
    site.settings(**WITH_TERMS)
    site.write("terms.yaml", TERMS.replace("Amina}", "Amina}, credentails: {en: Writer}"))
    (problem,) = site.build().errors
    assert problem.what == "authors.amina has an unknown field 'credentails'"
    assert "'credentials'" in problem.remedy


def test_topic_names_its_feed_and_an_empty_one_has_none(site: Site) -> None:
    site.settings(**WITH_TERMS)
    site.write("terms.yaml", TERMS)
    site.article("en", "one", Topics="war")
    site.build_whole()
    assert [a.get("data-url") for a in look(site, "en/topics/war/").document.find_class("feed")] == [
        "/en/topics/war/feed.atom"
    ]
    assert look(site, "fa/topics/war/").document.find_class("feed") == []
    assert not site.has("fa/topics/war/feed.atom")


def test_terms_serve_as_pelicans_tags_and_authors(site: Site) -> None:
    site.settings(MULTILINGUAL_TERMS="terms.yaml", DIRECT_TEMPLATES=["index", "tags", "authors"])
    site.settings(TAG_SAVE_AS="tag/{slug}.html", AUTHOR_SAVE_AS="author/{slug}.html", AUTHOR_URL="author/{slug}.html")
    site.settings(AUTHOR_FEED_ATOM="author/{slug}.atom", TAG_URL="tag/{slug}.html")
    site.write("terms.yaml", TERMS)
    site.article("en", "one", Topics="asylum", Author="desk")
    site.translation("fa", "one", "en")
    site.build_whole()
    assert look(site, "fa/tag/پناهندگی.html").articles == ["/fa/one/"]
    assert look(site, "en/tag/asylum.html").switcher["fa"].url == "/fa/tag/پناهندگی.html"
    assert look(site, "fa/author/desk.html").articles == ["/fa/one/"]
    assert site.xml("fa/author/desk.atom").findtext("{*}title") == "The Site - هیئت تحریریه"


def test_author_with_a_page_of_his_own_gets_no_second_one(site: Site) -> None:
    site.settings(**WITH_TERMS)
    site.settings(AUTHOR_SAVE_AS="author/{slug}.html")
    site.write("terms.yaml", TERMS)
    site.article("en", "one", Author="desk")
    site.build_whole()
    assert site.has("en/authors/desk/")
    assert not any("/author/" in url for url in site.pages())
