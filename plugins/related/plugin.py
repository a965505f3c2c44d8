"""Receivers of Pelican's signals."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator
from functools import partial
from typing import Any

from pelican import Pelican
from pelican.contents import Article
from pelican.generators import ArticlesGenerator, Generator
from pelican.plugins import signals

from .index import Index, Related, Terms
from .settings import Configuration, read_configuration

#: Pelican's lists of articles, of which only the first two may be named.
_PUBLISHED = ("articles", "translations")
_LISTS = (*_PUBLISHED, "hidden_articles", "hidden_translations", "drafts", "drafts_translations")


class _State:
    """The settings of the Pelican object that was made last, if it uses the plugin."""

    configuration: Configuration | None = None


def connect() -> None:
    """Connect every receiver. Pelican holds them weakly, so they are module functions."""
    signals.initialized.connect(prepare)
    signals.all_generators_finalized.connect(relate)


def prepare(pelican: Pelican) -> None:
    """Read the settings. Raises ConfigurationError, which ends the build."""
    _State.configuration = None
    # Pelican has put the names of the loaded plugins there.
    if __package__ in pelican.settings["PLUGINS"]:
        _State.configuration = read_configuration(pelican.settings)


def relate(generators: list[Generator]) -> None:
    """Give every article its related ones, to be found when a template asks."""
    configuration = _State.configuration
    if configuration is None:
        return
    for generator in generators:
        if isinstance(generator, ArticlesGenerator):
            library = Library(_lists_of(generator, _PUBLISHED), configuration.by)
            for article in _lists_of(generator, _LISTS):
                article.related = Related(partial(library.related, article), configuration.limit)


def _lists_of(generator: ArticlesGenerator, names: Iterable[str]) -> list[Article]:
    return [article for name in names for article in getattr(generator, name)]


class Library:
    """The published articles of a run, indexed by language when one is first asked for."""

    def __init__(self, articles: list[Article], attributes: tuple[str, ...]) -> None:
        self._articles = articles
        self._attributes = attributes
        self._indexes: dict[str, Index] = {}

    def related(self, article: Article) -> Iterator[Article]:
        """What is related to an article, the nearest first."""
        lang = str(article.lang)
        if lang not in self._indexes:
            own = [one for one in self._articles if str(one.lang) == lang and not getattr(one, "retraction", None)]
            by_key = sorted(own, key=_key_of)
            newest_first = sorted(by_key, key=lambda one: getattr(one, "listed", one.date), reverse=True)
            self._indexes[lang] = Index(newest_first, self._terms_of)
        return self._indexes[lang].related(article)

    def _terms_of(self, article: Article) -> Terms:
        return tuple(frozenset(_keys(getattr(article, name, None))) for name in self._attributes)


def _key_of(article: Article) -> str:
    return str(getattr(article, "translation_key", "") or article.slug)


def _keys(terms: Any) -> Iterator[Hashable]:
    """What terms are known by: a key, else a slug, else their text. A header's own field may be `a, b`."""
    if isinstance(terms, str):
        terms = filter(None, (term.strip() for term in re.split("[,;]", terms)))
    for term in terms if isinstance(terms, Iterable) else [terms] if terms else []:
        yield str(getattr(term, "key", None) or getattr(term, "slug", None) or term)
