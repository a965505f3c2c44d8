"""Dates and numbers as each language's press writes them.

CLDR's patterns come from Babel, never from `setlocale`. Babel 2.18 fills them with Latin
digits and knows only the Gregorian calendar, so digits are replaced here, and Persian
dates show the Solar Hijri day with the Gregorian one beside it.
"""

from __future__ import annotations

from datetime import date

import jdatetime
from babel import dates, numbers

from .languages import Language

#: The zero of each decimal numbering system (CLDR `numberingSystems.xml`).
_ZERO = {
    "adlm": 0x1E950,
    "arab": 0x0660,
    "arabext": 0x06F0,
    "beng": 0x09E6,
    "cakm": 0x11136,
    "deva": 0x0966,
    "hmnp": 0x1E140,
    "mtei": 0xABF0,
    "mymr": 0x1040,
    "nkoo": 0x07C0,
    "olck": 0x1C50,
    "tibt": 0x0F20,
}
_FIRST_SOLAR_DAY = date(622, 3, 22)
#: Scripts in which a year does not stand without the word for it (CLDR's pattern `y`).
_YEAR_SIGN = {"Hans": "年", "Hant": "年", "Jpan": "年", "Kore": "년"}


def native_digits(text: str, language: Language) -> str:
    """Replace Latin digits by those of the language's own numbering system."""
    zero = _ZERO.get(language.locale.default_numbering_system)
    if zero is None:
        return text
    return text.translate({ord("0") + n: chr(zero + n) for n in range(10)})


def format_number(number: float, language: Language) -> str:
    """A number with the language's digits and separators."""
    text = numbers.format_decimal(number, locale=language.locale, numbering_system="default")
    return native_digits(text, language)


def format_date(day: date, language: Language, length: str = "long") -> str:
    """A day in words; `length` is CLDR's short, medium, long or full."""
    gregorian = native_digits(dates.format_date(day, format=length, locale=language.locale), language)
    if not _uses_solar_hijri(language) or day < _FIRST_SOLAR_DAY:
        return gregorian
    # The library's own date class asks the machine for its locale.
    year, number, solar_day = jdatetime.GregorianToJalali(day.year, day.month, day.day).getJalaliList()
    month = jdatetime.date.j_months_fa[number - 1]
    return f"{native_digits(f'{solar_day} {month} {year}', language)} ({gregorian})"


def format_year(year: int, language: Language) -> str:
    """A Gregorian year as a heading: digits of the language, no separator of thousands.

    It spans two Solar Hijri years, which Persian shows first: Nowruz falls in March.
    """
    number = native_digits(str(year), language)
    if language.script in _YEAR_SIGN:
        return number + _YEAR_SIGN[language.script]
    if not _uses_solar_hijri(language) or year <= _FIRST_SOLAR_DAY.year:
        return number
    first, second = (native_digits(str(year - _FIRST_SOLAR_DAY.year + n), language) for n in (0, 1))
    return f"{first}–{second} ({number})"


def month_name(month: int, language: Language) -> str:
    """The name of a Gregorian month standing alone, as in a heading."""
    return str(dates.get_month_names("wide", "stand-alone", language.locale)[month])


def _uses_solar_hijri(language: Language) -> bool:
    # Afghanistan counts the same years with other month names, which the library lacks.
    return language.locale.language == "fa" and language.locale.territory in (None, "IR")
