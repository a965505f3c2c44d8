"""The three faces of the form: what they ask, and a submission made of what was typed, read with suspicion.

Nothing is required but one of three: a message, a contact, a file. What a person can get wrong is said at the field,
and what they typed stands in it again. What no form of ours sends is no reason to lose a letter either: it may come
from a page that was opened before the form changed, so it is said, and the rest is kept.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mailroom.errors import MailroomError
from mailroom.intake.calendars import DATES, PARTS, ZONES, offer_days, offer_parts, offer_zones
from mailroom.languages import Language

#: In characters: of a message, and of every other text.
LONGEST_MESSAGE = 20_000
LONGEST = 500
#: Of all files together, in octets. With the longest texts beside them they fit the largest size class.
LARGEST_FILES = 4_000_000
MOST_FILES = 5
#: More days than are offered, since a page may have been opened some days ago.
_MOST_DAYS = 42

WISHES = ("sample", "cv", "consultation", "order")
ROLES = ("law-firm", "applicant", "other")
#: Ways to answer somebody, the one that reveals least first.
WAYS = ("none", "signal", "email", "phone", "whatsapp", "other")
#: What an attachment may be; "bin" is everything else.
KINDS = ("pdf", "docx", "odt", "txt", "md", "html", "jpg", "png", "bin")
#: The field that is no text: where what is wrong with files is said.
FILES = "files"

# Of texts, which all begin alike.
_TEXTS = {"md": "md", "markdown": "md", "html": "html", "htm": "html"}
# What nobody types and no page may hold: controls but tab and line feed, halves of characters, no characters.
_NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_NOT_IN_TEXT_FILES = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


@dataclass(frozen=True, slots=True, repr=False)
class Attachment:
    """A file without its name, which may say more than its sender meant to."""

    kind: str
    content: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Submission:
    """What somebody sent: the fields in the form's order, those that were left empty left out."""

    face: str
    lang: str
    fields: tuple[tuple[str, str], ...]
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """A question: a text of at most so many characters, in one line or more; or `most` of its `choices`."""

    name: str
    longest: int = LONGEST
    lines: bool = False
    choices: Container[str] | None = None
    most: int = 1


