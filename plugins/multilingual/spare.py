"""A build in a process of its own, which has done its imports before it is needed.

Pelican keeps state between runs, so every build of `serve` gets a fresh process. Importing plugins, loading what CLDR
knows of languages and compiling catalogues takes longer than building a page; a spare process does it ahead, waits on
its standard input for one order, answers on its standard output and ends. Whatever else it prints goes to the terminal.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .errors import Problem


@dataclass(frozen=True)
class Report:
    """What became of a build; `drafts` are the addresses of those it wrote, which no list leads to."""

    problems: list[Problem]
    seconds: float = 0.0
    drafts: list[str] = field(default_factory=list)


class Spare:
    """The waiting process, seen from the one that started it."""

    def __init__(self, root: Path, settings: Path) -> None:
        plugins = str(Path(__file__).parent.parent)
        path = os.pathsep.join(filter(None, (plugins, os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "multilingual.spare", str(settings)],
            cwd=root,
            env=os.environ | {"PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def build(
        self, settings: Path, output: Path, overrides: dict[str, Any], template_cache: Path, only: Collection[str] = ()
    ) -> Report:
        """Let the process build, once; it is used up afterwards. `only` is that of `build_site`."""
        order = {
            "settings": str(settings),
            "output": str(output),
            "overrides": overrides,
            "template_cache": str(template_cache),
            "only": sorted(only),
        }
        answer, _ = self._process.communicate(json.dumps(order))
        if not answer:
            what = f"the build ended without an answer (exit code {self._process.returncode})"
            return Report([Problem("the build", 0, what, "The terminal may say more; save a file to build again.")])
        report = json.loads(answer)
        return Report([Problem(**problem) for problem in report["problems"]], report["seconds"], report["drafts"])

    def close(self) -> None:
        """End the process, whatever it is doing."""
        with self._process:  # waits for it, and closes the pipes
            self._process.kill()


def main() -> None:
    """Get ready, wait for an order, build, answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; our parent ends us
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answer:
        os.dup2(2, 1)
        logging.disable()
        with contextlib.suppress(Exception, SystemExit):  # the build meets it again, and reports it
            get_ready(Path(sys.argv[1]))
        logging.disable(logging.NOTSET)
        order = sys.stdin.read()
        if order:
            json.dump(asdict(carry_out(**json.loads(order))), answer)
    sys.stdout.flush()
    os._exit(0)  # taking the interpreter apart would keep the author waiting for nothing


def get_ready(settings_file: Path) -> None:
    """Do what every build begins with and no text changes; the build does it again, and finds it in memory.

    Settings and code cannot have changed by then: a change of either makes `serve` begin a new process.
    """
    from markdown import Markdown
    from pelican import Pelican

    from . import build  # noqa: F401 - only imported
    from .catalogues import open_catalogues
    from .settings import load_settings

    settings = load_settings(settings_file, {})
    Pelican(settings)  # imports the plugins, which read their settings
    open_catalogues(settings, Path.cwd())
    Markdown(**settings["MARKDOWN"])  # imports its extensions


def carry_out(settings: str, output: str, overrides: dict[str, Any], template_cache: str, only: list[str]) -> Report:
    """Build, and make a problem of whatever is raised: the open page is where the author looks."""
    root = Path.cwd()
    try:
        from .build import build_site

        result = build_site(
            Path(settings), Path(output), overrides=overrides, template_cache=Path(template_cache), only=only
        )
    except (Exception, SystemExit) as error:  # noqa: BLE001 - reported, not swallowed
        if hasattr(error, "setting") and hasattr(error, "remedy"):  # a ConfigurationError, of whichever plugin
            file, value = os.path.relpath(settings, root), getattr(error, "value", None)
            return Report([Problem(file, 0, f"{error.setting} = {value!r} cannot be used", str(error.remedy))])
        traceback.print_exc()
        file, line = place(error, root)
        what = f"{type(error).__name__}: {error}"
        return Report([Problem(file, line, what, "Mend the line; the terminal shows the way that led there.")])
    outputs = result.site.plan.outputs if result.site else []
    drafts = [output.url for output in outputs if output.content is not None and output.content.status == "draft"]
    return Report(result.errors, result.seconds, drafts)


def place(error: BaseException, root: Path) -> tuple[str, int]:
    """Where the mending has to be done: the file the error names, or the last line of our own that ran."""
    named = getattr(error, "filename", None)  # of syntax errors in Python and in templates, and of missing files
    places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(named, str):
        places.append((named, getattr(error, "lineno", None)))
    for file, line in reversed(places):
        path = Path(root, file)
        if path.is_relative_to(root) and not path.relative_to(root).parts[0].startswith(".venv"):
            return path.relative_to(root).as_posix(), line or 0
    return "the build", 0


if __name__ == "__main__":
    main()
