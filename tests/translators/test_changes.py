"""What became of a text: nothing where it is only written differently, exactly what was touched otherwise."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from translators.blocks import Block, make_block
from translators.changes import Change, Op, align, differences

from tests.translators.texts import (
    Writing,
    add,
    articles,
    blocks_of,
    change_alt,
    change_cell,
    change_link,
    change_note,
    change_number,
    change_picture,
    change_word,
    delete,
    move,
    negate,
    rewritten,
    writings,
)

Rewording = Callable[[Writing, random.Random], tuple[Writing, int] | None]
LANGS = ("en", "fa", "ar", "zh-Hans", "ru", "uk", "es", "fr")


def block(text: str, kind: str = "paragraph") -> Block:
    return make_block(kind, text)


def texts(*blocks: str) -> list[Block]:
    return [block(text) for text in blocks]


def short(changes: Sequence[Change]) -> list[tuple[str, str, str]]:
    return [
        (change.op, "+".join(b.text for b in change.old), "+".join(b.text for b in change.new)) for change in changes
    ]


def test_a_thousand_reformattings_flag_nothing() -> None:
    chance = random.Random(20261122)  # noqa: S311
    for writing in islice(writings(articles(*LANGS), chance, 2), 125):
        before = writing.blocks()
        for _ in range(8):
            source = rewritten(writing, chance)
            assert differences(before, blocks_of(source)) == [], (writing.lang, source.decode())


#: For each, what becomes of the block that is touched.
CHANGES: dict[Rewording, Op] = {
    change_word: "changed", change_number: "changed", negate: "changed", change_link: "changed", change_alt: "changed",
    change_picture: "changed", change_cell: "changed", change_note: "changed", add: "added", delete: "removed",
    move: "moved",
}  # fmt: skip


def test_a_thousand_changes_of_meaning_flag_exactly_what_was_touched() -> None:
    chance = random.Random(20261123)  # noqa: S311
    count = dict.fromkeys(CHANGES, 0)
    for writing in writings(articles(*LANGS), chance, 2):
        before = writing.blocks()
        for change, op in CHANGES.items():
            changed = change(writing, chance)
            if changed is None or changed[0] == writing or count[change] > 1000 / len(CHANGES):
                continue
            count[change] += 1
            after, place = changed
            now = after.blocks()
            found = differences(before, now)
            assert [one.op for one in found] == [op], (writing, after, short(found))
            if change is move:
                # Where it went past a single one, that one has as well moved past it.
                at = after.lines.index(writing.lines[place])
                nearest = {place, at} if abs(at - place) == 1 else {place}
                assert found[0].old_at in [writing.position(one, before) for one in nearest]
            else:
                old_at = None if change is add else writing.position(place, before)
                new_at = None if change is delete else after.position(place, now)
                assert (found[0].old_at, found[0].new_at) == (old_at, new_at), (writing, after, short(found))
        if min(count.values()) > 1000 / len(CHANGES):
            break
    assert sum(count.values()) >= 1000


@pytest.mark.parametrize("name", ["Title", "Summary", "Image_alt", "Image_caption"])
def test_a_field_that_says_something_else_is_flagged_alone(name: str) -> None:
    chance = random.Random(20261124)  # noqa: S311
    for writing in islice(writings(articles(*LANGS), chance, 1), 8):
        after = writing.with_field(name, dict(writing.fields)[name] + " 7")
        found = differences(writing.blocks(), after.blocks())
        assert [(one.op, one.old_at) for one in found] == [
            ("changed", ["Title", "Summary", "Image_alt", "Image_caption"].index(name))
        ]


@given(st.lists(st.sampled_from("abcdef"), max_size=9), st.lists(st.sampled_from("abcdef"), max_size=9))
def test_every_block_of_both_texts_is_accounted_for_once(old: list[str], new: list[str]) -> None:
    before, after = texts(*old), texts(*new)
    changes = align(before, after)
    assert sorted(b.text for change in changes for b in change.old) == sorted(old)
    assert sorted(b.text for change in changes for b in change.new) == sorted(new)
    assert [change.new_at for change in changes if change.new_at is not None] == sorted(
        change.new_at for change in changes if change.new_at is not None
    )
    for change in changes:
        assert change.old == tuple(before[(change.old_at or 0) + n] for n in range(len(change.old)))
        assert change.new == tuple(after[(change.new_at or 0) + n] for n in range(len(change.new)))


@given(st.lists(st.sampled_from("abcdef"), max_size=9))
def test_a_text_is_the_same_as_itself(blocks: list[str]) -> None:
    assert differences(texts(*blocks), texts(*blocks)) == []


@given(st.permutations("abcdefgh"))
def test_what_only_changed_places_has_moved_and_as_little_as_possible(order: list[str]) -> None:
    changes = align(texts(*"abcdefgh"), texts(*order))
    assert {change.op for change in changes} <= {"same", "moved"}
    rising = 1  # the longest rising sequence, by trying all ends
    best = [1] * len(order)
    for i, letter in enumerate(order):
        best[i] = 1 + max([best[j] for j in range(i) if order[j] < letter], default=0)
        rising = max(rising, best[i])
    assert sum(change.op == "same" for change in changes) == rising


def test_a_chapter_stays_and_the_heading_moves() -> None:
    old, new = texts("Heading", "A long paragraph"), texts("A long paragraph", "Heading")
    assert short(differences(old, new)) == [("moved", "Heading", "Heading")]


def test_of_equal_blocks_as_many_are_added_as_there_are_more() -> None:
    old, new = texts("a", "x", "b"), texts("a", "x", "x", "b", "x")
    assert short(differences(old, new)) == [("added", "", "x")] * 2


def test_a_changed_block_is_laid_beside_its_old_one_wherever_it_went() -> None:
    old = texts("He was held for two days in the prison of the town", "one", "two", "three")
    new = texts("one", "two", "three", "He was held for ten days in the prison of the town")
    assert short(differences(old, new)) == [("changed", old[0].text, new[3].text)]


def test_what_was_written_anew_in_its_place_is_changed_and_what_came_and_went_elsewhere_is_not() -> None:
    old = [block("Titre", "title"), *texts("one", "Somebody was arrested", "two", "three")]
    new = [block("Heading", "title"), *texts("one", "two", "It is raining again", "three")]
    assert short(differences(old, new)) == [
        ("changed", "Titre", "Heading"),
        ("removed", "Somebody was arrested", ""),
        ("added", "", "It is raining again"),
    ]


def test_a_block_that_was_split_lies_beside_its_parts_and_the_reverse() -> None:
    whole, parts = texts("x", "One sentence. Another one.", "y"), texts("x", "One sentence.", "Another one.", "y")
    assert short(differences(whole, parts)) == [("changed", whole[1].text, "One sentence.+Another one.")]
    assert short(differences(parts, whole)) == [("changed", "One sentence.+Another one.", whole[1].text)]


HEADER = "Title: T\n\n"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # Numbered anew: nothing.
        ("a[^1] b[^2]\n\n[^1]: one\n[^2]: two", "a[^2] b[^1]\n\n[^2]: one\n[^1]: two", []),
        # One more in between, the others numbered anew: the block that calls it, and the note.
        (
            "a[^1]\n\nb[^2]\n\n[^1]: one\n[^2]: two",
            "a[^1]\n\nb[^2] c[^3]\n\n[^1]: one\n[^2]: new\n[^3]: two",
            ["changed", "added"],
        ),
        # The calls of two blocks exchanged, the notes as they were.
        ("a[^1]\n\nb[^2]\n\n[^1]: one\n[^2]: two", "a[^2]\n\nb[^1]\n\n[^1]: one\n[^2]: two", ["changed", "changed"]),
        # Another note's words; the paragraph that calls it says what it said.
        ("a[^1]\n\n[^1]: one", "a[^1]\n\n[^1]: something else", ["changed"]),
        # A paragraph moves and takes the order of the notes along.
        (
            "a[^1]\n\nb b b\n\nc[^2]\n\n[^1]: one\n[^2]: two",
            "b b b\n\nc[^2]\n\na[^1]\n\n[^1]: one\n[^2]: two",
            ["moved"],
        ),
        # A link's target alone, a picture's source, a title.
        ("[a](b)", "[a](c)", ["changed"]),
        ("![a](b.png)", "![a](c.png)", ["changed"]),
        ('[a](b "t")', '[a](b "u")', ["changed"]),
        # A list made of a sentence says the same; a quotation is somebody else's.
        ("a", "- a", []),
        ("a", "> a", ["changed"]),
        ("a", "## a", ["changed"]),
        ("## a", "### a", []),
        # What is struck out, and a number that is raised; a letter that is raised is typography.
        ("a b", "a <del>b</del>", ["changed"]),
        ("10<sup>2</sup>", "102", ["changed"]),
        ("H<sub>2</sub>O", "H2O", ["changed"]),
        ("1<sup>er</sup> mai[^1]\n\n[^1]: one", "1er mai[^1]\n\n[^1]: one", []),
        ('<img src="a" srcset="b" alt="c">', '<img src="a" srcset="d" alt="c">', ["changed"]),
        # What cannot be seen and is spelling all the same.
        ("می‌خواهم", "میخواهم", ["changed"]),
        ("`a  b`", "`a b`", []),
        ("    a b", "    a  b", ["changed"]),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "| a | b |\n|:--|--:|\n|  1 |   2 |", []),
        ("| a | b |\n|---|---|\n| 1 |  |", "| a | b |\n|---|---|\n|  | 1 |", ["changed"]),
    ],
)
def test_small_things(old: str, new: str, expected: list[str]) -> None:
    found = differences(blocks_of((HEADER + old).encode()), blocks_of((HEADER + new).encode()))
    assert [change.op for change in found] == expected
