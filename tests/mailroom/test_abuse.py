"""What people send who mean harm, and what programs send that know no better: each has a clear answer."""

from __future__ import annotations

import logging
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

import mailroom.store.database
from mailroom.errors import DiskFull
from mailroom.office import Office
from mailroom.people.requests import Request
from mailroom.settings import Settings
from mailroom.store.keyring import make_keyring
from mailroom.tokens import Purpose, Tokens
from tests.mailroom.offices import Watch, ask, count, identity_of, new_office, subscribe
from tests.mailroom.visitor import FORM, Answer, Visitor

#: It is never to be seen in a page as it is sent.
MARK = '"><b id=injected>'
INJECTIONS = (
    "reader@example.org\r\nBcc: others@example.org",
    "reader@example.org\nSubject: x",
    "reader@example.org\r\n\r\nBody",
    "reader@example.org%0d%0aBcc: others@example.org",
    "reader@example.org\x00others@example.org",
    "reader@example.org,others@example.org",
    "reader@example.org;others@example.org",
    '"reader@example.org\\r\\nBcc:"@example.org',
    "Reader <reader@example.org>",
    "reader@example.org\u2028others",
    "reader@[192.0.2.1]",
    "reader\x85x@example.org",
)


@pytest.fixture
def visitor(office: Office) -> Visitor:
    return Visitor(office)


def is_clear(answer: Answer, status: int) -> bool:
    """Whether an answer is a page with this status, that repeats nothing and shows nothing of ours."""
    assert answer.status == status, (answer.status, answer.text[-900:])
    assert answer.heading
    assert MARK not in answer.text
    assert "Traceback" not in answer.text
    assert all("\r" not in value and "\n" not in value for _, value in answer.headers)
    return True


@pytest.mark.parametrize("text", INJECTIONS)
def test_an_address_that_would_begin_another_header(office: Office, visitor: Visitor, text: str) -> None:
    assert is_clear(visitor.post("subscribe", {"address": text, "lang": "en"}), 422)
    assert count(office, "requests") == 0


@pytest.mark.parametrize("text", [*INJECTIONS, MARK, "en\r\nSet-Cookie: a=b"])
def test_injection_in_every_other_field(office: Office, visitor: Visitor, text: str) -> None:
    [identity] = subscribe(office, "reader@example.org")
    page = visitor.post("subscribe", {"address": "reader@example.org", "lang": text})
    assert is_clear(page, 200)
    assert page.lang == "en"
    assert is_clear(visitor.post("subscribe/send", {"request": text}), 400)
    link = visitor.link(Purpose.PREFERENCES, identity)
    for fields in ({"langs": [text], "rhythm": "each"}, {"langs": ["en"], "rhythm": text}):
        assert is_clear(visitor.post(link, fields), 400)
    assert is_clear(visitor.post(link, {"langs": ["en"], "rhythm": "each", "discreet": text}), 200)
    assert not office.subscriptions.preferences(identity).discreet
    octets = text.encode().decode("latin-1")
    assert is_clear(visitor.get(f"subscribe?lang={text}"), 200)
    assert is_clear(visitor.ask("GET", f"/mail/confirm/{octets}"), 404)
    assert is_clear(visitor.ask("GET", f"/mail/{octets}"), 404)


def test_what_was_typed_is_shown_as_text(visitor: Visitor) -> None:
    page = visitor.post("subscribe", {"address": MARK, "lang": "en"})
    assert is_clear(page, 422)
    assert page.tree.get_element_by_id("address").get("value") == MARK


