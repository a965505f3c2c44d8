"""Corrections and retractions: on every translation at once, and in one list for each language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import NAMESPACE_URL, uuid5


@dataclass(frozen=True, slots=True)
class Entry:
    """One correction or retraction of an article, as lists and feeds have it.

    `note` has `date`, `text` and the `lang` of the text; `is_open` says that nobody has looked at it in this language
    yet. `id` is a tag URI (RFC 4151) that no later build changes.
    """

    article: Any
    note: Any
    is_retraction: bool
    id: str
    is_open: bool = False

    @property
    def day(self) -> date:
        """When it was made."""
        day: date = self.note.date
        return day


def pass_on(article: Any, source: Any, open_notes: Iterable[str]) -> None:
    """Let a translation state what its source article states and it does not, in the source's words.

    A retraction stands on it as long as the source states it, whoever has looked at it. A correction does so too, but
    is told apart until somebody has: those of `open_notes`, as "corrected 2026-03-04", are `open_corrections`, since
    the page may say still what was wrong, and nobody may be told that it does not.
    """
    wanted = Counter(open_notes)
    stated = Counter(note.date for note in article.corrections)
    looked_at, left = list(article.corrections), list[Any]()
    for day in sorted({note.date for note in source.corrections}):
        # Of several on a day, those stated last are the ones that are new.
        missing = [note for note in source.corrections if note.date == day][stated[day] :]
        known = max(0, len(missing) - wanted[f"corrected {day.isoformat()}"])
        looked_at += missing[:known]
        left += missing[known:]
    article.corrections = _by_day(looked_at)
    article.open_corrections = left
    article.retraction = article.retraction or source.retraction


def _by_day(notes: Iterable[Any]) -> list[Any]:
    return sorted(notes, key=lambda note: note.date)


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
    unread: Sequence[Any] = article.open_corrections
    for note in _by_day([*article.corrections, *unread]):
        seen[note.date] += 1
        number = f"/{seen[note.date]}" if seen[note.date] > 1 else ""
        yield Entry(article, note, False, f"{head}/corrected/{note.date.isoformat()}{number}", note in unread)


def authority_of(context: Mapping[str, Any]) -> str:
    """What ids begin with: FEED_AUTHORITY, which outlives a site's host, else the host."""
    return str(context.get("FEED_AUTHORITY") or urlsplit(str(context.get("PUBLIC_URL") or "")).hostname or "localhost")


def feed_id(authority: str, save_as: str) -> str:
    """A feed's id: a name-based UUID (RFC 9562), as a feed has no year of its own."""
    return uuid5(NAMESPACE_URL, f"{authority}/{save_as}").urn
