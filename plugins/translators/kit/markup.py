"""HTML that Markdown made, or an author wrote into Markdown, as pieces."""

from __future__ import annotations

import re
from dataclasses import replace

from .document import CELL, Container, Document, Kind, Piece, Span, clean, tidy
from .tree import Node, build_tree

_BLOCKS = {
    "blockquote", "dd", "div", "dl", "dt", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol",
    "p", "pre", "section", "table", "ul",
}  # fmt: skip
_LOST = {
    "abbr": "explanations of abbreviations", "caption": "captions of tables", "dl": "definition lists",
    "figcaption": "captions of figures", "sub": "subscript", "sup": "superscript", "del": "struck-out text",
    "ins": "marks of insertions", "u": "underlining", "q": "q elements", "small": "small print",
}  # fmt: skip
_ALIGNED = re.compile(r"text-align:\s*(left|center|right)")


def read_html(html: str) -> Document:
    """The pieces of a rendered body. Raises tree.TooMuchMarkup."""
    reader = _Reader()
    reader.read_blocks(build_tree(html))
    return Document(tuple(reader.pieces), tuple(sorted(reader.lost)))


def read_cell(node: Node) -> tuple[Span, ...]:
    """The spans of a table's cell, its paragraphs in lines of their own, whatever languages are stated in it."""
    return tidy(replace(span, lang="") for span in _Reader().spans_of(node, Span()))


def read_spans(html: str) -> tuple[Span, ...]:
    """The spans of HTML without blocks, or of the blocks in it, one after the other."""
    reader = _Reader()
    return tidy(reader.spans_of(build_tree(html), Span()))


