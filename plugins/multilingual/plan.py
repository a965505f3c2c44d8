"""Deciding on every file of a build, and finding those that get in each other's way."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pelican.contents import Content

from .addresses import Redirects, neutral_url
from .editions import Edition
from .errors import Problem
from .groups import Group
from .navigation import Directory
from .outputs import FeedOutput, Output, plan_edition, plan_feeds, plan_notices, plan_pages
from .readers import name_of
from .settings import Preparation
from .terms import save_as_of


class Plan:
    """All pages and feeds of a build, what is wrong with them, and where each has its other languages."""

    def __init__(
        self,
        preparation: Preparation,
        editions: Mapping[str, Edition],
        groups: Iterable[Group],
        context: Mapping[str, Any],
    ) -> None:
        """`context` is Pelican's: it knows the static files, and what other plugins plan or write themselves."""
        self.outputs: list[Output] = []
        self.feeds: list[FeedOutput] = []
        self.problems: list[Problem] = []
        #: Only some of the pages are to be written.
        self.is_partial = False
        self._preparation = preparation
        self._configuration = preparation.configuration
        self._editions = editions
        groups = list(groups)
        for edition in editions.values():
            self.outputs += plan_edition(edition, self._configuration)
            self.outputs += plan_pages(edition, self._configuration)
            self.outputs += plan_notices(edition, groups)
            self.outputs += (
                Output(edition=edition, **stated) for planner in context["PLANNERS"] for stated in planner(edition)
            )
            self.feeds += plan_feeds(edition, self._configuration)
        self.outputs += self._plan_neutral(groups)
        self.outputs += self._plan_redirects(groups)
        self.problems += self._find_collisions(context["static_content"].values())
        self.directory = Directory(
            list(editions.values()),
            preparation.public_url,
            self._configuration.languages.default.tag,
            "" if self._configuration.chooser and not self._configuration.default_at_root else None,
            dict(context["PAGES_BY_IDENTITY"]),
        )
        for output in self.outputs:
            self.directory.add(output)

    def restrict(self, sources: Collection[str]) -> bool:
        """Leave nothing to be written but the pages of some source files and the feeds they stand in.

        Every address stays known. False, and nothing is changed, where one of the files has no page.
        """
        own = [output for output in self.outputs if _source_of(output.content) in sources]
        if {_source_of(output.content) for output in own} != set(sources):
            return False
        self.outputs = own
        self.feeds = [feed for feed in self.feeds if any(_source_of(a) in sources for a in feed.articles)]
        self.is_partial = True
        return True

    def _plan_neutral(self, groups: Iterable[Group]) -> Iterator[Output]:
        configuration = self._configuration
        if configuration.chooser:
            headlines = [(e, next(iter(e.articles), None)) for e in self._editions.values()]
            # At `/` it is the front pages' x-default, so it is one of them and names them all in return.
            kind, url = ("chooser", "languages/") if configuration.default_at_root else ("index", "")
            yield Output((kind, ""), None, save_as_of(url), url, "chooser", {"headlines": headlines})
        if configuration.not_found:
            root = urlsplit(self._preparation.public_url).path.rstrip("/") + "/"
            yield Output(
                ("404", ""), None, "404.html", "404.html", "404", {"root": root},
                listed=False, noindex=True,
            )  # fmt: skip
            for edition in self._editions.values():
                url = edition.language.prefix + "404.html"
                if edition.language.prefix:  # for servers that choose by the address that was asked for
                    yield Output(
                        ("404", edition.lang), edition, url, url, "not_found", {"SITEURL": root.rstrip("/")},
                        listed=False, noindex=True,
                    )  # fmt: skip
        for group in groups if configuration.neutral else ():
            if is_citable(group):
                url = neutral_url(group.key)
                variables = {
                    "versions": [] if group.withdrawal else group.published(),
                    "key": group.key,
                    "withdrawal": group.withdrawal,
                }
                yield Output(
                    ("article", group.key), None, save_as_of(url), url, "neutral", variables,
                    listed=False, noindex=True, origin=_source_path(group),
                )  # fmt: skip

    def _plan_redirects(self, groups: Iterable[Group]) -> list[Output]:
        redirects = Redirects()
        if self._configuration.redirects:
            path = Path(self._preparation.settings["PATH"], self._configuration.redirects)
            redirects.read_file(path, name_of(path, self._preparation.root))
        for group in groups:
            if group.source is not None and group.public():
                origin = name_of(group.source.source_path, self._preparation.root)
                neutral = self._configuration.neutral and is_citable(group)
                redirects.read_group(group, self._editions, origin, neutral=neutral)
        planned = list(redirects.plan(self.outputs))
        self.problems += redirects.problems
        return planned

    def _find_collisions(self, statics: Iterable[Any]) -> Iterator[Problem]:
        """Two claims to one file, also where a file system ignores case.

        A `save_as` stated in a header may take the place of one page or feed on purpose.
        """
        taken: dict[tuple[str, bool], str] = {}
        for save_as, url, origin, overriding in self._claims(statics):
            first = taken.get((save_as.casefold(), overriding))
            if first is not None:
                yield Problem(
                    origin,
                    0,
                    f"/{url} is claimed twice, the other time by {first}",
                    "Give one of them another `Slug:`, file name or address.",
                )
            taken.setdefault((save_as.casefold(), overriding), origin)

    def _claims(self, statics: Iterable[Any]) -> Iterator[tuple[str, str, str, bool]]:
        """Every file of the build: where it is saved, its address, where it comes from, whether it may override."""
        # Not `static.save_as`: to ask for it would fix it, before `{attach}` can change it.
        fixed = {static.get_url_setting("save_as"): static.source_path for static in statics}
        if self._configuration.sitemap and self._preparation.public_url:
            fixed[self._configuration.sitemap] = "the sitemap"
        for save_as, origin in fixed.items():
            for overriding in (False, True):
                yield save_as, save_as, name_of(origin, self._preparation.root), overriding
        for output in self.outputs:
            yield output.save_as, output.url, self._origin(output), output.overriding
        for feed in self.feeds:
            yield feed.save_as, feed.url, f"the feed {feed.save_as}", False

    def _origin(self, output: Output) -> str:
        if output.origin:
            return name_of(output.origin, self._preparation.root)
        return f"the {output.identity[0]} page {output.save_as}"


def is_citable(group: Group) -> bool:
    """Whether a group has an address in no language: it is published, or was and is withdrawn."""
    return group.kind == "article" and bool(group.public() if group.withdrawal else group.published())


def _source_of(content: Content | None) -> str:
    return str(content.source_path) if content is not None else ""


def _source_path(group: Group) -> str:
    return str(group.source.source_path) if group.source is not None else ""
