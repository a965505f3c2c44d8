"""Committing for somebody who must not be known: under the desk's name, at midnight, whatever the machine says of them.

Git takes a name and an address from its configuration, the environment or the system, writes down the hour and the time
zone, and runs what its configuration asks for. None of it is asked here.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from .errors import ConfigurationError, DeskError

SETTING = "TRANSLATORS_COMMITTER"
_COMMITTER = re.compile(r"(?P<name>[^<>\n\0]*[^<>\s\0]) <(?P<address>[^<>\s\0]+@[^<>\s\0]+)>\Z")
#: Settings of Git's by which a commit would carry more than it is told, or run a program.
_QUIET = (
    f"core.hooksPath={os.devnull}", "core.fsmonitor=false", "commit.gpgSign=false", "commit.template=",
    "gc.auto=0", "maintenance.auto=false", f"core.attributesFile={os.devnull}", "i18n.commitEncoding=UTF-8",
)  # fmt: skip


def read_committer(setting: str) -> tuple[str, str]:
    """Name and address of "The desk <desk@example.org>". Raises ConfigurationError."""
    if found := _COMMITTER.match(setting):
        return found["name"], found["address"]
    raise ConfigurationError(SETTING, setting, "state a name and an address, as in 'The desk <desk@example.org>'")


def commit_files(root: Path, paths: Iterable[Path], message: str, setting: str, day: date) -> bool:
    """Commit these files and nothing else, whatever else is staged; False where nothing in them has changed.

    Both dates are 00:00 UTC of `day`. What came before may be dated later; Git does not mind. Raises DeskError where
    Git refuses, ConfigurationError for a setting that names nobody.
    """
    name, address = read_committer(setting)
    stamp = f"{day.isoformat()}T00:00:00 +0000"
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_AUTHOR", "GIT_COMMITT"))}
    for role in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": address, f"GIT_{role}_DATE": stamp}
    repository = _Repository(root, environment)
    names = [str(path) for path in paths if path.exists() or repository.tracks(path)]
    if not names:
        return False
    repository.run("add", "--all", "--", *names)
    if not repository.run("status", "--porcelain", "--", *names):
        return False
    options = ("--quiet", "--no-verify", "--no-gpg-sign", "--cleanup=whitespace")
    repository.run("commit", *options, "--message", message, "--only", "--", *names)
    return True


class _Repository:
    """Git, with an environment and nobody's preferences."""

    def __init__(self, root: Path, environment: dict[str, str]) -> None:
        self._root, self._environment = root, environment

    def run(self, *arguments: str) -> str:
        """What Git says. Raises DeskError."""
        settings = [part for setting in _QUIET for part in ("-c", setting)]
        try:
            done = subprocess.run(
                ["git", "--literal-pathspecs", *settings, *arguments],
                cwd=self._root,
                env=self._environment,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                check=False,
            )
        except FileNotFoundError as error:
            raise DeskError("--commit", "there is no Git on this machine", "Leave --commit out") from error
        if done.returncode:
            said = " ".join(done.stderr.split()).rstrip(".") or f"git {arguments[0]} failed"
            raise DeskError("--commit", said, "The files are written; commit them when this is mended")
        return done.stdout

    def tracks(self, path: Path) -> bool:
        """Whether a file that is gone was known."""
        return bool(self.run("ls-files", "--", str(path)))
