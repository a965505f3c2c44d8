"""The commands of the translators' desk."""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .content import Inventory, Text
    from .states import Survey, Translation

# Whatever is large is imported where it is used, so that `--help` answers at once.


def add_commands(subparsers: Any, root: Path) -> None:
    """Add this part's commands to the front door."""
    parser = subparsers.add_parser(
        "translations",
        help="what is missing, what is outdated, and what to do first",
        description="Show the state of every translation. The order is what to do first: texts with a correction that "
        "has not reached every translation, then those that most languages lack or have as they were, then the newest. "
        "Days count from when a translation was last in line with its source; without one, from the article's date.",
    )
    parser.add_argument("--lang", default="", help="one language only, with what to do for each text")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="everything, for a program (plugins/translators/README.md)")
    output.add_argument("--html", action="store_true", help="write the dashboard: pages for an editor's browser")
    output.add_argument(
        "--preview", type=Path, metavar="FOLDER", help="build the site as it would be published, to look at from a disk"
    )
    output.add_argument(
        "--record", action="store_true", help="record what unrecorded translations were made from, as CI does"
    )
    parser.add_argument("--in", dest="speaking", default="", metavar="LANG", help="with --html: the editor's language")
    parser.add_argument(
        "--base", default="", metavar="REF", help="with --record: their sources as they were where this branch left REF"
    )
    parser.set_defaults(run=lambda args: run_translations(args, root))

    translate = subparsers.add_parser(
        "translate",
        help="claim a translation, and write the file to fill in",
        description="Claim a translation, so that nobody begins it twice, and write the file to fill in: each block of "
        "the source is quoted above the place for its translation. --done takes the quotations out.",
    )
    _add_translation(translate)
    translate.add_argument("--from", dest="source", default="", metavar="LANG", help="translate the text in LANG")
    which = translate.add_mutually_exclusive_group()
    which.add_argument("--done", action="store_true", help="it is finished: no quotations, no draft, no claim any more")
    which.add_argument("--release", action="store_true", help="take the claim back")
    _add_name(translate)
    _add_commit(translate)
    translate.set_defaults(run=lambda args: run_translate(args, root))

    diff = subparsers.add_parser(
        "diff",
        help="what changed in the source, beside its present translation",
        description="Show each block of the source that came, went, moved or changed since it was translated, with "
        "-[what went]+[what came], above the block of the translation that is about it.",
    )
    _add_translation(diff)
    diff.add_argument("--html", type=Path, metavar="FILE", help="write it as a page that needs nothing else")
    diff.set_defaults(run=lambda args: run_diff(args, root))

    accept = subparsers.add_parser(
        "accept",
        help="record that a translation says what its source says now",
        description="Record that a translation says what its source says now: it is current from then on. "
        "`./blog diff` shows what has to be looked at.",
    )
    _add_translation(accept)
    accept.add_argument("--minor", action="store_true", help="nothing in the translation had to be mended")
    _add_commit(accept)
    accept.set_defaults(run=lambda args: run_accept(args, root))

    kit = subparsers.add_parser(
        "kit",
        help="one file to mail to a translator who has nothing installed",
        description="Write one file, source and place for the translation side by side. It names nobody. "
        "`./blog import` takes in what comes back.",
    )
    _add_translation(kit)
    kit.add_argument("--from", dest="source", default="", metavar="LANG", help="translate the text in LANG")
    kit.add_argument(
        "--format",
        choices=["docx", "html"],
        default="docx",
        help="docx for a word processor (the default); html for a browser, where what is not saved is lost",
    )
    kit.add_argument(
        "--output",
        type=Path,
        default=root / "var" / "kits",
        metavar="DIR",
        help="where to write it (default: var/kits)",
    )
    kit.set_defaults(run=lambda args: run_kit(args, root))

    importing = subparsers.add_parser(
        "import",
        help="take in a kit that came back, or a .docx or .md",
        description="Write the translation that a file holds, as Markdown. Nothing of the file is kept but its text.",
    )
    importing.add_argument("file", type=Path, metavar="FILE", help="a kit (.docx, .html), or a text (.docx, .md)")
    importing.add_argument("--key", default="", help="which text it is, if it is no kit")
    importing.add_argument("--lang", default="", help="its language, if it is no kit")
    importing.add_argument(
        "--from", dest="source", default="", metavar="LANG", help="what it was translated from, if it is no kit"
    )
    importing.add_argument("--replace", action="store_true", help="write over the translation that is there")
    importing.add_argument("--check", action="store_true", help="show what is doubtful, and write nothing")
    _add_name(importing)
    _add_commit(importing)
    importing.set_defaults(run=lambda args: run_import(args, root))

    language = subparsers.add_parser(
        "language",
        help="start a language: all there is to fill in",
        description="Begin every catalogue of a language, and list what is left to do, in order. Run it again to see "
        "what still is.",
    )
    language.add_argument("tag", metavar="TAG", help="a BCP 47 tag, such as tr or pt-BR")
    _add_commit(language)
    language.set_defaults(run=lambda args: run_language(args, root))


