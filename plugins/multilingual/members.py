"""What a file states about itself, and what it takes from its source article."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from pelican.contents import Author, Category, Content, Tag
from pelican.urlwrappers import URLWrapper
from pelican.utils import SafeDatetime, set_date_tzinfo

from .errors import Problem, suggestion
from .formats import format_date
from .languages import Language
from .readers import LINES, STATED, read_moment
from .settings import Configuration
from .terms import BoundTerm, TermTable

#: Stands for a date that is inherited later; Pelican refuses articles without any.
UNSTATED = SafeDatetime(1, 1, 2, tzinfo=UTC)

#: Fields a translation takes from its source article unless it states its own.
SHARED = ("date", "category", "tags", "topics", "countries", "image", "author", "authors")

_NOTE = re.compile(r"(?P<date>\d{4}-\d{2}-\d{2})(?:\s+(?P<text>\S.*))?\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Note:
    """A dated remark: a correction, a retraction, a withdrawal. `lang` is what its text is written in."""

    date: date
    text: str
    lang: str


class Findings:
    """The problems of content, each with the line of the field it is about."""

    def __init__(self, name_of: Callable[[str], str]) -> None:
        self.problems: list[Problem] = []
        self._name_of = name_of

    def name(self, content: Content) -> str:
        """A file as problems name it."""
        return self._name_of(content.source_path)

    def report(self, content: Content, field: str, what: str, remedy: str) -> None:
        """Note a problem and mark the file as broken; `field` is "" for the file as a whole."""
        content.is_broken = True
        line = getattr(content, LINES, {}).get(field, 0)
        self.problems.append(Problem(self.name(content), line, what, remedy))


class Fields:
    """Completes the members of a group: inherits, reads, and puts terms for keys."""

    def __init__(self, configuration: Configuration, terms: TermTable, findings: Findings, now: datetime) -> None:
        self._configuration = configuration
        self._taxonomies = {taxonomy.attribute: taxonomy for taxonomy in configuration.taxonomies}
        self._terms = terms
        self._findings = findings
        self._now = now

    def complete(self, member: Content, kind: str) -> None:
        """Fill in a member whose `source` is set."""
        if not member.is_source:
            self._inherit(member, member.source)
        member.translated = self._read_day(member, "translated")
        member.translator = text_of(member, "translator") or None
        member.corrections = sorted(self._read_notes(member, "corrected"), key=lambda note: note.date)
        member.open_corrections = []
        member.retraction = self.read_note(member, "retracted")
        member.embargoed = False
        member.neutral_url = None
        if kind == "article":
            self._set_dates(member)
        self._set_terms(member)

    def read_note(self, member: Content, name: str) -> Note | None:
        """The remark a field states, if it does."""
        return next(self._read_notes(member, name), None)

    def _inherit(self, member: Content, source: Content) -> None:
        stated: frozenset[str] = getattr(member, STATED, frozenset())
        for name in SHARED:
            if name in stated or (name in ("author", "authors") and stated & {"author", "authors"}):
                continue
            if name == "date" and member.has_own_date:
                continue
            if hasattr(source, name):
                setattr(member, name, getattr(source, name))
                if name in source.metadata:
                    member.metadata[name] = source.metadata[name]

    def _set_dates(self, member: Content) -> None:
        if member.date == UNSTATED:
            if member.stated_status == "draft":
                member.date = SafeDatetime.max.replace(tzinfo=member.timezone)
            elif member.is_source:
                self._findings.report(member, "", "the date is missing", "State `Date: 2026-03-04`.")
            member.listed = member.date
            return
        zone = str(member.timezone)
        member.date = set_date_tzinfo(member.date, zone)
        changes = [note.date for note in member.corrections]
        if member.retraction:
            changes.append(member.retraction.date)
        if changes and not hasattr(member, "modified"):
            member.modified = _midnight(max(changes), zone)
        member.listed = _midnight(member.translated, zone) if member.translated else member.date
        if member.lang not in member.settings["DATE_FORMATS"]:
            for name in ("date", "modified"):
                if hasattr(member, name):
                    text = self._format(getattr(member, name), member.language)
                    setattr(member, f"locale_{name}", text)
        member.status = member.stated_status
        if not member.settings["WITH_FUTURE_DATES"] and member.status != "draft":
            member.embargoed = max(member.date, member.listed) > self._now
            if member.embargoed:
                member.status = "draft"

    def _format(self, moment: datetime, language: Language) -> str:
        return format_date(moment.date(), language, self._configuration.date_format)

    def _set_terms(self, member: Content) -> None:
        """Replace keys by terms, and Pelican's terms by those of the member's edition."""
        settings = member.settings
        if hasattr(member, "topics"):
            keys = split_list(member.topics)
            member.topics = list(self._look_up(member, "topics", keys))
            member.tags = [_wrap(Tag, topic, settings) for topic in member.topics]
        elif hasattr(member, "tags"):
            member.tags = [Tag(tag.name, settings) for tag in member.tags]
        if hasattr(member, "category"):
            member.category = Category(member.category.name, settings)
        if hasattr(member, "authors"):
            if self._terms.get("authors") and self._states_authors(member):
                keys = [getattr(author, "key", None) or author.name for author in member.authors]
                member.authors = list(self._look_up(member, "authors", keys))
                if "authors" not in self._taxonomies:
                    member.authors = [_wrap(Author, author, settings) for author in member.authors]
            else:
                member.authors = [type(a)(a.name, settings) for a in member.authors]
            if member.authors:
                member.author = member.authors[0]

    def _states_authors(self, member: Content) -> bool:
        """Whether the authors are somebody's statement, not the site's default."""
        stated = getattr(member, STATED, frozenset()) | getattr(member.source, STATED, frozenset())
        return bool(stated & {"author", "authors"})

    def _look_up(self, member: Content, kind: str, keys: Iterable[str]) -> Iterator[BoundTerm]:
        table = self._terms.get(kind)
        taxonomy = self._taxonomies.get(kind)
        for key in keys:
            if key in table:
                yield BoundTerm(table[key], member.lang, taxonomy, member.language.prefix)
            elif member.is_source or kind in getattr(member, STATED, frozenset()):
                self._findings.report(member, kind, f"{key!r} is not in the table of {kind}", suggestion(key, table))

    def _read_notes(self, member: Content, name: str) -> Iterator[Note]:
        stated = getattr(member, name, None)
        for text in [stated] if isinstance(stated, str) else stated or []:
            found = _NOTE.match(text.strip())
            try:
                if not found:
                    raise ValueError(text)
                yield Note(date.fromisoformat(found["date"]), (found["text"] or "").strip(), member.lang)
            except ValueError:
                self._findings.report(
                    member,
                    name,
                    f"{name.capitalize()}: {text!r} does not begin with a day",
                    f"Write `{name.capitalize()}: 2026-03-04 What and why`.",
                )

    def _read_day(self, member: Content, name: str) -> date | None:
        text = text_of(member, name)
        if not text:
            return None
        try:
            day: date = read_moment(text).date()
        except (ValueError, OverflowError):
            self._findings.report(member, name, f"{name!r} is not a date: {text!r}", "Write it as 2026-03-04.")
            return None
        return day


def text_of(content: Content, name: str) -> str:
    """A field as text, "" where it states none."""
    value = getattr(content, name, "")
    return str(value).strip() if isinstance(value, str) else ""


def split_list(stated: Any) -> list[str]:
    """The values of a field that holds several: `a, b` or a list of texts."""
    if isinstance(stated, str):
        stated = stated.split(";" if ";" in stated else ",")
    keys = (getattr(one, "key", None) or str(one).strip() for one in stated)
    return list(dict.fromkeys(filter(None, keys)))


def _wrap(kind: type[URLWrapper], term: BoundTerm, settings: dict[str, Any]) -> URLWrapper:
    """A term as Pelican's tag or author, for feeds and for themes that know nothing of terms."""
    wrapper = kind(str(term.name), settings)
    wrapper.slug = str(term.slug)
    wrapper.key = term.key
    return wrapper


def _midnight(day: date, zone: str) -> SafeDatetime:
    return set_date_tzinfo(SafeDatetime(day.year, day.month, day.day), zone)
