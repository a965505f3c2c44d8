"""Terms: the topics, authors, countries and the like that tie articles together.

A term has a key that no language owns, and a name and a slug in each. The site's own
topics and authors stand in one table, `terms.yaml`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import yaml

from .errors import Problem, suggestion
from .languages import canonical_tag
from .placement import slug_fault
from .settings import Taxonomy

#: What a row of the table may say besides its name: who somebody is, what something means.
TEXTS = ("credentials", "about")


class Localised(str):
    """A text in the page's language that can be asked for another: `term.name("fa")`.

    A template of Pelican's reads `tag.name`; the seam between plugins calls `name(lang)`.
    One object serves both.
    """

    __slots__ = ("_find",)
    _find: Callable[[str], str]

    def __new__(cls, text: str, find: Callable[[str], str]) -> Localised:
        """The text, and who knows the others."""
        made = super().__new__(cls, text)
        made._find = find
        return made

    def __call__(self, lang: str) -> str:
        """The text in another language."""
        return str(self._find(lang))


class Item(Protocol):
    """What another plugin puts into a taxonomy's article attribute."""

    @property
    def key(self) -> str:
        """What identifies it in every language."""

    def name(self, lang: str) -> str:
        """Its name."""

    def slug(self, lang: str) -> str:
        """Its part of an address."""


@dataclass(frozen=True, slots=True)
class Term:
    """A row of the table. A missing name falls back, and says in which language it is.

    `texts` are what else is said about it, by field and language; those fall back to nothing.
    """

    key: str
    names: Mapping[str, str] = field(default_factory=dict, hash=False)
    slugs: Mapping[str, str] = field(default_factory=dict, hash=False)
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict, hash=False)

    def name(self, lang: str) -> str:
        """Its name, in another language where there is none in this one."""
        return self.names.get(lang) or self.names.get(self.name_lang(lang)) or self.names.get("") or self.key

    def name_lang(self, lang: str) -> str:
        """The language the name for `lang` really is in."""
        if lang in self.names:
            return lang
        return "en" if "en" in self.names else next(iter(self.names), "") or lang

    def slug(self, lang: str) -> str:
        """Its part of an address: its own in this language, else the key."""
        return self.slugs.get(lang, self.key)

    def text(self, field: str, lang: str) -> str:
        """One of its further texts (TEXTS), "" where this language has none."""
        return self.texts.get(field, {}).get(lang, "")


class BoundTerm:
    """A term as one edition shows it: text in its language, addresses under its prefix."""

    __slots__ = ("about", "credentials", "item", "key", "name", "name_lang", "save_as", "slug", "url")

    def __init__(self, item: Item, lang: str, taxonomy: Taxonomy | None, prefix: str) -> None:
        self.item = item
        self.key = item.key
        self.name = Localised(item.name(lang), item.name)
        self.slug = Localised(item.slug(lang), item.slug)
        name_lang = getattr(item, "name_lang", None)
        self.name_lang: str = name_lang(lang) if callable(name_lang) else lang
        text = getattr(item, "text", None)
        self.credentials, self.about = (str(text(field, lang)) if callable(text) else "" for field in TEXTS)
        self.url = ""
        self.save_as = ""
        if taxonomy:
            self.url = prefix + taxonomy.url.format(slug=str(self.slug), key=self.key)
            self.save_as = save_as_of(self.url)

    def __str__(self) -> str:
        return str(self.name)

    def __repr__(self) -> str:
        return f"<term {self.key}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BoundTerm) and other.key == self.key

    def __lt__(self, other: BoundTerm) -> bool:
        return str(self.slug) < str(other.slug)  # Pelican sorts its lists of authors

    def __hash__(self) -> int:
        return hash(self.key)


def item_of(term: Any) -> Item:
    """What another plugin, or Pelican itself, has put into a taxonomy's attribute."""
    if isinstance(term, BoundTerm):
        return term.item
    if hasattr(term, "key"):
        item: Item = term
        return item
    return Term(str(term.slug), {"": str(term)})  # a wrapper of Pelican's, the same in every language


