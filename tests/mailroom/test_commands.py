"""`./blog mailroom …`: what each command does, says and refuses."""

from __future__ import annotations

import argparse
import io
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailroom import commands
from mailroom.campaigns.api_tokens import LIFE, LONGEST, SCOPES, ApiTokens
from mailroom.campaigns.campaigns import Campaigns
from mailroom.clock import Clock
from mailroom.delivery import pauses
from mailroom.errors import CampaignClosed, ConfigurationError, MailroomError, SchemaOutdated, StoreError
from mailroom.office import Office, open_office
from mailroom.people.requests import Request
from mailroom.settings import read_settings
from mailroom.store.database import connect
from mailroom.store.facts import LAST_BACKUP, may_deliver, set_fact
from mailroom.store.keyring import load_keyring, parse_keyring
from tests.mailroom.readers import add_readers, draft, set_letters, start

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("babel", "cryptography", "dns", "dotenv", "email_validator", "falcon", "jinja2", "nh3", "pyrage", "sqlite3",
         "waitress")  # fmt: skip


@pytest.fixture
def blog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """The commands, in a folder without settings."""
    for name in ("MAILROOM_KEY", "MAILROOM_DATA"):
        monkeypatch.delenv(name, raising=False)
    parser = argparse.ArgumentParser(prog="blog")
    commands.add_commands(parser.add_subparsers(), tmp_path)

    def run(*words: str) -> int:
        args = parser.parse_args(["mailroom", *words])
        return int(args.run(args))

    return run


@pytest.fixture
def office(blog: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Office]:
    blog("init")
    capsys.readouterr()
    with open_office(read_settings(tmp_path, {}, development=True)) as opened:
        yield opened


