"""Files that are broken, wrong or meant to do harm: each gets an answer that names it and says what to do."""

from __future__ import annotations

import contextlib
import io
import struct
import time
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from translators.kit.arrival import read_arrival
from translators.kit.docx import pack, write_docx
from translators.kit.errors import UnusableFile
from translators.kit.html import write_html
from translators.kit.placement import place

from tests.translators.kit.samples import CONVERT, FIELDS, load, make_kit, revision

KEY = "conscientious-objection-russia"
KIT = write_docx(make_kit("en", "ru", KEY))
IDENTITY = f"a-key · en → ru · {'0123456789abcdef' * 4}"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
with zipfile.ZipFile(io.BytesIO(KIT)) as _kit:
    PARTS = {name: _kit.read(name).decode() for name in _kit.namelist()}
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def with_document(xml: str) -> bytes:
    return pack({**PARTS, "word/document.xml": xml})


def body(inside: str) -> str:
    return f"<w:document {W}><w:body>{inside}</w:body></w:document>"


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def zipped(parts: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in parts.items():
            file.writestr(name, data)
    return buffer.getvalue()


def with_bytes(document: bytes) -> bytes:
    return zipped({**{name: text.encode() for name, text in PARTS.items()}, "word/document.xml": document})


def bomb() -> bytes:
    return with_bytes(b" " * 30 * 2**20)


def understated() -> bytes:
    """A part that is larger than the directory of its zip says."""
    data = bytearray(bomb())
    place_of = data.rfind(b"word/document.xml")
    data[place_of - 46 + 24 : place_of - 46 + 28] = struct.pack("<I", 100)
    return bytes(data)


def encrypted_zip() -> bytes:
    data = bytearray(KIT)
    position = -1
    while (position := data.find(b"PK\x01\x02", position + 1)) >= 0:
        data[position + 8] |= 1
    return bytes(data)


def bad_checksum() -> bytes:
    data = bytearray(KIT)
    start = data.find(b"word/document.xml") + 400
    data[start : start + 20] = bytes(20)
    return bytes(data)


def billion_laughs() -> bytes:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "ha"}">' for n in range(10))
    return with_document(f"<!DOCTYPE w [{entities}]>{body(paragraph('&a9;'))}")


def external_entity() -> bytes:
    return with_document(f'<!DOCTYPE w [<!ENTITY a SYSTEM "file:///etc/hostname">]>{body(paragraph("&a;"))}')


def in_utf16() -> bytes:
    xml = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE w [<!ENTITY a "b">]>' + body(paragraph("&a;"))
    return with_bytes(xml.encode("utf-16"))


def twice() -> bytes:
    buffer = io.BytesIO(KIT)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(buffer, "a") as file:
        file.writestr("word/document.xml", body(paragraph("other")))
    return buffer.getvalue()


