"""Building as a whole or not at all, and bringing the output up to date."""

import os
from pathlib import Path

import pytest
from multilingual.build import replace_tree
from multilingual.errors import ConfigurationError

from tests.multilingual.sites import Site, texts


def fill(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


@pytest.fixture
def published(site: Site) -> Site:
    """A site of two articles in two languages that has been built, long ago."""
    site.article("en", "one", "See [that]({filename}two.md).")
    site.translation("fa", "one", "en", "ببینید [that]({filename}../en/two.md).")
    site.article("en", "two")
    site.translation("fa", "two", "en")
    site.build_whole()
    for path in site.output.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    return site


def test_what_has_not_changed_keeps_its_time(published: Site) -> None:
    before = published.snapshot()
    result = published.build_whole()
    assert result.changed == 0
    assert published.snapshot() == before


def test_only_what_has_changed_is_replaced(published: Site) -> None:
    before = published.snapshot()
    published.translation("fa", "two", "en", "Changed.")
    result = published.build_whole()
    after = published.snapshot()
    changed = {name for name in after if after[name] != before.get(name)}
    assert (
        {"fa/two/index.html", "fa/feed.atom"}
        <= changed
        <= {"fa/two/index.html", "fa/feed.atom", "fa/index.html", "sitemap.xml"}
    )
    assert result.changed == len(changed)


def test_a_reader_of_the_old_page_keeps_it(published: Site) -> None:
    page = published.output / "fa/two/index.html"
    with page.open(encoding="utf-8") as reader:
        published.translation("fa", "two", "en", "Changed.")
        published.build_whole()
        assert "Changed." not in reader.read()  # replaced, not written over
    assert "Changed." in page.read_text("utf-8")


def test_what_has_vanished_is_removed(published: Site) -> None:
    (published.output / "fa" / "old").mkdir()
    (published.output / "fa" / "old" / "index.html").write_text("left over", "utf-8")
    for lang in ("en", "fa"):
        (published.content / "articles" / lang / "two.md").unlink()
        (published.content / "articles" / lang / "one.md").write_text(
            (published.content / "articles" / lang / "one.md").read_text("utf-8").replace("{filename}", "x"), "utf-8"
        )
    published.build_whole()
    for url in ("fa/old", "fa/two", "en/two", "k/two"):
        assert not (published.output / url).exists()
    assert published.has("fa/one/")


def test_what_the_settings_retain_is_kept(published: Site) -> None:
    published.settings(OUTPUT_RETENTION=[".git", "CNAME"])
    fill(published.output, CNAME="site.example", **{".git__HEAD": "ref"})
    published.build_whole()
    assert (published.output / "CNAME").is_file()
    assert (published.output / ".git" / "HEAD").is_file()


def test_a_file_takes_the_place_of_a_folder_and_the_other_way_round(tmp_path: Path) -> None:
    old = fill(tmp_path / "old", a__b="1", c="2", same="3", gone__deep__er="4")
    new = fill(tmp_path / "new", a="5", c__d="6", same="3")
    assert replace_tree(new, old) == 3
    assert {path.relative_to(old).as_posix() for path in old.rglob("*")} == {"a", "c", "c/d", "same"}
    assert (old / "a").read_text() == "5"


def test_a_link_in_the_output_is_replaced_and_its_target_left(tmp_path: Path) -> None:
    elsewhere = fill(tmp_path / "elsewhere", precious="keep")
    old = fill(tmp_path / "old", b="1")
    (old / "a").symlink_to(elsewhere)
    (old / "c").symlink_to(elsewhere / "precious")
    replace_tree(fill(tmp_path / "new", a__precious="new", b="1"), old)
    assert (elsewhere / "precious").read_text() == "keep"
    assert (old / "a" / "precious").read_text() == "new"
    assert not (old / "c").exists()


# Folders that are somebody else's


@pytest.mark.parametrize("folder", ["", ".", "..", "content", "content/articles", "content/deep/er"])
def test_the_site_s_own_folders_are_refused(site: Site, folder: str) -> None:
    site.article("en", "one")
    with pytest.raises(ConfigurationError, match="choose an empty folder"):
        site.build(output=site.folder / folder)
    assert (site.content / "articles" / "en" / "one.md").is_file()


def test_a_folder_with_other_things_is_refused(site: Site, tmp_path: Path) -> None:
    site.article("en", "one")
    foreign = fill(tmp_path / "foreign", **{"thesis.txt": "years of work"})
    with pytest.raises(ConfigurationError, match="choose an empty folder"):
        site.build(output=foreign)
    assert [path.name for path in foreign.iterdir()] == ["thesis.txt"]
    with pytest.raises(ConfigurationError, match="choose an empty folder"):
        site.build(output=foreign / "thesis.txt")


def test_another_site_s_folder_is_refused(site: Site, tmp_path: Path) -> None:
    site.article("en", "one")
    foreign = fill(tmp_path / "foreign", **{"index.html": "another site", "cv.html": "mine"})
    with pytest.raises(ConfigurationError, match="choose an empty folder"):
        site.build(output=foreign)
    assert (foreign / "cv.html").read_text() == "mine"


def test_an_empty_folder_and_a_new_one_are_taken(site: Site, tmp_path: Path) -> None:
    site.article("en", "one")
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "new" / "deep"):
        assert not site.build(output=folder).errors
        assert (folder / "en" / "one" / "index.html").is_file()
        assert not site.build(output=folder).errors


