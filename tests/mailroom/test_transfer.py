"""Carrying the list: files that other services import, imports that are whole or nothing, and forgetting."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import sqlite3
import traceback
from dataclasses import replace
from pathlib import Path

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.clock import DAY, write_day
from mailroom.errors import ConfigurationError, InvalidAddress, InvalidImport
from mailroom.office import Office
from mailroom.people.addresses import normalise
from mailroom.people.requests import Request
from mailroom.people.subscriptions import Preferences
from mailroom.people.suppressions import is_suppressed
from mailroom.people.transfer import SERVICES, Service, export, forget, import_, read_addresses
from mailroom.store.sealing import read_identity
from tests.mailroom.offices import (
    Watch,
    ask,
    count,
    identity_of,
    make_age_key,
    new_office,
    run_command,
    subscribe,
)

PERSIAN, RUSSIAN = "خواننده@نمونه.example", "Reader+ru@example.org"
SECRET = "somebody-in-danger@example.org"


def fill(office: Office) -> None:
    """Two confirmed subscribers, and others that are not."""
    first, second, gone = subscribe(office, PERSIAN, RUSSIAN, "gone@example.org")
    office.subscriptions.change(first, Preferences(("fa", "en"), "weekly", discreet=True))
    office.subscriptions.change(second, Preferences(("ru",)))
    office.subscriptions.unsubscribe(gone)
    ask(office, "unconfirmed@example.org")


def rows(path: Path) -> list[dict[str, str]]:
    content = path.read_bytes()
    assert content.count(b"\r\n") == content.count(b"\n"), "RFC 4180"
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def suppressed(office: Office, address: str) -> bool:
    with office.database.snapshot() as connection:
        return is_suppressed(connection, office.vault.lookups(normalise(address)))


# Export


def test_listmonk_gets_its_three_columns(office: Office, tmp_path: Path) -> None:
    fill(office)
    done = export(office, tmp_path / "list.csv", "listmonk", plaintext=True)
    assert (done.count, done.formulas) == (2, 0)
    found = {row["email"]: row for row in rows(tmp_path / "list.csv")}
    assert found.keys() == {PERSIAN, RUSSIAN}
    assert list(found[PERSIAN]) == ["email", "name", "attributes"]
    day = write_day(office.clock.today())
    assert json.loads(found[PERSIAN]["attributes"]) == {
        "langs": ["fa", "en"], "rhythm": "weekly", "discreet": True, "confirmed": day,
    }  # fmt: skip
    assert (tmp_path / "list.csv").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("service", "columns"),
    [
        ("buttondown", ["email", "tags", "langs", "rhythm", "confirmed"]),
        ("mailchimp", ["Email Address", "Tags", "Languages", "Rhythm", "Confirmed"]),
    ],
)
def test_others_get_the_first_language_as_a_tag(
    office: Office, tmp_path: Path, service: Service, columns: list[str]
) -> None:
    fill(office)
    export(office, tmp_path / "list.csv", service, plaintext=True)
    table = sorted(tuple(row.values()) for row in rows(tmp_path / "list.csv"))
    day = write_day(office.clock.today())
    assert table == [(RUSSIAN, "ru", "ru", "each", day), (PERSIAN, "fa", "fa en", "weekly", day)]
    assert list(rows(tmp_path / "list.csv")[0]) == columns


def test_one_damaged_address_does_not_keep_the_others(office: Office, tmp_path: Path) -> None:
    first, _ = subscribe(office, PERSIAN, RUSSIAN)
    office.database.write(lambda c: c.execute("UPDATE subscriptions SET address = x'0100' WHERE id = ?", (first,)))
    done = export(office, tmp_path / "list.csv", "listmonk", plaintext=True)
    assert (done.count, done.damaged) == (1, 1)


def test_one_language_is_whose_first_it_is(office: Office, tmp_path: Path) -> None:
    fill(office)
    for lang, expected in (("fa", 1), ("en", 0), ("ru", 1)):
        assert export(office, tmp_path / "list.csv", "listmonk", lang=lang, plaintext=True).count == expected


def test_an_export_is_sealed_unless_it_is_said_not_to_be(office: Office, tmp_path: Path) -> None:
    fill(office)
    key = make_age_key()
    with pytest.raises(ConfigurationError, match="MAILROOM_BACKUP_RECIPIENT"):
        export(office, tmp_path / "list.age", "listmonk")
    assert not (tmp_path / "list.age").exists()
    operator = replace(office, settings=replace(office.settings, backup_recipient=key.recipient))
    export(operator, tmp_path / "list.age", "listmonk")
    assert b"example" not in (tmp_path / "list.age").read_bytes()
    opened = pyrage.decrypt((tmp_path / "list.age").read_bytes(), [read_identity(key.identity)])
    assert opened.count(b"\r\n") == 3


def test_what_a_spreadsheet_would_run_is_left_out_and_counted(office: Office, tmp_path: Path) -> None:
    harmless = ["+989120000000@example.org", "-reader@example.org", "=me=@example.org", "a|b!c@example.org"]
    subscribe(office, *harmless, "=cmd|'/c'!a0@example.org", "+1|calc!x@example.org")
    done = export(office, tmp_path / "list.csv", "listmonk", plaintext=True)
    assert (done.count, done.formulas) == (4, 2)
    assert {row["email"] for row in rows(tmp_path / "list.csv")} == set(harmless)


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_exported_can_be_imported(office: Office, tmp_path: Path, service: Service) -> None:
    fill(office)
    export(office, tmp_path / "list.csv", service, plaintext=True)
    assert set(read_addresses((tmp_path / "list.csv").read_bytes())) == {PERSIAN, RUSSIAN}
    with new_office(replace(office.settings, data=tmp_path / "other")) as other:
        done = import_(other, (tmp_path / "list.csv").read_bytes(), "fa", "confirmed at the old place")
        assert done.taken == 2
        record = other.subscriptions.record(identity_of(other, RUSSIAN))
        assert (record.address, record.state, record.preferences.langs) == (RUSSIAN, "confirmed", ("fa",))
        assert record.consent == "confirmed at the old place"


# Import


def test_without_proof_everybody_is_asked(office: Office, watch: Watch) -> None:
    subscribe(office, "known@example.org")
    gone = subscribe(office, "gone@example.org")[0]
    office.subscriptions.unsubscribe(gone)
    watch.pass_(40 * DAY)
    content = "\ufeffName,E-Mail\nA,new@example.org\nB, NEW@example.org \nC,known@example.org\n,\nD,gone@example.org\n"
    done = import_(office, content.encode(), "fa")
    assert (done.taken, done.known, done.suppressed) == (1, 1, 1)
    letters = count(office, "letters")
    office.requests.decide_all()
    assert count(office, "letters") == letters + 1
    record = office.subscriptions.record(identity_of(office, "new@example.org"))
    assert (record.state, record.consent) == ("unconfirmed", "asked by letter")
    assert suppressed(office, "gone@example.org")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_usual_files_are_read(delimiter: str) -> None:
    text = f'First Name{delimiter}Email Address\r\nA{delimiter}a@example.org\r\n\r\n"B"{delimiter}"b@example.org"\r\n'
    assert read_addresses(text.encode()) == ["a@example.org", "b@example.org"]
    assert read_addresses(b"email\na@example.org\n") == ["a@example.org"]
    assert read_addresses(b"email\n") == []


def test_bad_lines_are_named_without_what_stands_in_them(office: Office) -> None:
    content = f'name,email\nA,good@example.org\n"B\nB",{SECRET}@x\nC,{SECRET} or another\nD\nE,fine@example.org\n'
    with pytest.raises(InvalidImport, match=r"3 of the lines hold no address: 4, 5, 6\.") as caught:
        import_(office, content.encode(), "en", "paper list")
    assert "somebody" not in str(caught.value)
    assert count(office, "subscriptions") == 0
    assert count(office, "requests") == 0


@pytest.mark.parametrize(
    "content",
    [
        b"", b"name,address of mail\nA,a@example.org\n", b"a@example.org\nb@example.org\n",
        b'email\n"a@example.org\n', b"email\n\xff\xfe@example.org\n", b"\x00\x01\x02",
        b"email\n" + b"x" * 200_000 + b"@example.org\n", b"PK\x03\x04 a spreadsheet", b'email\n"a"b@example.org\n',
        b"email\na\0b@example.org\n",
    ],
)  # fmt: skip
def test_what_is_no_such_file_is_refused(office: Office, content: bytes) -> None:
    with pytest.raises(InvalidImport) as caught:
        import_(office, content, "en")
    assert "example" not in "".join(traceback.format_exception(caught.value))


@given(st.binary())
def test_no_file_does_more_than_be_refused(content: bytes) -> None:
    for each in (content, b"email\n" + content):
        with contextlib.suppress(InvalidImport):
            read_addresses(each)


@pytest.mark.parametrize("proof", [f"from {SECRET}", "x" * 201, "two\nlines"])
def test_proof_is_a_few_words_without_addresses(office: Office, proof: str) -> None:
    with pytest.raises(InvalidImport):
        import_(office, b"email\na@example.org\n", "en", proof)


def test_a_work_that_fails_half_way_imports_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0
    real = office.requests.add

    def fails(connection: sqlite3.Connection, sealed: bytes) -> None:
        nonlocal calls
        calls += 1
        if calls >= 3:
            raise OSError("of the disk")
        real(connection, sealed)

    monkeypatch.setattr(office.requests, "add", fails)
    with pytest.raises(OSError, match="disk"):
        import_(office, b"email\n" + b"".join(b"r%d@example.org\n" % n for n in range(5)), "en")
    assert count(office, "requests") == 0


# Forgetting


def test_whoever_is_forgotten_leaves_a_keyed_hash(office: Office, watch: Watch) -> None:
    subscribe(office, "Reader@example.org", "stays@example.org")
    watch.pass_(2 * DAY)
    office.requests.store(Request("subscribe", "en", "reader@example.org"))
    office.requests.store(Request("subscribe", "en", "another@example.org"))
    office.database.write(lambda connection: office.requests.add(connection, b"\x09" + bytes(600)))
    assert forget(office, " READER@example.org\n")
    assert suppressed(office, "reader@example.org")
    assert count(office, "subscriptions") == 1
    assert count(office, "requests") == 2, "their own request went, others stay"
    assert [entry.reason for entry in office.journal.entries()] == ["erased"]
    assert not forget(office, "reader@example.org")
    assert import_(office, b"email\nreader@example.org\n", "en", "paper").suppressed == 1


def test_whoever_was_never_here_gets_nothing_all_the_same(office: Office) -> None:
    assert not forget(office, "reader@example.org")
    assert suppressed(office, "reader@example.org")
    with pytest.raises(InvalidAddress):
        forget(office, "reader")


# As commands


def test_the_list_is_carried_by_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = make_age_key()
    root = {"MAILROOM_BACKUP_RECIPIENT": key.recipient}
    run_command(tmp_path, "init")
    source = "email\n" + "".join(f"reader-{number}@example.org\n" for number in range(5))
    imported = ("import", "-", "--lang", "fa", "--confirmed-elsewhere", "confirmed by letter until 2025")
    assert run_command(tmp_path, *imported, stdin=source) == 0
    assert run_command(tmp_path, "forget", stdin="reader-0@example.org\n\n") == 0
    assert run_command(tmp_path, "export", tmp_path / "a.age", "--for", "buttondown", **root) == 0
    assert run_command(tmp_path, "export", tmp_path / "a.csv", "--plaintext", "--lang", "fa") == 0
    out, err = capsys.readouterr()
    said = out.splitlines()[-4:]
    assert said == [
        "5 are subscribed; 0 were known, 0 must get nothing and were passed over.",
        "Erased.",
        f"{tmp_path / 'a.age'}: 4 subscribers, sealed.",
        f"{tmp_path / 'a.csv'}: 4 subscribers.",
    ]
    assert "@" not in out + err
    opened = pyrage.decrypt((tmp_path / "a.age").read_bytes(), [read_identity(key.identity)])
    assert opened.startswith(b"email,tags,")
    with pytest.raises(ConfigurationError, match="use one of"):
        run_command(tmp_path, "import", tmp_path / "a.csv", "--lang", "xx")


def test_a_backup_is_made_restored_and_its_keys_changed_by_commands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = make_age_key()
    root = {"MAILROOM_BACKUP_RECIPIENT": key.recipient}
    run_command(tmp_path, "init")
    (tmp_path / "list.csv").write_text("email\nreader@example.org\n")
    run_command(tmp_path, "import", tmp_path / "list.csv", "--lang", "en", "--confirmed-elsewhere", "paper")
    assert run_command(tmp_path, "backup", tmp_path / "b.age", **root) == 0
    assert run_command(tmp_path, "rotate-key", "token") == 0
    assert run_command(tmp_path, "restore", tmp_path / "b.age", "--replace", stdin=key.identity) == 0
    (tmp_path / "identity").write_text(key.identity)
    assert run_command(tmp_path, "restore", tmp_path / "b.age", "--replace", "--identity", tmp_path / "identity") == 0
    assert run_command(tmp_path, "rotate-key", "data") == 0
    out, err = capsys.readouterr()
    assert "1 subscribers; 0 who have left since were taken out. Delivery is off" in out
    assert "Key `token 2` is in use." in err
    assert "Key `data 2` is in use." in err
    assert key.identity not in out + err
    assert (tmp_path / "var/mailroom.key").read_text().split("\n")[2].split()[2] not in out + err


def test_with_the_keyring_in_memory_both_are_read_from_one_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ask_key = {"MAILROOM_KEY": "ask"}
    run_command(tmp_path, "init", **ask_key)
    printed = capsys.readouterr().out.splitlines(keepends=True)
    ring = "".join(line for line in printed if not line.startswith("/"))
    run_command(tmp_path, "import", "-", "--lang", "en", stdin=f"{ring}\nemail\nreader@example.org\n", **ask_key)
    assert "1 will be asked" in capsys.readouterr().out
    run_command(tmp_path, "rotate-key", "data", stdin=ring, **ask_key)
    out, err = capsys.readouterr()
    rings = out.split("# Keys of the mailroom.")[1:]
    assert len(rings) == 2, "before anything is sealed with it, and when the old key has gone"
    assert "keep it now" in err
    run_command(tmp_path, "forget", stdin=f"#{rings[-1]}\nreader@example.org\n", **ask_key)
    assert "Nobody" in capsys.readouterr().out
    assert not (tmp_path / "var/mailroom.key").exists()
