"""Letters and what becomes of them: every change of a letter's state is a transaction here.

`pending → claimed → sending → sent | bounced | refused | deferred | unknown | expired | dropped`. What is `claimed` has
not left and may be claimed again; what is `sending` may have, and nobody sends it again unless an operator says so. A
claim has a number of its own, which every later step repeats: whoever held a letter before can do nothing to it.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from mailroom.clock import HOUR, Clock
from mailroom.delivery import pauses
from mailroom.delivery.pauses import DomainPaused
from mailroom.delivery.replies import LAST_ATTEMPT, Reply, Verdict, classify_report, wait_after
from mailroom.errors import Unreadable
from mailroom.people.addresses import normalise
from mailroom.people.suppressions import is_suppressed, lift, suppress
from mailroom.settings import Settings
from mailroom.store.database import Database
from mailroom.store.journal import Journal
from mailroom.store.vault import Lookup, Vault

T = TypeVar("T")
#: Seconds after which a letter that was claimed, and of which nothing was heard, may be claimed again.
LEASE = HOUR
#: Days in which a domain's refusals may still be undone: longer than anything is tried.
UNDONE_WITHIN = 3
#: Letters of lists: only who confirmed and is not suppressed gets them. Those of forms go to whoever asked.
LISTED = ("campaign", "digest")


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter that this process has claimed."""

    identity: bytes
    claim: bytes
    kind: str
    campaign: str | None
    #: Of the campaign's content.
    digest: str
    subscription: bytes | None
    lang: str
    posts: tuple[str, ...]
    attempts: int
    first_due: int
    discreet: bool
    address: str = field(repr=False)
    lookups: tuple[Lookup, ...] = field(repr=False)
    domain: bytes

    @property
    def is_listed(self) -> bool:
        """Whether it goes to a list, not to somebody who just asked for it."""
        return self.kind in LISTED


