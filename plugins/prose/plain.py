"""The words of a text, without its markup."""

from __future__ import annotations

import re
from html import unescape

from .markup import MARKUP

#: Tags that stand inside a word as well as between two: all others part words.
_INSIDE_WORDS = frozenset([
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "del", "dfn", "em", "font", "i", "ins", "kbd", "mark", "q",
    "s", "samp", "small", "span", "strong", "sub", "sup", "time", "u", "var", "wbr",
])  # fmt: skip
#: Numbers of footnotes, and the signs with which headings link to themselves.
_NOTE = re.compile(
    r"""
      <sup\s[^<>]*?\bid="fnref[^<>]*+>[^<]*+(?:<(?!/?sup\b)[^<]*+)*</sup\s*+>
    | <a\s[^<>]*?\bclass="(?:footnote-ref|footnote-reference|headerlink)\b[^<>]*+>[^<]*+(?:<(?!/?a\b)[^<]*+)*</a\s*+>
    """,
    re.VERBOSE,
)


def words_of(html: str) -> str:
    """What is read: no tags, no numbers of footnotes, entities as the characters they stand for."""
    if "<" in html:
        html = MARKUP.sub(_gap, _NOTE.sub("", html))
    return unescape(html) if "&" in html else html


def _gap(found: re.Match[str]) -> str:
    return "" if (found["name"] or "").lower() in _INSIDE_WORDS else " "


def title_of(html: str) -> str:
    """A heading in one line."""
    return " ".join(words_of(html).split())
