"""Which language serves whom, what its texts say, and what its translators still have to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.catalogues import Text, find_missing, find_texts, write_catalogues
from mailroom.errors import ConfigurationError
from mailroom.languages import MESSAGES, describe, load_languages

HEADER = """# Notes of the translators.
msgid ""
msgstr ""
"Language: {lang}\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals={plurals};\\n"

"""
RUSSIAN = "3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2)"


def write(folder: Path, lang: str, text: str = "", plurals: str = "2; plural=(n != 1)") -> None:
    (folder / f"{lang}.po").write_text(HEADER.format(lang=lang, plurals=plurals) + text, "utf-8")


def test_languages_are_those_with_a_catalogue() -> None:
    languages = load_languages()
    assert set(languages) == {path.stem for path in MESSAGES.glob("*.po")}
    assert set(languages) >= {"ar", "en", "es", "fa", "fr", "ru", "uk", "zh-Hans"}
    names = {tag: (language.name, language.direction) for tag, language in languages.items()}
    assert names["fa"] == ("فارسی", "rtl")
    assert names["ru"] == ("Русский", "ltr")
    assert names["zh-Hans"] == ("简体中文", "ltr")


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("fa", "fa"), ("zh", "zh-Hans"), ("zh-CN", "zh-Hans"), ("zh_Hans_SG", "zh-Hans"), ("zh-Hant", "en"),
        ("fa-AF", "fa"), ("prs", "fa"), ("arz", "ar"), ("es-MX", "es"), ("EN-gb", "en"),
        ("pt-BR", "en"), ("ckb", "en"), ("", "en"), ("x", "en"), ("<script>", "en"), ("fa\r\nX: y", "en"),
    ],
)  # fmt: skip
def test_the_nearest_language_serves(asked: str, served: str) -> None:
    assert load_languages().find(asked).tag == served


@given(st.text(max_size=40))
def test_whatever_is_asked_for_is_served(asked: str) -> None:
    languages = load_languages(default="ru")
    assert languages.find(asked).tag in languages
    assert languages.default.tag == "ru"


def test_languages_can_be_limited_and_ordered() -> None:
    assert list(load_languages(["fa", "en"])) == ["fa", "en"]
    with pytest.raises(ConfigurationError, match=r"MAILROOM_LANGUAGES = 'tlh'.*messages/tlh\.po"):
        load_languages(["en", "tlh"])
    with pytest.raises(ConfigurationError, match=r"MAILROOM_DEFAULT_LANG = 'de'.*en, fa"):
        load_languages(["en", "fa"], "de")


def test_a_language_without_a_catalogue_is_known_too() -> None:
    assert (describe("ur").direction, describe("ckb").direction, describe("de").name) == ("rtl", "rtl", "Deutsch")
    assert describe("zh-Hant").script == "Hant"


def test_texts_fall_back_to_english(tmp_path: Path) -> None:
    text = 'msgid "Unsubscribe"\nmsgstr "Отписаться"\n\n#, fuzzy\nmsgid "Correction"\nmsgstr "Опечатка"\n'
    counted = "".join(f'msgstr[{n}] "%(num)s {word}"\n' for n, word in enumerate(("письмо", "письма", "писем")))
    write(tmp_path, "ru", f'{text}\nmsgid "%(num)s letter"\nmsgid_plural "%(num)s letters"\n{counted}', RUSSIAN)
    write(tmp_path, "en")
    languages = load_languages(folder=tmp_path)
    russian, english = languages.texts("ru"), languages.texts("en")
    assert russian.gettext("Unsubscribe") == "Отписаться"
    assert russian.gettext("Correction") == "Correction"
    assert [russian.ngettext("%(num)s letter", "%(num)s letters", n) % {"num": n} for n in (1, 2, 5)] == [
        "1 письмо",
        "2 письма",
        "5 писем",
    ]
    assert english.ngettext("%(num)s letter", "%(num)s letters", 2) == "%(num)s letters"
    assert languages.texts("ru") is russian


def test_a_broken_catalogue_is_named(tmp_path: Path) -> None:
    write(tmp_path, "en", 'msgid "Unsubscribe\nmsgstr ""\n')
    with pytest.raises(ConfigurationError, match=r"messages/en\.po"):
        load_languages(folder=tmp_path).texts("en")


def test_what_is_missing_is_found(tmp_path: Path) -> None:
    plain, named, unsure = Text(("Unsubscribe",)), Text(("Hello %(name)s",)), Text(("b",))
    counted = Text(("%(num)s letter", "%(num)s letters"))
    write(tmp_path, "en")
    write(
        tmp_path,
        "fa",
        'msgid "Unsubscribe"\nmsgstr "لغو"\n\nmsgid "Hello %(name)s"\nmsgstr "سلام"\n\n'
        '#, fuzzy\nmsgid "b"\nmsgstr "ب"\n\n'
        'msgid "%(num)s letter"\nmsgid_plural "%(num)s letters"\nmsgstr[0] "یک نامه"\nmsgstr[1] "%(num)s نامه"\n',
    )
    assert find_missing([plain, named, counted, unsure], tmp_path) == {"fa": [named, unsure]}


def test_catalogues_are_brought_up_to_date(tmp_path: Path) -> None:
    texts = [Text(("New %(x)s",)), Text(("one", "many")), Text(("May",), "month"), Text(("Unsubscribe",))]
    seen = '# Seen\n#, fuzzy\nmsgid "Unsubscribe"\nmsgstr "Отписаться"'
    write(tmp_path, "ru", f'{seen}\n\nmsgid "Old"\nmsgstr "x"\n', RUSSIAN)
    write_catalogues(texts, tmp_path)
    header, *entries = (tmp_path / "ru.po").read_text("utf-8").rstrip("\n").split("\n\n")
    assert header == HEADER.format(lang="ru", plurals=RUSSIAN).strip()
    assert entries == [
        '#, python-format\nmsgid "New %(x)s"\nmsgstr ""',
        'msgid "one"\nmsgid_plural "many"\nmsgstr[0] ""\nmsgstr[1] ""\nmsgstr[2] ""',
        'msgctxt "month"\nmsgid "May"\nmsgstr ""',
        seen,
    ]
    before = (tmp_path / "ru.po").read_bytes()
    write_catalogues(texts, tmp_path)
    assert (tmp_path / "ru.po").read_bytes() == before


def test_every_text_is_translated_into_every_language() -> None:
    texts = find_texts()
    assert len(texts) > 15
    missing = {lang: [str(text) for text in lacking] for lang, lacking in find_missing(texts).items()}
    assert not missing
