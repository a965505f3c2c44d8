"""The README says what the code does: settings, commands, the API's answers."""

from __future__ import annotations

import re
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

import falcon

from mailroom.campaigns import submissions
from mailroom.commands import COMMANDS
from mailroom.settings import _REQUIRED, BY_LANGUAGE, PREFIX, Settings
from mailroom.web import api

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "mailroom" / "README.md").read_text("utf-8")
SOURCE = (ROOT / "mailroom" / "settings.py").read_text("utf-8")


def meanings() -> dict[str, str]:
    """What stands above each field, by its name."""
    found = re.findall(r"((?:^    #: .*\n)+)    (\w+): ", SOURCE, re.MULTILINE)
    return {name: " ".join(re.findall(r"#: (.*)", comment)) for comment, name in found}


def shown(each: Field[Any]) -> str:
    """A default, as one would write it in `.env`."""
    if each.name in _REQUIRED:
        return "required"
    if isinstance(each.default, bool):
        return "`yes`" if each.default else "`no`"
    return f"`{each.default}`" if each.default not in (MISSING, (), "") else ""


def test_every_setting_is_documented_as_it_is() -> None:
    rows = re.findall(rf"^\| `{PREFIX}(\w+)` \| (.*?) \| (.*) \|$", README, re.MULTILINE)
    meaning = meanings()
    known = [each for each in fields(Settings) if each.name not in BY_LANGUAGE.values()]
    assert rows == [(each.name.upper(), shown(each), meaning[each.name]) for each in known]


def test_every_command_is_named_and_no_other() -> None:
    rows = re.findall(r"^\| `\./blog mailroom ([^`]+)` \| (.*) \|$", README, re.MULTILINE)
    for command, (words, summary) in zip(COMMANDS, rows, strict=True):
        assert words.startswith(command.words)
        assert summary == command.summary
    options = {command.words: {each.name for each in command.options} for command in COMMANDS}
    used = re.findall(r"\./blog mailroom ([a-z-]+(?: (?:create|list|revoke))?)([^`\n]*)", README)
    assert len(used) > len(COMMANDS)
    for words, rest in used:
        assert words in options
        assert set(re.findall(r"--[a-z-]+", rest.partition("./blog")[0])) <= options[words] | {"--help"}


def test_the_api_is_documented_as_it_answers() -> None:
    text = README[README.index("## The API") : README.index("## Commands")]
    for status in api._STATUS.values():
        assert str(status) in text
    resources = {"": api._All, "/<key>": api._One, "/<key>/test": api._Test, "/<key>/start": api._Start,
                 "/<key>/stop": api._Stop}  # fmt: skip
    rows = re.findall(r"^\| `([A-Z]+) /mail/api/campaigns([^`?]*)[^`]*` \| `(\w+)` \|", text, re.MULTILINE)
    documented = {(method, path, scope) for method, path, scope in rows}
    assert documented == {
        (method, path, resource.scope)
        for path, resource in resources.items()
        for method in falcon.HTTP_METHODS
        if hasattr(resource, f"on_{method.lower()}")
    }
    names = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE))))
    assert {*submissions._REQUIRED, *submissions._OPTIONAL} <= names


def test_every_room_is_named() -> None:
    rooms = {path.name for path in (ROOT / "mailroom").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert set(re.findall(r"^\| `(\w+)/` \|", README, re.MULTILINE)) == rooms
