"""The mailroom beside the pages in `./blog serve`: from the form to the letter to the list, and no letter leaves."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from dotenv import dotenv_values
from lxml import html
from playwright.sync_api import Browser, Page

from mailroom.campaigns.api_tokens import ApiTokens
from mailroom.clock import Clock
from mailroom.development import ACCESS, IDENTITY, INTAKE_ACCESS, Beside
from mailroom.intake.sealing import unseal
from mailroom.intake.submissions import Intake
from mailroom.store.database import Database
from mailroom.store.sealing import read_identity
from tests.frontdoor.support import copy_project, lend_environment, start_blog, wait_until

PARTS = ("blog", "requirements.txt", "theme", "plugins", "mailroom", "pelicanconf.py")
#: Content enough to build with, and to ask for letters.
CONTENT = ("content/pages", "content/terms.yaml", "content/atlas.yaml", "content/redirects.txt")


class Serving:
    """A copy of the project, served with its mailroom."""

    def __init__(self, folder: Path) -> None:
        self.folder = copy_project(folder, *PARTS, *CONTENT)
        lend_environment(folder)
        # Settings of production, as an operator's own copy of the project has them: none of them is used.
        (folder / ".env").write_text("MAILROOM_RELAY=smtp://relay.example:25\nMAILROOM_DATA=/nowhere\n", "utf-8")
        self.process = start_blog(folder, "serve", "--port", "0", MAILROOM_SENDER="production@blog.test")
        assert self.process.stdout
        self.said = [self.process.stdout.readline().strip() for _ in range(3)]
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", self.said[0]), self.process.communicate()
        self.url = self.said[0].rstrip("/")
        threading.Thread(target=self.process.communicate, daemon=True).start()

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=20)
        try:
            stated = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, stated)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def post(self, path: str, **fields: str) -> tuple[int, str]:
        body = urlencode(fields).encode()
        return self.ask(path, "POST", body, Content_Type="application/x-www-form-urlencoded")

    def processes(self) -> str:
        listing = subprocess.run(["ps", "-eo", "args"], check=False, capture_output=True, text=True).stdout
        return "".join(line for line in listing.splitlines(keepends=True) if str(self.folder) in line)


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    serving = Serving(tmp_path_factory.mktemp("beside"))
    try:
        yield serving
    finally:
        began = time.monotonic()
        os.killpg(serving.process.pid, signal.SIGINT)
        wait_until(lambda: serving.process.poll() is not None, "it does not end", seconds=20)
        took = time.monotonic() - began
    assert serving.process.returncode == 130
    assert took < 10
    assert not (serving.folder / ACCESS).exists()
    assert not (serving.folder / INTAKE_ACCESS).exists()
    wait_until(lambda: not serving.processes(), f"left behind: {serving.processes()}", seconds=5)


def test_the_terminal_says_where_letters_are(serving: Serving) -> None:
    assert serving.said[1].startswith(f"{serving.url}/campaigns/")
    assert serving.said[2].startswith(f"{serving.url}/outbox/")


def test_a_developer_walks_from_the_form_to_the_list_and_off_it(serving: Serving, browser: Browser) -> None:
    """Scripts run only because the preview renews its pages; the mailroom's own pages forbid them."""
    page = browser.new_page()
    page.goto(f"{serving.url}/fa/newsletter/")
    page.locator("#sign-up-address").fill("reader@example.org")
    page.locator("form button").click()
    assert page.url == f"{serving.url}/mail/subscribe"
    assert page.locator("html").get_attribute("lang") == "fa"
    page.locator("main form button").first.click()

    page.goto(f"{serving.url}/outbox/")
    assert "Development" in page.locator("body").inner_text()
    page.locator("table a").first.wait_for()  # the page renews itself until the letter is there
    follow(page, "confirm/")
    page.locator("main form button").first.click()
    page.goto(f"{serving.url}/outbox/")
    page.locator("table a").first.click()
    assert "reader@example.org" in page.locator("body").inner_text()
    assert page.frame_locator("iframe").locator("html").get_attribute("dir") == "rtl"
    assert list((serving.folder / "var" / "outbox").glob("*.eml"))


def follow(page: Page, start: str) -> None:
    """Open the newest letter and follow its link out of the frame."""
    page.locator("table a").first.click()
    page.frame_locator("iframe").locator(f"a[href*='/mail/{start}']").first.click()
    page.wait_for_url(f"**/mail/{start}*")


