"""What is not needed any longer goes, so that the data says no more than it must."""

from __future__ import annotations

import logging
import sqlite3

from mailroom.office import Office
from mailroom.people.subscriptions import blank

LOG = logging.getLogger(__name__)

#: Days after its last change after which a finished letter is forgotten, and a form's letter not counted any more.
LETTER_LIFE = 30
#: Days after which the address of a mailbox that is none is erased: by then a domain's refusals would have been undone.
BOUNCED_LIFE = 7
#: Days after which what a domain took and refused is not counted any more.
TALLY_LIFE = 3


def clear_out(office: Office) -> None:
    """Delete what is old. Doing it twice is doing it once."""
    unconfirmed = office.subscriptions.delete_unconfirmed()
    today, now = office.clock.today(), int(office.clock.now())

    def work(connection: sqlite3.Connection) -> tuple[int, int]:
        letters = connection.execute(
            "DELETE FROM letters WHERE day < ? AND state NOT IN ('pending', 'claimed', 'sending', 'deferred')",
            (today - LETTER_LIFE,),
        ).rowcount
        connection.execute("DELETE FROM form_letters WHERE day < ?", (today - LETTER_LIFE,))
        connection.execute("DELETE FROM tallies WHERE day < ?", (today - TALLY_LIFE,))
        connection.execute("DELETE FROM pauses WHERE until <= ?", (now,))
        return letters, _erase_bounced(connection, today - BOUNCED_LIFE)

    letters, bounced = office.database.write(work)
    if unconfirmed or letters or bounced:
        LOG.info(
            "forgotten: %d requests that nobody confirmed, %d letters, %d addresses without a mailbox",
            unconfirmed, letters, bounced,
        )  # fmt: skip
    office.database.empty_log()


def _erase_bounced(connection: sqlite3.Connection, before: int) -> int:
    """Take those off the list whose mailbox is none: a keyed hash stays."""
    gone = connection.execute(
        "SELECT subscriptions.id FROM suppressions JOIN subscriptions USING (lookup)"
        " WHERE suppressions.reason = 'bounced' AND suppressions.day < ? AND subscriptions.state = 'confirmed'",
        (before,),
    ).fetchall()
    for row in gone:
        blank(connection, bytes(row["id"]))
    return len(gone)
