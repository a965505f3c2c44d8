"""A plugin that sets terms of its own on articles, as an atlas does."""

from __future__ import annotations

from dataclasses import dataclass

from pelican.generators import ArticlesGenerator
from pelican.plugins import signals


@dataclass(frozen=True)
class Place:
    """A place with a name and a slug in every language; two of one key are not equal."""

    key: str
    owner: str

    def name(self, lang: str) -> str:
        return f"{self.key} in {lang}"

    def slug(self, lang: str) -> str:
        return f"{self.key}-{lang}"


def register() -> None:
    signals.article_generator_pretaxonomy.connect(set_places)


def set_places(generator: ArticlesGenerator) -> None:
    name = generator.settings.get("PLACES_ATTRIBUTE", "places")
    for article in (*generator.articles, *generator.translations):
        if isinstance(stated := getattr(article, name, None), str):
            setattr(article, name, [Place(stated, article.slug)])
