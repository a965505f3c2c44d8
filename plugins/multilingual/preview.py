"""The preview's web server: shows the built pages to this machine alone, and renews them when they change.

The output folder stays as it will be published. What makes an open page renew itself, a script and the permission to
run it, is added to each page on its way out.
"""

from __future__ import annotations

import mimetypes
import os
import re
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Iterable
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from socket import socket
from typing import Any
from urllib.parse import unquote

from .errors import Problem

EVENTS = "/.blog/events"
SCRIPT = "/.blog/reload.js"

# A hidden tab lets go of its connection: browsers allow six to a server, and an author may open ten languages.
RELOAD = """\
const {version, broken} = document.currentScript.dataset;
const place = "blog:" + location.pathname;
let events;
function listen() {
  events = new EventSource("%s");
  events.onmessage = ({data}) => {
    if (data === version) return;
    if (!broken) sessionStorage.setItem(place, scrollY);
    history.scrollRestoration = "manual"; // the browser would remember the place on the short error page
    location.reload();
  };
}
document.addEventListener("visibilitychange", () => document.hidden ? events.close() : listen());
if (!document.hidden) listen();
addEventListener("load", () => {
  const top = sessionStorage.getItem(place);
  if (top === null || broken) return;
  scrollTo({top, behavior: "instant"});
  sessionStorage.removeItem(place);
  setTimeout(() => { history.scrollRestoration = "auto"; }); // at once, and the browser would scroll after us
});
""".replace("%s", EVENTS).encode()

BROKEN = """\
<!DOCTYPE html>
<html lang="en" dir="ltr"><head><meta charset="utf-8"><title>Not built: {count}</title>
<meta name="viewport" content="width=device-width">
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1.125rem/1.5 system-ui, sans-serif; max-width: 45rem; margin: 3rem auto; padding: 0 1rem; }}
li {{ margin-block: 1.5rem; }} p {{ margin: 0; }} code {{ font-size: 1rem; overflow-wrap: anywhere; }}
</style></head>
<body><main role="alert"><h1>Not built: {count}</h1>
<p>This page comes back by itself when they are mended.</p>
<ol>
{problems}
</ol></main></body></html>
"""

TYPES = mimetypes.MimeTypes()  # the built-in table only: the machine's own differs from machine to machine
for ending, kind in {
    ".atom": "application/atom+xml",
    ".avif": "image/avif",
    ".epub": "application/epub+zip",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
}.items():
    TYPES.add_type(kind, ending)

POLICY = re.compile(rb"""(<meta http-equiv=["']?Content-Security-Policy["']? content=")([^"]*)""", re.IGNORECASE)


class State:
    """What the pages are now: a version that changes with every build, and what kept the last one from being built."""

    def __init__(self) -> None:
        self._bell = threading.Condition()
        self.version = ""
        self.problems: list[Problem] = []

    def renew(self, problems: list[Problem]) -> None:
        """Take note of a build and tell every open page."""
        with self._bell:
            self.problems = problems
            self.version = str(time.time_ns())  # unlike any earlier one, across restarts too
            self._bell.notify_all()

    def await_other_than(self, version: str, seconds: float) -> str:
        """Return the version as soon as it is another one, or when the time is up."""
        with self._bell:
            self._bell.wait_for(lambda: self.version != version, seconds)
            return self.version


