"""Where a translation may not say what its source says: advice for whoever reviews it, never a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..numerals import compare_numbers
from .alignment import length
from .document import Piece

#: Translations of blocks are longer or shorter than the whole text leads to expect, but seldom by more than this.
_FACTOR = 2.2
#: Shorter than this, lengths say nothing.
_SHORT = 60


@dataclass(frozen=True, slots=True)
class Doubt:
    """A reason to look at a block: `number` is its row in a kit, or its place in the source, from 1; 0 for no place.

    `former` is what the source said there when the translation was made, or what the translation did, if that is why.
    """

    number: int
    reason: str
    source: str = ""
    translation: str = ""
    former: str = ""


def compare(source: Piece, source_lang: str, target: Piece, target_lang: str, ratio: float) -> Iterator[str]:
    """The reasons to doubt a pair. `ratio` is the length of the whole translation by that of the whole source."""
    yield from compare_shape(source, target, ratio)
    yield from compare_figures(source.text, source_lang, target.text, target_lang)


def compare_figures(source: str, source_lang: str, target: str, target_lang: str) -> Iterator[str]:
    """The reasons to doubt the numbers and dates of two texts."""
    missing, added = compare_numbers(source, source_lang, target, target_lang)
    if missing:
        yield f"without the number{'s' * (len(missing) > 1)} {', '.join(map(str, missing))}"
    if added:
        yield f"with {', '.join(map(str, added))}, which the source does not have"


def compare_shape(source: Piece, target: Piece, ratio: float) -> Iterator[str]:
    """The reasons to doubt what a block is and has, whatever numbers it names."""
    here, there = source.text, target.text
    if source.kind in ("heading", "item", "row", "note", "code", "quotation") and target.kind != source.kind:
        yield f"{_one(source.kind)} in the source, {_one(target.kind)} here"
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


def _one(kind: str) -> str:
    return f"an {kind}" if kind == "item" else f"a {kind}"


def _is_prose(piece: Piece) -> bool:
    return piece.kind not in ("note", "code") and sum(char.isalpha() for char in piece.text) > 15


def _is_foreign(piece: Piece) -> bool:
    """Whether a block says that it is in another language, as a quotation does that both texts have as it was said."""
    return any(container.lang for container in piece.within) or all(span.lang for span in piece.spans)
