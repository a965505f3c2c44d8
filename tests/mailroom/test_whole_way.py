"""The whole way through real parts: a page in Chromium, nginx, the mailroom, Postfix, a mailbox, and back."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import BrowserType, Page

from mailroom.letters.dkim import Signer, load_key, make_key
from tests.frontdoor.support import ROOT, browser_path, run_blog, skip_if_left_out, wait_until
from tests.mailroom.judges import spam_scores, verified_headers
from tests.mailroom.offices import make_age_key
from tests.mailroom.servers import BLOG_DOMAIN, BOUNCE_DOMAIN, BOUNCES, PASSWORD, USER, MailServer, free_ports
from tests.mailroom.test_service import House, Running, make_house
from tests.once import once
from tests.policy.servers import make_certificate, print_configuration, running_nginx

#: The publication's own name, which its pages know; the browser is led to this machine.
HOST = "thehuman-rights.com"
SENDER = f"letters@{BLOG_DOMAIN}"
#: What a letter's HTML may not have, lest displaying it asks anybody for anything.
REMOTE = re.compile(r"<(?:img|link|script|iframe|object|video|audio|source)\b|url\(|\bsrc=|@import", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """The publication and its mailroom, on line."""

    house: House
    running: Running
    mail: MailServer
    #: Where nginx answers for HOST, with TLS.
    port: int
    output: Path
    records: dict[str, str]
    token: str

    def signup_page(self, lang: str) -> str:
        """The address of an edition's page with the form."""
        pages = (self.output / lang).glob("*/index.html")
        page = next(page for page in pages if 'action="/mail/subscribe"' in page.read_text("utf-8"))
        return f"https://{HOST}/{lang}/{page.parent.name}/"

    def post(self, url: str, body: str, kind: str) -> int:
        """What a mail provider's program is answered when it posts to an address in a letter (RFC 8058, 3.1)."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=context)
        with contextlib.closing(connection):
            path = url.removeprefix(f"https://{HOST}")
            connection.request("POST", path, body, {"Host": HOST, "Content-Type": kind})
            return connection.getresponse().status

    def send(self, post: str, **titles: str) -> None:
        """Hand in a post in its languages and start it, as the newsletter does."""
        digests = {}
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {self.token}"
        base = f"http://127.0.0.1:{self.house.api_port}/mail/api/campaigns"
        session.headers["Host"] = HOST
        for lang, title in titles.items():
            key = f"{lang}-{hashlib.sha256(f'{post} {lang}'.encode()).hexdigest()[:16]}"
            digests[key] = hashlib.sha256(title.encode()).hexdigest()
            content = {
                "kind": "post", "lang": lang, "post": post, "digest": digests[key], "subject": title,
                "preheader": "", "title": title, "summary": "", "url": f"https://{HOST}/{lang}/",
                "html": f"<p>{title}.</p>", "text": f"{title}.",
            }  # fmt: skip
            answer = session.put(f"{base}/{key}", json=content, timeout=20)
            assert answer.status_code == 201, answer.text
        answer = session.post(f"{base}/{key}/start", json={"digests": digests, "hold": 0}, timeout=20)
        assert answer.status_code == 200, answer.text

    def run(self, *words: str) -> str:
        """What a command of the mailroom prints."""
        done = run_blog(self.house.folder, "mailroom", *words, **self.house.environment)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)


def publish_with_form(temporary: pytest.TempPathFactory) -> Path:
    """The publication as it is published where a mailroom runs."""

    def build(folder: Path) -> Path:
        output = folder / "output"
        built = run_blog(ROOT, "build", "--production", "--output", str(output), NEWSLETTER_SIGNUP="/mail/subscribe")
        assert built.returncode == 0, built.stderr
        return output

    return once(temporary, "publication-with-form", build)


def equip(house: House, mail: MailServer, folder: Path) -> dict[str, str]:
    """Have a house's letters go through the relay, signed, and what comes back read; return what is in the DNS."""
    key = folder / "dkim.pem"
    key.write_bytes(make_key())
    key.chmod(0o600)
    name, text = Signer(load_key(key), BLOG_DOMAIN, "mailroom").record()
    house.environment.update(
        MAILROOM_SENDER=SENDER,
        MAILROOM_BOUNCE_DOMAIN=BOUNCE_DOMAIN,
        MAILROOM_BOUNCES="imap",
        MAILROOM_BOUNCE_IMAP=f"imap://{BOUNCES}@127.0.0.1:{mail.imap_port}",
        MAILROOM_BOUNCE_PASSWORD=PASSWORD,
        MAILROOM_DKIM_KEY=str(key),
        MAILROOM_RELAY=f"smtp://localhost:{mail.submission_port}",
        MAILROOM_RELAY_USER=USER,
        MAILROOM_RELAY_PASSWORD=PASSWORD,
        MAILROOM_RELAY_CA=str(mail.ca),
        MAILROOM_TRUSTED_PROXIES="127.0.0.1",
        MAILROOM_BACKUP_RECIPIENT=make_age_key().recipient,
    )
    return {name: "".join(re.findall(r'"([^"]*)"', text))}


