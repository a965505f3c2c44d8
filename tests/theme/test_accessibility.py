"""axe finds what is wrong, and nothing wrong with what a browser leaves at once; of the rest: test_every_page.py."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route

from tests.theme.axe import bring_axe, judge_appearance, judge_whole
from tests.theme.conftest import NewContext, Server
from tests.theme.support import DESKTOP, LANGUAGES, PHONE, REDIRECT, BuiltSite
from tests.theme.visits import resize

BROKEN = """<!DOCTYPE html><html><head><title>Broken</title></head><body>
<p style="color: #999; background: #fff">Too pale</p><img src="data:,"><a href="/"></a>
<button style="inline-size: 9px; block-size: 9px; padding: 0">x</button><button
    style="inline-size: 9px; block-size: 9px; padding: 0">y</button></body></html>"""


@pytest.fixture
def page(new_context: NewContext) -> Page:
    """A page that has axe."""
    context = new_context(script=True)
    bring_axe(context)
    return context.new_page()


@pytest.mark.parametrize("judge", [judge_whole, judge_appearance])
def test_axe_catches_a_broken_page(page: Page, server: Server, judge: Callable[[Page], list[str]]) -> None:
    page.route("**/broken", lambda route: route.fulfill(body=BROKEN, content_type="text/html"))
    page.goto(server.url("broken"))
    rules = {one.partition(":")[0] for one in judge(page)}
    assert {"color-contrast", "target-size"} <= rules
    assert ({"html-has-lang", "image-alt", "link-name"} <= rules) == (judge is judge_whole)


def test_redirects(page: Page, site: BuiltSite, server: Server) -> None:
    def stay(route: Route) -> None:
        text = site.file(REDIRECT.format(lang=lang)).read_text("utf-8")
        assert 'http-equiv="refresh"' in text
        route.fulfill(body=text.replace('http-equiv="refresh"', 'name="refresh"'), content_type="text/html")

    page.route("**/*-once/", stay)
    found = []
    for lang in LANGUAGES:
        page.emulate_media(color_scheme="light")
        resize(page, DESKTOP)
        page.goto(server.url(REDIRECT.format(lang=lang)))
        found += [f"{lang}: {one}" for one in judge_whole(page)]
        page.emulate_media(color_scheme="dark")
        resize(page, PHONE)
        found += [f"{lang}, dark: {one}" for one in judge_appearance(page)]
    assert not found, "\n".join(found)
