"""The file that a translator begins with: each block of the source quoted above the place for its translation.

Quotations are HTML comments of their own, before a paragraph, a list or a table, so that the file can be built and
looked at whenever one likes. `find_unfinished` tells what is left of them; a published text must have nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from .content import Text
from .kit.document import CELL, Document, Piece, Span, split_cells
from .kit.markdown import write_markdown

#: What a quotation begins with, and a field of the header that is still as in the source.
MARK, FIELD_MARK = "translate:", "TRANSLATE: "
#: What is said to be unfinished where a quotation is left, and nothing is wrong but that.
QUOTATION = "a quotation of the source"
#: Stands where words are wanted, and nowhere else.
PLACE = "⟨…⟩"

#: A term and its rendering.
Renderings = Callable[[str], Iterable[tuple[str, str]]]

_QUOTATION = re.compile(rf"<!--\s*{re.escape(MARK)}.*?(?:-->|\Z)", re.DOTALL | re.IGNORECASE)
_WHOLE_QUOTATION = re.compile(rf"[ \t]*<!--\s*{re.escape(MARK)}(?:(?!-->).)*-->[ \t]*\n*", re.DOTALL | re.IGNORECASE)
_FIELD = re.compile(rf"(?P<name>[A-Za-z0-9_-]+):\s*[\"']?{FIELD_MARK.strip()}", re.IGNORECASE)


def write_scaffold(
    source: Text,
    lang: str,
    document: Document,
    names: Sequence[str],
    renderings: Renderings,
    habits: Sequence[str],
    translator: str,
    day: date,
) -> str:
    """The text of the file, to be written in `lang`.

    `document` is the source's body in pieces, `names` the fields to translate beside title and summary. Fields that all
    languages share are not repeated: they come from the source article. `habits` are those of the language, as the
    glossary has them.
    """
    header = []
    quoted = ""
    for name in ("title", "summary", *names):
        if value := " ".join(" ".join(source.fields.get(name, ())).split()):
            quoted += f"{value}\n"
            header.append(f"{name.capitalize()}: {FIELD_MARK}{value}")
        if name == "title":
            header.append("Slug:")
    header += [
        f"Translated_from: {source.lang}",
        f"Translated: {day.isoformat()}",
        f"Translator: {translator or 'withheld'}",
        "Status: draft",
    ]
    hint = f"Write over {PLACE} below each quotation. `./blog translate {source.key} {lang} --done` takes them out."
    parts = [_quote("\n".join([hint, *(f"    {lang}: {habit}" for habit in habits)]), list(renderings(quoted)))]
    before: Sequence[Piece] = ()
    for pieces in _group(document.pieces):
        if _is_list(before) and _is_list(pieces):
            parts.append("<!-- -->")  # or the two would be one list
        if pieces[0].kind not in ("code", "rule"):
            text = "\n".join(piece.text for piece in pieces)
            parts.append(_quote(write_markdown(pieces).strip(), list(renderings(text))))
        parts.append(write_markdown([prepare(piece) for piece in pieces]).strip())
        before = pieces
    return "\n".join(header) + "\n\n" + "\n\n".join(parts) + "\n"


def _quote(text: str, terms: Sequence[tuple[str, str]]) -> str:
    lines = [f"{MARK} {text}", *(f"    {term} = {rendering}" for term, rendering in terms)]
    # What ends a comment: https://html.spec.whatwg.org/multipage/syntax.html#comments
    inner = re.sub(r"--(?=!?>)", "--\u200b", "\n".join(lines)).replace("<!--", "<!\u200b--")
    return f"<!-- {inner}\n-->" if "\n" in inner else f"<!-- {inner} -->"


def _group(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """What must stay together: a list, a table, a quotation, a note's paragraphs."""
    group: list[Piece] = []
    for piece in pieces:
        if group and not _belongs(piece, group[-1]):
            yield group
            group = []
        group.append(piece)
    if group:
        yield group


def _belongs(piece: Piece, last: Piece) -> bool:
    if piece.within or last.within:
        return piece.within[:1] == last.within[:1]
    if piece.kind == last.kind == "row":
        return not piece.level
    return piece.kind == last.kind == "note" and piece.name == last.name


def _is_list(pieces: Sequence[Piece]) -> bool:
    return bool(pieces and pieces[0].within and pieces[0].within[0].kind != "quotation")


def prepare(piece: Piece) -> Piece:
    """A piece whose words are to be filled in; its links, pictures and notes are there."""
    if piece.kind == "code" or (not piece.text.strip() and not piece.links):
        return piece
    cells = [_prepare_spans(cell) for cell in split_cells(piece.spans)]
    spans = list(cells[0])
    for cell in cells[1:]:
        spans += [Span(CELL), *cell]
    return replace(piece, spans=tuple(spans))


def _prepare_spans(spans: Sequence[Span]) -> Iterator[Span]:
    links = [span for span in spans if span.link or span.image]
    if not (len(links) == 1 and len(spans) == 1) and spans:
        yield Span(PLACE)
    before = ""
    for span in spans:
        if span.note:
            yield Span(note=span.note)
        elif (target := span.image or span.link) and (span.image or target != before):
            if before or len(spans) > 1:
                yield Span(" ")
            text = span.text if span.text == span.link else PLACE
            yield Span(text, link=span.link, image=span.image)
        before = "" if span.image else span.link


def take_out_quotations(text: str) -> str:
    """The text without its quotations."""
    return _WHOLE_QUOTATION.sub("", text).rstrip() + "\n"


def find_unfinished(text: str) -> Iterator[tuple[int, str]]:
    """What is left of a scaffold, by line from 1: quotations, fields as in the source, empty places."""
    for found in _QUOTATION.finditer(text):
        yield text.count("\n", 0, found.start()) + 1, QUOTATION
    # What is within a comment is no text, and its lines still count.
    text = _QUOTATION.sub(lambda found: "\n" * found[0].count("\n"), text)
    in_header = True
    for number, line in enumerate(text.split("\n"), 1):
        in_header = in_header and bool(line.strip())
        if in_header and (field := _FIELD.match(line)):
            yield number, f"the field {field['name']} as it is in the source"
        elif PLACE in line:
            yield number, "an empty place"
