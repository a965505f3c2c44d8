"""A kit as a .docx: one table, and nothing in the file but the text (ISO/IEC 29500-1, WordprocessingML).

There is no part for properties, so none can be wrong, and every entry of the zip has the first day that zips know. The
settings ask the program that saves the file to leave its user's name and the hour out of properties, comments and
changes (`removePersonalInformation`, `removeDateAndTime`). Word heeds them; LibreOffice 7.4 does not.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

from .composition import DOCX_INSTRUCTION, INSTRUCTIONS, TEXTS, Kit, Row, Tongue
from .document import Span

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_TYPES = f"""{_HEAD}<Types xmlns="{_PACKAGE}/content-types">\
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>\
<Default Extension="xml" ContentType="application/xml"/>\
<Override PartName="/word/document.xml" ContentType="{_MAIN}.document.main+xml"/>\
<Override PartName="/word/styles.xml" ContentType="{_MAIN}.styles+xml"/>\
<Override PartName="/word/settings.xml" ContentType="{_MAIN}.settings+xml"/></Types>"""
_ROOT = f"""{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">\
<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="word/document.xml"/></Relationships>"""
_RELATIONS = f"""{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">\
<Relationship Id="rId1" Type="{_OFFICE}/styles" Target="styles.xml"/>\
<Relationship Id="rId2" Type="{_OFFICE}/settings" Target="settings.xml"/></Relationships>"""
_SETTINGS = f"""{_HEAD}<w:settings xmlns:w="{_W}"><w:removePersonalInformation/><w:removeDateAndTime/>\
<w:defaultTabStop w:val="720"/></w:settings>"""
_STYLES = f"""{_HEAD}<w:styles xmlns:w="{_W}"><w:docDefaults><w:rPrDefault><w:rPr>\
<w:rFonts w:ascii="Arial" w:hAnsi="Arial" w:cs="Arial"/><w:sz w:val="22"/><w:szCs w:val="22"/></w:rPr></w:rPrDefault>\
<w:pPrDefault><w:pPr><w:spacing w:after="100" w:line="276" w:lineRule="auto"/></w:pPr></w:pPrDefault></w:docDefaults>\
<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style>\
<w:style w:type="table" w:default="1" w:styleId="TableNormal"><w:name w:val="Normal Table"/></w:style></w:styles>"""
# A4 on its side, in twentieths of a point.
_PAGE = '<w:sectPr><w:pgSz w:w="16838" w:h="11906" w:orient="landscape"/>' + (
    '<w:pgMar w:top="850" w:right="850" w:bottom="850" w:left="850" w:header="0" w:footer="0" w:gutter="0"/></w:sectPr>'
)
_WIDTHS = (1500, 6800, 6800)
_ADVICE = Tongue("en", "ltr", "English")


def write_docx(kit: Kit) -> bytes:
    """The kit's bytes; the same kit gives the same bytes."""
    parts = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": _ROOT,
        "word/document.xml": _write_document(kit),
        "word/_rels/document.xml.rels": _RELATIONS,
        "word/styles.xml": _STYLES,
        "word/settings.xml": _SETTINGS,
    }
    return pack(parts)


