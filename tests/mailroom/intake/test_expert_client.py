"""The expert's client before servers that fail in every way: each fault is said clearly, and the token stays here."""

from __future__ import annotations

import json
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mailroom.errors import ConfigurationError
from mailroom.expert.client import Client, Overview, ServerError
from mailroom.settings import Secret
from tests.mailroom.intake.stores import make_expert
from tests.mailroom.servers import make_certificates

TOKEN = "mailroom_token-of-an-expert"
ID = "0123456789abcdef" * 2
GOOD = {
    "submissions": [{"id": ID, "day": "2026-11-22", "size": 8192, "key": "0123abcd", "state": "stored"}],
    "recipients": [{"age": make_expert().recipient.age, "since": "2026-11-01"}],
    "form": "https://site.example/mail/form", "token": {"name": "expert", "expires": "2027-01-01"},
    "health": [{"verdict": "look", "what": "Something \u202e\x1b[2J", "remedy": ""}],
}  # fmt: skip


class Stub:
    """A server that answers every connection with the same octets, after what it was asked."""

    def __init__(self, answer: bytes, *, hold: bool = False, context: ssl.SSLContext | None = None) -> None:
        self._answer, self._hold, self._context = answer, hold, context
        self.asked: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while not self._done.is_set():
            connection, _ = self._listener.accept()
            with connection:
                if self._done.is_set():
                    return
                try:
                    line = self._context.wrap_socket(connection, server_side=True) if self._context else connection
                    with line:
                        self.asked.append(line.recv(65536))
                        line.sendall(self._answer)
                        if self._hold:
                            self._done.wait(20)
                except OSError:
                    continue

    def close(self) -> None:
        self._done.set()
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join()
        self._listener.close()


def answer(status: int, body: bytes = b"", *headers: str, length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body) if length is None else length}", "Connection: close"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


@contextmanager
def asking(octets: bytes, **options: Any) -> Iterator[tuple[Client, Stub]]:
    stub = Stub(octets, **options)
    try:
        with Client(f"http://127.0.0.1:{stub.port}/mail/api/", Secret(TOKEN), (2, 0.3)) as client:
            yield client, stub
    finally:
        stub.close()


def test_what_is_well_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with asking(answer(200, json.dumps(GOOD).encode())) as (client, stub):
        overview = client.look()
    assert isinstance(overview, Overview)
    assert (overview.submissions[0].day, overview.expires) == (date(2026, 11, 22), date(2027, 1, 1))
    assert overview.health[0].what == "Something \ufffd\ufffd[2J", "nothing for the terminal"
    assert f"Authorization: Bearer {TOKEN}".encode() in stub.asked[0]


FAULTS = {
    "unknown token": (answer(401), "does not know the token"),
    "another scope": (answer(403), "wrong scope"),
    "not there": (answer(404), "no such submission"),
    "other octets": (answer(412), "other octets"),
    "out of order": (answer(502, b"<h1>nginx"), "out of order (502)"),
    "nothing can be read": (answer(503), "can read and write nothing now"),
    "refused": (answer(418), "refuses this (418)"),
    "leads elsewhere": (answer(302, b"", "Location: https://elsewhere.example/"), "leads elsewhere (302)"),
    "a portal": (answer(200, b"<html>Please sign in"), "no answer of a mailroom"),
    "other JSON": (answer(200, b"[]"), "no answer of a mailroom"),
    "deep JSON": (answer(200, b"[" * 100_000), "no answer of a mailroom"),
    "cut off": (answer(200, b"{", length=500), "broke off"),
    "no HTTP": (b"SSH-2.0-OpenSSH\r\n", "cannot be reached, or hung up"),
    "nothing": (b"", "cannot be reached, or hung up"),
    "endless": (answer(200, b" " * (9 * 1024 * 1024)), "more than"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_a_message_and_repeats_nothing(fault: str) -> None:
    octets, message = FAULTS[fault]
    with asking(octets) as (client, stub), pytest.raises(ServerError) as caught:
        client.look()
    assert message in str(caught.value)
    assert caught.value.remedy
    assert TOKEN not in str(caught.value)
    assert len(stub.asked) == 1, "it is asked once, and nobody else is"


def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    with asking(b"", hold=True) as (client, _), pytest.raises(ServerError, match=r"said nothing for 0\.3 s"):
        client.look()
    with asking(answer(200, b"{", length=500), hold=True) as (client, _), pytest.raises(ServerError):
        client.look()


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        with (
            Client(f"http://127.0.0.1:{probe.getsockname()[1]}/mail/api/", Secret(TOKEN)) as client,
            pytest.raises(ServerError, match="cannot be reached"),
        ):
            client.look()


@pytest.mark.parametrize("length", [8191, 8193, 0])
def test_a_blob_of_another_size_is_refused(length: int) -> None:
    with asking(answer(200, bytes(length))) as (client, _), pytest.raises(ServerError):
        client.fetch(ID, 8192)
    with asking(answer(200, bytes(8192))) as (client, _):
        assert client.fetch(ID, 8192).octets == bytes(8192)


HOSTILE: dict[str, Any] = {
    "a path for an id": {"id": "../" * 10 + "xy"}, "another size": {"size": 8191}, "no day": {"day": "x"},
    "a state of its own": {"state": "\x1b[2J"}, "a key of its own": {"key": "\n" * 8}, "a number": {"id": 5},
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_a_server_that_lies_gets_nowhere(what: str) -> None:
    lie = GOOD | {"submissions": [GOOD["submissions"][0] | HOSTILE[what]]}  # type: ignore[index]
    with asking(answer(200, json.dumps(lie).encode())) as (client, _), pytest.raises(ServerError, match="no answer of"):
        client.look()


def test_the_token_goes_to_https_or_this_machine_alone() -> None:
    for api in ("http://site.example/mail/api/", "ftp://localhost/", "site.example", "https://site.example/mail/api",
                "https://user:secret@site.example/", "https:///", "https://site.example:x/", "http://127.0.0.1.example/",
                "https://site.example/?a=b/", ""):  # fmt: skip
        with pytest.raises(ConfigurationError, match="MAILROOM_INTAKE_API") as caught:
            Client(api, Secret(TOKEN))
        assert "secret" not in str(caught.value)
    for api in ("https://site.example/mail/api/", "http://localhost:8026/mail/api/", "http://[::1]/"):
        Client(api, Secret(TOKEN)).close()
    for token in ("", "two words", "x\r\ny"):
        with pytest.raises(ConfigurationError, match="MAILROOM_INTAKE_TOKEN"):
            Client("https://site.example/", Secret(token))


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    ca, certificate, key = make_certificates(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    stub = Stub(answer(200, json.dumps(GOOD).encode()), context=context)
    try:
        with (
            Client(f"https://localhost:{stub.port}/", Secret(TOKEN)) as client,
            pytest.raises(ServerError, match="certificate"),
        ):
            client.look()
        assert not any(TOKEN.encode() in each for each in stub.asked)
        with Client(f"https://localhost:{stub.port}/", Secret(TOKEN), ca=os.fspath(ca)) as client:
            assert client.look().submissions
    finally:
        stub.close()
