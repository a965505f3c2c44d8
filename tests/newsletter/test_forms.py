"""Sign-up forms: each mailing service gets the fields it knows, and readers are told who gets what they fill in."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from newsletter.errors import ConfigurationError
from newsletter.providers import PROVIDERS, make_form
from newsletter.settings import Configuration
from playwright.sync_api import Browser, BrowserContext

from tests.multilingual.sites import Site
from tests.theme.axe import bring_axe, judge_whole
from tests.theme.support import JAVA_OPTIONS, java_path, node_tool
from tests.theme.test_weight import FIRST_FLIGHT, weigh

LANGUAGES = ("en", "fa", "ru")
ADDRESS = "reader@example.org"
#: What a form of each is sent to; what it says for English and Persian; the fields that it must send, but the trap,
#: which is sent empty; and who readers are told gets it.
UUID = {"en": "12e38a2c-2340-42b7-85bb-42782243b88d", "fa": "cd18c203-21a6-41d2-8da0-9c2d3475f157"}
SERVICES: dict[str, tuple[str, dict[str, str], dict[str, str], str, str]] = {
    "mailroom": ("/mail/subscribe", {}, {"address": ADDRESS, "lang": "fa"}, "", ""),
    "listmonk": ("/subscription/form", UUID, {"email": ADDRESS, "l": UUID["fa"]}, "nonce", "127.0.0.1"),
    "buttondown": (
        "/api/emails/embed-subscribe/name", {"en": "English", "fa": "فارسی"},
        {"email": ADDRESS, "tag": "فارسی", "embed": "1"}, "", "Buttondown",
    ),
    "mailchimp": (
        "/subscribe/post?u=0a1b&id=2c3d", {"en": "101", "fa": "102"},
        {"EMAIL": ADDRESS, "tags": "102"}, "b_0a1b_2c3d", "Mailchimp (Intuit)",
    ),
}  # fmt: skip
#: What our page says of our own service.
OWN = "Our own mailing service keeps your address, encrypted."

SiteWith = Callable[[str], Site]


@dataclass
class Receiver:
    """A server that remembers the forms it was sent."""

    url: str
    sent: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)  # path, fields


@contextmanager
def listen(handler: Any) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:  # else a test that fails would leave it serving, and the tests would never end
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    received = Receiver("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.sent.append((self.path, parse_qsl(body, keep_blank_values=True)))
            page = b"<!DOCTYPE html><title>Received</title>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            pass

    with listen(Handler) as received.url:
        yield received


def make_site(folder: Path, provider: str, signup: str | None, **settings: object) -> Site:
    """A site with a newsletter page and a privacy page that tell of our own mailing service."""
    site = Site(
        folder,
        PLUGINS=["multilingual", "policy", "contact", "newsletter"],
        MULTILINGUAL_LANGUAGES={lang: {} for lang in LANGUAGES},
        PRIVACY_ACCESS_LOG="none",
        PRIVACY_HOST="A host",
        PRIVACY_HOST_COUNTRY="IS",
        PRIVACY_MAILING_SERVICE=provider,
        POLICY_FORM_ACTIONS=(signup.partition("?")[0],) if signup and signup != "elsewhere" else (),
        NEWSLETTER_PROVIDER=provider,
        NEWSLETTER_SIGNUP=signup,
        NEWSLETTER_SIGNUP_LISTS=SERVICES[provider][1],
        **settings,
    )
    for lang in LANGUAGES:
        fields = {} if lang == "en" else {"Translated_from": "en"}
        site.article(lang, "one", Summary="Summary.", **({"Date": ""} | fields if fields else {}))
        for name in ("newsletter", "privacy"):
            site.page(lang, name, OWN, Template=name, Summary="Summary.", **fields)
    return site


@pytest.fixture(scope="module")
def site_with(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> SiteWith:
    """The same site with each service, its forms sent to the receiver; built when it is first asked for."""

    @cache
    def build(provider: str) -> Site:
        site = make_site(tmp_path_factory.mktemp(provider), provider, receiver.url + SERVICES[provider][0])
        site.build_whole()
        return site

    return build


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(java_script_enabled=False)
    yield context
    context.close()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("lang", ["en", "fa"])
def test_readers_sign_up_by_keyboard_and_the_service_gets_what_it_knows(
    site_with: SiteWith, receiver: Receiver, context: BrowserContext, provider: str, lang: str
) -> None:
    action, _, fields, trap, _ = SERVICES[provider]
    receiver.sent.clear()
    page = context.new_page()
    with listen(partial(Quiet, directory=str(site_with(provider).output))) as url:
        page.goto(f"{url}/{lang}/newsletter/")
        address, language = page.locator("#sign-up-address"), page.locator("#sign-up-lang")
        assert page.locator("label[for=sign-up-address]").is_visible()
        address.focus()
        page.keyboard.type(ADDRESS)
        page.keyboard.press("Tab")
        assert language.evaluate("e => e === document.activeElement")
        language.select_option(fields[str(language.get_attribute("name"))])
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.localName") == "button", "no stop at what nobody sees"
        page.keyboard.press("Enter")
        page.wait_for_url(f"{receiver.url}/**")
    [(path, sent)] = receiver.sent
    assert path == action
    assert sorted(sent) == sorted((fields | ({trap: ""} if trap else {})).items())


def test_axe_finds_nothing_wrong(site_with: SiteWith, browser: Browser) -> None:
    context = browser.new_context()
    bring_axe(context)
    page = context.new_page()
    for provider in PROVIDERS:
        with listen(partial(Quiet, directory=str(site_with(provider).output))) as url:
            for lang in ("en", "fa"):
                page.goto(f"{url}/{lang}/newsletter/")
                assert judge_whole(page) == [], (provider, lang)
    context.close()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_trap_is_seen_by_nobody(site_with: SiteWith, browser: Browser, provider: str) -> None:
    """Neither by eyes nor by screen readers nor by browsers that fill in forms."""
    trap = SERVICES[provider][3]
    form = site_with(provider).html("en/newsletter/").xpath("//form")[0]
    named = [each.get("name") for each in form.xpath(".//input[@type='text'][@tabindex='-1']")]
    assert named == ([trap] if trap else [])
    if trap:
        [inputs] = form.xpath(".//*[@aria-hidden='true']/input")
        assert inputs.get("autocomplete") == "off"
        quiet = partial(Quiet, directory=str(site_with(provider).output))
        with listen(quiet) as url, closing(browser.new_page()) as page:
            page.goto(f"{url}/fa/newsletter/")
            box = page.locator(".trap").bounding_box()
        assert box
        assert box["width"] * box["height"] <= 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_only_languages_with_a_list_are_offered(site_with: SiteWith, provider: str) -> None:
    lists = SERVICES[provider][1] or {lang: lang for lang in LANGUAGES}
    for lang in LANGUAGES:
        form = site_with(provider).html(f"{lang}/newsletter/").xpath("//form")[0]
        assert form.xpath(".//option/@value") == list(lists.values())
        assert form.xpath(".//option[@selected]/@value") == ([lists[lang]] if lang in lists else [])
        for each in form.xpath(".//*[@aria-describedby]"):
            assert form.xpath(f".//*[@id='{each.get('aria-describedby')}']")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_nothing_is_promised_for_a_service_that_is_not_ours(site_with: SiteWith, provider: str) -> None:
    company = SERVICES[provider][4]
    newsletter = " ".join(site_with(provider).html("en/newsletter/").xpath("//main")[0].text_content().split())
    privacy = " ".join(site_with(provider).html("en/privacy/").xpath("//main")[0].text_content().split())
    assert ("encrypted" in newsletter, OWN in newsletter) == (not company, not company)
    assert "does not hold for it" in privacy if company else "does not hold" not in privacy
    if company:
        assert f"What you fill in goes to {company}, not to this site." in newsletter
        assert "may set cookies" in newsletter
        assert "can be chosen later" not in newsletter


def test_a_page_that_tells_of_the_service_is_shown(tmp_path: Path, receiver: Receiver) -> None:
    site = make_site(tmp_path, "listmonk", receiver.url + SERVICES["listmonk"][0])
    for name in ("newsletter", "privacy"):
        site.page("en", name, "How listmonk works.", Template=name, Summary="S.", Mailing_service="listmonk")
    site.build_whole()
    assert "How listmonk works." in site.text("en/newsletter/")
    assert "does not hold for it" not in site.text("en/privacy/")


def test_one_list_for_all_languages_needs_no_choice(tmp_path: Path, receiver: Receiver) -> None:
    site = make_site(tmp_path, "buttondown", receiver.url + "/api/emails/embed-subscribe/name")
    site.settings(NEWSLETTER_SIGNUP_LISTS={}, NEWSLETTER_SIGNUP_COMPANY="Somebody & <Sons>")
    site.build_whole()
    form = site.html("en/newsletter/").xpath("//form")[0]
    assert not form.xpath(".//select")
    assert "Somebody & <Sons>" in form.text_content()


@pytest.mark.parametrize("signup", ["elsewhere", None])
def test_copies_and_sites_without_letters_have_no_form(tmp_path: Path, signup: str | None) -> None:
    site = make_site(tmp_path, "listmonk", signup)
    site.build_whole()
    page = site.html("fa/newsletter/")
    assert not page.xpath("//form")
    assert page.xpath("//*[@id='sign-up']" if signup else "//*[@id='not-yet']")
    assert OWN not in page.text_content()


def test_the_check_refuses_a_privacy_page_that_names_somebody_else(tmp_path: Path) -> None:
    site = make_site(tmp_path, "listmonk", "https://lists.site.example/subscription/form")

    def found(*, production: bool, warning: bool) -> list[str]:
        problems = site.check(production=production).problems
        return [each.what for each in problems if each.file == "PRIVACY_MAILING_SERVICE" and each.warning is warning]

    assert found(production=True, warning=False) == []
    site.settings(PRIVACY_MAILING_SERVICE="mailroom")
    [said] = found(production=True, warning=False)
    assert "'listmonk'" in said
    assert "mailroom sends the letters" in said
    assert found(production=False, warning=True) == [said]
    site.settings(PRIVACY_MAILING_SERVICE=None)
    assert "no letters are sent" in found(production=True, warning=False)[0]


def test_pages_with_forms_are_valid_and_light(site_with: SiteWith, tmp_path: Path) -> None:
    java, checker = java_path(), node_tool("BLOG_TEST_VNU", "vnu-jar/build/dist/vnu.jar")
    for provider in PROVIDERS:
        site = site_with(provider)
        for lang in LANGUAGES:
            page = (site.output / lang / "newsletter" / "index.html").read_bytes()
            (tmp_path / f"{provider}-{lang}.html").write_bytes(page)
            style = (site.output / "theme" / "css" / "site.css").read_bytes()
            assert weigh(page) + weigh(style) <= FIRST_FLIGHT, (provider, lang)
    (tmp_path / "control.html").write_text('<!DOCTYPE html><html lang="en"><title>x</title><p><div></p>', "utf-8")
    options = ["--format", "json", "--stdout", "--errors-only"]
    command = [java, *JAVA_OPTIONS, "-jar", str(checker), *options, str(tmp_path)]
    run = subprocess.run(
        command, env=os.environ | {"LC_ALL": "C.UTF-8"}, capture_output=True, encoding="utf-8", timeout=120, check=False
    )
    told = [f"{each['url'].rpartition('/')[2]}: {each['message']}" for each in json.loads(run.stdout)["messages"]]
    assert any(each.startswith("control.html") for each in told), run.stderr
    assert not [each for each in told if not each.startswith("control.html")]


def test_a_provider_without_a_form_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"NEWSLETTER_PROVIDER = 'json'.*make_form"):
        make_form(Configuration(provider="json", signup="/subscribe"))
    assert make_form(Configuration(provider="json")) is None
