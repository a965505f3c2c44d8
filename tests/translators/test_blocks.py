"""A text as blocks, of whatever Markdown and HTML authors write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from translators.blocks import Block, make_block, make_converter, read_blocks, read_html

from tests.translators.texts import articles, blocks_of, converter


def kinds(body: str) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in read_html(converter()(body))]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("# One\n\nTwo *and* __three__\n", [("heading", "One"), ("paragraph", "Two and three")]),
        ("- a\n    - b\n    - c\n- d", [("item", "a"), ("item", "b"), ("item", "c"), ("item", "d")]),
        ("1. a\n\n    b\n\n2. c", [("item", "a"), ("item", "b"), ("item", "c")]),
        ("Term\n:   What it is", [("item", "Term"), ("item", "What it is")]),
        ("> a\n>\n> - b\n\nc", [("quotation", "a"), ("quotation", "b"), ("paragraph", "c")]),
        ("| a | b |\n|---|---|\n|   | c |", [("row", "a | b"), ("row", "| c")]),
        ("![A map](map.png)", [("figure", "A map")]),
        (
            '<figure><img src="map.png" alt="A map"><figcaption><p>Where.</p></figcaption></figure>',
            [("figure", "A map Where.")],
        ),
        ("See ![A map](map.png) here", [("paragraph", "See A map here")]),
        ("    x = 1\n      y\n", [("code", "x = 1\n  y")]),
        ("Call[^n], again[^n].\n\n[^n]: Note.\n\n    More.", [
            ("paragraph", "Call[^n], again[^n]."), ("note", "[^n]: Note."), ("note", "More."),
        ]),
        ("a  \nb<br>c &amp; d&nbsp;e", [("paragraph", "a b c & d e")]),
        ("<!-- no --><script>no()</script>\n\nyes", [("paragraph", "yes")]),
        ("<div><p>a<p>b</div>\n\nc", [("paragraph", "a"), ("paragraph", "b"), ("paragraph", "c")]),
        ("<details><summary>a</summary>b</details>", [("paragraph", "a"), ("paragraph", "b")]),
        ("---", []),
        ("", []),
    ],
)  # fmt: skip
def test_kinds(body: str, expected: list[tuple[str, str]]) -> None:
    assert kinds(body) == expected


def test_what_a_block_leads_to_and_shows() -> None:
    (block,) = read_html(converter()('[a](b "t"), ![c](d), <https://example.org/>\n\n[x]: y'))
    assert block.links == ("b", "t", "d", "https://example.org/")


def test_fields_come_first_in_an_order_of_their_own() -> None:
    fields = {"image_alt": ["A map"], "summary": ["What *it*", "says."], "title": ["T"], "status": ["draft"]}
    blocks = read_blocks(fields, "Text.", converter(), names=("image_caption", "image_alt"))
    assert [(block.kind, block.text) for block in blocks] == [
        ("title", "T"),
        ("summary", "What it says."),
        ("field", "image_alt: A map"),
        ("paragraph", "Text."),
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a b", "a\u00a0b"),
        ("pri\u00adson", "prison"),
        ("\u200fشخص\u200e", "شخص"),
        ("“a” ‘b’…", "\"a\" 'b'..."),
        ("é", "e\u0301"),
        ("他们 说", "他们说"),
        ("在2024 年", "在2024年"),
        ("a[^1]", "a[^source]"),
    ],
)
def test_typography_means_nothing(one: str, other: str) -> None:
    assert make_block("paragraph", one).hash == make_block("item", other).hash


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("می‌رود", "میرود"),
        ("a b", "ab"),
        ("난민 신청", "난민신청"),
        ("2024", "2025"),
        ("a[^1]", "a"),
        ("May", "may"),
        ("كتب", "کتب"),
        ("a-b", "a b"),
    ],
)
def test_spelling_means_something(one: str, other: str) -> None:
    assert make_block("paragraph", one).hash != make_block("paragraph", other).hash


def test_a_hash_is_what_it_was() -> None:
    """Records hold hashes: whoever changes this writes all records of all sites anew."""
    assert make_block("paragraph", "He was held[^a].", ["https://example.org/"]) == Block(
        "paragraph", "He was held[^a].", "a5e8efe46c7456ef", ("https://example.org/",)
    )


@given(st.text())
def test_any_html_is_read_and_any_block_is_tidy(html: str) -> None:
    for block in read_html(html):
        assert make_block(block.kind, block.text, block.links) == block


def test_the_texts_of_this_site_have_no_empty_or_strange_block() -> None:
    for path in articles("en", "fa", "zh-Hans")[::4]:
        blocks = blocks_of(path.read_bytes())
        assert blocks[0].kind == "title"
        assert all(block.text for block in blocks)
        assert not [block for block in blocks if "footnote" in block.text or "\u2191" in block.text]


def test_the_sites_own_markdown_is_used_and_its_header_is_not_read_twice() -> None:
    convert = make_converter({"extensions": ["markdown.extensions.meta"], "extension_configs": {}})
    assert "Title: x" in convert("Title: x\n\n| a |\n|---|")
    assert "<table>" not in convert("| a |\n|---|\n| b |")
