"""The first use makes the environment: once, whole, and whatever interrupts it."""

import ast
import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.frontdoor.support import ROOT, copy_project, run_blog, start_blog, wait_until


def make_newcomer(folder: Path) -> Path:
    """A fresh clone whose lock names one small package, with the hashes that the real one gives it."""
    copy_project(folder, "blog")
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    small = re.search(r"^mdurl==.*?(?=^\S)", lock, re.MULTILINE | re.DOTALL)
    assert small
    (folder / "requirements.txt").write_text(small[0], encoding="utf-8")
    return folder


@pytest.fixture
def newcomer(tmp_path: Path) -> Path:
    return make_newcomer(tmp_path / "a clone")


@dataclass(frozen=True)
class FirstUse:
    """A clone that has been used once, and what that said."""

    folder: Path
    said: "subprocess.CompletedProcess[str]"


@pytest.fixture(scope="module")
def first_use(tmp_path_factory: pytest.TempPathFactory) -> FirstUse:
    folder = make_newcomer(tmp_path_factory.mktemp("first-use") / "a clone")
    return FirstUse(folder, run_blog(folder, "--help"))


def is_whole(folder: Path) -> bool:
    """Whether the environment works and nothing half made stands beside it."""
    python = folder / ".venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    found = subprocess.run([python, "-c", "import mdurl"], check=False).returncode == 0
    return found and not list(folder.glob(".venv.*-*"))


def test_first_use_makes_the_environment_and_later_uses_find_it(first_use: FirstUse) -> None:
    newcomer, first = first_use.folder, first_use.said
    assert first.returncode == 0, first.stderr
    assert "usage: blog" in first.stdout
    assert "Ready after" in first.stderr
    assert is_whole(newcomer)

    second = run_blog(newcomer)
    assert (second.returncode, second.stderr) == (0, "")
    assert "usage: blog" in second.stdout

    scripts = newcomer / ".venv" / ("Scripts" if os.name == "nt" else "bin")  # they survive the move into place
    pip = subprocess.run([scripts / "pip", "--version"], check=False, capture_output=True, text=True)
    assert str(newcomer / ".venv") in pip.stdout
    assert ".venv.new" not in (scripts / "activate").read_text(encoding="utf-8")


def test_interrupted_first_use_does_no_harm(newcomer: Path) -> None:
    process = start_blog(newcomer, "--help")
    wait_until(lambda: list(newcomer.glob(".venv.new-*/pyvenv.cfg")), "nothing was begun")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (newcomer / ".venv").exists()

    again = run_blog(newcomer, "--help")
    assert again.returncode == 0, again.stderr
    assert is_whole(newcomer)


def test_ctrl_c_during_the_first_use_is_quiet(newcomer: Path) -> None:
    process = start_blog(newcomer, "--help")
    wait_until(lambda: list(newcomer.glob(".venv.new-*/pyvenv.cfg")), "nothing was begun")
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "Traceback" not in err


def test_two_first_uses_at_once_make_one_environment(newcomer: Path) -> None:
    both = [start_blog(newcomer, "--help") for _ in range(2)]
    results = [(*process.communicate(timeout=120), process.returncode) for process in both]
    assert [code for _, _, code in results] == [0, 0], results
    assert sum("Ready after" in err for _, err, _ in results) == 1
    assert sum("Waiting" in err for _, err, _ in results) == 1
    assert is_whole(newcomer)


def test_changed_lock_renews_the_environment_and_a_failure_keeps_the_old_one(
    first_use: FirstUse, tmp_path: Path
) -> None:
    newcomer = shutil.copytree(first_use.folder, tmp_path / "a clone", symlinks=True)
    assert is_whole(newcomer)
    lock = newcomer / "requirements.txt"
    good = lock.read_text(encoding="utf-8")
    lock.write_text(re.sub(r"sha256:....", "sha256:0000", good), encoding="utf-8")

    failed = run_blog(newcomer, "--help")
    assert failed.returncode == 1
    assert "requirements.txt failed: ERROR" in failed.stderr.splitlines()[-1]
    assert "Traceback" not in failed.stderr
    assert is_whole(newcomer)

    lock.write_text(good, encoding="utf-8")
    assert run_blog(newcomer, "--help").stderr == ""

    lock.write_text(good + "# renewed\n", encoding="utf-8")
    assert "Ready after" in run_blog(newcomer, "--help").stderr
    assert is_whole(newcomer)


def test_older_pythons_can_read_that_they_are_too_old() -> None:
    source = (ROOT / "blog").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 6))
    imports = [node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    check = source[: source.index("sys.version_info")].count("\n") + 1
    assert sum(line < check for line in imports) == 1  # `import sys` alone stands before it


def test_locks_name_hashes_and_no_addresses() -> None:
    for name in ("requirements.txt", "requirements-test.txt"):
        lock = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"://|--index|--find-links| @ ", lock)
        packages = re.split(r"^(?=\S)", lock, flags=re.MULTILINE)[1:]
        assert all("==" in package and "--hash=sha256:" in package for package in packages)
    assert '"resolved"' not in (ROOT / "tests" / "package-lock.json").read_text(encoding="utf-8")
