"""Ids, sections, links and reading time, on the HTML of a text."""

from __future__ import annotations

import re
import time
from functools import partial

import html5lib
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from jinja2 import Environment
from prose.blocks import mark, numbered_blocks, without_ids
from prose.errors import ConfigurationError
from prose.links import guard_links, leads_outwards
from prose.numbers import numbered
from prose.reading import reading_minutes
from prose.settings import read_configuration

PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def marked(text: str) -> str:
    return mark(text, numbered=True).html


def shown(text: str, *, persian: bool = False, blocks: int | None = None) -> str:
    environment = Environment(autoescape=True)
    environment.filters["numbered"] = partial(numbered, environment)
    if persian:
        environment.filters["localnumber"] = lambda number: f"{number:,}".translate(PERSIAN)
    return environment.from_string("{{ text|numbered(blocks) }}").render(text=text, blocks=blocks)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<p>a</p>\n<p class='x'>b</p>", "<p id=\"p1\">a</p>\n<p id=\"p2\" class='x'>b</p>"),
        ("<blockquote>\n<p>a</p></blockquote>", '<blockquote id="p1">\n<p>a</p></blockquote>'),
        ("<ul><li><p>a</p><ul><li>b</li></ul></li></ul>",
         '<div class="block" id="p1"><ul><li><p>a</p><ul><li>b</li></ul></li></ul></div>'),
        ("<pre>\na</pre>\n<table><tr><td><p>b</p></table>",
         '<div class="block" id="p1"><pre>\na</pre></div>\n'
         '<div class="block" id="p2"><table><tr><td><p>b</p></table></div>'),
        ("<div><div><p>a</p></div></div><dl></dl>",
         '<div class="block" id="p1"><div><div><p>a</p></div></div></div><div class="block" id="p2"><dl></dl></div>'),
        ('<p id="mine">a</p>', '<div class="block" id="p1"><p id="mine">a</p></div>'),
        ("<hr><p>a</p><hr />", '<hr><p id="p1">a</p><hr />'),
        ("<p>a<p>b<ol></ol>", '<p id="p1">a<p id="p2">b<div class="block" id="p3"><ol></ol></div>'),
        ("<P>a</P>", '<P id="p1">a</P>'),
        ("<p>a<h2>b</h2></p>c", '<p id="p1">a<h2 id="s1">b</h2></p>c'),
        ('<p>a</p><div class="footnote"><hr><ol><li><p>n</p></li></ol></div><p>b</p>',
         '<p id="p1">a</p><div class="footnote"><hr><ol><li><p>n</p></li></ol></div><p id="p2">b</p>'),
        ('<div class="section" id="x">\n<h2>t</h2>\n<p>a</p></div>',
         '<div class="section" id="x">\n<h2 id="s1">t</h2>\n<p id="p1">a</p></div>'),
        ("<table><p>a</p>", '<table><p id="p1">a</p>'),
        ("<details><summary>s</summary><h3>t</h3></details>",
         '<div class="block" id="p1"><details><summary>s</summary><h3 id="s1">t</h3></details></div>'),
    ],
)  # fmt: skip
def test_blocks(text: str, expected: str) -> None:
    assert marked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "<!-- <p>a</p> -->",
        "<script>'<p>'</script><style>p{}</style>",
        "<textarea><p>a</textarea>",
        "<span title='<p>'>a</span>",
        '<span title="x=\'><p>">a</span>',
        "&lt;p&gt; {filename}/a.md",
        "<code>&lt;p></code>",
        "<pa>x</pa>",
        "a < b <",
        "<p",
        '<a title="never closed <p>a</p>',
        "</p><?php <p ?>",
        "<!doctype <p>",
    ],
)
def test_what_only_looks_like_a_block_is_left_alone(text: str) -> None:
    assert marked(text) == text