BROKEN: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "empty": ("a.docx", lambda: b"", "it is empty"),
    "cut off": ("a.docx", lambda: KIT[: len(KIT) // 2], "zip archive is broken"),
    "changed on its way": ("a.docx", bad_checksum, "is broken"),
    "no docx": ("a.docx", lambda: b"hello", "it is no .docx file"),
    "a part is missing": ("a.docx", lambda: pack({n: PARTS[n] for n in PARTS if "document" not in n}), "is missing"),
    "XML is cut off": ("a.docx", lambda: with_document(body("<w:p>")[:-20]), "no well-formed XML"),
    "bytes that are no text": ("a.docx", lambda: with_bytes(b"\xff<a/>"), "no well-formed XML"),
    "entities in entities": ("a.docx", billion_laughs, "declares a document type"),
    "entity from outside": ("a.docx", external_entity, "declares a document type"),
    "entities in UTF-16": ("a.docx", in_utf16, "declares a document type"),
    "bomb": ("a.docx", bomb, "zip bomb|more than"),
    "bomb that lies": ("a.docx", understated, "zip bomb|broken|more than"),
    "many parts": ("a.docx", lambda: zipped({f"{n}.xml": b"" for n in range(2500)}), "2500 parts"),
    "two parts of one name": ("a.docx", twice, "two parts of one name"),
    "nested": ("a.docx", lambda: with_document(body("<w:sdt>" * 5000 + "</w:sdt>" * 5000)), "nested more than"),
    "many elements": ("a.docx", lambda: with_document(body("<w:p/>" * 450_000)), "more elements|zip bomb"),
    "encrypted": ("a.docx", lambda: OLE + "EncryptedPackage".encode("utf-16-le"), "it is encrypted"),
    "encrypted zip": ("a.docx", encrypted_zip, "is encrypted"),
    "doc": ("a.docx", lambda: OLE + bytes(600), "Word 97"),
    "odt": ("a.docx", lambda: zipped({"mimetype": b"application/vnd.oasis.opendocument.text"}), "OpenDocument"),
    "spreadsheet": ("a.docx", lambda: zipped({"[Content_Types].xml": b"<a>spreadsheetml</a>"}), "but no text"),
    "zip": ("a.docx", lambda: zipped({"a.docx": KIT}), "it is a zip archive"),
    "pdf": ("a.docx", lambda: b"%PDF-1.7", "it is a PDF"),
    "rtf": ("a.docx", lambda: b"{\\rtf1 a}", "it is an RTF file"),
    "large": ("a.docx", lambda: b"PK" + bytes(21 * 2**20), "larger than 20 MiB"),
    "no words": ("a.docx", lambda: with_document(body("<w:p/>")), "no text in it"),
    "kit not filled in": ("a.docx", lambda: KIT, "the kit is empty"),
    "kit without its table": ("a.docx", lambda: with_document(body(paragraph(IDENTITY))), "table is missing"),
    "some page": ("a.html", lambda: b"<p>hello", "no kit of ours"),
    "docx called html": ("a.html", lambda: KIT, "under another name"),
    "web archive": ("a.html", lambda: b"From: <Saved by Blink>\r\n", "web archive"),
    "nested page": ("a.html", lambda: b"<div>" * 8_000, "nested more than"),
    "page of tags": ("a.html", lambda: b"<b>a</b>" * 20_000, "tags"),
    "page of comments": ("a.html", lambda: b"<!--" * 400_000, "tags"),
    "not UTF-8": ("a.md", lambda: "Привет".encode("cp1251"), "not UTF-8"),
    "broken header": ("a.md", lambda: b"---\na: [\n---\ntext", "not YAML"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_gets_a_clear_answer(name: str) -> None:
    file, make, what = BROKEN[name]
    data = make()
    began = time.process_time()
    with pytest.raises(UnusableFile, match=what) as caught:
        read_arrival(file, data, CONVERT)
    assert time.process_time() - began < 5
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    assert message.endswith(".")
    assert message.count(". ") >= 1  # what is wrong, and what to do
    assert "\n" not in message


@given(st.data())
def test_a_damaged_file_is_read_or_refused(data: st.DataObject) -> None:
    """Whatever bytes change, nothing else happens than these two."""
    damaged = bytearray(KIT)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(UnusableFile):
        read_arrival("a.docx", bytes(damaged), CONVERT)


TAGS = (
    "<table>", "<tr>", "<td>", "</td>", "</tr>", "</table>", "1", "<div contenteditable>", "</div>", "<br>", "<p>",
    "&#0;", "<!--", "<script>x</script>", "[a](1)", "[2]", "|", "<b>", "</i>", "\x00", "<svg><p>",
    "<a href='javascript:x'>y</a>",
)  # fmt: skip


@given(st.lists(st.sampled_from(TAGS), max_size=40))
def test_any_page_is_read_or_refused(parts: list[str]) -> None:
    page = f"<p>{IDENTITY}</p>" + "".join(parts)
    try:
        arrival = read_arrival("a.html", page.encode(), CONVERT)
    except UnusableFile:
        return
    found = place(arrival, load("en", KEY, FIELDS), "en", "ru", revision("en", KEY))
    assert "javascript:" not in found.body
    assert "<script" not in found.body


def test_nothing_that_a_file_points_to_is_fetched_or_kept() -> None:
    relations = PARTS["word/_rels/document.xml.rels"].replace(
        "</Relationships>",
        '<Relationship Id="rId9" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink" '
        'Target="file:///C:/Users/Canary/notes.docx" TargetMode="External"/>'
        '<Relationship Id="rId8" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink" '
        'Target="https://example.org/a" TargetMode="External"/></Relationships>',
    )
    r = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    linked = "".join(
        f'<w:p><w:hyperlink {r} r:id="{name}"><w:r><w:t>words {name}</w:t></w:r></w:hyperlink></w:p>'
        for name in ("rId9", "rId8")
    )
    data = pack({**PARTS, "word/_rels/document.xml.rels": relations, "word/document.xml": body(linked)})
    arrival = read_arrival("a.docx", data, CONVERT)
    assert "Canary" not in repr(arrival)
    assert [piece.links for piece in arrival.document.blocks] == [(), ("https://example.org/a",)]
    assert arrival.dropped == ("links to places on somebody's computer, or of unknown kinds",)


def test_what_is_hidden_deleted_or_beside_the_text_is_left_out() -> None:
    mc = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    data = with_document(body(
        "<w:p><w:r><w:t>kept</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>HIDDEN</w:t></w:r>"
        "<w:del><w:r><w:delText>DELETED</w:delText></w:r></w:del><w:ins><w:r><w:t> added</w:t></w:r></w:ins>"
        f"<w:r><mc:AlternateContent {mc}><mc:Choice><w:drawing><w:txbxContent>{paragraph('BOX')}</w:txbxContent>"
        f"</w:drawing></mc:Choice><mc:Fallback><w:pict/></mc:Fallback></mc:AlternateContent></w:r></w:p>"
        "<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr><w:r><w:t>one </w:t></w:r></w:p>" + paragraph("paragraph")
    ))  # fmt: skip
    arrival = read_arrival("a.docx", data, CONVERT)
    assert [piece.text for piece in arrival.document.blocks] == ["kept added", "one paragraph"]
    assert arrival.dropped == ("hidden text", "text boxes", "tracked changes: the final text was taken (2)")


def test_a_kit_says_nothing_about_anybody() -> None:
    kit = make_kit("en", "fa", KEY)
    data = write_docx(kit)
    assert data == write_docx(kit)
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert not [name for name in file.namelist() if name.startswith(("docProps", "customXml"))]
        assert {entry.date_time for entry in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert not [entry for entry in file.infolist() if entry.extra or entry.comment]
        assert b"removePersonalInformation" in file.read("word/settings.xml")
        text = b"".join(file.read(name) for name in file.namelist())
    for traces in (b"rsid", b"http-equiv", b"Pelican", b"python", b"w:author", b"w:date"):
        assert traces not in text
    assert b"<script" not in write_html(kit)
    assert kit.name("docx") == f"{KEY}-fa.docx"
