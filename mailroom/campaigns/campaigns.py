"""Campaigns: what is to be mailed, to whom it goes, and what became of its letters.

An editor's program hands in drafts and starts what was reviewed. A start is one transaction: it takes the list of
recipients as it is then, and makes a letter for each. Selecting and inserting is the database's work, so that memory
does not grow with the list.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

from mailroom.campaigns.recipients import Selection, readers, readers_of_wrong_letter
from mailroom.clock import Clock, day_of
from mailroom.errors import CampaignClosed, DraftChanged, InvalidCampaign, TooManyTests, UnknownCampaign
from mailroom.store.database import Database
from mailroom.store.facts import may_deliver
from mailroom.store.vault import Vault

#: What a client hands in; the digests of the week are composed here, as rows of a fourth kind.
Kind = Literal["post", "correction", "notice"]
State = Literal["draft", "started", "paused", "stopped", "finished"]
#: Test letters in a day, whoever asks.
TESTS_PER_DAY = 50


@dataclass(frozen=True, slots=True)
class Content:
    """What a letter says; `html` is a fragment that the allow-list lets through."""

    subject: str
    preheader: str
    title: str
    summary: str
    url: str
    html: str
    text: str
    reply_to: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A campaign as it is handed in; `digest` is what the client computed over what it reviewed."""

    key: str
    kind: Kind
    lang: str
    post: str
    digest: str
    content: Content = field(repr=False)
    corrects: str = ""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign and how many of its letters are in which state; `created` and `started` are days."""

    key: str
    kind: str
    lang: str
    post: str
    corrects: str
    digest: str
    state: State
    created: int
    started: int | None
    release: int
    letters: Mapping[str, int]


class Campaigns:
    """The campaigns in the database. Every method returns when what it did is on the disk."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def get(self, key: str) -> Campaign:
        """A campaign. Raises UnknownCampaign."""
        found = self._find((key, "", ""))
        if not found:
            raise _unknown(key)
        return found[0]

    def find(self, *, post: str = "", state: str = "") -> list[Campaign]:
        """The campaigns of a post, in a state, or all, by key."""
        return self._find(("", post, state))

    def put(self, draft: Draft) -> bool:
        """Keep a draft; tell whether it is a new one.

        A stopped campaign becomes a draft again when its content has changed: it then goes to those whom the letter
        had not reached. Raises CampaignClosed for one that has been started.
        """
        content = json.dumps(asdict(draft.content), ensure_ascii=False)
        today = self._clock.today()

        def work(connection: sqlite3.Connection) -> bool:
            found = connection.execute("SELECT state, digest FROM campaigns WHERE key = ?", (draft.key,)).fetchone()
            state = found["state"] if found else "draft"
            if state != "draft" and (state != "stopped" or found["digest"] == draft.digest):
                remedy = "What was sent is put right by a correction."
                raise CampaignClosed(f"{draft.key} has been {_PAST[state]}", remedy)
            connection.execute(
                "INSERT INTO campaigns (key, kind, lang, post, corrects, digest, content, state, created)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, 'draft', ?) ON CONFLICT (key) DO UPDATE SET kind = excluded.kind,"
                " lang = excluded.lang, post = excluded.post, corrects = excluded.corrects, digest = excluded.digest,"
                " content = excluded.content, state = 'draft', started = NULL",
                (draft.key, draft.kind, draft.lang, draft.post, draft.corrects or None, draft.digest, content, today),
            )
            return found is None

        return self._database.write(work)

    def delete(self, key: str) -> None:
        """Delete a draft, and test letters of it; one that had been stopped is stopped again.

        Raises UnknownCampaign, CampaignClosed.
        """

        def work(connection: sqlite3.Connection) -> None:
            row = _row(connection, key)
            if row["state"] != "draft":
                raise CampaignClosed(f"{key} has been started", "Only a draft can be deleted; a campaign is stopped.")
            sent = connection.execute("SELECT 1 FROM letters WHERE campaign = ? AND kind <> 'test'", (key,)).fetchone()
            if sent:
                connection.execute("UPDATE campaigns SET state = 'stopped' WHERE key = ?", (key,))
                return
            connection.execute("DELETE FROM letters WHERE campaign = ?", (key,))
            connection.execute("DELETE FROM campaigns WHERE key = ?", (key,))

        self._database.write(work)

    def start(self, digests: Mapping[str, str], hold: int = 0) -> None:
        """Start what was reviewed, by key and digest: all of it or nothing. No letter leaves for `hold` seconds.

        What has been started already stays as it is, so that a repeated call does nothing. Raises UnknownCampaign,
        DraftChanged, CampaignClosed, InvalidCampaign.
        """
        release = int(self._clock.now()) + hold
        today = self._clock.today()

        def work(connection: sqlite3.Connection) -> None:
            rows = [_row(connection, key) for key in digests]
            for row in rows:
                _check_start(row, digests[row["key"]])
            if len({(row["kind"], row["post"]) for row in rows}) > 1:
                raise InvalidCampaign("These are not the campaigns of one post", "Start each post on its own.")
            drafts = [row for row in rows if row["state"] == "draft"]
            if not drafts:
                return
            if not may_deliver(connection):
                raise CampaignClosed("Delivery is off", "Whoever runs the mailroom: ./blog mailroom delivery on.")
            fill_recipients(connection, _select(connection, drafts))
            connection.executemany(
                "UPDATE campaigns SET state = 'started', started = ?, release = ? WHERE key = ?",
                [(day_of(release), release, row["key"]) for row in drafts],
            )
            # A reader of the new translation may get the post in a language of theirs that was there before.
            connection.execute(
                "UPDATE campaigns SET state = 'started' WHERE state = 'finished'"
                " AND key IN (SELECT campaign FROM recipients)"
            )
            connection.execute(
                "INSERT INTO letters (id, kind, campaign, subscription, lang, state, due, first_due, day)"
                " SELECT randomblob(8), 'campaign', campaign, subscription, lang, 'pending', ?1, ?1, ?2"
                " FROM recipients WHERE true"
                # Whom the campaign did not reach when it went out before.
                " ON CONFLICT (campaign, subscription) DO UPDATE SET state = 'pending', due = ?1, first_due = ?1,"
                " day = ?2, attempts = 0, reply = '', domain = NULL WHERE state IN ('refused', 'expired', 'dropped')",
                (release, today),
            )
            if drafts[0]["kind"] != "correction":
                connection.execute(
                    "INSERT INTO received SELECT subscription, ?, campaign FROM recipients", (drafts[0]["post"],)
                )
            connection.execute("DELETE FROM recipients")

        self._database.write(work)

    def recipients(self, key: str) -> int:
        """How many would get a draft if it were started alone now. Raises UnknownCampaign."""
        with self._database.snapshot() as connection:
            row = _row(connection, key)
            if row["state"] != "draft":
                return 0
            with contextlib.suppress(InvalidCampaign):  # a correction of what has not been sent
                return sum(selection.count(connection) for selection in _select(connection, [row]))
            return 0

    def stop(self, key: str) -> None:
        """Drop what has not left, also from digests; twice is once. Raises UnknownCampaign, CampaignClosed."""
        today = self._clock.today()

        def work(connection: sqlite3.Connection) -> None:
            row = _row(connection, key)
            if row["state"] == "draft":
                raise CampaignClosed(f"{key} has not been started", "A draft is deleted, not stopped.")
            _drop(connection, key, today)
            _drop_from_digests(connection, key, today)
            connection.execute("UPDATE campaigns SET state = 'stopped', release = 0 WHERE key = ?", (key,))

        self._database.write(work)

    def send_test(self, key: str, address: str, vault: Vault) -> None:
        """Make a letter to one address outside the list. Raises UnknownCampaign, TooManyTests."""
        identity = os.urandom(8)
        sealed = vault.seal(address, b"letter" + identity)
        now, today = int(self._clock.now()), self._clock.today()

        def work(connection: sqlite3.Connection) -> None:
            row = _row(connection, key)
            tests = connection.execute("SELECT count(*) FROM letters WHERE kind = 'test' AND day = ?", (today,))
            if tests.fetchone()[0] >= TESTS_PER_DAY:
                raise TooManyTests(f"{TESTS_PER_DAY} test letters were asked for today", "Go on tomorrow.")
            connection.execute(
                "INSERT INTO letters (id, kind, campaign, address, lang, state, due, first_due, day)"
                " VALUES (?, 'test', ?, ?, ?, 'pending', ?, ?, ?)",
                (identity, key, sealed, row["lang"], now, now, today),
            )

        self._database.write(work)

    def resend_unknown(self, key: str) -> int:
        """Have letters sent of which nobody knows whether they were taken, and a paused campaign go on.

        Returns how many. They keep their Message-ID, by which a mailbox can tell that it has one already. Raises
        UnknownCampaign, CampaignClosed for a stopped one.
        """
        now, today = int(self._clock.now()), self._clock.today()

        def work(connection: sqlite3.Connection) -> int:
            row = _row(connection, key)
            if row["state"] in ("draft", "stopped"):
                raise CampaignClosed(f"{key} is {_PAST[row['state']]}", "Nothing of it is sent.")
            resent = connection.execute(
                "UPDATE letters SET state = 'pending', attempts = 0, due = ?1, first_due = ?1, claim = NULL,"
                " reply = '', day = ?2 WHERE campaign = ?3 AND state = 'unknown' AND kind <> 'test'",
                (now, today, key),
            ).rowcount
            if resent or row["state"] == "paused":
                connection.execute(
                    # A digest that was made meanwhile left a paused post out: in the next one it is new.
                    "UPDATE campaigns SET started = iif(kind = 'post' AND state = 'paused', max(started, ?), started),"
                    " state = 'started' WHERE key = ?",
                    (today, key),
                )
            return resent

        return self._database.write(work)

    def finish(self) -> int:
        """Close campaigns none of whose letters waits or is on its way; return how many."""
        now = int(self._clock.now())

        def work(connection: sqlite3.Connection) -> int:
            return connection.execute(
                "UPDATE campaigns SET state = 'finished', release = 0 WHERE state = 'started' AND release <= ?"
                " AND NOT EXISTS (SELECT 1 FROM letters WHERE campaign = key AND kind <> 'test'"
                "  AND letters.state IN ('pending', 'claimed', 'sending', 'deferred'))",
                (now,),
            ).rowcount

        return self._database.write(work)

    def _find(self, values: tuple[str, str, str]) -> list[Campaign]:
        with self._database.snapshot() as connection:
            rows = connection.execute(_FOUND, values).fetchall()
            letters: dict[str, dict[str, int]] = {row["key"]: {} for row in rows}
            for key, state, count in connection.execute(_COUNTED, values):
                letters[key][state] = count
        return [
            Campaign(
                row["key"], row["kind"], row["lang"], row["post"], row["corrects"] or "", row["digest"],
                row["state"], row["created"], row["started"], row["release"], letters[row["key"]],
            )
            for row in rows
        ]  # fmt: skip


