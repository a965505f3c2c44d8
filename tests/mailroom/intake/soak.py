"""What takes too long for the run: `python -m tests.mailroom.intake.soak [COUNT [SEED]]`.

So many requests that nobody would send to the form, and to the receipt's page: no failure of ours, nothing logged, and
the process that forks grows no larger. Then children are killed at moments of chance (test_kills.py).
"""

# ruff: noqa: T201 - it is run by hand, and this is what it is for

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.mailroom.intake import test_kills
from tests.mailroom.intake.fuzz import FORM, RECEIPT, attack
from tests.mailroom.intake.house import House, running

#: Octets by which the process may grow whatever is sent.
FLAT = 2 * 1024 * 1024
KILLS = 100


def main() -> None:
    """Send, kill, and print a line for each."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with tempfile.TemporaryDirectory() as folder, running(House(Path(folder))) as intake:
        attack(intake, FORM, 50, seed=seed + count)
        for page in (FORM, RECEIPT):
            before, begin = intake.memory(), time.monotonic()
            statuses = attack(intake, page, count, seed)
            took = time.monotonic() - begin
            intake.await_idle()
            grown = intake.memory() - before
            told = ", ".join(f"{number} × {status}" for status, number in sorted(statuses.items()))
            print(f"{page}: {told}; memory {grown / 1024:+.0f} KiB, {took:.0f} s", flush=True)
            assert grown < FLAT
        assert intake.said == [], intake.said
    with tempfile.TemporaryDirectory() as folder:
        seen, stored = test_kills.kill_at_random(House(Path(folder)), KILLS, seed)
        print(f"killed {KILLS} at any moment: {seen} saw a receipt, {stored} are stored, each can be opened")


if __name__ == "__main__":
    main()
