"""Links that carry their own authority: who has the link may do what it is for, and nothing else.

A token is `version · key number · purpose · subscription · expiry · HMAC`, 39 octets in base64url: 52 letters that mean
nothing to anybody else. Only links in letters hold tokens, so whoever reads the mailbox can use them, and nobody else.
"""

from __future__ import annotations

import base64
import binascii
import enum
import hashlib
import hmac
from dataclasses import dataclass

from mailroom.clock import MINUTE
from mailroom.errors import ExpiredToken, InvalidToken
from mailroom.store.keyring import Keyring

VERSION = 1
ID_LENGTH = 16
HMAC_LENGTH = 16
_LENGTH = 3 + ID_LENGTH + 4 + HMAC_LENGTH


class Purpose(enum.IntEnum):
    """What a link may do. The numbers are part of tokens that never expire: they are never used again."""

    CONFIRM = 1
    UNSUBSCRIBE = 2
    #: Have a fresh link to the preferences mailed; nothing more, since it stands in every letter.
    SETTINGS = 3
    #: Change preferences, export, erase.
    PREFERENCES = 4


#: How long a link is good, in hours; None for ever.
HOURS: dict[Purpose, int | None] = {
    Purpose.CONFIRM: 72,
    Purpose.UNSUBSCRIBE: None,
    Purpose.SETTINGS: None,
    Purpose.PREFERENCES: 1,
}


@dataclass(frozen=True, slots=True)
class Tokens:
    """Makes and reads tokens with one keyring."""

    ring: Keyring

    def issue(self, purpose: Purpose, subscription: bytes, now: float) -> str:
        """A token for this subscription (16 octets), good from now for as long as its purpose allows."""
        hours = HOURS[purpose]
        expiry = 0 if hours is None else int(now // MINUTE) + 1 + hours * 60
        number, secret = self.ring.current("token")
        content = bytes([VERSION, number, purpose]) + subscription + expiry.to_bytes(4, "big")
        return base64.urlsafe_b64encode(content + _sign(secret, content)).decode()

    def read(self, purpose: Purpose, token: str, now: float) -> bytes:
        """The subscription that a token is for. Raises InvalidToken for another purpose, ExpiredToken when late."""
        try:
            octets = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError) as error:
            raise InvalidToken("This link is not whole") from error
        content, signature = octets[:-HMAC_LENGTH], octets[-HMAC_LENGTH:]
        secret = self.ring.get("token", octets[1]) if len(octets) == _LENGTH and octets[0] == VERSION else None
        if secret is None or not hmac.compare_digest(_sign(secret, content), signature) or octets[2] != purpose:
            raise InvalidToken("This link is not one of ours")
        expiry = int.from_bytes(content[-4:], "big")
        if expiry and now >= expiry * MINUTE:
            raise ExpiredToken("This link's time is over")
        return content[3 : 3 + ID_LENGTH]


def _sign(secret: bytes, content: bytes) -> bytes:
    return hmac.digest(secret, b"token" + content, hashlib.sha256)[:HMAC_LENGTH]
