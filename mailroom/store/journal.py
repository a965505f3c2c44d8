"""The journal: who left, in a file that only grows, so that no restored backup writes to them again.

Each line is `DAY ACTION REASON KEY HASH`. It holds keyed hashes alone, and lies beside the database; every backup takes
along what it holds then, and `restore` applies what was written since.
"""

from __future__ import annotations

import errno
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mailroom.errors import DiskFull, StoreDamaged, StoreError
from mailroom.store.files import NO_ROOM, new_file, sync_folder
from mailroom.store.vault import Lookup

Action = Literal["suppress", "lift"]
_ACTIONS: tuple[Action, ...] = ("suppress", "lift")
_TORN = b"#\n"


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody was suppressed (why), or asked for letters anew."""

    action: Action
    lookup: Lookup
    reason: str
    day: int

    def line(self) -> str:
        """The entry as the journal has it."""
        return f"{self.day} {self.action} {self.reason or '-'} {self.lookup.key} {self.lookup.value.hex()}\n"


class Journal:
    """The file. Entries of several processes do not mix: each is one write at the end of the file (O_APPEND)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def append(self, entry: Entry) -> None:
        """Write an entry to the disk. Raises DiskFull, StoreError."""
        line = entry.line().encode()
        try:
            with self._lock:
                fresh = not self.path.exists()
                descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
                try:
                    line = self._mend(descriptor) + line
                    if os.write(descriptor, line) != len(line):
                        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
                if fresh:
                    sync_folder(self.path.parent)
        except OSError as error:
            if error.errno in NO_ROOM:
                raise DiskFull(f"{self.path}: the disk is full", "Make room: what waits is done then.") from error
            raise StoreError(f"{self.path}: {error.strerror}", "Make room, or let the mailroom write there.") from error

    def _mend(self, descriptor: int) -> bytes:
        """What closes a line that a power cut left half written: it was never confirmed to anybody."""
        size = os.fstat(descriptor).st_size
        return _TORN if size and os.pread(descriptor, 1, size - 1) != b"\n" else b""

    def read(self) -> bytes:
        """The file as it is; nothing if there is none."""
        return self.path.read_bytes() if self.path.exists() else b""

    def entries(self) -> list[Entry]:
        """All entries, oldest first. Raises StoreDamaged for a line that is none."""
        return read_entries(self.read(), str(self.path))

    def merge(self, other: bytes) -> list[Entry]:
        """Take in another copy of the journal, such as the one in a backup; return all entries, oldest first.

        One of the two mostly goes on where the other ends. If not, because each has seen what the other has not,
        entries are ordered by day, and on one day who left has left. Raises StoreDamaged, DiskFull, StoreError.
        """
        own, others = self.entries(), read_entries(other, "the backup's journal")
        longer, shorter = (own, others) if len(own) >= len(others) else (others, own)
        if longer[: len(shorter)] != shorter:
            longer = sorted(
                {*longer, *shorter}, key=lambda entry: (entry.day, entry.action == "suppress", entry.line())
            )
        if longer != own:
            with new_file(self.path) as file:
                file.write("".join(entry.line() for entry in longer).encode())
        return longer


def read_entries(content: bytes, name: str) -> list[Entry]:
    """The entries in a journal's octets. A line that a power cut left half written is passed over.

    Raises StoreDamaged for any other line that is none.
    """
    found = []
    for count, line in enumerate(content.splitlines(keepends=True), 1):
        if line.endswith(_TORN) or not line.endswith(b"\n"):
            continue
        try:
            found.append(_parse(line.decode("ascii")))
        except ValueError as error:
            raise StoreDamaged(
                f"{name}, line {count}: this is no entry of the journal", "Take the line out by hand."
            ) from error
    return found


def _parse(line: str) -> Entry:
    day, action, reason, key, value = line.rstrip("\n").split(" ")
    known = next((each for each in _ACTIONS if each == action), None)
    octets = bytes.fromhex(value)
    if known is None or len(octets) != 32:
        raise ValueError(line)
    return Entry(known, Lookup(int(key), octets), "" if reason == "-" else reason, int(day))
