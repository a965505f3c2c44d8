"""Durations and file sizes in words, as CLDR has them for a language.

Babel 2.18 writes both in Latin digits, so a `number` is given that writes one as the page does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import timedelta

from babel import Locale
from babel.dates import format_timedelta
from babel.numbers import format_decimal
from babel.units import format_unit

WriteNumber = Callable[[float], str]

_MINUTES = (24 * 60, 60, 1)  # of a day, an hour, a minute


def format_duration(minutes: int, locale: Locale, number: WriteNumber) -> str:
    """A duration in the largest unit that says it exactly: 60 is an hour, 90 are ninety minutes."""
    count = next(minutes // unit for unit in _MINUTES if minutes % unit == 0)
    # A unit is taken when there are at least `threshold` of it: this one, and none that is larger.
    text = format_timedelta(timedelta(minutes=minutes), granularity="minute", threshold=count, locale=locale)
    return re.sub("[0-9]+", lambda found: number(int(found[0])), text)


def format_size(size: int, locale: Locale, number: WriteNumber) -> str:
    """The size of a file in kilobytes or megabytes (of 1000: SI), never rounded down to nothing."""
    kilobytes = max(1, math.ceil(size / 1000))
    amount, unit = (kilobytes, "kilobyte") if kilobytes < 1000 else (round(size / 1_000_000, 1), "megabyte")
    text = format_unit(amount, f"digital-{unit}", length="short", locale=locale)
    return text.replace(format_decimal(amount, locale=locale), number(amount), 1)
