"""What state each translation is in, and what there is to do about it.

    missing      nobody has begun                 claimed   somebody says they are at work on it
    draft        begun, `Status: draft`           current   says what its source says
    unrecorded   nobody knows what it was made from
    outdated     blocks of its source came, went or changed, or its source article was corrected

A translation is measured by what it was made from, which may be a translation itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from .blocks import Block, Convert, make_converter, read_blocks
from .changes import Change, differences
from .content import Inventory, Text
from .errors import RecordError
from .records import Claim, Record, hash_source, read_record, record_path, recorded_keys
from .settings import Configuration
from .words import count_words

State = Literal["missing", "claimed", "draft", "unrecorded", "current", "outdated"]
STATES: tuple[State, ...] = ("missing", "claimed", "draft", "unrecorded", "outdated", "current")

_KEY = re.compile(r"[a-z0-9-]{1,80}\Z")
_NOTES = ("corrected", "retracted")
_NOTE = re.compile(r"(?P<day>\d{4}-\d{2}-\d{2})(?:\s|\Z)")


@dataclass(frozen=True, slots=True)
class Translation:
    """A text in one language: what there is of it, and how it stands to its source.

    `source` is what it was made from, or will be; `article` the source article of all languages. `changes` are the
    blocks of the source that came, went, changed or moved since. `upstream` says that the source is itself outdated.
    `notes` are corrections and retractions of the source article, as in "corrected 2026-03-04", that it has not been
    brought into line with. `words` is about how many there are to translate.
    """

    kind: str
    key: str
    lang: str
    state: State
    text: Text | None
    source: Text
    article: Text
    record: Record
    changes: tuple[Change, ...] = ()
    upstream: bool = False
    notes: tuple[str, ...] = ()
    words: int = 0

    @property
    def claim(self) -> Claim | None:
        """Who is at work on it."""
        return self.record.claim

    @property
    def day(self) -> date | None:
        """When it was last known to say what its source said."""
        return self.record.basis.day if self.record.basis else None


@dataclass(frozen=True, slots=True)
class Group:
    """One piece: its source article, and its translations by language."""

    kind: str
    key: str
    article: Text
    translations: Mapping[str, Translation]

    @property
    def to_do(self) -> tuple[Translation, ...]:
        """What is not current."""
        return tuple(one for one in self.translations.values() if one.state != "current")


class Survey:
    """All pieces, and what is wrong with files; blocks of a text are read when needed, and once."""

    def __init__(self, inventory: Inventory, configuration: Configuration) -> None:
        self.inventory = inventory
        self.problems = [str(problem) for problem in inventory.problems]
        self.names = configuration.fields
        self._convert: Convert | None = None
        self._blocks: dict[bytes, tuple[Block, ...]] = {}
        self._former = _first_keys(inventory.texts)
        self._recorded: dict[str, frozenset[str]] = {}  # to ask for each file takes longer, since most are missing
        self._keys = {text.key for text in inventory.texts}
        #: Key and language of translations whose record cannot be read: nothing may write over it.
        self.broken: set[tuple[str, str]] = set()
        self.unreadable: list[RecordError] = []
        self.groups = tuple(self._form_groups())
        if not inventory.problems:  # a text that cannot be read has a record all the same
            self._look_for_orphans()

    def find(self, key: str, lang: str) -> Translation | None:
        """The translation of a piece into a language, or None."""
        found = (group.translations.get(lang) for group in self.groups if group.key == key)
        return next((one for one in found if one), None)

    def blocks_of(self, text: Text) -> tuple[Block, ...]:
        """The blocks of a text."""
        if text.raw not in self._blocks:
            if self._convert is None:
                self._convert = make_converter(self.inventory.settings["MARKDOWN"])
            self._blocks[text.raw] = read_blocks(
                text.fields, text.body, self._convert, names=self.names, former=self._former
            )
        return self._blocks[text.raw]

    def _form_groups(self) -> Iterator[Group]:
        families: dict[tuple[str, str], dict[str, Text]] = {}
        for text in self.inventory.texts:
            families.setdefault((text.kind, text.key), {})[text.lang] = text
        kinds: dict[str, str] = {}
        for (kind, key), members in families.items():
            article = self._find_article(kind, key, members)
            if article is None or any("withdrawn" in text.fields for text in members.values()):
                continue
            if kinds.setdefault(key, kind) != kind:
                self.problems.append(
                    f"{article.name}: an article and a page have the key {key!r}, and share their records. "
                    "Give one of them another: `./blog rename`."
                )
                continue
            yield _Members(self, members, article).group()

    def _find_article(self, kind: str, key: str, members: Mapping[str, Text]) -> Text | None:
        sources = [text for text in members.values() if "translated_from" not in text.fields]
        if len(sources) == 1:
            return sources[0]
        names = ", ".join(text.name for text in sources or members.values())
        what, remedy = (
            (f"has {len(sources)} source articles", "State `Translated_from:` in all but one")
            if sources
            else ("has no source article", "Remove `Translated_from:` from the one that was written first")
        )
        self.problems.append(f"{names}: the {kind} {key!r} {what}. {remedy}.")
        return None

    def read_record(self, article: Text, lang: str) -> Record:
        """What is recorded of a translation, under a name it had before if need be; a broken record is a problem."""
        if lang not in self._recorded:
            self._recorded[lang] = recorded_keys(self.inventory.content, lang)
        for key in (article.key, *self.former_keys(article)):
            if key not in self._recorded[lang]:
                continue
            try:
                if record := read_record(record_path(self.inventory.content, lang, key)):
                    return record
            except RecordError as error:
                self.report(error, article.key, lang)
        return Record()

    def _look_for_orphans(self) -> None:
        """Note records of texts that are gone: their words are not."""
        known = self._keys.union(*(former_keys(text) for text in self.inventory.texts))
        for lang, keys in self._recorded.items():
            for key in sorted(keys - known):
                path = record_path(self.inventory.content, lang, key)
                remedy = (
                    f"If it has another key now, state `Former_keys: {key}` in its source; if not, delete this file"
                )
                self.problems.append(
                    f"{path}: there is no text {key!r} any more, whose words this record holds. {remedy}."
                )

    def former_keys(self, text: Text) -> list[str]:
        """The keys under which a text may be recorded still: those it had, and that none has now."""
        return [key for key in former_keys(text) if key not in self._keys]

    def report(self, error: RecordError, key: str, lang: str) -> None:
        """Note that a record is broken."""
        self.problems.append(f"{error}.")
        self.unreadable.append(error)
        self.broken.add((key, lang))


class _Members:
    """The texts of one piece, to be measured by each other."""

    def __init__(self, survey: Survey, members: Mapping[str, Text], article: Text) -> None:
        self._survey, self._members, self._article = survey, members, article
        self._found: dict[str, Translation] = {}
        self._begun: set[str] = set()
        self._words: dict[str, int] = {}
        self._hashes: dict[str, str] = {}

    def group(self) -> Group:
        article, tags = self._article, [language.tag for language in self._survey.inventory.languages]
        if is_draft(article):  # not finished, so nobody is asked to translate it
            tags = [tag for tag in tags if tag in self._members]
        found = {tag: self._measure(tag) for tag in tags if tag != article.lang}
        return Group(article.kind, article.key, article, found)

    def _measure(self, lang: str) -> Translation:
        if lang not in self._found:
            self._begun.add(lang)
            self._found[lang] = self._judge(lang)
        return self._found[lang]

    def _judge(self, lang: str) -> Translation:
        article, text = self._article, self._members.get(lang)
        record = self._survey.read_record(article, lang)
        about = article.kind, article.key, lang
        if text is None:
            state: State = "claimed" if record.claim else "missing"
            return Translation(*about, state, None, article, article, record, words=self._count(article))
        stated = made_from(text)
        others = (one for tag, one in self._members.items() if tag.casefold() == stated and one is not text)
        source = next(others, article)
        upstream = False
        in_circle = source.lang in self._begun and source.lang not in self._found
        if source is not article and not in_circle:
            above = self._measure(source.lang)
            upstream = above.state == "outdated" or above.upstream
        changes = self._compare(record, source, lang)
        notes = open_notes(article, text, record)
        state = "current"
        if is_draft(text):
            state = "draft"
        elif changes is None:
            state = "unrecorded"
        elif changes or notes:
            state = "outdated"
        changes = changes or ()
        words = (
            self._count(source)
            if state == "draft"
            else sum(
                count_words(block.text)
                for change in changes
                if change.op in ("changed", "added")
                for block in change.new
            )
        )
        return Translation(*about, state, text, source, article, record, changes, upstream, notes, words)

    def _compare(self, record: Record, source: Text, lang: str) -> tuple[Change, ...] | None:
        """What changed since; None where nobody can know."""
        if record.basis is None or record.basis.lang != source.lang:
            return None
        if source.lang not in self._hashes:
            self._hashes[source.lang] = hash_source(source.raw)
        if record.basis.source == self._hashes[source.lang]:
            return ()
        try:
            return tuple(differences(record.basis.blocks(), self._survey.blocks_of(source)))
        except RecordError as error:
            self._survey.report(error, self._article.key, lang)
            return None

    def _count(self, text: Text) -> int:
        if text.lang not in self._words:
            self._words[text.lang] = count_text(text)
        return self._words[text.lang]


def count_text(text: Text) -> int:
    """How many words of a text there are to translate, about."""
    fields = (value for name in ("title", "summary") for value in text.fields.get(name, ()))
    return count_words("\n".join((*fields, text.body)))


def notes_of(article: Text) -> tuple[str, ...]:
    """The corrections and retractions that a text states, as "corrected 2026-03-04"."""
    return tuple(
        f"{name} {found['day']}"
        for name in _NOTES
        for value in article.fields.get(name, ())
        if (found := _NOTE.match(value))
    )


def open_notes(article: Text, text: Text, record: Record) -> tuple[str, ...]:
    """Corrections and retractions of the source article that came after the translation was last looked at.

    One that the translation states itself has reached it, whatever is recorded.
    """
    if not (stated := notes_of(article)):
        return ()
    known = Counter(record.basis.notes if record.basis else ())
    return tuple(sorted((Counter(stated) - (known | Counter(notes_of(text)))).elements()))


def in_order(groups: Iterable[Group], lang: str = "") -> list[Group]:
    """Pieces with something to do, the most important first.

    First those with a correction that has not reached a translation: what it says is known to be wrong. Then by how
    many languages lack the piece or have it as it was, which is how many readers do; then the newest, since what is
    asked for is what is new. Pages have no date and come after articles that as many lack.
    """
    chosen = [group for group in groups if any(not lang or one.lang == lang for one in group.to_do)]

    def rank(group: Group) -> tuple[bool, int, tuple[int, ...], str]:
        wrong = any(one.notes for one in group.to_do)
        lacking = sum(one.state != "unrecorded" for one in group.to_do)
        newest = tuple(-int(part) for part in re.findall(r"\d+", dated(group.article)))
        return not wrong, -lacking, newest or (0,), group.key

    return sorted(chosen, key=rank)


def dated(article: Text) -> str:
    """The day of a text, as 2026-03-04, or "" where it states none."""
    return next(iter(article.fields.get("date", ())), "")[:10]


def age(one: Translation, today: date) -> int | None:
    """Days since a translation was last in line with its source; of a missing one, since the article came out."""
    stated = dated(one.article)
    day = one.day if one.text else None  # of one that is gone a record may be left
    day = day or (date.fromisoformat(stated) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", stated) else None)
    return None if day is None else max((today - day).days, 0)


def made_from(text: Text) -> str:
    """The language that a translation says to be made from, in small letters; "" for a source article."""
    return next(iter(text.fields.get("translated_from", ())), "").strip().casefold().replace("_", "-")


def is_draft(text: Text) -> bool:
    """Whether a text is not finished."""
    return next(iter(text.fields.get("status", ())), "").strip().lower() == "draft"


def _first_keys(texts: Sequence[Text]) -> dict[str, str]:
    """For each text that was renamed, the first key it had."""
    return {name: former[0] for text in texts if (former := former_keys(text)) for name in (text.key, *former[1:])}


def former_keys(text: Text) -> list[str]:
    """The keys that a text had before: `Former_keys:`, one in a line or parted by commas; nothing else is a key."""
    values = text.fields.get("former_keys", ())
    return [key for value in values for part in value.split(",") if _KEY.match(key := part.strip())]
