"""What readers of an outdated translation are told: how many changes there were in its source, where, and which."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape, unescape
from pathlib import PurePosixPath

from markupsafe import Markup

from .blocks import PLACES, Block, read_places
from .changes import Op
from .comparison import Passage, compare
from .states import Survey, Translation
from .words import Difference

_FIELDS = ("title", "summary", "field")
_NOTE_CALL = re.compile(r"\[\^[^\]\s]+\](?:: )?")
_OPENING = re.compile(rf"""<({"|".join(sorted(PLACES))})\b(?:\s[^<>]*?)?\sid="([^"<>]+)"[^<>]*>""")


@dataclass(frozen=True, slots=True)
class Remark:
    """A change in the source of a translation.

    `pieces` are what became of its words, in the source's language. `place` is the id of the element of the
    translation that it is about, or behind which it belongs; "" where that is not known.
    """

    op: Op
    pieces: tuple[tuple[Difference, str], ...]
    place: str = ""


@dataclass(frozen=True, slots=True)
class Outdated:
    """What has changed in the source of a translation since `day`, in the source's order.

    `lang` and `direction` are the source's. `url` is the address of the page that shows the changes, "" for none.
    """

    lang: str
    direction: str
    day: date
    remarks: tuple[Remark, ...]
    url: str = ""
    save_as: str = ""

    @property
    def is_marked(self) -> bool:
        """Whether the text can be marked where any of the changes belongs."""
        return any(remark.place for remark in self.remarks)

    def mark(self, html: str, address: str, labels: Mapping[Op, str]) -> Markup:
        """A text with a line at each place that a change is about, leading to the change on the page of changes.

        A line stands before what it is about, and first in a footnote.
        """
        numbers: dict[str, int] = {}
        for at, remark in enumerate(self.remarks, 1):
            numbers.setdefault(remark.place, at)
        pieces, done = [], 0
        for found in _OPENING.finditer(html):
            number = numbers.get(unescape(found[2]))
            if number is None:
                continue
            at = found.end() if found[1] == "li" else found.start()
            label = labels[self.remarks[number - 1].op]
            line = f'<p class="remark ui"><a href="{escape(address)}#c{number}">{escape(label)}</a></p>\n'
            pieces += [html[done:at], line]
            done = at
        return Markup("".join([*pieces, html[done:]]))  # noqa: S704 (the site's own text)


def find_changes(survey: Survey, one: Translation, html: str, url: str, save_as: str) -> Outdated | None:
    """What an outdated translation's readers are told; None where its source says what it said.

    `html` is its text as its page has it, `url` and `save_as` are its page's.
    """
    if one.state != "outdated" or not one.changes or one.text is None or one.day is None:
        return None
    language = next(language for language in survey.inventory.languages if language.tag == one.source.lang)
    blocks = survey.blocks_of(one.text)
    places = _find_places(blocks, html)
    remarks = tuple(
        Remark(
            passage.change.op,
            tuple((what, _NOTE_CALL.sub("", text)) for what, text in passage.words(language.tag)),
            _place_of(passage, blocks, places),
        )
        for passage in compare(survey, one)
    )
    return Outdated(language.tag, language.direction, one.day, remarks, *address_of_changes(url, save_as))


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


def _place_of(passage: Passage, blocks: Sequence[Block], places: Mapping[int, str]) -> str:
    numbers = passage.places or tuple(number for number, block in enumerate(blocks) if block is passage.after)
    return next((places[number] for number in numbers if places.get(number)), "")
