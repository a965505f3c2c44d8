"""What a word processor's file says: paragraphs, tables and notes, and what was left out of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Literal

from .document import CELL, Container, Document, Kind, Piece, Span, tidy

_BULLETS = ("• ", "– ", "- ", "* ", "· ", "▪ ", "● ")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """`level` is that of a heading, or of a list's item, from 1; `numbered` is for items."""

    spans: tuple[Span, ...]
    kind: Literal["title", "heading", "paragraph", "item", "quotation", "code"] = "paragraph"
    level: int = 0
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: rows of cells, each the spans of its paragraphs in lines of their own."""

    rows: tuple[tuple[tuple[Span, ...], ...], ...]


@dataclass(slots=True)
class Manuscript:
    """Blocks in reading order, notes by label, and how often something was left out."""

    blocks: list[Paragraph | Grid] = field(default_factory=list)
    notes: dict[str, list[tuple[Span, ...]]] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)

    def arrange(self) -> Document:
        """As a document: the first title or sole top heading is the title, other headings begin at the second level."""
        blocks = [block for block in self.blocks if isinstance(block, Grid) or block.spans]
        blocks = self._find_headings(blocks)
        levels = [block.level for block in blocks if isinstance(block, Paragraph) and block.kind == "heading"]
        titled = any(isinstance(block, Paragraph) and block.kind == "title" for block in blocks)
        first = blocks[0] if blocks else None
        if not titled and isinstance(first, Paragraph) and first.kind == "heading" and levels.count(first.level) == 1:
            blocks[0] = replace(first, kind="title", level=0)
            levels = levels[1:]
        shift = 2 - min(levels, default=2)
        pieces: list[Piece] = []
        lists: tuple[Container, ...] = ()
        for block in blocks:
            if isinstance(block, Grid):
                pieces += _rows(block)
                lists = ()
                continue
            kind: Kind = block.kind
            within: tuple[Container, ...] = ()
            level = 0
            if block.kind == "item":
                mark = Container("numbered" if block.numbered else "list")
                within = (*lists[: block.level - 1], mark)
            elif block.kind == "quotation":
                within = (Container("quotation"),)
            elif block.kind == "heading":
                level = min(6, block.level + shift)
            lists = within if block.kind == "item" else ()
            if kind == "title" and any(piece.kind == "title" for piece in pieces):
                kind, level = "heading", 2
            pieces.append(Piece(kind, block.spans, within, level))
        same = self._find_same_notes()
        for label, paragraphs in self.notes.items():
            if same[label] == label:
                pieces += [Piece("note", spans, name=label) for spans in paragraphs]
        return Document(
            tuple(
                replace(piece, spans=tuple(replace(span, note=same.get(span.note, "")) for span in piece.spans))
                for piece in pieces
            )
        )

    def _find_same_notes(self) -> dict[str, str]:
        """The first of the notes that say the same, by label: a word processor has no second call of a note."""
        first: dict[tuple[tuple[Span, ...], ...], str] = {}
        return {label: first.setdefault(tuple(paragraphs), label) for label, paragraphs in self.notes.items()}

    def _find_headings(self, blocks: list[Paragraph | Grid]) -> list[Paragraph | Grid]:
        """Lists that were typed, and headings of those who know no styles: short lines in bold."""
        styled = any(isinstance(block, Paragraph) and block.kind == "heading" for block in blocks)
        found: list[Paragraph | Grid] = []
        for block in blocks:
            if isinstance(block, Paragraph) and block.kind == "paragraph":
                first = block.spans[0]
                if first.text.startswith(_BULLETS):
                    spans = tidy([replace(first, text=first.text[2:]), *block.spans[1:]])
                    block = replace(block, spans=spans, kind="item", level=1)
                elif not styled and _is_bold_line(block):
                    self.dropped["lines in bold, which were read as headings"] += 1
                    spans = tuple(replace(span, bold=False) for span in block.spans)
                    block = replace(block, spans=tidy(spans), kind="heading", level=2)
            found.append(block)
        return found


def _is_bold_line(block: Paragraph) -> bool:
    text = "".join(span.text for span in block.spans)
    marked = all(span.bold for span in block.spans if span.text.strip())
    return marked and len(text) < 150 and not text.rstrip().endswith((".", ":", "。", "؛", "،", ";", ","))


def _rows(grid: Grid) -> list[Piece]:
    width = max((len(row) for row in grid.rows), default=0)
    pieces = []
    for number, row in enumerate(grid.rows):
        spans: list[Span] = []
        for place, cell in enumerate([*row, *[()] * (width - len(row))]):
            spans += ([Span(CELL)] if place else []) + list(cell)
        if any(span.text.strip("\n " + CELL) for span in spans):
            alignment = "-" * width if not number else ""
            pieces.append(Piece("row", tidy(spans), level=int(not number), name=alignment))
    return pieces
