"""`./blog language`: what a new language needs, in the order to do it."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from multilingual.commands import read_content
from translators.catalogues import find_plural
from translators.commands import add_commands
from translators.edition import list_gaps, read_tag
from translators.errors import DeskError

from tests.translators.sites import Site

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
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers(), site.root)
    parser.set_defaults(read_content=[read_content])
    args = parser.parse_args(["language", *arguments])
    return int(args.run(args))


def test_everything_is_in_one_list_in_order(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    settings = (site.root / "pelicanconf.py").read_text("utf-8").split("\n")
    assert call(site, "tr") == 0
    assert capsys.readouterr().out.split("\n") == [
        "wrote theme/messages/tr.po",
        "1. the language's line in the settings: its edition exists from then on, so do all this on a branch",
        f'     pelicanconf.py:{settings.index("}") + 1}: "tr": {{"EXIT_URL": "…", "SITESUBTITLE": "…"}},',
        "2. theme/messages/tr.po: 3 of 3 texts, 4 words",
        '     theme/messages/tr.po: Say "so"',
        "     theme/messages/tr.po: %(num)s language",
        "     theme/messages/tr.po: %(num)s language",
        "3. names and lines in content/terms.yaml",
        "     content/terms.yaml:4: topics.evidence.name (Evidence)",
        "4. done: names and lines in content/missing.yaml",
        "5. pages",
        "     ./blog translate safety tr",
        "6. articles: any one is a beginning",
        "     ./blog translate flight tr",
        "",
    ]


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
    assert "1. done: the language's line in the settings\n" in out
    assert out.count("done: ") == 6
    assert out.endswith("fa: everything is there. `./blog check` looks at it.\n")


def test_all_places_are_shown_on_request(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(9):
        site.write("en", f"text-{number}")
    call(site, "tr")
    assert "     and 7 more (--all)" in capsys.readouterr().out
    call(site, "tr", "--all")
    assert "     ./blog translate text-8 tr" in capsys.readouterr().out


def test_a_language_that_cldr_does_not_know_states_what_it_is(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    call(site, "tlh")
    assert '"tlh": {"name": "…", "direction": "ltr", "cldr": "en", "EXIT_URL": "…"' in capsys.readouterr().out


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
