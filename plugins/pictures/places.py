"""Pictures in a text: their size, and that they may wait until a reader comes near.

Attributes are put in at positions, and every other byte stays, because the text still holds Pelican's `{static}` links.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from html import unescape
from urllib.parse import unquote, urlsplit

from .sizes import Size

# Comments and the text of scripts hold no pictures; an unfinished tag takes the rest (HTML standard, 13.2.5).
_ATTRIBUTES = r"""[^=>]*+(?:=\s*+(?:"[^"]*+"|'[^']*+'|(?!["'])[^\s>]*+)[^=>]*+)*"""
_IMG = re.compile(
    rf"""
      <!--(?s:.*?)(?:-->|\Z)
    | <(?P<raw>(?i:script|style|textarea|title))(?=[\s/>]){_ATTRIBUTES}>(?s:.*?)(?:</(?i:(?P=raw))|\Z)
    | <(?i:img)(?P<img>(?=[\s/>]){_ATTRIBUTES})>
    | </?+[a-zA-Z](?:{_ATTRIBUTES}>|(?s:.+)|\Z)
    """,
    re.VERBOSE,
)
_ATTRIBUTE = re.compile(r"""([^\s/=>]++)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>]*+)))?""")
_LINK = re.compile(r"\s*[{|](?:static|filename|attach)[|}](.*)\Z", re.DOTALL)


def place_pictures(html: str, find_size: Callable[[str], Size | None]) -> str:
    """Complete the `<img>` of the site's own pictures; `find_size` is asked with what follows `{static}`."""

    def complete(found: re.Match[str]) -> str:
        if found["img"] is None:
            return found[0]
        attributes = _read_attributes(found["img"])
        link = _LINK.match(attributes.get("src", ""))
        size = find_size(link[1]) if link else None
        if size is None:
            return found[0]
        more = {**_missing_size(attributes, size), "loading": "lazy", "decoding": "async"}
        added = "".join(f' {name}="{value}"' for name, value in more.items() if name not in attributes)
        name_end = len("<img")
        return found[0][:name_end] + added + found[0][name_end:]

    return _IMG.sub(complete, html) if "<img" in html.lower() else html


def paths_of(link: str, folder: str) -> Iterator[str]:
    """The files, from the content folder, that a link can mean in the way of Pelican; `folder` holds the text."""
    for text in dict.fromkeys((link, unescape(link))):
        try:
            path = urlsplit(text).path
        except ValueError:
            continue
        for form in dict.fromkeys((path, unquote(path))):
            yield form[1:] if form.startswith("/") else posixpath.normpath(posixpath.join(folder, form))


def _read_attributes(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(text):
        found.setdefault(match[1].lower(), unescape(match[2] or match[3] or match[4] or ""))
    return found


def _missing_size(attributes: dict[str, str], size: Size) -> dict[str, int]:
    """Both sides, or the one that keeps the shape where the author stated the other."""
    width, height = size
    stated = {name: attributes[name].strip() for name in ("width", "height") if name in attributes}
    if not stated:
        return {"width": width, "height": height}
    if len(stated) == 2 or not all(re.fullmatch("[0-9]{1,6}", value) for value in stated.values()):
        return {}
    if "width" in stated:
        return {"height": max(1, round(int(stated["width"]) * height / width))}
    return {"width": max(1, round(int(stated["height"]) * width / height))}
