"""Days, hours and time zones, as people in several calendars know them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from mailroom.intake.calendars import DATES, PARTS, ZONES, city_of, offer_days, offer_parts, offer_zones, write_weekday
from mailroom.languages import describe, load_languages


@pytest.mark.parametrize(
    ("lang", "day", "written"),
    [
        ("en", date(2026, 11, 24), "Tuesday 24 November"),
        ("fa", date(2026, 11, 24), "سه‌شنبه ۳ آذر (۲۴ نوامبر)"),
        ("fa", date(2027, 3, 20), "شنبه ۲۹ اسفند (۲۰ مارس)"),
        ("fa", date(2027, 3, 21), "یکشنبه ۱ فروردین (۲۱ مارس)"),
        ("fa", date(2025, 3, 20), "پنجشنبه ۳۰ اسفند (۲۰ مارس)"),  # a leap year's last day
        ("fa", date(2026, 12, 31), "پنجشنبه ۱۰ دی (۳۱ دسامبر)"),
        ("ar", date(2026, 12, 31), "الخميس، 31 ديسمبر"),
        ("zh-Hans", date(2027, 1, 1), "1月1日周五"),
        ("uk", date(2026, 11, 24), "вт, 24 листопада"),
    ],
)
def test_days_in_words(lang: str, day: date, written: str) -> None:
    assert write_weekday(day, describe(lang)) == written


@pytest.mark.parametrize(
    ("today", "first", "last"),
    [
        (date(2026, 11, 22), "2026-11-24", "2026-12-14"),
        (date(2026, 12, 30), "2027-01-01", "2027-01-21"),
        (date(2028, 2, 27), "2028-02-29", "2028-03-20"),
    ],
)
def test_three_weeks_are_offered(today: date, first: str, last: str) -> None:
    days = [choice.value for choice in offer_days(today, describe("en"))]
    assert (days[0], days[-1], len(days)) == (first, last, 21)
    assert days == sorted(set(days))
    assert all(day in DATES for day in days)


def test_a_day_that_was_chosen_stays() -> None:
    chosen = ("2026-11-23", "2026-11-24", "nonsense")
    days = [choice.value for choice in offer_days(date(2026, 11, 23), describe("en"), chosen)]
    assert days[:3] == ["2026-11-23", "2026-11-24", "2026-11-25"]
    assert len(days) == 23


def test_hours_cover_the_day() -> None:
    assert [choice.label for choice in offer_parts(describe("fa"))] == [
        "۸:۰۰–۱۲:۰۰", "۱۲:۰۰–۱۶:۰۰", "۱۶:۰۰–۲۰:۰۰", "۲۰:۰۰–۲۴:۰۰",
    ]  # fmt: skip
    assert [choice.value for choice in offer_parts(describe("en"))] == list(PARTS)


def label(lang: str, zone: str, instant: datetime) -> str:
    groups = offer_zones(instant.timestamp(), describe(lang))
    [found] = [choice.label for group in groups for choice in group.choices if choice.value == zone]
    return found


@pytest.mark.parametrize(
    ("lang", "zone", "winter", "summer"),
    [
        ("en", "Europe/Berlin", "Berlin \u2066UTC+1\u2069", "Berlin \u2066UTC+2\u2069"),
        ("fa", "Asia/Tehran", "تهران \u2066UTC+۳:۳۰\u2069", "تهران \u2066UTC+۳:۳۰\u2069"),
        ("uk", "Europe/Kyiv", "Київ \u2066UTC+2\u2069", "Київ \u2066UTC+3\u2069"),
        ("ar", "Asia/Kolkata", "كالكتا \u2066UTC+5:30\u2069", "كالكتا \u2066UTC+5:30\u2069"),
        ("zh-Hans", "Asia/Kathmandu", "加德满都 \u2066UTC+5:45\u2069", "加德满都 \u2066UTC+5:45\u2069"),
        ("en", "America/St_Johns", "St. John’s \u2066UTC−3:30\u2069", "St. John’s \u2066UTC−2:30\u2069"),
        ("en", "America/Argentina/Buenos_Aires", "Buenos Aires \u2066UTC−3\u2069", "Buenos Aires \u2066UTC−3\u2069"),
        ("en", "Europe/London", "London \u2066UTC+0\u2069", "London \u2066UTC+1\u2069"),
        ("en", "Australia/Sydney", "Sydney \u2066UTC+11\u2069", "Sydney \u2066UTC+10\u2069"),
    ],
)
def test_offsets_follow_the_season(lang: str, zone: str, winter: str, summer: str) -> None:
    assert label(lang, zone, datetime(2026, 1, 15, tzinfo=UTC)) == winter
    assert label(lang, zone, datetime(2026, 7, 15, tzinfo=UTC)) == summer


def test_the_change_to_summer_time_is_kept_to_the_second() -> None:
    assert "UTC+1" in label("en", "Europe/Paris", datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC))
    assert "UTC+2" in label("en", "Europe/Paris", datetime(2026, 3, 29, 1, 0, 0, tzinfo=UTC))


@pytest.mark.parametrize("lang", load_languages())
def test_every_zone_is_offered_once_from_west_to_east(lang: str) -> None:
    instant = datetime(2026, 11, 22, tzinfo=UTC)
    groups = offer_zones(instant.timestamp(), describe(lang))
    values = [choice.value for group in groups for choice in group.choices]
    assert sorted(values) == sorted(ZONES)
    assert all(group.label for group in groups)
    for group in groups:
        offsets = [instant.astimezone(ZoneInfo(choice.value)).utcoffset() for choice in group.choices]
        assert offsets == sorted(each for each in offsets if each is not None)
        assert len({choice.label for choice in group.choices}) == len(group.choices)


def test_cities_have_names_where_the_script_is_another() -> None:
    # What CLDR did not know would stand there in Latin letters.
    for lang in ("ar", "fa", "ru", "uk", "zh-Hans"):
        locale = describe(lang).locale
        assert [zone for zone in sorted(ZONES) if city_of(zone, locale).isascii()] == []
