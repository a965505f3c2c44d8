"""Starting a language: everything there is to fill in for its edition, in one list, in the order to do it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import langcodes
import yaml
from langcodes.tag_parser import LanguageTagError

from .catalogues import Entry, count_words, fill_up, list_entries, read_messages
from .content import Inventory
from .errors import DeskError
from .settings import Configuration
from .states import Survey, in_order

_LANGUAGES = "MULTILINGUAL_LANGUAGES"
#: What a language says of itself there, which no other needs.
_OWN = ("name", "direction", "cldr")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: `what` in a line, and each place of it; none where it is done."""

    what: str
    places: tuple[str, ...] = ()


@dataclass(slots=True)
class Edition:
    """A language's way into the site: the files that were written now, and what is left to do, in order."""

    lang: str
    written: list[Path] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    @property
    def left(self) -> list[Step]:
        """What is not done."""
        return [step for step in self.steps if step.places]


def read_tag(raw: str) -> str:
    """A language tag as BCP 47 writes it. Raises DeskError for what is none."""
    try:
        tag = langcodes.standardize_tag(raw.replace("_", "-"))
    except LanguageTagError:
        tag = ""
    if not tag or not langcodes.tag_is_valid(tag):
        remedy = "Use one of the IANA registry, such as tr, pt-BR or zh-Hant"
        raise DeskError(raw, "it is no language tag", remedy)
    return str(tag)


def start_edition(inventory: Inventory, survey: Survey, configuration: Configuration, lang: str) -> Edition:
    """Begin every catalogue of a language, and list what is left; nothing that is there is changed."""
    edition = Edition(lang)
    edition.steps.append(_look_at_settings(inventory, lang))
    for name in configuration.catalogues:
        edition.steps.append(_begin_catalogue(edition, inventory.root, name, lang))
    for name in configuration.tables:
        path = inventory.content / name
        places = tuple(
            f"{_relative(path, inventory.root)}:{place}" for place in list_gaps(path, lang, _tags(inventory))
        )
        edition.steps.append(Step(f"names and lines in {_relative(path, inventory.root)}", places))
    edition.steps += _look_at_texts(survey, lang)
    return edition


def _look_at_settings(inventory: Inventory, lang: str) -> Step:
    if lang in _tags(inventory):
        return Step("the language's line in the settings")
    stated = inventory.settings[_LANGUAGES]
    usual = [
        name
        for name in dict.fromkeys(name for values in stated.values() for name in values)
        if name not in _OWN and 2 * sum(name in values for values in stated.values()) >= len(stated)
    ]
    told = ", ".join(f'"{name}": "…"' for name in usual)
    line = f'"{lang}": {{{told}}},'
    if not _is_known_to_cldr(lang):
        line = line.replace("{", '{"name": "…", "direction": "ltr", "cldr": "en", ', 1).replace(", }", "}")
    return Step("the language's line in the settings: its edition exists from then on, so do all this on a branch", (
        f"{find_setting(inventory.root / 'pelicanconf.py', _LANGUAGES)}: {line}",
    ))  # fmt: skip


def _is_known_to_cldr(lang: str) -> bool:
    from babel import Locale, UnknownLocaleError

    try:
        return bool(Locale.parse(lang.partition("-")[0]))
    except (UnknownLocaleError, ValueError):
        return False


def find_setting(path: Path, name: str) -> str:
    """Where a further line goes into a table of a settings file: "conf.py:40"; the file if that is unclear."""
    found = ""
    for node in ast.parse(path.read_text("utf-8-sig")).body:
        targets: Sequence[ast.expr] = ()
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = (node.target,)
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            found = f"{path.name}:{node.end_lineno}"  # the last one counts
    return found or path.name


def _begin_catalogue(edition: Edition, root: Path, name: str, lang: str) -> Step:
    folder = root / name
    path = folder / f"{lang}.po"
    entries = list_entries(folder)
    if fill_up(path, entries, lang):
        edition.written.append(path)
    finished = read_messages(path)
    left = [entry for entry in entries if entry.identity not in finished]
    words = f", {count_words(left):,} words" if left else ""
    return Step(
        f"{_relative(path, root)}: {len(left)} of {len(entries)} texts{words}",
        tuple(_say(entry, path, root) for entry in left),
    )


def _say(entry: Entry, path: Path, root: Path) -> str:
    return f"{_relative(path, root)}: {entry.id}"


def list_gaps(path: Path, lang: str, tags: Sequence[str]) -> Iterator[str]:
    """The texts of a YAML table that half of the languages have and this one has not: "3: topics.asylum.name (Asylum)".

    What fewer languages have is an exception of theirs, such as a slug.
    """
    try:
        node = yaml.compose(path.read_text("utf-8-sig"), Loader=yaml.BaseLoader)
    except FileNotFoundError:
        return
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DeskError(path.name, "it cannot be read", "`./blog check` says where") from error
    others = [tag for tag in tags if tag != lang]
    yield from _walk(node, (), lang, others)


def _walk(node: yaml.Node | None, trail: tuple[str, ...], lang: str, others: Sequence[str]) -> Iterator[str]:
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value, 1):
            yield from _walk(item, (*trail, str(number)), lang, others)
    if not isinstance(node, yaml.MappingNode):
        return
    texts = {key.value: value for key, value in node.value}
    stated = [tag for tag in others if getattr(texts.get(tag), "value", "")]
    if 2 * len(stated) >= len(others) > 0:
        if not getattr(texts.get(lang), "value", ""):
            example = texts["en"] if "en" in stated else texts[stated[0]]
            yield f"{node.start_mark.line + 1}: {'.'.join(trail)} ({example.value})"
        return
    for key, value in texts.items():
        yield from _walk(value, (*trail, key), lang, others)


def _look_at_texts(survey: Survey, lang: str) -> Iterator[Step]:
    for kind, what in (("page", "pages"), ("article", "articles: any one is a beginning")):
        groups = [group for group in survey.groups if group.kind == kind and not _is_done(group.translations, lang)]
        if lang in _tags(survey.inventory):
            order = {group.key: place for place, group in enumerate(in_order(survey.groups, lang))}
            groups = [group for group in groups if group.key in order]
            groups.sort(key=lambda group: order[group.key])
        groups = [group for group in groups if group.article.lang != lang]
        yield Step(what, tuple(f"./blog translate {group.key} {lang}" for group in groups))


def _is_done(translations: Mapping[str, Any], lang: str) -> bool:
    return lang in translations and translations[lang].state not in ("missing", "claimed", "draft")


def _tags(inventory: Inventory) -> list[str]:
    return [language.tag for language in inventory.languages]


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def describe_edition(edition: Edition, root: Path, limit: int = 3) -> Iterable[str]:
    """The list, with the first places of each step; `limit` 0 shows all."""
    for path in edition.written:
        yield f"wrote {_relative(path, root)}"
    for number, step in enumerate(edition.steps, 1):
        if not step.places:
            yield f"{number}. done: {step.what}"
            continue
        yield f"{number}. {step.what}"
        shown = step.places[:limit] if limit and len(step.places) > limit + 1 else step.places
        yield from (f"     {' '.join(place.split())}" for place in shown)
        if len(shown) < len(step.places):
            yield f"     and {len(step.places) - len(shown)} more (--all)"
