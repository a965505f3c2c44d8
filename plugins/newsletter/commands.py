"""The commands of this part: `newsletter plan`, `draft`, `send`, `stop`, `test`, and what follows `publish`."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import chdir, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .campaigns import Campaign, read_campaigns
from .errors import ConfigurationError, NewsletterError
from .settings import SECRETS, Configuration, Secret, read_configuration, read_secrets

if TYPE_CHECKING:
    from .desk import Desk, Entry, Outcome
    from .preview import Beside

# Whatever is large is imported where it is used, so that `--help` answers at once.

WIDTH = 100
#: Where `./blog serve` writes how its mailroom is reached, and its settings.
PREVIEW, PREVIEW_SETTINGS = Path("var/newsletter.env"), "pelicanconf.py"

#: Composes: builds into a folder of nobody's with these settings, and returns an exit code.
Compose = Callable[[argparse.Namespace, Path], int]


@dataclass(frozen=True, slots=True)
class Site:
    """Whose newsletter it is: the project's folder, the settings it is published with, and how it is composed."""

    root: Path
    settings: Path
    compose: Compose
    #: How it is waited for pages.
    sleep: Callable[[float], None] = time.sleep


def add_commands(subparsers: Any, root: Path, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Add this part's commands to the front door."""
    parser = subparsers.add_parser(
        "newsletter",
        help="campaigns: what would be mailed, and handing it in, starting and stopping it",
        description="New posts become campaigns at the mailing service that NEWSLETTER_PROVIDER names. Nothing is "
        "mailed before `send` (see plugins/newsletter/README.md).",
    )

    def build(args: argparse.Namespace, output: Path) -> int:
        code: int = args.build_into[0](root, output, production=True)
        return code

    add_subcommands(parser, Site(root, root / "publishconf.py", build, sleep), preview=True)


def add_subcommands(parser: argparse.ArgumentParser, site: Site, *, preview: bool) -> None:
    """Add `plan`, `draft`, `send`, `stop` and `test`."""

    def show_help(_: argparse.Namespace) -> int:
        parser.print_help()
        return 0

    parser.set_defaults(run=show_help)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def add(name: str, run: Callable[[Site, argparse.Namespace], int], summary: str) -> argparse.ArgumentParser:
        command: argparse.ArgumentParser = commands.add_parser(
            name, help=summary, description=f"{summary[0].upper()}{summary[1:]}."
        )
        if preview:
            command.add_argument(
                "--preview", action="store_true", help="at the mailroom of the running `./blog serve`: nobody gets it"
            )
        command.set_defaults(run=lambda args: _explain(lambda: run(site, args)), preview=False)
        return command

    add("plan", run_plan, "say what would become of each campaign, and why")
    draft = add("draft", run_draft, "hand in what is new, bring drafts up to date, withdraw those of what is gone")
    draft.add_argument(
        "--again",
        nargs="+",
        default=[],
        metavar="KEY",
        type=_key,
        help="also what was stopped, for those it has not reached",
    )
    send = add("send", run_send, "start what was reviewed, in all languages of the post, once its page can be read")
    send.add_argument("keys", nargs="+", metavar="KEY", type=_key, help="a campaign's key, as `plan` shows it")
    send.add_argument("--only", action="store_true", help="in no other language than named")
    stop = add("stop", run_stop, "stop what has not left")
    stop.add_argument("keys", nargs="+", metavar="KEY", type=_key, help="a campaign's key")
    test = add("test", run_test, "have a draft mailed to one address, which is asked for or read from standard input")
    test.add_argument("key", metavar="KEY", type=_key, help="a campaign's key")


def _key(word: str) -> str:
    """A key as it is typed or pasted."""
    if not re.fullmatch(r"[a-z0-9-]+", key := word.strip().lower()):
        raise argparse.ArgumentTypeError("a campaign's key stands here, as `plan` shows it")
    return key


def serve_beside(root: Path, url: str) -> Beside:
    """Show every campaign beside the pages that `./blog serve` shows at `url`."""
    from .preview import Beside

    return Beside(root, url)


def follow_publish(root: Path, *, sleep: Callable[[float], None] = time.sleep) -> Callable[[], int]:
    """Read the settings now; once the site is online, wait for what is new, hand it in, and send it if NEWSLETTER_SEND.

    What the build for publishing has just composed is what is handed in.
    """
    from .desk import only_one, open_desk

    configuration, secrets = _read_settings(root / "publishconf.py"), read_secrets(root)
    needed = {
        "NEWSLETTER_SITE_ID": configuration.site_id,
        "NEWSLETTER_SINCE": configuration.since,
        "NEWSLETTER_TOKEN": secrets["NEWSLETTER_TOKEN"],
    }
    if empty := [name for name, value in needed.items() if not value]:
        return lambda: print(f"Newsletter: nothing is handed in without {', '.join(empty)}.") or 0
    before = _stamp(root / configuration.campaigns)
    with open_desk(configuration, {}, secrets):
        pass  # what is wrong with its settings is said before anything is built

    def follow() -> int:
        _check_composed(root / configuration.campaigns, before)
        campaigns = read_campaigns(root / configuration.campaigns)
        with only_one(root / "var"), open_desk(configuration, campaigns, secrets, sleep=sleep) as desk:
            return _report(desk.push(send=configuration.send), "Newsletter: nothing is new.")

    return lambda: _explain(follow)


def run_plan(site: Site, args: argparse.Namespace) -> int:
    """Print the plan."""
    with _desk(site, args) as (desk, configuration):
        entries = desk.plan()
        print("\n\n".join(_show(entry, configuration.campaigns) for entry in entries) or "Nothing has been composed.")
        if excess := desk.find_excess(entries):
            print(f"\n{excess}: `draft` will not hand them in.")
    return 0


def run_draft(site: Site, args: argparse.Namespace) -> int:
    """Hand in drafts."""
    with _desk(site, args, alone=True) as (desk, _):
        return _report(desk.draft(args.again), "Nothing to do: the drafts are as composed.")


def run_send(site: Site, args: argparse.Namespace) -> int:
    """Start campaigns."""
    with _desk(site, args, alone=True) as (desk, _):
        return _report(desk.send(args.keys, only=args.only), "")


def run_stop(site: Site, args: argparse.Namespace) -> int:
    """Stop campaigns, each whatever becomes of the others. Nothing is composed: there is no time to lose."""
    with _desk(site, args, compose=False) as (desk, _):
        return max(_explain(partial(_print_stopped, desk, key)) for key in args.keys)


def _print_stopped(desk: Desk, key: str) -> int:
    print(desk.stop(key), flush=True)
    return 0


def run_test(site: Site, args: argparse.Namespace) -> int:
    """Have a draft mailed to one address, which stands on no command line."""
    with _desk(site, args) as (desk, _):
        address = (getpass("Address (not shown): ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
        if "@" not in address:
            raise ConfigurationError("address", "…", "type it, or give it on standard input")
        print(desk.test(args.key, address))
    return 0


def _explain(run: Callable[[], int]) -> int:
    """Run, and say what failed; the pages that are not there stand each in a line of its own."""
    try:
        return run()
    except NewsletterError as error:
        print(f"newsletter: {error}", file=sys.stderr)
        return 1


def _report(outcomes: Iterable[Outcome], nothing: str) -> int:
    """Say what is done as it is done; 1 when something failed."""
    failed, said = 0, False
    for outcome in outcomes:
        said = True
        if outcome.error:
            failed += 1
            print(f"newsletter: {outcome.text}: {outcome.error}", file=sys.stderr, flush=True)
        else:
            print(outcome.text, flush=True)
    if failed:
        print(f"newsletter: {_count(failed, 'failure')}. Mend it, and run this again: it goes on.", file=sys.stderr)
    elif not said and nothing:
        print(nothing)
    return 1 if failed else 0


@contextmanager
def _desk(
    site: Site, args: argparse.Namespace, *, compose: bool = True, alone: bool = False
) -> Iterator[tuple[Desk, Configuration]]:
    """The desk with what is composed from the content as it is now, or that `./blog serve` has composed."""
    from .desk import only_one, open_desk

    settings = site.root / PREVIEW_SETTINGS if args.preview else site.settings
    configuration, secrets = _read_settings(settings), read_secrets(site.root)
    with only_one(site.root / "var") if alone else nullcontext():
        if args.preview:
            configuration, secrets = _lead_to_preview(site, configuration)
        elif compose:
            _compose(site, configuration, args)
        else:
            configuration = replace(configuration, former_provider="")
        campaigns: dict[str, Campaign] = {}
        with suppress(*() if compose else (ConfigurationError,)):  # without it, former keys are not known
            campaigns = read_campaigns(site.root / configuration.campaigns)
        if args.preview:  # its mailroom has its own sender
            campaigns = {key: replace(one, sender="") for key, one in campaigns.items()}
        with open_desk(configuration, campaigns, secrets, sleep=site.sleep) as desk:
            yield desk, configuration


def _compose(site: Site, configuration: Configuration, args: argparse.Namespace) -> None:
    if not configuration.composes:
        problem = "Nothing is composed: NEWSLETTER_SITE_ID or NEWSLETTER_SINCE is empty"
        raise NewsletterError(problem, f"Set both in {site.settings.name}.")
    campaigns = site.root / configuration.campaigns
    before = _stamp(campaigns)
    with tempfile.TemporaryDirectory() as folder, chdir(site.root):
        if site.compose(args, Path(folder) / "site"):
            raise NewsletterError("The site cannot be built, so nothing was composed", "Mend what is named above.")
    _check_composed(campaigns, before)


def _stamp(campaigns: Path) -> int:
    """When the folder was last made, 0 while there is none."""
    return campaigns.stat().st_mtime_ns if campaigns.exists() else 0


def _check_composed(campaigns: Path, before: int) -> None:
    """Refuse what an earlier build has composed: it may be wrong by now. Raises NewsletterError."""
    if _stamp(campaigns) == before:
        problem = f"The build has composed nothing into {campaigns.name}"
        raise NewsletterError(problem, 'Name "newsletter" in PLUGINS, and a whole address, https://…, in SITEURL.')


def _lead_to_preview(site: Site, configuration: Configuration) -> tuple[Configuration, dict[str, Secret]]:
    """The mailroom of the running `./blog serve`, with what that has composed: its pages are those of the preview."""
    from dotenv import dotenv_values

    found = dotenv_values(site.root / PREVIEW)
    api, token = found.get("NEWSLETTER_API"), found.get("NEWSLETTER_TOKEN")
    if not api or not token:
        raise NewsletterError("There is no preview to talk to", "Run `./blog serve` in another terminal.")
    led = replace(configuration, provider="mailroom", api=api, lists={}, former_provider="", max_per_push=sys.maxsize)
    return led, dict.fromkeys(SECRETS, Secret()) | {"NEWSLETTER_TOKEN": Secret(token)}


def _read_settings(settings: Path) -> Configuration:
    from pelican.settings import read_settings

    if not settings.is_file():
        raise ConfigurationError("settings", settings.name, "there is no such file")
    return read_configuration(read_settings(str(settings)))


def _show(entry: Entry, folder: str) -> str:
    """An entry of the plan, in lines of WIDTH columns."""
    campaign, found = entry.composed, entry.found
    recipients = "" if found is None or found.recipients is None else f", {_count(found.recipients, 'recipient')}"
    if campaign is None:
        return f"{entry.key}{recipients}\n    {entry.reason}"
    lines = [
        f"{campaign.day}  {campaign.lang}  {campaign.kind}  ",
        f"    {entry.key}{recipients}",
        f"    {entry.reason}",
        f"    {folder}/{campaign.key}/campaign.{{html,txt}}",
    ]
    lines[0] += _isolate(campaign.title, WIDTH - len(lines[0]))
    return "\n".join(lines)


def _isolate(title: str, width: int) -> str:
    """A title, cut to a number of columns, whose direction leaves the rest of the line alone (UAX 9, isolates)."""
    from rich.cells import cell_len, set_cell_size

    shown = "".join(each for each in title if each in "\u200c\u200d" or unicodedata.category(each)[0] != "C")
    if cell_len(shown) > width:
        shown = set_cell_size(shown, width - 1).rstrip() + "…"
    return f"\u2068{shown}\u2069"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