@pytest.fixture(scope="module")
def place(mail: MailServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Everything, started as the README says."""
    skip_if_left_out("servers")
    folder = tmp_path_factory.mktemp("place")
    house = make_house(folder / "house")
    records = equip(house, mail, folder)
    house.environment.update(MAILROOM_URL=f"https://{HOST}/mail/")
    output = publish_with_form(tmp_path_factory)
    running = house.start()
    try:
        running.await_work()
        token = run_blog(
            house.folder, "mailroom", "token", "create", "test", "--scope", "send", **house.environment
        ).stdout.split()[0]
        with web_server(folder, output, house.port) as port:
            yield Place(house, running, mail, port, output, records, token)
    finally:
        running.stop()


@contextlib.contextmanager
def web_server(folder: Path, output: Path, mailroom: int) -> Iterator[int]:
    """What runs nginx with what `deploy-config` prints for the publication."""
    certificates, home = folder / "certificates", folder / "nginx"
    certificates.mkdir()
    home.mkdir()
    certificate, key = make_certificate(certificates)
    plain, port = free_ports(2)
    os.environ["NEWSLETTER_SIGNUP"] = "/mail/subscribe"
    try:
        text = print_configuration(
            ROOT, "nginx", "--root", str(output), "--mailroom", f"127.0.0.1:{mailroom}",
            "--certificate", certificate, "--key", key, "--ports", f"{plain},{port}",
        )  # fmt: skip
    finally:
        del os.environ["NEWSLETTER_SIGNUP"]
    with running_nginx(home, text.replace(f"/var/log/{HOST}/", f"{home}/")):
        yield port


@pytest.fixture
def page(place: Place, chromium: BrowserType) -> Iterator[Page]:
    """A window without script, for which HOST is this machine."""
    browser = chromium.launch(
        executable_path=browser_path(), args=[f"--host-resolver-rules=MAP {HOST}:443 127.0.0.1:{place.port}"]
    )
    context = browser.new_context(java_script_enabled=False, ignore_https_errors=True)
    context.set_default_timeout(10_000)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    yield page
    assert {urlsplit(url).hostname for url in asked} == {HOST}
    assert context.cookies() == []
    browser.close()


def text_of(letter: EmailMessage) -> str:
    part = letter.get_body(("plain",))
    assert part
    return str(part.get_content())


def html_of(letter: EmailMessage) -> str:
    part = letter.get_body(("html",))
    assert part
    return str(part.get_content())


def link_in(letter: EmailMessage, purpose: str) -> str:
    """The link in a letter's text; the HTML has it too."""
    found = re.search(rf"https://{re.escape(HOST)}/mail/{purpose}/\S+", text_of(letter))
    assert found, text_of(letter)
    assert found[0].replace("&", "&amp;") in html_of(letter)
    return found[0]


def press(page: Page, lang: str) -> None:
    page.locator("main button").first.click()
    assert page.locator("html").get_attribute("lang") == lang


TITLES = {"en": "A test of letters", "fa": "آزمایش نامه‌ها"}


@pytest.mark.parametrize("lang", ["fa", "en"])
def test_from_the_form_to_the_letters_and_away_again(place: Place, page: Page, lang: str, tmp_path: Path) -> None:
    address = f"reader-{lang}@mail.test"
    mailbox = place.mail.mailbox(address)
    direction = "rtl" if lang == "fa" else "ltr"

    page.goto(place.signup_page(lang))
    page.locator("main form input[name=address]").fill(address)
    press(page, lang)
    assert urlsplit(page.url).path == "/mail/subscribe"
    assert page.locator("html").get_attribute("dir") == direction
    press(page, lang)
    confirmation = mailbox.wait_for(1)[0]
    assert "human" not in str(confirmation["From"]).lower()
    assert confirmation["Auto-Submitted"] == "auto-generated"
    assert confirmation["List-Unsubscribe"] is None
    page.goto(link_in(confirmation, "confirm"))
    press(page, lang)

    place.send(f"first-{lang}", **{lang: TITLES[lang]})
    first = mailbox.wait_for(2)[1]
    assert first["Subject"] == TITLES[lang]
    assert TITLES[lang] in text_of(first)
    assert f'lang="{lang}"' in html_of(first)
    assert f'dir="{direction}"' in html_of(first)
    assert not REMOTE.search(html_of(first))
    assert first["List-Id"] == f"<{lang}.letters.{BLOG_DOMAIN}>"
    assert first["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for raw in mailbox.raw():
        covered = {"from", "subject", "message-id"}
        if b"\nList-Unsubscribe:" in raw:
            covered |= {"list-unsubscribe", "list-unsubscribe-post"}
        assert [covered - names for names in verified_headers(raw, place.records)] == [set()]

    page.goto(link_in(first, "settings"))
    press(page, lang)
    page.goto(link_in(mailbox.wait_for(3)[2], "preferences"))
    page.locator("label[for=discreet]").click()
    press(page, lang)
    assert page.locator("[role=status]").is_visible()
    place.send(f"second-{lang}", **{lang: TITLES[lang]})
    discreet = mailbox.wait_for(4)[3]
    assert "human" not in str(discreet["From"]).lower()
    assert discreet["Subject"] != TITLES[lang]
    assert TITLES[lang] in text_of(discreet)

    way_out, leave = re.findall(r"<([^>]+)>", str(discreet["List-Unsubscribe"]))
    assert leave.startswith("mailto:")
    assert place.post(way_out, "List-Unsubscribe=One-Click", "application/x-www-form-urlencoded") == 200
    place.send(f"third-{lang}", **{lang: TITLES[lang]})
    wait_until(lambda: "finished" in place.run("status"), "the campaign does not end")
    assert len(mailbox.letters()) == 4

    scores = spam_scores(mailbox.raw(), tmp_path)
    assert max(score for score, _ in scores) < 2, scores


def test_nothing_of_the_readers_is_in_any_log(place: Place) -> None:
    logs = [path for path in place.house.folder.parent.rglob("*.log") if path.is_file()]
    written = "".join([*(path.read_text("utf-8", "replace") for path in logs), *place.running.said])
    assert "at work" in written
    assert not re.search(r"reader-|mail\.test|/mail/(?:confirm|unsubscribe|settings|preferences)/", written)
