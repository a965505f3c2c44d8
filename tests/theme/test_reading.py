"""How the pages read: without script, on any width, in each script, in both colour schemes, on paper."""

import itertools
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import pytest
from lxml import html

from tests.frontdoor.support import skip_if_left_out
from tests.theme.colours import contrast, lowest_contrasts, luminance
from tests.theme.conftest import NewContext, Server
from tests.theme.support import (
    COMMON_PAGES,
    DESKTOP,
    LANGUAGES,
    PHONE,
    REDIRECT,
    RIGHT_TO_LEFT,
    SCHEMES,
    BuiltSite,
    pages_of,
)
from tests.theme.visits import beyond, resize, texts_of

#: The least line height of running text, and the most characters that a full line may hold (of Chinese, whole ems).
LEADING = {"ar": 1.7, "fa": 1.7, "zh-Hans": 1.7}
MEASURE = {"zh-Hans": 40}
#: The least line height by script, as the BBC's typography has it for its services, and 1.5 where that has less.
ROOM = {
    "am": 1.5, "ar": 1.63, "bn": 1.88, "fa": 1.63, "he": 1.5, "hi": 1.75, "hy": 1.5, "ja": 1.5, "ka": 1.5, "ko": 1.5,
    "my": 1.75, "ps": 1.63, "ru": 1.5, "si": 1.56, "ta": 2.0, "th": 1.5, "ti": 1.5, "tr": 1.5, "ur": 1.63, "vi": 1.5,
    "zh-Hans": 1.5, "zh-Hant": 1.5,
}  # fmt: skip
#: Pages with all that a page can show.
RICH = ("home", "article", "corrected article", "retracted article", "draft", "page", "archive", "topic")

# How many characters a full line of the text would hold, for each paragraph of more than one line.
MEASURED = """em => [...document.querySelectorAll(".prose > p:not(:has([lang])), .standfirst > p")].map(p => {
    const copy = p.cloneNode(true);
    copy.querySelectorAll("sup").forEach(e => e.remove());
    copy.style.cssText = "position: absolute; white-space: nowrap; inline-size: max-content; max-inline-size: none";
    p.after(copy);
    const width = copy.getBoundingClientRect().width, column = p.getBoundingClientRect().width;
    const count = em ? width / parseFloat(getComputedStyle(p).fontSize) : copy.textContent.length;
    copy.remove();
    return width > column ? column * count / width : 0;
})"""

# The lines of each heading that has more than one.
LINES = """where => [...document.querySelectorAll(where)].filter(e => e.checkVisibility()).map(e => {
    const lines = [], walker = document.createTreeWalker(e, NodeFilter.SHOW_TEXT), range = document.createRange();
    let top = -Infinity;
    while (walker.nextNode()) [...walker.currentNode.data].forEach((character, place) => {
        range.setStart(walker.currentNode, place);
        range.setEnd(walker.currentNode, place + 1);
        const box = range.getClientRects()[0];
        if (!box || !character.trim()) return;
        if (box.top > top + 8) { lines.push(""); top = box.top; }
        lines[lines.length - 1] += character;
    });
    return lines;
}).filter(lines => lines.length > 1)"""


# What a page asks for, and leaves behind


def test_a_browser_that_has_read_keeps_nothing(new_context: NewContext, server: Server) -> None:
    context = new_context(script=True)
    page = context.new_page()
    for url in pages_of("en").values():
        page.goto(server.url(url))
    assert context.cookies() == []
    assert context.storage_state(indexed_db=True) == {"cookies": [], "origins": []}
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then(found => found.length)") == 0
    assert page.evaluate("caches.keys()") == []


def test_no_link_tells_where_the_reader_came_from(new_context: NewContext, server: Server) -> None:
    page = new_context().new_page()
    page.goto(server.url(pages_of("en")["article"]))
    del server.asked[:]
    page.locator(".words a").first.click()
    page.wait_for_load_state()
    assert server.asked
    assert all("referer" not in headers for _, headers in server.asked)


def test_a_page_opened_from_a_disk_is_the_same(new_context: NewContext, site: BuiltSite, server: Server) -> None:
    page = new_context().new_page()
    seen = []
    for address in (server.url(pages_of("fa")["article"]), site.file(pages_of("fa")["article"]).as_uri()):
        page.goto(address)
        seen.append([(text["text"], text["colour"], text["size"]) for text in texts_of(page)])
        assert page.locator("figure img").evaluate("e => e.naturalWidth") > 0
    assert seen[0] == seen[1]


