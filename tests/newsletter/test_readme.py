"""The README says what the commands, the kinds and the services are."""

from __future__ import annotations

import argparse
import re
from typing import get_args

import pytest
from newsletter.campaigns import PARTS, Kind
from newsletter.commands import add_commands
from newsletter.preview import FOLDER, PATH
from newsletter.providers import PROVIDERS
from newsletter.settings import SECRETS

from tests.frontdoor.support import ROOT

README = (ROOT / "plugins" / "newsletter" / "README.md").read_text("utf-8")


def test_only_commands_and_options_that_exist_are_named() -> None:
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers()
    add_commands(subparsers, ROOT)
    newsletter = subparsers.choices["newsletter"]
    [action] = [each for each in newsletter._actions if isinstance(each, argparse._SubParsersAction)]
    known: dict[str, argparse.ArgumentParser] = dict(action.choices)
    named = re.findall(r"(?:\./blog newsletter|publishconf\.py) ([a-z]+)", README)
    assert set(named) == set(known)
    for command, option in re.findall(r"`(plan|draft|test|send|stop) (--[a-z]+)", README):
        assert option in known[command].format_help(), (command, option)
    assert all("--preview" in each.format_help() for each in known.values())


def test_every_kind_is_explained() -> None:
    part = README.partition("## What is mailed")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE)) == set(get_args(Kind))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_service_is_set_up(provider: str) -> None:
    part = README.partition("## Setting up a service")[2].partition("\n## ")[0]
    assert re.search(rf"^\*\*{provider}\W", part, re.MULTILINE | re.IGNORECASE)


def test_what_is_where_is_named_rightly() -> None:
    for expected in (*PARTS.values(), FOLDER.as_posix(), PATH, *SECRETS):
        assert f"`{expected}`" in README
