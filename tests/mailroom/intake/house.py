"""The intake as a process of its own, which tests ask, limit and kill: `python -m tests.mailroom.intake.house …`.

It is what the service starts, but for the limits, and for the step at which a child is to die.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pyrage
from lxml import html

from mailroom import service
from mailroom.clock import Clock
from mailroom.intake import app, pages, server, submissions
from mailroom.intake.forms import Submission
from mailroom.intake.receipts import Lookup
from mailroom.intake.sealing import unseal
from mailroom.intake.submissions import Intake, open_intake
from mailroom.intake.turnstile import Turnstile
from mailroom.office import make_office, prepare_intake
from mailroom.settings import Settings
from mailroom.store.keyring import load_keyring
from tests.frontdoor.support import ROOT, wait_until
from tests.mailroom.offices import make_settings
from tests.mailroom.servers import free_ports

HOST = "site.example"
#: Enough for whatever a test does.
MANY = 60_000
File = tuple[str, bytes]
_RECEIPT = re.compile(rb'class="receipt"[^>]*><bdi[^>]*>([0-9 ]{19})<')


def settings_of(folder: Path, given: dict[str, Any]) -> Settings:
    """Settings of a mailroom whose web server is on this machine."""
    return make_settings(folder, trusted_proxies=(ipaddress.ip_network("127.0.0.1"),), **given)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def tree(self) -> html.HtmlElement:
        return html.document_fromstring(self.body, parser=html.HTMLParser(encoding="utf-8"))

    @property
    def receipt(self) -> str:
        """The receipt on this page, "" without one."""
        return find_receipt(self.body)

    def texts(self, path: str) -> list[str]:
        """What an XPath finds of texts and attributes."""
        return [str(each) for each in self.tree.xpath(path)]


def find_receipt(octets: bytes) -> str:
    """The receipt in an answer, also in a part of one; "" if there is none."""
    found = _RECEIPT.search(octets)
    return found[1].decode().replace(" ", "") if found else ""


def write_form(fields: Mapping[str, str] | Iterable[tuple[str, str]], files: Iterable[File] = ()) -> bytes:
    """A form as browsers send it, with BOUNDARY between its parts."""
    parts = [(f'name="{name}"', value.encode()) for name, value in dict(fields).items()]
    parts += [(f'name="files"; filename="{name}"\r\nContent-Type: text/plain', content) for name, content in files]
    written = [b"--%b\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n" % (BOUNDARY, name.encode(), value)
               for name, value in parts]  # fmt: skip
    return b"".join((*written, b"--", BOUNDARY, b"--\r\n"))


BOUNDARY = b"----a-boundary-of-our-own"
TYPE = f"multipart/form-data; boundary={BOUNDARY.decode()}"


class House:
    """A folder with keys and databases, and an expert."""

    def __init__(self, folder: Path, **overrides: Any) -> None:
        self.folder = folder
        self.identity = pyrage.x25519.Identity.generate()
        (self.port,) = free_ports(1)
        self.given = {
            "url": f"https://{HOST}/mail/",
            "intake_recipients": f"{self.identity.to_public()} {datetime.now(UTC).date()}",
            "intake_listen": f"127.0.0.1:{self.port}",
            "intake_limit": MANY,
            "intake_most": MANY,
        } | overrides
        make_office(self.settings)
        prepare_intake(self.settings)

    @property
    def settings(self) -> Settings:
        return settings_of(self.folder, self.given)

    @property
    def store(self) -> Intake:
        return open_intake(self.settings, Clock())

    def opened(self) -> list[Submission]:
        """All that is stored, opened by the expert."""
        return [unseal(self.store.fetch(each.id), self.identity) for each in self.store.list()]

    def state(self, receipt: str) -> str | None:
        """What the receipt finds."""
        ring = load_keyring(Path(self.settings.key))
        return self.store.state(Lookup(ring, development=self.settings.development).value(receipt))


class Running:
    """The intake's process, at work."""

    def __init__(self, house: House, *, deadly: bool = False, total: int = MANY, tries: int = MANY) -> None:
        """With `deadly`, children are killed at the step that stands in the file DEATH."""
        self.house = house
        given = json.dumps({"folder": str(house.folder), "given": house.given, "deadly": deadly,
                            "total": total, "tries": tries})  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.mailroom.intake.house", given],
            cwd=house.folder, env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.said: list[str] = []
        self._listener = threading.Thread(target=lambda: self.said.extend(self.process.stderr or ()), daemon=True)
        self._listener.start()
        assert self.process.stdout
        assert self.process.stdout.readline() == "ready\n", self.said

    def stop(self) -> None:
        """Tell it to stop, and wait for its end."""
        for stream in (self.process.stdin, self.process.stdout):
            assert stream
            stream.close()
        self.process.wait(timeout=30)
        self._listener.join()
        assert self.process.stderr
        self.process.stderr.close()

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        """Ask for a page below /mail/ as a web server does."""
        connection = http.client.HTTPConnection("127.0.0.1", self.house.port, timeout=60)
        stated = {"Host": HOST} | {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, f"/mail/{path}", body, stated)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def send(self, path: str = "form?lang=en", files: Iterable[File] = (), **fields: str) -> Answer:
        """Send a form."""
        return self.ask(path, "POST", write_form(fields, files), Content_Type=TYPE)

    def try_receipt(self, receipt: str, **fields: str) -> Answer:
        """Ask what became of a submission."""
        body = "&".join(f"{name}={value}" for name, value in ({"receipt": receipt} | fields).items())
        return self.ask("form/receipt", "POST", body.encode(), Content_Type="application/x-www-form-urlencoded")

    def children(self) -> list[int]:
        """The processes that are at work on a request."""
        pid = self.process.pid
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def memory(self) -> int:
        """Octets of memory of the process that forks, but for what is a file's."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))

    def await_idle(self) -> None:
        """Wait until no request is worked on."""
        wait_until(lambda: not self.children(), "a child is left")


@contextmanager
def running(house: House, **options: Any) -> Iterator[Running]:
    """The intake at work, and stopped in the end."""
    process = Running(house, **options)
    try:
        yield process
    finally:
        process.stop()


# The process

#: The file, beside the data, that names the step of the next death.
DEATH = "death"
#: Steps of a submission at which a child can be killed, in their order.
STEPS = (
    "before body", "after body", "after read", "before seal", "after seal", "before hash", "after hash",
    "before store", "within store", "after store", "before answer", "within answer", "after answer",
)  # fmt: skip


def main() -> None:
    """Be the intake until standard input ends."""
    given = json.loads(sys.argv[1])
    service.protect()
    settings = settings_of(Path(given["folder"]), given["given"])
    service.write_log(replace(settings, development=False))
    if given["deadly"]:
        for step in STEPS:
            die_at(step, settings.data.parent / DEATH)
    settings, ring = service.for_intake(settings, load_keyring(Path(settings.key)))
    turnstile = Turnstile(settings.intake_limit, total=given["total"], tries=given["tries"])
    serving = server.Server(app.make_app(settings, ring, turnstile=turnstile), settings.intake_listen)
    print("ready", flush=True)  # noqa: T201 - whoever started it waits for this line
    serving.run(Connection(sys.stdin.fileno(), writable=False))


def die_at(step: str, file: Path) -> None:
    """Have each child that reaches this step of a submission be killed there, as long as the file names it."""
    moment, _, name = step.partition(" ")
    holder, attribute = {
        "body": (pages, "read_parts"),
        "read": (pages, "read_submission"),
        "seal": (pages, "seal"),
        "hash": (pages.Desk, "slow_value"),
        "store": (Intake, "store"),
        "answer": (server, "send"),
    }[name]
    if step == "within store":
        holder, attribute, moment = submissions, "_occupancy", "after"
    original: Callable[..., Any] = getattr(holder, attribute)

    def wrapped(*args: Any) -> Any:
        if file.read_text() != step or (name == "answer" and not find_receipt(args[1])):
            return original(*args)
        if moment == "within":
            original(args[0], args[1].partition(b"</bdi>")[0] + b"<")
        elif moment == "after":
            original(*args)
        return os.kill(os.getpid(), signal.SIGKILL)

    setattr(holder, attribute, wrapped)


if __name__ == "__main__":
    main()
