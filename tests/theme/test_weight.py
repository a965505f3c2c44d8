"""What a page weighs on its way to the reader, compressed as a server would send it."""

import gzip
import re

import pytest
from lxml import html

from tests.theme.support import LANGUAGES, BuiltSite
from tests.theme.visits import Visit

#: What arrives in the first flight of a new connection: ten packets of 1460 bytes.
FIRST_FLIGHT = 14_600
#: The length of article that this is meant for. Chinese has about 1.7 characters to a word.
WORDS = 800
STYLE = 6_000
REQUESTS = 5


def weigh(data: bytes) -> int:
    return len(gzip.compress(data, 9, mtime=0))


def count_words(text: str, lang: str) -> float:
    if lang == "zh-Hans":
        return len(re.findall(r"[\u4e00-\u9fff]", text)) / 1.7 + len(re.findall(r"[A-Za-z]+", text))
    return len(text.split())


def test_the_style_is_light(site: BuiltSite) -> None:
    sheets = list((site.output / "theme").rglob("*.css"))
    assert len(sheets) == 1
    assert weigh(sheets[0].read_bytes()) <= STYLE


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_article_arrives_in_the_first_flight(site: BuiltSite, lang: str) -> None:
    """A page of 800 words and its style; of a longer article, all but its text and that part of its text."""
    style = weigh((site.output / "theme" / "css" / "site.css").read_bytes())
    found = [url for url in site.articles if url.startswith(f"{lang}/")]
    assert found
    for url in found:
        page = site.file(url).read_bytes()
        prose = site.tree(url).cssselect(".prose")[0]
        before, text, after = page.partition(html.tostring(prose, encoding="unicode").split(">")[0].encode())
        assert text, "the page's text was not found in it"
        end = after.rindex(b"</article>")
        frame = weigh(before + text + after[end:])
        body = weigh(page) - frame
        words = count_words(str(prose.text_content()), lang)
        weight = style + frame + body * min(1, WORDS / words)
        assert weight <= FIRST_FLIGHT, f"{url}: {style} + {frame} + {body} for {words:.0f} words"


def test_few_requests_and_no_script(visits: list[Visit], site: BuiltSite) -> None:
    for visit in visits:
        icon = 0 if any("icon" in url for url in visit.asked) else 1  # browsers do not report every request for it
        assert 2 <= len(visit.asked) + icon <= REQUESTS, (visit.what, visit.asked)
    assert not [path for path in site.output.rglob("*") if path.suffix in (".js", ".mjs", ".wasm", ".woff", ".woff2")]
