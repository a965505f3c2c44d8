"""An article's HTML as a letter can carry it: an allow-list, no picture, nothing that leads into the page itself.

Mail programs differ in what they drop, so little is left to drop: text, structure, tables, links with whole addresses.
nh3, which reads HTML as browsers do, is the first step and the last one: what comes in is whole, and what goes out is
allowed. Between them a small tree is changed: notes keep their numbers and lose their anchors, pictures leave their
captions behind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser
from typing import Literal
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import nh3

from .campaigns import UNSUBSCRIBE

BLOCKS = frozenset({
    "blockquote", "dd", "div", "dl", "dt", "h1", "h2", "h3", "h4", "hr", "li", "ol", "p", "pre", "section", "table",
    "ul",
})  # fmt: skip
TABLE = frozenset({"caption", "table", "tbody", "td", "tfoot", "th", "thead", "tr"})
INLINE = frozenset({
    "a", "b", "bdi", "br", "cite", "code", "del", "em", "i", "ins", "q", "s", "small", "span", "strong", "sub", "sup",
    "u",
})  # fmt: skip
VOID = frozenset({"br", "hr"})
#: What becomes something that a letter may carry.
_INSTEAD = {
    "h1": "h2", "h5": "h4", "h6": "h4",  # the title alone is an h1
    **dict.fromkeys(
        ("address", "article", "aside", "center", "details", "dialog", "fieldset", "figcaption", "figure", "footer",
         "form", "header", "hgroup", "legend", "main", "nav", "search", "summary"), "div"),
    **dict.fromkeys(("kbd", "samp", "tt", "var"), "code"),
    "bdo": "bdi", "dfn": "em", "dir": "ul", "menu": "ul", "strike": "s",
}  # fmt: skip
_READ = BLOCKS | TABLE | INLINE | set(_INSTEAD) | {"img", "rp", "rt"}
#: What nobody reads, and what cannot be read without a program.
_DROPPED = {
    "iframe", "noembed", "noframes", "object", "script", "select", "style", "svg", "template", "textarea", "title",
}  # fmt: skip
_CELL = {"colspan", "rowspan"}
_ATTRIBUTES = {"*": {"lang", "dir"}, "a": {"href"}, "ol": {"start"}, "td": _CELL, "th": {*_CELL, "scope"}}
_VALUES = {
    "lang": re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}"),
    "dir": re.compile(r"ltr|rtl|auto"),
    "scope": re.compile(r"row|col|rowgroup|colgroup"),
    **dict.fromkeys(("start", "colspan", "rowspan"), re.compile(r"[0-9]{1,4}")),
}
_SCHEMES = {"https", "http", "mailto"}
#: What HTML forbids in a text, but for white space.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]")
#: Elements within one another, at most: services count them too, and mail programs are slow with more.
_DEEPEST = 16
# The same for what is read: far above it, Python itself would give up.
_UNREAD = 100
#: An element without a word, but for the parts of tables, which hold a place.
_EMPTY = re.compile(r"<(?!tbody\b|thead\b|tfoot\b|t[dhr]\b)(\w+)(?: [^>]*)?>\s*</\1>")
#: A note's number behind the end of its word. Lines may be broken before a bracket that follows a full stop, and nearly
#: everywhere in Chinese; with this around both (the one style in a fragment) they stay together.
_NOTED = re.compile(r"(?:\b[^\W\u3000-\u9fff]{1,20}+|[\u3000-\u9fff])?[^\w\s<>&;]{0,3}(?:<sup>\[[^<]{1,6}\]</sup>)+")
_TOGETHER = r'<span style="white-space:nowrap">\g<0></span>'
_RTL = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ks", "nqo", "ps", "sd", "syr", "ug", "ur", "yi"})
_RTL_SCRIPTS = frozenset({"adlm", "arab", "aran", "hebr", "nkoo", "rohg", "syrc", "thaa"})

_READER = nh3.Cleaner(
    tags=set(_READ),
    clean_content_tags=_DROPPED,
    attributes={**_ATTRIBUTES, "*": {"lang", "dir", "class"}, "img": {"alt"}},
    link_rel=None,
)
_CLEANER = nh3.Cleaner(
    tags=set(BLOCKS | TABLE | INLINE),
    clean_content_tags=_DROPPED,
    attributes=_ATTRIBUTES,
    attribute_filter=lambda _, name, value: value if _is_allowed(name, value) else None,
    link_rel=None,
    url_schemes=_SCHEMES,
    url_relative="deny",
)


Direction = Literal["ltr", "rtl"]


@dataclass(slots=True)
class Element:
    """An element; its children are elements and texts."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)

    @property
    def classes(self) -> frozenset[str]:
        """The classes that it has."""
        return frozenset(self.attributes.get("class", "").split())

    @property
    def elements(self) -> list[Element]:
        """Its children without texts."""
        return [child for child in self.children if isinstance(child, Element)]

    def walk(self) -> Iterator[Element]:
        """It, and all elements in it."""
        yield self
        for child in self.elements:
            yield from child.walk()

    @property
    def text(self) -> str:
        """All text in it."""
        return "".join(child if isinstance(child, str) else child.text for child in self.children)


