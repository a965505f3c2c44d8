"""Finding elements in HTML without changing a byte of it.

A parser that writes HTML again would encode Pelican's `{filename}`, reorder attributes and mend what
the author wrote. Here tags are found where the HTML standard's tokenizer finds them (section 13.2.5:
quotes count only after `=`, comments and the text of `script` hold no tags), and all changes are
edits at positions. A tag that never ends takes the rest of the text with it, as in a browser.
Everything takes time in proportion to the text's length, whatever is in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import unescape
from typing import NamedTuple

# Only repetitions of one character are possessive: those of groups had a defect before Python 3.11.5.
_ATTRIBUTES = r"""[^=>]*+(?:=\s*+(?:"[^"]*+"|'[^']*+'|(?!["'])[^\s>]*+)[^=>]*+)*"""
_RAW = "script|style|textarea|title|xmp|iframe|noembed|noframes"
_RAW_TEXT = rf"<(?P<raw>(?i:{_RAW}))(?=[\s/>]){_ATTRIBUTES}>(?s:.*?)(?:</(?i:(?P=raw))(?=[\s/>])[^>]*+>?|\Z)"
_COMMENT = r"<!--(?:>|->|(?s:.*?)(?:--!?>|\Z))|<(?:[!?]|/(?![a-zA-Z]))[^>]*+>?"
_ATTRIBUTE = re.compile(r"""([^\s/=>]++)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>]*+)))?""")
#: Everything that is not text; an unfinished tag goes on to the end.
MARKUP = re.compile(
    rf"{_RAW_TEXT}|{_COMMENT}|</?+(?P<name>[a-zA-Z][^\s/>]*+)(?:{_ATTRIBUTES}>|(?s:.+)|\Z)",
)

#: What ends an open paragraph (HTML standard, section 13.1.2.4, optional tags).
ENDING_P = frozenset([
    "address", "article", "aside", "blockquote", "center", "details", "dialog", "dir", "div", "dl", "fieldset",
    "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr",
    "listing", "main", "menu", "nav", "ol", "p", "pre", "search", "section", "table", "ul",
])  # fmt: skip


class TagFinder:
    """Finds the tags of certain elements, and nothing that only looks like them."""

    def __init__(self, names: Iterable[str]) -> None:
        wanted = "|".join(sorted(names, key=len, reverse=True))
        # One match runs over all that is not wanted: the loop in Python turns only for what is.
        self._pattern = re.compile(
            rf"""
            (?: [^<]++ | <(?![a-zA-Z/!?]) | {_RAW_TEXT} | {_COMMENT}
              | </?+(?!(?i:{wanted})[\s/>])[a-zA-Z][^\s/>]*+{_ATTRIBUTES}> )*
            (?: <(?P<slash>/?+)(?P<name>(?i:{wanted}))(?=[\s/>])(?P<attributes>{_ATTRIBUTES})> | (?s:.+) | \Z )
            """,
            re.VERBOSE,
        )

    def find(self, text: str) -> Iterator[Tag]:
        """The tags in order."""
        for found in self._pattern.finditer(text):
            name = found["name"]
            if name is None:
                return
            start = found.start("slash") - 1
            yield Tag(name.lower(), found["slash"] == "/", start, found.end(), found["attributes"])


class Tag(NamedTuple):
    """A tag: where it starts, where it ends, and the text of its attributes, which stands before the `>`."""

    name: str
    closing: bool
    start: int
    end: int
    attributes: str


class Attribute(NamedTuple):
    """A value, and where it stands in the text; `quote` is "" where it has none, None where there is no value."""

    value: str
    start: int
    end: int
    quote: str | None


def attributes_of(tag: Tag | Element) -> dict[str, Attribute]:
    """The attributes of a start tag by lower-case name; the first of a name counts."""
    found: dict[str, Attribute] = {}
    if not tag.attributes or tag.attributes.isspace():
        return found
    offset = (tag.end if isinstance(tag, Tag) else tag.opened) - 1 - len(tag.attributes)
    for match in _ATTRIBUTE.finditer(tag.attributes):
        group = match.lastindex or 1
        start, end = match.span(group) if group > 1 else (match.end(), match.end())
        quote = {1: None, 2: '"', 3: "'", 4: ""}[group]
        value = unescape(match[group]) if group > 1 else ""
        found.setdefault(match[1].lower(), Attribute(value, offset + start, offset + end, quote))
    return found


def attribute(tag: Tag | Element, name: str) -> str:
    """The value of one attribute, "" without one."""
    if name not in tag.attributes.lower():
        return ""
    found = attributes_of(tag).get(name)
    return found.value if found else ""


def classes(tag: Tag | Element) -> frozenset[str]:
    """The classes of a start tag."""
    return frozenset(attribute(tag, "class").split())


class Element(NamedTuple):
    """A closed element: its start tag lies in start:opened, its content in opened:closing."""

    name: str
    start: int
    opened: int
    closing: int
    end: int
    attributes: str


_STRUCTURE = TagFinder(ENDING_P)


def find_structure(text: str) -> list[Element]:
    """The elements that are no part of a sentence, in the order of their start tags.

    One that is never closed is left out, as nobody knows where it ends; a paragraph ends where the next block begins.
    """
    found: dict[int, Element] = {}
    waiting: dict[str, list[Tag]] = {}
    paragraph: Tag | None = None

    def close(tag: Tag, closing: int, end: int) -> None:
        found[tag.start] = Element(tag.name, tag.start, tag.end, closing, end, tag.attributes)

    for tag in _STRUCTURE.find(text):
        if tag.name == "p" and tag.closing:
            if paragraph is not None:
                close(paragraph, tag.start, tag.end)
                paragraph = None
            continue
        if paragraph is not None and (not tag.closing or waiting.get(tag.name)):
            close(paragraph, tag.start, tag.start)
            paragraph = None
        if tag.name == "p":
            paragraph = tag
        elif tag.name == "hr":
            continue
        elif not tag.closing:
            waiting.setdefault(tag.name, []).append(tag)
        elif waiting.get(tag.name):
            close(waiting[tag.name].pop(), tag.start, tag.end)
    if paragraph is not None:
        close(paragraph, len(text), len(text))
    return [found[start] for start in sorted(found)]


class Edit(NamedTuple):
    """What is put in place of text[start:end]; where both are the same, it is put between."""

    start: int
    end: int
    text: str


def apply(edits: Iterable[Edit], text: str) -> str:
    """Make all edits; of those at the same place, the first comes first."""
    pieces, position = [], 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        pieces += [text[position : edit.start], edit.text]
        position = edit.end
    return "".join((*pieces, text[position:]))
