"""New keys: killed at any moment and run again, nobody is lost, the suppressed stay so, and old links work."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mailroom.clock import DAY
from mailroom.errors import StoreError, Unreadable
from mailroom.office import Office, open_office
from mailroom.people.addresses import normalise
from mailroom.people.requests import Request
from mailroom.people.suppressions import is_suppressed, lift, suppress
from mailroom.settings import Settings
from mailroom.store import rotation
from mailroom.store.keyring import Keyring, load_keyring, save_keyring, write_keyring
from mailroom.store.rotation import rotate_data, rotate_tokens
from mailroom.store.vault import Lookup
from mailroom.tokens import Purpose
from tests.mailroom.offices import Watch, count, identity_of, make_settings, new_office, subscribe, unsubscribe_token

ROOT = Path(__file__).resolve().parents[2]
READERS = [f"Reader-{number}@example.org" for number in range(7)]
LEFT, ERASED = "left@example.org", "erased@example.org"
LETTER = bytes(range(8))


def fill(office: Office) -> str:
    """People in every state, a test letter and a request; return a token from a letter of that time."""
    identities = subscribe(office, *READERS, LEFT, ERASED)
    office.subscriptions.unsubscribe(identities[-2])
    office.subscriptions.erase(identities[-1])
    office.requests.store(Request("subscribe", "fa", "waiting@example.org"))
    sealed = office.vault.seal("editor@example.org", b"letter" + LETTER)
    office.database.write(
        lambda connection: connection.execute(
            "INSERT INTO letters (id, kind, address, lang, state, due, first_due, day)"
            " VALUES (?, 'test', ?, 'en', 'pending', 0, 0, 1)",
            (LETTER, sealed),
        )
    )
    return unsubscribe_token(office, identities[0])


def check(office: Office, token: str) -> None:
    """Everything that was there before can still be read, and says the same."""
    for address in READERS:
        record = office.subscriptions.record(identity_of(office, address))
        assert (record.address, record.state) == (address, "confirmed")
    with office.database.snapshot() as connection:
        for address in (LEFT, ERASED):
            assert is_suppressed(connection, office.vault.lookups(normalise(address)))
        assert not is_suppressed(connection, office.vault.lookups(normalise(READERS[0])))
    row = office.database.read("SELECT address FROM letters WHERE id = ?", (LETTER,))[0]
    assert office.vault.open(row["address"], b"letter" + LETTER) == "editor@example.org"
    sealed = office.database.read("SELECT sealed FROM requests")[0]["sealed"]
    assert office.requests.open(sealed).address == "waiting@example.org"
    assert office.tokens.read(Purpose.UNSUBSCRIBE, token, office.clock.now()) == identity_of(office, READERS[0])


def numbers(office: Office) -> set[int]:
    """The keys with which something is sealed."""
    found = set()
    for column, table in (("address", "subscriptions"), ("address", "letters"), ("sealed", "requests")):
        rows = office.database.read(f"SELECT {column} AS sealed FROM {table}")  # noqa: S608
        found |= {row["sealed"][0] for row in rows if row["sealed"] is not None}
    return found


def rotate(settings: Settings, kind: str = "data") -> Keyring:
    """As the command does; return the ring that is in the file then."""
    key = Path(settings.key)

    def keep(ring: Keyring) -> None:
        save_keyring(ring, key)

    with open_office(settings, clock=Watch().clock(), alone=True) as office:
        (rotate_data if kind == "data" else rotate_tokens)(office, keep)
    return load_keyring(key)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "BATCH", 3)


@pytest.mark.usefixtures("small_batches")
def test_everything_is_sealed_with_the_new_key_and_the_old_one_goes(settings: Settings) -> None:
    with new_office(settings) as office:
        token = fill(office)
        old = office.ring
        sealed = [
            bytes(row[0]) for row in office.database.read("SELECT address FROM subscriptions WHERE address NOTNULL")
        ]
        lookups = {
            row["lookup"] for row in office.database.read("SELECT lookup FROM subscriptions WHERE address NOTNULL")
        }
    ring = rotate(settings)
    numbered = {kind: sorted(keys) for kind, keys in ring.keys.items() if not kind.startswith("receipt")}
    assert numbered == {"data": [2], "lookup": [1, 2], "token": [1]}
    assert not [value for value in sealed if value[20:60] in settings.database.read_bytes()], "it is overwritten"
    with open_office(settings) as office:
        check(office, token)
        assert numbers(office) == {2}
        rows = office.database.read("SELECT lookup, lookup_key FROM subscriptions WHERE address NOT NULL")
        assert {row["lookup_key"] for row in rows} == {2}
        assert not lookups & {row["lookup"] for row in rows}
        with pytest.raises(Unreadable):
            replace(office, vault=type(office.vault)(old)).vault.open(
                office.database.read("SELECT address FROM subscriptions WHERE address NOT NULL")[0][0], b""
            )
    assert sorted(rotate(settings).keys["data"]) == [3]
    with open_office(settings) as office:
        check(office, token)


KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from mailroom.office import open_office
from mailroom.store import database, rotation
from mailroom.store.keyring import save_keyring
from tests.mailroom.offices import make_settings

prepared, folder = Path(sys.argv[1]), Path(sys.argv[2])
rotation.BATCH = 3
steps = 0

def step(last):
    global steps
    steps += 1
    if steps == last:
        os.kill(os.getpid(), signal.SIGKILL)

def rotate(settings, last):
    write = database.Database.write
    def killed_write(self, work):
        def half(connection):
            result = work(connection)
            step(last)
            return result
        result = write(self, half)
        step(last)
        return result
    def keep(ring):
        step(last)
        save_keyring(ring, Path(settings.key))
        step(last)
    with open_office(settings, alone=True) as office:
        database.Database.write = killed_write
        rotation.rotate_data(office, keep)

for last in range(1, 1000):
    place = folder / str(last)
    shutil.copytree(prepared, place)
    child = os.fork()
    if not child:
        rotate(make_settings(place), last)
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
        break
    print(last)
"""