_FOUND = """
SELECT key, kind, lang, post, corrects, digest, state, created, started, release FROM campaigns
WHERE (key = ?1 OR ?1 = '') AND (post = ?2 OR ?2 = '') AND (state = ?3 OR ?3 = '')
ORDER BY key
"""
_COUNTED = """
SELECT letters.campaign, letters.state, count(*) FROM letters JOIN campaigns ON campaigns.key = letters.campaign
WHERE (key = ?1 OR ?1 = '') AND (post = ?2 OR ?2 = '') AND (campaigns.state = ?3 OR ?3 = '') AND letters.kind <> 'test'
GROUP BY letters.campaign, letters.state
"""
_PAST: dict[str, str] = {
    "draft": "a draft",
    "started": "started",
    "paused": "paused",
    "stopped": "stopped",
    "finished": "sent",
}


def _unknown(key: str) -> UnknownCampaign:
    return UnknownCampaign(f"There is no campaign {key}", "Look at the list: GET campaigns.")


def _row(connection: sqlite3.Connection, key: str) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute("SELECT * FROM campaigns WHERE key = ?", (key,)).fetchone()
    if row is None:
        raise _unknown(key)
    return row


def _check_start(row: sqlite3.Row, digest: str) -> None:
    key = row["key"]
    if row["kind"] == "digest":
        raise InvalidCampaign(f"{key} is composed and sent by the mailroom itself", "Stop it, or leave it.")
    if row["digest"] != digest:
        raise DraftChanged(f"{key} is not what was reviewed: its digest is another", "Review it again.")
    if row["state"] == "stopped":
        raise CampaignClosed(f"{key} has been stopped", "Hand in what is to be sent instead, and start that.")
    if row["state"] == "paused":
        raise CampaignClosed(f"{key} is paused", "Stop it, or have it go on: ./blog mailroom resend --unknown KEY.")


