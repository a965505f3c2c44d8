"""One walk through the site that sees what several tests ask about."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page

from tests.frontdoor.support import is_left_out
from tests.theme.axe import bring_axe, judge_appearance, judge_whole
from tests.theme.support import DESKTOP, PHONE, SCHEMES

# Elements that reach beyond the page, but for what scrolls in a box of its own.
WIDTHS = """() => {
    const root = document.documentElement;
    const wide = [...document.querySelectorAll("body *")].filter(e => {
        const box = e.getBoundingClientRect();
        return box.width && !e.closest(".skip, .scroll") && (box.right > root.clientWidth + 1 || box.left < -1);
    });
    return [root.scrollWidth > root.clientWidth, wide.slice(0, 3).map(e => e.outerHTML.slice(0, 120))];
}"""
# Every piece of visible text: its colour, what lies behind it, and how it is set. (As JSON it arrives much faster.)
TEXTS = """() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
    while (walker.nextNode()) {
        const text = walker.currentNode.data.trim(), e = walker.currentNode.parentElement;
        if (!text || !e.checkVisibility()) continue;
        const style = getComputedStyle(e);
        let behind = e, background = "rgba(0, 0, 0, 0)";
        while (behind && background === "rgba(0, 0, 0, 0)") {
            background = getComputedStyle(behind).backgroundColor;
            behind = behind.parentElement;
        }
        found.push({
            text: text.slice(0, 40), element: e.localName, colour: style.color, background, opacity: style.opacity,
            leading: parseFloat(style.lineHeight) / parseFloat(style.fontSize), size: parseFloat(style.fontSize),
            lang: e.closest("[lang]").lang, spacing: style.letterSpacing, align: style.textAlign,
            slant: style.fontStyle, face: style.fontFamily, direction: style.direction,
            heading: !!e.closest("h1, h2, h3, h4, .wordmark, sup, sub"),
            prose: !!e.closest("p, li, dd, td, figcaption"), ui: !!e.closest(".ui, .meta"),
        });
    }
    return JSON.stringify(found);
}"""
STATE = """() => ({
    lang: document.documentElement.lang, direction: document.documentElement.dir,
    active: [...document.querySelectorAll("script, iframe, object, embed, [style], [onclick]")]
        .filter(e => e.type !== "application/ld+json").length,
    forms: [...document.forms].map(e => e.getAttribute("action")),
    kept: document.cookie.length + localStorage.length + sessionStorage.length,
    styled: getComputedStyle(document.body).maxInlineSize !== "none",
    paper: getComputedStyle(document.documentElement).backgroundColor,
    parts: [...document.querySelectorAll("[lang]")].filter(e => e.textContent.trim())
        .map(e => [e.lang, getComputedStyle(e).direction, e.outerHTML.slice(0, 100)]),
})"""
UNFOLD = "document.querySelectorAll('details').forEach(e => { e.open = true; })"
Text = dict[str, Any]


@dataclass
class Visit:
    """What was seen on one page."""

    what: str
    address: str
    state: dict[str, Any]
    asked: list[str]  # addresses
    told: list[str]  # on the console, where the page's own policy complains
    texts: dict[str, list[Text]] = field(default_factory=dict)  # by colour scheme
    too_wide: dict[int, list[str]] = field(default_factory=dict)  # by the window's width
    violations: list[str] = field(default_factory=list)  # what axe says


def texts_of(page: Page) -> list[Text]:
    found: list[Text] = json.loads(page.evaluate(TEXTS))
    assert found
    return found


def beyond(page: Page) -> list[str]:
    """What makes the page scroll sideways, or is cut off."""
    scrolls, wide = page.evaluate(WIDTHS)
    return wide or (["the page itself"] if scrolls else [])


def walk(browser: Browser, pages: Iterable[tuple[str, str]]) -> Iterator[Visit]:
    """Visit each page: on a wide screen in light and in dark, then at a quarter and at half of its width.

    axe judges it whole as it is first seen, and its appearance unfolded on a phone in dark.
    """
    context = browser.new_context()
    judged = not is_left_out("node")
    if judged:
        bring_axe(context)
    page = context.new_page()
    asked: list[str] = []
    told: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    for what, url in pages:
        del asked[:], told[:]
        resize(page, DESKTOP)
        page.emulate_media(color_scheme="light")
        page.goto(url)
        visit = Visit(what, url, page.evaluate(STATE), [*asked], [*told])
        for scheme in SCHEMES:
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            visit.texts[scheme] = texts_of(page)
            if judged and scheme == "light":
                visit.violations += judge_whole(page)
        page.evaluate(UNFOLD)
        for width in (320, DESKTOP[0] // 2):
            resize(page, (width, 640))
            visit.too_wide[width] = beyond(page)
        if judged:
            resize(page, PHONE)
            visit.violations += judge_appearance(page)
        yield visit
    context.close()


def resize(page: Page, viewport: tuple[int, int]) -> None:
    page.set_viewport_size({"width": viewport[0], "height": viewport[1]})
