"""`./blog language`: what a new language needs, in the order to do it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from translators.catalogues import find_plural
from translators.edition import list_gaps, read_tag
from translators.errors import DeskError

from tests.translators.sites import Site, run_command

SETTINGS = """
TRANSLATORS_TABLES = ["terms.yaml", "missing.yaml"]
MULTILINGUAL_LANGUAGES = {
    "en": {"EXIT_URL": "https://example.org/"},
    "ar": {"EXIT_URL": "https://example.org/", "SITESUBTITLE": "x", "cldr": "ar"},
    "fa": {"EXIT_URL": "https://example.org/", "SITESUBTITLE": "x"},
}
"""
PO = """# The texts.
msgid ""
msgstr ""
"Language: {0}\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Say \\"so\\""
msgstr "{1}"

#, python-format
msgctxt "list"
msgid "%(num)s language"
msgid_plural "%(num)s languages"
msgstr[0] "{1}"
msgstr[1] "{1}"
"""
TERMS = """topics:
  evidence:
    name:
      en: Evidence
      ar: الأدلة
      fa: مدارک
    slug:
      fa: مدرک
  asylum:
    name: {en: Asylum, ar: اللجوء, fa: پناهندگی, tr: Sığınma}
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path, SETTINGS)
    messages = tmp_path / "theme" / "messages"
    messages.mkdir(parents=True)
    (messages / "en.po").write_text(PO.format("en", "x"), "utf-8")
    (messages / "fa.po").write_text(PO.format("fa", "").replace('msgctxt "list"\n', ""), "utf-8")
    (made.content / "terms.yaml").write_text(TERMS, "utf-8")
    made.write("en")
    made.write("en", "safety", kind="pages")
    return made


def call(site: Site, *arguments: str) -> int:
    return run_command(site.root, "language", *arguments)


