"""Changing source files for an editor: new ones, new names, and articles taken down.

Every change is planned before the first file is touched. Line endings and a byte-order
mark stay as they were.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import yaml
from pelican.settings import DEFAULT_CONFIG
from pelican.utils import slugify

from .errors import suggestion
from .headers import HeaderError, decode, split_header
from .languages import Languages
from .placement import KEY, KEY_RULE

KINDS = {"article": "articles", "page": "pages"}
_ENDINGS = (".md", ".markdown", ".mkd", ".mdown")
#: Fields that say what the text says; `--erase` takes them along.
_TELLING = ("summary", "description", "image_alt", "image_caption")
_FIELD = re.compile(r"[ ]{0,3}(?P<key>[A-Za-z0-9_-]+):")
#: Scripts that transliterate into readable Latin; from others a key would be gibberish.
_TRANSLITERATED = ("LATIN", "CYRILLIC", "GREEK")


class EditingError(ValueError):
    """A change that cannot be made; the message names the file and the remedy."""

    remedy = True  # the front door then shows the message as it is


def make_key(title: str, day: date) -> str:
    """A key from a title, or from the day where the title's script gives none."""
    letters = [c for c in title if c.isalpha()]
    if all(unicodedata.name(c, "").startswith(_TRANSLITERATED) for c in letters):
        key = slugify(title, regex_subs=DEFAULT_CONFIG["SLUG_REGEX_SUBSTITUTIONS"])
        key = re.sub(r"[^a-z0-9-]+", "-", key)[:60].strip("-")
        if key:
            return key
    return f"article-{day.isoformat()}"


def new_article(content: Path, languages: Languages, title: str, lang: str, key: str, day: date, kind: str) -> Path:
    """Start a draft and return its path. Raises EditingError."""
    language = languages.find(lang)
    if language is None:
        raise EditingError(f"--lang {lang}: not a language of this site. " + suggestion(lang, languages))
    title = " ".join(title.split())
    if not title:
        raise EditingError("the title is empty; give it in quotes")
    if not KEY.match(key):
        raise EditingError(f"--key {key}: no key. Use small letters a-z, digits and hyphens.")
    taken = list(find_files(content, key, kind))
    if taken:
        raise EditingError(f"{taken[0]} exists; give another --key")
    path = content / KINDS[kind] / language.tag / f"{key}.md"
    header = [f"Title: {title}"]
    if kind == "article":
        header += [f"Date: {day.isoformat()}", "Authors:", "Topics:", "Countries:"]
    header += ["Summary:", "Status: draft"]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write("\n".join(header) + "\n\n")
    return path


def find_files(content: Path, key: str, kind: str | None = None) -> Iterator[Path]:
    """Every file of a key, in the order of their folders."""
    for folder in (KINDS[kind],) if kind else KINDS.values():
        for path in sorted((content / folder).rglob("*")):
            if path.is_file() and path.suffix in _ENDINGS and path.stem.casefold() == key.casefold():
                yield path


def known_keys(content: Path) -> set[str]:
    """The keys of all articles and pages."""
    return {path.stem for folder in KINDS.values() for path in (content / folder).rglob("*") if path.suffix in _ENDINGS}


def rename(content: Path, old: str, new: str) -> list[tuple[Path, Path]]:
    """Give a piece another key in all its languages, with redirects and links kept.

    Returns the files' old and new paths. Raises EditingError.
    """
    files = _files_of(content, old)
    if not KEY.match(new):
        raise EditingError(f"{new!r} is no key. {KEY_RULE}")
    if taken := list(find_files(content, new)):
        raise EditingError(f"{taken[0]} exists; choose another name")
    source = next((path for path in files if "translated_from" not in _fields(path)), files[0])
    texts = {path: _read(path) for path in files}
    texts[source] = add_value(texts[source], "Former_keys", old)
    moves = [(path, path.with_name(new + path.suffix)) for path in files]
    linking = re.compile(
        r"(?P<before>[{|]filename[|}][^\s\"'()<>]*?/?)(?<![a-z0-9-])" + re.escape(old)
        + r"(?P<after>\.(?:md|markdown|mkd|mdown|rst)\b)"
    )  # fmt: skip
    for folder in KINDS.values():
        for path in sorted((content / folder).rglob("*")):
            if path.is_file() and path.suffix in _ENDINGS:
                text = texts.get(path) or _read(path)
                changed = linking.sub(rf"\g<before>{new}\g<after>", text)
                if changed != text or path in texts:
                    texts[path] = changed
    for path, text in texts.items():
        _write(path, text)
    for path, target in moves:
        path.rename(target)
    for path in _find_records(content, old):
        path.rename(path.with_name(f"{new}.json"))
    return moves


