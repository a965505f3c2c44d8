"""`./blog kit` and `./blog import`, as they are called."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from translators.errors import DeskError
from translators.kit.errors import UnusableFile

from tests.translators.sites import Site, call

BODY = "The prison of 2024, see [the list](https://example.org/).[^a]\n\n- An item.\n\n[^a]: A report.\n"
GLOSSARY = "terms:\n  prison:\n    en: prison; gaol\n    fa: زندان; محبس\nstyle:\n  fa: [Digits are ۱۲۳]\n"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path)
    made.write("en", header="Summary: A summary.\n", body=BODY)
    (made.content / "glossary.yaml").write_text(GLOSSARY, "utf-8")
    return made


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
    assert "prison = زندان / محبس" in text
    assert "Digits are ۱۲۳" in text
    assert "Write the translation of each paragraph beside it" in text
    messages = site.root / "theme" / "messages"
    messages.mkdir(parents=True)
    (messages / "fa.po").write_text('msgid "Translation: %(language)s"\nmsgstr "ترجمه («%(language)s»)"\n', "utf-8")
    call(site, "kit", "flight", "fa")
    assert "ترجمه («فارسی»)" in zipfile.ZipFile(path).read("word/document.xml").decode()


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


def test_of_a_kit_of_an_earlier_wording_the_desk_knows_what_has_changed_since(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make_kit(site)
    fill_in(path, **ALL)
    site.write("en", header="Summary: A summary.\n", body=BODY.replace("2024", "2025"))
    capsys.readouterr()
    assert call(site, "import", str(path)) == 0
    out = capsys.readouterr().out
    assert (
        "row 4: its source was changed since the kit was made\n"
        "    en, in the file: \u2068The prison of 2024, see [the list](1).[1]\u2069\n"
        "    en: \u2068The prison of 2025, see the list.\u2069\n"
        "    fa: \u2068زندان سال ۲۰۲۴، [فهرست](1) را ببینید.[1]\u2069\n"
    ) in out
    assert "Its source has changed since the kit was made: ./blog diff flight fa" in out
    assert call(site, "translate", "flight", "fa", "--done") == 0
    one = site.find("fa")
    assert one.state == "outdated"
    (change,) = one.changes
    assert (change.op, change.old[0].text, change.new[0].text) == (
        "changed", "The prison of 2024, see the list.[^a]", "The prison of 2025, see the list.[^a]",
    )  # fmt: skip


PARTS = ("One stands first.[^a]", "Two comes next.[^b]", "Three is here as well.[^a]", "Four is the last of all.")
OURS = ("یکم نخست است.[^a]", "دوم پس از آن است.[^b]", "سوم هم اینجاست.[^a]", "چهارم واپسین است.")
NOTES = "\n\n[^a]: A note.\n[^b]: Bee, a note.\n", "\n\n[^a]: یادداشت.\n[^b]: یادداشت ب.\n"


def write(parts: Iterable[str], notes: str) -> str:
    return "\n\n".join(parts) + notes


def test_a_block_that_moved_takes_its_translation_with_it(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """By the record of what it was made from, whether it moved before the kit was made or after."""
    site.write("en", body=write(PARTS, NOTES[0]))
    fa = site.translate("fa", body=write(OURS, NOTES[1]))
    site.record("fa")
    order = (3, 1, 2, 0)
    early = make_kit(site)
    early = early.rename(early.with_name("early.html"))
    site.write("en", body=write([PARTS[at] for at in order], NOTES[0]))
    late = make_kit(site)
    page = late.read_text("utf-8")
    for at in range(4):  # each beside its own
        assert re.search(rf"{PARTS[at][:-5]}(?:(?!</tr>).)*{OURS[at][:-5]}", page, flags=re.DOTALL)
    for path in (early, late):
        capsys.readouterr()
        assert call(site, "import", str(path), "--check") == 0
        assert ", 0 doubts. Nothing" in capsys.readouterr().out
        before = fa.read_bytes()
        assert call(site, "import", str(path), "--replace") == 0
        body = fa.read_text("utf-8").partition("\n\n")[2]
        assert body == write([OURS[at] for at in order], NOTES[1])
        fa.write_bytes(before)
        site.write("en", body=write(PARTS, NOTES[0]))
        site.record("fa")
        site.write("en", body=write([PARTS[at] for at in order], NOTES[0]))


def test_notes_and_blocks_that_came_and_went_leave_the_others_theirs(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.write("en", body=write(PARTS, NOTES[0]))
    path = make_kit(site)
    fill_in(
        path, Flight="گریز", One="یکم نخست است.[1]", Two="دوم پس از آن است.[2]", Three="سوم هم اینجاست.[1]",
        Four="چهارم واپسین است.", A="یادداشت.", Bee="یادداشت ب.",
    )  # fmt: skip
    site.write(
        "en", body=write(["New in front.[^c]", *PARTS[1:]], "\n\n[^c]: Sea.\n[^b]: Bee, a note.\n[^a]: A note.\n")
    )
    capsys.readouterr()
    assert call(site, "import", str(path)) == 0
    out = capsys.readouterr().out
    assert "no longer in it: left out\n    en, in the file: \u2068One stands first.[1]\u2069\n    fa:" in out
    assert "not in the file\n    en: \u2068New in front.\u2069\n" in out
    body = (site.content / "articles" / "fa" / "flight.md").read_text("utf-8").partition("\n\n")[2]
    assert body == write(["⟨…⟩[^c]", *OURS[1:]], "\n\n[^c]: ⟨…⟩\n[^b]: یادداشت ب.\n[^a]: یادداشت.\n")
    assert [change.op for change in site.find("fa").changes] == ["changed", "added"]


def test_what_nobody_put_into_the_kit_is_not_lost_without_a_word(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.write("en", body=write(PARTS, NOTES[0]))
    fa = site.translate("fa", body=write([*OURS, "## پیوستی از مترجم"], NOTES[1]))
    site.record("fa")
    path = make_kit(site)
    page = path.read_text("utf-8")
    page = re.sub(r"<tr[^>]*>(?:(?!</tr>).)*Two comes next.*?</tr>", "", page, flags=re.DOTALL)
    page = page.replace("</tbody>", "<tr><td></td><td></td><td>یک ردیف تازه</td></tr></tbody>")
    path.write_text(page.replace("</body>", "<p>زیر جدول</p></body>"), "utf-8")
    fa.write_text(fa.read_text("utf-8").replace("چهارم", "چارم"), "utf-8")
    capsys.readouterr()
    assert call(site, "import", str(path), "--replace") == 0
    out = capsys.readouterr().out
    assert "not in the file: kept as it was\n    en: \u2068Two comes next.\u2069\n    fa: \u2068دوم" in out
    for words in ("یک ردیف تازه", "زیر جدول"):
        assert f"this stands in no row of the kit: left out\n    fa: \u2068{words}\u2069" in out
    assert "beside no block of its source: left out\n    fa: \u2068پیوستی" in out
    assert "content/articles/fa/flight.md has changed since the kit was made" in out
    assert fa.read_text("utf-8").partition("\n\n")[2] == write(OURS, NOTES[1])


def test_a_text_that_is_no_kit_has_to_be_named(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "from somebody.md"
    path.write_text("# گریز\n\nزندان سال ۲۰۲۴، فهرست.\n\n- یک مورد.\n", "utf-8")
    with pytest.raises(DeskError, match="--key leaving-russia --lang fa"):
        call(site, "import", str(path))
    assert call(site, "import", str(path), "--key", "flight", "--lang", "fa") == 0
    text = (site.content / "articles" / "fa" / "flight.md").read_text("utf-8")
    assert text.startswith("Title: گریز\nSummary: TRANSLATE: A summary.\nTranslated_from: en\n")
    assert text.endswith("- یک مورد.\n\n[^a]: ⟨…⟩\n")


def test_notes_that_were_typed_are_notes(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As somebody does who knows of no footnotes; numbers are those of the page, whatever the notes are called."""
    site.write("en", body=write(PARTS, "\n\n[^b]: Bee, a note.\n[^a]: A note.\n"))
    ours = [re.sub(r"\[\^(.)\]", lambda found: f" [{'ab'.index(found[1]) + 1}]", text) for text in OURS]
    path = tmp_path / "typed.md"
    path.write_text("# گریز\n\n" + write(ours, "\n\n[1] یادداشت.\n\n[2] یادداشت ب.\n"), "utf-8")
    call(site, "import", str(path), "--key", "flight", "--lang", "fa", "--from", "en")
    assert "nothing doubtful" in capsys.readouterr().out
    body = (site.content / "articles" / "fa" / "flight.md").read_text("utf-8").partition("\n\n")[2]
    assert body == write([text.replace("[^", " [^") for text in OURS], NOTES[1])


