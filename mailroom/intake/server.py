"""The intake's server: a process for each connection, which reads one request, answers it and ends.

So what somebody sends is in the memory of a process that is gone a moment later, and never in one that lives on. The
process that accepts connections reads nothing of them; it has one thread, no database open, and seals nothing, since
what it had begun its children would all go on with. HTTP is read strictly (RFC 9112), for behind a web server nothing
else arrives: GET, HEAD and POST, one Host, a Content-Length, no transfer coding. Of a request nothing is logged.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import io
import logging
import multiprocessing
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NoReturn

from mailroom.errors import describe

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

#: How many requests are worked on at one time; who comes later waits until one has ended, or …
MOST = 40
#: … has been sending for so many seconds and is not done: then its process is killed. Whoever sends slowly has all the
#: time of a request as long as there is room, and shuts out nobody.
PRESSED = 10.0
#: Seconds that a request may take from its connection to its answer, and its head alone. Then its process is killed.
DEADLINE, HEAD_DEADLINE = 120.0, 15.0
#: Octets of a request's head, and lines of it.
LARGEST_HEAD, MOST_LINES = 16 * 1024, 64
#: Seconds in which requests that are being answered may end when the server is told to stop.
GRACE = 10.0
#: How long what was refused unread is still received and thrown away, in seconds: who is cut off sees no answer.
_LINGER = 5.0
_BACKLOG = 128

_REQUEST = re.compile(rb"(GET|HEAD|POST) (/[!-~]*) HTTP/1\.[01]\r\n")
_OTHER_REQUEST = re.compile(rb"[A-Z]+ /[!-~]* HTTP/1\.[01]\r\n")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,80}):([\t -~\x80-\xff]*)\r\n")
_OF_REFUSED = (("Content-Length", "0"), ("Cache-Control", "no-store"), ("Allow", "GET, HEAD, POST"))
#: What a request must not have twice: two of them mean two things to two programs.
_SINGLE = {"HTTP_HOST", "CONTENT_LENGTH", "CONTENT_TYPE"}

_LOG = logging.getLogger("mailroom.intake")


class Refused(Exception):
    """What came is no request that is read here; `status` answers it."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


@dataclass(slots=True)
class _Child:
    """A process that works on a request, since when, and whether it has received all of it."""

    pid: int
    begin: float
    complete: bool = False


