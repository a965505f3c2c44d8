"""The theme's texts: every one in every language, whole; and templates that bring nothing unsafe."""

import gettext
import re
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from jinja2 import Environment, FileSystemLoader
from lxml import html
from multilingual.catalogues import Catalogues
from multilingual.check import check_messages, theme_messages

from tests.frontdoor.support import ROOT
from tests.theme.support import LANGUAGES, BuiltSite

MESSAGES = ROOT / "theme" / "messages"
TEMPLATES = sorted((ROOT / "theme" / "templates").glob("*.html"))
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[a-zA-Z%]")


def catalogue(lang: str) -> Catalog:
    with (MESSAGES / f"{lang}.po").open("rb") as file:
        return read_po(file, abort_invalid=True)


def messages(lang: str) -> list[Message]:
    return [message for message in catalogue(lang) if message.id]


def key(message: Message) -> tuple[str | None, str]:
    return message.context, forms(message.id)[0]


def forms(text: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def test_there_is_a_catalogue_for_every_language(site: BuiltSite) -> None:
    assert sorted(path.stem for path in MESSAGES.glob("*.po")) == sorted(LANGUAGES)
    assert set(site.site.editions) == set(LANGUAGES)


def test_every_text_of_the_templates_is_in_every_language(site: BuiltSite) -> None:
    assert len(theme_messages(site.site)) > 40
    assert list(check_messages(site.site)) == []


def test_the_plugin_finds_no_fault_with_the_catalogues() -> None:
    assert Catalogues([MESSAGES], ROOT).problems == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_catalogue_is_whole(lang: str, site: BuiltSite) -> None:
    found = messages(lang)
    assert {key(message) for message in found} == {key(message) for message in messages("en")}
    assert len({key(message) for message in found}) == len(found)
    assert not catalogue(lang).obsolete
    used = theme_messages(site.site) | site.site.context["MESSAGES"] | {"Corrected", "Retracted"}
    unused = {msgid for _, msgid in map(key, found)} - used
    assert unused == set()
    for message in found:
        assert not message.fuzzy, message.id
        texts = forms(message.string)
        assert all(text.strip() for text in texts), message.id
        for text in texts:
            assert (text[:1].isspace(), text[-1:].isspace()) == (
                forms(message.id)[0][:1].isspace(),
                forms(message.id)[0][-1:].isspace(),
            ) or message.context, message.id  # what stands between two words may be spaced as the language does


@pytest.mark.parametrize("lang", LANGUAGES)
def test_placeholders_are_those_of_the_original(lang: str) -> None:
    for message in messages(lang):
        expected = sorted(PLACEHOLDER.findall(forms(message.id)[-1]))
        for text in forms(message.string):
            found = sorted(PLACEHOLDER.findall(text))
            # A form that stands for one number alone ("one article") may say the number in words.
            assert found == expected or (message.pluralizable and set(found) < set(expected)), (message.id, text)
        if message.pluralizable:
            assert sorted(PLACEHOLDER.findall(forms(message.string)[-1])) == expected


@pytest.mark.parametrize("lang", LANGUAGES)
def test_plural_forms_are_those_of_the_language(lang: str) -> None:
    header = re.search(
        r"nplurals\s*=\s*(\d+)\s*;\s*plural\s*=\s*([^;\\]+)", (MESSAGES / f"{lang}.po").read_text("utf-8")
    )
    assert header
    count, choose = int(header[1]), gettext.c2py(header[2])
    assert all(len(forms(message.string)) == count for message in messages(lang) if message.pluralizable)
    # Numbers that CLDR tells apart take different forms, and numbers that it does not tell apart take the same.
    plural = Locale.parse(lang, sep="-").plural_form
    pairs = {(plural(number), choose(number)) for number in range(1000)}
    assert len(pairs) == len({name for name, _ in pairs}) == len({form for _, form in pairs}) == count


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_bring_no_script_and_no_inline_style(path: Path) -> None:
    text = re.sub(r"\{#.*?#\}", "", path.read_text("utf-8"), flags=re.DOTALL)
    text = text.replace('<script type="application/ld+json">', "")  # data: a browser runs none of it
    assert not re.search(r"<(?:script|iframe|object|embed)\b|\son\w+=|\sstyle=|javascript:", text, flags=re.IGNORECASE)
    assert path.name == "404.html" or "<style" not in text
    assert not re.search(r"""(?:src|href)="(?:https?:)?//""", text), "nothing comes from elsewhere"


def test_a_confirmation_says_what_happened_and_what_comes_next() -> None:
    environment = Environment(loader=FileSystemLoader(ROOT / "theme" / "templates"), autoescape=True)
    template = environment.get_template("_confirmation.html")
    page = html.fragment_fromstring(
        template.render(heading="Deleted", sentence="It is <gone>.", next=("Front page", "../"))
    )
    assert page.get("role") == "status", "a screen reader says it at once"
    assert [child.tag for child in page] == ["h1", "p", "p"]
    assert page[1].text_content() == "It is <gone>."
    assert page.cssselect("a")[0].get("href") == "../"
    assert not html.fragment_fromstring(template.render(heading="Deleted", sentence="Gone.")).cssselect("a")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_say_nothing_that_cannot_be_translated(path: Path) -> None:
    text = re.sub(r"\{#.*?#\}|<style>.*?</style>|<code\b.*?</code>", "", path.read_text("utf-8"), flags=re.DOTALL)
    text = re.sub(r"\{%-?\s*trans\b.*?\{%-?\s*endtrans\s*-?%\}", "", text, flags=re.DOTALL)
    text = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", text, flags=re.DOTALL)
    shown = re.sub(r"""<[^>]*>|[\w-]+="[^"]*\"""", "", text)  # tags, and attributes that a macro makes
    said = re.findall(r'\b(?:alt|title|aria-label|placeholder)="([^"]*)"', text)
    assert re.findall(r"[^\W\d_]{2,}", shown + " ".join(said)) == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_long_page_leads_straight_to_the_channels_but_not_past_what_to_consider(lang: str, site: BuiltSite) -> None:
    for kind, links in (("apply", 1), ("meeting", 1), ("contact", 0)):
        tree = site.tree(f"{lang}/{kind}/")
        assert len(tree.cssselect("main header a[href='#channels']")) == links, kind
        assert len(tree.cssselect("h2#channels")) == 1, kind