def _add_translation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("key", metavar="KEY", help="the text's key: its file's name without the ending")
    parser.add_argument("lang", metavar="LANG", help="the language of the translation")


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--by",
        default="",
        metavar="NAME",
        type=lambda text: " ".join(text.split()),
        help="the translator's name or pseudonym, as readers see it (default: withheld)",
    )


def _add_commit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--commit", action="store_true", help="commit the files concerned, as TRANSLATORS_COMMITTER and at 00:00 UTC"
    )


def run_translations(args: argparse.Namespace, root: Path) -> int:
    """Show the state of all translations, or record what they were made from; 1 when a file is broken."""
    from .choice import choose_language
    from .errors import DeskError
    from .listing import describe, list_to_do, show_matrix

    if args.base and not args.record:
        raise DeskError(f"--base {args.base}", "it says from when to record", "Add --record")
    if args.speaking and not args.html:
        raise DeskError(f"--in {args.speaking}", "it is the language of the dashboard", "Add --html")
    if args.lang and (args.html or args.preview):
        raise DeskError(f"--lang {args.lang}", "what is written has every language", "Leave it out")
    if args.preview:
        return _write_preview(args, root)
    survey = _take_survey(args, root)
    lang = choose_language(survey, args.lang, "--lang").tag if args.lang else ""
    today = datetime.now(UTC).date()
    if args.record:
        _record(survey, today, args.base, lang)
    elif args.json:
        print(json.dumps(describe(survey, today, lang), ensure_ascii=False, indent=1))
    elif args.html:
        _write_dashboard(survey, root, args.speaking, today)
    elif lang:
        print("\n".join(list_to_do(survey, lang, today)))
    else:
        print("\n".join(show_matrix(survey, today)))
    for problem in survey.problems:
        print(problem, file=sys.stderr)
    return 1 if survey.problems else 0


def run_translate(args: argparse.Namespace, root: Path) -> int:
    """Claim a translation and write the file to fill in, or end either."""
    from .choice import choose_source, choose_translation
    from .drafting import begin, finish, give_back
    from .glossary import open_glossary

    desk = _Desk(args, root)
    one = choose_translation(desk.survey, args.key, args.lang)
    what = f"{one.key} in {one.lang}"
    if args.release:
        desk.keep(give_back(desk.survey, one), f"Give {one.key} in {one.lang} back")
        print(f"{what}: nobody's claim any more." + (" What is written of it stays." if one.text else ""))
        return 0
    if args.done:
        desk.keep(finish(desk.survey, one, desk.today), f"Translate {one.key} into {one.lang}")
        print(f"{one.text.name if one.text else what}: finished. `./blog check` looks at it beside its source.")
        if one.changes or one.notes:
            print(f"Its source has changed meanwhile: ./blog diff {one.key} {one.lang}")
        return 0
    source = choose_source(desk.survey, one, args.source)
    path, written = begin(
        desk.survey,
        desk.configuration,
        open_glossary(desk.survey, desk.configuration),
        one,
        source,
        args.by,
        desk.today,
    )
    desk.keep(written, f"Begin the translation of {one.key} into {one.lang}")
    print("\n".join(_instruct(one, source, path.relative_to(root).as_posix())))
    return 0


