"""A text as the desk sees it: pieces in reading order, each of one kind, made of spans.

Flat on purpose: a file of a word processor is a list of paragraphs that state their level, and blocks are compared
in their order. What a piece stands in (a list, a quotation) is its `within`, from the outermost to the innermost.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal[
    "title", "summary", "field", "heading", "paragraph", "item", "row", "quotation", "figure", "code", "note", "rule"
]
#: Parts the cells of a row, within a span of its own. Control characters cannot come from a file: `clean` removes them.
CELL = "\x1f"
#: Stands for a note in a text whose characters are looked at one by one (Unicode's object replacement character).
NOTE = "\ufffc"
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufff9-\uffff\ud800-\udfff]")
_SPACE = re.compile(r"[ \t\r\n\f]+")


@dataclass(frozen=True, slots=True)
class Span:
    """Words of one look and one target; a line break is a newline in the text.

    `note` is the label of the note that is referred to, and then there is no text; `image` is a picture's address,
    and then the text stands in for it; `lang` is stated for words in another language than the text around them.
    """

    text: str = ""
    bold: bool = False
    italic: bool = False
    code: bool = False
    link: str = ""
    lang: str = ""
    note: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True)
class Container:
    """What pieces stand in: `quotation` (in `lang`, if that is another), `list` or `numbered`."""

    kind: Literal["quotation", "list", "numbered"]
    lang: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """One block of a text.

    `level` is that of a heading, and 1 for a table's first row; `name` is a field's name, a note's label, the language
    of code, or the alignment of a table's columns (l, c, r or - each) at its first row. A list's item begins with a
    piece of the kind `item`; further paragraphs of it are `paragraph` within the same list.
    """

    kind: Kind
    spans: tuple[Span, ...] = ()
    within: tuple[Container, ...] = ()
    level: int = 0
    name: str = ""

    @property
    def text(self) -> str:
        """The words alone."""
        return plain(self.spans)

    @property
    def links(self) -> tuple[str, ...]:
        """Where its links lead and its pictures lie, in their order; neighbouring spans of one link count once."""
        return tuple(target for target, _ in self._targets())

    @property
    def pictures(self) -> tuple[bool, ...]:
        """Which of its `links` are pictures."""
        return tuple(picture for _, picture in self._targets())

    def _targets(self) -> Iterator[tuple[str, bool]]:
        before = ""
        for span in self.spans:
            target = span.image or span.link
            if target and (target != before or span.image):
                yield target, bool(span.image)
            before = "" if span.image else target

    @property
    def notes(self) -> tuple[str, ...]:
        """The labels of the notes it refers to, in their order."""
        return tuple(span.note for span in self.spans if span.note)


@dataclass(frozen=True, slots=True)
class Document:
    """A text: its fields and its blocks as pieces, and what of it pieces cannot hold, in words."""

    pieces: tuple[Piece, ...]
    lost: tuple[str, ...] = ()

    @property
    def blocks(self) -> tuple[Piece, ...]:
        """The pieces that have words or a picture: those that are translated and compared."""
        return tuple(piece for piece in self.pieces if piece.text.strip() or piece.links)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of its notes in their order; a note's number is its place here, from 1."""
        return tuple(dict.fromkeys(piece.name for piece in self.pieces if piece.kind == "note"))


def clean(text: str) -> str:
    """Without what no text contains: control characters, noncharacters, halves of surrogate pairs."""
    return _CONTROLS.sub("", text)


def plain(spans: Iterable[Span]) -> str:
    """The words of spans, a row's cells parted by a bar; notes leave nothing behind."""
    return "".join(" | " if span.text == CELL else span.text for span in spans)


def tidy(spans: Iterable[Span], *, keep_lines: bool = False) -> tuple[Span, ...]:
    """White space as a browser shows it, spans of one look joined, empty ones gone.

    White space at the edges of marked words is not marked. `keep_lines` is for code, where every space counts. No-break
    and zero-width characters are text and stay.
    """
    joined: list[Span] = []
    for span in spans if keep_lines else _part(_join(spans)):
        if span.text == CELL:
            _strip_end(joined)
            joined.append(span)
            continue
        text = clean(span.text)
        if not keep_lines:
            text = "\n".join(_SPACE.sub(" ", line) for line in text.split("\n"))
            text = re.sub(r" ?\n ?", "\n", text)
            before = joined[-1].text if joined and joined[-1].text != CELL else ""
            if not joined or joined[-1].text == CELL or before.endswith((" ", "\n")):
                text = text.lstrip(" \n")
        if text or span.note or span.image:
            joined.append(replace(span, text=text))
    if not keep_lines:
        _strip_end(joined)
    return tuple(_join(joined))


def _join(spans: Iterable[Span]) -> Iterator[Span]:
    last = Span()
    for span in spans:
        alone = CELL in (last.text, span.text) or span.note or span.image
        if not alone and _look(last) == _look(span):
            last = replace(span, text=last.text + span.text)
            continue
        if last.text or last.note or last.image:
            yield last
        last = span
    if last.text or last.note or last.image:
        yield last


def _look(span: Span) -> tuple[object, ...]:
    """All of a span but its words."""
    return span.bold, span.italic, span.code, span.link, span.lang, span.note, span.image


def _part(spans: Iterable[Span]) -> Iterator[Span]:
    """White space at the edges of marked words, outside the marks."""
    for span in spans:
        if span.text == CELL or not (span.bold or span.italic or span.code):
            yield span
            continue
        lead = len(span.text) - len(span.text.lstrip(" \n"))
        core = span.text.strip(" \n")
        bare = replace(span, bold=False, italic=False, code=False)
        yield replace(bare, text=span.text[:lead])
        yield replace(span, text=core)
        yield replace(bare, text=span.text[lead + len(core) :])


def _strip_end(spans: list[Span]) -> None:
    while spans and spans[-1].text != CELL and not spans[-1].note and not spans[-1].image:
        spans[-1] = replace(spans[-1], text=spans[-1].text.rstrip(" \n"))
        if spans[-1].text:
            return
        spans.pop()


def split_cells(spans: Iterable[Span]) -> list[tuple[Span, ...]]:
    """The cells of a row."""
    cells: list[list[Span]] = [[]]
    for span in spans:
        if span.text == CELL:
            cells.append([])
        else:
            cells[-1].append(span)
    return [tuple(cell) for cell in cells]


#: A point, comma or space parts thousands if three digits follow; otherwise what follows is a number of its own, so
#: that decimals, and articles written 20(3) or 20.3, are the same in every language.
_NUMBER = re.compile(r"(?<!\d)\d{1,3}(?:[.,٫٬’' \u00a0\u202f\u2009]\d{3})+(?!\d)|\d+")


#: Chinese and Japanese count large numbers in ten thousands and hundred millions.
_MYRIADS = re.compile(r"(\d+(?:\.\d+)?)\s?([万萬亿億])")


def numbers(text: str) -> frozenset[str]:
    """The numbers in a text, in ASCII digits and without the signs between digits, which differ by language."""
    text = _MYRIADS.sub(lambda found: str(round(float(found[1]) * (10**8 if found[2] in "亿億" else 10**4))), text)
    return frozenset(
        "".join(str(unicodedata.digit(char)) for char in found if char.isdigit()) for found in _NUMBER.findall(text)
    )
