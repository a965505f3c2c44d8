"""The workflows that push campaigns: who sees the token, what stands in a shell, and that two never push at once."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[2] / ".github" / "workflows"
PUSHING = {"pages.yml": "draft", "newsletter.yml": "send"}
#: Writes down what it is called with.
BLOG = '#!/bin/sh\nfor word in "$@"; do printf "%s\\n" "$word"; done\nprintf "token: %s\\n" "$NEWSLETTER_TOKEN"\n'


def read(name: str) -> dict[str, Any]:
    text = (FOLDER / name).read_text("utf-8")
    workflow: dict[str, Any] = yaml.load(text, yaml.BaseLoader)  # noqa: S506 - it makes texts of everything
    return workflow


def job(name: str) -> dict[str, Any]:
    found: dict[str, Any] = read(name)["jobs"][PUSHING[name]]
    return found


def last_step(name: str) -> dict[str, Any]:
    step: dict[str, Any] = job(name)["steps"][-1]
    return step


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.yml")))
def test_nothing_that_somebody_enters_stands_in_a_shell_s_line(name: str) -> None:
    for each in read(name)["jobs"].values():
        for step in each["steps"]:
            assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("name", PUSHING)
def test_the_token_is_seen_by_the_step_alone_that_pushes(name: str) -> None:
    secrets = re.findall(r"secrets\.(\w+)", (FOLDER / name).read_text("utf-8"))
    own = re.findall(r"secrets\.(\w+)", str(last_step(name)["env"]))
    assert secrets == own == ["NEWSLETTER_TOKEN", "NEWSLETTER_FORMER_TOKEN"]
    assert set(read(name)["env"]) >= {
        "NEWSLETTER_PROVIDER", "NEWSLETTER_API", "NEWSLETTER_FORMER_PROVIDER", "NEWSLETTER_FORMER_API"
    }  # fmt: skip
    assert not re.findall(r"(?<!vars)\.\w+", str(read(name)["env"]))


@pytest.mark.parametrize("name", PUSHING)
def test_what_pushes_may_read_the_content_and_no_more(name: str) -> None:
    assert read(name)["permissions"] == {"contents": "read"}
    assert "permissions" not in job(name)
    actions = [step["uses"] for step in job(name)["steps"] if "uses" in step]
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", action) for action in actions)


def test_two_never_push_at_once_and_all_get_their_turn() -> None:
    """Of several that wait, GitHub keeps the last alone unless it is told to queue them."""
    groups = [job(name)["concurrency"] for name in PUSHING]
    assert groups == [{"group": "newsletter", "queue": "max"}] * 2


def test_drafts_follow_what_is_published_and_a_person_sends() -> None:
    assert job("pages.yml")["needs"] == "publish"
    assert list(read("newsletter.yml")["on"]) == ["workflow_dispatch"]
    assert job("newsletter.yml")["environment"] == "newsletter"


def run(folder: Path, name: str, **environment: str) -> list[str]:
    """Run the step that pushes, as GitHub does, with a front door that tells how it is called."""
    (folder / "blog").write_text(BLOG)
    (folder / "blog").chmod(0o755)
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", last_step(name)["run"]]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize("key", ["en-0123456789abcdef", "en-1; touch here", "$(touch here)", '" & touch here "', "-h"])
def test_a_key_is_a_key_whatever_somebody_enters(tmp_path: Path, key: str) -> None:
    said = run(tmp_path, "newsletter.yml", KEY=key, NEWSLETTER_TOKEN="t")
    assert said == ["newsletter", "send", "--", key, "token: t"]
    assert not (tmp_path / "here").exists()


def test_without_a_token_nothing_is_handed_in(tmp_path: Path) -> None:
    assert run(tmp_path, "pages.yml", NEWSLETTER_TOKEN="t") == ["newsletter", "draft", "token: t"]
    assert run(tmp_path, "pages.yml", NEWSLETTER_TOKEN="") == ["There is no secret NEWSLETTER_TOKEN."]
