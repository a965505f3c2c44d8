"""Durations and sizes in each language's words and digits."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel import Locale
from contact.formats import format_duration, format_size
from contact.plugin import write_duration
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

from tests.contact.conftest import make_site

ONE_HOUR = {
    "en": "1 hour", "ru": "1 час", "uk": "1 година", "es": "1 hora", "fr": "1\xa0heure", "ar": "ساعة",
    "fa": "۱ ساعت", "zh-Hans": "1小时",
}  # fmt: skip
FIVE_HOURS = {
    "en": "5 hours", "ru": "5 часов", "uk": "5 годин", "es": "5 horas", "fr": "5\xa0heures", "ar": "5 ساعات",
    "fa": "۵ ساعت", "zh-Hans": "5小时",
}  # fmt: skip
NINETY_MINUTES = {
    "en": "90 minutes", "ru": "90 минут", "uk": "90 хвилин", "es": "90 minutos", "fr": "90 minutes", "ar": "90 دقيقة",
    "fa": "۹۰ دقیقه", "zh-Hans": "90分钟",
}  # fmt: skip
TWO_DAYS = {
    "en": "2 days", "ru": "2 дня", "uk": "2 дні", "es": "2 días", "fr": "2\xa0jours", "ar": "يومان",
    "fa": "۲ روز", "zh-Hans": "2天",
}  # fmt: skip
SIZES = {
    "en": ("1.2 MB", "4 kB"), "ru": ("1,2 МБ", "4 кБ"), "uk": ("1,2 МБ", "4 кБ"),
    "es": ("1,2 MB", "4 kB"), "fr": ("1,2 Mo", "4 ko"), "ar": ("1.2 م.ب", "4 كيلوبايت"),
    "fa": ("۱٫۲ MB", "۴ kB"), "zh-Hans": ("1.2 MB", "4 kB"),
}  # fmt: skip
ENGLISH = Locale("en")


def test_a_page_says_them_in_its_language(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    minutes = (60, 300, 90, 2880)
    template = "".join(f"<p>{{{{ {n}|duration }}}}</p>" for n in minutes)
    template += "<p>{{ 1234567|filesize }}</p><p>{{ 3009|filesize }}</p>"
    theme = site.folder / "overrides"
    theme.mkdir()
    (theme / "privacy.html").write_text(template, "utf-8")
    site.settings(THEME_TEMPLATES_OVERRIDES=[str(theme)])
    site.build_whole()
    for lang in ONE_HOUR:
        said = [p.text for p in site.html(f"{lang}/privacy/").iter("p")]
        expected = [ONE_HOUR[lang], FIVE_HOURS[lang], NINETY_MINUTES[lang], TWO_DAYS[lang]]
        assert said[: len(minutes)] == expected, lang
        assert [" ".join((text or "").split()) for text in said[len(minutes) :]] == list(SIZES[lang]), lang


@given(st.integers(1, 10_000))
def test_a_duration_is_never_rounded(minutes: int) -> None:
    count, unit = format_duration(minutes, ENGLISH, str).split()
    assert int(count) * {"minute": 1, "hour": 60, "day": 1440}[unit.removesuffix("s")] == minutes


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "1 kB"), (1, "1 kB"), (1000, "1 kB"), (1001, "2 kB"), (999_000, "999 kB"), (999_001, "1.0 MB")],
)
def test_a_size_is_never_nothing(size: int, text: str) -> None:
    assert format_size(size, ENGLISH, str) == text


@pytest.mark.parametrize(
    ("lang", "text"), [("fr", "2 heures"), ("zh-Hans", "2小时"), ("", "2 hours"), ("no tag", "2 hours")]
)
def test_without_editions_the_site_s_language_speaks(lang: str, text: str) -> None:
    environment = Environment(autoescape=True)
    environment.filters["duration"] = write_duration
    said = environment.from_string("{{ 120|duration }}").render(DEFAULT_LANG=lang)
    assert " ".join(said.split()) == text