def test_the_authors_ids_stay_and_are_never_doubled() -> None:
    text = '<p>a</p><p>b <a id="p3">x</a></p><p>c</p><p id="p4">d</p><h2 id="own">H</h2><h2>I</h2><h3 id="s3">J</h3>'
    result = mark(text, numbered=True)
    assert result.taken == ("p3",)
    assert [section.id for section in result.contents] == ["own", "s2", "s3"]
    ids = re.findall(r'id="(\w+)"', result.html)
    assert sorted(ids) == sorted({"p1", "p2", "p3", "p4", "own", "s2", "s3"})
    assert [number for number, _ in numbered_blocks(result.html)] == [1, 2, 4]
    assert mark('<p>a</p><code title="id=p1">x</code>', numbered=True).taken == ()


def test_contents_are_plain_text() -> None:
    note = '<sup id="fnref:a"><a class="footnote-ref" href="#fn:a">1</a></sup>'
    text = f"<h1>No</h1><h2>Law &amp;\n<em>or</em>der{note}</h2><h3>«<code>&lt;a&gt;</code>»<br>x</h3><h4>No</h4>"
    found = mark(text + "<blockquote><h2>No</h2></blockquote>", numbered=False)
    assert [(s.id, s.title, s.level) for s in found.contents] == [("s1", "Law & order", 2), ("s2", "«<a>» x", 3)]
    assert found.paragraphs == 0
    assert 'id="p' not in found.html


HOSTILE = st.lists(
    st.sampled_from([
        "<p>", "</p>", "<ul>", "</ul>", "<li>", "<div>", "</div>", "<blockquote>", "</blockquote>", "<table>",
        "</table>", "<h2>", "</h2>", "<h3 id=s1>", "</h3>", "<p id='p2'>", "<p id=x>", "<hr>", "<pre>", "</pre>",
        "<!--", "-->", "<", ">", '"', "'", "=", "<script>", "</script>", "</", "<a href='//x.org'>", "</a>",
        "<a href=http://x.org rel=me>", '<a rel href="https://x.org">', "text ", "{filename}/a.md", "&amp;", "&", "\n",
        "<div class='footnote'>", "<section>", "</section>", "\u200c", '<img src="{static}/x.jpg">',
    ]) | st.text(st.characters(exclude_categories=["C"]), max_size=5),
    max_size=30,
).map("".join)  # fmt: skip


def can_be_reduced(result: str, text: str, added: str) -> bool:
    """Whether nothing but additions, taken out of a result, leave the text; tried in all ways at once."""
    additions = re.compile(added)
    reached: dict[int, set[int]] = {0: {0}}
    for at in range(len(result)):
        for kept in reached.pop(at, ()):
            if text[kept : kept + 1] == result[at]:
                reached.setdefault(at + 1, set()).add(kept + 1)
            if found := additions.match(result, at):
                reached.setdefault(found.end(), set()).add(kept)
    return len(text) in reached.get(len(result), {0} if not result else set())


@given(HOSTILE)
def test_nothing_is_lost_of_whatever_is_written(text: str) -> None:
    """What was there stays in its order, byte for byte; between stand only ids, wrappers, relations and numbers."""
    result = marked(text)
    wrappers = re.findall(r'<div class="block" id="p\d+">', result)
    assert len(result) - len(text) <= sum(map(len, wrappers)) + 6 * len(wrappers) + 11 * result.count(' id="')
    assert can_be_reduced(result, text, r'<div class="block" id="p\d+">|</div>| id="[ps]\d+"')
    guarded = guard_links(result, "site.example")
    assert can_be_reduced(guarded, result, r'=?"? ?noreferrer noopener"?| rel="noreferrer noopener"|"(?=me)')
    assert can_be_reduced(shown(guarded), guarded, r'<a class="number" href="#p(\d+)">\1</a> ')