def test_a_redirect_leads_on_without_script(new_context: NewContext, server: Server) -> None:
    page = new_context().new_page()
    page.goto(server.url(REDIRECT.format(lang="fa")))
    page.wait_for_url(server.url(pages_of("fa")["article"]))


# Any width, any size


@pytest.mark.parametrize("lang", LANGUAGES)
def test_on_a_phone_that_enlarges_everything_languages_and_exit_stand_apart(
    new_context: NewContext, server: Server, lang: str
) -> None:
    page = new_context((195, 420)).new_page()
    for kind in ("home", "article", "contact"):
        page.goto(server.url(pages_of(lang)[kind]))
        boxes = [page.locator(place).bounding_box() for place in (".exit", ".exit a", ".languages summary")]
        strip, way_out, languages = (box for box in boxes if box)
        assert strip["y"] <= way_out["y"]
        assert way_out["y"] + way_out["height"] <= strip["y"] + strip["height"]
        assert languages["y"] >= strip["y"] + strip["height"]
        assert beyond(page) == []


def test_languages_with_notes_stand_below_the_exit_s_rule(new_context: NewContext, server: Server) -> None:
    page = new_context(DESKTOP).new_page()
    page.goto(server.url("fa/only-persian/"))
    assert page.locator(".languages small").count() == 7
    below = page.locator(".exit").evaluate("e => e.getBoundingClientRect().bottom")
    for entry in page.locator(".languages li").all():
        box = entry.bounding_box()
        assert box
        assert box["y"] >= below - 1
    page.goto(server.url(pages_of("fa")["address that leads nowhere"]))
    assert page.locator(".languages li").count() == 8
    assert page.locator(".languages small").count() == 0


def test_nothing_scrolls_sideways_with_letters_of_twice_the_size(new_context: NewContext, server: Server) -> None:
    # What a reader sets in the browser's own settings changes `rem` and the widths that the style asks about.
    page = new_context((640, 900)).new_page()
    session = page.context.new_cdp_session(page)
    session.send("Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 26}})
    found = []
    for lang in LANGUAGES:
        for kind in RICH:
            page.goto(server.url(pages_of(lang)[kind]))
            if wide := beyond(page):
                found.append(f"{kind} ({lang}): {wide}")
    assert page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)") > 32
    assert not found, "\n".join(found)


# Each script


@pytest.mark.parametrize("lang", LANGUAGES)
def test_type_is_set_for_its_script(new_context: NewContext, server: Server, lang: str) -> None:
    page = new_context().new_page()
    for kind, viewport in itertools.product(RICH, (DESKTOP, PHONE)):
        resize(page, viewport)
        if viewport == DESKTOP:
            page.goto(server.url(pages_of(lang)[kind]))
        texts = texts_of(page)
        running = [text for text in texts if text["prose"] and not text["heading"] and text["lang"] == lang]
        least = LEADING.get(lang, 1.5)
        low = [text for text in running if text["leading"] < (1.5 if text["ui"] else least) - 0.01]
        assert not low, (kind, low[:3])
        for text in texts:
            if text["lang"] in RIGHT_TO_LEFT:
                assert text["spacing"] == "normal", (kind, text)
                assert text["slant"] == "normal", (kind, text)
            if text["lang"].startswith("zh"):
                assert text["slant"] == "normal", (kind, text)
            assert text["align"] in ("start", "center", "end"), (kind, text)
            assert text["size"] >= 13 or text["element"] in ("sup", "sub", "a"), (kind, text)
        if kind == "article":
            assert {"Latin": "Noto Serif", "Arabic": "Noto Naskh Arabic", "Han": "CJK"}[_script(lang)] in next(
                text["face"] for text in running if not text["ui"]
            )
            lines = page.evaluate(MEASURED, lang == "zh-Hans")
            assert any(lines)
            assert max(lines) <= MEASURE.get(lang, 75), lines
            if viewport == DESKTOP:
                assert max(lines) >= (32 if lang == "zh-Hans" else 55), lines


