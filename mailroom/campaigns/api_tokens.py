"""Tokens of the API: who has one may do what its scope allows, until it expires or is revoked.

A token is 256 random bits, so its SHA-256 is all that needs to be kept: nobody can try that many.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import sqlite3
from dataclasses import dataclass
from typing import Literal, get_args

from mailroom.clock import Clock
from mailroom.errors import MailroomError
from mailroom.store.database import Database

Scope = Literal["draft", "send", "intake"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
#: What each scope allows; who may send may draft.
ALLOWS: dict[Scope, tuple[Scope, ...]] = {"draft": ("draft",), "send": ("draft", "send"), "intake": ("intake",)}
#: Days, by default and at most.
LIFE, LONGEST = 90, 366
#: By this, tools that look for secrets in places where none should be know one of ours.
PREFIX = "mailroom_"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


@dataclass(frozen=True, slots=True)
class ApiToken:
    """What is known of a token; `expires` is the first day on which it is not good any more."""

    name: str
    scope: Scope
    expires: int
    revoked: bool

    def allows(self, scope: Scope) -> bool:
        """Whether it may do what that scope is for."""
        return scope in ALLOWS[self.scope]


class ApiTokens:
    """The tokens in the database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def create(self, name: str, scope: Scope, days: int = LIFE) -> str:
        """Make a token and return it; it cannot be seen again.

        Raises MailroomError for a name that cannot be used or is in use, and for a life that is too long.
        """
        if not _NAME.fullmatch(name):
            raise MailroomError(f"{name!r} is no name of a token", "Use up to 40 letters, digits, dots and hyphens.")
        if not 1 <= days <= LONGEST:
            raise MailroomError(f"A token cannot be good for {days} days", f"Choose 1 to {LONGEST}.")
        token = PREFIX + secrets.token_urlsafe(32)
        today = self._clock.today()

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM api_tokens WHERE name = ? AND (revoked OR expires <= ?)", (name, today))
            if connection.execute("SELECT 1 FROM api_tokens WHERE name = ?", (name,)).fetchone():
                raise MailroomError(f"There is a token {name}", "Revoke it first, or choose another name.")
            connection.execute(
                "INSERT INTO api_tokens (name, hash, scope, expires) VALUES (?, ?, ?, ?)",
                (name, _hash(token), scope, today + days),
            )

        self._database.write(work)
        return token

    def list(self) -> list[ApiToken]:
        """All tokens, by name."""
        return [_read(row) for row in self._database.read("SELECT * FROM api_tokens ORDER BY name")]

    def revoke(self, name: str) -> None:
        """End a token's life at once; twice is once. Raises MailroomError when there is none of that name."""

        def work(connection: sqlite3.Connection) -> int:
            return connection.execute("UPDATE api_tokens SET revoked = 1 WHERE name = ?", (name,)).rowcount

        if not self._database.write(work):
            raise MailroomError(f"There is no token {name}", "Look at ./blog mailroom token list.")

    def find(self, token: str) -> ApiToken | None:
        """What is known of a token that is good now; the time it takes says nothing about those that are."""
        hashed = _hash(token)
        rows = self._database.read("SELECT * FROM api_tokens")
        known = [row for row in rows if hmac.compare_digest(bytes(row["hash"]), hashed)]
        found = _read(known[0]) if known else None
        return found if found and not found.revoked and self._clock.today() < found.expires else None


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _read(row: sqlite3.Row) -> ApiToken:
    return ApiToken(row["name"], row["scope"], row["expires"], bool(row["revoked"]))
