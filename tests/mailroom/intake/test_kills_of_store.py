"""The store, killed before each thing that it does: whole afterwards, what was told true, no trace left for good."""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailroom.intake.container import SIZES
from mailroom.intake.sealing import Sealed
from mailroom.intake.submissions import LIFE, Intake
from tests.frontdoor.support import skip_if_left_out
from tests.mailroom.intake.mortal import ROOT, Cradle, command
from tests.mailroom.intake.stores import lookup_of, make_store
from tests.mailroom.offices import Watch

TODAY = 20_400
RECEIPT = lookup_of("canary")
#: More steps than any task has.
MANY = 60


@pytest.fixture(scope="module")
def cradle() -> Iterator[Cradle]:
    with Cradle() as cradle:
        yield cradle


def check(store: Intake) -> None:
    """The database is whole, and each receipt belongs to what it says."""
    connection = sqlite3.connect(store.path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    loose = "SELECT count(*) FROM submissions LEFT JOIN receipts ON submission = id WHERE lookup IS NULL"
    assert connection.execute(loose).fetchone() == (0,)
    empty = "SELECT count(*) FROM receipts LEFT JOIN submissions ON submission = id WHERE id IS NULL"
    assert connection.execute(f"{empty} AND state != 'acknowledged'").fetchone() == (0,)
    connection.close()


def filled(folder: Path) -> Intake:
    """A store with something in it."""
    folder.mkdir()
    store = make_store(folder)
    for number in range(3):
        store.store(Sealed(SIZES[0], "0badcafe", os.urandom(SIZES[0])), lookup_of(str(number)))
    return store


def find(folder: Path, blob: bytes) -> bool:
    pieces = [blob[start : start + 24] for start in range(0, len(blob) - 24, 500)]
    contents = [path.read_bytes() for path in folder.iterdir()]
    return any(piece in content for piece in pieces for content in contents)


def test_who_was_told_has_a_stored_submission(tmp_path: Path, cradle: Cradle) -> None:
    store = filled(tmp_path / "data")
    blob = tmp_path / "blob"
    deaths, outcomes = 0, set()
    for step in range(1, MANY):
        content = os.urandom(SIZES[1])
        blob.write_bytes(content)
        lookup = lookup_of(f"step {step}")
        died, told = cradle.run(
            "store", step=step, path=str(store.path), day=TODAY, blob=str(blob), lookup=lookup.hex()
        )
        check(store)
        state = store.state(lookup)
        outcomes.add((told, state))
        assert state == "stored" or not told
        before = {each.id for each in store.list()}
        if state:
            assert content in [store.fetch(each) for each in before]
        else:
            store.store(Sealed(SIZES[0], "0badcafe", os.urandom(SIZES[0])), lookup)  # it takes what comes next
        if not died:
            break
        deaths += 1
    assert deaths > 6
    assert outcomes == {(False, None), (False, "stored"), (True, "stored")}


def test_it_is_on_the_disk_before_anybody_is_told(tmp_path: Path) -> None:
    """A power cut takes what a process has written and the disk has not: each file is synced after it was written."""
    skip_if_left_out("mail")
    store, blob, log = filled(tmp_path / "data"), tmp_path / "blob", tmp_path / "calls"
    blob.write_bytes(os.urandom(SIZES[1]))
    task = command("store", path=str(store.path), day=TODAY, blob=str(blob), lookup=RECEIPT.hex())
    tracer = ["strace", "-f", "-y", "-e", "trace=pwrite64,fdatasync,fsync,write", "-o", str(log)]
    subprocess.run([*tracer, *task], cwd=ROOT, check=True, capture_output=True, timeout=60)
    before, _, _ = log.read_text("utf-8", "replace").partition('"done')
    calls = re.findall(r"(pwrite64|fdatasync|fsync)\(\d+<[^>]*(intake\.db(?:-wal)?)>", before)
    last = {pair: place for place, pair in enumerate(calls)}
    for name in ("intake.db-wal", "intake.db"):
        synced = max(last.get(("fdatasync", name), -1), last.get(("fsync", name), -1))
        assert synced > last["pwrite64", name]
    assert store.state(RECEIPT) == "stored"


def test_nothing_is_lost_by_an_acknowledgement_that_was_cut_off(tmp_path: Path, cradle: Cradle) -> None:
    outcomes = set()
    for step in range(1, MANY):
        store = filled(tmp_path / str(step))
        before = {each.id for each in store.list()}
        content = os.urandom(SIZES[1])
        store.store(Sealed(SIZES[1], "0badcafe", content), RECEIPT)
        (identity,) = {each.id for each in store.list()} - before
        digest = hashlib.sha256(content).hexdigest()
        died, told = cradle.run(
            "acknowledge", step=step, path=str(store.path), day=TODAY, identity=identity, sha256=digest
        )
        check(store)
        state = store.state(RECEIPT)
        outcomes.add((told, state))
        assert state == "acknowledged" or not told
        if state != "acknowledged":
            assert store.fetch(identity) == content
            store.acknowledge(identity, digest)
        store.expire()  # as the worker does within the hour
        assert not find(store.path.parent, content)
        if not died:
            break
    assert outcomes == {(False, "stored"), (False, "acknowledged"), (True, "acknowledged")}


@pytest.mark.parametrize("task", ["delete", "expire"])
def test_what_was_to_go_goes_whole(task: str, tmp_path: Path, cradle: Cradle) -> None:
    later = Watch()
    later.pass_(LIFE * 86_400)
    outcomes = set()
    for step in range(1, MANY):
        store = filled(tmp_path / str(step))
        content = os.urandom(SIZES[1])
        store.store(Sealed(SIZES[1], "0badcafe", content), RECEIPT)
        given = {"lookup": RECEIPT.hex(), "day": TODAY} if task == "delete" else {"day": TODAY + LIFE}
        died, told = cradle.run(task, step=step, path=str(store.path), **given)
        check(store)
        kept = store.state(RECEIPT)
        outcomes.add((told, kept))
        if told:
            assert kept is None
            assert not find(store.path.parent, content)
        make_store(store.path.parent, later).expire()
        assert store.list() == []
        assert not find(store.path.parent, content)
        if not died:
            break
    assert outcomes == {(False, "stored"), (False, None), (True, None)}
