"""Subscribers made in the database at once, and drafts, for tests of campaigns."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from mailroom.campaigns.campaigns import Campaigns, Content, Draft
from mailroom.office import Office

CONTENT = Content(
    subject="A subject",
    preheader="Before it",
    title="A title",
    summary="What it is about.",
    url="https://news.example/en/an-article/",
    html="<p>What happened.</p>",
    text="What happened.\n",
)


def add_readers(office: Office, readers: Iterable[dict[str, Any]]) -> list[bytes]:
    """Confirmed subscribers, with these values for `langs`, `rhythm`, `state`; return their ids, in order."""
    given: dict[str, Any] = {"langs": "en", "rhythm": "each", "state": "confirmed", "day": office.clock.today()}
    rows: list[dict[str, Any]] = [{"id": os.urandom(16), "lookup": os.urandom(32)} | given | each for each in readers]
    office.database.write(
        lambda connection: connection.executemany(
            "INSERT INTO subscriptions (id, lookup, lookup_key, address, state, langs, rhythm, requested, confirmed)"
            " VALUES (:id, :lookup, 1, x'00', :state, :langs, :rhythm, :day, :day)",
            rows,
        )
    )
    return [row["id"] for row in rows]


def digest_of(key: str, version: int = 1) -> str:
    """A draft's digest."""
    return f"{version:x}{key.encode().hex():0>63}"[:64]


def draft(office: Office, lang: str, post: str = "post", *, version: int = 1, **values: Any) -> str:
    """Hand in a campaign; return its key."""
    key = str(values.pop("key", f"{lang.lower()}-{post}"))
    given: dict[str, Any] = {"kind": "post", "content": CONTENT} | values
    made = Draft(key=key, lang=lang, post=post, digest=digest_of(key, version), **given)
    Campaigns(office.database, office.clock).put(made)
    return key


def start(office: Office, *keys: str, hold: int = 0, version: int = 1) -> None:
    """Start campaigns as one group."""
    digests = {key: digest_of(key, version) for key in keys}
    Campaigns(office.database, office.clock).start(digests, hold)


def letters(office: Office, reader: bytes) -> list[str]:
    """The campaigns of a reader's letters, with the posts of digests."""
    rows = office.database.read(
        "SELECT ifnull(posts, campaign) FROM letters WHERE subscription = ? AND state <> 'dropped' ORDER BY 1",
        (reader,),
    )
    return [row[0] for row in rows]


def set_letters(office: Office, campaign: str, state: str, reader: bytes | None = None) -> None:
    """Say what became of a campaign's letters, or of one reader's."""
    office.database.write(
        lambda connection: connection.execute(
            "UPDATE letters SET state = ?1 WHERE campaign = ?2 AND (subscription = ?3 OR ?3 IS NULL)",
            (state, campaign, reader),
        )
    )
