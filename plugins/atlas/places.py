"""Regions and countries, as articles and templates hold them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .names import Names, Texts

#: The key of the region of countries that stand in no region of the table.
ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Report:
    """What is reported on, in one line, for one or several countries."""

    countries: tuple[Country, ...]
    line: Texts

    def about(self, lang: str) -> str:
        """The line."""
        return self.line.find(lang)[0]

    def about_lang(self, lang: str) -> str:
        """The language the line for `lang` really is in."""
        return self.line.find(lang)[1]


class Place:
    """What a region and a country have in common: a key that no language owns, and a name in each."""

    def __init__(self, key: str) -> None:
        self.key = key

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, Place) and other.key == self.key

    def __hash__(self) -> int:
        return hash((type(self), self.key))

    def __repr__(self) -> str:
        return f"<{type(self).__name__.lower()} {self.key}>"

    def slug(self, lang: str) -> str:  # noqa: ARG002 (whoever makes addresses asks in a language)
        """Its part of an address: the key, in every language."""
        return self.key


class Region(Place):
    """A region with its countries, in the table's order."""

    def __init__(self, key: str, names: Texts) -> None:
        super().__init__(key)
        self.names = names
        self.reports: list[Report] = []
        self.countries: list[Country] = []

    def name(self, lang: str) -> str:
        """Its name."""
        return self.names.find(lang)[0] or self.key

    def name_lang(self, lang: str) -> str:
        """The language the name for `lang` really is in."""
        return self.names.find(lang)[1] or lang


class Country(Place):
    """A country; its key is its code in small letters."""

    def __init__(self, code: str, region: Region, names: Names) -> None:
        super().__init__(code.lower())
        self.code = code
        self.region = region
        self.report: Report | None = None
        self._names = names

    def name(self, lang: str) -> str:
        """Its name."""
        return self._names.find(self.code, lang)[0]

    def name_lang(self, lang: str) -> str:
        """The language the name for `lang` really is in."""
        return self._names.find(self.code, lang)[1]

    def about(self, lang: str) -> str:
        """What is reported on there, "" where the table says nothing."""
        return self.report.about(lang) if self.report else ""

    def about_lang(self, lang: str) -> str:
        """The language that line for `lang` really is in."""
        return self.report.about_lang(lang) if self.report else ""


@dataclass
class Atlas:
    """The regions in the table's order, and the countries articles name beside them."""

    names: Names
    regions: list[Region] = field(default_factory=list)
    elsewhere: Region = field(default_factory=lambda: Region(ELSEWHERE, Texts({"en": "Elsewhere"})))

    @property
    def countries(self) -> list[Country]:
        """Every country of the table."""
        return [country for region in self.regions for country in region.countries]

    def find(self, code: str) -> Country:
        """A country by its code; one outside the table is entered under `elsewhere`, in the order of codes."""
        for region in (*self.regions, self.elsewhere):
            for country in region.countries:
                if country.code == code:
                    return country
        country = Country(code, self.elsewhere, self.names)
        self.elsewhere.countries.append(country)
        self.elsewhere.countries.sort(key=lambda other: other.code)
        return country

    def regions_of(self, countries: Iterable[Country]) -> list[Region]:
        """The regions of some countries, in the table's order, each once."""
        keys = {country.region.key for country in countries}
        return [region for region in (*self.regions, self.elsewhere) if region.key in keys]
