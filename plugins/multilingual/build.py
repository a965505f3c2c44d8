"""Building the site as a whole or not at all.

Pelican writes as it goes, logs what fails and exits with 0. Here it writes into a folder
beside the output, everything that is wrong is collected, and the output becomes equal to
that folder only when nothing is: changed files are replaced one by one, vanished ones
removed, unchanged ones left with their times.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import time
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from filecmp import cmp
from hashlib import sha256
from pathlib import Path
from typing import Any

import jinja2
from pelican import Pelican, console
from pelican.generators import PelicanTemplateNotFound
from pelican.plugins import signals

from . import plugin
from .errors import ConfigurationError, Problem, in_order
from .readers import name_of
from .settings import load_settings
from .site import Site

#: Called with what is being done, how much of it is done, and how much there is (0: unknown).
Progress = Callable[[str, int, int], None]


@dataclass(slots=True)
class BuildResult:
    """What a build found and did. `changed` counts files replaced or removed."""

    problems: list[Problem] = field(default_factory=list)
    left_out: list[Problem] = field(default_factory=list)
    pages: int = 0
    changed: int = 0
    seconds: float = 0.0
    site: Site | None = None

    @property
    def errors(self) -> list[Problem]:
        """The problems that stop a build."""
        return [problem for problem in self.problems if not problem.warning]


class _StoppedError(Exception):
    """The plan has problems; nothing was written."""


def build_site(
    settings_file: Path,
    output: Path | None = None,
    *,
    overrides: Mapping[str, Any] | None = None,
    without_broken: bool = False,
    progress: Progress | None = None,
    template_cache: Path | None = None,
    only: Collection[str] = (),
) -> BuildResult:
    """Build the site and, when nothing is wrong, bring the output up to date.

    `only` names source files of which nothing but the text has changed since the output was
    built: then their pages and feeds are written, and the rest is left as it is.

    `output` defaults to the settings' OUTPUT_PATH. A `template_cache` folder keeps compiled
    templates between builds, a third of the time of a small site's. Raises ConfigurationError for settings
    that cannot be used, and for an output folder that holds something else.
    """
    start = time.monotonic()
    settings = load_settings(settings_file, overrides or {})
    output = (output or Path(settings["OUTPUT_PATH"])).resolve()
    root = settings_file.resolve().parent
    _refuse_foreign_folder(output, root, settings)
    with _staging_folder(output) as staging:
        result = run_pelican(
            settings_file,
            staging,
            overrides={**(overrides or {}), "MULTILINGUAL_WITHOUT_BROKEN": without_broken},
            progress=progress,
            template_cache=template_cache,
            only=only,
        )
        if not result.errors:
            if not output.is_relative_to(root):
                _refuse_foreign_files(staging, output, settings["OUTPUT_RETENTION"])
            partial = result.site is not None and result.site.plan.is_partial
            if partial:
                result.changed = replace_files(staging, output)
            else:
                result.changed = replace_tree(staging, output, settings["OUTPUT_RETENTION"])
    result.seconds = time.monotonic() - start
    return result


def run_pelican(
    settings_file: Path,
    output: Path,
    *,
    overrides: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    template_cache: Path | None = None,
    only: Collection[str] = (),
) -> BuildResult:
    """Run Pelican into an empty folder and collect everything that is wrong."""
    result = BuildResult()
    root = settings_file.resolve().parent
    settings = load_settings(settings_file, {**(overrides or {}), "OUTPUT_PATH": str(output)})
    if template_cache is not None:
        template_cache.mkdir(parents=True, exist_ok=True)
        # A compiled template knows how its filters are called, and these come from plugins: others, another template.
        plugins = sha256(repr([str(plugin) for plugin in settings["PLUGINS"] or ()]).encode()).hexdigest()[:12]
        cache = jinja2.FileSystemBytecodeCache(str(template_cache), f"{plugins}_%s.cache")
        settings["JINJA_ENVIRONMENT"] = {**settings["JINJA_ENVIRONMENT"], "bytecode_cache": cache}

    def stop_at_problems(site: Site) -> None:
        result.site, result.left_out = site, in_order(site.left_out)
        result.pages = len(site.plan.outputs)
        result.problems += site.problems
        if [problem for problem in site.problems if not problem.warning] or log.problems:
            raise _StoppedError
        if only and site.plan.restrict(only):
            site.context["EDITED_TEXTS"] = frozenset(only)

    with _collected_log(settings_file.name) as log, _told(progress, result):
        plugin.watch_plan(stop_at_problems)
        try:
            Pelican(settings).run()
        except _StoppedError:
            pass
        except Exception as error:
            if hasattr(error, "remedy"):  # a setting, of this or of another plugin
                raise
            log.problems.append(_explain(error, root))
        finally:
            plugin.watch_plan(None)
    result.problems = in_order([*result.problems, *log.problems])
    return result


# The output folder

_EMPTY_FOLDER = "choose an empty folder, or one that this site was built into before"


def _refuse_foreign_folder(output: Path, root: Path, settings: Mapping[str, Any]) -> None:
    """Vanished files are removed from the output, so it must be nobody else's folder."""
    sources = [Path(settings[name]).resolve() for name in ("PATH", "THEME")]
    for folder in (root, Path.home(), *sources):
        if folder.is_relative_to(output):
            raise ConfigurationError("OUTPUT_PATH", str(output), _EMPTY_FOLDER)
    for folder in (*sources, root / "plugins", root / "tests", root / ".git"):
        if folder != root and output.is_relative_to(folder):
            raise ConfigurationError("OUTPUT_PATH", str(output), _EMPTY_FOLDER)
    if output.is_dir() and any(output.iterdir()):
        known = ("index.html", "404.html", "sitemap.xml", "theme")
        if not any((output / name).exists() for name in known):
            raise ConfigurationError("OUTPUT_PATH", str(output), _EMPTY_FOLDER)
    elif output.exists() and not output.is_dir():
        raise ConfigurationError("OUTPUT_PATH", str(output), _EMPTY_FOLDER)


