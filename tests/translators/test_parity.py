"""What is said about translations: next to nothing of good ones, and what was done to bad ones."""

from __future__ import annotations

import random
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from multilingual.commands import read_content
from translators.glossary import Glossary, open_glossary, read_glossary
from translators.parity import Finding, find_leftovers, review
from translators.settings import read_configuration
from translators.states import Survey

from tests.translators.sites import Site

ROOT = Path(__file__).resolve().parents[2]
#: What is said of our own translations, all of it true.
TRUE = {
    # The translation adds when the source came out in Russian.
    ("content/articles/ru/how-to-document-persecution.md", "with 2023, which the source does not have"),
}


def take_survey(root: Path) -> tuple[Survey, Glossary]:
    inventory = read_content(root)
    configuration = read_configuration(inventory.settings)
    survey = Survey(inventory, configuration)
    return survey, open_glossary(survey, configuration)


def test_of_our_own_translations_nothing_is_said_that_is_not_true() -> None:
    survey, glossary = take_survey(ROOT)
    found = {(one.file, one.what) for one in review(survey, glossary)}
    assert found <= TRUE


def test_our_own_texts_have_nothing_left_of_a_scaffold() -> None:
    survey, _ = take_survey(ROOT)
    assert [one for text in survey.inventory.texts for one in find_leftovers(text)] == []


