"""What stands, in a translation that exists, for each block of its source.

By identity where the source's blocks of the time are known: a block that moved takes its translation with it. What is
not certain is said to be so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from .alignment import Pair, align, length
from .document import Document, Piece, Span
from .doubts import compare

State = Literal["unchanged", "changed", "doubtful"]


@dataclass(frozen=True, slots=True)
class Origin:
    """What a block of the source was when it was translated: its places among the blocks of then."""

    places: tuple[int, ...]
    is_same: bool


@dataclass(frozen=True, slots=True)
class Counterpart:
    """The translation of a block, with the block's kind; paragraphs that stand for one are its lines.

    It is `changed` if the block has been since, and `doubtful` if it may be the translation of another.
    """

    piece: Piece
    state: State


@dataclass(frozen=True, slots=True)
class Counterparts:
    """Of each block of a source, by its place; `rest` is what stands beside none, `slug` the translation's own."""

    beside: Mapping[int, Counterpart] = field(default_factory=dict)
    rest: tuple[Piece, ...] = ()
    slug: tuple[Span, ...] = ()


def find_counterparts(
    document: Document,
    lang: str,
    present: Document,
    present_lang: str,
    former: Sequence[Piece] = (),
    origins: Mapping[int, Origin] | None = None,
) -> Counterparts:
    """Lay a translation beside the source as it is now.

    `former` are the source's blocks when it was translated, and `origins` says what became of them, by the places of
    the blocks of now; without these the source is as it was.
    """
    blocks = document.blocks
    if origins is None:
        former, origins = blocks, {place: Origin((place,), is_same=True) for place in range(len(blocks))}
    shown = tuple(piece for piece in present.blocks if piece.name != "slug")
    ratio = sum(length(piece.text) for piece in shown) / max(1, sum(length(piece.text) for piece in former))
    pairs = {place: pair for pair in _pair(former, shown) for place in pair.source}
    found: dict[int, Counterpart] = {}
    taken: set[int] = set()
    for place, piece in enumerate(blocks):
        origin = origins.get(place)
        mine = [pairs[before] for before in origin.places if before in pairs] if origin else []
        targets = [target for pair in dict.fromkeys(mine) for target in pair.target if target not in taken]
        if origin is None or not targets:
            continue
        taken.update(targets)
        lines = [span for target in targets for span in (Span("\n"), *shown[target].spans)][1:]
        is_sure = all(len(pair.source) == len(pair.target) == 1 for pair in mine)
        if is_sure and origin.is_same:
            is_sure = not any(compare(piece, lang, shown[targets[0]], present_lang, ratio))
        state: State = "changed" if not origin.is_same else "unchanged" if is_sure else "doubtful"
        found[place] = Counterpart(replace(piece, spans=tuple(lines)), state)
    rest = tuple(piece for place, piece in enumerate(shown) if place not in taken)
    slugs = [piece.spans for piece in present.pieces if piece.name == "slug"]
    return Counterparts(found, rest, slugs[0] if slugs else ())


def _pair(source: Sequence[Piece], target: Sequence[Piece]) -> list[Pair]:
    """Blocks in their order, but fields and notes by their names, wherever they stand."""
    named: list[Pair] = []
    waiting: dict[tuple[str, str], list[int]] = {}
    for place, piece in enumerate(target):
        if name := _name(piece):
            waiting.setdefault(name, []).append(place)
    for place, piece in enumerate(source):
        name = _name(piece)
        if name and (places := waiting.get(name)):
            named.append(Pair((place,), (places.pop(0),)))
    left = [place for place in range(len(source)) if place not in {pair.source[0] for pair in named}]
    right = [place for place in range(len(target)) if place not in {pair.target[0] for pair in named}]
    if [source[place].kind for place in left] == [target[place].kind for place in right]:
        return [*named, *(Pair((one,), (other,)) for one, other in zip(left, right, strict=True))]
    for pair in align([source[place] for place in left], [target[place] for place in right]):
        named.append(Pair(tuple(left[place] for place in pair.source), tuple(right[place] for place in pair.target)))
    return named


def _name(piece: Piece) -> tuple[str, str] | None:
    is_named = piece.kind in ("title", "summary") or (piece.kind in ("field", "note") and piece.name)
    return (piece.kind, piece.name) if is_named else None
