"""How a kit writes what a word processor would lose: links, notes and cells, in signs that anybody can keep.

    [words](2)   words that are the second link, or picture, of the paragraph
    [3]          the third note of the text
    a | b        two cells of a table's row

Bold and italics are the word processor's own. Brackets and digits of any script count.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from .document import CELL, NOTE, Piece, Span, split_cells, tidy

_LINK = re.compile(r"!?[\[［【](?P<words>[^\[\]［］【】]*)[\]］】]\s?[(（](?P<number>\d{1,3})[)）]")
NOTE_SIGN = re.compile(r"[\[［【]\s?(?P<number>\d{1,3})\s?[\]］】]")
_CELL = re.compile(r"\s*[|｜]\s*")


def targets_of(source: Piece, present: Piece | None = None) -> tuple[str, ...]:
    """What the numbers of a row's links stand for: the links of the translation that exists, else of the source.

    The translation may lead to a page in its own language where the source leads to another.
    """
    if present is not None and len(present.links) == len(source.links):
        return present.links
    return source.links


def show(piece: Piece, labels: Sequence[str], targets: Sequence[str]) -> tuple[Span, ...]:
    """The spans of a piece as a kit shows them: nothing but text and its look.

    `labels` are the source's notes, `targets` what is numbered; other notes and links leave their words alone behind.
    """
    shown: list[Span] = []
    inside = ""
    for span in [*piece.spans, Span()]:
        target = span.image or span.link
        if inside and (target != inside or span.image):
            shown.append(Span(f"]({targets.index(inside) + 1})"))
            inside = ""
        if span.note:
            if span.note in labels:
                shown.append(Span(f"[{labels.index(span.note) + 1}]"))
            continue
        if target in targets and (span.image or span.text != target) and not inside:
            shown.append(Span("["))
            inside = target
        shown.append(Span(" | ") if span.text == CELL else replace(span, link="", image=""))
    return tidy(shown)


def understand(spans: Iterable[Span], source: Piece, labels: Sequence[str], targets: Sequence[str]) -> tuple[Span, ...]:
    """What was written in a kit, with the links, pictures, notes and cells of the source block."""
    letters = _Letters(tidy(spans))
    if source.kind == "row":
        letters.substitute(_CELL, lambda _: Span(CELL))
    pictures = {target for target, image in zip(targets, source.pictures, strict=False) if image}

    def target(found: re.Match[str]) -> str:
        number = _number(found["number"])
        return targets[number - 1] if 0 < number <= len(targets) else ""

    def note(found: re.Match[str]) -> Span | None:
        number = _number(found["number"])
        known = source.kind != "note" or bool(source.notes)
        label = labels[number - 1] if known and 0 < number <= len(labels) else ""
        return Span(note=label) if label else None

    letters.link(_LINK, target, pictures)
    letters.link_addresses(targets)
    letters.substitute(NOTE_SIGN, note)
    letters.mark_kept(source)
    return tidy(_trim_cells(letters.spans())) if source.kind == "row" else tidy(letters.spans())


def find_notes(piece: Piece, count: int) -> Piece:
    """A piece in which [3] calls a note, of `count`, or that is one, as it is typed by who knows of no footnotes."""

    def note(found: re.Match[str]) -> Span | None:
        number = _number(found["number"])
        return Span(note=str(number)) if 0 < number <= count else None

    if piece.kind == "code":
        return piece
    letters = _Letters(piece.spans)
    letters.substitute(NOTE_SIGN, note)
    spans = tidy(letters.spans())
    if spans and spans[0].note and piece.kind in ("paragraph", "item"):
        return Piece("note", tidy(spans[1:]), name=spans[0].note)
    return replace(piece, spans=spans)


def link_addresses(piece: Piece, targets: Iterable[str]) -> Piece:
    """A piece in which the addresses that stand in the text, and are links in its source, are links."""
    letters = _Letters(piece.spans)
    letters.link_addresses(targets)
    return replace(piece, spans=tidy(letters.spans(), keep_lines=piece.kind == "code"))


def _trim_cells(spans: Iterable[Span]) -> list[Span]:
    found: list[Span] = []
    for number, cell in enumerate(split_cells(spans)):
        found += ([Span(CELL)] if number else []) + list(tidy(cell))
    return found


def _number(digits: str) -> int:
    return int("".join(str(unicodedata.digit(digit)) for digit in digits))


class _Letters:
    """Spans as letters that each know their look, so that signs are found wherever a word processor cuts its runs."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._text = ""
        self._looks: list[Span] = []
        for span in spans:
            self._append(span)

    def _append(self, span: Span) -> None:
        text = NOTE if span.note or span.image or span.text == CELL else span.text
        self._text += text
        self._looks += [span] * len(text)

    def _rebuild(self, parts: list[tuple[int, int, list[Span]]]) -> None:
        text, looks = self._text, self._looks
        self._text, self._looks = "", []
        position = 0
        for start, end, spans in [*parts, (len(text), len(text), [])]:
            self._text += text[position:start]
            self._looks += looks[position:start]
            for span in spans:
                self._append(span)
            position = end

    def substitute(self, pattern: re.Pattern[str], make: object) -> None:
        """Put a span in place of each finding that makes one."""
        assert callable(make)  # noqa: S101 - for the type checker
        parts = [
            (found.start(), found.end(), [span]) for found in pattern.finditer(self._text) if (span := make(found))
        ]
        self._rebuild(parts)

    def link(self, pattern: re.Pattern[str], target: Callable[[re.Match[str]], str], pictures: set[str]) -> None:
        """Make links, or pictures, of the words that a pattern finds and that have a target."""
        parts = []
        for found in pattern.finditer(self._text):
            address = target(found)
            if not address:
                continue
            start, end = found.span("words")
            if any(look.link for look in self._looks[start:end]):
                continue
            if address in pictures:
                spans = [Span(self._text[start:end], image=address)]
            else:
                spans = [replace(span, link=address) for span in self._cut(start, end)]
            parts.append((found.start(), found.end(), spans))
        self._rebuild(parts)

    def link_addresses(self, targets: Iterable[str]) -> None:
        """Make links of the addresses that stand in the text as they are, the longest first."""
        for address in sorted(set(targets), key=len, reverse=True):
            self.link(re.compile(f"(?P<words>{re.escape(address)})"), lambda found: found["words"], set())

    def _cut(self, start: int, end: int) -> list[Span]:
        spans: list[Span] = []
        for letter, look in zip(self._text[start:end], self._looks[start:end], strict=True):
            spans.append(look if letter == NOTE else replace(look, text=letter))
        return spans

    def mark_kept(self, source: Piece) -> None:
        """Foreign words and code that the translator kept as they are keep their marks."""
        for kept in source.spans:
            if not (kept.lang or kept.code) or len(kept.text) < 2:
                continue
            pattern = re.compile(rf"(?<!\w){re.escape(kept.text)}(?!\w)")
            parts = []
            for found in pattern.finditer(self._text):
                spans = self._cut(*found.span())
                if not any(span.lang or span.code for span in spans):
                    marked = [replace(span, lang=kept.lang, code=kept.code) for span in spans]
                    parts.append((found.start(), found.end(), marked))
            self._rebuild(parts)

    def spans(self) -> tuple[Span, ...]:
        """The letters as spans again."""
        return tuple(self._cut(0, len(self._text)))


def letters_of(text: str) -> str:
    """A text to compare: white space does not count, as programs wrap lines in the files that they save."""
    return "".join(text.split())
