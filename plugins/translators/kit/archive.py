"""The parts of an Office file, from bytes that nobody has looked at.

Zips are read with limits that count what comes out, not what the directory promises; XML is read with expat, which
stands in Python, and any document type is refused: OOXML forbids it (ISO/IEC 29500-2), and without one there are no
entities to expand and none to fetch. So no library is needed that does more than this.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from xml.parsers import expat

from .errors import UnusableFile

MAX_FILE = 20 * 2**20
MAX_ENTRIES = 2_000
MAX_PART = 24 * 2**20
MAX_RATIO = 200
MAX_DEPTH = 120
MAX_ELEMENTS = 400_000
_CHUNK = 2**16
#: What files begin with, and what to do about them.
_KNOWN = (
    (b"%PDF", "it is a PDF", "Ask for the file it was made from, as .docx."),
    (b"{\\rtf", "it is an RTF file", "Open it in a word processor and save it as .docx."),
    (b"\x1f\x8b", "it is a gzip archive", "Unpack it, and import the .docx in it."),
    (b"Rar!", "it is a RAR archive", "Unpack it, and import the .docx in it."),
    (b"7z\xbc\xaf", "it is a 7-Zip archive", "Unpack it, and import the .docx in it."),
    (b"\x89PNG", "it is a picture", "Ask for the text, as .docx."),
    (b"\xff\xd8\xff", "it is a picture", "Ask for the text, as .docx."),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ASK = "Open it in a word processor, save it as .docx, and import that."
_AGAIN = "It may have been cut off on its way: ask for it again."
_REFUSED = "Do not open it; ask whoever sent it what it is."


@dataclass(slots=True)
class Xml:
    """An element: `tag` and attribute names begin with a short name of their vocabulary, such as `w:p`."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Xml] = field(default_factory=list)
    text: str = ""

    def find(self, *path: str) -> Xml | None:
        """The first element down a path of tags."""
        here: Xml | None = self
        for tag in path:
            here = next((child for child in here.children if child.tag == tag), None) if here else None
        return here


class Package:
    """A zip whose parts are read within limits, all together at most `MAX_PART` bytes."""

    def __init__(self, name: str, data: bytes) -> None:
        """Raises UnusableFile for whatever is no .docx."""
        self._name = name
        self._left = MAX_PART
        if len(data) > MAX_FILE:
            raise UnusableFile(name, f"it is larger than {MAX_FILE // 2**20} MiB", "Remove its pictures and save it.")
        refuse_other_types(name, data)
        if not data.startswith(b"PK"):
            raise UnusableFile(name, "it is no .docx file", _ASK)
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
            raise UnusableFile(name, "its zip archive is broken", _AGAIN) from error
        entries = self._zip.infolist()
        if len(entries) > MAX_ENTRIES:
            raise UnusableFile(name, f"it holds {len(entries)} parts, which no text needs", _REFUSED)
        if any(entry.flag_bits & 1 for entry in entries):
            raise UnusableFile(name, "its zip archive is encrypted", "Ask for it without a password.")
        self.names = {entry.filename for entry in entries}
        if len(self.names) < len(entries):
            raise UnusableFile(name, "it holds two parts of one name", _REFUSED)
        # Nothing is ever unpacked to a disk; but no word processor writes such a file.
        if any(entry.startswith("/") or ".." in re.split(r"[/\\]", entry) for entry in self.names):
            raise UnusableFile(name, "it holds a part whose name leads out of it", _REFUSED)
        self._refuse_other_packages()

    def _refuse_other_packages(self) -> None:
        if "mimetype" in self.names:
            kind = self.read("mimetype")[:80]
            if b"opendocument" in kind:
                raise UnusableFile(self._name, "it is an OpenDocument file", _ASK)
            if b"epub" in kind:
                raise UnusableFile(self._name, "it is an e-book", "Ask for the text, as .docx.")
        if "[Content_Types].xml" not in self.names:
            raise UnusableFile(self._name, "it is a zip archive, no .docx file", "Unpack it, and import what is in it.")
        types = self.read("[Content_Types].xml")
        if b"macroEnabled" in types or any("vbaProject" in part for part in self.names):
            raise UnusableFile(self._name, "it has macros (.docm)", "Do not open it; ask for it as .docx.")
        if b"wordprocessingml" not in types and b"ms-word" not in types:
            raise UnusableFile(self._name, "it is an Office file, but no text", "Ask for the text, as .docx.")

    def read(self, part: str) -> bytes:
        """A part's bytes. Raises UnusableFile when it is missing, broken or too much."""
        try:
            entry = self._zip.getinfo(part)
        except KeyError as error:
            raise UnusableFile(self._name, f"its part {part} is missing", _AGAIN) from error
        found = bytearray()
        try:
            with self._zip.open(entry) as file:
                while chunk := file.read(_CHUNK):
                    found += chunk
                    if len(found) > self._left:
                        raise UnusableFile(self._name, f"unpacked it is more than {MAX_PART // 2**20} MiB", _REFUSED)
                    if len(found) > 2**20 and len(found) > MAX_RATIO * max(1, entry.compress_size):
                        raise UnusableFile(self._name, f"its part {part} is a zip bomb", _REFUSED)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            raise UnusableFile(self._name, f"its part {part} is broken", _AGAIN) from error
        self._left -= len(found)
        return bytes(found)

    def read_xml(self, part: str) -> Xml:
        """A part as a tree. Raises UnusableFile."""
        return parse_xml(self._name, part, self.read(part))


