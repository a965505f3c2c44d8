"""Which blocks of a translation belong to which of its source, where nothing but the two texts tells.

The pairs of least cost in order, as W. A. Gale and K. W. Church align sentences (Computational Linguistics 19, 1993),
with more to go by than lengths: kinds, numbers, links and notes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from .document import Piece, numbers

#: Texts are in the same order more or less; further from the diagonal than this nobody looks.
_BAND = 80
_SKIP = 1.1
_MERGE = 0.9
_WIDE = re.compile("[\u2e80-\u9fff\U00020000-\U0010ffff]")
_PROSE = {"paragraph", "item", "quotation", "row"}


@dataclass(frozen=True, slots=True)
class Pair:
    """Places of blocks of the source and of the translation that belong together; one of the two may be empty."""

    source: tuple[int, ...]
    target: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Features:
    kind: str
    name: str
    length: int
    numbers: frozenset[str]
    links: frozenset[str]
    notes: int


def align(source: Sequence[Piece], target: Sequence[Piece]) -> list[Pair]:
    """Pair blocks one to one, two to one or one to two, and leave out what has no counterpart."""
    if not source or not target:
        return [Pair((n,), ()) for n in range(len(source))] + [Pair((), (n,)) for n in range(len(target))]
    left, right = [_features(piece) for piece in source], [_features(piece) for piece in target]
    ratio = max(1, sum(one.length for one in right)) / max(1, sum(one.length for one in left))
    steps = ((1, 1), (1, 0), (0, 1), (1, 2), (2, 1))
    best: list[dict[int, tuple[float, tuple[int, int]]]] = [{} for _ in range(len(left) + 1)]
    best[0][0] = (0.0, (0, 0))
    slope = len(right) / len(left)
    width = _BAND + abs(len(right) - len(left))
    for row in range(len(left) + 1):
        middle = round(row * slope)
        for column in range(max(0, middle - width), min(len(right), middle + width) + 1):
            found = best[row].get(column)
            for down, along in steps:
                before = best[row - down].get(column - along) if row >= down and column >= along else None
                if before is None or (down == 0 and along == 0):
                    continue
                cost = before[0] + _cost(left[row - down : row], right[column - along : column], ratio)
                if found is None or cost < found[0]:
                    found = (cost, (down, along))
            if found is not None:
                best[row][column] = found
    pairs = []
    row, column = len(left), len(right)
    while row or column:
        down, along = best[row][column][1]
        pairs.append(Pair(tuple(range(row - down, row)), tuple(range(column - along, column))))
        row, column = row - down, column - along
    return pairs[::-1]


def _features(piece: Piece) -> _Features:
    # Where a text is one of pictures alone, these stand for its length.
    text = piece.text
    return _Features(
        piece.kind, piece.name, max(1, length(text)), numbers(text), frozenset(piece.links), len(piece.notes)
    )


def length(text: str) -> int:
    """Characters, of which one of Chinese or Japanese says as much as three of an alphabet."""
    return len(text) + 2 * len(_WIDE.findall(text))


def _cost(source: Sequence[_Features], target: Sequence[_Features], ratio: float) -> float:
    if not source or not target:
        return _SKIP
    cost = _kind_cost(source[0], target[0])
    if len(source) > 1 or len(target) > 1:
        kinds = {one.kind for one in (*source, *target)}
        cost += _MERGE if kinds <= _PROSE or kinds == {"note"} else 2 * _SKIP
    expected = sum(one.length for one in source) * ratio
    cost += min(1.5, 0.6 * abs(log((sum(one.length for one in target) + 8) / (expected + 8))))
    for name in ("numbers", "links"):
        here = frozenset[str]().union(*(getattr(one, name) for one in source))
        there = frozenset[str]().union(*(getattr(one, name) for one in target))
        if here or there:
            shared = len(here & there)
            cost += 0.7 * (1 - shared / len(here | there)) - 0.15 * min(shared, 4)
    return cost + 0.2 * min(3, abs(sum(one.notes for one in source) - sum(one.notes for one in target)))


def _kind_cost(source: _Features, target: _Features) -> float:
    if source.kind == target.kind:
        return 0.0 if source.name == target.name or source.kind not in ("field", "note") else 0.4
    kinds = {source.kind, target.kind}
    if kinds <= _PROSE:
        return 0.3
    if "title" in kinds and kinds & {"heading", "paragraph"}:
        return 0.3
    if "summary" in kinds and kinds & {"paragraph", "quotation"}:
        return 0.3
    return 0.7 if kinds <= _PROSE | {"heading"} else 1.6
