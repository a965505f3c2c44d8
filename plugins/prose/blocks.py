"""The blocks and sections of a text, and the ids by which they are cited.

Blocks are counted in the order of the text, so that a block has the same id in every translation
that has the same blocks: a lawyer cites paragraph 7 in one language and reads it in another.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from .markup import Edit, Element, TagFinder, apply, attribute, classes, find_structure
from .plain import title_of, words_of

BLOCKS = frozenset([
    "p", "ul", "ol", "dl", "blockquote", "pre", "table", "figure", "div", "details", "aside", "address",
])  # fmt: skip
_SECTIONS = ("h2", "h3")
#: They take a number in themselves; around the others stands a <div class="block">.
_BEARERS = ("p", "blockquote")
_WRAPPED = "block"
#: What comes with a text and is none of it: footnotes (Markdown, reStructuredText, pandoc), tables of contents.
_APPARATUS = frozenset(("footnote", "footnotes", "footnote-list", "toc", "contents"))
#: reStructuredText has <div class="section"> around a heading and what follows it.
_DIVISION = "section"
_OWN_IDS = re.compile(r"""\bid\s*+=\s*+["']?[ps]\d""", re.IGNORECASE)
_OURS = re.compile(r'(<(?:p|blockquote|div class="block"|h[23])) id="[ps]\d+"(?=[\s>])')
_ANY = TagFinder(["[a-zA-Z][^\\s/>]*+"])


@dataclass(frozen=True, slots=True)
class Section:
    """An entry of the table of contents; `title` is plain text, `level` 2 or 3."""

    id: str
    title: str
    level: int


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text with its ids. `taken` are ids of ours that the author gave to something else."""

    html: str
    words: str
    paragraphs: int
    contents: tuple[Section, ...]
    taken: tuple[str, ...]


def mark(html: str, *, numbered: bool) -> MarkedText:
    """Give ids to the sections of a text and, if it is `numbered`, to its blocks."""
    parts = _Parts(html)
    taken: list[str] = []
    authors_ids = _ids_of(html) if _OWN_IDS.search(html) else frozenset()
    edits: list[Edit] = []
    for number, block in enumerate(parts.blocks if numbered else (), 1):
        name = f"p{number}"
        own = attribute(block, "id")
        if name in authors_ids:
            if own != name or not _bears(block):
                taken.append(name)
        elif block.name in _BEARERS and not own:
            edits.append(_insert_id(block, name))
        else:
            edits.append(Edit(block.start, block.start, f'<div class="{_WRAPPED}" id="{name}">'))
            edits.append(Edit(block.end, block.end, "</div>"))
    contents = []
    for number, heading in enumerate(parts.headings, 1):
        name = attribute(heading, "id")
        if not name:
            name = f"s{number}"
            if name in authors_ids:
                taken.append(name)
                continue
            edits.append(_insert_id(heading, name))
        contents.append(Section(name, title_of(html[heading.opened : heading.closing]), int(heading.name[1])))
    return MarkedText(
        apply(edits, html) if edits else html,
        words_of(apply((Edit(part.start, part.end, " ") for part in parts.apparatus), html)),
        len(parts.blocks) if numbered else 0,
        tuple(contents),
        tuple(taken),
    )


def numbered_blocks(html: str) -> Iterator[tuple[int, Element]]:
    """The blocks of a marked text that carry their number, each with it."""
    for number, block in enumerate(_Parts(html).blocks, 1):
        if _bears(block) and attribute(block, "id") == f"p{number}":
            yield number, block


def without_ids(html: str) -> str:
    """An excerpt of a marked text, for a page on which others stand as well."""
    return _OURS.sub(r"\1", html)


class _Parts:
    """What a text is made of, at its top level."""

    def __init__(self, html: str) -> None:
        self.blocks: list[Element] = []
        self.headings: list[Element] = []
        self.apparatus: list[Element] = []
        passed = within = 0
        for element in find_structure(html):
            if element.start < passed:
                continue
            kinds = classes(element)
            if element.name == "nav" or kinds & _APPARATUS:
                self.apparatus.append(element)
                passed = element.end
            elif element.name in _SECTIONS:
                self.headings.append(element)
            elif element.start >= within and element.name in BLOCKS and _DIVISION not in kinds:
                self.blocks.append(element)
                within = element.end
                if element.name == "blockquote":  # the headings of somebody else's text
                    passed = element.end


def _bears(block: Element) -> bool:
    return block.name in _BEARERS or (block.name == "div" and _WRAPPED in classes(block))


def _insert_id(element: Element, name: str) -> Edit:
    place = element.start + 1 + len(element.name)
    return Edit(place, place, f' id="{name}"')


def _ids_of(html: str) -> Collection[str]:
    return {attribute(tag, "id") for tag in _ANY.find(html) if not tag.closing}
