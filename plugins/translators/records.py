"""Records: what each translation was made from, and who is at work on it.

`content/.translations/<lang>/<key>.json`, written by a command, never by hand. The blocks
are kept with their text, so that what changed can be shown without Git and in a shallow
clone. Days, never hours, and no name but a claim's, which its owner chose.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from .blocks import Block, make_block
from .errors import ClaimedError, RecordError

#: Within the content folder. Pelican reads no folder that it is not told of, and hidden ones last of all.
FOLDER = ".translations"

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_REMEDY = "Restore it from the repository's history, or delete it and run `./blog translations --record`"


@dataclass(frozen=True, slots=True)
class Claim:
    """Who is at work on a translation, by a name of their choice ("" for none), since when."""

    by: str
    day: date


@dataclass(frozen=True, slots=True)
class Basis:
    """What a translation was made from.

    `lang` is the language, `source` the SHA-256 of that file's bytes, `day` when it was made or last brought into
    line. `notes` are the corrections and retractions of the source article that were known then, as in "corrected
    2026-03-04". `blocks()` are that file's blocks, read when asked for: of most records nobody asks, and to keep
    those of thousands takes longer than to read them. It raises RecordError.
    """

    lang: str
    day: date
    source: str
    notes: tuple[str, ...]
    blocks: Callable[[], tuple[Block, ...]] = field(repr=False, compare=False)


def make_basis(lang: str, day: date, raw: bytes, blocks: Sequence[Block], notes: Iterable[str]) -> Basis:
    """Say that a translation is made from a text as it is now."""
    kept = tuple(blocks)
    return Basis(lang, day, hash_source(raw), tuple(sorted(notes)), lambda: kept)


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a translation; one that has not been begun can be claimed, and has no basis."""

    basis: Basis | None = None
    claim: Claim | None = None


def hash_source(raw: bytes) -> str:
    """What names a source file's exact state: SHA-256 of its bytes, any line ending being as good as another."""
    return sha256(raw.replace(b"\r\n", b"\n")).hexdigest()


def record_path(content: Path, lang: str, key: str) -> Path:
    """Where the record of a translation stands."""
    return Path(f"{content}/{FOLDER}/{lang}/{key}.json")


def recorded_keys(content: Path, lang: str) -> frozenset[str]:
    """The keys of which there are records in a language."""
    try:
        with os.scandir(f"{content}/{FOLDER}/{lang}") as found:
            return frozenset(file.name.removesuffix(".json") for file in found if file.name.endswith(".json"))
    except (FileNotFoundError, NotADirectoryError):  # none was written yet
        return frozenset()


def read_record(path: Path) -> Record | None:
    """Read a record; None where there is none. Raises RecordError for a file that the desk has not written."""
    stated = _load(path)
    if stated is None:
        return None
    match stated:
        case {"from": str(lang), "day": str(day), "source": str(source), "blocks": list(), **rest}:
            notes = rest.pop("notes", [])
            if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
                raise RecordError(str(path), "'notes' is no list of notes", _REMEDY)
            if not _SHA256.match(source):
                raise RecordError(str(path), f"'source' is {source[:70]!r} and no SHA-256", _REMEDY)
            basis = Basis(lang, _read_day(day, path), source, tuple(notes), partial(_read_blocks, path))
            return Record(basis, _read_claim(rest, path))
        case {"claim": claimed, **rest} if not rest:
            return Record(None, _read_claim({"claim": claimed}, path))
    raise RecordError(str(path), "it is no record of a translation: 'from', 'day', 'source', 'blocks'", _REMEDY)


