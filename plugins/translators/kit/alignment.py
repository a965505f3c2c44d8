"""Which blocks of a translation belong to which of its source, where nothing but the two texts tells.

The pairs of least cost in order, as W. A. Gale and K. W. Church align sentences (Computational Linguistics 19, 1993),
with more to go by than lengths: kinds, numbers, links and notes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

from .document import Piece, numbers

#: Texts are in the same order more or less; further from the diagonal than this nobody looks.
_BAND = 80
_STEPS = ((1, 1), (1, 0), (0, 1), (1, 2), (2, 1))
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
    """What is compared of a block, or of two that may be one in the other text; `weight` is of their length."""

    kind: str
    name: str
    kinds: frozenset[str]
    length: int
    weight: float
    numbers: frozenset[str]
    links: frozenset[str]
    notes: int


def align(source: Sequence[Piece], target: Sequence[Piece]) -> list[Pair]:
    """Pair blocks one to one, two to one or one to two, and leave out what has no counterpart."""
    if not source or not target:
        return [Pair((n,), ()) for n in range(len(source))] + [Pair((), (n,)) for n in range(len(target))]
    ratio = max(1, sum(map(_length, target))) / max(1, sum(map(_length, source)))
    left, right = [_features(piece, ratio) for piece in source], [_features(piece, 1) for piece in target]
    left_two = [_join(*pair, ratio) for pair in pairwise(left)]
    right_two = [_join(*pair, 1) for pair in pairwise(right)]
    best: list[dict[int, tuple[float, tuple[int, int]]]] = [{} for _ in range(len(left) + 1)]
    best[0][0] = (0.0, (0, 0))
    slope = len(right) / len(left)
    width = _BAND + abs(len(right) - len(left))
    for row in range(len(left) + 1):
        middle = round(row * slope)
        for column in range(max(0, middle - width), min(len(right), middle + width) + 1):
            found = best[row].get(column)
            for down, along in _STEPS:
                before = best[row - down].get(column - along) if row >= down and column >= along else None
                if before is None:
                    continue
                if not down or not along:
                    cost = before[0] + _SKIP
                else:
                    here = left_two[row - 2] if down == 2 else left[row - 1]
                    there = right_two[column - 2] if along == 2 else right[column - 1]
                    cost = before[0] + _cost(here, there, is_merge=down != along)
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


def _length(piece: Piece) -> int:
    return max(1, length(piece.text))  # where a text is one of pictures alone, these stand for it


def _features(piece: Piece, ratio: float) -> _Features:
    size = _length(piece)
    found = numbers(piece.text), frozenset(piece.links), len(piece.notes)
    return _Features(piece.kind, piece.name, frozenset({piece.kind}), size, log(size * ratio + 8), *found)


def _join(one: _Features, next_one: _Features, ratio: float) -> _Features:
    """Two blocks as one of the kind of the first."""
    size = one.length + next_one.length
    sets = one.numbers | next_one.numbers, one.links | next_one.links
    kinds = one.kinds | next_one.kinds
    return _Features(one.kind, one.name, kinds, size, log(size * ratio + 8), *sets, one.notes + next_one.notes)


def length(text: str) -> int:
    """Characters, of which one of Chinese or Japanese says as much as three of an alphabet."""
    return len(text) + 2 * len(_WIDE.findall(text))


def _cost(source: _Features, target: _Features, *, is_merge: bool) -> float:
    cost = _kind_cost(source, target)
    if is_merge:
        kinds = source.kinds | target.kinds
        cost += _MERGE if kinds <= _PROSE or kinds == {"note"} else 2 * _SKIP
    cost += min(1.5, 0.6 * abs(target.weight - source.weight))
    for here, there in ((source.numbers, target.numbers), (source.links, target.links)):
        if here or there:
            shared = len(here & there)
            cost += 0.7 * (1 - shared / len(here | there)) - 0.15 * min(shared, 4)
    return cost + 0.2 * min(3, abs(source.notes - target.notes))


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
