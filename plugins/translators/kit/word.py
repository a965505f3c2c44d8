"""The text of a .docx, as it would be printed with all tracked changes accepted (ISO/IEC 29500-1, WordprocessingML).

Only what carries meaning is looked for, so nothing else can get through: authors of comments and changes, revision
identifiers, properties and custom XML are never read.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from .archive import Package, Xml
from .document import Span, clean, tidy
from .manuscript import Grid, Manuscript, Paragraph

_OFF = {"0", "false", "off", "none"}
_HYPERLINK = re.compile(r'\s*HYPERLINK\s+(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s\\]\S*))')
_SAFE = re.compile(r"(?:https?|mailto|tel|ftp|xmpp):", re.IGNORECASE)
_KINDS = {
    "title": "title", "quote": "quotation", "intense quote": "quotation", "quotations": "quotation",
    "block text": "quotation", "html preformatted": "code", "preformatted text": "code", "plain text": "paragraph",
}  # fmt: skip
_WRAPPERS = {"w:ins", "w:moveTo", "w:smartTag", "w:sdt", "w:sdtContent", "w:customXml", "w:dir", "w:bdo", "w:rubyBase"}


@dataclass(slots=True)
class _Style:
    name: str = ""
    based_on: str = ""
    paragraph: Xml | None = None
    run: Xml | None = None


@dataclass(slots=True)
class _Field:
    code: str = ""
    link: str = ""
    shown: bool = False


def read_docx(name: str, data: bytes) -> Manuscript:
    """Read a .docx. Raises UnusableFile."""
    return _Reader(Package(name, data)).read()


class _Reader:
    def __init__(self, package: Package) -> None:
        self._package = package
        self._found = Manuscript()
        self._styles: dict[str, _Style] = {}
        self._numbered: dict[tuple[str, int], bool] = {}
        self._notes: dict[str, Xml] = {}
        self._labels: dict[str, str] = {}
        self._fields: list[_Field] = []
        self._links: dict[str, str] = {}

    def read(self) -> Manuscript:
        main = next((target for kind, target in self._relations("") if kind == "officeDocument"), "word/document.xml")
        parts: dict[str, str] = {}
        note_links: dict[str, dict[str, str]] = {}
        for kind, target in self._relations(main):
            parts[kind] = target
            if kind in ("header", "footer") and _text(self._package.read_xml(target)).strip():
                self._drop("headers and footers of pages")
        if "styles" in parts:
            self._read_styles(self._package.read_xml(parts["styles"]))
        if "numbering" in parts:
            self._read_numbering(self._package.read_xml(parts["numbering"]))
        for kind, tag in (("footnotes", "w:footnote"), ("endnotes", "w:endnote")):
            if kind in parts:
                note_links[tag] = self._targets(parts[kind])
                for note in self._package.read_xml(parts[kind]).children:
                    if note.tag == tag and note.attributes.get("w:type", "normal") == "normal":
                        self._notes[f"{tag} {note.attributes.get('w:id', '')}"] = note
        self._links = self._targets(main)
        body = self._package.read_xml(main).find("w:body")
        self._found.blocks = list(self._blocks(body.children if body else []))
        for identity, label in list(self._labels.items()):
            self._links = note_links[identity.split(" ")[0]]
            note = self._notes[identity]
            self._found.notes[label] = [
                block.spans for block in self._blocks(note.children) if isinstance(block, Paragraph) and block.spans
            ]
        self._name_other_parts()
        return self._found

    def _drop(self, what: str) -> None:
        self._found.dropped[what] += 1

    def _name_other_parts(self) -> None:
        names = self._package.names
        if any(name.startswith("docProps/") for name in names):
            self._drop("the file's properties")
        if any(name.startswith("customXml/") for name in names):
            self._drop("custom XML")
        if any("/embeddings/" in name for name in names):
            self._drop("embedded files")

    def _relations(self, part: str) -> Iterator[tuple[str, str]]:
        folder, base = posixpath.split(part)
        path = posixpath.join(folder, "_rels", f"{base}.rels")
        if path not in self._package.names:
            return
        for relation in self._package.read_xml(path).children:
            stated = relation.attributes
            target = posixpath.normpath(posixpath.join("/", folder, stated.get("Target", ""))).lstrip("/")
            if stated.get("TargetMode") != "External" and target in self._package.names:
                yield stated.get("Type", "").rpartition("/")[2], target

    def _targets(self, part: str) -> dict[str, str]:
        folder, base = posixpath.split(part)
        path = posixpath.join(folder, "_rels", f"{base}.rels")
        if path not in self._package.names:
            return {}
        return {
            relation.attributes.get("Id", ""): relation.attributes.get("Target", "")
            for relation in self._package.read_xml(path).children
            if relation.attributes.get("TargetMode") == "External"
        }

    def _read_styles(self, root: Xml) -> None:
        for style in root.children:
            if style.tag == "w:style":
                self._styles[style.attributes.get("w:styleId", "")] = _Style(
                    _value(style, "w:name").casefold(),
                    _value(style, "w:basedOn"),
                    style.find("w:pPr"),
                    style.find("w:rPr"),
                )

    def _chain(self, identity: str) -> Iterator[_Style]:
        for _ in range(12):  # a chain of styles may be a circle
            style = self._styles.get(identity)
            if style is None:
                return
            yield style
            identity = style.based_on

    def _read_numbering(self, root: Xml) -> None:
        levels: dict[str, dict[int, bool]] = {}
        for child in root.children:
            if child.tag == "w:abstractNum":
                levels[child.attributes.get("w:abstractNumId", "")] = {
                    _integer(level.attributes.get("w:ilvl", "")): _value(level, "w:numFmt") not in ("bullet", "none")
                    for level in child.children
                    if level.tag == "w:lvl"
                }
        for child in root.children:
            if child.tag == "w:num":
                for level, numbered in levels.get(_value(child, "w:abstractNumId"), {}).items():
                    self._numbered[child.attributes.get("w:numId", ""), level] = numbered

    def _blocks(self, elements: Iterable[Xml]) -> Iterator[Paragraph | Grid]:
        held: list[Span] = []
        for element in elements:
            if element.tag == "w:p":
                paragraph = self._read_paragraph(element)
                held += paragraph.spans
                if element.find("w:pPr", "w:rPr", "w:del") is None:  # else its end was deleted: the next one goes on
                    yield replace(paragraph, spans=tidy(held))
                    held = []
            elif element.tag == "w:tbl":
                yield self._read_table(element)
            elif element.tag in _WRAPPERS:
                yield from self._blocks(element.children)
        if held:
            yield Paragraph(tidy(held))

    def _read_table(self, element: Xml) -> Grid:
        rows = []
        for row in _unwrap(element, "w:tr"):
            if row.find("w:trPr", "w:del") is not None:
                self._drop("tracked changes: the final text was taken")
                continue
            rows.append(tuple(self._read_cell(cell) for cell in _unwrap(row, "w:tc")))
        return Grid(tuple(rows))

    def _read_cell(self, cell: Xml) -> tuple[Span, ...]:
        spans: list[Span] = []
        for block in self._blocks(cell.children):
            inner = [block.spans] if isinstance(block, Paragraph) else [cell for row in block.rows for cell in row]
            for one in inner:
                spans += [Span("\n"), *one]
        return tidy(spans)

    def _read_paragraph(self, element: Xml) -> Paragraph:
        properties = element.find("w:pPr") or Xml("w:pPr")
        spans = tuple(self._spans(element.children, Span()))  # not tidy yet: it may go on in the next paragraph
        chain = list(self._chain(_value(properties, "w:pStyle")))
        sources = [properties, *(style.paragraph for style in chain if style.paragraph)]
        names = [style.name for style in chain]
        outline = next((_value(source, "w:outlineLvl") for source in sources if source.find("w:outlineLvl")), "9")
        levels = [int(name[-1]) for name in names if re.fullmatch(r"heading [1-9]", name)]
        if levels or outline in {*"012345678"}:
            level = levels[0] if levels else int(outline) + 1
            return Paragraph(tuple(replace(span, bold=False) for span in spans), "heading", level)
        kind = next((_KINDS[name] for name in names if name in _KINDS), "paragraph")
        if kind == "title":
            return Paragraph(tuple(replace(span, bold=False) for span in spans), "title")
        numberings = [source.find("w:numPr") for source in sources]
        numbering = next(filter(None, numberings), None)
        if numbering is not None and _value(numbering, "w:numId") not in ("", "0"):
            level = _integer(_value(numbering, "w:ilvl"))
            numbered = self._numbered.get((_value(numbering, "w:numId"), level), False)
            return Paragraph(spans, "item", min(level, 8) + 1, numbered)
        if kind == "quotation":
            return Paragraph(spans, "quotation")
        return Paragraph(spans, "code" if kind == "code" else "paragraph")

    def _spans(self, elements: Iterable[Xml], look: Span) -> Iterator[Span]:
        for element in elements:
            tag = element.tag
            if tag == "w:r":
                yield from self._run(element, look)
            elif tag == "w:hyperlink":
                target = self._links.get(element.attributes.get("r:id", ""), "")
                yield from self._spans(element.children, self._linked(look, target))
            elif tag == "w:fldSimple":
                found = _HYPERLINK.match(element.attributes.get("w:instr", ""))
                target = (found["quoted"] or found["bare"] or "") if found else ""
                yield from self._spans(element.children, self._linked(look, target))
            elif tag in ("w:del", "w:moveFrom"):
                self._drop("tracked changes: the final text was taken")
            elif tag == "w:ruby":
                yield from self._spans(element.children, look)
            elif tag in ("m:oMath", "m:oMathPara"):
                self._drop("formulas")
            elif tag in _WRAPPERS:
                if tag in ("w:ins", "w:moveTo"):
                    self._drop("tracked changes: the final text was taken")
                yield from self._spans(element.children, look)

    def _linked(self, look: Span, target: str) -> Span:
        if _SAFE.match(target):
            return replace(look, link=clean(target))
        if target:
            self._drop("links to places on somebody's computer, or of unknown kinds")
        return look

    def _run(self, run: Xml, look: Span) -> Iterator[Span]:
        properties = run.find("w:rPr")
        sources = [properties] if properties else []
        if properties:
            sources += [style.run for style in self._chain(_value(properties, "w:rStyle")) if style.run]
        if _is_on(sources, "w:vanish"):
            self._drop("hidden text")
            return
        if _is_on(sources, "w:strike") or _is_on(sources, "w:dstrike"):
            self._drop("struck-out words, kept as text")
        look = replace(
            look,
            bold=_is_on(sources, "w:b") or _is_on(sources, "w:bCs"),
            italic=_is_on(sources, "w:i") or _is_on(sources, "w:iCs"),
        )
        for child in run.children:
            yield from self._content(child, look)

    def _content(self, child: Xml, look: Span) -> Iterator[Span]:
        tag = child.tag
        link = next((one.link for one in reversed(self._fields) if one.link and one.shown), "")
        look = replace(look, link=look.link or link)
        if self._fields and not self._fields[-1].shown and tag not in ("w:fldChar", "w:instrText"):
            return
        if tag == "w:t":
            yield replace(look, text=clean(child.text.replace("\n", " ")))
        elif tag == "w:tab":
            yield replace(look, text=" ")
        elif tag == "w:cr" or (tag == "w:br" and child.attributes.get("w:type", "textWrapping") == "textWrapping"):
            yield replace(look, text="\n")
        elif tag == "w:noBreakHyphen":
            yield replace(look, text="\u2011")
        elif tag == "w:fldChar":
            self._mark_field(child.attributes.get("w:fldCharType", ""))
        elif tag == "w:instrText":
            if self._fields:
                self._fields[-1].code += child.text
        elif tag in ("w:footnoteReference", "w:endnoteReference"):
            identity = f"{tag.removesuffix('Reference')} {child.attributes.get('w:id', '')}"
            if identity in self._notes:
                yield Span(note=self._labels.setdefault(identity, f"n{len(self._labels) + 1}"))
        elif tag == "w:commentReference":
            self._drop("comments")
        elif tag == "w:ruby":
            yield from self._spans(child.children, look)
        elif tag == "w:sym":
            self._drop("signs that exist in one font only")
        elif tag == "mc:AlternateContent":
            choice = child.find("mc:Choice")
            for one in choice.children if choice else []:
                yield from self._content(one, look)
        elif tag in ("w:drawing", "w:pict", "w:object"):
            self._drop("text boxes" if _contains(child, "w:txbxContent") else "pictures")

    def _mark_field(self, kind: str) -> None:
        if kind == "begin":
            self._fields.append(_Field())
        elif kind == "separate" and self._fields:
            self._fields[-1].shown = True
            if found := _HYPERLINK.match(self._fields[-1].code):
                self._fields[-1].link = self._linked(Span(), found["quoted"] or found["bare"] or "").link
        elif kind == "end" and self._fields:
            self._fields.pop()


def _value(element: Xml, tag: str) -> str:
    found = element.find(tag)
    return found.attributes.get("w:val", "") if found else ""


def _integer(text: str) -> int:
    return int(text) if re.fullmatch(r"\d{1,3}", text, re.ASCII) else 0


def _is_on(sources: Iterable[Xml], tag: str) -> bool:
    for source in sources:
        if found := source.find(tag):
            return found.attributes.get("w:val", "true").casefold() not in _OFF
    return False


def _unwrap(element: Xml, tag: str) -> Iterator[Xml]:
    for child in element.children:
        if child.tag == tag:
            yield child
        elif child.tag in _WRAPPERS:
            yield from _unwrap(child, tag)


def _contains(element: Xml, tag: str) -> bool:
    return any(child.tag == tag or _contains(child, tag) for child in element.children)


def _text(element: Xml) -> str:
    return (element.text if element.tag == "w:t" else "") + "".join(map(_text, element.children))
