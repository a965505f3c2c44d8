"""Receivers of Pelican's signals."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from inspect import getattr_static
from typing import Any

from pelican import Pelican
from pelican.contents import Article, Content, Page
from pelican.generators import Generator
from pelican.plugins import signals

from .blocks import mark, without_ids
from .links import guard_links
from .notes import order_notes
from .numbers import numbered
from .reading import reading_minutes
from .settings import Configuration, read_configuration

logger = logging.getLogger(__name__)

_LISTS = ("articles", "translations", "hidden_articles", "hidden_translations", "drafts", "drafts_translations")


class _State:
    """The settings of the Pelican object that was prepared last."""

    configuration: Configuration | None = None


def connect() -> None:
    """Connect every receiver. Pelican holds them weakly, so they are module functions."""
    signals.initialized.connect(prepare)
    signals.generator_init.connect(add_filter)
    signals.content_object_init.connect(prepare_text)
    signals.all_generators_finalized.connect(compare_translations)


def prepare(pelican: Pelican) -> None:
    """Read the settings. Raises ConfigurationError, which ends the build."""
    _State.configuration = None
    # Receivers outlive the site that asked for them; Pelican has put the names of the loaded plugins there.
    if __package__ in pelican.settings["PLUGINS"]:
        _State.configuration = read_configuration(pelican.settings)


def add_filter(generator: Generator) -> None:
    """Give templates the filter `numbered`."""
    if _State.configuration is not None:
        # Bound here, not by `pass_environment`: that is compiled into templates, whose cache outlives the settings.
        generator.env.filters["numbered"] = partial(numbered, generator.env)


def prepare_text(content: Content) -> None:
    """Mark a text when Pelican makes its object, which it does once in each build, whatever it has cached."""
    configuration = _State.configuration
    if configuration is None or not isinstance(content, Article | Page):
        return
    kind = "article" if isinstance(content, Article) else "page"
    marked = mark(order_notes(content._content or ""), numbered=kind in configuration.numbered)
    content._content = guard_links(marked.html, configuration.host)
    content.paragraphs = marked.paragraphs
    content.contents = marked.contents
    content.reading_minutes = reading_minutes(marked.words, content.lang, configuration.speeds)
    _guard_metadata(content, configuration.host)
    if "summary" not in content.metadata:
        content.get_summary = partial(_summarise, content)
    for name in marked.taken:
        what = f"the id {name!r} stands in the text, so what it should mark cannot be cited"
        _report(content._context, content, what, "Give it another name.")


def _guard_metadata(content: Content, host: str) -> None:
    for name in content.settings["FORMATTED_FIELDS"]:
        value = content.metadata.get(name)
        if isinstance(value, str) and "<a" in value.lower():
            guarded = content.metadata[name] = guard_links(value, host)
            setattr(content, "_summary" if name == "summary" else name.lower(), guarded)


def _summarise(content: Content, siteurl: str) -> str:
    """A summary made of the beginning of the text: several stand on one page, so it keeps no id."""
    # Pelican memoizes by a descriptor, which knows a method only by its object.
    summarise = getattr_static(type(content), "get_summary").__get__(content, type(content))
    return without_ids(summarise(siteurl))


def compare_translations(generators: list[Generator]) -> None:
    """Say which translations have other blocks than their sources."""
    for generator in generators if _State.configuration is not None else ():
        for article in _articles(generator):
            source = getattr(article, "source", None)
            if source is None or source is article or getattr(article, "withdrawal", None):
                continue
            if article.paragraphs != source.paragraphs:
                what = (
                    f"has {article.paragraphs} numbered paragraphs, its source ({source.lang}) has "
                    f"{source.paragraphs}: citations by number will not match"
                )
                _report(generator.context, article, what, "Split and join paragraphs as the source does.")


def _articles(generator: Generator) -> Iterator[Content]:
    seen = set()
    for name in _LISTS if hasattr(generator, "drafts_translations") else ():
        for article in getattr(generator, name, ()):
            if id(article) not in seen and hasattr(article, "paragraphs"):
                seen.add(id(article))
                yield article


def _report(context: dict[str, Any], where: Content, what: str, remedy: str) -> None:
    """Warn where the site collects problems; otherwise in the log."""
    if "report_problem" in context:
        context["report_problem"](where, what, remedy, warning=True)
    else:
        logger.warning("%s: %s. %s", where, what, remedy)
