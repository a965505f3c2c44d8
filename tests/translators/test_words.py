"""Words of many scripts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from translators.words import count_words, split_words, word_diff


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("He can’t re-enter, ever.", ["He", "can’t", "re-enter", ",", "ever", "."]),
        ("19,478 men on 2026-03-04", ["19,478", "men", "on", "2026-03-04"]),
        ("نمی‌خواهم بروم", ["نمی‌خواهم", "بروم"]),
        ("كَتَبَ كتابًا", ["كَتَبَ", "كتابًا"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("2024年北京UNHCR说", ["2024", "年", "北", "京", "UNHCR", "说"]),
        ("So[^a]", ["So", "[^a]"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert [word for word in split_words(text) if not word.isspace()] == words


def test_languages_without_spaces_are_parted_by_sign_with_its_marks() -> None:
    assert split_words("ที่นี่ 5", "th") == ["ที่", "นี่", " ", "5"]


@given(st.text(), st.sampled_from(["en", "th", "zh-Hans", "fa"]))
def test_nothing_of_a_text_is_lost(text: str, lang: str) -> None:
    assert "".join(split_words(text, lang)) == text


@given(st.text("ab c،北", max_size=30), st.text("ab c،北", max_size=30))
def test_a_diff_holds_both_texts(old: str, new: str) -> None:
    pieces = word_diff(old, new)
    assert "".join(text for what, text in pieces if what != "added") == old
    assert "".join(text for what, text in pieces if what != "removed") == new
    assert all(text for _, text in pieces)


@pytest.mark.parametrize(
    ("old", "new", "pieces"),
    [
        ("a b c", "a b c", [("same", "a b c")]),
        ("He was held", "He was not held", [("same", "He was "), ("added", "not "), ("same", "held")]),
        ("in 2024 he", "in 2025 he", [("same", "in "), ("removed", "2024"), ("added", "2025"), ("same", " he")]),
        ("one two x", "three four x", [("removed", "one two"), ("added", "three four"), ("same", " x")]),
        ("他被捕了", "他未被捕", [("same", "他"), ("added", "未"), ("same", "被捕"), ("removed", "了")]),
        ("زندانِ او", "زندانی او", [("removed", "زندانِ"), ("added", "زندانی"), ("same", " او")]),
        ("", "x", [("added", "x")]),
    ],
)
def test_what_differs(old: str, new: str, pieces: list[tuple[str, str]]) -> None:
    assert list(word_diff(old, new)) == pieces


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("He **was** [held](https://example.org/a/b) – twice.[^a]", 4),
        ("他们说 UNHCR", 3),
        ("国家保护人权", 4),
        ("ひらがなです", 3),
        ("ประเทศไทย 2024", 4),
        ("မြန်မာ", 1),
        ("[^a]: See <https://example.org/>, p. 3", 3),
        ("- <span lang='en'>x</span>", 1),
    ],
)
def test_counting_is_about_right(text: str, number: int) -> None:
    assert count_words(text) == number
