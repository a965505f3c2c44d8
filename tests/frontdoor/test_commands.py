"""What every command owes its user: help, speed, one line for an error, an honest exit code."""

import os
import signal
from pathlib import Path

import pytest

from tests.frontdoor.support import ROOT, copy_project, lend_environment, run_blog, start_blog

PART = """
import sys, time
from pathlib import Path

class Mistake(Exception):
    remedy = "mend it"

def add_commands(subparsers, root):
    def command(name, run):
        subparsers.add_parser(name, help=name).set_defaults(run=run)
    def mistake(args):
        raise Mistake("content/a.md:3: wrong\\nlanguage. Mend it.")
    def defect(args):
        raise KeyError("nobody expected this")
    def missing(args):
        return Path("nowhere.conf").read_text()
    def wait(args):
        print("waiting", flush=True)
        time.sleep(60)
    command("mistake", mistake)
    command("defect", defect)
    command("missing", missing)
    command("wait", wait)
    command("long", lambda args: print("a line\\n" * 100_000) or 0)
    command("seven", lambda args: 7)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the front door with one part, whose commands go wrong in every way."""
    folder = copy_project(tmp_path, "blog", "requirements.txt")
    lend_environment(folder)
    (folder / "mailroom").mkdir()
    (folder / "mailroom" / "commands.py").write_text(PART, encoding="utf-8")
    return folder


def test_a_reader_who_has_seen_enough_is_no_mistake(project: Path) -> None:
    process = start_blog(project, "long")
    assert process.stdout
    assert process.stderr
    assert process.stdout.readline() == "a line\n"
    process.stdout.close()
    with process:
        assert process.stderr.read() == ""
    assert process.returncode == 141


@pytest.mark.alone
def test_help_answers_at_once_and_loads_no_pelican() -> None:
    took = []
    for _ in range(3):
        before = os.times()
        result = run_blog(ROOT, "--help")
        after = os.times()
        assert result.returncode == 0, result.stderr
        # The processor's time: what else the machine is doing does not count.
        took.append(sum(after[2:4]) - sum(before[2:4]))
    assert 0 < min(took) < 0.5

    imported = run_blog(ROOT, "--help", PYTHONPROFILEIMPORTTIME="1").stderr
    assert "argparse" in imported
    assert "pelican" not in imported


def test_every_command_has_help() -> None:
    listing = run_blog(ROOT).stdout
    names = [line.split()[0] for line in listing.splitlines() if line.startswith("    ") and line[4] != " "]
    assert "test" in names
    for name in names:
        result = run_blog(ROOT, name, "--help")
        assert result.returncode == 0, result.stderr
        assert result.stdout.startswith(f"usage: blog {name}")


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("mistake", "blog: content/a.md:3: wrong language. Mend it."),
        ("defect", "blog: KeyError: 'nobody expected this' (BLOG_DEBUG=1 shows where)"),
        ("missing", "blog: [Errno 2] No such file or directory: 'nowhere.conf'"),
    ],
)
def test_failing_command_says_so_in_one_line(project: Path, command: str, line: str) -> None:
    result = run_blog(project, command)
    assert (result.returncode, result.stdout, result.stderr) == (1, "", line + "\n")


def test_debugging_shows_where(project: Path) -> None:
    assert "in defect" in run_blog(project, "defect", BLOG_DEBUG="1").stderr


def test_exit_codes_are_kept(project: Path) -> None:
    assert run_blog(project, "seven").returncode == 7
    assert run_blog(project, "nonsense").returncode == 2
    assert run_blog(project, "seven", "--nonsense").returncode == 2


def test_ctrl_c_is_quiet(project: Path) -> None:
    process = start_blog(project, "wait")
    assert process.stdout
    assert process.stdout.readline() == "waiting\n"
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (130, "")


def test_test_command_refuses_to_leave_out_what_it_does_not_know(project: Path) -> None:
    copy_project(project, "tests/commands.py", "requirements-test.txt")
    result = run_blog(project, "test", "--without", "mail,jaav")
    assert result.returncode == 2
    assert "--without jaav: unknown" in result.stderr
