"""The commands of this part: `build`, `check`, `publish`, `serve`, and those that change content."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import serve

if TYPE_CHECKING:
    from .build import BuildResult, Progress
    from .inventory import Inventory
    from .settings import Configuration

# Whatever loads Pelican is imported where it is used, so that `--help` answers at once.

LEFT_OUT = 3


def add_commands(subparsers: Any, root: Path) -> None:
    """Add this part's commands to the front door."""
    build = subparsers.add_parser("build", help="build every language once")
    build.add_argument("--output", type=Path, help="the folder to build into (default: output)")
    _add_production(build)
    build.add_argument(
        "--without-broken",
        action="store_true",
        help=f"leave out translations that have problems, name them and exit with {LEFT_OUT}",
    )
    build.set_defaults(run=lambda args: run_build(args, root))

    check = subparsers.add_parser("check", help="say what an editor must know before publishing")
    check.add_argument("--strict", action="store_true", help="fail on warnings too")
    check.add_argument("--annotate", action="store_true", help="as a code host shows findings, beside their lines")
    check.add_argument(
        "--since",
        default="",
        metavar="REF",
        help="of warnings, only those of files that changed since that commit",
    )
    _add_production(check)
    check.set_defaults(run=lambda args: run_check(args, root))

    new = subparsers.add_parser("new", help="start an article")
    new.add_argument("title", help="its title, in quotes")
    new.add_argument("--lang", required=True, help="the language it is written in, e.g. fa")
    new.add_argument("--key", help="its file name: small letters a-z, digits, hyphens")
    new.add_argument("--page", action="store_true", help="a page (such as About), not an article")
    new.set_defaults(run=lambda args: run_new(args, root))

    rename = subparsers.add_parser("rename", help="give an article another key, with redirects")
    rename.add_argument("old", help="the key it has")
    rename.add_argument("new", help="the key it gets")
    rename.set_defaults(run=lambda args: run_rename(args, root))

    withdraw = subparsers.add_parser("withdraw", help="take an article down in every language")
    withdraw.add_argument("key", help="the article's key (its file name)")
    withdraw.add_argument(
        "--reason", default="", help="shown on the notice that replaces it; in the source article's language"
    )
    withdraw.add_argument("--erase", action="store_true", help="remove the text from the files here as well")
    withdraw.set_defaults(run=lambda args: run_withdraw(args, root))

    publish = subparsers.add_parser(
        "publish",
        help="check, build and deploy, by the command in PUBLISH_COMMAND",
        description="Check and build as it is published, then run PUBLISH_COMMAND (environment or .env), in which "
        "{output} stands for the folder of the built site. The first of these that fails ends it, with its exit code.",
    )
    publish.set_defaults(run=lambda args: run_publish(args, root))

    serve.add_command(subparsers, root)