@pytest.mark.parametrize("path", ["subscribe", "subscribe/send", "preferences"])
def test_bodies(office: Office, visitor: Visitor, path: str) -> None:
    [identity] = subscribe(office, "reader@example.org")
    if path == "preferences":
        path = visitor.link(Purpose.PREFERENCES, identity)

    def send(body: bytes, kind: str = FORM, **headers: str) -> Answer:
        return visitor.ask("POST", f"/mail/{path}", body, {"Content-Type": kind} | headers)

    empty = 422 if path == "subscribe" else 400
    for body in (b"", b"&&&&", b"=", b"%", b"%zz=%0", b"address", b"address=%00", b"a" * 8192):
        assert is_clear(send(body), empty)
    for body in (b"\xff\xfe", b"address=%ff%fe", b"&".join(b"a=b" for _ in range(50))):
        assert is_clear(send(body), 400)
    for body in (b"a" * 8193, b"address=" + b"a" * 100_000):
        assert is_clear(send(body), 413)
    for kind in (
        "",
        "text/plain",
        "application/json",
        "multipart/form-data; boundary=x",
        "application/x-www-form",
        MARK,
    ):
        assert is_clear(send(b"address=reader%40example.org", kind), 415)
    for length in ("-1", "9" * 30, "1e3", "x", ""):
        assert send(b"a=b", Content_Length=length).status in (400, 413, empty)
    assert count(office, "requests") == 0


def test_a_body_is_not_read_when_it_is_too_large(visitor: Visitor) -> None:
    class Untouched:
        def read(self, *_: Any) -> bytes:
            raise AssertionError

    headers = {"Content-Type": FORM, "Content-Length": "8193"}
    environ: dict[str, Any] = {"wsgi.input": Untouched()}
    assert is_clear(visitor.ask("POST", "/mail/subscribe", headers=headers, **environ), 413)


def test_a_form_with_a_charset(visitor: Visitor) -> None:
    body = "address=خواننده%40example.org&lang=fa".encode()
    answer = visitor.ask("POST", "/mail/subscribe", body, {"Content-Type": f"{FORM.upper()} ; charset=UTF-8"})
    assert answer.status == 200


def test_tokens_that_are_not_ours(office: Office, visitor: Visitor, watch: Watch) -> None:
    [identity] = subscribe(office, "reader@example.org")
    stranger = Tokens(make_keyring())
    paths = {Purpose.PREFERENCES: ("", "/export", "/erase")}
    for purpose in Purpose:
        good = office.tokens.issue(purpose, identity, watch.now)
        changed = good[:20] + ("A" if good[20] != "A" else "B") + good[21:]
        others = [office.tokens.issue(each, identity, watch.now) for each in Purpose if each is not purpose]
        forged = [stranger.issue(purpose, identity, watch.now), changed, good[:-1], good + "A", good.lower(), "A", "%"]
        for token in [*others, *forged, "A" * 9000, "é".encode().decode("latin-1"), "\x00"]:
            for rest in paths.get(purpose, ("",)):
                path = f"/mail/{purpose.name.lower()}/{token}{rest}"
                assert is_clear(visitor.ask("GET", path), 404)
                if rest != "/export":
                    assert is_clear(visitor.ask("POST", path, headers={"Content-Type": FORM}), 404)
    assert office.subscriptions.record(identity).state == "confirmed"
    assert count(office, "requests") == 0


def test_forms_that_are_not_ours(office: Office, settings: Settings, tmp_path: Path, watch: Watch) -> None:
    visitor = Visitor(office)
    ours = visitor.post("subscribe", {"address": "reader@example.org", "lang": "en"}).field
    waiting = office.requests.seal(Request("subscribe", "en", "reader@example.org")).hex()
    with new_office(
        # another mailroom's
        Settings(data=tmp_path / "other", key=str(tmp_path / "other.key"), url=settings.url, development=True),
        watch,
    ) as other:
        theirs = Visitor(other).post("subscribe", {"address": "reader@example.org", "lang": "en"}).field
    for field in (theirs, waiting, ours[:-4], ours[4:], ours[:50] + "AAAA" + ours[54:], "", "A", "=", "é", "A" * 2000):
        assert is_clear(visitor.post("subscribe/send", {"request": field}), 400)
    assert count(office, "requests") == 0
    assert visitor.post("subscribe/send", {"request": ours}).status == 200


