"""What a subscriber can do with the links in a letter: confirm, leave, change, take along, be forgotten.

Every method returns when what it did is on the disk.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mailroom.clock import Clock
from mailroom.errors import ExpiredToken
from mailroom.people.addresses import normalise
from mailroom.people.suppressions import Reason, lift, suppress
from mailroom.store.database import Database
from mailroom.store.journal import Journal
from mailroom.store.vault import Lookup, Vault

Rhythm = Literal["each", "weekly"]
#: Days after which a request that nobody confirmed is deleted.
UNCONFIRMED_LIFE = 7


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a subscriber chose: languages in their order, each post or a digest of the week, discreet letters."""

    langs: tuple[str, ...]
    rhythm: Rhythm = "each"
    discreet: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """All that is kept of a subscriber, as it is exported to them."""

    address: str
    state: str
    preferences: Preferences
    requested: int
    confirmed: int | None
    consent: str

    def __repr__(self) -> str:
        return f"Record({self.state!r})"


class Subscriptions:
    """Subscriptions, by the id that a token carries."""

    def __init__(self, database: Database, vault: Vault, journal: Journal, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._journal = journal
        self._clock = clock

    def confirm(self, identity: bytes) -> None:
        """Confirm; twice is once. Raises ExpiredToken when the request is gone or its owner has left since."""

        def work(connection: sqlite3.Connection) -> None:
            row = _row(connection, identity)
            if row is None or row["address"] is None:
                raise ExpiredToken("This link's time is over")
            today = self._clock.today()
            if row["state"] != "confirmed":
                connection.execute(
                    "UPDATE subscriptions SET state = 'confirmed', confirmed = ? WHERE id = ?", (today, identity)
                )
            # Also for one who is confirmed: their mailbox may have been suppressed, and be there again.
            lift(connection, self._journal, self._lookups(row), today)

        self._database.write(work)

    def unsubscribe(self, identity: bytes) -> None:
        """End all letters. It never fails: who is unknown or gone gets none anyway."""
        self.leave(identity, "unsubscribed")

    def leave(self, identity: bytes, reason: Reason, campaign: str = "") -> None:
        """Take a subscriber off the list for a reason; nothing but a keyed hash stays."""

        def work(connection: sqlite3.Connection) -> None:
            row = _row(connection, identity)
            if row is None or row["state"] == "unsubscribed":
                return
            suppress(connection, self._journal, _lookup(row), reason, self._clock.today(), campaign)
            blank(connection, identity)

        self._database.write(work)

    def erase(self, identity: bytes) -> None:
        """Forget a subscriber: every row goes but the keyed hash that keeps an import from bringing them back."""

        def work(connection: sqlite3.Connection) -> None:
            row = _row(connection, identity)
            if row is None:
                return
            suppress(connection, self._journal, _lookup(row), "erased", self._clock.today())
            for statement in (
                "DELETE FROM letters WHERE subscription = ?",
                "DELETE FROM received WHERE subscription = ?",
                "DELETE FROM subscriptions WHERE id = ?",
            ):
                connection.execute(statement, (identity,))

        self._database.write(work)

    def preferences(self, identity: bytes) -> Preferences:
        """What a subscriber chose. Raises ExpiredToken when they are gone."""
        return self.record(identity).preferences

    def change(self, identity: bytes, preferences: Preferences) -> None:
        """Keep what a subscriber chooses. Raises ExpiredToken when they are gone.

        Who is no longer to get a digest gets that of this week still: what appeared until now is in no other letter.
        """

        def work(connection: sqlite3.Connection) -> None:
            changed = connection.execute(
                "UPDATE subscriptions SET langs = ?1, rhythm = iif(?2 = 'each' AND rhythm <> 'each', 'both', ?2),"
                " discreet = ?3 WHERE id = ?4 AND address IS NOT NULL",
                (",".join(preferences.langs), preferences.rhythm, preferences.discreet, identity),
            )
            if not changed.rowcount:
                raise ExpiredToken("This link's time is over")

        self._database.write(work)

    def record(self, identity: bytes) -> Record:
        """All that is kept of a subscriber. Raises ExpiredToken when they are gone."""
        rows = self._database.read("SELECT * FROM subscriptions WHERE id = ? AND address IS NOT NULL", (identity,))
        if not rows:
            raise ExpiredToken("This link's time is over")
        row = rows[0]
        return Record(
            self._vault.open(bytes(row["address"]), identity),
            row["state"],
            read_preferences(row),
            row["requested"],
            row["confirmed"],
            row["consent"],
        )

    def delete_unconfirmed(self) -> int:
        """Delete requests that nobody confirmed in a week; return how many."""
        today = self._clock.today()

        def work(connection: sqlite3.Connection) -> int:
            return connection.execute(
                "DELETE FROM subscriptions WHERE state = 'unconfirmed' AND requested < ?", (today - UNCONFIRMED_LIFE,)
            ).rowcount

        return self._database.write(work)

    def _lookups(self, row: sqlite3.Row) -> Sequence[Lookup]:
        return self._vault.lookups(normalise(self._vault.open(bytes(row["address"]), bytes(row["id"]))))


def blank(connection: sqlite3.Connection, identity: bytes) -> None:
    """Empty the row of who has left: it keeps old links good, should they come back, and says nothing of them."""
    connection.execute(
        "UPDATE subscriptions SET state = 'unsubscribed', address = NULL, consent = '', langs = '', rhythm = 'each',"
        " discreet = 0, requested = 0, confirmed = NULL WHERE id = ?",
        (identity,),
    )
    connection.execute("DELETE FROM received WHERE subscription = ?", (identity,))


def read_preferences(row: sqlite3.Row) -> Preferences:
    """The preferences in a row of `subscriptions`."""
    rhythm: Rhythm = "weekly" if row["rhythm"] == "weekly" else "each"
    return Preferences(tuple(row["langs"].split(",")), rhythm, bool(row["discreet"]))


def _row(connection: sqlite3.Connection, identity: bytes) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute("SELECT * FROM subscriptions WHERE id = ?", (identity,)).fetchone()
    return row


def _lookup(row: sqlite3.Row) -> Lookup:
    return Lookup(row["lookup_key"], bytes(row["lookup"]))
