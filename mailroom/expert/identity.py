"""The expert's private keys: files that a passphrase opens, on the expert's machine alone.

Each key has a file of its own, as `age` writes them (https://age-encryption.org/v1, scrypt), so that `age --decrypt`
opens it too; nothing is ever written over one. Beside it lies its public half. All have the same passphrase, so that it
is asked for once. A key that nothing is sealed to any more is deleted by deleting its file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyrage

from mailroom.errors import ConfigurationError, MailroomError, WrongKey
from mailroom.intake.sealing import Recipient
from mailroom.settings import Secret
from mailroom.store.files import explained, sync_folder, write_private
from mailroom.store.sealing import read_identity

SETTING = "MAILROOM_INTAKE_IDENTITY"
#: Characters that a passphrase has at least: whoever copies the file can try as many as they have time for.
SHORTEST = 12
_AGE = b"age-encryption.org/v1\n"
_CREATED = re.compile(r"^# created: (\d{4}-\d\d-\d\d)", re.MULTILINE | re.ASCII)
#: How the passphrase is asked for.
Ask = Callable[[], Secret]


@dataclass(frozen=True, slots=True)
class Key:
    """A key that was opened: its file, the day on which it was made (None where the file does not say)."""

    path: Path
    since: date | None
    is_protected: bool
    identity: pyrage.x25519.Identity = field(repr=False)

    @property
    def recipient(self) -> str:
        """Its public half."""
        return str(self.identity.to_public())


def make_key(path: Path, passphrase: Secret, today: date) -> tuple[Path, Recipient]:
    """Make a key in a file beside those that are there, or the first one at `path`.

    Raises WrongKey when those that are there have another passphrase, ConfigurationError for one that is too short.
    """
    if len(passphrase.reveal()) < SHORTEST:
        raise ConfigurationError("passphrase", "…", f"use {SHORTEST} characters or more: five words that nobody knows")
    if files(path):
        open_keys(path, lambda: passphrase)  # one passphrase for all
    identity = pyrage.x25519.Identity.generate()
    recipient = Recipient(str(identity.to_public()), today)
    content = f"# created: {today}\n# public key: {recipient.age}\n{identity}\n".encode()
    target = _new_path(path, today)
    with explained(target):
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write_new(target, pyrage.passphrase.encrypt(content, passphrase.reveal()))
    write_private(target.with_suffix(".pub"), f"{recipient.age} {recipient.since}\n".encode())
    return target, recipient


def files(path: Path) -> list[Path]:
    """The files of all keys, the newest first."""
    later = re.compile(re.escape(path.stem) + r"-(\d{4}-\d\d-\d\d)(?:-(\d+))?" + re.escape(path.suffix), re.ASCII)
    found = {
        each: (name[1], int(name[2] or 1))
        for each in (path.parent.iterdir() if path.parent.is_dir() else ())
        if (name := later.fullmatch(each.name))
    }
    return sorted(found, key=lambda each: found[each], reverse=True) + [path] * path.exists()


def open_keys(path: Path, ask: Ask) -> list[Key]:
    """All keys, the newest first; the passphrase is asked for once, and only if a file wants one.

    Raises ConfigurationError when there is none, WrongKey for a wrong passphrase and for a file that is no key.
    """
    found = files(path)
    if not found:
        raise ConfigurationError(SETTING, str(path), "there is no such file: make a key with ./blog intake keygen")
    keys, passphrase = [], Secret("")
    for each in found:
        with explained(each):
            content = each.read_bytes()
        if is_protected := content.startswith(_AGE):
            passphrase = passphrase or ask()
            content = _open(each, content, passphrase)
        text = content.decode("utf-8", "replace")
        created = _CREATED.search(text)
        keys.append(Key(each, date.fromisoformat(created[1]) if created else None, is_protected, read_identity(text)))
    return keys


def public_names(path: Path) -> set[str]:
    """The public halves of all keys, as far as they are known without a passphrase: they lie beside them."""
    names = set()
    for each in files(path):
        half = each.with_suffix(".pub")
        with explained(each):
            content = each.read_bytes()
        if not content.startswith(_AGE):
            names.add(str(read_identity(content.decode("utf-8", "replace")).to_public()))
        elif half.exists():
            names.update(half.read_text("utf-8", "replace").split()[:1])
    return names


def _open(path: Path, content: bytes, passphrase: Secret) -> bytes:
    try:
        opened: bytes = pyrage.passphrase.decrypt(content, passphrase.reveal())
    except (pyrage.DecryptError, OSError) as error:
        remedy = "Type it again. All keys have the same one; without it nobody can open what is sealed to them."
        raise WrongKey(f"{path}: the passphrase does not open it, or it is damaged", remedy) from error
    return opened


def _new_path(path: Path, today: date) -> Path:
    if not files(path):
        return path
    for number in range(1, 100):
        name = f"{path.stem}-{today}{f'-{number}' if number > 1 else ''}{path.suffix}"
        if not (new := path.with_name(name)).exists():
            return new
    raise MailroomError(f"{path.parent}: there are a hundred keys of today", "Use one of them.")


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that was not there: a key that is lost opens nothing any more."""
    with explained(path):
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.parent)
