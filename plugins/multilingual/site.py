"""One build of the site: from Pelican's generators to the files of every edition.

The order of a run, each step called by a receiver in `plugin.py`:

    adopt            each content object, as Pelican makes it
    arrange_*        groups, shared fields, lists per edition
    resolve_links    `{filename}` links, checked and led to the reader's language
    make_plan        every output, collisions found, addresses known by identity
    write_*          the pages, one edition after the other, through Pelican's one writer
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from pelican.contents import Content
from pelican.generators import ArticlesGenerator, Generator, PagesGenerator
from pelican.utils import order_content
from pelican.writers import Writer

from .addresses import NEUTRAL_PREFIX, neutral_url
from .catalogues import open_catalogues
from .editions import FEED_SETTING, Edition, derive_settings
from .environment import Voice
from .errors import Problem, in_order
from .groups import ContentModel, Group, Kind
from .inventory import take_inventory
from .links import Links, is_copied
from .outputs import bind_terms
from .placement import Layout
from .plan import Plan, is_citable
from .readers import LINES, name_of
from .settings import Configuration, Preparation
from .terms import TermTable
from .writing import EditionWriter

_LISTS = {
    "article": (
        ("published", "articles", "translations"),
        ("hidden", "hidden_articles", "hidden_translations"),
        ("draft", "drafts", "drafts_translations"),
    ),
    "page": (
        ("published", "pages", "translations"),
        ("hidden", "hidden_pages", "hidden_translations"),
        ("draft", "draft_pages", "draft_translations"),
    ),
}


def build_time(environment: dict[str, str] | os._Environ[str] = os.environ) -> datetime:
    """What counts as now: SOURCE_DATE_EPOCH where it is set (reproducible-builds.org)."""
    epoch = environment.get("SOURCE_DATE_EPOCH")
    return datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)


class Site:
    """The state of one run."""

    def __init__(self, preparation: Preparation, context: dict[str, Any]) -> None:
        self.preparation = preparation
        self.configuration = preparation.configuration
        self.context = context
        self.problems: list[Problem] = []
        #: Translations left out because of their problems, with these.
        self.left_out: list[Problem] = []
        self.editions: dict[str, Edition] = {}
        self._content: dict[Kind, list[Content]] = {"article": [], "page": []}
        self._generators: dict[Kind, Generator] = {}
        self._muted: dict[Kind, dict[str, Any]] = {}
        self._links: Links | None = None
        self.environment: Any = None

        settings = preparation.settings
        self.terms = TermTable(*self._content_file(self.configuration.terms))
        self.catalogues = open_catalogues(settings, preparation.root)
        for tag, language in self.configuration.languages.items():
            self.editions[tag] = Edition(language, derive_settings(settings, language), self.catalogues.find(tag))
        self.voice = Voice(self.editions, self.configuration)
        self._layout = Layout(
            self.configuration.languages,
            {"article": settings["ARTICLE_PATHS"], "page": settings["PAGE_PATHS"]},
            name_of(settings["PATH"], preparation.root),
        )
        self.model = ContentModel(
            self.configuration,
            self._layout,
            self.terms,
            translation_ids=preparation.translation_ids,
            settings_of=lambda tag: self.editions[tag].settings,
            reserved=reserved_slugs(settings, self.configuration),
            name_of=lambda path: name_of(path, preparation.root),
            now=build_time(),
        )
        self.problems += [*self.terms.problems, *self.catalogues.problems]
        context.setdefault("PAGES_BY_IDENTITY", {})
        context.setdefault("CHECKS", [])
        context.setdefault("SERVED_BESIDE", set())
        context.setdefault("MESSAGES", set())
        context.setdefault("PLANNERS", [])
        context["report_problem"] = self.report
        context["take_inventory"] = partial(
            take_inventory, preparation.root, preparation.settings, self.configuration.languages
        )
        context.update(
            editions=list(self.editions.values()),
            edition=None,
            PUBLIC_URL=preparation.public_url,
            DEFAULT_LANG=self.configuration.languages.default.tag,
        )

    def _content_file(self, name: str) -> tuple[Path | None, str]:
        if not name:
            return None, ""
        path = Path(self.preparation.settings["PATH"], name)
        return path, name_of(path, self.preparation.root)

    def report(
        self,
        where: Content | str | Path,
        what: str,
        remedy: str,
        *,
        field: str = "",
        line: int = 0,
        warning: bool = False,
    ) -> None:
        """Take in a finding of another plugin: the seam is `context["report_problem"]`.

        `where` is a content object, then `field` names the line of its header; or a file, with a `line` of it; or an
        address.
        """
        if isinstance(where, Content):
            line = getattr(where, LINES, {}).get(field, 0)
            where = where.source_path
        name = name_of(where, self.preparation.root) if isinstance(where, Path) or Path(where).is_absolute() else where
        self.problems.append(Problem(str(name), line, what, remedy, warning))

    # Reading

    def adopt(self, content: Content) -> None:
        """Place a content object in its edition."""
        self.model.adopt(content)

    def arrange_articles(self, generator: ArticlesGenerator) -> None:
        """Form the groups and put Pelican's own lists in order for other plugins."""
        self._arrange("article", generator)

    def arrange_pages(self, generator: PagesGenerator) -> None:
        """The same for pages; Pelican has published its lists already."""
        self._arrange("page", generator)
        for name in ("pages", "hidden_pages", "draft_pages"):
            self.context[name] = getattr(generator, name)

    def _arrange(self, kind: Kind, generator: Generator) -> None:
        self._generators[kind] = generator
        found = [
            content
            for _, originals, translations in _LISTS[kind]
            for content in (*getattr(generator, originals), *getattr(generator, translations))
        ]
        self._content[kind] = self.model.form_groups(kind, found)
        self._fill_generator(kind)
        for content in found:
            if content.is_broken:
                self.context["generated_content"][content.relative_source_path] = None

    def _fill_generator(self, kind: Kind) -> None:
        """Pelican's lists: one original per group, the rest as its translations."""
        generator = self._generators[kind]
        order = self.preparation.settings[f"{kind.upper()}_ORDER_BY"]
        for status, originals, translations in _LISTS[kind]:
            families: dict[str, list[Content]] = {}
            for content in self._content[kind]:
                if content.status == status:
                    families.setdefault(content.translation_key, []).append(content)
            for family in families.values():
                family.sort(key=lambda content: not content.is_source)
            setattr(generator, originals, order_content([family[0] for family in families.values()], order))
            setattr(generator, translations, [c for family in families.values() for c in family[1:]])

    # Links

    def resolve_links(self) -> None:
        """Check all links, leave out what is broken, lead the rest to their languages."""
        links = Links(
            self.configuration,
            self.context["generated_content"],
            self.context["static_content"],
            lambda c: self.model.groups.get((_kind(c), c.translation_identity)),
            self.preparation.root,
            {problem.file for problem in (*self.problems, *self.model.problems)},
        )
        self._links = links
        for content in self._all_content():
            links.check(content)
        self.problems += [*self.model.problems, *self._layout.problems(), *links.problems]
        if self.configuration.without_broken:
            self._leave_out_broken()
        for content in self._all_content():
            links.direct(content)
        self.context["staticfiles"] = list(filter(is_copied, self.context["staticfiles"]))

    def _all_content(self) -> Iterator[Content]:
        yield from self._content["article"]
        yield from self._content["page"]

    def _leave_out_broken(self) -> None:
        """Drop translations with problems: a source that is whole can stand without them."""
        root = self.preparation.root
        whole = {
            (kind, group.key)
            for (kind, _), group in self.model.groups.items()
            if group.source is not None and not group.source.is_broken
        }
        sources = {
            name_of(group.source.source_path, root) for group in self.model.groups.values() if group.source is not None
        }
        content_folder = name_of(self.preparation.settings["PATH"], root)
        for problem in self.problems:
            if problem.warning:
                continue
            path = problem.file.removeprefix(content_folder + "/")
            for kind in ("article", "page"):
                placement = self._layout.place(kind, path)
                is_translation = placement.language and problem.file not in sources
                if is_translation and (kind, placement.key) in whole:
                    self.left_out.append(problem)
        self.problems = [p for p in self.problems if p not in self.left_out]
        names = {problem.file for problem in self.left_out}
        for kind, contents in self._content.items():
            for content in contents:
                if name_of(content.source_path, root) in names:
                    self.model.drop(content)
                    self.context["generated_content"][content.relative_source_path] = None
            self._content[kind] = [c for c in contents if not c.is_broken]
            self._fill_generator(kind)

    # The plan

    def make_plan(self) -> None:
        """Fill the editions, and decide on every file of the build."""
        configuration = self.configuration
        # Pelican forgets the translations of pages when it replaces links in metadata.
        for page in self._generators["page"].translations:
            page.refresh_metadata_intersite_links()
        groups = list(self.model.groups.values())
        if configuration.neutral:
            self._set_neutral_urls(groups)
        for tag, edition in self.editions.items():
            articles = [c for c in self._content["article"] if c.lang == tag]
            edition.take_articles(articles, self._generators["article"])
            edition.take_pages(c for c in self._content["page"] if c.lang == tag)
            edition.find_untranslated(groups, configuration)
            for taxonomy in configuration.taxonomies:
                bind_terms(edition, taxonomy)
        self.plan = Plan(self.preparation, self.editions, groups, self.context)
        for identity, urls in self.plan.directory.urls().items():
            self.context["PAGES_BY_IDENTITY"].setdefault(identity, {}).update(urls)
        self._unfreeze_summaries()
        self._writer = EditionWriter(self.preparation, self.plan, self.context, self.voice, self._generators)
        self.problems = in_order([*self.problems, *self.plan.problems])

    def _unfreeze_summaries(self) -> None:
        """Let a summary with links be rendered for each page it stands on."""
        links = self._links
        for content, summary in (links.summaries if links else {}).items():
            content.get_summary = partial(content._update_content, summary)

    def _set_neutral_urls(self, groups: Iterable[Group]) -> None:
        for group in groups:
            if is_citable(group):
                for member in group.members.values():
                    member.neutral_url = neutral_url(group.key)

    # Writing

    def mute(self) -> None:
        """Keep Pelican from writing its one-language site; receivers write the editions."""
        for kind, generator in self._generators.items():
            names = [name for row in _LISTS[kind] for name in row[1:]]
            if kind == "article":
                names += ["tags", "categories", "authors", "period_archives", "settings"]
            self._muted[kind] = {name: getattr(generator, name) for name in names}
            for name in names:
                setattr(generator, name, {} if name in ("tags", "period_archives") else [])
        # What is written in no language has no feed that a theme could name.
        self.context.update(dict.fromkeys(name for name in self.context if FEED_SETTING.match(name)))
        generator = self._generators["article"]
        generator.settings = {
            name: None if "FEED_" in name else value for name, value in self.preparation.settings.items()
        } | {"DIRECT_TEMPLATES": []}

    def _unmute(self, kind: Kind) -> None:
        for name, value in self._muted.pop(kind).items():
            setattr(self._generators[kind], name, value)

    def write_articles(self, writer: Writer) -> None:
        """Everything of the editions but their static pages."""
        self._unmute("article")
        self._writer.write_articles(self.editions.values(), writer)

    def write_pages(self, writer: Writer) -> None:
        """The static pages of every edition, then what belongs to none."""
        self._unmute("page")
        self._writer.write_pages(self.editions.values(), writer)

    def complete_feed(self, feed: Any) -> None:
        """Called when Pelican has made a feed, before it writes it."""
        self._writer.complete_feed(feed)


def reserved_slugs(settings: dict[str, Any], configuration: Configuration) -> frozenset[str]:
    """First parts of addresses that are taken by lists, languages and files of the site."""
    patterns = [str(v) for k, v in settings.items() if k.endswith(("_URL", "_SAVE_AS")) and v]
    patterns += [taxonomy.url for taxonomy in configuration.taxonomies]
    patterns += [taxonomy.index for taxonomy in configuration.taxonomies]
    patterns += [str(path) for path in settings["STATIC_PATHS"]]
    firsts = {re.split(r"[/{]", pattern, maxsplit=1)[0] for pattern in patterns}
    for rule in settings["PAGINATION_PATTERNS"]:
        firsts.update(re.findall(r"(?<=[/}])[a-z]+(?=/)", f"/{rule[1]}/"))
    firsts |= {*configuration.languages, settings["THEME_STATIC_DIR"], "languages", "drafts"}
    firsts |= {NEUTRAL_PREFIX.strip("/"), *configuration.reserved_slugs}
    return frozenset(first.casefold() for first in firsts if first and "." not in first)


def _kind(content: Content) -> Kind:
    return "article" if hasattr(content, "listed") else "page"
