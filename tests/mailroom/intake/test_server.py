"""A process for each request: what it reads, what it cannot leave behind, and that it holds up nobody else."""

from __future__ import annotations

import faulthandler
import json
import os
import resource
import signal
import socket
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from mailroom.service import forbid_dump
from tests.frontdoor.support import wait_until
from tests.mailroom.intake.probe import CANARY, Probe, fork, receive, running

OK = b"HTTP/1.1 200 OK\r\n"
HOST = b"Host: site.example\r\n"


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probe]:
    with running(tmp_path_factory.mktemp("probe")) as probe:
        yield probe


def test_each_request_has_a_process_of_its_own_that_ends_with_it(probe: Probe) -> None:
    found = [probe.ask(f"/{number}?q=%20", "POST", b"x" * number * 100_000) for number in range(3)]
    assert [each["received"] for each in found] == [0, 100_000, 200_000]
    assert [(each["method"], each["path"], each["query"]) for each in found][1] == ("POST", "/1", "q=%20")
    assert found[0]["peer"] == "127.0.0.1"
    assert len({each["pid"] for each in found} | {probe.pid}) == 4
    wait_until(lambda: not probe.children(), "a child is left")
    assert Path(f"/proc/{probe.pid}/status").read_text().count("Threads:\t1\n") == 1


def test_a_child_leaves_no_core_and_no_swap(probe: Probe) -> None:
    about = probe.ask("/")
    assert (about["dumpable"], about["core"], about["umask"], about["threads"]) == (0, 0, 0o077, 1)
    if os.geteuid() == 0 or resource.getrlimit(resource.RLIMIT_MEMLOCK)[1] == resource.RLIM_INFINITY:
        assert about["locked"] > 1000


def test_what_faults_leaves_no_core_even_where_there_is_no_limit(tmp_path: Path) -> None:
    """Whoever has cores handed to a program (core_pattern, "|…") has no limit. That one would be written is tried."""

    def fault(*, shielded: bool) -> bool:
        child = fork()
        if not child:
            os.chdir(tmp_path)
            faulthandler.disable()  # which pytest enables
            most = resource.getrlimit(resource.RLIMIT_CORE)[1]
            resource.setrlimit(resource.RLIMIT_CORE, (most, most))
            if shielded:
                forbid_dump()
            os.kill(os.getpid(), signal.SIGSEGV)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.WTERMSIG(status) == signal.SIGSEGV
        return os.WCOREDUMP(status)

    assert fault(shielded=False), "the control: here a core would be written, to a file or to another program"
    for path in tmp_path.iterdir():
        path.unlink()
    assert not fault(shielded=True)
    assert not list(tmp_path.iterdir())


def test_a_fault_in_a_child_is_said_without_a_word_of_the_request(tmp_path: Path) -> None:
    with running(tmp_path) as probe:
        for path, said in (("/fault", "its process ended (SIGSEGV)"), ("/raise", "ValueError at probe.py:")):
            body = CANARY.encode() * 1000
            head = b"POST %b?%b HTTP/1.1\r\n%bX: %b\r\nContent-Length: %d\r\n\r\n"
            request = head % (path.encode(), CANARY.encode(), HOST, CANARY.encode(), len(body))
            assert probe.send(request + body) == b""
            wait_until(partial(probe.says, said), f"it is not said: {probe.said}")
        assert probe.ask("/")["pid"], "it goes on"
        assert not list(tmp_path.iterdir()), "a core file"
    assert CANARY not in "".join(probe.said)
    assert not any("Traceback" in line for line in probe.said)


# What is read