class _Reader:
    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.lost: set[str] = set()
        self._within: tuple[Container, ...] = ()
        self._item = False  # an item has begun and has no text yet
        self._note = ""
        self._pre = False

    def read_blocks(self, node: Node) -> None:
        """Walk what may hold blocks; text that stands beside them is a paragraph of its own."""
        loose: list[Node | str] = []
        for child in [*node.children, Node("end")]:
            if isinstance(child, str) or child.tag not in _BLOCKS | {"end"}:
                loose.append(child)
                continue
            if loose:
                self._add("paragraph", self.spans_of(Node("p", {}, loose), Span()))
                loose = []
            if child.tag != "end":
                self._read_block(child)

    def _read_block(self, node: Node) -> None:
        tag = node.tag
        if tag in _LOST:
            self.lost.add(_LOST[tag])
        if tag in ("ul", "ol"):
            self._read_list(node)
        elif tag == "blockquote":
            self._enter(Container("quotation", node.attributes.get("lang", "")), node)
        elif tag == "table":
            self._read_table(node)
        elif tag == "pre":
            code = next((child for child in node.children if isinstance(child, Node) and child.tag == "code"), node)
            language = next((name[9:] for name in code.classes if name.startswith("language-")), "")
            text = clean(node.text()).strip("\n")
            self._put(Piece("code", (Span(text),) if text else (), self._within, name=language))
        elif tag == "hr":
            self._put(Piece("rule", (), self._within))
        elif tag == "div" and "footnote" in node.classes:
            self._read_notes(node)
        elif tag[0] == "h" and tag[1:].isdigit():
            self._add("heading", self.spans_of(node, Span()), level=int(tag[1:]))
        elif tag in ("p", "dt", "dd", "figcaption"):
            if any(isinstance(child, Node) and child.tag in _BLOCKS for child in node.children):
                self.read_blocks(node)
            else:
                self._add("paragraph", self.spans_of(node, Span()))
        else:
            self.read_blocks(node)

    def _enter(self, container: Container, node: Node) -> None:
        before, self._within = self._within, (*self._within, container)
        self.read_blocks(node)
        self._within = before

    def _read_list(self, node: Node) -> None:
        container = Container("list" if node.tag == "ul" else "numbered")
        self._settle()
        for child in node.children:
            if isinstance(child, Node):
                before, self._within = self._within, (*self._within, container)
                self._item = True
                self.read_blocks(child)
                self._settle()
                self._within = before

    def _settle(self) -> None:
        """Give an item that begins with something else than text a piece without text."""
        if self._item:
            self._item = False
            if not self._note:
                self.pieces.append(Piece("item", (), self._within))

    def _read_table(self, node: Node) -> None:
        # Python-Markdown gives a table without any other row an empty one.
        rows = [row for row in _descend(node, "tr") if row.text().strip() or _descend(row, "img")]
        for number, row in enumerate(rows):
            spans: list[Span] = []
            for place, cell in enumerate(_cells(row)):
                spans += ([Span(CELL)] if place else []) + self.spans_of(cell, Span())
            alignment = "".join(_alignment(cell) for cell in _cells(row)) if not number else ""
            self._put(Piece("row", tidy(spans), self._within, level=int(not number), name=alignment))

    def _read_notes(self, node: Node) -> None:
        for item in _descend(node, "li"):
            if item.attributes.get("id", "").startswith("fn:"):
                self._note = item.attributes["id"][3:]
                self.read_blocks(item)
        self._note = ""

    def _add(self, kind: Kind, spans: list[Span], level: int = 0) -> None:
        found = tidy(spans)
        if not found:
            return
        while found and found[-1].text.endswith("\u00a0") and self._note:  # it parts a note from the way back to it
            found = tidy((*found[:-1], replace(found[-1], text=found[-1].text.rstrip("\u00a0 "))))
        if not found:
            return
        if kind == "paragraph":
            if len(found) == 1 and found[0].image:
                kind = "figure"
            elif self._within and self._within[-1].kind == "quotation":
                kind = "quotation"
        self._put(Piece(kind, found, self._within, level))

    def _put(self, piece: Piece) -> None:
        if self._note:
            piece = Piece("note", piece.spans, (), name=self._note)
        elif self._item and piece.kind in ("paragraph", "figure"):
            piece = replace(piece, kind="item")
            self._item = False
        else:
            self._settle()
        self.pieces.append(piece)

    def spans_of(self, node: Node, look: Span) -> list[Span]:
        """The text in an element, with the look it has there."""
        spans: list[Span] = []
        for child in node.children:
            if isinstance(child, str):
                # A newline in HTML is a space, except in <pre>.
                text = clean(child)
                spans.append(replace(look, text=text if self._pre else text.replace("\n", " ")))
                continue
            tag, attributes = child.tag, child.attributes
            if tag == "br":
                spans.append(replace(look, text="\n"))
            elif tag == "img":
                if source := attributes.get("src", ""):
                    alt = " ".join(clean(attributes.get("alt", "")).split())
                    spans.append(Span(alt, image=source))
            elif tag == "a" and "footnote-backref" in child.classes:
                continue
            elif tag == "a" and "footnote-ref" in child.classes:
                spans.append(Span(note=attributes.get("href", "").removeprefix("#fn:")))
            else:
                if tag in _LOST and not (tag == "sup" and attributes.get("id", "").startswith("fnref")):
                    self.lost.add(_LOST[tag])
                before, self._pre = self._pre, self._pre or tag == "pre"
                inner = self.spans_of(child, _look(look, child))
                self._pre = before
                spans += [Span("\n"), *inner, Span("\n")] if tag in _BLOCKS else inner
        return spans


def _look(look: Span, node: Node) -> Span:
    tag, attributes = node.tag, node.attributes
    return replace(
        look,
        bold=look.bold or tag in ("b", "strong"),
        italic=look.italic or tag in ("i", "em", "cite"),
        code=look.code or tag == "code",
        link=attributes.get("href", "") if tag == "a" and attributes.get("href") else look.link,
        lang=attributes.get("lang") or look.lang,
    )


def _descend(node: Node, tag: str) -> list[Node]:
    """The elements of a name in a table or list, not those in others within it."""
    found: list[Node] = []
    for child in node.children:
        if isinstance(child, Node):
            if child.tag == tag:
                found.append(child)
            elif child.tag in ("thead", "tbody", "tfoot", "ol", "ul") or tag == "img":
                found += _descend(child, tag)
    return found


def _cells(row: Node) -> list[Node]:
    return [child for child in row.children if isinstance(child, Node) and child.tag in ("td", "th")]


def _alignment(cell: Node) -> str:
    found = _ALIGNED.search(cell.attributes.get("style", ""))
    return found[1][0] if found else "-"
