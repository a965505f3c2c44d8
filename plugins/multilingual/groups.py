"""The content model: files become groups of translations with shared fields.

Groups are formed over published, hidden and draft files together, after Pelican has read
everything and before it sorts articles into tags, categories and authors.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from pelican.contents import Article, Author, Category, Content, Page, Tag
from pelican.urlwrappers import URLWrapper
from pelican.utils import SafeDatetime, set_date_tzinfo

from .errors import Problem, suggestion
from .formats import format_date
from .languages import Language, Languages
from .placement import KEY, KEY_RULE, Layout, slug_fault
from .readers import LINES, STATED, read_moment
from .settings import Configuration
from .terms import BoundTerm, TermTable

#: Stands for a date that is inherited later; Pelican refuses articles without any.
UNSTATED = SafeDatetime(1, 1, 2, tzinfo=UTC)

#: Fields a translation takes from its source article unless it states its own.
SHARED = ("date", "category", "tags", "topics", "countries", "image", "author", "authors")

_NOTE = re.compile(r"(?P<date>\d{4}-\d{2}-\d{2})(?:\s+(?P<text>\S.*))?\Z", re.DOTALL)

Kind = str  # "article" or "page"


@dataclass(frozen=True, slots=True)
class Note:
    """A dated remark: a correction, a retraction, a withdrawal."""

    date: date
    text: str


@dataclass(slots=True)
class Group:
    """One piece in all its languages. `members` is in the site's order of languages."""

    kind: Kind
    key: str
    members: dict[str, Content] = field(default_factory=dict)
    source: Content | None = None
    withdrawal: Note | None = None

    def public(self) -> list[Content]:
        """The members that have an address of their own, source first: all but drafts."""
        found = [m for m in self.members.values() if m.status != "draft"]
        return sorted(found, key=lambda member: member is not self.source)

    def published(self) -> list[Content]:
        """The members that stand in lists, source first."""
        return [member for member in self.public() if member.status == "published"]

    def offer(self, lang: str, fallback: Iterable[str]) -> Content | None:
        """What a reader of `lang` is offered: this language, a fallback, the source."""
        published = {member.lang: member for member in self.published()}
        for tag in (lang, *fallback):
            if tag in published:
                return published[tag]
        return next(iter(published.values()), None)


def kind_of(content: object) -> Kind | None:
    """Which kind of content the plugin looks after; None for the rest."""
    if isinstance(content, Article):
        return "article"
    return "page" if isinstance(content, Page) else None