class Server:
    """Serves a WSGI application at `host:port` (port 0 for any that is free)."""

    def __init__(
        self,
        app: Wsgi,
        listen: str,
        private: Sequence[int] = (),
        *,
        most: int = MOST,
        deadline: float = DEADLINE,
        head: float = HEAD_DEADLINE,
        pressed: float = PRESSED,
    ) -> None:
        """Open the address. Raises OSError.

        `private` are descriptors that children shall not have; the last three are seconds of a request's.
        """
        self._app = app
        self._private = private
        self._most, self._deadline, self._head, self._pressed = most, deadline, head, pressed
        self._listener = _listen(listen)
        self._children: dict[Connection, _Child] = {}  # the oldest first

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._listener.getsockname()[1])

    def run(self, line: Connection) -> None:
        """Serve until something is said on this line, or it ends; then let what has begun end, for GRACE at most."""
        # What children share with this process stays shared: the collector would write into all of it.
        gc.collect()
        gc.freeze()
        while True:
            slow, left = self._slowest(), None
            if slow is None:
                door = [self._listener] if self._has_room() else []
            else:  # it is in nobody's way until somebody waits
                left = self._children[slow].begin + self._pressed - time.monotonic()
                door, left = ([], left) if left > 0 else ([self._listener], None)
            ready = wait([line, *door, *self._children], left)
            self._listen_to(ready)
            if line in ready:
                break
            if self._listener in ready:
                if slow in self._children and not self._has_room():
                    self._cut_off(slow)
                if self._has_room():
                    self._accept()
        self._listener.close()
        end = time.monotonic() + GRACE
        while self._children and (left := end - time.monotonic()) > 0:
            self._listen_to(wait(list(self._children), left))
        for ear in list(self._children):
            self._cut_off(ear)

    def _has_room(self) -> bool:
        return len(self._children) < self._most

    def _slowest(self) -> Connection | None:
        """When there is no room: who has been sending for longest."""
        if self._has_room():
            return None
        return next((ear for ear, child in self._children.items() if not child.complete), None)

    def _accept(self) -> None:
        try:
            connection, peer = self._listener.accept()
        except OSError:  # it has gone away, or there are no descriptors left for it just now
            return
        ear, mouth = multiprocessing.Pipe(duplex=False)
        with connection, mouth:
            try:
                pid = os.fork()
            except OSError as error:
                _LOG.error("no process for a request: %s", describe(error))
                ear.close()
                return
            if not pid:
                self._live(connection, peer[0], mouth)
        # The child has the pipe's other end, unless it has ended.
        self._children[ear] = _Child(pid, time.monotonic())

    def _listen_to(self, ready: Iterable[object]) -> None:
        """Take note of children that have received everything, and of those that have ended."""
        for ear in ready:
            if not isinstance(ear, Connection) or ear not in self._children:
                continue
            try:
                ear.recv_bytes()
                self._children[ear].complete = True
            except EOFError:
                status = self._bury(ear)
                if status not in (0, -signal.SIGALRM):  # nobody but the sender took so long
                    reason = signal.Signals(-status).name if status < 0 else f"exit code {status}"
                    _LOG.error("a request was not answered: its process ended (%s)", reason)

    def _cut_off(self, ear: Connection) -> None:
        os.kill(self._children[ear].pid, signal.SIGKILL)
        self._bury(ear)

    def _bury(self, ear: Connection) -> int:
        """Have nothing left of a child that has ended, or is about to; return how it did."""
        ear.close()
        return os.waitstatus_to_exitcode(os.waitpid(self._children.pop(ear).pid, 0)[1])

    def _live(self, connection: socket.socket, peer: str, mouth: Connection) -> NoReturn:
        """What a child does, and all that it does."""
        status = 1
        try:
            for number in (signal.SIGALRM, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, self._head)
            for descriptor in [*self._private, self._listener.fileno()]:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
            lock_memory()
            self._answer(connection, peer, mouth)
            status = 0
        except ConnectionError:
            status = 0  # whoever asked has gone
        except BaseException as error:  # noqa: BLE001 - said without what it holds
            _LOG.error("a request was not answered: %s", describe(error))
        finally:
            os._exit(status)

    def _answer(self, connection: socket.socket, peer: str, mouth: Connection) -> None:
        """Read one request, have it answered, and say goodbye. Raises ConnectionError when whoever asked has gone."""
        begin = time.monotonic()
        incoming = connection.makefile("rb")
        try:
            environ = read_head(incoming, peer)
        except Refused as refused:
            send(connection, _head(refused.status, [*_OF_REFUSED]))
            _throw_away(connection)
            return
        signal.setitimer(signal.ITIMER_REAL, self._deadline - (time.monotonic() - begin))
        body = Body(incoming, int(environ.get("CONTENT_LENGTH", "0")), partial(_say_complete, mouth))
        send(connection, run(self._app, environ | {"wsgi.input": body}))
        if body.left:
            _throw_away(connection)


class Body:
    """What a request carries, to its end and no further, which is said as soon as it has come."""

    def __init__(self, incoming: io.BufferedReader, length: int, say_complete: Callable[[], None]) -> None:
        self._incoming = incoming
        self._say_complete = say_complete
        #: Octets that were not read.
        self.left = length
        if not length:
            say_complete()

    def read(self, size: int = -1) -> bytes:
        """So many octets; fewer at the end alone, or when whoever sends has gone."""
        octets = self._incoming.read(min(size, self.left) if size >= 0 else self.left)
        self.left -= len(octets)
        if octets and not self.left:
            self._say_complete()
        return octets


