"""Gettext catalogues (`<lang>.po`) as places to fill in: begun for a language, and counted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from babel import Locale
from babel.core import UnknownLocaleError
from babel.messages.catalog import Catalog, Message
from babel.messages.plurals import get_plural
from babel.messages.pofile import PoFileError, read_po

from .errors import DeskError
from .words import count_words

_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")


@dataclass(frozen=True, slots=True)
class Entry:
    """A message: its id (and plural), the context that tells equal ids apart, whether it has placeholders."""

    id: str
    plural: str = ""
    context: str = ""
    is_format: bool = False

    @property
    def identity(self) -> tuple[str, str]:
        """What no other message of the catalogue has."""
        return self.context, self.id

    @property
    def words(self) -> int:
        """How many words there are to translate, placeholders apart."""
        return count_words(_PLACEHOLDER.sub("", self.id))


def list_entries(folder: Path) -> list[Entry]:
    """All messages of a folder's catalogues, in the order of the fullest; none without a folder. Raises DeskError."""
    catalogues = sorted((_read(path) for path in sorted(folder.glob("*.po"))), key=len, reverse=True)
    found: dict[tuple[str, str], Entry] = {}
    for catalogue in catalogues:
        for message in catalogue:
            if message.id:
                entry = _entry(message)
                found.setdefault(entry.identity, entry)
    return list(found.values())


def read_messages(path: Path) -> dict[tuple[str, str], str]:
    """The finished texts of a catalogue by context and id, the first form of those that count; none without a file."""
    if not path.exists():
        return {}
    return {
        _entry(message).identity: texts[0]
        for message in _read(path)
        if message.id and not message.fuzzy and all(texts := _texts(message))
    }


def fill_up(path: Path, entries: Iterable[Entry], lang: str) -> int:
    """Give a catalogue an empty place for each message that it lacks, and begin it if need be; returns how many."""
    present = {_entry(message).identity for message in _read(path) if message.id} if path.exists() else set()
    lacking = [entry for entry in entries if entry.identity not in present]
    if lacking:
        plural_forms, count = find_plural(lang)
        text = path.read_text("utf-8").rstrip("\n") if path.exists() else _begin(lang, plural_forms)
        text = "\n\n".join([text, *(_write(entry, count) for entry in lacking)])
        path.write_text(text + "\n", "utf-8", newline="\n")
    return len(lacking)


def find_plural(lang: str) -> tuple[str, int]:
    """The `Plural-Forms` of a language, as gettext writes them, and how many forms it has; two where nobody knows."""
    tag = lang
    while tag:
        try:
            found = get_plural(Locale.parse(tag.replace("-", "_")))
        except (UnknownLocaleError, ValueError):
            tag = tag.rpartition("-")[0]
        else:
            return f"nplurals={found.num_plurals}; plural={found.plural_expr};", int(found.num_plurals)
    return "nplurals=2; plural=(n != 1);", 2


def _begin(lang: str, plural_forms: str) -> str:
    lines = (
        f"Language: {lang}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=UTF-8",
        "Content-Transfer-Encoding: 8bit",
        f"Plural-Forms: {plural_forms}",
    )
    return "\n".join(['msgid ""', 'msgstr ""', *(f'"{line}\\n"' for line in lines)])


def _write(entry: Entry, plurals: int) -> str:
    lines = ["#, python-format"] if entry.is_format else []
    lines += [f"msgctxt {_quote(entry.context)}"] if entry.context else []
    lines.append(f"msgid {_quote(entry.id)}")
    if entry.plural:
        lines.append(f"msgid_plural {_quote(entry.plural)}")
        lines += [f'msgstr[{number}] ""' for number in range(plurals)]
    else:
        lines.append('msgstr ""')
    return "\n".join(lines)


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t").replace("\n", "\\n")
    return f'"{escaped}"'


def _read(path: Path) -> Catalog:
    try:
        with path.open(encoding="utf-8-sig") as file:
            return read_po(file, abort_invalid=True)
    except (PoFileError, ValueError) as error:
        raise DeskError(str(path), f"it is no catalogue ({error})", "Mend its syntax") from error


def _entry(message: Message) -> Entry:
    id_, plural = (message.id, "") if isinstance(message.id, str) else (message.id[0], message.id[1])
    return Entry(id_, plural, message.context or "", "python-format" in message.flags)


def _texts(message: Message) -> Sequence[str]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ("",))