@dataclass(frozen=True, slots=True)
class Face:
    """One face of the form: its path below MAILROOM_URL, its questions in their order, the one that is the message."""

    name: str
    path: str
    fields: tuple[Field, ...]
    message: str = "message"
    files: bool = True


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a field.

    `kind` is "empty" (neither message nor contact nor file), "long" (more characters than are taken), "changed" (a
    choice or a field that the form does not have), "many", "large" or "blank" (of files).
    """

    field: str
    kind: str


class Unfinished(MailroomError):
    """What was typed makes no submission yet: `faults` say why, `typed` is what stands in the fields again."""

    def __init__(self, faults: tuple[Fault, ...], typed: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__("The form is not finished")  # what was typed is in no message
        self.faults = faults
        self.typed = typed


_MESSAGE = Field("message", LONGEST_MESSAGE, lines=True)
_ANSWER = (Field("contact_by", choices=frozenset(WAYS)), Field("contact"), Field("hours"))

REPORT = Face(
    "report",
    "form",
    (
        Field("wish", choices=frozenset(WISHES)),
        Field("role", choices=frozenset(ROLES)),
        *map(Field, ("country", "tribunal", "deadline", "report_language")),
        _MESSAGE,
        *_ANSWER,
        Field("name"),
    ),
)
MEETING = Face(
    "meeting",
    "form/meeting",
    (
        Field("days", choices=DATES, most=_MOST_DAYS),
        Field("times", choices=frozenset(PARTS), most=len(PARTS)),
        Field("zone", choices=ZONES),
        Field("meeting_language"),
        Field("topic", lines=True),
        Field("other_way", choices=frozenset(("yes",))),
        *_ANSWER,
        Field("name"),
    ),
    message="topic",
    files=False,
)
TRANSLATION = Face(
    "translation",
    "form/translation",
    (*map(Field, ("key", "target_language", "pseudonym")), _MESSAGE, *_ANSWER[:2]),
)
#: The faces by name.
FACES: Mapping[str, Face] = {face.name: face for face in (REPORT, MEETING, TRANSLATION)}
#: Where somebody sees what became of a submission, below MAILROOM_URL as well.
RECEIPT = "form/receipt"


def read_submission(
    face: Face, lang: str, fields: Mapping[str, Sequence[str]], files: Sequence[tuple[str, bytes]] = ()
) -> Submission:
    """Make a submission of the fields of a form, each with its values, and of its files: name and content of each.

    A file field in which nothing was chosen comes as a file without name and content, and is none. Raises Unfinished.
    """
    typed = {field.name: _clean(field, fields.get(field.name, ())) for field in face.fields}
    files = [(name, content) for name, content in files if name or content]
    faults = [Fault(field.name, kind) for field in face.fields if (kind := _fault(field, typed[field.name]))]
    if face.files and (kind := _fault_of_files(files)):
        faults.append(Fault(FILES, kind))
    if not fields.keys() <= typed.keys() or (files and not face.files):
        faults.append(Fault(face.message, "changed"))
    elif not (files or typed[face.message] or typed["contact"]):
        faults.append(Fault(face.message, "empty"))
    if faults:
        first = {fault.field: fault for fault in reversed(faults)}
        raise Unfinished(tuple(first[name] for name in (*typed, FILES) if name in first), typed)
    answers = tuple((name, value) for name, values in typed.items() for value in values)
    return Submission(face.name, lang, answers, tuple(Attachment(kind_of(*file), file[1]) for file in files))


def fill_form(face: Face, language: Language, now: float, unfinished: Unfinished | None = None) -> dict[str, Any]:
    """What the template of a face, which has its name, is rendered with: what can be chosen, what was typed, faults.

    Beside it stands `recipients`, the age recipients to whom it is sealed.
    """
    typed = unfinished.typed if unfinished else {field.name: () for field in face.fields}
    values: dict[str, Any] = {
        "face": face,
        "typed": typed,
        "faults": {fault.field: fault.kind for fault in unfinished.faults} if unfinished else {},
    }
    if face is MEETING:
        today = datetime.fromtimestamp(now, UTC).date()
        values |= {
            "days": offer_days(today, language, typed["days"]),
            "parts": offer_parts(language),
            "zones": offer_zones(now, language),
        }
    return values


def kind_of(name: str, content: bytes) -> str:
    """What a file is, one of KINDS: by its first bytes, and by its name's ending only where these leave it open."""
    ending = name.rpartition(".")[2].lower()
    start = content[:4096]
    if b"%PDF-" in start[:1024]:
        return "pdf"
    if start.startswith(b"PK\x03\x04"):
        is_odt = start[30:].startswith(b"mimetypeapplication/vnd.oasis.opendocument.text")
        return "odt" if is_odt else "docx" if ending == "docx" else "bin"
    if start.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    return "bin" if _NOT_IN_TEXT_FILES.search(start) else _TEXTS.get(ending, "txt")


def _clean(field: Field, values: Sequence[str]) -> tuple[str, ...]:
    """Values as they can be kept and shown, empty ones left out: one kind of line end, marks of direction as typed."""
    texts = (_NOT_TEXT.sub("\ufffd", value.replace("\r\n", "\n").replace("\r", "\n")) for value in values)
    return tuple(filter(None, ((text if field.lines else text.replace("\n", " ")).strip() for text in texts)))


def _fault(field: Field, values: tuple[str, ...]) -> str:
    """What is wrong with the values of a field, or ""."""
    if len(values) > field.most or len(set(values)) < len(values):
        return "changed"
    if field.choices is not None:
        return "" if all(value in field.choices for value in values) else "changed"
    return "long" if any(len(value) > field.longest for value in values) else ""


def _fault_of_files(files: Sequence[tuple[str, bytes]]) -> str:
    """What is wrong with the files, or ""."""
    if len(files) > MOST_FILES:
        return "many"
    if sum(len(content) for _, content in files) > LARGEST_FILES:
        return "large"
    return "blank" if any(not content for _, content in files) else ""