class ContentModel:
    """Adopts each file as Pelican makes its object, then forms the groups."""

    def __init__(
        self,
        configuration: Configuration,
        layout: Layout,
        terms: TermTable,
        *,
        translation_ids: dict[Kind, tuple[str, ...]],
        settings_of: Callable[[str], dict[str, Any]],
        reserved: frozenset[str],
        name_of: Callable[[str], str],
        now: datetime,
    ) -> None:
        self.problems: list[Problem] = []
        self.groups: dict[tuple[Kind, str], Group] = {}
        self._configuration = configuration
        self._layout = layout
        self._terms = terms
        self._translation_ids = translation_ids
        self._settings_of = settings_of
        self._reserved = reserved
        self._name_of = name_of
        self._now = now
        self._taxonomies = {t.attribute: t for t in configuration.taxonomies}

    @property
    def _languages(self) -> Languages:
        return self._configuration.languages

    def adopt(self, content: Content) -> None:
        """Give a new content object its language, key and its edition's settings."""
        kind = kind_of(content)
        if kind is None:
            return
        stated: frozenset[str] = getattr(content, STATED, frozenset())
        content.is_broken = False
        content.stated_status = content.status
        content.has_own_date = "date" in stated or bool(
            re.match(content.settings["FILENAME_METADATA"] or r"\Z.", _stem(content))
            and "date" in re.compile(content.settings["FILENAME_METADATA"]).groupindex
        )
        if kind == "article" and not hasattr(content, "date"):
            content.date = UNSTATED
        placement = self._layout.place(kind, content.relative_source_path)
        content.in_language_folder = placement.language is not None
        if placement.language is not None:
            language = placement.language
            self._check_lang(content, language, stated)
            content.translation_key = placement.key
            content.translation_identity = f"key {placement.key}"
            if not KEY.match(placement.key):
                self._report(content, "", f"{placement.key!r} is no key", KEY_RULE)
            content.slug = self._slug(content, placement.key, stated)
            if "category" not in stated and hasattr(content, "category"):
                self._forget_folder_category(content)
        else:
            language = self._own_language(content)
            content.translation_identity = self._own_identity(kind, content)
        content.lang = language.tag
        content.language = language
        content.in_default_lang = language is self._languages.default
        content.settings = self._settings_of(language.tag)

    def form_groups(self, kind: Kind, contents: Iterable[Content]) -> list[Content]:
        """Group contents, fill in what they share, and return those that can be shown.

        Members of a withdrawn group and broken files are in no list any more; their
        groups and problems are kept.
        """
        families: dict[str, list[Content]] = {}
        for content in sorted(contents, key=lambda c: c.relative_source_path):
            if self._layout.is_misplaced(kind, content.relative_source_path):
                content.is_broken = True
                continue
            families.setdefault(content.translation_identity, []).append(content)
        shown: list[Content] = []
        for identity, family in families.items():
            group = self._form(kind, family)
            if group.source is None:
                continue
            self.groups[kind, identity] = group
            for member in group.members.values():
                self._complete(member, group)
            self._set_withdrawal(group)
            for member in group.members.values():
                member.translations = [m for m in group.published() if m is not member]
                member.translations.sort(key=lambda m: list(self._languages).index(m.lang))
                if group.withdrawal is None and not member.is_broken:
                    shown.append(member)
        return shown

    def drop(self, content: Content) -> None:
        """Take a broken file out of its group."""
        content.is_broken = True
        for group in self.groups.values():
            group.members = {tag: m for tag, m in group.members.items() if m is not content}
            for member in group.members.values():
                member.translations = [t for t in member.translations if t is not content]

    # Adoption

    def _check_lang(self, content: Content, language: Language, stated: frozenset[str]) -> None:
        if "lang" in stated and self._languages.find(str(content.lang)) is not language:
            self._report(
                content,
                "lang",
                f"Lang: {content.lang} contradicts the folder, which says {language.tag}",
                "Remove the line, or move the file.",
            )

    def _own_language(self, content: Content) -> Language:
        language = self._languages.find(str(content.lang))
        if language is None:
            self._report(
                content,
                "lang",
                f"the language {content.lang!r} is not one of this site",
                suggestion(str(content.lang), self._languages),
            )
            return self._languages.default
        return language

    def _own_identity(self, kind: Kind, content: Content) -> str:
        names = self._translation_ids[kind]
        values = [str(getattr(content, name, "")) for name in names]
        return f"own {' '.join(values)}" if any(values) else f"file {content.relative_source_path}"

    def _slug(self, content: Content, key: str, stated: frozenset[str]) -> str:
        if "slug" not in stated:
            if key in self._reserved:
                self._report(content, "", f"{key!r} is reserved", "Rename the file.")
            return key
        slug = unicodedata.normalize("NFC", str(content.slug))
        what = slug_fault(slug, self._reserved)
        if what:
            self._report(content, "slug", what, "Use letters, digits and hyphens of any script.")
            return key
        return slug

    def _forget_folder_category(self, content: Content) -> None:
        parent = content.relative_source_path.split("/")[-2:-1]
        if parent and self._languages.find(parent[0]):
            default = content.settings.get("DEFAULT_CATEGORY", "")
            content.category = Category(default, content.settings)

    # Groups

    def _form(self, kind: Kind, family: list[Content]) -> Group:
        group = Group(kind, getattr(family[0], "translation_key", ""))
        by_lang: dict[str, Content] = {}
        for content in family:
            if content.is_broken:
                continue
            if other := by_lang.get(content.lang):
                self._report(
                    content,
                    "",
                    f"{self._name(other)} is the same {kind} in the same language",
                    "Keep one of them.",
                )
            else:
                by_lang[content.lang] = content
        group.members = {tag: by_lang[tag] for tag in self._languages if tag in by_lang}
        in_folders = any(member.in_language_folder for member in family)
        group.source = self._find_source(group) if in_folders else _own_source(group)
        if group.source is not None and not in_folders:
            group.key = group.source.slug
        for member in group.members.values():
            member.translation_key = group.key
            member.source = group.source
            member.is_source = member is group.source
        return group

    def _find_source(self, group: Group) -> Content | None:
        members = list(group.members.values())
        sources = [member for member in members if not _text(member, "translated_from")]
        for member in members:
            self._check_translated_from(member, group)
        if len(sources) == 1:
            return sources[0]
        if len(sources) > 1:
            names = ", ".join(self._name(member) for member in sources)
            for member in sources:
                self._report(
                    member,
                    "",
                    f"{group.key!r} has {len(sources)} source articles ({names})",
                    "State `Translated_from:` in all but one.",
                )
        elif members and not any(member.is_broken for member in members):
            names = ", ".join(self._name(member) for member in members)
            self._report(
                members[0],
                "translated_from",
                f"{group.key!r} has no source article: each of {names} is a translation",
                "Remove `Translated_from:` from the one that was written first.",
            )
        return None

    def _check_translated_from(self, member: Content, group: Group) -> None:
        stated = _text(member, "translated_from")
        if not stated:
            return
        language = self._languages.find(stated)
        if language is None:
            what = f"Translated_from: {stated} is not a language of this site"
            self._report(member, "translated_from", what, suggestion(stated, self._languages))
        elif language.tag == member.lang:
            what = f"Translated_from: {stated} is its own language"
            self._report(member, "translated_from", what, "Name the language it was made from.")
        elif language.tag not in group.members:
            self._report(
                member,
                "translated_from",
                f"there is no {group.key!r} in {language.tag}, from which it was translated",
                "Name the right language, or restore that file.",
            )

    def _set_withdrawal(self, group: Group) -> None:
        notes = (self._note(member, "withdrawn") for member in group.members.values())
        group.withdrawal = next((note for note in notes if note), None)
        for member in group.members.values():
            member.withdrawal = group.withdrawal
            if group.withdrawal:
                # The text is gone for whoever looks at the object, plugins included.
                member._content = ""
                member.metadata.pop("summary", None)
                member._summary = ""

    # One member

    def _complete(self, member: Content, group: Group) -> None:
        source = group.source
        if source is not None and source is not member:
            self._inherit(member, source)
        member.translated = self._day(member, "translated")
        member.translator = _text(member, "translator") or None
        member.corrections = sorted(self._notes(member, "corrected"), key=lambda n: n.date)
        member.retraction = self._note(member, "retracted")
        member.embargoed = False
        member.neutral_url = None
        if group.kind == "article":
            self._set_dates(member)
        self._set_terms(member)

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
                self._report(member, "", "the date is missing", "State `Date: 2026-03-04`.")
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
                self._report(member, kind, f"{key!r} is not in the table of {kind}", suggestion(key, table))

    def _notes(self, member: Content, name: str) -> Iterator[Note]:
        stated = getattr(member, name, None)
        for text in [stated] if isinstance(stated, str) else stated or []:
            found = _NOTE.match(text.strip())
            try:
                if not found:
                    raise ValueError(text)
                yield Note(date.fromisoformat(found["date"]), (found["text"] or "").strip())
            except ValueError:
                self._report(
                    member,
                    name,
                    f"{name.capitalize()}: {text!r} does not begin with a day",
                    f"Write `{name.capitalize()}: 2026-03-04 What and why`.",
                )

    def _note(self, member: Content, name: str) -> Note | None:
        return next(self._notes(member, name), None)

    def _day(self, member: Content, name: str) -> date | None:
        text = _text(member, name)
        if not text:
            return None
        try:
            day: date = read_moment(text).date()
        except (ValueError, OverflowError):
            self._report(member, name, f"{name!r} is not a date: {text!r}", "Write it as 2026-03-04.")
            return None
        return day

    # Saying

    def _name(self, content: Content) -> str:
        return self._name_of(content.source_path)

    def _report(self, content: Content, name: str, what: str, remedy: str) -> None:
        content.is_broken = True
        line = getattr(content, LINES, {}).get(name, 0)
        self.problems.append(Problem(self._name(content), line, what, remedy))


