"""Files of ours: for their owner's eyes, and there whole or not at all, through a power cut too."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from mailroom.errors import DiskFull, StoreError

#: How systems say that a file cannot grow: no room, none in the quota, or beyond a limit.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def new_file(target: Path) -> Iterator[BinaryIO]:
    """A file for its owner's eyes that takes its name when it is whole and on the disk."""
    with explained(target):
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)  # mode 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(target)
        finally:
            Path(name).unlink(missing_ok=True)
        sync_folder(target.parent)


def write_private(path: Path, content: bytes) -> None:
    """Write a file for its owner's eyes, and its folder if there is none. Raises DiskFull, StoreError."""
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with new_file(path) as file:
        file.write(content)


@contextlib.contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """An empty folder for its owner's eyes, and gone afterwards; what a killed process left there goes first."""
    shutil.rmtree(folder, ignore_errors=True)
    with explained(folder):
        folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Raise the system's errors as ours, which say what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise DiskFull(f"{path}: the disk is full", "Make room, then try again.") from error
        raise StoreError(f"{path}: {error.strerror or error}", "Check the path and who may write there.") from error


def sync_folder(folder: Path) -> None:
    """Make a renamed or new file's name last through a power cut, where the system can."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
