"""Requests to the form and the receipt's page that nobody would send; the same seed sends the same.

They go to the intake's own process through a socket, so that each has a child that may fail. Whatever is sent, there is
an answer, none of them a failure of ours; nothing of it comes back as HTML, and none of it is logged.
"""

from __future__ import annotations

import random
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from mailroom.intake.forms import FACES
from tests.mailroom.intake.house import BOUNDARY, HOST, TYPE, Running
from tests.mailroom.intake.probe import receive

FORM, RECEIPT = "form", "form/receipt"
MARK = "<injected>"
#: Each of several clients sends one of every so many.
CLIENTS = 4
PIECES = (
    MARK, '"', "'", "%", "%0d%0a", "\r\n", "\r\n\r\n", "\x00", "\u2028", "\ufffe", "\U0010ffff", "é", "فا", "../",
    "{{7*7}}", "${x}", "' OR 1=1 --", "a" * 600, "@", ",", ";", "&", "=", "\t", " ", "-1", "--", "fa", "yes",
    f"--{BOUNDARY.decode()}", f"--{BOUNDARY.decode()}--", "name=", 'filename="', "filename*=UTF-8''%41",
    "filename*=x'%ff", "Content-Type: multipart/mixed; boundary=x", "Content-Transfer-Encoding: base64",
)  # fmt: skip
NAMES = sorted({field.name for face in FACES.values() for field in face.fields} | {"files", "receipt", "delete", ""})
KINDS = (
    TYPE, TYPE, TYPE, TYPE, TYPE, "multipart/form-data", "multipart/form-data; boundary=", f"{TYPE}; charset=x",
    "multipart/form-data; boundary=" + "b" * 80, "multipart/mixed; boundary=x", "text/plain", "application/json", "",
    "application/x-www-form-urlencoded", MARK,
)  # fmt: skip
HEADERS = (
    "Accept-Language", "X-Forwarded-For", "Cookie", "Origin", "Referer", "Range", "If-None-Match", "Transfer-Encoding",
    "Expect", "Accept", "Accept-Encoding", "Content-Length", "Content-Type", "Host", "Connection", "X_Y", "",
)  # fmt: skip
METHODS = ("POST",) * 12 + ("GET", "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "post", "BREW", "")


class Fuzzer:
    """Makes requests."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - nothing secret

    def request(self, page: str) -> bytes:
        """A whole request; now and then one that is cut off within its body."""
        chance = self._random
        face = chance.choice(("form", "form", "form/meeting", "form/translation")) if page == FORM else page
        kind = chance.choice(KINDS) if page == FORM or chance.random() < 0.2 else KINDS[-2]
        body = self._form() if page == FORM else self._receipt()
        if body and chance.random() < 0.3:
            body = self._damaged(body)
        method = chance.choice(METHODS)
        target = f"/mail/{face}" + ("" if chance.random() < 0.9 else chance.choice(("/", "x", "%00", "%ff", "/../")))
        query = f"lang={chance.choice(('fa', 'en', MARK, '%ff', ''))}" if chance.random() < 0.9 else self._text()
        lines = [f"{method} {target}?{query} HTTP/1.1", f"Host: {HOST}"]
        if method not in ("GET", "HEAD") or chance.random() < 0.1:
            lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
        else:
            body = b""
        for name in chance.sample(HEADERS, chance.choice((0, 0, 0, 1, 2))):
            lines.append(f"{name}: {chance.choice((self._text(), '127.0.0.1, x', 'fa;q=0.5', '5', 'chunked'))}")
        head = "\r\n".join((*lines, "", "")).encode("utf-8", "replace")
        return head + (body[: chance.randrange(len(body))] if body and chance.random() < 0.05 else body)

    def _form(self) -> bytes:
        chance = self._random
        parts = []
        for _ in range(chance.choice((0, 1, 2, 3, 5, 8, 140))):
            name = chance.choice((*NAMES, self._text())).replace("\r\n", "")
            about = f'form-data; name="{name}"'
            value = self._text().encode()
            if chance.random() < 0.2:
                about += f'; filename="{self._text()}"'
                value = chance.randbytes(chance.choice((0, 10, 5000, 300_000)))
            if chance.random() < 0.1:
                about = self._text()
            parts.append(b"--%b\r\nContent-Disposition: %b\r\n\r\n%b\r\n" % (BOUNDARY, about.encode(), value))
        return b"".join((*parts, b"--", BOUNDARY, b"--\r\n"))

    def _receipt(self) -> bytes:
        chance = self._random
        digits = "".join(chance.choices("0123456789۱۲۳٤٥٦", k=chance.choice((16, 16, 16, 15, 17, 0))))
        fields = {"receipt": chance.choice((digits, digits, self._text())), "delete": chance.choice(("", "yes", MARK))}
        return "&".join(f"{name}={value}" for name, value in fields.items()).encode("utf-8", "replace")

    def _damaged(self, body: bytes) -> bytes:
        chance = self._random
        place = chance.randrange(len(body))
        return body[:place] + chance.randbytes(chance.randrange(4)) + body[place + chance.randrange(8) :]

    def _text(self) -> str:
        return "".join(self._random.choice(PIECES) for _ in range(self._random.randrange(4)))


def attack(intake: Running, page: str, count: int, seed: int = 1) -> Counter[int]:
    """Send so many requests, and return how often each status came. Raises AssertionError for what should not be."""

    def one_client(number: int) -> Counter[int]:
        fuzzer = Fuzzer(seed * CLIENTS + number)
        return Counter(send(intake.house.port, fuzzer.request(page)) for _ in range(number, count, CLIENTS))

    with ThreadPoolExecutor(CLIENTS) as clients:
        return sum(clients.map(one_client, range(CLIENTS)), Counter())


def send(port: int, request: bytes) -> int:
    """Send a request, and return the status of its answer. Raises AssertionError when that is not what it should be."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = receive(connection)
    assert answer, request
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ")[1])
    assert 200 <= status < 500, (status, request)
    assert not 300 <= status < 400, (status, request)
    assert b"no-store" in head, request
    assert b"set-cookie" not in head.lower(), request
    assert MARK.encode() not in answer, request
    if body:
        assert b"default-src 'none'" in head, request
        assert b"<h1>" in body, request
    return status
