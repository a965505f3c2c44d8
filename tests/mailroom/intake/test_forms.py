"""What a form sends becomes a submission, or is said to be unfinished with all that was typed; nothing else happens."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html
from PIL import Image

from mailroom.intake.container import pack, unpack
from mailroom.intake.forms import (
    FACES,
    FILES,
    KINDS,
    LARGEST_FILES,
    LONGEST,
    LONGEST_MESSAGE,
    MEETING,
    MOST_FILES,
    REPORT,
    TRANSLATION,
    Face,
    Submission,
    Unfinished,
    fill_form,
    kind_of,
    read_submission,
)
from mailroom.languages import load_languages
from mailroom.web.rendering import Renderer
from tests.mailroom.offices import NOON, make_settings

NAMES = sorted({field.name for face in FACES.values() for field in face.fields})
#: What has broken pages elsewhere.
NASTY = (
    "</textarea><script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt;&#x3c;",
    "\u202egnp.exe\u2066\u2067",
    "\ud800\udfff\x00\x1b[31m\uffff\x85",
    "a\r\nb\rc\n\n<!--",
    "\n\nlines before",
)


def faults(face: Face, fields: dict[str, list[str]], files: list[tuple[str, bytes]] | None = None) -> dict[str, str]:
    """What is wrong with this form."""
    with pytest.raises(Unfinished) as caught:
        read_submission(face, "en", fields, files or [])
    assert str(caught.value) == "The form is not finished"
    return {fault.field: fault.kind for fault in caught.value.faults}


def test_a_whole_report_form() -> None:
    typed = {
        "name": [" N. "],
        "wish": ["order"],
        "role": ["law-firm"],
        "country": ["ایران"],
        "tribunal": [""],
        "message": ["first\r\nsecond\r\n"],
        "contact_by": ["signal"],
        "contact": ["+44 20 7946 0101"],
        "hours": ["   "],
    }
    submission = read_submission(REPORT, "fa", typed, [("", b""), ("Passport of N.PDF", b"%PDF-1.7 ...")])
    assert (submission.face, submission.lang) == ("report", "fa")
    assert submission.fields == (
        ("wish", "order"),
        ("role", "law-firm"),
        ("country", "ایران"),
        ("message", "first\nsecond"),
        ("contact_by", "signal"),
        ("contact", "+44 20 7946 0101"),
        ("name", "N."),
    )
    assert [(each.kind, each.content) for each in submission.attachments] == [("pdf", b"%PDF-1.7 ...")]
    assert "N." not in repr(submission)
    assert "7946" not in repr(submission)


def test_a_whole_meeting_form() -> None:
    typed = {
        "days": ["2026-11-24", "2026-12-01"],
        "times": ["08-12", "20-24"],
        "zone": ["Asia/Tehran"],
        "topic": ["costs"],
        "other_way": ["yes"],
    }
    assert read_submission(MEETING, "en", typed).fields == (
        ("days", "2026-11-24"),
        ("days", "2026-12-01"),
        ("times", "08-12"),
        ("times", "20-24"),
        ("zone", "Asia/Tehran"),
        ("topic", "costs"),
        ("other_way", "yes"),
    )


@pytest.mark.parametrize("face", FACES.values(), ids=FACES)
def test_one_of_three_is_enough(face: Face) -> None:
    assert read_submission(face, "en", {face.message: ["x"]}).fields == ((face.message, "x"),)
    assert read_submission(face, "en", {"contact": ["x"]}).fields == (("contact", "x"),)
    if face.files:
        assert read_submission(face, "en", {}, [("", b"x")]).fields == ()
    rest = {field.name: ["x"] for field in face.fields if field.choices is None}
    del rest[face.message], rest["contact"]
    assert faults(face, rest) == {face.message: "empty"}
    assert faults(face, {"contact": [" \u2003\n"]}) == {face.message: "empty"}
    assert faults(face, {}, [("", b"")]) == {face.message: "empty"}


@pytest.mark.parametrize(
    ("face", "typed", "wrong"),
    [
        (REPORT, {"wish": ["castle"]}, {"wish": "changed"}),
        (REPORT, {"wish": ["cv", "cv"]}, {"wish": "changed"}),
        (REPORT, {"role": ["applicant", "other"]}, {"role": "changed"}),
        (REPORT, {"country": ["a", "b"]}, {"country": "changed"}),
        (REPORT, {"zone": ["Asia/Tehran"]}, {"message": "changed"}),
        (REPORT, {"name": ["x" * (LONGEST + 1)]}, {"name": "long"}),
        (REPORT, {"message": ["x" * (LONGEST_MESSAGE + 1)], "nothing": ["of ours"]}, {"message": "long"}),
        (REPORT, {"message": ["🕊" * 1_000_000]}, {"message": "long"}),
        (MEETING, {"days": ["2026-02-30"]}, {"days": "changed"}),
        (MEETING, {"days": ["2026-11-24 "], "times": ["08-12", "08-12"]}, {"times": "changed"}),
        (MEETING, {"days": ["20261124"]}, {"days": "changed"}),
        (MEETING, {"days": ["٢٠٢٦-١١-٢٤"]}, {"days": "changed"}),
        (MEETING, {"days": [f"{year}-01-01" for year in range(1000, 1100)]}, {"days": "changed"}),
        (MEETING, {"zone": ["Mars/Olympus"], "other_way": ["no"]}, {"zone": "changed", "other_way": "changed"}),
        (TRANSLATION, {"pseudonym": ["x" * 501], "key": ["x" * 501]}, {"key": "long", "pseudonym": "long"}),
    ],
)
def test_what_is_wrong_is_said_at_the_field(face: Face, typed: dict[str, list[str]], wrong: dict[str, str]) -> None:
    found = faults(face, {"contact": ["x"]} | typed)
    assert list(found.items()) == list(wrong.items())


def test_the_longest_texts_are_taken() -> None:
    typed = {field.name: ["🕊" * field.longest] for field in REPORT.fields if field.choices is None}
    assert len(read_submission(REPORT, "en", typed).fields) == len(typed)


@pytest.mark.parametrize(
    ("files", "wrong"),
    [
        ([("a.txt", b"")], "blank"),
        ([("", b"a")] * (MOST_FILES + 1), "many"),
        ([("", bytes(LARGEST_FILES)), ("", b"a")], "large"),
    ],
)
def test_limits_of_files(files: list[tuple[str, bytes]], wrong: str) -> None:
    assert faults(REPORT, {"contact": ["x"]}, files) == {FILES: wrong}
    assert faults(MEETING, {"contact": ["x"]}, files) == {"topic": "changed"}


@pytest.mark.parametrize("face", [REPORT, TRANSLATION], ids=["report", "translation"])
def test_as_much_as_is_promised_fits_the_largest_class(face: Face) -> None:
    texts = {field.name: ["🕊" * field.longest] for field in face.fields if field.choices is None}
    files = [("", bytes(LARGEST_FILES // MOST_FILES))] * MOST_FILES
    submission = read_submission(face, "zh-Hans", texts, files)
    assert unpack(pack(submission)) == submission


def zipped(*names: str) -> bytes:
    """An archive with these files, the first one not compressed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "application/vnd.oasis.opendocument.text" if name == "mimetype" else "<x/>")
    return out.getvalue()