LINE = b"GET / HTTP/1.1\r\n"
POST = b"POST / HTTP/1.1\r\n"
ODD = {
    "nothing at all": (b"\r\n\r\n", 400),
    "another method": (b"PUT / HTTP/1.1\r\n" + HOST + b"\r\n", 405),
    "small letters": (b"get / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "an old version": (b"GET /\r\n\r\n", 400),
    "the next version": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "a whole address": (b"GET http://site.example/ HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "two spaces": (b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a line feed alone": (b"GET / HTTP/1.1\n" + HOST + b"\r\n", 400),
    "a line feed alone after a header": (LINE + b"Host: site.example\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "no host": (LINE + b"\r\n", 400),
    "two hosts": (LINE + HOST + b"Host: other.example\r\n\r\n", 400),
    "a folded header": (LINE + HOST + b"X: 1\r\n 2\r\n\r\n", 400),
    "a space before the colon": (LINE + HOST + b"X : 1\r\n\r\n", 400),
    "a header without a colon": (LINE + HOST + b"X\r\n\r\n", 400),
    "a control character": (LINE + HOST + b"X: \x00\r\n\r\n", 400),
    "an underscore": (LINE + b"Host: site.example\r\nX_Y: 1\r\n\r\n", 400),
    "chunks": (POST + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunks and a length": (POST + HOST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "two lengths": (POST + HOST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400),
    "lengths in one": (POST + HOST + b"Content-Length: 1, 1\r\n\r\nx", 400),
    "a signed length": (POST + HOST + b"Content-Length: +1\r\n\r\nx", 400),
    "an endless length": (POST + HOST + b"Content-Length: 9999999999999\r\n\r\nx", 400),
    "no length": (POST + HOST + b"\r\n", 411),
    "a body to a GET": (LINE + HOST + b"Content-Length: 1\r\n\r\nx", 400),
    "a long line": (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 431),
    "many headers": (LINE + HOST + b"X: 1\r\n" * 80 + b"\r\n", 431),
    "spaces without end": (LINE + HOST + b"X:" + b" " * 16_000 + b"\x00\r\n\r\n", 400),
    "a long header": (LINE + HOST + b"X: " + b"a" * 20_000 + b"\r\n\r\n", 431),
}  # fmt: skip


@pytest.mark.parametrize("odd", list(ODD))
def test_what_is_no_plain_request_is_refused(probe: Probe, odd: str) -> None:
    request, status = ODD[odd]
    answer = probe.send(request)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert not body
    assert b"Cache-Control: no-store" in head


@pytest.mark.parametrize("cut", [b"", b"GET", LINE, LINE + HOST, LINE + HOST + b"\r"])
def test_a_head_that_does_not_come_whole_is_not_answered(probe: Probe, cut: bytes) -> None:
    assert probe.send(cut) == b""


def test_a_request_is_handed_on_as_it_came(probe: Probe) -> None:
    answer = probe.send(b"GET /%41%ff%C3%A9/%zz?a=%41 HTTP/1.0\r\n" + HOST + b"x:\t1 \r\nX: \xc3\xa9\r\n\r\n")
    assert answer.startswith(OK)
    assert b"Connection: close" in answer
    about = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert (about["path"], about["query"], about["x"]) == ("/A\xff\xc3\xa9/%zz", "a=%41", "1,\xc3\xa9")


def test_who_is_refused_before_everything_was_sent_still_sees_the_answer(probe: Probe) -> None:
    with probe.connect() as connection:
        connection.sendall(POST.replace(b"/ ", b"/early ") + HOST + b"Content-Length: 4000000\r\n\r\n")
        connection.sendall(bytes(4_000_000))
        assert receive(connection).endswith(b"early")


# Who is slow


def test_the_slow_hold_their_own_process_alone(tmp_path: Path) -> None:
    with running(tmp_path, most=2) as probe:
        slow = [probe.connect() for _ in range(2)]
        for connection in slow:
            connection.sendall(b"GET / HT")
        wait_until(lambda: len(probe.children()) == 2, "they are not taken")
        with probe.connect() as third:
            third.sendall(LINE + HOST + b"\r\n")
            third.settimeout(0.3)
            with pytest.raises(TimeoutError):
                third.recv(1)
            assert len(probe.children()) == 2, "it waits outside"
            os.kill(probe.children()[0], signal.SIGKILL)
            third.settimeout(20)
            assert receive(third).startswith(OK)
        for connection in slow:
            connection.close()
        wait_until(lambda: not probe.children(), "a child is left")
    assert any("SIGKILL" in line for line in probe.said)


def test_who_sends_slowly_makes_room_and_who_has_sent_everything_is_answered(tmp_path: Path) -> None:
    with (
        running(tmp_path, most=3, pressed=0.5) as probe,
        probe.connect() as whole, probe.connect() as slower, probe.connect() as slow,
    ):  # fmt: skip
        whole.sendall(POST.replace(b"/ ", b"/soon ") + HOST + b"Content-Length: 1\r\n\r\nx")
        for connection in (slower, slow):
            connection.sendall(POST + HOST + b"Content-Length: 9\r\n\r\nx")
        wait_until(lambda: len(probe.children()) == 3, "they are not taken")
        time.sleep(1)
        assert len(probe.children()) == 3, "nobody waits"
        begin = time.monotonic()
        assert probe.ask("/")["received"] == 0
        assert time.monotonic() - begin < 1
        assert _read(slower) == b"", "the oldest of those who are not done goes"
        slow.sendall(b"x" * 8)
        assert receive(slow).startswith(OK), "and nobody else"
        assert receive(whole).startswith(OK)
    assert probe.said == [], "whoever is slow fills no log"


def test_who_does_not_take_the_answer_to_what_was_read_holds_nothing(probe: Probe) -> None:
    with probe.connect() as connection, probe.connect() as other:
        connection.sendall(LINE + HOST + b"\r\n")
        other.sendall(POST + HOST + b"Content-Length: 1\r\n\r\nx")
        wait_until(lambda: not probe.children(), "it still waits", seconds=2)
        assert receive(connection).startswith(OK)
        assert receive(other).startswith(OK)


def test_who_goes_before_the_answer_fills_no_log(tmp_path: Path) -> None:
    with running(tmp_path) as probe:
        with probe.connect() as connection:
            connection.sendall(POST.replace(b"/ ", b"/soon ") + HOST + b"Content-Length: 1\r\n\r\nx")
            wait_until(probe.children, "it is not taken")
        wait_until(lambda: not probe.children(), "a child is left")
    assert probe.said == [], "a log's times would tell when somebody came"


def test_a_request_has_so_many_seconds_and_no_more(tmp_path: Path) -> None:
    with running(tmp_path, deadline=0.8, head=0.3) as probe:
        for sent, least, most in ((b"GET / HT", 0.2, 0.7), (POST + HOST + b"Content-Length: 9\r\n\r\nx", 0.7, 3.0)):
            with probe.connect() as connection:
                begin = time.monotonic()
                connection.sendall(sent)
                with_nothing = _read(connection)
                assert with_nothing == b""
                assert least < time.monotonic() - begin < most
    assert probe.said == [], "whoever is slow fills no log"


def _read(connection: socket.socket) -> bytes:
    try:
        return receive(connection)
    except ConnectionResetError:
        return b""


def test_at_the_end_what_has_begun_is_answered(tmp_path: Path) -> None:
    probe = Probe(tmp_path)
    with probe.connect() as connection:
        connection.sendall(POST + HOST + b"Content-Length: 4\r\n\r\nab")
        wait_until(lambda: len(probe.children()) == 1, "it is not taken")
        probe.close_line()
        wait_until(lambda: _refuses(probe), "it still listens")
        connection.sendall(b"cd")
        assert receive(connection).startswith(OK)
    assert probe.stop() == 0


def _refuses(probe: Probe) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", probe.port)) != 0
