"""What a page weighs on its way to the reader, compressed as a server would send it, and that it never moves."""

import gzip
import re
import time

import pytest
from lxml import html
from playwright.sync_api import Route

from tests.theme.conftest import NewContext, Server
from tests.theme.support import COMMON_PAGES, DESKTOP, LANGUAGES, PHONE, BuiltSite, pages_of

#: What arrives in the first flight of a new connection: ten packets of 1460 bytes.
FIRST_FLIGHT = 14_600
#: The list of all countries: every one with its line.
DIRECTORY = 25_000
#: The length of article that this is meant for. Chinese has about 1.7 characters to a word.
WORDS = 800
#: Of that, the style: a newspaper's front, fourteen scripts, paper.
STYLE = 6_500
SHIFTS = """new PerformanceObserver(list => {
    window.shifts = (window.shifts || []).concat(list.getEntries().map(entry => entry.value));
}).observe({type: "layout-shift", buffered: true})"""


def weigh(data: bytes) -> int:
    return len(gzip.compress(data, 9, mtime=0))


def count_words(text: str, lang: str) -> float:
    if lang == "zh-Hans":
        return len(re.findall(r"[\u4e00-\u9fff]", text)) / 1.7 + len(re.findall(r"[A-Za-z]+", text))
    return len(text.split())


def weigh_style(site: BuiltSite) -> int:
    return weigh((site.output / "theme" / "css" / "site.css").read_bytes())


def test_the_style_is_light(site: BuiltSite) -> None:
    sheets = list((site.output / "theme").rglob("*.css"))
    assert len(sheets) == 1
    assert weigh(sheets[0].read_bytes()) <= STYLE


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_article_arrives_in_the_first_flight(site: BuiltSite, lang: str) -> None:
    """A page of 800 words and its style; of a longer article, all but its text and that part of its text.

    What repeats the text is counted with it: the sources in the data at the page's end.
    """
    style = weigh_style(site)
    found = [url for url in site.articles if url.startswith(f"{lang}/")]
    assert found
    for url in found:
        page = site.file(url).read_bytes()
        prose = site.tree(url).cssselect(".prose")[0]
        before, text, after = page.partition(html.tostring(prose, encoding="unicode").split(">")[0].encode())
        assert text, "the page's text was not found in it"
        after = re.sub(rb'"citation": \[.*?\](?=[,}])', b"", after, flags=re.DOTALL)
        end = after.rindex(b"</article>")
        frame = weigh(before + text + after[after.rindex(b"</div>", 0, end) :])
        body = weigh(page) - frame
        words = count_words(str(prose.text_content()), lang)
        weight = style + frame + body * min(1, WORDS / words)
        assert weight <= FIRST_FLIGHT, f"{url}: {style} + {frame} + {body} for {words:.0f} words"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_other_page_arrives_in_the_first_flight(site: BuiltSite, lang: str) -> None:
    style = weigh_style(site)
    weights = {kind: style + weigh(site.file(url).read_bytes()) for kind, url in pages_of(lang).items()}
    assert {kind: w for kind, w in weights.items() if w > (DIRECTORY if kind == "countries" else FIRST_FLIGHT)} == {}


def test_pages_in_no_language_arrive_in_the_first_flight(site: BuiltSite) -> None:
    style = weigh_style(site)
    weights = {kind: style + weigh(site.file(url).read_bytes()) for kind, url in COMMON_PAGES.items()}
    assert {kind: weight for kind, weight in weights.items() if weight > FIRST_FLIGHT} == {}


def test_no_file_is_a_script_or_a_font(site: BuiltSite) -> None:
    assert not [path for path in site.output.rglob("*") if path.suffix in (".js", ".mjs", ".wasm", ".woff", ".woff2")]


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_moves_when_pictures_arrive_late(
    new_context: NewContext, server: Server, viewport: tuple[int, int]
) -> None:
    page = new_context(viewport, script=True).new_page()
    page.add_init_script(SHIFTS)

    def wait(route: Route) -> None:
        time.sleep(0.3)
        route.continue_()

    page.route(re.compile(r"\.(?:svg|jpg|png|webp)$"), wait)
    for lang in ("en", "fa", "zh-Hans"):
        for kind in ("home", "article", "countries", "contact"):
            page.goto(server.url(pages_of(lang)[kind]))
            page.wait_for_timeout(200)
            assert page.locator(".wordmark img").evaluate("e => e.naturalWidth") > 0
            assert page.evaluate("(window.shifts || []).reduce((sum, one) => sum + one, 0)") == 0, (lang, kind)


def test_a_page_that_moves_is_noticed(new_context: NewContext, server: Server) -> None:
    page = new_context(script=True).new_page()
    page.add_init_script(SHIFTS)
    page.goto(server.url(pages_of("en")["article"]))
    page.evaluate("document.querySelector('main').style.paddingTop = '300px'")
    page.wait_for_timeout(200)
    assert page.evaluate("(window.shifts || []).reduce((sum, one) => sum + one, 0)") > 0.05
