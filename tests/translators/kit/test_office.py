"""Kits and ordinary texts that LibreOffice has read, changed and written."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from translators.kit.arrival import read_arrival
from translators.kit.document import Span
from translators.kit.docx import write_docx
from translators.kit.markdown import read_markdown, write_fields
from translators.kit.placement import Imported

from tests.once import once
from tests.translators.kit.office import CANARY, compose, convert, fill
from tests.translators.kit.samples import CONVERT, bare, load, make_kit, present, take_in

KITS = (
    ("fa", "en", "afghanistan-women-decrees"),
    ("en", "ar", "leaving-russia"),
    ("en", "fa", "leaving-russia"),
    ("en", "zh-Hans", "nicaragua-nationality-loss"),
)
TEXTS = (("en", "fa", "what-an-expert-report-is"), ("en", "zh-Hans", "leaving-russia"), ("en", "es", "leaving-russia"))


def translations(origin: str, lang: str, key: str) -> dict[int, tuple[Span, ...]]:
    """What a translator writes into a kit: here, the translation that the site has."""
    full = make_kit(origin, lang, key, counterparts=present(origin, lang, key))
    return {row.number: row.present for row in full.rows if row.present}


@pytest.fixture(scope="module")
def returned(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Kits filled in, and texts written, in LibreOffice, by name."""

    def make(folder: Path) -> dict[str, bytes]:
        names = []
        for origin, lang, key in KITS:
            kit = make_kit(origin, lang, key)
            (folder / kit.name("docx")).write_bytes(write_docx(kit))
            names.append(kit.name("docx"))
        convert([folder / name for name in names], "fodt", folder / "profile")
        for origin, lang, key in KITS:
            fill(folder / f"{key}-{lang}.fodt", translations(origin, lang, key), marked=True)
        for _, lang, key in TEXTS:
            (folder / f"text-{key}-{lang}.fodt").write_text(compose(load(lang, key, ()).pieces), "utf-8")
            names.append(f"text-{key}-{lang}.docx")
        written = [(folder / name).with_suffix(".fodt") for name in names]
        convert(written, "docx", folder / "profile")
        return {name: (folder / name).read_bytes() for name in names}

    return once(tmp_path_factory, "returned-kits", make)


def bring(returned: dict[str, bytes], origin: str, lang: str, key: str, name: str) -> Imported:
    return take_in(name, returned[name], origin, lang, key)


@pytest.mark.parametrize(("origin", "lang", "key"), KITS, ids=[" ".join(one) for one in KITS])
def test_kit_comes_back_as_the_same_blocks(returned: dict[str, bytes], origin: str, lang: str, key: str) -> None:
    name = f"{key}-{lang}.docx"
    arrival = read_arrival(name, returned[name], CONVERT)
    assert arrival.identity is not None
    assert (arrival.identity.key, arrival.identity.origin, arrival.identity.lang) == (key, origin, lang)
    found = bring(returned, origin, lang, key, name)
    wanted = load(lang, key)
    assert bare(read_markdown(found.body, CONVERT).pieces) == bare(wanted.pieces)
    assert dict(found.fields) == write_fields(wanted.pieces)
    assert not found.doubts


@pytest.mark.parametrize(("origin", "lang", "key"), KITS, ids=[" ".join(one) for one in KITS])
def test_nobody_is_named(returned: dict[str, bytes], origin: str, lang: str, key: str) -> None:
    name = f"{key}-{lang}.docx"
    parts = zipfile.ZipFile(io.BytesIO(returned[name]))
    inside = {part for part in parts.namelist() if CANARY.encode() in parts.read(part)}
    assert {"docProps/core.xml", "word/document.xml", "word/comments.xml"} <= inside
    arrival = read_arrival(name, returned[name], CONVERT)
    found = bring(returned, origin, lang, key, name)
    for traces in (CANARY, "Zzyzx", "A REMARK", "TAKEN OUT", "2026-11-20"):
        assert traces not in repr(arrival)
        assert traces not in repr(found)
    assert {what.split(" (")[0] for what in found.dropped} == {
        "comments",
        "the file's properties",
        "tracked changes: the final text was taken",
    }


@pytest.mark.parametrize(("origin", "lang", "key"), TEXTS, ids=[" ".join(one) for one in TEXTS])
def test_an_ordinary_text_is_put_beside_its_source(
    returned: dict[str, bytes], origin: str, lang: str, key: str
) -> None:
    name = f"text-{key}-{lang}.docx"
    arrival = read_arrival(name, returned[name], CONVERT)
    assert arrival.identity is None
    found = bring(returned, origin, lang, key, name)
    wanted = load(lang, key, ())
    assert dict(found.fields) == write_fields(wanted.pieces)
    assert bare(read_markdown(found.body, CONVERT).pieces) == bare(wanted.pieces)
    assert CANARY not in repr(found)
