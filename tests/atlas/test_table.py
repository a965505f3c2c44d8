"""What is said of a table that is not right, and in which line."""

from __future__ import annotations

from pathlib import Path

import pytest
from atlas.table import AtlasTable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.atlas.sites import make_site
from tests.multilingual.sites import texts

WHOLE = """\
regions:
  north:
    name: {en: North}
    reports:
      - countries: [NO, se]
        about: {en: Fjords}
"""


def read(folder: Path, text: str | bytes) -> AtlasTable:
    path = folder / "atlas.yaml"
    path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
    return AtlasTable(path, {})


@pytest.mark.parametrize(
    ("table", "line", "what"),
    [
        (WHOLE.replace("se]", "QQ]"), 5, "'QQ' is no country's code"),
        (WHOLE.replace("se]", "Sweden]"), 5, "'Sweden' is no country's code. Did you mean 'SE' (Sweden)?"),
        (WHOLE.replace("se]", "no]"), 5, "NO stands in line 5 already"),
        (WHOLE + "      - {countries: [SE], about: {en: Again}}\n", 7, "SE stands in line 5 already"),
        (WHOLE.replace("name:", "nmae:"), 3, "north: 'nmae' is unknown. Did you mean 'name'?"),
        (WHOLE.replace("    name: {en: North}\n", ""), 3, "north has no name"),
        (WHOLE.replace("{en: North}", "North"), 3, "north.name is not a table"),
        (WHOLE.replace("{en: North}", "{klingon-ish: North}"), 3, "north.name: 'klingon-ish' is no language"),
        (WHOLE.replace("{en: North}", "{en: [North]}"), 3, "north.name: the value for en is not text"),
        (WHOLE.replace("  north:", "  North Sea:"), 3, "'North Sea' cannot be a region's key"),
        (WHOLE.replace("  north:", "  elsewhere:"), 3, "'elsewhere' cannot be a region's key"),
        (WHOLE.replace("[NO, se]", "[]"), 5, "a report of north has no country"),
        (WHOLE.replace("[NO, se]", "[{NO: se}]"), 5, "that is no list of codes"),
        (WHOLE.replace("        about: {en: Fjords}\n", ""), 5, "a report of north has no line"),
        (WHOLE.replace("about", "abuot"), 6, "'abuot' is unknown. Did you mean 'about'?"),
        (WHOLE.replace("    reports:", "    reports: none\n    x:"), 4, "north has no list of reports"),
        (WHOLE + "  north: {}\n", 7, "regions has 'north' twice"),
        (WHOLE + "names: {UK: {en: Britain}}\n", 7, "names: 'UK' is no country's code. Did you mean 'GB'"),
        (WHOLE + "names: [UA]\n", 7, "names is not a table"),
        (WHOLE + "elsewhere: {name: {}}\n", 7, "elsewhere has no name"),
        (WHOLE + "nowhere: {}\n", 7, "the file: 'nowhere' is unknown"),
        ("- a\n", 1, "the file is not a table"),
        ("regions: {\n", 2, ""),
        (b"regions:\n  caf\xe9: {}\n", 0, "the file is not UTF-8"),
    ],
)
def test_each_mistake_is_named_with_its_line(tmp_path: Path, table: str | bytes, line: int, what: str) -> None:
    problems = read(tmp_path, table).problems
    assert any(p.line == line and what in f"{p.what}. {p.remedy}" for p in problems), problems
    assert all(p.remedy for p in problems)


def test_norway_is_no_truth_value(tmp_path: Path) -> None:
    table = read(tmp_path, WHOLE)
    assert table.problems == []
    assert [country.code for country in table.atlas.countries] == ["NO", "SE"]
    assert [country.name("fr") for country in table.atlas.countries] == ["Norvège", "Suède"]


def test_texts_are_composed_and_gaps_are_told(tmp_path: Path) -> None:
    table = read(tmp_path, WHOLE.replace("North", "No\u0308rd"))
    assert table.atlas.regions[0].name("en") == "Nörd"
    assert [gap.what for gap in table.find_gaps(["en", "fa", "tlh"])] == [
        "north has no name in fa, tlh",
        "north: the line about NO, SE is missing in fa, tlh",
        "elsewhere has no name in fa, tlh",
        "neither CLDR nor the table has a name for NO in tlh",
        "neither CLDR nor the table has a name for SE in tlh",
    ]


@given(st.text(alphabet="regionsname:{}[],- \n\"'&*!|>#%@`NOé"))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_breaks_the_reading(tmp_path: Path, text: str) -> None:
    table = read(tmp_path, text)
    assert table.problems or not table.atlas.countries


def test_a_build_stops_at_a_broken_table_and_check_lists_gaps(tmp_path: Path) -> None:
    site = make_site(tmp_path, WHOLE.replace("se]", "QQ]"))
    site.article("en", "one", Countries="NO")
    (problem,) = texts(site.build())
    assert problem.startswith("content/atlas.yaml:5: north: 'QQ' is no country's code. ")
    site.write("atlas.yaml", WHOLE)
    site.build_whole()
    gaps = [str(problem) for problem in site.check().problems if problem.warning and "atlas.yaml" in problem.file]
    assert "content/atlas.yaml: north has no name in fa, zh-Hans. Add it." in gaps


def test_a_missing_table_is_an_error(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    (site.content / "atlas.yaml").unlink()
    assert texts(site.build()) == [
        "content/atlas.yaml: the table of countries is missing. Write it, or unset ATLAS_FILE."
    ]
