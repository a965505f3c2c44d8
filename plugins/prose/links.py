"""Links to other hosts, which must not learn on which page a reader was.

`noreferrer` keeps the address of the page back, `noopener` the page itself (HTML standard, section 4.6.8); they
hold also where a mirror's server sends no Referrer-Policy, and in feeds.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from .markup import Edit, Tag, TagFinder, apply, attributes_of

_LINKS = TagFinder(("a", "area"))
_RELATIONS = ("noreferrer", "noopener")
#: Most links of a text are footnotes, which stay on the page.
_WITHIN = re.compile(r'\s(?:(?:class|title|id)="[^"]*+"\s)*href="[#{][^"]*+"(?:\s(?:class|title|id)="[^"]*+")*')
#: What browsers drop from an address (URL standard, section 4.4).
_IGNORED = re.compile(r"[\t\n\r]")


def guard_links(html: str, host: str) -> str:
    """Add `noreferrer noopener` to the links that lead to another host than `host`."""
    if "href" not in html.lower():
        return html
    edits = [edit for tag in _LINKS.find(html) if not tag.closing for edit in _guard(tag, host)]
    return apply(edits, html) if edits else html


def leads_outwards(address: str, host: str) -> bool:
    """Whether an address names another host, over HTTP."""
    address = _IGNORED.sub("", address.strip("\0\t\n\r\f ")).replace("\\", "/")
    try:
        url = urlsplit(address)
        return bool(url.netloc) and url.scheme in ("", "http", "https") and (url.hostname or "") != host.lower()
    except ValueError:
        return True  # Nobody knows where it leads.


def _guard(tag: Tag, host: str) -> list[Edit]:
    if _WITHIN.fullmatch(tag.attributes):
        return []
    attributes = attributes_of(tag)
    if "href" not in attributes or not leads_outwards(attributes["href"].value, host):
        return []
    rel = attributes.get("rel")
    if rel is None:
        place = tag.start + 1 + len(tag.name)
        return [Edit(place, place, f' rel="{" ".join(_RELATIONS)}"')]
    stated = rel.value.lower().split()
    more = " ".join(relation for relation in _RELATIONS if relation not in stated)
    if not more:
        return []
    if rel.quote is None:
        return [Edit(rel.end, rel.end, f'="{more}"')]
    gap = " " if rel.value.strip() else ""
    if rel.quote == "":
        return [Edit(rel.start, rel.start, '"'), Edit(rel.end, rel.end, f'{gap}{more}"')]
    return [Edit(rel.end, rel.end, f"{gap}{more}")]
