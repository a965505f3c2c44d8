"""Feeds that stay the same feed: stable ids, the language, the day that counts.

Pelican derives an entry's id from its link, so that a new domain or slug announces the
whole archive again. Here it is a tag URI (RFC 4151) of authority, year, language and key.
"""

from __future__ import annotations

import uuid
from html import escape
from typing import Any
from urllib.parse import quote, urlsplit

from feedgenerator import Atom1Feed
from pelican.contents import Content

from .editions import Edition
from .formats import format_date
from .members import Note
from .outputs import FeedOutput


def entry_id(authority: str, article: Content) -> str:
    """An entry's id, independent of host and slug."""
    key = quote(str(article.translation_key), safe="-._~/")
    return f"tag:{authority},{article.date.year}:{article.lang}/{key}"


def feed_id(authority: str, output: FeedOutput) -> str:
    """A feed's id: a name-based UUID (RFC 9562), as a feed has no year of its own."""
    name = f"{authority}/{output.save_as}"
    return uuid.uuid5(uuid.NAMESPACE_URL, name).urn


def default_authority(public_url: str) -> str:
    """The site's host, where no FEED_AUTHORITY outlives it."""
    return urlsplit(public_url).hostname or "localhost"


def complete_feed(feed: Any, output: FeedOutput, authority: str, page_url: str) -> None:
    """Add to a feed what Pelican leaves out, before it is written."""
    edition = output.edition
    feed.feed["id"] = feed_id(authority, output)
    feed.feed["language"] = edition.lang
    feed.feed["link"] = page_url
    for item, article in zip(feed.items, output.articles, strict=False):
        item["unique_id"] = entry_id(authority, article)
        item["unique_id_is_permalink"] = False
        item["pubdate"] = article.listed
        body = "content" if isinstance(feed, Atom1Feed) else "description"
        if item[body]:
            item[body] = (
                f'<div lang="{edition.lang}" dir="{edition.direction}">{_notices(article, edition)}{item[body]}</div>'
            )


def _notices(article: Content, edition: Edition) -> str:
    """What a reader must know before the text, in the reader's language."""
    gettext = edition.translations.gettext
    marks = [(gettext("Corrected"), note) for note in article.corrections]
    marks += [(gettext("Corrected in the original, not yet checked here"), note) for note in article.open_corrections]
    if article.retraction:
        marks.insert(0, (gettext("Retracted"), article.retraction))
    return "".join(
        f"<p><strong>{escape(word)}, {escape(format_date(note.date, edition.language))}</strong>"
        f"{': ' + _text_of(note, edition) if note.text else ''}</p>"
        for word, note in marks
    )


def _text_of(note: Note, edition: Edition) -> str:
    text = escape(note.text)
    return text if note.lang == edition.lang else f'<span lang="{note.lang}" dir="auto">{text}</span>'
