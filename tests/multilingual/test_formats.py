"""Dates, numbers and plural forms as each language's press writes them."""

import unicodedata
from datetime import date, timedelta

import pytest
from babel import Locale, localedata
from hypothesis import given
from hypothesis import strategies as st
from multilingual.formats import _ZERO, format_date, format_number, format_year, month_name
from multilingual.languages import Language, read_languages

from tests.multilingual.sites import Site

DAY = date(2026, 3, 4)
LANGUAGES = read_languages(
    {
        "zh-Hans": {}, "en": {}, "ru": {}, "uk": {}, "es": {}, "fr": {}, "ar": {}, "ar-EG": {}, "fa": {}, "fa-AF": {},
        "my": {}, "bn": {}, "hi": {}, "sr-Latn": {}, "ff-Adlm": {}, "tr": {}, "de": {}, "uz-Arab": {},
    },
    "en",
    default_at_root=False,
)  # fmt: skip


def language(tag: str) -> Language:
    return LANGUAGES[tag]


def plain_spaces(text: str) -> str:
    return text.replace("\u202f", " ").replace("\xa0", " ")


@pytest.mark.parametrize(
    ("tag", "written"),
    [
        ("en", "March 4, 2026"),
        ("ru", "4 марта 2026 г."),
        ("uk", "4 березня 2026 р."),
        ("es", "4 de marzo de 2026"),
        ("fr", "4 mars 2026"),
        ("ar", "4 مارس 2026"),
        ("ar-EG", "٤ مارس ٢٠٢٦"),
        ("fa", "۱۳ اسفند ۱۴۰۴ (۴ مارس ۲۰۲۶)"),
        ("fa-AF", "۴ مارچ ۲۰۲۶"),
        ("zh-Hans", "2026年3月4日"),
        ("my", "၂၀၂၆ မတ် ၄"),
        ("sr-Latn", "4. mart 2026."),
        ("ff-Adlm", "𞥔 𞤐𞤦𞤮𞥅𞤴𞤮⹁ 𞥒𞥐𞥒𞥖"),
    ],
)
def test_a_day_is_written_as_the_language_writes_it(tag: str, written: str) -> None:
    assert plain_spaces(format_date(DAY, language(tag))) == written


@pytest.mark.parametrize(
    ("gregorian", "solar"),
    [
        (date(2025, 3, 20), "۳۰ اسفند ۱۴۰۳"),  # the last day of a leap year
        (date(2025, 3, 21), "۱ فروردین ۱۴۰۴"),
        (date(2026, 3, 20), "۲۹ اسفند ۱۴۰۴"),
        (date(2026, 3, 21), "۱ فروردین ۱۴۰۵"),
        (date(1979, 2, 11), "۲۲ بهمن ۱۳۵۷"),
        (date(2026, 9, 22), "۳۱ شهریور ۱۴۰۵"),
    ],
)
def test_persian_days_are_solar_with_the_gregorian_beside(gregorian: date, solar: str) -> None:
    written = format_date(gregorian, language("fa"))
    assert written.startswith(f"{solar} (")
    assert written.endswith(")")


@given(st.dates(), st.sampled_from(sorted(LANGUAGES)), st.sampled_from(["short", "medium", "long", "full"]))
def test_every_day_can_be_written_in_every_language(day: date, tag: str, length: str) -> None:
    written = format_date(day, language(tag), length)
    digits = {ord(c) - unicodedata.decimal(c) for c in written if c.isdecimal()}
    assert len(digits) == 1
    if day < date.max:
        assert format_date(day + timedelta(1), language(tag), length) != written