def direction_of(lang: str) -> Direction:
    """The direction in which a language is written, by its script, else by its main one."""
    first, *others = lang.lower().split("-")
    scripts = [part for part in others if len(part) == 4 and part.isalpha()]
    return "rtl" if (scripts[0] in _RTL_SCRIPTS if scripts else first in _RTL) else "ltr"


def parse(html: str) -> Element:
    """HTML as a tree, which keeps what a letter may be made from."""
    return parse_fragment(_READER.clean(_normalised(html)))


def parse_fragment(fragment: str) -> Element:
    """What nh3 has written, as a tree."""
    builder = _TreeBuilder()
    builder.feed(fragment)
    builder.close()
    return builder.open[0]


def to_html(nodes: Iterable[Element | str]) -> str:
    """A tree's nodes as HTML."""
    return "".join(map(_write, nodes))


def clean(html: str) -> str:
    """HTML of the allow-list: balanced, and read by every browser as it is written."""
    for _ in range(_DEEPEST):  # what stands where HTML does not let it is moved, and may have to be moved again
        before, html = html, _EMPTY.sub("", _CLEANER.clean(_normalised(html)))
        if before == html:
            break
    return _NOTED.sub(_TOGETHER, html)


def hide_token(html: str) -> str:
    """The same for readers, without the token that stands for an address."""
    return html.replace(UNSUBSCRIBE, f"&#{ord(UNSUBSCRIBE[0])};{UNSUBSCRIBE[1:]}")


def absolute(base: str, address: str) -> str:
    """A whole address in ASCII; "" for one that a letter cannot carry, such as a place in the page itself."""
    address = CONTROL.sub("", address).strip()
    if not address or address.startswith("#"):
        return ""
    try:
        parts = urlsplit(urljoin(base, address))
        host = parts.netloc if parts.netloc.isascii() else parts.netloc.encode("idna").decode()
    except ValueError:  # a bracket without its other, a domain that cannot be one
        return ""
    if parts.scheme not in _SCHEMES or not (parts.path if parts.scheme == "mailto" else host):
        return ""
    quoted = (quote(part, safe="/!$&'()*+,;=:@%~?") for part in (parts.path, parts.query, parts.fragment))
    return urlunsplit((parts.scheme, quote(host, safe="@:[]%"), *quoted))


