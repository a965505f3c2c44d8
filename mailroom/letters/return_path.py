"""Addresses that mail about a letter comes back to, and the letter's Message-ID: no database is needed to know ours.

`b+…@` is a letter's return path, where relays report to; `leave+…@` unsubscribes whoever writes to it (the mailto of
RFC 2369). What follows the plus is `key number · id · HMAC` in base32, in lower case, since not every relay keeps the
case of a local part; it stays within the 64 octets of RFC 5321, 4.5.3.1.1. Nobody who has not seen the letter can make
such an address, so a report to it is believed, and one to any other address is not.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mailroom.store.keyring import Keyring

Kind = Literal["b", "leave"]
#: Octets of the id: a letter's, a subscription's.
LENGTHS: dict[Kind, int] = {"b": 8, "leave": 16}
HMAC_LENGTH = 16
_MESSAGE_ID_LENGTH = 20


@dataclass(frozen=True, slots=True)
class Returned:
    """What an address of ours is about: a letter ("b") or a subscription ("leave")."""

    kind: Kind
    identity: bytes


@dataclass(frozen=True, slots=True)
class ReturnPaths:
    """Makes and reads these addresses, at one domain, with one keyring."""

    ring: Keyring
    domain: str

    def bounce(self, letter: bytes) -> str:
        """The return path of a letter (its id, 8 octets)."""
        return self._issue("b", letter)

    def leave(self, subscription: bytes) -> str:
        """The address that ends a subscription (its id, 16 octets)."""
        return self._issue("leave", subscription)

    def find(self, text: str) -> Iterator[Returned]:
        """What the addresses of ours in a text are about, such as in the value of a header; others are passed over."""
        pattern = rf"(?<![^\s<:,;\"(])(b|leave)\+([a-z2-7]{{1,64}})@{re.escape(self.domain)}(?![\w.-])"
        for found in re.finditer(pattern, text, re.ASCII | re.IGNORECASE):
            kind: Kind = "b" if found[1].lower() == "b" else "leave"
            identity = self._read(kind, found[2].lower())
            if identity is not None:
                yield Returned(kind, identity)

    def _issue(self, kind: Kind, identity: bytes) -> str:
        number, secret = self.ring.current("token")
        content = bytes([number]) + identity
        return f"{kind}+{_encode(content + _sign(secret, kind, content))}@{self.domain}"

    def _read(self, kind: Kind, code: str) -> bytes | None:
        octets = _decode(code)
        if octets is None or len(octets) != 1 + LENGTHS[kind] + HMAC_LENGTH:
            return None
        content, signature = octets[:-HMAC_LENGTH], octets[-HMAC_LENGTH:]
        secret = self.ring.get("token", content[0])
        if secret is None or not hmac.compare_digest(_sign(secret, kind, content), signature):
            return None
        return content[1:]


def message_id(ring: Keyring, letter: bytes, domain: str) -> str:
    """The Message-ID of a letter (its id, 8 octets), with its angle brackets.

    The same however often the letter is sent, so that a mail program shows it once. That is why the oldest key makes
    it: a newer one may have come between two attempts.
    """
    secret = min(ring.newest_first("token"))[1]
    return f"<{_encode(_sign(secret, 'message-id', letter, _MESSAGE_ID_LENGTH))}@{domain}>"


def _sign(secret: bytes, purpose: str, content: bytes, length: int = HMAC_LENGTH) -> bytes:
    return hmac.digest(secret, b"return-path " + purpose.encode() + b"\0" + content, hashlib.sha256)[:length]


def _encode(octets: bytes) -> str:
    return base64.b32encode(octets).decode().rstrip("=").lower()


def _decode(code: str) -> bytes | None:
    """What `_encode` made; None for anything else, spare bits that are set included."""
    try:
        octets = base64.b32decode(code.upper() + "=" * (-len(code) % 8))
    except ValueError:
        return None
    return octets if _encode(octets) == code else None
