"""The public pages in a process of their own, which tests kill: `python -m tests.mailroom.web_process FOLDER PORT`."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailroom.office import make_office, open_office
from mailroom.settings import Settings
from mailroom.web.server import serve_public
from tests.frontdoor.support import ROOT, wait_until
from tests.mailroom.offices import make_settings

MANY = 1_000_000_000


def settings_for(folder: Path, port: int) -> Settings:
    """Settings that let everything through."""
    address = f"127.0.0.1:{port}"
    return make_settings(
        folder, url=f"http://{address}/mail/", listen=address, limit_network=MANY, limit_total=MANY, limit_day=MANY,
        exit="https://weather.example/", exits={"fa": "https://hava.example/"},
    )  # fmt: skip


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def web_process(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], Settings]]:
    """Serve the mailroom in this folder, made if there is none; the process is killed in the end."""
    port = free_port()
    settings = settings_for(folder, port)
    make_office(settings)
    process = subprocess.Popen([sys.executable, "-m", __name__, str(folder), str(port)], cwd=ROOT)
    try:
        wait_until(lambda: process.poll() is not None or is_healthy(settings), "the pages are not served")
        assert process.poll() is None
        yield process, settings
    finally:
        process.kill()
        process.wait()


def is_healthy(settings: Settings) -> bool:
    """Whether the pages are served and the database takes what is written."""
    try:
        with urllib.request.urlopen(f"{settings.url}health", timeout=10) as answer:
            return bool(answer.read() == b"ok\n")
    except urllib.error.URLError:
        return False


def main() -> None:
    """Serve until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with open_office(settings_for(Path(sys.argv[1]), int(sys.argv[2]))) as office:
        serve_public(office, stop)


if __name__ == "__main__":
    main()
