"""What the plugin adds to Jinja: messages, dates and numbers in the page's language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader

from .editions import Edition
from .formats import format_date, format_number, format_year
from .languages import Language
from .settings import Configuration

#: Templates for themes that have none of their own for the plugin's pages.
FALLBACK_TEMPLATES = Path(__file__).parent / "templates"


class Voice:
    """The language that is being spoken: that of `edition`, or the site's default.

    One Jinja environment serves all editions, so its functions ask here. A macro that is
    imported without context sees no page variables, but it does reach these.
    """

    def __init__(self, editions: Mapping[str, Edition], configuration: Configuration) -> None:
        self.edition: Edition | None = None
        self._editions = editions
        self._configuration = configuration
        self._default = editions[configuration.languages.default.tag]

    def install(self, environment: Environment) -> None:
        """Add the messages, filters and fallback templates to a Jinja environment."""
        environment.add_extension("jinja2.ext.i18n")
        environment.install_gettext_callables(  # type: ignore[attr-defined]
            self.gettext, self.ngettext, newstyle=True, pgettext=self.pgettext,
            npgettext=self.npgettext,
        )  # fmt: skip
        environment.globals["message_in"] = self.message_in
        environment.filters["localdate"] = self.localdate
        environment.filters["localnumber"] = self.localnumber
        environment.filters["localyear"] = self.localyear
        environment.filters["isodate"] = isodate
        loader = environment.loader
        if isinstance(loader, ChoiceLoader):
            loader.loaders = [*loader.loaders, FileSystemLoader(FALLBACK_TEMPLATES)]

    @property
    def _speaking(self) -> Edition:
        return self.edition or self._default

    def gettext(self, message: str) -> str:
        """A message in the page's language."""
        return self._speaking.translations.gettext(message)

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        """A message that counts."""
        return self._speaking.translations.ngettext(singular, plural, n)

    def pgettext(self, context: str, message: str) -> str:
        """A message whose English is ambiguous."""
        return self._speaking.translations.pgettext(context, message)

    def npgettext(self, context: str, singular: str, plural: str, n: int) -> str:
        """An ambiguous message that counts."""
        return self._speaking.translations.npgettext(context, singular, plural, n)

    def message_in(self, lang: str, message: str, **variables: Any) -> str:
        """A message in another language than the page's, for pages that speak several."""
        return self._editions[lang].translations.gettext(message) % variables

    def localdate(self, day: date | datetime, lang: str = "", length: str = "") -> str:
        """A day as the page's language writes it."""
        if isinstance(day, datetime):
            day = day.date()
        return format_date(day, self._language(lang), length or self._configuration.date_format)

    def localnumber(self, number: float, lang: str = "") -> str:
        """A number as the page's language writes it."""
        return format_number(number, self._language(lang))

    def localyear(self, year: int, lang: str = "") -> str:
        """A Gregorian year as the page's language writes it."""
        return format_year(year, self._language(lang))

    def _language(self, lang: str) -> Language:
        return self._configuration.languages[lang] if lang else self._speaking.language


def isodate(day: date | datetime) -> str:
    """A day for machines: 2026-03-04."""
    return (day.date() if isinstance(day, datetime) else day).isoformat()
