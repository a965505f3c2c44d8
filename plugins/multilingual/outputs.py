"""The plan of a build: every file it will write, known before the first one is.

With all of them in one table, two files that claim one address are found in time, and
each page knows what the same thing is called in the other languages.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pelican.contents import Content
from pelican.paginator import Paginator

from .editions import Edition
from .groups import Group
from .settings import Configuration, Taxonomy
from .terms import BoundTerm, Item, item_of, save_as_of

#: What a page is, in no language: its kind and its key. ("article", "leaving-russia")
Identity = tuple[str, str]

#: How many articles of other languages a front page offers.
OFFERED_AT_HOME = 5


@dataclass(slots=True)
class Output:
    """One page to be written.

    `number` counts the pages of a list. `edition` is None for a page in no language.
    `listed` pages stand in the sitemap and name their alternates; `content` is the article
    or page shown, if it is one; `origin` says in problems where the page comes from.
    """

    identity: Identity
    edition: Edition | None
    save_as: str
    url: str
    template: str
    variables: dict[str, Any] = field(default_factory=dict)
    number: int = 1
    listed: bool = True
    noindex: bool = False
    content: Content | None = None
    origin: str = ""
    overriding: bool = False


@dataclass(slots=True)
class FeedOutput:
    """One feed to be written: `kind` is "atom" or "rss".

    `page_url` is the page that lists the same articles; without one it is the front page.
    """

    edition: Edition
    save_as: str
    url: str
    kind: str
    articles: list[Content]
    title: str | None = None
    page_url: str | None = None


def plan_edition(edition: Edition, configuration: Configuration) -> Iterator[Output]:
    """All pages of one edition but its static pages."""
    yield from _articles(edition)
    if configuration.drafts:
        yield from _drafts(edition)
    yield from _period_archives(edition)
    yield from _direct_templates(edition)
    for kind, entries in (
        ("tag", edition.tags.items()),
        ("category", edition.categories),
        ("author", edition.authors),
    ):
        if not edition.settings.get(f"{kind.upper()}_SAVE_AS"):
            continue
        for wrapper, articles in entries:
            if isinstance(wrapper, BoundTerm):  # its page is its taxonomy's
                continue
            identity = (kind, str(getattr(wrapper, "key", wrapper.slug)))
            variables = {kind: wrapper, "page_name": wrapper.page_name}
            template = Output(identity, edition, wrapper.save_as, wrapper.url, kind, variables)
            yield from _paginate(template, edition, articles, _per_page(edition, kind))
    for taxonomy in configuration.taxonomies:
        yield from _taxonomy(edition, taxonomy)


def plan_pages(edition: Edition, configuration: Configuration) -> Iterator[Output]:
    """An edition's static pages."""
    drafts = edition.draft_pages if configuration.drafts else []
    for page in (*edition.pages, *edition.hidden_pages, *drafts):
        yield _content_output(edition, page, "page")


def plan_notices(edition: Edition, groups: list[Group]) -> Iterator[Output]:
    """Where withdrawn articles and pages stood: a notice, in this edition's language."""
    for group in groups:
        public = group.public()
        if not group.withdrawal or not public:
            continue
        own = next((member for member in public if member.lang == edition.lang), None)
        shown = own or public[0]
        values = {**shown.url_format, "slug": group.key, "lang": edition.lang}
        url, save_as = (
            getattr(own, form) if own else str(edition.settings[f"{group.kind}_{form}".upper()]).format(**values)
            for form in ("url", "save_as")
        )
        yield Output(
            (group.kind, group.key),
            edition,
            save_as,
            url,
            "withdrawn",
            {"article": shown, "withdrawal": shown.withdrawal},
            listed=False,
            noindex=True,
            origin=shown.source_path,
            overriding=hasattr(own, "override_save_as"),
        )


