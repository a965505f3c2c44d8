"""What `./blog translations` tells: all languages in a matrix, one language as a list, everything for a program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from .choice import list_sources
from .states import STATES, Group, Survey, Translation, age, in_order

#: What stands in the matrix for each state.
MARKS = {"missing": ".", "claimed": "c", "draft": "d", "unrecorded": "?", "outdated": "!", "current": "="}


def describe(survey: Survey, today: date, lang: str = "") -> dict[str, Any]:
    """Everything, in the order in which it is to be done; texts with nothing to do come last."""
    urgent = in_order(survey.groups, lang)
    known = {(group.kind, group.key) for group in urgent}
    rest = [group for group in survey.groups if (group.kind, group.key) not in known]
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


def show_matrix(survey: Survey, today: date) -> Iterable[str]:
    """Counts by language, then a line for each text that is not current everywhere."""
    tags = [language.tag for language in survey.inventory.languages]
    counts = {tag: _count_states(survey, tag) for tag in tags}
    words = {tag: _count_words(survey, tag) for tag in tags}
    width = max(len(text) for tag in tags for text in (tag, f"{words[tag]:,}")) + 2

    def row(label: str, cells: Iterable[str], room: int = 13) -> str:
        return (label.ljust(room) + "".join(cell.rjust(width) for cell in cells)).rstrip()

    yield row("", tags)
    for state in STATES:
        if any(counts[tag][state] for tag in tags):
            yield row(f"{MARKS[state]} {state}", (f"{counts[tag][state]:,}" * bool(counts[tag][state]) for tag in tags))
    yield row("words to do", (f"{words[tag]:,}" * bool(words[tag]) for tag in tags))
    yield ""
    groups = in_order(survey.groups)
    if not groups:
        yield "Everything is current."
        return
    room = max(len(group.key) for group in groups) + 2
    yield row("text", tags, room) + "  days"
    for group in groups:
        days = [days for one in group.to_do if (days := age(one, today)) is not None]
        shown = row(group.key, (_mark(group, tag) for tag in tags), room).ljust(room + width * len(tags))
        yield (shown + (str(max(days)) if days else "").rjust(6) + _remark(group)).rstrip()
    yield ""
    yield "@ source article. What to do in a language: ./blog translations --lang LANG"


def _mark(group: Group, tag: str) -> str:
    if tag == group.article.lang:
        return "@"
    one = group.translations.get(tag)
    return MARKS[one.state] if one else ""


def _remark(group: Group) -> str:
    notes = sorted({note for one in group.to_do for note in one.notes})
    return f"  {', '.join(notes)}" if notes else ""


def list_to_do(survey: Survey, lang: str, today: date) -> Iterable[str]:
    """What there is to do in one language, the most important first."""
    groups = in_order(survey.groups, lang)
    for group in groups:
        one = group.translations[lang]
        days = age(one, today)
        since = "" if days is None else f", {count(days, 'day')}"
        words = f", {count(one.words, 'word')} in {one.source.lang}" if one.words else ""
        yield f"{group.key}: {one.state}{words}{since}"
        yield from (f"    {line}" for line in _explain(survey, one))
    if groups:
        yield ""
    counts = _count_states(survey, lang)
    told = ", ".join(f"{number:,} {state}" for state, number in counts.items())
    yield f"{lang}: {told or 'nothing to translate'}; {_count_words(survey, lang):,} words to do."


def _explain(survey: Survey, one: Translation) -> Iterable[str]:
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
    pair = f"{one.key} {one.lang}"
    if one.state == "missing":
        others = ", ".join(text.lang for text in list_sources(survey, one)[1:])
        yield f"./blog translate {pair}" + (f"  (or, if you read that better, --from {others})" if others else "")
    elif one.state == "draft" and one.text:
        yield f"./blog translate {pair} --done  (when {one.text.name} is filled in)"
    elif one.state == "outdated":
        yield f"./blog diff {pair}"
    elif one.state == "unrecorded":
        yield f"./blog accept {pair}  (if it says what its source says)"


def _states(survey: Survey, lang: str) -> Sequence[Translation]:
    return [one for group in survey.groups if (one := group.translations.get(lang))]


def _count_states(survey: Survey, lang: str) -> Counter[str]:
    found = Counter(one.state for one in _states(survey, lang))
    return Counter({state: found[state] for state in STATES if found[state]})


def _count_words(survey: Survey, lang: str) -> int:
    return sum(one.words for one in _states(survey, lang))


def count(number: int, noun: str) -> str:
    """A number of things: "1,200 words"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
