"""The mailroom beside `./blog serve`: the real one, under the preview's address, whose letters are files.

Everything is below `var/`: the data, the key, the outbox, and the expert's identity, which opens what the form is sent.
No setting of the machine's is read, so that nothing a developer tries can reach a real relay or a real list.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailroom.service import Service
    from mailroom.settings import Settings

# What the mailroom is made of is imported in a thread: the site is built meanwhile.

#: How long a first request waits for the mailroom, and the end for its processes, in seconds.
PATIENCE = 10.0
#: A letter or a campaign's draft is smaller; so is a form with files, but for files that the form itself refuses.
LARGEST_BODY, LARGEST_FORM = 4 * 1024 * 1024, 16 * 1024 * 1024
#: Below the project's folder, while the mailroom runs: its API's address and a token, by the names that the commands of
#: the newsletter know. The token is called so, and is another one after each start.
ACCESS, TOKEN = Path("var", "newsletter.env"), "development"
#: The same for the commands of the intake, with the expert's identity: a key of no value, made at the first start.
INTAKE_ACCESS, INTAKE_TOKEN, IDENTITY = Path("var", "intake.env"), "development-intake", Path("var", "intake.identity")
#: What the intake answers, of the mailroom's paths.
FORM = re.compile(r"/mail/form(?=[/?]|$)")
#: Headers that concern one connection alone (RFC 9110, 7.6.1), and those that the server here states itself.
_OWN = {"connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade", "date", "server"}


class Beside:
    """A mailroom, started at once and not waited for. `mounts` is what it answers, `notice` what a developer reads."""

    def __init__(self, root: Path, url: str) -> None:
        """`root` is the project's folder, `url` the preview's address without a slash at its end."""
        self._root, self._url = root, url
        self._port = _free_port()
        # Where processes cannot fork (Windows), there is no intake, and the pages say so.
        self._intake_port = _free_port() if hasattr(os, "fork") else self._port
        self._service: Service | None = None
        self._problem = ""
        self._prepared = threading.Event()
        self.mounts: Mapping[str, Callable[[BaseHTTPRequestHandler], None]] = {
            "/mail/": self.forward,
            "/outbox/": self.forward,
        }
        self.notice = f"{url}/outbox/ (letters: none is sent)"
        self._thread = threading.Thread(target=self._run, name="mailroom", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the mailroom's processes."""
        self._prepared.wait(PATIENCE)
        if self._service:
            self._service.stop()
        self._thread.join(2 * PATIENCE)

    def forward(self, handler: BaseHTTPRequestHandler) -> None:
        """Hand a request to the mailroom, and its answer back."""
        body = b""
        to_intake = FORM.match(handler.path)
        if handler.command not in ("GET", "HEAD"):
            length = handler.headers.get("Content-Length", "")
            if not length.isdigit() or int(length) > (LARGEST_FORM if to_intake else LARGEST_BODY):
                status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if length.isdigit() else HTTPStatus.LENGTH_REQUIRED
                return handler.send_error(status)
            body = handler.rfile.read(int(length))
        headers = {name: value for name, value in handler.headers.items() if name.lower() not in _OWN}
        connection = self._connect(self._intake_port if to_intake else self._port)
        if connection is None:
            explain = self._problem or "It does not answer: look at the terminal."
            return handler.send_error(HTTPStatus.SERVICE_UNAVAILABLE, "The mailroom does not run", explain)
        try:
            with contextlib.closing(connection):
                connection.request(handler.command, handler.path, body or None, headers)
                answer = connection.getresponse()
                content = answer.read()
        except (OSError, http.client.HTTPException):
            return handler.send_error(HTTPStatus.BAD_GATEWAY, "The mailroom ended before it answered")
        handler.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _OWN:
                handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)
        return None

    def _connect(self, port: int) -> http.client.HTTPConnection | None:
        """A connection, as soon as the mailroom listens."""
        deadline = time.monotonic() + PATIENCE
        while not self._problem and time.monotonic() < deadline:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                connection.connect()
            except OSError:
                time.sleep(0.05)
            else:
                return connection
        return None

    def _run(self) -> None:
        try:
            from mailroom.errors import AtWork
            from mailroom.office import make_office, prepare_intake
            from mailroom.service import Service
            from mailroom.store.database import migrate
            from mailroom.store.keyring import load_keyring
            from mailroom.store.lock import Lock

            settings = development_settings(self._root, f"{self._url}/mail/", self._port, self._intake_port)
            made = make_office(settings)
            if not made:
                migrate(settings.database)  # of an earlier day
            if settings.intake_recipients:
                prepare_intake(settings)
            with Lock(settings.data, alone=True, name="running.lock"), _give_access(settings, self._root):
                self._service = Service(settings, load_keyring(Path(settings.key)), patience=PATIENCE / 2)
                self._prepared.set()
                self._service.watch()
        except AtWork:
            self._give_up("Another ./blog serve runs it for this folder: use that one, or end it and start this again.")
        except Exception as error:  # noqa: BLE001 - the site is served all the same
            self._give_up(str(error))
        finally:
            self._prepared.set()

    def _give_up(self, problem: str) -> None:
        """Say why on its pages, and at once on the developer's terminal."""
        self._problem = problem
        print(f"mailroom: {problem}", file=sys.stderr)  # noqa: T201


