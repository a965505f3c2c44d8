"""What became of a text, block by block: the old one laid beside the new one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from .blocks import Block, fold, note_labels
from .words import split_words

Op = Literal["same", "changed", "added", "removed", "moved"]

#: How alike two blocks must be, of 1, to count as one that was changed: where it stood, and anywhere else.
_ALIKE_IN_PLACE, ALIKE_ELSEWHERE = 0.25, 0.5


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a block.

    same, moved    `old` and `new` hold one block each, with the same meaning
    changed        one each; a block that was split has several `new`, blocks that were joined several `old`
    added          only `new`
    removed        only `old`

    `old_at` and `new_at` say where the first of them stands in its text, from 0; None where there is none.
    """

    op: Op
    old: tuple[Block, ...]
    new: tuple[Block, ...]
    old_at: int | None
    new_at: int | None


def align(old: Sequence[Block], new: Sequence[Block]) -> list[Change]:
    """Lay the blocks of two texts beside each other; what came of each, in the order of the new text.

    As few blocks as possible are said to have moved. Footnotes are never moved: where they stand follows from
    where they are called.
    """
    return _Alignment(old, new).changes()


def differences(old: Sequence[Block], new: Sequence[Block]) -> list[Change]:
    """What a translator has to look at: all changes but "same"."""
    return [change for change in align(old, new) if change.op != "same"]


class _Alignment:
    """Pairs places of the old text with places of the new one, the surest first."""

    def __init__(self, old: Sequence[Block], new: Sequence[Block]) -> None:
        self._old, self._new = old, new
        self._body_old = [place for place, block in enumerate(old) if block.kind != "note"]
        self._body_new = [place for place, block in enumerate(new) if block.kind != "note"]
        self._anchors = self._common()
        self._gaps = self._number_gaps()
        self._found: list[tuple[Op, tuple[int, ...], tuple[int, ...]]] = []
        self._found += [("same", (a,), (b,)) for a, b in self._anchors]
        taken = {a for a, _ in self._anchors}, {b for _, b in self._anchors}
        self._left_old = [place for place in range(len(old)) if place not in taken[0]]
        self._left_new = [place for place in range(len(new)) if place not in taken[1]]
        self._pair_equals()
        self._pair_notes()
        self._pair_divided()
        self._pair_alike()
        self._pair_by_place()

    def changes(self) -> list[Change]:
        """All pairs, and what is left without a partner."""
        labels = self._renamed_labels()
        found = [self._settle(op, old, new, labels) for op, old, new in self._found]
        found += [Change("removed", (self._old[place],), (), place, None) for place in self._left_old]
        found += [Change("added", (), (self._new[place],), None, place) for place in self._left_new]
        return sorted(found, key=self._order)

    def _settle(self, op: Op, old: tuple[int, ...], new: tuple[int, ...], labels: dict[str, str]) -> Change:
        before, after = tuple(self._old[place] for place in old), tuple(self._new[place] for place in new)
        if op != "changed":
            # Hashes leave out labels: the same words may call other footnotes.
            calls = [labels.get(label, label) for block in before for label in note_labels(block)]
            if calls != [label for block in after for label in note_labels(block)]:
                op = "changed"
        return Change(op, before, after, old[0], new[0])

    def _order(self, change: Change) -> tuple[int, int, int]:
        if change.new_at is not None:
            return change.new_at, 1, 0
        at = change.old_at or 0
        following = [b for a, b in self._anchors if a > at]
        is_note = self._old[at].kind == "note"
        return (len(self._new) if is_note or not following else min(following)), 0, at

    # The surest: blocks in the same order

    def _common(self) -> list[tuple[int, int]]:
        """The longest sequence of equal blocks that stand in the same order in both texts, notes apart."""
        old, new = list(self._body_old), list(self._body_new)
        head: list[tuple[int, int]] = []
        tail: list[tuple[int, int]] = []
        while old and new and self._old[old[0]].hash == self._new[new[0]].hash:
            head.append((old.pop(0), new.pop(0)))
        while old and new and self._old[old[-1]].hash == self._new[new[-1]].hash:
            tail.append((old.pop(), new.pop()))
        return [*head, *self._longest(old, new), *reversed(tail)]

    def _longest(self, old: list[int], new: list[int]) -> Iterator[tuple[int, int]]:
        """By the textbook's table; of sequences as long, that with more text: headings move, and not chapters."""
        total = 1 + sum(len(self._old[place].text) for place in old)
        table = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
        for i in reversed(range(len(old))):
            block, row, below = self._old[old[i]], table[i], table[i + 1]
            weight = 1 + len(block.text) / total
            for j in reversed(range(len(new))):
                equal = block.hash == self._new[new[j]].hash
                row[j] = max(below[j], row[j + 1], below[j + 1] + weight if equal else 0)
        i = j = 0
        while i < len(old) and j < len(new):
            equal = self._old[old[i]].hash == self._new[new[j]].hash
            if equal and table[i][j] > max(table[i + 1][j], table[i][j + 1]):
                yield old[i], new[j]
                i, j = i + 1, j + 1
            elif table[i + 1][j] >= table[i][j + 1]:
                i += 1
            else:
                j += 1

    def _number_gaps(self) -> tuple[list[int], list[int]]:
        """For each place, how many anchors stand before it: places with the same number face each other."""
        numbers = []
        for side, size in ((0, len(self._old)), (1, len(self._new))):
            anchors = {anchor[side] for anchor in self._anchors}
            count, gaps = 0, []
            for place in range(size):
                gaps.append(count)
                count += place in anchors
            numbers.append(gaps)
        return numbers[0], numbers[1]

    # Then equal ones elsewhere, those whose words are the same, those that are alike

    def _take(self, op: Op, old: Iterable[int], new: Iterable[int]) -> None:
        old, new = tuple(old), tuple(new)
        self._found.append((op, old, new))
        self._left_old = [place for place in self._left_old if place not in old]
        self._left_new = [place for place in self._left_new if place not in new]

    def _pair_equals(self) -> None:
        by_hash: dict[str, list[int]] = {}
        for place in self._left_new:
            by_hash.setdefault(self._new[place].hash, []).append(place)
        for place in self._left_old:
            block = self._old[place]
            if places := by_hash.get(block.hash):
                # Of equal notes ("Ibid.") that which is called the same.
                best = min(places, key=lambda one: (note_labels(self._new[one])[:1] != note_labels(block)[:1], one))
                places.remove(best)
                self._take("same" if block.kind == "note" else "moved", (place,), (best,))

    def _pair_notes(self) -> None:
        by_label = {self._own_label(self._new[place]): place for place in self._left_new if self._is_note(place)}
        for place in self._left_old:
            label = self._own_label(self._old[place]) if self._old[place].kind == "note" else ""
            if label and label in by_label:
                self._take("changed", (place,), (by_label[label],))

    def _is_note(self, place: int) -> bool:
        return self._new[place].kind == "note"

    @staticmethod
    def _own_label(block: Block) -> str:
        """The label a note begins with; its further paragraphs have none."""
        labels = note_labels(block)
        return labels[0] if labels and block.text.startswith(f"[^{labels[0]}]: ") else ""

    def _pair_divided(self) -> None:
        """A block whose words are now in several that follow each other, and the reverse."""
        for place in list(self._left_old):
            if run := _find_run(self._old[place], self._new, self._left_new):
                self._take("changed", (place,), run)
        for place in list(self._left_new):
            if run := _find_run(self._new[place], self._old, self._left_old):
                self._take("changed", run, (place,))

    def _pair_alike(self) -> None:
        before = {place: make_profile(self._old[place].text) for place in self._left_old}
        after = {place: make_profile(self._new[place].text) for place in self._left_new}
        ranked = []
        for a, profile in before.items():
            for b, other in after.items():
                if (self._old[a].kind == "note") != (self._new[b].kind == "note"):
                    continue
                in_place = self._gaps[0][a] == self._gaps[1][b]
                alike = compare_profiles(profile, other)
                if alike >= (_ALIKE_IN_PLACE if in_place else ALIKE_ELSEWHERE):
                    ranked.append((-alike, not in_place, abs(a - b), a, b))
        for *_, a, b in sorted(ranked):
            if a in self._left_old and b in self._left_new:
                self._take("changed", (a,), (b,))

    def _pair_by_place(self) -> None:
        """What was written anew: as many blocks of a kind as before, in the same place."""
        after = _by_gap_and_kind(self._left_new, self._new, self._gaps[1])
        for where, places in _by_gap_and_kind(self._left_old, self._old, self._gaps[0]).items():
            others = after.get(where, [])
            if len(places) == len(others) and self._old[places[0]].kind != "note":
                for pair in zip(places, others, strict=True):
                    self._take("changed", pair[:1], pair[1:])

    def _renamed_labels(self) -> dict[str, str]:
        """What the old labels of footnotes are called now."""
        labels = {}
        for _, old, new in self._found:
            before, after = self._own_label(self._old[old[0]]), self._own_label(self._new[new[0]])
            if before and after:
                labels[before] = after
        return labels


