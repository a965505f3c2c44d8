"""The examination: a healthy intake has nothing against it; each fault that is planted is found, with a remedy."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from mailroom.clock import DAY
from mailroom.doctor import CHECKS, Finding, look_at_intake
from mailroom.doctor import Patient as Whole
from mailroom.intake.examination import PROTECTION, examine_intake, note_protection
from mailroom.intake.notice import place_of
from mailroom.intake.submissions import Intake, open_intake
from mailroom.names import Resolver
from mailroom.office import Office, prepare_intake
from mailroom.service import protect
from tests.mailroom.intake.stores import lookup_of, make_expert, sealed
from tests.mailroom.offices import NOON, Watch, make_settings, new_office

EXPERT = make_expert()
TODAY = int(NOON // DAY)
SWAP = "Filename\tType\tSize\tUsed\tPriority\n/swapfile file 2097148 0 -2\n"


def recipients(days: int) -> str:
    return f"{EXPERT.recipient.age} {date(1970, 1, 1) + timedelta(days=TODAY - days)}"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine that does not swap and writes core files, in a folder."""
    root = tmp_path / "machine"
    for path, text in (
        ("proc/swaps", SWAP.splitlines()[0] + "\n"),
        ("proc/sys/kernel/core_pattern", "core\n"),
        ("sys/fs/cgroup/system.slice/mailroom.service/memory.swap.max", "max\n"),
    ):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


@pytest.fixture
def practice(tmp_path: Path, watch: Watch) -> Iterator[Office]:
    """An office with an intake that does what it should."""
    settings = make_settings(
        tmp_path, intake_recipients=recipients(10), intake_most=10, intake_notice=("expert@practice.example",)
    )
    with new_office(settings, watch) as office:
        prepare_intake(settings)
        store = store_of(office)
        store.expire()
        store.set_fact(PROTECTION, '{"dumpable": false, "cgroup": "/system.slice/mailroom.service"}')
        place = place_of(office, "expert@practice.example")
        with store.transaction() as connection:
            connection.execute("INSERT INTO notices VALUES (?, ?, ?)", (place, TODAY, TODAY))
        yield office


def store_of(office: Office) -> Intake:
    return open_intake(office.settings, office.clock)


def told(office: Office, machine: Path) -> list[Finding]:
    """What is not well."""
    found = list(examine_intake(office, machine))
    assert all(each.what.startswith("Intake: ") for each in found)
    assert all(each.remedy for each in found if each.verdict != "ok")
    return [each for each in found if each.verdict != "ok"]


def test_a_healthy_intake_has_nothing_against_it(practice: Office, machine: Path) -> None:
    assert told(practice, machine) == []
    assert len(list(examine_intake(practice, machine))) == 7


def test_where_there_is_no_intake_nothing_is_said(office: Office, machine: Path) -> None:
    assert list(examine_intake(office, machine)) == []


def test_the_doctor_of_the_mailroom_shows_it(practice: Office) -> None:
    found = list(look_at_intake(Whole(practice, Resolver())))
    assert [each.what for each in found if "its database" in each.what]
    assert look_at_intake in CHECKS


# Faults


def _swap(_: Office, machine: Path, __: Watch) -> None:
    (machine / "proc/swaps").write_text(SWAP)


def _core(office: Office, machine: Path, _: Watch) -> None:
    (machine / "proc/sys/kernel/core_pattern").write_text("|/usr/lib/systemd/systemd-coredump %P\n")
    store_of(office).set_fact(PROTECTION, '{"dumpable": true, "cgroup": "/"}')


def _no_expiry(office: Office, _: Path, watch: Watch) -> None:
    watch.pass_(2 * DAY)
    with store_of(office).transaction() as connection:
        connection.execute("UPDATE notices SET sent = ?", (TODAY + 2,))


def _no_notice(office: Office, _: Path, watch: Watch) -> None:
    watch.pass_(2 * DAY)
    store_of(office).expire()


def _readable(office: Office, _: Path, __: Watch) -> None:
    office.settings.intake_database.chmod(0o640)


def _full(office: Office, _: Path, __: Watch) -> None:
    for number in range(10):
        store_of(office).store(sealed(EXPERT), lookup_of(str(number)))


def _damaged(office: Office, _: Path, __: Watch) -> None:
    path = office.settings.intake_database
    path.write_bytes(b"no database at all" * 1000)


def _gone(office: Office, _: Path, __: Watch) -> None:
    office.settings.intake_database.unlink()


