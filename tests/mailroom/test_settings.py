"""Settings: unknown names, wrong values and missing ones are named, with the remedy and without secrets."""

from __future__ import annotations

import traceback
from dataclasses import fields
from pathlib import Path

import pytest

from mailroom.errors import ConfigurationError
from mailroom.settings import PREFIX, Secret, Settings, read_settings
from tests.mailroom.offices import make_age_key

RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
PRODUCTION = {
    "MAILROOM_URL": "https://news.example/mail/",
    "MAILROOM_SENDER": "letters@news.example",
    "MAILROOM_BOUNCE_DOMAIN": "bounces.news.example",
    "MAILROOM_DKIM_KEY": "relay",
    "MAILROOM_RELAY": "smtps://relay.example:465",
    "MAILROOM_BACKUP_RECIPIENT": RECIPIENT,
}


def read(folder: Path, **more: str) -> Settings:
    return read_settings(folder, PRODUCTION | {PREFIX + name: value for name, value in more.items()})


def test_production_reads_what_is_set_and_nothing_else(tmp_path: Path) -> None:
    settings = read(
        tmp_path, MIRRORS="https://a.example/, https://b.example/", WARM_UP="50,100", API_PUBLIC="yes",
        TRUSTED_PROXIES="127.0.0.1, fd00::/8", NAME_FA="حقوق بشر", NAME_ZH_HANS="人权", NAME_PT_BR="Os Direitos",
    )  # fmt: skip
    assert settings.mirrors == ("https://a.example/", "https://b.example/")
    assert settings.warm_up == (50, 100)
    assert settings.api_public is True
    assert [str(network) for network in settings.trusted_proxies] == ["127.0.0.1/32", "fd00::/8"]
    assert settings.names == {"fa": "حقوق بشر", "zh-Hans": "人权", "pt-BR": "Os Direitos"}
    assert settings.name_in("fa") == "حقوق بشر"
    assert settings.name_in("fr") == "The Human Rights"
    assert settings.data == tmp_path / "var/mailroom"
    assert settings.database == tmp_path / "var/mailroom/mailroom.db"
    assert settings.key == str(tmp_path / "var/mailroom.key")
    assert settings.domain == "news.example"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MAILROOM_RATE=3\nMAILROOM_DAILY_CAP=500\nMAILROOM_DIGEST=\nOTHER=1\n")
    settings = read(tmp_path, RATE="7")
    assert (settings.rate, settings.daily_cap, settings.digest) == (7, 500, "sunday 08:00")


@pytest.mark.parametrize("name", ["URL", "SENDER", "BOUNCE_DOMAIN", "DKIM_KEY", "RELAY", "BACKUP_RECIPIENT"])
def test_what_is_required_outside_development_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, **{name: ""})
    assert caught.value.setting == PREFIX + name
    assert caught.value.remedy
    read_settings(tmp_path, {}, development=True)


def test_an_unknown_name_is_refused_with_the_nearest_and_without_its_value(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="did you mean MAILROOM_RELAY_PASSWORD") as caught:
        read(tmp_path, RELAY_PASWORD="correct horse")
    assert "correct horse" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("URL", "http://news.example/mail/"), ("URL", "https://news.example/mail"), ("URL", "https://"),
        ("URL", "https://news.example/mail/?a=b"), ("URL", "https://user@news.example/"), ("URL", "mail/"),
        ("SENDER", "Letters <letters@news.example>"), ("REPLY_TO", "nobody"), ("RELAY", "relay.example"),
        ("RELAY", "http://relay.example"), ("DIGEST", "someday 08:00"), ("DIGEST", "sunday 24:00"),
        ("BOUNCES", "pop3"), ("BOUNCES", "imap"), ("BOUNCES", "maildir"), ("RATE", "-1"), ("RATE", "many"),
        ("WARM_UP", "50,,x"), ("API_PUBLIC", "perhaps"), ("TRUSTED_PROXIES", "10.0.0.0/33"),
        ("KEY", "var/mailroom/mailroom.key"), ("KEY", "var/other/../mailroom/mailroom.key"),
        ("BACKUP_RECIPIENT", "age1"), ("BACKUP_RECIPIENT", "ssh-ed25519 AAAA"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, **{name: value})
    assert caught.value.setting.startswith(PREFIX)
    assert caught.value.remedy


def test_an_onion_needs_no_certificate(tmp_path: Path) -> None:
    url = f"http://{'a' * 56}.onion/mail/"
    assert read(tmp_path, URL=url).url == url


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RELAY", "smtps://letters:correct-horse@relay.example:465"),
        ("URL", "https://letters:correct-horse@news.example/"),
        ("BOUNCE_IMAP", "imaps://letters:correct-horse@mail.example"),
        ("PROBE_IMAP", "imaps://letters:correct-horse@mail.example"),
    ],
)
def test_a_password_in_the_wrong_place_is_not_repeated(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, **{name: value})
    assert "correct-horse" not in str(caught.value)
    assert caught.value.setting == PREFIX + name


def test_the_secret_half_of_an_age_key_is_refused_and_not_repeated(tmp_path: Path) -> None:
    identity = make_age_key().identity
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, BACKUP_RECIPIENT=identity)
    assert identity not in "".join(traceback.format_exception(caught.value))


def test_secrets_are_shown_as_stars(tmp_path: Path) -> None:
    settings = read(tmp_path, RELAY_PASSWORD="correct horse", BOUNCE_PASSWORD="battery staple")
    assert "correct" not in repr(settings)
    assert "battery" not in f"{settings}"
    assert settings.relay_password.reveal() == "correct horse"
    assert settings.relay_password
    assert not settings.probe_password
    assert [each.name for each in fields(Settings) if "password" in each.name and each.type != "Secret"] == []
    assert f"{Secret('correct horse')!s}" == "***"


def test_the_way_out_of_pages_may_differ_by_language(tmp_path: Path) -> None:
    environment = {"MAILROOM_EXIT": "https://weather.example/", "MAILROOM_EXIT_FA": "https://hava.example/"}
    settings = read_settings(tmp_path, environment, development=True)
    assert (settings.exit_in("en"), settings.exit_in("fa")) == ("https://weather.example/", "https://hava.example/")
    for wrong in ("javascript:alert(1)", "http://weather.example/", "weather", "https://a b/", 'https://a/"x'):
        with pytest.raises(ConfigurationError, match="MAILROOM_EXIT_FA"):
            read_settings(tmp_path, {"MAILROOM_EXIT_FA": wrong}, development=True)
