"""HTML as a tree, whoever wrote it.

nh3 reads HTML as browsers do, in time that grows with its length, and hands on whole elements of an allow-list;
Python's own parser, which has had inputs that it takes minutes over, sees only what nh3 wrote.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

import nh3

MAX_TAGS = 30_000
MAX_DEPTH = 60
_TAGS = {
    "a", "abbr", "b", "blockquote", "body", "br", "caption", "cite", "code", "dd", "del", "div", "dl", "dt", "em",
    "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "li", "ol", "p", "pre", "q",
    "section", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_VOID = {"br", "hr", "img"}
_ATTRIBUTES = {
    "*": {"class", "dir", "id", "lang", "style"},
    "a": {"href"},
    "img": {"alt", "src"},
    "td": {"align"},
    "th": {"align"},
}
_SILENT = {"script", "style", "title", "head", "template", "noscript", "iframe", "object", "svg", "select", "textarea"}


class TooMuchMarkup(ValueError):
    """More tags, or deeper ones, than any text has."""


@dataclass(slots=True)
class Node:
    """An element: its children are elements and text."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Node | str] = field(default_factory=list)

    @property
    def classes(self) -> frozenset[str]:
        """Its classes."""
        return frozenset(self.attributes.get("class", "").split())

    def text(self) -> str:
        """All text in it."""
        return "".join(child if isinstance(child, str) else child.text() for child in self.children)


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("body")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(node)
        if tag not in _VOID:
            self._open.append(node)
            if len(self._open) > MAX_DEPTH:
                raise TooMuchMarkup(f"its elements are nested more than {MAX_DEPTH} deep")

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID and len(self._open) > 1:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def build_tree(html: str) -> Node:
    """The body of a page, or a fragment, as a tree. Raises TooMuchMarkup."""
    if html.count("<") > MAX_TAGS:
        raise TooMuchMarkup(f"it has more than {MAX_TAGS} tags")
    builder = _Builder()
    whole = nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags=_SILENT,
        attributes=_ATTRIBUTES,
        link_rel=None,
        strip_comments=True,
    )
    builder.feed(whole)
    builder.close()
    return builder.root
