"""`python -m tests.mailroom.intake.soak_of_store [store] [acknowledge] [delete] [expire]`: longer than a test may take.

The store is killed at each of its calls to the system that change a file, found by strace: not only between statements
but within a commit, a checkpoint and the file being written anew.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from mailroom.intake.container import SIZES
from mailroom.intake.sealing import Sealed
from mailroom.intake.submissions import LIFE, Intake
from tests.mailroom.intake.mortal import ROOT, command
from tests.mailroom.intake.stores import lookup_of, make_store
from tests.mailroom.intake.test_kills_of_store import check, filled, find
from tests.mailroom.offices import NOON, Watch

TODAY = int(NOON // 86_400)
TASKS = ("store", "acknowledge", "delete", "expire")
CALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "unlink")


def run(task: str, call: str, number: int, **given: object) -> tuple[bool, bool]:
    """Do a task, to die at the n-th such call; tell whether it died, and whether it had said that it was done."""
    died = subprocess.run(
        ["strace", "-f", "-qq", "-o", os.devnull, "-e", f"trace={call}", "-e",
         f"inject={call}:signal=SIGKILL:when={number}", *command(task, **given)],
        cwd=ROOT, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert died.returncode in (0, -9, 137), died.stderr.decode()
    return died.returncode != 0, b"done" in died.stdout


def soak(folder: Path, task: str) -> Counter[str]:
    """Kill a task at each call; return how often it was killed at which."""
    deaths: Counter[str] = Counter()
    later = Watch()
    later.pass_(LIFE * 86_400)
    blob, content = folder / "blob", os.urandom(SIZES[1])
    blob.write_bytes(content)
    for call in CALLS:
        for number in range(1, 200):
            store = filled(folder / f"{task}-{call}-{number}")
            given = prepare(store, task, content, blob)
            died, told = run(task, call, number, path=str(store.path), **given)
            check(store)
            state = store.state(lookup_of("canary"))
            ends = {"store": "stored", "acknowledge": "acknowledged"}
            assert state == ends.get(task) or not told, (task, call, number, state)
            assert state or task != "acknowledge", (call, number)
            if state in ("stored", "fetched"):
                assert content in [store.fetch(each.id) for each in store.list()], (task, call, number)
            make_store(store.path.parent, later).expire()
            assert store.list() == []
            assert not find(store.path.parent, content), (task, call, number)
            if not died:
                break
            deaths[call] += 1
    return deaths


def prepare(store: Intake, task: str, content: bytes, blob: Path) -> dict[str, object]:
    """What a task is given, once the store holds what it needs."""
    receipt = lookup_of("canary")
    if task == "store":
        return {"day": TODAY, "blob": str(blob), "lookup": receipt.hex()}
    before = {each.id for each in store.list()}
    store.store(Sealed(len(content), "0badcafe", content), receipt)
    (identity,) = {each.id for each in store.list()} - before
    given: dict[str, dict[str, object]] = {
        "acknowledge": {"day": TODAY, "identity": identity, "sha256": hashlib.sha256(content).hexdigest()},
        "delete": {"day": TODAY, "lookup": receipt.hex()},
        "expire": {"day": TODAY + LIFE},
    }
    return given[task]


if __name__ == "__main__":
    for task in sys.argv[1:] or TASKS:
        with tempfile.TemporaryDirectory() as name:
            counts = ", ".join(f"{count} times at {call}" for call, count in sorted(soak(Path(name), task).items()))
            print(f"{task}: killed {counts}, and whole each time", flush=True)  # noqa: T201 - it is run by hand
