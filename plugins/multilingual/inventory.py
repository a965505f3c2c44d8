"""Every text of the site as its file states it, for parts that look at texts and build nothing.

Files are read and their headers split, no more: no Markdown is converted, no date
understood, and what is wrong with a file is carried, not raised. Six thousand files take
a second.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import Problem, in_order
from .headers import Header, HeaderError, decode, split_header
from .placement import KEY, KEY_RULE, Layout

if TYPE_CHECKING:
    from gettext import NullTranslations

    from .languages import Language, Languages

# The settings are Pelican's to read; it is imported where that is done.

_ENDINGS = (".md", ".markdown", ".mkd", ".mdown")
_KINDS = {"article": "ARTICLE_PATHS", "page": "PAGE_PATHS"}


@dataclass(frozen=True, slots=True)
class Text:
    """One article or page in one language.

    `kind` is "article" or "page", `name` the path from the project's folder, with forward slashes. `fields` are the
    header's values by lower-case name, a list's values one by one, in order.
    """

    kind: str
    key: str
    lang: str
    path: Path
    name: str
    fields: Mapping[str, tuple[str, ...]]
    raw: bytes = field(repr=False)

    @property
    def body(self) -> str:
        """What stands below the header. Of most texts nobody asks; kept, it would double the memory that all take."""
        return split_header(decode(self.raw)).body


@dataclass(frozen=True, slots=True)
class Inventory:
    """The site's languages and all its texts, by kind, key and the site's order of languages.

    `settings` are Pelican's, as the site's settings file states them. `problems` are those of files that could not be
    read; they have no text here.
    """

    root: Path
    content: Path
    settings: Mapping[str, Any]
    languages: tuple[Language, ...]
    texts: tuple[Text, ...]
    problems: tuple[Problem, ...]

    def reread(self, text: Text, raw: bytes) -> Text:
        """A text as other bytes have it, such as those of an earlier day. Raises HeaderError."""
        return _read(text.kind, text.key, text.lang, text.path, text.name, raw)

    def filters(self, tag: str) -> dict[str, Callable[..., str]]:
        """What templates call to write days and numbers in a language, by name."""
        from .formats import format_date, format_number

        language = next(one for one in self.languages if one.tag == tag)
        return {
            "localdate": lambda day: format_date(day, language),
            "localnumber": lambda number: format_number(number, language),
        }

    def messages(self, tag: str) -> NullTranslations:
        """The theme's texts in a language; in English where it has none."""
        from .catalogues import open_catalogues

        return open_catalogues(self.settings, self.root).find(tag)


def take_inventory(root: Path, settings: Mapping[str, Any], languages: Languages) -> Inventory:
    """Read every text that stands in a language's folder."""
    content = Path(settings["PATH"])
    # Names are put together as strings: for thousands of files pathlib takes longer than the disk.
    home = content.relative_to(root).as_posix() if content.is_relative_to(root) else content.as_posix()
    layout = Layout(languages, {kind: settings[name] for kind, name in _KINDS.items()}, home)
    texts: dict[tuple[str, str, str], Text] = {}
    problems: list[Problem] = []
    for kind, setting in _KINDS.items():
        for folder in settings[setting]:
            for place in _find_files(content, folder):
                name = f"{home}/{place}"
                placement = layout.place(kind, place)
                if placement.language is None:
                    continue
                if not KEY.match(placement.key):
                    problems.append(Problem(name, 0, f"{placement.key!r} is no key", KEY_RULE))
                    continue
                path = Path(f"{content}/{place}")
                try:
                    text = _read(kind, placement.key, placement.language.tag, path, name, path.read_bytes())
                except HeaderError as error:
                    problems.append(Problem(name, error.line, error.what, error.remedy))
                    continue
                except OSError as error:
                    problems.append(Problem(name, 0, f"it cannot be read ({error.strerror})", "Mend it, or remove it."))
                    continue
                first = texts.setdefault((text.kind, text.key, text.lang), text)
                if first.name != name:
                    problems.append(Problem(name, 0, f"{first.name} is the same in the same language", "Keep one."))
    order = {tag: place for place, tag in enumerate(languages)}
    return Inventory(
        root=root,
        content=content,
        settings=settings,
        languages=tuple(languages.values()),
        texts=tuple(sorted(texts.values(), key=lambda text: (text.kind, text.key, order[text.lang]))),
        problems=tuple(in_order([*problems, *layout.problems()])),
    )


def _read(kind: str, key: str, lang: str, path: Path, name: str, raw: bytes) -> Text:
    header = split_header(decode(raw))
    return Text(kind, key, lang, path, name, _flatten(header), raw)


def _flatten(header: Header) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(one for value in values for one in ([value] if isinstance(value, str) else value))
        for name, values in header.fields.items()
    }


def _find_files(content: Path, folder: str) -> Iterator[str]:
    """Paths from the content folder, with forward slashes, in order."""
    base = f"{content}/{folder}" if folder else str(content)
    for where, folders, files in os.walk(base):
        folders.sort()
        inside = os.path.relpath(where, content).replace(os.sep, "/")
        for file in sorted(files):
            if file.endswith(_ENDINGS) and not file.startswith("."):
                yield f"{inside}/{file}"
