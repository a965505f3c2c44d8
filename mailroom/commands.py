"""The mailroom's commands: `./blog mailroom …`. The table at the end lists them all.

A command is a function of the settings and its arguments that prints in one line what it did; what it cannot do it
raises, and what it finds wrong (`doctor`) it returns as an exit code. Whatever is large is imported where it is used,
so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mailroom.development import Beside
    from mailroom.doctor import Finding
    from mailroom.settings import Settings
    from mailroom.store.database import Database
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


def follow_publish(root: Path) -> Callable[[], int]:
    """Read the settings now; once the site is online, say what DNS must hold if they name a mailroom."""
    from mailroom.settings import read_settings

    settings = read_settings(root, development=True)

    def say() -> int:
        from mailroom.errors import ConfigurationError
        from mailroom.zone import write_summary

        if settings.url:
            try:
                print(write_summary(settings))
            except ConfigurationError as error:  # the site is online all the same
                print(f"Letters: {error}")
        return 0

    return say


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


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    """The database alone, for what needs no key."""
    from mailroom.store.database import Database
    from mailroom.store.lock import Lock

    with Lock(settings.data), Database(settings.database) as database:
        yield database


def find_keyring(settings: Settings) -> Keyring | None:
    """The keyring that `MAILROOM_KEY=ask` has pasted, for `open_office`; None where it is in a file."""
    from mailroom.store.keyring import parse_keyring

    return parse_keyring(_read_hidden("The keyring")) if settings.key == "ask" else None


def _read_hidden(prompt: str) -> str:
    """Lines from standard input up to an empty one or the end; from a terminal, without showing them."""
    lines = itertools.takewhile(str.strip, iter(sys.stdin.readline, ""))
    if not sys.stdin.isatty():
        return "".join(lines)
    print(f"{prompt}, then an empty line:", file=sys.stderr, flush=True)
    with _echo_off(sys.stdin.fileno()):
        return "".join(lines)


def _read_line(prompt: str) -> str:
    """One line from standard input."""
    if sys.stdin.isatty():
        print(f"{prompt}: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline()


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
    """Bring the databases to the program's version, and the keyring."""
    from mailroom.errors import StoreError
    from mailroom.office import prepare_intake
    from mailroom.store.database import migrate

    if not settings.database.exists():
        raise StoreError(f"{settings.database}: there is no database", "Make it: ./blog mailroom init")
    taken = migrate(settings.database)
    print(f"{settings.database}: {', '.join(taken) if taken else 'of the newest version already'}.")
    if settings.intake_recipients:
        for line in prepare_intake(settings):
            print(line)


def run(settings: Settings, _: argparse.Namespace) -> None:
    """Serve pages and API, and deliver, until told to end."""
    from mailroom.service import run

    run(settings, find_keyring(settings))


def unit(settings: Settings, args: argparse.Namespace) -> None:
    """Print a systemd unit for this folder and these settings."""
    from mailroom.unit import write_unit

    root = Path(__file__).resolve().parents[1]
    print(write_unit(settings, root, Path(sys.prefix, "bin", "python"), args.user), end="")


def dkim(settings: Settings, _: argparse.Namespace) -> None:
    """Make the key that signs letters, where there is none, and print what DNS must say of it."""
    from mailroom.errors import ConfigurationError
    from mailroom.letters.dkim import Signer, load_key, make_key
    from mailroom.store.files import new_file

    if not settings.domain:
        raise ConfigurationError("MAILROOM_SENDER", "", "say from which address letters come: its domain signs")
    named = settings.dkim_key not in ("", "relay")
    path = Path(settings.dkim_key) if named else settings.data.parent / "dkim.pem"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with new_file(path) as file:
            file.write(make_key())
        print(f"{path}: a new key.{'' if named else f' Name it: MAILROOM_DKIM_KEY={path}'}", file=sys.stderr)
    signer = Signer(load_key(path), settings.dkim_domain or settings.domain, settings.dkim_selector)
    name, text = signer.record()
    print(f"{name}. IN TXT {text}")


def dns(settings: Settings, _: argparse.Namespace) -> None:
    """Print the records that letters need."""
    from mailroom.zone import write_zone

    print(write_zone(settings), end="")