def read_head(incoming: io.BufferedReader, peer: str) -> dict[str, Any]:
    """The request's head, as WSGI has it (PEP 3333). Raises Refused; ConnectionError when it does not come whole."""
    lines = _read_lines(incoming)
    request = _REQUEST.fullmatch(lines[0])
    if not request:
        raise Refused("405 Method Not Allowed" if _OTHER_REQUEST.fullmatch(lines[0]) else "400 Bad Request")
    method, target = (part.decode("ascii") for part in request.groups())
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": _unquote(path),
        "QUERY_STRING": query,
        "SERVER_NAME": "intake",
        "SERVER_PORT": "0",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": peer,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": True,
    }
    for line in lines[1:]:
        header = _HEADER.fullmatch(line)
        if not header:
            raise Refused("400 Bad Request")
        name, value = header[1].decode("ascii"), header[2].strip(b" \t").decode("latin-1")
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_LENGTH", "CONTENT_TYPE") else f"HTTP_{key}"
        if "_" in name or (key in environ and key in _SINGLE) or key == "HTTP_TRANSFER_ENCODING":
            raise Refused("400 Bad Request")
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    length = environ.get("CONTENT_LENGTH", "0")
    if "HTTP_HOST" not in environ or not re.fullmatch(r"[0-9]{1,12}", length):
        raise Refused("400 Bad Request")
    if method == "POST" and "CONTENT_LENGTH" not in environ:
        raise Refused("411 Length Required")
    if method != "POST" and int(length):
        raise Refused("400 Bad Request")
    return environ


def send(connection: socket.socket, octets: bytes) -> None:
    """Hand over an answer, after which nothing comes. Raises ConnectionError."""
    connection.sendall(octets)
    try:
        connection.shutdown(socket.SHUT_WR)
    except OSError as error:  # it is no connection any more (ENOTCONN)
        raise ConnectionAbortedError from error


def run(app: Wsgi, environ: dict[str, Any]) -> bytes:
    """The application's answer, whole: it is small."""
    said: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> Callable[[bytes], None]:
        said.append(_head(status, headers))
        return said.append

    chunks = app(environ, start_response)
    try:
        said.extend(chunks)
    finally:
        if close := getattr(chunks, "close", None):
            close()
    return b"".join(said)


def _read_lines(incoming: io.BufferedReader) -> list[bytes]:
    """The lines of a head, without the empty one at its end."""
    lines: list[bytes] = []
    left = LARGEST_HEAD
    while (line := incoming.readline(left + 1)) != b"\r\n" or not lines:
        left -= len(line)
        if left < 0 or len(lines) == MOST_LINES:
            raise Refused("431 Request Header Fields Too Large")
        if not line.endswith(b"\n"):
            raise ConnectionAbortedError
        lines.append(line)
    return lines


def _head(status: str, headers: list[tuple[str, str]]) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers), "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _unquote(path: str) -> str:
    """A path's octets as WSGI has them, each a character."""
    return re.sub(r"%([0-9A-Fa-f]{2})", lambda match: chr(int(match[1], 16)), path)


def _say_complete(mouth: Connection) -> None:
    with contextlib.suppress(OSError):  # who would know it has gone
        mouth.send_bytes(b"")


def _throw_away(connection: socket.socket) -> None:
    """Receive what was not read: as long as something is left, closing would take the answer back (RFC 9112, 9.6)."""
    end = time.monotonic() + _LINGER
    with contextlib.suppress(OSError):
        while (left := end - time.monotonic()) > 0:
            connection.settimeout(left)
            if not connection.recv(64 * 1024):
                return


def _listen(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host.strip("[]"), int(port)), family=family, backlog=_BACKLOG)


def open_descriptors() -> list[int]:
    """What this process has open, but for the standard streams: the ends of pipes that tell others that it lives."""
    found = []
    for number in (int(path.name) for path in Path("/dev/fd").iterdir()):
        with contextlib.suppress(OSError):  # the one by which they were listed
            os.fstat(number)
            found.append(number)
    return [number for number in found if number > 2]


def lock_memory() -> None:
    """Have nothing of this process in swap, where that is allowed: to root, or by `LimitMEMLOCK=infinity`.

    Only what is really used is locked, so that children go on sharing what they do not write into.
    """
    if sys.platform != "linux":
        return
    import resource

    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    with contextlib.suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_MEMLOCK, unlimited)
    # Within a limit, what is locked ahead would fail to be had at all.
    if os.geteuid() == 0 or resource.getrlimit(resource.RLIMIT_MEMLOCK) == unlimited:
        current_future_onfault = 1 | 2 | 4
        ctypes.CDLL(None).mlockall(current_future_onfault)
