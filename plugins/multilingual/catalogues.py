"""The theme's texts: gettext catalogues, `<lang>.po`, compiled in memory at each build."""

from __future__ import annotations

import gettext
import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from .errors import Problem
from .languages import canonical_tag, nearest_tags

_PLACEHOLDER = re.compile(r"%\((\w+)\)")


class Catalogues:
    """The messages of every language, found by negotiation.

    A language takes the catalogue of its own tag, else of the nearest shorter one
    (`zh-Hans-SG` → `zh-Hans` → `zh`), else the English texts of the templates. With
    several folders the first that has a message wins, so a site can overrule a theme.
    """

    def __init__(self, folders: Iterable[Path], root: Path) -> None:
        self.problems: list[Problem] = []
        self._root = root
        self._found: dict[str, list[Catalog]] = {}
        for folder in folders:
            for path in sorted(folder.glob("*.po")):
                self._read(path)

    def find(self, tag: str) -> gettext.NullTranslations:
        """The translations for a language, empty when there is no catalogue for it."""
        for nearest in nearest_tags(tag):
            if nearest in self._found:
                first, *others = map(_compile, self._found[nearest])
                for other in others:
                    first.add_fallback(other)
                return first
        return gettext.NullTranslations()

    def missing(self, tag: str, msgids: Iterable[str]) -> list[str]:
        """Which of these messages a language has no finished text for."""
        catalogues = next((self._found[t] for t in nearest_tags(tag) if t in self._found), [])
        finished = {
            _first(message)
            for catalogue in catalogues
            for message in catalogue
            if message.id and not message.fuzzy and all(_strings(message))
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
            catalogue = read_po(io.BytesIO(path.read_bytes()), locale=None, abort_invalid=True)
        except PoFileError as error:
            line = (error.lineno or 0) + 1
            self.problems.append(Problem(name, line, f"{error}", "Mend the catalogue's syntax."))
            return
        except (UnicodeDecodeError, ValueError) as error:
            self.problems.append(Problem(name, 0, f"{error}", "Save the catalogue as UTF-8."))
            return
        found = list(_check(name, catalogue))
        self.problems += found
        if not found:
            self._found.setdefault(tag, []).append(catalogue)


def _check(name: str, catalogue: Catalog) -> Iterator[Problem]:
    for message in catalogue:
        if not message.id:
            continue
        expected = set(_PLACEHOLDER.findall(" ".join(_ids(message))))
        for text in filter(None, _strings(message)):
            try:
                # What Jinja's gettext does with every text, with placeholders or without.
                text % dict.fromkeys(expected, 1)
            except (KeyError, ValueError, TypeError) as error:
                what = f"the placeholders of {text!r} are broken ({error})"
            else:
                lost = expected - set(_PLACEHOLDER.findall(text))
                if not lost or message.pluralizable:
                    continue
                what = f"{text!r} has lost %({sorted(lost)[0]})s"
            yield Problem(
                name,
                message.lineno or 0,
                what,
                f"Write the placeholders as in {_first(message)!r}.",
            )


def _compile(catalogue: Catalog) -> gettext.GNUTranslations:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _ids(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def _strings(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ("",))


def _first(message: Message) -> str:
    return _ids(message)[0]


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
