"""The documentation says what the code does: settings, commands, fields."""

from __future__ import annotations

import argparse
import ast
import importlib
import re
from dataclasses import MISSING, fields
from pathlib import Path

from multilingual.settings import PREFIX, Configuration

from mailroom.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
PLUGIN_README = (ROOT / "plugins" / "multilingual" / "README.md").read_text(encoding="utf-8")
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


def test_the_readme_names_only_commands_and_options_that_exist() -> None:
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers()
    for module in (
        "multilingual.commands",
        "policy.commands",
        "newsletter.commands",
        "tests.commands",
        "mailroom.commands",
    ):
        importlib.import_module(module).add_commands(subparsers, ROOT)
    commands: dict[str, argparse.ArgumentParser] = dict(subparsers.choices)
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    used = re.findall(r"\./blog ([a-z][a-z-]*)((?: --[a-z-]+)?)", README + contributing)
    assert len(used) > 8
    for command, option in used:
        assert command in commands, command
        assert option.strip() in commands[command].format_help(), (command, option)


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
