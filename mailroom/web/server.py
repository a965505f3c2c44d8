"""The web server: waitress, with what must not happen turned off.

It spools nothing to disk, does not name itself, believes no proxy (mailroom/web/limits.py does) and logs nothing: it
would log paths, and paths hold tokens. What goes wrong in a page is logged in mailroom/web/app.py.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer, create_server

from mailroom.office import Office
from mailroom.web import api, forms
from mailroom.web.app import make_public

#: Requests that are worked on at one time: what does not wait for the disk would only wait for Python.
THREADS = 4
#: How long requests that are being answered may take when the server is told to stop, in seconds.
GRACE = 10.0
_TICK = 0.2

logging.getLogger("waitress").setLevel(logging.CRITICAL + 1)


class Server:
    """Serves a WSGI application at `host:port` (port 0 for any that is free) or `unix:/path`."""

    def __init__(self, app: Callable[..., Any], listen: str, largest_body: int) -> None:
        """Open the address, so that two servers cannot have it. Raises OSError."""
        # What is somewhat too large the application refuses, with a page; what is larger is refused here, before it has
        # arrived.
        bound = 2 * largest_body
        path = listen.removeprefix("unix:")
        where = {"listen": listen} if path == listen else {"unix_socket": path, "unix_socket_perms": "660"}
        self._sockets: dict[int, Any] = {}
        self._server = create_server(
            app,
            self._sockets,
            **where,
            threads=THREADS,
            ident=None,
            clear_untrusted_proxy_headers=False,
            max_request_header_size=16 * 1024,
            max_request_body_size=bound,
            inbuf_overflow=2 * bound,
            outbuf_overflow=64 * 1024 * 1024,
            channel_timeout=30,
            connection_limit=500,
        )

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._listeners()[0].effective_port)

    def run(self, stop: threading.Event) -> None:
        """Serve until `stop` is set, then answer what was asked before it, for GRACE at most."""
        while not stop.is_set():
            self._turn()
        for each in self._listeners():
            wasyncore.dispatcher.close(each)  # its own `close` would also take what wakes the loop
        end = time.monotonic() + GRACE
        while self._is_busy() and time.monotonic() < end:
            self._turn()
        self._server.task_dispatcher.shutdown()
        wasyncore.close_all(self._sockets)

    def _turn(self) -> None:
        wasyncore.loop(timeout=_TICK, use_poll=True, map=self._sockets, count=1)

    def _listeners(self) -> list[Any]:
        return [each for each in self._sockets.values() if isinstance(each, BaseWSGIServer)]

    def _is_busy(self) -> bool:
        channels = (each for each in self._sockets.values() if isinstance(each, HTTPChannel))
        return any(each.requests or each.total_outbufs_len for each in channels)


def serve_public(office: Office, stop: threading.Event) -> None:
    """Serve the public pages, and the API with them if MAILROOM_API_PUBLIC, until `stop` is set."""
    largest = api.LARGEST if office.settings.api_public else forms.LARGEST
    Server(make_public(office), office.settings.listen, largest).run(stop)


def serve_api(office: Office, stop: threading.Event) -> None:
    """Serve the API at its own address, until `stop` is set."""
    Server(api.make_api(office), office.settings.api_listen, api.LARGEST).run(stop)