# What was done to a translation is found


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some of our articles, in languages that share no script."""
    root = tmp_path_factory.mktemp("ours")
    for lang in ("en", "fr", "uk", "fa", "zh-Hans"):
        (root / "content" / "articles" / lang).mkdir(parents=True)
        shutil.copy(ROOT / "content" / "articles" / lang / "leaving-russia.md", root / "content" / "articles" / lang)
    shutil.copy(ROOT / "content" / "glossary.yaml", root / "content")
    languages = '{"en": {}, "ru": {}, "uk": {}, "es": {}, "fr": {}, "ar": {}, "fa": {}, "zh-Hans": {}}'
    (root / "pelicanconf.py").write_text(
        f'PATH = "content"\nDEFAULT_LANG = "en"\nMULTILINGUAL_LANGUAGES = {languages}\nARTICLE_PATHS = ["articles"]\n'
        'MARKDOWN = {"extension_configs": {"markdown.extensions.extra": {}}, "output_format": "html5"}\n',
        "utf-8",
    )
    return root


Change = Callable[[list[str], random.Random, list[str]], int]


def other_year(lines: list[str], chance: random.Random, _: list[str]) -> int:
    """A year of the text becomes another one."""
    years = r"(?<![\d/])[2۲][0۰][12۱۲][\d](?![\d/])"
    place = chance.choice([n for n, line in enumerate(lines) if re.search(years, line) and "http" not in line])
    found = chance.choice(list(re.finditer(years, lines[place])))
    wrong = "۱۹۸۷" if found[0] > "9" else "1987"
    lines[place] = lines[place][: found.start()] + wrong + lines[place][found.end() :]
    return place


def lost_link(lines: list[str], chance: random.Random, _: list[str]) -> int:
    """Words that led somewhere lead nowhere."""
    place = chance.choice([n for n, line in enumerate(lines) if "<http" in line])
    lines[place] = re.sub(r"<http[^>]*>", "", lines[place], count=1)
    return place


def lost_note(lines: list[str], chance: random.Random, _: list[str]) -> int:
    """A call of a footnote is lost."""
    place = chance.choice([n for n, line in enumerate(lines) if "[^" in line and not line.startswith("[^")])
    lines[place] = re.sub(r"\[\^[^\]]*\]", "", lines[place], count=1)
    return place


def lost_paragraph(lines: list[str], chance: random.Random, _: list[str]) -> int:
    """A paragraph, or a heading, is lost."""
    start = lines.index("")
    place = chance.choice([n for n, line in enumerate(lines) if n > start and line and line[0] not in "[-1"])
    del lines[place : place + 2]
    return place


def other_heading(lines: list[str], chance: random.Random, _: list[str]) -> int:
    """A heading is one of a lower level."""
    place = chance.choice([n for n, line in enumerate(lines) if line.startswith("## ")])
    lines[place] = "#" + lines[place]
    return place


def untranslated(lines: list[str], chance: random.Random, source: list[str]) -> int:
    """A paragraph is as it was in the source."""
    start = lines.index("")
    place = chance.choice([n for n, line in enumerate(lines) if n > start and len(line) > 200 and line[0] not in "[-1"])
    lines[place] = source[place - start + source.index("")].replace("the", "tho")  # not the same, but English
    return place


CHANGES = (other_year, lost_link, lost_note, lost_paragraph, other_heading, untranslated)


LANGS = ("fr", "uk", "fa", "zh-Hans")


def spoil(root: Path, change: Change, chance: random.Random) -> tuple[dict[str, int], list[Finding]]:
    """Do something to every translation, see what is said, and undo it; with it, the line of each."""
    places = {}
    paths = {lang: root / "content" / "articles" / lang / "leaving-russia.md" for lang in ("en", *LANGS)}
    texts = {lang: path.read_text("utf-8") for lang, path in paths.items()}
    try:
        for lang in LANGS:
            lines = texts[lang].split("\n")
            places[lang] = 1 + change(lines, chance, texts["en"].split("\n"))
            paths[lang].write_text("\n".join(lines), "utf-8")
        survey, _ = take_survey(root)
        return places, list(review(survey, Glossary()))
    finally:
        for lang, path in paths.items():
            path.write_text(texts[lang], "utf-8")


def test_nearly_all_that_was_done_to_a_translation_is_found_where_it_was_done(ours: Path) -> None:
    chance = random.Random(7)  # noqa: S311 - the same in every run
    found, placed = Counter[str](), Counter[str]()
    for change in CHANGES:
        places, findings = spoil(ours, change, chance)
        for lang, place in places.items():
            said = [one for one in findings if f"/{lang}/" in one.file]
            found[change.__name__] += bool(said)
            placed[change.__name__] += any(abs(one.line - place) <= 4 for one in said)
    assert found == dict.fromkeys((change.__name__ for change in CHANGES), len(LANGS)), found
    assert placed.total() >= 20, placed


# Particular cases, in a small site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def say(site: Site, glossary: Glossary | None = None) -> list[str]:
    return [f"{one.line}: {one.what}" for one in review(site.survey(), glossary or Glossary())]


ENGLISH = "This is a paragraph which nobody has translated yet, although somebody should do so soon.\n"


def test_a_quotation_that_says_its_language_may_stay(site: Site) -> None:
    site.write("en", body=ENGLISH)
    site.translate("fa", body=f'<blockquote lang="en" dir="ltr" markdown="1">\n\n{ENGLISH}\n</blockquote>\n')
    assert [one for one in say(site) if "seems to be in" in one] == []
    site.translate("fa", body=ENGLISH)
    assert "5: the paragraph “This is a paragraph which nobody has tr…” seems to be in en" in say(site)


def test_names_alone_are_in_no_language(site: Site) -> None:
    site.write("en", body="Human Rights Watch, Amnesty International\n")
    site.translate("fa", body="Human Rights Watch, Amnesty International (HRW)\n")
    assert say(site) == []


def test_what_differs_rightly_is_not_looked_at(site: Site) -> None:
    site.write("en", body="One of 2024.\n\nTwo of 2025.\n")
    site.translate("fa", body="یک ۲۰۲۴.\n")
    assert len(say(site)) == 1
    site.record("fa")
    site.write("en", body="One of 2026.\n")
    assert say(site) == [], "outdated"
    site.translate("fa", header="Status: draft\n", body="یک ۲۰۱۴.\n")
    assert say(site) == [], "a draft"


def test_a_translation_is_looked_at_beside_what_it_was_made_from(site: Site) -> None:
    site.write("en", body="One of 2024.\n")
    site.translate("ar", body="واحد من 2023.\n")
    site.translate("fa", source="ar", body="یکی از ۲۰۲۳.\n")
    assert say(site) == ["5: without the number 2024", "5: with 2023, which the source does not have"]


def test_a_term_that_is_never_rendered_as_agreed_is_told(site: Site) -> None:
    path = site.content / "glossary.yaml"
    path.write_text("terms:\n  prison:\n    en: prison\n    fa: زندان\n", "utf-8")
    glossary = read_glossary(path, ["en", "fa"])
    site.write("en", body="The prison.\n\n" * 5)
    site.translate("fa", body="محبس.\n\n" * 5)
    assert say(site, glossary) == ["0: content/articles/en/flight.md says “prison” 5 times, this never “زندان”"]
    site.translate("fa", body="محبس.\n\n" * 4 + "زندان‌ها.\n")
    assert say(site, glossary) == []


@pytest.mark.parametrize("header", ["", "Status: hidden\n", "Status: published\n"])
def test_what_is_left_of_a_scaffold_is_a_mistake(site: Site, header: str) -> None:
    site.write("en")
    site.translate("fa", header=header, body="<!-- translate: One. -->\n\nیک.\n\n⟨…⟩\n")
    found = [one for text in site.survey().inventory.texts for one in find_leftovers(text)]
    assert [(one.file, one.what, one.is_mistake) for one in found] == [
        (
            "content/articles/fa/flight.md",
            "a quotation of the source, and 1 more of its kind, in a text that is no draft",
            True,
        )
    ]
    site.translate("fa", header="Status: draft\n", body="⟨…⟩\n")
    assert [one for text in site.survey().inventory.texts for one in find_leftovers(text)] == []