def _instruct(one: Translation, source: Text, name: str) -> Iterable[str]:
    """What to do with the file of a translation that has been claimed."""
    from .listing import count
    from .scaffold import PLACE
    from .states import count_text

    pair = f"{one.key} {one.lang}"
    if one.state == "outdated":
        yield f"{name}: claimed. ./blog diff {pair} shows what changed in its source."
        yield f"When it says the same: ./blog accept {pair}"
    elif one.state == "unrecorded":
        yield f"{name}: claimed. Nobody has recorded what it was made from: compare it with {source.name}."
        yield f"When it says the same: ./blog accept {pair}"
    else:
        size = f", {count(count_text(source), 'word')} from {source.lang}" if one.text is None else ""
        yield f"{name}: write over {PLACE} below each quotation{size}. ./blog serve shows it, and says where."
        yield f"When it is finished: ./blog translate {pair} --done"


def run_diff(args: argparse.Namespace, root: Path) -> int:
    """Show what changed in a source since it was translated."""
    from .choice import choose_language, choose_translation
    from .comparison import compare, show_passages, write_page
    from .listing import count

    survey = _take_survey(args, root)
    one = choose_translation(survey, args.key, args.lang)
    source, target = choose_language(survey, one.source.lang), choose_language(survey, one.lang)
    passages = compare(survey, one)
    title = " ".join(one.source.fields.get("title", ()))
    if args.html:
        args.html.parent.mkdir(parents=True, exist_ok=True)
        args.html.write_text(write_page(passages, one.key, title, source, target, one.notes), "utf-8", newline="\n")
        print(f"{args.html}: {count(len(passages), 'change')}.")
        return 0
    for note in one.notes:
        print(f"The source article was {note}.\n")
    if passages:
        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        print("\n".join(show_passages(passages, source, target, colour=colour)))
    print(_conclude(one, len(passages)))
    return 0


def _conclude(one: Translation, changes: int) -> str:
    """What the comparison comes to, and what to do next."""
    what = f"{one.key} in {one.lang}"
    if one.text is None:
        return f"{what}: there is no translation yet. Begin it: ./blog translate {one.key} {one.lang}"
    if one.record.basis is None:
        return f"{what}: nobody has recorded what it was made from, so nobody knows what has changed since."
    if not changes and not one.notes:
        return f"{what}: nothing has changed in {one.source.name} since it was translated."
    mended = f"When {one.text.name} says the same: ./blog accept {one.key} {one.lang}"
    return mended if one.notes else f"{mended}; if nothing needed mending, with --minor"


def run_accept(args: argparse.Namespace, root: Path) -> int:
    """Record that a translation is in line with its source."""
    from .choice import choose_translation
    from .drafting import expect_finished
    from .recording import accept

    desk = _Desk(args, root)
    one = choose_translation(desk.survey, args.key, args.lang)
    text = expect_finished(one)
    written = accept(desk.survey, one, desk.today, minor=args.minor)
    desk.keep([text.path, *written], f"Accept {one.key} in {one.lang}")  # the text, as it was mended
    print(f"{text.name}: in line with {one.source.name} as it is now.")
    return 0


def run_kit(args: argparse.Namespace, root: Path) -> int:
    """Write a kit."""
    from .catalogues import read_messages
    from .choice import choose_source, choose_translation
    from .exchange import make_kit
    from .glossary import open_glossary

    desk = _Desk(args, root)
    one = choose_translation(desk.survey, args.key, args.lang)
    messages: dict[tuple[str, str], str] = {}
    for folder in reversed(desk.configuration.catalogues):
        messages |= read_messages(root / folder / f"{one.lang}.po")
    name, data = make_kit(
        desk.survey,
        open_glossary(desk.survey, desk.configuration),
        one,
        choose_source(desk.survey, one, args.source),
        args.format,
        lambda text: messages.get(("", text), text),
    )
    args.output.mkdir(parents=True, exist_ok=True)
    path = args.output / name
    path.write_bytes(data)
    shown = path.relative_to(root) if path.is_relative_to(root) else path
    print(f"{shown}: to be filled in and sent back; then ./blog import FILE")
    return 0


