"""Mailing services for tests: real HTTP servers on this machine that fail when they are told to.

A fake derives from `FakeService`, answers requests as the service does, and tells what a contract test wants to know.
Every request is logged, whatever becomes of it; faults are planned for a certain request, or for all from one on.
"""

from __future__ import annotations

import copy
import json
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import Enum
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs, urlsplit

import requests

#: What a throttled request is told to wait, in seconds.
RETRY_AFTER = 7


class Fault(Enum):
    """What can go wrong with a request, and whether it was done before that."""

    #: Nobody listens at the port. It stays so until `mend`, since nobody can see what is asked of a closed port.
    DOWN = "down", False
    #: The connection ends before anything is done.
    CLOSED = "closed", False
    #: The connection ends where an answer should come.
    LOST = "lost", True
    #: No answer comes; the connection stays open.
    SILENT = "silent", False
    SILENT_DONE = "silent, done", True
    #: 500.
    BROKEN = "broken", False
    BROKEN_DONE = "broken, done", True
    #: 429, with a Retry-After in seconds, as a date, or without any.
    THROTTLED = "throttled", False
    THROTTLED_SECONDS = "throttled, seconds", False
    THROTTLED_DATE = "throttled, date", False
    #: 200, but from something else: a page, or JSON of another shape.
    PAGE = "page", False
    SHAPE = "shape", False
    #: The answer ends in the middle of its body.
    TRUNCATED = "truncated", True

    def __init__(self, label: str, done: bool) -> None:
        self.label = label
        self.done = done

    def __str__(self) -> str:
        return self.label


#: Those that cost the time a client waits for an answer.
SLOW = frozenset({Fault.SILENT, Fault.SILENT_DONE})


@dataclass(frozen=True)
class Request:
    """A request as it came."""

    method: str
    #: As it stands in the request line, without the query.
    path: str
    query: Mapping[str, list[str]]
    #: By name in small letters.
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def data(self) -> Any:
        """The body's JSON, None for no body. Raises ValueError for what is none."""
        return json.loads(self.body) if self.body else None

    def one(self, name: str, default: str = "") -> str:
        """A query parameter's value."""
        return self.query.get(name, [default])[0]


@dataclass(frozen=True)
class Reply:
    """An answer: `data` as JSON, or these octets as they are."""

    status: int = 200
    data: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    type: str = "application/json"

    @property
    def body(self) -> bytes:
        """What is sent."""
        if self.content is not None:
            return self.content
        return b"" if self.data is None else json.dumps(self.data).encode()


@dataclass(frozen=True)
class Letter:
    """What a reader gets: `text` is None where the service sends no text that we could know."""

    subject: str
    html: str
    text: str | None


@dataclass
class _Plan:
    fault: Fault
    when: Callable[[Request], bool]
    first: int
    times: int | None
    seen: int = 0

    def strikes(self, request: Request) -> bool:
        """Count the request, and tell whether it is one of those to fail."""
        if not self.when(request):
            return False
        self.seen += 1
        return self.seen >= self.first and (self.times is None or self.seen < self.first + self.times)


