"""What people do to files in LibreOffice, done in LibreOffice: it reads the kit, and it writes what comes back.

Between the two, the text is changed in LibreOffice's own format, as its window would: cells are filled in, one has a
comment, another a tracked change, and the user's name stands where LibreOffice puts it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from lxml import etree
from translators.kit.document import Piece, Span, split_cells

CANARY = "Canary Zzyzx"
NAMESPACES = {
    "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
    "style": "urn:oasis:names:tc:opendocument:xmlns:style:1.0",
    "fo": "urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0",
    "meta": "urn:oasis:names:tc:opendocument:xmlns:meta:1.0",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xlink": "http://www.w3.org/1999/xlink",
}
_DECLARED = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in NAMESPACES.items())
_BY = f"<dc:creator>{CANARY}</dc:creator><dc:date>2026-11-20T10:11:12</dc:date>"
_CHANGE = f"<office:change-info>{_BY}</office:change-info>"
_TRACKED = f"""<text:tracked-changes>
<text:changed-region text:id="ct1"><text:insertion>{_CHANGE}</text:insertion></text:changed-region>
<text:changed-region text:id="ct2"><text:deletion>{_CHANGE}<text:p>TAKEN OUT</text:p></text:deletion>\
</text:changed-region>
</text:tracked-changes>"""
_COMMENT = f"<office:annotation>{_BY}<text:p>A REMARK</text:p></office:annotation>"
_META = f"<meta:initial-creator>{CANARY}</meta:initial-creator><dc:creator>{CANARY}</dc:creator>"
_STYLES = "".join(
    f'<style:style style:name="K{name}" style:family="text"><style:text-properties {looks}/></style:style>'
    for name, looks in {
        "b": 'fo:font-weight="bold" style:font-weight-asian="bold" style:font-weight-complex="bold"',
        "i": 'fo:font-style="italic" style:font-style-asian="italic" style:font-style-complex="italic"',
        "bi": 'fo:font-weight="bold" style:font-weight-asian="bold" style:font-weight-complex="bold" '
        'fo:font-style="italic" style:font-style-asian="italic" style:font-style-complex="italic"',
    }.items()
)


def convert(files: Iterable[Path], kind: str, profile: Path) -> None:
    """Have LibreOffice read files and write them beside themselves as another kind."""
    paths = [str(path) for path in files]
    folder = str(Path(paths[0]).parent)
    command = ["soffice", f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to", kind]
    subprocess.run([*command, "--outdir", folder, *paths], check=True, capture_output=True, timeout=180)


def fill(path: Path, cells: Mapping[int, Iterable[Span]], *, marked: bool) -> None:
    """Write into the last column of a kit; `marked` adds a comment and tracked changes to the first paragraph's row."""
    tree = etree.parse(path)
    root = tree.getroot()
    _extend(root.find("office:meta", NAMESPACES), _META)
    _extend(root.find("office:automatic-styles", NAMESPACES), _STYLES)
    if marked:
        _extend(root.find("office:body/office:text", NAMESPACES), _TRACKED, first=True)
    for row in root.iterfind(".//table:table-row", NAMESPACES):
        number, _, place = row.findall("table:table-cell", NAMESPACES)
        label = "".join(number.itertext()).strip()
        digits = label[: len(label) - len(label.lstrip("0123456789"))]
        if not digits or int(digits) not in cells:
            continue
        paragraph = place.find("text:p", NAMESPACES)
        assert paragraph is not None
        for child in list(paragraph):
            paragraph.remove(child)
        paragraph.text = None
        written = "".join(_write(span) for span in cells[int(digits)])
        if marked and int(digits) == 4:
            start, end = '<text:change-start text:change-id="ct1"/>', '<text:change-end text:change-id="ct1"/>'
            written = f'{_COMMENT}<text:change text:change-id="ct2"/>{start}{written}{end}'
        _extend(paragraph, written)
    tree.write(path, encoding="utf-8", xml_declaration=True)


