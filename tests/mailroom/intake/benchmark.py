"""How long a submission takes, how many a second, how large the pages are: `python -m tests.mailroom.intake.benchmark`.

The intake is what the service starts, with the slow hash of production; clients are on this machine, without a web
server between. Nothing else should run meanwhile.
"""

# ruff: noqa: T201 - it is run by hand, and this is what it is for

from __future__ import annotations

import argparse
import gzip
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mailroom.intake.forms import FACES, LARGEST_FILES, LONGEST_MESSAGE, RECEIPT
from tests.mailroom.intake.house import House, Running, running
from tests.mailroom.offices import make_age_key

PRODUCTION = {
    "development": False,
    "sender": "letters@site.example",
    "bounce_domain": "bounces.site.example",
    "dkim_key": "relay",
    "relay": "smtp://127.0.0.1:25",
}
#: Who waits for a place for the slow hash is let in within ten seconds, so that more clients are told to come later.
CLIENTS = (1, 2, 4, 8)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20, help="submissions for each measurement")
    parser.add_argument("--folder", type=Path, help="where the database lies: a folder on the disk to be measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        house = House(Path(name), **PRODUCTION, backup_recipient=make_age_key().recipient)
        with running(house) as intake:
            weigh(intake)
            measure(intake, options.count)
            print(f"memory of the process that forks: {intake.memory() / 2**20:.0f} MiB")
            assert intake.said == [], intake.said


def weigh(intake: Running) -> None:
    """Print the pages' sizes: as they come, and compressed."""
    for path in (*(face.path for face in FACES.values()), RECEIPT):
        for lang in ("en", "fa"):
            body = intake.ask(f"{path}?lang={lang}").body
            print(f"{path} in {lang}: {len(body):,} octets, {len(gzip.compress(body, 9)):,} with gzip")


def measure(intake: Running, count: int) -> None:
    """Print how long requests take, one at a time, and how many there are a second."""
    text, file = "x" * LONGEST_MESSAGE, [("file", bytes(LARGEST_FILES))]
    receipt = intake.send(message=text).receipt

    def looks_up() -> bool:
        return intake.try_receipt(receipt).status == 200

    alone: dict[str, Callable[[], bool]] = {
        "the form": lambda: intake.ask("form").status == 200,
        "a message": lambda: bool(intake.send(message=text).receipt),
        "a message with files of 4 MB": lambda: bool(intake.send("form", file, message=text).receipt),
        "a receipt": looks_up,
    }
    for name, ask in alone.items():
        times = sorted(timed(ask) for _ in range(count))
        print(
            f"{name}: {statistics.median(times) * 1000:.0f} ms (median), {times[-1] * 1000:.0f} ms at most", flush=True
        )
    for clients in CLIENTS:
        begin = time.perf_counter()
        with ThreadPoolExecutor(clients) as pool:
            done = [bool(answer.receipt) for answer in pool.map(lambda _: intake.send(message=text), range(count))]
        rate = sum(done) / (time.perf_counter() - begin)
        print(
            f"{clients} at a time: {rate:.1f} submissions a second, {done.count(False)} told to come later", flush=True
        )


def timed(ask: Callable[[], bool]) -> float:
    """Seconds that it took."""
    begin = time.perf_counter()
    assert ask()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
