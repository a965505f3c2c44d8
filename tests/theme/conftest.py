"""The site, a server for it, and one browser for all tests of the theme."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.theme.support import BuiltSite, make_bare_site, make_site

NewContext = Callable[..., BrowserContext]


@dataclass
class Server:
    """Serves a folder on this machine, and remembers what it was asked for."""

    address: str
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)  # path, headers

    def url(self, page: str) -> str:
        return f"{self.address}/{quote(page)}"


def serve(folder: Path) -> Iterator[Server]:
    class Handler(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def do_GET(self) -> None:
            served.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            super().do_GET()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 (the base class names it so)
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        listener.daemon_threads = True
        served = Server(f"http://127.0.0.1:{listener.server_port}")
        thread = threading.Thread(target=listener.serve_forever, args=(0.05,))
        thread.start()
        yield served
        listener.shutdown()
        thread.join()


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> BuiltSite:
    """The real site, with an article in every state besides."""
    return make_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="package")
def bare_site(tmp_path_factory: pytest.TempPathFactory) -> BuiltSite:
    """The site as it would be with a single article, in Persian."""
    return make_bare_site(tmp_path_factory.mktemp("bare-site"))


@pytest.fixture(scope="package")
def server(site: BuiltSite) -> Iterator[Server]:
    yield from serve(site.output)


@pytest.fixture(scope="package")
def bare_server(bare_site: BuiltSite) -> Iterator[Server]:
    yield from serve(bare_site.output)


@pytest.fixture
def new_context(browser: Browser) -> Iterator[NewContext]:
    """Make browser windows, closed at the test's end: `new_context(viewport=(390, 844), scheme="dark")`."""
    contexts: list[BrowserContext] = []

    def make(
        viewport: tuple[int, int] = (1280, 900), scheme: str = "light", script: bool = False, **options: Any
    ) -> BrowserContext:
        width, height = viewport
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=script,  # a reader in danger has it off; what tests ask of a page runs all the same
            **options,
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()