def split_list(stated: Any) -> list[str]:
    """The values of a field that holds several: `a, b` or a list of texts."""
    if isinstance(stated, str):
        stated = stated.split(";" if ";" in stated else ",")
    keys = (getattr(one, "key", None) or str(one).strip() for one in stated)
    return list(dict.fromkeys(filter(None, keys)))


def _own_source(group: Group) -> Content | None:
    """The original as Pelican finds it: not marked `translation`, in the default language."""
    members = list(group.members.values())
    candidates = [m for m in members if str(m.metadata.get("translation", "false")).lower() == "false"] or members
    return next((m for m in candidates if m.in_default_lang), candidates[0] if candidates else None)


def _wrap(kind: type[URLWrapper], term: BoundTerm, settings: dict[str, Any]) -> URLWrapper:
    """A term as Pelican's tag or author, for feeds and for themes that know nothing of terms."""
    wrapper = kind(str(term.name), settings)
    wrapper.slug = str(term.slug)
    wrapper.key = term.key
    return wrapper


def _midnight(day: date, zone: str) -> SafeDatetime:
    return set_date_tzinfo(SafeDatetime(day.year, day.month, day.day), zone)


def _text(content: Content, name: str) -> str:
    value = getattr(content, name, "")
    return str(value).strip() if isinstance(value, str) else ""


def _stem(content: Content) -> str:
    return str(content.relative_source_path).rsplit("/", 1)[-1].rsplit(".", 1)[0]
