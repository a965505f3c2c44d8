"""All that is kept of a subscriber, as they may take it along (GDPR, articles 15 and 20)."""

from __future__ import annotations

import datetime
from typing import Any

from mailroom.office import Office

_EPOCH = datetime.date(1970, 1, 1)


def everything_about(office: Office, identity: bytes) -> dict[str, Any]:
    """What is kept, by English names, with days as in ISO 8601. Raises ExpiredToken when they are gone."""
    record = office.subscriptions.record(identity)
    with office.database.snapshot() as connection:
        letters = connection.execute(
            "SELECT kind, campaign, lang, state, reply, day FROM letters WHERE subscription = ? ORDER BY day, id",
            (identity,),
        ).fetchall()
        posts = connection.execute(
            "SELECT post, campaign FROM received WHERE subscription = ? ORDER BY post", (identity,)
        ).fetchall()
        asked = connection.execute(
            "SELECT kind, day FROM form_letters WHERE lookup = (SELECT lookup FROM subscriptions WHERE id = ?)"
            " ORDER BY day",
            (identity,),
        ).fetchall()
    return {
        "address": record.address,
        "state": record.state,
        "languages": list(record.preferences.langs),
        "rhythm": record.preferences.rhythm,
        "discreet": record.preferences.discreet,
        "requested": _date(record.requested),
        "confirmed": _date(record.confirmed),
        "consent_text": record.consent,
        "letters_of_30_days": [dict(row) | {"day": _date(row["day"])} for row in letters],
        "articles_sent": [dict(row) for row in posts],
        "letters_asked_for": [{"kind": row["kind"], "day": _date(row["day"])} for row in asked],
    }


def _date(day: int | None) -> str | None:
    return None if day is None else (_EPOCH + datetime.timedelta(days=day)).isoformat()