def test_a_kit_is_of_what_it_says(site: Site) -> None:
    path = make_kit(site)
    fill_in(path, **ALL)
    with pytest.raises(DeskError, match="it is a kit of flight from en into fa"):
        call(site, "import", str(path), "--lang", "ar")
    path.with_suffix(".docx").write_bytes(b"no archive")
    with pytest.raises(UnusableFile):
        call(site, "import", str(path.with_suffix(".docx")))
    assert not (site.content / "articles" / "fa").exists()


def test_what_is_not_translated_is_left_to_be_filled_in(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    path = make_kit(site)
    fill_in(path, **{"web address": "Kaçış: İzmir’den", "An item": "یک مورد."})
    assert call(site, "import", str(path)) == 0
    assert capsys.readouterr().out.endswith("When it is finished: ./blog translate flight fa --done\n")
    text = (site.content / "articles" / "fa" / "flight.md").read_text("utf-8")
    assert text.startswith(
        "Title: TRANSLATE: Flight\nSlug: kaçış-izmir-den\nSummary: TRANSLATE: A summary.\nTranslated_from: en\n"
    )
    assert text.endswith("\n\n⟨…⟩ [⟨…⟩](https://example.org/)[^a]\n\n- یک مورد.\n\n[^a]: ⟨…⟩\n")
    with pytest.raises(DeskError, match="not yet translated"):
        call(site, "translate", "flight", "fa", "--done")
