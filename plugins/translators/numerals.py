"""Numbers and dates of two texts that should say the same, in whatever digits, words or calendar.

Meant to cry wolf as seldom as possible: what one language writes in digits, another may write as a word, a month or a
multiple, and Persian counts years from the Hijra. Languages' words come from CLDR, through Babel.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from babel import Locale
from babel.core import UnknownLocaleError

#: A point, comma or space parts thousands if three digits follow; what follows otherwise is a number of its own, so
#: that decimals, and articles written 20(3) or 20.3, are the same in every language.
_NUMBER = re.compile(
    r"(?<!\d)\d{1,3}(?:[.,٫٬’'\u00a0\u202f\u2009]\d{3})+(?!\d)|(?<!\d)\d{1,3}(?: \d{3})* 000(?!\d)|\d+"
)
_SPACED = re.compile(r"(?<!\d)\d{1,3}(?: \d{3})+(?!\d)")
_DIGIT = re.compile(r"\d")
_CHINESE = re.compile(r"[〇零一二三四五六七八九两兩十百千万萬亿億]+")
_CHINESE_DIGITS = dict(zip("〇零一二两兩三四五六七八九", (0, 0, 1, 2, 2, 2, 3, 4, 5, 6, 7, 8, 9), strict=True))
_CHINESE_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
#: Where a month is a number: 8月, 2026-08-31, 31.08.2026, 31/8/2026.
_MONTH = re.compile(r"(\d{1,2})\s?月|(?<!\d)\d{4}-(\d\d)-\d\d(?!\d)|(?<!\d)\d{1,2}[./](\d{1,2})[./]\d{2,4}(?!\d)")
#: The months of the Solar Hijri calendar in Iran and in Afghanistan, each by its number.
_SOLAR_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "فروردین حمل", "اردیبهشت ثور", "خرداد جوزا", "تیر سرطان", "مرداد امرداد اسد", "شهریور سنبله", "مهر میزان",
            "آبان عقرب", "آذر قوس", "دی جدی", "بهمن دلو", "اسفند حوت",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_SOLAR_DATE = re.compile(rf"(\d{{1,2}})\s+({'|'.join(_SOLAR_MONTHS)})\s+(?:ماه\s+)?(?:سال\s+)?(1[2-5]\d\d)(?!\d)")
_SOLAR_YEARS = 1200, 1500
#: Languages whose numbers may be Chinese characters, and that put no space between words.
_CHARACTERS = ("zh", "ja", "yue", "wuu")
#: Up to this, a number alone is as often a word.
_SPELT = 100


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of a text.

    `stated` are those in digits, `implied` others that it may be understood to say. A date of the Solar Hijri calendar
    states its Gregorian day and year, and is `solar` as it stands.
    """

    stated: frozenset[int]
    implied: frozenset[int] = frozenset()
    solar: frozenset[int] = frozenset()


def compare_numbers(source: str, source_lang: str, target: str, target_lang: str) -> tuple[list[int], list[int]]:
    """The numbers that a translation lacks, and those that it has and its source has not.

    One alone that is often written as a word counts only where another stands in its place: 18 for 8, but not 8 for
    nothing.
    """
    here, there = read_numbers(source, source_lang), read_numbers(target, target_lang)
    joined = _join_thousands(source, there), _join_thousands(target, here)
    if joined != (source, target):
        here, there = read_numbers(joined[0], source_lang), read_numbers(joined[1], target_lang)
    missing = set(here.stated - there.stated - there.implied - there.solar)
    added = set(there.stated - here.stated - here.implied - here.solar)
    _match_years(missing, added, here.stated)
    _match_years(added, missing, there.stated)
    if not (missing and added):
        missing = {number for number in missing if number > _SPELT}
        added = {number for number in added if number > _SPELT}
    return sorted(missing), sorted(added)


def _join_thousands(text: str, other: Numbers) -> str:
    """A text in which a space parts no thousands of a number that the other has; who types may know no other space."""

    def join(found: re.Match[str]) -> str:
        number = found[0].replace(" ", "")
        return number if int(number) in other.stated else found[0]

    return _SPACED.sub(join, text)


def _match_years(missing: set[int], added: set[int], known: frozenset[int]) -> None:
    """Leave out Solar Hijri years whose Gregorian ones the other text has, and these where they are missing."""
    for year in [year for year in added if _SOLAR_YEARS[0] <= year < _SOLAR_YEARS[1]]:
        gregorian = {year + 621, year + 622}  # the year begins in March
        if gregorian & known:
            added.discard(year)
            missing -= gregorian


