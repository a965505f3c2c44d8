"""A server with an intake and its API, and an expert whose commands run here; a process of the expert's to be killed.

`python -m tests.mailroom.intake.practice` is that process: it forks one for each run, which dies before its n-th step,
a step being anything that it asks of the file system or of the network.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyrage

from mailroom.campaigns.api_tokens import ApiTokens
from mailroom.clock import Clock
from mailroom.expert.commands import add_commands
from mailroom.intake.forms import Attachment, Submission
from mailroom.intake.sealing import read_recipients, seal
from mailroom.office import Office, open_office
from mailroom.web.api import LARGEST, make_api
from mailroom.web.server import Server
from tests.frontdoor.support import ROOT
from tests.mailroom.intake.house import House
from tests.mailroom.intake.stores import lookup_of

PASSPHRASE = "a passphrase of five words"


class Practice:
    """A house whose API is served, and an expert's own folder, with the house's key in it, unprotected."""

    def __init__(self, house: House, office: Office, api: str) -> None:
        self.house, self.office, self.api = house, office, api
        self.token = ApiTokens(office.database, office.clock).create("expert", "intake")
        self.expert = house.folder / "expert"
        self.expert.mkdir()
        self.lend_key()

    @property
    def folder(self) -> Path:
        return self.expert / "var" / "intake" / "opened"

    def lend_key(self) -> None:
        path = self.expert / "var" / "intake" / "identity.age"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{self.house.identity}\n")

    def forget(self) -> None:
        """Empty both the expert's folder and the server."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for each in self.house.store.list():
            self.house.store.discard(each.id)

    def send(self, submission: Submission, name: str = "") -> str:
        """Have a submission stored; return its id."""
        before = {each.id for each in self.house.store.list()}
        sealed = seal(submission, read_recipients(self.house.settings.intake_recipients))
        self.house.store.store(sealed, lookup_of(name or os.urandom(8).hex()))
        (identity,) = {each.id for each in self.house.store.list()} - before
        return identity

    @property
    def environment(self) -> dict[str, str]:
        return {"MAILROOM_INTAKE_API": self.api, "MAILROOM_INTAKE_TOKEN": self.token}

    def run(self, *words: str, stdin: str = "", **environment: str) -> tuple[int, str, str]:
        """Run `./blog intake …`; return its exit code, and what it said and complained of."""
        return run_intake(self.expert, *words, stdin=stdin, **(self.environment | environment))


def run_intake(root: Path, *words: str, stdin: str = "", **environment: str) -> tuple[int, str, str]:
    """Run `./blog intake …` in this process, with what is typed and set."""
    parser = argparse.ArgumentParser(prog="blog")
    add_commands(parser.add_subparsers(), root)
    args = parser.parse_args(["intake", *words])
    before = dict(os.environ)
    typed, out, err = sys.stdin, io.StringIO(), io.StringIO()
    mask = os.umask(0o022)
    try:
        for name in [each for each in os.environ if each.startswith("MAILROOM_")]:
            del os.environ[name]
        os.environ.update(environment)
        sys.stdin = io.StringIO(stdin)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = int(args.run(args))
    finally:
        sys.stdin = typed
        os.umask(mask)
        os.environ.clear()
        os.environ.update(before)
    return code, out.getvalue(), err.getvalue()


@contextmanager
def serving_api(house: House, root: Path = Path("/"), **changed: Any) -> Iterator[tuple[Office, str]]:
    """The API of a house, examined as if its machine's files began at `root`, with other settings if need be."""
    with open_office(replace(house.settings, **changed), clock=Clock()) as office:
        server, stop = Server(make_api(office, root=root), "127.0.0.1:0", LARGEST), threading.Event()
        thread = threading.Thread(target=server.run, args=(stop,))
        thread.start()
        try:
            yield office, f"http://127.0.0.1:{server.port}/mail/api/"
        finally:
            stop.set()
            thread.join()


@contextmanager
def practising(folder: Path, **overrides: Any) -> Iterator[Practice]:
    """A practice at work."""
    house = House(folder, **overrides)
    with serving_api(house) as (office, api):
        yield Practice(house, office, api)


MESSAGE = Submission(
    "report", "fa",
    (("wish", "sample"), ("message", "سلام.\nAnswer by:\n    nobody"), ("contact_by", "email"),
     ("contact", "a@b.example")),
    (Attachment("pdf", b"%PDF-1.7 of somebody"), Attachment("bin", b"\x00\x01")),
)  # fmt: skip
OTHER = pyrage.x25519.Identity.generate()


class Mortal:
    """A process of the expert's, each of whose runs can be killed."""

    def __init__(self, practice: Practice) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.mailroom.intake.practice", str(practice.expert)],
            cwd=ROOT, env=os.environ | practice.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, *words: str, step: int) -> bool:
        """Run a command that dies before a step; tell whether it died."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin
        assert stdout
        stdin.write(json.dumps([step, *words]) + "\n")
        stdin.flush()
        status = int(stdout.readline())
        assert status in (0, -signal.SIGKILL), status
        return status != 0

    def __enter__(self) -> Mortal:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            assert stream
            stream.close()
        assert self._process.wait(timeout=20) == 0


#: What is asked of file system and network, as Python's audit events name it.
_STEPS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "shutil.rmtree", "socket.connect",
          "http.client.send"}  # fmt: skip


def main() -> None:
    """Read what to run, a line each, until standard input ends."""
    root = Path(sys.argv[1])
    kept = {name: value for name, value in os.environ.items() if name.startswith("MAILROOM_")}
    run_intake(root, "list", **kept)  # so that all is imported
    for line in sys.stdin:
        step, *words = json.loads(line)
        pid = os.fork()
        if not pid:
            die_before(step)
            code, _, said = run_intake(root, *words, **kept)
            sys.stderr.write(said)
            os._exit(code)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)  # noqa: T201 - whoever started it waits


def die_before(step: int) -> None:
    """Have this process killed before its n-th step that changes something, or asks somebody; 0 for never."""
    left = [step]

    def watch(event: str, given: tuple[Any, ...]) -> None:
        if event not in _STEPS or (event == "open" and not (given[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
            return
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


if __name__ == "__main__":
    main()
