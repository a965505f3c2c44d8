"""The sources of an article: what its footnotes say.

Footnotes are recognised as Python-Markdown writes them: list items whose id begins with
`fn`, each ending with a link back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html.parser import HTMLParser

_FIRST = re.compile(r"<li\b[^<>]*\bid=[\"']fn")
_NOTE_ID = re.compile(r"fn[:-]")
#: A web address as plain text; what a language writes after it may follow without a space.
_ADDRESS = re.compile(r"https?://[!-~]+")
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")
_BLOCKS = ("p", "br", "li", "div", "blockquote", "dt", "dd", "td", "pre")
_CHINESE_DIGITS = str.maketrans("〇零一二三四五六七八九", "00123456789")
#: Years of today in the Solar Hijri, Islamic, Gregorian and Buddhist calendars.
_YEARS = range(1300, 2700)


@dataclass(frozen=True, slots=True)
class Source:
    """One footnote: its number on the page, its plain text, the web addresses in it.

    `after` is the text behind the last address, where the day stands on which it was read.
    """

    number: int
    text: str
    addresses: tuple[str, ...]
    after: str

    @property
    def lacks_access_date(self) -> bool:
        """Whether it names a web address with no year behind it, in whatever digits and calendar."""
        return bool(self.addresses) and not _names_a_year(self.after)


def read_sources(text: str) -> list[Source]:
    """The footnotes of an article's HTML, in their order."""
    start = _FIRST.search(text)
    if start is None:
        return []
    reader = _Reader()
    reader.feed(text[start.start() :])
    reader.close()
    return reader.sources


def _names_a_year(text: str) -> bool:
    # int() reads the digits of every script (Python's Unicode category Nd).
    years: Iterable[str] = _YEAR.findall(text.translate(_CHINESE_DIGITS))
    return any(int(year) in _YEARS for year in years)


class _Reader(HTMLParser):
    """Collects the footnotes as they pass."""

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[Source] = []
        self._items = 0  # how many lists' items deep inside a footnote
        self._text: list[str] = []
        self._after = ""
        self._addresses: list[str] = []
        self._link: str | None = None
        self._is_way_back = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        stated = {name: value or "" for name, value in attrs}
        if tag == "li" and (self._items or _NOTE_ID.match(stated.get("id", ""))):
            self._items += 1
        elif tag == "a" and self._items:
            self._is_way_back = "footnote-backref" in stated.get("class", "").split()
            self._link = stated.get("href", "")
        if tag in _BLOCKS and self._items:
            self._add(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._link is not None:
            if self._link.startswith(("http://", "https://")):
                self._addresses.append(self._link)
                self._after = ""
            self._link = None
            self._is_way_back = False
        elif tag == "li" and self._items:
            self._items -= 1
            if not self._items:
                self._finish()

    def handle_data(self, data: str) -> None:
        if self._items and not self._is_way_back:
            self._add(data)

    def _add(self, data: str) -> None:
        self._text.append(data)
        plain = [] if self._link is not None else list(_ADDRESS.finditer(data))
        if plain:
            self._addresses += [found[0].rstrip(".,;:)>") for found in plain]
            self._after = data[plain[-1].end() :]
        else:
            self._after += data

    def _finish(self) -> None:
        number = len(self.sources) + 1
        text = " ".join("".join(self._text).split())
        self.sources.append(Source(number, text, tuple(dict.fromkeys(self._addresses)), self._after))
        self._text, self._addresses, self._after = [], [], ""
