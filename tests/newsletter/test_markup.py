"""An article's HTML becomes a letter's: what is left of it, and that browsers read nothing else in it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from newsletter.campaigns import UNSUBSCRIBE
from newsletter.markup import Letter, absolute, clean, direction_of, hide_token, parse, to_html

from mailroom.languages import load_languages
from mailroom.letters.composition import Composer
from mailroom.letters.markup import check
from mailroom.settings import Settings
from tests.mailroom.test_composition import campaign

PAGE = "https://site.example/fa/one/"
TOGETHER = '<span style="white-space:nowrap">'
PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def letter_of(html: str) -> str:
    letter = Letter(PAGE, lambda number: str(number).translate(PERSIAN))
    return hide_token(clean(to_html([*letter.convert(parse(html)), *letter.notes])))


NAMES = """
a abbr article aside audio b base bdi bdo blockquote body br button caption center cite code col dd del desc details
div dl dt em embed fieldset figcaption figure font foreignObject form frameset h1 h2 h6 head hr html i iframe img
input li link main marquee math meta mglyph mi mtext noembed noscript object ol optgroup option p param picture
plaintext pre q rp rt ruby s script section select small source span strong style sub summary sup svg table tbody
td template textarea tfoot th thead time title tr tt u ul video wbr x-y xmp
"""
ATTRIBUTES = (
    'href="https://a.example/ä b"', 'href="#x"', "href=/x/", 'href="javascript:alert(1)"', 'href="//b.example"',
    "href='data:text/html,x'", "onclick=x()", 'class="footnote-ref"', "class=footnote", 'class="footnote-backref"',
    "lang=fa", 'lang="x-klingon"', "lang=zz-Qaaa", "dir=rtl", "dir=x", 'style="background:url(https://x.example)"',
    "src=https://x.example/y.png", 'alt="a < b"', "start=5", "start=-1", "colspan=2", "scope=row", "id=x",
    "srcset=y.png", 'background="https://x.example/"', 'poster="https://x.example/"', "ping=https://x.example",
)  # fmt: skip
TEXTS = (
    "word", UNSUBSCRIBE, " ", "\n", "&amp;", "&#1;", "&#x85;", "<", "\x00", "<!--x-->", "<!--[if mso]>",
    "<![CDATA[x]]>",
    "{{ x }}", "{% x %}", "*|X|*", "@TrackLink", "]]>", "&lt;script&gt;", "\ufdd0", "\u202e", "<!doctype html>",
    "<?x?>",
)  # fmt: skip
tags = st.builds(
    lambda name, attributes, closing: f"</{name}>" if closing else f"<{' '.join([name, *attributes])}>",
    st.sampled_from(NAMES.split()),
    st.lists(st.sampled_from(ATTRIBUTES), max_size=2),
    st.booleans(),
)
pages = st.lists(tags | st.sampled_from(TEXTS), max_size=40).map("".join)


@given(pages)
def test_whatever_comes_in_the_strictest_service_takes_what_comes_out(html: str) -> None:
    fragment = letter_of(html)
    assert (
        check(fragment) == []
    )  # no script, no handler, nothing loaded, everything closed, nothing browsers would move
    bare = fragment.replace(TOGETHER, "<span>")
    assert not re.search(r"<[^>]*\b(?:src|srcset|style|class|id|on\w+|background|poster|ping)\s*=", bare)
    assert not re.search(r"<h1\b", fragment)
    assert UNSUBSCRIBE not in fragment
    assert letter_of(fragment) == fragment


COMMANDS = ("{{ .Title }}", "{{", "{% if x %}", "*|FNAME|*", "*|UNSUB|*", "@TrackLink", "%%name%%", "${x}", UNSUBSCRIBE)


@given(st.lists(st.sampled_from(COMMANDS) | st.text("ab \u200cفا", max_size=8), max_size=8).map(" ".join))
def test_what_looks_like_a_service_s_commands_is_read_as_it_was_written(text: str) -> None:
    fragment = letter_of(f"<p>{text}</p>")
    assert " ".join(parse(fragment).text.split()) == " ".join(text.split())


@pytest.mark.parametrize(
    ("html", "letter"),
    [
        ("<h1>One</h1><h5>Five</h5>", "<h2>One</h2><h4>Five</h4>"),
        ("<p>a<script>x</script><style>y</style><iframe>z</iframe></p>", "<p>a</p>"),
        ('<p id="p1" class="x" style="color:red" onclick="x()">a</p>', "<p>a</p>"),
        ('<p><a href="#p1">here</a> <a name="x"></a>and</p>', "<p>here and</p>"),
        ('<a href="../two/?a=1&amp;b=2#s3">x</a>', '<a href="https://site.example/fa/two/?a=1&amp;b=2#s3">x</a>'),
        ('<a href="javascript:x">x</a><a href="tel:1">y</a>', "xy"),
        ('<a href="mailto:a@b.example">x</a>', '<a href="mailto:a@b.example">x</a>'),
        ('<h2 id="s1">A<a class="headerlink" href="#s1">¶</a></h2>', "<h2>A</h2>"),
        ('<p lang="ar">x</p>', '<p lang="ar" dir="rtl">x</p>'),
        ('<p><span lang="en">x</span><span>y</span></p>', '<p><span lang="en" dir="ltr">x</span>y</p>'),
        ("<details><summary>More</summary><p>x</p></details>", "<div><div>More</div><p>x</p></div>"),
        ("<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby>", "漢(かん)"),
        ("<p><b>open <i>twice</p>", "<p><b>open <i>twice</i></b></p>"),
        ("<p>a <strike>b</strike> <kbd>c</kbd></p>", "<p>a <s>b</s> <code>c</code></p>"),
        ("<fieldset><legend>a</legend>b</fieldset>", "<div><div>a</div>b</div>"),
        ("<p>x<sup>2</sup>", "<p>x<sup>2</sup></p>"),
        ("<p></p><p> </p><ul><li></li></ul>x", "x"),
    ],
)
def test_what_becomes_of_markup(html: str, letter: str) -> None:
    assert letter_of(html) == letter


@pytest.mark.parametrize(
    ("html", "letter"),
    [
        ('<p>a <img src="x.png" alt="A graph"> b</p>', "<p>a [A graph] b</p>"),
        ('<p><img src="x.png" alt=""></p>', ""),
        (
            '<figure><img src="x.png" alt="A camp at night"><figcaption>Moria, 2020</figcaption></figure>',
            "<div><p>[A camp at night]</p><div>Moria, 2020</div></div>",
        ),
        (
            '<figure><img src="x.png" alt="Moria"><figcaption>Moria, <i>2020</i></figcaption></figure>',
            "<div><div>Moria, <i>2020</i></div></div>",
        ),
        ('<figure><a href="/x.png"><img src="x.png" alt=""></a></figure>', ""),
    ],
)
def test_pictures_leave_what_is_said_of_them(html: str, letter: str) -> None:
    assert letter_of(html) == letter


def test_notes_keep_their_numbers_and_stand_at_the_end() -> None:
    html = """<p>One.<sup id="fnref:a"><a class="footnote-ref" href="#fn:a">1</a></sup></p>
    <div class="footnote"><hr><ol>
    <li id="fn:a"><p>Source.&#160;<a class="footnote-backref" href="#fnref:a">↑</a></p></li>
    </ol></div><p>After.</p>"""
    fragment = letter_of(html)
    assert f"<p>{TOGETHER}One.<sup>[۱]</sup></span></p>" in fragment
    assert re.search(r"<p>After.</p>\s*<ol>\s*<li><p>Source.&nbsp;</p></li>\s*</ol>", fragment)
    assert "#" not in fragment
    assert "↑" not in fragment


@pytest.mark.parametrize(
    ("text", "torn_nowhere"),
    [
        ("bound by them.", f"bound by {TOGETHER}them.#</span>"),
        ("a &amp;", f"a &amp;{TOGETHER}#</span>"),
        ("the <em>court</em>", f"the <em>court</em>{TOGETHER}#</span>"),
        ("他说（是）。", f"他说（{TOGETHER}是）。#</span>"),
        ("x" * 60, f"{'x' * 60}{TOGETHER}#</span>"),
    ],
)
def test_a_note_s_number_stays_with_its_word(text: str, torn_nowhere: str) -> None:
    note = '<sup><a class="footnote-ref" href="#fn">1</a></sup>'
    assert letter_of(f"{text}{note * 2}") == torn_nowhere.replace("#", "<sup>[۱]</sup>" * 2)


def test_tables_stay_tables() -> None:
    html = (
        "<table><caption>C</caption><colgroup><col></colgroup><thead><tr><th scope='col' style='x'>A</th></tr></thead>"
        "<tbody><tr><td rowspan='2' align='right'></td></tr></tbody></table>"
    )
    assert letter_of(html) == (
        '<table><caption>C</caption><thead><tr><th scope="col">A</th></tr></thead>'
        '<tbody><tr><td rowspan="2"></td></tr></tbody></table>'
    )


@pytest.mark.parametrize("tag", ["div", "b"])
@pytest.mark.parametrize("depth", [60, 3000])
def test_what_stands_deep_inside_keeps_its_words(tag: str, depth: int) -> None:
    deep = f"<{tag}>" * depth + "word" + f"</{tag}>" * depth
    assert "word" in letter_of(deep)
    assert check(letter_of(deep)) == []


@pytest.mark.parametrize("lang", ["x-klingon", "zz-Qaaa", "art-lojban", "fa", "en-GB"])
def test_the_mailroom_can_dress_whatever_language_a_fragment_names(lang: str) -> None:
    fragment = letter_of(f'<p>a <span lang="{lang}">b</span></p>')
    composer = Composer(Settings(url="https://blog.test/mail/", sender="letters@blog.test"), load_languages())
    content = campaign()
    object.__setattr__(content, "html", fragment)
    assert composer.campaign(content, "en", discreet=False).html_octets


@pytest.mark.parametrize(
    ("address", "whole"),
    [
        ("/fa/خروج/", "https://site.example/fa/%D8%AE%D8%B1%D9%88%D8%AC/"),
        ("https://пример.example/?q=ж", "https://xn--e1afmkfd.example/?q=%D0%B6"),
        ("https://a.example/a%20b/(c)?d=[e]", "https://a.example/a%20b/(c)?d=%5Be%5D"),
        ("HTTP://a.example", "http://a.example"),
        ("https://[::1]:8000/", "https://[::1]:8000/"),
        (f"https://a.example/{UNSUBSCRIBE}", "https://a.example/%5B%5Bunsubscribe%5D%5D"),
        ("", ""),
        ("#note", ""),
        ("https://[bad", ""),
        ("https://" + "a" * 80 + "ж.example/", ""),
        ("ftp://a.example/", ""),
        ("mailto:", ""),
    ],
)
def test_addresses_are_whole_and_in_ascii(address: str, whole: str) -> None:
    assert absolute(PAGE, address) == whole


def test_the_direction_of_a_language_is_that_of_its_script() -> None:
    rtl = {"fa", "ar", "ar-EG", "he", "ur", "az-Arab", "pa-Arab-PK", "ckb", "FA"}
    ltr = {"en", "zh-Hans", "ru", "uz", "az", "fa-Latn", "ks-Deva", "ur-Latn-IN"}
    assert {lang for lang in rtl | ltr if direction_of(lang) == "rtl"} == rtl