def test_scripts_that_may_come_have_room_and_faces_of_their_own(new_context: NewContext, server: Server) -> None:
    page = new_context().new_page()
    page.goto(server.url(pages_of("en")["home"]))
    found = {}
    for lang in ROOM:
        found[lang] = page.evaluate(
            """lang => {
                document.documentElement.lang = lang;
                const p = document.querySelector("main").appendChild(document.createElement("p"));
                const style = getComputedStyle(p);
                return [parseFloat(style.lineHeight) / parseFloat(style.fontSize), style.fontFamily];
            }""",
            lang,
        )
    assert {lang: room for lang, (room, _) in found.items() if room < ROOM[lang] - 0.01} == {}
    latin = page.evaluate("document.documentElement.lang = 'en', getComputedStyle(document.body).fontFamily")
    assert [lang for lang, (_, face) in found.items() if face == latin and lang not in ("vi", "tr")] == []


def _script(lang: str) -> str:
    return {"ar": "Arabic", "fa": "Arabic", "zh-Hans": "Han"}.get(lang, "Latin")


def test_no_chinese_heading_ends_in_a_line_of_one_or_two_characters(
    new_context: NewContext, site: BuiltSite, server: Server
) -> None:
    page = new_context(DESKTOP).new_page()
    broken = 0
    for url in (*(url for url in site.articles if url.startswith("zh-Hans/")), *pages_of("zh-Hans").values()):
        page.goto(server.url(url))
        for width in (320, 390, 768, DESKTOP[0]):
            resize(page, (width, 800))
            for lines in page.evaluate(LINES, "main :is(h1, h2, h3)"):
                broken += 1
                assert len(lines[-1]) > 2, (url, width, lines)
    assert broken > 20, "headings of more than one line were looked at"


def test_no_chinese_footnote_number_begins_a_line(new_context: NewContext, site: BuiltSite, server: Server) -> None:
    page = new_context(PHONE).new_page()
    real = next(url for url in site.articles if url.startswith("zh-Hans/"))
    page.goto(server.url(real))
    for width in (320, 360, 390, 414, 768):
        resize(page, (width, 800))
        alone = page.evaluate(
            """() => [...document.querySelectorAll(".prose sup")].filter(e => {
                const before = e.previousSibling;
                if (!before || before.nodeType !== 3) return false;
                const range = document.createRange();
                range.setStart(before, before.length - 1);
                range.setEnd(before, before.length);
                const one = range.getBoundingClientRect(), other = e.getBoundingClientRect();
                return other.top > one.bottom - 2;
            }).map(e => e.previousSibling.data.slice(-12) + e.textContent)"""
        )
        assert alone == [], f"at {width} pixels"


# Colours


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_marked_note_and_what_has_the_focus_have_it_too(new_context: NewContext, server: Server, scheme: str) -> None:
    page = new_context(DESKTOP, scheme).new_page()
    page.goto(server.url(pages_of("en")["article"]) + "#fn:a")
    found = {(text["colour"], text["background"]): text["text"] for text in texts_of(page)}
    assert len({background for _, background in found}) == 2, "the page's and the marked note's"
    assert lowest_contrasts(found) == []
    # The ring around what has the focus is drawn in the accent.
    paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (luminance(paper) < 0.1) == (scheme == "dark")
    page.keyboard.press("Tab")
    assert contrast(page.evaluate("getComputedStyle(document.activeElement).outlineColor"), paper) >= 7


def test_forced_colours_keep_what_is_marked(new_context: NewContext, server: Server) -> None:
    page = new_context(forced_colors="active").new_page()
    page.goto(server.url(pages_of("en")["topics"]))
    current = page.locator(".words [aria-current]")
    assert current.evaluate("e => [getComputedStyle(e).outlineStyle, getComputedStyle(e).fontWeight]") == [
        "solid",
        "600",
    ]
    page.keyboard.press("Tab")
    assert page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2
    page.goto(server.url(pages_of("en")["retracted article"]))
    assert page.locator(".notice.grave").evaluate("e => parseFloat(getComputedStyle(e).borderTopWidth)") >= 3


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_nothing_moves(new_context: NewContext, server: Server, motion: str) -> None:
    page = new_context(reduced_motion=motion).new_page()
    for url in (pages_of("en")["home"], pages_of("en")["article"], COMMON_PAGES["not found"]):
        page.goto(server.url(url))
        moving = page.evaluate(
            """() => [...document.querySelectorAll("*")].flatMap(e => [null, "::before", "::after"].map(part => {
                const s = getComputedStyle(e, part);
                return s.transitionDuration === "0s" && s.animationName === "none" && s.scrollBehavior === "auto";
            })).filter(still => !still).length"""
        )
        assert moving == 0


# Paper


