"""What is counted is counted for all processes together, and nothing stays of who it was, or with the killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from mailroom.clock import HOUR
from mailroom.intake.turnstile import PLACES, PLACES_OF_TRIES, TOTAL, TRIES, TRIES_EACH, Busy, Turnstile
from tests.frontdoor.support import wait_until
from tests.mailroom.intake.house import HOST, TYPE, House, running, write_form
from tests.mailroom.intake.probe import fork

NETWORK, OTHER = "192.0.2.{}", "198.51.100.{}"


@dataclass
class Watch:
    now: float = 1000 * HOUR + 60.0

    def __call__(self) -> float:
        return self.now


def in_child(do: Callable[[], object]) -> int:
    """Do it in a process of its own, as requests are; return its id."""
    child = fork()
    if not child:
        status = 1
        try:
            do()
            status = 0
        except Busy:
            status = 2
        finally:
            os._exit(status)
    return child


def outcome(do: Callable[[], object]) -> str:
    """Whether it was let in."""
    _, status = os.waitpid(in_child(do), 0)
    return {0: "in", 2: "busy"}[os.waitstatus_to_exitcode(status)]


def outcomes(count: int, do: Callable[[], object]) -> list[str]:
    return [outcome(do) for _ in range(count)]


def test_a_network_is_counted_by_all_children_together() -> None:
    turnstile = Turnstile(3)
    addresses = iter(range(1, 100))
    assert [outcome(lambda: turnstile.count_submission(NETWORK.format(next(addresses)))) for _ in range(4)] == [
        "in", "in", "in", "busy",
    ]  # fmt: skip
    assert outcome(lambda: turnstile.count_submission(OTHER.format(1))) == "in"
    assert outcome(lambda: turnstile.count_submission("2001:db8::1")) == "in"
    with pytest.raises(Busy) as busy:
        turnstile.count_submission(NETWORK.format(9))
    assert 0 < busy.value.wait <= HOUR
    assert "192.0.2" not in repr(busy.value) + str(busy.value)


def test_what_nothing_came_of_does_not_count_for_its_network() -> None:
    turnstile = Turnstile(2)
    for _ in range(5):
        turnstile.count_submission(NETWORK.format(1))
        turnstile.forgive(NETWORK.format(2))
    turnstile.forgive(NETWORK.format(1))  # below nothing it does not go
    results = outcomes(3, lambda: turnstile.count_submission(NETWORK.format(1)))
    assert results == ["in", "in", "busy"]


def test_counters_begin_anew_with_each_hour_under_another_key() -> None:
    watch = Watch()
    turnstile = Turnstile(1, steady=watch)
    turnstile.count_submission(NETWORK.format(1))
    first = bytes(turnstile._networks._memory)
    with pytest.raises(Busy) as busy:
        turnstile.count_submission(NETWORK.format(1))
    assert busy.value.wait == HOUR - 60
    watch.now += busy.value.wait
    turnstile.count_submission(NETWORK.format(1))
    second = bytes(turnstile._networks._memory)
    assert first[8:40] != second[8:40], "the key"
    assert bytes(32) not in (first[8:40], second[8:40])
    assert sum(second[40:]) == 1, "what was counted before is gone"
    assert first[40:].index(1) != second[40:].index(1), "by the old key nothing is found"


def test_everybody_together_is_limited_in_any_minute() -> None:
    watch = Watch()
    turnstile = Turnstile(1000, steady=watch)
    for number in range(TOTAL):
        turnstile.count_submission(f"10.0.{number}.1")
        watch.now += 0.5
    with pytest.raises(Busy) as busy:
        turnstile.count_submission("10.1.0.1")
    assert busy.value.wait == 60 - TOTAL * 0.5
    watch.now += busy.value.wait
    turnstile.count_submission("10.1.0.1")
    with pytest.raises(Busy):
        turnstile.count_submission("10.1.0.1")


def test_receipts_are_tried_so_often_a_second_by_all_together() -> None:
    watch = Watch()
    turnstile = Turnstile(TRIES, steady=watch)

    def look_up() -> None:
        turnstile.count_try(NETWORK.format(1))

    assert outcomes(TRIES + 1, look_up) == ["in"] * TRIES + ["busy"]
    watch.now += 0.9
    assert outcome(look_up) == "busy"
    watch.now += 0.1
    assert outcomes(TRIES + 1, look_up) == ["in"] * TRIES + ["busy"]


def test_a_network_looks_up_only_so_many_receipts_an_hour() -> None:
    watch = Watch()
    turnstile = Turnstile(1, steady=watch)
    for _ in range(TRIES_EACH):
        turnstile.count_try(NETWORK.format(1))
        watch.now += 1
    with pytest.raises(Busy) as busy:
        turnstile.count_try(NETWORK.format(2))
    assert busy.value.wait == HOUR - 60 - TRIES_EACH
    turnstile.count_try(OTHER.format(1))
    turnstile.count_submission(NETWORK.format(1))  # which is counted apart


def test_mistakes_of_one_network_shut_out_nobody() -> None:
    turnstile = Turnstile(10)
    turnstile.count_submission(OTHER.format(1))
    for _ in range(2 * TOTAL):
        turnstile.count_submission(NETWORK.format(1))
        turnstile.forgive(NETWORK.format(1))
    others = outcomes(TOTAL, lambda: turnstile.count_submission(f"10.0.{os.getpid() % 256}.1"))
    assert others == ["in"] * (TOTAL - 1) + ["busy"], "the first one still counts"


def test_receipts_that_are_looked_up_leave_a_place_for_what_is_sent() -> None:
    turnstile = Turnstile(1)

    def look_up(patience: float = 0.1, seconds: float = 0) -> None:
        with turnstile.place(patience, PLACES_OF_TRIES):
            time.sleep(seconds)

    def send() -> None:
        with turnstile.place(0.1):
            assert outcome(look_up) == "busy", "nor do they take it"

    # Patient, since whoever looks whether they have their places may have one for a moment.
    holders = [in_child(lambda: look_up(30, 60)) for _ in range(PLACES_OF_TRIES)]
    try:
        wait_until(lambda: outcome(look_up) == "busy", "it has no place yet")
        assert outcome(send) == "in"
    finally:
        for pid in holders:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def hold(turnstile: Turnstile) -> None:
    with turnstile.place():
        time.sleep(60)


def test_two_have_a_place_and_the_place_of_the_killed_is_free_at_once() -> None:
    turnstile = Turnstile(1)

    def enter() -> None:
        with turnstile.place(patience=0.1):
            pass

    holders = [in_child(lambda: hold(turnstile)) for _ in range(PLACES)]
    try:
        wait_until(lambda: outcome(enter) == "busy", "they have no place yet")
        begin = time.monotonic()
        waiting = in_child(lambda: hold(turnstile))
        os.kill(holders[0], signal.SIGKILL)
        os.waitpid(holders[0], 0)
        holders[0] = waiting
        wait_until(lambda: outcome(enter) == "busy", "it does not get the place of the dead")
        assert time.monotonic() - begin < 10
    finally:
        for pid in holders:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    assert outcome(enter) == "in"


def test_who_is_killed_while_counting_holds_up_nobody() -> None:
    turnstile = Turnstile(1000)

    def count_for_ever() -> None:
        while True:
            try:
                turnstile.count_submission(NETWORK.format(1))
                turnstile.count_try(NETWORK.format(1))
            except Busy:
                pass

    for _ in range(10):
        child = in_child(count_for_ever)
        time.sleep(0.02)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    begin = time.monotonic()
    outcome(lambda: turnstile.count_submission(OTHER.format(1)))
    assert time.monotonic() - begin < 5


# On the pages


def test_pages_say_when_it_is_too_much(tmp_path_factory: pytest.TempPathFactory) -> None:
    house = House(tmp_path_factory.mktemp("house"), intake_limit=2, intake_most=3)
    with running(house, tries=2) as intake:
        assert [intake.send().status for _ in range(3)] == [422] * 3
        answers = [intake.send(message="x", contact=f"{number}") for number in range(2)]
        assert all(answer.receipt for answer in answers)
        # Whoever asks is who the web server says, and what was there before is believed of nobody.
        from_elsewhere = {"X_Forwarded_For": "203.0.113.9, 198.51.100.7"}
        refused = intake.send("form?lang=fa", message="x")
        assert (refused.status, refused.tree.get("dir")) == (429, "rtl")
        assert int(refused.headers["Retry-After"]) > 0
        assert not refused.receipt
        assert intake.ask("form").status == 200, "it is still shown"
        assert intake.ask("form", "POST", b"x", Content_Type="text/plain", **from_elsewhere).status == 415
        assert intake.ask("form", "POST", b"x", Content_Type="text/plain", **from_elsewhere).status == 415
        assert intake.ask("form", "POST", b"x", Content_Type="text/plain", **from_elsewhere).status == 429

        statuses = [intake.try_receipt("1234567890123456").status for _ in range(8)]
        assert statuses.count(200) >= 2
        assert 429 in statuses
        wait_until(lambda: intake.try_receipt("12").status == 422, "what is no receipt is not looked up")

        body = write_form({"contact": "x"})
        third = {"X_Forwarded_For": "100.64.3.1", "Content_Type": TYPE}
        assert intake.ask("form", "POST", body, **third).receipt
        full, late = intake.ask("form"), intake.ask("form/meeting", "POST", body, **third)
        for answer in (full, late):
            assert answer.status == 503
            assert answer.texts("//main//a/@href") == [f"https://{HOST}/en/contact/"]
        assert len(house.store.list()) == 3
    assert intake.said == []
