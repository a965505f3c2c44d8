"""The theme's texts: gettext catalogues, `<lang>.po`, compiled in memory at each build."""

from __future__ import annotations

import gettext
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from .errors import Problem
from .languages import canonical_tag, find_locale, nearest_tags

# What Jinja's gettext fills in every text, with placeholders or without: %(name)s, and %% for %.
_PLACEHOLDER = re.compile(r"%(?:%|\((?P<name>\w+)\)[sd])")
#: A form of a plural may say the number in words.
_COUNTS = {"num", "n", "count"}
_LINE = re.compile(r'\s*(#.*|(msg\w+(\[\d\])?\s+)?"([^"\\]|\\.)*"\s*)?\Z')


class Catalogues:
    """The messages of every language, found by negotiation.

    A language takes the catalogue of its own tag, else of the nearest shorter one
    (`zh-Hans-SG` → `zh-Hans` → `zh`), else the English texts of the templates. With
    several folders the first that has a message wins, so a site can overrule a theme.
    """

    def __init__(self, folders: Iterable[Path], root: Path, *, setting: str = "") -> None:
        """Read the folders; `setting` is what names them, if something does."""
        self.problems: list[Problem] = []
        self._root = root
        self._found: dict[str, list[tuple[Catalog, bytes]]] = {}  # as it is written, and compiled
        for folder in folders:
            if setting and not folder.is_dir():
                name = _relative(folder, root)
                self.problems.append(Problem(name, 0, "the folder of messages is missing", f"Correct {setting}."))
            for path in sorted(folder.glob("*.po")):
                self._read(path)

    def find(self, tag: str) -> gettext.NullTranslations:
        """The translations for a language, empty when there is no catalogue for it."""
        for nearest in nearest_tags(tag):
            if nearest in self._found:
                first, *others = (gettext.GNUTranslations(io.BytesIO(compiled)) for _, compiled in self._found[nearest])
                for other in others:
                    first.add_fallback(other)
                return first
        return gettext.NullTranslations()

    def missing(self, tag: str, msgids: Iterable[str]) -> list[str]:
        """Which of these messages a language has no finished text for."""
        catalogues = next((self._found[t] for t in nearest_tags(tag) if t in self._found), [])
        finished = {
            _first(message)
            for catalogue, _ in catalogues
            for message in catalogue
            if message.id and not message.fuzzy and _is_whole(message, catalogue)
        }
        return [msgid for msgid in msgids if msgid not in finished]

    def _read(self, path: Path) -> None:
        name = _relative(path, self._root)
        try:
            tag = canonical_tag(path.stem)
        except ValueError as error:
            self.problems.append(Problem(name, 0, f"{error}", "Name a catalogue by its language, e.g. fa.po."))
            return
        try:
            text = path.read_text("utf-8-sig")
            for number, written in enumerate(text.split("\n"), 1):
                if not _LINE.match(written):
                    what = f"{written.strip()!r} is neither a text in quotes nor a comment"
                    self.problems.append(Problem(name, number, what, "Mend the catalogue's syntax."))
                    return
            catalogue, compiled = _compile(text, tag)
        except UnicodeDecodeError:
            self.problems.append(Problem(name, 0, "the file is not UTF-8", "Save it as UTF-8."))
        except PoFileError as error:
            line = (error.lineno or 0) + 1
            self.problems.append(Problem(name, line, f"{error}", "Mend the catalogue's syntax."))
        except ValueError as error:
            self.problems.append(Problem(name, 0, f"{error}", "Mend the catalogue's header."))
        else:
            found = list(_check(name, catalogue))
            self.problems += found
            if not found:
                self._found.setdefault(tag, []).append((catalogue, compiled))


def open_catalogues(settings: Mapping[str, Any], root: Path) -> Catalogues:
    """The catalogues that a site's settings name: those of MULTILINGUAL_MESSAGES, else the theme's."""
    setting = "MULTILINGUAL_MESSAGES"
    folders = settings.get(setting)
    if folders is None:
        folders, setting = (str(Path(settings["THEME"], "messages")),), ""
    return Catalogues([root / folder for folder in folders], root, setting=setting)


def _check(name: str, catalogue: Catalog) -> Iterator[Problem]:
    for message in catalogue:
        if not message.id:
            continue
        expected = _placeholders(" ".join(_ids(message)))
        needed = expected - _COUNTS if message.pluralizable else expected
        for text in filter(None, _strings(message)):
            written = _placeholders(text)
            if "%" in _PLACEHOLDER.sub("", text) or written - expected:
                what = f"the placeholders of {text!r} are broken"
            elif needed - written:
                what = f"{text!r} has lost %({min(needed - written)})s"
            else:
                continue
            remedy = f"Write the placeholders as in {_first(message)!r}, and %% for a percent sign."
            yield Problem(name, message.lineno or 0, what, remedy)


def _placeholders(text: str) -> set[str]:
    return {found["name"] for found in _PLACEHOLDER.finditer(text) if found["name"]}


@lru_cache(maxsize=64)
def _compile(text: str, tag: str) -> tuple[Catalog, bytes]:
    """Read a catalogue and compile it; once, where one process builds again and again."""
    catalogue = read_po(io.StringIO(text), abort_invalid=True)
    # The file's name says the language: its header may lack that, or name one Babel does not know.
    catalogue.locale = find_locale(tag) or "en"
    for message in catalogue:
        if message.id and not any(_strings(message)):
            message.string = ""  # or Babel compiles a plural without texts from its ids, by this language's rule
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    gettext.GNUTranslations(io.BytesIO(compiled.getvalue()))  # what its header says is read only here
    return catalogue, compiled.getvalue()


def _is_whole(message: Message, catalogue: Catalog) -> bool:
    texts = _strings(message)
    return all(texts) and (not message.pluralizable or len(texts) >= catalogue.num_plurals)


def _ids(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def _strings(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ("",))


def _first(message: Message) -> str:
    return _ids(message)[0]


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
