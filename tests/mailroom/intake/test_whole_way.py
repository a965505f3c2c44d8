"""The whole way through real parts: Chromium without script, nginx, the service, the expert's commands, and back.

The same in Firefox, as strict as Tor Browser at its safest, is tried by hand: nothing here drives it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserType, Page

from mailroom.campaigns.api_tokens import ApiTokens
from mailroom.clock import Clock
from mailroom.store.database import Database
from tests.frontdoor.support import browser_path, skip_if_left_out, wait_until
from tests.mailroom.intake.practice import PASSPHRASE, run_intake
from tests.mailroom.servers import free_ports
from tests.mailroom.test_service import HOST, House, make_house
from tests.multilingual.sites import Site
from tests.policy.servers import make_certificate, print_configuration, running_nginx
from tests.policy.test_servers import publish
from tests.theme.support import PHONE

PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
EXIT = "https://weather.example/"


@dataclass(frozen=True)
class Expert:
    """A machine of their own, with the key that was made on it."""

    folder: Path
    recipient: str
    environment: dict[str, str]

    def run(self, *words: str) -> str:
        """What `./blog intake …` prints."""
        code, out, err = run_intake(self.folder, *words, stdin=f"{PASSPHRASE}\n", **self.environment)
        assert code == 0, err
        return out


@dataclass(frozen=True)
class Place:
    """A site with its form, on line at a port of this machine, and who reads what is sent."""

    port: int
    expert: Expert


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Everything, started as the README says."""
    skip_if_left_out("servers")
    house = make_house(tmp_path / "house")
    (tmp_path / "expert").mkdir()
    _, recipient, _ = run_intake(tmp_path / "expert", "keygen", stdin=f"{PASSPHRASE}\n")
    (intake,) = free_ports(1)
    house.environment |= {
        "MAILROOM_INTAKE_RECIPIENTS": recipient.strip(),
        "MAILROOM_INTAKE_LISTEN": f"127.0.0.1:{intake}",
        "MAILROOM_TRUSTED_PROXIES": "127.0.0.1",
        "MAILROOM_EXIT": EXIT,
    }
    running = house.start()
    try:
        with web_server(tmp_path, house, intake) as port:
            running.await_work()
            with Database(house.settings.database) as database:
                token = ApiTokens(database, Clock()).create("expert", "intake")
            access = {
                "MAILROOM_INTAKE_API": f"http://127.0.0.1:{house.api_port}/mail/api/", "MAILROOM_INTAKE_TOKEN": token
            }  # fmt: skip
            yield Place(port, Expert(tmp_path / "expert", recipient.split()[0], access))
    finally:
        running.stop()


@contextlib.contextmanager
def web_server(folder: Path, house: House, intake: int) -> Iterator[int]:
    """What runs nginx with what `deploy-config` prints for a small site, and its port for HTTPS."""
    site = Site(folder / "site", PLUGINS=["multilingual", "policy"], PRIVACY_ACCESS_LOG="none")
    publish(site)
    for name in ("site/output", "certificate", "nginx"):
        (folder / name).mkdir()
    certificate, key = make_certificate(folder / "certificate")
    plain, port = free_ports(2)
    text = print_configuration(
        site.folder, "nginx", "--root", str(site.folder / "output"), "--mailroom", f"127.0.0.1:{house.port}",
        "--intake", f"127.0.0.1:{intake}", "--certificate", certificate, "--key", key, "--ports", f"{plain},{port}",
    )  # fmt: skip
    with running_nginx(folder / "nginx", text):
        yield port


@pytest.fixture
def page(place: Place, chromium: BrowserType) -> Iterator[Page]:
    """A phone's window without script, for which HOST is this machine."""
    browser = chromium.launch(
        executable_path=browser_path(), args=[f"--host-resolver-rules=MAP {HOST}:443 127.0.0.1:{place.port}"]
    )
    context = browser.new_context(
        java_script_enabled=False, ignore_https_errors=True, viewport={"width": PHONE[0], "height": PHONE[1]}
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    yield page
    assert {urlsplit(url).hostname for url in asked if not url.startswith("data:")} == {HOST}
    assert context.cookies() == []
    browser.close()


def test_from_the_form_to_the_expert_and_away_again(place: Place, page: Page, tmp_path: Path) -> None:
    expert = place.expert
    file = tmp_path / "گذرنامه.pdf"
    file.write_bytes(b"%PDF-1.7\n" + bytes(70_000))

    wait_until(lambda: _is_open(page), "the form does not open")
    assert page.locator("html").get_attribute("dir") == "rtl"
    assert page.locator(".exit a").get_attribute("href") == EXIT
    assert page.locator("main code").inner_text() == expert.recipient
    assert expert.run("list") == "Nothing waits.\n"
    page.locator("#message").fill("سلام، پرسشی دارم")
    page.locator("#files").set_input_files(file)
    page.locator("main form button").click()
    receipt = page.locator(".receipt").inner_text().translate(PERSIAN)

    assert see(page, receipt) == "stored"
    expert.run("open")
    assert see(page, receipt) == "acknowledged"
    (opened,) = expert.folder.glob("var/intake/opened/2*")
    assert "سلام، پرسشی دارم" in (opened / "letter.txt").read_text("utf-8")
    assert (opened / "attachment-1.pdf").read_bytes() == file.read_bytes()

    page.locator("button[name=delete]").click()
    assert page.locator("[role=status]").get_attribute("data-state") == "deleted"
    assert expert.run("list") == "Nothing waits.\n"


def _is_open(page: Page) -> bool:
    """Whether nginx and the intake both answer."""
    answer = page.goto(f"https://{HOST}/mail/form?lang=fa")
    return answer is not None and answer.status == 200


def see(page: Page, receipt: str) -> str | None:
    """What the page says became of what was sent."""
    page.goto(f"https://{HOST}/mail/form/receipt?lang=fa")
    page.locator("#receipt").fill(receipt)
    page.locator("main form button").click()
    return page.locator("[role=status]").get_attribute("data-state")
