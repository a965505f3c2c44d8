"""Requests: the same for everybody on the page; what comes of them is decided once, by the limits."""

from __future__ import annotations

import base64
import json
import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailroom.clock import DAY, HOUR
from mailroom.errors import DiskFull, ExpiredToken, InvalidToken
from mailroom.office import Office
from mailroom.people.requests import Request, Requests
from mailroom.store.keyring import make_keyring
from mailroom.store.vault import Vault
from tests.mailroom.offices import Watch, ask, count, identity_of, subscribe

READER = "Reader@example.org"
VAULT = Vault(make_keyring())
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def letters(office: Office, kind: str = "confirmation") -> int:
    return count(office, "letters", f"kind = '{kind}'")


def restarted(office: Office) -> Requests:
    """As the worker is after its process has started again."""
    return Requests(office.database, office.vault, office.clock)


# On the page


@settings(max_examples=30)
@given(words, words, words, words)
def test_a_form_reads_back(lang: str, address: str, subscription: str, consent: str) -> None:
    requests = Requests(None, VAULT, Watch().clock())  # type: ignore[arg-type]
    request = Request("subscribe", lang, address, subscription, consent)
    assert requests.open_form(requests.seal_form(request)) == request


def test_a_request_shows_no_address() -> None:
    assert READER not in repr(Request("subscribe", "en", READER))


def test_all_forms_are_of_one_length(office: Office) -> None:
    lengths = {
        len(office.requests.seal_form(Request("subscribe", "fa", address, consent="c0ffee")))
        for address in ("a@b.org", "reader@example.org", "x" * 240 + "@example.org", "خواننده@نمونه.example")
    }
    assert len(lengths) == 1


@pytest.mark.parametrize("field", ["", "AAAA", "!", "ü", "A" * 700, "AAAA=", "\0"])
def test_a_forged_form_is_refused(office: Office, field: str) -> None:
    with pytest.raises(InvalidToken):
        office.requests.open_form(field)


def test_a_form_ends_after_an_hour(office: Office, watch: Watch) -> None:
    field = office.requests.seal_form(Request("subscribe", "en", READER))
    watch.pass_(HOUR - 1)
    office.requests.open_form(field)
    watch.pass_(1)
    with pytest.raises(ExpiredToken):
        office.requests.open_form(field)


def test_a_stored_request_is_no_form(office: Office) -> None:
    sealed = office.requests.seal(Request("subscribe", "en", READER))
    with pytest.raises(InvalidToken):
        office.requests.open_form(base64.urlsafe_b64encode(sealed).decode())


def test_whoever_asks_the_same_statement_and_the_same_number_of_bytes_are_stored(office: Office) -> None:
    office.subscriptions.unsubscribe(subscribe(office, "known@example.org", "gone@example.org")[1])
    ask(office, "pending@example.org")
    statements: list[list[str]] = []
    for address in ("new@example.org", "known@example.org", "gone@example.org", "pending@example.org"):
        seen: list[str] = []
        office.database.write(lambda connection: connection.set_trace_callback(seen.append))  # noqa: B023
        office.requests.store(Request("subscribe", "en", address, consent="c0ffee"))
        office.database.write(lambda connection: connection.set_trace_callback(None))
        statements.append([statement.partition("x'")[0] for statement in seen])
    assert statements[0] == statements[1] == statements[2] == statements[3]
    assert any("INSERT INTO requests" in each for each in statements[0])
    assert len({len(row["sealed"]) for row in office.database.read("SELECT sealed FROM requests")}) == 1


# In the worker


def test_a_new_address_gets_one_letter_and_stays_unconfirmed(office: Office) -> None:
    ask(office, READER, lang="fa")
    assert count(office, "requests") == 0
    row = office.database.read("SELECT * FROM subscriptions")[0]
    assert (row["state"], row["langs"], row["consent"]) == ("unconfirmed", "fa", "c0ffee")
    assert office.vault.open(row["address"], row["id"]) == READER
    letter = office.database.read("SELECT * FROM letters")[0]
    assert (letter["kind"], letter["state"], letter["lang"]) == ("confirmation", "pending", "fa")
    assert letter["subscription"] == row["id"]


def test_every_case_gets_one_letter(office: Office, watch: Watch) -> None:
    known, gone = subscribe(office, "known@example.org", "gone@example.org")
    office.subscriptions.unsubscribe(gone)
    ask(office, "pending@example.org")
    watch.pass_(2 * DAY)
    before = letters(office)
    ask(office, "known@example.org", "gone@example.org", "pending@example.org", "new@example.org")
    assert letters(office) == before + 4
    assert office.subscriptions.record(known).state == "confirmed"


