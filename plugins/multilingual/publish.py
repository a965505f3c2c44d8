"""`./blog publish`: how what was built gets to where readers find it, by a command of the operator's."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from .errors import ConfigurationError

SETTING = "PUBLISH_COMMAND"

#: What follows once the site is online, given the project's folder. A part offers it as `follow_publish` in its
#: `commands` module; the front door collects them in its order, since the parts do not know each other. It is called
#: before anything is built, so that it can raise what is wrong with its settings; what it returns is called when the
#: site has been deployed, and returns an exit code: another than 0 ends the command.
Follow = Callable[[Path], Callable[[], int]]


def read_command(root: Path) -> list[str]:
    """PUBLISH_COMMAND from the environment or `root/.env`, in words. Raises ConfigurationError.

    It is no setting of Pelican's: those are in every template's reach, and a command may hold a password.
    """
    from dotenv import dotenv_values

    found = {**dotenv_values(root / ".env", encoding="utf-8-sig"), **os.environ}.get(SETTING) or ""
    try:
        words = shlex.split(found)
    except ValueError as error:
        raise ConfigurationError(SETTING, "…", f"{error}: mend its quotes") from error
    if not words:
        example = "rsync -a --delete {output}/ user@host:/srv/www/"
        remedy = f"say in the environment or in .env what brings the site to its server, such as {example}"
        raise ConfigurationError(SETTING, "", remedy)
    if not shutil.which(words[0]) and not (root / words[0]).is_file():
        raise ConfigurationError(SETTING, words[0], "there is no such program: install it, or name another")
    return words


def deploy(command: list[str], output: Path, root: Path) -> int:
    """Run the command in the project's folder, without a shell; return its exit code.

    `{output}` stands for the folder of the built site. What the command says is seen, and it may ask for a password.
    """
    words = [word.replace("{output}", str(output)) for word in command]
    code = subprocess.run(words, cwd=root, check=False).returncode
    return code if code >= 0 else 128 - code  # ended by a signal: as shells say it