@pytest.mark.parametrize(
    "host",
    ["", "elsewhere.example", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:8025.elsewhere.example", "127.0.0.1:8025:1",
     "user@127.0.0.1:8025", "127.0.0.1:8025, elsewhere.example", "[::1]:8025", "127.0.0.1:8025\x00", "é"],
)  # fmt: skip
def test_another_host(office: Office, visitor: Visitor, host: str) -> None:
    [identity] = subscribe(office, "reader@example.org")
    for method, path in (
        ("GET", "subscribe"),
        ("GET", "health"),
        ("POST", visitor.link(Purpose.UNSUBSCRIBE, identity)),
        ("GET", "nowhere"),
    ):
        answer = visitor.ask(method, f"/mail/{path}", HTTP_HOST=host)
        assert is_clear(answer, 400)
        assert "elsewhere" not in answer.text
    assert office.subscriptions.record(identity).state == "confirmed"


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("https://news.example/mail/", ["news.example", "NEWS.example", "news.example:443"]),
        ("https://news.example:8443/", ["news.example:8443"]),
        ("http://abcdefghij.onion/mail/", ["abcdefghij.onion", "abcdefghij.onion:80"]),
        ("http://[::1]:8025/mail/", ["[::1]:8025"]),
    ],
)
def test_our_own_host_by_any_of_its_names(tmp_path: Path, url: str, hosts: list[str]) -> None:
    own = Settings(data=tmp_path / "own", key=str(tmp_path / "own.key"), url=url, development=True)
    with new_office(own) as office:
        visitor = Visitor(office)
        path = "/mail/health" if "/mail/" in url else "/health"
        assert [visitor.ask("GET", path, HTTP_HOST=host).status for host in hosts] == [200] * len(hosts)


def test_headers_that_proxies_would_set(visitor: Visitor) -> None:
    spoofed = {
        "Forwarded": "host=elsewhere.example;proto=ftp",
        "X-Forwarded-Host": "elsewhere.example",
        "X-Forwarded-Proto": "ftp",
        "X-Forwarded-Prefix": "/elsewhere.example",
        "X-Original-URL": "/mail/health",
        "X-Rewrite-URL": "/mail/health",
        "X-HTTP-Method-Override": "DELETE",
    }
    plain, answer = visitor.get("subscribe"), visitor.ask("GET", "/mail/subscribe", headers=spoofed)
    assert (answer.status, answer.headers, answer.body) == (plain.status, plain.headers, plain.body)


def test_methods(visitor: Visitor) -> None:
    token = visitor.link(Purpose.CONFIRM, bytes(16)).partition("?")[0]
    for path, allowed in (
        ("subscribe", {"GET", "HEAD", "POST", "OPTIONS"}),
        ("subscribe/send", {"POST", "OPTIONS"}),
        (token, {"GET", "HEAD", "POST", "OPTIONS"}),
        ("health", {"GET", "HEAD", "OPTIONS"}),
    ):
        for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT"} - allowed:
            answer = visitor.ask(method, f"/mail/{path}")
            assert is_clear(answer, 405)
            assert set(answer.header("Allow").split(", ")) == allowed
        assert is_clear(visitor.ask("BREW", f"/mail/{path}"), 400)


@pytest.mark.parametrize(
    "path",
    ["/", "//", "", "/mail", "/mail/", "/mail//subscribe", "/mail/../mail/subscribe", "/mail/subscribe/",
     "/mail/confirm/../../etc/passwd", "/mail/templates/base.html", "/mail/page.css", "/mail/%2e%2e/", "/mail/\x00",
     "/mail/confirm/", "/mail/confirm/a/b", "/MAIL/subscribe", "/mail/subscribe\r\nX: y", "/mail/" + "a/" * 2000],
)  # fmt: skip
def test_paths_that_lead_nowhere(visitor: Visitor, path: str) -> None:
    assert is_clear(visitor.ask("GET", path), 404)


