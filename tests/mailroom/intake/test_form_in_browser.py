"""The whole way in a browser without script: the form, what is missing, the receipt, and what became of the message."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.mailroom.intake.house import TYPE, House, running, write_form
from tests.theme.support import DESKTOP, PHONE

PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
#: What Chromium says of every page that is an error, and should be one.
STATUS = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d ")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The intake at work, at the address at which browsers see it."""
    house = House(tmp_path_factory.mktemp("intake"), exit="https://weather.example/")
    house.given["url"] = f"http://127.0.0.1:{house.port}/mail/"
    with running(house):
        yield house


class Window:
    """A window without script, and what it asked for and complained of."""

    def __init__(self, browser: Browser, viewport: tuple[int, int]) -> None:
        self.context = browser.new_context(
            java_script_enabled=False, viewport={"width": viewport[0], "height": viewport[1]}
        )
        self.context.set_default_timeout(20_000)
        self.page = self.context.new_page()
        self.asked: list[str] = []
        self.told: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.told.append(message.text))

    def close(self, house: House) -> None:
        """See that nothing was kept, loaded from elsewhere or complained of, and close it."""
        assert {urlsplit(each).netloc for each in self.asked if not each.startswith("data:")} == {
            f"127.0.0.1:{house.port}"
        }
        assert not [each for each in self.told if not STATUS.match(each)]
        assert self.context.cookies() == []
        self.context.close()


def test_the_whole_way_on_a_phone_in_persian(browser: Browser, house: House, tmp_path: Path) -> None:
    window = Window(browser, PHONE)
    page = window.page
    page.goto(f"{house.settings.url}form?lang=fa")
    assert page.evaluate("getComputedStyle(document.body).maxInlineSize") != "none", "the style sheet applies"
    page.locator("#country").fill("ایران")
    page.locator("label[for=contact_by-signal]").click()
    page.locator("main form button").click()
    page.locator("#faults").wait_for()
    assert page.locator("#country").input_value() == "ایران"
    assert page.locator("#contact_by-signal").is_checked()
    assert page.evaluate("document.activeElement.id") == "faults"
    assert house.store.list() == []

    file = tmp_path / "گذرنامه.pdf"
    file.write_bytes(b"%PDF-1.7\n" + bytes(70_000))
    page.locator("#message").fill("سلام\nپرسشی دارم")
    page.locator("#wish").select_option("consultation")
    page.locator("#contact").fill("+44 20 7946 0101")
    page.locator("#files").set_input_files(file)
    page.locator("main form button").click()
    page.locator(".receipt").wait_for()
    [submission] = house.opened()
    assert (submission.face, submission.lang) == ("report", "fa")
    assert submission.fields == (
        ("wish", "consultation"),
        ("country", "ایران"),
        ("message", "سلام\nپرسشی دارم"),
        ("contact_by", "signal"),
        ("contact", "+44 20 7946 0101"),
    )
    assert [(each.kind, each.content) for each in submission.attachments] == [("pdf", file.read_bytes())]

    digits = page.locator(".receipt").inner_text()
    assert re.fullmatch(r"\d{4} \d{4} \d{4} \d{4}", digits)
    page.locator("main a").click()
    page.locator("#receipt").fill("۱۲۳")
    page.locator("main form button").click()
    page.locator("#receipt-fault").wait_for()
    assert page.locator("#receipt").input_value() == "۱۲۳"
    page.locator("#receipt").fill(digits.translate(PERSIAN))
    page.locator("main form button").click()
    page.locator("button[name=delete]").click()
    page.locator("button[name=delete]").wait_for(state="detached")
    assert page.locator("[role=status]").is_visible()
    assert house.state(digits.replace(" ", "")) is None
    assert house.store.list() == []
    window.close(house)


def test_a_meeting_is_asked_for(browser: Browser, house: House) -> None:
    window = Window(browser, DESKTOP)
    page = window.page
    page.goto(f"{house.settings.url}form/meeting?lang=en")
    days = page.locator("input[name=days]")
    chosen = [days.nth(number).get_attribute("value") for number in (0, 20)]
    for number in (0, 20):
        days.nth(number).check()
    page.locator("input[name=times]").nth(3).check()
    page.locator("#zone").select_option("Asia/Kabul")
    page.locator("#other_way").check()
    page.locator("#topic").fill("Costs, and the contract")
    page.locator("main form button").click()
    page.locator(".receipt").wait_for()
    assert "No answer will come" in page.locator("main").inner_text()
    [submission] = house.opened()
    assert submission.fields == (
        *(("days", day) for day in chosen),
        ("times", "20-24"),
        ("zone", "Asia/Kabul"),
        ("topic", "Costs, and the contract"),
        ("other_way", "yes"),
    )
    window.close(house)


def test_what_could_not_be_taken_is_sent_again_by_loading_the_page_again(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    house = House(tmp_path_factory.mktemp("full"), intake_most=1)
    house.given["url"] = f"http://127.0.0.1:{house.port}/mail/"
    file = house.folder / "file.txt"
    file.write_text("a file")
    with running(house) as intake:
        window = Window(browser, PHONE)
        page = window.page
        page.goto(f"{house.settings.url}form?lang=en")
        first = write_form({"message": "from somebody else"})
        assert intake.ask("form", "POST", first, Content_Type=TYPE, Host=f"127.0.0.1:{house.port}").receipt
        page.locator("#message").fill("typed for long")
        page.locator("#files").set_input_files(file)
        page.locator("main form button").click()
        page.get_by_text("sends the same once more").wait_for()
        [stored] = house.store.list()
        house.store.discard(stored.id)
        page.reload()
        page.locator(".receipt").wait_for()
        [submission] = house.opened()
        assert dict(submission.fields)["message"] == "typed for long"
        assert [each.content for each in submission.attachments] == [b"a file"]
        window.context.close()
