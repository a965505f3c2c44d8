"""In which language a reader is answered: the address says it (`?lang=fa`), else the browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import falcon

from mailroom.languages import Language, Languages

_ASKED = re.compile(r"\s*([A-Za-z0-9-]{1,35})\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?\Z")


def language_for(req: falcon.Request, languages: Languages) -> Language:
    """The language that the address asks for, else the first of the browser's that there is."""
    for tag in (req.get_param("lang") or "", *_asked(req.get_header("Accept-Language") or "")):
        if found := known(tag, languages):
            return found
    return languages.default


def known(tag: str, languages: Languages) -> Language | None:
    """The language that serves whoever asks for this tag, if there is one."""
    found, default = languages.find(tag), languages.default
    return None if found is default and tag.partition("-")[0].lower() != default.tag.partition("-")[0] else found


def _asked(header: str) -> Iterator[str]:
    """The tags in `Accept-Language` (RFC 9110, 12.5.4), the dearest first; no more than ten."""
    found = [match for each in header.split(",", 10)[:10] if (match := _ASKED.match(each))]
    yield from (match[1] for match in sorted(found, key=lambda match: -float(match[2] or 1)))
