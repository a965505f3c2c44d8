"""`./blog mailroom dns`: what it prints is a zone file, and published as it stands it contents the doctor."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dns.rdatatype
import dns.resolver
import dns.zone
import pytest

from mailroom.commands import add_commands, follow_publish
from mailroom.doctor import Finding, look_at_dkim, look_at_dmarc, look_at_return_path, look_at_spf
from mailroom.errors import ConfigurationError
from mailroom.letters.dkim import make_key
from mailroom.names import Kind
from mailroom.settings import Settings, read_settings
from mailroom.zone import write_summary, write_zone

OURS = {
    "MAILROOM_URL": "https://example.org/mail/",
    "MAILROOM_SENDER": "letters@example.org",
    "MAILROOM_BOUNCE_DOMAIN": "bounces.example.org",
    "MAILROOM_RELAY": "smtps://mail.example.org:465",
    "MAILROOM_BOUNCES": "imap",
    "MAILROOM_BOUNCE_IMAP": "imaps://bounces@mail.example.org:993",
}


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "dkim.pem"
    path.write_bytes(make_key())
    return path


def read(folder: Path, **settings: str) -> Settings:
    return read_settings(
        folder, OURS | {f"MAILROOM_{name}": value for name, value in settings.items()}, development=True
    )


@dataclass
class Published:
    """A zone file, as a name server has understood it."""

    zone: dns.zone.Zone

    def find(self, name: str, kind: Kind) -> list[str]:
        if (name, kind) == ("mail.example.org", "A"):
            return ["192.0.2.1"]
        found = self.zone.get_rdataset(f"{name}.", kind)
        records = list(found) if found else []
        if kind == "MX":
            return [record.exchange.to_text(omit_final_dot=True) for record in records]
        return [b"".join(record.strings).decode() for record in records]

    def examine(self, settings: Settings) -> Iterator[Finding]:
        for check in (look_at_spf, look_at_dkim, look_at_dmarc, look_at_return_path):
            yield from check(settings, self)


def publish(text: str) -> Published:
    return Published(dns.zone.from_text(f"$TTL 300\n{text}", origin=".", relativize=False, check_origin=False))


def test_what_is_printed_contents_the_doctor_as_foretold(tmp_path: Path, key: Path) -> None:
    settings = read(tmp_path, DKIM_KEY=str(key))
    text = write_zone(settings)
    zone = publish(text)
    assert zone.find("bounces.example.org", "TXT") == ["v=spf1 a:mail.example.org -all"]
    assert zone.find("example.org", "TXT") == ["v=spf1 mx a:mail.example.org ~all"]
    assert zone.find("_dmarc.example.org", "TXT") == ["v=DMARC1; p=none"]
    assert zone.find("bounces.example.org", "MX") == ["mail.example.org"]
    findings = list(zone.examine(settings))
    assert [finding.verdict for finding in findings] == ["ok", "ok", "ok", "ok", "look", "ok"]
    foretold = re.findall(r"^;   (ok|look|wrong) +(.*)$", text, re.MULTILINE)
    assert foretold == [(finding.verdict, finding.what) for finding in findings]
    for name in ("bounces.example.org", "mailroom._domainkey.example.org", "_dmarc.example.org"):
        assert f"dig +short TXT {name}\n" in text
    assert "p=quarantine" in text
    assert "; PTR" in text


def test_no_address_and_no_private_key_is_printed(tmp_path: Path, key: Path) -> None:
    text = write_zone(read(tmp_path, DKIM_KEY=str(key)))
    assert not re.search(r"\w@", text)
    lines = key.read_text().splitlines()
    assert not any(line in text for line in lines)


@pytest.mark.parametrize(
    ("settings", "term"),
    [
        ({"RELAY": "smtp://mail.example.org"}, "a:mail.example.org"),
        ({"RELAY": "smtp://9.9.9.9:25"}, "ip4:9.9.9.9"),
        ({"RELAY": "smtp://[2620:fe::9]"}, "ip6:2620:fe::9"),
        ({"RELAY": "smtp://127.0.0.1:25"}, "a:example.org"),
        ({"RELAY": "smtp://localhost:25", "URL": "https://letters.example.org/mail/"}, "a:letters.example.org"),
        ({"RELAY": "smtp://localhost:25", "URL": "http://abcdefghij.onion/mail/"}, "a:<name-of-this-server>"),
        ({"RELAY": "smtp://10.0.0.2:25"}, "ip4:<its-public-address>"),
        ({"RELAY": "smtps://smtp.provider.test"}, "include:<SPF-of-smtp.provider.test>"),
        ({"RELAY": "smtp://notexample.org"}, "include:<SPF-of-notexample.org>"),
        ({"RELAY": "outbox:"}, "include:<relay>"),
    ],
)
def test_the_relay_is_named_where_it_can_be_known(tmp_path: Path, settings: dict[str, str], term: str) -> None:
    settings = {"DKIM_KEY": "relay"} | settings
    text = write_zone(read(tmp_path, **settings))
    assert f'bounces.example.org. IN TXT "v=spf1 {term} -all"\n' in text
    [finding] = [each for each in look_at_spf(read(tmp_path, **settings), publish(text)) if "bounces" in each.what]
    assert finding.verdict == ("wrong" if "<" in term else "ok")


@pytest.mark.parametrize(
    ("settings", "server"),
    [
        ({}, "mail.example.org"),
        ({"BOUNCE_IMAP": "imap://bounces@127.0.0.1"}, "example.org"),
        ({"BOUNCES": "maildir", "BOUNCE_MAILDIR": "mail"}, "example.org"),
        ({"BOUNCE_IMAP": "imaps://me%40provider.test@imap.provider.test"}, "<server-with-the-mailbox>"),
        ({"BOUNCES": "none"}, "<server-with-the-mailbox>"),
    ],
)
def test_returned_letters_are_led_to_their_mailbox(tmp_path: Path, settings: dict[str, str], server: str) -> None:
    text = write_zone(read(tmp_path, DKIM_KEY="relay", **settings))
    assert f"bounces.example.org. IN MX 10 {server}.\n" in text
    assert ("wrong  Returned letters" in text) == ("<" in server)


def test_one_domain_for_both_has_one_record(tmp_path: Path) -> None:
    settings = read(tmp_path, BOUNCE_DOMAIN="example.org", DKIM_KEY="relay")
    assert publish(write_zone(settings)).find("example.org", "TXT") == ["v=spf1 a:mail.example.org -all"]


def test_names_are_written_as_dns_has_them(tmp_path: Path) -> None:
    text = write_zone(read(tmp_path, SENDER="letters@пример.рф", BOUNCE_DOMAIN="возврат.пример.рф", DKIM_KEY="relay"))
    assert "_dmarc.xn--e1afmkfd.xn--p1ai. IN TXT" in text
    assert text.isascii() or not re.search("[а-я]", text)


def test_a_missing_key_and_a_relays_key_are_said(tmp_path: Path) -> None:
    text = write_zone(read(tmp_path))
    assert "./blog mailroom dkim makes it" in text
    assert "wrong  MAILROOM_DKIM_KEY" in text
    relays = write_zone(read(tmp_path, DKIM_KEY="relay"))
    assert "_domainkey" not in relays
    assert "its operator names the record" in relays
    assert "its operator" not in write_summary(read(tmp_path))
    assert "operator names for DKIM" in write_summary(read(tmp_path, DKIM_KEY="relay"))


@pytest.mark.parametrize("missing", ["SENDER", "BOUNCE_DOMAIN"])
def test_what_the_records_depend_on_is_asked_for(tmp_path: Path, missing: str) -> None:
    with pytest.raises(ConfigurationError, match=f"MAILROOM_{missing}"):
        write_zone(read(tmp_path, **{missing: ""}))


def test_the_command_prints_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in OURS.items():
        monkeypatch.setenv(name, value)
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers(), tmp_path)
    args = parser.parse_args(["mailroom", "dns"])
    assert args.run(args) == 0
    assert capsys.readouterr().out == write_zone(read(tmp_path))


def test_publishing_ends_with_it_where_a_mailroom_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in OURS:
        monkeypatch.delenv(name, raising=False)
    assert follow_publish(tmp_path)() == 0
    assert capsys.readouterr().out == ""
    (tmp_path / ".env").write_text("MAILROOM_URL=https://example.org/mail/\n", "utf-8-sig")  # as Windows' editors do
    assert follow_publish(tmp_path)() == 0
    assert capsys.readouterr().out.startswith("Letters: MAILROOM_SENDER")
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in OURS.items()))
    assert follow_publish(tmp_path)() == 0
    assert "  MX  bounces.example.org\n" in capsys.readouterr().out
