"""An edition: the whole site in one language, with settings and lists of its own."""

from __future__ import annotations

import gettext
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from pelican.contents import Author, Category, Content, Tag
from pelican.generators import ArticlesGenerator
from pelican.utils import order_content

from .formats import month_name
from .groups import Group
from .languages import Language
from .settings import ELSEWHERE, Configuration

_ADDRESS = re.compile(r"(?P<what>[A-Z_]+)_(?P<form>URL|SAVE_AS)\Z")
FEED_SETTING = re.compile(r"([A-Z]+_)?FEED_(ALL_)?(ATOM|RSS)(_URL)?\Z")
#: Addresses that are the same in every edition, whatever their name looks like.
_SHARED_ADDRESSES = ("STATIC_URL", "STATIC_SAVE_AS", "THEME_STATIC_URL")


def derive_settings(base: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """An edition's settings: the site's, with every address under the language's prefix.

    Pelican keeps separate patterns for translations (`ARTICLE_LANG_URL`); here an edition
    has one pattern for all it holds, so both are the same. A pattern that places the
    language itself (`{lang}`) is left as it is.
    """
    settings = {**base, **language.overrides, "DEFAULT_LANG": language.tag}
    for template in base["DIRECT_TEMPLATES"]:
        name = template.upper()
        settings.setdefault(f"{name}_SAVE_AS", f"{template}.html")
        save_as = str(settings[f"{name}_SAVE_AS"])
        settings.setdefault(f"{name}_URL", re.sub(r"(\A|(?<=/))index\.html\Z", "", save_as))
    for name in list(settings):
        if (_ADDRESS.match(name) and name not in _SHARED_ADDRESSES) or FEED_SETTING.match(name):
            settings[name] = _prefixed(settings[name], language, name)
    for name in list(settings):
        found = _ADDRESS.match(name)
        if found and found["what"].endswith("_LANG"):
            own = f"{found['what'].removesuffix('_LANG')}_{found['form']}"
            settings[name] = settings.get(own, settings[name])
    return settings


def _prefixed(pattern: Any, language: Language, name: str) -> Any:
    if pattern is None or pattern is False:
        return pattern
    text = str(pattern)
    # An empty file name means "do not write it"; an empty address is the edition's home.
    if ELSEWHERE.match(text) or (not text and not name.endswith("_URL")):
        return pattern
    if "{lang}" in text and "_FEED_" not in name:
        return text.replace("{lang}", language.tag)
    return language.prefix + text.replace("{lang}", language.tag)


class Edition:
    """One language's site: what templates see as `edition`."""

    def __init__(
        self,
        language: Language,
        settings: dict[str, Any],
        translations: gettext.NullTranslations,
    ) -> None:
        self.language = language
        self.settings = settings
        self.translations = translations
        self.articles: list[Content] = []
        self.hidden_articles: list[Content] = []
        self.drafts: list[Content] = []
        self.dates: list[Content] = []
        self.period_archives: dict[str, list[dict[str, Any]]] = {}
        self.tags: dict[Tag, list[Content]] = {}
        self.categories: list[tuple[Category, list[Content]]] = []
        self.authors: list[tuple[Author, list[Content]]] = []
        self.pages: list[Content] = []
        self.hidden_pages: list[Content] = []
        self.draft_pages: list[Content] = []
        #: Articles and pages this edition has not got, in a language its readers are offered.
        self.untranslated: list[Content] = []
        self.untranslated_pages: list[Content] = []

    def __repr__(self) -> str:
        return f"<edition {self.lang}>"

    @property
    def lang(self) -> str:
        """The language's tag."""
        return self.language.tag

    @property
    def name(self) -> str:
        """What the language calls itself."""
        return self.language.name

    @property
    def direction(self) -> str:
        """Either "ltr" or "rtl"."""
        return self.language.direction

    @property
    def script(self) -> str:
        """The script it is written in (ISO 15924)."""
        return self.language.script

    @property
    def url(self) -> str:
        """The address of its front page, relative to the site's root."""
        return str(self.settings.get("INDEX_URL", self.language.prefix))

    @property
    def feed_url(self) -> str | None:
        """Its main feed, None while it has no article: an empty feed is not written."""
        names = ("FEED_ATOM", "FEED_ALL_ATOM", "TRANSLATION_FEED_ATOM")
        feeds = (self.settings.get(f"{n}_URL") or self.settings.get(n) for n in names)
        return next((str(f) for f in feeds if f), None) if self.articles else None

    # Filling it

    def take_articles(self, contents: Iterable[Content], generator: ArticlesGenerator) -> None:
        """Sort an edition's articles into the lists that Pelican's templates know."""
        contents = list(contents)
        self.articles = self._ordered(c for c in contents if c.status == "published")
        self.hidden_articles = self._ordered(c for c in contents if c.status == "hidden")
        self.drafts = self._ordered(c for c in contents if c.status == "draft")
        newest_first = self.settings["NEWEST_FIRST_ARCHIVES"]
        self.dates = _by_day(self.articles, newest_first=newest_first)
        self.period_archives = self._build_period_archives(generator)
        tags: dict[Tag, list[Content]] = defaultdict(list)
        categories: dict[Category, list[Content]] = defaultdict(list)
        authors: dict[Author, list[Content]] = defaultdict(list)
        for article in self.articles:
            if hasattr(article, "category"):
                categories[article.category].append(article)
            for tag in getattr(article, "tags", []):
                tags[tag].append(article)
            for author in getattr(article, "authors", []):
                authors[author].append(article)
        self.tags = dict(tags)
        reverse = self.settings["REVERSE_CATEGORY_ORDER"]
        self.categories = sorted(categories.items(), key=_slug_of, reverse=reverse)
        self.authors = sorted(authors.items(), key=_slug_of)

    def take_pages(self, contents: Iterable[Content]) -> None:
        """Sort an edition's pages into the lists that Pelican's templates know."""
        order = self.settings["PAGE_ORDER_BY"]
        contents = sorted(contents, key=lambda page: page.relative_source_path)
        lists = {
            status: order_content([c for c in contents if c.status == status], order)
            for status in ("published", "hidden", "draft")
        }
        self.pages, self.hidden_pages, self.draft_pages = lists.values()

    def find_untranslated(self, groups: Iterable[Group], configuration: Configuration) -> None:
        """Find what other editions have and this one has not, newest first."""
        fallback = configuration.fallback.get(self.lang, ())
        for group in groups:
            if self.lang in group.members or group.withdrawal:
                continue
            offered = group.offer(self.lang, fallback)
            if offered is None or offered.is_broken:  # other plugins have not seen a broken one
                continue
            if group.kind == "article" and configuration.untranslated == "link":
                self.untranslated.append(offered)
            elif group.kind == "page" and configuration.untranslated_pages == "link":
                self.untranslated_pages.append(offered)
        self.untranslated = _by_day(self.untranslated, newest_first=True)

    def _ordered(self, contents: Iterable[Content]) -> list[Content]:
        order = self.settings["ARTICLE_ORDER_BY"]
        found = sorted(contents, key=lambda article: article.relative_source_path)
        if order == "reversed-date":
            return _by_day(found, newest_first=True)
        ordered: list[Content] = order_content(found, order)
        return ordered

    def _build_period_archives(self, generator: ArticlesGenerator) -> dict[str, list[dict[str, Any]]]:
        archives = generator._build_period_archives(self.dates, self.articles, self.settings)
        for archive in (a for kind in ("month", "day") for a in archives.get(kind, [])):
            year, month, *day = archive["period_num"]
            archive["period"] = (year, month_name(month, self.language), *day)
        return dict(archives)

    def context(self) -> dict[str, Any]:
        """What templates read, beside the site's own settings."""
        return {
            **self.settings,
            "edition": self,
            "articles": self.articles,
            "hidden_articles": self.hidden_articles,
            "drafts": self.drafts,
            "dates": self.dates,
            "period_archives": self.period_archives,
            "tags": list(self.tags.items()),
            "categories": self.categories,
            "authors": self.authors,
            "pages": self.pages,
            "hidden_pages": self.hidden_pages,
            "draft_pages": self.draft_pages,
            "page_urls": {page.translation_key: page.url for page in self.pages},
            "untranslated_pages": self.untranslated_pages,
        }


def _by_day(contents: Iterable[Content], *, newest_first: bool) -> list[Content]:
    """By the day that counts in an edition; one day's articles by their keys."""
    by_key = sorted(contents, key=lambda article: str(article.translation_key))
    return sorted(by_key, key=lambda article: article.listed, reverse=newest_first)


def _slug_of(entry: tuple[Any, list[Content]]) -> str:
    return str(entry[0].slug)
