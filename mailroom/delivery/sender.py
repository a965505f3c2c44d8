"""A sender: one connection to the relay, and the letters that go over it, one after the other.

The order of things is what keeps anybody from getting a letter twice: nothing of a letter leaves before it is on the
disk that it may have left; and no letter is begun before it is on the disk what became of the last one.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from mailroom.clock import Clock
from mailroom.delivery import pauses
from mailroom.delivery.envelopes import BrokenCampaign, ContentChanged, Envelope, Envelopes
from mailroom.delivery.pauses import RELAY
from mailroom.delivery.queue import Letter, Queue
from mailroom.delivery.relay import ConnectionLost, Rejected, Relay, Uncertain, Unencodable, Unreachable
from mailroom.delivery.replies import Reply, Stage, Verdict, classify
from mailroom.errors import InvalidLetter, StoreDamaged, StoreError, describe
from mailroom.store.database import Database

T = TypeVar("T")
LOG = logging.getLogger(__name__)
#: What is said of an address that needs what the relay has not (RFC 6531, 3.5).
_NO_SMTPUTF8 = Reply(553, "5.6.7")
#: Connections lost one after the other, with nothing delivered in between, until the relay is left alone.
LOST_IN_A_ROW = 3
#: Letters that the relay refused one after the other, having taken none: it is to blame, not they ("relaying denied").
REFUSED_IN_A_ROW = 20
#: Seconds between two attempts to write down what became of a letter.
RETRY = 2.0
#: Seconds without a letter after which a sender takes leave of the relay.
IDLE = 20.0


class Outlook:
    """What all senders know: which pauses hold, which campaigns run, how the relay does, whether to stop."""

    def __init__(self, letters: Queue, clock: Clock, senders: int) -> None:
        self._letters = letters
        self._clock = clock
        self._senders = senders
        self._lock = threading.Lock()
        # Held while a pause is written or read, so that what is known here is what the database has.
        self._pausing = threading.Lock()
        self._hunger = threading.Event()
        self._pauses: dict[bytes, int] = {}
        self._failures = self._lost = self._refused = 0
        self._counts: Counter[str] = Counter()
        self.running: frozenset[str] = frozenset()
        self.in_hand = 0
        self.stopping = False

    def refresh(self, database: Database) -> None:
        """Look at the database, which other processes change too."""
        with self._pausing:
            self._pauses = {each.domain: each.until for each in pauses.standing(database, self._clock.now())}
        rows = database.read("SELECT key FROM campaigns WHERE state = 'started'")
        self.running = frozenset(row["key"] for row in rows)

    def until(self, domain: bytes) -> int:
        """Until when a domain, or the relay, is paused; 0 when it is not."""
        until = self._pauses.get(domain, 0)
        return until if until > self._clock.now() else 0

    # What waits, and what was done

    def taken(self, letters: int) -> None:
        """So many letters were claimed."""
        with self._lock:
            self.in_hand += letters

    def done(self, what: str, waiting: int) -> None:
        """A letter that was claimed is not any more; so many wait for a sender."""
        with self._lock:
            self.in_hand -= 1
            self._counts[what] += 1
        if waiting < self._senders:
            self._hunger.set()

    def wait_for_hunger(self, seconds: float) -> None:
        """Wait until senders want more."""
        self._hunger.wait(seconds)
        self._hunger.clear()

    def tell(self) -> None:
        """Log what became of letters since the last time."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if counts := +counts:
            LOG.info("letters: %s", ", ".join(f"{number} {what}" for what, number in sorted(counts.items())))

    # The relay

    def relay_answers(self) -> None:
        """It said what is wrong with a letter."""
        self._lost = 0

    def relay_works(self) -> None:
        """It took a letter."""
        self._failures = self._lost = self._refused = 0

    def relay_refuses(self, reply: Reply) -> None:
        """It refused a letter; it is left alone when it refuses all."""
        with self._lock:
            self._refused += 1
            if self._refused < REFUSED_IN_A_ROW:
                return
        self.relay_fails(None, f"it refuses every letter, lastly with {reply}")

    def lost_connection(self) -> None:
        """A connection ended in the middle; the relay is left alone when that goes on."""
        with self._lock:
            self._lost += 1
            if self._lost < LOST_IN_A_ROW:
                return
        self.relay_fails(None, "it closes connections")

    def relay_fails(self, letter: Letter | None, reason: str, reply: Reply | None = None) -> bool:
        """Leave the relay alone for a while, longer each time; the letter waits, unless it has expired (False).

        With a reply to the letter itself, which may be the cause, it is tried again no sooner than a deferred one.
        """
        now = int(self._clock.now())
        with self._pausing:
            if self._pauses.get(RELAY, 0) <= now:
                self._failures += 1
                self._lost = self._refused = 0
                self._pauses[RELAY] = now + pauses.relay_wait(self._failures)
                LOG.error("the relay: %s. Nothing is sent for %d s", reason, self._pauses[RELAY] - now)
            return self._letters.pause_relay(letter, self._pauses[RELAY], reason, reply)


