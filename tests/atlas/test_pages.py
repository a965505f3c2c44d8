"""Pages and feeds of countries and regions, and the directory, as they are built."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from atlas.table import AtlasTable
from lxml.html import HtmlElement

from tests.atlas.sites import LANGUAGES, make_site, words
from tests.multilingual.sites import ROOT, Site, texts

OURS = AtlasTable(ROOT / "content" / "atlas.yaml", {}).atlas


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_site(tmp_path)


def links(element: HtmlElement) -> list[str]:
    return [words(link) for link in element.iter("a")]


def entry_titles(site: Site, feed: str) -> list[str]:
    return [entry.findtext("{*}title") or "" for entry in site.xml(feed).iter("{*}entry")]


def test_countries_and_regions_have_pages_and_feeds_in_every_edition(tmp_path: Path) -> None:
    site = make_site(tmp_path, MULTILINGUAL_LANGUAGES={lang: {} for lang in LANGUAGES})
    site.article("en", "war", Countries="ru, UA, ru")
    for lang in LANGUAGES[1:]:
        site.translation(lang, "war", "en")
    site.build_whole()
    for lang in LANGUAGES:
        for url, name in (
            ("countries/ru/", OURS.find("RU").name(lang)),
            ("countries/ua/", OURS.find("UA").name(lang)),
            ("regions/eastern-europe/", OURS.find("UA").region.name(lang)),
        ):
            page = site.html(f"{lang}/{url}")
            assert [words(h1) for h1 in page.iter("h1")] == [name]
            assert f"war in {lang}" in links(page)
            alternates = {link.get("hreflang") for link in page.iter("link") if "alternate" in link.get("rel", "")}
            assert set(LANGUAGES) <= alternates
            assert f"<loc>https://site.example/{lang}/{url}</loc>" in site.text("sitemap.xml")
            assert entry_titles(site, f"{lang}/{url}feed.atom") == [f"war in {lang}"]
    russia = site.html("fa/countries/ru/")
    assert OURS.find("RU").about("fa") in words(russia)
    assert OURS.find("RU").region.name("fa") in links(russia)


def test_a_translation_may_state_its_own_countries_and_hidden_ones_and_drafts_have_them(site: Site) -> None:
    site.write(
        "../show/article.html", "{% for one in article.countries + article.regions %}[{{ one.name }}]{% endfor %}"
    )
    site.settings(THEME_TEMPLATES_OVERRIDES=[str(site.folder / "show")])
    site.article("en", "war", Countries="RU, IR")
    site.translation("fa", "war", "en", Countries="KG")
    site.translation("zh-Hans", "war", "en")
    site.article("en", "hidden", Countries="XK", Status="hidden")
    site.article("en", "draft", Countries="no", Status="draft")
    site.article("en", "none")
    site.build_whole()
    assert site.text("en/war/") == "[Russia][Iran][Middle East][Eastern Europe and post-Soviet states]"
    assert site.text("fa/war/") == "[قرقیزستان][اروپای شرقی و کشورهای پساشوروی]"
    assert site.text("zh-Hans/war/") == "[俄罗斯][伊朗][中东][东欧和原苏联国家]"
    assert site.text("en/hidden/") == "[Kosovo][Western Balkans]"
    assert site.text("en/drafts/draft/") == "[Norway][Elsewhere]"
    assert site.text("en/none/") == ""
    assert not site.has("en/countries/no/")  # what only a draft is about is nowhere yet
    assert "Norway" not in site.text("en/countries/")


def test_yaml_headers_keep_norway(site: Site) -> None:
    for key, stated in (("list", "[NO, RU]"), ("text", "NO"), ("block", "\n  - NO")):
        site.write(f"articles/en/{key}.md", f"---\ntitle: {key}\ndate: 2026-01-02\ncountries: {stated}\n---\nText.\n")
    site.build_whole()
    assert sorted(entry_titles(site, "en/countries/no/feed.atom")) == ["block", "list", "text"]


def test_everything_on_a_country_stands_on_one_page_by_year(site: Site) -> None:
    for n in range(14):
        site.article("en", f"a{n:02}", Date=f"{2024 + n // 5}-03-{n + 1:02}", Countries="RU")
        site.translation("fa", f"a{n:02}", "en")
    site.build_whole()
    page = site.html("en/countries/ru/")
    years = {words(year[0]): [words(link) for link in year.iter("a")] for year in page.find_class("year")}
    assert list(years) == ["2026", "2025", "2024"]
    assert years["2025"] == [f"a{n:02} in en" for n in (9, 8, 7, 6, 5)]
    assert sum(map(len, years.values())) == 14
    assert not site.has("en/countries/ru/page/2/")
    persian = [words(year[0]) for year in site.html("fa/countries/ru/").find_class("year")]
    assert persian == ["۱۴۰۴–۱۴۰۵ (۲۰۲۶)", "۱۴۰۳–۱۴۰۴ (۲۰۲۵)", "۱۴۰۲–۱۴۰۳ (۲۰۲۴)"]
    archive = [words(year[0]) for year in site.html("zh-Hans/archive/").find_class("year")]
    assert archive == []
    assert [words(year[0]) for year in site.html("en/archive/").find_class("year")] == ["2026", "2025", "2024"]


def test_a_country_with_articles_in_other_languages_only_says_so(site: Site) -> None:
    for n in range(8):
        site.article("en", f"a{n}", Countries="RU")
    site.article("fa", "persian", Countries="IR")
    site.build_whole()
    page = site.html("fa/countries/ru/")
    assert len(page.cssselect(".untranslated li")) == 8  # all of them, not five
    assert "هنوز به فارسی" in words(page.cssselect(".empty")[0])
    assert page.xpath("//meta[@name='robots']/@content") == ["noindex"]
    assert not site.has("fa/countries/ru/feed.atom")
    entry = next(li for li in site.html("fa/countries/").cssselect(".places > li") if "روسیه" in words(li))
    assert words(entry).removeprefix("روسیه").strip() == "هنوز به فارسی منتشر نشده"
    assert links(entry) == ["روسیه"]


@pytest.mark.parametrize("articles", [True, False])
def test_the_directory_has_every_country_in_every_language(tmp_path: Path, articles: bool) -> None:
    site = make_site(tmp_path, MULTILINGUAL_LANGUAGES={lang: {} for lang in LANGUAGES})
    site.article("en", "war", Countries="RU, NO" if articles else "")
    site.build_whole()
    style = gzip.compress((ROOT / "theme" / "static" / "css" / "site.css").read_bytes())
    for lang in LANGUAGES:
        page = site.html(f"{lang}/countries/")
        regions = page.find_class("region")
        expected = [*OURS.regions, OURS.elsewhere] if articles else OURS.regions
        assert [h2.get("id") for h2 in page.cssselect(".region > h2")] == [region.key for region in expected]
        for section, region in zip(regions, expected, strict=True):
            assert words(section[0]) == region.name(lang)
            shown = [words(li) for li in section.cssselect(".places > li")]
            for country in region.countries:
                assert any(text.startswith(country.name(lang)) for text in shown)
            for report in region.reports:
                assert report.about(lang) in words(section)
        covered = [OURS.find("RU").name(lang), OURS.find("NO").name(lang)] if articles else []
        assert [words(link) for link in page.cssselect(".places a")] == covered
        assert len(gzip.compress(site.text(f"{lang}/countries/").encode())) + len(style) <= 25_000
    counted = [words(li) for li in site.html("en/countries/").cssselect(".places > li:has(a)")]
    assert counted == (["Russia 1 article", "Norway 1 article"] if articles else [])


@pytest.mark.parametrize("key", ["services", "apply"])
def test_who_misses_a_country_is_led_to_where_reports_are_asked_for(tmp_path: Path, key: str) -> None:
    site = make_site(tmp_path, PLUGINS=["multilingual", "atlas", "contact"])
    site.article("en", "war", Countries="RU")
    site.build_whole()
    assert f"/{key}/" not in site.text("en/countries/") + site.text("en/countries/ru/")
    site.page("en", key)
    site.build_whole()
    for url, back in (("en/countries/", "../../"), ("en/countries/ru/", "../../../")):
        asking = [link for link in site.html(url).cssselect("main a") if link.get("href") == f"{back}en/{key}/"]
        assert len(asking) == 1


def test_a_region_shows_its_countries_and_its_articles(site: Site) -> None:
    site.article("en", "war", Countries="RU")
    site.article("en", "press", Countries="KZ")
    site.build_whole()
    page = site.html("en/regions/eastern-europe/")
    assert len(page.cssselect(".places > li")) == len(OURS.find("RU").region.countries)
    assert OURS.find("KZ").about("en") in words(page)
    assert {"war in en", "press in en", "Russia", "Kazakhstan"} <= set(links(page))
    assert "Ukraine" not in links(page)


def test_where_a_region_has_no_page_the_switcher_leads_to_the_directory(tmp_path: Path) -> None:
    site = make_site(tmp_path, MULTILINGUAL_UNTRANSLATED="hide")
    site.article("en", "war", Countries="RU")
    site.build_whole()
    persian = site.html("en/regions/eastern-europe/").xpath("//nav//a[@hreflang='fa']/@href")
    assert persian == ["../../../fa/countries/"]


@pytest.mark.parametrize(
    ("stated", "remedy"),
    [
        ("UK", "Did you mean 'GB' (United Kingdom)?"),
        ("Russia", "Did you mean 'RU' (Russia)?"),
        ("RU, Narnia-by-the-sea", "Write two letters of ISO 3166-1, such as RU; Kosovo is XK."),
    ],
)
def test_an_unknown_code_stops_the_build_with_the_nearest(site: Site, stated: str, remedy: str) -> None:
    site.article("en", "war", Countries=stated)
    site.translation("fa", "war", "en")
    (problem,) = texts(site.build())  # the translation only inherits it
    assert problem == f"content/articles/en/war.md:3: {stated.split(', ')[-1]!r} is no country's code. {remedy}"


def test_a_name_in_the_article_s_own_language_is_understood(site: Site) -> None:
    site.article("en", "war", Countries="RU")
    site.translation("fa", "war", "en", Countries="روسیه")
    (problem,) = texts(site.build())
    assert problem.startswith("content/articles/fa/war.md:")
    assert problem.endswith("'روسیه' is no country's code. Did you mean 'RU' (Russia)?")


def test_two_builds_are_the_same(site: Site) -> None:
    site.article("en", "war", Countries="UA, RU, NO, SE")
    site.build_whole()
    first = site.snapshot()
    assert site.build_whole().changed == 0
    assert site.snapshot() == first
