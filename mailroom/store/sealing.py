"""Files that leave the machine: sealed to an age recipient, whose secret half is not here.

https://age-encryption.org/v1 with X25519 recipients: `age --decrypt` opens them too.
"""

from __future__ import annotations

import contextlib
import errno
import re
from pathlib import Path
from typing import BinaryIO

import pyrage

from mailroom.errors import ConfigurationError, StoreDamaged, WrongKey
from mailroom.store.files import explained, new_file

IDENTITY = "AGE-SECRET-KEY-1"


def read_recipient(text: str) -> pyrage.x25519.Recipient:
    """The recipient that MAILROOM_BACKUP_RECIPIENT names. Raises ConfigurationError, without repeating it."""
    if not text:
        raise ConfigurationError("MAILROOM_BACKUP_RECIPIENT", "", "name an age recipient: age1…")
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError as error:
        raise ConfigurationError(
            "MAILROOM_BACKUP_RECIPIENT", "…", "this is not a whole age recipient: age1…"
        ) from error


def read_identity(text: str) -> pyrage.x25519.Identity:
    """The identity in a file that age-keygen wrote, or that somebody pasted. Raises WrongKey, without repeating it."""
    for line in text.splitlines():
        if line.strip().upper().startswith(IDENTITY):
            with contextlib.suppress(pyrage.IdentityError):
                return pyrage.x25519.Identity.from_str(line.strip())
    raise WrongKey("This is not an age identity", f"Give the line that begins with {IDENTITY}, whole.")


def seal(content: BinaryIO, recipient: pyrage.x25519.Recipient, target: Path) -> None:
    """Seal what is read into a file, which is there whole or not at all. Raises DiskFull, StoreError."""
    with new_file(target) as file:
        try:
            pyrage.encrypt_io(content, file, [recipient])
        except pyrage.EncryptError as error:  # nothing but what the disk said, in words
            number = re.search(r"\[Errno (\d+)\]", str(error))
            raise OSError(int(number[1]) if number else errno.EIO, str(error)) from error


def unseal(source: Path, identity: pyrage.x25519.Identity, target: Path) -> None:
    """Open a sealed file into another. Raises WrongKey, StoreDamaged, DiskFull, StoreError."""
    with explained(source):
        file = source.open("rb")
    with file, new_file(target) as opened:
        try:
            pyrage.decrypt_io(file, opened, [identity])
        except pyrage.DecryptError as error:
            raise WrongKey(f"{source}: this age identity does not open it, or it is no sealed file",
                           "Check both; was it sealed to another recipient?") from error  # fmt: skip
        except OSError as error:
            if error.errno is not None:  # the disk's; pyrage's own have no number
                raise
            raise StoreDamaged(f"{source}: altered or cut off since it was sealed", "Take another copy.") from error
