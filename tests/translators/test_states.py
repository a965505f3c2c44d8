"""What state a translation is in, and why."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from multilingual.commands import read_content
from multilingual.editing import rename, withdraw
from translators.errors import DeskError
from translators.recording import record, record_all
from translators.records import Record, claim, read_record, record_path, release, write_record
from translators.settings import read_configuration
from translators.states import Survey, age, in_order

from tests.translators.sites import BODY, DAY, Site

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_translation_goes_through_all_states(site: Site) -> None:
    source = site.write("en")
    assert site.find("fa").state == "missing"
    write_record(site.path("fa"), claim(Record(), "Nasrin", DAY, what="flight in fa"))
    assert site.find("fa").state == "claimed"
    site.translate("fa", header="Status: draft\n")
    assert site.find("fa").state == "draft"
    site.translate("fa")
    assert site.find("fa").state == "unrecorded"
    site.record("fa")
    assert (site.find("fa").state, site.find("fa").claim) == ("current", None)
    source.write_text(source.read_text("utf-8").replace("The first", "The very first"), "utf-8")
    found = site.find("fa")
    assert found.state == "outdated"
    assert [(change.op, change.new[0].text) for change in found.changes] == [("changed", "The very first paragraph.")]
    assert (found.words, age(found, date(2026, 12, 2))) == (4, 10)
    site.accept("fa", day=date(2026, 12, 2))
    assert (site.find("fa").state, site.find("fa").day) == ("current", date(2026, 12, 2))


def test_what_is_only_written_differently_leaves_it_current(site: Site) -> None:
    source = site.write("en")
    site.translate("fa")
    site.record("fa")
    source.write_bytes(source.read_bytes().replace(b"\n- ", b"\n* ").replace(b"\n", b"\r\n"))
    assert site.find("fa").state == "current"


def test_all_states_have_words_to_do_but_what_is_current(site: Site) -> None:
    site.write("en")
    site.translate("fa")
    site.translate("ar", header="Status: draft\n")
    site.record("fa")
    words = {lang: site.find(lang).words for lang in ("fa", "ar", "zh-Hans")}
    assert words == {"fa": 0, "ar": 13, "zh-Hans": 13}


def test_a_chain_is_measured_by_the_nearest_source(site: Site) -> None:
    source = site.write("ar")
    english = site.translate("en", "ar")
    site.translate("fa", "en")
    site.record("en", "fa")
    source.write_text(source.read_text("utf-8").replace("2024", "2025"), "utf-8")
    assert (site.find("en").state, site.find("en").upstream) == ("outdated", False)
    assert (site.find("fa").state, site.find("fa").upstream, site.find("fa").source.lang) == ("current", True, "en")
    english.write_text(english.read_text("utf-8").replace("2024", "2025"), "utf-8")
    site.record("en")
    assert (site.find("fa").state, site.find("fa").upstream) == ("outdated", False)
    site.accept("fa")
    assert site.find("fa").state == "current"


def test_a_record_that_names_another_source_says_nothing(site: Site) -> None:
    site.write("en")
    site.translate("ar")
    site.translate("fa")
    site.record("ar", "fa")
    site.translate("fa", "ar")
    assert site.find("fa").state == "unrecorded"


def test_translations_made_from_each_other_end_somewhere(site: Site) -> None:
    site.write("zh-Hans")
    site.translate("en", "fa")
    site.translate("fa", "en")
    site.record("en", "fa")
    assert {site.find(lang).state for lang in ("en", "fa")} == {"current"}


@pytest.mark.parametrize("name", ["Corrected", "Retracted"])
def test_a_correction_reaches_every_translation_at_once(site: Site, name: str) -> None:
    site.write("ar")
    site.translate("en", "ar")
    site.translate("fa", "en")
    site.record("en", "fa")
    site.write("ar", header=f"{name}: 2026-11-22 The number was wrong.\n")
    note = f"{name.lower()} 2026-11-22"
    for lang in ("en", "fa"):  # the day it was recorded is the same, and it came after
        assert (site.find(lang).state, site.find(lang).notes) == ("outdated", (note,))
    with pytest.raises(DeskError, match="not minor"):
        site.accept("fa", minor=True)
    site.accept("fa")
    assert (site.find("fa").state, site.find("en").state) == ("current", "outdated")
    site.translate("en", "ar", header=f"{name}: 2026-11-22 It stands here too.\n")
    assert site.find("en").state == "current"
    site.write("ar", header=f"{name}: 2026-11-22 One.\n{name}: 2026-11-22 Another.\n")
    assert (site.find("fa").notes, site.find("en").notes) == ((note,), (note,))


def test_a_correction_alone_changes_nothing_else(site: Site) -> None:
    site.write("en")
    site.translate("fa")
    site.record("fa")
    site.write("en", header="Corrected: 2026-11-23 x\n")
    assert site.find("fa").changes == ()


def test_a_minor_change_keeps_the_day_and_leaves_nothing_to_claim(site: Site) -> None:
    site.write("en")
    site.translate("fa")
    site.record("fa")
    found = read_record(site.path("fa"))
    assert found
    write_record(site.path("fa"), claim(found, "Nasrin", DAY, what=""))
    site.write("en", body=BODY.replace("first", "frist"))
    assert site.find("fa").state == "outdated"
    site.accept("fa", minor=True, day=date(2026, 12, 24))
    found = read_record(site.path("fa"))
    assert found
    assert found.basis
    assert (site.find("fa").state, found.basis.day, found.claim) == ("current", DAY, None)
    assert b"12-24" not in site.path("fa").read_bytes()


def test_what_cannot_be_recorded_or_accepted_says_why(site: Site) -> None:
    site.write("en")
    for minor in (False, True):
        with pytest.raises(DeskError, match=r"flight in fa: .*\./blog (translate|accept) flight fa"):
            site.accept("fa", minor=minor)
    site.translate("fa")
    with pytest.raises(DeskError, match="not recorded what it was made from"):
        site.accept("fa", minor=True)
    assert not (site.content / ".translations").exists()


def test_drafts_of_source_articles_ask_for_no_translation(site: Site) -> None:
    site.write("en", header="Status: draft\n")
    site.translate("fa")
    (group,) = site.survey().groups
    assert list(group.translations) == ["fa"]


def test_what_was_withdrawn_asks_for_none(site: Site) -> None:
    site.write("en")
    site.translate("fa", header="Withdrawn: 2026-11-22\n")
    assert site.survey().groups == ()


def test_a_text_that_was_renamed_keeps_its_record_and_links_to_it_stay_the_same(site: Site) -> None:
    site.write("en", "old")
    site.write("en", body="See [it]({filename}/articles/en/old.md).\n")
    for key in ("old", "flight"):
        site.translate("fa", key=key)
        site.record("fa", key=key)
    (site.content / "articles/en/old.md").unlink()
    (site.content / "articles/fa/old.md").unlink()
    site.write("en", "new", header="Former_keys: old\n")
    site.translate("fa", key="new")
    site.write("en", body="See [it]({filename}/articles/en/new.md).\n")
    assert {one.key: one.state for group in site.survey().groups for one in [group.translations["fa"]]} == {
        "flight": "current",
        "new": "current",
    }
    site.record("fa", key="new")
    assert not site.path("fa", "old").exists()
    assert site.path("fa", "new").exists()


def test_a_former_key_is_a_key_and_nobody_elses(site: Site) -> None:
    """What somebody proposes cannot reach out of the records' folder, nor take another text's record."""
    site.write("en", "other")
    site.translate("fa", key="other")
    site.record("fa", key="other")
    outside = site.root / "package.json"
    outside.write_text("{}", "utf-8")
    site.write("en", header="Former_keys: ../../../package, other\n")
    site.translate("fa")
    assert site.find("fa").state == "unrecorded"
    site.record("fa")
    assert outside.exists()
    assert (site.find("fa").state, site.find("fa", "other").state) == ("current", "current")


def test_a_record_whose_text_is_gone_is_told(site: Site) -> None:
    source = site.write("en", "old")
    translation = site.translate("fa", key="old")
    site.record("fa", key="old")
    site.write("en", "other")
    assert site.survey().problems == []
    source.unlink()
    translation.unlink()
    (problem,) = site.survey().problems
    assert ".translations/fa/old.json: there is no text 'old' any more" in problem
    assert "`Former_keys: old`" in problem


def test_what_it_was_made_from_is_there_or_nobody_knows_anything(site: Site) -> None:
    site.write("ar")
    english = site.translate("en", "ar")
    site.translate("fa", "EN")
    site.record("en", "fa")
    assert (site.find("fa").state, site.find("fa").source.lang) == ("current", "en")
    english.unlink()
    assert site.find("fa").state == "unrecorded"
    assert list(record_all(site.survey(), DAY)) == [], "nobody has compared it with the Arabic"


def test_records_go_where_their_text_goes(site: Site) -> None:
    """They hold its words: who erases a text erases them."""
    site.write("en", "old", body="Nasrin lives in the old town.\n")
    site.translate("fa", key="old")
    site.record("fa", key="old")
    rename(site.content, "old", "new")
    assert (site.find("fa", "new").state, site.path("fa", "old").exists()) == ("current", False)
    withdraw(site.content, "new", "", DAY, erase=False)
    assert site.path("fa", "new").exists()
    withdraw(site.content, "new", "", DAY, erase=True)
    assert not [path for path in site.root.rglob("*") if path.is_file() and b"Nasrin" in path.read_bytes()]


def test_groups_without_one_source_article_are_problems(site: Site) -> None:
    site.write("en")
    site.write("fa")
    site.translate("ar", key="orphan")
    site.write("en", "both")
    site.write("en", "both", kind="pages")
    survey = site.survey()
    assert [group.key for group in survey.groups] == ["both"]
    assert [problem.partition(": ")[2][:40] for problem in survey.problems] == [
        "the article 'flight' has 2 source articl",
        "the article 'orphan' has no source artic",
        "an article and a page have the key 'both",
    ]


def test_nothing_writes_over_a_broken_record(site: Site) -> None:
    site.write("en")
    site.translate("fa")
    site.path("fa").parent.mkdir(parents=True)
    site.path("fa").write_text("{")
    survey = site.survey()
    assert survey.find("flight", "fa")
    assert len(survey.problems) == 1
    assert list(record_all(survey, DAY)) == []
    assert site.path("fa").read_text() == "{"


def test_what_comes_first(site: Site) -> None:
    site.write("en", "lacking-two", "Date: 2020-01-01\n")
    site.translate("fa", key="lacking-two")
    for key in ("old", "new"):
        site.write("en", key)
        for lang in ("ar", "fa"):
            site.translate(lang, key=key)
    for path in (site.content / "articles/en").glob("old.md"):
        path.write_text(path.read_text("utf-8").replace("2026-11-01", "2024-11-01"), "utf-8")
    site.write("en", "wrong")
    for lang in ("ar", "fa", "zh-Hans"):
        site.translate(lang, key="wrong")
        site.record(lang, key="wrong")
    site.write("en", "wrong", "Corrected: 2026-11-20 x\n")
    site.write("en", "done")
    for lang in ("ar", "fa", "zh-Hans"):
        site.translate(lang, key="done")
        site.record(lang, key="done")
    survey = site.survey()
    assert [group.key for group in in_order(survey.groups)] == ["wrong", "lacking-two", "new", "old"]
    assert [group.key for group in in_order(survey.groups, "zh-Hans")] == ["wrong", "lacking-two", "new", "old"]


def test_recording_by_the_source_at_the_branch_point(site: Site) -> None:
    """Somebody translates on a branch; meanwhile the source changes, in the branch's merge preview as well."""
    site.git("init", "-q", "-b", "main")
    site.write("en")
    site.commit()
    site.git("checkout", "-q", "-b", "persian")
    site.translate("fa")
    site.write("en", "mine")  # not on main at all
    site.translate("fa", key="mine")
    site.write("en", body=BODY.replace("2024", "2025"))
    site.commit()
    survey = site.survey()
    done = {one.key: is_earlier for one, is_earlier in record_all(survey, DAY, "main")}
    assert done == {"flight": True, "mine": False}
    assert (site.find("fa").state, site.find("fa", "mine").state) == ("outdated", "current")
    text = site.path("fa").read_text("utf-8")
    assert not [word for word in ("Canary", "canary", "main", "persian") if word in text]
    assert list(record_all(site.survey(), DAY, "main")) == []


