"""How things stand, for whoever runs the mailroom: numbers and keys, no name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from mailroom.campaigns.campaigns import Campaign, Campaigns
from mailroom.clock import Clock, write_day
from mailroom.delivery import pauses
from mailroom.store.database import Database
from mailroom.store.facts import LAST_BACKUP, fact, may_deliver

STATES = ("confirmed", "unconfirmed", "unsubscribed")
#: For how many days campaigns that are over are shown: as long as their letters are there.
MONTH = 30


def write_status(database: Database, clock: Clock) -> str:
    """The status as text for a terminal."""
    with database.snapshot() as connection:
        delivery = "on" if may_deliver(connection) else "off: ./blog mailroom delivery on"
        backup = fact(connection, LAST_BACKUP)
    waiting = database.read("SELECT count(*) FROM requests")[0][0]
    overview = [
        ("Delivery", delivery),
        ("Requests waiting", str(waiting)),
        ("Last backup", write_day(int(backup)) if backup else "never: ./blog mailroom backup"),
    ]
    sections = [
        [f"{name + ':':<18}{value}" for name, value in overview],
        _titled("Subscribers, by first language", _subscribers(database), "none"),
        _titled("Campaigns", _campaigns(database, clock), "none"),
        _titled("Pauses", _pauses(database, clock), "none"),
    ]
    return "\n\n".join("\n".join(section) for section in sections)


def _subscribers(database: Database) -> list[str]:
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for lang, state, count in database.read(
        "SELECT substr(langs, 1, instr(langs || ',', ',') - 1) AS lang, state, count(*) FROM subscriptions"
        " GROUP BY lang, state ORDER BY lang"
    ):
        counts[lang][state] = count
    rows = [[lang, *(str(own.get(state, 0)) for state in STATES)] for lang, own in counts.items()]
    total = ["all", *(str(sum(own.get(state, 0) for own in counts.values())) for state in STATES)]
    return _table([["", *STATES], *rows, total]) if rows else []


def _campaigns(database: Database, clock: Clock) -> list[str]:
    since = clock.today() - MONTH
    shown = [
        each
        for each in Campaigns(database, clock).find()
        if each.state in ("draft", "started", "paused") or (each.started or 0) >= since
    ]
    return _table([each.key, _state(each, clock), _letters(each)] for each in shown)


def _state(campaign: Campaign, clock: Clock) -> str:
    held = campaign.state == "started" and campaign.release > clock.now()
    return f"held until {_time(campaign.release)}" if held else campaign.state


def _letters(campaign: Campaign) -> str:
    return ", ".join(f"{count} {state}" for state, count in campaign.letters.items())


def _pauses(database: Database, clock: Clock) -> list[str]:
    return _table(
        [
            "the relay" if pause.is_relay else f"domain {pauses.name_of(pause.domain)}",
            f"until {_time(pause.until)}",
            pause.reply,
            pause.campaign or "",
        ]
        for pause in pauses.standing(database, clock.now())
    )


def _time(instant: int) -> str:
    return f"{datetime.fromtimestamp(instant, UTC):%Y-%m-%d %H:%M} UTC"


def _titled(title: str, lines: Sequence[str], otherwise: str) -> list[str]:
    return [title, *(f"  {line}" for line in lines or [otherwise])]


def _table(rows: Iterable[Sequence[str]]) -> list[str]:
    found = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*found, strict=True)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in found]
