"""Asking a mailing service over HTTP: what is asked again and what is not, and what each failure is called."""

from __future__ import annotations

import re
import socket
import traceback
from collections.abc import Collection, Iterator

import pytest
from newsletter.errors import (
    AuthenticationFailed,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    Rejected,
    SubmissionUncertain,
    UnexpectedResponse,
)
from newsletter.providers.service import ATTEMPTS, LONGEST_PAUSE, PAUSES, Service
from requests.auth import AuthBase, HTTPBasicAuth

from tests.newsletter.services import RETRY_AFTER, SLOW, FakeService, Fault, Letter, Reply, Request

SECRET = "a-secret-word"
#: Not so short that a slow machine's answer would be missed.
TIMEOUT = 0.25


class Counter(FakeService):
    """Counts what it was asked to do."""

    path = "/api/"
    lists = {}  # noqa: RUF012
    reply = Reply(200, {"data": True})

    def answer(self, request: Request) -> Reply:
        self.done.append(request.method)
        return self.reply

    def reset(self) -> None:
        self.done: list[str] = []
        self.reply = Reply(200, {"data": True})

    def campaigns(self, key: str) -> Collection[str]:  # noqa: ARG002
        return self.done

    def starts(self, key: str) -> int:  # noqa: ARG002
        return 0

    def change(self, key: str) -> None: ...

    def copy(self, key: str) -> None: ...

    def deliver(self, key: str) -> None: ...

    def letter(self, key: str) -> Letter:
        raise LookupError(key)


@pytest.fixture(scope="module")
def counting() -> Iterator[Counter]:
    with Counter() as service:
        yield service


@pytest.fixture
def fake(counting: Counter) -> Counter:
    counting.start_afresh()
    return counting


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def service(fake: Counter, pauses: list[float]) -> Iterator[Service]:
    opened = Service("fake", fake.api, auth=HTTPBasicAuth("us", SECRET), timeout=TIMEOUT, sleep=pauses.append)
    yield opened
    opened.close()


def test_an_answer_is_its_json(fake: Counter, service: Service) -> None:
    answer = service.ask("GET", "things", query={"page": 2})
    assert (answer.status, answer.data) == (200, {"data": True})
    (request,) = fake.requests
    assert (request.method, request.path, request.query) == ("GET", "/api/things", {"page": ["2"]})
    assert request.headers["accept"] == "application/json"
    assert "cookie" not in request.headers


def test_no_content_is_no_json(fake: Counter, service: Service) -> None:
    fake.reply = Reply(204)
    assert service.ask("DELETE", "thing").data is None


def test_a_cookie_is_not_kept(fake: Counter, service: Service) -> None:
    fake.reply = Reply(200, {}, {"Set-Cookie": "session=x; Path=/"})
    service.ask("GET", "things")
    service.ask("GET", "things")
    assert "cookie" not in fake.requests[1].headers


def test_a_redirect_is_not_followed(fake: Counter, service: Service) -> None:
    fake.reply = Reply(302, None, {"Location": fake.api + "elsewhere"})
    with pytest.raises(UnexpectedResponse, match="answered 302"):
        service.ask("GET", "things")
    assert len(fake.requests) == 1


PASSING = [fault for fault in Fault if fault not in (Fault.DOWN, Fault.PAGE, Fault.SHAPE, Fault.THROTTLED_DATE)]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("fault", PASSING)
def test_what_can_be_repeated_is_asked_again(
    fake: Counter, service: Service, pauses: list[float], method: str, fault: Fault
) -> None:
    fake.fail(fault)
    assert service.ask(method, "thing", None if method == "GET" else {"x": 1}).data == {"data": True}
    assert len(fake.requests) == 2
    expected = RETRY_AFTER if fault is Fault.THROTTLED_SECONDS else PAUSES[0]
    assert expected <= pauses[0] <= expected * 1.5


@pytest.mark.parametrize("fault", [Fault.CLOSED, Fault.LOST, Fault.BROKEN_DONE, Fault.TRUNCATED, *SLOW])
def test_what_cannot_be_repeated_is_asked_once(fake: Counter, service: Service, fault: Fault) -> None:
    """Also when nothing was done: nobody can know."""
    fake.fail(fault, times=None)
    with pytest.raises(SubmissionUncertain):
        service.ask("POST", "things", {"x": 1}, campaign="en-0123")
    assert len(fake.requests) == 1
    assert len(fake.done) == fault.done


