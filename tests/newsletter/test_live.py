"""A letter waits for its page: what counts as there, what does not, and in which words that is said."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from newsletter.errors import PageNotLive
from newsletter.live import APART, LARGEST, await_pages

from tests.newsletter.websites import Page, Website, serve, write_page

DIGEST = "0123456789abcdef0123456789abcdef"
OTHER = "fedcba9876543210fedcba9876543210"
GOOD = write_page(DIGEST)
CACHED = f" (with ?{DIGEST} it is there: a cache has kept what was; purge it in PUBLISH_COMMAND)"


@pytest.fixture
def site() -> Iterator[Website]:
    with serve() as site:
        yield site


class Hours:
    """Time that goes by while somebody sleeps, and otherwise stands still."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now


def problem(url: str, wait: float = 0, hours: Hours | None = None, timeout: float = 5) -> str:
    """What is wrong with the page at this address, "" if nothing."""
    hours = hours or Hours()
    try:
        await_pages([(url, DIGEST)], wait, timeout=timeout, sleep=hours.sleep, clock=hours.clock)
    except PageNotLive as error:
        return error.remedy.partition(f"\n  {url} ")[2]
    return ""


def test_a_page_is_there_when_it_was_seen_fresh_and_then_twice_as_readers_see_it(site: Website) -> None:
    hours = Hours()
    assert not problem(site.put("/en/leaving/", GOOD), hours=hours)
    assert [target for target, _ in site.asked] == [f"/en/leaving/?{DIGEST}", "/en/leaving/", "/en/leaving/"]
    assert hours.slept == [APART]


def test_an_address_with_a_query_keeps_it(site: Website) -> None:
    assert not problem(site.put("/page", GOOD) + "?p=1")
    assert [target for target, _ in site.asked] == [f"/page?p=1&{DIGEST}", "/page?p=1", "/page?p=1"]


def test_nothing_is_asked_where_there_is_nothing_to_await() -> None:
    await_pages([], 600)


def test_pages_are_waited_for_with_growing_pauses(site: Website) -> None:
    missing = Page("", 404)
    url = site.put("/late/", *[missing] * 6, GOOD)
    hours = Hours()
    assert not problem(url, 600, hours)
    assert hours.slept == [2, 4, 8, 15, 15, 15, APART]


def test_the_wait_ends(site: Website) -> None:
    hours = Hours()
    assert problem(f"{site.url}/never/", 40, hours) == "answers 404: it is not there"
    assert hours.now == 40


def test_a_page_that_is_there_when_the_time_is_up_is_looked_at_again(site: Website) -> None:
    hours = Hours()
    assert not problem(site.put("/late/", Page("", 404), GOOD), 2.0, hours)
    assert hours.slept == [2, APART]


def test_a_page_that_comes_and_goes_is_not_there(site: Website) -> None:
    url = site.put("/en/", GOOD, GOOD, Page("", 503))
    assert problem(url) == f"answers 503{CACHED}"


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (Page("", 404), "answers 404: it is not there"),
        (Page("", 410), "answers 410"),
        (Page("", 500), "answers 500"),
        (Page("", 403), "answers 403"),
        (write_page(OTHER), f"is another version: its content-digest is {OTHER}, awaited is {DIGEST}"),
        (write_page(""), f"is another version: its content-digest is empty, awaited is {DIGEST}"),
        (
            "<!doctype html><title>Domain for sale</title>",
            'has no <meta name="content-digest">: it is another page, or one whose theme does not write it',
        ),
        (
            f'<!doctype html><body><meta name="content-digest" content="{DIGEST}">',
            'has no <meta name="content-digest">: it is another page, or one whose theme does not write it',
        ),
        (Page("{}", 200, {"Content-Type": "application/json"}), "answers with application/json: that is no page"),
        (Page(b"\xff\xfe\x00<\x9c" * 99, 200, {}), 'has no <meta name="content-digest">: it is another page, or one'),
        (Page(GOOD + " " * LARGEST), "is larger than 2 MiB: that is no page of ours"),
        (
            Page("", 301, {"Location": "//other.example/en/\x1b[31m"}),
            "answers 301 and leads to http://other.example/en/?[31m: set SITEURL to where pages are",
        ),
        (Page(GOOD, 302, {}), "answers 302 and leads to"),
        (Page("", 301, {"Location": "/\x9b"}), "answers what no browser understands"),
        (Page(b"not compressed", 200, {"Content-Encoding": "gzip"}), "breaks off before its end"),
    ],
)
def test_what_is_no_page_of_ours_is_said_exactly(site: Website, page: Page | str, said: str) -> None:
    assert problem(site.put("/en/", page)).startswith(said)
    assert {target for target, _ in site.asked} == {f"/en/?{DIGEST}"}, "nothing is followed"


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (Page("", 404), "answers 404: it is not there"),
        (Page(write_page(OTHER)), f"is another version: its content-digest is {OTHER}, awaited is {DIGEST}"),
        (
            Page("", 308, {"Location": "/en/x/"}),
            "answers 308 and leads to {url}/en/x/: set SITEURL to where pages are",
        ),
    ],
)
def test_what_a_cache_has_kept_is_told_from_what_is_there(site: Website, page: Page, said: str) -> None:
    url = site.put("/en/", GOOD)
    site.cached["/en/"] = page
    assert problem(url) == said.format(url=site.url) + CACHED


def test_who_does_not_answer_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        assert problem(url, timeout=0.1) == "does not answer within 0.1 s"
    assert problem(url).startswith("cannot be reached: is SITEURL right")
    assert problem("http://nowhere.invalid/").startswith("cannot be reached: is SITEURL right")


def test_a_certificate_that_no_browser_trusts_is_named(tmp_path: Path) -> None:
    files = ["-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "certificate")]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", *files]
    subprocess.run([*command, "-subj", "/CN=localhost"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate", tmp_path / "key")
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # what the client breaks off
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            said = problem(f"https://127.0.0.1:{server.server_port}/")
        finally:
            server.shutdown()
    assert said == "has no certificate that browsers trust: mend the server's TLS"


def test_no_cookie_and_no_password_goes_to_the_site(
    site: Website, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    page = Page(GOOD, 200, {"Set-Cookie": "seen=1", "Content-Type": "text/html"})
    assert not problem(site.put("/en/", page))
    assert len(site.asked) == 3
    for _, headers in site.asked:
        assert not headers.keys() & {"Authorization", "Cookie", "Referer"}


def test_all_that_is_missing_is_named(site: Website) -> None:
    there = site.put("/there/", GOOD)
    hours = Hours()
    pages = [(f"{site.url}/en/", DIGEST), (there, DIGEST), (f"{site.url}/fa/", OTHER)]
    with pytest.raises(PageNotLive) as raised:
        await_pages(pages, 0, sleep=hours.sleep, clock=hours.clock)
    assert str(raised.value) == (
        "No letter leaves before its page, and 2 pages cannot be read as built. "
        "Publish what was composed, and run this again:\n"
        f"  {site.url}/en/ answers 404: it is not there\n"
        f"  {site.url}/fa/ answers 404: it is not there"
    )