def withdraw(content: Path, key: str, reason: str, day: date, *, erase: bool) -> list[Path]:
    """Mark every file of a piece as withdrawn; with `erase`, remove its text as well.

    The reason goes into the source article, whose language it is in; translators may add it to theirs. What other parts
    keep of the text goes with it.
    Returns the files changed. Raises EditingError.
    """
    files = _files_of(content, key)
    texts = {}
    for path in files:
        text = _read(path)
        fields = _fields(path)
        if "withdrawn" not in fields:
            why = "" if "translated_from" in fields else reason
            text = add_value(text, "Withdrawn", f"{day.isoformat()} {why}".strip())
        if erase:
            header = split_header(_plain(text))
            lines = text.splitlines(keepends=True)
            text = "".join(lines[: header.body_line - 1]).rstrip("\r\n") + _ending(text)
            for name in _TELLING:
                text = _without_field(text, name)
        texts[path] = text
    for path, text in texts.items():
        _write(path, text)
    if erase:
        former = {old for path in files for old in re.findall(r"[a-z0-9-]+", str(_fields(path).get("former_keys")))}
        for one in sorted({key, *former - known_keys(content)}):
            for record in _find_records(content, one):
                record.unlink()
    return files


def _find_records(content: Path, key: str) -> list[Path]:
    """What other parts keep of a text in its languages, in hidden folders of their own: `.translations/fa/KEY.json`."""
    return sorted(content.glob(f".*/*/{key}.json"))


def add_value(text: str, name: str, value: str) -> str:
    """Add a value to a field of a header, in whichever form the header is written."""
    end = _ending(text)
    lines = _plain(text).split("\n")
    header = split_header(_plain(text))
    if lines[0].rstrip() == "---":
        close = header.body_line - 2
        stated = header.fields.get(name.lower(), [])
        if name.lower() in header.lines:
            values = [one for value in stated for one in (value if isinstance(value, list) else [value])]
            start, stop = _yaml_extent(lines[1:close], name.lower())
            written = json.dumps([*values, value], ensure_ascii=False)
            lines[start + 1 : stop + 1] = [f"{name}: {written}"]
        else:
            lines.insert(close, f"{name}: {json.dumps(value, ensure_ascii=False)}")
    else:
        lines.insert(header.body_line - 1, f"{name}: {value}")
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    return mark + end.join(lines)


def _yaml_extent(lines: list[str], name: str) -> tuple[int, int]:
    """The lines, first and one past the last, that a field of a YAML header takes."""
    node = yaml.compose("\n".join(lines), Loader=yaml.BaseLoader)
    if node is None:
        raise KeyError(name)
    for key, value in node.value:
        if key.value.lower() == name:
            stop = value.end_mark.line + (1 if value.end_mark.column else 0)
            return key.start_mark.line, max(stop, key.start_mark.line + 1)
    raise KeyError(name)


def _without_field(text: str, name: str) -> str:
    """Take a field out of a header, all its lines and however often it is stated."""
    header = split_header(_plain(text))
    if name not in header.lines:
        return text
    lines = _plain(text).split("\n")
    if lines[0].rstrip() == "---":
        start, stop = _yaml_extent(lines[1 : header.body_line - 2], name)
        del lines[start + 1 : stop + 1]
    else:
        kept, taken = [], False
        for line in lines[: header.body_line - 1]:
            found = _FIELD.match(line)
            taken = found["key"].lower() == name if found else taken
            kept += [] if taken else [line]
        lines[: header.body_line - 1] = kept
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    return mark + _ending(text).join(lines)


def _files_of(content: Path, key: str) -> list[Path]:
    files = list(find_files(content, key))
    if not files:
        raise EditingError(f"there is no article or page {key!r}. " + suggestion(key, known_keys(content)))
    return files


def _fields(path: Path) -> Mapping[str, object]:
    try:
        return split_header(_plain(_read(path))).fields
    except HeaderError as error:
        raise EditingError(f"{path}:{error.line}: {error.what}. {error.remedy}") from error


def _read(path: Path) -> str:
    try:
        decode(path.read_bytes())
    except HeaderError as error:
        raise EditingError(f"{path}:{error.line}: {error.what}. {error.remedy}") from error
    return path.read_bytes().decode("utf-8")


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(text.encode("utf-8"))
    beside.replace(path)


def _plain(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def _ending(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