class FakeService(ABC):
    """A mailing service on this machine; use it in a `with`.

    Derive from it: `answer` is the service itself, called for one request at a time. The rest of the abstract part is
    what contract tests ask and do behind the plugin's back.
    """

    #: Where the API's addresses begin.
    path: ClassVar[str] = "/"
    #: What a client has to know.
    token: str = "a-token-that-only-tests-know"
    lists: Mapping[str, str]
    #: What the mark for unsubscribing becomes in `letter`.
    unsubscribe: str = "https://service.example/unsubscribe/a-reader"

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._plans: list[_Plan] = []
        self._lock = threading.RLock()
        self._mistakes: list[BaseException] = []
        self._server: _Server | None = None
        self._port = 0

    # What a fake is

    @abstractmethod
    def answer(self, request: Request) -> Reply:
        """Do what is asked, and answer."""

    @abstractmethod
    def reset(self) -> None:
        """Forget all campaigns, as a new account; called by `start_afresh`."""

    @abstractmethod
    def campaigns(self, key: str) -> Collection[Any]:
        """Everything that is stored under a key, deleted things not counted."""

    @abstractmethod
    def starts(self, key: str) -> int:
        """How often letters of this key were set going (also by a schedule); what was unscheduled does not count."""

    @abstractmethod
    def change(self, key: str) -> None:
        """Have somebody edit the draft's text at the service."""

    @abstractmethod
    def copy(self, key: str) -> None:
        """Have somebody put a second campaign there that has the same key, as far as the service lets them."""

    @abstractmethod
    def deliver(self, key: str) -> None:
        """Let the time pass until all letters of a started campaign have left."""

    @abstractmethod
    def letter(self, key: str) -> Letter:
        """What a reader gets of it, after the service's own template language has been at it."""

    # What a test does

    @property
    def api(self) -> str:
        """The address of the API."""
        return f"http://127.0.0.1:{self._port}{self.path}"

    def fail(
        self, fault: Fault, nth: int = 1, *, times: int | None = 1, when: Callable[[Request], bool] = lambda _: True
    ) -> None:
        """Plan a fault for the n-th request from now (of those for which `when` holds), and `times` in all.

        None stands for all that follow, until `mend`.
        """
        with self._lock:
            self._plans.append(_Plan(fault, when, nth, times))
            self._go_down_if_due()

    def mend(self) -> None:
        """Let everything work again."""
        with self._lock:
            self._plans.clear()
            self._listen()

    def start_afresh(self) -> None:
        """Be as new: no campaigns, no faults, an empty log."""
        with self._lock:
            self.mend()
            self.reset()
            self.requests.clear()

    def remember(self) -> Callable[[], None] | None:
        """What brings back all that is stored now, in no time; None where the service is not ours to change."""
        own = {"requests", "_plans", "_lock", "_mistakes", "_server", "_port"}
        kept = {name: value for name, value in vars(self).items() if name not in own}
        stored = copy.deepcopy(kept)

        def bring_back() -> None:
            self.start_afresh()
            vars(self).update(copy.deepcopy(stored))

        return bring_back

    def close(self) -> None:
        """Stop listening."""
        with self._lock:
            if self._server is not None:
                self._server.shutdown()
                self._server.server_close()
                self._server = None

    def __enter__(self) -> Self:
        self.reset()
        self._listen()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        if self._mistakes:
            raise self._mistakes[0]

    # How requests are taken

    def listens_by(self, server: object) -> bool:
        """Whether this is the server that listens now."""
        return self._server is server

    def _listen(self) -> None:
        if self._server is not None:
            return
        for attempt in range(50):
            try:
                self._server = _Server(("127.0.0.1", self._port), self)
                break
            except OSError:  # somebody's connection has our port for a moment
                if attempt == 49:
                    raise
                time.sleep(0.02)
        assert self._server is not None
        self._port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def _go_down_if_due(self) -> None:
        if any(plan.fault is Fault.DOWN and plan.seen >= plan.first - 1 for plan in self._plans):
            self.close()

    @contextmanager
    def _noting_mistakes(self) -> Iterator[None]:
        """A mistake of the fake's is not one of the service's: the test is told at the end."""
        try:
            yield
        except BaseException as error:
            self._mistakes.append(error)
            raise

    def take(self, request: Request) -> tuple[Fault | None, Reply]:
        """Log a request, do it unless a fault comes first, and tell what to answer."""
        with self._lock, self._noting_mistakes():
            self.requests.append(request)
            struck = [plan.fault for plan in self._plans if plan.strikes(request)]
            self._go_down_if_due()
            fault = struck[0] if struck else None
            reply = self.answer(request) if fault is None or fault.done else Reply(500)
            return fault, _FAULTY.get(fault, reply) if fault else reply


class Proxy(FakeService):
    """Stands before a real service, so that faults come between it and the client."""

    #: The real one's API, ending in "/".
    target: str

    def remember(self) -> None:
        """Only the real one can store anything."""
        return

    def answer(self, request: Request) -> Reply:
        """Pass it on."""
        dropped = ("host", "connection", "accept-encoding", "content-length")
        answer = requests.request(
            request.method,
            self.target + request.path.removeprefix(self.path),
            params=dict(request.query),
            headers={name: value for name, value in request.headers.items() if name not in dropped},
            data=request.body,
            timeout=60,
            allow_redirects=False,
        )
        return Reply(answer.status_code, content=answer.content, type=answer.headers.get("Content-Type", ""))


_NOW = datetime.now(UTC)
_FAULTY = {
    Fault.BROKEN: Reply(500, content=b"Internal Server Error", type="text/plain"),
    Fault.BROKEN_DONE: Reply(500, content=b"Internal Server Error", type="text/plain"),
    Fault.THROTTLED: Reply(429, {"detail": "Slow down"}),
    Fault.THROTTLED_SECONDS: Reply(429, {"detail": "Slow down"}, {"Retry-After": str(RETRY_AFTER)}),
    Fault.THROTTLED_DATE: Reply(
        429, {}, {"Retry-After": format_datetime(_NOW + timedelta(days=1), usegmt=True)}
    ),  # a day, so that it is later however long the tests take
    Fault.PAGE: Reply(200, content=b"<!DOCTYPE html><title>Welcome to the hotel's network</title>", type="text/html"),
    Fault.SHAPE: Reply(200, {"weather": ["fine"]}),
}


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], service: FakeService) -> None:
        self.service = service
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that give up are part of the tests, and a fake's mistakes are kept."""


class _Handler(BaseHTTPRequestHandler):
    """Answers one request after another on a connection, until a fault ends it."""

    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_one_request(self) -> None:
        """Take any method, and answer it."""
        self.close_connection = True
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            return
        parts = urlsplit(self.path)
        request = Request(
            self.command,
            parts.path,
            parse_qs(parts.query, keep_blank_values=True),
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(int(self.headers.get("Content-Length") or 0)),
        )
        fault, reply = self.server.service.take(request)
        self.close_connection = bool(fault) or not self.server.service.listens_by(self.server)
        if fault in (Fault.CLOSED, Fault.LOST, Fault.DOWN):
            return
        if fault in SLOW:
            self.connection.settimeout(60)
            with suppress(OSError):
                self.connection.recv(1)  # until the client gives up
            return
        body = reply.body if self.command != "HEAD" else b""
        self.send_response_only(reply.status)
        for name, value in {"Content-Type": reply.type, **reply.headers}.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if fault is Fault.TRUNCATED else body)
