"""Everything that the mailroom's processes and commands work with, opened once and handed around."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from mailroom.clock import Clock
from mailroom.people.requests import Requests
from mailroom.people.subscriptions import Subscriptions
from mailroom.settings import Settings
from mailroom.store.database import Database, migrate, remember_keyring
from mailroom.store.journal import Journal
from mailroom.store.keyring import Keyring, load_keyring, make_keyring, save_keyring
from mailroom.store.lock import Lock
from mailroom.store.vault import Vault
from mailroom.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Office:
    """An open mailroom: settings, keys, database, and what is done with them."""

    settings: Settings
    clock: Clock
    ring: Keyring
    vault: Vault
    tokens: Tokens
    database: Database
    journal: Journal
    requests: Requests
    subscriptions: Subscriptions
    lock: Lock

    def close(self) -> None:
        """Commit what waits, and close the database."""
        self.database.close()
        self.lock.close()

    def __enter__(self) -> Office:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_office(
    settings: Settings, *, ring: Keyring | None = None, clock: Clock | None = None, alone: bool = False
) -> Office:
    """Open what `make_office` made; `ring` is the keyring where it is not in a file (`MAILROOM_KEY=ask`).

    Any number of processes may have it open, unless one needs it `alone`.

    Raises ConfigurationError for the keyring, StoreError for the database.
    """
    ring = ring or load_keyring(Path(settings.key))
    clock = clock or Clock()
    vault = Vault(ring)
    journal = Journal(settings.data / "journal")
    with ExitStack() as opened:
        lock = opened.enter_context(Lock(settings.data, alone=alone))
        database = opened.enter_context(Database(settings.database))
        remember_keyring(database, vault)
        opened.pop_all()  # all went well: they stay open
    return Office(
        settings,
        clock,
        ring,
        vault,
        Tokens(ring),
        database,
        journal,
        Requests(database, vault, clock),
        Subscriptions(database, vault, journal, clock),
        lock,
    )


def make_office(settings: Settings) -> list[str]:
    """Make the keyring and the database where there are none; return what was made, a line each.

    A missing keyring beside an existing database is never replaced: the data would be lost without a word.
    """
    made = []
    if settings.key != "ask" and not Path(settings.key).exists() and not settings.database.exists():
        save_keyring(make_keyring(), Path(settings.key))
        made.append(f"{settings.key}: the keyring. Keep a copy where neither the data nor its backups are.")
    if not settings.database.exists():
        migrate(settings.database)
        made.append(f"{settings.database}: the database.")
    return made


def prepare_intake(settings: Settings) -> list[str]:
    """Make what the intake needs and has not got: keys for receipts, its database; return what was made, a line each.

    A keyring from before there was an intake gets the keys, unless it is pasted at each start (`MAILROOM_KEY=ask`).
    Raises ConfigurationError for the keyring, StoreError where it cannot be written.
    """
    from mailroom.intake.submissions import make_intake

    made = []
    if settings.key != "ask":
        ring = load_keyring(Path(settings.key))
        if (completed := ring.completed()) is not ring:
            save_keyring(completed, Path(settings.key))
            made.append(f"{settings.key}: keys for receipts. Copy the keyring anew to where your copy of it is.")
    if steps := make_intake(settings):
        made.append(f"{settings.intake_database}: {', '.join(steps)}.")
    return made
