"""`./blog intake …` as an expert uses it: keys, what waits, opening it, and what then stands on the disk."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import shlex
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pyrage
import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mailroom.errors import StoreError
from mailroom.expert.identity import _write_new, files, make_key, open_keys, public_names
from mailroom.intake.forms import Attachment, Submission
from mailroom.intake.sealing import read_recipients
from mailroom.settings import Secret
from tests.frontdoor.support import ROOT, run_blog
from tests.mailroom.intake.practice import MESSAGE, OTHER, PASSPHRASE, Practice, practising, run_intake
from tests.mailroom.intake.stores import lookup_of
from tests.translators.sites import Site, call
from tests.translators.test_exchange import ALL, BODY, fill_in, make_kit

TODAY = datetime.now(UTC).date()


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Practice]:
    with practising(tmp_path) as made:
        yield made


# Keys


def test_a_key_is_made_and_protected(tmp_path: Path) -> None:
    code, out, said = run_intake(tmp_path, "keygen", stdin=PASSPHRASE + "\n")
    assert code == 0
    [recipient] = read_recipients(out.strip())
    assert recipient.since == TODAY
    path = tmp_path / "var" / "intake" / "identity.age"
    assert "MAILROOM_INTAKE_RECIPIENTS" in said
    assert f"{path} is the private half" in said
    assert b"AGE-SECRET-KEY" not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    [key] = open_keys(path, lambda: Secret(PASSPHRASE))
    assert (key.recipient, key.since, key.is_protected) == (recipient.age, TODAY, True)
    assert public_names(path) == {recipient.age}


def seal_quickly(content: bytes, passphrase: str) -> bytes:
    """What `age` writes with a passphrase, but for how slow its hash is (https://age-encryption.org/v1)."""

    def encode(octets: bytes) -> bytes:
        return base64.b64encode(octets).rstrip(b"=")

    def derive(salt: bytes, info: bytes) -> bytes:
        return HKDF(SHA256(), 32, salt, info).derive(key)

    key, salt, nonce = os.urandom(16), os.urandom(16), os.urandom(16)
    label = b"age-encryption.org/v1"
    wrapping = hashlib.scrypt(passphrase.encode(), salt=label + b"/scrypt" + salt, n=4, r=8, p=1, dklen=32)
    body = encode(ChaCha20Poly1305(wrapping).encrypt(bytes(12), key, None))
    header = b"%b\n-> scrypt %b 2\n%b\n---" % (label, encode(salt), body)
    mac = encode(hmac.digest(derive(b"", b"header"), header, "sha256"))
    sealed = ChaCha20Poly1305(derive(nonce, b"payload")).encrypt(bytes(11) + b"\x01", content, None)
    return header + b" " + mac + b"\n" + nonce + sealed


def test_a_further_key_leaves_the_others_and_has_their_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "identity.age"
    first = seal_quickly(f"# created: 2026-09-01\n{OTHER}\n".encode(), PASSPHRASE)
    path.write_bytes(first)
    code, out, said = run_intake(tmp_path, "keygen", stdin="another passphrase\n", MAILROOM_INTAKE_IDENTITY=str(path))
    assert (code, out) == (1, "")
    assert "the passphrase does not open it" in said
    assert files(path) == [path]

    newer, _ = make_key(path, Secret(PASSPHRASE), date(2026, 12, 1))
    assert newer.name == "identity-2026-12-01.age"
    assert path.read_bytes() == first, "the old one stays as it was"
    with pytest.raises(StoreError):
        _write_new(path, b"another")


def test_all_keys_are_opened_the_newest_first_and_asked_for_once(tmp_path: Path) -> None:
    keys = {date(2026, 9, 1): OTHER, date(2026, 12, 1): pyrage.x25519.Identity.generate()}
    for name, (since, identity) in zip(("identity.age", "identity-2026-12-01.age"), keys.items(), strict=True):
        (tmp_path / name).write_bytes(seal_quickly(f"# created: {since}\n{identity}\n".encode(), PASSPHRASE))
    asked: list[int] = []

    def ask() -> Secret:
        asked.append(1)
        return Secret(PASSPHRASE)

    opened = open_keys(tmp_path / "identity.age", ask)
    assert [(key.since, key.recipient) for key in opened] == [
        (since, str(identity.to_public())) for since, identity in reversed(keys.items())
    ]
    assert asked == [1]
    assert PASSPHRASE not in repr(opened)
    assert "AGE-SECRET" not in repr(opened)


@pytest.mark.parametrize("typed", ["", "short\n", "eleven char\n"])
def test_a_passphrase_that_protects_nothing_is_refused(tmp_path: Path, typed: str) -> None:
    code, out, said = run_intake(tmp_path, "keygen", stdin=typed)
    assert (code, out) == (1, "")
    assert "12 characters or more" in said
    assert not list(tmp_path.iterdir())


def test_the_newest_key_comes_first(tmp_path: Path) -> None:
    names = ["identity.age", "identity-2026-11-22.age", "identity-2026-11-22-2.age", "identity-2026-11-22-10.age",
             "identity-2026-12-01.age"]  # fmt: skip
    for name in (*names, "identity-2026-12-01.pub", "identity-x.age", "other.age", "identity-2027-01-01.age.bak"):
        (tmp_path / name).write_text("")
    assert [path.name for path in files(tmp_path / "identity.age")] == names[::-1]


def test_without_a_key_nothing_is_asked_for(practice: Practice) -> None:
    (practice.expert / "var" / "intake" / "identity.age").unlink()
    code, _, said = practice.run("open")
    assert code == 1
    assert "./blog intake keygen" in said


# What waits


def test_what_waits_is_listed_with_the_key_that_opens_it(practice: Practice) -> None:
    assert practice.run("list") == (0, "Nothing waits.\n", "")
    identity = practice.send(MESSAGE)
    path = practice.expert / "var" / "intake" / "identity.age"

    def line(key: str) -> str:
        code, out, _ = practice.run("list")
        assert code == 0
        assert out.endswith("\n1 waits. Open: ./blog intake open\n")
        expected = f"{TODAY}     8 KiB  stored   {key:<30}  {identity}"
        return out.partition("\n")[0].replace(expected, "as expected")

    assert line(f"your key of {TODAY}") == "as expected", "without a passphrase it says itself"
    path.write_bytes(b"age-encryption.org/v1\n")
    assert line(f"no key known here ({practice.house.store.list()[0].key})") == "as expected"
    path.with_suffix(".pub").write_text(f"{practice.house.identity.to_public()} {TODAY}\n")
    assert line(f"your key of {TODAY}") == "as expected"
    practice.house.store.discard(identity)
    practice.house.given |= {"intake_recipients": f"{OTHER.to_public()} {TODAY}"}
    identity = practice.send(MESSAGE)
    assert line(f"an earlier key ({practice.house.store.list()[0].key})") == "as expected"


def test_what_waits_is_opened_stored_and_acknowledged(practice: Practice) -> None:
    first, second = practice.send(MESSAGE, "first"), practice.send(MESSAGE, "second")
    code, out, said = practice.run("open", first)
    assert (code, out, said) == (0, f"{practice.folder / f'{TODAY}-1'}: report\n", "")
    folder = practice.folder / f"{TODAY}-1"
    assert {path.name for path in folder.iterdir()} == {".about", "letter.txt", "attachment-1.pdf", "attachment-2.bin"}
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (folder, practice.folder)} == {0o700}
    states = [practice.house.store.state(lookup_of(name)) for name in ("first", "second")]
    assert states == ["acknowledged", "stored"]
    assert "سلام" not in out + said

    code, out, _ = practice.run("open", "--keep")
    assert out == f"{practice.folder / f'{TODAY}-2'}: report\n"
    assert practice.house.store.state(lookup_of("second")) == "fetched"
    assert practice.run("open", "--keep")[1] == out, "it is there already"
    assert practice.run("acknowledge", second)[0] == 0
    assert practice.house.store.state(lookup_of("second")) == "acknowledged"
    assert practice.run("open") == (0, "Nothing waits.\n", "")
    code, _, said = practice.run("acknowledge", "0" * 32)
    assert (code, "Open it first" in said) == (1, True)


