"""A translation's beginning and end: claiming it, writing the file to fill in, taking the quotations out again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from .blocks import make_converter
from .content import Text
from .errors import DeskError
from .glossary import Glossary, Term
from .kit.document import Document
from .kit.markdown import read_document
from .recording import save_record
from .records import Record, claim, make_basis, release
from .scaffold import QUOTATION, find_unfinished, take_out_quotations, write_scaffold
from .settings import Configuration
from .states import Survey, Translation, is_draft, notes_of

_DRAFT = re.compile(r"^status:\s*[\"']?draft[\"']?[ \t]*\r?\n", re.IGNORECASE | re.MULTILINE)
_TRANSLATED = re.compile(r"^(translated:)[^\n]*", re.IGNORECASE | re.MULTILINE)


def begin(
    survey: Survey,
    configuration: Configuration,
    glossary: Glossary,
    one: Translation,
    source: Text,
    by: str,
    day: date,
) -> tuple[Path, list[Path]]:
    """Claim a translation and, where there is none, write the file to fill in.

    Returns the translation's path and all that was written. `by` is the name its translator chose, "" for none. Raises
    ClaimedError where somebody else is at work on it, DeskError where there is nothing to do.
    """
    if one.text and one.state == "current":
        what = f"it says what {one.source.name} says, so there is nothing to claim"
        raise DeskError(one.text.name, what, "To mend its wording, edit the file")
    held = claim(one.record, by, day, what=f"{one.key} in {one.lang}")
    if one.text is not None:
        return one.text.path, _changed(one, held, save_record(survey, one, held))
    path = find_place(survey, one)
    if path.exists():  # so it is no text yet, or the survey would have it
        problem = next((problem for problem in survey.problems if path.name in problem), "Mend it, or move it away")
        raise DeskError(_name(survey, path), "the file is there and cannot be read", problem)
    body, _ = read_body(survey, source)
    text = write_scaffold(
        source,
        one.lang,
        body,
        configuration.fields,
        lambda text: find_renderings(glossary, text, source.lang, one.lang),
        glossary.style.get(one.lang, ()),
        by,
        day,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
    basis = make_basis(source.lang, day, source.raw, survey.blocks_of(source), notes_of(one.article))
    return path, [path, *save_record(survey, one, Record(basis, held.claim))]


def give_back(survey: Survey, one: Translation) -> list[Path]:
    """Take a claim back, whoever made it; what is there of the translation stays. Returns what was written."""
    if one.claim is None:
        raise DeskError(f"{one.key} in {one.lang}", "nobody has claimed it", "`./blog translations` says what is")
    # Without a text there is nothing that was made from anything.
    return save_record(survey, one, release(one.record) if one.text else Record())


def finish(survey: Survey, one: Translation, day: date) -> list[Path]:
    """Take the quotations and `Status: draft` out of a translation, and end its claim. Returns what was written.

    What it was made from is recorded already; if its source has changed since, it is outdated, and says in what.
    Raises DeskError for one with places that are not filled in.
    """
    text = expect_finished(one)
    header, _, body = take_out_quotations(_decode(text)).partition("\n\n")
    if is_draft(text):
        header = _DRAFT.sub("", header + "\n").rstrip("\n")
        header = _TRANSLATED.sub(rf"\g<1> {day.isoformat()}", header, count=1)
    ending = "\r\n" if b"\r\n" in text.raw else "\n"
    text.path.write_text(f"{header}\n\n{body}", "utf-8", newline=ending)
    record = one.record
    if record.basis is None:
        source = one.source
        blocks = survey.blocks_of(source)
        record = Record(make_basis(source.lang, day, source.raw, blocks, notes_of(one.article)))
    return [text.path, *save_record(survey, one, release(record))]


def expect_finished(one: Translation) -> Text:
    """The text of a translation in which nothing is left to fill in. Raises DeskError, naming what is."""
    if one.text is None:
        remedy = f"Begin it: `./blog translate {one.key} {one.lang}`"
        raise DeskError(f"{one.key} in {one.lang}", "there is no translation yet", remedy)
    left = [f"{line} ({what})" for line, what in find_unfinished(_decode(one.text)) if what != QUOTATION]
    if left:
        more = f" and {len(left) - 3} more" if len(left) > 3 else ""
        what = f"not yet translated: line {', '.join(left[:3])}{more}"
        raise DeskError(one.text.name, what, "Write the translation there, or remove what is not wanted")
    return one.text


def _decode(text: Text) -> str:
    return text.raw.decode("utf-8-sig").replace("\r\n", "\n")


def find_place(survey: Survey, one: Translation) -> Path:
    """Where the file of a translation stands, or will: as the source article does, in its language's folder."""
    content = survey.inventory.content
    parts = one.article.path.relative_to(content).parts
    for place, part in enumerate(parts):
        if part.casefold().replace("_", "-") == one.article.lang.casefold():
            return content.joinpath(*parts[:place], one.lang, *parts[place + 1 : -1], f"{one.key}.md")
    raise DeskError(one.article.name, "no folder on the way to it names its language", "Move it to a language's folder")


def read_body(survey: Survey, text: Text, names: Sequence[str] = ()) -> tuple[Document, Document]:
    """A text's body, and the same with title, summary and the fields of `names`."""
    convert = make_converter(survey.inventory.settings["MARKDOWN"])
    whole = read_document(text.fields, text.body, convert, names)
    body = [piece for piece in whole.pieces if piece.kind not in ("title", "summary", "field")]
    return Document(tuple(body), whole.lost), whole


def find_renderings(glossary: Glossary, text: str, source: str, target: str) -> list[tuple[str, str]]:
    """The terms of the glossary in a text, with their renderings and notes, each once."""
    return [
        (term.renderings[source], term.renderings[target] + (f"  ({term.note})" if term.note else ""))
        for term in find_terms(glossary, text, source, target)
    ]


def find_terms(glossary: Glossary, text: str, source: str, target: str) -> list[Term]:
    """The terms of the glossary in a text that have a rendering, each once."""
    found = {found.term.key: found.term for found in glossary.find_terms(text, source)}
    return [term for term in found.values() if term.renderings.get(target)]


def _changed(one: Translation, record: Record, written: Iterable[Path]) -> list[Path]:
    return list(written) if record != one.record else []


def _name(survey: Survey, path: Path) -> str:
    return path.relative_to(survey.inventory.root).as_posix()