def _by_gap_and_kind(
    places: Iterable[int], blocks: Sequence[Block], gaps: Sequence[int]
) -> dict[tuple[int, str], list[int]]:
    groups: dict[tuple[int, str], list[int]] = {}
    for place in places:
        name = blocks[place].text.partition(":")[0] if blocks[place].kind == "field" else ""
        groups.setdefault((gaps[place], blocks[place].kind + name), []).append(place)
    return groups


def _find_run(whole: Block, blocks: Sequence[Block], places: Sequence[int]) -> tuple[int, ...]:
    """Two or more blocks that follow each other, together with the words and links of `whole`; or nothing."""
    wanted = _letters(whole)
    if not wanted:
        return ()
    for start, first in enumerate(places):
        run, letters, links = [], "", list[str]()
        for offset, place in enumerate(places[start:]):
            if place != first + offset or blocks[place].kind != blocks[first].kind:
                break
            run.append(place)
            letters += _letters(blocks[place])
            links += blocks[place].links
            if not wanted.startswith(letters):
                break
            if letters == wanted and len(run) > 1 and tuple(links) == whole.links:
                return tuple(run)
    return ()


def _letters(block: Block) -> str:
    return "".join(fold(block.text).split())


Profile = Counter[tuple[str, str]]


def make_profile(text: str) -> Profile:
    """The neighbouring words of a text, its ends included: alike texts share them, texts of one language do not."""
    words = [word for word in split_words(fold(text).casefold()) if not word.isspace()]
    return Counter(pairwise(["", *words, ""]))


def compare_profiles(one: Profile, other: Profile) -> float:
    """Dice's coefficient: 0 for nothing in common, 1 for the same."""
    return 2 * (one & other).total() / ((one.total() + other.total()) or 1)
