"""The digest of the week: one letter with the posts that a weekly reader has not had; none when there are none.

It is made at MAILROOM_DIGEST, or later when the mailroom was not running then. A week's digest is one transaction that
begins with its campaign, so it is made once, whole, however often the process is killed meanwhile.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

from mailroom.campaigns.recipients import readers
from mailroom.clock import Clock, day_of
from mailroom.settings import WEEKDAYS
from mailroom.store.database import Database
from mailroom.store.facts import may_deliver

#: The `lang` of a digest's campaign, whose letters are in many languages (ISO 639-2).
LANG = "mul"
#: How far back the first digest looks, in days.
WEEK = 7


class Digests:
    """Makes the digest of the week when it is due; `time` is MAILROOM_DIGEST, "sunday 08:00" in UTC."""

    def __init__(self, database: Database, clock: Clock, time: str) -> None:
        self._database = database
        self._clock = clock
        self._time = time

    def make_due(self) -> int | None:
        """Make the digest that is due; return of how many letters, None when none is due or delivery is off."""
        now = self._clock.now()
        return self._database.write(
            lambda connection: make(connection, self._time, now) if may_deliver(connection) else None
        )


def latest(time: str, now: float) -> datetime:
    """The last instant at or before `now` that MAILROOM_DIGEST names."""
    weekday, _, hour = time.partition(" ")
    today = datetime.fromtimestamp(now, UTC)
    named = today.replace(hour=int(hour[:2]), minute=int(hour[3:]), second=0, microsecond=0)
    named -= timedelta(days=(today.weekday() - WEEKDAYS.index(weekday)) % 7)
    return named if named <= today else named - timedelta(days=7)


def key_of(instant: datetime) -> str:
    """The digest of an ISO week: `digest-2026-w47`. Later weeks have greater keys."""
    year, week, _ = instant.isocalendar()
    return f"digest-{year}-w{week:02}"


def make(connection: sqlite3.Connection, time: str, instant: float) -> int | None:
    """Make the last digest that was due, unless it or a later one is there; return of how many letters."""
    key, now = key_of(latest(time, instant)), int(instant)
    before = connection.execute(
        "SELECT max(key) AS key, max(started) AS day FROM campaigns WHERE kind = 'digest'"
    ).fetchone()
    if before["key"] and before["key"] >= key:
        return None
    today = day_of(now)
    since = today - WEEK if before["day"] is None else before["day"]
    connection.execute(
        "INSERT INTO campaigns (key, kind, lang, post, digest, content, state, created, started, release)"
        " VALUES (?1, 'digest', ?2, ?1, '', '{}', 'started', ?3, ?3, ?4)",
        (key, LANG, today, now),
    )
    _collect(connection, since, now)
    made = connection.execute(
        "INSERT INTO letters (id, kind, campaign, subscription, lang, posts, state, due, first_due, day)"
        " SELECT randomblob(8), 'digest', ?1, id, substr(langs, 1, instr(langs || ',', ',') - 1),"
        "  (SELECT group_concat(campaign) FROM"
        "   (SELECT campaign FROM entries WHERE subscription = subscriptions.id ORDER BY place)),"
        "  'pending', ?2, ?2, ?3 FROM subscriptions WHERE id IN (SELECT subscription FROM entries)",
        (key, now, today),
    ).rowcount
    connection.execute("INSERT INTO received SELECT subscription, post, campaign FROM entries")
    connection.execute("DELETE FROM entries")
    connection.execute(
        "UPDATE subscriptions SET rhythm = 'each' WHERE rhythm = 'both' AND NOT EXISTS"
        # It was started while they read digests, and is in none yet.
        " (SELECT 1 FROM campaigns WHERE kind = 'post' AND (state = 'paused' OR state = 'started' AND release > ?))",
        (now,),
    )
    return made


def _collect(connection: sqlite3.Connection, since: int, now: int) -> None:
    """Fill `entries`, a table in memory: what each reader has not had of what was started since that day."""
    connection.execute(
        "CREATE TEMP TABLE IF NOT EXISTS entries (subscription BLOB, place INTEGER, post TEXT, campaign TEXT,"
        " PRIMARY KEY (subscription, place)) WITHOUT ROWID"
    )
    released = connection.execute(
        "SELECT post, lang, key, started >= ? AS fresh FROM campaigns"
        " WHERE kind = 'post' AND state IN ('started', 'finished') AND release <= ? ORDER BY started, post, key",
        (since, now),
    ).fetchall()
    for place, post in enumerate(dict.fromkeys(row["post"] for row in released if row["fresh"])):
        own = [row for row in released if row["post"] == post]
        present = {row["lang"]: row["key"] for row in own}
        fresh = {row["lang"] for row in own if row["fresh"]}
        selection = readers(connection, post, present, fresh, "weekly")
        query = f"INSERT INTO entries SELECT subscription, :place, :post, campaign FROM ({selection.sql})"  # noqa: S608
        connection.execute(query, {**selection.values, "place": place})
