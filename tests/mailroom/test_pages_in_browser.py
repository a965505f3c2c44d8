"""The public pages in a browser: the whole way without script, by keyboard, and judged by axe and the Nu checker."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from mailroom.languages import load_languages
from mailroom.office import Office, make_office, open_office
from mailroom.people.subscriptions import Preferences
from mailroom.tokens import Purpose
from mailroom.web.app import make_app
from mailroom.web.server import Server
from tests.mailroom.judges import faults_of_pages
from tests.mailroom.offices import count, identity_of, subscribe
from tests.mailroom.test_pages import every_page
from tests.mailroom.visitor import Visitor
from tests.mailroom.web_process import free_port, settings_for
from tests.theme.axe import bring_axe, judge_appearance, judge_whole
from tests.theme.support import DESKTOP, PHONE
from tests.theme.test_keyboard import STOPS as ALL_STOPS
from tests.theme.test_keyboard import walk
from tests.theme.visits import beyond

LANGUAGES = tuple(load_languages())
#: What Chromium says of every page that is an error, and should be one.
STATUS = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d ")

# Of choices that exclude each other Tab reaches the chosen one; arrows reach the others.
STOPS = ALL_STOPS.replace(".filter(e =>", ".filter(e => (e.type !== 'radio' || e.checked) &&")


@dataclass(frozen=True)
class Pages:
    """The real pages behind the real server."""

    office: Office
    address: str

    def link(self, purpose: Purpose, identity: bytes, lang: str, rest: str = "") -> str:
        """A link as it stands in a letter."""
        token = self.office.tokens.issue(purpose, identity, self.office.clock.now())
        return f"{self.address}{purpose.name.lower()}/{token}{rest}?lang={lang}"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    settings = settings_for(tmp_path_factory.mktemp("pages"), free_port())
    make_office(settings)
    with open_office(settings) as office:
        server, stop = Server(make_app(office), settings.listen, 8192), threading.Event()
        thread = threading.Thread(target=server.run, args=(stop,))
        thread.start()
        yield Pages(office, settings.url)
        stop.set()
        thread.join()


@pytest.fixture
def plain(browser: Browser) -> Iterator[BrowserContext]:
    """A window without script."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": DESKTOP[0], "height": DESKTOP[1]})
    context.set_default_timeout(10_000)
    yield context
    context.close()


def journey(page: Page, pages: Pages, lang: str, address: str) -> Iterator[str]:
    """From the form to the list, to other settings and away again; halts at every page and says which one it is."""
    office = pages.office

    def open_(url: str) -> None:
        page.goto(url)
        assert page.locator("html").get_attribute("lang") == lang
        assert page.locator("h1").count() == 1

    def press() -> None:
        page.locator("main button").click()
        assert page.locator("html").get_attribute("lang") == lang
        assert page.locator("h1").count() == 1

    open_(f"{pages.address}subscribe?lang={lang}")
    yield "subscribe"
    page.locator("#address").fill("reader@")
    press()
    yield "invalid"
    assert page.locator("#address").input_value() == "reader@"
    assert page.locator("#address").evaluate("e => e === document.activeElement")
    page.locator("#address").fill(address)
    press()
    yield "send"
    assert page.locator("main .address").inner_text() == address
    press()
    yield "sent"
    assert address not in page.content()
    while office.requests.decide_all():
        pass
    identity = identity_of(office, address)
    assert count(office, "letters", f"kind = 'confirmation' AND lang = '{lang}' AND subscription = x'{identity.hex()}'")
    open_(pages.link(Purpose.CONFIRM, identity, lang))
    yield "confirm"
    press()
    yield "confirmed"
    assert office.subscriptions.record(identity).state == "confirmed"
    open_(pages.link(Purpose.SETTINGS, identity, lang))
    yield "settings"
    press()
    yield "link sent"
    open_(pages.link(Purpose.PREFERENCES, identity, lang))
    yield "preferences"
    other = next(each for each in LANGUAGES if each != lang)
    page.locator("#langs-2").select_option(other)
    page.locator("label[for=weekly]").click()
    page.locator("label[for=discreet]").click()
    press()
    yield "saved"
    assert page.locator("[role=status]").is_visible()
    assert office.subscriptions.preferences(identity) == Preferences((lang, other), "weekly", discreet=True)
    page.locator(".ways a").nth(2).click()
    yield "erase"
    page.locator("main > p > a").click()
    assert page.locator("#weekly").is_checked()
    open_(pages.link(Purpose.UNSUBSCRIBE, identity, lang))
    yield "unsubscribe"
    press()
    yield "unsubscribed"
    open_(pages.link(Purpose.PREFERENCES, identity, lang))
    yield "expired"
    [other_reader] = subscribe(office, f"other-{address}")
    open_(pages.link(Purpose.PREFERENCES, other_reader, lang, "/erase"))
    press()
    yield "erased"
    open_(f"{pages.address}confirm/no-token?lang={lang}")
    yield "broken"


