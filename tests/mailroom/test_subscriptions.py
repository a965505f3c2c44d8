"""Subscriptions: who confirms, leaves, changes, takes along or is forgotten, and what stays of them."""

from __future__ import annotations

import pytest

from mailroom.clock import DAY
from mailroom.errors import ExpiredToken, StoreError
from mailroom.office import Office
from mailroom.people.addresses import normalise
from mailroom.people.subscriptions import Preferences
from mailroom.people.suppressions import is_suppressed, lift
from tests.mailroom.offices import Watch, ask, count, identity_of, subscribe

READER = "Reader@example.org"


def suppressed(office: Office, address: str = READER) -> bool:
    with office.database.snapshot() as connection:
        return is_suppressed(connection, office.vault.lookups(normalise(address)))


def state(office: Office, identity: bytes) -> str:
    return str(office.database.read("SELECT state FROM subscriptions WHERE id = ?", (identity,))[0]["state"])


def test_confirming_twice_is_once(office: Office, watch: Watch) -> None:
    identity = subscribe(office, READER)[0]
    watch.pass_(5 * DAY)
    office.subscriptions.confirm(identity)
    record = office.subscriptions.record(identity)
    assert (record.state, record.confirmed) == ("confirmed", office.clock.today() - 5)
    assert READER not in repr(record)


def test_who_leaves_leaves_a_keyed_hash(office: Office) -> None:
    identity = subscribe(office, READER, lang="fa")[0]
    office.database.write(lambda c: c.execute("INSERT INTO received VALUES (?, 'post', 'key')", (identity,)))
    office.subscriptions.unsubscribe(identity)
    office.subscriptions.unsubscribe(identity)
    row = office.database.read("SELECT * FROM subscriptions")[0]
    assert (row["state"], row["address"], row["consent"]) == ("unsubscribed", None, "")
    assert suppressed(office)
    assert count(office, "received") == 0
    assert [entry.action for entry in office.journal.entries()] == ["suppress"]


@pytest.mark.parametrize("ending", ["unsubscribe", "erase"])
def test_what_was_sealed_is_overwritten(office: Office, ending: str) -> None:
    subscribe(office, *(f"reader-{number}@example.org" for number in range(50)))
    identity = identity_of(office, "reader-25@example.org")
    sealed = bytes(office.database.read("SELECT address FROM subscriptions WHERE id = ?", (identity,))[0]["address"])
    getattr(office.subscriptions, ending)(identity)
    office.close()
    for path in office.settings.data.iterdir():
        assert sealed[20:60] not in path.read_bytes(), path


def test_an_unknown_id_may_leave_and_may_do_nothing_else(office: Office) -> None:
    nobody = bytes(16)
    office.subscriptions.unsubscribe(nobody)
    office.subscriptions.erase(nobody)
    with pytest.raises(ExpiredToken):
        office.subscriptions.confirm(nobody)
    with pytest.raises(ExpiredToken):
        office.subscriptions.record(nobody)
    with pytest.raises(ExpiredToken):
        office.subscriptions.change(nobody, Preferences(("en",)))
    assert list(office.journal.entries()) == []


def test_states_go_one_way(office: Office, watch: Watch) -> None:
    identity = subscribe(office, READER)[0]
    office.subscriptions.unsubscribe(identity)
    with pytest.raises(ExpiredToken):
        office.subscriptions.confirm(identity)  # with the old letter: leaving came later
    with pytest.raises(ExpiredToken):
        office.subscriptions.change(identity, Preferences(("fa",)))
    assert state(office, identity) == "unsubscribed"
    watch.pass_(2 * DAY)
    ask(office, READER)
    assert state(office, identity) == "unconfirmed"
    assert suppressed(office), "asking is not confirming: somebody else may have asked"
    office.subscriptions.confirm(identity)
    assert not suppressed(office)
    assert [entry.action for entry in office.journal.entries()] == ["suppress", "lift"]