@given(HOSTILE)
def test_browsers_find_the_same_text_and_each_id_once(text: str) -> None:
    def read(text: str) -> tuple[str, list[str]]:
        root = html5lib.parse(f"<main>{text}", namespaceHTMLElements=False)
        return "".join(root.itertext()), [element.attrib["id"] for element in root.iter() if "id" in element.attrib]

    assume(not re.search(r"<script>(?!.*</script>)", text, re.DOTALL))  # it takes the rest of any page for its own
    (words, authors), (marked_words, ids) = read(text), read(marked(text))
    assert marked_words == words
    ours = [one for one in ids if re.fullmatch(r"[ps]\d+", one) and one not in authors]
    assert len(ours) == len(set(ours))


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ('<a href="https://x.org/">', '<a rel="noreferrer noopener" href="https://x.org/">'),
        ("<A HREF='//x.org'>", "<A rel=\"noreferrer noopener\" HREF='//x.org'>"),
        ('<a rel="nofollow" href="http://x.org">', '<a rel="nofollow noreferrer noopener" href="http://x.org">'),
        ('<a rel="NoReferrer me" href="http://x.org">', '<a rel="NoReferrer me noopener" href="http://x.org">'),
        ("<a rel=me href=http://x.org>", '<a rel="me noreferrer noopener" href=http://x.org>'),
        ("<a rel href=http://x.org>", '<a rel="noreferrer noopener" href=http://x.org>'),
        ('<a rel="" href="http://x.org">', '<a rel="noreferrer noopener" href="http://x.org">'),
        ('<a href="&#104;ttps:/\\x.org">', '<a rel="noreferrer noopener" href="&#104;ttps:/\\x.org">'),
        ('<a href="http://[">', '<a rel="noreferrer noopener" href="http://[">'),
        ('<a title="#" href="https://site.example.org/">',
         '<a rel="noreferrer noopener" title="#" href="https://site.example.org/">'),
        ('<area href="https://x.org/">', '<area rel="noreferrer noopener" href="https://x.org/">'),
        ('<a class="x" href="#s1" href="//x.org">', None),
        ('<a rel="noopener noreferrer" href="http://x.org">', None),
        ('<a href="https://SITE.example:443/a">', None),
        ('<a href="mailto:a@x.org">', None),
        ('<a href="tel:+1">', None),
        ('<a href="{filename}/articles/en/a.md#https://x.org">', None),
        ('<a href="../a//b">', None),
        ('<a href="/a?b=https://x.org">', None),
        ("<a name='https://x.org'>", None),
        ("<abbr href='https://x.org'>", None),
        ("<!-- <a href='https://x.org'> -->", None),
    ],
)  # fmt: skip
def test_links_outwards_tell_nothing(link: str, expected: str | None) -> None:
    assert guard_links(f"a {link}b", "site.example") == f"a {expected or link}b"
    assert guard_links(guard_links(link, "site.example"), "site.example") == guard_links(link, "site.example")


def test_without_a_host_every_other_host_is_outside() -> None:
    assert leads_outwards("https://x.org", "")
    assert not leads_outwards("a/", "")


@pytest.mark.parametrize(
    ("text", "lang", "minutes"),
    [
        ("word " * 2280, "en", 10),
        ("слово — " * 1840, "ru", 10),
        ("слово — " * 1840, "uk", 10),
        ("كلمة " * 1380, "ar", 10),
        ("می‌روم " * 1840, "fa", 10),
        ("汉字，" * 1275, "zh-Hans", 10),
        ("汉字，" * 1275, "zh_Hant", 10),
        ("漢字かなカナ。" * 595, "ja", 10),
        ("ภาษาไทย" * 1260, "th", 10),
        ("汉字，" * 1275 + "OVD-Info，" * 1840, "zh-Hans", 20),
        ("word " * 1840, "tlh", 10),
        ("", "en", 1),
        ("word", "en", 1),
    ],
)
def test_reading_time(text: str, lang: str, minutes: int) -> None:
    assert reading_minutes(text, lang, {}) == minutes


def test_reading_speeds_can_be_stated() -> None:
    words = "word " * 1000
    assert reading_minutes(words, "fa-AF", {"fa": 100}) == 10
    assert reading_minutes(words, "fa-AF", {"fa": 100, "fa-af": 50}) == 20
    assert reading_minutes("汉" * 1000, "zh-Hans", {"zh": 100}) == 10


def test_what_is_read_is_the_text_alone() -> None:
    note = '<sup id="fnref:a"><a class="footnote-ref" href="#fn:a">1</a></sup>'
    text = f"<h2>One</h2><p>two{note}&nbsp;<b>th</b>ree<!-- no --></p><ul><li>four</li><li>five</li></ul>"
    found = mark(f'{text}<script>no</script><div class="footnote"><ol><li><p>no</p></li></ol></div>', numbered=True)
    assert found.words.split() == ["One", "two", "three", "four", "five"]


