"""The file that a translator begins with, of real texts and of texts that would break out of a comment."""

from __future__ import annotations

import re
from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from translators.content import Text
from translators.kit.document import Document
from translators.kit.markdown import read_document
from translators.scaffold import PLACE, QUOTATION, find_unfinished, take_out_quotations, write_scaffold

from tests.translators.kit.samples import CONTENT, CONVERT, body_of

DAY = date(2026, 11, 22)
TEXTS = [
    *("en/eritrea-national-service", "fr/balkans-safe-country-of-origin", "ar/palestinian-refugees-article-1d"),
    *("fa/internet-shutdown-evidence", "zh-Hans/xinjiang-evidence", "uk/leaving-russia"),
]


def scaffold(body: str, terms: list[tuple[str, str]] | None = None, by: str = "", **fields: str) -> str:
    source = SimpleNamespace(lang="en", key="flight", fields={name: (value,) for name, value in fields.items()})
    text = cast(Text, source)
    return write_scaffold(text, "fa", read(body), ("image_alt",), lambda _: terms or [], (), by, DAY)


def read(body: str) -> Document:
    return read_document({}, body, CONVERT, ())


def shape(document: Document) -> list[Any]:
    return [(p.kind, p.level, len(p.links), p.pictures, p.notes, p.within, p.name) for p in document.blocks]


@pytest.mark.parametrize("name", TEXTS)
def test_the_places_have_the_shape_of_the_source(name: str) -> None:
    body = body_of(CONTENT / "articles" / f"{name}.md")
    text = scaffold(body, [("term", "rendering")], title="T")
    assert shape(read(text.split("\n\n", 1)[1])) == shape(read(body))
    bare = take_out_quotations(text)
    assert shape(read(bare.split("\n\n", 1)[1])) == shape(read(body))
    assert not [what for _, what in find_unfinished(bare) if what == QUOTATION]
    assert [what for _, what in find_unfinished(bare)].count("an empty place") > 20
    assert not list(find_unfinished((CONTENT / "articles" / f"{name}.md").read_text("utf-8")))


def test_links_pictures_and_notes_are_there_and_code_is_whole() -> None:
    text = scaffold(
        "See [the list](https://example.org/a) and [^x] ![Map](/images/a.svg).\n\n```sh\nls --all\n```\n\n"
        "| a | b |\n|---|---|\n| c | [d](/e) |\n\n[^x]: A report, <https://example.org/b>, *page* 3.\n"
    )
    places = re.sub(r"<!--.*?-->\s*", "", text.split("\n\n", 1)[1], flags=re.DOTALL)
    assert places == (
        f"{PLACE} [{PLACE}](https://example.org/a)[^x] ![{PLACE}](/images/a.svg)\n\n```sh\nls --all\n```\n\n"
        f"| {PLACE} | {PLACE} |\n|---|---|\n| {PLACE} | [{PLACE}](/e) |\n\n"
        f"[^x]: {PLACE} <https://example.org/b>\n"
    )


def test_the_header_says_what_is_to_be_translated_and_by_whom() -> None:
    text = scaffold("Text.", title="Flight: a law", summary="Of\n2024", image_alt="A map", image_caption="no")
    assert text.split("\n\n")[0].split("\n") == [
        "Title: TRANSLATE: Flight: a law",
        "Slug:",
        "Summary: TRANSLATE: Of 2024",
        "Image_alt: TRANSLATE: A map",
        "Translated_from: en",
        "Translated: 2026-11-22",
        "Translator: withheld",
        "Status: draft",
    ]
    assert "\nTranslator: A Swallow\n" in scaffold("Text.", by="A Swallow", title="T")


def test_renderings_are_at_hand() -> None:
    assert "<!-- translate: Text.\n    burden of proof = ispat yükü\n-->\n\n⟨…⟩" in scaffold(
        "Text.", [("burden of proof", "ispat yükü")]
    )


def test_neighbouring_lists_stay_two() -> None:
    body = "- a\n- b\n\n<!-- -->\n\n1. c\n2. d\n"
    bare = take_out_quotations(scaffold(body))
    assert shape(read(bare.split("\n\n", 1)[1])) == shape(read(body))


PIECES = [
    "WORD",
    "-->",
    "--!>",
    "<!--",
    "--",
    ">",
    "`",
    "```\n",
    "*",
    "[^x]",
    "[a](b)",
    "\n\n",
    "\n",
    "- ",
    "# ",
    " ",
    "| ",
]


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join), st.sampled_from(["", "[^x]: WORD -->\n"]))
def test_no_word_of_the_source_stands_outside_a_quotation(body: str, note: str) -> None:
    text = scaffold(f"WORD {body}\n\n{note}", [("WORD", "-->")], title="T").split("\n\n", 1)[1]
    code = [piece.text for piece in read(f"WORD {body}\n\n{note}").blocks if piece.kind == "code"]
    html = re.sub(r"<!--.*?--!?>", "", CONVERT(text), flags=re.DOTALL)
    for kept in code:  # code is not translated
        html = html.replace("WORD", "", kept.count("WORD"))
    assert "WORD" not in html


def test_what_is_unfinished_is_told_by_line() -> None:
    text = "Title: TRANSLATE: x\nSummary: y\n\n<!-- translate: a\nb\n-->\n\n⟨…⟩[^x]\n\nDone … here [⟨…⟩](x)\n"
    assert list(find_unfinished(text)) == [
        (4, QUOTATION),
        (1, "the field Title as it is in the source"),
        (8, "an empty place"),
        (10, "an empty place"),
    ]
    yaml = '---\nTitle: "TRANSLATE: x"\n---\n\nText […] and …\n\n…\n\n<!-- a remark: translate -->\n'
    assert list(find_unfinished(yaml)) == [(2, "the field Title as it is in the source")]
    assert list(find_unfinished("<!-- translate: never closed\n")) == [(1, QUOTATION)]


def test_only_quotations_are_taken_out() -> None:
    text = "Title: x\n\n<!-- translate: a -->\n\nOne.\n\n<!-- kept -->\n\n<!-- TRANSLATE: b\n\nc -->\nTwo.\n"
    assert take_out_quotations(text) == "Title: x\n\nOne.\n\n<!-- kept -->\n\nTwo.\n"
