"""Every article of the repository as a letter: complete, light, valid, and shown without a request to anybody."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from lxml import html
from newsletter.campaigns import UNSUBSCRIBE, Campaign
from newsletter.composition import HTML_LIMIT
from playwright.sync_api import Browser, Page

from mailroom.letters.markup import check
from tests.frontdoor.support import ROOT
from tests.newsletter.test_composition import octets_at_the_mailroom
from tests.theme.axe import bring_axe, judge_whole
from tests.theme.support import JAVA_OPTIONS, LANGUAGES, java_path, node_tool


@pytest.fixture(scope="module")
def shown(real_campaigns: list[Campaign]) -> list[Campaign]:
    """The longest letter in English, Persian and Chinese, and a correction."""
    by_lang = {
        lang: max((one for one in real_campaigns if one.lang == lang), key=lambda one: len(one.html))
        for lang in ("en", "fa", "zh-Hans")
    }
    return [*by_lang.values(), next(one for one in real_campaigns if one.kind == "correction")]


def test_every_language_has_letters(real_campaigns: list[Campaign]) -> None:
    articles = {path.parent.name: 0 for path in (ROOT / "content" / "articles").glob("*/*.md")}
    posts = Counter(one.lang for one in real_campaigns if one.kind == "post")
    assert set(posts) == set(articles) == set(LANGUAGES)
    assert len({one.key for one in real_campaigns}) == len(real_campaigns)


def test_the_mailroom_takes_every_letter_and_no_program_cuts_one_off(real_campaigns: list[Campaign]) -> None:
    for one in real_campaigns:
        assert check(one.fragment) == [], one.subject
        assert max(octets_at_the_mailroom(one), len(one.html.encode())) <= HTML_LIMIT
        assert one.kind != "post" or "<h2>" in one.fragment


def test_a_letter_leads_nowhere_but_where_it_says(real_campaigns: list[Campaign]) -> None:
    for one in real_campaigns:
        tree = html.document_fromstring(one.html)
        assert not tree.xpath("//@src | //@srcset | //@background | //link | //script | //form | //img | //@onclick")
        assert "url(" not in one.html
        assert "@import" not in one.html
        links = [str(each) for each in tree.xpath("//a/@href")]
        assert links[-1] == UNSUBSCRIBE
        assert links[-2] == one.url
        assert all(re.match(r"(?:https?://|mailto:)[!-~]+\Z", each) for each in links[:-1])
        assert one.html.count(UNSUBSCRIBE) == one.text.count(UNSUBSCRIBE) == 1
        assert not re.search(r"&lt;/?\w|&amp;\w+;", one.html)  # nothing is escaped twice
        assert all(text.strip() for text in (each.text_content() for each in tree.iter("a")))
        assert {str(each) for each in tree.xpath("/html/@dir | /html/body/@dir | //td[@lang]/@dir")} == {one.direction}


WORD = re.compile(r"\w+", re.UNICODE)


def words_of(text: str) -> Counter[str]:
    return Counter(WORD.findall(re.sub("[\u200b-\u200f\u2060-\u206f]", "", text)))


def test_both_parts_have_the_article_s_words(real_campaigns: list[Campaign]) -> None:
    """At least 95 of a hundred, by what a browser shows of the page."""
    for one in real_campaigns:
        if one.kind != "post":
            continue
        source = source_of(one)
        expected = words_of(re.sub(r"\[\^?[^\]\s]+\]:?|<[^>]+>|\]\([^)]*\)", " ", source))
        for part in (one.text, html.document_fromstring(one.html).text_content()):
            missing = expected - words_of(part)
            assert missing.total() <= 0.05 * expected.total(), (one.subject, missing.most_common(9))


def source_of(one: Campaign) -> str:
    """The text of an article's file, found by its title."""
    for path in (ROOT / "content" / "articles" / one.lang).glob("*.md"):
        head, _, body = path.read_text("utf-8").partition("\n\n")
        if f"Title: {one.title}\n" in head + "\n":
            return body
    raise AssertionError(f"no file says Title: {one.title}")


def test_paragraphs_are_lines_and_run_in_their_direction(real_campaigns: list[Campaign]) -> None:
    for one in real_campaigns:
        body = one.fragment_text
        assert not re.search(r"\n{3,}|[ \t]\n|<\w|&\w+;", body), one.subject
        if one.kind == "post":
            assert max(map(len, body.splitlines())) > 200


