"""A submission as octets, all of a size class equally long: their number says nothing about what was written.

A version octet, the length of what follows in four, JSON (RFC 8259) with the fields and the attachments' kinds and
lengths, the attachments, zeros. Whoever has the public key can seal anything, so what is opened is read with suspicion.
"""

from __future__ import annotations

import json
import re
from typing import Any

from mailroom.errors import InvalidSubmission, TooLarge
from mailroom.intake.forms import KINDS, Attachment, Submission

#: The size classes, in octets as they are stored, sealed.
SIZES = (8 * 1024, 64 * 1024, 512 * 1024, 4 * 1024 * 1024)
#: What sealing to as many recipients as there may be adds at most (https://age-encryption.org/v1): the header, …
_HEADER = 1280
#: … and a tag for each chunk.
_CHUNK, _TAG = 64 * 1024, 16
_VERSION = 1
_START = 5
#: Names of faces and fields, and language tags. A newer form may have others than we know.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")


def content_size(size: int) -> int:
    """How many octets a sealed blob of this size class holds."""
    return size - _HEADER - size // _CHUNK * _TAG


def pack(submission: Submission) -> bytes:
    """The octets, padded to the smallest size class that holds them. Raises TooLarge, InvalidSubmission."""
    about = {
        "face": submission.face,
        "lang": submission.lang,
        "fields": submission.fields,
        "attachments": [(each.kind, len(each.content)) for each in submission.attachments],
    }
    try:
        written = json.dumps(about, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise _invalid("a text is no Unicode") from None  # the error would quote it
    octets = b"".join(
        (
            bytes([_VERSION]),
            len(written).to_bytes(_START - 1, "big"),
            written,
            *(each.content for each in submission.attachments),
        )
    )
    for size in map(content_size, SIZES):
        if len(octets) <= size:
            return octets.ljust(size, b"\0")
    raise TooLarge(f"It has {len(octets):,} octets", f"Keep it below {content_size(SIZES[-1]):,}.")


def unpack(octets: bytes) -> Submission:
    """The submission that was packed. Raises InvalidSubmission for anything that `pack` does not make."""
    if len(octets) not in map(content_size, SIZES):
        raise _invalid("its size is that of no class")
    if octets[0] != _VERSION:
        raise _invalid(f"its version is {octets[0]}, not {_VERSION}")
    start = _START + int.from_bytes(octets[1:_START], "big")
    if start > len(octets):
        raise _invalid("it is cut off")
    try:
        about = json.loads(octets[_START:start].decode())
    except (ValueError, RecursionError):
        raise _invalid("it does not say what it is") from None  # the error would quote it
    if not isinstance(about, dict) or about.keys() != {"face", "lang", "fields", "attachments"}:
        raise _invalid("it does not say what it is")
    attachments = []
    for kind, length in _pairs(about["attachments"], str, int):
        if not 0 <= length <= len(octets) - start:
            raise _invalid("an attachment is cut off")
        # The kind becomes the ending of a file's name on an expert's machine: none that we have not chosen.
        attachments.append(Attachment(kind if kind in KINDS else "bin", octets[start : start + length]))
        start += length
    if octets.count(0, start) != len(octets) - start:
        raise _invalid("something follows its end")
    fields = tuple((_name(name), _text(text)) for name, text in _pairs(about["fields"], str, str))
    return Submission(_name(about["face"]), _name(about["lang"]), fields, tuple(attachments))


def _pairs(found: Any, first: type, second: type) -> list[tuple[Any, Any]]:
    if not isinstance(found, list):
        raise _invalid("a list is missing")
    for each in found:
        if not (isinstance(each, list) and [type(part) for part in each] == [first, second]):
            raise _invalid("a list holds something else")
    return [(one, other) for one, other in found]


def _name(found: Any) -> str:
    if not isinstance(found, str) or not _NAME.fullmatch(found):
        raise _invalid("a name is none")
    return found


def _text(found: str) -> str:
    try:
        found.encode()
    except UnicodeEncodeError:
        raise _invalid("a text is no Unicode") from None
    return found


def _invalid(problem: str) -> InvalidSubmission:
    return InvalidSubmission(f"This is no submission as our form makes them: {problem}", "Trust nothing in it.")