def run_import(args: argparse.Namespace, root: Path) -> int:
    """Take in a translation that was sent in; 1 when there is one already and it was not to be replaced."""
    from .errors import DeskError
    from .exchange import receive, show_doubts, write_delivery
    from .listing import count
    from .scaffold import PLACE
    from .states import is_draft

    desk = _Desk(args, root)
    try:
        data = args.file.read_bytes()
    except OSError as error:
        what = f"it cannot be read ({error.strerror or error})"
        raise DeskError(str(args.file), what, "Say where the file is that came") from error
    delivery = receive(desk.survey, args.file.name, data, args.key, args.lang, args.source)
    one = delivery.one
    if one.text and not (args.replace or args.check):
        remedy = "--check shows what is doubtful in the file, --replace writes over the text"
        raise DeskError(args.file.name, f"{one.text.name} is there already", remedy)
    for line in show_doubts(delivery):
        print(line)
    if one.text and delivery.is_overtaken:
        print(f"{one.text.name} has changed since the kit was made: what was done there is not in {args.file.name}")
    doubts = count(len(delivery.imported.doubts), "doubt")
    if args.check:
        print(f"{args.file.name}: {one.key} in {one.lang}, {doubts}. Nothing was written.")
        return 0
    written = write_delivery(desk.survey, delivery, args.by, desk.today)
    desk.keep(written, f"Take in the translation of {one.key} into {one.lang}")
    name = written[0].relative_to(root).as_posix()
    print(f"{name}: {doubts} to look at." if delivery.imported.doubts else f"{name}: nothing doubtful.")
    if not delivery.is_recent:
        print(f"Its source has changed since the kit was made: ./blog diff {one.key} {one.lang}")
    if one.text is None or is_draft(one.text):
        done = f"./blog translate {one.key} {one.lang} --done"
        print(f"What is not translated is {PLACE} there. When it is finished: {done}")
    return 0


def run_language(args: argparse.Namespace, root: Path) -> int:
    """Start a language, or show what it still lacks."""
    from .edition import describe_edition, read_tag, start_edition

    desk = _Desk(args, root)
    edition = start_edition(desk.survey, desk.configuration, read_tag(args.tag))
    desk.keep(edition.written, f"Begin the catalogues of {edition.lang}")
    print("\n".join(describe_edition(edition, root)))
    return 0


class _Desk:
    """What the commands that write share: the texts, the settings, the day, and whether to commit."""

    def __init__(self, args: argparse.Namespace, root: Path) -> None:
        from .commits import read_committer
        from .settings import read_configuration

        self.survey = _take_survey(args, root)
        self.configuration = read_configuration(self.survey.inventory.settings)
        self.today = datetime.now(UTC).date()
        self._root = root
        self._commits = getattr(args, "commit", False)
        if self._commits:
            read_committer(self.configuration.committer)  # before anything is written

    def keep(self, paths: Iterable[Path], message: str) -> None:
        """Commit what was written, if that was asked for."""
        from .commits import commit_files

        if self._commits and commit_files(self._root, paths, message, self.configuration.committer, self.today):
            print(f"committed: {message}")


def _take_survey(args: argparse.Namespace, root: Path) -> Survey:
    from .settings import read_configuration
    from .states import Survey

    gc.disable()  # all that is read is kept: to look for garbage among it, now or later, took a third of the time
    try:
        inventory: Inventory = args.read_content[0](root)
        return Survey(inventory, read_configuration(inventory.settings))
    finally:
        gc.freeze()
        gc.enable()


def _record(survey: Survey, today: date, base: str, lang: str) -> None:
    from .listing import count
    from .recording import record_all

    done = list(record_all(survey, today, base, lang))
    earlier = sum(is_earlier for _, is_earlier in done)
    for one, _ in done:
        print(f"recorded: {one.key} in {one.lang}, from {one.source.lang}")
    where = f"; {earlier} by the source as it was where this branch left {base}" if base else ""
    print(f"Recorded {count(len(done), 'translation')}{where}." if done else "Nothing to record.")


def _write_preview(args: argparse.Namespace, root: Path) -> int:
    """Build the site as it would be published, with links that open from a disk; exit as `build` does."""
    from .preview import prepare_preview

    code: int = args.build_into[0](root, args.preview, production=True)
    if not code:
        prepare_preview(args.preview)
        print(f"{args.preview / 'index.html'}: open it in a browser.")
    return code


def _write_dashboard(survey: Survey, root: Path, speaking: str, today: date) -> None:
    from .choice import choose_language
    from .dashboard import write_dashboard
    from .settings import open_repository, read_configuration

    settings = survey.inventory.settings
    configuration = read_configuration(settings)
    language = choose_language(survey, speaking or str(settings["DEFAULT_LANG"]), "--in")
    page = write_dashboard(survey, root / configuration.dashboard, language, today, open_repository(configuration))
    print(f"{page.relative_to(root) if page.is_relative_to(root) else page}: open it in a browser.")
