"""Receivers of Pelican's signals.

What a run needs stands in Pelican's own context (`atlas`), so nothing is kept between runs.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from pelican import Pelican
from pelican.contents import Article
from pelican.generators import ArticlesGenerator, Generator
from pelican.plugins import signals

from .fields import split_countries
from .names import country_codes
from .places import Atlas
from .settings import read_configuration
from .table import AtlasTable

logger = logging.getLogger(__name__)

_LISTS = ("articles", "translations", "hidden_articles", "hidden_translations", "drafts", "drafts_translations")


def connect() -> None:
    """Connect every receiver. Pelican holds them weakly, so they are module functions."""
    signals.initialized.connect(check_settings)
    signals.generator_init.connect(read_table)
    signals.article_generator_pretaxonomy.connect(place_articles)


def check_settings(pelican: Pelican) -> None:
    """Refuse settings that cannot be used. Raises ConfigurationError, which ends the build."""
    read_configuration(pelican.settings)


def read_table(generator: Generator) -> None:
    """Read the table with the first generator of a run, and say what is wrong with it."""
    context = generator.context
    name = read_configuration(generator.settings).file
    if not name or "atlas" in context:
        return
    path = Path(generator.settings["PATH"], name)
    # Where languages have editions, these know their CLDR locales.
    locales = {edition.lang: edition.language.locale for edition in context.get("editions", ())}
    table = AtlasTable(path, locales)
    context["atlas"] = table.atlas
    shown = _name_of(path, Path(generator.settings["PATH"]))
    for problem in table.problems:
        _report(context, _at(shown, problem.line), problem.what, problem.remedy)
    gaps = () if table.problems else table.find_gaps(locales or [generator.settings["DEFAULT_LANG"]])
    for problem in gaps:
        _report(context, _at(shown, problem.line), problem.what, problem.remedy, warning=True)


def place_articles(generator: ArticlesGenerator) -> None:
    """Give every article its countries and regions. Whatever inherits fields has done so before."""
    atlas = generator.context.get("atlas")
    if not isinstance(atlas, Atlas):
        return
    for article in [article for name in _LISTS for article in getattr(generator, name)]:
        codes = []
        for text in split_countries(getattr(article, "countries", None)):
            if text in country_codes():
                codes.append(text)
            elif _is_own_statement(article):
                preferred = [country.code for country in atlas.countries]
                remedy = atlas.names.remedy(text, article.lang, preferred)
                _report(generator.context, article, f"{text!r} is no country's code", remedy, field="countries")
        article.countries = [atlas.find(code) for code in codes]
        article.regions = atlas.regions_of(article.countries)


def _is_own_statement(article: Article) -> bool:
    """Whether the file itself states its countries: what it inherits, its source answers for."""
    return getattr(article, "is_source", True) or "countries" in getattr(article, "stated_fields", ())


def _name_of(path: Path, content: Path) -> str:
    """The table as problems name it: relative to the project, with forward slashes."""
    root = Path.cwd() if content.is_relative_to(Path.cwd()) else content.parent
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def _at(name: str, line: int) -> str:
    return f"{name}:{line}" if line else name


def _report(
    context: dict[str, Any], where: Any, what: str, remedy: str, *, field: str = "", warning: bool = False
) -> None:
    """Report to whoever collects the problems of this build, else to the log."""
    report = context.get("report_problem")
    if report is not None:
        report(where, what, remedy, field=field, warning=warning)
    else:
        name = getattr(where, "relative_source_path", where)
        level = logging.WARNING if warning else logging.ERROR
        logger.log(level, "%s: %s%s. %s", name, f"{field.title()}: " if field else "", what, remedy)
