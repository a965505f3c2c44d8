"""The table: what it refuses, what it allows, and that a browser obeys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser
from policy.pages import Page, is_elsewhere
from policy.policy import HEADER_ONLY, Policy
from policy.settings import read_configuration
from policy.styles import hashes_of, style_hash


def sources(text: str) -> dict[str, list[str]]:
    directives = [part.split() for part in text.split("; ")]
    return {name: listed for name, *listed in directives}


def test_everything_is_refused_but_styles_and_pictures_of_the_site() -> None:
    policy = Policy("https://site.example")
    assert sources(policy.meta()) == {
        "default-src": ["'none'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
    }
    headers = policy.headers()
    assert sources(headers["Content-Security-Policy"]) == sources(policy.meta()) | {"frame-ancestors": ["'none'"]}
    assert not HEADER_ONLY & sources(policy.meta()).keys()
    assert "Strict-Transport-Security" not in headers
    assert "camera=()" in headers["Permissions-Policy"].split(", ")
    assert "=*" not in headers["Permissions-Policy"]


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ((), ["'none'"]),
        (("/mail/",), ["'self'"]),
        (("https://site.example/mail/", "https://site.example:443/x", "/a/"), ["'self'"]),
        (("https://lists.example/mail/", "/mail/"), ["https://lists.example/mail/", "'self'"]),
        (("https://site.example:8443/",), ["https://site.example:8443/"]),
        (("http://abc.onion/mail/",), ["http://abc.onion/mail/"]),
    ],
)
def test_forms_go_where_they_are_configured_to(actions: tuple[str, ...], expected: list[str]) -> None:
    assert read_configuration({"POLICY_FORM_ACTIONS": actions}).form_actions == actions
    assert sources(Policy("https://site.example", actions).meta())["form-action"] == expected


@pytest.mark.parametrize(
    ("action", "allowed"),
    [
        ("https://lists.example/mail/", True),
        ("https://lists.example/mail/apply", True),
        ("https://lists.example/other", False),
        ("https://lists.example.evil/mail/", False),
        ("http://lists.example/mail/", False),
        ("/own", False),
        ("https://[", False),
        ("https://lists.example:99999/mail/", False),
    ],
)
def test_a_form_is_allowed_as_a_browser_would_allow_it(action: str, allowed: bool) -> None:
    assert Policy("https://site.example", ("https://lists.example/mail/",)).allows_form(action) is allowed


def test_encryption_is_ordered_only_where_there_is_any() -> None:
    policy = Policy("https://site.example", hsts_days=30)
    assert policy.headers()["Strict-Transport-Security"] == "max-age=2592000"
    assert "Strict-Transport-Security" not in policy.headers(encrypted=False)
    assert "Strict-Transport-Security" not in Policy("http://abc.onion", hsts_days=30).headers()


@given(st.text(st.characters(codec="utf-8", exclude_characters="<{")), st.sampled_from(["", ' media="print"']))
def test_a_style_block_is_known_by_its_hash_as_a_page_carries_it(text: str, attributes: str) -> None:
    source = f"<html><STYLE{attributes}>{text}</style ></html>"
    [found] = hashes_of([source])
    [block] = Page(source).styles
    assert found == style_hash(block)
    assert re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", found)


def test_a_style_block_that_jinja_fills_in_is_not_known() -> None:
    assert hashes_of(["<style>{{ css }}</style>", "<style>{% if a %}b{% endif %}</style>"]) == ()


@given(st.text())
def test_any_text_is_read_as_a_page(text: str) -> None:
    Page(text)


@pytest.mark.parametrize(
    ("address", "elsewhere"),
    [
        ("a.png", False),
        ("/a.png", False),
        ("../a.png", False),
        ("https://site.example/a.png", False),
        ("https://cdn.example/a.png", True),
        ("//cdn.example/a.png", True),
        (" //cdn.example/a.png", True),
        ("/\t/cdn.example/a.png", True),
        ("\\\\cdn.example\\a.png", True),
        ("/\\cdn.example/a.png", True),
        ("https:/cdn.example/a.png", True),
        ("https:cdn.example/a.png", True),
        ("ftp://cdn.example/a.png", True),
        ("https://[", True),
        ("HTTPS://SITE.example:443/a.png", False),
        ("data:image/png;base64,AA", False),
    ],
)
def test_another_machine_is_told_from_our_own(address: str, elsewhere: bool) -> None:
    assert is_elsewhere(address, "site.example") is elsewhere


# In a browser

STYLE = "p { color: rgb(1, 2, 3); }"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A page that tries what it must not, served with the headers of the table."""
    policy = Policy("", ("/allowed",), hashes_of([f"<style>{STYLE}</style>"]))
    page = f"""<!DOCTYPE html><html lang="en"><head><title>Page</title>
<meta http-equiv="Content-Security-Policy" content="{policy.meta(inline_styles=True)}">
<style>{STYLE}</style><style>p {{ background: rgb(9, 9, 9) }}</style></head><body>
<p style="margin: 77px">Text</p>
<script>document.title = "A script ran"</script>
<script type="application/ld+json">{{"@type": "Article"}}</script>
<img src="http://127.0.0.1:9/elsewhere.png" alt="">
<iframe src="/frame"></iframe>
<form action="http://127.0.0.1:9/elsewhere" method="post"><button>Send</button></form>
</body></html>"""

    class Handler(SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            for name, value in policy.headers().items():
                self.send_header(name, value)
            super().end_headers()

        def log_message(self, *_: object) -> None:
            pass

    (tmp_path / "index.html").write_text(page, "utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path)))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_browser_obeys_the_table(browser: Browser, address: str) -> None:
    page = browser.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    computed = "getComputedStyle(document.querySelector('p'))"
    assert page.evaluate(f"{computed}.color") == "rgb(1, 2, 3)"
    assert page.evaluate(f"{computed}.backgroundColor") != "rgb(9, 9, 9)"
    assert page.evaluate(f"{computed}.marginTop") != "77px"
    assert page.title() == "Page"
    page.click("button", no_wait_after=True)
    page.wait_for_timeout(200)
    assert page.url == address
    page.close()
    refused = " ".join(said)
    for directive in ("style-src", "img-src", "form-action", "default-src"):
        assert directive in refused
    # Headers that this browser does not understand would fill every reader's console.
    assert not [text for text in said if "Unrecognized" in text or "not recognized" in text or "Error with" in text]
    assert "ld+json" not in refused