def pack(parts: dict[str, str]) -> bytes:
    """A zip that says nothing about when and where it was made."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, text in parts.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 0
            file.writestr(entry, text.encode("utf-8"))
    return buffer.getvalue()


def _write_document(kit: Kit) -> str:
    said = [
        _paragraph([Span(kit.identity)], _ADVICE, size=18, grey=True),
        _sentence(kit, TEXTS["instructions"], bold=True),
        *(_sentence(kit, text) for text in (*INSTRUCTIONS, DOCX_INSTRUCTION)),
    ]
    if kit.terms or kit.habits:
        said.append(_sentence(kit, TEXTS["glossary"], bold=True))
        for term in kit.terms:
            note = f" ({term.note})" if term.note else ""
            said.append(_paragraph([Span(f"{term.term} = {term.rendering}{note}")], kit.target))
    said += [_paragraph([Span(habit)], _ADVICE) for habit in kit.habits]
    body = "".join(said) + _write_table(kit) + _paragraph([], kit.target) + _PAGE
    return f'{_HEAD}<w:document xmlns:w="{_W}"><w:body>{body}</w:body></w:document>'


def _sentence(kit: Kit, text: str, *, bold: bool = False) -> str:
    said, tongue = kit.tongue_of(text)
    return _paragraph([Span(said, bold=bold)], tongue)


def _write_table(kit: Kit) -> str:
    mirrored = "<w:bidiVisual/>" if kit.target.direction == "rtl" else ""
    edges = "".join(
        f'<w:{edge} w:val="single" w:sz="4" w:space="0" w:color="999999"/>'
        for edge in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in _WIDTHS)
    margins = '<w:tblCellMar><w:left w:w="110" w:type="dxa"/><w:right w:w="110" w:type="dxa"/></w:tblCellMar>'
    heads = [_heading(kit, "source", kit.source), _heading(kit, "translation", kit.target)]
    head = _row([_paragraph([], kit.target), *heads], "<w:tblHeader/>")
    rows = "".join(_write_row(kit, row) for row in kit.rows)
    return (
        f'<w:tbl><w:tblPr>{mirrored}<w:tblW w:w="{sum(_WIDTHS)}" w:type="dxa"/><w:tblBorders>{edges}</w:tblBorders>'
        f'<w:tblLayout w:type="fixed"/>{margins}</w:tblPr><w:tblGrid>{columns}</w:tblGrid>{head}{rows}</w:tbl>'
    )


def _heading(kit: Kit, name: str, tongue: Tongue) -> str:
    before, behind, language = kit.heading(name)
    return _paragraph([Span(f"{before}{tongue.name}{behind}", bold=True)], language)


def _write_row(kit: Kit, row: Row) -> str:
    label, tongue = kit.tongue_of(row.label)
    first = _paragraph([Span(str(row.number), bold=True)], _ADVICE)
    first += _paragraph([Span(label + f" [{row.note}]" * bool(row.note))], tongue, size=16, grey=True)
    to_do = row.state != "unchanged"
    if row.present:
        remark, tongue = kit.tongue_of(TEXTS[row.state])
        first += _paragraph([Span(remark, bold=to_do)], tongue, size=16, grey=not to_do)
    shade = "FFF2CC" if to_do else ""
    return _row([first, _paragraph(row.shown, kit.source), _paragraph(row.present, kit.target)], shade=shade)


def _row(cells: Iterable[str], properties: str = "", shade: str = "") -> str:
    fill = f'<w:shd w:val="clear" w:color="auto" w:fill="{shade}"/>' if shade else ""
    written = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{fill}</w:tcPr>{cell}</w:tc>'
        for width, cell in zip(_WIDTHS, cells, strict=True)
    )
    return f"<w:tr><w:trPr>{properties}</w:trPr>{written}</w:tr>"


def _paragraph(spans: Iterable[Span], tongue: Tongue, *, size: int = 0, grey: bool = False) -> str:
    """A paragraph in a language and its direction; `size` is in half points."""
    bidi = "<w:bidi/>" if tongue.direction == "rtl" else ""
    runs = "".join(_run(span, tongue, size, grey) for span in spans)
    return f"<w:p><w:pPr>{bidi}<w:rPr>{_look(Span(), tongue, size, grey)}</w:rPr></w:pPr>{runs}</w:p>"


def _look(span: Span, tongue: Tongue, size: int, grey: bool) -> str:
    """Properties of a run, in the order that the schema wants (17.3.2.28)."""
    lang = span.lang or tongue.lang
    attribute = "bidi" if tongue.direction == "rtl" and not span.lang else "val"
    attribute = "eastAsia" if lang.split("-")[0] in ("zh", "ja", "ko") else attribute
    return "".join((
        '<w:rFonts w:ascii="Courier New" w:hAnsi="Courier New" w:cs="Courier New"/>' if span.code else "",
        "<w:b/><w:bCs/>" if span.bold else "",
        "<w:i/><w:iCs/>" if span.italic else "",
        '<w:color w:val="666666"/>' if grey else "",
        f'<w:sz w:val="{size}"/><w:szCs w:val="{size}"/>' if size else "",
        "<w:rtl/>" if tongue.direction == "rtl" and not span.lang else "",
        f"<w:lang w:{attribute}={quoteattr(lang)}/>",
    ))  # fmt: skip


def _run(span: Span, tongue: Tongue, size: int, grey: bool) -> str:
    look = _look(span, tongue, size, grey)
    lines = [f'<w:t xml:space="preserve">{escape(line)}</w:t>' for line in span.text.split("\n")]
    return f"<w:r><w:rPr>{look}</w:rPr>{'<w:br/>'.join(lines)}</w:r>"