@pytest.mark.parametrize("fault", [Fault.CLOSED, Fault.BROKEN, Fault.SILENT])
def test_it_gives_up(fake: Counter, service: Service, pauses: list[float], fault: Fault) -> None:
    fake.fail(fault, times=None)
    with pytest.raises(ProviderUnavailable) as caught:
        service.ask("GET", "things")
    assert len(fake.requests) == ATTEMPTS
    assert all(least <= pause <= least * 1.5 for least, pause in zip(PAUSES, pauses, strict=True))
    assert caught.value.status == (500 if fault is Fault.BROKEN else 0)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nobody_there(fake: Counter, service: Service, pauses: list[float], method: str) -> None:
    """Not even a connection was made, so nothing was done, whatever it was."""
    fake.fail(Fault.DOWN)
    with pytest.raises(ProviderUnavailable, match=r"cannot be reached.*NEWSLETTER_API"):
        service.ask(method, "things")
    assert len(pauses) == ATTEMPTS - 1


def test_what_was_throttled_was_not_done(fake: Counter, service: Service, pauses: list[float]) -> None:
    fake.fail(Fault.THROTTLED_SECONDS)
    service.ask("POST", "things", {})
    assert pauses == [RETRY_AFTER]


@pytest.mark.parametrize(
    ("fault", "at_least", "at_most"),
    [(Fault.THROTTLED, None, None), (Fault.THROTTLED_SECONDS, 7, 7), (Fault.THROTTLED_DATE, LONGEST_PAUSE, 86400)],
)
def test_how_long_to_wait(
    fake: Counter, service: Service, fault: Fault, at_least: float | None, at_most: float | None
) -> None:
    fake.fail(fault, times=None)
    with pytest.raises(RateLimited) as caught:
        service.ask("GET", "things")
    if at_least is None or at_most is None:
        assert caught.value.retry_after is None
    else:
        assert caught.value.retry_after is not None
        assert at_least <= caught.value.retry_after <= at_most


@pytest.mark.parametrize("header", ["", "soon", "-5", "1e3", "Wed, 21 Oct"])
def test_a_retry_after_that_says_nothing(fake: Counter, service: Service, header: str) -> None:
    fake.reply = Reply(429, {}, {"Retry-After": header})
    with pytest.raises(RateLimited) as caught:
        service.ask("GET", "things")
    assert caught.value.retry_after is None


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Rejected),
        (401, AuthenticationFailed),
        (403, AuthenticationFailed),
        (404, Rejected),
        (422, Rejected),
        (301, UnexpectedResponse),
    ],
)
def test_what_failures_are_called(fake: Counter, service: Service, status: int, error: type[ProviderError]) -> None:
    fake.reply = Reply(status, {"detail": "The reason"})
    with pytest.raises(error, match=rf"^fake answered {status} about en-0123 .*The reason") as caught:
        service.ask("POST", "things", {}, campaign="en-0123")
    assert caught.value.campaign == "en-0123"
    assert len(fake.requests) == 1


def test_a_status_that_is_awaited_is_an_answer(fake: Counter, service: Service) -> None:
    fake.reply = Reply(404, {"detail": "none"})
    assert service.ask("GET", "thing", accept=(404,)).status == 404


def test_a_page_is_no_answer(fake: Counter, service: Service) -> None:
    fake.fail(Fault.PAGE)
    with pytest.raises(UnexpectedResponse, match=r"no JSON.*hotel"):
        service.ask("GET", "things")


def test_no_secret_is_told(fake: Counter, service: Service) -> None:
    for fault in Fault:
        fake.start_afresh()
        fake.fail(fault, times=None)
        try:
            service.ask("POST", "things", {})
        except ProviderError as error:
            told = "".join(traceback.format_exception(error)) + repr(error)
            assert not re.search(SECRET, told)


def test_a_netrc_is_not_asked(fake: Counter, tmp_path_factory: pytest.TempPathFactory) -> None:
    class Header(AuthBase):
        def __call__(self, request):  # type: ignore[no-untyped-def]
            request.headers["Authorization"] = "Bearer ours"
            return request

    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NETRC", str(netrc))
        opened = Service("fake", fake.api, auth=Header())
        opened.ask("GET", "things")
        opened.close()
    assert fake.requests[0].headers["authorization"] == "Bearer ours"


def test_no_proxy_reads_what_is_asked_of_this_machine(fake: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain HTTP is for this machine alone, and a proxy that the environment names would read the token."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        monkeypatch.setenv("no_proxy", "")
        opened = Service("fake", fake.api, auth=HTTPBasicAuth("any", SECRET), timeout=TIMEOUT, sleep=lambda _: None)
        assert opened.ask("GET", "things").status == 200
        opened.close()
