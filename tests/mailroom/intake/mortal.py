"""Processes that are killed (SIGKILL) between any two things that the store or the notice does.

`Cradle` is a process that has imported everything and forks one for each run. A run dies at the chosen step: before the
n-th time that something is asked of SQLite (a statement, a commit, emptying the log, closing), or of the relay.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from mailroom.clock import Clock
from mailroom.delivery.relay import SmtpRelay
from mailroom.intake import submissions
from mailroom.intake.notice import Notice, make_connect
from mailroom.intake.sealing import Sealed
from mailroom.intake.submissions import Intake
from mailroom.languages import Languages, load_languages
from mailroom.office import open_office
from mailroom.store.database import connect
from tests.mailroom.mortal import Parent
from tests.mailroom.offices import make_settings

ROOT = Path(__file__).resolve().parents[3]


class Cradle(Parent):
    """Where processes come from; `with Cradle() as cradle: cradle.run(…)`."""

    def __init__(self) -> None:
        super().__init__("tests.mailroom.intake.mortal")

    def run(self, task: str, *, step: int = 0, **given: Any) -> tuple[bool, bool]:
        """Do a task, to die before a step (0: not at all); tell whether it died, and whether it had said "done"."""
        status, done = map(int, self.ask({"task": task, "step": step, "given": given}).split())
        assert status in (0, -signal.SIGKILL), f"{task} ended with {status}"
        return status != 0, bool(done)


def main() -> None:
    """Fork a process for each line, wait for its end, and say how it ended and whether it had said that it was done."""
    _languages()
    for line in sys.stdin:
        given = json.loads(line)
        ear, mouth = os.pipe()
        child = os.fork()
        if not child:
            status = 1
            with contextlib.suppress(SystemExit):
                live(partial(os.write, mouth, b"1"), **given)
                status = 0
            os._exit(status)
        os.close(mouth)
        _, status = os.waitpid(child, 0)
        done = os.read(ear, 1) == b"1"
        os.close(ear)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)} {int(done)}\n")
        sys.stdout.flush()


def live(tell: Callable[[], object], task: str, step: int, given: dict[str, Any]) -> None:
    """Do a task, and tell."""
    countdown = Countdown(step)
    submissions.connect = lambda path: Mortal(connect(path), countdown)  # type: ignore[assignment, attr-defined, return-value]
    for name in ("offer", "_send_body", "_read"):
        _watch_relay(name, countdown)
    TASKS[task](**given)
    tell()
    countdown.comes()


class Countdown:
    """Kills this process before the n-th step."""

    def __init__(self, step: int) -> None:
        self._left = step

    def comes(self) -> None:
        """A step is about to be taken."""
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)


class Mortal:
    """A connection to the database, each use of which is a step."""

    def __init__(self, connection: sqlite3.Connection, countdown: Countdown) -> None:
        self._connection = connection
        self._countdown = countdown

    def execute(self, *given: Any) -> sqlite3.Cursor:
        self._countdown.comes()
        return self._connection.execute(*given)

    def close(self) -> None:
        self._countdown.comes()
        self._connection.close()


def _watch_relay(name: str, countdown: Countdown) -> None:
    real = getattr(SmtpRelay, name)

    def watched(*given: Any) -> Any:
        countdown.comes()
        return real(*given)

    setattr(SmtpRelay, name, watched)


@cache
def _languages() -> Languages:
    return load_languages(("en",))


def _intake(path: str, day: int) -> Intake:
    return Intake(Path(path), Clock(lambda: day * 86_400 + 43_200.0))


def store(path: str, day: int, blob: str, lookup: str) -> None:
    """Store what is in a file."""
    content = Path(blob).read_bytes()
    sealed = Sealed(len(content), "0badcafe", content)
    _intake(path, day).store(sealed, bytes.fromhex(lookup))


def acknowledge(path: str, day: int, identity: str, sha256: str) -> None:
    """Acknowledge a submission."""
    _intake(path, day).acknowledge(identity, sha256)


def delete(path: str, day: int, lookup: str) -> None:
    """Delete a submission by its receipt."""
    _intake(path, day).delete(bytes.fromhex(lookup))


def expire(path: str, day: int) -> None:
    """Expire what is old on a day."""
    _intake(path, day).expire()


def notify(folder: str, now: float, port: int, addresses: list[str]) -> None:
    """Send the notice that is due, through the relay at that port."""
    settings = replace(make_settings(Path(folder)), relay=f"smtp://127.0.0.1:{port}", intake_notice=tuple(addresses))
    with open_office(settings, clock=Clock(lambda: now)) as office:
        intake = submissions.open_intake(settings, office.clock)
        Notice(office, intake, _languages(), None, make_connect(office, Path(folder))).send_due()


def command(task: str, **given: object) -> list[str]:
    """A command that does a task in a process of its own, and prints "done"."""
    program = "import json, sys; from tests.mailroom.intake import mortal; given = json.loads(sys.argv[2])\n"
    program += "mortal.TASKS[sys.argv[1]](**given); print('done', flush=True)"
    return [sys.executable, "-c", program, task, json.dumps(given)]


TASKS: dict[str, Callable[..., None]] = {each.__name__: each for each in (store, acknowledge, delete, expire, notify)}