def test_a_mistake_of_ours_is_a_page_and_one_line(
    office: Office, visitor: Visitor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    [identity] = subscribe(office, "reader@example.org")

    def fail(*_: object) -> None:
        raise RuntimeError("reader@example.org")

    monkeypatch.setattr(type(office.subscriptions), "unsubscribe", fail)
    link = visitor.link(Purpose.UNSUBSCRIBE, identity, "fa")
    answer = visitor.post(link)
    assert is_clear(answer, 500)
    assert answer.lang == "fa"
    assert answer.header("Content-Security-Policy")
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info is None
    assert "RuntimeError" in record.getMessage()
    assert "POST /mail/unsubscribe/{token}" in record.getMessage()
    assert link.partition("?")[0].rpartition("/")[2] not in record.getMessage()
    assert "example.org" not in caplog.text


def test_a_full_disk_is_said_and_nothing_claimed(
    office: Office, visitor: Visitor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    page = visitor.post("subscribe", {"address": "reader@example.org", "lang": "fa"})

    def fail(*_: object) -> None:
        raise DiskFull("the disk is full", "Make room.")

    monkeypatch.setattr(type(office.database), "write", fail)
    answer = visitor.press(page, {"request": page.field})
    assert is_clear(answer, 503)
    assert answer.lang == "fa"
    assert int(answer.header("Retry-After")) > 0
    assert [record.getMessage() for record in caplog.records] == ["the disk is full. Make room."]
    assert visitor.get("health").status == 503


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What SQLite is told by every connection that is opened from now on, values by their lengths."""
    told: list[str] = []
    connect = mailroom.store.database.connect

    def listen(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        connection.set_trace_callback(
            lambda sql: told.append(re.sub("[xX]'([0-9a-fA-F]*)'", lambda m: f"<{len(m[1]) // 2} octets>", sql))
        )
        return connection

    monkeypatch.setattr(mailroom.store.database, "connect", listen)
    return told


def test_nobody_finds_out_who_is_subscribed(settings: Settings, watch: Watch, statements: list[str]) -> None:
    with new_office(settings, watch) as office:
        visitor = Visitor(office)
        ask(office, "pending@example.org")
        subscribe(office, "welcome@example.org", "goneone@example.org", "erasedd@example.org")
        office.subscriptions.unsubscribe(identity_of(office, "goneone@example.org"))
        office.subscriptions.erase(identity_of(office, "erasedd@example.org"))
        seen = []
        for name in ("nobody1", "pending", "welcome", "goneone", "erasedd"):
            address = f"{name}@example.org"
            statements.clear()
            first = visitor.post("subscribe", {"address": address, "lang": "fa"})
            field = first.field
            assert not statements, "the first page asks the database nothing"
            last = visitor.press(first, {"request": field})
            assert name not in last.text
            first_text = first.text.replace(field, f"<{len(field)}>").replace(address, "<address>")
            seen.append((first.status, first.headers, first_text, last, tuple(statements)))
        assert any("INSERT INTO requests" in each for each in seen[0][4])
        assert not any("SELECT" in each for each in seen[0][4])
        assert all(each == seen[0] for each in seen)


def test_nobody_finds_out_by_the_link_in_an_old_letter(settings: Settings, watch: Watch, statements: list[str]) -> None:
    with new_office(settings, watch) as office:
        visitor = Visitor(office)
        stays, leaves, goes = subscribe(office, "one@example.org", "two@example.org", "three@example.org")
        office.subscriptions.unsubscribe(leaves)
        office.subscriptions.erase(goes)
        seen = []
        for identity in (stays, leaves, goes):
            statements.clear()
            answer = visitor.post(visitor.link(Purpose.SETTINGS, identity))
            seen.append((answer, tuple(statements)))
        assert seen[0][0].status == 200
        assert all(each == seen[0] for each in seen)
        for purpose in (Purpose.UNSUBSCRIBE, Purpose.SETTINGS):
            pages = []
            for identity in (stays, leaves, goes):
                link = visitor.link(purpose, identity)
                token = link.partition("/")[2].partition("?")[0]
                pages.append(visitor.get(link).text.replace(token, "<token>"))
            assert len(set(pages)) == 1
