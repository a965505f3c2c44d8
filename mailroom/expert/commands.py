"""The commands of an expert: `./blog intake …`. They run on the expert's own machine; the server has no use for them.

What they print holds nothing of what a sender wrote: terminals keep what they have shown.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mailroom.expert.client import Client, Overview, Waiting
    from mailroom.settings import Secret, Settings

# Whatever is large is imported where it is used, so that `--help` answers at once.

#: Where `./blog serve` writes how its intake is reached, and where what is tried out with it is opened.
PREVIEW, PREVIEW_FOLDER = Path("var/intake.env"), Path("var/intake/preview")


def add_commands(subparsers: Any, root: Path) -> None:
    """Add this part's commands to the front door."""
    parser = subparsers.add_parser(
        "intake",
        help="what people in need have sent: for experts, on a machine of their own",
        description="Submissions are fetched sealed, and opened here (mailroom/README.md, For experts).",
    )

    def show_help(_: argparse.Namespace) -> int:
        parser.print_help()
        return 0

    parser.set_defaults(run=show_help)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def add(name: str, run: Callable[[Settings, argparse.Namespace], int], summary: str) -> argparse.ArgumentParser:
        command: argparse.ArgumentParser = commands.add_parser(
            name, help=summary, description=f"{summary[0].upper()}{summary[1:]}."
        )
        if name != "keygen":
            command.add_argument("--preview", action="store_true", help="at the intake of the running `./blog serve`")
        command.set_defaults(run=lambda args: _explain(lambda: run(_settings(root, args), args)), preview=False)
        return command

    add("keygen", keygen, "make a key, protected by a passphrase, beside those that are there")
    add("list", list_, "list what waits on the server, and which key opens it")
    opening = add("open", open_, "fetch what waits, store it here, open it, and have the server delete its copy")
    opening.add_argument("id", nargs="?", default="all", metavar="ID", type=_id, help="one alone (default: all)")
    opening.add_argument("--keep", action="store_true", help="leave it on the server, for another expert")
    acknowledging = add("acknowledge", acknowledge, "have the server delete what lies open here")
    acknowledging.add_argument("id", metavar="ID", type=_id, help="an id, as `list` shows it")
    deleting = add("delete", delete, "have the server delete something unread")
    deleting.add_argument("id", metavar="ID", type=_id, help="an id, as `list` shows it")
    add("doctor", doctor, "look at form, keys, token and server, and send a test submission all the way")


def _id(word: str) -> str:
    if word != "all" and not re.fullmatch(r"[0-9a-f]{32}", word.strip().lower()):
        raise argparse.ArgumentTypeError("an id stands here, 32 digits and letters, as `./blog intake list` shows it")
    return word.strip().lower()


def keygen(settings: Settings, _: argparse.Namespace) -> int:
    """Make a key, and say what to do with its public half."""
    from mailroom.expert.identity import make_key

    path = settings.intake_identity
    print("A passphrase of five words or more that nobody knows. Whoever forgets it can open nothing.", file=sys.stderr)
    made, recipient = make_key(path, _read_passphrase(twice=True), datetime.now(UTC).date())
    print(f"{recipient.age} {recipient.since}")
    print(
        f"""
This line is the public half of your new key. Give it to whoever runs the server, who puts it into
MAILROOM_INTAKE_RECIPIENTS, in the place of your old one if there is one, and restarts the mailroom.
Compare it with what stands on the form then: ./blog intake doctor

{made} is the private half. Whoever has it and the passphrase reads what is sealed to it.
Copy it to a place where it cannot burn with this machine, and never to the server.""",
        file=sys.stderr,
    )
    if made != path:
        print("Your other keys stay, and have the same passphrase. Delete their files 30 days after the new key has"
              " taken their place on the server: nothing is sealed to them then.", file=sys.stderr)  # fmt: skip
    return 0


def list_(settings: Settings, _: argparse.Namespace) -> int:
    """List what waits."""
    with _client(settings) as client:
        overview = client.look()
    for each in overview.submissions:
        key = _key_of(each, overview, settings)
        print(f"{each.day}  {each.size // 1024:>4} KiB  {each.state:<7}  {key:<30}  {each.id}")
    count = len(overview.submissions)
    print(f"{count} wait{'s' if count == 1 else ''}. Open: ./blog intake open" if count else "Nothing waits.")
    return 0