class Queue:
    """The letters in the database. Every method returns when what it did is on the disk."""

    def __init__(self, database: Database, vault: Vault, journal: Journal, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._journal = journal
        self._clock = clock

    def recover(self) -> Counter[str]:
        """After a start: what was claimed waits again, what was on its way is unknown. Returns how many of each.

        Only one process may deliver; it calls this when it alone is there.
        """

        def work(connection: sqlite3.Connection) -> Counter[str]:
            pending = connection.execute(
                "UPDATE letters SET state = 'pending', claim = NULL, due = ? WHERE state = 'claimed'", (self._now(),)
            ).rowcount
            unknown = connection.execute(
                "UPDATE letters SET state = 'unknown', due = 0, first_due = 0, claim = NULL, address = NULL, day = ?"
                " WHERE state = 'sending'",
                (self._clock.today(),),
            ).rowcount
            return Counter(pending=pending, unknown=unknown)

        return self._database.write(work)

    # Before the relay

    def claim(self, most: int, *, lists: int, instant: float | None = None) -> list[Letter]:
        """Claim letters due at an instant, or now: of forms and tests first, then at most `lists` of campaigns.

        Who has no address any more is dropped here, and whose domain is paused waits until its end.
        """
        now, claim = self._now() if instant is None else int(instant), os.urandom(8)
        held = {each.domain: each.until for each in pauses.standing(self._database, now)}
        while rows := self._due(most, lists, now):
            steps = [self._prepare(row, claim, held, now) for row in rows]
            if letters := self._database.write(partial(self._claim, steps, now)):
                return letters
        return []

    def _due(self, most: int, lists: int, now: int) -> list[sqlite3.Row]:
        """What is due, in the order in which it goes. Each query reads no more rows of its index than it returns."""
        rows: list[sqlite3.Row] = []
        with self._database.snapshot() as reader:
            for source in ("letters.campaign IS NULL", "letters.kind = 'test'"):
                rows += _select(reader, source, {"now": now, "most": most - len(rows)})
            running = reader.execute("SELECT key FROM campaigns WHERE state = 'started' AND release <= ?", (now,))
            keys = [row["key"] for row in running]
            room = min(most - len(rows), lists)
            for count, key in enumerate(keys):
                share = -(-room // (len(keys) - count))  # campaigns of one post go out side by side
                source = "letters.campaign = :campaign AND letters.kind <> 'test'"
                found = _select(reader, source, {"now": now, "most": share, "campaign": key})
                rows += found
                room -= len(found)
        return rows

    def _prepare(self, row: sqlite3.Row, claim: bytes, held: dict[bytes, int], now: int) -> Letter | _Step:
        """What to do with a letter that is due: claim it, have it wait, or drop it."""
        identity, subscription = bytes(row["id"]), row["subscription"]
        try:
            if row["own"] is not None:
                address = self._vault.open(bytes(row["own"]), b"letter" + identity)
            elif row["address"] is not None and not row["suppressed"]:
                address = self._vault.open(bytes(row["address"]), bytes(subscription))
            else:
                return partial(_drop, identity=identity, day=self._clock.today())
        except Unreadable:
            return partial(_drop, identity=identity, day=self._clock.today())
        normalised = normalise(address)
        domain = self._vault.domain(normalised)
        # 72 hours begin with the first attempt, not while the relay was away.
        first_due = row["first_due"] if row["domain"] is not None else now
        if row["kind"] in LISTED and domain in held:
            return partial(
                _hold, identity=identity, until=held[domain], domain=domain, first_due=first_due,
                day=self._clock.today(),
            )  # fmt: skip
        return Letter(
            identity, claim, row["kind"], row["campaign"], row["digest"] or "",
            bytes(subscription) if subscription else None, row["lang"],
            tuple(row["posts"].split(",")) if row["posts"] else (), row["attempts"], first_due, bool(row["discreet"]),
            address, tuple(self._vault.lookups(normalised)), domain,
        )  # fmt: skip

    def _claim(self, steps: Sequence[Letter | _Step], now: int, connection: sqlite3.Connection) -> list[Letter]:
        claimed = []
        for step in steps:
            if not isinstance(step, Letter):
                step(connection)
            elif connection.execute(
                "UPDATE letters SET state = 'claimed', claim = ?, due = ?, domain = ?, first_due = ?"
                " WHERE id = ? AND state IN ('pending', 'deferred', 'claimed') AND due <= ?",
                (step.claim, now + LEASE, step.domain, step.first_due, step.identity, now),
            ).rowcount:
                claimed.append(step)
        return claimed

    def put_back(self, letters: Collection[Letter], due: int = 0) -> None:
        """Have letters wait again that the relay has not got, at once or until an instant."""
        self._database.write(partial(self._put_back, letters, due))

    def _put_back(self, letters: Collection[Letter], due: int, connection: sqlite3.Connection) -> None:
        connection.executemany(
            "UPDATE letters SET state = 'pending', claim = NULL, due = ?"
            " WHERE id = ? AND claim = ? AND state IN ('claimed', 'sending')",
            [(max(due, self._now()), letter.identity, letter.claim) for letter in letters],
        )

    def begin(self, letter: Letter) -> bool:
        """Before the first octet of a letter leaves: tell whether it may, which is then on the disk.

        It may not when it was taken from us, its campaign was stopped or paused, or who was to get it has left.
        """
        return self._database.write(partial(self._begin, letter))

    def _begin(self, letter: Letter, connection: sqlite3.Connection) -> bool:
        today = self._clock.today()
        condition = _ENTITLED[letter.kind]
        if letter.is_listed and len(letter.lookups) > 1 and is_suppressed(connection, letter.lookups):
            condition = "0"  # under a key before the one that their subscription is kept under
        begun = connection.execute(
            "UPDATE letters SET state = 'sending', day = ?"  # noqa: S608 - ours
            f" WHERE id = ? AND claim = ? AND state = 'claimed' AND {condition}",
            (today, letter.identity, letter.claim),
        ).rowcount
        if begun:
            connection.execute(
                "INSERT INTO deliveries VALUES (?1, 1, ?2)"
                " ON CONFLICT DO UPDATE SET letters = letters + 1, listed = listed + ?2",
                (today, letter.is_listed),
            )
            return True
        campaign = connection.execute("SELECT state FROM campaigns WHERE key = ?", (letter.campaign,)).fetchone()
        if letter.is_listed and campaign and campaign["state"] == "paused":
            self._put_back([letter], 0, connection)
        else:
            _drop(connection, letter.identity, today, letter.claim)
        return False

    # After the relay

    def accept(self, letter: Letter) -> None:
        """The relay took it."""
        self._database.write(partial(self._accept, letter))

    def _accept(self, letter: Letter, connection: sqlite3.Connection) -> None:
        today = self._clock.today()
        if _finish(connection, letter.identity, "sent", today, letter.claim) and letter.is_listed:
            pauses.count(connection, letter.campaign or "", letter.domain, today, refused=False)

    def lose(self, letter: Letter) -> None:
        """Nobody can know whether the relay took it."""
        today = self._clock.today()
        self._database.write(lambda connection: _finish(connection, letter.identity, "unknown", today, letter.claim))

    def give_up(self, letter: Letter) -> None:
        """Nobody foresaw what happened: a letter that may have left is unknown, another is tried later."""

        def work(connection: sqlite3.Connection) -> None:
            row = connection.execute("SELECT state FROM letters WHERE id = ?", (letter.identity,)).fetchone()
            if row and row["state"] == "sending":
                _finish(connection, letter.identity, "unknown", self._clock.today(), letter.claim)
            else:
                self._defer(letter, None, connection)

        self._database.write(work)

    def defer(self, letter: Letter, reply: Reply | None = None) -> bool:
        """Try again later; tell whether that is so: after 72 hours it has expired."""
        return self._database.write(partial(self._defer, letter, reply))

    def _defer(self, letter: Letter, reply: Reply | None, connection: sqlite3.Connection) -> bool:
        now, today = self._now(), self._clock.today()
        if now >= letter.first_due + LAST_ATTEMPT:
            if _finish(connection, letter.identity, "expired", today, letter.claim, str(reply or "")):
                _forget_received(connection, letter.identity)
            return False
        due = min(now + wait_after(letter.attempts + 1), letter.first_due + LAST_ATTEMPT)
        connection.execute(
            "UPDATE letters SET state = 'deferred', claim = NULL, attempts = attempts + 1, due = ?, reply = ?, day = ?"
            " WHERE id = ? AND claim = ? AND state IN ('claimed', 'sending')",
            (due, str(reply or ""), today, letter.identity, letter.claim),
        )
        return True

    def refuse(self, letter: Letter, reply: Reply | None, *, bounced: bool = False) -> DomainPaused | None:
        """It is refused for good, `bounced` because nobody has that mailbox, which is then suppressed.

        Where its domain refuses too many, that says nothing of any of them: the domain is paused, what it refused waits
        again, suppressions of this campaign are undone, and the operator is to be told what is returned.
        """
        return self._database.write(partial(self._refuse, letter, str(reply or ""), bounced))

    def _refuse(self, letter: Letter, reply: str, bounced: bool, connection: sqlite3.Connection) -> DomainPaused | None:
        now, today = self._now(), self._clock.today()
        if letter.is_listed:
            until = pauses.paused_until(connection, letter.domain, now)
            if until:  # it was under way when the others were refused
                self._put_back([letter], until, connection)
                return None
        state = "bounced" if bounced else "refused"
        if not _finish(connection, letter.identity, state, today, letter.claim, reply):
            return None
        return self._settle(connection, letter.identity, reply, bounced, letter.first_due)

    def come_back(self, identity: bytes, status: str) -> Verdict | None:
        """A report says that a letter which the relay took did not arrive (its enhanced status says why).

        It is then as if the relay had refused it. Returns None for a letter that is not `sent` or `unknown`.
        """

        def work(connection: sqlite3.Connection) -> tuple[Verdict | None, DomainPaused | None]:
            verdict = classify_report(status)
            bounced = verdict is Verdict.BOUNCED
            row = connection.execute(
                "UPDATE letters SET state = ?, reply = ?, day = ? WHERE id = ? AND state IN ('sent', 'unknown')"
                " RETURNING *",
                ("bounced" if bounced else "refused", status, self._clock.today(), identity),
            ).fetchone()
            if row is None:
                return None, None
            if row["kind"] in LISTED and row["domain"] is not None:
                pauses.uncount(connection, row["campaign"], bytes(row["domain"]))
            return verdict, self._settle(connection, identity, status, bounced, self._now())

        verdict, paused = self._database.write(work)
        if paused:
            pauses.tell(paused)
        return verdict

    def _settle(
        self, connection: sqlite3.Connection, identity: bytes, reply: str, bounced: bool, first_due: int
    ) -> DomainPaused | None:
        """What follows from a letter that is now `bounced` or `refused`."""
        today = self._clock.today()
        row = connection.execute("SELECT * FROM letters WHERE id = ?", (identity,)).fetchone()
        if bounced:
            self._suppress(connection, row, today)
        else:
            _forget_received(connection, identity)
        if row["kind"] not in LISTED or row["domain"] is None:  # a restored letter may never have been claimed
            return None
        domain = bytes(row["domain"])
        if not pauses.count(connection, row["campaign"], domain, today, refused=True):
            return None
        return self._pause_domain(connection, row["campaign"], domain, reply, first_due)

    def _suppress(self, connection: sqlite3.Connection, row: sqlite3.Row, today: int) -> None:
        """Suppress the address of whoever confirmed it. It is erased only days later: this may be undone."""
        found = connection.execute(
            "SELECT lookup, lookup_key FROM subscriptions WHERE id = ? AND state = 'confirmed'", (row["subscription"],)
        ).fetchone()
        if found:
            lookup = Lookup(found["lookup_key"], bytes(found["lookup"]))
            if not is_suppressed(connection, [lookup]):
                suppress(connection, self._journal, lookup, "bounced", today, row["campaign"] or "")

    def _pause_domain(
        self, connection: sqlite3.Connection, campaign: str, domain: bytes, reply: str, first_due: int
    ) -> DomainPaused:
        now, today = self._now(), self._clock.today()
        until = now + pauses.DOMAIN_PAUSE
        pauses.pause(connection, domain, until, reply, campaign)
        pauses.forget_tally(connection, campaign, domain)
        refused = connection.execute(
            "SELECT id, subscription, attempts FROM letters WHERE campaign = ? AND state IN ('bounced', 'refused')"
            " AND domain = ? AND day >= ?",
            (campaign, domain, today - UNDONE_WITHIN),
        ).fetchall()
        lifted = sum(self._lift(connection, campaign, row["subscription"], today) for row in refused)
        waiting = 0
        for row in refused:
            # A report on a letter that was taken does not know when it was first due: the pauses are counted instead.
            if until >= first_due + LAST_ATTEMPT or row["attempts"] >= LAST_ATTEMPT // pauses.DOMAIN_PAUSE:
                connection.execute("UPDATE letters SET state = 'expired' WHERE id = ?", (row["id"],))
                _forget_received(connection, bytes(row["id"]))
            elif _remember_received(connection, bytes(row["id"])):
                waiting += connection.execute(
                    "UPDATE letters SET state = 'pending', attempts = attempts + 1, due = ?, first_due = ?, day = ?"
                    " WHERE id = ?",
                    (until, first_due, today, row["id"]),
                ).rowcount
        if waiting:
            connection.execute(
                "UPDATE campaigns SET state = 'started' WHERE key = ? AND state = 'finished'", (campaign,)
            )
        return DomainPaused(domain, campaign, reply, waiting, lifted)

    def _lift(self, connection: sqlite3.Connection, campaign: str, subscription: bytes, today: int) -> bool:
        """Undo what a bounce of this campaign did, unless its owner has left since."""
        row = connection.execute(
            "SELECT suppressions.lookup, suppressions.lookup_key FROM subscriptions JOIN suppressions USING (lookup)"
            " WHERE subscriptions.id = ? AND subscriptions.state = 'confirmed'"
            " AND suppressions.reason = 'bounced' AND suppressions.campaign = ?",
            (subscription, campaign),
        ).fetchone()
        if row is None:
            return False
        lift(connection, self._journal, [Lookup(row["lookup_key"], bytes(row["lookup"]))], today)
        return True

    def pause_relay(self, letter: Letter | None, until: int, reason: str, reply: Reply | None = None) -> bool:
        """Leave the relay alone until an instant; a letter that it has not got waits again.

        With a reply to the letter itself it is deferred: where it is the cause, it must neither stay for ever nor stop
        the others each time. Returns False when it has expired.
        """

        def work(connection: sqlite3.Connection) -> bool:
            pauses.pause(connection, pauses.RELAY, until, reason)
            if letter and reply:
                return self._defer(letter, reply, connection)
            self._put_back([letter] if letter else [], 0, connection)
            return True

        return self._database.write(work)

    def pause_campaign(self, letters: Collection[Letter], campaign: str) -> None:
        """Pause a campaign whose letters cannot be composed; these wait again."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE campaigns SET state = 'paused' WHERE key = ? AND state = 'started'", (campaign,))
            self._put_back(letters, 0, connection)

        self._database.write(work)

    def sent_on(self, day: int) -> tuple[int, int]:
        """How many letters went to the relay on a day, and which day of delivering to lists it is, counted from 0."""
        rows = self._database.read(
            "SELECT ifnull(sum(letters) FILTER (WHERE day = ?1), 0), count(*) FILTER (WHERE day < ?1 AND listed > 0)"
            " FROM deliveries",
            (day,),
        )
        return int(rows[0][0]), int(rows[0][1])

    def _now(self) -> int:
        return int(self._clock.now())


def cap_on(settings: Settings, day: int) -> int:
    """How many letters may go on a day of delivering to lists, counted from 0; 0 for any number."""
    return settings.warm_up[day] if day < len(settings.warm_up) else settings.daily_cap


_Step = Callable[[sqlite3.Connection], Any]
_ADDRESSED = "EXISTS (SELECT 1 FROM subscriptions WHERE id = letters.subscription AND address IS NOT NULL)"
_LISTED = """
EXISTS (SELECT 1 FROM subscriptions WHERE id = letters.subscription AND state = 'confirmed'
    AND NOT EXISTS (SELECT 1 FROM suppressions WHERE suppressions.lookup = subscriptions.lookup))
AND EXISTS (SELECT 1 FROM campaigns WHERE key = letters.campaign AND state = 'started')
"""
# Who may get a letter, at the moment when it leaves.
_ENTITLED = {
    "campaign": _LISTED,
    "digest": _LISTED,
    "confirmation": _ADDRESSED,
    "settings": _ADDRESSED,
    "test": "address IS NOT NULL",
}
# A letter whose claim's lease is over may be claimed anew. What is tried again goes before what waits, or a long list
# that leaves slowly (a daily cap) would keep it waiting beyond its 72 hours.
_WAITING = ("claimed", "deferred", "pending")
_SELECTED = """
SELECT letters.id, letters.kind, letters.campaign, letters.subscription, letters.address AS own, letters.lang,
    letters.posts, letters.attempts, letters.first_due, letters.domain, campaigns.digest, subscriptions.address,
    ifnull(subscriptions.discreet, 0) AS discreet,
    letters.kind IN ('campaign', 'digest') AND (subscriptions.state <> 'confirmed' OR EXISTS (
        SELECT 1 FROM suppressions WHERE suppressions.lookup = subscriptions.lookup)) AS suppressed
FROM letters LEFT JOIN subscriptions ON subscriptions.id = letters.subscription
    LEFT JOIN campaigns ON campaigns.key = letters.campaign
"""


def _select(reader: sqlite3.Connection, source: str, values: dict[str, Any]) -> list[sqlite3.Row]:
    """Rows of letters from one source that are due, oldest first, at most `most`."""
    rows: list[sqlite3.Row] = []
    for state in _WAITING:
        if len(rows) < values["most"]:
            sql = f"{_SELECTED} WHERE {source} AND letters.state = '{state}' AND letters.due <= :now"
            values_left = values | {"most": values["most"] - len(rows)}
            rows += reader.execute(f"{sql} ORDER BY letters.due LIMIT :most", values_left)
    return rows


def _finish(
    connection: sqlite3.Connection, identity: bytes, state: str, day: int, claim: bytes | None = None, reply: str = ""
) -> bool:
    """Write down what became of a letter that is ours by its claim, or of one that waits; tell whether it was."""
    return bool(
        connection.execute(
            "UPDATE letters SET state = ?1, reply = ?2, day = ?3, due = 0, first_due = 0, claim = NULL, address = NULL"
            " WHERE id = ?4 AND (claim = ?5 OR ?5 IS NULL AND state IN ('pending', 'deferred', 'claimed'))",
            (state, reply, day, identity, claim),
        ).rowcount
    )


def _drop(connection: sqlite3.Connection, identity: bytes, day: int, claim: bytes | None = None) -> None:
    """Drop a letter that nobody is to get; its posts then count as not had."""
    if _finish(connection, identity, "dropped", day, claim):
        _forget_received(connection, identity)


def _hold(connection: sqlite3.Connection, identity: bytes, until: int, domain: bytes, first_due: int, day: int) -> None:
    """Have a letter wait for the end of its domain's pause; after 72 hours it has expired."""
    if until >= first_due + LAST_ATTEMPT:
        if _finish(connection, identity, "expired", day):
            _forget_received(connection, identity)
        return
    connection.execute(
        "UPDATE letters SET state = 'pending', claim = NULL, due = ?, domain = ?, first_due = ?"
        " WHERE id = ? AND state IN ('pending', 'deferred', 'claimed')",
        (until, domain, first_due, identity),
    )


def _posts_of(connection: sqlite3.Connection, identity: bytes) -> list[tuple[bytes, str, str]]:
    """What a letter gives its reader: rows of `received`. Corrections and forms' letters give no post."""
    row = connection.execute("SELECT subscription, campaign, posts FROM letters WHERE id = ?", (identity,)).fetchone()
    if row is None or row["subscription"] is None or row["campaign"] is None:
        return []
    keys = row["posts"].split(",") if row["posts"] else [row["campaign"]]
    posts = (
        (
            key,
            connection.execute("SELECT post FROM campaigns WHERE key = ? AND kind <> 'correction'", (key,)).fetchone(),
        )
        for key in keys
    )
    return [(bytes(row["subscription"]), post[0], key) for key, post in posts if post]


def _forget_received(connection: sqlite3.Connection, identity: bytes) -> None:
    """Whoever did not get a letter has not had its posts: a later translation may reach them."""
    connection.executemany(
        "DELETE FROM received WHERE subscription = ? AND post = ? AND campaign = ?", _posts_of(connection, identity)
    )


def _remember_received(connection: sqlite3.Connection, identity: bytes) -> bool:
    """Undo that; tell whether the letter is still to be sent: not if another campaign has reached its reader since."""
    posts = _posts_of(connection, identity)
    connection.executemany("INSERT OR IGNORE INTO received VALUES (?, ?, ?)", posts)
    return all(
        connection.execute(
            "SELECT campaign FROM received WHERE subscription = ? AND post = ?", (subscription, post)
        ).fetchone()[0]
        == key
        for subscription, post, key in posts
    )
