"""The documentation says what the code does: settings, commands, fields."""

from __future__ import annotations

import argparse
import ast
import importlib
import re
import subprocess
import sys
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
from multilingual.settings import PREFIX, Configuration

from mailroom.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
PLUGIN_README = (ROOT / "plugins" / "multilingual" / "README.md").read_text(encoding="utf-8")
TRANSLATORS_README = (ROOT / "plugins" / "translators" / "README.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_setting_is_documented_with_its_default() -> None:
    rows = dict(re.findall(rf"^\| `({PREFIX}\w+)` \| (.+?) \|", PLUGIN_README, re.MULTILINE))
    settings = {PREFIX + field.name.upper(): field for field in fields(Configuration)}
    assert set(rows) == set(settings)
    for name, field in settings.items():
        if name == "MULTILINGUAL_LANGUAGES":
            continue
        default = field.default if field.default is not MISSING else {}
        if name == "MULTILINGUAL_TAXONOMIES":
            default = {}  # written as a mapping in settings
        assert ast.literal_eval(rows[name].strip("`")) == default, name


def test_every_i18n_subsites_setting_has_its_counterpart() -> None:
    for name in (
        "I18N_SUBSITES",
        "I18N_UNTRANSLATED_ARTICLES",
        "I18N_UNTRANSLATED_PAGES",
        "I18N_GETTEXT_LOCALEDIR",
        "I18N_GETTEXT_DOMAIN",
        "I18N_GETTEXT_NEWSTYLE",
        "I18N_TEMPLATES_LANG",
        "I18N_FILTER_SIGNALS",
        "I18N_GENERATORS_INFO",
    ):
        assert f"`{name}" in PLUGIN_README, name


@pytest.fixture(scope="module")
def commands() -> dict[str, argparse.ArgumentParser]:
    """Every command of the front door."""
    subparsers = argparse.ArgumentParser().add_subparsers()
    (parts,) = re.findall(r"^PARTS = (\(.+?\))$", (ROOT / "blog").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    for part in ast.literal_eval(parts):
        module = part.removeprefix("plugins/").replace("/", ".")
        importlib.import_module(f"{module}.commands").add_commands(subparsers, ROOT)
    return dict(subparsers.choices)


def test_documents_name_only_commands_and_options_that_exist(commands: dict[str, argparse.ArgumentParser]) -> None:
    documents = sorted([*ROOT.glob("*.md"), *ROOT.glob("plugins/*/README.md"), ROOT / "mailroom" / "README.md"])
    text = "\n".join(document.read_text(encoding="utf-8") for document in documents)
    used = re.findall(r"\./blog ([a-z][a-z-]*)(.*?)(?:  |`|$)", text, re.MULTILINE)
    assert len(used) > 100
    for command, rest in used:
        assert command in commands, command
        known = commands[command].format_help()
        if " ..." not in known.partition("\n\n")[0]:  # else its own commands have the options
            assert [option for option in re.findall(r"--[a-z-]+", rest) if option not in known] == [], (command, rest)


def test_help_is_one_screen_and_says_more_than_options(commands: dict[str, argparse.ArgumentParser]) -> None:
    for command in ("translations", "translate", "diff", "accept", "kit", "import", "language"):
        told = commands[command].format_help()
        assert len(told.splitlines()) <= 32, command
        assert commands[command].description, command


def test_the_door_in_the_readme_of_translators_opens(tmp_path: Path) -> None:
    """As on a site that has the two plugins and nothing else of ours."""
    (door,) = re.findall(r"^```python\n(.+?)^```", TRANSLATORS_README, re.MULTILINE | re.DOTALL)
    (tmp_path / "blog").write_text(door, "utf-8")
    (tmp_path / "plugins").mkdir()
    for name in ("multilingual", "translators"):
        (tmp_path / "plugins" / name).symlink_to(ROOT / "plugins" / name)
    article = tmp_path / "content" / "articles" / "en" / "roses.md"
    article.parent.mkdir(parents=True)
    article.write_text("Title: Roses\nDate: 2026-03-04\n\nPrune them in March.\n", "utf-8")
    (tmp_path / "pelicanconf.py").write_text(
        'PATH = "content"\nARTICLE_PATHS = ["articles"]\nDEFAULT_LANG = "en"\n'
        'MULTILINGUAL_LANGUAGES = {"en": {}, "de": {}}\n'
    )

    def call(*arguments: str) -> str:
        command = [sys.executable, "-E", "blog", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False)
        return done.stdout + done.stderr.strip().rpartition("\n")[2]

    assert call("translate", "roses", "de").startswith("content/articles/de/roses.md: write over ")
    assert "Did you mean roses?" in call("diff", "rose", "de")


def test_the_example_of_settings_names_each_once() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    names = re.findall(r"^(\w+)=$", text, re.MULTILINE)
    assert [line for line in text.splitlines() if line and not line.startswith("#")] == [f"{name}=" for name in names]
    derived = ("names", "exits", "development")
    known = {f"MAILROOM_{each.name.upper()}" for each in fields(Settings) if each.name not in derived}
    assert sorted(name for name in names if name.startswith("MAILROOM_")) == sorted(known)


def test_pictures_and_files_that_the_documents_show_exist() -> None:
    for document in ROOT.glob("*.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text(encoding="utf-8")):
            assert (ROOT / target).exists() or "{" in target, f"{document.name}: {target}"