def picture(kind: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (2, 2)).save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("scan.PDF", b"%PDF-1.4\n", "pdf"),
        ("harmless.txt", b"junk before %PDF-1.4", "pdf"),
        ("letter.docx", zipped("[Content_Types].xml", "word/document.xml"), "docx"),
        ("letter.odt", zipped("mimetype", "content.xml"), "odt"),
        ("letter.docx", zipped("mimetype", "content.xml"), "odt"),
        ("archive.zip", zipped("a"), "bin"),
        ("x.pdf", picture("png"), "png"),
        ("", picture("jpeg"), "jpg"),
        ("x.png", picture("gif"), "bin"),
        ("kit.md", "# گزارش\n".encode(), "md"),
        ("kit.HTM", b"<!doctype html>", "html"),
        ("run.sh", b"#!/bin/sh\n", "txt"),
        ("old.txt", "Гражданин".encode("cp1251"), "txt"),
        ("no ending", b"\xef\xbb\xbftext", "txt"),
        ("x.txt", b"a\x00b", "bin"),
        ("x.docx", b"not one", "txt"),
        ("sealed.age", b"age-encryption.org/v1\n-> X25519 abc\n\x9f\x00", "bin"),
        ("x.exe", b"MZ\x90\x00", "bin"),
    ],
)
def test_kinds_of_files(name: str, content: bytes, kind: str) -> None:
    assert kind in KINDS
    assert kind_of(name, content) == kind
    [attachment] = read_submission(REPORT, "en", {}, [(name, content)]).attachments
    assert attachment.kind == kind
    assert not hasattr(attachment, "name")
    assert attachment.content is content