@pytest.mark.parametrize(
    ("tag", "written"),
    [
        ("en", "1,234,567.5"), ("ru", "1 234 567,5"), ("fr", "1 234 567,5"), ("es", "1.234.567,5"),
        ("fa", "۱٬۲۳۴٬۵۶۷٫۵"), ("ar-EG", "١٬٢٣٤٬٥٦٧٫٥"), ("hi", "12,34,567.5"), ("my", "၁,၂၃၄,၅၆၇.၅"),
        ("zh-Hans", "1,234,567.5"),
    ],
)  # fmt: skip
def test_a_number_has_the_digits_and_separators_of_the_language(tag: str, written: str) -> None:
    assert plain_spaces(format_number(1234567.5, language(tag))) == written


@pytest.mark.parametrize(
    ("tag", "written"),
    [
        ("en", "2026"), ("ru", "2026"), ("fr", "2026"), ("ar", "2026"), ("ar-EG", "٢٠٢٦"), ("my", "၂၀၂၆"),
        ("fa", "۱۴۰۴–۱۴۰۵ (۲۰۲۶)"), ("fa-AF", "۲۰۲۶"), ("zh-Hans", "2026年"),
    ],
)  # fmt: skip
def test_a_year_has_no_separator_and_persian_shows_both_calendars(tag: str, written: str) -> None:
    assert format_year(2026, language(tag)) == written


@given(st.dates(min_value=date(623, 1, 1)))
def test_the_solar_year_of_each_day_stands_in_its_year(day: date) -> None:
    solar = format_date(day, language("fa")).split(" (")[0].split()[-1]
    assert solar in format_year(day.year, language("fa")).split(" (")[0].split("–")


def test_years_before_the_solar_calendar_are_gregorian() -> None:
    assert format_year(622, language("fa")) == "۶۲۲"


def test_there_are_digits_for_every_numbering_system_of_cldr() -> None:
    names = [
        name for name in localedata.locale_identifiers() if len(name.rpartition("_")[2]) in (3, 4) or len(name) == 2
    ]
    systems = {Locale.parse(name).default_numbering_system for name in names}
    assert systems - {"latn"} <= set(_ZERO)
    for system, zero in _ZERO.items():
        assert [unicodedata.decimal(chr(zero + n)) for n in range(10)] == list(range(10)), system


def test_a_language_does_not_lend_its_months_to_another() -> None:
    # Babel 2.18 would name all of them as the first language asked.
    months = {tag: month_name(5, language(tag)) for tag in ("zh-Hans", "es", "fr", "de", "tr", "ar", "uz-Arab")}
    assert months == {
        "zh-Hans": "五月", "es": "mayo", "fr": "mai", "de": "Mai", "tr": "Mayıs", "ar": "مايو", "uz-Arab": "می",
    }  # fmt: skip


def test_months_stand_alone_in_the_nominative() -> None:
    assert month_name(3, language("ru")) == "март"
    assert month_name(3, language("uk")) == "березень"


def test_pages_show_dates_and_counts_in_their_language(site: Site) -> None:
    tags = ("en", "ru", "ar-EG", "fa", "zh-Hans", "my")
    site.settings(MULTILINGUAL_LANGUAGES={tag: {} for tag in tags})
    site.article("en", "one", Date="2026-03-04")
    for tag in tags[1:]:
        site.translation(tag, "one", "en")
    site.build_whole()
    for tag, written in (
        ("en", "March 4, 2026"), ("ru", "4 марта 2026 г."), ("ar-EG", "٤ مارس ٢٠٢٦"), ("my", "၂၀၂၆ မတ် ၄"),
        ("fa", "۱۳ اسفند ۱۴۰۴ (۴ مارس ۲۰۲۶)"), ("zh-Hans", "2026年3月4日"),
    ):  # fmt: skip
        times = site.html(f"{tag}/one/").xpath("//article//time")
        assert {(t.get("datetime"), " ".join(t.text_content().split())) for t in times} == {("2026-03-04", written)}


def test_the_length_of_dates_is_a_setting(site: Site) -> None:
    site.settings(MULTILINGUAL_DATE_FORMAT="full")
    site.article("zh-Hans", "one", Date="2026-03-04")
    site.build_whole()
    assert "2026年3月4日星期三" in site.html("zh-Hans/one/").text_content()
