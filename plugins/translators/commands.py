"""The commands of this part: `translations`."""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .content import Inventory
    from .states import Group, Survey, Translation

# Whatever is large is imported where it is used, so that `--help` answers at once.

#: What stands in the matrix for each state.
MARKS = {"missing": ".", "claimed": "c", "draft": "d", "unrecorded": "?", "outdated": "!", "current": "="}


def add_commands(subparsers: Any, root: Path) -> None:
    """Add this part's commands to the front door."""
    parser = subparsers.add_parser(
        "translations",
        help="what is missing, what is outdated, and what to do first",
        description="Show what state every translation is in. First come texts with a correction that has not reached "
        "every translation, then those that most languages lack or have as they were, then the newest.",
    )
    parser.add_argument("--lang", default="", help="one language only, with what to do for each text")
    parser.add_argument("--json", action="store_true", help="everything, for a program")
    parser.add_argument(
        "--record", action="store_true", help="record what unrecorded translations were made from, as CI does"
    )
    parser.add_argument(
        "--base", default="", metavar="REF", help="with --record: their sources as they were where this branch left REF"
    )
    parser.add_argument("--html", action="store_true", help="write the dashboard: pages for an editor's browser")
    parser.add_argument("--in", dest="speaking", default="", metavar="LANG", help="with --html: the editor's language")
    parser.set_defaults(run=lambda args: run_translations(args, root))


def run_translations(args: argparse.Namespace, root: Path) -> int:
    """Show the state of all translations, or record what they were made from; 1 when a file is broken."""
    from .errors import DeskError

    survey = _take_survey(args, root)
    tags = [language.tag for language in survey.inventory.languages]
    lang = next((tag for tag in tags if tag.casefold() == args.lang.casefold().replace("_", "-")), "")
    if args.lang and not lang:
        raise DeskError(f"--lang {args.lang}", "not a language of this site", f"Use one of {', '.join(tags)}")
    if args.base and not args.record:
        raise DeskError(f"--base {args.base}", "it says from when to record", "Add --record")
    today = datetime.now(UTC).date()
    if args.record:
        _record(survey, today, args.base, lang)
    elif args.json:
        print(json.dumps(describe(survey, today, lang), ensure_ascii=False, indent=1))
    elif args.html:
        _write_dashboard(survey, root, args.speaking, today)
    elif lang:
        print("\n".join(_list(survey, lang, today)))
    else:
        print("\n".join(_matrix(survey, today)))
    for problem in survey.problems:
        print(problem, file=sys.stderr)
    return 1 if survey.problems else 0


def _take_survey(args: argparse.Namespace, root: Path) -> Survey:
    from .settings import read_configuration
    from .states import Survey

    gc.disable()  # all that is read is kept: looking for garbage among it took a third of the time
    try:
        inventory: Inventory = args.read_content[0](root)
        return Survey(inventory, read_configuration(inventory.settings))
    finally:
        gc.enable()


def _record(survey: Survey, today: date, base: str, lang: str) -> None:
    from .recording import record_all

    done = list(record_all(survey, today, base, lang))
    earlier = sum(is_earlier for _, is_earlier in done)
    for one, _ in done:
        print(f"recorded: {one.key} in {one.lang}, from {one.source.lang}")
    where = f"; {earlier} by the source as it was where this branch left {base}" if base else ""
    print(f"Recorded {_count(len(done), 'translation')}{where}." if done else "Nothing to record.")


def _write_dashboard(survey: Survey, root: Path, speaking: str, today: date) -> None:
    from .choice import choose_language
    from .dashboard import write_dashboard
    from .settings import open_repository, read_configuration

    settings = survey.inventory.settings
    configuration = read_configuration(settings)
    language = choose_language(survey, speaking or str(settings["DEFAULT_LANG"]))
    page = write_dashboard(survey, root / configuration.dashboard, language, today, open_repository(configuration))
    print(f"{page.relative_to(root) if page.is_relative_to(root) else page}: open it in a browser.")


def describe(survey: Survey, today: date, lang: str = "") -> dict[str, Any]:
    """Everything, in the order in which it is to be done; texts with nothing to do come last."""
    from .states import in_order

    urgent = in_order(survey.groups, lang)
    rest = [group for group in survey.groups if group not in urgent]
    return {
        "languages": [
            {
                "lang": language.tag,
                "name": language.name,
                "counts": dict(_count_states(survey, language.tag)),
                "words": _count_words(survey, language.tag),
            }
            for language in survey.inventory.languages
            if not lang or language.tag == lang
        ],
        "texts": [
            {
                "kind": group.kind,
                "key": group.key,
                "source": group.article.lang,
                "title": " ".join(group.article.fields.get("title", ())),
                "translations": {
                    one.lang: _describe(one, today)
                    for one in group.translations.values()
                    if not lang or one.lang == lang
                },
            }
            for group in (*urgent, *rest)
        ],
        "problems": survey.problems,
    }


