"""The languages of pages and letters: those with a catalogue in `mailroom/messages/`, and their texts.

Tags are BCP 47 in canonical form; names and directions come from CLDR through Babel. Catalogues are read as they are,
`<lang>.po`, so that what a translator saves is what is sent.
"""

from __future__ import annotations

import gettext
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import langcodes
from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po
from langcodes.tag_parser import LanguageTagError

from mailroom.errors import ConfigurationError

PACKAGE = Path(__file__).resolve().parent
MESSAGES = PACKAGE / "messages"
#: How far a language may be from the one that was asked for, on CLDR's scale: Dari reads Persian (4), Egyptian Arabic
#: standard Arabic (10), but Traditional Chinese is not Simplified.
_NEAR = 15
# A tag as one could write it; what comes out of a form may be anything.
_WELL_FORMED = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8}){0,4}\Z")
# A line of a catalogue. Babel lets pass what is not closed, and reads something else then.
_LINE = re.compile(r'\s*(#.*|(msg(ctxt|id|id_plural|str)(\[\d\])?\s+)?"([^"\\]|\\.)*"\s*)?\Z')


@dataclass(frozen=True, slots=True)
class Language:
    """A language: `name` is its own name for itself, `direction` "ltr" or "rtl", `script` an ISO 15924 code."""

    tag: str
    name: str
    direction: str
    script: str
    locale: Locale

    def __str__(self) -> str:
        return self.tag


class Languages(Mapping[str, Language]):
    """The mailroom's languages, by canonical tag, and the texts of each."""

    def __init__(self, tags: Iterable[str], default: str, folder: Path = MESSAGES) -> None:
        self._languages = {tag: describe(tag) for tag in tags}
        self._folder = folder
        self.default = self._languages[default]
        self.texts = cache(self._read)
        self.find = lru_cache(512)(self._find)  # what forms and browsers ask for has no end

    def __getitem__(self, tag: str) -> Language:
        return self._languages[tag]

    def __iter__(self) -> Iterator[str]:
        return iter(self._languages)

    def __len__(self) -> int:
        return len(self._languages)

    def _find(self, asked: str) -> Language:
        """The language that serves whoever asks for this tag: the nearest (`zh` → `zh-Hans`), else the default."""
        if asked in self._languages:
            return self._languages[asked]
        if not _WELL_FORMED.match(asked):
            return self.default
        try:
            nearest = langcodes.closest_supported_match(asked, list(self._languages), max_distance=_NEAR)
        except LanguageTagError:
            return self.default
        return self._languages[nearest] if nearest else self.default

    def _read(self, tag: str) -> gettext.NullTranslations:
        """The texts of a language, with `gettext`, `ngettext` and `pgettext`; English where one is missing."""
        compiled = io.BytesIO()
        write_mo(compiled, read_catalogue(self._folder / f"{self.find(tag).tag}.po"))
        compiled.seek(0)
        return gettext.GNUTranslations(compiled)


def load_languages(only: Iterable[str] = (), default: str = "en", folder: Path = MESSAGES) -> Languages:
    """The languages with a catalogue, or those of MAILROOM_LANGUAGES, in its order.

    Raises ConfigurationError for one without a catalogue, and for a default that is none of them.
    """
    existing = sorted(path.stem for path in folder.glob("*.po"))
    tags = list(dict.fromkeys(only)) or existing
    for tag in tags:
        if tag not in existing:
            remedy = f"there is no {folder.name}/{tag}.po; name some of {', '.join(existing)}"
            raise ConfigurationError("MAILROOM_LANGUAGES", tag, remedy)
    if default not in tags:
        raise ConfigurationError("MAILROOM_DEFAULT_LANG", default, f"name one of the languages: {', '.join(tags)}")
    return Languages(tags, default, folder)


@cache
def describe(tag: str) -> Language:
    """What CLDR knows of a language, whether it has a catalogue or not; English's direction when it knows nothing."""
    locale = _locale(tag)
    name = locale.languages.get(tag.replace("-", "_")) or locale.get_display_name() or tag
    try:
        script = langcodes.Language.get(tag).maximize().script or "Zyyy"
    except LanguageTagError:  # what a campaign's HTML states may be no tag at all
        script = "Zyyy"
    return Language(tag, name[:1].upper() + name[1:], locale.text_direction, script, locale)


def _locale(tag: str) -> Locale:
    subtags = tag.split("-")
    while subtags:
        try:
            return Locale.parse("_".join(subtags))
        except (UnknownLocaleError, ValueError):
            subtags.pop()
    return Locale("en")


def read_catalogue(path: Path) -> Catalog:
    """One language's texts. Raises ConfigurationError for a file that is not a catalogue."""
    try:
        text = path.read_text("utf-8-sig")
        for number, line in enumerate(text.split("\n"), 1):
            if not _LINE.match(line):
                raise ValueError(f"line {number} is neither a text in quotes nor a comment")
        catalogue = read_po(io.StringIO(text), abort_invalid=True)
    except (PoFileError, ValueError) as error:
        raise ConfigurationError(f"messages/{path.name}", "…", f"mend the catalogue's syntax: {error}") from error
    catalogue.locale = _locale(path.stem)  # the file's name says the language
    return catalogue
