"""What readers of an outdated translation are told: how many changes there were in its source, where, and which."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, partial
from html import escape, unescape
from pathlib import PurePosixPath

from markupsafe import Markup

from .blocks import PLACES, Block, read_places
from .changes import Op
from .comparison import Passage, compare
from .content import Text
from .states import Survey, Translation
from .words import Difference

_FIELDS = ("title", "summary", "field")
_NOTE_CALL = re.compile(r"\[\^[^\]\s]+\](?:: )?")
_OPENING = re.compile(rf"""<({"|".join(sorted(PLACES))})\b(?:\s[^<>]*?)?\sid="([^"<>]+)"[^<>]*>""")


@dataclass(frozen=True, slots=True)
class Remark:
    """A change in the source of a translation.

    `pieces` are what became of its words, in the source's language. `place` is the id of the element of the
    translation that it is about; "" where that is not known. What was added belongs before that element, or behind it
    where `is_behind`.
    """

    op: Op
    pieces: tuple[tuple[Difference, str], ...]
    place: str = ""
    is_behind: bool = False


@dataclass(frozen=True)
class Outdated:
    """What has changed in the source of a translation since `day`, in the source's order.

    `lang` and `direction` are the source's. `url` is the address of the page that shows the changes, "" for none.
    `find` lays the two texts beside each other, which takes a tenth of a second: of most, a preview writes no page.
    """

    lang: str
    direction: str
    day: date
    find: Callable[[], tuple[Remark, ...]] = field(repr=False, compare=False)
    url: str = ""
    save_as: str = ""

    @cached_property
    def remarks(self) -> tuple[Remark, ...]:
        """Each change, found when somebody asks."""
        return self.find()

    @property
    def is_marked(self) -> bool:
        """Whether the text can be marked where any of the changes belongs."""
        return any(remark.place for remark in self.remarks)

    def mark(self, html: str, address: str, labels: Mapping[Op, str]) -> Markup:
        """A text with a line at each place that a change is about, leading to the change on the page of changes.

        A line stands before what it is about, and first in a footnote; where something was added, it stands in its
        place. Of several changes in one place the first has the line.
        """
        numbers: dict[tuple[str, bool], int] = {}
        for number, remark in enumerate(self.remarks, 1):
            numbers.setdefault((remark.place, remark.is_behind), number)
        lines: list[tuple[int, int, str]] = []
        for found in _OPENING.finditer(html):
            for is_behind in (False, True):
                if number := numbers.get((unescape(found[2]), is_behind), 0):
                    op = self.remarks[number - 1].op
                    link = f'<a href="{escape(address)}#c{number}">{escape(labels[op])}</a>'
                    at = _end_of(html, found) if is_behind else _start_of(found)
                    where = "" if op == "added" else " above"
                    lines.append((at, number, f'<p class="remark{where} ui">{link}</p>\n'))
        pieces, done = [], 0
        for at, _, line in sorted(lines):
            pieces += [html[done:at], line]
            done = at
        return Markup("".join([*pieces, html[done:]]))  # noqa: S704 (the site's own text)


def _start_of(opening: re.Match[str]) -> int:
    """Before an element; in an item, which stands between items alone, at its beginning."""
    return opening.end() if opening[1] == "li" else opening.start()


def _end_of(html: str, opening: re.Match[str]) -> int:
    """Behind an element, or at the end of an item; before one whose end nobody wrote."""
    depth = 0
    for tag in re.compile(rf"<(/?){opening[1]}\b[^<>]*>").finditer(html, opening.start()):
        depth += -1 if tag[1] else 1
        if not depth:
            return tag.start() if opening[1] == "li" else tag.end()
    return _start_of(opening)


def find_changes(survey: Survey, one: Translation, html: str, url: str, save_as: str) -> Outdated | None:
    """What an outdated translation's readers are told; None where its source says what it said.

    `html` is its text as its page has it, `url` and `save_as` are its page's.
    """
    if one.state != "outdated" or not one.changes or one.text is None or one.day is None:
        return None
    language = next(language for language in survey.inventory.languages if language.tag == one.source.lang)
    find = partial(_find_remarks, survey, one, one.text, html, language.tag)
    return Outdated(language.tag, language.direction, one.day, find, *address_of_changes(url, save_as))


def _find_remarks(survey: Survey, one: Translation, text: Text, html: str, lang: str) -> tuple[Remark, ...]:
    blocks = survey.blocks_of(text)
    places = _find_places(blocks, html)
    return tuple(
        Remark(
            passage.change.op,
            tuple((what, _NOTE_CALL.sub("", words)) for what, words in passage.words(lang)),
            *_place_of(passage, blocks, places),
        )
        for passage in compare(survey, one)
    )


def address_of_changes(url: str, save_as: str) -> tuple[str, str]:
    """Where the changes of a page stand, and their file: below an `index.html`, else beside it."""
    page = PurePosixPath(save_as)
    if page.name == "index.html":
        return f"{url.removesuffix('index.html')}changes/", page.with_name("changes").joinpath("index.html").as_posix()
    beside = page.with_stem(f"{page.stem}-changes").as_posix()
    return beside, beside


def _find_places(blocks: Sequence[Block], html: str) -> dict[int, str]:
    """The id by which each block is found on its page; none where the page has other blocks than the file."""
    head = sum(block.kind in _FIELDS for block in blocks)
    shown = read_places(html)
    if [kind for kind, _ in shown] != [block.kind for block in blocks[head:]]:
        return {}
    return {number: place for number, (_, place) in enumerate(shown, head)}


def _place_of(passage: Passage, blocks: Sequence[Block], places: Mapping[int, str]) -> tuple[str, bool]:
    """The id of the element that a change belongs to, and whether it belongs behind that."""
    if passage.change.op != "added":
        return next((places[number] for number in passage.places if places.get(number)), ""), False
    after = next((number for number, block in enumerate(blocks) if block is passage.after), -1)
    if after in places:
        return places[after], True
    # Behind the header: what is new stands at the beginning of the text, unless it is in the header itself.
    return ("" if passage.kind in _FIELDS else next(iter(places.values()), "")), False
