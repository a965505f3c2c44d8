"""`./blog serve`: the main job. Every language built, served on this machine, and built again at every save."""

from __future__ import annotations

import argparse
import shutil
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Protocol

from .errors import ConfigurationError
from .headers import HeaderError, decode, split_header

WATCHED = ("content", "theme", "plugins")
#: How many drafts a build tells of: no page leads to them.
DRAFTS = 10


class Companion(Protocol):
    """What another part of the house runs beside the pages, under their address, for as long as they are served."""

    #: The start of a path, and what answers all requests below it, whichever their method.
    mounts: Mapping[str, Callable[[BaseHTTPRequestHandler], None]]
    #: A line for the terminal: what is to be found where.
    notice: str

    def close(self) -> None:
        """End everything that was started."""


#: Starts a companion, given the project's folder and the preview's address, and does not wait for it. A part offers it
#: as `serve_beside` in its `commands` module; the front door collects them, since the parts do not know each other.
Start = Callable[[Path, str], Companion]


def add_command(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], root: Path) -> None:
    """Register `serve`."""
    parser = subparsers.add_parser(
        "serve",
        help="build every language and show it on this machine, again at every save",
        description="Build every language, serve it on 127.0.0.1 and build again at every save. "
        "Open pages renew themselves; what cannot be built is said on the page. Ctrl-C ends it.",
    )
    parser.add_argument("--port", type=int, default=8000, help="default: 8000; 0 takes any free one")
    parser.add_argument("--settings", default="pelicanconf.py", help="default: pelicanconf.py")
    parser.set_defaults(run=lambda args: serve(root, root / args.settings, args.port, args.serve_beside))


def serve(root: Path, settings: Path, port: int, beside: Iterable[Start] = ()) -> int:
    """Serve until interrupted."""
    # Imported here: `./blog --help` lists this command and should not wait for what only it needs.
    from .preview import PreviewServer
    from .spare import Spare

    output, cache = root / "var" / "serve", root / "var" / "cache"
    shutil.rmtree(cache, ignore_errors=True)  # what another version of the plugins has left
    try:
        server = PreviewServer(port, output)
    except (OSError, OverflowError) as error:
        raise ConfigurationError("--port", port, f"{error}. Choose another: ./blog serve --port {port + 1}") from error
    answering = threading.Thread(target=server.serve_forever, daemon=True)
    spare = Spare(root, settings)
    edits = Edits(settings.parent / "content")
    companions: list[Companion] = []
    closing_all = ExitStack()
    try:
        for start in beside:
            companions.append(closing_all.enter_context(closing(start(root, server.url))))
            server.beside |= companions[-1].mounts
        for changed in changes(settings.parent):
            if any(path.endswith(".py") for path in changed):  # the spare may have imported what it was
                spare.close()
                spare = Spare(root, settings)
                shutil.rmtree(cache, ignore_errors=True)
            with closing(spare):
                only = edits.begin(changed)
                report = spare.build(settings, output, overrides(server.url, cache), cache / "templates", only)
            edits.end(whole=not report.problems)
            server.state.renew(report.problems)
            spare = Spare(root, settings)  # after the page is renewed: it would take a processor from the build
            if not answering.is_alive():
                answering.start()
                print("\n".join([f"{server.url}/", *(companion.notice for companion in companions)]), flush=True)
            for problem in report.problems:
                print(problem, file=sys.stderr)
            outcome = f"Not built: {len(report.problems)}" if report.problems else f"Built in {report.seconds:.2f} s"
            told = [f"draft: {server.url}/{address}" for address in report.drafts[:DRAFTS]]
            if len(report.drafts) > DRAFTS:
                told.append(f"and {len(report.drafts) - DRAFTS} more drafts: save one to see its address")
            print("\n".join([*told, outcome]), flush=True)
    finally:
        spare.close()
        server.server_close()
        closing_all.close()
    return 0


class Edits:
    """Which texts were edited below their headers only: then no other page has to be written again.

    A header is shown on lists, topics and in other languages. A text is shown on its own page and in feeds, unless
    its beginning serves as the summary.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shown: dict[str, object] = {}
        self._now: dict[str, object] = {}
        self._files: set[str] = set()
        self._waiting: set[str] = set()

    def begin(self, changed: set[str]) -> set[str]:
        """The files whose pages are enough, none if everything has to be written."""
        self._waiting |= {path for path in changed if not self._is_passing(path)} if changed else {""}
        # Before the build reads them: whatever is saved from now on differs from this, and is built next.
        self._files = {str(path) for path in self._folder.rglob("*")}
        self._now = {path: header_of(Path(path)) for path in self._files if path.endswith(".md")}
        same = all(self._now.get(path) and self._now[path] == self._shown.get(path) for path in self._waiting)
        return self._waiting if same else set()

    def _is_passing(self, path: str) -> bool:
        """Whether a file is an editor's own: hidden, a backup, or come and gone since the last build."""
        name = Path(path).name
        return name.startswith(".") or name.endswith("~") or not (path in self._files or Path(path).exists())

    def end(self, *, whole: bool) -> None:
        """The build is over; if it was `whole`, all that was waiting is shown now."""
        if whole:
            self._shown, self._waiting = self._now, set()


def header_of(path: Path) -> object:
    """A text's header, None where it cannot be told from its text, or states no summary."""
    try:
        fields = split_header(decode(path.read_bytes())).fields
    except (OSError, HeaderError):
        return None
    return fields if "summary" in fields else None


def overrides(url: str, cache: Path) -> dict[str, Any]:
    """Settings for the preview: its own address, and what was read once is not read again until it changes."""
    return {
        "SITEURL": url,
        "CACHE_CONTENT": True,
        "LOAD_CONTENT_CACHE": True,
        "CONTENT_CACHING_LAYER": "reader",
        "CACHE_PATH": str(cache / "content"),
        "GZIP_CACHE": False,
    }


def changes(folder: Path) -> Iterator[set[str]]:
    """Yield the files that changed, whenever some did; first of all an empty set, once the watch has begun.

    The settings are looked at, the folders watched: a watch on a file ends when an editor replaces it, and one on the
    whole project would follow every output file.
    """
    from watchfiles import watch

    watched = [folder / name for name in WATCHED if (folder / name).is_dir()]
    begun, before = False, settings_files(folder)
    for changed in watch(*watched, debounce=50, step=20, rust_timeout=100, yield_on_timeout=True):
        now = settings_files(folder)
        files = {path for _, path in changed} | {path for path, _ in now.items() ^ before.items()}
        if files or not begun:
            yield files
        begun, before = True, now


def settings_files(folder: Path) -> dict[str, int]:
    """Name the settings files and when each was last written."""
    return {str(path): path.stat().st_mtime_ns for path in folder.glob("*conf.py")}
