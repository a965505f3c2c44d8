"""A submission as files that can be looked at: what its sender chose decides no name, no place and no command.

Characters that control a terminal or turn lines around (UAX 9) stand as visible marks, so that what is read is what was
written. Attachments are written as they came, under names of ours; nothing is opened here, and nothing is run.
"""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

from mailroom.intake.forms import FACES, Submission
from mailroom.languages import load_languages

LETTER, TRANSLATION = "letter.txt", "translation.md"
#: What ./blog import takes (plugins/translators/README.md), by the kind of an attachment.
IMPORTED = ("docx", "html", "md", "txt")
LABELS: Mapping[str, str] = {
    "wish": "Asks for", "role": "Writes as", "country": "Country", "tribunal": "Court or authority",
    "deadline": "Deadline", "report_language": "Language of the report", "message": "Message",
    "contact_by": "Answer by", "contact": "Contact", "hours": "Safe hours", "name": "Name", "days": "Days",
    "times": "Times of day", "zone": "Time zone", "meeting_language": "Language of the meeting", "topic": "Topic",
    "other_way": "Wants another way than video", "key": "Title or address of the text",
    "target_language": "Translated into", "pseudonym": "To be published under",
}  # fmt: skip
_TITLES = {"report": "Expert report", "meeting": "Video meeting", "translation": "Translation"}
#: Invisible, and needed to write: Persian and many Indian scripts join letters or keep them apart by these.
_JOINERS = "\u200c\u200d"
#: Categories of characters that are shown as marks: controls, formats, surrogates, private, unassigned, separators.
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
#: Names that CLDR has not.
_ALSO = {"fa": ("Farsi",), "es": ("Castellano",), "zh-Hans": ("zh", "简体中文", "Simplified Chinese")}


def write_files(submission: Submission, about: str) -> Iterator[tuple[str, bytes]]:
    """The names and contents of all files; `about` is a line on where and when it came."""
    names = attachment_names(submission)
    yield LETTER, write_letter(submission, about, names).encode()
    for name, attachment in zip(names, submission.attachments, strict=True):
        yield name, attachment.content
    if is_text_translation(submission):
        text = dict(submission.fields)["message"]
        yield TRANSLATION, ("".join(each for each in text if not is_hidden(each)) + "\n").encode()


def write_letter(submission: Submission, about: str, names: list[str]) -> str:
    """What was filled in. Answers are indented, so that none of their lines can pass for one of ours."""
    lines = [_TITLES.get(submission.face, f"Form {submission.face}"), about, f"Language of the page: {submission.lang}"]
    grouped: dict[str, list[str]] = {}
    for name, text in submission.fields:
        grouped.setdefault(name, []).append(text)
    for name, texts in grouped.items():
        lines += ["", f"{LABELS.get(name, name)}:"]
        lines += [f"    {show(line)}" for text in texts for line in text.split("\n")]
    if names:
        lines += ["", "Attachments, as they came. They may be harmful: open them where nothing can be lost.", ""]
        lines += [f"    {name}" for name in names]
    return "\n".join(lines) + "\n"


def attachment_names(submission: Submission) -> list[str]:
    """Neutral names: `attachment-1.pdf`."""
    return [f"attachment-{number}.{each.kind}" for number, each in enumerate(submission.attachments, 1)]


def show(text: str) -> str:
    """A line, with marks such as ⟨U+202E⟩ for what would not be seen."""
    return "".join(f"⟨U+{ord(each):04X}⟩" if is_hidden(each) else each for each in text)


def is_hidden(character: str) -> bool:
    """Whether a character cannot be seen, or changes how others are seen; line feed and tab are text."""
    return character not in _JOINERS + "\n\t" and unicodedata.category(character) in _HIDDEN


def is_text_translation(submission: Submission) -> bool:
    """Whether the translation itself was typed into the form: then there is no file that could be it."""
    files = any(each.kind in IMPORTED for each in submission.attachments)
    return submission.face == FACES["translation"].name and not files and "message" in dict(submission.fields)


def import_commands(submission: Submission, folder: Path) -> list[str]:
    """What takes a translation in, a command for each file. Who is credited decides whoever has read the letter."""
    if submission.face != FACES["translation"].name:
        return []
    kinds = zip(attachment_names(submission), submission.attachments, strict=True)
    names = [TRANSLATION] if is_text_translation(submission) else [n for n, each in kinds if each.kind in IMPORTED]
    fields = dict(submission.fields)
    key = _find_key(fields.get("key", ""))
    lang = find_language(fields.get("target_language", ""))
    options = f" --key {key} --lang {lang}" if key and lang else ""
    return [f"./blog import {shlex.quote(str(folder / name))}{options}" for name in names]


def _find_key(typed: str) -> str:
    """The key of a text that was named by it, or by its address on the site; "" where it is a title."""
    last = typed.strip().rstrip("/").rpartition("/")[2].removesuffix("index.html").removesuffix(".html")
    # What was typed gets into a command only where it is nothing but a key.
    return last if _KEY.fullmatch(last) else ""


def find_language(typed: str) -> str:
    """The tag of a language of ours that was named by it, or by its name in any of ours; "" for others."""
    languages, wanted = load_languages().values(), typed.strip().casefold()
    for each in languages:
        code = each.tag.partition("-")[0]
        names = {each.tag, each.name, *_ALSO.get(each.tag, ()), *(one.locale.languages.get(code) for one in languages)}
        if wanted in {name.casefold() for name in names if name}:
            return each.tag
    return ""
