"""A copied disk names nobody: no address in any file of ours, in any form that needs no key to be read."""

from __future__ import annotations

import base64
import logging
import random
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyrage
import pytest

from mailroom.clock import DAY
from mailroom.office import open_office
from mailroom.people.requests import Request
from mailroom.people.transfer import export, forget, import_
from mailroom.store.backup import back_up, restore
from mailroom.store.facts import set_fact
from mailroom.store.keyring import save_keyring
from mailroom.store.rotation import rotate_data
from mailroom.store.sealing import read_identity
from tests.frontdoor.support import wait_until
from tests.mailroom.delivering import states, to_sink, working
from tests.mailroom.needles import Needles, forms
from tests.mailroom.offices import Watch, count, identity_of, make_age_key, make_settings, new_office
from tests.mailroom.sink import Rule, Sink

SUBSCRIBERS = 1000
NAMES = ("Reader", "Narges.M", "o.petrenko", "Wei_Zhang", "خواننده", "читатель", "lecteur+lettre", "MARÍA")
DOMAINS = ("example.org", "mail.example", "نمونه.example", "bücher.example")
ONE = "Somebody.in.Danger@example.org"


@pytest.fixture(scope="module")
def people() -> list[str]:
    """Addresses of all kinds, none of which stands anywhere by chance."""
    chance = random.Random(5)  # noqa: S311 - the same in every run
    return [
        f"{NAMES[number % len(NAMES)]}.{chance.randbytes(4).hex()}@{DOMAINS[number % len(DOMAINS)]}"
        for number in range(SUBSCRIBERS)
    ]


@pytest.fixture(scope="module")
def needles(people: list[str]) -> Needles:
    return Needles(people)


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Path]:
    """A folder with all that is logged, down to the last detail."""
    folder = tmp_path / "logs"
    folder.mkdir()
    handler = logging.FileHandler(folder / "log", encoding="utf-8")
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield folder
    root.setLevel(level)
    root.removeHandler(handler)
    handler.close()


def test_no_file_of_ours_names_any_of_a_thousand(
    people: list[str], needles: Needles, tmp_path: Path, logs: Path, watch: Watch
) -> None:
    operator = make_age_key()
    settings = make_settings(tmp_path / "machine", backup_recipient=operator.recipient)
    machine, copied, carried, relay = (tmp_path / name for name in ("machine", "copied", "carried", "relay"))
    carried.mkdir()
    relay.mkdir()
    unknown, imported = people[:40], people[-100:]

    with new_office(settings, watch) as office, Sink(relay) as sink, ThreadPoolExecutor(16) as together:

        def sign_up(address: str) -> None:
            office.requests.store(Request("subscribe", "fa", address, consent="c0ffee"))

        def confirm(address: str) -> None:
            office.subscriptions.confirm(identity_of(office, address))

        list(together.map(sign_up, unknown))  # sharing commits, as they do on pages
        assert needles.find_under(machine, logs) == {}, "while requests wait"
        sink.obey(Rule("rcpt", f"550 5.1.1 <{people[1]}>: user unknown"))
        with working(to_sink(office, sink)):
            wait_until(lambda: states(office) == {"bounced": 40}, "they are unknown to the relay")
        sink.obey()
        list(together.map(sign_up, people[40:-100]))
        with working(to_sink(office, sink)):
            wait_until(lambda: states(office).get("sent") == SUBSCRIBERS - 140, "the others get their letters", 60)
        list(together.map(confirm, people[40:-100]))
        import_(office, ("email\n" + "\n".join(imported)).encode(), "fa", "confirmed on paper")
        assert count(office, "subscriptions", "state = 'confirmed'") == SUBSCRIBERS - 40
        assert needles.find_under(machine, logs) == {}, "with letters, bounces and subscribers"
        assert needles.find_under(relay), "the relay did see addresses"

        export(office, carried / "list.age", "listmonk")
        backup = back_up(settings, office.clock, carried / "backup.age")
        watch.pass_(DAY)
        for address in people[100:150]:
            office.subscriptions.unsubscribe(identity_of(office, address))
        for address in people[150:180]:
            office.subscriptions.erase(identity_of(office, address))
        for address in people[180:200]:
            assert forget(office, address)
        shutil.copytree(machine, copied)  # with the log of the database, as it is at work
        assert (copied / "var/mailroom/mailroom.db-wal").stat().st_size

    done = restore(settings, office.ring, watch.clock(), backup, read_identity(operator.identity), replace=True)
    assert done.left == 100
    with open_office(settings, clock=watch.clock(), alone=True) as office:
        rotate_data(office, lambda ring: save_keyring(ring, Path(settings.key)))
    with open_office(settings, clock=watch.clock()) as office:
        assert office.subscriptions.record(identity_of(office, people[300])).address == people[300], "they are there"
        assert needles.find_under(machine, copied, carried, logs) == {}, "after some left, a restore and new keys"

        office.database.write(lambda connection: set_fact(connection, "planted", people[300]))
        planted = needles.find_under(machine)
        assert set(planted) == {str(settings.database) + "-wal"}, "what is there would be found"
    opened = pyrage.decrypt(backup.read_bytes(), [read_identity(operator.identity)])
    assert needles.find(opened) == set(), "whoever opens a backup still needs the keyring"


@pytest.mark.parametrize("form", [name for name, _ in forms(ONE)])
def test_an_address_is_found_in_every_form(form: str, tmp_path: Path) -> None:
    needles = Needles([ONE])
    for text in (ONE, ONE.lower(), ONE.partition("@")[0]):
        needle = dict(forms(text))[form]
        for offset in range(9):  # wherever it begins
            (tmp_path / "file").write_bytes(bytes(1000 + offset) + needle + b"\xff" * 7)
            assert needles.find_under(tmp_path), (text, offset)


@pytest.mark.parametrize("before", [b"", b"To:", b"<a"])
def test_an_address_is_found_in_base64_wherever_it_begins(before: bytes) -> None:
    assert Needles([ONE]).find(b"x" * 13 + base64.b64encode(before + ONE.encode() + b">, and others"))


def test_a_file_may_be_called_by_an_address(tmp_path: Path) -> None:
    (tmp_path / f"letter to {ONE}").mkdir()
    assert Needles([ONE]).find_under(tmp_path)