def test_what_is_deleted_unread_is_gone(practice: Practice) -> None:
    identity = practice.send(MESSAGE, "gone")
    assert practice.run("delete", identity) == (0, "It is deleted from the server.\n", "")
    assert practice.house.store.state(lookup_of("gone")) is None
    assert "no such submission" in practice.run("delete", identity)[2]
    with pytest.raises(SystemExit):
        practice.run("delete", "../../x")


def test_what_no_key_opens_is_kept_sealed_and_not_acknowledged(practice: Practice) -> None:
    identity = practice.send(MESSAGE, "kept")
    path = practice.expert / "var" / "intake" / "identity.age"
    path.write_text(f"{OTHER}\n")
    for _ in range(2):
        code, out, said = practice.run("open")
        assert (code, out) == (1, "")
        assert "None of the keys on this machine opens it" in said
    assert practice.house.store.state(lookup_of("kept")) == "fetched"
    [sealed] = (practice.folder / "sealed").iterdir()
    assert sealed.stat().st_size == 8192
    practice.house.store.discard(identity)  # it has expired meanwhile
    (path.parent / "identity-2026-12-01.age").write_text(f"{practice.house.identity}\n")
    code, out, _ = practice.run("open")
    assert (code, out) == (0, f"{practice.folder / f'{TODAY}-1'}: report\n")
    assert not list((practice.folder / "sealed").iterdir())


