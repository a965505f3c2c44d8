"""The revision of an article: twelve hexadecimal digits that name its exact wording.

Whoever cites a text states them; whoever reads it later sees at once whether it is still
that text. Two builds agree on them, also under another address or host, and whatever
other plugins add to the markup.
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256
from html import unescape

_DIGITS = 12
_SPACE = re.compile(r"\s+")
#: A comment; a link with nothing but text in it; any other tag. None looks at a character twice for long.
_MARKUP = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<a(?P<link>\s[^<>]*)>(?P<text>[^<]*)</a\s*>"
    r"|</?[A-Za-z](?P<tag>[^<>]*)>",
    re.DOTALL,
)
#: The way back from a footnote belongs to the page, not to the text.
_WAY_BACK = "footnote-backref"
_ATTRIBUTE = re.compile(r"\s(?P<name>href|src|alt)\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)')", re.IGNORECASE)


def compute_revision(lang: str, title: str, text: str) -> str:
    """The first twelve digits of SHA-256 over three lines in UTF-8 and NFC, joined by U+000A.

    They are the language's tag; the title; the words of the text. `text` is HTML as the
    reader of the source file made it, links in it not yet resolved. Its words are what is left when

    - comments and the footnotes' links back are taken out,
    - each tag becomes a space, or, between spaces, the values of its `href` (unless it leads
      into the same page), `src` and `alt`, in this order,
    - character references are resolved.

    In title and words every run of white space counts as one space, none at the ends.
    """
    words = unescape(_MARKUP.sub(_said_by, text))
    lines = (lang, *(_SPACE.sub(" ", part).strip() for part in (title, words)))
    return sha256(unicodedata.normalize("NFC", "\n".join(lines)).encode("utf-8")).hexdigest()[:_DIGITS]


def _said_by(markup: re.Match[str]) -> str:
    """What markup tells the reader beside its text, and a link's text."""
    attributes = markup["link"] or markup["tag"] or ""
    if "=" not in attributes:  # nearly all
        return f" {markup['text'] or ''} "
    if markup["link"] and _WAY_BACK in attributes:
        return " "
    stated = {found["name"].lower(): found["double"] or found["single"] for found in _ATTRIBUTE.finditer(attributes)}
    values = [stated[name] for name in ("href", "src", "alt") if stated.get(name)]
    return f" {' '.join(value for value in values if not value.startswith('#'))} {markup['text'] or ''} "
