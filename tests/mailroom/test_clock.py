"""The clock: days in UTC, and a wall clock that somebody sets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailroom.clock import DAY, HOUR, day_of
from tests.mailroom.offices import NOON, Watch


@given(st.integers(0, 40_000), st.floats(0, DAY - 1))
def test_a_day_has_its_instants(day: int, seconds: float) -> None:
    assert day_of(day * DAY + seconds) == day


def test_time_that_passes_is_no_jump() -> None:
    watch = Watch()
    clock = watch.clock()
    watch.pass_(400 * DAY)
    assert clock.jump() == 0
    assert clock.today() == day_of(NOON) + 400


def test_a_clock_that_was_set_is_a_jump_until_it_is_right_again() -> None:
    watch = Watch()
    clock = watch.clock()
    watch.set_by = -5 * HOUR
    assert clock.jump() == -5 * HOUR
    watch.set_by = 0
    assert clock.jump() == 0