def _add_production(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--production", action="store_true", help="as it is published: publishconf.py, no drafts")


def settings_file(root: Path, *, production: bool = False) -> Path:
    """The settings for writing, or those for publishing."""
    return root / ("publishconf.py" if production else "pelicanconf.py")


def run_build(args: argparse.Namespace, root: Path) -> int:
    """Build the site; exit 0 without problems, 1 with, 3 when translations were left out."""
    from .build import build_site

    with _progress() as progress:
        result = build_site(
            settings_file(root, production=args.production),
            args.output,
            without_broken=args.without_broken,
            progress=progress,
        )
    report(result)
    if result.errors:
        print(f"Nothing was published: {_count(len(result.errors), 'problem')}.", file=sys.stderr)
        return 1
    for file in sorted({problem.file for problem in result.left_out}):
        print(f"left out: {file}")
    print(
        f"Built {_count(result.pages, 'page')} in {_count(_editions(result), 'language')}, "
        f"{_count(result.changed, 'file')} changed, {result.seconds:.1f} s."
    )
    return LEFT_OUT if result.left_out else 0


def build_into(root: Path, output: Path, *, production: bool) -> int:
    """Build the site for another part's command: say what is wrong with it, and exit as `build` does."""
    from .build import build_site

    with _progress() as progress:
        result = build_site(settings_file(root, production=production), output, progress=progress)
    for problem in result.errors:
        print(problem, file=sys.stderr)
    return 1 if result.errors else 0


def read_content(root: Path) -> Inventory:
    """Read every text of the site, and the settings for writing, for another part's command."""
    from .inventory import take_inventory
    from .settings import load_settings

    settings = load_settings(settings_file(root), {})
    return take_inventory(root, settings, _configuration(settings).languages)


def run_check(args: argparse.Namespace, root: Path) -> int:
    """Check the site; warnings fail only with --strict."""
    from .check import check_site, count_warnings

    with _progress() as progress:
        result = check_site(
            settings_file(root, production=args.production),
            production=args.production,
            progress=progress,
        )
    if args.since:
        from .annotations import changed_files

        changed = changed_files(root, args.since)
        result.problems = [one for one in result.problems if not one.warning or one.file in changed]
    if args.annotate:
        from .annotations import annotate

        for problem in result.problems:
            print(annotate(problem, root))
    else:
        report(result)
    warnings = count_warnings(result.problems)
    if not result.problems:
        print(f"Nothing to mend in {_count(result.pages, 'page')}.")
    else:
        print(f"{_count(len(result.errors), 'problem')}, {_count(warnings, 'warning')}.")
    return 1 if result.errors or (args.strict and warnings) else 0


def run_publish(args: argparse.Namespace, root: Path) -> int:
    """Check, build, deploy, and what other parts do then; exit with the code of the first that fails."""
    with chdir(root):  # what plugins write beside the site stands here, wherever the command was called
        return _publish(args, root)


def _publish(args: argparse.Namespace, root: Path) -> int:
    from .publish import SETTING, deploy, read_command
    from .settings import load_settings

    command = read_command(root)
    following: list[Callable[[], int]] = [prepare(root) for prepare in args.follow_publish]
    production = argparse.Namespace(
        production=True, strict=False, annotate=False, since="", output=None, without_broken=False
    )
    if code := run_check(production, root):
        print("Nothing was published.", file=sys.stderr)
        return code
    if code := run_build(production, root):
        return code
    program = Path(command[0]).name
    print(f"Deploying by {program}.", flush=True)
    output = Path(load_settings(settings_file(root, production=True), {})["OUTPUT_PATH"])
    if code := deploy(command, output, root):
        print(
            f"{SETTING}: {program} failed with {code}, so the site may be half copied. Mend it and publish again.",
            file=sys.stderr,
        )
        return code
    print("Published.", flush=True)
    for follow in following:
        if code := follow():
            return code
    return 0


def run_new(args: argparse.Namespace, root: Path) -> int:
    """Start a draft."""
    from .editing import make_key, new_article

    configuration, content = _configured(root)
    day = datetime.now(UTC).date()
    path = new_article(
        content,
        configuration.languages,
        args.title,
        args.lang,
        args.key or make_key(args.title, day),
        day,
        "page" if args.page else "article",
    )
    print(f"{path.relative_to(root)}: write below its header; `Status: draft` goes when it is ready.")
    return 0


def run_rename(args: argparse.Namespace, root: Path) -> int:
    """Rename a piece in all its languages."""
    from .editing import rename

    _, content = _configured(root)
    moves = rename(content, args.old, args.new)
    print(
        f"Renamed {_count(len(moves), 'file')} from {args.old} to {args.new}; the old addresses lead to the new ones."
    )
    return 0


def run_withdraw(args: argparse.Namespace, root: Path) -> int:
    """Withdraw a piece in all its languages."""
    from .editing import withdraw

    _, content = _configured(root)
    files = withdraw(content, args.key, args.reason, datetime.now(UTC).date(), erase=args.erase)
    kept = "" if args.erase else " The text is still in the files here; --erase removes it."
    print(
        f"Withdrew {args.key} ({_count(len(files), 'file')}): from the next build on, a notice "
        f"stands in its place.{kept} What git has recorded, git keeps."
    )
    return 0


def report(result: BuildResult) -> None:
    """One line for each finding."""
    for problem in (*result.problems, *result.left_out):
        mark = "warning: " if problem.warning else ""
        print(f"{mark}{problem}", file=sys.stderr)


def _configured(root: Path) -> tuple[Configuration, Path]:
    from .settings import load_settings

    settings = load_settings(settings_file(root), {})
    return _configuration(settings), Path(settings["PATH"])


def _configuration(settings: dict[str, Any]) -> Configuration:
    from .errors import ConfigurationError
    from .settings import read_configuration

    configuration = read_configuration(settings)
    if configuration is None:
        raise ConfigurationError("MULTILINGUAL_LANGUAGES", None, "name the site's languages")
    return configuration


def _editions(result: BuildResult) -> int:
    return len(result.site.editions) if result.site else 1


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """A bar for what takes longer than a second, on a terminal."""
    if not sys.stdout.isatty():
        yield None
        return
    from rich.progress import Progress as Bar

    start = time.monotonic()
    with Bar(transient=True) as bar:
        task = bar.add_task("", total=None, visible=False)

        def show(what: str, done: int, total: int) -> None:
            bar.update(
                task,
                description=what,
                completed=done,
                total=total or None,
                visible=time.monotonic() - start > 1,
            )

        yield show