class Letter:
    """Makes an article's tree into that of a letter."""

    def __init__(self, url: str, number: Callable[[int], str]) -> None:
        """`url` is the page's address, `number` writes a number in the page's digits."""
        self._url = url
        self._number = number
        #: The notes, as a list in most cases, when `convert` has met them.
        self.notes: list[Element | str] = []
        self._caption = ""

    def convert(self, element: Element) -> list[Element | str]:
        """The content of an element."""
        return [*self._inside(element, 0)]

    def _inside(self, element: Element, depth: int) -> Iterator[Element | str]:
        for child in element.children:
            if isinstance(child, str):
                yield child
            elif depth < _DEEPEST:
                yield from self._convert(child, depth + 1)
            else:
                yield f" {child.text} " if child.tag in BLOCKS | TABLE else child.text

    def _convert(self, element: Element, depth: int) -> Iterator[Element | str]:
        tag, classes = element.tag, element.classes
        if tag == "rp" or classes & {"footnote-backref", "headerlink"}:
            return
        if classes & {"footnote-ref", "footnote-reference"}:
            words = element.text.strip().strip("[]")
            yield Element("sup", {"class": "note"}, [f"[{self._number(int(words)) if words.isdecimal() else words}]"])
        elif tag == "img":
            alt = " ".join(element.attributes.get("alt", "").split())
            if alt and alt not in self._caption:
                yield f"[{alt}]"
        elif tag == "div" and "footnote" in classes and not self.notes:
            inside = self._inside(element, depth)
            self.notes = [one for one in inside if isinstance(one, str) or one.tag != "hr"]
        elif tag == "rt":
            yield f"({element.text})"
        else:
            children = [*(self._figure if tag == "figure" else self._inside)(element, depth)]
            made = Element(_INSTEAD.get(tag, tag), self._attributes(element), children)
            if made.tag == "a" and "href" not in made.attributes:
                made.tag = "span"
            holds_note = any("note" in child.classes for child in made.elements)
            if (tag == "sup" and holds_note) or (made.tag == "span" and not made.attributes):
                yield from made.children
            elif tag in VOID | TABLE - {"table"} or made.text.strip():
                yield made

    def _attributes(self, element: Element) -> dict[str, str]:
        stated = dict(element.attributes)
        if "href" in stated:
            stated["href"] = absolute(self._url, stated["href"])
        kept = {name: value for name, value in stated.items() if _is_allowed(name, value)}
        return kept | {"dir": kept.get("dir") or direction_of(kept["lang"])} if "lang" in kept else kept

    def _figure(self, figure: Element, depth: int) -> Iterator[Element | str]:
        """A figure's pictures, as what is said of them, and its caption, each a paragraph."""
        captions = [one.text for one in figure.walk() if one.tag == "figcaption"]
        outer, self._caption = self._caption, " ".join(" ".join(captions).split())
        for part in self._inside(figure, depth):
            if isinstance(part, Element):
                yield part
            elif part.strip():
                yield Element("p", {}, [part])
        self._caption = outer


def _is_allowed(name: str, value: str) -> bool:
    if name == "href":
        return bool(value) and not re.search(r"[\s<>\"\\]", value) and absolute("", value) == value
    return bool(_VALUES[name].fullmatch(value)) if name in _VALUES else False


def _normalised(html: str) -> str:
    return CONTROL.sub("", html.replace("\r\n", "\n").replace("\r", "\n"))


class _TreeBuilder(HTMLParser):
    """Reads what nh3 has written: every element that is opened is closed, in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Element("")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = self.open[-1]
        if len(self.open) < _UNREAD:  # else what is in it is read as if it were not there
            element = Element(tag, {name: value or "" for name, value in attrs})
            self.open[-1].children.append(element)
        if tag not in VOID and tag != "img":
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and tag != "img":
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(CONTROL.sub("", data))  # "&#1;" was none before


def _write(node: Element | str) -> str:
    if isinstance(node, str):
        return escape(node, quote=False)
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in node.attributes.items())
    if node.tag in VOID:
        return f"<{node.tag}{attributes}>"
    return f"<{node.tag}{attributes}>{to_html(node.children)}</{node.tag}>"