@given(
    face=st.sampled_from(sorted(FACES)),
    fields=st.dictionaries(
        st.one_of(st.sampled_from(NAMES), st.text(max_size=8)),
        st.lists(st.one_of(st.text(alphabet=st.characters(), max_size=40), st.sampled_from(NASTY)), max_size=3),
        max_size=8,
    ),
    files=st.lists(st.tuples(st.text(max_size=8), st.binary(max_size=40)), max_size=7),
)
@settings(max_examples=100, deadline=None)
def test_whatever_comes(face: str, fields: dict[str, list[str]], files: list[tuple[str, bytes]]) -> None:
    known = {field.name: field for field in FACES[face].fields}
    made: Submission | Unfinished
    try:
        made = read_submission(FACES[face], "en", fields, files)
    except Unfinished as unfinished:
        made = unfinished
    if isinstance(made, Unfinished):
        assert made.faults
        assert {fault.field for fault in made.faults} <= {*known, FILES}
        assert list(made.typed) == list(known)
        texts = [text for values in made.typed.values() for text in values]
    else:
        assert len(made.attachments) == sum(bool(content) for _, content in files)
        names = [name for name, _ in made.fields]
        assert names == sorted(names, key=list(known).index)
        for name, value in made.fields:
            choices = known[name].choices
            assert choices is None or value in choices
        texts = [value for _, value in made.fields]
    for text in texts:
        text.encode()
        assert text == text.strip() != ""
        assert not set(text) & {"\x00", "\x1b", "\r", "\x85", "\uffff"}


@pytest.mark.parametrize("face", FACES.values(), ids=FACES)
def test_what_was_typed_stands_in_the_page_again_and_breaks_nothing(face: Face, tmp_path: Path) -> None:
    languages = load_languages()
    site = make_settings(tmp_path, meeting_service="Zoom")
    renderer = Renderer(site, site.url, languages)

    def parse(unfinished: Unfinished | None) -> html.HtmlElement:
        values = fill_form(face, languages["en"], NOON, unfinished)
        text = renderer.render(face.name, languages["en"], switch=False, recipients=["age1x"], **values)
        text.encode()
        return html.document_fromstring(text)

    texts = [field for field in face.fields if field.choices is None]
    for nasty in NASTY:
        typed = {field.name: [nasty] for field in texts}
        if "days" in {field.name for field in face.fields}:
            typed["days"] = [nasty, "2026-01-01"]
        with pytest.raises(Unfinished) as caught:
            read_submission(face, "en", typed | {"unknown": [nasty], "contact_by": [nasty]})
        page = parse(caught.value)
        assert not page.xpath("//script | //img | //comment()")
        for field in texts:
            [box] = page.xpath(f"//*[@id='{field.name}']")
            shown = box.get("value") if box.tag == "input" else box.text.removeprefix("\n")
            assert [shown] == list(caught.value.typed[field.name])
        if "days" in typed:
            assert page.xpath("//input[@name='days'][@checked]/@value") == ["2026-01-01"]
        for link in page.xpath("//*[@class='faults']//a/@href"):
            [target] = page.xpath(f"//*[@id='{link[1:]}']")
            assert target.tag in ("input", "textarea", "select")
        assert page.xpath(f"//*[@id='{face.message}']/@aria-invalid") == ["true"]
        assert page.xpath(f"//*[@id='{face.message}']/@aria-describedby")[0].split()[0] == f"{face.message}-fault"
        bare = parse(None)
        assert len(page.xpath("//input | //select | //textarea")) - len(
            bare.xpath("//input | //select | //textarea")
        ) == (
            1 if "days" in typed else 0  # a day that was chosen, though it is not offered any more
        )


def test_choices_stand_in_the_page_again(tmp_path: Path) -> None:
    languages = load_languages()
    site = make_settings(tmp_path)
    renderer = Renderer(site, site.url, languages)
    typed = {"zone": ["Asia/Kabul"], "times": ["16-20", "20-24"], "contact_by": ["none"], "other_way": ["yes"]}
    with pytest.raises(Unfinished) as caught:
        read_submission(MEETING, "fa", typed)
    values = fill_form(MEETING, languages["fa"], NOON, caught.value)
    page = html.document_fromstring(
        renderer.render("meeting", languages["fa"], switch=False, recipients=["age1x"], **values)
    )
    assert page.xpath("//option[@selected]/@value") == ["Asia/Kabul"]
    assert page.xpath("//input[@checked]/@value") == ["16-20", "20-24", "yes", "none"]
