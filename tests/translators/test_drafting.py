"""`./blog translate`, `diff` and `accept`, as they are called."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from translators.errors import ClaimedError, ConfigurationError, DeskError
from translators.records import read_record
from translators.states import age

from tests.translators.sites import Site, call

TODAY = datetime.now(UTC).date().isoformat()
GLOSSARY = """terms:
  prison:
    en: prison
    fa: زندان
    note: not of custody
style:
  fa: ["«…» and a half-space, digits ۰۱۲۳"]
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path)
    made.write("en", header="Summary: A summary of it.\n", body="The prison of 2024.\n\n- An item.\n- Another.\n")
    (made.content / "glossary.yaml").write_text(GLOSSARY, "utf-8")
    return made


def fill_in(path: Path) -> None:
    """Translate every place, as somebody in a hurry does."""
    text = path.read_text("utf-8").replace("⟨…⟩", "متن")
    path.write_text(re.sub(r"TRANSLATE: .*", "گریز", text), "utf-8")


def test_a_translation_is_begun_finished_and_current(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(site, "translate", "flight", "fa", "--by", " A   Swallow ") == 0
    assert "content/articles/fa/flight.md: write over ⟨…⟩" in capsys.readouterr().out
    path = site.content / "articles" / "fa" / "flight.md"
    text = path.read_text("utf-8")
    assert text.startswith(
        "Title: TRANSLATE: Flight\nSlug:\nSummary: TRANSLATE: A summary of it.\nTranslated_from: en\n"
    )
    assert f"Translated: {TODAY}\nTranslator: A Swallow\nStatus: draft\n\n" in text
    assert "--done` takes them out.\n    fa: «…» and a half-space, digits ۰۱۲۳\n-->\n\n" in text
    assert "<!-- translate: The prison of 2024.\n    prison = زندان  (not of custody)\n-->\n\n⟨…⟩\n\n" in text
    one = site.find("fa")
    assert (one.state, one.claim and one.claim.by) == ("draft", "A Swallow")
    assert one.record.basis
    with pytest.raises(DeskError, match=r"not yet translated: line 1 \(the field Title .* and 2 more"):
        call(site, "translate", "flight", "fa", "--done")
    fill_in(path)
    assert call(site, "translate", "flight", "fa", "--done") == 0
    header, _, body = path.read_text("utf-8").partition("\n\n")
    assert body == "متن\n\n- متن\n- متن\n"
    assert "Status" not in header
    one = site.find("fa")
    assert (one.state, one.claim) == ("current", None)


def test_what_changed_while_one_translated_is_not_forgotten(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    call(site, "translate", "flight", "fa")
    site.write("en", body="The prison of 2025.\n\n- An item.\n- Another.\n")
    fill_in(site.content / "articles" / "fa" / "flight.md")
    call(site, "translate", "flight", "fa", "--done")
    assert capsys.readouterr().out.endswith("Its source has changed meanwhile: ./blog diff flight fa\n")
    assert site.find("fa").state == "outdated"


def test_a_second_claim_is_refused_and_nothing_is_written(site: Site) -> None:
    call(site, "translate", "flight", "fa", "--by", "A Swallow")
    before = {path: path.read_bytes() for path in site.root.rglob("*") if path.is_file()}
    for by in ("A Swift", ""):
        with pytest.raises(ClaimedError, match=r"it was claimed on .* by A Swallow"):
            call(site, "translate", "flight", "fa", "--by", by)
    assert {path: path.read_bytes() for path in site.root.rglob("*") if path.is_file()} == before
    assert call(site, "translate", "flight", "fa", "--by", "A Swallow") == 0
    assert call(site, "translate", "flight", "fa", "--release") == 0
    assert call(site, "translate", "flight", "fa", "--by", "A Swift") == 0
    assert site.find("fa").claim


def test_a_claim_that_is_given_back_leaves_nothing_but_the_text(site: Site) -> None:
    with pytest.raises(DeskError, match="nobody has claimed it"):
        call(site, "translate", "flight", "fa", "--release")
    call(site, "translate", "flight", "fa")
    call(site, "translate", "flight", "fa", "--release")
    assert site.find("fa").state == "draft"
    assert site.path("fa").exists()
    call(site, "translate", "flight", "fa")
    (site.content / "articles" / "fa" / "flight.md").unlink()
    assert age(site.find("fa"), date(2026, 11, 29)) == 28  # since the article came out
    call(site, "translate", "flight", "fa", "--release")
    assert not site.path("fa").exists()  # nothing is there that was made from anything


def test_a_translation_that_is_there_is_claimed_and_not_touched(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    path = site.translate("fa")
    before = path.read_bytes()
    assert call(site, "translate", "flight", "fa", "--by", "A Swallow") == 0
    assert "compare it with content/articles/en/flight.md" in capsys.readouterr().out
    assert call(site, "accept", "flight", "fa") == 0
    with pytest.raises(DeskError, match="so there is nothing to claim"):
        call(site, "translate", "flight", "fa", "--by", "A Swallow")
    site.write("en", body="The prison of 2025.\n")
    capsys.readouterr()
    assert call(site, "translate", "flight", "fa", "--by", "A Swallow") == 0
    assert "./blog diff flight fa" in capsys.readouterr().out
    assert path.read_bytes() == before
    record = read_record(site.path("fa"))
    assert record
    assert record.claim
    assert record.claim.by == "A Swallow"
    assert record.basis


def test_a_chain_is_begun_from_the_translation_that_one_reads(site: Site) -> None:
    site.translate("ar", body="السجن.\n")
    call(site, "translate", "flight", "fa", "--from", "ar")
    text = (site.content / "articles" / "fa" / "flight.md").read_text("utf-8")
    assert "Translated_from: ar\n" in text
    assert "<!-- translate: السجن. -->" in text
    assert "`./blog translate flight fa --done`" in text
    assert site.find("fa").source.lang == "ar"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["flihgt", "fa"], "Did you mean flight"),
        (["flight", "tr"], "Use one of en, ar, fa, zh-Hans. `./blog language tr` starts another"),
        (["flight", "zh"], "Did you mean zh-Hans?"),
        (["meeting", "fa"], "`./blog translations` lists all texts"),
        (["flight", "en"], "it was written in en"),
        (["draft", "fa"], "it is a draft"),
        (["flight", "fa", "--from", "ar"], "there is no finished text of flight in it. Use one of en"),
        (["flight", "fa", "--from", "tr"], "--from tr: not a language of this site"),
        (["flight", "fa", "--done"], "there is no translation yet"),
    ],
)
def test_what_cannot_be_begun_says_why(site: Site, arguments: list[str], told: str) -> None:
    site.write("en", "draft", header="Status: draft\n")
    with pytest.raises(DeskError, match=re.escape(told)):
        call(site, "translate", *arguments)
    assert not (site.content / "articles" / "fa").exists()


