"""A small publication with a newsletter, and its commands as an editor gives them."""

from __future__ import annotations

import argparse
import io
import os
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from multilingual.commands import add_commands as add_site_commands
from multilingual.commands import build_into
from newsletter.commands import add_commands, follow_publish

from tests.multilingual.sites import Site

TODAY = datetime.now(UTC).date().isoformat()
SETTINGS: dict[str, Any] = {
    "PLUGINS": ["multilingual", "newsletter"],
    "MULTILINGUAL_LANGUAGES": {"en": {}, "fa": {}},
    "NEWSLETTER_SITE_ID": "newsroom",
    "NEWSLETTER_SINCE": "2026-11-01",
    "NEWSLETTER_CAMPAIGNS": "var/preview/campaigns",
}
# Templates are compiled once for all sites of a run.
_PUBLISHCONF = """\
import sys
from pathlib import Path

import jinja2

sys.path.insert(0, str(Path(__file__).parent))
from pelicanconf import *

MULTILINGUAL_DRAFTS = False
NEWSLETTER_CAMPAIGNS = "var/campaigns"
compiled = Path(__file__).parents[2] / "compiled-for-newsletters"
compiled.mkdir(exist_ok=True)
JINJA_ENVIRONMENT = {**JINJA_ENVIRONMENT, "bytecode_cache": jinja2.FileSystemBytecodeCache(str(compiled), "%s.cache")}
"""


class Newsroom(Site):
    """A site with the settings of a newsletter, for writing and for publishing."""

    def __init__(self, folder: Path, **overrides: Any) -> None:
        super().__init__(folder, **SETTINGS | overrides)
        #: How long pages were waited for, in seconds, had anybody slept.
        self.slept: list[float] = []
        (self.folder / "publishconf.py").write_text(_PUBLISHCONF, "utf-8")

    def settings(self, **overrides: Any) -> None:
        """Change settings, in this process too."""
        super().settings(**overrides)
        sys.modules.pop("pelicanconf", None)

    def post(self, lang: str, key: str, text: str = "What happened.", **fields: str) -> Path:
        """Write an article of today."""
        return self.article(lang, key, text, **{"Date": TODAY, "Summary": "A summary."} | fields)

    def build_production(self) -> None:
        """Build what is published into the output."""
        assert self.run_command("build", "--production") == 0

    def run_newsletter(self, *words: str, stdin: str = "") -> int:
        """Run `./blog newsletter …` in this process."""
        return self.run_command("newsletter", *words, stdin=stdin)

    def run_command(self, *words: str, stdin: str = "") -> int:
        """Run a command of the front door's, as far as it concerns the site and its newsletter."""
        parser = argparse.ArgumentParser(prog="blog")
        subparsers = parser.add_subparsers()
        add_site_commands(subparsers, self.folder)
        add_commands(subparsers, self.folder, sleep=self.slept.append)
        follow = partial(follow_publish, sleep=self.slept.append)
        parser.set_defaults(build_into=[build_into], follow_publish=[follow])
        args = parser.parse_args(words)
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith(("NEWSLETTER_", "PUBLISH_"))]:
                patch.delenv(name)
            patch.setattr(sys, "stdin", io.StringIO(stdin))
            sys.modules.pop("pelicanconf", None)  # of another site
            return int(args.run(args))

    def set_environment(self, **values: str) -> None:
        """Write `.env`."""
        (self.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
