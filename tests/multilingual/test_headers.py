"""Headers in YAML and in Pelican's own way: the same meaning, whatever stands in them."""

import json
import re
from collections.abc import Callable
from typing import TypeVar

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st
from multilingual.headers import HeaderError, decode, split_header

from tests.multilingual.sites import Site, texts

T = TypeVar("T")

# Every two-letter code that has been or could be assigned: ISO 3166-1's 249 are among them.
ALPHA_2 = sorted(code for code in map(str, Locale("en").territories) if re.fullmatch("[A-Z]{2}", code))

# A value as somebody could write it on one line: no line break of any kind, no blank end.
words = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Zs")), min_size=1)
values = st.lists(words, min_size=1, max_size=5).map(" ".join).filter(lambda text: text.strip() == text)
names = st.from_regex(r"\A[A-Za-z][A-Za-z0-9_-]{0,20}\Z")
tricky = st.sampled_from(
    [
        *("a: b", "'", '"', "it's", "#1", "- x", "yes", "NO", "~", "null", "12:30", "0x1F", "1_000", "1e3", "{a}"),
        *("[a]", "!x", "&x", "*x", "%x", "@x", "`x`", "| x", "> x", "a #b", "---", "2026-03-04", "\\n", "…"),
        *("سلام: دنیا", "\u200fراست", "نمی\u200cدانم", "👩\u200d⚖️", "e\u0301", "हिन्दी", "ประเทศ", "မြန်မာ"),
    ]
)
texts_of_values = st.one_of(values, tricky)


def as_yaml(fields: dict[str, str]) -> str:
    return (
        "---\n"
        + "".join(f"{key}: {json.dumps(text, ensure_ascii=False)}\n" for key, text in fields.items())
        + "---\n\nText.\n"
    )


def as_yaml_plainly(fields: dict[str, str]) -> str:
    return "---\n" + "".join(f"{key}: {text}\n" for key, text in fields.items()) + "---\n\nText.\n"


def as_classic(fields: dict[str, str]) -> str:
    return "".join(f"{key}: {text}\n" for key, text in fields.items()) + "\nText.\n"


def attempt(read: Callable[[], T]) -> T | HeaderError:
    try:
        return read()
    except HeaderError as error:
        return error


def error_of(source: str) -> HeaderError:
    with pytest.raises(HeaderError) as raised:
        split_header(source)
    return raised.value


def test_there_are_all_country_codes() -> None:
    assert len(ALPHA_2) >= 249
    assert {"NO", "YE", "FR", "PS", "XK", "NA"} <= set(ALPHA_2)


def test_every_country_code_stays_text_in_both_forms() -> None:
    codes = [*ALPHA_2, "ON", "OFF", "Y", "N", "YES", "NULL", "TRUE", "1_0", "0o7", "1:30"]
    for write in (as_yaml_plainly, as_classic):
        found = {code: split_header(write({"Countries": code})).fields for code in codes}
        assert found == {code: {"countries": [code]} for code in codes}


@given(st.lists(st.sampled_from(ALPHA_2), min_size=1, unique=True))
def test_lists_of_codes_mean_the_same_in_every_spelling(codes: list[str]) -> None:
    listed = ", ".join(codes)
    assert split_header(f"Countries: {listed}\n\nText.").fields["countries"] == [listed]
    assert split_header(f"---\ncountries: {listed}\n---\nText.").fields["countries"] == [listed]
    for block in (f"[{listed}]", "".join(f"\n  - {code}" for code in codes)):
        assert split_header(f"---\ncountries: {block}\n---\nText.").fields["countries"] == [codes]


@given(st.dictionaries(names, texts_of_values, min_size=1, max_size=6))
def test_both_forms_mean_the_same(fields: dict[str, str]) -> None:
    lowered = {key.lower(): text for key, text in fields.items()}
    if len(lowered) < len(fields):
        return
    expected = {key: [text] for key, text in lowered.items()}
    yaml, classic = split_header(as_yaml(fields)), split_header(as_classic(fields))
    assert yaml.fields == classic.fields == expected
    assert yaml.body.strip() == classic.body.strip() == "Text."
    assert yaml.lines == {key: line + 1 for key, line in classic.lines.items()}


@given(st.dictionaries(names, texts_of_values, min_size=1, max_size=4), st.sampled_from([as_yaml, as_classic]))
def test_line_endings_and_byte_order_mark_change_nothing(
    fields: dict[str, str], write: Callable[[dict[str, str]], str]
) -> None:
    if len({key.lower() for key in fields}) < len(fields):
        return
    source = write(fields)
    plain = split_header(decode(source.encode()))
    for ending in ("\r\n", "\r"):
        for mark in ("", "\ufeff"):
            raw = (mark + source.replace("\n", ending)).encode()
            assert split_header(decode(raw)) == plain


@given(st.text())
def test_any_text_is_read_or_refused_with_a_line_and_a_remedy(source: str) -> None:
    for text in (source, f"---\n{source}\n---\n", f"Title: x\n{source}"):
        found = attempt(lambda: split_header(text))  # noqa: B023 (called at once)
        if isinstance(found, HeaderError):
            assert found.what
            assert found.remedy
            assert 0 <= found.line <= text.count("\n") + 1
        else:
            assert set(found.fields) <= set(found.lines)


