"""Who gets a post: everybody once, in the first of their languages in which it is there.

A list may be long, but the orders of languages that its readers chose are few. So the choice is made once for each
order, here, and applied to the list by the database.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from mailroom.people.subscriptions import Rhythm

_READERS = """
WITH choices AS MATERIALIZED (SELECT key AS langs, value AS campaign FROM json_each(:choices))
SELECT readers.id AS subscription, campaigns.key AS campaign, campaigns.lang AS lang
FROM readers JOIN choices USING (langs) JOIN campaigns ON campaigns.key = choices.campaign
WHERE (:rhythm = '' OR readers.rhythm IN (:rhythm, 'both'))
AND NOT EXISTS (SELECT 1 FROM received WHERE received.subscription = readers.id AND received.post = :post)
"""
_SENT = """
SELECT readers.id AS subscription, :campaign AS campaign, :lang AS lang
FROM received JOIN readers ON readers.id = received.subscription
WHERE received.campaign = :corrects
AND NOT EXISTS (
    SELECT 1 FROM letters WHERE letters.subscription = readers.id
    AND (letters.campaign = :corrects OR instr(',' || letters.posts || ',', ',' || :corrects || ','))
    AND letters.state IN ('bounced', 'refused', 'expired', 'dropped')
)
"""


@dataclass(frozen=True, slots=True)
class Selection:
    """A query for (subscription, campaign, lang), and its values."""

    sql: str
    values: Mapping[str, str]

    def count(self, connection: sqlite3.Connection) -> int:
        """How many there are."""
        query = f"SELECT count(*) FROM ({self.sql})"  # noqa: S608 - ours
        return int(connection.execute(query, self.values).fetchone()[0])


def choose(langs: str, present: Mapping[str, str], fresh: Collection[str]) -> str | None:
    """The campaign for readers of these languages ("fa,en"), of those present by language; None for none of them.

    It goes out because one of the `fresh` languages is theirs: somebody who subscribed after a post went out in
    Persian, and reads nothing else, gets nothing when it appears in English.
    """
    own = langs.split(",")
    if not any(lang in fresh for lang in own):
        return None
    return next(present[lang] for lang in own if lang in present)


def readers(
    connection: sqlite3.Connection, post: str, present: Mapping[str, str], fresh: Collection[str], rhythm: Rhythm | None
) -> Selection:
    """Confirmed subscribers who have not had the post, each with the campaign (`present`, by language) for them."""
    orders = connection.execute("SELECT DISTINCT langs FROM readers")
    choices = {langs: campaign for (langs,) in orders if (campaign := choose(langs, present, fresh))}
    return Selection(_READERS, {"choices": json.dumps(choices), "rhythm": rhythm or "", "post": post})


def readers_of_wrong_letter(campaign: str, lang: str, corrects: str) -> Selection:
    """Confirmed subscribers who were sent the campaign `corrects`, as a letter of its own or within a digest."""
    return Selection(_SENT, {"campaign": campaign, "lang": lang, "corrects": corrects})
