"""What changed, beside what the translation says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser

from translators.blocks import Block, make_block
from translators.comparison import Passage, place_changes, show_passages, write_page


@dataclass(frozen=True)
class Tongue:
    tag: str
    name: str
    direction: str
    prefix: str = ""


ENGLISH, PERSIAN = Tongue("en", "English", "ltr"), Tongue("fa", "فارسی", "rtl")
OLD = (
    make_block("title", "Flight"),
    make_block("heading", "Law 12"),
    make_block("paragraph", "The law of 2021 forbids it."),
    make_block("paragraph", "Nobody was tried."),
    make_block("item", "A list of 31 names."),
)
TRANSLATION = (
    make_block("title", "گریز"),
    make_block("heading", "قانون ۱۲"),
    make_block("paragraph", "قانون ۲۰۲۱ آن را منع می‌کند."),
    make_block("paragraph", "کسی محاکمه نشد."),
    make_block("item", "فهرستی از ۳۱ نام."),
)


def passages(*new: Block) -> list[Passage]:
    return place_changes(OLD, new, TRANSLATION)


def test_a_changed_block_stands_beside_its_translation() -> None:
    new = (*OLD[:2], make_block("paragraph", "The law of 2021 permits it."), *OLD[3:])
    (found,) = passages(*new)
    assert found.present == (TRANSLATION[2],)
    assert found.places == (2,)
    assert [part for part in found.words("en") if part[0] != "same"] == [("removed", "forbids"), ("added", "permits")]


def test_an_added_block_stands_behind_what_was_translated_before_it() -> None:
    new = (*OLD[:4], make_block("paragraph", "One was."), OLD[4])
    (found,) = passages(*new)
    assert (found.change.op, found.present, found.after) == ("added", (), TRANSLATION[3])


def test_what_is_added_at_the_beginning_stands_behind_nothing() -> None:
    (found,) = place_changes((), OLD[:1], ())
    assert found.after is None
    assert "at the beginning" in "\n".join(show_passages([found], ENGLISH, PERSIAN))


def test_a_removed_block_shows_what_to_remove() -> None:
    (found,) = passages(*OLD[:3], OLD[4])
    assert (found.change.op, found.present) == ("removed", (TRANSLATION[3],))


def test_a_split_block_shows_its_translation_once() -> None:
    old = (make_block("paragraph", "The first one. The second one."),)
    new = (make_block("paragraph", "The first one."), make_block("paragraph", "The second one."))
    (found,) = place_changes(old, new, (make_block("paragraph", "یک. دو."),))
    assert found.places == (0,)


def test_a_link_that_leads_elsewhere_is_shown() -> None:
    old = (make_block("paragraph", "See the list.", ["https://example.org/1"]),)
    new = (make_block("paragraph", "See the list.", ["https://example.org/2"]),)
    (found,) = place_changes(old, new, (make_block("paragraph", "فهرست را ببینید."),))
    text = "\n".join(show_passages([found], ENGLISH, PERSIAN))
    assert "-[<https://example.org/1>]+[<https://example.org/2>]" in text


def test_the_terminal_isolates_each_language_and_is_readable_without_colour() -> None:
    found = passages(*OLD[:2], make_block("paragraph", "The law of 2021 permits it."), *OLD[3:])
    lines = list(show_passages(found, ENGLISH, PERSIAN))
    assert lines[0] == "1 of 1: paragraph changed"
    assert lines[1] == "  en: \u2066The law of 2021 -[forbids]+[permits] it.\u2069"
    assert lines[2] == f"  fa: \u2067{TRANSLATION[2].text}\u2069"
    coloured = "\n".join(show_passages(found, ENGLISH, PERSIAN, colour=True))
    assert "\x1b[31m-[forbids]\x1b[0m\x1b[32m+[permits]\x1b[0m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == "\n".join(lines)


def test_the_page_says_each_language_and_loads_nothing() -> None:
    found = passages(make_block("title", "<b>Flight & fright</b>"), *OLD[1:3], *OLD[4:])
    page = write_page(found, "flight", "Flight <i>", ENGLISH, PERSIAN, ["corrected 2026-11-22"])
    assert '<div lang="fa" dir="rtl">گریز</div>' in page
    assert "<ins>" in page
    assert "&lt;b&gt;" in page.replace("</ins><ins>", "")
    assert "<b>" not in page
    assert "The source article was corrected 2026-11-22." in page

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag not in ("script", "img", "link", "iframe")
            assert not {"src", "href", "style", "onclick"} & {name for name, _ in attrs}

    Reader().feed(page)