def compose(pieces: Iterable[Piece]) -> str:
    """A text as somebody writes it who knows of no kit: headings, lists, tables, footnotes, in LibreOffice's format."""
    pieces = list(pieces)
    notes = {piece.name: piece for piece in pieces if piece.kind == "note"}
    body: list[str] = []
    table: list[str] = []
    for piece in [*pieces, Piece("rule")]:
        if piece.kind == "row":
            paragraphs = [f"<text:p>{_inline(cell, notes)}</text:p>" for cell in split_cells(piece.spans)]
            cells = "".join(f"<table:table-cell>{paragraph}</table:table-cell>" for paragraph in paragraphs)
            table.append(f"<table:table-row>{cells}</table:table-row>")
            width = len(split_cells(piece.spans))
            continue
        if table:
            columns = f'<table:table-column table:number-columns-repeated="{width}"/>'
            body.append(f'<table:table table:name="T{len(body)}">{columns}{"".join(table)}</table:table>')
            table = []
        text = _inline(piece.spans, notes)
        if piece.kind == "title":
            body.append(f'<text:p text:style-name="Title">{text}</text:p>')
        elif piece.kind == "heading":
            level = piece.level - 1
            style = f'text:style-name="Heading_20_{level}" text:outline-level="{level}"'
            body.append(f"<text:h {style}>{text}</text:h>")
        elif piece.kind == "item":
            style = "Numbered" if piece.within[-1].kind == "numbered" else "Bulleted"
            item = f"<text:list-item><text:p>{text}</text:p></text:list-item>"
            body.append(f'<text:list text:style-name="{style}">{item}</text:list>')
        elif piece.kind not in ("note", "rule", "field"):
            style = ' text:style-name="Quotations"' if piece.kind == "quotation" else ""
            body.append(f"<text:p{style}>{text}</text:p>")
    named = "".join(
        f'<style:style style:name="{name.replace(" ", "_20_")}" style:display-name="{name}" style:family="paragraph"/>'
        for name in ("Title", "Heading 1", "Heading 2", "Heading 3", "Quotations")
    )
    lists = (
        '<text:list-style style:name="Bulleted"><text:list-level-style-bullet text:level="1" text:bullet-char="•"/>'
        '</text:list-style><text:list-style style:name="Numbered"><text:list-level-style-number text:level="1" '
        'style:num-format="1" style:num-suffix="."/></text:list-style>'
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document {_DECLARED} office:version="1.3" '
        'office:mimetype="application/vnd.oasis.opendocument.text">'
        f"<office:meta>{_META}</office:meta><office:styles>{named}</office:styles>"
        f"<office:automatic-styles>{_STYLES}{lists}</office:automatic-styles>"
        f"<office:body><office:text>{''.join(body)}</office:text></office:body></office:document>"
    )


def _inline(spans: Iterable[Span], notes: Mapping[str, Piece]) -> str:
    written = []
    for span in spans:
        if span.note:
            body = "".join(_write(part) for part in notes[span.note].spans)
            written.append(
                f'<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation>'
                f"<text:note-body><text:p>{body}</text:p></text:note-body></text:note>"
            )
        elif span.link:
            element = etree.Element("a", {"href": span.link})
            address = etree.tostring(element, encoding="unicode").split('"')[1]
            written.append(f'<text:a xlink:type="simple" xlink:href="{address}">{_write(span)}</text:a>')
        else:
            written.append(_write(span))
    return "".join(written)


def _write(span: Span) -> str:
    text = span.text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<text:line-break/>")
    style = "b" * span.bold + "i" * span.italic
    return f'<text:span text:style-name="K{style}">{text}</text:span>' if style else text


def _extend(element: etree._Element | None, inside: str, *, first: bool = False) -> None:
    assert element is not None
    holder = etree.fromstring(f"<holder {_DECLARED}>{inside}</holder>".encode())
    if first:
        element[:0] = list(holder)
        return
    if len(element):
        element[-1].tail = (element[-1].tail or "") + (holder.text or "")
    else:
        element.text = (element.text or "") + (holder.text or "")
    element.extend(list(holder))
