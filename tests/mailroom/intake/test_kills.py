"""Children of the intake that are killed (SIGKILL): whoever saw a receipt has a submission that an expert can open."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailroom.errors import StoreError
from tests.frontdoor.support import wait_until
from tests.mailroom.intake.house import DEATH, HOST, STEPS, TYPE, House, Running, find_receipt, running, write_form

#: The steps after which a submission is on the disk, and those after which somebody has seen the receipt.
STORED = STEPS[STEPS.index("after store") :]
SEEN = STEPS[STEPS.index("within answer") :]
ROUNDS = 12


@pytest.fixture(scope="module")
def intake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(House(tmp_path_factory.mktemp("house")), deadly=True) as intake:
        yield intake


def send(port: int, message: str, content: bytes = b"") -> bytes:
    """Send a submission, and return whatever comes back, to the last octet."""
    body = write_form({"message": message}, [("file.txt", content)] if content else ())
    head = f"POST /mail/form HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {TYPE}\r\nContent-Length: {len(body)}\r\n\r\n"
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection, contextlib.suppress(OSError):
        connection.sendall(head.encode() + body)
        while octets := connection.recv(65536):
            received += octets
    return received


@pytest.mark.parametrize("step", STEPS)
def test_a_child_that_is_killed_at_a_step(intake: Running, step: str) -> None:
    house = intake.house
    (house.settings.data.parent / DEATH).write_text(step)
    before, said = len(house.store.list()), len(intake.said)
    seen = find_receipt(send(house.port, f"killed {step}"))
    wait_until(lambda: any("SIGKILL" in line for line in intake.said[said:]), "it lived on")
    assert bool(seen) == (step in SEEN)
    assert len(house.store.list()) - before == (step in STORED)
    messages = [dict(each.fields)["message"] for each in house.opened()]
    assert messages.count(f"killed {step}") == (step in STORED), "what is there can be opened"
    if seen:
        assert house.state(seen) == "fetched"


def test_children_that_are_killed_at_any_moment(tmp_path: Path) -> None:
    kill_at_random(House(tmp_path), ROUNDS, 8)


def kill_at_random(house: House, rounds: int, seed: int) -> tuple[int, int]:
    """Kill each after a time of chance; return how many saw a receipt, and how many submissions are stored.

    Raises AssertionError when a receipt belongs to nothing, what is stored cannot be opened, or a lock is still held.
    """
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    receipts: dict[str, str] = {}

    def one(intake: Running, number: int, after: float) -> None:
        name = f"message {number}"
        thread = threading.Thread(target=kill_next, args=(intake, after))
        thread.start()
        if seen := find_receipt(send(house.port, name, b"x" * 100_000)):
            receipts[name] = seen
        thread.join()

    with running(house) as intake:
        begin = time.monotonic()
        assert find_receipt(send(house.port, "message", b"x" * 100_000))
        whole = time.monotonic() - begin
        for number in range(rounds):
            one(intake, number, chance.uniform(0, 1.3 * whole))
        intake.await_idle()
        assert find_receipt(send(house.port, "the last")), "a lock is held by the dead"
    found = [dict(each.fields)["message"] for each in house.opened()]
    assert {"message", "the last"} | receipts.keys() <= set(found)
    assert len(found) == len(set(found))
    assert {house.state(receipt) for receipt in receipts.values()} <= {"fetched"}
    return len(receipts), len(found) - 2


def kill_next(intake: Running, after: float) -> None:
    """Kill the next child, so many seconds after it began."""
    with contextlib.suppress(ProcessLookupError, StoreError):
        pids = wait_until(intake.children, "no child")
        time.sleep(after)
        os.kill(pids[0], signal.SIGKILL)
