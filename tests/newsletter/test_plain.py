"""Letters as plain text: what is legible, what the directions of writing do to it, where lines are cut."""

from __future__ import annotations

import re
import unicodedata
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from newsletter.markup import Letter, clean, parse, parse_fragment, to_html
from newsletter.plain import balanced, directed, isolated, one_line, plain, shorten, standing_alone, write_plain

LRM, RLM, LRI, RLI, FSI, PDI = "\u200e\u200f\u2066\u2067\u2068\u2069"


def text_of(html: str, direction: str = "ltr", first: int = 1) -> str:
    letter = Letter("https://site.example/en/one/", str)
    fragment = clean(to_html([*letter.convert(parse(html)), *letter.notes]))
    return write_plain(parse_fragment(fragment), direction, first, str)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One\nline,\n however   long.</p><p>Two.</p>", "One line, however long.\n\nTwo."),
        ("<p>One<br>two</p>", "One\ntwo"),
        ("<h2>Part</h2><h3>Its part</h3>", "## Part\n\n### Its part"),
        ("<ul><li>a</li><li><p>b</p><p>c</p></li></ul>", "- a\n- b\n\n  c"),
        ("<ol start='3'><li>a<ul><li>b</li></ul></li><li>c</li></ol>", "3. a\n\n   - b\n4. c"),
        ("<blockquote><p>a</p><p>b</p></blockquote>", "> a\n>\n> b"),
        ("<pre>a\n  b</pre><hr>", "a\n  b\n\n* * *"),
        ("<dl><dt>a</dt><dd>b</dd></dl>", "a\n\n  b"),
        ("<p>m<sup>2</sup> <q>x</q> <del>old</del> H<sub>2</sub>O</p>", "m^2 “x” ~~old~~ H2O"),
        ("<p>a<sup id='x'><a class='footnote-ref' href='#n'>1</a></sup></p>", "a[1]"),
        ("<div>a<p>b</p>c</div>", "a\n\nb\n\nc"),
        ("<p>a&nbsp;b &amp; c &lt;</p>", "a\u00a0b & c <"),
    ],
)
def test_what_becomes_of_structure(html: str, text: str) -> None:
    assert text_of(html) == text


def test_addresses_stand_at_the_end_under_numbers_of_their_own() -> None:
    html = (
        "<p>See <a href='https://a.example/'>this</a>, <a href='/b/'>that</a>, <a href='https://a.example/'>this</a>.</p>"
        "<p><a href='https://c.example/%D8%A7'>https://c.example/ا</a> <a href='mailto:a@b.example'>a@b.example</a></p>"
    )
    assert text_of(html, first=3) == (
        "See this [3], that [4], this [3].\n\nhttps://c.example/%D8%A7 mailto:a@b.example\n\n"
        "[3] https://a.example/\n[4] https://site.example/b/"
    )


def test_tables_say_in_each_line_what_the_number_means() -> None:
    html = (
        "<table><caption>Refusals</caption><tr><th>Year</th><th>Number</th></tr>"
        "<tr><td>2024</td><td>17</td></tr><tr><th>2025</th><td>19</td></tr></table><table><tr><td>a</td><td>b</td></tr></table>"
    )
    assert text_of(html) == "Refusals\n\nYear: 2024\nNumber: 17\n\nYear: 2025\nNumber: 19\n\na\nb"


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ("<tr><td></td><th>2024</th></tr><tr><th>Iran</th><td>17</td></tr>", "Iran\n2024: 17"),
        ("<tr><th>Alone</th></tr>", "Alone"),
        (
            "<tr><th>A</th><th>B</th><th>C</th></tr><tr><td colspan='2'>1</td><td>2</td></tr>"
            "<tr><td>3</td><td>4</td><td>5</td></tr>",
            "A\nB\nC\n\n1\n2\n\n3\n4\n5",  # rather no heading than the next column's
        ),
        ("<tr><th>A</th></tr><tr><td><table><tr><td>b</td></tr></table></td></tr>", "A: b"),
    ],
)
def test_a_table_s_numbers_are_under_no_wrong_heading_and_no_word_is_lost(rows: str, text: str) -> None:
    assert text_of(f"<table>{rows}</table>") == text


def guessed(paragraph: str) -> str:
    """The direction that programs show a paragraph in: that of its first letter (UAX 9, P2)."""
    kinds = (unicodedata.bidirectional(letter) for letter in paragraph)
    return next(("rtl" if kind in ("R", "AL") else "ltr" for kind in kinds if kind in ("L", "R", "AL")), "ltr")


