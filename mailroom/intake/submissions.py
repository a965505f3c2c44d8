"""What is kept of submissions: sealed octets until an expert has them, and what a receipt may be told.

The database is the intake's own, and in no backup. Each operation opens it, and closes it: children of a server that
forks, and the threads of another, share nothing. What was committed is on the disk; what is deleted is overwritten,
and the log of SQLite (WAL) emptied, before anybody is told.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mailroom.clock import Clock
from mailroom.errors import IntakeFull, StoreError, SubmissionChanged, UnknownSubmission
from mailroom.intake.sealing import Sealed
from mailroom.settings import Settings
from mailroom.store.database import check_schema, connect, migrate, translated
from mailroom.store.facts import fact, set_fact

State = Literal["stored", "fetched", "acknowledged"]
MIGRATIONS = Path(__file__).parent / "migrations"
#: Days after which a submission expires, and a receipt finds nothing any more.
LIFE = 30
#: The day on which was last deleted what is old, in the table `facts`.
EXPIRED = "expired"
#: Octets up to which the file is written anew once a day: SQLite does that in memory.
_REWRITTEN = 64 * 1024**2
_MIB = 1024**2
_ID = 16


@dataclass(frozen=True, slots=True)
class Stored:
    """A submission that waits for an expert: `id` in hexadecimal digits, its size class, the name of its keys."""

    id: str
    day: int
    size: int
    key: str
    state: State


@dataclass(frozen=True, slots=True)
class Occupancy:
    """How much is kept: submissions, and octets."""

    count: int
    octets: int


class Intake:
    """The store of submissions. Its methods may be called by any thread, and after a fork."""

    def __init__(self, path: Path, clock: Clock, *, most: int = 2000, room: int = 2048) -> None:
        """`most` is MAILROOM_INTAKE_MOST, `room` MAILROOM_INTAKE_ROOM in MiB. Raises SchemaOutdated, StoreError."""
        if not path.exists():
            raise StoreError(f"{path}: there is no database", "Make it: ./blog mailroom migrate")
        check_schema(path, MIGRATIONS)
        self.path = path
        self.most = most
        self.room = room
        self._clock = clock

    # Senders

    def store(self, sealed: Sealed, lookup: bytes) -> None:
        """Keep a submission for whoever has the receipt; it is on the disk when this returns.

        Raises IntakeFull, DiskFull, StoreError.
        """
        identity = secrets.token_bytes(_ID)
        with self.transaction() as connection:
            kept = _occupancy(connection)
            if kept.count + 1 > self.most or kept.octets + sealed.size > self.room * _MIB:
                raise IntakeFull("No further submission is kept now", "Fetch and acknowledge: ./blog intake list")
            connection.execute(
                "INSERT INTO submissions VALUES (?, ?, ?, ?)", (identity, sealed.size, sealed.key, sealed.blob)
            )
            connection.execute(
                "INSERT INTO receipts VALUES (?, ?, 'stored', ?)", (lookup, self._clock.today(), identity)
            )

    def state(self, lookup: bytes) -> State | None:
        """What became of the submission with that receipt; None when there is none, or it has expired."""
        with self.connection() as connection:
            row = connection.execute(
                "SELECT state FROM receipts WHERE lookup = ? AND day > ?", (lookup, self._clock.today() - LIFE)
            ).fetchone()
        return row["state"] if row else None

    def delete(self, lookup: bytes) -> bool:
        """Delete the submission with that receipt, and all that is known of it; tell whether there was one."""
        with self.transaction() as connection:
            found = _forget(connection, "lookup = ?", lookup)
        self._empty_log()
        return found > 0

    # Experts

    def list(self) -> list[Stored]:
        """What waits, in an order that says nothing."""
        with self.connection() as connection:
            rows = connection.execute(
                "SELECT id, day, size, key, state FROM submissions JOIN receipts ON submission = id ORDER BY id"
            ).fetchall()
        return [Stored(bytes(row["id"]).hex(), *row[1:]) for row in rows]

    def fetch(self, identity: str) -> bytes:
        """The sealed octets of a submission, which counts as fetched from now on. Raises UnknownSubmission."""
        with self.transaction() as connection:
            sealed = _sealed(connection, identity)
            connection.execute(
                "UPDATE receipts SET state = 'fetched' WHERE submission = ? AND state = 'stored'",
                (bytes.fromhex(identity),),
            )
        return sealed

    def acknowledge(self, identity: str, sha256: str) -> None:
        """Delete a submission that an expert's client has safely stored: it shows by the SHA-256 of the octets.

        Raises UnknownSubmission, SubmissionChanged.
        """
        with self.transaction() as connection:
            if hashlib.sha256(_sealed(connection, identity)).hexdigest() != sha256.lower():
                raise SubmissionChanged("The client has other octets than are kept here", "Fetch it again.")
            values = (bytes.fromhex(identity),)
            connection.execute("DELETE FROM submissions WHERE id = ?", values)
            connection.execute(
                "UPDATE receipts SET state = 'acknowledged', submission = NULL WHERE submission = ?", values
            )
        self._empty_log()

    def discard(self, identity: str) -> None:
        """Delete a submission, and all that is known of it. Raises UnknownSubmission."""
        with self.transaction() as connection:
            if not _forget(connection, "submission = ?", _octets(identity)):
                raise _unknown()
        self._empty_log()

    # Whoever looks after it

    def expire(self) -> int:
        """Delete what is 30 days old; return how many receipts that were. Doing it twice is doing it once.

        Once a day the file is written anew, so that neither its length nor the places of what it holds tell of what
        was there before, nor in which order anything came.
        """
        today = self._clock.today()
        with self.transaction() as connection:
            expired = _forget(connection, "day <= ?", today - LIFE)
            connection.execute("DELETE FROM notices WHERE begun <= ?", (today - LIFE,))  # to nobody of today
            is_first = fact(connection, EXPIRED) != str(today)
            set_fact(connection, EXPIRED, str(today))
            is_small = _occupancy(connection).octets <= _REWRITTEN
        if is_first and is_small:
            with self.connection() as connection:
                connection.execute("VACUUM")
        self._empty_log()
        return expired

    def blur(self) -> None:
        """Have the times of files and folder say nothing about when something came: it was always just now."""
        logs = (self.path.with_name(self.path.name + ending) for ending in ("-wal", "-shm"))
        for path in (self.path, *logs, self.path.parent):
            with contextlib.suppress(FileNotFoundError):
                os.utime(path)

    def occupancy(self) -> Occupancy:
        """How much is kept."""
        with self.connection() as connection:
            return _occupancy(connection)

    def fact(self, name: str) -> str:
        """A single value, "" if there is none."""
        with self.connection() as connection:
            return fact(connection, name)

    def set_fact(self, name: str, value: str) -> None:
        """Keep a single value."""
        with self.transaction() as connection:
            set_fact(connection, name, value)

    @contextlib.contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """A connection of one's own."""
        with contextlib.closing(connect(self.path)) as connection, translated(self.path):
            yield connection

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection whose work is whole and on the disk at the end, or undone."""
        with self.connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    def _empty_log(self) -> None:
        with self.connection() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def make_intake(settings: Settings) -> list[str]:
    """Make the intake's database, or bring it to the newest schema; return the names of the steps taken."""
    return migrate(settings.intake_database, MIGRATIONS)


