"""Time, as the mailroom knows it: days for what is kept of people, instants only for what is due.

A day is the number of days since 1970-01-01 in UTC, an instant seconds since then. What is remembered of a subscriber
is rounded to days, so that the data says less about when somebody sat where.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, timedelta

DAY = 86_400
HOUR = 3_600
MINUTE = 60


def day_of(instant: float) -> int:
    """The day in which an instant lies."""
    return int(instant // DAY)


def write_day(day: int) -> str:
    """A day as ISO 8601 has it: 2026-11-22."""
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def steady_time() -> float:
    """Seconds that nobody can set, and that go on while the machine sleeps, where the system counts them (Linux)."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class Clock:
    """The wall clock, held against the monotonic one, which nobody can set.

    `jump` is by how many seconds somebody has set the wall clock since the process started. The delivery worker pauses
    on a jump of more than an hour, since what is due and what has expired would be wrong.
    """

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = steady_time) -> None:
        self._wall = wall
        self._steady = steady
        self._difference = wall() - steady()

    def now(self) -> float:
        """The instant, in seconds since 1970."""
        return self._wall()

    def today(self) -> int:
        """The day."""
        return day_of(self._wall())

    def jump(self, now: float | None = None) -> float:
        """By how many seconds the wall clock, read just `now`, has left the monotonic one since the start."""
        return (self._wall() if now is None else now) - self._steady() - self._difference
