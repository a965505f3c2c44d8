"""Receipts: 16 random digits that somebody can write down, and by which nobody else finds what they belong to.

What is kept is a slow hash (Argon2id, RFC 9106) with two secrets of the keyring, a salt and a key. Without the keyring
a copied database cannot be searched for a receipt; with it, each try costs memory and time. The salt is one for all,
since a receipt must be found by itself alone; 16 digits are too many for tables.
"""

from __future__ import annotations

import secrets
import unicodedata

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from mailroom.errors import ConfigurationError, InvalidReceipt
from mailroom.store.keyring import Keyring

DIGITS = 16
#: Octets of the value by which a receipt is looked up.
LENGTH = 32
#: RFC 9106, 4: the second recommended option. Memory is counted in KiB; in development there is less of it.
_ITERATIONS, _LANES = 3, 4
_MEMORY, _MEMORY_IN_DEVELOPMENT = 64 * 1024, 32 * 1024
#: More characters than anybody types around 16 digits.
_LONGEST = 100
#: Spaces, hyphens and dashes, and the marks of direction that come along when a number is copied.
_BETWEEN = ("Zs", "Pd", "Cf")


def make_receipt() -> str:
    """A new receipt."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"


def read_receipt(text: str) -> str:
    """The receipt that somebody typed, in the digits of any script, with spaces and hyphens. Raises InvalidReceipt."""
    found = [character for character in text[: _LONGEST + 1] if not _is_between(character)]
    digits = [unicodedata.decimal(character, -1) for character in found]
    if len(text) > _LONGEST or len(digits) != DIGITS or -1 in digits:
        raise InvalidReceipt("This is no receipt", f"A receipt has {DIGITS} digits.")  # what was typed is in no message
    return "".join(map(str, digits))


def _is_between(character: str) -> bool:
    return character in "\t\r\n" or unicodedata.category(character) in _BETWEEN


class Lookup:
    """Makes the values by which receipts are found, with one keyring."""

    def __init__(self, ring: Keyring, *, development: bool = False) -> None:
        """Raises ConfigurationError for a keyring from before there was an intake."""
        if not (ring.keys["receipt-salt"] and ring.keys["receipt-secret"]):
            raise ConfigurationError(
                "MAILROOM_KEY",
                "receipt-salt, receipt-secret",
                "the keyring has no such keys yet: ./blog mailroom migrate makes them; one that is pasted gets a line"
                " of each kind (mailroom/README.md, The intake)",
            )
        _, self._salt = ring.current("receipt-salt")
        _, self._secret = ring.current("receipt-secret")
        self._memory = _MEMORY_IN_DEVELOPMENT if development else _MEMORY

    def value(self, receipt: str) -> bytes:
        """By what a receipt is found. Takes a fifth of a second and 64 MiB."""
        slow = Argon2id(
            salt=self._salt, length=LENGTH, iterations=_ITERATIONS, lanes=_LANES, memory_cost=self._memory,
            secret=self._secret,
        )  # fmt: skip
        return slow.derive(receipt.encode("ascii"))