def test_what_pelican_itself_has_built_is_taken_over(site: Site) -> None:
    site.article("en", "one")
    assert site.run_pelican().returncode == 0
    before = {name: raw for name, (raw, _) in site.snapshot().items()}
    result = site.build_whole()
    assert {name: raw for name, (raw, _) in site.snapshot().items() if name in before} == before
    assert result.changed <= 1


def test_what_an_interrupted_build_left_is_cleared_away(site: Site) -> None:
    site.article("en", "one")
    left = fill(site.folder / ".output.999999999.building", x="1")
    running = fill(site.folder / f".output.{os.getppid()}.building", x="1")
    site.build_whole()
    assert not left.exists()
    assert running.exists()
    assert not (site.folder / f".output.{os.getpid()}.building").exists()


# Without what is broken


def test_broken_translations_are_left_out_named_and_links_lead_to_the_source(published: Site) -> None:
    published.translation("fa", "two", "en", Slug="../x")
    published.write("articles/zh-Hans/one.md", "---\nTitle: x\n")
    assert len(published.build().errors) == 2
    done = published.run("build", "--without-broken")
    assert done.returncode == 3
    assert "content/articles/fa/two.md:3: the slug '../x' has other characters" in done.stderr
    assert "content/articles/zh-Hans/one.md:1: the header has no end" in done.stderr
    assert done.stdout.splitlines()[:2] == [
        "left out: content/articles/fa/two.md", "left out: content/articles/zh-Hans/one.md",
    ]  # fmt: skip
    assert done.stdout.splitlines()[2].startswith("Built ")
    assert not published.has("fa/two/")
    assert published.has("en/two/")
    (link,) = [a for a in published.html("fa/one/").xpath("//a") if a.text_content() == "that"]
    assert (link.get("href"), link.get("hreflang")) == ("../../en/two/", "en")
    assert "fa/two" not in published.text("sitemap.xml")
    assert "fa/two" not in published.text("en/two/")
    assert not [path for path in published.folder.rglob("x") if path.is_dir()]


def test_a_broken_source_stops_the_build_all_the_same(published: Site) -> None:
    before = published.snapshot()
    published.article("en", "two", Date="soon")
    done = published.run("build", "--without-broken")
    assert done.returncode == 1
    assert published.snapshot() == before


def test_a_problem_of_settings_or_tables_stops_the_build_all_the_same(published: Site) -> None:
    published.settings(MULTILINGUAL_REDIRECTS="redirects.txt")
    published.write("redirects.txt", "nonsense\n")
    result = published.build(without_broken=True)
    assert len(result.errors) == 1
    assert result.left_out == []


def test_a_dead_link_in_a_translation_leaves_it_out(published: Site) -> None:
    published.translation("fa", "one", "en", "[x]({filename}nowhere.md)")
    result = published.build(without_broken=True)
    assert texts(result) == []
    assert [problem.file for problem in result.left_out] == ["content/articles/fa/one.md"]
    assert not published.has("fa/one/")
    assert published.has("en/one/")


def test_without_anything_broken_the_exit_is_0(published: Site) -> None:
    done = published.run("build", "--without-broken")
    assert (done.returncode, done.stderr) == (0, "")


# The command


def test_the_command_says_what_it_did_in_one_line(published: Site) -> None:
    done = published.run("build")
    assert done.returncode == 0
    assert done.stderr == ""
    (line,) = done.stdout.splitlines()
    assert line.startswith("Built ")
    assert "3 languages, 0 files changed" in line


def test_the_command_builds_elsewhere_and_for_publishing(published: Site) -> None:
    published.article("en", "plan", Status="draft")
    (published.folder / "publishconf.py").write_text(
        "import sys\nfrom pathlib import Path\nsys.path.insert(0, str(Path(__file__).parent))\n"
        "from pelicanconf import *\nMULTILINGUAL_DRAFTS = False\n",
        "utf-8",
    )
    assert published.run("build", "--output", "elsewhere").returncode == 0
    assert (published.folder / "elsewhere/en/drafts/plan/index.html").is_file()
    assert published.run("build", "--output", "elsewhere", "--production").returncode == 0
    assert not (published.folder / "elsewhere/en/drafts").exists()
    assert not published.has("en/drafts/plan/")


def test_progress_is_told(site: Site) -> None:
    site.article("en", "one")
    told: list[tuple[str, int, int]] = []
    result = site.build_whole(progress=lambda what, done, total: told.append((what, done, total)))
    written = [(done, total) for what, done, total in told if what == "Writing"]
    assert [done for done, _ in written] == list(range(1, len(written) + 1))
    assert {total for _, total in written} == {result.pages}
    assert ("Reading", 1, 0) in told


def test_a_build_leaves_no_state_to_the_next(site: Site) -> None:
    site.article("en", "one")
    site.build_whole()
    site.article("en", "bad", Date="soon")
    assert site.build().errors
    (site.content / "articles/en/bad.md").unlink()
    site.article("en", "two")
    site.build_whole()
    assert site.has("en/two/")
    assert not site.has("en/bad/")
