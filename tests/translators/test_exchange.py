"""`./blog kit` and `./blog import`, as they are called."""

from __future__ import annotations

import argparse
import re
import zipfile
from pathlib import Path

import pytest
from multilingual.commands import read_content
from translators.commands import add_commands
from translators.errors import DeskError
from translators.kit.errors import UnusableFile

from tests.translators.sites import Site

BODY = "The prison of 2024, see [the list](https://example.org/).[^a]\n\n- An item.\n\n[^a]: A report.\n"
GLOSSARY = "terms:\n  prison:\n    en: prison\n    fa: زندان\n"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path)
    made.write("en", header="Summary: A summary.\n", body=BODY)
    (made.content / "glossary.yaml").write_text(GLOSSARY, "utf-8")
    return made


def call(site: Site, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers(), site.root)
    parser.set_defaults(read_content=[read_content])
    args = parser.parse_args(arguments)
    return int(args.run(args))


def make_kit(site: Site) -> Path:
    """A kit as a page, which a test can fill in."""
    assert call(site, "kit", "flight", "fa", "--format", "html") == 0
    return site.root / "var" / "kits" / "flight-fa.html"


def fill_in(path: Path, **words: str) -> None:
    """Write beside the blocks that begin with a word, as a browser saves it."""
    page = path.read_text("utf-8")
    for first, text in words.items():
        pattern = rf"<tr[^>]*>(?:(?!</tr>).)*?{first}(?:(?!</tr>).)*?<pre[^>]*contenteditable[^>]*>"
        place = re.search(pattern, page, flags=re.DOTALL)
        assert place, first
        end = page.index("</pre>", place.end())
        page = page[: place.end()] + text + page[end:]
    path.write_text(page, "utf-8")


ALL = {
    "Flight": "گریز", "summary": "خلاصه.", "prison of": "زندان سال ۲۰۲۴، [فهرست](1) را ببینید.[1]",
    "An item": "یک مورد.", "A report": "یک گزارش.",
}  # fmt: skip


def test_a_kit_is_neutral_and_has_the_glossary(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(site, "kit", "flight", "fa") == 0
    path = site.root / "var" / "kits" / "flight-fa.docx"
    assert "var/kits/flight-fa.docx: to be filled in" in capsys.readouterr().out
    text = zipfile.ZipFile(path).read("word/document.xml").decode()
    assert "زندان" in text
    assert "Write the translation of each paragraph beside it" in text
    messages = site.root / "theme" / "messages"
    messages.mkdir(parents=True)
    (messages / "fa.po").write_text('msgid "Translation"\nmsgstr "ترجمه"\n', "utf-8")
    call(site, "kit", "flight", "fa")
    assert "ترجمه" in zipfile.ZipFile(path).read("word/document.xml").decode()


def test_a_kit_that_comes_back_becomes_a_recorded_draft(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    path = make_kit(site)
    fill_in(path, **ALL)
    assert call(site, "import", str(path), "--by", "A Swallow") == 0
    assert "content/articles/fa/flight.md: nothing doubtful." in capsys.readouterr().out
    text = (site.content / "articles" / "fa" / "flight.md").read_text("utf-8")
    assert re.sub(r"Translated: [\d-]+", "Translated: DAY", text) == (
        "Title: گریز\nSummary: خلاصه.\nTranslated_from: en\nTranslated: DAY\nTranslator: A Swallow\nStatus: draft\n\n"
        "زندان سال ۲۰۲۴، [فهرست](https://example.org/) را ببینید.[^a]\n\n- یک مورد.\n\n[^a]: یک گزارش.\n"
    )
    one = site.find("fa")
    assert one.state == "draft"
    assert one.record.basis
    assert [file.name for file in site.content.rglob("*.html")] == []


def test_what_is_doubtful_stands_side_by_side_and_nothing_is_written_on_request(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make_kit(site)
    fill_in(path, **{**ALL, "prison of": "زندان سال ۲۰۱۴.", "summary": ""})
    assert call(site, "import", str(path), "--check") == 0
    out = capsys.readouterr().out
    assert "    en: \u2068The prison of 2024, see the list.\u2069\n    fa: \u2068زندان سال ۲۰۱۴.\u2069" in out
    assert "not translated" in out
    assert "Nothing was written." in out
    assert not (site.content / "articles" / "fa").exists()


def test_a_translation_that_is_there_is_replaced_on_request_alone(site: Site) -> None:
    site.translate(
        "fa", header="Translator: A Swift\nTranslated: 2026-11-02\nSummary: کهنه\nSlug: گریز\n", body="کهنه.\n"
    )
    path = make_kit(site)
    fill_in(path, **ALL)
    text = site.content / "articles" / "fa" / "flight.md"
    before = text.read_bytes()
    with pytest.raises(DeskError, match="is there already"):
        call(site, "import", str(path))
    assert text.read_bytes() == before
    assert call(site, "import", str(path), "--replace") == 0
    now = text.read_text("utf-8")
    assert now.startswith("Title: گریز\n")
    assert "Translator: A Swift\n" in now
    assert "Translated: 2026-11-02\n" in now
    assert "کهنه" not in now
    assert "Status" not in now
    assert site.find("fa").state == "current"


def test_a_kit_of_an_earlier_wording_is_not_recorded_as_current(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    path = make_kit(site)
    fill_in(path, **ALL)
    site.write("en", header="Summary: A summary.\n", body=BODY.replace("2024", "2025"))
    assert call(site, "import", str(path)) == 0
    out = capsys.readouterr().out
    assert "this is no longer there" in out
    assert "Its source has changed since the kit was made: ./blog diff flight fa" in out
    assert site.find("fa").record.basis is None


def test_a_text_that_is_no_kit_has_to_be_named(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "from somebody.md"
    path.write_text("# گریز\n\nزندان سال ۲۰۲۴، فهرست.\n\n- یک مورد.\n", "utf-8")
    with pytest.raises(DeskError, match="--key leaving-russia --lang fa"):
        call(site, "import", str(path))
    assert call(site, "import", str(path), "--key", "flight", "--lang", "fa") == 0
    text = (site.content / "articles" / "fa" / "flight.md").read_text("utf-8")
    assert text.startswith("Title: گریز\nTranslated_from: en\n")
    assert text.endswith("- یک مورد.\n")


def test_a_kit_is_of_what_it_says(site: Site) -> None:
    path = make_kit(site)
    fill_in(path, **ALL)
    with pytest.raises(DeskError, match="it is a kit of flight in fa"):
        call(site, "import", str(path), "--lang", "ar")
    path.with_suffix(".docx").write_bytes(b"no archive")
    with pytest.raises(UnusableFile):
        call(site, "import", str(path.with_suffix(".docx")))
    assert not (site.content / "articles" / "fa").exists()


def test_a_text_without_a_title_is_still_a_text(site: Site) -> None:
    path = make_kit(site)
    fill_in(path, **{"An item": "یک مورد."})
    assert call(site, "import", str(path)) == 0
    text = (site.content / "articles" / "fa" / "flight.md").read_text("utf-8")
    assert text.startswith("Title: TRANSLATE: Flight\n")
