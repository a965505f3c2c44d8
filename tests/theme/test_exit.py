"""The way off each page, "Leave this page": in reach, in sight, and never in the way."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Request, Route

from tests.frontdoor.support import ROOT, copy_project
from tests.theme.conftest import NewContext, Server
from tests.theme.support import COMMON_PAGES, DESKTOP, LANGUAGES, PHONE, BuiltSite, every_page_type, pages_of
from tests.theme.visits import resize

SMALL = (320, 568)
PAGES = {
    "home (en)": pages_of("en")["home"],
    "article (fa)": pages_of("fa")["article"],
    "countries (ru)": pages_of("ru")["countries"],
    "contact (ar)": pages_of("ar")["contact"],
    "chooser": COMMON_PAGES["chooser"],
    "neutral address": COMMON_PAGES["neutral address"],
}
# What has the focus: how far it reaches, what is drawn in its middle, and whether it scrolls with the page.
FOCUSED = """() => {
    const e = document.activeElement;
    if (!e || e === document.body || e === document.documentElement) return null;
    const strip = document.querySelector(".exit"), line = e.getClientRects()[0];
    const found = document.elementFromPoint(line.x + line.width / 2, line.y + line.height / 2);
    return {
        name: e.textContent.trim().slice(0, 40) || e.localName,
        overlap: strip.contains(e) ? 0 : strip.getBoundingClientRect().bottom - line.top,
        uncovered: !!found && (e.contains(found) || found.contains(e)),
        first: !e.closest("main, footer"),
    };
}"""
# Where the way to the other languages and the publication's name stand.
PLACES = """() => [...document.querySelectorAll(".languages summary, .languages li, .wordmark")]
    .map(e => e.getBoundingClientRect().toJSON()).filter(box => box.width && box.height)"""


def find_exit(page: Page) -> Locator:
    return page.locator(".exit a")


def test_every_page_has_one_that_leads_where_its_readers_expect(site: BuiltSite) -> None:
    for what, url in every_page_type():
        if what in COMMON_PAGES:
            expected = str(site.site.preparation.settings["EXIT_URL"])
        else:
            expected = str(site.site.editions[url.partition("/")[0]].settings["EXIT_URL"])
        links = site.tree(url).cssselect(".exit a")
        assert [link.get("href") for link in links] == [expected], what
        assert set(links[0].attrib["rel"].split()) == {"noreferrer", "noopener"}, what
    assert len({str(edition.settings["EXIT_URL"]) for edition in site.site.editions.values()}) == len(LANGUAGES)


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE, SMALL], ids=["desktop", "phone", "small phone"])
@pytest.mark.parametrize("what", PAGES)
def test_it_is_the_second_stop_and_stays_in_sight(
    new_context: NewContext, server: Server, what: str, viewport: tuple[int, int]
) -> None:
    page = new_context(viewport).new_page()
    page.goto(server.url(PAGES[what]))
    link = find_exit(page)
    for _ in range(2):
        page.keyboard.press("Tab")
    assert link.evaluate("e => e === document.activeElement")
    page.evaluate("window.scrollTo(0, 20000)")
    box = link.bounding_box()
    assert box
    assert 0 <= box["y"] < 40
    assert 0 <= box["x"] <= viewport[0] - box["width"]
    assert min(box["height"], box["width"]) >= 24
    middle = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
    assert page.evaluate("([x, y]) => !!document.elementFromPoint(x, y).closest('.exit a')", middle)


@pytest.mark.parametrize("what", PAGES)
def test_nothing_that_has_the_focus_is_covered_by_it(new_context: NewContext, server: Server, what: str) -> None:
    page = new_context(SMALL).new_page()
    page.goto(server.url(PAGES[what]))
    for key in ("Tab", "Shift+Tab"):
        for _ in range(120):
            page.keyboard.press(key)
            stop = page.evaluate(FOCUSED)
            if stop is None:
                break
            assert stop["uncovered"], (key, stop)
            assert stop["overlap"] <= 0 or stop["first"], (key, stop)


@pytest.mark.parametrize("what", ["article (fa)", "home (en)"])
def test_text_that_is_jumped_to_stands_clear_of_it(new_context: NewContext, server: Server, what: str) -> None:
    page = new_context(SMALL).new_page()
    page.goto(server.url(PAGES[what]) + ("#sources" if "article" in what else "#content"))
    target = page.locator("#sources" if "article" in what else "#content")
    strip = page.locator(".exit").bounding_box()
    box = target.bounding_box()
    assert strip
    assert box
    assert box["y"] >= strip["y"] + strip["height"]


def test_at_the_top_it_covers_neither_the_languages_nor_the_name(new_context: NewContext, server: Server) -> None:
    page = new_context().new_page()
    for lang in LANGUAGES:
        page.goto(server.url(pages_of(lang)["article"]))
        for viewport in (SMALL, PHONE, (768, 900), DESKTOP):
            resize(page, viewport)
            link = find_exit(page).bounding_box()
            assert link
            places = page.evaluate(PLACES)
            assert len(places) > 1
            for place in places:
                beside = place["x"] + place["width"] <= link["x"] or link["x"] + link["width"] <= place["x"]
                assert beside or place["y"] >= link["y"] + link["height"], (lang, viewport, place, link)


def test_it_leads_away_without_script_and_tells_nothing(new_context: NewContext, server: Server) -> None:
    page = new_context().new_page()
    page.goto(server.url(PAGES["article (fa)"]))
    asked: list[Request] = []

    def answer(route: Route) -> None:
        asked.append(route.request)
        route.fulfill(body="weather")

    page.route("https://**", answer)
    find_exit(page).click()
    page.wait_for_load_state()
    assert len(asked) >= 1
    assert "referer" not in asked[0].headers


def test_a_site_that_names_none_keeps_no_room_for_it(tmp_path: Path) -> None:
    copy_project(tmp_path, "theme", "content", "pelicanconf.py")
    (tmp_path / "plugins").symlink_to(ROOT / "plugins", target_is_directory=True)
    (tmp_path / "content" / "images").mkdir(exist_ok=True)
    with (tmp_path / "pelicanconf.py").open("a", encoding="utf-8") as file:
        file.write('del EXIT_URL\nfor _own in MULTILINGUAL_LANGUAGES.values():\n    _own.pop("EXIT_URL", None)\n')
    built = BuiltSite.build(tmp_path)
    assert not built.tree("en/").cssselect(".exit")
    assert not built.tree("").cssselect(".exit")
