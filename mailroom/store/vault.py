"""Sealing addresses, and finding them without opening any.

A sealed value is `key number · nonce · ciphertext` under AES-256-GCM (NIST SP 800-38D), padded to one length for all,
and bound to its place: a value copied into another row, or another column, does not open.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mailroom.errors import Unreadable
from mailroom.store.keyring import Keyring

NONCE = 12
#: What an address is padded to: its length in two octets, and the 254 octets that RFC 5321, 4.5.3.1 leaves it.
ADDRESS_SIZE = 256
#: What a request is padded to: an address and a few words.
REQUEST_SIZE = 512


@dataclass(frozen=True, slots=True)
class Lookup:
    """By what an address is found: a keyed hash, and the number of its key."""

    key: int
    value: bytes


class Vault:
    """Seals and opens with one keyring."""

    def __init__(self, ring: Keyring) -> None:
        self.ring = ring
        self._ciphers = {number: AESGCM(secret) for number, secret in ring.keys["data"].items()}

    def seal(self, text: str, place: bytes, size: int = ADDRESS_SIZE) -> bytes:
        """Seal a text for one place, such as `b"subscription" + id`. Raises ValueError when it does not fit."""
        content = text.encode()
        if len(content) + 2 > size:
            raise ValueError(f"{len(content)} octets do not fit into {size}")
        padded = len(content).to_bytes(2, "big") + content + bytes(size - 2 - len(content))
        number, _ = self.ring.current("data")
        nonce = os.urandom(NONCE)
        return bytes([number]) + nonce + self._ciphers[number].encrypt(nonce, padded, place)

    def open(self, sealed: bytes, place: bytes) -> str:
        """Open what was sealed for that place. Raises Unreadable."""
        cipher = self._ciphers.get(sealed[0]) if sealed else None
        if cipher is None:
            raise Unreadable("A sealed value names a key that the keyring has not got", "Check MAILROOM_KEY.")
        try:
            padded = cipher.decrypt(sealed[1 : 1 + NONCE], sealed[1 + NONCE :], place)
        except (InvalidTag, ValueError) as error:
            raise Unreadable(
                "A sealed value does not open: it was altered, or stood elsewhere", "Restore a backup."
            ) from error
        return padded[2 : 2 + int.from_bytes(padded[:2], "big")].decode()

    def is_current(self, sealed: bytes) -> bool:
        """Whether a value was sealed with the key that seals now."""
        return sealed[0] == self.ring.current("data")[0]

    def lookup(self, address: str) -> Lookup:
        """By what a normalised address is kept from now on."""
        return self.lookups(address)[0]

    def lookups(self, address: str) -> list[Lookup]:
        """By what a normalised address may have been kept, newest key first."""
        return [Lookup(number, _hash(secret, address)) for number, secret in self.ring.newest_first("lookup")]

    def domain(self, address: str) -> bytes:
        """A keyed hash of an address's domain, by which deliveries to it are counted and paused; kept for days."""
        return _hash(self.ring.current("lookup")[1], "@" + address.rpartition("@")[2])

    def check(self) -> bytes:
        """What a database remembers of its keyring, to know a wrong one: it says nothing about the keys."""
        return _hash(min(self.ring.keys["lookup"].items())[1], "check")


def _hash(secret: bytes, text: str) -> bytes:
    return hmac.digest(secret, text.encode(), hashlib.sha256)