def read_numbers(text: str, lang: str) -> Numbers:
    """The numbers of a text in a language."""
    language = lang.split("-")[0]
    text = _DIGIT.sub(lambda found: str(unicodedata.digit(found[0])), text)
    implied, solar, stated = set[int](), set[int](), set[int]()
    if language in ("fa", "prs"):
        for found in _SOLAR_DATE.finditer(text):
            if gregorian := _to_gregorian(int(found[1]), _SOLAR_MONTHS[found[2]], int(found[3])):
                stated |= gregorian
                solar |= {int(found[1]), int(found[3])}
                text = text.replace(found[0], " ")
    if language in _CHARACTERS:
        implied |= set(_read_chinese(text))
    implied |= {int(month) for found in _MONTH.finditer(text) for month in found.groups() if month}
    # A month in digits is a word elsewhere: it need not be there.
    text = _MONTH.sub(lambda found: found[0].replace(next(filter(None, found.groups())), " ", 1), text)
    if not _DIGIT.search(text):
        return Numbers(frozenset(stated), frozenset(implied), frozenset(solar))
    text, multiples = _take_multiples(text, lang)
    stated |= multiples | {int(re.sub(r"\D", "", found)) for found in _NUMBER.findall(text)}
    return Numbers(frozenset(stated), frozenset(implied), frozenset(solar))


def _take_multiples(text: str, lang: str) -> tuple[str, set[int]]:
    """A text without its multiples, such as "2.2 million", and these as numbers."""
    words, pattern = _multiples(lang)
    if pattern is None:
        return text, set()
    found: set[int] = set()

    def take(match: re.Match[str]) -> str:
        number = re.sub(r"\D", ".", match["number"])
        found.add(round(float(number) * words[match["word"].casefold()]))
        return " "

    return pattern.sub(take, text), found


@cache
def _multiples(lang: str) -> tuple[dict[str, int], re.Pattern[str] | None]:
    """What a language calls a thousand, a million, …, and how numbers with it look, None where nobody knows.

    From CLDR's patterns for short numbers, such as "0 Millionen".
    """
    found: dict[str, int] = {}
    try:
        formats = Locale.parse(lang.replace("-", "_")).compact_decimal_formats
    except (UnknownLocaleError, ValueError):
        return found, None
    for style in ("long", "short"):
        for by_size in formats.get(style, {}).values():
            for size, pattern in by_size.items():
                word = re.sub(r"[0\s\u00a0\u200f\u200e'.¤]", "", str(pattern.pattern)).casefold()
                zeros = str(pattern.pattern).count("0")
                is_word = len(word) > 1 or "\u4e00" <= word[:1] <= "\u9fff"
                if is_word and zeros:  # French has a word for a thousand alone
                    found.setdefault(word, int(size) // 10 ** (zeros - 1))
    if not found:
        return found, None
    names = "|".join(sorted(map(re.escape, found), key=len, reverse=True))
    pattern = rf"(?P<number>(?<![\d.,٫])\d+(?:[.,٫]\d+)?)[\s\u00a0\u202f]?(?P<word>{names})"
    if lang.split("-")[0] not in _CHARACTERS:
        pattern += r"(?![^\W\d_]{2})"
    return found, re.compile(pattern, re.IGNORECASE)


def _read_chinese(text: str) -> Iterator[int]:
    """The numbers that Chinese characters write, such as 十五 or 二〇二六."""
    for found in _CHINESE.findall(text):
        if not any(char in _CHINESE_UNITS for char in found):
            yield int("".join(str(_CHINESE_DIGITS[char]) for char in found))
            continue
        total = section = digit = 0
        for char in found:
            unit = _CHINESE_UNITS.get(char)
            if unit is None:
                digit = _CHINESE_DIGITS[char]
            elif unit < 10**4:
                section += (digit or 1) * unit
                digit = 0
            else:
                total += ((section + digit) or 1) * unit
                section = digit = 0
        yield total + section + digit


def _to_gregorian(day: int, month: int, year: int) -> set[int]:
    """Day and year of a Solar Hijri date; nothing for one that is none."""
    from jdatetime import GregorianToJalali, JalaliToGregorian  # its `date` asks for the machine's locale

    found = JalaliToGregorian(year, month, day).getGregorianList()
    if GregorianToJalali(*found).getJalaliList() != (year, month, day):
        return set()
    return {found[0], found[2]}
