"""Numbers that are the same in other digits, words and calendars, and those that are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from translators.numerals import compare_numbers, read_numbers

PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


@pytest.mark.parametrize(
    ("source", "lang", "target", "other"),
    [
        ("On 16 November 2026 it was 18 months.", "en", "در ۲۵ آبان ۱۴۰۵، ۱۸ ماه بود.", "fa"),
        ("On 16 November 2026", "en", "در ۱۶ نوامبر ۲۰۲۶ (۲۵ آبان ۱۴۰۵)", "fa"),
        ("۱۰ اسد ۱۴۰۳", "fa", "31 July 2024", "en"),
        ("10 Asad 1403 (31 July 2024)", "en", "۱۰ اسد ۱۴۰۳ (۳۱ ژوئیهٔ ۲۰۲۴)", "fa"),
        ("in 2022", "en", "در سال ۱۴۰۱", "fa"),
        ("سال ۱۴۰۱", "fa", "in 2022 and 2023", "en"),
        ("2022年8月31日，128.8万人", "zh-Hans", "On 31 August 2022, 1.288 million", "en"),
        ("第九条第十五项", "zh-Hans", "art. 9, item 15", "en"),
        ("15 years in 2026", "en", "二〇二六年，十五年", "zh-Hans"),
        ("1,250,000 people", "en", "一百二十五万人", "zh-Hans"),
        ("2.2 million girls", "en", "2,2 millions de filles", "fr"),
        ("2.2 million girls", "en", "2 200 000 filles", "fr"),
        ("2.2 million girls", "en", "۲٫۲ میلیون دختر", "fa"),
        ("11,000 people", "en", "11 000 personnes", "fr"),
        ("11,000 people", "en", "11.000 personas", "es"),
        ("11,000 people", "en", "11 тысяч человек", "ru"),
        ("54万人", "zh-Hans", "540,000 people", "en"),
        ("2 million", "en", "2 milyon", "tr"),
        ("16.11.2026", "ru", "16 November 2026", "en"),
        ("2026-08-31", "en", "31 août 2026", "fr"),
        ("sixty days", "en", "60 jours", "fr"),
        ("12 judges", "en", "douze juges", "fr"),
        ("art. 20.3(2)", "en", "ст. 20.3 ч. 2", "ru"),
        ("the 59th session, 1998", "en", "الدورة التاسعة والخمسين، 1998", "ar"),
    ],
)
def test_what_is_the_same_is_the_same(source: str, lang: str, target: str, other: str) -> None:
    assert compare_numbers(source, lang, target, other) == ([], [])


@pytest.mark.parametrize(
    ("source", "lang", "target", "other", "found"),
    [
        ("18 months", "en", "8 mois", "fr", ([18], [8])),
        ("in 1998", "en", "en 1989", "fr", ([1998], [1989])),
        ("On 16 November 2026", "en", "در ۲۶ آبان ۱۴۰۵", "fa", ([16], [17])),
        ("in 2022", "en", "در سال ۱۴۰۵", "fa", ([2022], [1405])),
        ("15 years", "en", "十六年", "zh-Hans", ([], [])),  # a number in words is no evidence of anything
        ("15 years", "en", "16年", "zh-Hans", ([15], [16])),
        ("1,288 people", "en", "128.8万人", "zh-Hans", ([1288], [1288000])),
        ("the law of 2021", "en", "the law", "en", ([2021], [])),
        ("the law", "en", "قانون ۲۰۲۱", "fa", ([], [2021])),
        ("11,000", "en", "1 100", "fr", ([11000], [1, 100])),
    ],
)
def test_what_is_another_number_is_found(
    source: str, lang: str, target: str, other: str, found: tuple[list[int], list[int]]
) -> None:
    assert compare_numbers(source, lang, target, other) == found


@given(st.lists(st.integers(0, 10**7), max_size=6))
def test_digits_of_any_script_are_digits(numbers: list[int]) -> None:
    text = "; ".join(map(str, numbers))
    expected = frozenset(numbers)
    assert read_numbers(text, "en").stated == expected
    assert read_numbers(text.translate(PERSIAN), "fa").stated == expected
    assert read_numbers(text.translate(ARABIC), "ar").stated == expected


@given(st.integers(0, 10**8 - 1))
def test_chinese_numerals_are_read(number: int) -> None:
    assert number in read_numbers(_write_chinese(number), "zh-Hans").implied


def _write_chinese(number: int) -> str:
    if number >= 10**4:
        rest = number % 10**4
        zero = "零" if 0 < rest < 1000 else ""
        return _write_chinese(number // 10**4) + "万" + (zero + _write_chinese(rest) if rest else "")
    written, pending = "", False
    for unit, sign in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if digit:
            written += ("零" if pending and written else "") + "零一二三四五六七八九"[digit] + sign
        pending = not digit
    return written or "零"


def test_a_language_that_cldr_does_not_know_has_its_digits() -> None:
    assert read_numbers("11,000 xyz", "tlh").stated == {11000}
    assert read_numbers("32 فروردین ۱۴۰۵", "fa").stated == {32, 1405}  # no such day
