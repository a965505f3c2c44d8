"""What is written of a submission: nothing that its sender chose decides a name or a command, or hides a line."""

from __future__ import annotations

import shlex
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailroom.expert.reading import (
    LABELS,
    attachment_names,
    find_language,
    import_commands,
    is_hidden,
    show,
    write_files,
)
from mailroom.intake.forms import FACES, Attachment, Submission
from mailroom.languages import load_languages

FOLDER = Path("/a folder/2026-11-22-1")


def letter(*fields: tuple[str, str], face: str = "report") -> str:
    files = dict(write_files(Submission(face, "en", fields), "Came on 2026-11-22"))
    return files["letter.txt"].decode()


def test_every_field_of_the_form_has_a_label() -> None:
    assert set(LABELS) == {field.name for face in FACES.values() for field in face.fields}


def test_a_letter_as_it_is_read() -> None:
    submission = Submission(
        "report", "fa", (("wish", "sample"), ("message", "سلام،\nمی‌خواهم."), ("contact", "a@b.example")),
        (Attachment("pdf", b"%PDF-"), Attachment("bin", b"\x7fELF")),
    )  # fmt: skip
    files = dict(write_files(submission, "Came on 2026-11-22"))
    assert list(files) == ["letter.txt", "attachment-1.pdf", "attachment-2.bin"]
    assert files["attachment-2.bin"] == b"\x7fELF"
    assert files["letter.txt"].decode() == (
        "Expert report\nCame on 2026-11-22\nLanguage of the page: fa\n\nAsks for:\n    sample\n\n"
        "Message:\n    سلام،\n    می‌خواهم.\n\nContact:\n    a@b.example\n\n"
        "Attachments, as they came. They may be harmful: open them where nothing can be lost.\n\n"
        "    attachment-1.pdf\n    attachment-2.bin\n"
    )


def test_several_answers_stand_one_below_the_other() -> None:
    assert "Days:\n    2026-11-23\n    2026-11-24\n" in letter(
        ("days", "2026-11-23"), ("days", "2026-11-24"), face="meeting"
    )


def test_what_controls_or_turns_around_is_a_mark() -> None:
    assert show("a\u202eb\x1b[2Jc\u2066d\u200fe\ufefff\U000e0041") == (
        "a⟨U+202E⟩b⟨U+001B⟩[2Jc⟨U+2066⟩d⟨U+200F⟩e⟨U+FEFF⟩f⟨U+E0041⟩"
    )
    assert show("می‌خواهم") == "می‌خواهم", "Persian needs it"


@settings(max_examples=100)
@given(st.text(max_size=200))
def test_no_answer_passes_for_a_line_of_ours(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    written = letter(("message", text))
    head, _, answer = written.partition("Message:\n")
    assert head == "Expert report\nCame on 2026-11-22\nLanguage of the page: en\n\n"
    assert all(line.startswith("    ") for line in answer.rstrip("\n").split("\n"))
    assert not [each for each in written if unicodedata.category(each) in ("Cc", "Cs") and each not in "\n\t"]
    assert not [
        each for each in written if unicodedata.bidirectional(each) in ("RLO", "LRO", "RLE", "LRE", "PDF", "RLI")
    ]


def translation(*attachments: str, **fields: str) -> Submission:
    files = tuple(Attachment(kind, b"x") for kind in attachments)
    return Submission("translation", "fa", tuple(fields.items()), files)


@pytest.mark.parametrize(
    ("submission", "expected"),
    [
        (translation("docx", key="leaving-russia", target_language="fa"),
         ["attachment-1.docx --key leaving-russia --lang fa"]),
        (translation("docx"), ["attachment-1.docx"]),
        (translation("pdf", "docx", "html", message="See the files"), ["attachment-2.docx", "attachment-3.html"]),
        (translation(message="# عنوان", key="https://site.example/en/leaving-russia/", target_language="فارسی"),
         ["translation.md --key leaving-russia --lang fa"]),
        (translation("odt", message="The text"), ["translation.md"]),
        (translation("odt"), []),
        (translation("md", key="x; rm -rf /", target_language="fa"), ["attachment-1.md"]),
        (translation("md", key="$(id)", target_language="`id`"), ["attachment-1.md"]),
        (translation("md", key="a\nb", target_language="fa"), ["attachment-1.md"]),
        (translation("md", key="--replace", target_language="fa"), ["attachment-1.md"]),
        (Submission("report", "fa", (("key", "x"),), (Attachment("docx", b""),)), []),
    ],
)  # fmt: skip
def test_the_command_that_takes_a_translation_in(submission: Submission, expected: list[str]) -> None:
    commands = import_commands(submission, FOLDER)
    found = [" ".join(shlex.split(each)[2:]).replace(f"{FOLDER}/", "") for each in commands]
    assert found == expected
    assert all(each.startswith("./blog import '/a folder/2026-11-22-1/") for each in commands)


def test_a_translation_that_was_typed_is_a_file_without_what_hides() -> None:
    files = dict(write_files(translation(message="# A\u202e title\x1b\n\nمی‌خواهم"), "x"))
    assert files["translation.md"].decode() == "# A title\n\nمی‌خواهم\n"
    assert "# A⟨U+202E⟩ title" in files["letter.txt"].decode()
    assert not any(map(is_hidden, files["translation.md"].decode()))


def test_a_language_is_found_by_its_name_in_any_of_ours() -> None:
    persian = dict.fromkeys(("Persian", "farsi", "Persan", "персидский", "FA", " fa "), "fa")
    others = {"українська": "uk", "中文": "zh-Hans", "zh-hans": "zh-Hans", "Klingon": "", "": ""}
    for name, tag in (persian | others).items():
        assert find_language(name) == tag, name
    assert all(find_language(each.name) == each.tag for each in load_languages().values())


def test_names_of_attachments_are_ours() -> None:
    assert attachment_names(translation("pdf", "bin")) == ["attachment-1.pdf", "attachment-2.bin"]
