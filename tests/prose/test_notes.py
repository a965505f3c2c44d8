"""Footnotes in the order in which they are met, on what Python-Markdown really writes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from markdown import Markdown
from prose.notes import order_notes

from tests.multilingual.sites import Site

SETTINGS = {"footnotes": {"USE_DEFINITION_ORDER": False, "BACKLINK_TITLE": "{}"}}


def written(text: str) -> str:
    return Markdown(
        extensions=["markdown.extensions.extra"], extension_configs={"markdown.extensions.extra": SETTINGS}
    ).convert(text)


def references(text: str) -> list[tuple[str, str]]:
    """Each reference as it is met: where it leads, and its number."""
    tree = html.fromstring(f"<div>{text}</div>")
    return [(a.get("href"), a.text) for a in tree.xpath("//a[@class='footnote-ref']")]


def notes(text: str) -> list[tuple[str, set[str]]]:
    """Each note: its id, and the numbers that its ways back say."""
    tree = html.fromstring(f"<div>{text}</div>")
    return [
        ("#" + item.get("id"), set(item.xpath(".//a[@class='footnote-backref']/@title")))
        for item in tree.xpath("//div[@class='footnote']/ol/li")
    ]


MIXED = """\
One.[^a]

- two[^b]
- and the first again[^a]

| x | y |
|---|---|
| three[^c] | 4 |

Four.[^d]

[^a]: A <https://example.org/1>
[^b]: B

    1. of several
    2. parts
[^c]: C
[^d]: D
[^e]: nobody asks for this
"""


def test_notes_are_counted_as_they_are_met() -> None:
    before = written(MIXED)
    assert [number for _, number in references(before)] == ["1", "3", "1", "4", "2"], "Python-Markdown has mended it"
    after = order_notes(before)
    assert references(after) == [("#fn:a", "1"), ("#fn:b", "2"), ("#fn:a", "1"), ("#fn:c", "3"), ("#fn:d", "4")]
    assert [name for name, _ in notes(after)][:4] == ["#fn:a", "#fn:b", "#fn:c", "#fn:d"]
    assert [titles for _, titles in notes(after)][:4] == [{"1"}, {"2"}, {"3"}, {"4"}]
    assert order_notes(after) == after


def test_nothing_but_numbers_and_the_order_of_notes_changes() -> None:
    before = written(MIXED)
    after = order_notes(before)
    assert sorted(re.sub(r"\d", "", before)) == sorted(re.sub(r"\d", "", after))
    body = before.index('<div class="footnote">')
    assert re.sub(r">\d+</a>", "", before[:body]) == re.sub(
        r">\d+</a>", "", after[: after.index('<div class="footnote">')]
    )


@pytest.mark.parametrize(
    "text",
    [
        "<p>no note</p>",
        written("One.[^a] Two.[^b]\n\n[^a]: A\n[^b]: B"),
        '<div class="footnote"><hr><ol><li id="fn:a">never closed',
        '<p><a class="footnote-ref" href="#fn:x">7</a></p>',
        '<div class="footnote">\n<hr>\n<ol>\n</ol>\n</div>',
    ],
)
def test_what_needs_no_order_stays_as_it_is(text: str) -> None:
    assert order_notes(text) == text


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["- {}\n", "{}\n\n", "> {}\n\n"])), max_size=12))
def test_any_text_is_in_order_and_keeps_its_notes(parts: list[tuple[str, str]]) -> None:
    text = "\n".join(form.format(f"words[^{key}]") for key, form in parts)
    text += "\n\n" + "\n".join(f"[^{key}]: note {key}" for key in "abcdef")
    after = order_notes(written(text))
    first = list(dict.fromkeys(references(after)))
    assert [number for _, number in first] == [str(n) for n in range(1, len(first) + 1)]
    assert [name for name, _ in notes(after)][: len(first)] == [name for name, _ in first]
    assert len(notes(after)) == 6


def test_pages_of_a_site_show_them_in_order(tmp_path: Path) -> None:
    site = Site(tmp_path, PLUGINS=["multilingual", "prose"], MARKDOWN={"extension_configs": {
        "markdown.extensions.extra": {}, "markdown.extensions.footnotes": {"USE_DEFINITION_ORDER": False},
    }})  # fmt: skip
    site.article("en", "one", MIXED)
    site.build_whole()
    found = site.html("en/one/").xpath("//a[@class='footnote-ref']")
    assert [a.text for a in found] == ["1", "2", "1", "3", "4"]
