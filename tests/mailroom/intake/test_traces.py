"""The largest submission on its way through a real web server to the disk, and what is left of it anywhere.

Each system call that could write is looked at (strace), and afterwards each file. That what is there would be found is
tried every time: by something planted in a file, and by the same form sent through a server that spools.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pyrage
import pytest

from mailroom.clock import DAY, Clock
from mailroom.intake.forms import LARGEST_FILES, LONGEST, LONGEST_MESSAGE
from mailroom.intake.notice import Notice, make_connect
from mailroom.intake.sealing import unseal
from mailroom.intake.submissions import Intake
from mailroom.languages import load_languages
from mailroom.office import open_office
from tests.frontdoor.support import skip_if_left_out, wait_until
from tests.mailroom.intake.house import TYPE, find_receipt, write_form
from tests.mailroom.needles import Needles
from tests.mailroom.servers import free_ports
from tests.mailroom.test_service import HOST, House, children, make_house
from tests.multilingual.sites import Site
from tests.policy.servers import (
    BROWSER,
    VISITOR,
    Mailroom,
    WebServer,
    configure_nginx,
    make_certificate,
    print_configuration,
)
from tests.policy.test_servers import publish

#: Whatever could carry octets out of a process.
CALLS = "write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,sendmmsg,sendfile,splice,vmsplice,copy_file_range"
CANARIES = {name: f"canary-{name}-of-somebody" for name in ("message", "contact", "file", "typed", "spooled")}
_CALL = re.compile(r"(?:\d+ +)?\w+\(\d+<([^>]*)")


def filled(name: str, length: int) -> str:
    """A text of nothing but its canary."""
    canary = CANARIES[name] + " "
    return (canary * (length // len(canary) + 1))[:length].strip()


@dataclass
class Traced:
    """A mailroom and a web server whose system calls are written down."""

    folder: Path
    house: House
    web: WebServer
    identity: pyrage.x25519.Identity
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def calls(self, name: str) -> list[tuple[str, set[str]]]:
        """Where something went that is a canary's, and which."""
        found = []
        for line in (self.folder / f"{name}.strace").read_text("ascii", "replace").splitlines():
            if canaries := {each for each, text in CANARIES.items() if text in line}:
                call = _CALL.match(line)
                found.append((call[1] if call else line, canaries))
        return found

    def post(self, path: str, body: bytes) -> bytes:
        return self.web.get(path, method="POST", body=body, Content_Type=TYPE).body


def trace(name: str, folder: Path, *command: str, **environment: str) -> subprocess.Popen[str]:
    """Start a program, with all that it starts, and write its calls down."""
    skip_if_left_out("mail")  # which brings strace
    assert os.geteuid() == 0, "what protected processes write only root sees: run as root, or --without mail"
    tracer = shutil.which("strace")
    assert tracer, "no strace: run ./blog test, which installs it"
    with (folder / f"{name}.said").open("wb") as said:
        return subprocess.Popen(
            [tracer, "-f", "--seccomp-bpf", "-yy", "-s", "70000", "-e", f"trace={CALLS}", "-e", "signal=none",
             "-o", str(folder / f"{name}.strace"), *command],
            cwd=folder, env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said, text=True,
        )  # fmt: skip


def spooling_too(text: str) -> str:
    """The configuration, and in it a place that spools what is sent, as a stock one does."""
    forms = re.search(r"    location /mail/form \{\n.*?\n    \}\n", text, re.DOTALL)
    assert forms
    spooling = forms[0].replace("location /mail/form", "location /spooled/").replace("proxy_request_buffering off;", "")
    return text.replace(forms[0], spooling + forms[0])


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    folder = tmp_path_factory.mktemp("traced")
    identity = pyrage.x25519.Identity.generate()
    house = make_house(folder / "house")
    port, plain_port, tls_port = free_ports(3)
    (folder / "tmp").mkdir()
    site = Site(folder / "site", PLUGINS=["multilingual", "policy"], POLICY_HSTS_DAYS=30, PRIVACY_ACCESS_LOG="none")
    publish(site)
    (folder / "site" / "output").mkdir()
    stand_in = Mailroom()
    web = WebServer(folder / "nginx", tls_port, plain_port, stand_in, stand_in)
    web.folder.mkdir()
    (folder / "certificate").mkdir()
    certificate, key = make_certificate(folder / "certificate")
    text = print_configuration(
        site.folder, "nginx", "--root", str(site.folder / "output"), "--mailroom", f"127.0.0.1:{house.port}",
        "--intake", f"127.0.0.1:{port}", "--certificate", certificate, "--key", key,
        "--ports", f"{web.plain_port},{web.port}",
    )  # fmt: skip
    traced = Traced(folder, house, web, identity)
    environment = house.environment | {
        "MAILROOM_INTAKE_RECIPIENTS": f"{identity.to_public()} {datetime.now(UTC).date()}",
        "MAILROOM_INTAKE_LISTEN": f"127.0.0.1:{port}",
        "MAILROOM_TRUSTED_PROXIES": "127.0.0.1",
        "TMPDIR": str(folder / "tmp"),
    }
    planted = f'printf %s {CANARIES["spooled"]} > {folder}/planted; exec "$@"'
    command = (sys.executable, str(house.folder / "blog"), "mailroom", "run")
    try:
        traced.processes.append(trace("ours", folder, "sh", "-c", planted, "sh", *command, **environment))
        traced.processes.append(trace("nginx", folder, *configure_nginx(web.folder, spooling_too(text))))
        wait_until(lambda: b"at work" in (folder / "ours.said").read_bytes(), "it does not start", 60)
        wait_until(lambda: _answers(web), "no answer", 60)
        yield traced
    finally:
        for process in traced.processes:
            for pid in children(process.pid):  # strace itself hands no signal on
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, 15)
            process.wait(timeout=60)
        web.mailroom.close()


