"""A file that was sent in, read: a kit that came back, or a text of somebody who had none.

Nothing of the file is kept but its text. Whoever called then finds the source, and placement.py puts the text into
its place.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import yaml

from ..blocks import Convert
from .archive import refuse_other_types
from .document import Document, Piece, Span, plain
from .errors import UnusableFile
from .html import read_kit_html
from .manuscript import Manuscript, Paragraph
from .markdown import read_document
from .tree import TooMuchMarkup
from .word import read_docx

_IDENTITY = re.compile(
    r"(?P<key>[a-z0-9-]{1,80}) · (?P<origin>[A-Za-z0-9-]{2,35}) → (?P<lang>[A-Za-z0-9-]{2,35})"
    r" · (?P<revision>[0-9a-f]{64})(?: · (?P<present>[0-9a-f]{16}))?(?![0-9a-f])"
)
_FIELD = re.compile(r"[ ]{0,3}(?P<key>[A-Za-z][A-Za-z0-9_-]*):\s*(?P<value>.*)")
_NUMBER = re.compile(r"\s*(?P<row>\d{1,5})(?!\d)(?:[^\[［【]*[\[［【]\s?(?P<note>\d{1,3})\s?[\]］】])?")
_MAX_TEXT = 2 * 2**20


@dataclass(frozen=True, slots=True)
class Identity:
    """What the first line of a kit says.

    `revision` is its source's SHA-256, `present` the beginning of that of the translation that it shows, "" for none.
    """

    key: str
    origin: str
    lang: str
    revision: str
    present: str


@dataclass(frozen=True, slots=True)
class Cells:
    """A row of a kit that came back: its number, its source as it stood there, and what was written beside it.

    `note` is the number of the note that it is, or 0. What is no row of the kit's has no number.
    """

    number: int
    source: str
    spans: tuple[Span, ...]
    note: int = 0


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file's text: rows if it is a kit and then its identity, else a document."""

    name: str
    identity: Identity | None
    rows: tuple[Cells, ...]
    document: Document
    dropped: tuple[str, ...]


def read_arrival(name: str, data: bytes, convert: Convert, fields: Sequence[str] = ()) -> Arrival:
    """Read a kit (.docx, .html), or a text (.docx, .md); `name` is the file's. Raises UnusableFile.

    `fields` are those that a text's header may have beside title and summary.
    """
    ending = name.rpartition(".")[2].casefold()
    try:
        if ending in ("md", "markdown", "txt"):
            document = _read_text(name, data, convert, fields)
            return Arrival(name, None, (), document, document.lost)
        manuscript = _read_page(name, data) if ending in ("html", "htm", "xhtml") else read_docx(name, data)
    except TooMuchMarkup as error:
        raise UnusableFile(name, str(error), "Ask for the text without its layout, as .docx.") from error
    identity = _identify(manuscript)
    rows = tuple(_kit_rows(manuscript)) if identity else ()
    if identity is None and ending in ("html", "htm", "xhtml"):
        raise UnusableFile(name, "it is a page, but no kit of ours", "Ask for the text as .docx.")
    if identity and not any(row.number for row in rows):
        raise UnusableFile(name, "the kit's table is missing", "Ask for the file as it was filled in, with its table.")
    document = Document(()) if identity else manuscript.arrange()
    if not identity and not document.blocks:
        raise UnusableFile(name, "there is no text in it", "Ask for the text as paragraphs, not as pictures.")
    if identity and not any(row.spans for row in rows):
        raise UnusableFile(name, "the kit is empty", "Ask for the file as it was filled in and saved.")
    return Arrival(name, identity, rows, document, _say(manuscript.dropped))


def _say(dropped: Counter[str]) -> tuple[str, ...]:
    return tuple(f"{what} ({count})" if count > 1 else what for what, count in sorted(dropped.items()))


def _decode(name: str, data: bytes) -> str:
    refuse_other_types(name, data)
    if data.startswith(b"PK"):
        raise UnusableFile(name, "it is a zip archive or an Office file under another name", "Call it .docx if it is.")
    if len(data) > _MAX_TEXT:
        raise UnusableFile(name, f"it is larger than {_MAX_TEXT // 2**20} MiB", "Ask for the text alone.")
    try:
        text = data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableFile(name, "its text is not UTF-8", "Open it in an editor, and save it as UTF-8.") from error
    if "\0" in text:
        raise UnusableFile(name, "it is no text", "Ask for the text, as .docx or .md.")
    return text


def _read_page(name: str, data: bytes) -> Manuscript:
    text = _decode(name, data)
    if re.match(r"(?i)(from|mime-version|snapshot-content-location):", text):
        raise UnusableFile(name, "it is a web archive (.mhtml)", "Save the page as “Web page, complete”.")
    return read_kit_html(text)


def _read_text(name: str, data: bytes, convert: Convert, names: Sequence[str]) -> Document:
    fields, body = _split_header(name, _decode(name, data).replace("\r\n", "\n").replace("\r", "\n"))
    document = read_document(fields, body, convert, names)
    if not document.blocks:
        raise UnusableFile(name, "there is no text in it", "Ask for it again.")
    first = document.pieces[0]
    if first.kind == "heading" and first.level == 1:
        document = replace(document, pieces=(Piece("title", first.spans), *document.pieces[1:]))
    return document


def _split_header(name: str, text: str) -> tuple[dict[str, list[str]], str]:
    """The fields of a header, if there is one; what it says beside texts is for the editor to state."""
    if text.startswith("---\n") and (end := text.find("\n---", 3)) > 0:
        try:
            found = yaml.load(text[4:end], Loader=yaml.BaseLoader)  # noqa: S506 - knows strings, lists and mappings only
        except (yaml.YAMLError, RecursionError) as error:
            raise UnusableFile(name, "its header is not YAML", "Correct it, or remove it.") from error
        if isinstance(found, dict):
            return {str(key).lower(): [value] for key, value in found.items() if isinstance(value, str)}, text[
                end + 4 :
            ]
    fields: dict[str, list[str]] = {}
    lines = text.split("\n")
    for number, line in enumerate(lines):
        field = _FIELD.match(line)
        if not line.strip() or field is None:
            return (fields, "\n".join(lines[number:])) if fields and not line.strip() else ({}, text)
        fields.setdefault(field["key"].lower(), []).append(field["value"].strip())
    return {}, text


def _identify(manuscript: Manuscript) -> Identity | None:
    for block in manuscript.blocks:
        if isinstance(block, Paragraph) and (found := _IDENTITY.search(plain(block.spans))):
            return Identity(found["key"], found["origin"], found["lang"], found["revision"], found["present"] or "")
    return None


def _kit_rows(manuscript: Manuscript) -> Iterator[Cells]:
    """The rows of a kit's tables, and what was written where no row of the kit's is."""
    is_begun = False
    for block in manuscript.blocks:
        if isinstance(block, Paragraph):
            if is_begun and plain(block.spans).strip():
                yield Cells(0, "", block.spans)
            continue
        for first, *others in (row for row in block.rows if row):
            found = _NUMBER.match(plain(first))
            if found and others:
                source = " ".join(plain(others[0]).split()) if len(others) > 1 else ""
                yield Cells(int(found["row"]), source, others[-1], int(found["note"] or 0))
            elif is_begun and (spans := next((cell for cell in reversed([first, *others]) if cell), ())):
                yield Cells(0, "", spans)
            is_begun = True  # the head of the table is behind
