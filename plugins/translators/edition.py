"""Starting a language: everything there is to fill in for its edition, in one list, in the order to do it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import langcodes
import yaml
from langcodes.tag_parser import LanguageTagError

from .catalogues import fill_up, list_entries, read_messages
from .content import Inventory
from .errors import DeskError
from .glossary import open_glossary
from .settings import Configuration
from .states import Survey, in_order, is_draft

_SETTINGS = "pelicanconf.py"
_LANGUAGES = "MULTILINGUAL_LANGUAGES"
#: What a language says of itself there, which no other needs.
_OWN = ("name", "direction", "cldr")
#: How many articles are named: any one is a beginning.
_ARTICLES = 20


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: `what` in a line, whether anything of it `is_left`, and the places where it is to be done."""

    what: str
    is_left: bool
    places: Sequence[str] = ()


@dataclass(slots=True)
class Edition:
    """A language's way into the site: the files that were written now, and what there is to do, in order."""

    lang: str
    written: list[Path] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


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


def start_edition(survey: Survey, configuration: Configuration, lang: str) -> Edition:
    """Begin every catalogue of a language, and list what is left; nothing that is there is changed."""
    inventory, edition = survey.inventory, Edition(lang)
    edition.steps.append(_look_at_settings(inventory, lang))
    for name in configuration.catalogues:
        edition.steps += _begin_catalogue(edition, inventory.root, name)
    for name in configuration.tables:
        edition.steps += _look_at_table(inventory, inventory.content / name, lang)
    edition.steps += _look_at_glossary(survey, configuration, lang)
    edition.steps += _look_at_texts(survey, lang)
    return edition


def _look_at_settings(inventory: Inventory, lang: str) -> Step:
    """The language's line, and what it lacks of what half of the others state: names, lines, addresses."""
    stated: dict[str, Mapping[str, Any]] = {read_tag(tag): own for tag, own in inventory.settings[_LANGUAGES].items()}
    own = stated.pop(lang, None)
    place = find_setting(inventory.root / _SETTINGS, _LANGUAGES)
    if own is None:
        line = "{}" if _is_known_to_cldr(lang) else '{"name": "…", "direction": "ltr", "cldr": "en"}'
        return Step(f'{_SETTINGS}: its line. The edition exists from then on, so do all this on a branch', True, (
            f'{place}: "{lang}": {line},',
        ))  # fmt: skip
    gaps = []
    if lang != inventory.settings["DEFAULT_LANG"]:  # for which the settings of the whole site are meant
        for name in dict.fromkeys(name for values in stated.values() for name in values if name not in _OWN):
            examples = [values[name] for values in stated.values() if name in values]
            if name not in own and 2 * len(examples) >= len(stated):
                gaps.append(f'{place}: {name} in "{lang}" ({inventory.settings.get(name, examples[0])})')
    return Step(f"{_SETTINGS}: its line, with what other languages state there", bool(gaps), gaps)


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


def _begin_catalogue(edition: Edition, root: Path, name: str) -> Iterator[Step]:
    path = root / name / f"{edition.lang}.po"
    entries = list_entries(path.parent)
    if fill_up(path, entries, edition.lang):
        edition.written.append(path)
    finished = read_messages(path)
    left = [entry for entry in entries if entry.identity not in finished]
    if entries:
        words = sum(entry.words for entry in left)
        told = f"{len(left)} of {len(entries)} texts, {words:,} words, each into its msgstr" if left else "its texts"
        yield Step(f"{_relative(path, root)}: {told}", bool(left))


def _look_at_table(inventory: Inventory, path: Path, lang: str) -> Iterator[Step]:
    name = _relative(path, inventory.root)
    gaps = [f"{name}:{gap}" for gap in list_gaps(path, lang, _tags(inventory))]
    if path.exists():
        told = f"{len(gaps)} names and lines, each as `{lang}: …` beside the others" if gaps else "names and lines"
        yield Step(f"{name}: {told}", bool(gaps), gaps)


def _look_at_glossary(survey: Survey, configuration: Configuration, lang: str) -> Iterator[Step]:
    """A term is written when a text needs it: a glossary that has any in the language is begun, and that is enough."""
    terms = open_glossary(survey, configuration).terms
    if terms:
        lacking = sum(not term.renderings.get(lang) for term in terms)
        told = "terms and names"
        if lacking:
            told = f"{lacking} of {len(terms)} {told}; write those that your texts need"
        name = _relative(survey.inventory.content / configuration.glossary, survey.inventory.root)
        yield Step(f"{name}: {told}", lacking == len(terms))


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
    ordered = {id(group): place for place, group in enumerate(in_order(survey.groups, lang))}
    for kind, what in (("page", "pages"), ("article", "articles")):
        all_ = [group for group in survey.groups if group.kind == kind and group.article.lang != lang]
        left = [group for group in all_ if not is_draft(group.article) and not _is_done(group.translations, lang)]
        left.sort(key=lambda group: ordered.get(id(group), 0))
        places = [f"./blog translate {group.key} {lang}" for group in left]
        told = f"{what}: {len(left)} of {len(all_)}" if left else what
        if kind == "article" and len(left) == len(all_):
            told += ". Any one is a beginning"
        if kind == "article" and len(places) > _ARTICLES:
            places[_ARTICLES:] = [f"and {len(places) - _ARTICLES} more: ./blog translations --lang {lang}"]
        if all_:
            yield Step(told, bool(left), places)


def _is_done(translations: Mapping[str, Any], lang: str) -> bool:
    return lang in translations and translations[lang].state not in ("missing", "claimed", "draft")


def _tags(inventory: Inventory) -> list[str]:
    return [language.tag for language in inventory.languages]


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def describe_edition(edition: Edition, root: Path) -> Iterator[str]:
    """The list, and what comes next."""
    for path in edition.written:
        yield f"wrote {_relative(path, root)}"
    for number, step in enumerate(edition.steps, 1):
        yield f"{number}. {step.what}" if step.is_left else f"{number}. done: {step.what}"
        yield from (f"     {' '.join(place.split())}" for place in step.places)
    yield ""
    lang = edition.lang
    left = [number for number, step in enumerate(edition.steps, 1) if step.is_left]
    if not left:
        yield f"{lang}: everything is there. `./blog check` looks at it."
    elif left[0] == 1:
        yield f"Next: 1. Then `./blog translate KEY {lang}` begins a text, and `./blog serve` shows it; what is not"
        yield f"filled in yet is shown in another language. `./blog language {lang}` lists what is left."
    else:
        yield f"Next: {left[0]}. `./blog serve` shows what is there, `./blog language {lang}` lists what is left."