def refuse_other_types(name: str, data: bytes) -> None:
    """Say what a file is whose first bytes tell. Raises UnusableFile."""
    if not data.strip():
        raise UnusableFile(name, "it is empty", _AGAIN)
    if data.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise UnusableFile(name, "it is encrypted", "Ask for it without a password.")
        raise UnusableFile(name, "it is a file of Word 97–2003 (.doc)", _ASK)
    for start, what, remedy in _KNOWN:
        if data.startswith(start):
            raise UnusableFile(name, what, remedy)


class _Refused(Exception):
    pass


def parse_xml(name: str, part: str, data: bytes) -> Xml:
    """XML as a tree, without comments and instructions. Raises UnusableFile."""
    root = Xml("")
    opened = [root]
    count = 0
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > MAX_ELEMENTS:
            raise _Refused("has more elements than any text")
        if len(opened) > MAX_DEPTH:
            raise _Refused(f"is nested more than {MAX_DEPTH} deep")
        element = Xml(_short(tag), {_short(key): value for key, value in attributes.items()})
        opened[-1].children.append(element)
        opened.append(element)

    def end(_: str) -> None:
        opened.pop()

    def add(text: str) -> None:
        opened[-1].text += text

    def refuse(*_: object) -> None:
        raise _Refused("declares a document type, which Office files may not")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = add
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except _Refused as error:
        raise UnusableFile(name, f"its part {part} {error}", _REFUSED) from error
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise UnusableFile(name, f"its part {part} is no well-formed XML", _AGAIN) from error
    return root.children[0]


#: The vocabularies that are read, in both variants of the standard (transitional and strict).
_VOCABULARIES = {
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main": "w",
    "http://purl.oclc.org/ooxml/wordprocessingml/main": "w",
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships": "r",
    "http://purl.oclc.org/ooxml/officeDocument/relationships": "r",
    "http://schemas.openxmlformats.org/package/2006/relationships": "rel",
    "http://schemas.openxmlformats.org/markup-compatibility/2006": "mc",
    "http://schemas.openxmlformats.org/officeDocument/2006/math": "m",
    "http://purl.oclc.org/ooxml/officeDocument/math": "m",
}


def _short(name: str) -> str:
    vocabulary, _, local = name.rpartition(" ")
    if not vocabulary:
        return local
    return f"{_VOCABULARIES.get(vocabulary, 'other')}:{local}"
