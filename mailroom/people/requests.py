"""What readers ask for on a page, sealed until the worker looks at it.

A page knows nothing of who is subscribed: it seals what was asked and stores one row, the same for everybody. Only the
worker opens it, so neither the page, nor its bytes, nor its time tell whether an address is known.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import sqlite3
from dataclasses import dataclass
from typing import Literal

from mailroom.clock import DAY, HOUR, Clock
from mailroom.errors import ExpiredToken, InvalidToken, Unreadable
from mailroom.people.addresses import normalise
from mailroom.store.database import Database
from mailroom.store.vault import REQUEST_SIZE, Lookup, Vault

#: How long the page with the button may be left open, in seconds.
FORM_LIFE = HOUR
#: Letters that a form may send to one address: one in 24 hours, three in 30 days.
MONTH = 30
PER_MONTH = 3
#: Fresh links to the preferences, to one subscriber in a day.
LINKS_PER_DAY = 3

Kind = Literal["subscribe", "settings"]


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked: to subscribe an address, or to mail a subscription (its id, in hex) a link to its preferences."""

    kind: Kind
    lang: str
    address: str = ""
    subscription: str = ""
    consent: str = ""

    def __repr__(self) -> str:
        return f"Request({self.kind!r}, {self.lang!r})"


class Requests:
    """Takes requests from pages, and decides on them in the worker."""

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._started = clock.now()
        self._written: dict[bytes, float] = {}

    # On pages

    def seal_form(self, request: Request) -> str:
        """The request as the hidden field of the page with the button."""
        text = json.dumps([int(self._clock.now() + FORM_LIFE), *_values(request)], ensure_ascii=False)
        return base64.urlsafe_b64encode(self._vault.seal(text, b"form", REQUEST_SIZE)).decode()

    def open_form(self, field: str) -> Request:
        """The request in a hidden field. Raises InvalidToken, ExpiredToken."""
        try:
            sealed = base64.b64decode(field.encode("ascii"), altchars=b"-_", validate=True)
            expiry, *values = json.loads(self._vault.open(sealed, b"form"))
        except (binascii.Error, UnicodeEncodeError, Unreadable) as error:
            raise InvalidToken("This form is not one of ours") from error
        if self._clock.now() >= expiry:
            raise ExpiredToken("This form's time is over")
        return Request(*values)

    def store(self, request: Request) -> None:
        """Keep a request for the worker. The same statement and the same bytes in number, whoever asks."""
        sealed = self.seal(request)
        self._database.write(lambda connection: self.add(connection, sealed))

    def seal(self, request: Request) -> bytes:
        """A request as it waits for the worker."""
        return self._vault.seal(json.dumps(_values(request), ensure_ascii=False), b"request", REQUEST_SIZE)

    def open(self, sealed: bytes) -> Request:
        """A request that waits. Raises Unreadable."""
        values = json.loads(self._vault.open(sealed, b"request"))
        try:
            return Request(*values)
        except TypeError as error:
            raise Unreadable("A request of another version of the program", "Whoever waits asks again.") from error

    def add(self, connection: sqlite3.Connection, sealed: bytes) -> None:
        """Have a sealed request wait for the worker."""
        connection.execute("INSERT INTO requests (day, sealed) VALUES (?, ?)", (self._clock.today(), sealed))

    # In the worker

    def decide_all(self, most: int = 100) -> int:
        """Decide on what waits, oldest first, at most so many; return how many there were."""
        waiting = self._database.read("SELECT id, sealed FROM requests ORDER BY id LIMIT ?", (most,))
        futures = [self._database.submit(_Decision(self, row["id"], bytes(row["sealed"]))) for row in waiting]
        for future in futures:
            if written := future.result():  # only now: what a full disk undid is decided again
                self._written[written] = self._clock.now()
        return len(waiting)

    def decide(self, connection: sqlite3.Connection, number: int, sealed: bytes) -> bytes | None:
        """Turn one request into a letter, or into nothing, and delete it, in one transaction.

        Returns by what the address is known to which a form has a letter sent, if it has.
        """
        if not connection.execute("DELETE FROM requests WHERE id = ?", (number,)).rowcount:
            return None
        try:
            request = self.open(sealed)
        except Unreadable:
            return None  # sealed with a key that is gone: nobody can know what it asked
        if request.kind == "subscribe":
            return self._subscribe(connection, request)
        self._mail_link(connection, request)
        return None

    def _subscribe(self, connection: sqlite3.Connection, request: Request) -> bytes | None:
        lookups = self._vault.lookups(normalise(request.address))
        if not self._may_confirm(connection, lookups):
            return None
        found = find(connection, lookups)
        identity = bytes(found["id"]) if found else os.urandom(16)
        today = self._clock.today()
        if found is None:
            connection.execute(
                "INSERT INTO subscriptions (id, lookup, lookup_key, address, state, langs, consent, requested)"
                " VALUES (?, ?, ?, ?, 'unconfirmed', ?, ?, ?)",
                (identity, lookups[0].value, lookups[0].key, self._vault.seal(request.address, identity),
                 request.lang, request.consent, today),
            )  # fmt: skip
        elif found["state"] != "confirmed":
            connection.execute(
                "UPDATE subscriptions SET address = ?, state = 'unconfirmed', langs = ?, rhythm = 'each', discreet = 0,"
                " consent = ?, requested = ?, confirmed = NULL WHERE id = ?",
                (self._vault.seal(request.address, identity), request.lang, request.consent, today, identity),
            )
        self._queue(connection, "confirmation", identity, request.lang, lookups[0])
        return lookups[0].value

    def _may_confirm(self, connection: sqlite3.Connection, lookups: list[Lookup]) -> bool:
        """Whether the address may be written to: once in 24 hours, three times in 30 days.

        Days alone are stored, so a letter of yesterday may be younger than 24 hours; if this process has run since,
        it remembers.
        """
        today, now = self._clock.today(), self._clock.now()
        days = [day for each in lookups for day in _form_letters(connection, each, "confirmation", today - MONTH + 1)]
        if len(days) >= PER_MONTH or today in days:
            return False
        self._written = {lookup: instant for lookup, instant in self._written.items() if now - instant < DAY}
        if any(each.value in self._written for each in lookups):
            return False
        return today - 1 not in days or now - self._started >= DAY

    def _mail_link(self, connection: sqlite3.Connection, request: Request) -> None:
        found = connection.execute(
            "SELECT * FROM subscriptions WHERE id = ? AND address IS NOT NULL", (bytes.fromhex(request.subscription),)
        ).fetchone()
        if found is None:
            return
        lookup = Lookup(found["lookup_key"], bytes(found["lookup"]))
        today = self._clock.today()
        if len(_form_letters(connection, lookup, "settings", today)) < LINKS_PER_DAY:
            self._queue(connection, "settings", bytes(found["id"]), request.lang, lookup)

    def _queue(self, connection: sqlite3.Connection, kind: str, subscription: bytes, lang: str, lookup: Lookup) -> None:
        now, today = int(self._clock.now()), self._clock.today()
        connection.execute("INSERT INTO form_letters VALUES (?, ?, ?)", (lookup.value, kind, today))
        connection.execute(
            "INSERT INTO letters (id, kind, subscription, lang, state, due, first_due, day)"
            " VALUES (?, ?, ?, ?, 'pending', ?, ?, ?)",
            (os.urandom(8), kind, subscription, lang, now, now, today),
        )


@dataclass(frozen=True, slots=True)
class _Decision:
    requests: Requests
    number: int
    sealed: bytes

    def __call__(self, connection: sqlite3.Connection) -> bytes | None:
        return self.requests.decide(connection, self.number, self.sealed)


def find(connection: sqlite3.Connection, lookups: list[Lookup]) -> sqlite3.Row | None:
    """The subscription of an address, whichever key it is kept under."""
    for each in lookups:
        row: sqlite3.Row | None = connection.execute(
            "SELECT * FROM subscriptions WHERE lookup = ?", (each.value,)
        ).fetchone()
        if row:
            return row
    return None


def _form_letters(connection: sqlite3.Connection, lookup: Lookup, kind: str, since: int) -> list[int]:
    rows = connection.execute(
        "SELECT day FROM form_letters WHERE lookup = ? AND kind = ? AND day >= ?", (lookup.value, kind, since)
    )
    return [row["day"] for row in rows]


def _values(request: Request) -> list[str]:
    return [request.kind, request.lang, request.address, request.subscription, request.consent]
