"""Whatever happens in whichever order, whoever has left gets nothing, and whoever has not is there."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from mailroom.clock import DAY
from mailroom.office import open_office
from mailroom.people.addresses import normalise
from mailroom.people.suppressions import is_suppressed
from mailroom.people.transfer import forget, import_
from mailroom.store.backup import back_up, restore
from mailroom.store.keyring import Keyring, load_keyring, save_keyring
from mailroom.store.rotation import rotate_data, rotate_tokens
from mailroom.store.sealing import read_identity
from mailroom.tokens import Purpose
from tests.mailroom.offices import Watch, ask, identity_of, make_age_key, make_settings, new_office

PEOPLE = ("Reader@example.org", "читатель@example.org", "somebody+else@bücher.example")
OPERATOR = make_age_key()
people = st.sampled_from(PEOPLE)


class Custody(RuleBasedStateMachine):
    """A mailroom, and beside it what must be true of three people."""

    backups = Bundle("backups")
    links = Bundle("links")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.watch = Watch()
        self.settings = make_settings(Path(self.folder.name), backup_recipient=OPERATOR.recipient)
        self.office = new_office(self.settings, self.watch)
        self.subscribed: set[str] = set()
        self.suppressed: set[str] = set()
        self.data_keys: dict[int, bytes] = dict(self.office.ring.keys["data"])

    def teardown(self) -> None:
        self.office.close()
        self.folder.cleanup()

    def reopen(self, *, alone: bool = False) -> None:
        self.office.close()
        self.office = open_office(self.settings, clock=self.watch.clock(), alone=alone)

    # What people do

    @rule(target=links, who=people)
    def subscribe(self, who: str) -> tuple[str, str]:
        self.watch.pass_(40 * DAY)  # beyond the limits
        ask(self.office, who)
        identity = identity_of(self.office, who)
        self.office.subscriptions.confirm(identity)
        self.subscribed.add(who)
        self.suppressed.discard(who)
        return who, self.office.tokens.issue(Purpose.UNSUBSCRIBE, identity, self.watch.now)

    @rule(who=people)
    def ask_and_not_confirm(self, who: str) -> None:
        self.watch.pass_(40 * DAY)
        ask(self.office, who)
        self.watch.pass_(8 * DAY)
        self.office.subscriptions.delete_unconfirmed()

    @rule(link=links)
    def unsubscribe(self, link: tuple[str, str]) -> None:
        who, token = link
        identity = self.office.tokens.read(Purpose.UNSUBSCRIBE, token, self.watch.now)
        if who in self.subscribed and identity == identity_of(self.office, who):  # not a link from before erasure
            self.subscribed.discard(who)
            self.suppressed.add(who)
        self.office.subscriptions.unsubscribe(identity)

    @rule(who=people)
    def be_forgotten(self, who: str) -> None:
        forget(self.office, who)
        self.subscribed.discard(who)
        self.suppressed.add(who)

    # What the operator does

    @rule(who=people)
    def import_from_elsewhere(self, who: str) -> None:
        done = import_(self.office, f"email\n{who}\n".encode(), "en", "on paper")
        assert done.suppressed == (who in self.suppressed)
        if done.taken:
            self.subscribed.add(who)

    @rule()
    def change_keys(self) -> None:
        self.reopen(alone=True)

        def keep(ring: Keyring) -> None:
            save_keyring(ring, Path(self.settings.key))

        rotate_data(self.office, keep)
        self.reopen(alone=True)
        rotate_tokens(self.office, keep)
        self.reopen()
        self.data_keys |= self.office.ring.keys["data"]

    @rule(target=backups)
    def back_up(self) -> tuple[Path, frozenset[str]]:
        target = Path(self.folder.name) / os.urandom(4).hex()
        return back_up(self.settings, self.office.clock, target), frozenset(self.subscribed)

    @rule(backup=consumes(backups))
    def restore(self, backup: tuple[Path, frozenset[str]]) -> None:
        path, subscribed = backup
        self.office.close()
        ring = load_keyring(Path(self.settings.key))
        ring = Keyring({**ring.keys, "data": {**self.data_keys, **ring.keys["data"]}})  # old lines are put back
        save_keyring(ring, Path(self.settings.key))
        restore(self.settings, ring, self.watch.clock(), path, read_identity(OPERATOR.identity), replace=True)
        self.watch.pass_(1)
        self.reopen()
        self.subscribed = set(subscribed - self.suppressed)

    # What must be true

    @invariant()
    def everybody_is_where_they_belong(self) -> None:
        rows = self.office.database.read("SELECT id, address FROM subscriptions WHERE state = 'confirmed'")
        found = [self.office.vault.open(bytes(row["address"]), bytes(row["id"])) for row in rows]
        assert sorted(found) == sorted(self.subscribed)
        with self.office.database.snapshot() as connection:
            for who in PEOPLE:
                suppressed = is_suppressed(connection, self.office.vault.lookups(normalise(who)))
                assert suppressed == (who in self.suppressed), who


Custody.TestCase.settings = settings(
    max_examples=15, stateful_step_count=15, suppress_health_check=list(HealthCheck), print_blob=True
)
TestCustody = Custody.TestCase
