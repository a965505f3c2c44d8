"""Requests that nobody would send, to every page: `python -m tests.mailroom.fuzz [COUNT [SEED]]` for each of them.

They go through the application itself, as a server would hand them on. Whatever is asked, there is an answer that says
what a browser may do with it, none of them a failure of ours, and nothing that was sent comes back as HTML.
"""

from __future__ import annotations

import base64
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from urllib.parse import quote, urlencode

from mailroom.office import Office
from mailroom.people.requests import Request
from mailroom.tokens import Purpose
from tests.mailroom.offices import make_settings, new_office, subscribe
from tests.mailroom.visitor import FORM, Answer, Visitor

MANY = 1_000_000_000
ENDPOINTS = (
    "subscribe",
    "subscribe/send",
    "confirm/{token}",
    "unsubscribe/{token}",
    "settings/{token}",
    "preferences/{token}",
    "preferences/{token}/export",
    "preferences/{token}/erase",
    "health",
    "nowhere",
)
MARK = "<injected>"
PIECES = (
    MARK, '"', "'", "%", "%0d%0a", "\r\n", "\x00", "\u2028", "\ufffe", "\U0010ffff", "é", "فا", "../", "{{7*7}}",
    "${x}", "' OR 1=1 --", "a" * 300, "@", "example.org", "reader@example.org", ",", ";", "&", "=", "\t", " ", "-1",
    "fa",
)  # fmt: skip
METHODS = ("GET", "POST", "POST", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "get", "BREW", "")
KINDS = (FORM, FORM, FORM, f"{FORM}; charset=x", "text/plain", "application/json", "multipart/form-data", "", MARK)
HEADERS = (
    "Accept-Language", "X-Forwarded-For", "Content-Length", "Content-Type", "Cookie", "Origin", "Referer", "Range",
    "If-None-Match", "Transfer-Encoding", "Expect", "Accept", "Accept-Encoding", "Authorization", "X-Forwarded-Host",
)  # fmt: skip
FIELDS = ("address", "lang", "request", "langs", "rhythm", "discreet", "List-Unsubscribe", "")


class Fuzzer:
    """Asks one mailroom for things; the same seed asks for the same."""

    def __init__(self, office: Office, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - nothing secret
        self._office = office
        self._visitor = Visitor(office)
        self._now = office.clock.now()
        [self._identity] = subscribe(office, "fuzzed@example.org")

    def ask(self, endpoint: str) -> Answer:
        """One request, and its answer. Raises AssertionError when that is not what it should be."""
        chance = self._random
        path = "/mail/" + (endpoint.replace("{token}", self._token(endpoint)) if "{" in endpoint else endpoint)
        query = self._text() if chance.random() < 0.2 else f"lang={chance.choice(PIECES)}"
        method = chance.choice(METHODS)
        body = self._body()
        headers = {"Content-Type": chance.choice(KINDS)}
        for name in chance.sample(HEADERS, chance.randrange(4)):
            headers[name] = self._octets(chance.choice((self._text(), chance.choice(PIECES), "fa-IR,en;q=0.5")))
        host = {} if chance.random() < 0.95 else {"HTTP_HOST": self._octets(self._text())}
        asked = f"{path}?{self._octets(query)}"
        answer = self._visitor.ask(
            method, asked, body, headers, REMOTE_ADDR=chance.choice(("192.0.2.1", "", "x")), **host
        )
        check(answer)
        return answer

    def _token(self, endpoint: str) -> str:
        """Now and then a good one, mostly not."""
        chance = self._random
        identity = self._identity if chance.random() < 0.5 else chance.randbytes(16)
        good = self._office.tokens.issue(Purpose[endpoint.partition("/")[0].upper()], identity, self._now)
        kind = chance.randrange(4)
        if kind == 0:
            return good
        if kind == 1:
            octets = bytearray(base64.urlsafe_b64decode(good))
            octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)
            return base64.urlsafe_b64encode(octets).decode()
        if kind == 2:
            return good[: chance.randrange(len(good))]
        return self._octets(self._text()).replace("?", "")

    def _body(self) -> bytes:
        chance = self._random
        kind = chance.randrange(5)
        if kind == 0:
            return chance.randbytes(chance.choice((0, 1, 50, 8192, 8193, 20_000)))
        fields = [(chance.choice(FIELDS), self._text()) for _ in range(chance.randrange(30 if kind == 1 else 5))]
        if kind == 2:
            fields = [("address", "reader@example.org"), ("lang", "fa"), *fields]
        if kind == 3:
            request = Request("subscribe", "fa", "reader@example.org", consent="c0ffee")
            fields = [("request", self._office.requests.seal_form(request)), *fields]
        if kind == 4:
            langs = chance.choices(("fa", "en", "", MARK), k=3)
            fields = [*(("langs", lang) for lang in langs), ("rhythm", chance.choice(("each", "weekly", MARK)))]
        body = urlencode(fields, errors="replace").encode()
        if chance.random() < 0.2 and body:
            place = chance.randrange(len(body))
            body = body[:place] + chance.randbytes(3) + body[place:]
        return body

    def _text(self) -> str:
        return "".join(self._random.choice(PIECES) for _ in range(self._random.randrange(6)))

    def _octets(self, text: str) -> str:
        """A text as servers hand it on: each octet a character."""
        if self._random.random() < 0.3:
            text = quote(text)
        return text.encode("utf-8", "replace").decode("latin-1")


def check(answer: Answer) -> None:
    """What every answer must be."""
    assert 200 <= answer.status < 500, answer.status
    assert not 300 <= answer.status < 400, answer.status
    assert answer.header("Content-Security-Policy").startswith("default-src 'none'")
    assert not answer.header("Set-Cookie")
    for name, value in answer.headers:
        assert (name + value).isprintable(), name
    assert MARK.encode() not in answer.body
    if answer.header("Content-Type").startswith("text/html") and answer.body:
        assert answer.heading


def main() -> None:
    """Fuzz each endpoint, and print one line for each."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    for endpoint in ENDPOINTS:
        with tempfile.TemporaryDirectory() as folder:
            settings = make_settings(Path(folder), limit_network=MANY, limit_total=MANY, limit_day=MANY)
            with new_office(settings) as office:
                fuzzer, started = Fuzzer(office, seed), time.monotonic()
                statuses = Counter(fuzzer.ask(endpoint).status for _ in range(count))
            told = ", ".join(f"{number} × {status}" for status, number in sorted(statuses.items()))
            print(f"{endpoint}: {told}; {time.monotonic() - started:.0f} s")  # noqa: T201


if __name__ == "__main__":
    main()
