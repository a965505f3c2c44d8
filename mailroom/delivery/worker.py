"""The delivery worker: it decides on what readers asked, and has letters delivered until told to stop.

`run_worker(office, stop)` is the whole of it. One thread claims what is due and hands it to as many senders as there
may be connections to the relay; another does what is due now and then. Nothing is remembered here that a killed process
would have to know: that is all in the database.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from mailroom.campaigns.campaigns import Campaigns
from mailroom.clock import HOUR, MINUTE, day_of
from mailroom.delivery.envelopes import Envelopes
from mailroom.delivery.outbox import Outbox
from mailroom.delivery.pauses import RELAY
from mailroom.delivery.queue import Letter, Queue, cap_on
from mailroom.delivery.relay import Relay, SmtpRelay
from mailroom.delivery.sender import Outlook, Sender
from mailroom.errors import StoreDamaged, StoreError, describe
from mailroom.office import Office
from mailroom.store.facts import LAST_DAY, fact, may_deliver, set_fact
from mailroom.store.lock import Lock

T = TypeVar("T")
LOG = logging.getLogger(__name__)

#: Seconds between two looks at what is due, and at what readers asked for.
TURN = 0.25
#: Seconds after which the database is tried again.
RETRY = 5.0
#: Letters that wait in memory for each connection: so few that little is to be put back at a stop.
AHEAD = 3
#: By how many seconds the clock may be set before nothing is sent.
JUMP = HOUR
#: Seconds between two lines of the log on what was delivered.
SUMMARY = MINUTE
#: Seconds for which a thread may compute while others wait: short, since what they wait for is a letter's turn.
SWITCH = 0.0005


@dataclass(frozen=True, slots=True)
class Chore:
    """Something that is done every so many seconds."""

    name: str
    every: float
    run: Callable[[], object]


def run_worker(office: Office, stop: threading.Event, *, outbox: Path | None = None) -> None:
    """Deliver until `stop`: then letters that are on their way are finished, and others put back.

    `outbox` is where the development relay puts letters, `MAILROOM_DATA/outbox` unless said otherwise. Raises
    ConfigurationError for settings of the relay and the signature, StoreDamaged when nothing can go on.
    """
    from mailroom.campaigns.digests import Digests
    from mailroom.delivery.bounces import read_bounces
    from mailroom.delivery.housekeeping import clear_out
    from mailroom.intake.notice import Notice, make_connect
    from mailroom.intake.submissions import open_intake
    from mailroom.languages import load_languages
    from mailroom.letters.composition import Composer
    from mailroom.letters.dkim import make_signer

    settings = office.settings
    languages, signer = load_languages(settings.languages, settings.default_lang), make_signer(settings)
    envelopes = Envelopes(office, Composer(settings, languages), signer)
    connect: Callable[[], Relay] = partial(SmtpRelay, settings)
    if settings.relay == "outbox:":
        connect = partial(Outbox, outbox or settings.data / "outbox")
    digests = Digests(office.database, office.clock, settings.digest)
    chores = [
        Chore("housekeeping", HOUR, partial(clear_out, office)),
        Chore("the digest of the week", MINUTE, digests.make_due),
        Chore("the mailbox of reports", 5 * MINUTE, partial(read_bounces, office)),
    ]
    if settings.intake_database.exists():
        intake = open_intake(settings, office.clock)
        notice = Notice(office, intake, languages, signer, make_connect(office, outbox or settings.data / "outbox"))
        chores += [
            Chore("what expires of the intake", HOUR, intake.expire),
            Chore("the times of the intake's files", MINUTE, intake.blur),
            Chore("the daily notice", MINUTE, notice.send_due),
        ]
    sys.setswitchinterval(SWITCH)
    Worker(office, envelopes, connect, chores).run(stop)


class Worker:
    """Claims letters and hands them to senders. `connect` makes a connection that is not yet open."""

    def __init__(
        self, office: Office, envelopes: Envelopes, connect: Callable[[], Relay], chores: Sequence[Chore] = ()
    ) -> None:
        self._office = office
        self._queue = Queue(office.database, office.vault, office.journal, office.clock)
        self._campaigns = Campaigns(office.database, office.clock)
        self._chores = chores
        self._letters: queue.SimpleQueue[Letter | None] = queue.SimpleQueue()
        self._outlook = Outlook(self._queue, office.clock, office.settings.connections)
        self._senders = [
            Sender(self._queue, envelopes, connect(), self._letters, self._outlook)
            for _ in range(office.settings.connections)
        ]
        self._pace = Pace(office.settings.rate)
        self._trouble = ""
        self._last_day = 0
        self._instant = 0.0
        self._decided = self._looked = self._told = float("-inf")

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`. Raises StoreDamaged when nothing can go on."""
        with _alone(self._office.settings.data, stop) as we_are:
            if not we_are:
                return
            recovered = self._recover(stop)
            if recovered["unknown"]:
                LOG.warning(
                    "%d letters were on their way when the worker ended: they are unknown, and not sent again unless"
                    " you say so (./blog mailroom resend --unknown KEY)",
                    recovered["unknown"],
                )
            threads = [threading.Thread(target=sender.run, name="sender") for sender in self._senders]
            threads.append(threading.Thread(target=self._do_chores, args=(stop,), name="chores"))
            for thread in threads:
                thread.start()
            try:
                while not stop.is_set():
                    self._turn(stop)
            finally:
                stop.set()
                self._drain(threads)

    def _recover(self, stop: threading.Event) -> Counter[str]:
        """What a process left that was killed. A full disk is waited for."""
        while not stop.is_set():
            with _patiently("what was left unfinished", stop):
                return self._queue.recover()
        return Counter()

    def _turn(self, stop: threading.Event) -> None:
        """Look once at what is due."""
        found = False
        with _patiently("letters that are due", stop):
            self._mind_clock()  # each time: nothing must be taken for due by a clock that has just been set
            self._look()
            if not self._trouble:
                self._decide()
                found = self._hand_out()
        if found:
            self._outlook.wait_for_hunger(TURN)
        else:
            stop.wait(TURN)

    def _look(self) -> None:
        """Take note of pauses and of campaigns that run; close campaigns that are through."""
        now = time.monotonic()
        if now - self._looked < TURN:
            return
        self._looked = now
        self._outlook.refresh(self._office.database)
        if not self._trouble and self._outlook.running and (finished := self._campaigns.finish()):
            LOG.info("%d campaigns are finished", finished)
        if now - self._told >= SUMMARY:
            self._told = now
            self._outlook.tell()

    def _mind_clock(self) -> None:
        """Notice a clock that was set: what is due, and what is old, would be wrong."""
        trouble = self._trouble_with_clock()
        if trouble and not self._trouble:
            remedy = "Set it right; if it is right now: ./blog mailroom delivery on, then restart the mailroom"
            LOG.error("%s: nothing is delivered. %s", trouble, remedy)
        elif self._trouble and not trouble:
            LOG.warning("the clock is right again: delivery goes on")
        self._trouble = trouble

    def _trouble_with_clock(self) -> str:
        clock, database = self._office.clock, self._office.database
        # What is due is asked of this reading alone: the clock may be set again right after it was found right.
        self._instant = clock.now()
        today, jump = day_of(self._instant), clock.jump(self._instant)
        if abs(jump) > JUMP:
            return f"the clock was set by {jump / HOUR:+.1f} hours"
        if today < self._last_day or not self._last_day:  # an operator may have it forgotten
            with database.snapshot() as connection:
                self._last_day = int(fact(connection, LAST_DAY) or 0)
        if today < self._last_day - 1:
            return f"the clock is {self._last_day - today} days behind what it was before"
        if today > self._last_day:
            database.write(lambda connection: set_fact(connection, LAST_DAY, str(today)))
            self._last_day = today
        return ""

    def _decide(self) -> None:
        """Decide on what readers asked for. What cannot be decided must not keep letters waiting."""
        now = time.monotonic()
        if now - self._decided < TURN:
            return
        self._decided = now
        try:
            while self._office.requests.decide_all():
                pass
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - said without what it holds
            LOG.error("a request cannot be decided: %s", describe(error))

    def _hand_out(self) -> bool:
        """Claim letters for the senders; tell whether there were any."""
        room = min(len(self._senders) * (1 + AHEAD) - self._letters.qsize(), self._pace.allowance())
        if room <= 0:
            return self._letters.qsize() > 0
        if self._outlook.until(RELAY) or not self._may_deliver():
            return False
        letters = self._queue.claim(room, lists=self._left_today(room), instant=self._instant)
        self._pace.spend(len(letters))
        self._outlook.taken(len(letters))
        for letter in letters:
            self._letters.put(letter)
        return bool(letters)

    def _may_deliver(self) -> bool:
        with self._office.database.snapshot() as connection:
            return may_deliver(connection)

    def _left_today(self, room: int) -> int:
        """How many letters of lists may be claimed: of those of forms, which count too, none is held back."""
        settings = self._office.settings
        if not (settings.daily_cap or settings.warm_up):
            return room
        sent, day = self._queue.sent_on(self._office.clock.today())
        cap = cap_on(settings, day)
        return max(0, cap - sent - self._outlook.in_hand) if cap else room

    def _do_chores(self, stop: threading.Event) -> None:
        due = {chore.name: 0.0 for chore in self._chores}
        while not stop.wait(TURN):
            for chore in self._chores:
                if self._trouble or not self._last_day or time.monotonic() < due[chore.name]:
                    continue
                due[chore.name] = time.monotonic() + chore.every
                try:
                    chore.run()
                except Exception as error:  # noqa: BLE001 - said without what it holds; it is tried again
                    LOG.error("%s: %s", chore.name, describe(error))

    def _drain(self, threads: Sequence[threading.Thread]) -> None:
        """Have senders finish what is on its way, and put back what is not."""
        self._outlook.stopping = True
        waiting = [letter for letter in _drained(self._letters) if letter]
        for sender in self._senders:
            sender.interrupt()
            self._letters.put(None)
        try:
            self._queue.put_back(waiting)
        except StoreError as error:
            LOG.error("what waits is put back at the next start: %s", error)
        for thread in threads:
            thread.join()
        self._outlook.tell()


