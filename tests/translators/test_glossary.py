"""The glossary: read with clear words where it is wrong, and found again in texts."""

from __future__ import annotations

from pathlib import Path

import pytest
from translators.errors import GlossaryError
from translators.glossary import Glossary, read_glossary

ROOT = Path(__file__).resolve().parents[2]
LANGS = ("en", "ru", "uk", "es", "fr", "ar", "fa", "zh-Hans")


@pytest.fixture(scope="module")
def glossary() -> Glossary:
    return read_glossary(ROOT / "content" / "glossary.yaml", LANGS)


def terms(glossary: Glossary, text: str, lang: str) -> list[tuple[str, str]]:
    return [(found.term.key, text[found.start : found.end]) for found in glossary.find_terms(text, lang)]


def test_the_sites_own_is_read(glossary: Glossary) -> None:
    assert len(glossary.terms) > 50
    assert set(glossary.style) == set(LANGS)
    applicant = next(term for term in glossary.terms if term.key == "applicant")
    assert applicant.forms("ru") == ("заявитель", "заявительница")
    assert applicant.forms("de") == ()
    feud = next(term for term in glossary.terms if term.key == "blood feud")
    assert feud.forms("fr") == ("vendetta", "vengeance de sang")


@pytest.mark.parametrize(
    ("lang", "text", "found"),
    [
        ("en", "Applicants bear the burden of proof.", [("applicant", "Applicants"), ("burden of proof",) * 2]),
        ("ru", "Бремя доказывания на заявителе.", [
            ("burden of proof", "Бремя доказывания"), ("applicant", "заявителе"),
        ]),
        ("fa", "متقاضیان بار اثبات را دارند.", [("applicant", "متقاضیان"), ("burden of proof", "بار اثبات")]),
        ("ar", "وعبء الإثبات ثقيل.", [("burden of proof", "وعبء الإثبات")]),
        ("ar", "يقع عبء الإثبات عليه.", [("burden of proof", "عبء الإثبات")]),
        ("zh-Hans", "申请人负有举证责任。", [("applicant", "申请人"), ("burden of proof", "举证责任")]),
        ("en", "An application for a job in the proof room.", []),
    ],
)  # fmt: skip
def test_terms_in_a_text(glossary: Glossary, lang: str, text: str, found: list[tuple[str, str]]) -> None:
    assert terms(glossary, text, lang) == found


def test_of_those_that_overlap_the_longest(tmp_path: Path) -> None:
    path = tmp_path / "glossary.yaml"
    path.write_text("terms:\n  a: {en: asylum, note: x}\n  b: {en: asylum claim; claim}\n", "utf-8")
    glossary = read_glossary(path, LANGS)
    assert terms(glossary, "An asylum claim; asylum.", "en") == [("b", "asylum claim"), ("a", "asylum")]
    assert glossary.terms[0].note == "x"


def test_without_a_file_it_is_empty(tmp_path: Path) -> None:
    assert read_glossary(tmp_path / "glossary.yaml", LANGS) == Glossary()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("terms:\n  a: {en: [x", "glossary.yaml:2"),
        ("- a", "the glossary is no table"),
        ("words: {}", "'words' is no table"),
        ("terms: [a]", "terms is no table"),
        ("terms:\n  a: b", "'a' is no table"),
        ("terms:\n  a: {xx: b}", "'a' has 'xx', which is no language of this site. Use en"),
        ("terms:\n  a: {en: [b]}", "en of 'a' is not text"),
        ("style: {en: x}", "style of en is no list"),
        ("style: {xx: [x]}", "style has 'xx'"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str | bytes, what: str) -> None:
    path = tmp_path / "glossary.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(GlossaryError, match=what) as caught:
        read_glossary(path, LANGS)
    assert str(caught.value).startswith("glossary.yaml")