def test_a_file_that_cannot_be_read_is_not_written_over(site: Site) -> None:
    path = site.content / "articles" / "fa" / "flight.md"
    path.parent.mkdir()
    path.write_bytes(b"Title: \xff\n\nx\n")
    with pytest.raises(DeskError, match="not UTF-8"):
        call(site, "translate", "flight", "fa")


def test_line_endings_stay(site: Site) -> None:
    call(site, "translate", "flight", "fa")
    path = site.content / "articles" / "fa" / "flight.md"
    fill_in(path)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    call(site, "translate", "flight", "fa", "--done")
    raw = path.read_bytes()
    assert raw.count(b"\r\n") == raw.count(b"\n") > 5
    assert b"translate:" not in raw


def test_changes_stand_beside_the_translation_until_they_are_accepted(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.translate("fa", body="زندان سال ۲۰۲۴.\n\n- یک.\n- دو.\n")
    site.record("fa")
    site.write("en", body="The prison of 2025.\n\n- An item.\n- Another.\n")
    assert call(site, "diff", "flight", "fa") == 0
    out = capsys.readouterr().out
    assert "  en: \u2066The prison of -[2024]+[2025].\u2069\n  fa: \u2067زندان سال ۲۰۲۴.\u2069" in out
    assert "\x1b" not in out
    page = site.root / "var" / "changes.html"
    assert call(site, "diff", "flight", "fa", "--html", str(page)) == 0
    assert "<del>2024</del><ins>2025</ins>" in page.read_text("utf-8")
    assert call(site, "accept", "flight", "fa", "--minor") == 0
    assert site.find("fa").state == "current"
    capsys.readouterr()
    call(site, "diff", "flight", "fa")
    assert "nothing has changed" in capsys.readouterr().out


def test_an_unfinished_translation_is_not_accepted(site: Site) -> None:
    call(site, "translate", "flight", "fa")
    with pytest.raises(DeskError, match="not yet translated"):
        call(site, "accept", "flight", "fa")


def test_commits_need_a_committer_before_anything_is_written(site: Site) -> None:
    with pytest.raises(ConfigurationError, match="TRANSLATORS_COMMITTER"):
        call(site, "translate", "flight", "fa", "--commit")
    assert not (site.content / "articles" / "fa").exists()


def test_a_commit_holds_the_text_and_its_record(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    with (site.root / "pelicanconf.py").open("a") as settings:
        settings.write('TRANSLATORS_COMMITTER = "The desk <desk@example.org>"\n')
    site.git("init", "-q")
    site.commit()
    assert call(site, "translate", "flight", "fa", "--by", "A Swallow", "--commit") == 0
    assert "committed: Begin the translation of flight into fa" in capsys.readouterr().out
    assert site.git("show", "--format=%an %ae %aI %s", "--name-only").split("\n") == [
        f"The desk desk@example.org {TODAY}T00:00:00+00:00 Begin the translation of flight into fa",
        "",
        "content/.translations/fa/flight.json",
        "content/articles/fa/flight.md",
    ]
    assert not site.git("status", "--porcelain")
    path = site.content / "articles" / "fa" / "flight.md"
    fill_in(path)
    call(site, "translate", "flight", "fa", "--done", "--commit")
    site.write("en", body="The prison of 2025.\n")
    path.write_text(path.read_text("utf-8").replace("متن\n", "متن ۲۰۲۵\n", 1), "utf-8")
    call(site, "accept", "flight", "fa", "--commit")  # what was mended, and that it was
    assert site.git("status", "--porcelain") == "M content/articles/en/flight.md"