class Pace:
    """MAILROOM_RATE: so many letters a second at most, and no more than that at once."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._left, self._seen = 0.0, time.monotonic()

    def allowance(self) -> int:
        """How many letters may be begun now."""
        if not self._rate:
            return sys.maxsize
        now = time.monotonic()
        # What was not used is not kept for later, beyond what a turn needs.
        most = max(1.0, self._rate * 2 * TURN)
        self._left = min(most, self._left + (now - self._seen) * self._rate)
        self._seen = now
        return int(self._left)

    def spend(self, letters: int) -> None:
        """So many were begun."""
        self._left -= letters


@contextlib.contextmanager
def _alone(data: Path, stop: threading.Event) -> Iterator[bool]:
    """Hold the lock of the one worker: one whose service died may still be finishing its letters."""
    told = False
    while not stop.is_set():
        try:
            lock = Lock(data, alone=True, name="worker.lock")
        except StoreError:
            if not told:
                LOG.warning("another worker is at work here: waiting for its end")
                told = True
            stop.wait(TURN)
            continue
        with lock:
            yield True
        return
    yield False


@contextlib.contextmanager
def _patiently(what: str, stop: threading.Event) -> Iterator[None]:
    """Wait when the database does not answer or the disk is full: whatever it was is tried again."""
    try:
        yield
    except StoreDamaged:
        raise
    except StoreError as error:
        LOG.error("%s: %s", what, error)
        stop.wait(RETRY)


def _drained(letters: queue.SimpleQueue[T]) -> Iterator[T]:
    with contextlib.suppress(queue.Empty):
        while True:
            yield letters.get_nowait()
