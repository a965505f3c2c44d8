"""Backups, sealed to an age recipient, and what it takes to go on from one without writing to anybody twice.

A backup is the database as of one moment, made small by `VACUUM INTO`, with the journal of who left in a table of its
own, sealed as a whole. It holds no key: whoever opens it still reads no address without the keyring.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyrage

from mailroom.campaigns.digests import make as make_digest
from mailroom.clock import Clock
from mailroom.errors import StoreDamaged, StoreError, Unreadable, WrongKey
from mailroom.people.addresses import normalise
from mailroom.people.subscriptions import blank
from mailroom.settings import Settings
from mailroom.store.database import check_schema, connect, migrate, translated
from mailroom.store.facts import DELIVERY, LAST_BACKUP, set_fact
from mailroom.store.files import explained, scratch, sync_folder
from mailroom.store.journal import Entry, Journal
from mailroom.store.keyring import Keyring
from mailroom.store.lock import Lock
from mailroom.store.sealing import read_recipient, seal, unseal
from mailroom.store.vault import Vault

#: Where sealed values stand: a query for them, first octet for the key's number.
SEALED = (
    "SELECT address FROM subscriptions WHERE address IS NOT NULL",
    "SELECT address FROM letters WHERE address IS NOT NULL",
    "SELECT sealed FROM requests",
)


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restored backup holds, and what became of it."""

    subscribers: int
    left: int
    unknown: int
    paused: int
    #: The keys of drafts.
    stopped: tuple[str, ...]
    #: Where the database is that stood there before.
    aside: Path | None


def back_up(settings: Settings, clock: Clock, target: Path) -> Path:
    """Write a sealed backup to a file, or into a folder under a name with the time in it; return the file.

    It needs no key, takes databases of earlier versions too, and everything goes on meanwhile. Raises
    ConfigurationError for the recipient, StoreDamaged, DiskFull, StoreError.
    """
    recipient = read_recipient(settings.backup_recipient)
    if target.is_dir():
        target /= f"mailroom-{_stamp(clock)}.age"
    if not settings.database.exists():
        raise StoreError(f"{settings.database}: there is no database", "Check MAILROOM_DATA.")
    with Lock(settings.data), closing(connect(settings.database)) as database:
        with scratch(settings.data / ".backup") as folder, translated(settings.database):
            copy = folder / "mailroom.db"
            database.execute("VACUUM INTO ?", (str(copy),))
            with closing(connect(copy)) as copied:
                _check_whole(copied, settings.database)
                copied.execute("CREATE TABLE journal (content BLOB NOT NULL)")
                # Read after the rest, it knows of everybody who left.
                copied.execute("INSERT INTO journal VALUES (?)", (Journal(settings.data / "journal").read(),))
            with copy.open("rb") as content:
                seal(content, recipient, target)
        with translated(settings.database):
            set_fact(database, LAST_BACKUP, str(clock.today()))
    return target


def restore(
    settings: Settings, ring: Keyring, clock: Clock, backup: Path, identity: pyrage.x25519.Identity, *, replace: bool
) -> Restored:
    """Put a backup in the database's place, with delivery off; an existing one is kept aside if it may be replaced.

    Who left or was erased since the backup, as this machine's journal and the backup's have it, is taken out before
    anything else. Nothing takes the database's place until it is whole. Raises StoreError when the mailroom is at work
    or has a database, WrongKey, StoreDamaged, SchemaOutdated, DiskFull.
    """
    with explained(settings.data):
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with Lock(settings.data, alone=True):
        if settings.database.exists() and not replace:
            raise StoreError(
                f"{settings.database}: there is a database", "Add --replace to have it kept aside under another name."
            )
        with scratch(settings.data / ".restore") as folder:
            copy = folder / "mailroom.db"
            unseal(backup, identity, copy)
            restored = _prepare(copy, backup, settings, Vault(ring), clock)
            aside = _put_aside(settings.database, clock)
            with explained(settings.database):
                copy.replace(settings.database)
                sync_folder(settings.data)
    return Restored(*restored, aside)


def _prepare(
    copy: Path, backup: Path, settings: Settings, vault: Vault, clock: Clock
) -> tuple[int, int, int, int, tuple[str, ...]]:
    """Make a copied database fit to go on from; return the first values of `Restored`."""
    with translated(backup), closing(connect(copy)) as connection:
        _check_whole(connection, backup)
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'journal'").fetchone():
            raise StoreDamaged(f"{backup}: no backup of the mailroom", "Take one that ./blog mailroom backup made.")
        journal = bytes(connection.execute("SELECT content FROM journal").fetchone()[0])
        connection.execute("DROP TABLE journal")
    migrate(copy)
    check_schema(copy)
    with translated(backup), closing(connect(copy)) as connection:
        _check_keys(connection, backup, vault)
        entries = Journal(settings.data / "journal").merge(journal)
        connection.execute("BEGIN IMMEDIATE")
        left = _let_go(connection, vault, entries)
        make_digest(connection, settings.digest, clock.now())  # it may have gone out since: not to be made by itself
        unknown, paused, stopped = _stand_still(connection, clock.today())
        connection.execute("COMMIT")
        count = connection.execute("SELECT count(*) FROM subscriptions WHERE state = 'confirmed'").fetchone()
    return int(count[0]), left, unknown, paused, stopped


