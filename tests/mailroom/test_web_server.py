"""The web server itself: what it takes from the wire, what it has done when it is killed, how it ends."""

from __future__ import annotations

import logging
import re
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from mailroom.clock import Clock
from mailroom.office import make_office, open_office
from mailroom.tokens import Purpose
from mailroom.web.app import make_app
from mailroom.web.server import Server
from tests.frontdoor.support import wait_until
from tests.mailroom.offices import count, subscribe
from tests.mailroom.web_process import free_port, settings_for, web_process

App = Callable[..., Iterable[bytes]]


@contextmanager
def serving(app: App, listen: str = "127.0.0.1:0", largest: int = 8192) -> Iterator[tuple[Server, threading.Event]]:
    server, stop = Server(app, listen, largest), threading.Event()
    thread = threading.Thread(target=server.run, args=(stop,))
    thread.start()
    try:
        yield server, stop
    finally:
        stop.set()
        thread.join()


def exchange(port: int, octets: bytes) -> bytes:
    """Send octets, and return all that comes back before the other side has enough of it."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        answer = b""
        with suppress(ConnectionError):
            connection.sendall(octets)
            with suppress(OSError):  # it is closed already
                connection.shutdown(socket.SHUT_WR)
            while received := connection.recv(65536):
                answer += received
        return answer


def post(port: int, path: str, body: bytes = b"", kind: str = "application/x-www-form-urlencoded") -> tuple[int, bytes]:
    """Send a form to the pages on a port; returns the status and the page once it is here as a whole."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    answer, _, page = exchange(port, head.encode() + body).partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", answer)
    assert length
    assert len(page) == int(length[1])
    return int(answer.split(b" ", 2)[1]), page


def test_what_a_page_said_is_in_the_database_after_a_kill(tmp_path: Path) -> None:
    with web_process(tmp_path) as (process, settings):
        port = int(settings.listen.rpartition(":")[2])
        with open_office(settings) as office:
            people = subscribe(office, *(f"reader{number}@example.org" for number in range(60)))
            paths = [f"/mail/unsubscribe/{office.tokens.issue(Purpose.UNSUBSCRIBE, p, time.time())}" for p in people]
        told: list[bytes] = []
        signed_up: list[int] = []

        def unsubscribe(mine: slice) -> None:
            for person, path in zip(people[mine], paths[mine], strict=True):
                if answered(path, b"List-Unsubscribe=One-Click") is not None:
                    told.append(person)

        def sign_up() -> None:
            for number in range(60):
                page = answered("/mail/subscribe", f"address=new{number}%40example.org&lang=fa".encode())
                found = re.search(rb'name="request" value="([^"]+)"', page or b"")
                if found and answered("/mail/subscribe/send", b"request=" + found[1]) is not None:
                    signed_up.append(number)

        def answered(path: str, body: bytes) -> bytes | None:
            try:
                status, page = post(port, path, body)
            except (OSError, AssertionError, IndexError):  # it was killed
                return None
            assert status == 200
            return page

        threads = [threading.Thread(target=unsubscribe, args=(slice(number, None, 3),)) for number in range(3)]
        threads.append(threading.Thread(target=sign_up))
        for each in threads:
            each.start()
        wait_until(lambda: len(told) >= 12 and len(signed_up) >= 4, "nobody was answered")
        process.kill()
        for each in threads:
            each.join()
        assert len(told) < 60, "it was killed in the middle"
    with open_office(settings) as office:
        gone = {bytes(row["id"]) for row in office.database.read("SELECT * FROM subscriptions WHERE address IS NULL")}
        assert set(told) <= gone
        assert count(office, "requests") >= len(signed_up)
        assert len(list(office.journal.entries())) >= len(told)
    with sqlite3.connect(settings.database) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_sigterm_lets_everybody_have_their_answer(tmp_path: Path) -> None:
    with web_process(tmp_path) as (process, settings):
        process.terminate()
        assert process.wait(timeout=20) == 0
        assert not settings.database.with_name("mailroom.db-wal").exists(), "the database was closed"


