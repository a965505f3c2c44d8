"""Mailboxes that the mailroom reads: the one that reports come back to, and the one of `doctor --letter`.

What is to be looked at by a person is flagged, as a mail program shows it, and passed over from then on; whether
somebody has read it in the meantime makes no difference.
"""

from __future__ import annotations

import imaplib
import ipaddress
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from mailroom.errors import ConfigurationError, MailroomError
from mailroom.settings import Settings

#: Seconds to wait for the server's next word.
PATIENCE = 60


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail in a mailbox: by what it is called there, and its octets."""

    key: str
    size: int


class Mailbox(Protocol):
    """An open mailbox. What cannot be done raises OSError or imaplib's errors, which `open_…` explains."""

    def waiting(self, most: int) -> list[Mail]:
        """Mails that are not set aside, oldest first."""

    def read(self, mail: Mail) -> bytes:
        """A mail as it came."""

    def delete(self, mail: Mail) -> None:
        """Delete a mail."""

    def set_aside(self, mail: Mail) -> None:
        """Flag a mail for a person to look at."""

    def count_set_aside(self) -> int:
        """How many mails are flagged."""


@contextmanager
def open_bounce_mailbox(settings: Settings) -> Iterator[Mailbox]:
    """The mailbox of MAILROOM_BOUNCES, which is not `none`. Raises ConfigurationError, MailroomError."""
    if settings.bounces == "imap":
        password = settings.bounce_password.reveal()
        with open_imap("MAILROOM_BOUNCE_IMAP", settings.bounce_imap, password, settings.relay_ca) as mailbox:
            yield mailbox
    else:
        folder = Path(settings.bounce_maildir)
        if not all((folder / name).is_dir() for name in ("cur", "new")):
            raise ConfigurationError("MAILROOM_BOUNCE_MAILDIR", str(folder), "no Maildir: it has no cur/ and new/")
        with _explained("MAILROOM_BOUNCE_MAILDIR"):
            yield Maildir(folder)


@contextmanager
def open_imap(setting: str, url: str, password: str, ca: str = "") -> Iterator[ImapMailbox]:
    """The inbox at `imaps://user@host:993`, or at `imap://…` of this machine, where nothing can listen on the way.

    `ca` is a file of certificates to trust besides the system's, `setting` what errors name. Raises
    ConfigurationError for the address, MailroomError for whatever the server refuses.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or {"imaps": 993, "imap": 143}[parts.scheme]
        host, user = parts.hostname or "", unquote(parts.username or "")
    except (ValueError, KeyError) as error:
        raise ConfigurationError(setting, url, "use imaps://user@host:993") from error
    if not host or not user or parts.password is not None:
        raise ConfigurationError(setting, "…", "use imaps://user@host:993; the password has a setting of its own")
    if parts.scheme == "imap" and not _is_this_machine(host):
        raise ConfigurationError(setting, url, "without TLS everybody on the way reads the password: use imaps://")
    with _explained(setting):
        client = _connect(host, port, ca) if parts.scheme == "imaps" else imaplib.IMAP4(host, port, PATIENCE)
        with client:
            if "AUTH=PLAIN" in client.capabilities:
                client.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
            else:
                client.login(user, password)
            _done(client.select())
            yield ImapMailbox(client)
            client.close()  # this, and nothing before it, takes what was deleted away for good


def _connect(host: str, port: int, ca: str) -> imaplib.IMAP4_SSL:
    context = ssl.create_default_context()
    if ca:
        context.load_verify_locations(ca)
    return imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=PATIENCE)


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def _explained(setting: str) -> Iterator[None]:
    """Raise what a mailbox refuses as ours, without the server's words: they may hold the user's name."""
    try:
        yield
    except (imaplib.IMAP4.error, OSError) as error:
        code = re.search(r"\[([A-Z]+)\]", str(error))
        reason = code[1] if code else getattr(error, "strerror", None) or type(error).__name__
        raise MailroomError(
            f"{setting}: the mailbox cannot be read ({reason})", "Check its address, its password, and its server."
        ) from error


class ImapMailbox:
    """An inbox by IMAP (RFC 9051)."""

    def __init__(self, client: imaplib.IMAP4) -> None:
        self._client = client

    def waiting(self, most: int) -> list[Mail]:
        """Mails that are neither flagged nor deleted, oldest first."""
        if keys := self._search("UNFLAGGED UNDELETED")[:most]:
            parts = self._command("FETCH", ",".join(keys), "(UID RFC822.SIZE)")
            sizes = dict(found for part in parts if (found := _size(part)))
            return [Mail(key, sizes[key]) for key in keys if key in sizes]
        return []

    def read(self, mail: Mail) -> bytes:
        """A mail as it came; it stays unread."""
        for part in self._command("FETCH", mail.key, "(BODY.PEEK[])"):
            if isinstance(part, tuple):
                return bytes(part[1])
        raise imaplib.IMAP4.error("the mail is gone")

    def delete(self, mail: Mail) -> None:
        """Mark a mail, which goes when the mailbox is closed."""
        self._command("STORE", mail.key, "+FLAGS.SILENT", r"(\Deleted)")

    def set_aside(self, mail: Mail) -> None:
        """Flag a mail for a person to look at."""
        self._command("STORE", mail.key, "+FLAGS.SILENT", r"(\Flagged)")

    def count_set_aside(self) -> int:
        """How many mails are flagged."""
        return len(self._search("FLAGGED UNDELETED"))

    def _search(self, criteria: str) -> list[str]:
        return [key.decode() for part in self._command("SEARCH", criteria) for key in (part or b"").split()]

    def _command(self, name: str, *arguments: str) -> list[Any]:
        return _done(self._client.uid(name, *arguments))


def _done(answer: tuple[str, list[Any]]) -> list[Any]:
    if answer[0] != "OK":
        raise imaplib.IMAP4.error(str(answer[1]))
    return answer[1]


def _size(part: Any) -> tuple[str, int] | None:
    """`1 (UID 5 RFC822.SIZE 1234)`, in whichever order."""
    text = part.decode("ascii", "replace") if isinstance(part, bytes) else ""
    key, size = re.search(r"\bUID (\d+)", text), re.search(r"\bRFC822\.SIZE (\d+)", text)
    return (key[1], int(size[1])) if key and size else None


class Maildir:
    """A Maildir, flags at the end of its files' names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def waiting(self, most: int) -> list[Mail]:
        """Mails that are neither flagged nor trashed, oldest first."""
        paths = [path for path in self._paths() if not {"F", "T"} & _flags(path)]
        found = sorted((path.stat().st_mtime, str(path), path.stat().st_size) for path in paths)
        return [Mail(key, size) for _, key, size in found[:most]]

    def read(self, mail: Mail) -> bytes:
        """A mail as it came."""
        return Path(mail.key).read_bytes()

    def delete(self, mail: Mail) -> None:
        """Delete a mail."""
        Path(mail.key).unlink()

    def set_aside(self, mail: Mail) -> None:
        """Flag a mail for a person to look at."""
        path = Path(mail.key)
        flags = "".join(sorted(_flags(path) | {"F"}))
        path.rename(self._folder / "cur" / f"{path.name.partition(':2,')[0]}:2,{flags}")

    def count_set_aside(self) -> int:
        """How many mails are flagged."""
        return sum("F" in _flags(path) for path in self._paths())

    def _paths(self) -> Iterator[Path]:
        for name in ("new", "cur"):
            yield from (path for path in (self._folder / name).iterdir() if not path.name.startswith("."))


def _flags(path: Path) -> set[str]:
    return set(path.name.partition(":2,")[2])