def _load(path: Path) -> Any:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RecordError(str(path), f"it cannot be read ({error.strerror})", _REMEDY) from error
    try:
        stated = json.loads(raw.decode())
        if b"\\ud" in raw or b"\\uD" in raw:  # half a character, which no file can hold
            json.dumps(stated, ensure_ascii=False).encode()
    except UnicodeError as error:
        raise RecordError(str(path), "it is not UTF-8", _REMEDY) from error
    except json.JSONDecodeError as error:
        if re.search(rb"^<{7} ", raw, re.MULTILINE):
            remedy = "Take either side, then run `./blog translations` to see what is left to do"
            raise RecordError(str(path), "two branches changed it, and the merge left both in it", remedy) from error
        raise RecordError(f"{path}:{error.lineno}", f"it is not JSON ({error.msg})", _REMEDY) from error
    except (RecursionError, ValueError) as error:
        raise RecordError(
            str(path), "it is nested too deep, or has too long a number, to be a record", _REMEDY
        ) from error
    return stated


def _read_blocks(path: Path) -> tuple[Block, ...]:
    return tuple(_read_block(row, path) for row in _load(path)["blocks"])


def _read_block(row: Any, path: Path) -> Block:
    match row:
        case {"kind": str(kind), "text": str(text), "hash": str(known), **rest}:
            links = rest.pop("links", [])
            if not rest and isinstance(links, list) and all(isinstance(link, str) for link in links):
                block = make_block(kind, text, links)
                if (block.hash, block.text) == (known, text):
                    return block
                raise RecordError(str(path), f"the block {text[:40]!r} was changed by hand", _REMEDY)
    raise RecordError(str(path), "'blocks' holds something that is no block", _REMEDY)


def _read_claim(rest: Mapping[Any, Any], path: Path) -> Claim | None:
    if unknown := sorted(rest.keys() - {"claim"}):
        raise RecordError(str(path), f"{', '.join(map(repr, unknown))}: no record has that", _REMEDY)
    match rest.get("claim"):
        case None if "claim" not in rest:
            return None
        # What sets off a terminal is in no name.
        case {"by": str(by), "day": str(day), **more} if not more and not _CONTROL.search(by):
            return Claim(by, _read_day(day, path))
    raise RecordError(str(path), "'claim' is not a name and a day", _REMEDY)


def _read_day(text: str, path: Path) -> date:
    if not _DAY.match(text):  # fromisoformat takes other forms too
        raise RecordError(str(path), f"{text[:40]!r} is no day such as 2026-03-04", _REMEDY)
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise RecordError(str(path), f"{text!r} is no day of the calendar", _REMEDY) from error


def write_record(path: Path, record: Record) -> None:
    """Write a record, whole or not at all, the same bytes for the same record; an empty one removes the file."""
    if record == Record():
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(format_record(record))
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def format_record(record: Record) -> bytes:
    """A record as it stands in its file."""
    stated: dict[str, Any] = {}
    if basis := record.basis:
        stated |= {"from": basis.lang, "day": basis.day.isoformat(), "source": basis.source}
        stated["blocks"] = [_write_block(block) for block in basis.blocks()]
        if basis.notes:
            stated["notes"] = [*basis.notes]
    if claim := record.claim:
        stated["claim"] = {"by": claim.by, "day": claim.day.isoformat()}
    return (json.dumps(stated, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _write_block(block: Block) -> dict[str, Any]:
    row: dict[str, Any] = {"kind": block.kind, "text": block.text, "hash": block.hash}
    return row | {"links": [*block.links]} if block.links else row


def claim(record: Record, by: str, day: date, *, what: str) -> Record:
    """Claim a translation; who has claimed it already may do so again. Raises ClaimedError for anybody else.

    `what` is how the message calls it, such as "leaving-russia in fa".
    """
    if (held := record.claim) and (held.by != by or not by):
        who = f" by {held.by}" if held.by else ""
        remedy = "Choose another, or ask who is at work on it; `--release` takes the claim back"
        raise ClaimedError(what, f"it was claimed on {held.day.isoformat()}{who}", remedy)
    return record if record.claim else replace(record, claim=Claim(by, day))


def release(record: Record) -> Record:
    """Take a claim back; what is known of the translation stays."""
    return replace(record, claim=None)