def _select(connection: sqlite3.Connection, drafts: Sequence[sqlite3.Row]) -> list[Selection]:
    """To whom these drafts of one post would go."""
    kind, post = drafts[0]["kind"], drafts[0]["post"]
    if kind == "correction":
        return [_select_wronged(connection, draft) for draft in drafts]
    known = connection.execute(
        "SELECT lang, key FROM campaigns WHERE post = ? AND kind = ? AND state IN ('started', 'finished')", (post, kind)
    )
    fresh = {draft["lang"]: draft["key"] for draft in drafts}
    present = {**dict(map(tuple, known)), **fresh}
    return [readers(connection, post, present, fresh, "each" if kind == "post" else None)]


def _select_wronged(connection: sqlite3.Connection, draft: sqlite3.Row) -> Selection:
    key = draft["corrects"] or ""
    first = connection.execute("SELECT * FROM campaigns WHERE key = ?", (key,)).fetchone()
    if first is None or first["kind"] not in ("post", "notice") or first["lang"] != draft["lang"]:
        raise InvalidCampaign(
            f"{draft['key']}: corrects names no post or notice in {draft['lang']}: {key or 'nothing'}",
            "Name the campaign of the first letter.",
        )
    if first["state"] == "draft":
        raise InvalidCampaign(f"{draft['key']}: corrects names {key}, which was sent to nobody", "Change that draft.")
    return readers_of_wrong_letter(draft["key"], draft["lang"], key)


