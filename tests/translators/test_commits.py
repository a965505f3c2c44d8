"""A commit that says nothing about who made it: a canary sits wherever Git looks for a name."""

from __future__ import annotations

import subprocess
from datetime import date
from pathlib import Path

import pytest
from translators.commits import commit_files, read_committer
from translators.errors import ConfigurationError, DeskError

from tests.translators.sites import Site

DAY = date(2026, 11, 22)
DESK = "The desk <desk@example.org>"
CANARY = "canary"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A repository, and a machine that knows whose it is."""
    home = tmp_path / "home"
    hooks = home / "hooks"
    hooks.mkdir(parents=True)
    for hook in ("pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "pre-auto-gc", "post-index-change"):
        path = hooks / hook
        path.write_text(
            f'#!/bin/sh\necho {CANARY} >> "{home}/ran"\n[ -f "$1" ] && echo "By {CANARY}" >> "$1"\nexit 1\n'
        )
        path.chmod(0o755)
    signer = home / "sign"
    signer.write_text(f'#!/bin/sh\necho {CANARY} >> "{home}/ran"\nexit 1\n')
    signer.chmod(0o755)
    (home / "attributes").write_text("* filter=sign\n")
    (home / "template").write_text(f"By {CANARY}\n")
    (home / ".gitconfig").write_text(
        f"[user]\n\tname = {CANARY}\n\temail = {CANARY}@{CANARY}.example\n\tsigningKey = {CANARY}\n"
        f"[author]\n\tname = {CANARY}\n[committer]\n\tname = {CANARY}\n"
        f"[core]\n\thooksPath = {hooks}\n\tfsmonitor = {signer}\n"
        f"[commit]\n\tgpgSign = true\n\ttemplate = {home}/template\n\tcleanup = strip\n"
        f"[core]\n\tcommentChar = T\n\tattributesFile = {home}/attributes\n[i18n]\n\tcommitEncoding = ISO-8859-6\n"
        f'[filter "sign"]\n\tclean = "cat; echo By {CANARY}"\n'
        f'[gpg]\n\tprogram = {signer}\n[init]\n\tdefaultBranch = main\n[trailer "by"]\n\tkey = By\n'
    )
    monkeypatch.setenv("HOME", str(home))
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"):
        monkeypatch.setenv(name, f"{CANARY}@example.org")
    for name in ("USER", "LOGNAME", "HOSTNAME"):
        monkeypatch.setenv(name, CANARY)
    monkeypatch.setenv("TZ", "Asia/Tehran")
    monkeypatch.setenv("GIT_AUTHOR_DATE", "2026-11-22T13:14:15 +0330")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-11-22T13:14:15 +0330")
    root = tmp_path / "site"
    root.mkdir()
    made = Site(root)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return made


def git(site: Site, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=site.root, capture_output=True, text=True, check=True)
    return done.stdout


def test_a_commit_names_the_desk_and_midnight_and_nobody_else(site: Site) -> None:
    path = site.write("fa")
    assert commit_files(site.root, [path], "Translate flight into fa", DESK, DAY)
    written = git(site, "cat-file", "-p", "HEAD")
    assert "author The desk <desk@example.org> 1795305600 +0000\n" in written
    assert "committer The desk <desk@example.org> 1795305600 +0000\n" in written
    assert written.endswith("\n\nTranslate flight into fa\n")
    assert CANARY not in written
    assert "encoding" not in written
    assert git(site, "show", "HEAD:content/articles/fa/flight.md") == path.read_text("utf-8")
    kept = [file for file in (site.root / ".git").rglob("*") if file.is_file() and CANARY.encode() in file.read_bytes()]
    assert kept == []
    assert not (site.root.parent / "home" / "ran").exists()


def test_only_these_files_are_committed(site: Site) -> None:
    first, other = site.write("en"), site.write("ar")
    commit_files(site.root, [first], "One", DESK, DAY)
    git(site, "add", str(other))
    gone = site.write("fa")
    commit_files(site.root, [gone], "Two", DESK, DAY)
    gone.unlink()
    first.write_text("Title: x\n\ny\n", "utf-8")
    assert commit_files(site.root, [gone, site.content / "never-there.md"], "Three", DESK, DAY)
    assert git(site, "show", "--format=", "--name-status").split() == ["D", "content/articles/fa/flight.md"]
    assert git(site, "status", "--porcelain", "-uno").split("\n")[:2] == [
        "A  content/articles/ar/flight.md",
        " M content/articles/en/flight.md",
    ]


def test_what_has_not_changed_makes_no_commit(site: Site) -> None:
    path = site.write("fa")
    assert commit_files(site.root, [path], "One", DESK, DAY)
    assert not commit_files(site.root, [path], "Two", DESK, DAY)
    assert git(site, "rev-list", "--count", "HEAD") == "1\n"


def test_a_file_whose_name_is_a_pattern_is_that_file(site: Site) -> None:
    site.write("en")
    assert not commit_files(site.root, [site.content / "articles" / "*"], "All", DESK, DAY)


@pytest.mark.parametrize(
    "setting", ["", "desk", "desk@example.org", "<desk@example.org>", "a <b>", "a <b@c>\nd <e@f>", "a\nb <c@d>"]
)
def test_a_committer_that_is_none_is_refused(setting: str) -> None:
    with pytest.raises(ConfigurationError, match="TRANSLATORS_COMMITTER"):
        read_committer(setting)


def test_without_a_repository_it_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    path.write_text("x")
    with pytest.raises(DeskError, match="not a git repository"):
        commit_files(tmp_path, [path], "One", DESK, DAY)
