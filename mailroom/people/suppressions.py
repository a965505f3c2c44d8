"""Who must get nothing: known by nothing but keyed hashes, in the database and in the journal beside it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Literal

from mailroom.store.journal import Entry, Journal
from mailroom.store.vault import Lookup

Reason = Literal["unsubscribed", "erased", "bounced", "complained"]


def is_suppressed(connection: sqlite3.Connection, lookups: Sequence[Lookup]) -> bool:
    """Whether an address, looked up under every key, must get nothing."""
    return any(
        connection.execute("SELECT 1 FROM suppressions WHERE lookup = ?", (each.value,)).fetchone() for each in lookups
    )


def suppress(
    connection: sqlite3.Connection, journal: Journal, lookup: Lookup, reason: Reason, day: int, campaign: str = ""
) -> None:
    """Suppress an address, in the journal first: a restored backup must know of it."""
    journal.append(Entry("suppress", lookup, reason, day))
    connection.execute(
        "INSERT INTO suppressions VALUES (?, ?, ?, ?, ?) ON CONFLICT (lookup) DO UPDATE SET"
        " reason = excluded.reason, campaign = excluded.campaign, day = excluded.day",
        (lookup.value, lookup.key, reason, campaign or None, day),
    )


def lift(connection: sqlite3.Connection, journal: Journal, lookups: Sequence[Lookup], day: int) -> None:
    """Let an address have letters again: its owner confirmed anew, or a domain's refusal was none of the address's."""
    for each in lookups:
        deleted = connection.execute("DELETE FROM suppressions WHERE lookup = ?", (each.value,)).rowcount
        if deleted:
            # After a crash before the commit they stay suppressed here, while a restored backup lets them have
            # letters: no harm, since it is done only for one who is just confirming or whom a domain refused.
            journal.append(Entry("lift", each, "", day))
