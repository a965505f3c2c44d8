"""What stands around an article's text: its parts, who wrote it, how to cite it, what to read next."""

import pytest
from lxml import html

from tests.theme.conftest import NewContext, Server
from tests.theme.support import DESKTOP, LANGUAGES, PHONE, BuiltSite, pages_of


def longest(site: BuiltSite, lang: str) -> str:
    """The address of the longest article that an edition really has."""
    found = [url for url in site.articles if url.startswith(f"{lang}/")]
    return max(found, key=lambda url: site.file(url).stat().st_size)


def text_of(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


# Contents


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_contents_lead_to_every_part_in_order(site: BuiltSite, lang: str) -> None:
    tree = site.tree(longest(site, lang))
    headings = tree.cssselect(".prose h2")
    assert len(headings) > 3
    links = tree.cssselect("nav.contents a")
    assert [link.get("href") for link in links] == [f"#{heading.get('id')}" for heading in headings]
    assert [text_of(link) for link in links] == [text_of(heading) for heading in headings]


def test_a_short_text_has_no_contents(site: BuiltSite) -> None:
    assert not site.tree(pages_of("en")["corrected article"]).cssselect("nav.contents")


@pytest.mark.parametrize("lang", ["en", "fa"])
def test_the_contents_are_folded_on_a_phone_and_lie_in_the_margin_on_a_wide_screen(
    new_context: NewContext, site: BuiltSite, server: Server, lang: str
) -> None:
    page = new_context(PHONE).new_page()
    page.goto(server.url(longest(site, lang)))
    contents = page.locator("nav.contents")
    assert not contents.locator("a").first.is_visible()
    contents.locator("summary").focus()
    page.keyboard.press("Enter")
    contents.locator("a").nth(1).click()
    place = page.locator(".prose h2").nth(1).bounding_box()
    assert place
    assert 0 <= place["y"] < 300
    page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    page.goto(server.url(longest(site, lang)))
    assert contents.locator("a").first.is_visible()
    assert not contents.locator("summary").is_visible()
    margin, text = contents.bounding_box(), page.locator(".prose").bounding_box()
    assert margin
    assert text
    before, after = (margin, text) if lang == "en" else (text, margin)
    assert before["x"] + before["width"] <= after["x"]


# Who, when, how long


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_byline_says_who_when_and_how_long(site: BuiltSite, lang: str) -> None:
    tree = site.tree(pages_of(lang)["article"])
    byline = tree.cssselect(".byline")[0]
    assert byline.cssselect("a[href$='/authors/desk/']")
    days = [time.get("datetime") for time in byline.cssselect("time")]
    assert days == (["2026-01-02"] if lang == "en" else ["2026-01-02", "2026-02-03"])
    assert len(byline.cssselect("p")) >= (3 if lang == "en" else 6)
    if lang != "en":
        source = byline.cssselect("a[hreflang='en']")[0]
        expected = {"ru": "английский", "fa": "انگلیسی", "zh-Hans": "英语", "fr": "anglais"}.get(lang)
        assert expected is None or text_of(source) == expected, "in the reader's language"
    assert tree.cssselect(".kicker a[href$='/countries/ir/']")
    assert tree.cssselect(".story > footer a[href$='/topics/detention/']")


def test_the_author_page_says_who_they_are(site: BuiltSite) -> None:
    tree = site.tree(pages_of("en")["author"])
    article = site.tree(pages_of("en")["article"])
    credentials = text_of(article.cssselect(".byline .credentials")[0])
    assert text_of(tree.cssselect(".listing .credentials")[0]) == credentials


# Citing


@pytest.mark.parametrize("lang", LANGUAGES)
def test_one_sentence_cites_the_article(site: BuiltSite, lang: str) -> None:
    tree = site.tree(pages_of(lang)["article"])
    sentence = text_of(tree.cssselect(".citation")[0])
    article = next(a for a in site.site.editions[lang].articles if a.translation_key == "every-element")
    assert str(article.title) in sentence
    assert "The Human Rights" in sentence
    assert article.revision in sentence
    assert sentence.endswith(f"{site.site.preparation.public_url}/k/every-element/")
    for author in article.authors:
        assert sentence.startswith(str(author.name))
    assert len(tree.cssselect(".citation time")) == (1 if lang == "en" else 2)
    if lang not in ("en", "ar"):
        assert article.translator in sentence
    assert "withheld" not in sentence


@pytest.mark.parametrize("lang", LANGUAGES)
def test_reference_managers_find_their_files(site: BuiltSite, lang: str) -> None:
    for kind in ("article", "hidden article"):
        url = pages_of(lang)[kind]
        names = [link.attrib["href"].rpartition("/")[2] for link in site.tree(url).cssselect("a[download]")]
        assert names == ["cite.bib", "cite.ris"], kind
        assert all(site.file(url).with_name(name).is_file() for name in names), kind
    assert not site.tree(pages_of(lang)["draft"]).cssselect("a[download]")


# Sources, and what to read next


@pytest.mark.parametrize("lang", LANGUAGES)
def test_footnotes_stand_under_a_heading(site: BuiltSite, lang: str) -> None:
    notes = site.tree(pages_of(lang)["article"]).cssselect(".prose .footnote")[0]
    assert [child.tag for child in notes][:2] == ["h2", "ol"]
    assert notes.cssselect("h2")[0].get("id") == "sources"
    assert not site.tree(pages_of(lang)["corrected article"]).cssselect("#sources")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_related_articles_are_few_and_in_this_language(site: BuiltSite, lang: str) -> None:
    url = pages_of(lang)["article"]
    links = site.tree(url).cssselect(".related a")
    assert 0 < len(links) <= 4
    for link in links:
        assert f"/{lang}/" in link.attrib["href"]
        assert not link.attrib["href"].endswith("/every-element/")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_is_not_translated_is_offered_once(site: BuiltSite, lang: str) -> None:
    first, second = (site.tree(pages_of(lang)[kind]) for kind in ("home", "older articles"))
    assert not second.cssselect(".untranslated")
    assert bool(first.cssselect(".untranslated")) == bool(site.site.editions[lang].untranslated)