def _refuse_foreign_files(new: Path, old: Path, retention: list[str]) -> None:
    """Outside the project, a folder of which little would remain was somebody else's site."""
    files = [path.relative_to(old) for path in old.rglob("*") if path.is_file()]
    vanished = [name for name in files if name.parts[0] not in retention and not (new / name).is_file()]
    if files and len(vanished) >= len(files) / 2:
        remedy = f"{len(vanished)} of its {len(files)} files are none of this site's; {_EMPTY_FOLDER}"
        raise ConfigurationError("OUTPUT_PATH", str(old), remedy)


@contextmanager
def _staging_folder(output: Path) -> Iterator[Path]:
    """A folder beside the output, on the same disk, so that files can be renamed into it."""
    output.parent.mkdir(parents=True, exist_ok=True)
    for left in output.parent.glob(f".{output.name}.*.building"):
        if not _is_running(left.name.split(".")[-2]):
            shutil.rmtree(left, ignore_errors=True)
    staging = output.parent / f".{output.name}.{os.getpid()}.building"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _is_running(pid: str) -> bool:
    if not pid.isdigit() or os.name == "nt":
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def replace_tree(new: Path, old: Path, retention: list[str] | None = None) -> int:
    """Make `old` equal to `new`, file by file, and count the files that changed.

    What `new` has not got is removed at the end, but for the names in `retention`.
    """
    wanted = {path.relative_to(new) for path in new.rglob("*") if path.is_file()}
    changed = replace_files(new, old)
    kept = set(retention or ())
    for path in sorted(old.rglob("*"), reverse=True):
        name = path.relative_to(old)
        if name.parts[0] in kept:
            continue
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif name not in wanted:
            path.unlink()
            changed += 1
    return changed


def replace_files(new: Path, old: Path) -> int:
    """Move what differs from `new` to `old`, and count it. Each file is replaced in one step: a reader sees either."""
    changed = 0
    for source in sorted(path for path in new.rglob("*") if path.is_file()):
        target = old / source.relative_to(new)
        if target.is_file() and cmp(source, target, shallow=False):
            continue
        _clear_way(target, old)
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)
        changed += 1
    return changed


def _clear_way(target: Path, root: Path) -> None:
    """Where a file was is a folder now, or the other way round."""
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    for parent in target.parents:
        if parent == root:
            break
        if parent.is_file() or parent.is_symlink():
            parent.unlink()


# What goes wrong


class _Log(logging.Handler):
    """Collects the errors that Pelican and other plugins log instead of raising."""

    def __init__(self, place: str) -> None:
        super().__init__(logging.ERROR)
        self.problems: list[Problem] = []
        self._place = place

    def emit(self, record: logging.LogRecord) -> None:
        what = " ".join(record.getMessage().split())
        if record.exc_info and record.exc_info[1]:
            what += f" ({record.exc_info[1]})"
        found = re.match(r"(?:Skipping )?(?P<file>\S+\.\w{2,8}): (?P<what>.*)", what)
        file, what = (found["file"], found["what"]) if found else (self._place, what)
        self.problems.append(Problem(name_of(file, Path.cwd()), 0, what, "See what is said there."))


@contextmanager
def _collected_log(place: str) -> Iterator[_Log]:
    log = _Log(place)
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, [log]
    quiet, console.quiet = console.quiet, True
    try:
        yield log
    finally:
        root.handlers = handlers
        console.quiet = quiet


def _explain(error: Exception, root: Path) -> Problem:
    """Turn an exception of a template or a plugin into a finding with its place."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        name = name_of(error.filename or error.name or "a template", root)
        return Problem(name, error.lineno, error.message or "syntax error", "Mend the template.")
    if isinstance(error, PelicanTemplateNotFound):
        what = str(error).partition(" from ")[0].removeprefix("[templates] ").replace("[.html]", ".html")
        return Problem("the theme", 0, what, "Write the template, or correct the setting that names it.")
    frames = traceback.extract_tb(error.__traceback__)
    templates = [f for f in frames if f.filename.endswith((".html", ".xml", ".txt"))]
    own = [f for f in frames if Path(f.filename).is_relative_to(root) and ".venv" not in f.filename]
    frame = (templates or own or frames)[-1]
    return Problem(
        name_of(frame.filename, root),
        frame.lineno or 0,
        f"{type(error).__name__}: {' '.join(str(error).split())}",
        "Mend the template." if templates else "See this line.",
    )


@contextmanager
def _told(progress: Progress | None, result: BuildResult) -> Iterator[None]:
    """Tell how far the build is, by Pelican's own signals."""
    if progress is None:
        yield
        return
    counts = {"read": 0, "written": 0}

    def count_read(_: object) -> None:
        counts["read"] += 1
        progress("Reading", counts["read"], 0)

    def count_written(_: object, **__: object) -> None:
        counts["written"] += 1
        progress("Writing", counts["written"], result.pages)

    with (
        signals.content_object_init.connected_to(count_read),
        signals.content_written.connected_to(count_written),
    ):
        yield