def plan_feeds(edition: Edition, configuration: Configuration) -> Iterator[FeedOutput]:
    """An edition's feeds. An empty one is not written: it would carry the time of the build."""
    yield from _feeds(edition, "FEED", edition.articles)
    yield from _feeds(edition, "FEED_ALL", edition.articles)
    yield from _feeds(edition, "TRANSLATION_FEED", edition.articles)
    for kind, entries in (
        ("CATEGORY", edition.categories),
        ("AUTHOR", edition.authors),
        ("TAG", edition.tags.items()),
    ):
        for wrapper, articles in entries:
            yield from _feeds(edition, f"{kind}_FEED", articles, slug=str(wrapper.slug), title=str(wrapper))
    for taxonomy in configuration.taxonomies:
        if taxonomy.feed:
            for shelf in collect_terms(edition, taxonomy):
                if shelf.articles:
                    path = _feed_path(edition, taxonomy, shelf.term)
                    term = shelf.term
                    yield FeedOutput(edition, path, path, "atom", shelf.articles, str(term.name), term.url)


@dataclass(slots=True)
class Shelf:
    """A term of an edition with what stands under it, translated and not."""

    term: BoundTerm
    articles: list[Content] = field(default_factory=list)
    untranslated: list[Content] = field(default_factory=list)


def collect_terms(edition: Edition, taxonomy: Taxonomy) -> list[Shelf]:
    """The terms of an edition, by name."""
    shelves: dict[str, Shelf] = {}

    def shelve(article: Content) -> Iterator[Shelf]:
        for term in getattr(article, taxonomy.attribute, None) or []:
            item = item_of(term)
            if item.key not in shelves:
                shelves[item.key] = Shelf(bind(item, edition, taxonomy))
            yield shelves[item.key]

    for article in edition.articles:
        for shelf in shelve(article):
            shelf.articles.append(article)
    for article in edition.untranslated:
        for shelf in shelve(article):
            shelf.untranslated.append(article)
    return sorted(shelves.values(), key=lambda shelf: (str(shelf.term.name).casefold(), shelf.term.key))


def bind(item: Item, edition: Edition, taxonomy: Taxonomy) -> BoundTerm:
    """A term as this edition shows it."""
    return BoundTerm(item, edition.lang, taxonomy, edition.language.prefix)


def bind_terms(edition: Edition, taxonomy: Taxonomy) -> None:
    """Give the terms other plugins set on articles their addresses in this edition."""
    for article in (*edition.articles, *edition.hidden_articles, *edition.drafts):
        terms = getattr(article, taxonomy.attribute, None)
        if isinstance(terms, list):
            bound = [bind(item_of(term), edition, taxonomy) for term in terms]
            setattr(article, taxonomy.attribute, bound)


# The parts of an edition


def _content_output(edition: Edition, content: Content, kind: str) -> Output:
    is_draft = content.status == "draft"
    variables: dict[str, Any] = {kind: content}
    if kind == "article":
        variables |= {"category": getattr(content, "category", None), "blog": True}
    return Output(
        ("draft " + kind if is_draft else kind, content.translation_key),
        edition,
        content.save_as,
        content.url,
        content.template,
        variables,
        listed=content.status == "published",
        noindex=is_draft,
        content=content,
        origin=content.source_path,
        overriding=hasattr(content, "override_save_as"),
    )


def _articles(edition: Edition) -> Iterator[Output]:
    for article in (*edition.articles, *edition.hidden_articles):
        yield _content_output(edition, article, "article")


def _drafts(edition: Edition) -> Iterator[Output]:
    for draft in edition.drafts:
        yield _content_output(edition, draft, "article")


def _period_archives(edition: Edition) -> Iterator[Output]:
    for granularity, archives in edition.period_archives.items():
        for archive in archives:
            key = "-".join(f"{part:02}" for part in archive["period_num"])
            variables = {
                "period": archive["period"],
                "period_num": archive["period_num"],
                "all_articles": edition.articles,
            }
            output = Output(
                (granularity, key),
                edition,
                archive["save_as"],
                archive["url"],
                "period_archives",
                variables,
            )
            yield from _paginate(output, edition, archive["articles"], _per_page(edition, output.template))


