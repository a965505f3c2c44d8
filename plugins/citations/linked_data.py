"""An article described for search engines: a schema.org Article, to be written as JSON-LD.

Article, not Report or ScholarlyArticle: these texts are commissioned by nobody and reviewed
by no journal. Only what the page shows as well is stated, and only addresses that the build
writes; there is no empty value in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pelican.contents import Article

from .reference import (
    Author,
    absolute,
    authors_of,
    day_of,
    is_citable,
    publication_of,
    source_of,
    title_of,
    translations_of,
    translator_of,
)
from .settings import Configuration
from .sources import read_sources


class LinkedData:
    """What themes call as `linked_data(article)`."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration

    def __call__(self, article: Article) -> dict[str, Any]:
        """The article as a dict for Jinja's `tojson`; all texts in it are plain."""
        settings = article.settings
        publication = publication_of(article)
        home = absolute(article, str(settings.get("INDEX_URL", ""))) or None
        url = absolute(article, article.url)
        described: dict[str, Any] = _filled(
            {
                "@context": "https://schema.org",
                "@type": "Article",
                "@id": url,
                "url": url,
                "identifier": self._neutral_address(article),
                "headline": title_of(article),
                "inLanguage": str(article.lang),
                "author": [_author(one) for one in authors_of(article, self._configuration.organisations)],
                "translator": _named("Person", translator_of(article)),
                "translationOfWork": self._original(article),
                "workTranslation": [self._mention(one) for one in translations_of(article) if is_citable(article)],
                "datePublished": day_of(getattr(article, "listed", article.date)).isoformat(),
                "dateModified": day_of(article.modified).isoformat() if hasattr(article, "modified") else "",
                "publisher": {**_named("Organization", publication), "logo": self._logo(article)},
                "isPartOf": {"@type": "WebSite", "@id": home, "name": publication},
                "image": self._image(article),
                "about": [*_about(article, "Country", ("countries",)), *_about(article, "Thing", ("topics", "tags"))],
                "correction": [_correction(note) for note in getattr(article, "corrections", None) or ()],
                "creativeWorkStatus": "Retracted" if getattr(article, "retraction", None) else "",
                "version": article.revision,
                "citation": _citations(article),
            }
        )
        return described

    def _neutral_address(self, article: Article) -> str:
        neutral = getattr(article, "neutral_url", None)
        return absolute(article, neutral) if neutral else ""

    def _original(self, article: Article) -> dict[str, Any]:
        source = source_of(article)
        if source is None or source.status != "published":
            return {}
        return {**self._mention(source), "headline": title_of(source)}

    def _mention(self, other: Article) -> dict[str, Any]:
        return {"@type": "Article", "@id": absolute(other, other.url), "inLanguage": str(other.lang)}

    def _logo(self, article: Article) -> str:
        return absolute(article, self._configuration.logo) if self._configuration.logo else ""

    def _image(self, article: Article) -> str:
        image = str(getattr(article, "image", None) or "")
        return image if image.startswith(("http://", "https://")) else absolute(article, image) if image else ""


def _filled(value: Any) -> Any:
    """The same without anything empty in it."""
    if isinstance(value, dict):
        filled = {name: _filled(one) for name, one in value.items()}
        return {name: one for name, one in filled.items() if one not in (None, "", [], {})}
    if isinstance(value, list):
        return [_filled(one) for one in value]
    return value


def _named(kind: str, name: str) -> dict[str, Any]:
    return {"@type": kind, "name": name} if name else {}


def _author(author: Author) -> dict[str, Any]:
    return _named("Organization" if author.is_organisation else "Person", author.name)


def _about(article: Article, kind: str, attributes: Iterable[str]) -> Iterator[dict[str, Any]]:
    """What the article is about, from the first of these attributes that it has."""
    for attribute in attributes:
        terms = getattr(article, attribute, None)
        if isinstance(terms, (list, tuple)) and terms:
            yield from (_named(kind, _name_of(term, article)) for term in terms)
            return


def _name_of(term: Any, article: Article) -> str:
    name = getattr(term, "name", term)
    return str(name(article.lang)) if callable(name) else str(name)


def _correction(note: Any) -> dict[str, Any]:
    return {"@type": "CorrectionComment", "datePublished": note.date.isoformat(), "text": note.text}


def _citations(article: Article) -> list[str]:
    """Its sources: by their first web address, else as the footnote names them."""
    sources = read_sources(article._content or "")
    return list(dict.fromkeys(source.addresses[0] if source.addresses else source.text for source in sources))