def test_killed_at_any_moment_it_is_finished_by_the_next(tmp_path: Path, watch: Watch) -> None:
    prepared, folder = tmp_path / "prepared", tmp_path / "killed"
    with new_office(make_settings(prepared), watch) as office:
        token = fill(office)
    run = subprocess.run(
        [sys.executable, "-c", KILLED, prepared, folder], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    killed = run.stdout.split()
    assert len(killed) >= 10, run.stderr
    mixed = 0
    for last in killed:
        settings = make_settings(folder / last)
        with open_office(settings, clock=watch.clock()) as office:
            check(office, token)
            mixed += len(numbers(office)) > 1
            under_way = len(office.ring.keys["data"]) > 1
        ring = rotate(settings) if under_way or numbers_of(settings) == {1} else load_keyring(Path(settings.key))
        assert sorted(ring.keys["data"]) == [2], last
        assert sorted(ring.keys["lookup"]) == [1, 2], last
        with open_office(settings, clock=watch.clock()) as office:
            check(office, token)
            assert numbers(office) == {2}
            office.subscriptions.unsubscribe(office.tokens.read(Purpose.UNSUBSCRIBE, token, watch.now + 730 * DAY))
            assert count(office, "suppressions") == 3
    assert mixed > 2


def numbers_of(settings: Settings) -> set[int]:
    with open_office(settings) as office:
        return numbers(office)


def test_the_ring_is_kept_before_anything_is_sealed_with_it(settings: Settings) -> None:
    with new_office(settings) as office:
        fill(office)
    seen: list[tuple[list[int], set[int]]] = []
    with open_office(settings, alone=True) as office:
        rotate_data(office, lambda ring: seen.append((sorted(ring.keys["data"]), numbers(office))))
    assert seen == [([1, 2], {1}), ([2], {2})]


def test_a_ring_that_cannot_be_kept_changes_nothing(settings: Settings) -> None:
    with new_office(settings) as office:
        token = fill(office)

    def fails(_: Keyring) -> None:
        raise BrokenPipeError

    with open_office(settings, alone=True) as office:
        with pytest.raises(BrokenPipeError):
            rotate_data(office, fails)
        check(office, token)


def test_an_old_unsubscribe_link_works_after_new_token_keys(settings: Settings, watch: Watch) -> None:
    with new_office(settings, watch) as office:
        token = fill(office)
    rotate(settings, "token")
    ring = rotate(settings, "token")
    assert sorted(ring.keys["token"]) == [1, 2, 3]
    watch.pass_(2 * 365 * DAY)
    with open_office(settings, clock=watch.clock()) as office:
        identity = office.tokens.read(Purpose.UNSUBSCRIBE, token, office.clock.now())
        office.subscriptions.unsubscribe(identity)
        assert count(office, "suppressions") == 3
        assert office.tokens.issue(Purpose.UNSUBSCRIBE, identity, 0) != token


def test_the_suppressed_of_an_older_key_are_found_when_they_are_imported_or_ask(
    settings: Settings, watch: Watch
) -> None:
    from mailroom.people.transfer import import_

    with new_office(settings, watch) as office:
        fill(office)
        office.requests.decide_all()
    rotate(settings)
    with open_office(settings, clock=watch.clock()) as office:
        done = import_(office, f"email\n{LEFT}\n{ERASED}\n{READERS[0]}\nnew@example.org\n".encode(), "en", "paper list")
        assert (done.taken, done.known, done.suppressed) == (1, 1, 2)


def test_a_suppression_goes_with_its_subscriber(settings: Settings, watch: Watch) -> None:
    """Whose letter has just bounced is suppressed while still on the list, in case a whole domain refused."""
    with new_office(settings, watch) as office:
        identity = subscribe(office, READERS[0])[0]

        def bounce(connection: sqlite3.Connection) -> None:
            row = connection.execute("SELECT lookup, lookup_key FROM subscriptions").fetchone()
            suppress(connection, office.journal, Lookup(row["lookup_key"], row["lookup"]), "bounced", 1, "a-campaign")

        office.database.write(bounce)
    rotate(settings)
    with open_office(settings, clock=watch.clock()) as office:
        joined = office.database.read(
            "SELECT reason, campaign, day FROM suppressions JOIN subscriptions USING (lookup)"
        )
        assert [tuple(row) for row in joined] == [("bounced", "a-campaign", 1)]
        lookups = office.vault.lookups(normalise(READERS[0]))
        last = {entry.lookup: entry.action for entry in office.journal.entries()}
        assert last == {lookups[0]: "suppress", lookups[1]: "lift"}
        office.database.write(lambda connection: lift(connection, office.journal, lookups, 2))
        assert {entry.lookup: entry.action for entry in office.journal.entries()} == dict.fromkeys(lookups, "lift")
        assert office.subscriptions.record(identity).state == "confirmed"


def test_keys_do_not_change_under_a_mailroom_at_work(settings: Settings) -> None:
    with new_office(settings):
        before = Path(settings.key).read_text()
        with pytest.raises(StoreError, match="Stop it"):
            rotate(settings)
    assert Path(settings.key).read_text() == before


def test_an_address_that_does_not_open_keeps_the_old_key(settings: Settings) -> None:
    with new_office(settings) as office:
        identities = subscribe(office, *READERS)
        damaged = b"\x01" + os.urandom(284)
        office.database.write(
            lambda c: c.execute("UPDATE subscriptions SET address = ? WHERE id = ?", (damaged, identities[3]))
        )
        office.requests.store(Request("subscribe", "fa", "waiting@example.org"))
        office.database.write(lambda c: c.execute("UPDATE requests SET sealed = ?", (damaged,)))
    with pytest.raises(Unreadable, match="1 addresses do not open"):
        rotate(settings)
    with open_office(settings) as office:
        assert sorted(office.ring.keys["data"]) == [1, 2]
        for address in READERS[:3] + READERS[4:]:
            assert office.subscriptions.record(identity_of(office, address)).address == address


def test_a_keyring_in_memory_is_changed_all_the_same(tmp_path: Path) -> None:
    """`MAILROOM_KEY=ask`: whoever runs it keeps what is printed, before and after."""
    settings = make_settings(tmp_path)
    with new_office(settings) as office:
        token = fill(office)
        ring = office.ring
    shutil.move(settings.key, tmp_path / "paper")
    settings = replace(settings, key="ask")
    printed: list[Keyring] = []
    with open_office(settings, ring=ring, clock=Watch().clock(), alone=True) as office:
        rotate_data(office, printed.append)
    with open_office(settings, ring=printed[-1], clock=Watch().clock()) as office:
        check(office, token)
    assert write_keyring(printed[0]).count("\ndata ") == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["paper", "var"]