def test_the_commands_answer_before_anything_large_is_loaded() -> None:
    program = (
        "import argparse, sys; from pathlib import Path; from mailroom.commands import add_commands\n"
        "add_commands(argparse.ArgumentParser().add_subparsers(), Path())\n"
        f"print(*(name for name in {HEAVY} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_every_command_has_a_help_of_its_own(blog: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert len(commands.COMMANDS) > 8
    for command in commands.COMMANDS:
        with pytest.raises(SystemExit) as ended:
            blog(*command.words.split(), "--help")
        assert ended.value.code == 0
        assert " ".join(command.summary.split()[1:]) in " ".join(capsys.readouterr().out.split())
        assert command.run.__doc__
    assert blog() == blog("token") == 0
    assert "create" in capsys.readouterr().out


def test_init_makes_what_is_missing_and_touches_nothing_else(
    blog: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blog("init")
    key, database = tmp_path / "var/mailroom.key", tmp_path / "var/mailroom/mailroom.db"
    said = capsys.readouterr().out
    assert str(key) in said
    assert str(database) in said
    assert (key.stat().st_mode | database.stat().st_mode) & 0o077 == 0
    before = key.read_bytes(), database.read_bytes()
    blog("init")
    assert "nothing was changed" in capsys.readouterr().out
    assert (key.read_bytes(), database.read_bytes()) == before
    key.unlink()
    blog("init")
    assert not key.exists()  # a new key would open nothing


def test_a_keyring_that_is_asked_for_is_shown_once_and_kept_nowhere(
    blog: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAILROOM_KEY", "ask")
    blog("init")
    ring = capsys.readouterr().out.partition(str(tmp_path))[0]
    assert parse_keyring(ring)
    assert not (tmp_path / "var/mailroom.key").exists()
    settings = read_settings(tmp_path, {"MAILROOM_KEY": "ask"}, development=True)
    monkeypatch.setattr(sys, "stdin", io.StringIO(ring))
    pasted = commands.find_keyring(settings)
    assert pasted
    assert pasted == parse_keyring(ring)
    open_office(settings, ring=pasted).close()


def test_a_database_that_is_behind_is_brought_to_the_newest_version(
    blog: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(StoreError, match="mailroom init"):
        blog("migrate")
    blog("init")
    blog("migrate")
    assert "of the newest version already" in capsys.readouterr().out
    path = tmp_path / "var/mailroom/mailroom.db"
    path.unlink()
    connect(path).close()
    with pytest.raises(SchemaOutdated, match="mailroom migrate"):
        blog("status")
    blog("migrate")
    assert "001_mailroom" in capsys.readouterr().out
    assert blog("status") == 0


def test_status_says_how_things_stand_and_names_nobody(
    blog: Callable[..., int], office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    blog("status")
    empty = capsys.readouterr().out
    assert re.search(r"Delivery: +on\n", empty)
    assert re.search(r"Last backup: +never: \./blog mailroom backup", empty)
    assert empty.count("  none\n") == 3
    readers = add_readers(office, [{"langs": "fa,en"}] * 3 + [{"state": "unconfirmed"}])
    start(office, draft(office, "fa"))
    set_letters(office, "fa-post", "sent", readers[0])
    start(office, draft(office, "en", "held"), hold=3600)
    draft(office, "ar")
    office.requests.store(Request("subscribe", "en", "reader@reader.example"))
    until = int(office.clock.now()) + 900

    def work(connection: object) -> None:
        pauses.pause(connection, pauses.RELAY, until, "451 4.3.0")  # type: ignore[arg-type]
        pauses.pause(connection, b"\xab" * 32, until, "550 5.7.1", "fa-post")  # type: ignore[arg-type]
        set_fact(connection, LAST_BACKUP, "20400")  # type: ignore[arg-type]

    office.database.write(work)
    blog("status")
    said = capsys.readouterr().out
    for line in (
        r"Requests waiting: +1", r"Last backup: +2025-11-08", r"  +confirmed +unconfirmed +unsubscribed",
        r"  en +0 +1 +0", r"  fa +3 +0 +0", r"  all +3 +1 +0", r"  ar-post +draft", r"  en-held +held until 20.* UTC.*",
        r"  fa-post +started +2 pending, 1 sent", r"  the relay +until 20.* UTC +451 4.3.0",
        r"  domain abababab +until 20.* UTC +550 5.7.1 +fa-post",
    ):  # fmt: skip
        assert re.search(f"^{line}$", said, re.MULTILINE), line
    assert "@" not in said


def test_delivery_is_turned_off_and_on(
    blog: Callable[..., int], office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    blog("delivery", "off")
    assert "Delivery is off" in capsys.readouterr().out
    with office.database.snapshot() as connection:
        assert not may_deliver(connection)
    blog("status")
    assert "./blog mailroom delivery on" in capsys.readouterr().out
    add_readers(office, [{}])
    key = draft(office, "en")
    with pytest.raises(CampaignClosed, match="mailroom delivery on"):
        start(office, key)
    office.database.write(lambda connection: pauses.pause(connection, pauses.RELAY, 2**31, "535 5.7.8"))
    blog("delivery", "on")
    assert "Delivery is on; pauses ended: 1." in capsys.readouterr().out
    start(office, key)
    office.database.write(lambda connection: connection.execute("UPDATE campaigns SET state = 'paused'"))
    blog("delivery", "on")
    assert "en-post; have each go on with `resend --unknown KEY`" in capsys.readouterr().err


def test_unknown_letters_are_sent_again(
    blog: Callable[..., int], office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    add_readers(office, [{}] * 2)
    start(office, draft(office, "en"))
    set_letters(office, "en-post", "unknown")
    blog("resend", "--unknown", "en-post")
    assert "en-post: letters that wait again: 2" in capsys.readouterr().out
    assert Campaigns(office.database, office.clock).get("en-post").letters == {"pending": 2}
    with pytest.raises(MailroomError, match="no campaign fa-post"):
        blog("resend", "--unknown", "fa-post")


def test_tokens_are_made_listed_and_revoked(
    blog: Callable[..., int], office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    blog("token", "list")
    assert "There is no token" in capsys.readouterr().out
    blog("token", "create", "ci", "--scope", "draft", "--days", "7")
    said = capsys.readouterr()
    token = said.out.strip()
    assert "shown once" in said.err
    tokens = ApiTokens(office.database, Clock())
    found = tokens.find(token)
    assert found
    assert (found.name, found.scope, found.expires) == ("ci", "draft", Clock().today() + 7)
    blog("token", "list")
    assert re.match(r"ci +draft +good +until 20", listed := capsys.readouterr().out)
    assert token not in listed
    blog("token", "revoke", "ci")
    assert "ci" in capsys.readouterr().out
    assert tokens.find(token) is None
    blog("token", "list")
    assert re.match(r"ci +draft +revoked ", capsys.readouterr().out)


def test_the_help_of_tokens_says_what_holds() -> None:
    create = next(command for command in commands.COMMANDS if command.words == "token create")
    options = {each.name: each.values for each in create.options}
    assert options["--scope"]["choices"] == SCOPES
    assert options["--days"]["default"] == LIFE
    assert str(LONGEST) in options["--days"]["help"]


def test_run_asks_for_all_settings(blog: Callable[..., int], office: Office) -> None:
    assert load_keyring(Path(office.settings.key))
    with pytest.raises(ConfigurationError, match="MAILROOM_URL"):
        blog("run")