def doctor(settings: Settings, args: argparse.Namespace) -> int:
    """Look at what keeps letters from arriving; 1 when anything is wrong."""
    from mailroom.doctor import Patient, examine
    from mailroom.names import Resolver
    from mailroom.office import open_office
    from mailroom.probe import send_and_read

    with open_office(settings, ring=find_keyring(settings)) as office:
        return print_findings(send_and_read(office) if args.letter else examine(Patient(office, Resolver())))


def print_findings(findings: Iterable[Finding]) -> int:
    """What a doctor found, each thing as soon as it is known; 1 when anything is wrong."""
    count = {"ok": 0, "look": 0, "wrong": 0}
    for finding in findings:
        count[finding.verdict] += 1
        print(f"{finding.verdict:6} {finding.what}", flush=True)
        if finding.remedy:
            print(f"{'':6} {finding.remedy}")
    print(f"{count['wrong']} wrong, {count['look']} to look at, {count['ok']} well.")
    return 1 if count["wrong"] else 0


# What the mailroom keeps


def backup(settings: Settings, args: argparse.Namespace) -> None:
    """Write a sealed backup."""
    from mailroom.clock import Clock
    from mailroom.store.backup import back_up

    print(f"{back_up(settings, Clock(), args.target)}: the database and the journal, sealed.")


def restore(settings: Settings, args: argparse.Namespace) -> None:
    """Put a backup in the database's place."""
    from mailroom.clock import Clock
    from mailroom.store.backup import restore
    from mailroom.store.keyring import load_keyring
    from mailroom.store.sealing import read_identity

    ring = find_keyring(settings) or load_keyring(Path(settings.key))
    text = args.identity.read_text(encoding="utf-8") if args.identity else _read_hidden("The age identity")
    done = restore(settings, ring, Clock(), args.backup, read_identity(text), replace=args.replace)
    drafts = (
        f" Drafts are stopped, since each may have been started after the backup: {', '.join(done.stopped)}."
        " Hand in anew, with other content, only what has not gone out."
        if done.stopped
        else ""
    )
    aside = f" {done.aside} is the database that was there." if done.aside else ""
    print(
        f"{settings.database}: {done.subscribers} subscribers; {done.left} who have left since were taken out."
        f" Delivery is off, {done.paused} campaigns are paused, {done.unknown} letters may have gone out or not, and"
        f" API tokens are revoked.{drafts}{aside}"
    )


def rotate_key(settings: Settings, args: argparse.Namespace) -> None:
    """Change a key."""
    from mailroom.office import open_office
    from mailroom.store.keyring import save_keyring, write_keyring
    from mailroom.store.rotation import rotate_data, rotate_tokens

    def keep(ring: Keyring) -> None:
        if settings.key != "ask":
            save_keyring(ring, Path(settings.key))
            return
        print(write_keyring(ring), end="", flush=True)
        print("This is the keyring from now on, and it is shown once: keep it now.", file=sys.stderr)
        if sys.stdin.isatty():
            input("Press Enter when it is kept. ")

    with open_office(settings, ring=find_keyring(settings), alone=True) as office:
        number = rotate_data(office, keep) if args.kind == "data" else rotate_tokens(office, keep)
    old = "" if args.kind == "token" else " Make a backup now: older ones open with the old keyring alone."
    print(f"Key `{args.kind} {number}` is in use. Keep a copy of the keyring.{old}", file=sys.stderr)


def export(settings: Settings, args: argparse.Namespace) -> None:
    """Write the confirmed subscribers to a file."""
    from mailroom.office import open_office
    from mailroom.people.transfer import export

    with open_office(settings, ring=find_keyring(settings)) as office:
        done = export(office, args.file, args.service, lang=args.lang, plaintext=args.plaintext)
    formulas = f" {done.formulas} addresses are formulas to a spreadsheet and were left out." if done.formulas else ""
    damaged = f" {done.damaged} addresses do not open and were left out." if done.damaged else ""
    print(f"{args.file}: {done.count} subscribers{'' if args.plaintext else ', sealed'}.{formulas}{damaged}")