def development_settings(root: Path, url: str, port: int, intake_port: int) -> Settings:
    """What `./blog serve` runs the mailroom with: its pages at `url`, in truth on those ports of this machine."""
    from mailroom.settings import Settings

    return Settings(
        url=url,
        data=root / "var" / "mailroom",
        key=str(root / "var" / "mailroom.key"),
        listen=f"127.0.0.1:{port}",
        api_listen=f"127.0.0.1:{_free_port()}",
        api_public=True,
        exit="https://www.metoffice.gov.uk/",
        sender="letters@blog.example",
        bounce_domain="bounces.blog.example",
        editors=("editor@blog.example",),
        relay="outbox:",
        intake_recipients=_make_recipient(root / IDENTITY) if intake_port != port else "",
        intake_listen=f"127.0.0.1:{intake_port}",
        intake_limit=1000,
        development=True,
    )


def _make_recipient(path: Path) -> str:
    """The recipient of today whom the identity in this file answers; it is made where there is none."""
    import pyrage

    from mailroom.store.sealing import read_identity

    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, f"{pyrage.x25519.Identity.generate()}\n")
    return f"{read_identity(path.read_text('utf-8')).to_public()} {datetime.now(UTC).date().isoformat()}"


@contextlib.contextmanager
def _give_access(settings: Settings, root: Path) -> Iterator[None]:
    """Leave in files, for their owner alone, how campaigns are handed to this mailroom and submissions are fetched."""
    from mailroom.campaigns.api_tokens import ApiTokens
    from mailroom.clock import Clock
    from mailroom.store.database import Database

    with Database(settings.database) as database:
        tokens = ApiTokens(database, Clock())
        names = {token.name for token in tokens.list()}
        for name in names & {TOKEN, INTAKE_TOKEN}:
            tokens.revoke(name)
        letters, intake = tokens.create(TOKEN, "send"), tokens.create(INTAKE_TOKEN, "intake")
    api = f"{settings.url}api/"
    given = {root / ACCESS: f"NEWSLETTER_API={api}\nNEWSLETTER_TOKEN={letters}\n"}
    if settings.intake_recipients:
        identity = f"MAILROOM_INTAKE_IDENTITY={root / IDENTITY}\n"
        given[root / INTAKE_ACCESS] = f"MAILROOM_INTAKE_API={api}\nMAILROOM_INTAKE_TOKEN={intake}\n{identity}"
    for path, text in given.items():
        _write(path, text)
    try:
        yield
    finally:
        for path in given:
            path.unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    """A file that is there whole or not at all, for its owner alone."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)  # of a run that was killed; an existing file would keep its permissions
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
