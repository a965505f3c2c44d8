"""The visible numbers of a text, in the digits of the page it is shown on.

They are put in when a theme shows the text, not when it is made: feeds and letters have the ids and no numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from .blocks import numbered_blocks
from .markup import Edit, TagFinder, apply, classes

_LATIN = "1234567890"
_LINKS = TagFinder(("a",))
_NOTE_CLASSES = frozenset(("footnote-ref", "footnote-reference"))
_NOTE_NUMBER = re.compile(r"\[?([0-9]++)\]?</a", re.IGNORECASE)


def numbered(environment: Environment, html: Any, blocks: int | None = None) -> Markup:
    """A text with a link to itself in each numbered block, and with the page's digits on its footnotes.

    `blocks` is how many numbered blocks it has (`article.paragraphs`), if known: 0 spares the search.
    """
    text = str(html or "")
    digits = page_digits(environment.filters.get("localnumber"))
    edits = []
    if blocks != 0:
        for number, block in numbered_blocks(text):
            shown = str(number).translate(digits)
            link = f'<a class="number" href="#p{number}">{shown}</a> '
            edits.append(Edit(block.opened, block.opened, link))
    if digits and "footnote-ref" in text:
        for tag in _LINKS.find(text):
            found = None if tag.closing else _NOTE_NUMBER.match(text, tag.end)
            if found and classes(tag) & _NOTE_CLASSES:
                edits.append(Edit(found.start(1), found.end(1), found[1].translate(digits)))
    return Markup(apply(edits, text) if edits else text)  # noqa: S704 (the site's own text)


def page_digits(localnumber: Callable[[int], str] | None) -> dict[int, str]:
    """What the page writes for each Latin digit, if it is another; asked once, as each answer has its cost."""
    if localnumber is None:
        return {}
    shown = [character for character in localnumber(int(_LATIN)) if character.isdigit()]
    if len(shown) != len(_LATIN) or "".join(shown) == _LATIN:
        return {}
    return {ord(latin): own for latin, own in zip(_LATIN, shown, strict=True)}
