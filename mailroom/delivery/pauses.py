"""What is not delivered to for a while: the relay, or a recipient's domain that refuses what we send.

A pause is a row that other processes see, so that `status` can tell and an operator can end it. Domains are known by
keyed hashes alone. Letters of forms are held by the relay's pause only: somebody waits for them, and a campaign that a
domain dislikes says nothing of them.
"""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import dataclass

from mailroom.clock import HOUR, MINUTE
from mailroom.store.database import Database
from mailroom.store.facts import LAST_DAY

#: The name of the relay's pause, where a domain's has a hash.
RELAY = b""
#: A relay's first pause in seconds, doubling with every failure in a row.
RELAY_PAUSE, LONGEST_RELAY_PAUSE = MINUTE, HOUR
#: A domain's pause in seconds.
DOMAIN_PAUSE = 4 * HOUR
#: A domain is paused when it refuses one in five of a campaign's letters, once there were ten. Of few letters it has to
#: be some more than that: where one mailbox in ten is gone, two of the first ten are so once in four times.
ENOUGH_LETTERS, ONE_IN, MARGIN = 10, 5, 3


LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DomainPaused:
    """A domain refused too many letters of a campaign: so many wait again, so many suppressions were undone."""

    domain: bytes
    campaign: str
    reply: str
    waiting: int
    lifted: int


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause that holds: of the relay (`domain` is empty) or of a domain, until an instant, after which reply."""

    domain: bytes
    until: int
    reply: str
    campaign: str | None

    @property
    def is_relay(self) -> bool:
        """Whether nothing at all is delivered."""
        return self.domain == RELAY


def name_of(domain: bytes) -> str:
    """What a domain is called where a person reads of it: small ones would name somebody."""
    return domain.hex()[:8]


def standing(database: Database, now: float) -> list[Pause]:
    """The pauses that hold now, the relay's first."""
    rows = database.read("SELECT * FROM pauses WHERE until > ? ORDER BY domain", (int(now),))
    return [Pause(bytes(row["domain"]), row["until"], row["reply"], row["campaign"]) for row in rows]


def resume(database: Database, now: float) -> int:
    """End all pauses: whoever runs the mailroom has removed the cause. Returns how many there were.

    Letters that waited for a domain are due now. The clock is taken for right, though it may have been ahead before.
    """

    def work(connection: sqlite3.Connection) -> int:
        connection.execute(
            "UPDATE letters SET due = ? WHERE state = 'pending' AND domain IN (SELECT domain FROM pauses)",
            (int(now),),
        )
        connection.execute("DELETE FROM facts WHERE name = ?", (LAST_DAY,))
        return connection.execute("DELETE FROM pauses").rowcount

    return database.write(work)


def pause(connection: sqlite3.Connection, domain: bytes, until: int, reply: str, campaign: str | None = None) -> None:
    """Pause the relay or a domain."""
    connection.execute("INSERT OR REPLACE INTO pauses VALUES (?, ?, ?, ?)", (domain, until, reply, campaign))


def paused_until(connection: sqlite3.Connection, domain: bytes, now: int) -> int:
    """The instant until which a domain is paused; 0 when it is not."""
    row = connection.execute("SELECT until FROM pauses WHERE domain = ? AND until > ?", (domain, now)).fetchone()
    return int(row["until"]) if row else 0


def count(connection: sqlite3.Connection, campaign: str, domain: bytes, day: int, *, refused: bool) -> bool:
    """Count a letter that a domain took or refused; tell whether the domain is now to be paused."""
    row = connection.execute(
        "INSERT INTO tallies VALUES (?1, ?2, 1 - ?4, ?4, ?3) ON CONFLICT DO UPDATE"
        " SET taken = taken + 1 - ?4, refused = refused + ?4, day = ?3 RETURNING taken, refused",
        (campaign, domain, day, refused),
    ).fetchone()
    letters = row["taken"] + row["refused"]
    return refused and letters >= ENOUGH_LETTERS and (row["refused"] - MARGIN) * ONE_IN >= letters


def uncount(connection: sqlite3.Connection, campaign: str, domain: bytes) -> None:
    """A letter that a domain took has come back: it did not."""
    connection.execute(
        "UPDATE tallies SET taken = taken - 1 WHERE campaign = ? AND domain = ? AND taken > 0", (campaign, domain)
    )


def forget_tally(connection: sqlite3.Connection, campaign: str, domain: bytes) -> None:
    """Count anew, when the domain is tried again."""
    connection.execute("DELETE FROM tallies WHERE campaign = ? AND domain = ?", (campaign, domain))


def tell(paused: DomainPaused) -> None:
    """Tell the operator that a domain refuses letters."""
    LOG.warning(
        "a recipient's domain (%s) refuses letters of %s, lastly with %s: it is tried again in %d hours. %d letters"
        " wait again, %d suppressions are undone. Ask its postmaster why; ./blog mailroom status lists pauses",
        name_of(paused.domain), paused.campaign, paused.reply, DOMAIN_PAUSE // HOUR, paused.waiting, paused.lifted,
    )  # fmt: skip


def relay_wait(failures: int) -> int:
    """Seconds for which the relay is left alone after so many failures in a row."""
    return min(RELAY_PAUSE << min(failures - 1, 6), LONGEST_RELAY_PAUSE)
