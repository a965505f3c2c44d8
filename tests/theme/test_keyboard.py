"""The site with a keyboard alone, and without script."""

import itertools
import re
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.theme.conftest import NewContext, Server
from tests.theme.support import COMMON_PAGES, DESKTOP, PHONE, RIGHT_TO_LEFT, pages_of

PAGES = {
    "home (en)": pages_of("en")["home"],
    "home (fa)": pages_of("fa")["home"],
    "article (en)": pages_of("en")["article"],
    "article (fa)": pages_of("fa")["article"],
    "topics (ar)": pages_of("ar")["topics"],
    "chooser": COMMON_PAGES["chooser"],
}
NAME = (
    """e => [e.textContent.trim() || e.getAttribute("aria-label"), e.getAttribute("href") || e.localName].join(" → ")"""
)
# What can be reached by Tab, in document order, if it is shown; `visible` knows a closed <details> from an open one.
STOPS = f"""() => [...document.querySelectorAll("a[href], summary, button, input, select, textarea, [tabindex='0']")]
    .filter(e => e.checkVisibility({{contentVisibilityAuto: true, visibilityProperty: true}}))
    .map({NAME})"""
FOCUSED = f"""() => {{
    const e = document.activeElement;
    if (!e || e === document.body || e === document.documentElement) return null;
    const style = getComputedStyle(e), box = e.getBoundingClientRect(), line = e.getClientRects()[0];
    const found = document.elementFromPoint(line.x + line.width / 2, line.y + line.height / 2);
    const item = e.closest("li"), group = item && item.parentElement, place = (item || e).getBoundingClientRect();
    return {{
        name: ({NAME})(e),
        ring: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
        ringColour: style.outlineColor,
        inView: box.bottom > 0 && box.top < innerHeight && line.right > 0 && line.left < innerWidth,
        uncovered: !!found && (e.contains(found) || found.contains(e)),
        row: group ? [...document.querySelectorAll("ul, ol")].indexOf(group) : -1,
        start: document.documentElement.dir === "rtl" ? -place.right : place.left,
        top: place.top + scrollY,
    }};
}}"""


def walk(page: Page, limit: int = 300) -> list[dict[str, Any]]:
    """Press Tab until the focus leaves the page; a page that never lets go is a trap."""
    stops: list[dict[str, Any]] = []
    for _ in range(limit):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop is None or (stops and stop["name"] == stops[0]["name"] and stop["top"] == stops[0]["top"]):
            return stops
        stops.append(stop)
    pytest.fail(f"the focus does not leave the page: …{[stop['name'] for stop in stops[-4:]]}")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("what", PAGES)
def test_tab_reaches_everything_in_reading_order(
    new_context: NewContext, server: Server, what: str, viewport: tuple[int, int]
) -> None:
    page = new_context(viewport).new_page()
    page.goto(server.url(PAGES[what]))
    expected = page.evaluate(STOPS)
    stops = walk(page)
    assert [stop["name"] for stop in stops] == expected
    assert len(stops) > 5
    assert [stop["name"] for stop in stops if stop["ring"] < 2] == []
    assert {stop["ringColour"] for stop in stops}.isdisjoint({"rgba(0, 0, 0, 0)", "transparent"})
    assert [stop["name"] for stop in stops if not stop["inView"] or not stop["uncovered"]] == []
    # Within a list, each next item stands further along the line, in the page's direction, or on a later line.
    for one, other in itertools.pairwise(stops):
        if one["row"] == other["row"] != -1:
            names = one["name"], other["name"]
            assert other["top"] > one["top"] + 10 or other["start"] >= one["start"], names
            assert other["top"] > one["top"] - 10, names


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("what", PAGES)
def test_the_first_tab_offers_the_text(
    new_context: NewContext, server: Server, what: str, viewport: tuple[int, int]
) -> None:
    page = new_context(viewport).new_page()
    page.goto(server.url(PAGES[what]))
    link = page.locator("a.skip")
    hidden = link.bounding_box()
    assert hidden
    assert hidden["width"] <= 1
    page.keyboard.press("Tab")
    assert link.evaluate("e => e === document.activeElement")
    box = link.bounding_box()
    assert box
    assert box["width"] > 40
    assert box["height"] >= 24
    assert link.evaluate("e => getComputedStyle(e).clipPath") == "none"
    right_to_left = any(f"({lang})" in what for lang in RIGHT_TO_LEFT)
    assert (box["x"] + box["width"] > viewport[0] - 40) == right_to_left, "it stands where the line begins"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.localName") == "main"
    assert page.url.endswith("#content")
    page.keyboard.press("Tab")
    assert page.evaluate("!!document.activeElement.closest('main')"), "the next stop is in the text"


@pytest.mark.parametrize("what", ["home (en)", "article (fa)", "topics (ar)"])
def test_the_folded_languages_open_by_keyboard(new_context: NewContext, server: Server, what: str) -> None:
    page = new_context(PHONE).new_page()
    page.goto(server.url(PAGES[what]))
    languages = page.locator(".languages")
    assert not languages.locator("li a").first.is_visible()
    for _ in range(3):  # after the skip link and the exit
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.localName") == "summary"
    page.keyboard.press("Enter")
    assert languages.locator("li a").first.is_visible()
    names = []
    while page.evaluate("!!document.activeElement.closest('.languages')"):
        names.append(page.evaluate("document.activeElement.lang || document.activeElement.closest('[lang]').lang"))
        page.keyboard.press("Tab")
    assert len(names) == 8, "the summary, and the seven other languages"
    for _ in range(7):
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"/{names[1]}/"))


def test_languages_lie_open_on_a_wide_screen(new_context: NewContext, server: Server) -> None:
    page = new_context(DESKTOP).new_page()
    page.goto(server.url(PAGES["home (en)"]))
    assert all(link.is_visible() for link in page.locator(".languages li a").all())
    assert not page.locator(".languages summary").is_visible()


def test_tables_wider_than_the_page_scroll_by_keyboard(new_context: NewContext, server: Server) -> None:
    page = new_context((320, 640)).new_page()
    page.goto(server.url(PAGES["article (en)"]))
    region = page.locator(".scroll")
    assert region.evaluate("e => e.scrollWidth > e.clientWidth"), "the test's table is not wide enough"
    region.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(200)
    assert region.evaluate("e => e.scrollLeft") > 0
