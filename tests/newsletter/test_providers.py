"""Providers as the rest of the plugin opens them, and what the README says that each can do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from newsletter.errors import ConfigurationError
from newsletter.providers import PROVIDERS, Access, Feature, make_form, open_provider
from newsletter.settings import Configuration, Secret

README = Path(__file__).resolve().parents[2] / "plugins" / "newsletter" / "README.md"
ACCESS = Access("http://127.0.0.1:9/api/", Secret("user:token-us1"), {}, "0a1b2c3d")


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_readme_says_what_a_service_can_do(name: str) -> None:
    with_pipes = re.findall(r"^\|(.+)\|$", README.read_text("utf-8"), re.MULTILINE)
    rows = [[cell.strip() for cell in row.split("|")] for row in with_pipes]
    head = next(row for row in rows if row[1:] and [cell.lower() for cell in row[1:]] == list(PROVIDERS))
    said = {match[1]: row for row in rows if (match := re.match(r"`(\w+)`: ", row[0]))}
    assert tuple(said) == get_args(Feature)
    provider = open_provider(name, ACCESS)
    provider.close()
    column = [cell.lower() for cell in head].index(name)
    assert {feature for feature, row in said.items() if row[column].startswith("yes")} == provider.features
    assert all(re.match("(yes|no)(, .+)?$", row[column]) for row in said.values())


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_service_names_itself_as_the_setting_does(name: str) -> None:
    provider = open_provider(name, ACCESS)
    assert provider.name == name
    provider.close()


@pytest.mark.parametrize("token", ["a b", "a\nb", "ключ", "tok\u200ben", "x" * 20 + "\r"])
def test_a_token_that_is_none_is_not_quoted(token: str) -> None:
    for setting, named in (
        ("NEWSLETTER_API", "NEWSLETTER_TOKEN"),
        ("NEWSLETTER_FORMER_API", "NEWSLETTER_FORMER_TOKEN"),
    ):
        with pytest.raises(ConfigurationError, match=rf"{named} = \*\*\*: use the token") as caught:
            open_provider("mailroom", Access("", Secret(token), {}, "0a1b2c3d", setting=setting))
        assert token not in str(caught.value)


@pytest.mark.parametrize("name", ["mailgun", "json"])
def test_a_service_that_nobody_knows(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"NEWSLETTER_FORMER_PROVIDER = '{name}'.*mailroom, listmonk"):
        open_provider(name, ACCESS, setting="NEWSLETTER_FORMER_PROVIDER")


def test_a_provider_of_the_site_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "letters_by_pigeon.py").write_text("from newsletter.providers.mailroom import open_provider\n")
    monkeypatch.syspath_prepend(tmp_path)
    provider = open_provider("letters_by_pigeon", ACCESS)
    assert provider.name == "mailroom"
    provider.close()
    with pytest.raises(ConfigurationError, match="a module with `make_form`"):
        make_form(Configuration(provider="letters_by_pigeon", signup="https://news.example/"))