# As programs show it

#: The numbers of notes that stand on another line than the letter before them.
TORN = """[...document.querySelectorAll('sup')].filter(number => number.previousSibling?.data).filter(number => {
    const before = document.createRange();
    before.selectNodeContents(number.previousSibling);
    const last = [...before.getClientRects()].pop(), its = number.getBoundingClientRect();
    return last.bottom < its.top || last.top > its.bottom;
}).map(number => number.parentNode.innerText)"""


@pytest.fixture(scope="module")
def pages(shown: list[Campaign], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The letters as files, whose address for unsubscribing a service has put in."""
    folder = tmp_path_factory.mktemp("letters")
    for one in shown:
        (folder / f"{one.key}.html").write_text(one.html.replace(UNSUBSCRIBE, "https://a.example/u"), "utf-8")
    return {path.stem: path for path in sorted(folder.iterdir())}


def test_the_nu_checker_finds_nothing(pages: dict[str, Path], tmp_path: Path) -> None:
    java, checker = java_path(), node_tool("BLOG_TEST_VNU", "vnu-jar/build/dist/vnu.jar")
    broken = tmp_path / "broken.html"
    broken.write_text("<!DOCTYPE html><html lang=en><title>x</title><p><div role=nothing>", "utf-8")
    files = [str(broken), *map(str, pages.values())]
    run = subprocess.run(
        [java, *JAVA_OPTIONS, "-jar", str(checker), "--format", "json", "--stdout", *files],
        env=os.environ | {"LC_ALL": "C.UTF-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )
    found: dict[str, list[str]] = {}
    for message in json.loads(run.stdout)["messages"]:
        found.setdefault(unquote(message["url"]).rpartition("/")[2], []).append(message["message"])
    assert found.pop("broken.html", None), run.stderr
    # Mail programs know widths and borders of tables by these attributes alone.
    presentational = re.compile(
        r"The “(?:width|cellpadding|cellspacing|border|align)” attribute on the “t[^”]+” element"
    )
    assert not [message for messages in found.values() for message in messages if not presentational.match(message)]


@pytest.fixture(scope="module")
def telephone(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 360, "height": 800}, color_scheme=request.param)
    bring_axe(context)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("telephone", ["light", "dark"], indirect=True)
def test_a_browser_shows_it_and_asks_for_nothing(telephone: Page, pages: dict[str, Path]) -> None:
    asked: list[str] = []
    telephone.on("request", lambda request: asked.append(request.url))
    telephone.set_content("<img src='https://a.example/pixel.png' alt=''>", wait_until="commit")
    telephone.wait_for_timeout(100)
    assert asked == ["https://a.example/pixel.png"]  # the control
    asked.clear()
    found = []
    for name, path in pages.items():
        telephone.set_content(path.read_text("utf-8"))
        # A letter is shown inside a mail program's page, whose landmarks are its own.
        found += [f"{name}: {each}" for each in judge_whole(telephone) if not re.match("region|landmark", each)]
        assert telephone.evaluate("document.documentElement.scrollWidth") <= 360, name
        sizes = telephone.evaluate(
            "[...document.querySelectorAll('td, p, a, li, h1, h2')].filter(e => e.innerText.trim())"
            ".map(e => parseFloat(getComputedStyle(e).fontSize))"
        )
        assert min(sizes) >= 12, name
        assert not telephone.evaluate(TORN), name
        side = telephone.evaluate("getComputedStyle(document.querySelector('li')).textAlign")
        assert side == ("right" if name.startswith("fa") else "left"), name
    assert not found, "\n".join(found)
    assert not asked


@pytest.mark.parametrize("telephone", ["dark"], indirect=True)
def test_who_has_chosen_dark_is_shown_it_dark(telephone: Page, pages: dict[str, Path]) -> None:
    telephone.set_content(next(iter(pages.values())).read_text("utf-8"))
    colours = telephone.evaluate(
        "[...document.querySelectorAll('body, td, p')].map(e => getComputedStyle(e).backgroundColor)"
    )
    assert set(colours) == {"rgb(22, 24, 26)"}
