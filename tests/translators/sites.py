"""Small sites, as an editor has them on disk."""

from __future__ import annotations

import argparse
import subprocess
from datetime import date
from pathlib import Path

from multilingual.commands import read_content
from translators.commands import add_commands
from translators.recording import accept, record
from translators.settings import read_configuration
from translators.states import Survey, Translation

DAY = date(2026, 11, 22)
SETTINGS = """
PATH = "content"
DEFAULT_LANG = "en"
MULTILINGUAL_LANGUAGES = {"en": {}, "ar": {}, "fa": {}, "zh-Hans": {}}
ARTICLE_PATHS = ["articles"]
PAGE_PATHS = ["pages"]
"""
BODY = "The first paragraph.\n\nThe second one of 2024.\n\n- An item.\n- Another item.\n"


class Site:
    """A project's folder with articles in some languages."""

    def __init__(self, root: Path, settings: str = "") -> None:
        self.root = root
        self.content = root / "content"
        for folder in ("articles", "pages"):
            (self.content / folder).mkdir(parents=True)
        (root / "pelicanconf.py").write_text(SETTINGS + settings, "utf-8")

    def write(self, lang: str, key: str = "flight", header: str = "", body: str = BODY, kind: str = "articles") -> Path:
        """Write a text; a header's lines each end with a newline."""
        path = self.content / kind / lang / f"{key}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Title: Flight\nDate: 2026-11-01\n{header}\n{body}", "utf-8", newline="\n")
        return path

    def translate(self, lang: str, source: str = "en", key: str = "flight", header: str = "", body: str = BODY) -> Path:
        return self.write(lang, key, f"Translated_from: {source}\n{header}", body)

    def survey(self) -> Survey:
        inventory = read_content(self.root)
        return Survey(inventory, read_configuration(inventory.settings))

    def find(self, lang: str, key: str = "flight") -> Translation:
        survey = self.survey()
        found = survey.find(key, lang)
        assert found, survey.problems
        return found

    def record(self, *langs: str, key: str = "flight", day: date = DAY) -> None:
        for lang in langs:
            survey = self.survey()
            found = survey.find(key, lang)
            assert found, survey.problems
            record(survey, found, day)

    def accept(self, lang: str, *, minor: bool = False, day: date = DAY) -> None:
        survey = self.survey()
        found = survey.find("flight", lang)
        assert found, survey.problems
        accept(survey, found, day, minor=minor)

    def path(self, lang: str, key: str = "flight") -> Path:
        return self.content / ".translations" / lang / f"{key}.json"

    def git(self, *arguments: str) -> str:
        who = ["-c", "user.name=Canary Author", "-c", "user.email=canary@example.org", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", *who, *arguments], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "x", "--allow-empty")
        return self.git("rev-parse", "HEAD")


def call(site: Site, *arguments: str) -> int:
    """A command of the desk, as the front door calls it; its exit code."""
    return run_command(site.root, *arguments)


def run_command(root: Path, *arguments: str) -> int:
    """The same in a folder."""
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers(), root)
    parser.set_defaults(read_content=[read_content])
    args = parser.parse_args(arguments)
    return int(args.run(args))
