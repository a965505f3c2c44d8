"""From every page to the same thing in the other languages: the switcher, and hreflang for machines."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.multilingual.bare import Switch, look, undress
from tests.multilingual.sites import TERMS, WITH_TERMS, Site


def same(url: str) -> Switch:
    return Switch(url, exact=True, kind="same", current=False)


def nearest(url: str, kind: str) -> Switch:
    return Switch(url, exact=False, kind=kind, current=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """One site with a page of every type; its tests only look."""
    site = undress(Site(tmp_path_factory.mktemp("navigation")))
    site.settings(PAGINATED_TEMPLATES={"index": 1, "archives": 1}, MULTILINGUAL_UNTRANSLATED="hide", **WITH_TERMS)
    site.settings(YEAR_ARCHIVE_SAVE_AS="{date:%Y}/index.html", YEAR_ARCHIVE_URL="{date:%Y}/")
    site.settings(TAG_SAVE_AS="tag/{slug}/index.html", TAG_URL="tag/{slug}/")
    site.settings(TAGS_SAVE_AS="tags/index.html", TAGS_URL="tags/", DIRECT_TEMPLATES=["index", "archives", "tags"])
    site.write("terms.yaml", TERMS)
    site.article("en", "one", Date="2026-01-01", Topics="war, asylum", Author="desk")
    site.article("en", "two", Date="2026-01-02")
    site.article("en", "three", Date="2025-12-31")
    site.translation("fa", "one", "en", Slug="یک", Topics="asylum")
    site.translation("fa", "two", "en", Status="draft")
    site.article("en", "secret", Status="hidden")
    site.translation("fa", "secret", "en", Status="hidden")
    site.article("en", "gone", Withdrawn="2026-03-04")
    site.page("en", "about")
    site.page("fa", "about", Translated_from="en", Slug="درباره")
    site.build_whole()
    return site


def test_every_page_names_every_language_in_the_order_of_the_site(site: Site) -> None:
    for url in site.pages():
        if url != "404.html":
            switcher = look(site, url).switcher
            assert list(switcher) == ["en", "fa", "zh-Hans"], url
            current = [lang for lang, switch in switcher.items() if switch.current]
            assert current == [lang for lang in switcher if url.startswith(f"{lang}/")], url


def test_every_entry_leads_to_a_page(site: Site) -> None:
    for url in site.pages():
        for switch in look(site, url).switcher.values():
            assert site.has(switch.url.removeprefix("/")), f"{url} -> {switch.url}"


@pytest.mark.parametrize(
    ("url", "lang", "expected"),
    [
        ("en/one/", "fa", same("/fa/یک/")),
        ("fa/یک/", "en", same("/en/one/")),
        ("en/one/", "zh-Hans", nearest("/zh-Hans/", "home")),
        ("en/about/", "fa", same("/fa/درباره/")),
        ("en/", "fa", same("/fa/")),
        ("en/archive/", "zh-Hans", same("/zh-Hans/archive/")),
        ("en/2026/", "fa", same("/fa/2026/")),
        ("en/2025/", "fa", nearest("/fa/archive/", "list")),
        ("en/topics/", "zh-Hans", same("/zh-Hans/topics/")),
        ("en/topics/asylum/", "fa", same("/fa/topics/پناهندگی/")),
        ("en/topics/war/", "fa", nearest("/fa/topics/", "list")),
        ("en/authors/desk/", "fa", same("/fa/authors/desk/")),
        ("en/authors/desk/", "zh-Hans", nearest("/zh-Hans/authors/", "list")),
        ("en/tag/asylum/", "zh-Hans", nearest("/zh-Hans/tags/", "list")),
        # Page 2 leads to page 2, or to the list's beginning.
        ("en/page/2/", "fa", same("/fa/")),
        ("en/archive/page/3/", "fa", same("/fa/archive/")),
        # What is published leads to no draft; a draft leads to what is published.
        ("en/two/", "fa", nearest("/fa/", "home")),
        ("fa/drafts/two/", "en", same("/en/two/")),
        ("en/secret/", "fa", same("/fa/secret/")),
        ("en/gone/", "fa", same("/fa/gone/")),
        ("zh-Hans/gone/", "en", same("/en/gone/")),
        # Pages in no language.
        ("", "fa", same("/fa/")),
        ("k/one/", "fa", same("/fa/یک/")),
        ("k/one/", "zh-Hans", nearest("/zh-Hans/", "home")),
        ("k/gone/", "zh-Hans", same("/zh-Hans/gone/")),
    ],
)
def test_switcher_leads_to_the_same_or_says_that_it_does_not(site: Site, url: str, lang: str, expected: Switch) -> None:
    assert look(site, url).switcher[lang] == expected


def test_second_page_leads_to_the_second_page(site: Site) -> None:
    switcher = look(site, "en/page/2/").switcher
    assert switcher["en"] == Switch("/en/page/2/", exact=True, kind="same", current=True)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("en/one/", {"en": "en/one/", "fa": "fa/%DB%8C%DA%A9/", "x-default": "en/one/"}),
        ("fa/یک/", {"en": "en/one/", "fa": "fa/%DB%8C%DA%A9/", "x-default": "en/one/"}),
        ("en/three/", {"en": "en/three/", "x-default": "en/three/"}),
        ("en/", {"en": "en/", "fa": "fa/", "zh-Hans": "zh-Hans/", "x-default": ""}),
        ("", {"en": "en/", "fa": "fa/", "zh-Hans": "zh-Hans/", "x-default": ""}),
        ("en/2025/", {"en": "en/2025/"}),
        ("en/topics/war/", {"en": "en/topics/war/"}),
        ("en/tag/asylum/", {"en": "en/tag/asylum/", "fa": "fa/tag/%D9%BE%D9%86%D8%A7%D9%87%D9%86%D8%AF%DA%AF%DB%8C/"}),
        ("en/two/", {"en": "en/two/", "x-default": "en/two/"}),
        ("fa/drafts/two/", {}),
        ("en/secret/", {}),
        ("en/gone/", {}),
        ("en/page/2/", {}),
        ("k/one/", {}),
    ],
)
def test_alternates_are_the_real_translations(site: Site, url: str, expected: dict[str, str]) -> None:
    alternates = look(site, url).alternates
    assert alternates == {lang: f"https://site.example/{path}" for lang, path in expected.items()}


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("en/one/", "en/one/"),
        ("fa/یک/", "fa/%DB%8C%DA%A9/"),
        ("en/page/2/", "en/page/2/"),
        ("", ""),
        ("en/secret/", "en/secret/"),
        ("fa/drafts/two/", None),
        ("en/gone/", None),
        ("k/one/", None),
    ],
)
def test_canonical_is_the_page_itself(site: Site, url: str, canonical: str | None) -> None:
    expected = None if canonical is None else f"https://site.example/{canonical}"
    assert look(site, url).canonical == expected


def test_home_without_a_chooser_has_the_default_language_as_its_default(tmp_path: Path) -> None:
    site = undress(Site(tmp_path, MULTILINGUAL_CHOOSER=False, DEFAULT_LANG="fa"))
    site.build_whole()
    assert look(site, "en/").alternates["x-default"] == "https://site.example/fa/"


def test_without_a_siteurl_there_is_nothing_absolute_to_say(tmp_path: Path) -> None:
    site = undress(Site(tmp_path, SITEURL=""))
    site.article("en", "one")
    site.build_whole()
    page = look(site, "en/one/")
    assert (page.alternates, page.canonical) == ({}, None)
    assert page.switcher["fa"].url == "/fa/"
    assert not site.has("sitemap.xml")


def test_pages_of_other_plugins_are_in_the_switcher(tmp_path: Path) -> None:
    site = undress(Site(tmp_path))
    site.article("en", "one")
    site.page("en", "report")
    (site.folder / "further.py").write_text(
        "from pelican.plugins import signals\n"
        "def enter(generators):\n"
        "    pages = generators[0].context['PAGES_BY_IDENTITY']\n"
        "    pages['page', 'report'] = {'fa': 'fa/form/'}\n"
        "def look(generator, writer):\n"
        "    pages = generator.context['PAGES_BY_IDENTITY']\n"
        "    print('ONE', pages['article', 'one'], 'REPORT', sorted(pages['page', 'report'].items()))\n"
        "def register():\n"
        "    signals.all_generators_finalized.connect(enter)\n"
        "    signals.article_writer_finalized.connect(look)\n",
        "utf-8",
    )
    site.settings(PLUGINS=["further", "multilingual"], PLUGIN_PATHS=[*site.configuration["PLUGIN_PATHS"], "."])
    built = site.run_pelican()
    assert "ONE {'en': 'en/one/'} REPORT [('en', 'en/report/'), ('fa', 'fa/form/')]" in " ".join(built.stdout.split())
    switcher = look(site, "en/report/").switcher
    assert switcher["fa"] == same("/fa/form/")
    assert switcher["zh-Hans"].kind == "home"
    # What another plugin writes is no page of ours that could name us in return.
    assert set(look(site, "en/report/").alternates) == {"en", "x-default"}
