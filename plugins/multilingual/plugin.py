"""Receivers of Pelican's signals: each hands over to the `Site` of the current run.

Connected once, in the order of PLUGINS. While no site of the plugin's is being built they
do nothing, so that without `MULTILINGUAL_LANGUAGES` the output is Pelican's own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pelican import Pelican
from pelican.contents import Content
from pelican.generators import ArticlesGenerator, Generator, PagesGenerator
from pelican.plugins import signals
from pelican.readers import MarkdownReader, Readers
from pelican.writers import Writer

from .errors import ConfigurationError, Problem
from .readers import PROBLEM, make_markdown_reader, make_recording_reader
from .settings import Preparation, read_configuration
from .site import Site

logger = logging.getLogger(__name__)


class _State:
    """The Pelican object that was prepared last, and its current run."""

    preparation: Preparation | None = None
    site: Site | None = None
    on_plan: Callable[[Site], None] | None = None


def connect() -> None:
    """Connect every receiver. Pelican holds them weakly, so they are module functions."""
    signals.initialized.connect(prepare)
    signals.readers_init.connect(replace_readers)
    signals.generator_init.connect(begin)
    signals.content_object_init.connect(adopt)
    signals.article_generator_context.connect(report_unreadable)
    signals.page_generator_context.connect(report_unreadable)
    signals.article_generator_pretaxonomy.connect(arrange_articles)
    signals.page_generator_finalized.connect(arrange_pages)
    signals.all_generators_finalized.connect(resolve_links)
    signals.get_writer.connect(plan)
    signals.article_writer_finalized.connect(write_articles)
    signals.page_writer_finalized.connect(write_pages)
    signals.feed_generated.connect(complete_feed)
    signals.finalized.connect(finish)


def watch_plan(receiver: Callable[[Site], None] | None) -> None:
    """Call `receiver` when everything is planned and nothing is written yet.

    It may raise to stop the build there. Without one, problems are logged as errors.
    """
    _State.on_plan = receiver


def prepare(pelican: Pelican) -> None:
    """Read the settings. Raises ConfigurationError, which ends the build."""
    _State.preparation = _State.site = None
    settings = pelican.settings
    configuration = read_configuration(settings)
    if configuration is None:
        return
    if settings["CACHE_CONTENT"] and settings["CONTENT_CACHING_LAYER"] == "generator":
        raise ConfigurationError(
            "CONTENT_CACHING_LAYER",
            "generator",
            "use 'reader': objects from that cache never pass through plugins",
        )
    ids = {
        "article": _names(settings["ARTICLE_TRANSLATION_ID"]),
        "page": _names(settings["PAGE_TRANSLATION_ID"]),
    }
    content = Path(settings["PATH"])
    root = Path.cwd() if content.is_relative_to(Path.cwd()) else content.parent
    _State.preparation = Preparation(settings, configuration, ids, root)
    # The plugin decides what belongs together; Pelican then groups by its answer.
    settings["ARTICLE_TRANSLATION_ID"] = settings["PAGE_TRANSLATION_ID"] = "translation_identity"
    settings["DEFAULT_LANG"] = configuration.languages.default.tag


def _names(translation_id: str | Sequence[str] | None) -> tuple[str, ...]:
    if not translation_id:
        return ()
    return (translation_id,) if isinstance(translation_id, str) else tuple(sorted(translation_id))


def replace_readers(readers: Readers) -> None:
    """Read Markdown with our reader, and have the others tell what a file states."""
    preparation = _State.preparation
    if preparation is None or readers.settings is not preparation.settings:
        return
    for ending, base in readers.reader_classes.items():
        if base is None:
            continue
        if base is MarkdownReader:
            readers.reader_classes[ending] = make_markdown_reader(preparation.root)
        elif base.file_extensions != ["static"]:
            readers.reader_classes[ending] = make_recording_reader(base, preparation.root)


def begin(generator: Generator) -> None:
    """Begin a run with its first generator; let the others share its environment."""
    preparation = _State.preparation
    if preparation is None or generator.settings is not preparation.settings:
        return
    if _State.site is None or _State.site.context is not generator.context:
        _State.site = Site(preparation, generator.context)
        _State.site.voice.install(generator.env)
        _State.site.environment = generator.env
    else:
        generator.env = _State.site.environment


def adopt(content: Content) -> None:
    """Place a new content object in its edition."""
    if _State.site is not None and content._context is _State.site.context:
        _State.site.adopt(content)


def report_unreadable(generator: Generator, metadata: dict[str, Any]) -> None:
    """Take the problem of a file that could not be read out of its metadata."""
    if _State.site is not None and isinstance(metadata.get(PROBLEM), Problem):
        _State.site.problems.append(metadata[PROBLEM])


def arrange_articles(generator: ArticlesGenerator) -> None:
    """Form the groups of articles, before Pelican looks at their tags."""
    if _State.site is not None:
        _State.site.arrange_articles(generator)


def arrange_pages(generator: PagesGenerator) -> None:
    """Form the groups of pages."""
    if _State.site is not None:
        _State.site.arrange_pages(generator)


def resolve_links(generators: list[Generator]) -> None:
    """Lead links to the reader's language, before Pelican replaces them for good."""
    if _State.site is not None:
        _State.site.resolve_links()


def plan(pelican: Pelican) -> None:
    """Plan everything, say what is wrong, and keep Pelican's own output back."""
    site = _State.site
    if site is None:
        return
    site.make_plan()
    if _State.on_plan is not None:
        _State.on_plan(site)
    else:
        for problem in (*site.problems, *site.left_out):
            logger.log(logging.WARNING if problem.warning else logging.ERROR, "%s", problem)
    site.mute()


def write_articles(generator: ArticlesGenerator, writer: Writer) -> None:
    """Write the editions, when Pelican has written nothing."""
    if _State.site is not None:
        _State.site.write_articles(writer)


def write_pages(generator: PagesGenerator, writer: Writer) -> None:
    """Write the static pages, and what belongs to no edition."""
    if _State.site is not None:
        _State.site.write_pages(writer)


def complete_feed(context: dict[str, Any], feed: Any) -> None:
    """Add what Pelican leaves out of a feed."""
    if _State.site is not None and context is _State.site.context:
        _State.site.complete_feed(feed)


def finish(pelican: Pelican) -> None:
    """Give back what Pelican memoizes for ever: it would grow with every rebuild."""
    if _State.preparation is not None:
        for name in ("get_content", "get_summary"):
            Content.__dict__[name].cache.clear()
