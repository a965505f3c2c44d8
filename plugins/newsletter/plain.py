"""A letter as plain text, for who reads mail so and for programs that read it aloud.

A paragraph is one line, however long: programs wrap it to their window, which on a telephone is narrower than any width
we could choose, and a line that was wrapped twice reads like verse. (Encoding for transport breaks lines and mends
them.) Links are numbered behind the notes, and their addresses stand at the end.

Programs that show text guess the direction of each paragraph by its first letter (UAX 9, P2): where that would guess
wrong, as with a Persian sentence that begins with a Latin name, an invisible mark says it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from html import unescape
from itertools import zip_longest
from typing import Any
from urllib.parse import unquote

from .markup import BLOCKS, CONTROL, TABLE, Element, parse

_MARKS = {"ltr": "\u200e", "rtl": "\u200f"}
_LRI, _RLI, _FSI, _PDI = "\u2066", "\u2067", "\u2068", "\u2069"
_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_OPENED_BY = {"\u202c": "\u202a\u202b\u202d\u202e", _PDI: _LRI + _RLI + _FSI}
_SPACE = re.compile(r"[ \t\n\r\f\u2028\u2029]+")  # not the spaces that keep together what they part
_BREAK = "\v"
_RUNS = {"L": "ltr", "R": "rtl", "AL": "rtl"}
_REGIONAL = re.compile("[\U0001f1e6-\U0001f1ff]").match
#: The canonical combining class of the sign that joins two consonants of an Indic script.
_VIRAMA = 9
_STRIKE = frozenset({"del", "s"})


def write_plain(fragment: Element, direction: str, first: int, number: Callable[[int], str]) -> str:
    """A letter's tree as text; `first` is the number of the first link, `number` writes it in the page's digits."""
    writer = _Writer(direction, first, number)
    paragraphs = [*writer.blocks(fragment.children, direction)]
    addresses = [f"[{number(at)}] {address}" for address, at in writer.links.items()]
    return "\n\n".join([*paragraphs, "\n".join(addresses)]).strip("\n")


def plain(html: Element) -> str:
    """What is said in one line: a summary, a title."""
    return one_line(" ".join(_words(html)))


def line_of(text: Any) -> str:
    """A title or a name, which may be HTML, as plain text on one line that turns nothing behind it."""
    said = str(text)
    return balanced(plain(parse(said)) if "<" in said and ">" in said else one_line(unescape(said)))


def one_line(text: str) -> str:
    """A text on one line, without anything that is no character of a text."""
    return _SPACE.sub(" ", CONTROL.sub("", text)).strip()


def balanced(text: str) -> str:
    """The same without embeddings and isolates when not each of them ends: they would turn what stands behind."""
    waiting: list[str] = []
    for control in _CONTROLS.findall(text):
        if control not in _OPENED_BY:
            waiting.append(control)
        elif not waiting or waiting.pop() not in _OPENED_BY[control]:
            return _CONTROLS.sub("", text)
    return _CONTROLS.sub("", text) if waiting else text


def isolated(name: str, around: str) -> str:
    """A name within a sentence: one that runs against it is kept from turning its neighbours (UAX 9, isolates)."""
    return name if _runs_like(name, around) else f"{_FSI}{name}{_PDI}"


def standing_alone(line: str, direction: str) -> str:
    """A line that stands among others of either direction: one with letters of both says which way it runs."""
    return line if _runs_like(line, direction) else f"{_RLI if direction == 'rtl' else _LRI}{line}{_PDI}"


def directed(line: str, direction: str) -> str:
    """A paragraph with a mark in front, if its first letter would have it guessed to run the other way."""
    guessed = next(filter(None, map(_run_of, line)), direction)
    return line if guessed == direction else _MARKS[direction] + line


def shorten(text: str, length: int) -> str:
    """At most so many characters: whole words where they are parted by spaces, never half a letter."""
    if len(text) <= length:
        return text
    end = length - 1
    while end > 0 and not _may_end(text, end):
        end -= 1
    space = text.rfind(" ", 0, end + 1)
    return text[: space if space > length // 2 else end].rstrip(" ,;:،؛，；：") + "…"


def _may_end(text: str, end: int) -> bool:
    """Whether a letter ends before this place, and nothing that belongs to it follows (UAX 29, as far as we need)."""
    before, after = text[end - 1], text[end]
    return not (
        unicodedata.category(after) in ("Mn", "Mc", "Me", "Cf")
        or "\U0001f3fb" <= after <= "\U0001f3ff"  # the tone of a face
        or "\u1160" <= after <= "\u11ff"  # the rest of a Korean syllable
        or (_REGIONAL(before) and _REGIONAL(after))
        or before == "\u200d"
        or unicodedata.combining(before) == _VIRAMA
    )


def _runs_like(text: str, direction: str) -> bool:
    return {_run_of(letter) for letter in text} <= {direction, ""}


def _run_of(letter: str) -> str:
    """The direction of a letter, "" for what has none."""
    return _RUNS.get(unicodedata.bidirectional(letter), "")


def _words(element: Element) -> Iterator[str]:
    """Text, parted where blocks part it."""
    pending = ""
    for child in element.children:
        if isinstance(child, str):
            pending += child
        elif child.tag in BLOCKS | TABLE | {"br"}:
            yield from (pending, *_words(child))
            pending = ""
        else:
            pending += " ".join(_words(child))
    yield pending


class _Writer:
    """Writes blocks as paragraphs, and remembers the addresses of links."""

    def __init__(self, direction: str, first: int, number: Callable[[int], str]) -> None:
        self.links: dict[str, int] = {}
        self._direction = direction
        self._first = first
        self._number = number

    def blocks(self, children: Iterable[Element | str], direction: str) -> Iterator[str]:
        """Paragraphs, without empty ones; what stands between blocks is one too."""
        line = ""
        for child in children:
            if isinstance(child, Element) and child.tag in BLOCKS:
                yield from self._paragraph(line, direction)
                line = ""
                yield from self._block(child, _direction_in(child, direction))
            else:
                line += self._inline(child)
        yield from self._paragraph(line, direction)

    def _paragraph(self, line: str, direction: str, before: str = "") -> Iterator[str]:
        lines = [_SPACE.sub(" ", one).strip() for one in line.split(_BREAK)]
        if any(lines):
            yield "\n".join(before * (not at) + directed(one, direction) for at, one in enumerate(lines)).strip("\n")

    def _block(self, block: Element, direction: str) -> Iterator[str]:
        if block.tag in ("h1", "h2", "h3", "h4"):
            words = "".join(map(self._inline, block.children)).replace(_BREAK, " ")
            yield from self._paragraph(words, direction, "#" * int(block.tag[1]) + " ")
        elif block.tag in ("ul", "ol"):
            yield self._list(block, direction)
        elif block.tag == "table":
            yield from self._table(block, direction)
        elif block.tag == "hr":
            yield "* * *"
        elif block.tag == "pre":
            yield "\n".join(directed(line.rstrip(), direction) for line in block.text.strip("\n").split("\n"))
        elif block.tag in ("blockquote", "dd"):
            before = "> " if block.tag == "blockquote" else "  "
            inner = "\n\n".join(self.blocks(block.children, direction))
            yield "\n".join(f"{before}{line}".rstrip() for line in inner.split("\n"))
        else:
            yield from self.blocks(block.children, direction)

    def _list(self, block: Element, direction: str) -> str:
        items, at = [], int(block.attributes.get("start") or 1)
        for item in block.children:
            if isinstance(item, Element) and item.tag == "li":
                before = f"{self._number(at)}. " if block.tag == "ol" else "- "
                text = "\n\n".join(self.blocks(item.children, _direction_in(item, direction)))
                items.append(before + text.replace("\n", "\n" + " " * len(before)))
                at += 1
            elif isinstance(item, Element) or item.strip():  # a list within a list, an item's text without its item
                items += self.blocks([item], direction)
        return "\n".join(re.sub(r" +\n", "\n", item) for item in items)

    def _table(self, table: Element, direction: str) -> Iterator[str]:
        """Each row as a paragraph, each cell on a line, with the heading of its column where that is certain."""
        for caption in (part for part in table.elements if part.tag == "caption"):
            yield from self.blocks(caption.children, direction)
        rows = [row.elements for part in table.elements for row in part.elements if row.tag == "tr"]
        cells = [[" ".join(self.blocks(one.children, direction)).replace("\n", " ") for one in row] for row in rows]
        headed = len(rows) > 1 and all(cell.tag == "th" or not cell.text.strip() for cell in rows[0])
        headings = cells.pop(0) if headed and len({*map(len, rows)}) == 1 else []
        for row in cells:
            named = zip_longest(headings, row, fillvalue="")
            lines = [f"{heading}: {cell}" if heading else cell for heading, cell in named if cell]
            if lines:
                yield "\n".join(directed(line, direction) for line in lines)

    def _inline(self, node: Element | str) -> str:
        if isinstance(node, str):
            return node.replace(_BREAK, " ")
        if node.tag == "br":
            return _BREAK
        words = "".join(map(self._inline, node.children))
        if node.tag in BLOCKS | TABLE:
            return f" {words} "
        if node.tag == "a":
            return self._link(words, node.attributes.get("href", ""))
        if node.tag in _STRIKE:
            return f"~~{words}~~"
        if node.tag == "q":
            return f"“{words}”"
        if node.tag == "sup" and not words.startswith("["):
            return f"^{words}"
        return f"{_FSI}{words}{_PDI}" if node.tag == "bdi" or "dir" in node.attributes else words

    def _link(self, words: str, address: str) -> str:
        if not address:
            return words
        shown = words.strip()
        if _bare(shown) == _bare(address):
            # A space before the isolate's end, which would else be taken for a part of the address.
            return f"{_LRI}{address} {_PDI}" if self._direction == "rtl" else address
        at = self.links.setdefault(address, self._first + len(self.links))
        return f"{words} [{self._number(at)}]"


def _direction_in(block: Element, outer: str) -> str:
    stated = block.attributes.get("dir", "")
    return stated if stated in _MARKS else outer


def _bare(address: str) -> str:
    return unquote(address).removeprefix("mailto:").rstrip("/")