class PreviewServer(ThreadingHTTPServer):
    """Serves a folder on 127.0.0.1.

    `mounts` maps the start of a path to what answers there instead of a file; `beside` likewise, but to what takes
    requests of every method, because it is another part of the house.
    """

    daemon_threads = True
    block_on_close = False  # an open page holds a connection for as long as it is open
    allow_reuse_address = os.name != "nt"  # on Windows it would let two servers share a port

    def __init__(self, port: int, output: Path) -> None:
        super().__init__(("127.0.0.1", port), PreviewHandler)
        self.output = output.resolve()
        self.state = State()
        self.mounts: dict[str, Callable[[PreviewHandler], None]] = {
            EVENTS: PreviewHandler.send_events,
            SCRIPT: PreviewHandler.send_script,
        }
        self.beside: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}

    @property
    def url(self) -> str:
        """The address to open, without a slash at its end."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def server_bind(self) -> None:
        """Bind without asking the name service who 127.0.0.1 is, which takes seconds on some machines."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        """Say nothing about a browser that went away."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class PreviewHandler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: PreviewServer
    server_version = "blog"
    sys_version = ""

    def parse_request(self) -> bool:
        """Refuse what is not a plain request from this machine.

        Any page on the web can point a name of its own at 127.0.0.1 and read what answers there; but its requests
        carry that name, and ours do not.
        """
        if not super().parse_request():
            return False
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1 or not re.fullmatch(r"(127\.0\.0\.1|localhost)(:\d{1,5})?", hosts[0]):
            self.send_error(HTTPStatus.BAD_REQUEST, "The preview answers to 127.0.0.1 and localhost only")
        elif not self.path.startswith("/"):
            self.send_error(HTTPStatus.BAD_REQUEST)
        elif hosts[0].startswith("localhost") and self.command in ("GET", "HEAD"):
            # A companion's pages know one address, and refuse a form that was sent from another.
            self.redirect(f"http://127.0.0.1{hosts[0].removeprefix('localhost')}{self.path}")
        elif self.command not in ("GET", "HEAD") and self.find_companion() is None:
            self.send_error(HTTPStatus.METHOD_NOT_ALLOWED)
        else:
            return True
        return False

    def find_companion(self) -> Callable[[BaseHTTPRequestHandler], None] | None:
        """What answers this path instead of us, if anything does."""
        return next((answer for start, answer in self.server.beside.items() if self.path.startswith(start)), None)

    def do_GET(self) -> None:
        """Answer from another part of the house, from a mount, else from the output folder."""
        if companion := self.find_companion():
            return companion(self)
        path = unquote(self.path.partition("?")[0])
        for prefix, answer in self.server.mounts.items():
            if path.startswith(prefix):
                return answer(self)
        version, problems = self.server.state.version, self.server.state.problems
        if problems and (path.endswith("/") or PurePosixPath(path).suffix in ("", ".html")):
            page = broken_page(problems)
            return self.send(HTTPStatus.INTERNAL_SERVER_ERROR, "text/html", with_reload(page, version, broken=True))
        return self.send_file(path, version)

    do_HEAD = do_GET  # noqa: N815 - the base class's name; `send` leaves the body out
    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - nobody but a companion is asked in these ways

    def send_file(self, path: str, version: str) -> None:
        """Send a file of the output folder, or the site's own page for one that is missing."""
        status = HTTPStatus.OK
        file = self.find(path)
        if file and file.is_dir():
            raw, _, query = self.path.partition("?")
            return self.redirect(f"{raw}/?{query}" if query else f"{raw}/")
        if file is None:
            edition = path.strip("/").partition("/")[0]
            status = HTTPStatus.NOT_FOUND
            file = (edition and self.find(f"/{edition}/404.html")) or self.find("/404.html")
        try:
            body = file.read_bytes() if file else b""
        except OSError:  # replaced or removed in this moment
            file = None
        if file is None:
            return self.send_error(HTTPStatus.NOT_FOUND)
        kind = TYPES.guess_type(file.name)[0] or "application/octet-stream"
        return self.send(status, kind, with_reload(body, version) if kind == "text/html" else body)

    def find(self, path: str) -> Path | None:
        """Return the file or folder that a path names, if it exists within the output folder."""
        try:
            file = (self.server.output / path.lstrip("/") / ("index.html" if path.endswith("/") else "")).resolve()
            return file if file.is_relative_to(self.server.output) and file.exists() else None
        except (OSError, ValueError):  # a name that no file can have
            return None

    def send_events(self) -> None:
        """Tell an open page the version of what is served, now and whenever it changes."""
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        told = ""
        while self.command == "GET":
            version = self.server.state.await_other_than(told, seconds=10)
            # A comment now and then, so that a connection nobody reads is noticed.
            message = f"retry: 500\ndata: {version}\n\n" if version != told else ":\n\n"
            self.wfile.write(message.encode())
            told = version

    def send_script(self) -> None:
        """Send the script that renews a page."""
        self.send(HTTPStatus.OK, "text/javascript", RELOAD)

    def redirect(self, location: str) -> None:
        """Send the browser to a folder's own address, on which relative links depend."""
        self.send_response(HTTPStatus.FOUND)
        self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        """Send a whole answer."""
        textual = kind.startswith("text/") or kind.endswith(("xml", "json", "javascript"))
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8" if textual else kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")  # drafts are nobody else's
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep the terminal for builds."""


def with_reload(page: bytes, version: str, *, broken: bool = False) -> bytes:
    """Add the script that renews the page, and let the page's own policy permit it."""
    page = POLICY.sub(lambda match: match[1] + permit_reload(match[2].decode()).encode(), page, count=1)
    script = f'<script src="{SCRIPT}" data-version="{version}"{" data-broken=1" if broken else ""}></script>'
    head, end, tail = page.rpartition(b"</body>")
    return head + script.encode() + end + tail if end else page + script.encode()


def permit_reload(policy: str) -> str:
    """Allow scripts and connections of our own in a Content-Security-Policy that restricts them.

    >>> permit_reload("default-src 'none'; img-src 'self'")
    "default-src 'none'; img-src 'self'; script-src 'self'; connect-src 'self'"
    """
    sources = {words[0].lower(): words[1:] for part in policy.split(";") if (words := part.split())}
    for name in ("script-src", "connect-src"):
        inherited = sources.get(name, sources.get("default-src"))
        if inherited is not None:
            sources[name] = [*(source for source in inherited if source not in ("'none'", "'self'")), "'self'"]
    return "; ".join(" ".join((name, *words)) for name, words in sources.items())


def broken_page(problems: Iterable[Problem]) -> bytes:
    """Say on the page what keeps it from being built. Everything is escaped: it quotes whatever the files hold."""
    items = [
        f'<li><p><code dir="auto">{escape(f"{p.file}:{p.line}" if p.line else p.file)}</code>'
        f'<p dir="auto"><strong>{escape(p.what)}</strong><p dir="auto">{escape(p.remedy)}'
        for p in problems
    ]
    count = "1 problem" if len(items) == 1 else f"{len(items)} problems"
    return BROKEN.format(count=count, problems="\n".join(items)).encode()