def _key_of(one: Waiting, overview: Overview, settings: Settings) -> str:
    """Which key opens it, as far as the names of keys tell."""
    from mailroom.expert.identity import public_names
    from mailroom.intake.sealing import fingerprint

    if one.key != fingerprint(overview.recipients):
        return f"an earlier key ({one.key})"
    mine = public_names(settings.intake_identity)
    for each in overview.recipients:
        if each.age in mine:
            return f"your key of {each.since}"
    return f"no key known here ({one.key})"


def open_(settings: Settings, args: argparse.Namespace) -> int:
    """Fetch, store, open, acknowledge; 1 when something could not be."""
    from mailroom.errors import MailroomError
    from mailroom.expert.identity import open_keys
    from mailroom.expert.inbox import Inbox, collect

    failed = count = 0
    keys = open_keys(settings.intake_identity, _read_passphrase)
    with Inbox(settings.intake_folder) as inbox, _client(settings) as client:
        for done in collect(inbox, client, keys, "" if args.id == "all" else args.id, keep=args.keep):
            if isinstance(done, MailroomError):
                failed += 1
                print(f"intake: {done}", file=sys.stderr, flush=True)
                continue
            count += 1
            print(f"{done.folder}: {done.face}", flush=True)
            for command in done.commands:
                print(f"    {command}", flush=True)
            if done.commands and " --lang " not in done.commands[0]:
                print("    If that is no kit: add --key and --lang, as letter.txt says which.", flush=True)
    if not count and not failed:
        print("Nothing waits.")
    return 1 if failed else 0


def acknowledge(settings: Settings, args: argparse.Namespace) -> int:
    """Have the server delete what lies open here."""
    from mailroom.errors import MailroomError
    from mailroom.expert.inbox import Inbox

    with Inbox(settings.intake_folder) as inbox, _client(settings) as client:
        opened = inbox.opened().get(args.id)
        if opened is None:
            raise MailroomError("That does not lie open here", f"Open it first: ./blog intake open {args.id}")
        client.acknowledge(opened.id, opened.sha256)
    print(f"{opened.folder} is all there is of it now, beside the receipt's note.")
    return 0


def delete(settings: Settings, args: argparse.Namespace) -> int:
    """Have the server delete something."""
    with _client(settings) as client:
        client.delete(args.id)
    print("It is deleted from the server.")
    return 0


def doctor(settings: Settings, _: argparse.Namespace) -> int:
    """Look at everything; 1 when anything is wrong."""
    from mailroom.commands import print_findings
    from mailroom.expert.doctor import Patient, examine
    from mailroom.expert.identity import open_keys

    keys = open_keys(settings.intake_identity, _read_passphrase)
    with _client(settings) as client:
        return print_findings(examine(Patient(client, keys, datetime.now(UTC).date())))


def _client(settings: Settings) -> Client:
    from mailroom.expert.client import Client

    return Client(settings.intake_api, settings.intake_token)


def _settings(root: Path, args: argparse.Namespace) -> Settings:
    """An expert's machine needs none of what a server's does."""
    from dotenv import dotenv_values

    from mailroom.errors import MailroomError
    from mailroom.settings import Secret, read_settings

    settings = read_settings(root, development=True)
    if not args.preview:
        return settings
    found = dotenv_values(root / PREVIEW)
    api, token, identity = (found.get(f"MAILROOM_INTAKE_{name}") for name in ("API", "TOKEN", "IDENTITY"))
    if not (api and token and identity):
        raise MailroomError("There is no preview to talk to", "Run `./blog serve` in another terminal.")
    return replace(
        settings, intake_api=api, intake_token=Secret(token), intake_identity=Path(identity),
        intake_folder=root / PREVIEW_FOLDER,
    )  # fmt: skip


def _read_passphrase(*, twice: bool = False) -> Secret:
    """What is typed, unseen; a line of standard input where nobody types."""
    from mailroom.errors import MailroomError
    from mailroom.settings import Secret

    if not sys.stdin.isatty():
        return Secret(sys.stdin.readline().rstrip("\r\n"))
    typed = getpass("Passphrase (not shown): ")
    if twice and getpass("Again: ") != typed:
        raise MailroomError("The two are not the same", "Try again; nothing was made.")
    return Secret(typed)


def _explain(run: Callable[[], int]) -> int:
    """Run, with files for nobody else's eyes, and say what failed."""
    from mailroom.errors import ConfigurationError, MailroomError

    os.umask(0o077)
    try:
        return run()
    except (MailroomError, ConfigurationError) as error:
        print(f"intake: {error}", file=sys.stderr)
        return 1
