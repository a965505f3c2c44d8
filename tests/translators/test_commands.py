"""`./blog translations`, as it is called."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from translators.errors import DeskError

from tests.translators import benchmark
from tests.translators.sites import DAY, Site, run_command

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def call(site: Site, *arguments: str) -> int:
    return run_command(site.root, "translations", *arguments)


def test_the_matrix_tells_what_there_is_to_do(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.write("en")
    site.translate("fa")
    site.record("fa")
    site.translate("ar", header="Status: draft\n")
    site.write("en", header="Corrected: 2026-11-22 x\n")
    assert call(site) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[:5] == [
        ["en", "ar", "fa", "zh-Hans"],
        [".", "missing", "1"],
        ["d", "draft", "1"],
        ["!", "outdated", "1"],
        ["words", "to", "do", "13", "13"],
    ]
    assert lines[7][:5] == ["flight", "@", "d", "!", "."]
    assert lines[7][6:] == ["corrected", "2026-11-22"]


def test_a_languages_list_tells_what_to_do(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.write("en")
    site.translate("fa")
    site.record("fa")
    site.write("en", body="The first paragraph.\n\nA new one.\n")
    site.write("en", "arrest")
    site.translate("ar", key="arrest")
    site.write("en", "trial")
    site.translate("fa", key="trial", header="Status: draft\n")
    assert call(site, "--lang", "FA") == 0
    out = capsys.readouterr().out
    assert "flight: outdated, 3 words in en" in out
    assert "    en: 1 changed, 2 removed" in out
    assert "./blog diff flight fa" in out
    assert "arrest: missing, 13 words in en" in out
    assert "    ./blog translate arrest fa  (or, if you read that better, --from ar)\n" in out
    assert "    ./blog translate trial fa --done  (when content/articles/fa/trial.md is filled in)\n" in out
    assert out.endswith("\nfa: 1 missing, 1 draft, 1 outdated; 29 words to do.\n")


def test_a_program_is_told_everything(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.write("en")
    site.translate("fa")
    site.record("fa", day=DAY)
    assert call(site, "--json", "--lang", "fa") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["languages"] == [{"lang": "fa", "name": "فارسی", "counts": {"current": 1}, "words": 0}]
    assert told["problems"] == []
    (text,) = told["texts"]
    age = (datetime.now(UTC).date() - DAY).days
    assert text == {
        "kind": "article",
        "key": "flight",
        "source": "en",
        "title": "Flight",
        "translations": {
            "fa": {
                "state": "current",
                "from": "en",
                "words": 0,
                "age": max(age, 0),
                "changes": {},
                "upstream": False,
                "notes": [],
                "claim": None,
            }
        },
    }
    readme = (ROOT / "plugins" / "translators" / "README.md").read_text("utf-8")
    for name in {*told, *told["languages"][0], *text, *text["translations"]["fa"], "by", "day"}:
        assert f"`{name}`" in readme, name


def test_recording_says_what_it_did(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.write("en")
    site.translate("fa")
    assert call(site, "--record") == 0
    assert capsys.readouterr().out == "recorded: flight in fa, from en\nRecorded 1 translation.\n"
    assert call(site, "--record") == 0
    assert capsys.readouterr().out == "Nothing to record.\n"
    assert call(site, "--lang", "fa") == 0
    assert capsys.readouterr().out == "fa: 1 current; 0 words to do.\n"


def test_what_is_broken_is_told_and_fails(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.write("en")
    site.translate("fa")
    (site.content / "articles/en/broken.md").write_bytes(b"Title: \xff\n\nx\n")
    site.path("fa").parent.mkdir(parents=True)
    site.path("fa").write_text("[]")
    assert call(site) == 1
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2
    assert errors[0].startswith("content/articles/en/broken.md:1: the file is not UTF-8")
    assert "flight.json: it is no record" in errors[1]


def test_what_was_asked_wrongly_is_named(site: Site) -> None:
    site.write("en")
    with pytest.raises(DeskError, match=r"--lang xx: not a language of this site\. Use one of en, ar"):
        call(site, "--lang", "xx")
    for arguments, remedy in (
        (["--base", "main"], "--base main: .*Add --record"),
        (["--in", "fa"], "--in fa: .*Add --html"),
        (["--html", "--lang", "fa"], "--lang fa: .*Leave it out"),
    ):
        with pytest.raises(DeskError, match=remedy):
            call(site, *arguments)
    with pytest.raises(SystemExit):
        call(site, "--html", "--json")


def test_an_empty_site(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(site) == 0
    assert "Everything is current." in capsys.readouterr().out


@pytest.mark.alone
def test_a_thousand_texts_in_ten_languages_are_listed_in_two_seconds(site: Site) -> None:
    benchmark.write_publication(site)
    recorded, _ = benchmark.call(site.root, "--record")
    assert recorded.endswith("\nRecorded 5,400 translations.\n")
    told, seconds = benchmark.call(site.root)
    assert told.splitlines()[1].split() == [".", "missing", *["400"] * 9]
    assert seconds < 2 or benchmark.call(site.root)[1] < 2 or benchmark.call(site.root)[1] < 2
