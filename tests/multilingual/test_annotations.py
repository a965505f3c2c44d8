"""`./blog check` as a code host runs it: findings beside their lines."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from multilingual.annotations import annotate, changed_files
from multilingual.errors import ConfigurationError, Problem

from tests.multilingual.sites import Site


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("problem", "line"),
    [
        (Problem("a.md", 3, "x", "Do y"), "::error file=a.md,line=3::x. Do y"),
        (Problem("a.md", 0, "x", "Do y", warning=True), "::warning file=a.md,line=1::x. Do y"),
        (
            Problem("a,b:50%.md", 1, "50 %\n::error::x", "Do\ry"),
            "::error file=a%2Cb%3A50%25.md,line=1::50 %25%0A::error::x. Do%0Dy",
        ),
        (Problem("/fa/one/", 0, "x", "Do y"), "::error::/fa/one/: x. Do y"),
    ],
)  # fmt: skip
def test_a_finding_is_one_line_whatever_stands_in_it(tmp_path: Path, problem: Problem, line: str) -> None:
    for name in ("a.md", "a,b:50%.md"):
        (tmp_path / name).touch()
    assert annotate(problem, tmp_path) == line


def test_check_tells_what_is_wrong_with_what_was_changed(site: Site) -> None:
    site.article("en", "before")
    git(site.folder, "init", "--quiet")
    git(site.folder, "add", "--all")
    git(site.folder, "commit", "--quiet", "--message", "x")
    site.article("en", "سپس".encode().hex()[:6])
    path = site.article("fa", "before", Translated_from="en")
    git(site.folder, "add", "--all")
    done = site.run("check", "--annotate", "--since", "HEAD")
    assert done.returncode == 0
    found = done.stdout.splitlines()
    assert found[0] == "::warning file=content/articles/en/d8b3d9.md,line=1::no summary. State `Summary:`."
    assert found[1] == "::warning file=content/articles/fa/before.md,line=1::no summary. State `Summary:`."
    assert found[2:] == ["0 problems, 2 warnings."]
    path.write_text("Title: x\nDate: soon\n\nText.\n")
    git(site.folder, "add", "--all")
    git(site.folder, "commit", "--quiet", "--message", "x")
    done = site.run("check", "--annotate", "--since", "HEAD")
    assert done.returncode == 1, "an error stands whatever was changed"
    assert done.stdout.startswith("::error file=content/articles/fa/before.md,line=2::'date' is not a date: 'soon'.")


@pytest.mark.parametrize("since", ["nothing", "--output=x"])
def test_a_commit_that_git_does_not_know_is_named(tmp_path: Path, since: str) -> None:
    git(tmp_path, "init", "--quiet")
    with pytest.raises(ConfigurationError, match="Git knows no such commit"):
        changed_files(tmp_path, since)
    assert not (tmp_path / "x").exists()


def test_a_file_cannot_be_called_as_a_command_of_the_code_host() -> None:
    assert "\n" not in str(Problem("content/a\n::error::mine.md", 0, "'a' is no key", "Rename it."))