def fill_recipients(connection: sqlite3.Connection, selections: Iterable[Selection]) -> None:
    """Keep who was selected in `recipients`, a table in memory, until the end of the transaction's work."""
    connection.execute(
        "CREATE TEMP TABLE IF NOT EXISTS recipients"
        " (subscription BLOB PRIMARY KEY, campaign TEXT NOT NULL, lang TEXT NOT NULL) WITHOUT ROWID"
    )
    for selection in selections:
        connection.execute(f"INSERT OR IGNORE INTO recipients {selection.sql}", selection.values)


def _drop(connection: sqlite3.Connection, key: str, today: int) -> None:
    """Drop a campaign's letters that have not left; who was to get them has not had the post."""
    connection.execute(
        "UPDATE letters SET state = 'dropped', due = 0, first_due = 0, claim = NULL, day = ?"
        " WHERE campaign = ? AND kind <> 'test' AND state IN ('pending', 'claimed', 'deferred')",
        (today, key),
    )
    posts = connection.execute(
        "SELECT DISTINCT ifnull(posts, campaign) FROM letters WHERE campaign = ? AND state = 'dropped'", (key,)
    )
    for campaign in {each for (keys,) in posts for each in keys.split(",")}:
        connection.execute(
            "DELETE FROM received WHERE campaign = ?1 AND subscription IN ("
            " SELECT subscription FROM letters WHERE campaign = ?2 AND state = 'dropped'"
            " AND instr(',' || ifnull(posts, campaign) || ',', ',' || ?1 || ','))",
            (campaign, key),
        )


def _drop_from_digests(connection: sqlite3.Connection, key: str, today: int) -> None:
    """Take a post out of digests that have not left; one that holds nothing more is dropped."""
    waiting = connection.execute(
        "SELECT id, subscription, posts FROM letters WHERE state IN ('pending', 'claimed', 'deferred')"
        " AND campaign IN (SELECT key FROM campaigns WHERE kind = 'digest' AND state IN ('started', 'paused'))"
        " AND instr(',' || posts || ',', ',' || ? || ',')",
        (key,),
    ).fetchall()
    for letter in waiting:
        posts = ",".join(each for each in letter["posts"].split(",") if each != key)
        # What is claimed is claimed anew, so that it does not leave as it was composed before.
        connection.execute(
            "UPDATE letters SET posts = ?1, claim = NULL, day = ?2, state = iif(?1 = '', 'dropped', 'pending'),"
            " due = iif(?1 = '', 0, due), first_due = iif(?1 = '', 0, first_due) WHERE id = ?3",
            (posts, today, letter["id"]),
        )
        connection.execute(
            "DELETE FROM received WHERE subscription = ? AND campaign = ?", (letter["subscription"], key)
        )