def test_numbers_stand_at_the_beginning_of_their_blocks() -> None:
    assert shown(marked("<p>a</p><ul></ul><blockquote></blockquote>")) == (
        '<p id="p1"><a class="number" href="#p1">1</a> a</p>'
        '<div class="block" id="p2"><a class="number" href="#p2">2</a> <ul></ul></div>'
        '<blockquote id="p3"><a class="number" href="#p3">3</a> </blockquote>'
    )


def test_numbers_have_the_digits_of_the_page() -> None:
    text = marked("<p>a</p>" * 10) + '<a class="footnote-ref" href="#fn:1">12</a><a href="#fn:1">3</a> 4'
    result = shown(text, persian=True)
    assert '<p id="p10"><a class="number" href="#p10">۱۰</a> a' in result
    assert result.endswith('<a class="footnote-ref" href="#fn:1">۱۲</a><a href="#fn:1">3</a> 4')
    assert shown('<a class="footnote-reference" href="#f">[7]</a>', persian=True).endswith(">[۷]</a>")


@pytest.mark.parametrize(
    "text",
    [
        '<!-- <p id="p1">a</p> -->',
        "<span title='<p id=\"p1\">'>a</span>",
        '<code>&lt;p id="p1"&gt;</code>',
        '<p id="p2">a</p>',
        '<ul><li><p id="p1">a</p></li></ul>',
        '<ul id="p1"></ul>',
        '<div id="p1">a</div>',
        "<span title='<a class=\"footnote-ref\">1</a>'>a</span>",
        '<a class="footnote-ref" href="#fn:1">a 1</a>',
        "",
    ],
)
def test_what_only_looks_like_ours_gets_no_number(text: str) -> None:
    assert shown(text, persian=True) == text


def test_a_page_without_numbers_has_none_whatever_its_author_wrote() -> None:
    text = '<p id="p1">a</p><a class="footnote-ref" href="#fn:1">1</a>'
    assert shown(text, persian=True, blocks=0) == text.replace(">1<", ">۱<")


def test_an_excerpt_keeps_no_id_of_ours() -> None:
    text = marked("<p>a</p><h2>b</h2><ul></ul><p id='x'>c</p>")
    assert re.findall(r"\bid=\S+?(?=>)", without_ids(text)) == ["id='x'"]


REPEATED = [
    "<p>one <a href='https://x.org'>two</a>\n", "<", "<p ", "<p", "<a ", '<a href="', "<a b='", "<!--", "<script>",
    "<div>", "</div>", "<ul><li>", "<blockquote>", '<sup id="fnref', '<sup id="fnref">', '<a class="footnote-ref">',
    "<h2>", "a=", "<a =", "<a\n", "&amp;", ' id="p1"', '<p id="p1">', "汉字", "word ",
]  # fmt: skip


@pytest.mark.parametrize("piece", REPEATED)
def test_time_grows_with_the_text_and_no_faster(piece: str) -> None:
    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        start = time.process_time()
        found = mark(text, numbered=True)
        reading_minutes(found.words, "zh", {})
        shown(guard_links(found.html, "site.example"), persian=True)
        return time.process_time() - start

    assert seconds(1_000_000) < 40 * max(seconds(100_000), 0.03), "ten times the text may take ten times as long"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"PROSE_NUMBRED": ()}, "PROSE_NUMBERED"),
        ({"PROSE_NUMBERED": "article"}, "tuple of kinds"),
        ({"PROSE_NUMBERED": ("draft",)}, "tuple of kinds"),
        ({"PROSE_SPEEDS": [("fa", 1)]}, "words a minute"),
        ({"PROSE_SPEEDS": {"fa": 0}}, "above 0"),
        ({"PROSE_SPEEDS": {"fa": "fast"}}, "above 0"),
    ],
)
def test_settings_that_cannot_be_used_name_the_remedy(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as error:
        read_configuration(settings)
    assert error.value.remedy