def test_each_line_is_shown_in_its_own_direction() -> None:
    html = (
        "<p>UNHCR می‌گوید</p><p>فارسی</p><ul><li>OVD-Info گزارش داد</li><li>دو</li></ul><h2>ICC چیست</h2>"
        "<table><tr><th>A</th></tr><tr><td>یک</td></tr></table>"
        "<blockquote dir='ltr'><p>فارسی in English</p></blockquote>"
    )
    lines = [line for line in text_of(html, "rtl").splitlines() if line]
    assert [guessed(line) for line in lines] == ["rtl"] * 6 + ["ltr"]
    assert RLM not in lines[1]


def test_an_address_in_a_persian_line_neither_turns_it_nor_takes_a_mark_with_it() -> None:
    text = text_of("<p>منبع <a href='https://a.example/x/'>https://a.example/x/</a> (دسترسی)</p>", "rtl")
    assert text == f"منبع {LRI}https://a.example/x/ {PDI} (دسترسی)"
    assert re.findall(r"https://\S+", text) == ["https://a.example/x/"]


def test_a_passage_that_runs_the_other_way_is_isolated() -> None:
    assert text_of("<p>a <span lang='fa'>فارسی (۱)</span> b</p>") == f"a {FSI}فارسی (۱){PDI} b"
    assert isolated("حقوق بشر", "ltr") == f"{FSI}حقوق بشر{PDI}"
    assert isolated("Human Rights", "ltr") == "Human Rights"
    assert standing_alone("UNHCR و پناهندگان", "rtl") == f"{RLI}UNHCR و پناهندگان{PDI}"
    assert standing_alone("Der Begriff „پناه“", "ltr") == f"{LRI}Der Begriff „پناه“{PDI}"
    assert standing_alone("پناهندگان، ۲۰۲۶", "rtl") == "پناهندگان، ۲۰۲۶"
    assert directed("2026", "rtl") == "2026"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"a {LRI}b{PDI} c", True), (f"a {LRI}b c", False), (f"a{PDI} b", False), ("a \u202eb\u202c", True),
        ("a \u202eb", False), (f"a \u202b{LRI}b\u202c{PDI}", False), (f"a{RLM}b{LRM}", True), ("", True),
    ],
)  # fmt: skip
def test_nothing_turns_what_stands_behind_a_line(text: str, kept: bool) -> None:
    expected = text if kept else re.sub("[\u202a-\u202e\u2066-\u2069]", "", text)
    assert balanced(text) == expected


@pytest.mark.parametrize(
    ("text", "length", "short"),
    [
        ("short", 5, "short"),
        ("one two three four", 13, "one two…"),
        ("one two, three", 12, "one two…"),
        ("驳回的裁决没有说明理由", 6, "驳回的裁决…"),
        ("e\u0301e\u0301e\u0301e\u0301", 6, "e\u0301e\u0301…"),
        ("ab\U0001f468\u200d\U0001f469\u200d\U0001f467cd", 5, "ab…"),
        ("a\U0001f1fa\U0001f1e6\U0001f1e7\U0001f1fec", 4, "a…"),
        ("क्षक्षक्ष", 6, "क्ष…"),
        ("خانواده‌ها و کودکان", 12, "خانواده‌ها…"),
    ],
)
def test_cut_at_the_end_of_a_word_and_never_inside_a_letter(text: str, length: int, short: str) -> None:
    assert shorten(text, length) == short


@given(st.text(max_size=80), st.integers(2, 40))
def test_what_is_shortened_is_the_beginning(text: str, length: int) -> None:
    short = shorten(text, length)
    assert len(short) <= length or short == text
    assert text.startswith(short.removesuffix("…"))


@given(st.text(max_size=60))
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", one_line(text))


COMMANDS = ("{{ .Title }}", "{% if x %}", "*|FNAME|*", "@TrackLink", "%%name%%", "${x}", "[1]", "-- ", "> a", "# b")


@given(st.lists(st.sampled_from(COMMANDS) | st.text("ab &<>", max_size=6), max_size=6).map(" ".join))
def test_what_looks_like_commands_is_text(text: str) -> None:
    assert text_of(f"<p>{escape(text)}</p>") == " ".join(text.split())


def test_words_of_blocks_do_not_run_together() -> None:
    assert plain(parse("<p>One</p><p>two<b>th</b>ree<br>four &amp; five</p>\n")) == "One twothree four & five"