@pytest.mark.parametrize(
    ("plant", "what", "remedy"),
    [
        (_swap, "swapped out", "MemorySwapMax=0"), (_core, "core_pattern", "Restart"),
        (_no_expiry, "for 2 days nobody has looked", "worker"), (_no_notice, "for 2 days somebody", "worker"),
        (_readable, "others may read", "chmod 600"), (_full, "10 submissions of 10", "./blog intake"),
        (_damaged, "", ""), (_gone, "there is no database", "migrate"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)  # fmt: skip
def test_a_planted_fault_is_found(
    plant: Callable[[Office, Path, Watch], None], what: str, remedy: str, practice: Office, machine: Path, watch: Watch
) -> None:
    plant(practice, machine, watch)
    found = list(examine_intake(practice, machine))
    wrong = [each for each in found if each.verdict == "wrong"]
    assert wrong
    if plant is not _damaged:
        assert len(wrong) == 1
    assert what in wrong[0].what
    assert remedy in f"{wrong[0].what}{wrong[0].remedy}"


def test_six_faults_at_once_are_all_found(practice: Office, machine: Path, watch: Watch) -> None:
    for plant in (_full, _swap, _core, _readable):
        plant(practice, machine, watch)
    watch.pass_(2 * DAY)
    assert len([each for each in told(practice, machine) if each.verdict == "wrong"]) == 6


@pytest.mark.parametrize(("days", "verdict"), [(90, ""), (91, "look"), (180, "look"), (181, "wrong")])
def test_keys_are_to_be_replaced_after_90_days(days: int, verdict: str, practice: Office, machine: Path) -> None:
    old = replace(practice, settings=replace(practice.settings, intake_recipients=recipients(days)))
    found = told(old, machine)
    assert [each.verdict for each in found] == ([verdict] if verdict else [])
    if found:
        assert f"{days} days old" in found[0].what
        assert "keygen" in found[0].remedy


def test_what_is_not_yet_known_is_to_be_looked_at(tmp_path: Path, machine: Path, watch: Watch) -> None:
    settings = make_settings(tmp_path, intake_recipients=recipients(1))
    with new_office(settings, watch) as office:
        prepare_intake(settings)
        found = told(office, machine)
        assert [each.verdict for each in found] == ["look"] * 3
        assert ["has not run" in found[0].what, "expired" in found[1].what, "nobody gets" in found[2].what] == [
            True
        ] * 3
        named = replace(office, settings=replace(settings, intake_notice=("expert@practice.example",)))
        assert "not everybody" in told(named, machine)[2].what


def test_nearly_full_is_to_be_looked_at(practice: Office, machine: Path) -> None:
    for number in range(8):
        assert told(practice, machine) == []
        store_of(practice).store(sealed(EXPERT), lookup_of(str(number)))
    assert [each.verdict for each in told(practice, machine)] == ["look"]


@pytest.mark.parametrize("place", ["system.slice/mailroom.service", "system.slice"])
def test_swap_may_be_on_where_we_have_none(place: str, practice: Office, machine: Path) -> None:
    """Of our group, or of one that it is in."""
    (machine / "proc/swaps").write_text(SWAP)
    (machine / "sys/fs/cgroup" / place / "memory.swap.max").write_text("0\n")
    assert told(practice, machine) == []


def test_where_the_machine_is_not_shown_nobody_says_that_it_is_well(practice: Office, machine: Path) -> None:
    """As within the unit (ProcSubset=pid)."""
    (machine / "proc/swaps").unlink()
    (machine / "proc/sys/kernel/core_pattern").unlink()
    assert [each.verdict for each in told(practice, machine)] == ["look"]
    store_of(practice).set_fact(PROTECTION, '{"dumpable": true, "cgroup": ""}')
    assert [each.verdict for each in told(practice, machine)] == ["look", "look"]


def test_a_process_notes_what_it_knows_of_itself(practice: Office) -> None:
    noted: list[str] = []
    for protected in (False, True):
        pid = os.fork()
        if not pid:
            status = 1
            try:
                if protected:
                    protect()
                note_protection(store_of(practice))
                status = 0
            finally:
                os._exit(status)
        assert os.waitpid(pid, 0)[1] == 0
        noted.append(store_of(practice).fact(PROTECTION))
    assert '"dumpable": true' in noted[0]
    assert '"dumpable": false' in noted[1]
    assert '"cgroup": "/' in noted[0] or '"cgroup": ""' in noted[0]
