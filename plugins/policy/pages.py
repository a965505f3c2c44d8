"""Reading a written page for what it loads, sends and claims."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urlsplit

_LOADING = {
    "audio": ("src",), "base": ("href",), "body": ("background",), "embed": ("src",), "feimage": ("href", "xlink:href"),
    "iframe": ("src",), "image": ("href", "xlink:href"), "img": ("src", "srcset"), "input": ("src",),
    "object": ("data",), "source": ("src", "srcset"), "track": ("src",), "use": ("href", "xlink:href"),
    "video": ("src", "poster"),
}  # fmt: skip
#: Where an address names a host, as the URL standard reads it (section 4.4): slashes may lean either way, and be more
#: or, after `https:`, fewer than two.
_HOST = re.compile(r"(?:https?:[/\\]*|(?:[a-z][a-z0-9+.-]*:)?[/\\]{2,})(?P<host>[^/\\?#]*)", re.IGNORECASE)
#: What browsers drop from an address.
_IGNORED = re.compile(r"[\t\n\r]")
#: Links that a browser follows by itself. `alternate` and `canonical` only name something.
_FETCHED = {"stylesheet", "icon", "manifest", "preload", "prefetch", "preconnect", "dns-prefetch", "modulepreload"}
_DATA = "application/ld+json"


class Form(NamedTuple):
    """Where a form is sent, as the page writes it."""

    action: str


class Page(HTMLParser):
    """What matters of one page; made from its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.policies: list[str] = []
        self.loads: list[str] = []
        self.forms: list[Form] = []
        self.styles: list[str] = []
        self.style_attributes = 0
        self.scripts = 0
        self.cookies = 0
        self.claims: list[str] = []
        self._in_style = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Take note of one element."""
        stated = {name: value or "" for name, value in attributes}
        if "data-claim" in stated:
            self.claims.append(stated["data-claim"])
        self.style_attributes += "style" in stated
        self.scripts += any(name.startswith("on") for name in stated)
        for name in _LOADING.get(tag, ()):
            if name in stated:
                self.loads += _addresses(name, stated[name])
        if tag == "link" and _FETCHED & set(stated.get("rel", "").lower().split()):
            self.loads.append(stated.get("href", ""))
        elif tag == "script" and stated.get("type", "").lower() != _DATA:
            self.scripts += 1
        elif tag == "form":
            self.forms.append(Form(stated.get("action", "")))
        elif tag in ("button", "input") and "formaction" in stated:
            self.forms.append(Form(stated["formaction"]))
        elif tag == "meta":
            self._meta(stated.get("http-equiv", "").lower(), stated.get("content", ""))
        elif tag == "style":
            self._in_style = True
            self.styles.append("")

    def handle_endtag(self, tag: str) -> None:
        """The end of a style block."""
        if tag == "style":
            self._in_style = False

    def handle_data(self, data: str) -> None:
        """The text of a style block."""
        if self._in_style:
            self.styles[-1] += data

    def _meta(self, kind: str, content: str) -> None:
        if kind == "content-security-policy":
            self.policies.append(content)
        self.cookies += kind == "set-cookie"


def _addresses(name: str, value: str) -> list[str]:
    if name != "srcset":
        return [value]
    return [candidate.split()[0] for candidate in value.split(",") if candidate.strip()]


def is_elsewhere(address: str, host: str) -> bool:
    """Whether a browser would ask another machine for an address."""
    found = _HOST.match(_IGNORED.sub("", address.strip()))
    if not found:
        return False
    try:
        return urlsplit(f"//{found['host']}").hostname != host
    except ValueError:
        return True  # Nobody knows where it leads.