def test_a_base_that_git_does_not_know_is_an_error(site: Site) -> None:
    site.git("init", "-q", "-b", "main")
    site.write("en")
    site.commit()
    site.translate("fa")
    for base in ("nowhere", "--upload-pack=x"):
        with pytest.raises(DeskError, match="Git knows no such commit"):
            list(record_all(site.survey(), DAY, base))
    site.git("checkout", "-q", "--orphan", "other")
    site.commit()
    with pytest.raises(DeskError, match="unshallow"):
        list(record_all(site.survey(), DAY, "main"))
    assert not site.path("fa").exists()


def test_a_source_that_got_another_key_meanwhile_is_found_as_it_was(site: Site) -> None:
    site.git("init", "-q", "-b", "main")
    site.write("en", "old")
    site.commit()
    site.git("checkout", "-q", "-b", "persian")
    site.translate("fa", key="old")
    rename(site.content, "old", "new")
    site.write("en", "new", "Former_keys: old\n", BODY.replace("2024", "2025"))
    site.commit()
    assert [is_earlier for _, is_earlier in record_all(site.survey(), DAY, "main")] == [True]
    assert [change.op for change in site.find("fa", "new").changes] == ["changed"]


def test_a_repository_that_git_refuses_to_read_is_not_taken_for_none(site: Site) -> None:
    site.write("en")
    site.translate("fa")
    (site.root / ".git").mkdir()
    (site.root / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (site.root / ".git" / "config").write_text("[broken\n")
    for folder in ("objects", "refs"):
        (site.root / ".git" / folder).mkdir()
    with pytest.raises(DeskError, match=r"Git says: .*config"):
        list(record_all(site.survey(), DAY, "main"))


def test_without_git_the_file_as_it_is_counts(site: Site) -> None:
    site.write("en")
    site.translate("fa")
    assert [is_earlier for _, is_earlier in record_all(site.survey(), DAY, "main")] == [False]
    assert site.find("fa").state == "current"


def test_the_records_of_this_site_are_as_the_desk_wrote_them() -> None:
    inventory = read_content(ROOT)
    survey = Survey(inventory, read_configuration(inventory.settings))
    assert survey.problems == []
    found = [one.record.basis for group in survey.groups for one in group.translations.values() if one.record.basis]
    assert len(found) > 100
    for basis in found:
        assert basis.blocks()[0].kind == "title"


def test_claims(site: Site) -> None:
    site.write("en")
    site.translate("fa")
    site.record("fa")
    survey = site.survey()
    found = survey.find("flight", "fa")
    assert found
    held = claim(found.record, "Nasrin", DAY, what="flight in fa")
    assert claim(held, "Nasrin", date(2026, 12, 1), what="flight in fa") == held
    assert release(held) == found.record
    path = record_path(site.content, "fa", "flight")
    write_record(path, held)
    assert site.find("fa").state == "current"
    record(site.survey(), site.find("fa"), DAY)
    assert site.find("fa").claim is None