def _check_whole(connection: sqlite3.Connection, name: Path) -> None:
    if connection.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok":
        raise StoreDamaged(f"{name}: the database is damaged", "Keep the file, and restore an older backup.")


def _check_keys(connection: sqlite3.Connection, backup: Path, vault: Vault) -> None:
    """Raise WrongKey unless the ring opens all that is sealed, and makes all hashes by which people are known."""
    known = connection.execute("SELECT value FROM facts WHERE name = 'keyring'").fetchone()
    if known and bytes(known[0]) != vault.check():
        raise WrongKey(
            f"{backup}: made with another keyring than MAILROOM_KEY names", "Point MAILROOM_KEY at the right one."
        )
    numbers = {row[0][0] for query in SEALED for row in connection.execute(query)}
    if missing := sorted(numbers - vault.ring.keys["data"].keys()):
        lines = " and ".join(f"`data {number} …`" for number in missing)
        raise WrongKey(
            f"{backup}: sealed with keys that have been changed since",
            f"Add {lines} from the keyring of that time to the one of today, then ./blog mailroom rotate-key data.",
        )


def _let_go(connection: sqlite3.Connection, vault: Vault, entries: Sequence[Entry]) -> int:
    """Take out who left, by the last that the journal says of each; return how many the backup still had."""
    last = {entry.lookup.value: entry for entry in entries}
    strange = {entry.lookup.key for entry in last.values()} - vault.ring.keys["lookup"].keys()
    if strange:
        lines = " and ".join(f"`lookup {number} …`" for number in sorted(strange))
        raise WrongKey(
            "The journal names keys that MAILROOM_KEY has not got", f"Use the newest keyring: it has {lines}."
        )
    for value, entry in last.items():
        connection.execute("DELETE FROM suppressions WHERE lookup = ?", (value,))
        if entry.action == "suppress":
            connection.execute(
                "INSERT INTO suppressions (lookup, lookup_key, reason, day) VALUES (?, ?, ?, ?)",
                (value, entry.lookup.key, entry.reason, entry.day),
            )
    count = 0
    for row in connection.execute("SELECT id, lookup, address FROM subscriptions").fetchall():
        identity = bytes(row["id"])
        values = [bytes(row["lookup"])]
        if row["address"] is not None:  # a newer key may have come since, and the journal know them by that
            with suppress(Unreadable):  # it was damaged: nothing is written to it anyway
                values += [each.value for each in vault.lookups(normalise(vault.open(bytes(row["address"]), identity)))]
        reasons = {last[value].reason for value in values if value in last and last[value].action == "suppress"}
        if not reasons:
            continue
        count += row["address"] is not None
        connection.execute("DELETE FROM received WHERE subscription = ?", (identity,))
        if "erased" in reasons:
            connection.execute("DELETE FROM letters WHERE subscription = ?", (identity,))
            connection.execute("DELETE FROM subscriptions WHERE id = ?", (identity,))
        else:
            connection.execute("UPDATE letters SET address = NULL WHERE subscription = ?", (identity,))
            blank(connection, identity)
    return count


def _stand_still(connection: sqlite3.Connection, today: int) -> tuple[int, int, tuple[str, ...]]:
    """Have nothing go out by itself: nobody knows what went out since the backup.

    Returns how many letters may have gone out or not, how many campaigns wait for a decision, and what was a draft.
    """
    set_fact(connection, DELIVERY, "off")
    connection.execute("DELETE FROM requests")  # decided long ago, or too late: whoever waits asks again
    connection.execute("UPDATE api_tokens SET revoked = 1")  # any of them may have been revoked since
    unknown = connection.execute(
        "UPDATE letters SET state = 'unknown', due = 0, first_due = 0, claim = NULL, address = NULL, day = ?"
        " WHERE state IN ('pending', 'claimed', 'sending', 'deferred')",
        (today,),
    ).rowcount
    paused = connection.execute(
        "UPDATE campaigns SET state = 'paused' WHERE state = 'started'"
        " AND (kind <> 'digest' OR key IN (SELECT campaign FROM letters WHERE state = 'unknown'))"
    ).rowcount
    # Started since, a draft has reached everybody. Handing in or starting the same again is refused from now on.
    stopped = connection.execute("UPDATE campaigns SET state = 'stopped' WHERE state = 'draft' RETURNING key")
    return unknown, paused, tuple(sorted(key for (key,) in stopped))


def _put_aside(database: Path, clock: Clock) -> Path | None:
    """Rename the database that is there, its log first: a log must never lie beside another database."""
    aside = database.with_name(f"{database.name}.{_stamp(clock)}")
    with explained(database):
        for ending in ("-shm", "-wal", ""):
            part = database.with_name(database.name + ending)
            if part.exists():
                part.rename(aside.with_name(aside.name + ending))
                sync_folder(database.parent)
    return aside if aside.exists() else None


def _stamp(clock: Clock) -> str:
    return f"{datetime.fromtimestamp(clock.now(), UTC):%Y-%m-%d-%H%M%S}"