def _describe(one: Translation, today: date) -> dict[str, Any]:
    from .states import age

    return {
        "state": one.state,
        "from": one.source.lang,
        "words": one.words,
        "age": age(one, today),
        "changes": dict(Counter(change.op for change in one.changes)),
        "upstream": one.upstream,
        "notes": list(one.notes),
        "claim": {"by": one.claim.by, "day": one.claim.day.isoformat()} if one.claim else None,
    }


def _matrix(survey: Survey, today: date) -> Iterable[str]:
    """Counts by language, then a line for each text that is not current everywhere."""
    from .states import STATES, age, in_order

    tags = [language.tag for language in survey.inventory.languages]
    counts = {tag: _count_states(survey, tag) for tag in tags}
    words = {tag: _count_words(survey, tag) for tag in tags}
    width = max((len(tag) for tag in tags), default=0)
    width = max(width, *(len(f"{number:,}") for number in words.values())) + 2
    head = 13
    yield " " * head + "".join(tag.rjust(width) for tag in tags)
    for state in STATES:
        if any(counts[tag][state] for tag in tags):
            label = f"{MARKS[state]} {state}".ljust(head)
            yield label + "".join((str(counts[tag][state]) if counts[tag][state] else "").rjust(width) for tag in tags)
    yield "words to do".ljust(head) + "".join((f"{words[tag]:,}" if words[tag] else "").rjust(width) for tag in tags)
    groups = in_order(survey.groups)
    yield ""
    if not groups:
        yield "Everything is current."
        return
    size = max(width, 4)
    name = max(len(group.key) for group in groups) + 2
    yield "text".ljust(name) + "".join(tag.rjust(size) for tag in tags) + "  days"
    for group in groups:
        days = max((one_age for one in group.to_do if (one_age := age(one, today)) is not None), default=None)
        marks = "".join(_mark(group, tag).rjust(size) for tag in tags)
        yield (group.key.ljust(name) + marks + ("" if days is None else str(days)).rjust(6) + _remark(group)).rstrip()
    yield ""
    yield "@ source article. What to do in a language: ./blog translations --lang " + tags[-1]


def _mark(group: Group, tag: str) -> str:
    if tag == group.article.lang:
        return "@"
    one = group.translations.get(tag)
    return MARKS[one.state] if one else ""


def _remark(group: Group) -> str:
    notes = sorted({note for one in group.to_do for note in one.notes})
    return f"  {', '.join(notes)}" if notes else ""


def _list(survey: Survey, lang: str, today: date) -> Iterable[str]:
    """What there is to do in one language, the most important first."""
    from .states import age, in_order

    groups = in_order(survey.groups, lang)
    for group in groups:
        one = group.translations[lang]
        days = age(one, today)
        since = "" if days is None else f", {_count(days, 'day')}"
        words = f", {_count(one.words, 'word')}" if one.words else ""
        yield f"{group.key}: {one.state}{words}{since}"
        yield from (f"    {line}" for line in _explain(one))
    counts = _count_states(survey, lang)
    told = ", ".join(f"{number:,} {state}" for state, number in counts.items())
    yield (
        "\n" if groups else ""
    ) + f"{lang}: {told or 'nothing to translate'}; {_count_words(survey, lang):,} words to do."


def _explain(one: Translation) -> Iterable[str]:
    """Why a translation is in its state, and the command that comes next."""
    for note in one.notes:
        yield f"the source article was {note}"
    counts = Counter(change.op for change in one.changes)
    if counts:
        yield f"{one.source.lang}: {', '.join(f'{number} {op}' for op, number in counts.items())}"
    if one.upstream:
        yield f"{one.source.lang}, from which it was translated, is outdated itself"
    if one.claim:
        yield f"claimed on {one.claim.day.isoformat()}" + (f" by {one.claim.by}" if one.claim.by else "")
    if one.state == "missing":
        yield f"./blog translate {one.key} {one.lang}"
    elif one.state == "outdated":
        yield f"./blog diff {one.key} {one.lang}"
    elif one.state == "unrecorded":
        yield f"./blog accept {one.key} {one.lang}  (if it says what its source says)"


def _states(survey: Survey, lang: str) -> Sequence[Translation]:
    return [one for group in survey.groups if (one := group.translations.get(lang))]


def _count_states(survey: Survey, lang: str) -> Counter[str]:
    from .states import STATES

    found = Counter(one.state for one in _states(survey, lang))
    return Counter({state: found[state] for state in STATES if found[state]})


def _count_words(survey: Survey, lang: str) -> int:
    return sum(one.words for one in _states(survey, lang))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
