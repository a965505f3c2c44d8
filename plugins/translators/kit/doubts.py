"""Where a translation may not say what its source says: advice for whoever reviews it, never a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .alignment import length
from .document import Piece, numbers

#: Translations of blocks are longer or shorter than the whole text leads to expect, but seldom by more than this.
_FACTOR = 2.2
#: Shorter than this, lengths say nothing.
_SHORT = 60


@dataclass(frozen=True, slots=True)
class Doubt:
    """A reason to look at a block: `number` is its row in a kit, or its place in the source, from 1; 0 for no place."""

    number: int
    reason: str
    source: str = ""
    translation: str = ""


def compare(source: Piece, target: Piece, ratio: float) -> Iterator[str]:
    """The reasons to doubt a pair. `ratio` is the length of the whole translation by that of the whole source."""
    yield from compare_shape(source, target, ratio)
    here, there = source.text, target.text
    if missing := numbers(here) - numbers(there):
        yield f"without the numbers {', '.join(_sorted(missing))}"
    # A month that is a word in one language is a number in another.
    if added := {number for number in numbers(there) - numbers(here) if int(number) > 12}:
        yield f"with numbers that the source does not have: {', '.join(_sorted(added))}"


def compare_shape(source: Piece, target: Piece, ratio: float) -> Iterator[str]:
    """The same without what the numbers in it say."""
    here, there = source.text, target.text
    if source.kind in ("heading", "item", "row", "note", "code", "quotation") and target.kind != source.kind:
        yield f"a {source.kind} in the source, a {target.kind} here"
    if source.kind == target.kind == "heading" and source.level != target.level:
        yield f"a heading of level {source.level} in the source, of level {target.level} here"
    if _is_prose(source) and not _is_foreign(target) and here.split() == there.split():
        yield "the same words as in the source: not translated?"
    expected = length(here) * ratio
    if min(expected, length(there)) > 0 and max(expected, length(there)) > _SHORT:
        if length(there) > _FACTOR * expected:
            yield "much longer than the source"
        elif length(there) * _FACTOR < expected:
            yield "much shorter than the source"
    if lost := len(source.links) - len(target.links):
        yield f"{abs(lost)} link{'s' * (abs(lost) > 1)} {'fewer' if lost > 0 else 'more'} than in the source"
    if len(source.notes) != len(target.notes):
        yield f"{len(target.notes)} notes, {len(source.notes)} in the source"
    elif sorted(source.notes) != sorted(target.notes):
        yield "other notes than in the source"
    if source.kind == "row" and source.text.count(" | ") != target.text.count(" | "):
        yield "another number of cells than in the source"


def _is_prose(piece: Piece) -> bool:
    return piece.kind not in ("note", "code") and sum(char.isalpha() for char in piece.text) > 15


def _is_foreign(piece: Piece) -> bool:
    """Whether a block says that it is in another language, as a quotation does that both texts have as it was said."""
    return any(container.lang for container in piece.within) or all(span.lang for span in piece.spans)


def _sorted(found: set[str] | frozenset[str]) -> list[str]:
    return sorted(found, key=int)
