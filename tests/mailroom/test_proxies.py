"""A real mailroom behind real web servers, as `./blog deploy-config` configures them."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import pytest
from lxml import html

from mailroom.doctor import Answer, Patient, look_at_proxy
from mailroom.office import Office, open_office
from mailroom.tokens import Purpose
from tests.mailroom.offices import subscribe
from tests.mailroom.test_service import HOST, House, Running, make_house
from tests.multilingual.sites import Site
from tests.policy import servers
from tests.policy.servers import BROWSER, VISITOR, WebServer, running
from tests.policy.test_servers import EVERYWHERE, publish

FORM = "application/x-www-form-urlencoded"
#: How many sign-ups one network may ask for in these tests.
LIMIT = 6


@dataclass
class Behind:
    """A web server with a mailroom behind it."""

    web: WebServer
    house: House
    mailroom: Running

    def post(self, path: str, **fields: str) -> servers.Answer:
        return self.web.get(f"/mail/{path}", method="POST", body=urlencode(fields), Content_Type=FORM)

    def office(self) -> Office:
        return open_office(self.house.settings)


@pytest.fixture(scope="module")
def mailroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    house = make_house(tmp_path_factory.mktemp("behind"))
    house.environment |= {"MAILROOM_TRUSTED_PROXIES": "127.0.0.1", "MAILROOM_LIMIT_NETWORK": str(LIMIT)}
    running = house.start()
    try:
        yield running.await_work()
    finally:
        running.stop()


@pytest.fixture(scope="module", params=("nginx", "caddy"))
def behind(
    request: pytest.FixtureRequest, mailroom: Running, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Behind]:
    folder = tmp_path_factory.mktemp("web")
    site = Site(folder / "site", PLUGINS=["multilingual", "policy"], POLICY_HSTS_DAYS=30, PRIVACY_ACCESS_LOG="none")
    publish(site)
    (folder / "site" / "output").mkdir()
    option = ("--mailroom", f"127.0.0.1:{mailroom.house.port}")
    with running(request.param, site.folder, folder / request.param, *option) as web:
        yield Behind(web, mailroom.house, mailroom)


def test_pages_come_through_with_the_headers_of_both(behind: Behind) -> None:
    for path, status in (("subscribe", 200), ("unsubscribe/nonsense", 404), ("nowhere", 404)):
        answer = behind.web.get(f"/mail/{path}")
        assert answer.status == status
        for name, value in EVERYWHERE.items():
            assert answer[name] == value, name
        assert answer["Cache-Control"] == "no-store"
        assert f"form-action https://{HOST}/mail/" in (answer["Content-Security-Policy"] or "")
        assert b"<html" in answer.body


def test_the_doctor_finds_the_web_server_in_order(behind: Behind) -> None:
    def fetch(url: str) -> Answer:
        answer = behind.web.get(url.removeprefix(f"https://{HOST}"))
        return Answer(answer.status, dict(answer.headers.items()), answer.body)

    settings = replace(behind.house.settings, url=f"https://{HOST}/mail/", development=True)
    with behind.office() as office:
        patient = Patient(replace(office, settings=settings), _NoNames(), fetch, (behind.web.folder,))
        assert [finding.verdict for finding in look_at_proxy(patient)] == ["ok", "ok"]


class _NoNames:
    def find(self, name: str, kind: str) -> list[str]:
        raise AssertionError((name, kind))


def test_a_reader_signs_up_and_leaves_with_one_click(behind: Behind) -> None:
    before = waiting(behind)
    page = behind.post("subscribe", address="reader@mail.test", lang="fa")
    assert page.status == 200
    tree = html.document_fromstring(page.body.decode())
    assert tree.get("dir") == "rtl"
    hidden = {field.get("name"): field.get("value") for field in tree.xpath("//main//input[@type='hidden']")}
    assert behind.post("subscribe/send", **hidden).status in (200, 303)
    assert waiting(behind) >= before  # the worker may have decided meanwhile

    with behind.office() as office:
        [identity] = subscribe(office, f"leaving-{behind.web.port}@mail.test")
        token = office.tokens.issue(Purpose.UNSUBSCRIBE, identity, office.clock.now())
        body = b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
        answer = behind.web.get(
            f"/mail/unsubscribe/{token}", method="POST", body=body, Content_Type="multipart/form-data; boundary=x"
        )
        assert answer.status == 200
        rows = office.database.read("SELECT state FROM subscriptions WHERE id = ?", (identity,))
        assert rows[0]["state"] == "unsubscribed"


def waiting(behind: Behind) -> int:
    with behind.office() as office:
        return int(office.database.read("SELECT count(*) FROM requests")[0][0])


def test_limits_count_who_asks_not_who_they_say_they_are(behind: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a network of its own for each server, each request with another invented address."""
    octet = {"nginx": 21, "caddy": 22}[behind.web.folder.name]

    def ask(source: str, number: int) -> int:
        monkeypatch.setattr(servers, "VISITOR", source)
        page = behind.web.get(
            "/mail/subscribe", method="POST", body=urlencode({"address": f"r{number}@mail.test", "lang": "en"}),
            X_Forwarded_For=f"198.51.{number}.7", Content_Type=FORM,
        )  # fmt: skip
        tree = html.document_fromstring(page.body.decode())
        hidden = {field.get("name"): field.get("value") for field in tree.xpath("//main//input[@type='hidden']")}
        if not hidden:
            return page.status
        return behind.web.get(
            "/mail/subscribe/send",
            method="POST",
            body=urlencode(hidden),
            X_Forwarded_For=f"198.51.{number}.7",
            Content_Type=FORM,
        ).status

    answers = [ask(f"127.{octet}.0.{number + 1}", number) for number in range(LIMIT + 2)]
    assert answers.count(429) == 2, answers
    assert answers[-2:] == [429, 429]
    assert ask(f"127.{octet}.9.1", 99) != 429  # another network


def test_what_is_too_large_goes_no_further(behind: Behind) -> None:
    for size in (100_000, 6_000_000):
        with contextlib.suppress(OSError, http.client.HTTPException):  # whoever refuses may hang up meanwhile
            answer = behind.web.get("/mail/subscribe", method="POST", body=b"x" * size, Content_Type=FORM)
            assert answer.status in (413, 502)  # 502: nginx was still handing on what had been refused
    assert behind.web.get("/mail/subscribe").status == 200


def test_only_what_is_public_is_led_through(behind: Behind) -> None:
    assert behind.web.get("/mail/health").body.strip() == b"ok"
    assert behind.web.get("/mail/api/campaigns").status == 404
    assert behind.web.get("/outbox/").status == 404


def test_nothing_is_written_down_on_the_way(behind: Behind) -> None:
    canary = f"canary-{behind.web.port}"
    for path in (f"unsubscribe/{canary}", f"{canary}?{canary}"):
        behind.web.get(f"/mail/{path}")
    behind.post("subscribe", address=f"{canary}@mail.test", lang="en")
    everything = behind.web.written() + "".join(behind.mailroom.said)
    for trace in (canary, VISITOR, BROWSER):
        assert trace not in everything
