"""What is published, as an editor goes through it: what each text must have, and the typography of its language."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from multilingual.headers import Header, decode, split_header

ROOT = Path(__file__).resolve().parents[1]
CONTENT = ROOT / "content"
LANGUAGES = ("en", "ru", "uk", "es", "fr", "ar", "fa", "zh-Hans")
TEXTS = sorted(CONTENT.glob("*/*/*.md"))

#: What a text of the language never contains, outside of code, addresses and passages in another language.
_SLIPS = {
    "en": r"\"|(?<=\w)'(?=\w)",
    "ru": r"\"|(?<=[а-яё]) - ",
    "uk": r"\"|(?<=[а-яіїєґ]) - |[ыэъё]",
    "es": r"\"",
    "fr": r"\"|(?<=\w)'(?=\w)|[^\s\u202f\u00a0:!?»/][;!?»](?=[\s\u202f]|$)|«(?![\u202f\u00a0])",
    "ar": r"[\u0600-\u06ff][,;?]|[یک۰-۹]",
    "fa": r"[\u0600-\u06ff][,;?]|[يك٠-٩]",
    "zh-Hans": r"[\u4e00-\u9fff][,;:!?]|[\u4e00-\u9fff] [\u4e00-\u9fff]",
}
_FOREIGN = re.compile(
    r"<(?P<tag>span|blockquote|cite)\b[^>]*\blang=.*?</(?P=tag)>|<[^>]*>|`[^`]*`|\{[^}]*\}|\(https?:[^)]*\)|https?:\S+|\[\^[^\]]+\]:?",
    re.DOTALL,
)


def name(path: Path) -> str:
    return path.relative_to(CONTENT).as_posix()


def read(path: Path) -> Header:
    return split_header(decode(path.read_bytes()))


def plain(path: Path) -> str:
    """The text as it is read: title, summary and body, without what is in another language."""
    header = read(path)
    parts = [*header.fields.get("title", ()), *header.fields.get("summary", ()), header.body]
    return _FOREIGN.sub(" ", "\n".join(map(str, parts)))


@pytest.mark.parametrize("path", TEXTS, ids=name)
def test_typography_is_that_of_the_language(path: Path) -> None:
    lang = path.parent.name
    found = list(re.finditer(_SLIPS[lang], plain(path), re.MULTILINE))
    assert not [match.string[max(0, match.start() - 20) : match.end() + 10] for match in found]


@pytest.mark.parametrize(
    ("lang", "slip"),
    [
        ("en", 'a "word"'), ("en", "it's"), ("ru", "суд - это"), ("uk", "было"), ("es", '"palabra"'),
        ("fr", "l'asile"), ("fr", "quoi?"), ("fr", "«mot »"), ("ar", "نعم, لا"), ("ar", "یوم"), ("fa", "كتاب"),
        ("fa", "چرا?"), ("zh-Hans", "是,不"), ("zh-Hans", "中 文"),
    ],
)  # fmt: skip
def test_slips_are_found(lang: str, slip: str) -> None:
    assert re.search(_SLIPS[lang], slip)


@pytest.mark.parametrize("path", TEXTS, ids=name)
def test_a_summary_is_there_and_short(path: Path) -> None:
    [summary] = read(path).fields["summary"]
    assert 10 < len(str(summary)) <= 220


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_language_has_articles_and_every_page(lang: str) -> None:
    assert len(list((CONTENT / "articles" / lang).glob("*.md"))) >= 5
    pages = {path.name for path in (CONTENT / "pages" / "en").glob("*.md")}
    assert {path.name for path in (CONTENT / "pages" / lang).glob("*.md")} == pages


def test_a_picture_is_described_in_every_language() -> None:
    """A translation takes the picture from its source, the words about it are its own."""
    pictured = {path.name for path in CONTENT.glob("articles/*/*.md") if "image" in read(path).fields}
    assert pictured
    for path in CONTENT.glob("articles/*/*.md"):
        if path.name in pictured:
            assert {"image_alt", "image_caption"} <= set(read(path).fields), name(path)


def test_notes_and_addresses_of_a_translation_are_its_sources() -> None:
    for path in CONTENT.glob("articles/*/*.md"):
        stated = read(path).fields.get("translated_from")
        if stated:
            source = CONTENT / "articles" / str(stated[0]) / path.name
            assert notes(path) == notes(source), name(path)


def notes(path: Path) -> dict[str, list[str]]:
    """Each footnote's addresses."""
    found = re.findall(r"^\[\^([^\]]+)\]:(.*)", read(path).body, re.MULTILINE)
    return {key: re.findall(r"<(https?://[^>]+)>", text) for key, text in found}


def test_the_glossary_decides_for_languages_of_the_site() -> None:
    glossary: dict[str, Any] = yaml.load((CONTENT / "glossary.yaml").read_text("utf-8"), yaml.BaseLoader)  # noqa: S506
    assert set(glossary) == {"terms", "names", "style"}
    assert set(glossary["style"]) == set(LANGUAGES)
    for entries in (glossary["terms"], glossary["names"]):
        assert len(entries) > 20
        for entry, forms in entries.items():
            assert set(forms) <= set(LANGUAGES), entry
            assert all(forms.values()), entry
