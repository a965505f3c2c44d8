"""New keys. Processes read the keyring when they start, so keys change only while the mailroom stands still.

The keyring always comes first: whatever happens in between, it opens all there is. A change that was cut off is gone on
with by the next one: as long as the ring holds two data keys, the newer one is not yet everywhere.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from mailroom.errors import Unreadable
from mailroom.office import Office
from mailroom.people.addresses import normalise
from mailroom.store.journal import Entry
from mailroom.store.keyring import Keyring
from mailroom.store.vault import ADDRESS_SIZE, REQUEST_SIZE, Lookup, Vault

#: Rows to a transaction.
BATCH = 500


@dataclass(frozen=True, slots=True)
class Sealed:
    """A column of sealed values: how it is read and written, how large it is, for what place each value is sealed."""

    read: str
    write: str
    size: int
    place: Callable[[sqlite3.Row], bytes]


SUBSCRIPTIONS = Sealed(
    "SELECT id, lookup, lookup_key, address AS sealed FROM subscriptions"
    " WHERE address IS NOT NULL AND (:last IS NULL OR id > :last) ORDER BY id LIMIT :batch",
    "UPDATE subscriptions SET address = :sealed WHERE id = :id",
    ADDRESS_SIZE,
    lambda row: bytes(row["id"]),
)
LETTERS = Sealed(
    "SELECT id, address AS sealed FROM letters"
    " WHERE address IS NOT NULL AND (:last IS NULL OR id > :last) ORDER BY id LIMIT :batch",
    "UPDATE letters SET address = :sealed WHERE id = :id",
    ADDRESS_SIZE,
    lambda row: b"letter" + bytes(row["id"]),
)
REQUESTS = Sealed(
    "SELECT id, sealed FROM requests WHERE :last IS NULL OR id > :last ORDER BY id LIMIT :batch",
    "UPDATE requests SET sealed = :sealed WHERE id = :id",
    REQUEST_SIZE,
    lambda _: b"request",
)


def rotate_tokens(office: Office, keep: Callable[[Keyring], None]) -> int:
    """Sign new links and return paths with a new key, whose number is returned; old ones stay good.

    `keep` stores the ring. Needs the office alone.
    """
    ring = office.ring.with_new("token")
    keep(ring)
    return ring.current("token")[0]


def rotate_data(office: Office, keep: Callable[[Keyring], None]) -> int:
    """Seal everything with a new key, and look addresses up by a new one; return the data key's number.

    `keep` stores a ring before anything is sealed with it, and again without the old data keys when nothing is sealed
    with them any more. Old lookup keys stay for good: the suppressed are known by nothing else. Killed at any moment,
    it is finished by running it again. Needs the office alone. Raises Unreadable when something does not open; all the
    rest is sealed anew then, and the old key stays.
    """
    ring = office.ring
    if len(ring.keys["data"]) == 1:
        ring = ring.with_new("data", "lookup")
        keep(ring)
    vault = Vault(ring)
    for each in (LETTERS, REQUESTS):
        _reseal(office, vault, each)  # of these, the worker throws away what does not open
    if damaged := _reseal(office, vault, SUBSCRIPTIONS):
        raise Unreadable(
            f"{office.database.path}: {damaged} addresses do not open, so the old key stays",
            "Restore a backup from before they were damaged.",
        )
    newest, _ = ring.current("data")
    for number in ring.keys["data"].keys() - {newest}:
        ring = ring.without("data", number)
    keep(ring)
    return newest


def _reseal(office: Office, vault: Vault, column: Sealed) -> int:
    """Seal a column anew, in batches; return how many values do not open."""
    damaged, last = 0, None
    while rows := office.database.read(column.read, {"last": last, "batch": BATCH}):
        last = rows[-1]["id"]

        def work(connection: sqlite3.Connection, rows: list[sqlite3.Row] = rows) -> int:
            return sum(not _reseal_row(office, connection, vault, column, row) for row in rows)

        damaged += office.database.write(work)
    return damaged


def _reseal_row(office: Office, connection: sqlite3.Connection, vault: Vault, column: Sealed, row: sqlite3.Row) -> bool:
    """Seal one value anew, unless it is; tell whether it opens."""
    value, place = bytes(row["sealed"]), column.place(row)
    if vault.is_current(value):
        return True
    try:
        text = vault.open(value, place)
    except Unreadable:
        return False
    connection.execute(column.write, {"id": row["id"], "sealed": vault.seal(text, place, column.size)})
    if column is SUBSCRIPTIONS:
        _know_by(office, connection, row, vault.lookup(normalise(text)))
    return True


def _know_by(office: Office, connection: sqlite3.Connection, row: sqlite3.Row, lookup: Lookup) -> None:
    """Have a subscription looked up by a new key, and with it a suppression, such as of a letter that just bounced."""
    connection.execute(
        "UPDATE subscriptions SET lookup = ?, lookup_key = ? WHERE id = ?", (lookup.value, lookup.key, row["id"])
    )
    old = Lookup(row["lookup_key"], bytes(row["lookup"]))
    found = connection.execute("SELECT reason, day FROM suppressions WHERE lookup = ?", (old.value,)).fetchone()
    if found:
        office.journal.append(Entry("suppress", lookup, found["reason"], found["day"]))
        office.journal.append(Entry("lift", old, "", office.clock.today()))
        connection.execute(
            "UPDATE suppressions SET lookup = ?, lookup_key = ? WHERE lookup = ?", (lookup.value, lookup.key, old.value)
        )