def test_asking_anew_does_not_change_what_a_confirmed_subscriber_chose(office: Office, watch: Watch) -> None:
    identity = subscribe(office, READER, lang="fa")[0]
    watch.pass_(2 * DAY)
    ask(office, READER.upper(), lang="ru")
    record = office.subscriptions.record(identity)
    assert (record.state, record.preferences.langs, record.address) == ("confirmed", ("fa",), READER)


def test_one_letter_in_24_hours_however_the_address_is_written(office: Office, watch: Watch) -> None:
    ask(office, READER, READER, "reader@EXAMPLE.org")
    assert letters(office) == 1
    watch.pass_(DAY // 2 + HOUR)  # the next day, 13 hours later
    ask(office, READER)
    assert letters(office) == 1
    watch.pass_(DAY // 2 - HOUR)
    ask(office, READER)
    assert letters(office) == 2


def test_a_worker_that_started_anew_waits_rather_than_sends_twice(office: Office, watch: Watch) -> None:
    ask(office, READER)
    watch.pass_(DAY // 2 + HOUR)
    office.requests.store(Request("subscribe", "en", READER))
    restarted(office).decide_all()
    assert letters(office) == 1
    watch.pass_(DAY)
    office.requests.store(Request("subscribe", "en", READER))
    restarted(office).decide_all()
    assert letters(office) == 2


def test_three_letters_in_30_days(office: Office, watch: Watch) -> None:
    for _ in range(10):
        ask(office, READER)
        watch.pass_(2 * DAY)
    assert letters(office) == 3
    watch.pass_(10 * DAY)  # day 30: the first letter no longer counts
    ask(office, READER)
    assert letters(office) == 4
    ask(office, "other@example.org")
    assert letters(office) == 5


def test_what_a_full_disk_undid_is_decided_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.requests.store(Request("subscribe", "en", READER))

    def full(connection: sqlite3.Connection, number: int, sealed: bytes) -> None:
        Requests.decide(office.requests, connection, number, sealed)
        raise DiskFull("full")

    monkeypatch.setattr(office.requests, "decide", full)
    with pytest.raises(DiskFull):
        office.requests.decide_all()
    assert (count(office, "requests"), letters(office)) == (1, 0)
    monkeypatch.undo()
    office.requests.decide_all()
    assert (count(office, "requests"), letters(office)) == (0, 1)


def test_a_link_to_the_preferences_goes_to_subscribers_three_times_a_day(office: Office, watch: Watch) -> None:
    identity = subscribe(office, READER)[0]
    for _ in range(5):
        office.requests.store(Request("settings", "en", subscription=identity.hex()))
        office.requests.store(Request("settings", "en", subscription=bytes(16).hex()))
    office.requests.decide_all()
    assert letters(office, "settings") == 3
    watch.pass_(DAY)
    office.requests.store(Request("settings", "en", subscription=identity.hex()))
    office.requests.decide_all()
    assert letters(office, "settings") == 4
    office.subscriptions.unsubscribe(identity)
    watch.pass_(DAY)
    office.requests.store(Request("settings", "en", subscription=identity.hex()))
    office.requests.decide_all()
    assert letters(office, "settings") == 4


def test_a_request_that_does_not_open_is_thrown_away(office: Office) -> None:
    office.database.write(lambda connection: office.requests.add(connection, b"\x09" + bytes(600)))
    ask(office, READER)
    assert count(office, "requests") == 0
    assert identity_of(office, READER)


def test_a_request_of_another_version_is_thrown_away_and_keeps_nobody_waiting(office: Office) -> None:
    strange = office.vault.seal(json.dumps(["subscribe", "en", "a@example.org", "", "", "more"]), b"request", 512)
    office.database.write(lambda connection: office.requests.add(connection, strange))
    ask(office, "reader@example.org")
    assert (count(office, "requests"), count(office, "letters")) == (0, 1)


def test_old_requests_come_first_and_no_more_than_asked(office: Office) -> None:
    for number in range(5):
        office.requests.store(Request("subscribe", "en", f"reader-{number}@example.org"))
    assert office.requests.decide_all(2) == 2
    assert identity_of(office, "reader-1@example.org")
    with pytest.raises(LookupError):
        identity_of(office, "reader-2@example.org")
