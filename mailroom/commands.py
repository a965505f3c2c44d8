"""The mailroom's commands: `./blog mailroom …`. The table at the end lists them all.

A command is a function of the settings and its arguments that prints in one line what it did; what it cannot do it
raises, and what it finds wrong (`doctor`) it returns as an exit code. Whatever is large is imported where it is used, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mailroom.development import Beside
    from mailroom.settings import Settings
    from mailroom.store.keyring import Keyring


@dataclass(frozen=True, slots=True)
class Option:
    """What argparse's `add_argument` takes."""

    name: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Command:
    """A command by its words, such as `token create`."""

    words: str
    summary: str
    run: Callable[[Settings, argparse.Namespace], int | None]
    options: tuple[Option, ...] = ()
    #: It prepares what the settings will name, so it does not ask for all of them.
    early: bool = False


def option(name: str, **values: Any) -> Option:
    """An option or argument of a command."""
    return Option(name, values)


def add_commands(subparsers: Any, root: Path) -> None:
    """Add the commands of the table to the front door."""
    parser = subparsers.add_parser(
        "mailroom",
        help="the mailing service: who gets letters, and what becomes of them",
        description="The publication's own mailing service. Its settings are MAILROOM_* (see mailroom/README.md).",
    )
    groups = {"": _with_commands(parser)}
    for command in COMMANDS:
        group, _, word = command.words.rpartition(" ")
        if group not in groups:
            groups[group] = _with_commands(groups[""].add_parser(group, help=GROUPS[group]))
        own = groups[group].add_parser(word, help=command.summary, description=_sentence(command.summary))
        for each in command.options:
            own.add_argument(each.name, **each.values)
        own.set_defaults(run=_Runner(command, root))


def serve_beside(root: Path, url: str) -> Beside:
    """Start the mailroom beside the pages that `./blog serve` shows at `url`."""
    from mailroom.development import Beside

    return Beside(root, url)


@dataclass(frozen=True, slots=True)
class _Runner:
    command: Command
    root: Path

    def __call__(self, args: argparse.Namespace) -> int:
        from mailroom.settings import read_settings

        overrides: dict[str, Any] = {"development": True} if self.command.early else {}
        return self.command.run(read_settings(self.root, **overrides), args) or 0


def _with_commands(parser: Any) -> Any:
    def show(_: argparse.Namespace) -> int:
        parser.print_help()
        return 0

    parser.set_defaults(run=show)
    return parser.add_subparsers(title="commands", metavar="COMMAND")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def find_keyring(settings: Settings) -> Keyring | None:
    """The keyring that `MAILROOM_KEY=ask` has pasted, for `open_office`; None where it is in a file."""
    from mailroom.store.keyring import parse_keyring

    return parse_keyring(_read_hidden("The keyring, then an empty line")) if settings.key == "ask" else None


def _read_hidden(prompt: str) -> str:
    """Lines from standard input; from a terminal up to an empty line, without showing them."""
    if not sys.stdin.isatty():
        return sys.stdin.read()
    print(f"{prompt}:", file=sys.stderr, flush=True)
    with _echo_off(sys.stdin.fileno()):
        return "".join(iter(sys.stdin.readline, "\n"))


@contextmanager
def _echo_off(descriptor: int) -> Iterator[None]:
    try:
        import termios
    except ImportError:  # Windows: what is pasted is seen
        yield
        return
    before = termios.tcgetattr(descriptor)
    silent = [*before]
    silent[3] &= ~termios.ECHO
    termios.tcsetattr(descriptor, termios.TCSADRAIN, silent)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


# The mailroom itself


def init(settings: Settings, _: argparse.Namespace) -> None:
    """Make the keyring and the database where there are none."""
    from mailroom.office import make_office
    from mailroom.store.keyring import make_keyring, write_keyring

    if settings.key == "ask" and not settings.database.exists():
        print(write_keyring(make_keyring()), end="")
        print("This keyring is shown once: keep it now. Every start of the mailroom asks for it.", file=sys.stderr)
    made = make_office(settings)
    print("\n".join(made) if made else f"{settings.database}: there is one already; nothing was changed.")


def migrate(settings: Settings, _: argparse.Namespace) -> None:
    """Bring the database to the program's version."""
    from mailroom.errors import StoreError
    from mailroom.store.database import migrate

    if not settings.database.exists():
        raise StoreError(f"{settings.database}: there is no database", "Make it: ./blog mailroom init")
    taken = migrate(settings.database)
    print(f"{settings.database}: {', '.join(taken) if taken else 'of the newest version already'}.")


def run(settings: Settings, _: argparse.Namespace) -> None:
    """Serve pages and API, and deliver, until told to end."""
    from mailroom.service import run

    run(settings, find_keyring(settings))


def unit(settings: Settings, args: argparse.Namespace) -> None:
    """Print a systemd unit for this folder and these settings."""
    from mailroom.unit import write_unit

    root = Path(__file__).resolve().parents[1]
    print(write_unit(settings, root, Path(sys.prefix, "bin", "python"), args.user), end="")


#: What `./blog mailroom --help` says of words that several commands begin with.
GROUPS = {"token": "tokens with which other programs use the API"}

#: Every command, in the order in which `--help` lists them.
COMMANDS = (
    Command("init", "make the keyring and the database where there are none", init, early=True),
    Command("migrate", "bring the database to the program's version; make a backup before", migrate, early=True),
    Command("run", "serve pages and API, and deliver letters, until told to end", run),
    Command(
        "unit",
        "print a systemd unit for the mailroom",
        unit,
        (option("--user", default="mailroom", help="the system user it runs as (default: mailroom)"),),
        early=True,
    ),
)