@pytest.mark.parametrize("lang", LANGUAGES)
def test_paper_shows_the_text_and_how_to_cite_it(new_context: NewContext, server: Server, lang: str) -> None:
    page = new_context(scheme="dark").new_page()
    page.goto(server.url(pages_of(lang)["article"]))
    page.emulate_media(media="print")
    for hidden in (".languages", ".words", ".also", ".skip", ".screen", ".exit", ".related", ".colophon", ".contents"):
        assert not any(element.is_visible() for element in page.locator(hidden).all()), hidden
    for shown in (".prose", ".byline", ".citation", ".wordmark img"):
        assert page.locator(shown).is_visible(), shown
    assert page.locator(".prose .number").first.is_visible()
    after = "e => getComputedStyle(e, '::after').content"
    link = page.locator(".prose > :not(.footnote) a[href='https://example.org/a']").first
    assert "https://example.org/a" in link.evaluate(after)
    ink, paper = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.documentElement).backgroundColor]"
    )
    assert (ink, paper) == ("rgb(0, 0, 0)", "rgb(255, 255, 255)")


@pytest.mark.parametrize("lang", ["en", "fa"])
def test_each_sheet_says_where_it_comes_from(
    new_context: NewContext, site: BuiltSite, server: Server, tmp_path: Path, lang: str
) -> None:
    url = max((url for url in site.articles if url.startswith(f"{lang}/")), key=lambda u: site.file(u).stat().st_size)
    article = next(one for one in site.site.editions[lang].articles if unquote(one.url) == url)
    key = article.translation_key
    page = new_context().new_page()
    page.goto(server.url(url))
    page.pdf(path=tmp_path / "page.pdf", format="A4")
    sheets = sheets_of(tmp_path / "page.pdf")
    assert len(sheets) >= 3
    address = f"{site.site.preparation.public_url}/k/{key}/"
    foot = plain(page.locator(".sheet").text_content() or "").split()
    assert {address, article.revision} <= set(foot)
    for number, words in enumerate(sheets, 1):
        place = [word for word in words if word.text == address][-1]
        line = [word for word in words if word.bottom > place.top and word.top < place.bottom]
        # On paper a Persian word has been set from right to left: its letters are compared, whatever their order.
        found = {"".join(sorted(word.text)) for word in line}
        assert found == {"".join(sorted(word)) for word in foot}, f"sheet {number}: its foot is not alone in its line"
        assert max(word.bottom for word in words) == max(word.bottom for word in line), "it is the last line"
        assert len(words) > len(line) + 12, f"sheet {number} is wasted"


@pytest.mark.parametrize("lang", ["en", "fa"])
def test_a_list_s_number_stands_beside_it_on_paper(new_context: NewContext, server: Server, lang: str) -> None:
    page = new_context((700, 900)).new_page()
    page.emulate_media(media="print")
    page.goto(server.url(pages_of(lang)["article"]))
    assert page.locator(".footnote-backref").count() > 1
    assert not any(arrow.is_visible() for arrow in page.locator(".footnote-backref").all())
    lists = page.locator(".prose > .block:has(> .number):has(> ul)")
    assert lists.count()
    for one in lists.all():
        number, first = one.locator("> .number").bounding_box(), one.locator("li").first.bounding_box()
        assert number
        assert first
        assert number["y"] < first["y"] + first["height"]
        assert first["y"] < number["y"] + number["height"]
        beside = first["x"] - number["x"] - number["width"]
        assert beside >= 0 if lang == "en" else number["x"] >= first["x"] + first["width"]
        assert 0 <= number["x"] <= 700 - number["width"], "it is on the sheet"


class Word(NamedTuple):
    """A word on a sheet, with the place of its line in points from the sheet's top."""

    text: str
    top: float
    bottom: float


def sheets_of(pdf: Path) -> list[list[Word]]:
    """The words of each sheet of a PDF."""
    skip_if_left_out("paper")
    tool = shutil.which("pdftotext")
    assert tool, "no pdftotext: run ./blog test, which installs it"
    printed = subprocess.run([tool, "-bbox", pdf, "-"], capture_output=True, check=True).stdout
    tree = html.document_fromstring(printed, parser=html.HTMLParser(encoding="utf-8"))
    return [
        [
            Word(word.text_content(), float(word.attrib["ymin"]), float(word.attrib["ymax"]))
            for word in sheet.iter("word")
        ]
        for sheet in tree.iter("page")
    ]


def plain(text: str) -> str:
    """A text without the invisible marks that direct it."""
    return re.sub(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", text)
