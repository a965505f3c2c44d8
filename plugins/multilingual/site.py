"""One build of the site: from Pelican's generators to the files of every edition.

The order of a run, each step called by a receiver in `plugin.py`:

    adopt            each content object, as Pelican makes it
    arrange_*        groups, shared fields, lists per edition
    resolve_links    `{filename}` links, checked and led to the reader's language
    plan             every output, collisions found, addresses known by identity
    write_*          the pages, one edition after the other, through Pelican's one writer
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pelican.contents import Content
from pelican.generators import ArticlesGenerator, Generator, PagesGenerator
from pelican.plugins import signals
from pelican.utils import order_content, sanitised_join
from pelican.writers import Writer

from .addresses import NEUTRAL_PREFIX, Redirects, neutral_url, sitemap
from .catalogues import Catalogues
from .editions import FEED_SETTING, Edition, derive_settings
from .environment import Voice
from .errors import Problem, in_order
from .feeds import complete_feed, default_authority
from .groups import ContentModel, Group, Kind
from .links import Links, is_copied
from .navigation import Directory, Lazy
from .outputs import (
    FeedOutput,
    Output,
    bind_terms,
    plan_edition,
    plan_feeds,
    plan_notices,
    plan_pages,
)
from .placement import Layout
from .readers import name_of
from .settings import Configuration
from .terms import TermTable, save_as_of

logger = logging.getLogger(__name__)

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


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is read once per Pelican object, however often it runs."""

    settings: dict[str, Any]
    configuration: Configuration
    translation_ids: dict[Kind, tuple[str, ...]]
    root: Path

    @property
    def public_url(self) -> str:
        """The site's own address, which the writer replaces by a relative one."""
        return str(self.settings["SITEURL"])


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
        self.outputs: list[Output] = []
        self.feeds: list[FeedOutput] = []
        self.editions: dict[str, Edition] = {}
        self._content: dict[Kind, list[Content]] = {"article": [], "page": []}
        self._generators: dict[Kind, Generator] = {}
        self._muted: dict[Kind, dict[str, Any]] = {}
        self._links: Links | None = None
        self._current_feed: FeedOutput | None = None
        self.environment: Any = None

        settings = preparation.settings
        self.terms = TermTable(*self._content_file(self.configuration.terms))
        folders, setting = self.configuration.messages, "MULTILINGUAL_MESSAGES"
        if folders is None:
            folders, setting = (str(Path(settings["THEME"], "messages")),), ""
        self.catalogues = Catalogues(
            [preparation.root / folder for folder in folders], preparation.root, setting=setting
        )
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
            firsts = [min(family, key=lambda c: not c.is_source) for family in families.values()]
            setattr(generator, originals, order_content(firsts, order))
            others = [c for f in families.values() for c in f if c not in firsts]
            setattr(generator, translations, others)

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

    def plan(self) -> None:
        """Decide on every file of the build, and find those that get in each other's way."""
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
        for edition in self.editions.values():
            self.outputs += plan_edition(edition, configuration)
            self.outputs += plan_pages(edition, configuration)
            self.outputs += plan_notices(edition, groups)
            self.feeds += plan_feeds(edition, configuration)
        self.outputs += self._plan_neutral(groups)
        self.outputs += self._plan_redirects(groups)
        self.problems += self._find_collisions()
        self._freeze_nothing()
        self.directory = Directory(
            list(self.editions.values()),
            self.preparation.public_url,
            configuration.languages.default.tag,
            self._chooser_url() if configuration.chooser else None,
            dict(self.context["PAGES_BY_IDENTITY"]),
        )
        for output in self.outputs:
            self.directory.add(output)
        for identity, urls in self.directory.urls().items():
            self.context["PAGES_BY_IDENTITY"].setdefault(identity, {}).update(urls)
        self.problems = in_order(self.problems)

    def _freeze_nothing(self) -> None:
        """Let a summary with links be rendered for each page it stands on."""
        links = self._links
        for content, summary in (links.summaries if links else {}).items():
            content.get_summary = partial(content._update_content, summary)

    def _set_neutral_urls(self, groups: Iterable[Group]) -> None:
        for group in groups:
            if group.kind == "article" and _is_citable(group):
                for member in group.members.values():
                    member.neutral_url = neutral_url(group.key)

    def _chooser_url(self) -> str:
        return "languages/" if self.configuration.default_at_root else ""

    def _plan_neutral(self, groups: Iterable[Group]) -> Iterator[Output]:
        configuration = self.configuration
        if configuration.chooser:
            url = self._chooser_url()
            headlines = [(e, next(iter(e.articles), None)) for e in self.editions.values()]
            # The front pages' x-default: so it is one of them, and names them all in return.
            yield Output(("index", ""), None, save_as_of(url), url, "chooser", {"headlines": headlines})
        if configuration.not_found:
            root = urlsplit(self.preparation.public_url).path.rstrip("/") + "/"
            yield Output(
                ("404", ""), None, "404.html", "404.html", "404", {"root": root},
                listed=False, noindex=True,
            )  # fmt: skip
        for group in groups if configuration.neutral else ():
            if group.kind == "article" and _is_citable(group):
                url = neutral_url(group.key)
                variables = {
                    "versions": [] if group.withdrawal else group.published(),
                    "key": group.key,
                    "withdrawal": group.withdrawal,
                }
                yield Output(
                    ("article", group.key), None, save_as_of(url), url, "neutral", variables,
                    listed=False, noindex=True, origin=self._source_path(group),
                )  # fmt: skip

    def _source_path(self, group: Group) -> str:
        return str(group.source.source_path) if group.source is not None else ""

    def _plan_redirects(self, groups: Iterable[Group]) -> list[Output]:
        redirects = Redirects()
        path, name = self._content_file(self.configuration.redirects)
        if path is not None:
            redirects.read_file(path, name)
        for group in groups:
            if group.source is not None and group.public():
                origin = name_of(group.source.source_path, self.preparation.root)
                neutral = self.configuration.neutral and _is_citable(group)
                redirects.read_group(group, self.editions, origin, neutral=neutral)
        planned = list(redirects.plan(self.outputs))
        self.problems += redirects.problems
        return planned

    def _find_collisions(self) -> Iterator[Problem]:
        """Two claims to one file, also where a file system ignores case.

        A `save_as` stated in a header may take the place of one page or feed on purpose.
        """
        taken: dict[tuple[str, bool], str] = {}
        for save_as, url, origin, overriding in self._claims():
            first = taken.get((save_as.casefold(), overriding))
            if first is not None:
                yield Problem(
                    origin,
                    0,
                    f"/{url} is claimed twice, the other time by {first}",
                    "Give one of them another `Slug:`, file name or address.",
                )
            taken.setdefault((save_as.casefold(), overriding), origin)

    def _claims(self) -> Iterator[tuple[str, str, str, bool]]:
        """Every file of the build: where it is saved, its address, where it comes from, whether it may override."""
        # Not `static.save_as`: to ask for it would fix it, before `{attach}` can change it.
        statics = self.context["static_content"].values()
        fixed = {static.get_url_setting("save_as"): static.source_path for static in statics}
        if self.configuration.sitemap and self.preparation.public_url:
            fixed[self.configuration.sitemap] = "the sitemap"
        for save_as, origin in fixed.items():
            for overriding in (False, True):
                yield save_as, save_as, name_of(origin, self.preparation.root), overriding
        for output in self.outputs:
            yield output.save_as, output.url, self._origin(output), output.overriding
        for feed in self.feeds:
            yield feed.save_as, feed.url, f"the feed {feed.save_as}", False

    def _origin(self, output: Output) -> str:
        if output.origin:
            return name_of(output.origin, self.preparation.root)
        return f"the {output.identity[0]} page {output.save_as}"

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
        for edition in self.editions.values():
            with self._speaking(edition, writer):
                for feed in self.feeds:
                    if feed.edition is edition:
                        self._write_feed(feed, writer)
                for output in self.outputs:
                    if output.edition is edition and output.identity[0] not in _PAGE_KINDS:
                        self._write(output, writer)

    def write_pages(self, writer: Writer) -> None:
        """The static pages of every edition, then what belongs to none."""
        self._unmute("page")
        for edition in (*self.editions.values(), None):
            with self._speaking(edition, writer):
                for output in self.outputs:
                    kind = output.identity[0]
                    if output.edition is edition and (edition is None or kind in _PAGE_KINDS):
                        self._write(output, writer)
        if self.configuration.sitemap and self.preparation.public_url:
            self._write_sitemap(writer)

    def _speaking(self, edition: Edition | None, writer: Writer) -> Speaking:
        return Speaking(self.context, self.voice, writer, edition)

    def _write(self, output: Output, writer: Writer) -> None:
        kind = "page" if output.identity[0] in _PAGE_KINDS else "article"
        generator = self._generators[kind]
        content = output.content
        if content is not None:
            signal = signals.page_generator_write_page if kind == "page" else signals.article_generator_write_article
            signal.send(generator, content=content)
        is_absolute = output.template == "404"
        # What the last page left here would make an absolute page's links relative to it.
        self.context["localsiteurl"] = self.context["SITEURL"]
        canonical = self.directory.absolute(output.url) if self._has_canonical(output) else None
        writer.write_file(
            output.save_as,
            self._template(output.template),
            self.context,
            relative_urls=self.preparation.settings["RELATIVE_URLS"] and not is_absolute,
            paginated={},
            override_output=output.overriding,
            url=output.url,
            alternates=Lazy(partial(self.directory.alternates, output)),
            switcher=Lazy(partial(self.directory.switcher, output)),
            canonical=canonical,
            noindex=output.noindex,
            **output.variables,
        )

    def _template(self, name: str) -> Any:
        return self._generators["article"].get_template(name)

    def _has_canonical(self, output: Output) -> bool:
        return bool(self.preparation.public_url) and not output.noindex

    def _write_feed(self, output: FeedOutput, writer: Writer) -> None:
        limit = output.edition.settings["FEED_MAX_ITEMS"]
        articles = output.articles[:limit]
        self.context["localsiteurl"] = self.context["SITEURL"]
        self._current_feed = output
        try:
            writer.write_feed(
                articles,
                self.context,
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
            authority = self.context.get("FEED_AUTHORITY") or default_authority(self.preparation.public_url)
            home = self.directory.absolute(output.edition.url)
            complete_feed(feed, output, authority, home)

    def _write_sitemap(self, writer: Writer) -> None:
        path = Path(sanitised_join(writer.output_path, self.configuration.sitemap))
        path.parent.mkdir(parents=True, exist_ok=True)
        listed = sorted((o for o in self.outputs if o.listed), key=lambda output: output.url)
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(sitemap(listed, self.directory))


_PAGE_KINDS = ("page", "draft page")


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


def _is_citable(group: Group) -> bool:
    """Whether a group has an address in no language: it is published, or was and is withdrawn."""
    return bool(group.public() if group.withdrawal else group.published())


def _kind(content: Content) -> Kind:
    return "article" if hasattr(content, "listed") else "page"