class Sender:
    """Delivers what it finds in `waiting` until it finds None there."""

    def __init__(
        self,
        letters: Queue,
        envelopes: Envelopes,
        relay: Relay,
        waiting: queue.SimpleQueue[Letter | None],
        outlook: Outlook,
    ) -> None:
        self._letters = letters
        self._envelopes = envelopes
        self._relay = relay
        self._waiting = waiting
        self._outlook = outlook

    def run(self) -> None:
        """Deliver until told to stop; take leave of the relay when nothing has come for a while."""
        while True:
            try:
                letter = self._waiting.get(timeout=IDLE)
            except queue.Empty:
                self._relay.close()
                continue
            if letter is None:
                break
            self._handle(letter)
        self._relay.close()

    def interrupt(self) -> None:
        """End a wait for the relay, unless a letter has left; called from another thread, before the last None."""
        self._relay.interrupt()

    def _handle(self, letter: Letter) -> None:
        what = "failed"
        try:
            what = self._deliver(letter)
        except StoreError as error:
            LOG.error("a letter is left as it is until the next start: %s", error)
        except Exception as error:  # noqa: BLE001 - one letter must not end the sender
            LOG.error("a letter cannot be delivered: %s", describe(error))
            self._relay.abandon()
            with contextlib.suppress(StoreError):  # then the next start finds it as it is
                self._write(lambda: self._letters.give_up(letter))
        finally:
            self._outlook.done(what, self._waiting.qsize())

    def _deliver(self, letter: Letter) -> str:
        """Deliver a letter, write down what became of it, and return that."""
        outlook, letters = self._outlook, self._letters
        domain_until = outlook.until(letter.domain) if letter.is_listed else 0
        stopped = letter.is_listed and letter.campaign not in outlook.running
        if outlook.stopping or outlook.until(RELAY) or domain_until or stopped:
            self._write(lambda: letters.put_back([letter], domain_until))
            return "put back"
        try:
            envelope = self._envelopes.fill(letter)
        except ContentChanged:
            self._write(lambda: letters.put_back([letter]))
            return "put back"
        except InvalidLetter as error:
            LOG.error("a letter cannot be composed: %s", error)
            self._write(lambda: letters.refuse(letter, None))
            return "refused"
        except BrokenCampaign as error:
            return self._stop_broken(letter, error)
        try:
            self._offer(envelope)
        except Unencodable:
            self._write(lambda: letters.refuse(letter, _NO_SMTPUTF8))
            return "refused"
        except Rejected as error:
            return self._settle(letter, error.reply, error.stage)
        except Unreachable as error:
            problem = error.problem
            self._write(lambda: outlook.relay_fails(letter, problem))
            return "put back"
        except ConnectionLost:
            return self._lost(letter)
        return self._hand_over(letter, envelope)

    def _offer(self, envelope: Envelope) -> None:
        try:
            self._relay.offer(envelope.sender, envelope.recipient)
        except ConnectionLost as error:
            if not error.stale or self._outlook.stopping:
                raise
            self._relay.offer(envelope.sender, envelope.recipient)

    def _hand_over(self, letter: Letter, envelope: Envelope) -> str:
        """What follows on the 354."""
        try:
            begun = self._letters.begin(letter)
        except StoreError as error:
            self._relay.abandon()
            LOG.error("a letter waits: %s", error)
            self._write(lambda: self._letters.put_back([letter]))
            return "put back"
        if not begun:
            self._relay.abandon()  # without the dot that would end a letter
            return "dropped"
        try:
            reply = self._relay.deliver(envelope.content)
        except ConnectionLost:
            return self._lost(letter)
        except Uncertain:
            self._write(lambda: self._letters.lose(letter))
            self._write(self._outlook.lost_connection)
            return "unknown"
        return self._settle(letter, reply, Stage.END)

    def _settle(self, letter: Letter, reply: Reply, stage: Stage) -> str:
        """Write down what a reply means."""
        letters, outlook = self._letters, self._outlook
        verdict = classify(reply, stage)
        if verdict is Verdict.RELAY:
            reason = f"it said {reply} at {stage.name}"
            if stage in (Stage.CONNECT, Stage.MAIL):  # it has not heard of the letter
                self._write(lambda: outlook.relay_fails(letter, reason))
                return "put back"
            return "deferred" if self._write(lambda: outlook.relay_fails(letter, reason, reply)) else "expired"
        outlook.relay_answers()
        if verdict is Verdict.SENT:
            outlook.relay_works()
            self._write(lambda: letters.accept(letter))
            return "sent"
        if verdict is Verdict.DEFERRED:
            return "deferred" if self._write(lambda: letters.defer(letter, reply)) else "expired"
        bounced = verdict is Verdict.BOUNCED
        if paused := self._write(lambda: letters.refuse(letter, reply, bounced=bounced)):
            pauses.tell(paused)
        if bounced:
            return "bounced"
        self._write(lambda: outlook.relay_refuses(reply))
        return "refused"

    def _lost(self, letter: Letter) -> str:
        """The connection ended before the letter had left; perhaps because of this letter, so it waits its time."""
        if self._outlook.stopping:
            self._write(lambda: self._letters.put_back([letter]))
            return "put back"
        deferred = self._write(lambda: self._letters.defer(letter))
        self._write(self._outlook.lost_connection)
        return "deferred" if deferred else "expired"

    def _stop_broken(self, letter: Letter, error: BrokenCampaign) -> str:
        """Nobody is to be passed over because of what can be mended in the campaign."""
        if letter.is_listed:
            LOG.error("%s. The campaign is paused", error)
            self._write(lambda: self._letters.pause_campaign([letter], letter.campaign or ""))
            return "put back"
        LOG.error("%s", error)
        if letter.kind == "test":
            self._write(lambda: self._letters.refuse(letter, None))
            return "refused"
        return "deferred" if self._write(lambda: self._letters.defer(letter)) else "expired"

    def _write(self, work: Callable[[], T]) -> T:
        """Write down what became of a letter, as soon as the database can: it is not forgotten meanwhile."""
        told = False
        while True:
            try:
                return work()
            except StoreError as error:
                if self._outlook.stopping or isinstance(error, StoreDamaged):
                    raise
                if not told:
                    LOG.error("what became of a letter cannot be written down yet: %s", error)
                    told = True
                time.sleep(RETRY)