def import_(settings: Settings, args: argparse.Namespace) -> None:
    """Take the subscribers in a file."""
    from mailroom.errors import ConfigurationError
    from mailroom.languages import load_languages
    from mailroom.office import open_office
    from mailroom.people.transfer import import_

    languages = load_languages(settings.languages, settings.default_lang)
    if args.lang not in languages:
        raise ConfigurationError("--lang", args.lang, f"use one of {', '.join(languages)}")
    with open_office(settings, ring=find_keyring(settings)) as office:
        stdin = args.file == Path("-")
        content = sys.stdin.read().encode(errors="surrogateescape") if stdin else args.file.read_bytes()
        done = import_(office, content, args.lang, args.confirmed_elsewhere)
    what = "are subscribed" if args.confirmed_elsewhere else "will be asked by letter"
    print(f"{done.taken} {what}; {done.known} were known, {done.suppressed} must get nothing and were passed over.")


def forget(settings: Settings, _: argparse.Namespace) -> None:
    """Erase whoever has an address."""
    from mailroom.office import open_office
    from mailroom.people.transfer import forget

    with open_office(settings, ring=find_keyring(settings)) as office:
        known = forget(office, _read_line("The address"))
    print("Erased." if known else "Nobody of that address was known; no import will bring them in.")


def status(settings: Settings, _: argparse.Namespace) -> None:
    """Say how things stand."""
    from mailroom.clock import Clock
    from mailroom.status import write_status

    with _database(settings) as database:
        print(write_status(database, Clock()))


def delivery(settings: Settings, args: argparse.Namespace) -> None:
    """Let letters go out, also to what was paused, or keep them."""
    from mailroom.clock import Clock
    from mailroom.delivery.pauses import resume
    from mailroom.store.facts import DELIVERY, set_fact

    with _database(settings) as database:
        database.write(lambda connection: set_fact(connection, DELIVERY, args.state))
        if args.state == "off":
            print("Delivery is off: letters wait, and no campaign starts.")
            return
        ended = resume(database, Clock().now())
        paused = [row["key"] for row in database.read("SELECT key FROM campaigns WHERE state = 'paused' ORDER BY key")]
        print(f"Delivery is on; pauses ended: {ended}.")
        if paused:
            what = "have each go on with `resend --unknown KEY`, or stop it"
            print(f"Campaigns that are paused: {', '.join(paused)}; {what}.", file=sys.stderr)


def resend(settings: Settings, args: argparse.Namespace) -> None:
    """Have a campaign's unknown letters sent again."""
    from mailroom.campaigns.campaigns import Campaigns
    from mailroom.clock import Clock

    with _database(settings) as database:
        count = Campaigns(database, Clock()).resend_unknown(args.unknown)
    print(f"{args.unknown}: letters that wait again: {count}. Whoever had one already can tell by its Message-ID.")


# Tokens of the API


def create_token(settings: Settings, args: argparse.Namespace) -> None:
    """Make a token and print it, this once."""
    from mailroom.campaigns.api_tokens import ApiTokens
    from mailroom.clock import Clock

    with _database(settings) as database:
        print(ApiTokens(database, Clock()).create(args.name, args.scope, args.days))
    print(f"This token is shown once; it is good for {args.days} days.", file=sys.stderr)


def list_tokens(settings: Settings, _: argparse.Namespace) -> None:
    """Print what is known of the tokens."""
    from mailroom.campaigns.api_tokens import ApiTokens
    from mailroom.clock import Clock, write_day

    clock = Clock()
    with _database(settings) as database:
        tokens = ApiTokens(database, clock).list()
    for token in tokens:
        ended = "revoked" if token.revoked else "expired" if token.expires <= clock.today() else "good"
        print(f"{token.name:<20} {token.scope:<7} {ended:<8} until {write_day(token.expires)}")
    if not tokens:
        print("There is no token: ./blog mailroom token create NAME --scope draft")


def revoke_token(settings: Settings, args: argparse.Namespace) -> None:
    """End a token's life."""
    from mailroom.campaigns.api_tokens import ApiTokens
    from mailroom.clock import Clock

    with _database(settings) as database:
        ApiTokens(database, Clock()).revoke(args.name)
    print(f"{args.name}: the token is good for nothing any more.")


