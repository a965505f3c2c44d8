"""Days, parts of the day and time zones to choose from, in the words and the calendar of whoever is asked.

What is sent is the same in every language: a day in ISO 8601, hours, the zone's name in the IANA database.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import jdatetime
from babel import Locale
from babel.dates import format_skeleton, get_day_names

from mailroom.languages import Language
from mailroom.web.rendering import write_digits

#: Days are offered for three weeks, beginning with the day after tomorrow: an answer needs its time.
FIRST, LAST = 2, 22
#: Parts of the day, as hours in the person's own time zone.
PARTS = ("08-12", "12-16", "16-20", "20-24")

# By CLDR's codes for the continents. Not every zone there is, which would make the page heavy on a slow line: where
# people write to us from and where they go, and for every offset in use a city to know it by.
_CITIES = {
    "002": (
        "Africa/Abidjan Africa/Accra Africa/Algiers Africa/Addis_Ababa Africa/Asmera Africa/Cairo Africa/Casablanca"
        " Africa/Dakar Africa/Dar_es_Salaam Africa/Djibouti Africa/Harare Africa/Johannesburg Africa/Juba"
        " Africa/Kampala Africa/Khartoum Africa/Kigali Africa/Kinshasa Africa/Lagos Africa/Mogadishu Africa/Nairobi"
        " Africa/Tripoli Africa/Tunis"
    ),
    "019": (
        "America/Anchorage America/Argentina/Buenos_Aires America/Bogota America/Caracas America/Chicago"
        " America/Denver America/Guatemala America/Halifax America/Havana America/La_Paz America/Lima"
        " America/Los_Angeles America/Managua America/Mexico_City America/Montevideo America/New_York America/Panama"
        " America/Port-au-Prince America/Puerto_Rico America/Santiago America/Sao_Paulo America/St_Johns"
        " America/Tegucigalpa America/Toronto America/Vancouver Atlantic/Cape_Verde"
    ),
    "142": (
        "Asia/Aden Asia/Almaty Asia/Amman Asia/Ashgabat Asia/Baghdad Asia/Baku Asia/Bangkok Asia/Beirut Asia/Bishkek"
        " Asia/Colombo Asia/Damascus Asia/Dhaka Asia/Dubai Asia/Dushanbe Asia/Gaza Asia/Hong_Kong Asia/Irkutsk"
        " Asia/Jakarta Asia/Jerusalem Asia/Kabul Asia/Karachi Asia/Kathmandu Asia/Kolkata Asia/Krasnoyarsk"
        " Asia/Kuala_Lumpur Asia/Kuwait Asia/Magadan Asia/Manila Asia/Novosibirsk Asia/Omsk Asia/Qatar Asia/Riyadh"
        " Asia/Seoul Asia/Shanghai Asia/Taipei Asia/Tashkent Asia/Tbilisi Asia/Tehran Asia/Thimphu Asia/Tokyo"
        " Asia/Ulaanbaatar Asia/Urumqi Asia/Vladivostok Asia/Yakutsk Asia/Yangon Asia/Yekaterinburg Asia/Yerevan"
    ),
    "150": (
        "Atlantic/Azores Europe/Amsterdam Europe/Athens Europe/Belgrade Europe/Berlin Europe/Brussels Europe/Bucharest"
        " Europe/Budapest Europe/Chisinau Europe/Copenhagen Europe/Dublin Europe/Helsinki Europe/Istanbul"
        " Europe/Kaliningrad Europe/Kyiv Europe/Lisbon Europe/London Europe/Madrid Europe/Minsk Europe/Moscow"
        " Europe/Oslo Europe/Paris Europe/Podgorica Europe/Prague Europe/Riga Europe/Rome Europe/Samara"
        " Europe/Sarajevo Europe/Skopje Europe/Sofia Europe/Stockholm Europe/Tallinn Europe/Tirane Europe/Vienna"
        " Europe/Vilnius Europe/Warsaw Europe/Zagreb Europe/Zurich"
    ),
    "009": "Australia/Adelaide Australia/Darwin Australia/Brisbane Australia/Perth Australia/Sydney Pacific/Auckland"
    " Pacific/Honolulu",
}
# CLDR keeps the names that cities had when it began.
_CLDR = {
    "America/Argentina/Buenos_Aires": "America/Buenos_Aires",
    "Asia/Kathmandu": "Asia/Katmandu",
    "Asia/Kolkata": "Asia/Calcutta",
    "Asia/Yangon": "Asia/Rangoon",
    "Europe/Kyiv": "Europe/Kiev",
}
# As the publication's texts have dates: 24 November.
_BRITISH = Locale("en", "GB")
#: The time zones that can be chosen, by their names in the IANA database.
ZONES = frozenset(zone for zones in _CITIES.values() for zone in zones.split())


class _Dates(Container[str]):
    """Every day as ISO 8601 has it: a page may have been opened some days before it is sent."""

    def __contains__(self, item: object) -> bool:
        if not isinstance(item, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", item):
            return False
        try:
            date.fromisoformat(item)
        except ValueError:
            return False
        return True


#: What may stand where a day is asked for.
DATES = _Dates()


@dataclass(frozen=True, slots=True)
class Choice:
    """What is sent when this is chosen, and what stands on the page."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Group:
    """Choices under a heading."""

    label: str
    choices: tuple[Choice, ...]


