"""A worker in a thread of the test's own process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from mailroom.delivery.envelopes import Envelopes
from mailroom.delivery.outbox import Outbox
from mailroom.delivery.relay import Patience, Relay, SmtpRelay
from mailroom.delivery.worker import Chore, Worker
from mailroom.languages import load_languages
from mailroom.letters.composition import Composer
from mailroom.office import Office
from tests.frontdoor.support import wait_until
from tests.mailroom.offices import count
from tests.mailroom.sink import Sink

#: So short that a stalled server is given up within a test.
IMPATIENT = Patience(connect=2, answer=0.5)


def to_sink(office: Office, sink: Sink, **overrides: Any) -> Office:
    """The office with this sink for its relay."""
    values: dict[str, Any] = {"relay": f"smtp://127.0.0.1:{sink.port}", "connections": 3}
    settings = replace(office.settings, **(values | overrides))
    return replace(office, settings=settings)


@contextmanager
def working(
    office: Office, patience: Patience | None = None, *, folder: Path | None = None, chores: Sequence[Chore] = ()
) -> Iterator[Worker]:
    """A worker at work, told to stop at the end and waited for."""
    settings = office.settings
    composer = Composer(settings, load_languages(("en", "fa")))
    connect: Callable[[], Relay] = partial(SmtpRelay, settings, patience)
    if folder:
        connect = partial(Outbox, folder)
    worker = Worker(office, Envelopes(office, composer, None), connect, chores)
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        yield worker
    finally:
        stop.set()
        thread.join()


def states(office: Office) -> dict[str, int]:
    """How many letters are in which state."""
    return dict(map(tuple, office.database.read("SELECT state, count(*) FROM letters GROUP BY state")))


def wait_for(office: Office, seconds: float = 30, **numbers: int) -> None:
    """Wait until exactly so many letters are in these states, and none in others."""
    wait_until(lambda: states(office) == numbers, f"{numbers} were expected", seconds)


def wait_for_end(office: Office) -> None:
    """Wait until every campaign is through."""
    wait_until(lambda: not count(office, "campaigns", "state = 'started'"), "a campaign does not end")
