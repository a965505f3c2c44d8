"""A server of ours with an application that says what it is like to be a child of it: `python -m … probe [OPTIONS]`."""

from __future__ import annotations

import ctypes
import http.client
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from mailroom.intake.server import Server
from mailroom.service import protect, write_log
from mailroom.settings import Settings
from tests.frontdoor.support import ROOT

_GET_DUMPABLE = 3
#: What somebody sends that nobody else may see.
CANARY = "canary-of-somebody-in-danger"


class Probe:
    """A running server."""

    def __init__(self, folder: Path, **options: float) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.mailroom.intake.probe", json.dumps(options)],
            cwd=folder,  # where core files would be
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout
        self.pid = self._process.pid
        self.port = int(self._process.stdout.readline())
        self.said: list[str] = []
        self._listener = threading.Thread(target=lambda: self.said.extend(self._process.stderr or ()), daemon=True)
        self._listener.start()

    def close_line(self) -> None:
        """Tell it to stop."""
        assert self._process.stdin
        self._process.stdin.close()

    def stop(self) -> int:
        """Tell it to stop, and wait for its end."""
        self.close_line()
        assert self._process.stdout
        code = self._process.wait(timeout=20)
        self._listener.join()
        for stream in (self._process.stdout, self._process.stderr):
            assert stream
            stream.close()
        return code

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def send(self, request: bytes) -> bytes:
        """Send these octets, nothing after them, and return all that comes back."""
        with self.connect() as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return receive(connection)

    def ask(self, path: str, method: str = "GET", body: bytes | None = None) -> Any:
        """Ask as a web server does; return the JSON of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def says(self, words: str) -> bool:
        """Whether it has said so."""
        return any(words in line for line in list(self.said))

    def children(self) -> list[int]:
        """The processes that are at work on a request."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]


def fork() -> int:
    """Begin a child, in which nothing of the tests' own threads is used."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.12, for processes with threads
        return os.fork()


def receive(connection: socket.socket) -> bytes:
    """All that comes."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


@contextmanager
def running(folder: Path, **options: float) -> Iterator[Probe]:
    """A server, which is stopped at the end."""
    probe = Probe(folder, **options)
    try:
        yield probe
    finally:
        probe.stop()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Do what the path says, and tell about the process."""
    length = int(environ.get("CONTENT_LENGTH", "0"))
    if environ["PATH_INFO"] == "/early":  # without what was sent
        start_response("413 Content Too Large", [("Content-Length", "5")])
        return [b"early"]
    body = environ["wsgi.input"].read(length)
    if environ["PATH_INFO"] == "/raise":
        raise ValueError(body.decode())
    if environ["PATH_INFO"] == "/fault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if environ["PATH_INFO"] == "/wait":
        time.sleep(60)
    if environ["PATH_INFO"] == "/soon":
        time.sleep(2)
    about = {
        "method": environ["REQUEST_METHOD"],
        "path": environ["PATH_INFO"],
        "query": environ["QUERY_STRING"],
        "peer": environ["REMOTE_ADDR"],
        "x": environ.get("HTTP_X", ""),
        "received": len(body),
        "pid": os.getpid(),
        "threads": len(list(Path("/proc/self/task").iterdir())),
        "dumpable": ctypes.CDLL(None).prctl(_GET_DUMPABLE, 0, 0, 0, 0),
        "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
        "umask": os.umask(0o077),
        "locked": next(
            int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if "VmLck" in line
        ),
    }
    content = json.dumps(about).encode()
    start_response("200 OK", [("Content-Length", str(len(content)))])
    return [content]


def main() -> None:
    """Serve until standard input ends."""
    protect()
    write_log(Settings(development=True))
    server = Server(application, "127.0.0.1:0", **json.loads(sys.argv[1]))
    print(server.port, flush=True)  # noqa: T201 - whoever started it waits for this line
    server.run(Connection(sys.stdin.fileno(), writable=False))


if __name__ == "__main__":
    main()