def test_the_letter_is_shown_in_all_its_parts(serving: Serving) -> None:
    status, page = serving.post("/mail/subscribe", address="second@example.org", lang="en")
    assert status == 200
    (form,) = html.document_fromstring(page).xpath("//main//form[.//input[@type='hidden']]")
    fields = {field.get("name"): field.get("value") for field in form.xpath(".//input[@type='hidden']")}
    assert serving.post("/mail/subscribe/send", **fields)[0] in (200, 303)
    listed = wait_until(
        lambda: html.document_fromstring(serving.ask("/outbox/")[1]).xpath(
            "//tr[contains(., 'second@example.org')]//a/@href"
        ),
        "the letter does not come",
    )
    status, letter = serving.ask(listed[0])
    assert status == 200
    for expected in ("second@example.org", "letters@blog.example", "Message-ID", "/mail/confirm/"):
        assert expected in letter
    assert "production@" not in letter
    assert '<base target="_top">' in serving.ask(f"{listed[0]}/html")[1]
    assert "Message-ID:" in serving.ask(f"{listed[0]}/source")[1]


@pytest.mark.parametrize("path", ["/outbox/..%2fmailroom", "/outbox/%2e%2e", "/outbox/nothing", "/outbox/nothing/html"])
def test_only_letters_are_shown(serving: Serving, path: str) -> None:
    assert serving.ask(path)[0] == 404


@pytest.mark.parametrize("path", ["/mail/subscribe", "/outbox/"])
def test_other_sites_do_not_get_through(serving: Serving, path: str) -> None:
    assert serving.ask(path, Host="evil.example")[0] == 400


def test_only_the_mailroom_takes_what_is_sent(serving: Serving) -> None:
    assert serving.post("/en/newsletter/", address="reader@example.org")[0] == 405
    assert serving.ask("/mail/api/campaigns", "GET")[0] == 401  # the API is there, for who has a token
    assert serving.ask("/mail/subscribe", "POST", b"x", Content_Length="5000000")[0] == 413
    assert serving.ask("/mail/subscribe", "POST", b"x", Content_Length="much")[0] == 411


def test_the_newsletter_gets_its_access_in_a_file_of_its_owner(serving: Serving) -> None:
    """Made anew at each start, so that no token of another day is good; a second start takes nothing away."""
    file = serving.folder / ACCESS
    wait_until(file.exists, "no access is given")
    assert file.stat().st_mode & 0o777 == 0o600
    access = dotenv_values(file)
    assert access.keys() == {"NEWSLETTER_API", "NEWSLETTER_TOKEN"}
    assert access["NEWSLETTER_API"] == f"{serving.url}/mail/api/"
    assert serving.ask("/mail/api/campaigns", Authorization=f"Bearer {access['NEWSLETTER_TOKEN']}")[0] == 200
    with Database(serving.folder / "var" / "mailroom" / "mailroom.db") as database:
        scopes = {one.name: one.scope for one in ApiTokens(database, Clock()).list()}
    assert scopes == {"development": "send", "development-intake": "intake"}


def test_the_form_is_there_and_a_key_of_the_developers_opens_what_it_is_sent(serving: Serving) -> None:
    file = serving.folder / INTAKE_ACCESS
    wait_until(file.exists, "no access is given")
    assert file.stat().st_mode & 0o777 == 0o600
    access = dotenv_values(file)
    assert access.keys() == {"MAILROOM_INTAKE_API", "MAILROOM_INTAKE_TOKEN", "MAILROOM_INTAKE_IDENTITY"}
    assert access["MAILROOM_INTAKE_API"] == f"{serving.url}/mail/api/"
    assert (access["MAILROOM_INTAKE_IDENTITY"] or "") == str(serving.folder / IDENTITY)
    assert (serving.folder / IDENTITY).stat().st_mode & 0o777 == 0o600

    status, page = serving.ask("/mail/form?lang=fa")
    assert (status, '<html lang="fa" dir="rtl">' in page) == (200, True)
    body = '--x\r\nContent-Disposition: form-data; name="message"\r\n\r\nسلام\r\n--x--\r\n'.encode()
    assert serving.ask("/mail/form?lang=fa", "POST", body, Content_Type="multipart/form-data; boundary=x")[0] == 200
    intake = Intake(serving.folder / "var" / "mailroom" / "intake.db", Clock())
    [stored] = intake.list()
    identity = read_identity((serving.folder / IDENTITY).read_text("utf-8"))
    assert unseal(intake.fetch(stored.id), identity).fields == (("message", "سلام"),)


def test_a_second_preview_says_where_the_mailroom_is(serving: Serving, capfd: pytest.CaptureFixture[str]) -> None:
    second = Beside(serving.folder, "http://127.0.0.1:1")
    second.close()
    assert (serving.folder / ACCESS).exists()
    said = capfd.readouterr().err
    assert said.startswith("mailroom: Another ./blog serve runs it for this folder")
    assert "systemctl" not in said
    assert serving.ask("/mail/health")[0] == 200


def test_the_data_is_for_its_owner_and_the_key_beside_it(serving: Serving) -> None:
    var = serving.folder / "var"
    assert (var / "mailroom" / "mailroom.db").exists()
    for path in (var / "mailroom", var / "mailroom.key", var / "mailroom" / "mailroom.db", *var.glob("outbox/*.eml")):
        assert path.stat().st_mode & 0o077 == 0, path
