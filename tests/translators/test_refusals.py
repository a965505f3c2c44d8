"""Files that `./blog import` refuses: the answer names the file and says what to do, and nothing is written."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.translators.sites import Site, run_command

MACROS = b"application/vnd.ms-word.document.macroEnabled.main+xml"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    made = Site(tmp_path_factory.mktemp("refusals"))
    made.write("en")
    made.translate("ar", body="فقرة.\n")
    made.record("ar")
    run_command(made.root, "kit", "flight", "fa")
    run_command(made.root, "kit", "flight", "fa", "--format", "html")
    return made


def change(kit: bytes, part: str, make: Callable[[bytes], bytes], **more: bytes) -> bytes:
    """A kit of which one part is another, or some are added."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(kit)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, make(old.read(name)) if name == part else old.read(name))
        for name, data in more.items():
            new.writestr(name, data)
    return buffer.getvalue()


def replace(kit: bytes, old: str, new: str) -> bytes:
    def make(text: bytes) -> bytes:
        found = re.sub(old.encode(), new.encode(), text, flags=re.DOTALL)
        assert found != text
        return found

    return change(kit, "word/document.xml", make)


def fill(kit: bytes, first_line: str, changed: str) -> bytes:
    """A kit that was filled in, and whose first line was changed."""
    empty = r"</w:pPr></w:p></w:tc></w:tr>"
    return replace(replace(kit, empty, empty.replace("</w:p><", "<w:r><w:t>x</w:t></w:r></w:p><")), first_line, changed)


def declare(kit: bytes, entities: str) -> bytes:
    return replace(kit, r"<w:document", f"<!DOCTYPE w [{entities}]><w:document")


def bomb(kit: bytes) -> bytes:
    return change(kit, "word/document.xml", lambda _: bytes(30 * 2**20))


NOTHING = b"PK\x05\x06" + bytes(18)  # a zip without parts
LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "ha"}">' for n in range(10))
REFUSED: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "cut off": ("a.docx", lambda kit: kit[:-200], "zip archive is broken"),
    "zip bomb": ("a.docx", bomb, "zip bomb|more than"),
    "billion laughs": ("a.docx", lambda kit: declare(kit, LAUGHS), "declares a document type"),
    "external entity": ("a.docx", lambda kit: declare(kit, '<!ENTITY a SYSTEM "file:///etc/passwd">'), "document type"),
    "wrong key": ("a.docx", lambda kit: fill(kit, "flight ·", "fligth ·"), "no article or page of this key. Did"),
    "wrong language": ("a.docx", lambda kit: fill(kit, "→ fa", "→ xx"), "not a language of this site"),
    "its own language": ("a.docx", lambda kit: fill(kit, "→ fa", "→ en"), "nothing to translate"),
    "first line gone": ("a.docx", lambda kit: replace(kit, " · [0-9a-f]{64}", ""), "it is no kit"),
    "rows gone": ("a.docx", lambda kit: replace(kit, "(</w:tr>).*</w:tr>", r"\1"), "table is missing"),
    "not filled in": ("a.docx", lambda kit: kit, "the kit is empty"),
    "no zip": ("a.docx", lambda _: b"A letter, and no archive.", "it is no .docx file"),
    "doc": ("a.doc", lambda _: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "Word 97"),
    "macros": ("a.docm", lambda kit: change(kit, "[Content_Types].xml", lambda text: text + MACROS), "macros"),
    "hidden macros": ("a.docx", lambda kit: change(kit, "", bytes, **{"word/vbaProject.bin": b"x"}), "macros"),
    "names that lead out": ("a.docx", lambda kit: change(kit, "", bytes, **{"../../evil.md": b"x"}), "leads out of it"),
    "empty": ("a.docx", lambda _: b"", "it is empty"),
    "binary as text": ("a.md", lambda _: b"MZ\0\1\2\3 text", "it is no text"),
    "another encoding": ("a.md", lambda _: "Перевод".encode("koi8-r"), "not UTF-8"),
    "kit as text": ("a.md", lambda kit: kit, "under another name"),
    "open document": ("a.odt", lambda _: change(NOTHING, "", bytes, mimetype=b"opendocument"), "OpenDocument"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_is_refused_and_changes_nothing(site: Site, tmp_path: Path, name: str) -> None:
    file, make, what = REFUSED[name]
    sent = tmp_path / file
    sent.write_bytes(make((site.root / "var" / "kits" / "flight-fa.docx").read_bytes()))
    before = {path: path.read_bytes() for path in site.root.rglob("*") if path.is_file()}
    with pytest.raises(ValueError, match=what) as caught:
        run_command(site.root, "import", str(sent), "--replace")
    assert hasattr(caught.value, "remedy")  # so the front door shows the message alone, and ends with 1
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    assert re.search(r"\. (?:[A-Z`]).*\Z", message), "what is wrong, and what to do"
    assert before == {path: path.read_bytes() for path in site.root.rglob("*") if path.is_file()}


def test_a_file_that_is_not_there(site: Site) -> None:
    with pytest.raises(ValueError, match=r"nothing\.docx: it cannot be read \(No such file or directory\)\. Say where"):
        run_command(site.root, "import", "nothing.docx")