def _answers(web: WebServer) -> bool:
    try:
        return web.get("/mail/form").status == 200
    except OSError:
        return False


def test_what_is_sent_is_written_to_sockets_alone_and_left_nowhere(traced: Traced) -> None:
    house, folder = traced.house, traced.folder
    files = [("canary-name-of-a-file.pdf", filled("file", LARGEST_FILES).encode())]
    fields = {"message": filled("message", LONGEST_MESSAGE), "contact": filled("contact", LONGEST)}
    sent = traced.post("/mail/form?lang=fa", write_form(fields, files))
    receipt = find_receipt(sent)
    assert receipt
    wrong = traced.post("/mail/form", write_form({"message": filled("typed", LONGEST_MESSAGE + 1)}, files))
    assert CANARIES["typed"].encode() in wrong, "what was typed stands there again"
    looked_up = traced.web.get(
        "/mail/form/receipt", method="POST", body=f"receipt={receipt}",
        Content_Type="application/x-www-form-urlencoded",
    )  # fmt: skip
    assert looked_up.status == 200
    spooled = write_form({"message": "x"}, [("x", filled("spooled", LARGEST_FILES).encode())])
    traced.web.get("/spooled/form", method="POST", body=spooled, Content_Type=TYPE)

    # What was written, and whereto
    for name in ("ours", "nginx"):
        calls = traced.calls(name)
        seen = {canary for _, canaries in calls for canary in canaries}
        assert {place.partition(":")[0] for place, canaries in calls if canaries != {"spooled"}} == {"TCP"}
        assert seen >= {"typed", "spooled"}, "the control was not seen"
        planted = {place for place, canaries in calls if canaries == {"spooled"} and not place.startswith("TCP")}
        control = {"ours": str(folder / "planted"), "nginx": str(traced.web.folder / "client_body")}[name]
        assert planted
        assert all(place.startswith(control) for place in planted), planted
    handed_on = {canary for place, canaries in traced.calls("nginx") for canary in canaries if place.startswith("TCP")}
    assert handed_on >= {"message", "contact", "file"}

    # What is there afterwards
    grouped = " ".join(re.findall("....", receipt))
    needles = Needles([*CANARIES.values(), "canary-name-of-a-file", receipt, grouped, VISITOR, BROWSER])
    data = house.settings.data
    places = (data, data.parent, folder / "tmp", traced.web.folder)
    (folder / "planted").unlink()
    intake = Intake(house.settings.intake_database, Clock())
    letters = send_notice(house, intake)
    said = folder / "said"
    said.mkdir()
    shutil.copy(folder / "ours.said", said)
    shutil.copytree(data, folder / "copied")
    assert needles.find_under(*places, letters, said, folder / "copied") == {}
    [stored] = intake.list()
    assert stored.size == 4 * 1024 * 1024
    opened = unseal(intake.fetch(stored.id), traced.identity)
    assert dict(opened.fields) == fields
    assert opened.attachments[0].content == files[0][1]

    later = Clock(lambda: Clock().now() + 31 * DAY)
    late = Intake(house.settings.intake_database, later)
    assert late.expire() == 1
    assert late.list() == []
    assert needles.find_under(*places, letters) == {}, "after it has expired"
    head = intake.path.read_bytes()
    assert len(head) < 100_000, "nothing of the ciphertext either"
    intake.set_fact("planted", CANARIES["message"])
    assert needles.find_under(data), "what is there would be found"


def test_who_is_refused_sees_why_through_the_web_server(traced: Traced) -> None:
    """However much was sent: what was typed beside too large a file stands there again."""
    too_large = [("x", bytes(20_000_000))]
    answer = traced.web.get(
        "/mail/form", method="POST", body=write_form({"message": "typed beside it"}, too_large), Content_Type=TYPE
    )
    assert (answer.status, b"typed beside it" in answer.body) == (413, True)
    for body, kind, status in ((bytes(4_000_000), "text/plain", 415), (bytes(70_000_000), TYPE, 413)):
        answer = traced.web.get("/mail/form", method="POST", body=body, Content_Type=kind)
        assert (answer.status, b'id="content"' in answer.body) == (status, True), "refused before everything was sent"
    assert traced.web.get("/mail/form").status == 200
    assert traced.web.get("/mail/form/", method="POST", body=b"", Content_Type=TYPE).status == 404


def send_notice(house: House, intake: Intake) -> Path:
    """Send the notice of today to somebody, as a file; return the folder of letters."""
    letters = house.settings.data.parent / "letters"
    settings = replace(
        house.settings, intake_notice=("expert@practice.example",), intake_hour="00:00", sender=f"letters@{HOST}"
    )
    with open_office(settings) as office:
        assert Notice(office, intake, load_languages(), None, make_connect(office, letters)).send_due() == 1
    assert list(letters.iterdir())
    return letters
