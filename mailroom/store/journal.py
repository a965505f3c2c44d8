"""The journal: who left, in a file that only grows, so that no restored backup writes to them again.

Each line is `DAY ACTION REASON KEY HASH`. It holds keyed hashes alone, and lies beside the database; every backup takes
along what it holds then, and `restore` applies what was written since.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mailroom.errors import DiskFull, StoreDamaged, StoreError
from mailroom.store.keyring import sync_folder
from mailroom.store.vault import Lookup

Action = Literal["suppress", "lift"]
_ACTIONS: tuple[Action, ...] = ("suppress", "lift")
_TORN = b"#\n"
#: How systems say that a file cannot grow: no room, none in the quota, or beyond a limit.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


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

    def entries(self) -> Iterator[Entry]:
        """All entries, oldest first. A line that a power cut left half written is passed over.

        Raises StoreDamaged for any other line that is none.
        """
        if not self.path.exists():
            return
        lines = self.path.read_bytes().splitlines(keepends=True)
        for count, line in enumerate(lines, 1):
            if line.endswith(_TORN) or not line.endswith(b"\n"):
                continue
            try:
                yield _parse(line.decode("ascii"))
            except ValueError as error:
                raise StoreDamaged(
                    f"{self.path}, line {count}: this is no entry of the journal", "Take the line out by hand."
                ) from error


def _parse(line: str) -> Entry:
    day, action, reason, key, value = line.rstrip("\n").split(" ")
    known = next((each for each in _ACTIONS if each == action), None)
    octets = bytes.fromhex(value)
    if known is None or len(octets) != 32:
        raise ValueError(line)
    return Entry(known, Lookup(int(key), octets), "" if reason == "-" else reason, int(day))
