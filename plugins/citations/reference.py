"""What is stated when an article is cited, gathered from Pelican's object.

Attributes that only a multilingual site has (source article, translator, revision's day,
neutral address) are left out where there are none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from jinja2.filters import do_striptags
from pelican.contents import Article
from pelican.readers import MarkdownReader

#: What a header states in place of a translator's name that is not to be known.
WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote an article."""

    name: str
    is_organisation: bool


@dataclass(frozen=True, slots=True)
class Reference:
    """An article as it is cited. Texts are plain, addresses absolute, what is unknown is empty.

    `published` is the day of this language's text; `original_published` that of its source
    article, which is named only while it is published itself.
    """

    key: str
    lang: str
    title: str
    authors: tuple[Author, ...]
    translator: str
    publication: str
    published: date
    changed: date | None
    retracted: date | None
    original_lang: str
    original_title: str
    original_published: date | None
    url: str
    neutral_url: str
    revision: str


def describe(article: Article, organisations: Collection[str]) -> Reference:
    """Gather what is stated when this article is cited."""
    source = source_of(article)
    named = source if source is not None and source.status == "published" else None
    retraction = getattr(article, "retraction", None)
    neutral = getattr(article, "neutral_url", None)
    return Reference(
        key=f"{getattr(article, 'translation_key', '') or article.slug}-{article.lang}",
        lang=str(article.lang),
        title=title_of(article),
        authors=tuple(authors_of(article, organisations)),
        translator=translator_of(article),
        publication=publication_of(article),
        published=day_of(getattr(article, "listed", article.date)),
        changed=day_of(article.modified) if hasattr(article, "modified") else None,
        retracted=retraction.date if retraction else None,
        original_lang=str(source.lang) if source is not None else "",
        original_title=title_of(named) if named is not None else "",
        original_published=day_of(named.date) if named is not None else None,
        url=absolute(article, article.url),
        neutral_url=absolute(article, neutral) if neutral else "",
        revision=article.revision,
    )


def is_citable(article: Article) -> bool:
    """Whether an article has an address that stays: drafts have none yet, withdrawn ones no text."""
    return article.status in ("published", "hidden") and not getattr(article, "withdrawal", None)


def source_of(article: Article) -> Article | None:
    """The article this one was translated from; None for a source article.

    Pelican itself takes the one in the default language for the original.
    """
    if hasattr(article, "source"):
        source = article.source
        return None if source is article or getattr(source, "withdrawal", None) else source
    if article.in_default_lang:
        return None
    return next((other for other in article.translations if other.in_default_lang), None)


def translations_of(article: Article) -> list[Article]:
    """The published translations of a source article."""
    if source_of(article) is not None:
        return []
    translations = [other for other in article.translations if other.status == "published"]
    return sorted(translations, key=lambda other: str(other.lang))


def title_of(article: Article) -> str:
    """Its title as plain text.

    Pelican's Markdown reader hands titles over as they were typed; its other readers, and
    Typogrify, as HTML.
    """
    name = str(article.source_path).rsplit(".", 1)[-1].lower()
    if name in MarkdownReader.file_extensions and not article.settings["TYPOGRIFY"]:
        return str(article.title)
    return do_striptags(str(article.title))


def publication_of(article: Article) -> str:
    """The name of the publication in the article's language."""
    return do_striptags(str(article.settings["SITENAME"]))


def authors_of(article: Article, organisations: Collection[str]) -> Iterator[Author]:
    """Its authors, by the names they have in the article's language."""
    for author in getattr(article, "authors", None) or []:
        key = getattr(author, "key", None) or getattr(author, "slug", "")
        yield Author(str(author), str(key) in organisations)


def translator_of(article: Article) -> str:
    """Who translated it, "" where that is not stated or not to be known."""
    translator = str(getattr(article, "translator", None) or "").strip()
    return "" if translator.casefold() == WITHHELD else translator


def absolute(article: Article, url: str) -> str:
    """An address below the site's own, percent-encoded (RFC 3986); "" where the site has none."""
    site = str(article.settings["SITEURL"]).rstrip("/")
    return f"{site}/{quote(url.lstrip('/'), safe='/:%?#=&')}" if site else ""


def day_of(moment: datetime | date | Any) -> date:
    """The day of a moment."""
    return moment.date() if isinstance(moment, datetime) else moment
