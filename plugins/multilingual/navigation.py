"""How a page leads to its other languages: alternates for machines, a switcher for people.

Both are made from one table of pages by identity, and only when a template asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from .editions import Edition
from .outputs import Identity, Output

#: Pelican's pages of lists: where one of their kind would stand.
_LISTS = {
    "tag": "tags",
    "category": "categories",
    "author": "authors",
    "regions": "countries",
    **dict.fromkeys(("year", "month", "day"), "archives"),
}


@dataclass(frozen=True, slots=True)
class Alternate:
    """An hreflang link; `url` is absolute."""

    hreflang: str
    url: str


@dataclass(frozen=True, slots=True)
class SwitcherEntry:
    """One language in the switcher.

    `exact` tells whether the link leads to the same thing; else `kind` says what it leads
    to: "list" (the list the thing would stand in) or "home" (that language's front page).
    """

    lang: str
    name: str
    direction: str
    url: str
    current: bool
    exact: bool
    kind: str


class Directory:
    """All pages of a build by identity and language."""

    def __init__(
        self,
        editions: Sequence[Edition],
        public_url: str,
        default_lang: str,
        home_url: str | None,
        further: Mapping[Identity, Mapping[str, str]],
    ) -> None:
        self.public_url = public_url
        self._editions = editions
        self._default_lang = default_lang
        self._home_url = home_url
        self._further = further
        self._pages: dict[tuple[Identity, int], dict[str, Output]] = {}
        self._sources: dict[Identity, str] = {}

    def add(self, output: Output) -> None:
        """Enter a page that belongs to an edition."""
        if output.edition is None:
            return
        by_lang = self._pages.setdefault((output.identity, output.number), {})
        by_lang[output.edition.lang] = output
        source = getattr(output.content, "source", None)
        if source is not None:
            self._sources[output.identity] = source.lang

    def urls(self) -> dict[Identity, dict[str, str]]:
        """Addresses by identity and language, first pages only: the seam between plugins."""
        return {
            identity: {lang: output.url for lang, output in by_lang.items()}
            for (identity, number), by_lang in self._pages.items()
            if number == 1
        }

    def absolute(self, url: str) -> str:
        """An address with the site's own in front, percent-encoded (RFC 3986)."""
        return f"{self.public_url}/{quote(url, safe='/:%?#=&')}"

    def alternates(self, output: Output) -> list[Alternate]:
        """The real translations of a page, itself included; none for pages not listed."""
        if not output.listed or output.number > 1 or not self.public_url:
            return []
        by_lang = self._pages.get((output.identity, 1), {})
        listed = {lang: other for lang, other in by_lang.items() if other.listed}
        found = [
            Alternate(edition.lang, self.absolute(listed[edition.lang].url))
            for edition in self._editions
            if edition.lang in listed
        ]
        default = self._find_default(output, listed)
        if default is not None:
            found.append(Alternate("x-default", self.absolute(default)))
        return found

    def _find_default(self, output: Output, listed: Mapping[str, Output]) -> str | None:
        if output.identity == ("index", ""):
            if self._home_url is not None:
                return self._home_url
            home = listed.get(self._default_lang)
            return home.url if home else None
        source = listed.get(self._sources.get(output.identity, ""))
        return source.url if source else None

    def switcher(self, output: Output) -> Iterator[SwitcherEntry]:
        """Every language, with the nearest thing there is in it."""
        for edition in self._editions:
            url, exact, kind = self._nearest(output, edition)
            yield SwitcherEntry(
                lang=edition.lang,
                name=edition.name,
                direction=edition.direction,
                url=url,
                current=output.edition is edition,
                exact=exact,
                kind=kind,
            )

    def _nearest(self, output: Output, edition: Edition) -> tuple[str, bool, str]:
        kind, key = output.identity
        # Who looks at a draft may see what is published; the other way leads to no draft.
        for identity in dict.fromkeys((output.identity, (kind.removeprefix("draft "), key))):
            for number in dict.fromkeys((output.number, 1)):
                same = self._pages.get((identity, number), {}).get(edition.lang)
                if same is not None:
                    return same.url, True, "same"
            further = self._further.get(identity, {}).get(edition.lang)
            if further is not None:
                return further, True, "same"
        if key:
            containing = self._pages.get(((_LISTS.get(kind, kind), ""), 1), {}).get(edition.lang)
            if containing is not None:
                return containing.url, False, "list"
        return edition.url, False, "home"


class Lazy:
    """A sequence made when a template first looks: most themes ask for few of them."""

    __slots__ = ("_items", "_make")

    def __init__(self, make: Callable[[], Iterable[object]]) -> None:
        self._make = make
        self._items: list[object] | None = None

    def _get(self) -> list[object]:
        if self._items is None:
            self._items = list(self._make())
        return self._items

    def __iter__(self) -> Iterator[object]:
        return iter(self._get())

    def __len__(self) -> int:
        return len(self._get())

    def __getitem__(self, index: int) -> object:
        return self._get()[index]