def test_one_that_fails_keeps_none_of_the_others_from_being_opened(practice: Practice) -> None:
    practice.house.given |= {"intake_recipients": f"{OTHER.to_public()} {TODAY}"}
    practice.send(MESSAGE)
    practice.house.given |= {"intake_recipients": f"{practice.house.identity.to_public()} {TODAY}"}
    for _ in range(2):
        practice.send(MESSAGE)
    code, out, said = practice.run("open")
    assert (code, out.count(": report"), said.count("None of the keys")) == (1, 2, 1)
    assert len(practice.house.store.list()) == 1


def test_what_lies_open_is_said_although_the_server_does_not_take_the_acknowledgement(practice: Practice) -> None:
    """The octets that follow age's file can be changed without anybody's noticing, but for the server."""
    identity = practice.send(MESSAGE)
    with practice.house.store.transaction() as connection:
        [[blob]] = connection.execute("SELECT sealed FROM submissions").fetchall()
    code, _, _ = practice.run("open", "--keep")
    with practice.house.store.transaction() as connection:
        connection.execute("UPDATE submissions SET sealed = ?", (blob[:-1] + bytes([blob[-1] ^ 1]),))
    code, out, said = practice.run("open")
    assert (code, out) == (1, f"{practice.folder / f'{TODAY}-1'}: report\n")
    assert "other octets of this submission" in said
    assert [each.id for each in practice.house.store.list()] == [identity]


def test_a_second_program_waits_its_turn(practice: Practice) -> None:
    from mailroom.expert.inbox import Inbox

    practice.send(MESSAGE)
    with Inbox(practice.folder):
        code, _, said = practice.run("open")
    assert (code, "another ./blog intake is at work" in said) == (1, True)
    assert practice.run("open")[0] == 0


def test_a_full_disk_loses_nothing(practice: Practice) -> None:
    import resource

    practice.send(Submission("report", "en", (("message", "x"),), (Attachment("bin", os.urandom(400_000)),)))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limits[1]))
    try:
        code, out, said = practice.run("open")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (code, out) == (1, "")
    assert "Make room" in said
    assert practice.run("open")[0] == 0
    assert practice.house.store.list() == []


# Translations


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path / "site")
    made.write("en", header="Summary: A summary.\n", body=BODY)
    return made


def take_in(practice: Practice, site: Site) -> int:
    """Open what waits, and run exactly what is printed."""
    code, out, said = practice.run("open", "--keep")
    assert code == 0, said
    assert practice.run("open")[1] == out, "it is there already, and said again"
    assert practice.house.store.list() == []
    command = next(line.strip() for line in out.splitlines() if "./blog import" in line)
    program, *words = shlex.split(command)
    assert program == "./blog"
    return call(site, *words)


def test_a_kit_goes_straight_into_import(practice: Practice, site: Site) -> None:
    path = make_kit(site)
    fill_in(path, **ALL)
    practice.send(Submission("translation", "fa", (), (Attachment("html", path.read_bytes()),)))
    assert take_in(practice, site) == 0
    text = (site.content / "articles" / "fa" / "flight.md").read_text("utf-8")
    assert text.startswith("Title: گریز\n")


def test_a_text_that_was_typed_goes_straight_into_import(practice: Practice, site: Site) -> None:
    fields = (("key", "https://site.example/en/flight/"), ("target_language", "فارسی"),
              ("message", "# گریز\n\nزندان سال ۲۰۲۴، فهرست.\n\n- یک مورد."))  # fmt: skip
    practice.send(Submission("translation", "fa", fields))
    assert take_in(practice, site) == 0
    text = (site.content / "articles" / "fa" / "flight.md").read_text("utf-8")
    assert text.startswith("Title: گریز\n")
    assert "\nTranslated_from: en\n" in text


# The front door


def test_the_front_door_has_it() -> None:
    result = run_blog(
        ROOT, "intake", "list", MAILROOM_INTAKE_API="http://site.example/", MAILROOM_INTAKE_TOKEN="secret-x"
    )
    assert result.returncode == 1
    assert "MAILROOM_INTAKE_API = 'http://site.example/': use an https address" in result.stderr
    assert "secret-x" not in result.stderr


def test_the_preview_is_that_of_a_running_serve(practice: Practice) -> None:
    code, _, said = practice.run("list", "--preview", MAILROOM_INTAKE_API="", MAILROOM_INTAKE_TOKEN="")
    assert (code, "Run `./blog serve`" in said) == (1, True)
    key = practice.expert / "var" / "intake.identity"
    key.write_text(f"{practice.house.identity}\n")
    (practice.expert / "var" / "intake.env").write_text(
        f"MAILROOM_INTAKE_API={practice.api}\nMAILROOM_INTAKE_TOKEN={practice.token}\nMAILROOM_INTAKE_IDENTITY={key}\n"
    )
    practice.send(MESSAGE)
    code, out, _ = practice.run("open", "--preview", MAILROOM_INTAKE_API="", MAILROOM_INTAKE_TOKEN="")
    assert (code, out) == (0, f"{practice.expert / 'var/intake/preview' / f'{TODAY}-1'}: report\n")
