"""Workers that are killed (SIGKILL) at a moment of the test's choosing.

`Cradle` is a process that has imported everything and forks a worker for each run, so that many can be killed within
seconds. The moments are those at which something is committed, found by the name of the work: within its transaction,
and after it but before anybody was told; and those in the middle of handing over a letter.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mailroom.clock import Clock
from mailroom.delivery import worker
from mailroom.delivery.envelopes import Envelopes
from mailroom.delivery.relay import SmtpRelay
from mailroom.languages import load_languages
from mailroom.letters.composition import CampaignContent, Composer
from mailroom.office import Office, open_office
from mailroom.store.database import Database
from tests.mailroom.crowd import draft
from tests.mailroom.offices import make_settings

ROOT = Path(__file__).resolve().parents[2]

#: Works that are committed while letters are delivered, by part of their names.
COMMITS = (
    "recover", "_Decision", "_claim", "_begin", "_accept", "_defer", "_refuse", "lose", "pause_relay", "finish",
    "_put_back",
)  # fmt: skip
MOMENTS = ("within", "after")
#: Before the first octet of a letter, in its middle, after its last octet, and after the reply to it.
HAND_OVER = ("before body", "within body", "after body", "after reply")


class Parent:
    """Has a process that forks others at each line it is given, and ends with its pipes: `main` is a module's."""

    def __init__(self, module: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"from {module} import main; main()"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ask(self, task: Mapping[str, Any]) -> str:
        """Hand over a line of JSON, and return the line that is said of it."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin
        assert stdout
        stdin.write(json.dumps(task) + "\n")
        stdin.flush()
        return stdout.readline()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe
            pipe.close()
        self._process.wait(timeout=60)


class Cradle(Parent):
    """Where workers come from; `with Cradle(settings) as cradle: cradle.run(…)`."""

    def __init__(self, folder: Path, **overrides: Any) -> None:
        """`overrides` are settings."""
        self._given = {"folder": str(folder), "overrides": overrides}
        super().__init__("tests.mailroom.mortal")

    def run(self, *, point: str = "", count: int = 1, after: float | None = None, ahead: float = 0) -> bool:
        """Have a worker deliver until nothing is due; tell whether it was killed.

        `point` is the moment of its death ("within _begin"), the `count`-th time; `after` seconds it is killed anyhow.
        Its clock is so many seconds `ahead`.
        """
        status = int(self.ask(self._given | {"point": point, "count": count, "after": after, "ahead": ahead}))
        assert status in (0, -signal.SIGKILL), f"a worker ended with {status}"
        return status != 0

    def given(self) -> str:
        """What a worker of its own is told, as JSON."""
        return json.dumps(self._given)


def main() -> None:
    """Fork a worker for each line, wait for its end and say how it ended."""
    composer = None
    for line in sys.stdin:
        given = json.loads(line)
        composer = composer or warm_composer(given["folder"], given["overrides"])
        child = os.fork()
        if not child:
            status = 1
            with contextlib.suppress(SystemExit):
                live(composer, **given)
                status = 0
            os._exit(status)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def warm_composer(folder: str, overrides: dict[str, Any]) -> Composer:
    """A composer that has composed what will be asked for, which takes longer than delivering it."""
    composer = Composer(make_settings(Path(folder), **overrides), load_languages(("en",)))
    chosen = draft()
    content = CampaignContent(key=chosen.key, kind=chosen.kind, lang=chosen.lang, **asdict(chosen.content))
    composer.campaign(content, "en", discreet=False)
    composer.confirmation("en")
    return composer


def live(
    composer: Composer,
    folder: str,
    overrides: dict[str, Any],
    point: str = "",
    count: int = 1,
    after: float | None = None,
    ahead: float = 0,
) -> None:
    """Be a worker."""
    worker.TURN = 0.02
    if point:
        moment, _, name = point.partition(" ")
        _die_at(moment, name, count)
    settings = make_settings(Path(folder), **overrides)
    clock = Clock(lambda: time.time() + ahead, lambda: time.monotonic() + ahead)
    with open_office(settings, clock=clock) as office:
        stop = threading.Event()
        threading.Thread(target=_stop_when_done, args=(office, stop), daemon=True).start()
        if after is not None:
            threading.Timer(after, _die).start()
        worker.Worker(office, Envelopes(office, composer, None), partial(SmtpRelay, settings)).run(stop)
    os._exit(0)  # whatever still waits to kill it


def live_alone(given: str) -> None:
    """Be a worker from the start, with what `Cradle.given` says."""
    values = json.loads(given)
    live(warm_composer(values["folder"], values["overrides"]), **values)


def _stop_when_done(office: Office, stop: threading.Event) -> None:
    """Stop when nothing is due, or the relay is paused."""
    due = "SELECT 1 FROM letters WHERE state IN ('claimed', 'sending') OR (state = 'pending' AND due <= ?)"
    while not stop.wait(0.05):
        now = int(office.clock.now())
        busy = office.database.read("SELECT 1 FROM requests") or office.database.read(f"{due} LIMIT 1", (now,))
        if not busy or office.database.read("SELECT 1 FROM pauses WHERE domain = x'' AND until > ?", (now,)):
            time.sleep(0.1)
            stop.set()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)  # the signal may find another thread first


def _die_at(moment: str, name: str, count: int) -> None:
    """Have this process die at that moment, the `count`-th time it comes."""
    left = Counter({name: count})

    def comes() -> bool:
        left[name] -= 1
        return left[name] == 0

    if f"{moment} {name}" in HAND_OVER:
        _die_in_letter(moment, name, comes)
    else:
        _die_at_commit(moment, name, comes)


def _die_in_letter(moment: str, name: str, comes: Callable[[], bool]) -> None:
    send_body, read = SmtpRelay._send_body, SmtpRelay._read

    def send(self: Any, connection: Any, body: bytes) -> None:
        if name == "body" and comes():
            if moment == "within":
                connection.send(body[: len(body) // 2])
            elif moment == "after":
                send_body(self, connection, body)
            _die()
        send_body(self, connection, body)

    def reply(self: Any, session: Any) -> Any:
        leaving = self._leaving
        answer = read(self, session)
        if name == "reply" and leaving and comes():
            _die()
        return answer

    SmtpRelay._send_body, SmtpRelay._read = send, reply  # type: ignore[method-assign]


def _die_at_commit(moment: str, name: str, comes: Callable[[], bool]) -> None:
    attempt = Database._attempt

    def watched(self: Any, item: Any) -> Any:
        chosen = name in _name_of(item.run) and comes()
        outcome = attempt(self, item)
        if chosen and moment == "within":
            _die()
        if chosen and moment == "after":
            item.done.set_result = lambda _: _die()
        return outcome

    Database._attempt = watched  # type: ignore[method-assign]


def _name_of(work: object) -> str:
    function = work.func if isinstance(work, partial) else work
    return getattr(function, "__qualname__", type(function).__name__)