def offer_days(today: date, language: Language, chosen: Collection[str] = ()) -> list[Choice]:
    """The days that can be asked for, and those that somebody has chosen already, though they may have passed."""
    offered = {today + timedelta(days=number) for number in range(FIRST, LAST + 1)}
    offered |= {date.fromisoformat(day) for day in chosen if day in DATES}
    return [Choice(day.isoformat(), write_weekday(day, language)) for day in sorted(offered)]


def offer_parts(language: Language) -> list[Choice]:
    """The parts of the day, as hours."""
    hours = (map(int, part.split("-")) for part in PARTS)
    return [
        Choice(part, write_digits("–".join(f"{hour}:00" for hour in span), language))
        for part, span in zip(PARTS, hours, strict=True)
    ]


def offer_zones(now: float, language: Language) -> list[Group]:
    """Time zones by continent, from west to east as they are at this instant."""
    instant = datetime.fromtimestamp(now, UTC)
    return [
        Group(language.locale.territories[code], tuple(_cities(zones.split(), instant, language)))
        for code, zones in _CITIES.items()
    ]


def write_weekday(day: date, language: Language) -> str:
    """A day with its weekday and without its year; in Persian the Solar Hijri day with the Gregorian one beside it."""
    locale = _BRITISH if language.tag == "en" else language.locale
    if locale.language != "fa":
        return write_digits(format_skeleton("MMMMEEEEd", day, locale=locale), language)
    # The library's own date class asks the machine for its locale.
    _, month, number = jdatetime.GregorianToJalali(day.year, day.month, day.day).getJalaliList()
    solar = f"{get_day_names('wide', locale=locale)[day.weekday()]} {number} {jdatetime.date.j_months_fa[month - 1]}"
    return write_digits(f"{solar} ({format_skeleton('MMMMd', day, locale=locale)})", language)


def _cities(zones: Iterable[str], instant: datetime, language: Language) -> Iterable[Choice]:
    def place(zone: str) -> tuple[timedelta, str]:
        return instant.astimezone(ZoneInfo(zone)).utcoffset() or timedelta(), city_of(zone, language.locale)

    for offset, city, zone in sorted((*place(zone), zone) for zone in zones):
        # In an isolate of its own, so that sign and digits keep their places in a line that runs to the left.
        yield Choice(zone, f"{city} \u2066{write_digits(_write_offset(offset), language)}\u2069")


def city_of(zone: str, locale: Locale) -> str:
    """The city that a time zone is named after, as the language calls it."""
    names = locale.time_zones.get(_CLDR.get(zone, zone), {})
    return str(names.get("city") or zone.rpartition("/")[2].replace("_", " "))


def _write_offset(offset: timedelta) -> str:
    minutes = round(offset.total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'−' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")