@given(st.binary())
def test_any_bytes_are_decoded_or_refused(raw: bytes) -> None:
    found = attempt(lambda: decode(raw))
    if isinstance(found, HeaderError):
        assert found.what == "the file is not UTF-8"
        assert 1 <= found.line <= raw.count(b"\n") + 1
    else:
        assert "\r" not in found


def test_a_field_may_be_stated_several_times_in_the_classic_form() -> None:
    header = split_header("Title: x\nCorrected: 2026-01-01 One\ncorrected: 2026-02-01 Two\n    and more\n\nText.")
    assert header.fields["corrected"] == ["2026-01-01 One", "2026-02-01 Two", "and more"]
    assert header.lines["corrected"] == 2


def test_a_field_is_stated_once_in_yaml() -> None:
    error = error_of("---\nTitle: x\nCorrected: 2026-01-01 One\ncorrected: 2026-02-01 Two\n---\nText.")
    assert (error.line, error.what) == (4, "'corrected' is there twice")


def test_an_empty_value_is_no_statement() -> None:
    for source in ("Title: x\nSummary:\nAuthors:\n\nText.", "---\nTitle: x\nSummary:\nAuthors: []\n---\nText."):
        assert split_header(source).fields == {"title": ["x"]}


@pytest.mark.parametrize(
    ("source", "line", "what"),
    [
        ("", 0, "the file is empty"),
        (" \n\t\n", 0, "the file is empty"),
        ("---\nTitle: x\n\nText.", 1, "the header has no end"),
        ("---\nTitle: x\nImage:\n  alt:\n    fa: y\n---\nText.", 3, "'image' is nested too deep"),
        ("---\nTitle: x\ntopics: [[a], b]\n---\nText.", 3, "'topics' is nested too deep"),
        ("---\nTitle: x\n? [a, b]\n: c\n---\nText.", 3, "a field's name is not text"),
        ("---\n- Title\n---\nText.", 2, "the header is not `key: value`"),
        ("---\njust text\n---\nText.", 2, "the header is not `key: value`"),
        ("---\nTitle: Asylum: an introduction\n---\nText.", 2, "mapping values are not allowed here"),
        ("Title: x\nDate 2026-01-01\n\nText.", 2, "'Date 2026-01-01' is neither a field nor an empty line"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(source: str, line: int, what: str) -> None:
    error = error_of(source)
    assert (error.line, error.what) == (line, what)
    assert error.remedy.endswith(".")


@pytest.mark.parametrize("closing", ["---", "...", "--- "])
def test_yaml_ends_with_hyphens_or_dots(closing: str) -> None:
    header = split_header(f"---\nTitle: x\n{closing}\nText.")
    assert header.fields == {"title": ["x"]}
    assert header.body == "Text."
    assert header.body_line == 4


def test_both_forms_make_the_same_page(site: Site) -> None:
    title = "Who's “afraid”: NO, 12:30 – نامه #1"
    site.write(
        "articles/en/classic.md",
        f"\ufeffTITLE: {title}\nDate: 2026-01-02\nSummary: A *b*.\n\nText.\n".replace("\n", "\r\n"),
    )
    site.write(
        "articles/en/yaml.md", f"---\ntitle: {json.dumps(title)}\ndate: 2026-01-02\nsummary: A *b*.\n---\nText.\n"
    )
    site.build_whole()
    classic, yaml = site.text("en/classic/"), site.text("en/yaml/")
    assert classic.replace("classic", "yaml") == yaml
    assert title in site.html("en/yaml/").text_content()


def test_repeated_and_listed_corrections_are_the_same(site: Site) -> None:
    site.write(
        "articles/en/classic.md",
        "Title: x\nDate: 2026-01-02\nCorrected: 2026-03-01 One\nCorrected: 2026-02-01 Two\n\nText.\n",
    )
    site.write(
        "articles/en/yaml.md",
        "---\ntitle: x\ndate: 2026-01-02\ncorrected:\n  - 2026-03-01 One\n  - 2026-02-01 Two\n---\nText.\n",
    )
    result = site.build_whole()
    assert result.site is not None
    corrections = {a.translation_key: a.corrections for a in result.site.editions["en"].articles}
    assert [note.text for note in corrections["yaml"]] == ["Two", "One"]
    assert corrections["classic"] == corrections["yaml"]


def test_broken_headers_are_told_with_file_and_line(site: Site) -> None:
    site.article("en", "good")
    site.write("articles/en/no-end.md", "---\nTitle: x\n\nText.\n")
    site.write("articles/en/nested.md", "---\nTitle: x\nImage: {a: {b: c}}\n---\nText.\n")
    site.write("articles/en/untitled.md", "Date: 2026-01-02\n\nText.\n")
    assert texts(site.build()) == [
        "content/articles/en/nested.md:3: 'image' is nested too deep. Write text, or a list of texts.",
        "content/articles/en/no-end.md:1: the header has no end. Close it with a line of three hyphens.",
        "content/articles/en/untitled.md:1: the title is missing. Begin the file with `Title: …` and an empty line.",
    ]
