"""Corrections and retractions: on every translation at once, and in one list for each language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import NAMESPACE_URL, uuid5


@dataclass(frozen=True, slots=True)
class Entry:
    """One correction or retraction of an article, as lists and feeds have it.

    `note` has `date`, `text` and the `lang` of the text; `id` is a tag URI (RFC 4151) that no later build changes.
    """

    article: Any
    note: Any
    is_retraction: bool
    id: str

    @property
    def day(self) -> date:
        """When it was made."""
        day: date = self.note.date
        return day


def pass_on(article: Any, source: Any, notes: Iterable[str]) -> None:
    """Let a translation state what its source article states and it does not: `notes`, as "corrected 2026-03-04".

    The text is the source's, in its language, until a translator gives it in theirs.
    """
    wanted = Counter(notes)
    taken = [
        note for note in reversed(source.corrections) if _take(wanted, f"corrected {note.date.isoformat()}")
    ]  # of several on a day, those stated last are the ones that are new
    article.corrections = sorted([*article.corrections, *taken[::-1]], key=lambda note: note.date)
    if article.retraction is None and any(name.startswith("retracted ") for name in wanted):
        article.retraction = source.retraction


def _take(wanted: Counter[str], name: str) -> bool:
    wanted[name] -= 1
    return wanted[name] >= 0


def list_corrections(articles: Iterable[Any], authority: str) -> list[Entry]:
    """All corrections and retractions of an edition's articles, newest first."""
    entries = [entry for article in articles for entry in _entries(article, authority)]
    return sorted(entries, key=lambda entry: (-entry.day.toordinal(), not entry.is_retraction, entry.id))


def _entries(article: Any, authority: str) -> Iterator[Entry]:
    key = quote(str(article.translation_key), safe="-._~/")
    head = f"tag:{authority},{article.date.year}:{article.lang}/{key}"
    if article.retraction:
        yield Entry(article, article.retraction, True, f"{head}/retracted/{article.retraction.date.isoformat()}")
    seen: Counter[date] = Counter()
    for note in article.corrections:
        seen[note.date] += 1
        number = f"/{seen[note.date]}" if seen[note.date] > 1 else ""
        yield Entry(article, note, False, f"{head}/corrected/{note.date.isoformat()}{number}")


def authority_of(context: Mapping[str, Any]) -> str:
    """What ids begin with: FEED_AUTHORITY, which outlives a site's host, else the host."""
    return str(context.get("FEED_AUTHORITY") or urlsplit(str(context.get("PUBLIC_URL") or "")).hostname or "localhost")


def feed_id(authority: str, save_as: str) -> str:
    """A feed's id: a name-based UUID (RFC 9562), as a feed has no year of its own."""
    return uuid5(NAMESPACE_URL, f"{authority}/{save_as}").urn