@pytest.mark.parametrize("lang", ["en", "fa"])
def test_without_script(plain: BrowserContext, pages: Pages, lang: str) -> None:
    asked: list[str] = []
    told: list[str] = []
    page = plain.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    found = []
    for what in journey(page, pages, lang, f"{lang}-plain@example.org"):
        page.set_viewport_size({"width": 320, "height": 640})
        found += [f"{what}: {each}" for each in beyond(page)]
        page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
        assert page.evaluate("getComputedStyle(document.body).maxInlineSize") != "none", "the style sheet applies"
    assert not found, "\n".join(found)
    assert not [each for each in told if not STATUS.match(each)], "the browser complains"
    assert {urlsplit(each).netloc for each in asked} == {urlsplit(pages.address).netloc}
    assert {urlsplit(each).path.rpartition(".")[2] for each in asked}.isdisjoint({"css", "js", "png", "svg", "ico"})
    assert plain.cookies() == []


@pytest.mark.parametrize(("lang", "target"), [("en", "https://weather.example/"), ("fa", "https://hava.example/")])
def test_the_way_out_stays_in_sight(plain: BrowserContext, pages: Pages, lang: str, target: str) -> None:
    page = plain.new_page()
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page.goto(f"{pages.address}subscribe?lang={lang}")
    page.evaluate("window.scrollTo(0, 600)")
    assert page.evaluate("window.scrollY") > 300
    way_out = page.locator(".exit a")
    assert way_out.get_attribute("href") == target
    assert way_out.get_attribute("rel") == "noreferrer noopener"
    box = way_out.bounding_box()
    assert box
    assert 0 <= box["y"] < 40
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert way_out.evaluate("e => e === document.activeElement"), "the second stop, after the skip link"


@pytest.mark.parametrize("lang", [lang for lang in LANGUAGES if lang not in ("en", "fa")])
def test_other_languages_fit_a_small_screen(plain: BrowserContext, pages: Pages, lang: str) -> None:
    page = plain.new_page()
    page.set_viewport_size({"width": 320, "height": 640})
    [identity] = subscribe(pages.office, f"{lang}-small@example.org", lang=lang)
    links = [pages.link(purpose, identity, lang) for purpose in Purpose]
    for url in (
        f"{pages.address}subscribe?lang={lang}",
        f"{pages.address}confirm/no-token?lang={lang}",
        pages.link(Purpose.PREFERENCES, identity, lang, "/erase"),
        *links,
    ):
        page.goto(url)
        assert beyond(page) == []


@pytest.mark.parametrize("lang", ["en", "fa"])
def test_axe_finds_nothing_wrong(browser: Browser, pages: Pages, lang: str) -> None:
    context = browser.new_context()
    bring_axe(context)
    page = context.new_page()
    found = []
    for what in journey(page, pages, lang, f"{lang}-judged@example.org"):
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
        found += [f"{what}: {each}" for each in judge_whole(page)]
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        found += [f"{what}, dark: {each}" for each in judge_appearance(page)]
    context.close()
    assert not found, "\n".join(found)


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("lang", ["en", "fa"])
def test_tab_reaches_everything_in_reading_order(
    plain: BrowserContext, pages: Pages, lang: str, viewport: tuple[int, int]
) -> None:
    page = plain.new_page()
    page.set_viewport_size({"width": viewport[0], "height": viewport[1]})
    [identity] = subscribe(pages.office, f"{lang}-{viewport[0]}-keys@example.org")
    for url in (f"{pages.address}subscribe?lang={lang}", pages.link(Purpose.PREFERENCES, identity, lang)):
        page.goto(url)
        stops = walk(page)
        assert [stop["name"] for stop in stops] == page.evaluate(STOPS)
        assert len(stops) > 5
        assert [stop["name"] for stop in stops if stop["ring"] < 2] == []
        assert [stop["name"] for stop in stops if not stop["inView"] or not stop["uncovered"]] == []


@pytest.mark.parametrize("lang", ["en", "fa"])
def test_signing_up_by_keyboard_alone(plain: BrowserContext, pages: Pages, lang: str) -> None:
    page = plain.new_page()
    page.goto(f"{pages.address}subscribe?lang={lang}")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the skip link
    assert page.evaluate("document.activeElement.localName") == "main"
    page.keyboard.press("Tab")
    page.keyboard.type(f"{lang}-keyboard@example.org")
    page.keyboard.press("Enter")
    page.wait_for_url("**/subscribe")
    page.locator("input[name=request]").wait_for(state="attached")
    page.locator("main").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/subscribe/send?*")
    pages.office.requests.decide_all()
    assert identity_of(pages.office, f"{lang}-keyboard@example.org")


def test_every_page_is_valid(office: Office, tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    for name, answer in every_page(Visitor(office)).items():
        (folder / f"{name.replace(' ', '-')}.html").write_bytes(answer.body)
    for lang in ("fa", "zh-Hans"):
        (folder / f"subscribe-{lang}.html").write_bytes(Visitor(office).get(f"subscribe?lang={lang}").body)
    assert faults_of_pages(folder) == []
