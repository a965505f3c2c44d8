"""The signs of a kit, as translators of several scripts write them; and the doubts about what they wrote."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from translators.blocks import read_html, tidy
from translators.kit.alignment import align
from translators.kit.composition import TEXTS, Term
from translators.kit.document import CELL, Piece, Span, numbers, plain
from translators.kit.docx import write_docx
from translators.kit.doubts import compare
from translators.kit.html import write_html
from translators.kit.markdown import read_markdown
from translators.kit.notation import show, understand

from tests.translators.kit.samples import CONTENT, CONVERT, FIELDS, bare, body_of, load, make_kit, present, take_in

LABELS = ("law", "report")
SOURCE = Piece(
    "paragraph",
    (
        Span("See "),
        Span("the ", link="/a"),
        Span("law", bold=True, link="/a"),
        Span(" and "),
        Span("a list", link="/b"),
        Span(note="report"),
        Span(" of "),
        Span("awrah", italic=True, lang="ar"),
        Span("."),
    ),
)


def test_a_kit_shows_links_and_notes_as_signs() -> None:
    assert plain(show(SOURCE, LABELS, SOURCE.links)) == "See [the law](1) and [a list](2)[2] of awrah."
    assert [span.text for span in show(SOURCE, LABELS, SOURCE.links) if span.bold] == ["law"]


@pytest.mark.parametrize("text", [
    "[Список](2) и [закон](1)[2].",
    "［列表］（2）和［法律］（1）［2］。",
    "【列表】(2)和【法律】(1)【2】。",
    "[فهرست](۲) و [قانون](۱)[۲].",
    "[القائمة] (٢) و[القانون](١) [٢].",
])  # fmt: skip
def test_signs_are_read_in_any_script(text: str) -> None:
    found = Piece("paragraph", understand([Span(text[:5]), Span(text[5:])], SOURCE, LABELS, SOURCE.links))
    assert found.links == ("/b", "/a")
    assert found.notes == ("report",)
    assert not set("[]()［］（）【】") & set(found.text)


def test_brackets_that_are_no_signs_stay() -> None:
    text = "[2019] UKSC 5, […] and [words](9), f(1)"
    assert plain(understand([Span(text)], SOURCE, LABELS, SOURCE.links)) == text


def test_words_that_are_kept_keep_their_language() -> None:
    found = understand([Span("слово awrah, не awrahs")], SOURCE, LABELS, SOURCE.links)
    assert [(span.text, span.lang) for span in found] == [("слово ", ""), ("awrah", "ar"), (", не awrahs", "")]


def test_cells_of_a_row() -> None:
    row = Piece("row", (Span("a"), Span(CELL), Span("b", bold=True)))
    assert plain(show(row, (), ())) == "a | b"
    assert understand([Span("甲｜"), Span(" 乙", bold=True)], row, (), ()) == (
        Span("甲"),
        Span(CELL),
        Span("乙", bold=True),
    )


@pytest.mark.parametrize(("source", "target", "reason"), [
    ("In 2022 there were 19,478 arrests.", "В 2022 году 19 478 задержаний, всего 777.", "with 777, which"),
    ("Art. 20(3) of the law of 4 March 2022", "第20条", "without the number 2022"),
    ("A sentence that has rather many words in it, and then some more", "Нет", "much shorter"),
    ("Yes", "Предложение, в котором слов намного больше, чем было, и ещё немного слов", "much longer"),
    ("A sentence that nobody translated", "A sentence  that nobody translated", "not translated"),
])  # fmt: skip
def test_doubts(source: str, target: str, reason: str) -> None:
    here, there = (Piece("paragraph", (Span(text),)) for text in (source, target))
    found = list(compare(here, "en", there, "zh-Hans" if "条" in target else "ru", 1.0))
    assert len(found) == 1
    assert reason in found[0]


def test_numbers_are_the_same_to_align_by() -> None:
    assert numbers("19,478 and 2.2") == numbers("19\u202f478 und 2,2") == numbers("۱۹٬۴۷۸ و ۲٫۲")
    assert numbers("art. 20(3)") == numbers("art. 20.3")
    assert numbers("74,000 of 500,000") == numbers("50万中的7.4万")


def test_blocks_that_were_split_joined_added_or_left_out_are_found() -> None:
    def write(*texts: str) -> list[Piece]:
        return [Piece("paragraph", (Span(text),)) for text in texts]

    first, second = "In 1999 there was a law. " * 4, "Then in 2005 another one came. " * 4
    third = "And 42 of them left. " * 4
    pairs = align(write(first, second, third), write(first, second[:60], second[60:], third))
    assert [(pair.source, pair.target) for pair in pairs] == [((0,), (0,)), ((1,), (1, 2)), ((2,), (3,))]
    pairs = align(write(first, second, third), write(first, third))
    assert [(pair.source, pair.target) for pair in pairs] == [((0,), (0,)), ((1,), ()), ((2,), (1,))]
    pairs = align(write(first, third), write(first, second, third))
    assert [(pair.source, pair.target) for pair in pairs] == [((0,), (0,)), ((), (1,)), ((1,), (2,))]


HEADER = ("title", "summary", "field")
KEY = "conscientious-objection-russia"


def test_a_translation_that_nobody_touched_stays_as_it_is() -> None:
    now = present("en", "ru", KEY)
    now = replace(now, beside={**now.beside, 3: replace(now.beside[3], state="changed")})
    kit = make_kit("en", "ru", KEY, counterparts=now)
    assert [row.state for row in kit.rows].count("changed") == 1
    for name, data in ((kit.name("docx"), write_docx(kit)), (kit.name("html"), write_html(kit))):
        found = take_in(name, data, "en", "ru", KEY, now)
        assert read_markdown(found.body, CONVERT).blocks == load("ru", KEY, ()).blocks[2:]
        assert [doubt.reason for doubt in found.doubts] == ["the source has changed, and the translation is as it was"]


def test_a_page_is_filled_in_and_saved_in_a_browser(browser: Browser) -> None:
    """`page.content()` is the page as it stands, which is what a browser writes when it saves the whole page."""
    kit = make_kit("en", "fa", KEY, terms=[Term("objector", "معترض")])
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(write_html(kit).decode())
    places = page.locator("[contenteditable]")
    assert places.count() == len(kit.rows)
    assert places.first.evaluate("e => getComputedStyle(e).direction") == "rtl"
    places.nth(0).click()
    page.keyboard.insert_text("عنوان")
    places.nth(3).click()
    page.keyboard.insert_text("یک ")
    page.keyboard.press("Control+b")
    page.keyboard.insert_text("دو")
    page.keyboard.press("Control+b")
    page.keyboard.press("Enter")
    page.keyboard.insert_text("سه [1]")
    saved = page.content()
    page.close()
    assert not [address for address in asked if not address.startswith("about:")]
    source = load("en", KEY, FIELDS)
    found = take_in("a.html", saved.encode(), "en", "fa", KEY)
    assert found.fields["title"] == "عنوان"
    assert found.body.startswith(f"یک **دو**\n\nسه [^{source.labels[0]}]\n")
    assert sum(doubt.reason == "not translated" for doubt in found.doubts) == len(source.blocks) - 2


def test_markdown_of_somebody_who_did_not_use_the_kit() -> None:
    data = (CONTENT / "articles" / "ru" / f"{KEY}.md").read_bytes()
    found = take_in("a.md", data, "en", "ru", KEY)
    assert bare(read_markdown(found.body, CONVERT).pieces) == bare(load("ru", KEY, ()).pieces)
    assert not found.doubts


def test_instructions_are_in_the_translators_language_where_somebody_wrote_them() -> None:
    said = {TEXTS["instructions"]: "راهنما"}
    kit = make_kit("en", "fa", KEY, say=lambda text: said.get(text, text))
    page = write_html(kit).decode()
    assert '<h1 lang="fa" dir="rtl">راهنما</h1>' in page
    assert '<p lang="en" dir="ltr">Write the translation' in page


@pytest.mark.parametrize("path", sorted((CONTENT / "articles" / "fa").glob("*.md")), ids=lambda path: path.stem)
def test_the_blocks_of_kits_are_those_that_are_compared(path: Path) -> None:
    """So that the place of a changed block is the same in both."""
    text = re.sub(r"\[\^[^\]]+\](?:: )?", "", "\n".join(block.text for block in read_html(CONVERT(body_of(path)))))
    mine = "\n".join(tidy(piece.text) for piece in load("fa", path.stem, ()).blocks if piece.kind not in HEADER)
    assert mine == text


def test_a_browser_that_wraps_lines_changes_nothing() -> None:
    """Firefox ends lines where it saves a page, after hyphens as well, but leaves `pre` as it is."""
    page = write_html(make_kit("en", "ru", KEY, counterparts=present("en", "ru", KEY))).decode()
    parts = re.split(r"(<pre.*?</pre>)", page, flags=re.DOTALL)
    page = "".join(part if part.startswith("<pre") else part.replace("-", "-\n").replace(" ", "\n ") for part in parts)
    found = take_in("a.html", page.encode(), "en", "ru", KEY)
    assert bare(read_markdown(found.body, CONVERT).pieces) == bare(load("ru", KEY).pieces)
    assert not found.doubts
