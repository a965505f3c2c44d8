"""A reference for reference managers: a record of the RIS format, in UTF-8.

The specification (Research Information Systems, in the version of 2011) has a tag of two
characters, two spaces, a hyphen and a space, one value a line, and ends lines with CR LF.
Its type for a page on the web that is no diary and no periodical's article is ELEC.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from .reference import Reference

_BREAKS = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")


def write_ris(reference: Reference, translate: Callable[[str], str] = str) -> str:
    """The record as text. `translate` gives the theme's messages in the article's language."""
    return "".join(f"{tag}  - {_line(value)}\r\n" for tag, value in _values(reference, translate))


def _line(value: str) -> str:
    return _BREAKS.sub(" ", value).strip(" ")


def _name(value: str) -> str:
    # The specification does not allow an asterisk in names of people and periodicals.
    return value.replace("*", "∗")


def _values(reference: Reference, translate: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    yield "TY", "ELEC"
    yield "TI", reference.title
    for author in reference.authors:
        yield "AU", _name(author.name)
    if reference.translator:
        yield "A4", _name(reference.translator)
    yield "T2", _name(reference.publication)
    yield "PB", reference.publication
    day = reference.published.isoformat().replace("-", "/")
    yield "PY", day[:4]
    yield "DA", day
    yield "LA", reference.lang
    changed = f" ({reference.changed.isoformat()})" if reference.changed else ""
    yield "ET", reference.revision + changed
    if reference.original_lang:
        published = f", {reference.original_published.isoformat()}" if reference.original_published else ""
        yield "OP", f"{reference.original_title} ({reference.original_lang}{published})"
    if reference.retracted:
        yield "N1", f"{translate('Retracted')}, {reference.retracted.isoformat()}"
    for address in filter(None, (reference.url, reference.neutral_url)):
        yield "UR", address
    yield "ER", ""
