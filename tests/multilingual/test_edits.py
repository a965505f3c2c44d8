"""What `serve` writes after an edit: everything, or only the pages and feeds of a text below an unchanged header."""

from __future__ import annotations

from pathlib import Path

import pytest
from multilingual.build import BuildResult
from multilingual.serve import Edits

from tests.multilingual.sites import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    site.article("en", "one", "First.", Summary="A summary.")
    site.article("en", "two", "Second.", Summary="Another.")
    site.article("en", "three", "Third, which is its own summary.")
    site.page("en", "about", "About.", Summary="Who.")
    return site


@pytest.fixture
def edits(site: Site) -> Edits:
    """The site has been built once."""
    edits = Edits(site.content)
    save(site, edits, set())
    return edits


def save(site: Site, edits: Edits, files: set[str]) -> tuple[set[str], BuildResult]:
    """Build as `serve` does when these files were saved, and tell what was enough to write."""
    only = edits.begin(files)
    result = site.build(only=only)
    edits.end(whole=not result.errors)
    return set(only), result


def written(site: Site, before: dict[str, tuple[bytes, int]]) -> set[str]:
    return {name for name, (data, _) in site.snapshot().items() if before.get(name, (b"", 0))[0] != data}


def test_an_edited_text_is_written_with_its_feeds_and_nothing_else(site: Site, edits: Edits) -> None:
    before = site.snapshot()
    file = str(site.article("en", "one", "First, edited.", Summary="A summary."))
    only, _ = save(site, edits, {file})
    assert only == {file}
    assert written(site, before) == {"en/one/index.html", "en/feed.atom"}
    assert set(site.snapshot()) == set(before)
    # What was left alone is what a whole build would have made.
    partly = {name: data for name, (data, _) in site.snapshot().items()}
    site.build_whole()
    assert partly == {name: data for name, (data, _) in site.snapshot().items()}


def test_pages_are_texts_too(site: Site, edits: Edits) -> None:
    before = site.snapshot()
    file = str(site.page("en", "about", "About, edited.", Summary="Who."))
    assert save(site, edits, {file})[0] == {file}
    assert written(site, before) == {"en/about/index.html"}


@pytest.mark.parametrize(
    ("key", "fields"),
    [("one", {"Summary": "A new summary."}), ("one", {"Summary": "A summary.", "Title": "New"}), ("four", {})],
)
def test_whatever_other_pages_show_is_written_everywhere(
    site: Site, edits: Edits, key: str, fields: dict[str, str]
) -> None:
    file = str(site.article("en", key, "Edited.", **fields))
    assert save(site, edits, {file})[0] == set()
    whole = {name: data for name, (data, _) in site.snapshot().items()}
    site.build_whole()
    assert whole == {name: data for name, (data, _) in site.snapshot().items()}


def test_a_text_that_is_its_own_summary_is_written_everywhere(site: Site, edits: Edits) -> None:
    file = str(site.article("en", "three", "Edited, and still its own summary."))
    assert save(site, edits, {file})[0] == set()
    assert "Edited, and still" in (site.output / "en" / "index.html").read_text("utf-8")


def test_what_is_no_text_is_written_everywhere(site: Site, edits: Edits) -> None:
    assert save(site, edits, {str(site.write("images/drawing.svg", "<svg/>"))})[0] == set()
    for gone in ("images/drawing.svg", "articles/en/one.md"):
        (site.content / gone).unlink()
        assert save(site, edits, {str(site.content / gone)})[0] == set()
    assert not site.has("en/one/")
    assert not (site.output / "images" / "drawing.svg").exists()


def test_files_of_an_editors_own_are_passed_over(site: Site, edits: Edits) -> None:
    """Many save beside and put in place, keep a copy, or note down what is open."""
    file = str(site.article("en", "one", "First, edited.", Summary="A summary."))
    passing = {f"{file}~", str(site.write("articles/en/.one.md.swp", "x")), str(site.content / "articles/en/4913")}
    site.write("articles/en/one.md~", "x")
    assert save(site, edits, {file} | passing)[0] == {file}


def test_an_edit_that_cannot_be_built_is_written_with_the_one_that_mends_another(site: Site, edits: Edits) -> None:
    broken = str(site.article("en", "one", "[x]({filename}/nowhere.md)", Summary="A summary."))
    assert save(site, edits, {broken})[1].errors
    other = str(site.article("en", "two", "Second, edited.", Summary="Another."))
    assert save(site, edits, {other})[1].errors
    site.article("en", "one", "Mended.", Summary="A summary.")
    only, result = save(site, edits, {broken})
    assert (only, result.errors) == ({broken, other}, [])
    assert "Mended." in (site.output / "en/one/index.html").read_text("utf-8")
    assert "Second, edited." in (site.output / "en/two/index.html").read_text("utf-8")


def test_a_file_that_the_build_names_otherwise_is_written_everywhere(site: Site) -> None:
    """A watch may name it through a link; then nothing is left out."""
    (site.folder / "linked").symlink_to(site.content, target_is_directory=True)
    site.build_whole()
    site.article("en", "one", "First, edited.", Summary="A summary.")
    result = site.build(only={str(site.folder / "linked/articles/en/one.md")})
    assert result.site
    assert not result.site.plan.is_partial
    assert "First, edited." in (site.output / "en/one/index.html").read_text("utf-8")