def test_what_is_being_answered_when_it_stops_is_answered() -> None:
    asked = threading.Event()

    def slow(_: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        asked.set()
        time.sleep(0.5)
        start_response("200 OK", [("Content-Length", "300000")])
        return [b"x" * 300_000]

    answers: list[bytes] = []
    with serving(slow) as (server, stop):
        port = server.port
        thread = threading.Thread(target=lambda: answers.append(exchange(port, b"GET / HTTP/1.0\r\n\r\n")))
        thread.start()
        assert asked.wait(10)
        stop.set()
        thread.join()
    assert answers[0].startswith(b"HTTP/1.0 200 OK\r\n")
    assert answers[0].endswith(b"x" * 300_000)
    with pytest.raises(OSError, match=r"refused|reset"):
        exchange(port, b"GET / HTTP/1.0\r\n\r\n")


def test_a_unix_socket(tmp_path: Path) -> None:
    def hello(_: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "2")])
        return [b"hi"]

    path = tmp_path / "socket"
    with serving(hello, f"unix:{path}"), socket.socket(socket.AF_UNIX) as connection:
        assert path.stat().st_mode & 0o777 == 0o660
        connection.connect(str(path))
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert b"".join(iter(lambda: connection.recv(4096), b"")).endswith(b"hi")


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The real pages behind the real server."""
    number = free_port()
    settings = settings_for(tmp_path_factory.mktemp("web"), number)
    make_office(settings)
    with open_office(settings, clock=Clock()) as office, serving(make_app(office), settings.listen):
        yield number


MALFORMED = {
    "no host": (b"GET /mail/subscribe HTTP/1.1\r\n\r\n", 400),
    "no host, HTTP/1.0": (b"GET /mail/subscribe HTTP/1.0\r\n\r\n", 400),
    "two hosts": (b"GET /mail/subscribe HTTP/1.1\r\nHost: HOST\r\nHost: elsewhere.example\r\n\r\n", 400),
    "another host": (b"GET /mail/subscribe HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n", 400),
    "a tunnel": (b"CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: HOST\r\n\r\n", 404),
    "all": (b"OPTIONS * HTTP/1.1\r\nHost: HOST\r\n\r\n", 404),
    "a name with a space": (b"GET /mail/subscribe HTTP/1.1\r\nHost : HOST\r\n\r\n", 400),
    "a folded header": (b"GET /mail/subscribe HTTP/1.1\r\nHost: HOST\r\nX: a\r\n b\r\n\r\n", None),
    "a header with NUL": (b"GET /mail/subscribe HTTP/1.1\r\nHost: HOST\r\nX: \x00\r\n\r\n", None),
    "a header without a colon": (b"GET /mail/subscribe HTTP/1.1\r\nHost: HOST\r\nX\r\n\r\n", 400),
    "a lone CR": (b"GET /mail/subscribe HTTP/1.1\r\nHost: HOST\rX: y\r\n\r\n", 400),
    "a path with a space": (b"GET /mail/sub scribe HTTP/1.1\r\nHost: HOST\r\n\r\n", 400),
    "a path with CR and LF": (b"GET /mail/%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: HOST\r\n\r\n", 404),
    "a path with NUL": (b"GET /mail/%00 HTTP/1.1\r\nHost: HOST\r\n\r\n", 404),
    "a path that is no UTF-8": (b"GET /mail/confirm/%ff%fe HTTP/1.1\r\nHost: HOST\r\n\r\n", 404),
    "bad percent-encoding": (b"GET /mail/confirm/%zz%1 HTTP/1.1\r\nHost: HOST\r\n\r\n", 404),
    "a way up": (b"GET /mail/../mail/subscribe HTTP/1.1\r\nHost: HOST\r\n\r\n", 404),
    "an encoded way up": (b"GET /mail/%2e%2e/mail/subscribe HTTP/1.1\r\nHost: HOST\r\n\r\n", 404),
    "no number for a length": (b"POST /mail/subscribe HTTP/1.1\r\nHost: HOST\r\nContent-Length: x\r\n\r\n", 400),
    "a negative length": (b"POST /mail/subscribe HTTP/1.1\r\nHost: HOST\r\nContent-Length: -5\r\n\r\n", 400),
    "two lengths": (
        b"POST /mail/subscribe HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400,
    ),
    "length and chunks": (
        b"POST /mail/subscribe HTTP/1.1\r\nHost: HOST\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\n", None,
    ),
    "a bad chunk": (
        b"POST /mail/subscribe HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n", 400,
    ),
    "a body beyond all bounds": (
        b"POST /mail/subscribe HTTP/1.1\r\nHost: HOST\r\nContent-Length: 9999999999\r\n\r\nab", 413,
    ),
    "headers beyond all bounds": (
        b"GET /mail/subscribe HTTP/1.1\r\nHost: HOST\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", None,
    ),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "HTTP/0.9": (b"GET /mail/subscribe\r\n\r\n", None),
    "another version": (b"GET /mail/subscribe HTTP/9.9\r\nHost: HOST\r\n\r\n", None),
}  # fmt: skip


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_requests(port: int, what: str) -> None:
    octets, expected = MALFORMED[what]
    answer = exchange(port, octets.replace(b"HOST", b"127.0.0.1:%d" % port))
    first = answer.split(b"\r\n", 1)[0]
    statuses = [int(each) for each in re.findall(rb"HTTP/1\.[01] (\d+)", answer)]
    if expected:
        assert statuses[0] == expected, first
    assert all(200 <= each < 500 for each in statuses), statuses
    assert b"elsewhere" not in answer
    assert b"Set-Cookie" not in answer
    assert not re.search(rb"(?im)^server:", answer)
    assert b"waitress" not in answer.lower()


def test_an_absolute_address_changes_nothing(port: int) -> None:
    """RFC 9112, 3.2.2: a server takes it; all links and the policy still come from MAILROOM_URL."""

    def ask(target: str, host: str) -> bytes:
        return exchange(port, f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())

    own = f"127.0.0.1:{port}"
    answer = ask("http://elsewhere.example/mail/subscribe", own)
    assert b"elsewhere" not in answer
    assert f"form-action http://{own}/mail/;".encode() in answer
    assert ask("http://elsewhere.example/mail/subscribe", "elsewhere.example").startswith(b"HTTP/1.1 400 ")
    assert ask(f"http://{own}/mail/subscribe", own).startswith(b"HTTP/1.1 200 ")


def test_a_form_in_chunks(port: int) -> None:
    head = "POST /mail/subscribe HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    body = b"14\r\naddress=a%40b.exampl\r\n9\r\ne&lang=fa\r\n0\r\n\r\n"
    octets = (head % port).encode() + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + body
    assert exchange(port, octets).startswith(b"HTTP/1.1 200 ")


def test_a_body_that_is_somewhat_too_large_gets_a_page(port: int) -> None:
    status, page = post(port, "/mail/subscribe", b"address=" + b"a" * 9000)
    assert status == 413
    assert b"<h1>" in page


def test_nothing_that_is_asked_for_is_logged(port: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with socket.create_connection(("127.0.0.1", port)) as connection:  # gone before it is answered
        connection.sendall(b"GET /mail/confirm/SECRET-TOKEN HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % port)
    exchange(port, b"GET /mail/confirm/SECRET-TOKEN HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % port)
    exchange(port, b"GARBAGE SECRET-TOKEN\r\n\r\n")
    assert "SECRET-TOKEN" not in caplog.text
