"""axe finds nothing wrong with any page type, in any language, in light and in dark."""

from typing import Any

import pytest
from playwright.sync_api import Page, Route

from tests.theme.conftest import NewContext, Server
from tests.theme.support import (
    COMMON_PAGES,
    DESKTOP,
    LANGUAGES,
    PHONE,
    REDIRECT,
    BuiltSite,
    node_tool,
    pages_of,
)
from tests.theme.visits import UNFOLD

RUN = """async rules => {
    const standards = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"];
    const found = await axe.run(document, {
        runOnly: rules.length ? {type: "rule", values: rules} : {type: "tag", values: standards},
        rules: rules.length ? {} : {"target-size": {enabled: true}},
        resultTypes: ["violations"],
    });
    return found.violations.flatMap(rule => rule.nodes.map(node =>
        `${rule.id}: ${node.html.slice(0, 160)} ${node.failureSummary.replace(/\\s+/g, " ")}`));
}"""
#: What colours and widths can change in a page that was judged whole before.
APPEARANCE = ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"]
BROKEN = """<!DOCTYPE html><html><head><title>Broken</title></head><body>
<p style="color: #999; background: #fff">Too pale</p><img src="data:,"><a href="/"></a>
<button style="inline-size: 9px; block-size: 9px; padding: 0">x</button><button
    style="inline-size: 9px; block-size: 9px; padding: 0">y</button></body></html>"""


@pytest.fixture(scope="module")
def axe() -> str:
    return node_tool("BLOG_TEST_AXE", "axe-core/axe.min.js").read_text("utf-8")


def violations(page: Page, axe: str) -> list[str]:
    """Judge a page whole, on a wide screen in light; then its appearance on a phone, unfolded, in dark."""
    page.evaluate(f"() => {{ {axe} }}")
    found: list[Any] = page.evaluate(RUN, [])
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page.evaluate(UNFOLD)
    found += page.evaluate(RUN, APPEARANCE)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    return [str(one) for one in found]


def test_axe_catches_a_broken_page(new_context: NewContext, axe: str) -> None:
    page = new_context(script=True).new_page()
    page.set_content(BROKEN)
    rules = {one.partition(":")[0] for one in violations(page, axe)}
    assert {"color-contrast", "html-has-lang", "image-alt", "link-name", "target-size"} <= rules


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_edition(new_context: NewContext, server: Server, axe: str, lang: str) -> None:
    page = new_context(script=True).new_page()
    found = []
    for kind, url in pages_of(lang).items():
        page.goto(server.url(url))
        found += [f"{kind}: {one}" for one in violations(page, axe)]
    assert not found, "\n".join(found)


def test_pages_outside_the_editions(new_context: NewContext, server: Server, axe: str) -> None:
    page = new_context(script=True).new_page()
    found = []
    for kind, url in COMMON_PAGES.items():
        page.goto(server.url(url))
        found += [f"{kind}: {one}" for one in violations(page, axe)]
    assert not found, "\n".join(found)


def test_editions_without_an_article(new_context: NewContext, bare_server: Server, axe: str) -> None:
    page = new_context(script=True).new_page()
    found = []
    for lang in LANGUAGES:
        page.goto(bare_server.url(f"{lang}/"))
        found += [f"{lang}: {one}" for one in violations(page, axe)]
    assert not found, "\n".join(found)


def test_redirects(new_context: NewContext, site: BuiltSite, server: Server, axe: str) -> None:
    page = new_context(script=True).new_page()

    def stay(route: Route) -> None:
        text = site.file(REDIRECT.format(lang=lang)).read_text("utf-8")
        assert 'http-equiv="refresh"' in text
        route.fulfill(body=text.replace('http-equiv="refresh"', 'name="refresh"'), content_type="text/html")

    page.route("**/*-once/", stay)
    found = []
    for lang in LANGUAGES:
        page.goto(server.url(REDIRECT.format(lang=lang)))
        found += [f"{lang}: {one}" for one in violations(page, axe)]
    assert not found, "\n".join(found)
