"""What holds for every page type in every language, looked at on one walk: no script, any width, colours, axe."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.frontdoor.support import skip_if_left_out
from tests.theme.colours import contrast, lowest_contrasts, luminance
from tests.theme.conftest import Server
from tests.theme.support import COMMON_PAGES, LANGUAGES, RIGHT_TO_LEFT, SCHEMES, pages_of
from tests.theme.visits import Visit, walk

#: A page, its style, its pictures.
REQUESTS = 5


@pytest.fixture(scope="module", params=[*LANGUAGES, "no language"])
def visits(request: pytest.FixtureRequest, browser: Browser, server: Server, bare_server: Server) -> list[Visit]:
    """What is seen on each page type of a language, its edition without an article included."""
    lang = request.param
    if lang not in LANGUAGES:
        return list(walk(browser, [(what, server.url(url)) for what, url in COMMON_PAGES.items()]))
    pages = [(f"{kind} ({lang})", server.url(url)) for kind, url in pages_of(lang).items()]
    return list(walk(browser, [*pages, (f"home without article ({lang})", bare_server.url(f"{lang}/"))]))


def test_nothing_is_asked_of_anybody_else_and_nothing_is_left_behind(visits: list[Visit]) -> None:
    for visit in visits:
        assert {urlsplit(url).netloc for url in visit.asked} == {urlsplit(visit.address).netloc}, visit.what
        assert visit.told == [], visit.what
        assert (visit.state["active"], visit.state["kept"], visit.state["styled"]) == (0, 0, True), visit.what
        signs_up = visit.what.startswith("newsletter")
        assert visit.state["forms"] == (["/mail/subscribe"] if signs_up else []), visit.what


def test_few_requests(visits: list[Visit]) -> None:
    for visit in visits:
        icon = 0 if any("icon" in url for url in visit.asked) else 1  # browsers do not report every request for it
        assert 2 <= len(visit.asked) + icon <= REQUESTS, (visit.what, visit.asked)


def test_axe_finds_nothing_wrong(visits: list[Visit]) -> None:
    skip_if_left_out("node")
    found = [f"{visit.what}: {one}" for visit in visits for one in visit.violations]
    assert not found, "\n".join(found)


def test_nothing_scrolls_sideways_at_320_pixels_or_at_200_percent(visits: list[Visit]) -> None:
    found = [(visit.what, width, wide) for visit in visits for width, wide in visit.too_wide.items() if wide]
    assert not found, "\n".join(map(str, found))


def test_pages_and_what_is_foreign_on_them_have_their_own_direction(visits: list[Visit]) -> None:
    foreign = 0
    for visit in visits:
        lang = visit.state["lang"]
        assert visit.what in COMMON_PAGES or f"({lang})" in visit.what
        assert visit.state["direction"] == ("rtl" if lang in RIGHT_TO_LEFT else "ltr"), visit.what
        for own, direction, element in visit.state["parts"]:
            assert own in (*LANGUAGES, "la")  # a Latin term of law
            assert direction == ("rtl" if own in RIGHT_TO_LEFT else "ltr"), (visit.what, element)
            foreign += own != lang
    assert foreign > 5 * len(visits), "other languages' names, and titles not yet translated"


def test_contrast_is_computed_as_wcag_does() -> None:
    assert round(contrast("rgb(0, 0, 0)", "rgb(255, 255, 255)"), 1) == 21
    assert round(contrast("rgb(118, 118, 118)", "rgb(255, 255, 255)"), 2) == 4.54


@pytest.mark.parametrize("scheme", SCHEMES)
def test_all_text_has_a_contrast_of_seven(visits: list[Visit], scheme: str) -> None:
    found: dict[tuple[str, str], str] = {}
    for visit in visits:
        for text in visit.texts[scheme]:
            assert text["opacity"] == "1"
            found.setdefault((text["colour"], text["background"]), f"{visit.what}: {text['text']}")
    assert all((luminance(background) < 0.1) == (scheme == "dark") for _, background in found)
    assert len(found) >= 3, "ink, quiet and accent"
    assert lowest_contrasts(found) == []
