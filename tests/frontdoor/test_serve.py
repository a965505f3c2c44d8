"""The main job: what is saved is on the open page within a second, and an error too."""

import http.client
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from playwright.sync_api import Browser, Page

from tests.frontdoor.support import (
    copy_project,
    lend_environment,
    run_blog,
    start_blog,
    wait_until,
)

ARTICLE = """\
Title: A paper that is not to be published
Date: 2026-01-02
Summary: It serves to test the preview.

{text}
"""
TALL = "\n\n".join(f"Paragraph {number}." for number in range(200))


class Preview:
    """A copy of the project, served."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.article = folder / "content" / "articles" / "en" / "preview-test.md"
        self.write("First words.")
        self.process = start_blog(folder, "serve", "--port", "0")
        assert self.process.stdout
        self.url = self.process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", self.url), self.process.communicate()
        self.port = int(self.url.rstrip("/").rpartition(":")[2])
        self.page = "/en/preview-test/"
        self.said: list[str] = []
        for stream in (self.process.stdout, self.process.stderr):  # a full pipe would block it
            assert stream
            threading.Thread(target=self._listen, args=(stream,), daemon=True).start()

    def _listen(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self.said.append(line.rstrip("\n"))

    def write(self, text: str, **headers: str) -> None:
        """Save the article."""
        lines = "".join(f"{name}: {value}\n" for name, value in headers.items())
        save(self.article, lines + ARTICLE.format(text=text))

    def ask(self, path: str, method: str = "GET", host: str | None = None) -> tuple[int, dict[str, str], str]:
        """Send exactly this request, with nothing tidied up on the way."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host or f"127.0.0.1:{self.port}")
        connection.endheaders()
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        body = answer.read().decode()
        connection.close()
        return answer.status, headers, body

    def text(self) -> str:
        """Return the article's page as it is served now."""
        return self.ask(self.page)[2]

    def version(self) -> str:
        """Return which build the article's page belongs to."""
        version = re.search(r'data-version="(\d+)"', self.text())
        return version[1] if version else ""

    def show(self, text: str) -> None:
        """Save the article and wait until that build is announced and served."""
        before = self.version()
        self.write(text)
        wait_until(lambda: text.splitlines()[-1] in self.text() and self.version() != before, "the edit is not shown")

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        os.killpg(self.process.pid, signal.SIGINT)
        wait_until(lambda: self.process.poll() is not None, "it does not end", seconds=10)
        assert self.process.returncode == 130


def save(path: Path, text: str) -> None:
    """Write a file as an editor does that replaces it."""
    beside = path.with_suffix(".tmp")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


#: What a site needs besides its articles and pages.
SMALL = ("content/terms.yaml", "content/atlas.yaml", "content/redirects.txt")


def make_project(folder: Path, *content: str) -> Path:
    """Copy the project with some of its content, so that a test may change any of it."""
    copy_project(folder, "blog", "requirements.txt", "theme", "plugins", "pelicanconf.py", *content)
    lend_environment(folder)
    for name in ("articles/en", "images"):
        (folder / "content" / name).mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preview]:
    """Serve a site of a single article."""
    preview = Preview(make_project(tmp_path_factory.mktemp("site"), *SMALL))
    yield preview
    preview.stop()


@pytest.fixture
def preview(served: Preview) -> Iterator[Preview]:
    """The served copy for a test that edits it; afterwards it is as it was."""
    yield served
    served.show("First words.")


def open_page(browser: Browser, preview: Preview) -> Page:
    """The long article on an open page, read to its middle."""
    preview.show(TALL)
    page = browser.new_page()
    page.goto(preview.url + preview.page[1:])
    page.evaluate("scrollTo(0, 900)")
    return page


@pytest.fixture
def browser_page(browser: Browser, preview: Preview) -> Iterator[Page]:
    page = open_page(browser, preview)
    yield page
    page.close()


def how_busy() -> float:
    """How many times as long as on an idle machine work takes now, because other programs compute too."""
    started, computed = time.monotonic(), time.process_time()
    while time.process_time() - computed < 0.1:
        pass
    return max(1.0, (time.monotonic() - started) / 0.1)


