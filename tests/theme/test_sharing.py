"""What a page says about itself to those who show a link to it, or read it as data."""

import json

import pytest
from lxml import html

from tests.theme.support import COMMON_PAGES, LANGUAGES, BuiltSite, pages_of

#: As Open Graph writes them (language_TERRITORY).
LOCALES = {
    "en": "en_GB", "ru": "ru_RU", "uk": "uk_UA", "es": "es_ES", "fr": "fr_FR", "ar": "ar_EG", "fa": "fa_IR",
    "zh-Hans": "zh_CN",
}  # fmt: skip


def open_graph(tree: html.HtmlElement) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for meta in tree.cssselect("meta[property]"):
        found.setdefault(meta.attrib["property"], []).append(meta.attrib["content"])
    return found


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_article_is_described_for_whoever_shows_its_link(site: BuiltSite, lang: str) -> None:
    url = pages_of(lang)["article"]
    tree = site.tree(url)
    found = open_graph(tree)
    public = site.site.preparation.public_url
    title = tree.cssselect("h1")[0].text_content()
    assert found["og:type"] == ["article"]
    assert found["og:title"][0].startswith(title)
    assert found["og:url"] == [site.canonical(url)]
    assert found["og:site_name"] == ["The Human Rights"]
    assert found["og:locale"] == [LOCALES[lang]]
    assert sorted(found["og:locale:alternate"]) == sorted(set(LOCALES.values()) - {LOCALES[lang]})
    assert found["og:description"][0][:40] in tree.cssselect(".standfirst")[0].text_content()
    assert found["og:image"] == [f"{public}/images/test-picture.jpg"]
    assert found["og:image:alt"] == [tree.cssselect("figure img")[0].get("alt")]


def test_a_locale_is_named_only_where_the_page_exists_in_it(site: BuiltSite) -> None:
    assert "og:locale:alternate" not in open_graph(site.tree("fa/only-persian/"))
    assert "og:image" not in open_graph(site.tree("fa/only-persian/"))
    assert open_graph(site.tree("en/"))["og:type"] == ["website"]


def test_what_is_in_no_list_is_offered_to_nobody(site: BuiltSite) -> None:
    for url in (pages_of("en")["draft"], pages_of("en")["withdrawn article"], COMMON_PAGES["neutral address"]):
        tree = site.tree(url)
        assert open_graph(tree) == {}
        assert not tree.cssselect("script")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_article_is_data_that_agrees_with_the_page(site: BuiltSite, lang: str) -> None:
    url = pages_of(lang)["article"]
    tree = site.tree(url)
    blocks = tree.cssselect("script")
    assert [block.get("type") for block in blocks] == ["application/ld+json"]
    data = json.loads(blocks[0].text_content())
    assert data["@type"] == "Article"
    assert data["inLanguage"] == lang
    assert data["headline"] == tree.cssselect("h1")[0].text_content()
    assert data["url"] == site.canonical(url)
    assert data["version"] in tree.cssselect(".citation")[0].text_content()
    assert ("translationOfWork" in data) == (lang != "en")


def test_no_text_of_an_article_can_end_its_data(site: BuiltSite) -> None:
    for lang in LANGUAGES:
        for kind in ("article", "corrected article", "retracted article"):
            text = site.file(pages_of(lang)[kind]).read_text("utf-8")
            block = text.partition('<script type="application/ld+json">')[2].partition("</script>")[0]
            assert block
            assert not set("<>&") & set(block)
