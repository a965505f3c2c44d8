"""The intake as a part of the service: started when somebody can read what comes, and started again alone."""

from __future__ import annotations

import http.client
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pyrage
import pytest

from mailroom.clock import Clock
from mailroom.intake.sealing import unseal
from mailroom.intake.submissions import open_intake
from mailroom.service import for_intake
from mailroom.settings import Secret, Settings
from mailroom.store.keyring import make_keyring
from mailroom.unit import write_unit
from tests.frontdoor.support import ROOT, run_blog, wait_until
from tests.mailroom.intake.house import TYPE, find_receipt, write_form
from tests.mailroom.offices import make_settings, new_office
from tests.mailroom.servers import free_ports
from tests.mailroom.test_service import HOST, House, Running, children, make_house
from tests.mailroom.visitor import Visitor

IDENTITY = pyrage.x25519.Identity.generate()
TODAY = datetime.now(UTC).date()
SECRETS = sorted(each.name for each in fields(Settings) if str(each.type) == "Secret")


@dataclass
class Answer:
    status: int
    text: str


def ask(port: int, path: str, method: str = "GET", body: bytes | None = None) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, {"Host": HOST, "Content-Type": TYPE})
        answer = connection.getresponse()
        return Answer(answer.status, answer.read().decode())
    finally:
        connection.close()


@dataclass
class WithIntake:
    house: House
    port: int
    running: Running

    def form(self) -> int:
        try:
            return ask(self.port, "/mail/form").status
        except OSError:
            return 0


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WithIntake]:
    house = make_house(tmp_path_factory.mktemp("house"))
    (port,) = free_ports(1)
    house.environment |= {
        "MAILROOM_INTAKE_RECIPIENTS": f"{IDENTITY.to_public()} {TODAY}",
        "MAILROOM_INTAKE_LISTEN": f"127.0.0.1:{port}",
    }
    running = house.start()
    try:
        yield WithIntake(house, port, running.await_work())
    finally:
        running.stop()


def test_a_submission_is_taken_in_the_service(whole: WithIntake) -> None:
    assert len(whole.running.parts()) == 3
    answer = ask(whole.port, "/mail/form", "POST", write_form({"message": "in the service"}))
    assert find_receipt(answer.text.encode())
    settings = whole.house.settings
    intake = open_intake(settings, Clock())
    [stored] = intake.list()
    assert dict(unseal(intake.fetch(stored.id), IDENTITY).fields) == {"message": "in the service"}


def test_the_intake_is_started_again_and_the_others_go_on(whole: WithIntake) -> None:
    web, worker, intake = whole.running.parts()
    os.kill(intake, signal.SIGKILL)
    message = "the mailroom's intake ended (SIGKILL): it is started again in 1 s"
    wait_until(partial(whole.running.says, message), "it is not said")
    assert whole.house.health() == 200
    wait_until(lambda: whole.form() == 200, "it is not started again")
    assert whole.running.parts()[:2] == [web, worker]
    os.kill(web, signal.SIGKILL)
    wait_until(partial(whole.running.says, "the mailroom's web ended (SIGKILL)"), "it is not said")
    assert whole.form() == 200
    wait_until(lambda: whole.house.health() == 200, "the pages are not served again")


def send_slowly(whole: WithIntake) -> tuple[http.client.HTTPConnection, int, int]:
    """Begin to send something; return the connection, the intake's process and its child."""
    slow = http.client.HTTPConnection("127.0.0.1", whole.port, timeout=30)
    slow.putrequest("POST", "/mail/form", skip_host=True)
    for name, value in (("Host", HOST), ("Content-Type", TYPE), ("Content-Length", "1000")):
        slow.putheader(name, value)
    slow.endheaders(b"--")
    intake = wait_until(lambda: next((pid for pid in whole.running.parts() if children(pid)), 0), "it is not taken")
    return slow, intake, children(intake)[0]


def cores(whole: WithIntake) -> set[Path]:
    """What may be core files, where they would be."""
    return {path for folder in (Path.cwd(), whole.house.folder) for path in folder.glob("core*")}


def test_a_child_that_faults_in_the_middle_of_a_submission_leaves_no_core(whole: WithIntake) -> None:
    slow, _, child = send_slowly(whole)
    before = cores(whole)
    os.kill(child, signal.SIGSEGV)
    wait_until(partial(whole.running.says, "its process ended (SIGSEGV)"), "it is not said")
    slow.close()
    assert cores(whole) == before
    assert whole.form() == 200


def test_a_child_does_not_hide_that_its_intake_has_died(whole: WithIntake) -> None:
    """It has none of the pipes by which the watching process sees who lives."""
    slow, intake, _ = send_slowly(whole)
    said = len(whole.running.said)
    os.kill(intake, signal.SIGKILL)
    wait_until(
        lambda: any("the mailroom's intake ended" in line for line in whole.running.said[said:]),
        "it is not noticed before the slow one has ended", 10,
    )  # fmt: skip
    slow.close()
    wait_until(lambda: whole.form() == 200, "it is not started again")


def test_the_intake_does_not_start_where_another_program_listens(whole: WithIntake, tmp_path: Path) -> None:
    house = make_house(tmp_path)
    environment = house.environment | {
        "MAILROOM_INTAKE_RECIPIENTS": f"{IDENTITY.to_public()} {TODAY}",
        "MAILROOM_INTAKE_LISTEN": f"127.0.0.1:{whole.port}",
    }
    result = run_blog(house.folder, "mailroom", "run", **environment)
    assert (result.returncode, "MAILROOM_INTAKE_LISTEN" in result.stderr) == (1, True), result.stderr


def test_the_intake_has_the_keys_for_receipts_and_no_password() -> None:
    ring = make_keyring()
    settings = Settings(relay_user="user", **{name: Secret("password") for name in SECRETS})  # type: ignore[arg-type]
    given, keys = for_intake(settings, ring)
    assert given == replace(settings, **{name: getattr(given, name) for name in SECRETS})
    assert not any(getattr(given, name) for name in SECRETS)
    assert {kind for kind, numbered in keys.keys.items() if numbered} == {"receipt-salt", "receipt-secret"}
    assert keys.keys["receipt-salt"] == ring.keys["receipt-salt"]


@pytest.mark.parametrize("path", ["form", "form/meeting?lang=fa", "form/translation", "form/receipt"])
def test_without_recipients_there_is_no_form_but_other_ways(tmp_path: Path, path: str) -> None:
    with new_office(make_settings(tmp_path)) as office:
        visitor = Visitor(office)
        for answer in (visitor.get(path), visitor.ask("POST", f"/mail/{path}", b"message=x")):
            assert answer.status == 404
            lang = "fa" if "fa" in path else "en"
            assert answer.lang == lang
            assert answer.attributes("//main//a/@href") == [f"http://127.0.0.1:8025/{lang}/contact/"]
            assert "Human Rights" not in answer.attributes("//title/text()")[0]
    with new_office(make_settings(tmp_path, intake_recipients=f"{IDENTITY.to_public()} {TODAY}")) as office:
        answer = Visitor(office).get(path)
        assert (answer.status, "contact" in answer.text) == (404, False)


def test_a_unit_keeps_memory_off_the_disk() -> None:
    lines = write_unit(Settings(data=Path("/var/lib/mailroom")), ROOT, Path("/usr/bin/python3")).splitlines()
    assert {"LimitCORE=0", "LimitMEMLOCK=infinity", "MemorySwapMax=0"} <= set(lines)
