"""A website on this machine whose pages a test sets, caches included."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit


def write_page(digest: str) -> str:
    """A page as our theme writes it, of an article that talks about such pages."""
    return (
        f'<!doctype html><html lang="en"><head><!-- <meta name="content-digest" content="0"> -->'
        f'<meta content="{digest}" name="content-digest"><title>A page</title></head>'
        '<body><meta name="content-digest" content="1"></body></html>'
    )


@dataclass(frozen=True)
class Page:
    """What an address answers."""

    body: str | bytes = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "text/html; charset=utf-8"})


@dataclass
class Website:
    """Answers each path with what `pages` has, in turn; the last stays. Else with what lies in `folder`."""

    url: str
    folder: Path | None = None
    pages: dict[str, list[Page]] = field(default_factory=dict)
    #: What is answered to addresses without a query instead, whatever the page is.
    cached: dict[str, Page] = field(default_factory=dict)
    #: Targets in the order they were asked for, with the headers.
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    def answer(self, target: str) -> Page:
        path, query = urlsplit(target).path, urlsplit(target).query
        if not query and path in self.cached:
            return self.cached[path]
        if left := self.pages.get(path):
            return left.pop(0) if len(left) > 1 else left[0]
        file = (self.folder or Path()) / path.strip("/") / "index.html"
        return Page(file.read_bytes()) if self.folder and file.is_file() else Page("Not found", 404)

    def put(self, path: str, *pages: Page | str) -> str:
        """Answer with these from now on; return the address."""
        self.pages[path] = [page if isinstance(page, Page) else Page(page) for page in pages]
        return self.url + path


@contextmanager
def serve() -> Iterator[Website]:
    """A website, until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append((self.path, dict(self.headers)))
            page = site.answer(self.path)
            body = page.body if isinstance(page.body, bytes) else page.body.encode()
            self.send_response(page.status)
            for name, value in {"Content-Length": str(len(body)), **page.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site = Website(f"http://127.0.0.1:{server.server_port}")
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