@pytest.mark.alone
def test_saved_edit_is_on_the_open_page_within_a_second(browser: Browser, tmp_path: Path) -> None:
    """In the whole site's newest article: its translations are outdated by it, and its letter is composed anew."""
    preview = Preview(make_project(tmp_path, "content"))
    articles = preview.article.parent.glob("*.md")
    newest = max(articles, key=lambda path: path.read_text("utf-8").partition("\nDate: ")[2][:10])
    text = newest.read_text("utf-8")
    page = browser.new_page()
    page.goto(f"{preview.url}en/{newest.stem}/")
    page.evaluate("scrollTo(0, 900)")
    took: list[float] = []  # in seconds of a machine that has time for us
    while not took or min(took) >= 1:
        assert len(took) < 5, took
        busy = how_busy()
        time.sleep(busy)  # a writer's pause: the next spare process gets ready meanwhile
        saved = time.monotonic()
        save(newest, f"{text}\n\nEdit {len(took)}.\n")
        page.get_by_text(f"Edit {len(took)}.").wait_for(state="attached")
        took.append((time.monotonic() - saved) / max(busy, how_busy()))
    wait_until(lambda: page.evaluate("scrollY") == 900, "the page lost its place")
    page.close()
    letters = (preview.folder / "var" / "preview" / "campaigns").glob("en-*/campaign.txt")
    assert any(f"Edit {len(took) - 1}." in letter.read_text("utf-8") for letter in letters)
    preview.stop()


def test_error_is_on_the_open_page_until_it_is_mended(preview: Preview, browser_page: Page) -> None:

    preview.write(TALL, Lang="<img src=x onerror=document.title='hacked'>")
    problem = browser_page.get_by_role("listitem").filter(has_text="content/articles/en/preview-test.md:1")
    problem.wait_for()
    assert "<img src=x" in problem.inner_text()  # quoted, not carried out
    assert problem.locator("p").count() == 3  # where, what, and the remedy
    assert browser_page.locator("img").count() == 0
    assert browser_page.title() == "Not built: 1 problem"
    assert preview.ask(preview.page)[0] == 500
    assert preview.ask("/fa/")[0] == 500  # the other pages are as old

    preview.write(TALL)
    browser_page.get_by_text("Paragraph 199.").wait_for(state="attached")
    wait_until(lambda: browser_page.evaluate("scrollY") == 900, "the page lost its place")


def test_all_problems_are_shown(preview: Preview) -> None:
    second = preview.article.with_name("preview-second.md")
    second.write_text("Lang: fa\n" + ARTICLE.format(text="x"), encoding="utf-8")
    preview.write("x", Lang="fa")
    wait_until(lambda: "Not built: 2 problems" in preview.text(), "one problem is missing")
    assert "preview-second.md:1" in preview.text()
    assert "preview-test.md:1" in preview.text()
    second.unlink()


def test_the_terminal_leads_to_a_draft_which_no_page_does(preview: Preview) -> None:
    preview.write("x", Status="draft")
    wait_until(lambda: f"draft: {preview.url}en/drafts/preview-test/" in preview.said, "its address is not told")
    assert preview.ask("/en/drafts/preview-test/")[0] == 200


def test_mistake_in_the_settings_is_shown(preview: Preview) -> None:
    settings = preview.folder / "pelicanconf.py"
    good = settings.read_text(encoding="utf-8")
    settings.write_text(good + "\nthis is no Python\n", encoding="utf-8")
    line = (good + "\nthis is no Python\n").count("\n")
    wait_until(lambda: f"pelicanconf.py:{line}" in preview.text(), "the mistake is not shown")
    settings.write_text(good, encoding="utf-8")
    wait_until(lambda: "First words." in preview.text(), "the mended settings were not read")


def test_changed_plugin_is_used_for_the_next_build(preview: Preview) -> None:
    module = preview.folder / "plugins" / "multilingual" / "build.py"
    good = module.read_text(encoding="utf-8")
    module.write_text(good + "\nraise RuntimeError('edited')\n", encoding="utf-8")
    wait_until(lambda: "RuntimeError: edited" in preview.text(), "the old code is still in use")
    assert "plugins/multilingual/build.py:" in preview.text()
    module.write_text(good, encoding="utf-8")
    wait_until(lambda: "First words." in preview.text(), "the mended code is not used")


def test_reload_leaves_no_trace_in_the_output(served: Preview) -> None:
    assert "/.blog/" in served.text()
    output = served.folder / "var" / "serve"
    pages = list(output.rglob("*.html"))
    assert pages
    for file in pages:
        assert b"/.blog/" not in file.read_bytes(), file
    assert not (output / ".blog").exists()


