"""How many letters a second, and how much memory: `python -m tests.mailroom.benchmark [LETTERS …]`.

One SMTP server on this machine takes the letters: Postfix's smtp-sink, which reads them and throws them away. Nothing
else should run meanwhile.
"""

# ruff: noqa: T201 - it is run by hand, and this is what it is for

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import FrameType

from tests.frontdoor.support import wait_until
from tests.mailroom.offices import make_settings

CONNECTIONS = 24


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("letters", nargs="*", type=int, default=[2000, 20000], help="how many, for each measurement")
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    parser.add_argument("--profile", action="store_true", help="say where the time goes, instead of how much")
    parser.add_argument("--folder", type=Path, help="where the database lies: a folder on the disk to be measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        latency = sync_latency(folder / "latency")
        print(f"a sync of the disk takes {latency * 1000:.2f} ms (median)")
        for signed in (False, True):
            for letters in options.letters:
                run = measure(folder, letters, options.connections, signed=signed, profile=options.profile)
                print(
                    f"{letters} letters {'signed' if signed else 'unsigned'}: {run['rate']:.0f}/s,"
                    f" {run['cpu']:.2f} ms of processor time each, {run['memory']:.0f} MiB at most",
                    flush=True,
                )


def sync_latency(path: Path) -> float:
    """Seconds that a write of a page and its sync take, the median of many."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    times = []
    for _ in range(200):
        begin = time.perf_counter()
        os.write(descriptor, bytes(4096))
        os.fdatasync(descriptor)
        times.append(time.perf_counter() - begin)
    os.close(descriptor)
    return statistics.median(times)


def measure(folder: Path, letters: int, connections: int, *, signed: bool, profile: bool) -> dict[str, float]:
    """Deliver so many letters in a process of its own; letters a second and MiB of memory at most."""
    home = folder / f"{letters}-{signed}"
    home.mkdir()
    port = _free_port()
    program = shutil.which("smtp-sink", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "smtp-sink comes with Postfix"
    sink = subprocess.Popen([program, "-u", "nobody", f"127.0.0.1:{port}", "200"])
    try:
        wait_until(lambda: _listens(port), "smtp-sink does not listen")
        command = [sys.executable, "-c", "from tests.mailroom.benchmark import deliver; deliver()"]
        arguments = json.dumps([str(home), letters, connections, signed, port, profile])
        done = subprocess.run([*command, arguments], check=True, stdout=subprocess.PIPE)
        if profile:
            print(done.stdout.decode())
            return {"rate": 0, "memory": 0, "cpu": 0}
        found: dict[str, float] = json.loads(done.stdout)
        return found
    finally:
        sink.terminate()
        sink.wait()


def deliver() -> None:
    """In the process that is measured: make the list, deliver, and print what it took."""
    from mailroom.delivery.worker import run_worker
    from mailroom.letters.dkim import make_key
    from mailroom.office import make_office, open_office
    from tests.mailroom.crowd import addresses, enrol, start

    home, letters, connections, signed, port, profile = json.loads(sys.argv[1])
    folder = Path(home)
    if signed:
        (folder / "dkim.pem").write_bytes(make_key())
    settings = make_settings(
        folder, relay=f"smtp://127.0.0.1:{port}", connections=connections, bounce_domain="bounces.news.example",
        dkim_key=str(folder / "dkim.pem") if signed else "",
    )  # fmt: skip
    make_office(settings)
    with open_office(settings) as office:
        for begin in range(0, letters, 1000):
            enrol(office, addresses(min(1000, letters - begin), start=begin))
        start(office)
        stop = threading.Event()
        times: list[float] = []

        def watch() -> None:
            begin = time.monotonic()
            while not office.database.read("SELECT 1 FROM campaigns WHERE kind = 'post' AND state = 'finished'"):
                time.sleep(0.1)
            times.append(time.monotonic() - begin)
            stop.set()

        threading.Thread(target=watch).start()
        processor = time.process_time()
        if profile:
            _profile(lambda: run_worker(office, stop))
            return
        run_worker(office, stop)
        states = dict(map(tuple, office.database.read("SELECT state, count(*) FROM letters GROUP BY state")))
        sent = states.get("sent")
        assert sent == letters, f"{sent} of {letters}"
    found = {
        "rate": letters / times[0],
        "cpu": (time.process_time() - processor) * 1000 / letters,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(found))


def _profile(work: object) -> None:
    """Sample what every thread does, by its innermost frames of ours."""
    from collections import Counter

    seen: Counter[str] = Counter()
    done = threading.Event()

    def sample() -> None:
        while not done.wait(0.002):
            for number, frame in sys._current_frames().items():
                if number != threading.get_ident():
                    names: list[str] = []
                    step: FrameType | None = frame
                    while step and len(names) < 3:
                        names.append(f"{step.f_code.co_qualname}:{step.f_lineno}")
                        step = step.f_back
                    seen[" < ".join(names)] += 1

    thread = threading.Thread(target=sample)
    thread.start()
    work()  # type: ignore[operator]
    done.set()
    thread.join()
    for name, count in seen.most_common(40):
        print(count, name)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
