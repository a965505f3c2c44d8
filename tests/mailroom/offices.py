"""A mailroom on a disk of its own, with a clock that a test sets."""

from __future__ import annotations

import argparse
import io
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrage
import pytest

from mailroom.clock import DAY, Clock
from mailroom.commands import add_commands
from mailroom.office import Office, make_office, open_office
from mailroom.people.addresses import normalise
from mailroom.people.requests import Request
from mailroom.settings import PREFIX, Settings, read_settings
from mailroom.tokens import Purpose

#: A Saturday at noon.
NOON = 20_400 * DAY + DAY // 2


@dataclass
class Watch:
    """What a test's clock shows."""

    now: float = NOON
    #: By how much somebody has set the wall clock.
    set_by: float = 0.0

    def clock(self) -> Clock:
        """A clock that shows it."""
        return Clock(lambda: self.now + self.set_by, lambda: self.now)

    def pass_(self, seconds: float) -> None:
        """Let time go by."""
        self.now += seconds


def make_settings(folder: Path, **overrides: Any) -> Settings:
    """Settings for a mailroom under this folder, which nothing from outside changes."""
    values = {"development": True, "url": "http://127.0.0.1:8025/mail/", "sender": "letters@news.example"}
    return read_settings(folder, {}, **(values | overrides))


def new_office(settings: Settings, watch: Watch | None = None) -> Office:
    """Make the mailroom if there is none, and open it."""
    make_office(settings)
    return open_office(settings, clock=(watch or Watch()).clock())


def ask(office: Office, *addresses: str, lang: str = "en") -> None:
    """Have somebody fill in the form, and the worker decide."""
    for address in addresses:
        office.requests.store(Request("subscribe", lang, address, consent="c0ffee"))
    while office.requests.decide_all():
        pass


def subscribe(office: Office, *addresses: str, lang: str = "en") -> list[bytes]:
    """Subscribe and confirm; return the subscriptions' ids."""
    ask(office, *addresses, lang=lang)
    found = [identity_of(office, address) for address in addresses]
    for identity in found:
        office.subscriptions.confirm(identity)
    return found


def identity_of(office: Office, address: str) -> bytes:
    """The id of an address's subscription."""
    for each in office.vault.lookups(normalise(address)):
        for row in office.database.read("SELECT id FROM subscriptions WHERE lookup = ?", (each.value,)):
            return bytes(row["id"])
    raise LookupError


def unsubscribe_token(office: Office, identity: bytes) -> str:
    """The token of the link in a letter."""
    return office.tokens.issue(Purpose.UNSUBSCRIBE, identity, office.clock.now())


def count(office: Office, table: str, where: str = "1") -> int:
    """How many rows there are."""
    return int(office.database.read(f"SELECT count(*) FROM {table} WHERE {where}")[0][0])  # noqa: S608 - tests' own words


@dataclass(frozen=True)
class AgeKey:
    """A key pair for backups."""

    recipient: str
    identity: str


def make_age_key() -> AgeKey:
    """A fresh pair."""
    identity = pyrage.x25519.Identity.generate()
    return AgeKey(str(identity.to_public()), str(identity))


def run_command(root: Path, *words: str | Path, stdin: str = "", **environment: str) -> int:
    """Run `./blog mailroom …` in this process, with what is typed and what is set; return its exit code."""
    parser = argparse.ArgumentParser(prog="blog")
    add_commands(parser.add_subparsers(), root)
    args = parser.parse_args(["mailroom", *map(str, words)])
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() | environment.keys():
            if name.startswith(PREFIX):
                patch.delenv(name, raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr(sys, "stdin", io.StringIO(stdin))
        return int(args.run(args))