def test_only_pages_carry_the_script_and_nothing_is_kept(served: Preview) -> None:
    for path, kind in (("/en/feed.atom", "application/atom+xml"), (served.page, "text/html")):
        status, headers, body = served.ask(path)
        assert status == 200
        assert headers["content-type"] == f"{kind}; charset=utf-8"
        assert headers["cache-control"] == "no-store"
        assert ("/.blog/" in body) == (kind == "text/html")
    status, headers, body = served.ask(served.page, method="HEAD")
    assert (status, body) == (200, "")
    assert int(headers["content-length"]) == len(served.text().encode())


@pytest.mark.parametrize(
    ("asked", "answer"),
    [("/en/no-such-page/", "en/404.html"), ("/fa/k/x.pdf", "fa/404.html"), ("/xx/", "404.html"), ("/x", "404.html")],
)
def test_missing_page_is_the_sites_own_in_the_language_of_the_address(served: Preview, asked: str, answer: str) -> None:
    status, headers, body = served.ask(asked)
    assert status == 404
    assert headers["content-type"].startswith("text/html")
    own = (served.folder / "var" / "serve" / answer).read_text(encoding="utf-8")
    assert own.rpartition("</body>")[0][-500:] in body


def test_folder_without_its_slash_is_redirected(served: Preview) -> None:
    status, headers, _ = served.ask(served.page.rstrip("/") + "?from=test")
    assert (status, headers["location"]) == (302, served.page + "?from=test")
    assert served.ask("//en/preview-test")[1]["location"] == served.page


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost:80:80", "[::1]"])
def test_foreign_host_is_refused(served: Preview, host: str) -> None:
    status, _, body = served.ask(served.page, host=host)
    assert status == 400
    assert "First words." not in body


def test_localhost_leads_to_the_address_that_forms_are_sent_from(served: Preview) -> None:
    status, headers, _ = served.ask(f"{served.page}?from=test", host=f"localhost:{served.port}")
    assert (status, headers["location"]) == (302, f"http://127.0.0.1:{served.port}{served.page}?from=test")


@pytest.mark.parametrize(
    "path",
    [
        "/../../pelicanconf.py",
        "/%2e%2e/%2e%2e/pelicanconf.py",
        "/en/..%2f..%2f..%2fpelicanconf.py",
        "/..%5c..%5cpelicanconf.py",
        "//etc/passwd",
        "/%2fetc/passwd",
        "/en/%00",
        "/" + "x" * 5000,
    ],
)
def test_nothing_outside_the_output_is_served(served: Preview, path: str) -> None:
    status, _, body = served.ask(path)
    assert status == 404
    assert "PLUGIN" not in body
    assert "root:" not in body


def test_link_out_of_the_output_is_not_followed(served: Preview) -> None:
    link = served.folder / "var" / "serve" / "out.txt"
    link.symlink_to(served.folder / "pelicanconf.py")
    assert served.ask("/out.txt")[0] == 404
    link.unlink()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "NONSENSE"])
def test_only_reading_is_allowed(served: Preview, method: str) -> None:
    assert served.ask(served.page, method=method)[0] == 405


def test_only_this_machine_is_served(served: Preview) -> None:
    other = socket.socket()
    other.settimeout(1)
    try:
        assert other.connect_ex(("127.0.0.2", served.port)) != 0
    finally:
        other.close()


def test_taken_port_is_said_in_one_line(served: Preview) -> None:
    result = run_blog(served.folder, "serve", "--port", str(served.port))
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert f"--port = {served.port}" in result.stderr
    assert f"./blog serve --port {served.port + 1}" in result.stderr


def test_open_page_does_not_hold_up_the_end(tmp_path: Path) -> None:
    folder = make_project(tmp_path, *SMALL)
    other = Preview(folder)
    events = http.client.HTTPConnection("127.0.0.1", other.port, timeout=10)
    events.request("GET", "/.blog/events")
    stream = events.getresponse()
    assert stream.readline().startswith(b"retry")
    assert re.fullmatch(rb"data: \d+\n", stream.readline())
    other.stop()
    events.close()
    listing = subprocess.run(["ps", "-eo", "args"], check=False, capture_output=True, text=True).stdout
    assert str(folder) not in listing  # no process is left behind