def _direct_templates(edition: Edition) -> Iterator[Output]:
    for template in edition.settings["DIRECT_TEMPLATES"]:
        save_as = edition.settings[f"{template.upper()}_SAVE_AS"]
        if not save_as:
            continue
        output = Output(
            (template, ""),
            edition,
            save_as,
            edition.settings[f"{template.upper()}_URL"],
            template,
            {"page_name": save_as.rsplit(".", 1)[0]},
        )
        if template == "index":
            output.variables["untranslated"] = edition.untranslated[:OFFERED_AT_HOME]
        yield from _paginate(output, edition, edition.articles, _per_page(edition, template))


def _taxonomy(edition: Edition, taxonomy: Taxonomy) -> Iterator[Output]:
    shelves = collect_terms(edition, taxonomy)
    for shelf in shelves:
        term, articles = shelf.term, shelf.articles
        output = Output(
            (taxonomy.attribute, term.key),
            edition,
            term.save_as,
            term.url,
            taxonomy.template,
            {"term": term, "taxonomy": taxonomy.attribute, "untranslated": shelf.untranslated},
            listed=bool(articles),
            noindex=not articles,
        )
        if taxonomy.feed and articles:
            output.variables["term_feed_url"] = _feed_path(edition, taxonomy, term)
        yield from _paginate(output, edition, articles, taxonomy.paginate)
    if taxonomy.index:
        url = edition.language.prefix + taxonomy.index
        variables = {"terms": [(shelf.term, shelf.articles) for shelf in shelves]}
        yield Output((taxonomy.attribute, ""), edition, save_as_of(url), url, taxonomy.index_template, variables)


def _feed_path(edition: Edition, taxonomy: Taxonomy, term: BoundTerm) -> str:
    return edition.language.prefix + taxonomy.feed.format(slug=str(term.slug), key=term.key)


def _feeds(
    edition: Edition,
    name: str,
    articles: list[Content],
    slug: str = "",
    title: str | None = None,
) -> Iterator[FeedOutput]:
    for kind in ("atom", "rss"):
        setting = f"{name}_{kind.upper()}"
        pattern = edition.settings.get(setting)
        if pattern and articles:
            values = {"slug": slug, "lang": edition.lang}
            save_as = str(pattern).format(**values)
            url = str(edition.settings.get(f"{setting}_URL") or pattern).format(**values)
            yield FeedOutput(edition, save_as, url, kind, articles, title)


# Pagination


def _per_page(edition: Edition, template: str) -> int | None:
    """How many articles a page of this template shows; None for all of them."""
    paginated = edition.settings["PAGINATED_TEMPLATES"]
    if template not in paginated:
        return None
    return paginated[template] or edition.settings["DEFAULT_PAGINATION"] or None


def _paginate(output: Output, edition: Edition, articles: list[Content], per_page: int | None) -> Iterator[Output]:
    """Part a list into its pages, with the variables Pelican's templates expect."""
    newest_first = edition.settings["NEWEST_FIRST_ARCHIVES"]
    dates = sorted(articles, key=lambda article: article.listed, reverse=newest_first)
    paginators = {
        name: Paginator(output.save_as, output.url, listed, edition.settings, per_page)
        for name, listed in (("articles", articles), ("dates", dates))
    }
    count = paginators["articles"].num_pages
    for number in range(1, count + 1):
        variables = {
            **output.variables,
            "articles": articles,
            "dates": dates,
            "all_articles": edition.articles,
            "blog": True,
        }
        for name, paginator in paginators.items():
            page = paginator.page(number)
            variables[f"{name}_paginator"] = paginator
            variables[f"{name}_page"] = page
            variables[f"{name}_previous_page"] = paginator.page(number - 1) if number > 1 else None
            variables[f"{name}_next_page"] = paginator.page(number + 1) if number < count else None
        yield Output(
            output.identity,
            edition,
            page.save_as,
            page.url,
            output.template,
            variables,
            number=number,
            listed=output.listed,
            noindex=output.noindex,
        )
