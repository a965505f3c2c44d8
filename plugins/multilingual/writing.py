"""Writing what was planned, one edition after the other, through Pelican's one writer."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from pelican.generators import Generator
from pelican.plugins import signals
from pelican.utils import sanitised_join
from pelican.writers import Writer

from .addresses import sitemap
from .editions import Edition
from .environment import Voice
from .feeds import complete_feed, default_authority
from .navigation import Lazy
from .outputs import FeedOutput, Output
from .plan import Plan
from .settings import Preparation

_PAGE_KINDS = ("page", "draft page")


class EditionWriter:
    """Writes a plan: first what articles make, then the static pages and what is in no language."""

    def __init__(
        self,
        preparation: Preparation,
        plan: Plan,
        context: dict[str, Any],
        voice: Voice,
        generators: dict[str, Generator],
    ) -> None:
        self._preparation = preparation
        self._plan = plan
        self._context = context
        self._voice = voice
        self._generators = generators
        self._current_feed: FeedOutput | None = None

    def write_articles(self, editions: Iterable[Edition], writer: Writer) -> None:
        """Everything of the editions but their static pages."""
        for edition in editions:
            with Speaking(self._context, self._voice, writer, edition):
                for feed in self._plan.feeds:
                    if feed.edition is edition:
                        self._write_feed(feed, writer)
                for output in self._plan.outputs:
                    if output.edition is edition and output.identity[0] not in _PAGE_KINDS:
                        self._write(output, writer)

    def write_pages(self, editions: Iterable[Edition], writer: Writer) -> None:
        """The static pages of every edition, then what belongs to none."""
        for edition in (*editions, None):
            with Speaking(self._context, self._voice, writer, edition):
                for output in self._plan.outputs:
                    kind = output.identity[0]
                    if output.edition is edition and (edition is None or kind in _PAGE_KINDS):
                        self._write(output, writer)
        if self._preparation.configuration.sitemap and self._preparation.public_url and not self._plan.is_partial:
            self._write_sitemap(writer)

    def _write(self, output: Output, writer: Writer) -> None:
        kind = "page" if output.identity[0] in _PAGE_KINDS else "article"
        generator = self._generators[kind]
        content = output.content
        if content is not None:
            signal = signals.page_generator_write_page if kind == "page" else signals.article_generator_write_article
            signal.send(generator, content=content)
        is_absolute = output.identity[0] == "404"  # served for any address
        # What the last page left here would make an absolute page's links relative to it.
        self._context["localsiteurl"] = self._context["SITEURL"]
        has_canonical = self._preparation.public_url and not output.noindex
        writer.write_file(
            output.save_as,
            self._generators["article"].get_template(output.template),
            self._context,
            relative_urls=self._preparation.settings["RELATIVE_URLS"] and not is_absolute,
            paginated={},
            override_output=output.overriding,
            url=output.url,
            alternates=Lazy(partial(self._plan.directory.alternates, output)),
            switcher=Lazy(partial(self._plan.directory.switcher, output)),
            canonical=self._plan.directory.absolute(output.url) if has_canonical else None,
            noindex=output.noindex,
            **output.variables,
        )

    def _write_feed(self, output: FeedOutput, writer: Writer) -> None:
        limit = output.edition.settings["FEED_MAX_ITEMS"]
        articles = output.articles[:limit]
        self._context["localsiteurl"] = self._context["SITEURL"]
        self._current_feed = output
        try:
            writer.write_feed(
                articles,
                self._context,
                output.save_as,
                output.url,
                feed_type=output.kind,
                feed_title=output.title,
            )
        finally:
            self._current_feed = None

    def complete_feed(self, feed: Any) -> None:
        """Called when Pelican has made a feed, before it writes it."""
        if self._current_feed is not None:
            output = self._current_feed
            authority = self._context.get("FEED_AUTHORITY") or default_authority(self._preparation.public_url)
            page_url = self._plan.directory.absolute(output.page_url or output.edition.url)
            complete_feed(feed, output, authority, page_url)

    def _write_sitemap(self, writer: Writer) -> None:
        path = Path(sanitised_join(writer.output_path, self._preparation.configuration.sitemap))
        path.parent.mkdir(parents=True, exist_ok=True)
        listed = sorted((o for o in self._plan.outputs if o.listed), key=lambda output: output.url)
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(sitemap(listed, self._plan.directory))


class Speaking:
    """While it lasts, the shared context, the messages and the writer are an edition's.

    The context is changed in place and restored, not copied: content objects look into
    this very dict for the page they are shown on.
    """

    def __init__(self, context: dict[str, Any], voice: Voice, writer: Writer, edition: Edition | None) -> None:
        self._context = context
        self._voice = voice
        self._writer = writer
        self._edition = edition
        self._before: dict[str, Any] = {}
        self._settings = writer.settings

    def __enter__(self) -> None:
        self._before = dict(self._context)
        self._voice.edition = self._edition
        if self._edition is not None:
            self._context.update(self._edition.context())
            self._writer.settings = self._edition.settings

    def __exit__(self, *_: object) -> None:
        self._context.clear()
        self._context.update(self._before)
        self._writer.settings = self._settings
        self._voice.edition = None
