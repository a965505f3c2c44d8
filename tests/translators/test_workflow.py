"""The workflow that looks at proposed texts: what it may do, and its steps, done here as at the code host."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

FILE = Path(__file__).resolve().parents[2] / ".github" / "workflows" / "translations.yml"
#: Writes down what it is called with; as `./blog translations --record` does, it leaves a record.
BLOG = (
    '#!/bin/sh\necho "$@" >> "$CALLS"\n[ "$1 $2" = "${BROKEN:-}" ] && exit 1\n'
    'case "$*" in *--record*) mkdir -p content/.translations/fa; echo {} > content/.translations/fa/a.json; esac\n'
)


def read() -> dict[str, Any]:
    workflow: dict[str, Any] = yaml.load(FILE.read_text("utf-8"), yaml.BaseLoader)  # noqa: S506 - only texts
    return workflow


def job(name: str) -> dict[str, Any]:
    found: dict[str, Any] = read()["jobs"][name]
    return found


def test_proposals_are_looked_at_without_rights_and_secrets() -> None:
    assert set(read()["on"]) == {"pull_request", "push"}
    assert read()["permissions"] == {"contents": "read"}
    assert "permissions" not in job("look")
    assert job("record")["permissions"] == {"contents": "write"}
    assert job("record")["if"] == "github.event_name == 'push'", "what somebody proposes is given no right to write"
    assert "secrets" not in FILE.read_text("utf-8")
    checkout = job("look")["steps"][0]["with"]
    assert checkout["persist-credentials"] == "false"
    assert checkout["ref"] == "${{ github.event.pull_request.base.sha }}", "nothing that is proposed is run"
    for each in read()["jobs"].values():
        for step in each["steps"]:
            assert "${{" not in step.get("run", ""), "nothing that somebody enters stands in a shell's line"
            assert re.fullmatch(r"actions/[\w-]+@v\d+", step.get("uses", "actions/checkout@v4"))


class Host:
    """A repository at a code host, and a runner's copy of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls, self.environment = folder / "calls", folder / "environment"
        self.remote, self.runner = folder / "remote", folder / "runner"
        self.remote.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "receive.denyCurrentBranch", "updateInstead")
        (self.remote / "blog").write_text(BLOG)
        (self.remote / "blog").chmod(0o755)
        self.write("content/articles/en/a.md", "One.\n")
        self.write("content/articles/en/gone.md", "Gone.\n")
        self.base = self.commit()

    def git(self, *arguments: str, where: Path | None = None) -> str:
        who = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        for role in ("AUTHOR", "COMMITTER"):
            who |= {f"GIT_{role}_NAME": "Canary", f"GIT_{role}_EMAIL": "canary@example.org"}
        command, folder = ["git", *arguments], where or self.remote
        done = subprocess.run(command, cwd=folder, env=os.environ | who, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def write(self, name: str, text: str) -> None:
        path = self.remote / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def commit(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "x")
        return self.git("rev-parse", "HEAD")

    def propose(self) -> str:
        """A branch with a translation, begun before its source was changed on the main branch."""
        self.git("checkout", "--quiet", "-b", "proposal")
        self.write("content/articles/fa/a.md", "یک.\n")
        (self.remote / "content" / "articles" / "en" / "gone.md").unlink()
        self.write("blog", "#!/bin/sh\necho taken over >> $CALLS\n")
        proposed = self.commit()
        self.git("update-ref", "refs/pull/7/head", proposed)
        self.git("checkout", "--quiet", "main")
        self.write("content/articles/en/a.md", "One, and two.\n")
        self.commit()
        return proposed

    def run(self, name: str, **environment: str) -> bool:
        """Run the steps of a job one after the other, as GitHub does; tell whether all went well."""
        self.git("clone", "--quiet", str(self.remote), str(self.runner), where=self.folder)
        known = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "GIT_CONFIG_GLOBAL": os.devnull}
        known |= {"CALLS": str(self.calls), "GITHUB_ENV": str(self.environment)} | environment
        succeeds = True
        for step in job(name)["steps"]:
            if condition := step.get("if"):
                assert condition == "${{ !cancelled() && env.START }}"
            if "run" in step and (known.get("START") if condition else succeeds):
                command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
                done = subprocess.run(command, cwd=self.runner, env=known, capture_output=True, text=True, check=False)
                succeeds = succeeds and not done.returncode
                if self.environment.exists():
                    known |= dict(line.split("=", 1) for line in self.environment.read_text().splitlines())
        return succeeds

    def called(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_a_proposal_is_held_to_what_its_author_saw(host: Host) -> None:
    host.propose()
    assert host.run("look", NUMBER="7")
    assert host.called() == [
        f"translations --record --base {host.base}",
        f"check --annotate --since {host.base}",
        "translations --preview preview",
    ]
    content = host.runner / "content" / "articles"
    assert (content / "fa" / "a.md").exists()
    assert not (content / "en" / "gone.md").exists()


def test_a_broken_file_keeps_nobody_from_seeing_the_rest(host: Host) -> None:
    host.propose()
    assert not host.run("look", NUMBER="7", BROKEN="translations --record")
    assert [line.split()[0:2] for line in host.called()] == [
        ["translations", "--record"], ["check", "--annotate"], ["translations", "--preview"],
    ]  # fmt: skip


def test_a_link_out_of_the_texts_is_not_taken(host: Host) -> None:
    host.git("checkout", "--quiet", "-b", "proposal")
    (host.remote / "content" / "articles" / "fa").symlink_to("../../../.git")
    host.git("update-ref", "refs/pull/7/head", host.commit())
    host.git("checkout", "--quiet", "main")
    assert not host.run("look", NUMBER="7")
    assert host.called() == []


def test_what_is_merged_is_recorded_by_where_its_branch_began(host: Host) -> None:
    proposed = host.propose()
    before = host.git("rev-parse", "HEAD")
    host.git("checkout", "--quiet", proposed, "--", "content/articles/fa")
    tree = host.git("write-tree")
    merge = host.git("commit-tree", tree, "-p", before, "-p", proposed, "-m", "Merge")
    host.git("reset", "--quiet", "--hard", merge)
    assert host.run("record", BEFORE=before)
    assert host.called() == [f"translations --record --base {host.base}"]
    assert host.git("ls-tree", "--name-only", "HEAD", "content/.translations/fa/") == "content/.translations/fa/a.json"
    said = host.git("log", "-1", "--format=%an %ae %ai %cn %ce %ci")
    assert "Canary" not in said
    assert said.count(" 00:00:00 +0000") == 2


@pytest.mark.parametrize("is_known", [True, False])
def test_what_is_pushed_is_recorded_by_what_was_there_before(host: Host, is_known: bool) -> None:
    host.write("content/articles/fa/a.md", "یک.\n")
    latest = host.commit()
    assert host.run("record", BEFORE=host.base if is_known else "0" * 40)
    assert host.called() == [f"translations --record --base {host.base if is_known else 'HEAD'}"]
    assert host.git("rev-parse", "HEAD^") == latest


def test_where_nothing_is_to_be_recorded_nothing_is_committed(host: Host) -> None:
    host.write("content/.translations/fa/a.json", "{}\n")
    latest = host.commit()
    assert host.run("record", BEFORE=host.base)
    assert host.git("rev-parse", "HEAD") == latest