#: What `./blog mailroom --help` says of words that several commands begin with.
GROUPS = {"token": "tokens with which other programs use the API"}

#: Every command, in the order in which `--help` lists them.
COMMANDS = (
    Command("init", "make the keyring and the database where there are none", init, early=True),
    Command("migrate", "bring the database to the program's version; make a backup before", migrate, early=True),
    Command("run", "serve pages and API, and deliver letters, until told to end", run),
    Command("status", "say how things stand: subscribers, campaigns, pauses, the last backup", status, early=True),
    Command(
        "delivery",
        "let letters go out, also to what was paused (on), or keep them (off)",
        delivery,
        (option("state", choices=("on", "off")),),
        early=True,
    ),
    Command(
        "resend",
        "send a campaign's letters again of which nobody knows whether they arrived, and have a paused one go on",
        resend,
        (option("--unknown", metavar="KEY", required=True, help="the campaign's key, as `status` shows it"),),
        early=True,
    ),
    Command(
        "unit",
        "print a systemd unit for the mailroom",
        unit,
        (option("--user", default="mailroom", help="the system user it runs as (default: mailroom)"),),
        early=True,
    ),
    Command("dkim", "make the key that signs letters, and print its DNS record", dkim, early=True),
    Command("dns", "print the DNS records that letters need, as a zone file has them", dns, early=True),
    Command(
        "doctor",
        "look at DNS, relay, web server and machine: what keeps letters from arriving, and what to do",
        doctor,
        (option("--letter", action="store_true", help="send one letter, read it back and compare"),),
    ),
    Command(
        "backup",
        "write a backup, sealed to MAILROOM_BACKUP_RECIPIENT; everything goes on meanwhile",
        backup,
        (
            option(
                "target", type=Path, metavar="FILE", help="the file, or a folder for a file with the time in its name"
            ),
        ),
        early=True,
    ),
    Command(
        "restore",
        "put a backup in the database's place, with delivery off; asks for the age identity that opens it",
        restore,
        (
            option("backup", type=Path, metavar="FILE", help="what `backup` wrote"),
            option(
                "--identity", type=Path, metavar="FILE", help="the file with the age identity, so as not to be asked"
            ),
            option("--replace", action="store_true", help="keep the database that is there aside"),
        ),
        early=True,
    ),
    Command(
        "rotate-key",
        "change the key that seals addresses (data), or the one that signs links (token); old links stay good",
        rotate_key,
        (option("kind", choices=("data", "token")),),
        early=True,
    ),
    Command(
        "export",
        "write the confirmed subscribers as CSV, sealed to MAILROOM_BACKUP_RECIPIENT",
        export,
        (
            option("file", type=Path, metavar="FILE"),
            option(
                "--for",
                dest="service",
                choices=("listmonk", "buttondown", "mailchimp"),
                default="listmonk",
                help="whose columns (default: listmonk's)",
            ),
            option("--lang", default="", help="only those whose first language it is"),
            option("--plaintext", action="store_true", help="do not seal it: whoever gets the file has the list"),
        ),
        early=True,
    ),
    Command(
        "import",
        "take the addresses of a CSV file, all or none; each is asked by letter, unless they confirmed elsewhere",
        import_,
        (
            option("file", type=Path, metavar="FILE", help="with a column called email; - for standard input"),
            option("--lang", required=True, help="the language of their letters"),
            option("--confirmed-elsewhere", default="", metavar="PROOF", help="where and how, in a few words"),
        ),
        early=True,
    ),
    Command("forget", "erase whoever has an address, which is asked for", forget, early=True),
    Command(
        "token create",
        "make a token and print it, this once",
        create_token,
        (
            option("name", metavar="NAME", help="by which it is listed and revoked, such as ci"),
            option("--scope", choices=("draft", "send", "intake"), required=True, help="what it allows"),
            option("--days", type=int, default=90, help="for how long it is good (default: 90, at most 366)"),
        ),
        early=True,
    ),
    Command("token list", "list tokens: name, scope, until when", list_tokens, early=True),
    Command("token revoke", "end a token's life", revoke_token, (option("name", metavar="NAME"),), early=True),
)
