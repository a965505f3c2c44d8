"""The folder in which an expert opens submissions: what was fetched is on the disk before the server deletes its own.

`2026-11-22-1/` holds one that was opened, and appears whole or not at all; `.about` in it says to which of the server's
it belongs. `sealed/` holds what was fetched and is not opened yet. A program that is killed at any point has lost
nothing: what was not acknowledged is fetched, or opened, again. Everything is for its owner's eyes alone.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from mailroom.errors import AtWork, MailroomError, WrongKey
from mailroom.expert.client import Blob, Client, ServerError, Waiting
from mailroom.expert.identity import Key
from mailroom.expert.reading import import_commands, write_files
from mailroom.intake.forms import Submission
from mailroom.intake.sealing import unseal
from mailroom.store.files import explained, sync_folder, write_private
from mailroom.store.lock import Lock

SEALED, ABOUT = "sealed", ".about"
_PART = ".opening-"
_FILE = re.compile(r"(\d{4}-\d\d-\d\d)-([0-9a-f]{32})")
_OPENED = re.compile(r"\d{4}-\d\d-\d\d-\d+")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What lies sealed in the folder."""

    id: str
    day: date
    path: Path


@dataclass(frozen=True, slots=True)
class Opened:
    """A submission that lies open in the folder: `sha256` is that of its sealed octets."""

    id: str
    folder: Path
    sha256: str
    face: str
    #: What takes a translation in.
    commands: tuple[str, ...]


class Inbox:
    """The folder, which one program at a time works in: hold it with `with`."""

    def __init__(self, folder: Path) -> None:
        """Make it if there is none. Raises StoreError, and AtWork where another program has it."""
        with explained(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (folder / SEALED).mkdir(mode=0o700, exist_ok=True)
        try:
            self._lock = Lock(folder, alone=True, name=".lock")
        except AtWork:
            raise AtWork(f"{folder}: another ./blog intake is at work there", "Wait until it has ended.") from None
        self.folder = folder
        for leftover in folder.glob(f"{_PART}*"):  # of a program that was killed: half of it is written
            shutil.rmtree(leftover, ignore_errors=True)
        for leftover in (folder / SEALED).glob(".*"):
            leftover.unlink()

    def __enter__(self) -> Inbox:
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.close()

    def opened(self) -> dict[str, Opened]:
        """What lies open, by the server's ids."""
        found = {}
        for folder in self.folder.iterdir():
            if _OPENED.fullmatch(folder.name) and (about := _read_about(folder)):
                found[about.id] = about
        return found

    def fetched(self) -> dict[str, Fetched]:
        """What lies sealed, by the server's ids."""
        found = {}
        for path in (self.folder / SEALED).iterdir():
            if name := _FILE.fullmatch(path.name):
                found[name[2]] = Fetched(name[2], date.fromisoformat(name[1]), path)
        return found

    def keep(self, waiting: Waiting, blob: Blob) -> Fetched:
        """Store sealed octets: they are on the disk when this returns. Raises DiskFull, StoreError."""
        path = self.folder / SEALED / f"{waiting.day}-{waiting.id}"
        write_private(path, blob.octets)
        return Fetched(waiting.id, waiting.day, path)

    def open(self, fetched: Fetched, keys: Sequence[Key]) -> Opened:
        """Open what lies sealed, into a folder of its own, which is on the disk when this returns.

        Raises WrongKey when no key opens it, InvalidSubmission, DiskFull, StoreError.
        """
        with explained(fetched.path):
            blob = Blob(fetched.path.read_bytes())
        submission = _unseal(blob, keys)
        folder = self._place(fetched.day)
        commands = import_commands(submission, folder)
        about = {"id": fetched.id, "sha256": blob.sha256, "face": submission.face, "commands": commands}
        with explained(folder):
            part = Path(tempfile.mkdtemp(prefix=_PART, dir=self.folder))  # mode 0700
            try:
                written = write_files(submission, f"Came on {fetched.day}")
                for name, content in (*written, (ABOUT, json.dumps(about).encode())):
                    write_private(part / name, content)
                part.rename(folder)
            finally:
                shutil.rmtree(part, ignore_errors=True)
            sync_folder(self.folder)
            fetched.path.unlink()
        return Opened(fetched.id, folder, blob.sha256, submission.face, tuple(commands))

    def _place(self, day: date) -> Path:
        names = (path.name for path in self.folder.glob(f"{day}-*") if _OPENED.fullmatch(path.name))
        numbers = (int(name.rpartition("-")[2]) for name in names)
        return self.folder / f"{day}-{max(numbers, default=0) + 1}"


def collect(
    inbox: Inbox, client: Client, keys: Sequence[Key], wanted: str, *, keep: bool
) -> Iterator[Opened | MailroomError]:
    """Fetch, open and acknowledge (unless `keep`) the submission with that id, or all (""); what fails is yielded too.

    What was fetched before and could not be opened then is tried again, whether the server still has it or not.
    """
    waiting = {each.id: each for each in client.look().submissions}
    opened, fetched = inbox.opened(), inbox.fetched()
    ids = [wanted] if wanted else [*fetched, *(each for each in waiting if each not in fetched)]
    for each in ids:
        try:
            done = opened.get(each)
            if done is None:
                if each in waiting:  # also what lies here: it may be what could not be opened
                    fetched[each] = inbox.keep(waiting[each], client.fetch(each, waiting[each].size))
                elif each not in fetched:
                    raise ServerError("There is no such submission", "See what there is: ./blog intake list", 404)
                done = inbox.open(fetched[each], keys)
            elif each in fetched:  # the program was killed between the two
                fetched[each].path.unlink()
            yield done  # it is on the disk, whatever the server says next
            if each in waiting and not keep:
                acknowledge(client, done)
        except MailroomError as error:
            yield error


def acknowledge(client: Client, opened: Opened) -> None:
    """Have the server delete what lies open here. Raises ServerError."""
    try:
        client.acknowledge(opened.id, opened.sha256)
    except ServerError as error:
        if error.status != 404:  # then its sender has deleted it, or another expert has acknowledged it
            raise


def _unseal(blob: Blob, keys: Sequence[Key]) -> Submission:
    for key in keys:
        try:
            return unseal(blob.octets, key.identity)
        except WrongKey:
            continue
    raise WrongKey(
        "None of the keys on this machine opens it",
        "It is kept, sealed; put the key that was in use when it was sent beside the others, and open again.",
    )


def _read_about(folder: Path) -> Opened | None:
    try:
        about = json.loads((folder / ABOUT).read_text("utf-8"))
        return Opened(about["id"], folder, about["sha256"], about["face"], tuple(about["commands"]))
    except (OSError, ValueError, LookupError, TypeError):  # a folder of somebody else's
        return None
