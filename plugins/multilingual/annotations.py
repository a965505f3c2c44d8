"""Findings as a code host shows them: beside the line that they are about, in the change that is proposed.

GitHub reads these lines from what a step prints (docs.github.com, "Workflow commands for GitHub Actions").
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from .errors import ConfigurationError, Problem


def annotate(problem: Problem, root: Path) -> str:
    """The command for a finding. What is about no file of the project, such as an address, names none."""
    command = "warning" if problem.warning else "error"
    place = ""
    if (root / problem.file).is_file():
        place = f" file={_escape_property(problem.file)},line={max(problem.line, 1)}"
        text = f"{problem.what}. {problem.remedy}"
    else:
        text = str(problem)
    return f"::{command}{place}::{_escape(text)}"


def changed_files(root: Path, since: str) -> frozenset[str]:
    """The files that differ from a commit, as problems name them. Raises ConfigurationError where Git knows none."""
    command = ["git", "diff", "--name-only", "--relative", "-z", "--end-of-options", since, "--"]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise ConfigurationError("--since", since, "there is no Git here; leave it out") from error
    if done.returncode:
        raise ConfigurationError("--since", since, "Git knows no such commit; fetch it, or leave --since out")
    return frozenset(done.stdout.decode("utf-8", "replace").split("\0")) - {""}


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