def open_intake(settings: Settings, clock: Clock) -> Intake:
    """The store that the settings describe. Raises SchemaOutdated, StoreError."""
    return Intake(settings.intake_database, clock, most=settings.intake_most, room=settings.intake_room)


def _occupancy(connection: sqlite3.Connection) -> Occupancy:
    row = connection.execute("SELECT count(*) AS count, coalesce(sum(size), 0) AS octets FROM submissions").fetchone()
    return Occupancy(row["count"], row["octets"])


def _forget(connection: sqlite3.Connection, which: str, value: object) -> int:
    """Delete receipts, and the submissions they belong to; return how many receipts that were."""
    connection.execute(
        f"DELETE FROM submissions WHERE id IN (SELECT submission FROM receipts WHERE {which})",  # noqa: S608 - our own words
        (value,),
    )
    return connection.execute(f"DELETE FROM receipts WHERE {which}", (value,)).rowcount  # noqa: S608


def _sealed(connection: sqlite3.Connection, identity: str) -> bytes:
    row = connection.execute("SELECT sealed FROM submissions WHERE id = ?", (_octets(identity),)).fetchone()
    if row is None:
        raise _unknown()
    return bytes(row["sealed"])


def _octets(identity: str) -> bytes:
    try:
        return bytes.fromhex(identity)
    except ValueError:
        raise _unknown() from None


def _unknown() -> UnknownSubmission:
    return UnknownSubmission("There is no such submission, or no longer", "See what there is: ./blog intake list")
