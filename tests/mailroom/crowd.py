"""A mailing list of any size, and a campaign to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from mailroom.campaigns.campaigns import Campaigns, Content, Draft
from mailroom.office import Office
from mailroom.people.addresses import normalise

KEY = "en-0123456789abcdef"
_PARAGRAPH = (
    "The tribunal found that the applicant had given a consistent account and that the reports before it, read"
    " together, supported a well-founded fear of persecution on return. "
)


def addresses(count: int, domain: str = "readers.test", start: int = 0) -> list[str]:
    """So many addresses at a domain."""
    return [f"reader{number:06}@{domain}" for number in range(start, start + count)]


def enrol(office: Office, people: Sequence[str], lang: str = "en") -> None:
    """Have all of them be confirmed subscribers, at once."""
    today = office.clock.today()
    rows = []
    for address in people:
        lookup = office.vault.lookup(normalise(address))
        identity = lookup.value[:16]  # the tests' own way to a subscription's id
        rows.append((identity, lookup.value, lookup.key, office.vault.seal(address, identity), lang, today, today))

    def work(connection: sqlite3.Connection) -> None:
        connection.executemany(
            "INSERT INTO subscriptions (id, lookup, lookup_key, address, state, langs, requested, confirmed)"
            " VALUES (?, ?, ?, ?, 'confirmed', ?, ?, ?)",
            rows,
        )

    office.database.write(work)


def draft(key: str = KEY, *, post: str = "a-post", lang: str = "en", paragraphs: int = 12) -> Draft:
    """A campaign such as the newsletter hands in."""
    text = "\n\n".join([_PARAGRAPH * 3] * paragraphs)
    html = "<h1>A post</h1>" + f"<p>{_PARAGRAPH * 3}</p>" * paragraphs
    content = Content("A post", "What it is about", "A post", "In short.", "https://news.example/a-post/", html, text)
    return Draft(key, "post", lang, post, f"digest of {key}", content)


def start(office: Office, drafts: Iterable[Draft] = (), hold: int = 0) -> None:
    """Hand campaigns in and start them."""
    campaigns = Campaigns(office.database, office.clock)
    chosen = list(drafts) or [draft()]
    for each in chosen:
        campaigns.put(each)
    campaigns.start({each.key: each.digest for each in chosen}, hold)
