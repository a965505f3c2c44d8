"""What the front door's tests share: they use it as people do, with copies of the project, processes and real time."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")


def wait_until(what: Callable[[], T], message: str, seconds: float = 30) -> T:
    """Return the first true value, or fail when the time is up."""
    left = seconds
    while left > 0:
        began = time.monotonic()
        if value := what():
            return value
        time.sleep(0.01)
        left -= min(time.monotonic() - began, 1.0)  # a machine that stood still did not wait
    pytest.fail(f"{message} (waited {seconds} s)")


def start_blog(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start `blog` as somebody would who has just cloned the project: with any Python, not the environment's."""
    return subprocess.Popen(
        [sys._base_executable, str(folder / "blog"), *arguments],  # type: ignore[attr-defined]
        env={name: value for name, value in os.environ.items() if name != "BLOG_DEBUG"} | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",  # whatever locale Pelican has set in this process
        start_new_session=True,  # so that a test can end it with all its children
        # Whoever runs the tests in the background may ignore Ctrl-C; who runs the command does not.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )


def run_blog(folder: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[Any]":
    """Run `blog` to its end."""
    process = start_blog(folder, *arguments, **environment)
    out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def copy_project(folder: Path, *parts: str) -> Path:
    """Copy some of the project, so that a test may change it."""
    for part in parts:
        source, target = ROOT / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    return folder


def lend_environment(folder: Path) -> None:
    """Let a copy of the project use the environment that the tests run in, instead of making its own."""
    (folder / ".venv").symlink_to(sys.prefix, target_is_directory=True)


def is_left_out(name: str) -> bool:
    """Whether `./blog test --without NAME` asked for it."""
    return name in os.environ.get("BLOG_TEST_WITHOUT", "").split(",")


def skip_if_left_out(name: str) -> None:
    """Skip what is left out; the summary says so. A tool that is missing fails."""
    if is_left_out(name):
        pytest.skip(f"left out: --without {name}")


def browser_path() -> str:
    """Return the browser that `./blog test` found."""
    skip_if_left_out("browser")
    path = os.environ.get("BLOG_TEST_CHROMIUM") or shutil.which("chromium")
    assert path, "no browser: run ./blog test, which installs one"
    return path
