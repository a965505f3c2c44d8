"""What translators work on: every text of the mailroom's letters and pages, and what a language still lacks.

English is what the templates and modules say themselves. A catalogue is written anew when texts change, in their order
and with the translations it has, so that what is left to do stands in the file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import normalize

from mailroom.languages import MESSAGES, PACKAGE, read_catalogue

#: The language of the templates: its catalogue is empty, and only makes it one of the languages.
SOURCE = "en"

_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
# A form of a plural may say the number in words.
_COUNTS = {"num", "n", "count"}


@dataclass(frozen=True, slots=True)
class Text:
    """A text to translate: its forms, two where it counts, and what tells it from the same words elsewhere."""

    forms: tuple[str, ...]
    context: str | None = None

    def __str__(self) -> str:
        return self.forms[0]


def find_texts(package: Path = PACKAGE) -> list[Text]:
    """Every text that templates and modules have translated, in the order of files and lines."""
    found = extract_from_dir(
        package,
        method_map=[("**/templates/**", "jinja2.ext:babel_extract"), ("**.py", "python")],
        options_map={"**/templates/**": {"silent": "false", "trimmed": "true"}},
        keywords=DEFAULT_KEYWORDS,
    )
    return list(dict.fromkeys(Text(_forms(message), context) for _, _, message, _, context in found))


def find_missing(texts: Sequence[Text], folder: Path = MESSAGES) -> dict[str, list[Text]]:
    """By language, what has no finished text, or one whose placeholders are wrong. Empty when all is well."""
    missing = {}
    for path in sorted(folder.glob("*.po")):
        if path.stem != SOURCE:
            catalogue = read_catalogue(path)
            lacking = [text for text in texts if not _is_finished(catalogue, text)]
            if lacking:
                missing[path.stem] = lacking
    return missing


def write_catalogues(texts: Sequence[Text], folder: Path = MESSAGES) -> None:
    """Write every language's catalogue anew: all texts, with the translations there are."""
    for path in sorted(folder.glob("*.po")):
        if path.stem != SOURCE:
            catalogue = read_catalogue(path)
            header = path.read_text("utf-8-sig").partition("\n\n")[0].rstrip("\n")
            entries = [_entry(catalogue, text) for text in texts]
            path.write_text("\n\n".join([header, *entries]) + "\n", "utf-8")


def _entry(catalogue: Catalog, text: Text) -> str:
    message = _find(catalogue, text)
    lines = [f"# {comment}" for comment in (message.user_comments if message else ())]
    flags = [name for name in ("fuzzy", "python-format") if _has(name, message, text)]
    if flags:
        lines.append(f"#, {', '.join(flags)}")
    if text.context:
        lines.append(f"msgctxt {normalize(text.context, width=0)}")
    lines.append(f"msgid {normalize(text.forms[0], width=0)}")
    strings = _strings(message) if message else ()
    if len(text.forms) == 1:
        lines.append(f"msgstr {normalize(strings[0] if strings else '', width=0)}")
    else:
        lines.append(f"msgid_plural {normalize(text.forms[1], width=0)}")
        for number in range(catalogue.num_plurals):
            lines.append(f"msgstr[{number}] {normalize(strings[number] if number < len(strings) else '', width=0)}")
    return "\n".join(lines)


def _has(flag: str, message: Message | None, text: Text) -> bool:
    return bool(message and message.fuzzy) if flag == "fuzzy" else bool(_PLACEHOLDER.search(" ".join(text.forms)))


def _find(catalogue: Catalog, text: Text) -> Message | None:
    return catalogue.get(text.forms[0] if len(text.forms) == 1 else text.forms, context=text.context)


def _is_finished(catalogue: Catalog, text: Text) -> bool:
    """Whether it is translated in all its forms, none of which has lost or made up a placeholder."""
    message = _find(catalogue, text)
    if message is None or message.fuzzy:
        return False
    strings = _strings(message)
    if len(strings) < (1 if len(text.forms) == 1 else catalogue.num_plurals):
        return False
    gaps = set(_PLACEHOLDER.findall(" ".join(text.forms)))
    needed = gaps - _COUNTS if len(text.forms) > 1 else gaps
    return all(string and needed <= set(_PLACEHOLDER.findall(string)) <= gaps for string in strings)


def _strings(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def _forms(message: str | Sequence[str]) -> tuple[str, ...]:
    return (message,) if isinstance(message, str) else tuple(message)
