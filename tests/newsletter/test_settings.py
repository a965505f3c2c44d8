"""Settings: what is refused, with which remedy; secrets, which are shown nowhere; the README, which names them all."""

from __future__ import annotations

import ast
import re
from dataclasses import MISSING, fields
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from newsletter.errors import ConfigurationError
from newsletter.forms import find_contradiction
from newsletter.settings import SECRETS, Configuration, Secret, read_configuration, read_secrets

from tests.frontdoor.support import ROOT

README = ROOT / "plugins" / "newsletter" / "README.md"


def test_without_settings_nothing_is_composed() -> None:
    configuration = read_configuration({"SITENAME": "x"})
    assert configuration == Configuration()
    assert not configuration.composes


def test_values_are_read_as_settings_files_have_them() -> None:
    configuration = read_configuration(
        {
            "NEWSLETTER_SITE_ID": " example ",
            "NEWSLETTER_SINCE": date(2026, 11, 22),
            "NEWSLETTER_LISTS": {"en": 3, "fa": "4"},
            "NEWSLETTER_SENDER": {"fa": "ناشر <a@site.example>"},
            "NEWSLETTER_REPLY_TO": "office@site.example",
            "NEWSLETTER_SIGNUP": "",
        }
    )
    assert configuration.composes
    assert (configuration.site_id, configuration.first_day) == ("example", date(2026, 11, 22))
    assert configuration.lists == {"en": "3", "fa": "4"}
    assert (configuration.sender_in("fa"), configuration.sender_in("en")) == ("ناشر <a@site.example>", "")
    assert configuration.reply_to_in("en") == "office@site.example"
    assert configuration.signup is None


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("NEWSLETTER_SIGNUPS", "x", "unknown setting. Did you mean 'NEWSLETTER_SIGNUP'?"),
        ("NEWSLETTER_SINCE", "22 November", "use a day such as 2026-11-22"),
        ("NEWSLETTER_SITE_ID", "two\nlines", "on one line"),
        ("NEWSLETTER_MAX_PER_PUSH", True, "use a whole number"),
        ("NEWSLETTER_WAIT", -1, "use a whole number"),
        ("NEWSLETTER_HOLD", 8 * 24 * 3600, "seven days at most"),
        ("NEWSLETTER_SEND", "maybe", "use True or False; in the environment yes or no"),
        ("NEWSLETTER_LISTS", ["3"], "use a table by language"),
        ("NEWSLETTER_LISTS", {"fa": None}, "use a table by language"),
        ("NEWSLETTER_API", "http://lists.site.example/", "use an https address"),
        ("NEWSLETTER_API", "https://me:secret@lists.site.example/", "without a password"),
        ("NEWSLETTER_FORMER_API", "https://[", "use an address"),
        ("NEWSLETTER_PROVIDER", "../mailroom", "use the name of a mailing service"),
        ("NEWSLETTER_SIGNUP", "mail/subscribe", "a path of this site such as /mail/subscribe"),
        ("NEWSLETTER_SIGNUP", "//evil.example/", "a path of this site such as /mail/subscribe"),
        ("NEWSLETTER_SIGNUP", "http://lists.site.example/form", "use an https address"),
        ("NEWSLETTER_SIGNUP", "javascript:alert(1)", "use an https address"),
        ("NEWSLETTER_SIGNUP", "/mail/subscribe#form", "without spaces, quotes and #"),
        ("NEWSLETTER_SIGNUP", '/mail/"><script>', "without spaces, quotes and #"),
    ],
)
def test_what_cannot_be_meant_is_refused(name: str, value: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(said)) as caught:
        read_configuration({name: value})
    assert str(caught.value).startswith(f"{name} = ")
    assert caught.value.remedy


@pytest.mark.parametrize("name", ["NEWSLETTER_API", "NEWSLETTER_FORMER_API", "NEWSLETTER_SIGNUP"])
@pytest.mark.parametrize(
    "address", ["https://me:hunter2@a.example/", "https://:hunter2@a.example/", "https://me:hunter2@a.example:x/"]
)
def test_an_address_with_a_password_is_refused_unseen(name: str, address: str) -> None:
    with pytest.raises(ConfigurationError, match="use an") as caught:
        read_configuration({name: address})
    assert "hunter2" not in f"{caught.value} {caught.value!r}"


@pytest.mark.parametrize(
    "signup",
    ["elsewhere", "/mail/subscribe", "http://127.0.0.1:9000/subscription/form", "https://a.example/p?u=1&id=2"],
)
def test_forms_may_be_sent_to_addresses_and_paths(signup: str) -> None:
    assert read_configuration({"NEWSLETTER_SIGNUP": signup}).signup == signup


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_in_a_settings_file_is_refused_unseen(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"from the environment or from \.env") as caught:
        read_configuration({name: "hunter2"})
    assert "hunter2" not in f"{caught.value} {caught.value!r}"


def test_secrets_come_from_env_and_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)
    assert not any(read_secrets(tmp_path).values())
    (tmp_path / ".env").write_text("NEWSLETTER_TOKEN=of-the-file\nNEWSLETTER_FORMER_TOKEN=former\n", "utf-8")
    assert [secret.reveal() for secret in read_secrets(tmp_path).values()] == ["of-the-file", "former"]
    monkeypatch.setenv("NEWSLETTER_TOKEN", " of-the-environment ")
    secrets = read_secrets(tmp_path)
    assert secrets["NEWSLETTER_TOKEN"].reveal() == "of-the-environment"
    assert "of-the" not in f"{secrets} {secrets['NEWSLETTER_TOKEN']} {Configuration()}"
    assert (repr(Secret()), str(Secret("x"))) == ("''", "***")


@pytest.mark.parametrize(
    ("provider", "signup", "claimed", "said"),
    [
        ("mailroom", None, None, ""),
        ("mailroom", None, "mailroom", ""),
        ("mailroom", "/mail/subscribe", "mailroom", ""),
        ("listmonk", "elsewhere", "listmonk", ""),
        ("mailroom", "/mail/subscribe", None, "no letters are sent"),
        ("listmonk", "elsewhere", None, "no letters are sent"),
        ("listmonk", None, "mailroom", "mailroom sends the letters"),
        ("mailchimp", "https://a.example/p?u=1&id=2", "buttondown", "buttondown sends the letters"),
    ],
)
def test_the_privacy_page_must_name_who_sends(
    provider: str, signup: str | None, claimed: str | None, said: str
) -> None:
    found = find_contradiction(Configuration(provider=provider, signup=signup), claimed)
    assert bool(found) is bool(said)
    if found:
        assert said in found[0]
        assert f"PRIVACY_MAILING_SERVICE={provider}" in found[1]


def test_every_setting_is_documented_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(NEWSLETTER_\w+)` \| `(.+?)` \|", README.read_text("utf-8"), re.MULTILINE))
    known = {f"NEWSLETTER_{each.name.upper()}": each for each in fields(Configuration)}
    defaults = {name: {} if each.default is MISSING else each.default for name, each in known.items()}
    assert {name: ast.literal_eval(default) for name, default in rows.items()} == defaults


def test_the_example_of_settings_names_all_that_is_read_from_the_environment() -> None:
    named = set(re.findall(r"^(NEWSLETTER_\w+)=$", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE))
    read = set(re.findall(r'environment\.get\("(NEWSLETTER_\w+)"\)', (ROOT / "publishconf.py").read_text("utf-8")))
    assert named == read | set(SECRETS)