def test_everything_is_in_one_list_in_order(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    settings = site.root / "pelicanconf.py"
    end = settings.read_text("utf-8").split("\n").index("}") + 1
    (site.content / "glossary.yaml").write_text("terms: {prison: {en: prison}, court: {en: court}}\n", "utf-8")
    assert call(site, "tr") == 0
    assert capsys.readouterr().out.split("\n") == [
        "wrote theme/messages/tr.po",
        "1. pelicanconf.py: its line. The edition exists from then on, so do all this on a branch",
        f'     pelicanconf.py:{end}: "tr": {{}},',
        "2. theme/messages/tr.po: 3 of 3 texts, 4 words, each into its msgstr",
        "3. content/terms.yaml: 1 names and lines, each as `tr: …` beside the others",
        "     content/terms.yaml:4: topics.evidence.name (Evidence)",
        "4. content/glossary.yaml: 2 of 2 terms and names; write those that your texts need",
        "5. pages: 1 of 1",
        "     ./blog translate safety tr",
        "6. articles: 1 of 1. Any one is a beginning",
        "     ./blog translate flight tr",
        "",
        "Next: 1. Then `./blog translate KEY tr` begins a text, and `./blog serve` shows it; what is not",
        "filled in yet is shown in another language. `./blog language tr` lists what is left.",
        "",
    ]
    # As it is told, no more: the line is enough, and what else belongs into it is asked for afterwards.
    lines = settings.read_text("utf-8").split("\n")
    settings.write_text("\n".join([*lines[: end - 1], '    "tr": {},', *lines[end - 1 :]]), "utf-8")
    (site.content / "glossary.yaml").write_text(
        "terms: {prison: {en: prison, tr: cezaevi}, court: {en: court}}\n", "utf-8"
    )
    assert call(site, "tr") == 0
    told = capsys.readouterr().out.split("\n")
    assert told[:3] == [
        "1. pelicanconf.py: its line, with what other languages state there",
        f'     pelicanconf.py:{end + 1}: EXIT_URL in "tr" (https://example.org/)',
        f'     pelicanconf.py:{end + 1}: SITESUBTITLE in "tr" (x)',
    ]
    assert "4. done: content/glossary.yaml: 1 of 2 terms and names; write those that your texts need" in told
    assert call(site, "en") == 0
    assert "1. done: " in capsys.readouterr().out  # the settings of the whole site are those of its language


def test_a_site_without_catalogues_and_tables_has_a_shorter_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = Site(tmp_path)
    site.write("en")
    assert call(site, "tr") == 0
    told = capsys.readouterr().out.split("\n")
    assert told[0].startswith("1. pelicanconf.py")
    assert told[2:4] == ["2. articles: 1 of 1. Any one is a beginning", "     ./blog translate flight tr"]
    assert not (tmp_path / "theme").exists()


def test_a_catalogue_is_one_and_is_filled_up_where_it_lacks_something(site: Site) -> None:
    path = site.root / "theme" / "messages" / "tr.po"
    call(site, "tr")
    text = path.read_text("utf-8")
    catalogue = read_po(io.StringIO(text), abort_invalid=True)
    assert next(message.id for message in catalogue if message.id) == 'Say "so"'
    assert str(catalogue.locale) == "tr"
    path.write_text(text.replace('msgid "Say \\"so\\""\nmsgstr ""', 'msgid "Say \\"so\\""\nmsgstr "Öyle de"'), "utf-8")
    english = path.with_name("en.po")
    english.write_text(english.read_text("utf-8") + '\nmsgid "New"\nmsgstr ""\n', "utf-8")
    call(site, "tr")
    assert 'msgstr "Öyle de"' in path.read_text("utf-8")
    assert path.read_text("utf-8").endswith('\n\nmsgid "New"\nmsgstr ""\n')
    before = path.read_bytes()
    call(site, "tr")
    assert path.read_bytes() == before


def test_what_is_done_is_said_to_be_done(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (site.root / "theme" / "messages").glob("*.po"):
        path.unlink()
    site.translate("fa")
    site.write("fa", "safety", "Translated_from: en\n", kind="pages")
    site.record("fa")
    assert call(site, "fa") == 0
    out = capsys.readouterr().out
    assert out.startswith("1. done: pelicanconf.py: its line, with what other languages state there\n")
    assert out.count("done: ") == 4
    assert out.endswith("fa: everything is there. `./blog check` looks at it.\n")


def test_of_many_articles_the_first_are_named(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(24):
        site.write("en", f"text-{number}")
    call(site, "tr")
    out = capsys.readouterr().out
    assert "\n     and 5 more: ./blog translations --lang tr\n" in out
    assert out.count("./blog translate ") == 1 + 20 + 1


def test_a_language_that_cldr_does_not_know_states_what_it_is(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    call(site, "tlh")
    assert '"tlh": {"name": "…", "direction": "ltr", "cldr": "en"},' in capsys.readouterr().out


@pytest.mark.parametrize("raw", ["klingon", "x", "", "../fa", "zz"])
def test_what_is_no_tag_is_refused(raw: str) -> None:
    with pytest.raises(DeskError, match="it is no language tag"):
        read_tag(raw)


def test_tags_are_written_as_they_should_be() -> None:
    assert [read_tag(raw) for raw in ("TR", "pt_br", "zh-hant")] == ["tr", "pt-BR", "zh-Hant"]


def test_a_catalogue_that_cannot_be_read_is_named(site: Site) -> None:
    (site.root / "theme" / "messages" / "fa.po").write_text('msgid "x\n', "utf-8")
    with pytest.raises(DeskError, match=r"fa\.po: it is no catalogue"):
        call(site, "tr")


def test_a_text_that_few_languages_have_is_no_gap(site: Site) -> None:
    path = site.content / "terms.yaml"
    assert list(list_gaps(path, "tr", ["en", "ar", "fa"])) == ["4: topics.evidence.name (Evidence)"]


@pytest.mark.parametrize(("lang", "count"), [("ar", 6), ("uk", 3), ("zh-Hant", 1), ("tlh", 2)])
def test_plural_forms_are_those_of_the_language(lang: str, count: int) -> None:
    assert find_plural(lang)[1] == count