def save_as_of(url: str) -> str:
    """The file behind an address: a folder's is its index.html."""
    return url + "index.html" if url.endswith("/") or not url else url


class TermTable:
    """The tables of `terms.yaml`: kind ("topics", "authors") → key → term."""

    def __init__(self, path: Path | None, name: str = "") -> None:
        self.problems: list[Problem] = []
        self.tables: dict[str, dict[str, Term]] = {}
        self._name = name
        if path is not None:
            self._read(path)

    def get(self, kind: str) -> dict[str, Term]:
        """One table, empty where there is none."""
        return self.tables.get(kind, {})

    def _read(self, path: Path) -> None:
        try:
            root = yaml.compose(path.read_text("utf-8-sig"), Loader=yaml.BaseLoader)
        except FileNotFoundError:
            self._report(0, "the table of terms is missing", "Write it, or unset MULTILINGUAL_TERMS.")
            return
        except UnicodeDecodeError:
            self._report(0, "the file is not UTF-8", "Save it as UTF-8.")
            return
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            self._report(
                mark.line + 1 if mark else 0,
                str(getattr(error, "problem", None) or "the table is not YAML"),
                "Mend the table.",
            )
            return
        for kind, rows in self._entries(root, "the file"):
            self.tables[kind] = {}
            for key, row in self._entries(rows, kind):
                line, before = row.start_mark.line + 1, len(self.problems)
                texts = {name: self._texts(node, f"{kind}.{key}") for name, node in self._entries(row, f"{kind}.{key}")}
                slugs = texts.get("slug", {})
                for slug in (key, *slugs.values()):
                    if fault := slug_fault(slug, frozenset()):
                        self._report(line, f"{kind}.{key}: {fault}", "Use letters, digits and hyphens of any script.")
                for unknown in texts.keys() - {"name", "slug", *TEXTS}:
                    remedy = suggestion(unknown, ("name", "slug", *TEXTS))
                    self._report(line, f"{kind}.{key} has an unknown field {unknown!r}", remedy)
                if texts.get("name"):
                    further = {name: texts[name] for name in TEXTS if name in texts}
                    self.tables[kind][key] = Term(key, texts["name"], slugs, further)
                elif isinstance(row, yaml.MappingNode) and len(self.problems) == before:
                    self._report(line, f"{kind}.{key} has no names", "Write `name:` with a text per language.")

    def _entries(self, node: yaml.Node | None, what: str) -> Iterator[tuple[str, yaml.Node]]:
        """The entries of a table, each key once."""
        if node is not None and not isinstance(node, yaml.MappingNode):
            self._report(node.start_mark.line + 1, f"{what} is not a table", "Write `key: value`, as YAML has it.")
        seen = set()
        for key_node, value in node.value if isinstance(node, yaml.MappingNode) else ():
            key = str(key_node.value)
            if key in seen:
                self._report(key_node.start_mark.line + 1, f"{what} has {key!r} twice", "Keep one of them.")
            else:
                seen.add(key)
                yield key, value

    def _texts(self, node: yaml.Node, what: str) -> dict[str, str]:
        """A text per language."""
        texts = {}
        for raw, value in self._entries(node, what):
            line = value.start_mark.line + 1
            try:
                tag = canonical_tag(raw)
            except ValueError as error:
                self._report(line, f"{what}: {error}", "Write the language's tag, e.g. fa.")
                continue
            if not isinstance(value, yaml.ScalarNode):
                self._report(line, f"{what}: the value for {tag} is not text", "Write text.")
            elif value.value:
                texts[tag] = unicodedata.normalize("NFC", value.value)
        return texts

    def _report(self, line: int, what: str, remedy: str) -> None:
        self.problems.append(Problem(self._name, line, what, remedy))
