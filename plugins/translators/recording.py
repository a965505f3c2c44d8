"""Saying that a translation is in line with its source: by whoever made it, by an editor, by CI."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path, PurePosixPath

from .content import Text
from .errors import DeskError
from .records import Record, make_basis, record_path, write_record
from .states import Survey, Translation, former_keys, is_draft, made_from, notes_of


def record(survey: Survey, one: Translation, day: date, source: Text | None = None) -> list[Path]:
    """Record what a translation is made from: its source as it is, or as `source` has it, an earlier wording.

    A claim ends with it, unless the translation is a draft still. Returns the files that were written, or that went.
    Raises DeskError where there is no translation.
    """
    if one.text is None:
        raise DeskError(_name(one), "there is no translation yet", f"Begin it: `./blog translate {one.key} {one.lang}`")
    return _put_in_line(survey, one, one.text, day, source or one.source)


def accept(survey: Survey, one: Translation, day: date, *, minor: bool = False) -> list[Path]:
    """Accept a translation as in line with its source as it is now.

    `minor` says that the source's changes ask nothing of the translation: its day stays. A correction is never minor.
    Returns the files that were written, or that went. Raises DeskError.
    """
    if not minor:
        return record(survey, one, day)
    basis = one.record.basis
    if one.text is None or basis is None or basis.lang != one.source.lang:
        what = "it is not recorded what it was made from"
        raise DeskError(_name(one), what, f"Compare the two, then `./blog accept {one.key} {one.lang}`")
    if one.notes:
        what = f"its source article was {' and '.join(one.notes)}, which is not minor"
        raise DeskError(_name(one), what, f"Look at it, then `./blog accept {one.key} {one.lang}`")
    return _put_in_line(survey, one, one.text, basis.day, one.source)


def _put_in_line(survey: Survey, one: Translation, text: Text, day: date, source: Text) -> list[Path]:
    basis = make_basis(source.lang, day, source.raw, survey.blocks_of(source), notes_of(one.article))
    # Whoever claimed it has nothing to do any more, unless it is a draft.
    return save_record(survey, one, Record(basis, one.claim if is_draft(text) else None))


def find_unrecorded(survey: Survey, lang: str = "") -> list[Translation]:
    """Translations, drafts among them, of which nobody has said what they were made from.

    Not those that name a text which is not there: of them nobody can say it, before that is mended.
    """
    return [
        one
        for group in survey.groups
        for one in group.translations.values()
        if one.text is not None and (not lang or one.lang == lang) and (one.key, one.lang) not in survey.broken
        if made_from(one.text) == one.source.lang.casefold()
        if one.record.basis is None or one.record.basis.lang != one.source.lang
    ]


def record_all(survey: Survey, day: date, base: str = "", lang: str = "") -> Iterator[tuple[Translation, bool]]:
    """Record every unrecorded translation; with each, whether its source was taken from Git.

    `base` names a commit or branch. What a translation was made from is then its source where this branch left that
    one, and the file as it is where it was not there yet or there is no Git. Raises DeskError for a `base` that Git
    does not know or shares no history with.
    """
    found = find_unrecorded(survey, lang)
    commit = find_branch_point(survey, base) if base and found else ""
    for one in found:
        source = _read_at(survey, one.source, commit) if commit else None
        record(survey, one, day, source)
        yield one, source is not None


def find_branch_point(survey: Survey, base: str) -> str:
    """The commit at which this branch left `base`; "" where there is no Git."""
    inside = _run(survey, "rev-parse", "--is-inside-work-tree")
    if inside is None or (inside.returncode and b"not a git repository" in inside.stderr):
        return ""
    if inside.returncode:  # such as a folder that belongs to somebody else
        said = " ".join(inside.stderr.decode(errors="replace").split())
        raise DeskError(f"--base {base}", f"Git says: {said}", "Mend that, or leave --base out")
    # A name beginning with a hyphen would be an option.
    if _git(survey, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}") is None:
        raise DeskError(f"--base {base}", "Git knows no such commit", "Fetch it, or leave --base out")
    commit = _git(survey, "merge-base", "HEAD", base)
    if commit is None:
        remedy = "Fetch more of the history (`git fetch --unshallow`), or leave --base out"
        raise DeskError(f"--base {base}", "Git finds no commit that it shares with this branch", remedy)
    return commit.decode().strip()


def _read_at(survey: Survey, text: Text, commit: str) -> Text | None:
    names = [text.name, *(PurePosixPath(text.name).with_stem(key).as_posix() for key in former_keys(text)[::-1])]
    raw = next(filter(None, (_git(survey, "show", f"{commit}:./{name}") for name in names)), None)
    try:
        return survey.inventory.reread(text, raw) if raw else None
    except ValueError:  # it was no text then, so nothing can have been made from it
        return None


def _git(survey: Survey, *arguments: str) -> bytes | None:
    """What Git answers; None where it has no answer, or is not there."""
    done = _run(survey, *arguments)
    return done.stdout if done and done.returncode == 0 else None


def _run(survey: Survey, *arguments: str) -> subprocess.CompletedProcess[bytes] | None:
    where, english = survey.inventory.root, os.environ | {"LC_ALL": "C"}
    try:
        return subprocess.run(["git", *arguments], cwd=where, env=english, capture_output=True, check=False)
    except FileNotFoundError:
        return None


def save_record(survey: Survey, one: Translation, record: Record) -> list[Path]:
    """Write what is known of a translation; returns the files that were written, or that went."""
    content = survey.inventory.content
    path = record_path(content, one.lang, one.key)
    write_record(path, record)
    # It stood there before the text was renamed.
    former = [old for key in survey.former_keys(one.article) if (old := record_path(content, one.lang, key)).exists()]
    for old in former:
        old.unlink()
    return [path, *former]


def _name(one: Translation) -> str:
    return f"{one.key} in {one.lang}"
