"""The content model: files become groups of translations with shared fields.

Groups are formed over published, hidden and draft files together, after Pelican has read
everything and before it sorts articles into tags, categories and authors.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pelican.contents import Article, Category, Content, Page

from .errors import Problem, suggestion
from .languages import Language, Languages
from .members import UNSTATED, Fields, Findings, Note, text_of
from .placement import KEY, KEY_RULE, Layout, slug_fault
from .readers import STATED
from .settings import Configuration
from .terms import TermTable

Kind = str  # "article" or "page"


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
        self.groups: dict[tuple[Kind, str], Group] = {}
        self._configuration = configuration
        self._layout = layout
        self._translation_ids = translation_ids
        self._settings_of = settings_of
        self._reserved = reserved
        self._findings = Findings(name_of)
        self._fields = Fields(configuration, terms, self._findings, now)

    @property
    def problems(self) -> list[Problem]:
        """What is wrong with the files so far."""
        return self._findings.problems

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
        content.has_own_date = "date" in stated or _names_a_date(content)
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
                self._findings.report(content, "", f"{placement.key!r} is no key", KEY_RULE)
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
                self._fields.complete(member, kind)
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
            self._findings.report(
                content,
                "lang",
                f"Lang: {content.lang} contradicts the folder, which says {language.tag}",
                "Remove the line, or move the file.",
            )

    def _own_language(self, content: Content) -> Language:
        language = self._languages.find(str(content.lang))
        if language is None:
            self._findings.report(
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
                self._findings.report(content, "", f"{key!r} is reserved", "Rename the file.")
            return key
        slug = unicodedata.normalize("NFC", str(content.slug))
        what = slug_fault(slug, self._reserved)
        if what:
            self._findings.report(content, "slug", what, "Use letters, digits and hyphens of any script.")
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
                self._findings.report(
                    content,
                    "",
                    f"{self._findings.name(other)} is the same {kind} in the same language",
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
            stated = self._languages.find(text_of(member, "translated_from"))
            member.made_from = group.members.get(stated.tag, group.source) if stated else group.source
        return group

    def _find_source(self, group: Group) -> Content | None:
        members = list(group.members.values())
        sources = [member for member in members if not text_of(member, "translated_from")]
        for member in members:
            self._check_translated_from(member, group)
        if len(sources) == 1:
            return sources[0]
        if len(sources) > 1:
            names = ", ".join(self._findings.name(member) for member in sources)
            for member in sources:
                self._findings.report(
                    member,
                    "",
                    f"{group.key!r} has {len(sources)} source articles ({names})",
                    "State `Translated_from:` in all but one.",
                )
        elif members and not any(member.is_broken for member in members):
            names = ", ".join(self._findings.name(member) for member in members)
            self._findings.report(
                members[0],
                "translated_from",
                f"{group.key!r} has no source article: each of {names} is a translation",
                "Remove `Translated_from:` from the one that was written first.",
            )
        return None

    def _check_translated_from(self, member: Content, group: Group) -> None:
        stated = text_of(member, "translated_from")
        if not stated:
            return
        language = self._languages.find(stated)
        if language is None:
            what = f"Translated_from: {stated} is not a language of this site"
            self._findings.report(member, "translated_from", what, suggestion(stated, self._languages))
        elif language.tag == member.lang:
            what = f"Translated_from: {stated} is its own language"
            self._findings.report(member, "translated_from", what, "Name the language it was made from.")
        elif language.tag not in group.members:
            self._findings.report(
                member,
                "translated_from",
                f"there is no {group.key!r} in {language.tag}, from which it was translated",
                "Name the right language, or restore that file.",
            )

    def _set_withdrawal(self, group: Group) -> None:
        stated = {tag: self._fields.read_note(member, "withdrawn") for tag, member in group.members.items()}
        source = group.source.lang if group.source is not None else ""
        notes = [note for note in (stated.get(source), *stated.values()) if note]
        group.withdrawal = next((note for note in notes if note.text), notes[0] if notes else None)
        for tag, member in group.members.items():
            # A reason in the reader's language, where a translator has given one.
            own = stated[tag]
            member.withdrawal = own if own and own.text else group.withdrawal
            if group.withdrawal:
                # The text is gone for whoever looks at the object, plugins included.
                member._content = ""
                member.metadata.pop("summary", None)
                member._summary = ""


def _own_source(group: Group) -> Content | None:
    """The original as Pelican finds it: not marked `translation`, in the default language."""
    members = list(group.members.values())
    candidates = [m for m in members if str(m.metadata.get("translation", "false")).lower() == "false"] or members
    return next((m for m in candidates if m.in_default_lang), candidates[0] if candidates else None)


def _names_a_date(content: Content) -> bool:
    """Whether the file's name states the date, as Pelican lets it."""
    stem = str(content.relative_source_path).rsplit("/", 1)[-1].rsplit(".", 1)[0]
    found = re.match(content.settings["FILENAME_METADATA"] or r"(?!)", stem)
    return bool(found and "date" in found.groupdict())
