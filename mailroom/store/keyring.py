"""The keys: what turns the database back into names. They stand outside the data directory, in one small text file.

Each line is `KIND NUMBER SECRET`; the highest number of a kind makes what is new, the others still read what is old.

- `data` seals addresses and requests,
- `lookup` makes the keyed hashes by which an address is found; old ones are kept for good, because the suppressed are
  known by nothing else,
- `token` signs links and return paths; old ones are kept, because an unsubscribe link never expires,
- `receipt-salt` and `receipt-secret` make the slow hash by which the intake finds a receipt; a ring from before there
  was an intake has none.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from mailroom.errors import ConfigurationError
from mailroom.store.files import write_private

Kind = Literal["data", "lookup", "token", "receipt-salt", "receipt-secret"]
KINDS: tuple[Kind, ...] = get_args(Kind)
#: What each ring has.
REQUIRED: tuple[Kind, ...] = ("data", "lookup", "token")
LENGTH = 32
#: A key's number is one octet in tokens and sealed values.
MOST = 255
HEADING = """\
# Keys of the mailroom. Whoever has this file and the data can read every address;
# whoever loses it loses the list. Keep a copy on paper or in a password manager, never beside the backups.
"""


@dataclass(frozen=True, slots=True)
class Keyring:
    """Keys by kind and number."""

    keys: dict[Kind, dict[int, bytes]] = field(repr=False)

    def current(self, kind: Kind) -> tuple[int, bytes]:
        """The number and secret that make what is new."""
        number = max(self.keys[kind])
        return number, self.keys[kind][number]

    def get(self, kind: Kind, number: int) -> bytes | None:
        """The secret of that number, if the ring holds it."""
        return self.keys[kind].get(number)

    def newest_first(self, kind: Kind) -> Iterator[tuple[int, bytes]]:
        """Every key of a kind."""
        for number in sorted(self.keys[kind], reverse=True):
            yield number, self.keys[kind][number]

    def with_new(self, *kinds: Kind) -> Keyring:
        """A ring with one more key of each of these kinds."""
        keys = {kind: dict(numbered) for kind, numbered in self.keys.items()}
        for kind in kinds:
            number = max(keys[kind], default=0) + 1
            if number > MOST:
                raise ConfigurationError("MAILROOM_KEY", kind, f"the ring is full: {MOST} keys of one kind")
            keys[kind][number] = secrets.token_bytes(LENGTH)
        return replace(self, keys=keys)

    def without(self, kind: Kind, number: int) -> Keyring:
        """A ring without that key."""
        keys = {each: dict(numbered) for each, numbered in self.keys.items()}
        del keys[kind][number]
        return replace(self, keys=keys)

    def only(self, *kinds: Kind) -> Keyring:
        """A ring with the keys of these kinds alone."""
        return Keyring({kind: dict(numbered) if kind in kinds else {} for kind, numbered in self.keys.items()})

    def completed(self) -> Keyring:
        """A ring with at least one key of each kind: this one, if nothing is missing."""
        missing = [kind for kind in KINDS if not self.keys[kind]]
        return self.with_new(*missing) if missing else self


def make_keyring() -> Keyring:
    """A ring with a fresh key of each kind."""
    return Keyring({kind: {} for kind in KINDS}).completed()


def write_keyring(ring: Keyring) -> str:
    """The ring as the text that `parse_keyring` reads."""
    lines = [
        f"{kind} {number} {base64.urlsafe_b64encode(secret).decode()}\n"
        for kind in KINDS
        for number, secret in sorted(ring.keys[kind].items())
    ]
    return HEADING + "".join(lines)


def parse_keyring(text: str) -> Keyring:
    """Read a ring. Raises ConfigurationError naming the line, never its secret."""
    keys: dict[Kind, dict[int, bytes]] = {kind: {} for kind in KINDS}
    for count, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        kind, number, secret = _parse_line(line, count)
        if number in keys[kind]:
            raise _wrong(count, f"there are two keys {kind} {number}")
        keys[kind][number] = secret
    if missing := [kind for kind in REQUIRED if not keys[kind]]:
        raise ConfigurationError("MAILROOM_KEY", ", ".join(missing), "no such key in it: is this the whole keyring?")
    return Keyring(keys)


def _parse_line(line: str, count: int) -> tuple[Kind, int, bytes]:
    words = line.split()
    kind = next((kind for kind in KINDS if words[0] == kind), None)
    if len(words) != 3 or kind is None or not re.fullmatch(r"[0-9]{1,3}", words[1]):
        raise _wrong(count, "write `KIND NUMBER SECRET`")
    number = int(words[1])
    if not 1 <= number <= MOST:
        raise _wrong(count, f"a key's number lies between 1 and {MOST}")
    try:
        secret = base64.b64decode(words[2], altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise _wrong(count, "the secret is not whole") from error
    if len(secret) != LENGTH:
        raise _wrong(count, "the secret is not whole")
    return kind, number, secret


def _wrong(count: int, remedy: str) -> ConfigurationError:
    return ConfigurationError("MAILROOM_KEY", f"line {count}", remedy)


def load_keyring(path: Path) -> Keyring:
    """Read the ring from its file. Raises ConfigurationError when it is missing, or when others may read it."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            "MAILROOM_KEY",
            str(path),
            "no keyring can be read there: put your copy there, or have ./blog mailroom init make a new mailroom",
        ) from error
    if os.name == "posix" and mode & 0o077:
        raise ConfigurationError("MAILROOM_KEY", str(path), f"others may read it: chmod 600 {path}")
    return parse_keyring(text)


def save_keyring(ring: Keyring, path: Path) -> None:
    """Write the ring so that it is there whole or not at all, for its owner's eyes only, before anything uses it.

    Raises DiskFull, StoreError.
    """
    write_private(path, write_keyring(ring).encode())
