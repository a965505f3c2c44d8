"""How what recurs is written in each language: `content/glossary.yaml`.

Two tables, `terms` and `names`, map what recurs to its rendering in each language, and to a
`note` for translators where there is one to make; `style` has the habits of each language.
In a rendering a semicolon parts forms that are all in use, and a remark stands in brackets.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .errors import GlossaryError
from .settings import Configuration
from .states import Survey
from .words import split_words

_TABLES = ("terms", "names")
_FORMS = re.compile(r"[;；](?![^(（]*[)）])")
_REMARK = re.compile(r"\s*[(（][^)）]*[)）]")
#: What Arabic writes in one with the word that follows: and, so, by, as, for, the.
_ARABIC_HEAD = re.compile(r"(?:[وف]?[بكل]?ال|[وف]?لل|[وفبكل])(?=\w{3})")
_UNSPACED = ("zh", "ja", "th", "lo", "km", "my")


@dataclass(frozen=True, slots=True)
class Term:
    """What recurs, by its key; how each language writes it, as the glossary says it; a note."""

    key: str
    renderings: Mapping[str, str]
    note: str = ""

    def forms(self, lang: str) -> tuple[str, ...]:
        """The forms in use in a language, without remarks."""
        parts = (_REMARK.sub("", part).replace("*", "").strip() for part in _FORMS.split(self.renderings.get(lang, "")))
        return tuple(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Found:
    """A term in a text: which, and from where to where."""

    term: Term
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Glossary:
    """All terms and names, and the habits of each language."""

    terms: tuple[Term, ...] = ()
    style: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def find_terms(self, text: str, lang: str) -> list[Found]:
        """The terms in a text of a language, in reading order; of those that overlap the longest.

        Words are inflected, so a word counts that begins as the term's does. That offers a rendering where
        it may be wanted; it is too coarse to call anything wrong.
        """
        language = lang.split("-")[0]
        words = _Words(text, language) if language not in _UNSPACED else None
        found = [
            Found(term, start, end)
            for term in self.terms
            for form in term.forms(lang)
            for start, end in (words.find(form) if words else _find_signs(text, form))
        ]
        chosen: list[Found] = []
        for one in sorted(found, key=lambda one: (one.start - one.end, one.start)):
            if all(one.end <= other.start or other.end <= one.start for other in chosen):
                chosen.append(one)
        return sorted(chosen, key=lambda one: one.start)


def open_glossary(survey: Survey, configuration: Configuration) -> Glossary:
    """The glossary that the settings name. Raises GlossaryError."""
    inventory = survey.inventory
    if not configuration.glossary:
        return Glossary()
    return read_glossary(inventory.content / configuration.glossary, [language.tag for language in inventory.languages])


def read_glossary(path: Path, langs: Collection[str]) -> Glossary:
    """Read the glossary of a site in these languages; an empty one where there is no file. Raises GlossaryError."""
    try:
        node = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=yaml.BaseLoader)  # noqa: S506 - text only
    except FileNotFoundError:
        return Glossary()
    except UnicodeDecodeError as error:
        raise GlossaryError(path.name, "it is not UTF-8", "Save it as UTF-8") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path.name}:{mark.line + 1}" if mark else path.name
        what = getattr(error, "problem", None) or "it is not YAML"
        raise GlossaryError(where, what, "Put a rendering that contains a colon or a quote in quotes") from error
    tables = _mapping(node or {}, path.name, "the glossary")
    for name in tables:
        if name not in (*_TABLES, "style"):
            raise GlossaryError(path.name, f"{name!r} is no table", "Use terms, names and style")
    style = _mapping(tables.get("style") or {}, path.name, "style")
    for lang, remarks in style.items():
        _expect_lang(lang, langs, path.name, "style")
        if not isinstance(remarks, list) or not all(isinstance(one, str) for one in remarks):
            raise GlossaryError(path.name, f"style of {lang} is no list of remarks", "Write `- ` before each")
    terms = [
        _read_term(key, stated, langs, path.name)
        for name in _TABLES
        for key, stated in _mapping(tables.get(name) or {}, path.name, name).items()
    ]
    return Glossary(tuple(terms), style)


def _read_term(key: str, stated: Any, langs: Collection[str], file: str) -> Term:
    stated = dict(_mapping(stated, file, repr(key)))
    note = stated.pop("note", "")
    for lang, rendering in {**stated, "note": note}.items():
        if lang != "note":
            _expect_lang(lang, langs, file, repr(key))
        if not isinstance(rendering, str):
            raise GlossaryError(file, f"{lang} of {key!r} is not text", "Write it in one line, forms parted by `;`")
    return Term(key, stated, note)


def _mapping(node: Any, file: str, what: str) -> Mapping[str, Any]:
    if not isinstance(node, dict):
        raise GlossaryError(file, f"{what} is no table", "Write `name: value`, one a line, indented")
    return node


def _expect_lang(lang: str, langs: Collection[str], file: str, what: str) -> None:
    if lang not in langs:
        raise GlossaryError(file, f"{what} has {lang!r}, which is no language of this site", f"Use {', '.join(langs)}")


def _find_signs(text: str, form: str) -> Iterator[tuple[int, int]]:
    for found in re.finditer(re.escape(form.casefold()), text.casefold()):
        yield found.span()


class _Words:
    """The words of a text, and where each beginning of three letters, which all forms share, stands among them."""

    def __init__(self, text: str, language: str) -> None:
        self._language = language
        self._words: list[tuple[frozenset[str], int, int]] = []
        self._beginning: dict[str, list[int]] = {}
        at = 0
        for word in split_words(text):
            if not word.isspace():
                forms = _without_heads(word.casefold(), language)
                for beginning in {form[:3] for form in forms}:
                    self._beginning.setdefault(beginning, []).append(len(self._words))
                self._words.append((forms, at, at + len(word)))
            at += len(word)

    def find(self, form: str) -> Iterator[tuple[int, int]]:
        """From where to where a form of a term stands, or another form of it."""
        wanted = [word.casefold() for word in split_words(form) if not word.isspace()]
        for place in self._beginning.get(wanted[0][:3], ()) if wanted else ():
            run = self._words[place : place + len(wanted)]
            if len(run) == len(wanted) and all(
                any(_is_form(word, other, self._language) for word in words)
                for (words, _, _), other in zip(run, wanted, strict=True)
            ):
                yield run[0][1], run[-1][2]


def _without_heads(word: str, language: str) -> frozenset[str]:
    """A word, and in Arabic what is left without what is written in one with it."""
    return frozenset({word, _ARABIC_HEAD.sub("", word)} if language == "ar" else {word})


def _is_form(word: str, wanted: str, language: str) -> bool:
    """Whether a word may be a form of another: it begins alike and is about as long."""
    if word == wanted:
        return True
    cut = 1 if language == "en" else 2  # English only adds to a word; others change its end
    stem = wanted if len(wanted) < 5 else wanted[: max(4, len(wanted) - cut)]
    return len(wanted) > 2 and word.startswith(stem) and len(word) <= len(wanted) + 3
