"""Who is at work: whoever has the mailroom open shares a lock; who changes keys or restores a backup has it alone."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mailroom.errors import AtWork, StoreError


class Lock:
    """A lock on the data folder until `close`; the system lets go of it when the process dies."""

    def __init__(self, folder: Path, *, alone: bool = False, name: str = "office.lock") -> None:
        """Take it at once. Raises StoreError when others are in the way, AtWork when it is to be had `alone`."""
        try:
            self._descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreError(f"{folder}: {error.strerror}", "Make it: ./blog mailroom init") from error
        if not _take(self._descriptor, alone=alone):
            self.close()
            if alone:
                raise AtWork(
                    f"{folder}: the mailroom is at work there", "Stop it (systemctl stop mailroom), then try again."
                )
            raise StoreError(f"{folder}: a backup is being restored, or keys changed", "Try again when it is done.")

    def close(self) -> None:
        """Let others in; twice is once."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _take(descriptor: int, *, alone: bool) -> bool:
    if sys.platform == "win32":  # where the mailroom is only tried out; its locks cannot be shared
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
