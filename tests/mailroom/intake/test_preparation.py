"""What the intake needs is made where it is missing, and what it cannot use keeps the mailroom from starting."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailroom.errors import ConfigurationError, StoreError
from mailroom.intake.receipts import Lookup
from mailroom.intake.submissions import open_intake
from mailroom.office import make_office, prepare_intake
from mailroom.service import check_parts
from mailroom.settings import Settings, read_settings
from mailroom.store.keyring import KINDS, Keyring, load_keyring, make_keyring, save_keyring
from tests.mailroom.intake.stores import make_expert
from tests.mailroom.offices import Watch, make_settings, run_command

EXPERT = make_expert()


def made(days: int) -> str:
    """The setting, for a key that was made so many days ago."""
    return f"{EXPERT.recipient.age} {datetime.now(UTC).date() - timedelta(days=days)}"


def without_receipts(ring: Keyring) -> Keyring:
    return Keyring({kind: {} if kind.startswith("receipt") else ring.keys[kind] for kind in KINDS})


def test_an_old_mailroom_gets_an_intake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = make_settings(tmp_path, intake_recipients=made(1))
    make_office(settings)
    old = without_receipts(make_keyring())
    save_keyring(old, Path(settings.key))
    with pytest.raises(ConfigurationError, match="mailroom migrate"):
        check_parts(settings, old)
    with pytest.raises(StoreError, match="mailroom migrate"):
        open_intake(settings, Watch().clock())
    environment = {"MAILROOM_INTAKE_RECIPIENTS": settings.intake_recipients}
    assert run_command(tmp_path, "migrate", **environment) == 0
    said = capsys.readouterr().out
    assert "keys for receipts" in said
    assert "intake.db: 001_intake." in said
    ring = load_keyring(Path(settings.key))
    assert all(ring.keys[kind] == old.keys[kind] for kind in ("data", "lookup", "token"))
    check_parts(settings, ring)
    open_intake(settings, Watch().clock())
    assert prepare_intake(settings) == []
    assert run_command(tmp_path, "migrate", **environment) == 0
    assert load_keyring(Path(settings.key)) == ring


def test_without_recipients_nothing_is_made(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    make_office(settings)
    assert run_command(tmp_path, "migrate") == 0
    assert not settings.intake_database.exists()
    check_parts(settings, without_receipts(make_keyring()))


def test_a_keyring_that_is_pasted_is_left_alone(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, intake_recipients=made(1), key="ask")
    make_office(settings)
    assert prepare_intake(settings) == [f"{settings.intake_database}: 001_intake."]
    with pytest.raises(ConfigurationError, match="receipt-salt"):
        Lookup(without_receipts(make_keyring()))


@pytest.mark.parametrize(
    ("days", "development", "refused"), [(180, False, False), (181, False, True), (999, True, False)]
)
def test_an_old_key_keeps_the_mailroom_from_starting(
    days: int, development: bool, refused: bool, settings: Settings
) -> None:
    old = replace(settings, intake_recipients=made(days), development=development)
    if not refused:
        check_parts(old, make_keyring())
        return
    with pytest.raises(ConfigurationError, match="181 days old"):
        check_parts(old, make_keyring())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RECIPIENTS", "age1canary"), ("RECIPIENTS", "AGE-SECRET-KEY-1CANARY 2026-11-01"), ("NOTICE", "expert"),
        ("NOTICE", "Expert <expert@practice.example>"), ("HOUR", "8"), ("HOUR", "24:00"), ("HOUR", "۰۸:۰۰"),
        ("MOST", "many"), ("ROOM", "-1"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_settings(tmp_path, {f"MAILROOM_INTAKE_{name}": value}, development=True)
    assert caught.value.setting == f"MAILROOM_INTAKE_{name}"
    assert caught.value.remedy
    assert "canary" not in str(caught.value).lower()


def test_a_form_that_cannot_be_left_is_refused(tmp_path: Path) -> None:
    environment = {
        "MAILROOM_URL": "https://practice.example/mail/",
        "MAILROOM_SENDER": "letters@practice.example",
        "MAILROOM_BOUNCE_DOMAIN": "bounces.practice.example",
        "MAILROOM_DKIM_KEY": "relay",
        "MAILROOM_BACKUP_RECIPIENT": made(1).split()[0],
        "MAILROOM_RELAY": "smtp://127.0.0.1:25",
        "MAILROOM_INTAKE_RECIPIENTS": made(1),
    }
    with pytest.raises(ConfigurationError, match="MAILROOM_EXIT"):
        read_settings(tmp_path, environment)
    assert read_settings(tmp_path, {**environment, "MAILROOM_EXIT": "https://weather.example/"}).exit


def test_settings_are_read(tmp_path: Path) -> None:
    environment = {
        "MAILROOM_INTAKE_RECIPIENTS": f"{made(3)}, {make_expert().recipient.age} 2026-11-22",
        "MAILROOM_INTAKE_NOTICE": "one@practice.example, other@practice.example",
        "MAILROOM_INTAKE_HOUR": "23:59",
    }
    settings = read_settings(tmp_path, environment, development=True)
    assert settings.intake_notice == ("one@practice.example", "other@practice.example")
    assert settings.intake_recipients == environment["MAILROOM_INTAKE_RECIPIENTS"]
    assert settings.intake_database == tmp_path / "var/mailroom/intake.db"
    assert (settings.intake_most, settings.intake_room, settings.intake_hour) == (2000, 2048, "23:59")
