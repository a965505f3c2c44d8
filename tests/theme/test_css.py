"""The style keeps its own rules: layers, tokens, and no left or right."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.frontdoor.support import ROOT

SHEET = (ROOT / "theme" / "static" / "css" / "site.css").read_text("utf-8")
NOT_FOUND = (ROOT / "theme" / "templates" / "404.html").read_text("utf-8")
NOT_FOUND_STYLE = NOT_FOUND.partition("<style>")[2].partition("</style>")[0]

#: Logical properties exist for all of these.
PHYSICAL = re.compile(
    r"(?:(?:margin|padding|scroll-margin|scroll-padding)-)?(?:left|right|top|bottom)"
    r"|border-(?:left|right|top|bottom)(?:-\w+)?|border-(?:top|bottom)-(?:left|right)-radius"
    r"|(?:min-|max-)?(?:width|height)|overflow-y"
)
#: `overflow-inline` is not in every browser; of its physical name only the axis matters, which no script turns.
PHYSICAL_VALUES = re.compile(r"\b(?:left|right)\b")
SHORTHANDS = {"margin", "padding", "inset", "border-width", "border-style", "border-color"}
NAMED = (
    "black white red green blue gray grey silver maroon navy teal olive purple orange yellow aqua fuchsia lime brown"
    " gold pink beige ivory crimson"
)
COLOUR = re.compile(
    rf"#[0-9a-f]{{3,8}}\b|\b(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch)\(|\b(?:{NAMED.replace(' ', '|')})\b"
)


@dataclass(frozen=True)
class Declaration:
    within: tuple[str, ...]  # the at-rules and the selector around it, outermost first
    name: str
    value: str


def declarations(sheet: str) -> Iterator[Declaration]:
    """Take a style sheet apart, far enough for what is asked here; texts in quotation marks are emptied."""
    sheet = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    sheet = re.sub(r'"[^"\n]*"', '""', sheet)
    around: list[str] = []
    for text, end in re.findall(r"([^{};]*)([{};])", sheet):
        text = " ".join(text.split())
        if end == "{":
            around.append(text)
            continue
        if text:
            name, _, value = text.partition(":")
            yield Declaration(tuple(around), name.strip(), value.strip())
        if end == "}":
            around.pop()
    assert not around


SITE = list(declarations(SHEET))


def test_the_reader_of_styles_reads() -> None:
    found = list(declarations('@layer a { p:is(.x) { margin: 0 /* ; */; color: red } } @import "x;y";'))
    assert found == [
        Declaration(("@layer a", "p:is(.x)"), "margin", "0"),
        Declaration(("@layer a", "p:is(.x)"), "color", "red"),
        Declaration((), '@import ""', ""),
    ]
    assert PHYSICAL.fullmatch("margin-left")
    assert PHYSICAL.fullmatch("border-right-color")
    assert not PHYSICAL.fullmatch("margin-inline-start")


@pytest.mark.parametrize("sheet", [SHEET, NOT_FOUND_STYLE], ids=["site.css", "404.html"])
def test_no_property_is_physical(sheet: str) -> None:
    found = list(declarations(sheet))
    assert len(found) > 10
    assert [one for one in found if PHYSICAL.fullmatch(one.name)] == []
    assert [one for one in found if PHYSICAL_VALUES.search(one.value)] == []
    four = [one for one in found if one.name in SHORTHANDS and len(values := one.value.split()) == 4]
    assert [one for one in four if (values := one.value.split()) and values[1] != values[3]] == []


def test_layers_are_declared_once_and_hold_everything() -> None:
    first = SITE[0]
    assert first.name.startswith("@layer ")
    declared = first.name.removeprefix("@layer ").split(", ")
    blocks = re.findall(r"^@layer (\w+) \{", SHEET, flags=re.MULTILINE)
    assert blocks == declared
    assert [one for one in SITE[1:] if not one.within or not one.within[0].startswith("@layer ")] == []
    assert "!important" not in SHEET


def test_all_colours_are_tokens() -> None:
    literal = [one for one in SITE if COLOUR.search(one.value)]
    assert literal
    assert [one for one in literal if not one.name.startswith("--")] == []
    assert {one.within[-1] for one in literal} == {":root"}


def test_every_token_is_defined_and_used() -> None:
    defined = {one.name for one in SITE if one.name.startswith("--")}
    used = set(re.findall(r"var\((--[\w-]+)", SHEET))
    assert used == defined


def test_the_page_not_found_has_the_same_colours() -> None:
    def tokens(sheet: str) -> list[tuple[str, str, bool]]:
        found = ((one.name, one.value, any("dark" in part for part in one.within)) for one in declarations(sheet))
        return [(name, value, dark) for name, value, dark in found if value.startswith("#")]

    here = tokens(NOT_FOUND_STYLE)
    assert len(here) == 8
    assert set(here) <= set(tokens(SHEET))


def test_nothing_comes_from_elsewhere_and_nothing_moves() -> None:
    for sheet in (SHEET, NOT_FOUND_STYLE):
        assert not re.search(r"url\(|@import|@font-face|https?:", sheet)
        assert not re.search(r"\b(?:transition|animation|@keyframes|letter-spacing|justify(?!-))\b", sheet)
