"""The journal: what is in it was on the disk, and what was half written counts for nothing."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailroom.errors import StoreDamaged, StoreError
from mailroom.store.journal import Entry, Journal
from mailroom.store.vault import Lookup

lookups = st.builds(Lookup, st.integers(1, 255), st.binary(min_size=32, max_size=32))
reasons = st.sampled_from(["unsubscribed", "erased", "bounced", "complained"])
days = st.integers(0, 99_999)
entries = st.one_of(
    st.builds(Entry, st.just("suppress"), lookups, reasons, days),
    st.builds(Entry, st.just("lift"), lookups, st.just(""), days),
)
ONE = Entry("suppress", Lookup(1, bytes(range(32))), "unsubscribed", 20_000)
TWO = Entry("lift", Lookup(2, bytes(32)), "", 20_001)


@settings(max_examples=25)
@given(written=st.lists(entries, max_size=8))
def test_entries_read_back_in_order(tmp_path_factory: pytest.TempPathFactory, written: list[Entry]) -> None:
    journal = Journal(tmp_path_factory.mktemp("journal") / "journal")
    for each in written:
        journal.append(each)
    assert list(journal.entries()) == written


@settings(max_examples=25)
@given(cut=st.integers(0, len(TWO.line())))
def test_a_line_that_was_cut_off_is_passed_over(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    journal = Journal(tmp_path_factory.mktemp("journal") / "journal")
    journal.append(ONE)
    with journal.path.open("a") as file:
        file.write(TWO.line()[:cut])
    whole = cut == len(TWO.line())
    assert list(journal.entries()) == [ONE, TWO][: 1 + whole]
    journal.append(TWO)
    assert list(journal.entries()) == [ONE, *[TWO] * whole, TWO]


def test_a_line_that_is_none_is_named(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.append(ONE)
    with journal.path.open("a") as file:
        file.write("20000 forget - 1 00\n")
    with pytest.raises(StoreDamaged, match="line 2"):
        list(journal.entries())


def test_there_is_nothing_in_a_journal_that_is_not_there(tmp_path: Path) -> None:
    assert list(Journal(tmp_path / "journal").entries()) == []


def test_a_journal_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="let the mailroom write"):
        Journal(tmp_path / "missing" / "journal").append(ONE)


def write(path: Path, written: list[Entry]) -> Journal:
    path.write_text("".join(entry.line() for entry in written))
    return Journal(path)


few = st.lists(
    st.sampled_from([ONE, TWO, Entry("lift", ONE.lookup, "", 20_000), Entry("suppress", TWO.lookup, "erased", 20_002)]),
    max_size=4,
)


@settings(max_examples=50)
@given(common=few, own=few, other=few)
def test_merged_journals_hold_what_either_says(
    tmp_path_factory: pytest.TempPathFactory, common: list[Entry], own: list[Entry], other: list[Entry]
) -> None:
    folder = tmp_path_factory.mktemp("journals")
    mine, theirs = write(folder / "mine", common + own), write(folder / "theirs", common + other)
    merged = mine.merge(theirs.read())
    assert merged == mine.entries()
    assert set(merged) == {*common, *own, *other}
    if not {*common, *own} <= {*common, *other}:
        assert mine.merge(theirs.read()) == merged, "once more changes nothing"
    longer, shorter = (own, other) if len(own) >= len(other) else (other, own)
    if longer[: len(shorter)] == shorter:
        assert merged == common + longer, "one goes on where the other ends"
        return
    for lookup in (ONE.lookup, TWO.lookup):
        about = [entry for entry in merged if entry.lookup == lookup]
        if any(entry.action == "suppress" and entry.day == about[-1].day for entry in about):
            assert about[-1].action == "suppress", "in doubt, who left has left"


def test_writers_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "journal"

    def write(entry: Entry) -> None:
        for _ in range(50):
            Journal(path).append(entry)

    threads = [threading.Thread(target=write, args=[each]) for each in (ONE, TWO)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = list(Journal(path).entries())
    assert (found.count(ONE), found.count(TWO)) == (50, 50)
    assert path.stat().st_mode & 0o777 == 0o600