@pytest.mark.parametrize("confirmed", [True, False])
def test_whoever_is_erased_leaves_no_row(office: Office, *, confirmed: bool) -> None:
    ask(office, READER)
    identity = identity_of(office, READER)
    if confirmed:
        office.subscriptions.confirm(identity)
    office.database.write(lambda c: c.execute("INSERT INTO received VALUES (?, 'post', 'key')", (identity,)))
    office.subscriptions.erase(identity)
    office.subscriptions.erase(identity)
    assert [count(office, table) for table in ("subscriptions", "letters", "received")] == [0, 0, 0]
    assert suppressed(office)
    assert [entry.reason for entry in office.journal.entries()] == ["erased"]


def test_whoever_was_erased_may_come_back(office: Office, watch: Watch) -> None:
    office.subscriptions.erase(subscribe(office, READER)[0])
    watch.pass_(2 * DAY)
    identity = subscribe(office, READER)[0]
    assert state(office, identity) == "confirmed"
    assert not suppressed(office)


def test_preferences_are_kept_in_their_order(office: Office) -> None:
    identity = subscribe(office, READER)[0]
    wanted = Preferences(("fa", "zh-Hans", "en"), "weekly", discreet=True)
    office.subscriptions.change(identity, wanted)
    assert office.subscriptions.preferences(identity) == wanted


def test_asking_anew_after_leaving_forgets_old_choices(office: Office, watch: Watch) -> None:
    identity = subscribe(office, READER)[0]
    office.subscriptions.change(identity, Preferences(("fa", "en"), "weekly", discreet=True))
    office.subscriptions.unsubscribe(identity)
    watch.pass_(2 * DAY)
    ask(office, READER, lang="ru")
    office.subscriptions.confirm(identity)
    assert office.subscriptions.preferences(identity) == Preferences(("ru",))


def test_requests_that_nobody_confirmed_go_after_a_week(office: Office, watch: Watch) -> None:
    subscribe(office, "stays@example.org")
    ask(office, READER)
    watch.pass_(7 * DAY)
    assert office.subscriptions.delete_unconfirmed() == 0
    watch.pass_(DAY)
    assert office.subscriptions.delete_unconfirmed() == 1
    assert count(office, "subscriptions") == 1


def test_the_journal_comes_first(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever cannot be written into the journal is told so, and nothing has happened yet."""
    identity = subscribe(office, READER)[0]
    with monkeypatch.context() as patch:
        patch.setattr(office.journal, "path", office.settings.data / "missing" / "journal")
        with pytest.raises(StoreError):
            office.subscriptions.unsubscribe(identity)
    assert state(office, identity) == "confirmed"
    office.subscriptions.unsubscribe(identity)
    assert state(office, identity) == "unsubscribed"


def test_what_a_domain_refused_is_lifted_under_every_key(office: Office) -> None:
    identity = subscribe(office, READER)[0]
    office.subscriptions.leave(identity, "bounced", "a-campaign")
    row = office.database.read("SELECT * FROM suppressions")[0]
    assert (row["reason"], row["campaign"]) == ("bounced", "a-campaign")
    lookups = office.vault.lookups(normalise(READER))
    office.database.write(lambda connection: lift(connection, office.journal, lookups, office.clock.today()))
    assert not suppressed(office)
    assert [entry.action for entry in office.journal.entries()] == ["suppress", "lift"]


def test_of_who_left_nothing_stays_but_a_keyed_hash(office: Office) -> None:
    identity = subscribe(office, "reader@example.org", lang="fa")[0]
    office.subscriptions.change(identity, Preferences(("fa", "en"), "weekly", discreet=True))
    office.subscriptions.unsubscribe(identity)
    row = dict(office.database.read("SELECT * FROM subscriptions WHERE id = ?", (identity,))[0])
    said = {name: value for name, value in row.items() if value and name not in ("id", "lookup", "lookup_key")}
    assert said == {"state": "unsubscribed", "rhythm": "each"}
