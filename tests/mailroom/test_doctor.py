"""The doctor: each complaint is found, named and comes with a remedy; a healthy mailroom has none."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from mailroom import doctor
from mailroom.clock import DAY, HOUR
from mailroom.doctor import Answer, Finding, Patient, examine
from mailroom.errors import ConfigurationError, MailroomError
from mailroom.letters.dkim import make_key, make_signer
from mailroom.names import Kind, Resolver
from mailroom.office import Office
from mailroom.people.requests import Request
from mailroom.probe import send_and_read
from mailroom.settings import Secret, Settings
from mailroom.store.facts import DELIVERY, LAST_BACKUP, LAST_DAY, set_fact
from tests.frontdoor.support import copy_project, lend_environment, run_blog
from tests.mailroom.crowd import addresses, enrol, start
from tests.mailroom.offices import Watch, make_settings, new_office
from tests.mailroom.servers import BLOG_DOMAIN, BOUNCE_DOMAIN, MAIL_DOMAIN, PASSWORD, MailServer

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'",
    "Strict-Transport-Security": "max-age=31536000",
}


@dataclass
class Zone:
    """Names and what they stand for."""

    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def find(self, name: str, kind: Kind) -> list[str]:
        return self.records.get((name, kind), [])


@dataclass
class House:
    """A mailroom in order, which a test brings into disorder."""

    office: Office
    zone: Zone
    folder: Path
    headers: dict[str, str] = field(default_factory=lambda: dict(HEADERS))
    status: int = 200
    logs: bool = False

    def fetch(self, url: str) -> Answer:
        if self.logs:
            (self.folder / "access.log").write_text(f"GET {url}\n")
        return Answer(self.status, self.headers, b"ok\n")

    def examine(self, **settings: Any) -> dict[str, Finding]:
        """The findings, by their first word."""
        office = replace(self.office, settings=replace(self.office.settings, **settings))
        patient = Patient(office, self.zone, self.fetch, (self.folder,))
        return {re.match(r"[\w ]+", finding.what)[0]: finding for finding in examine(patient)}  # type: ignore[index]

    def write(self, sql: str, *values: object) -> None:
        self.office.database.write(lambda connection: connection.execute(sql, values))


@pytest.fixture(scope="module")
def key() -> bytes:
    return make_key()


@pytest.fixture
def house(tmp_path: Path, watch: Watch, key: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(doctor, "SETTLED", 0.0)
    settings = make_settings(
        tmp_path,
        url="https://blog.example/mail/",
        sender="letters@blog.example",
        bounce_domain="bounces.blog.example",
        dkim_key=str(tmp_path / "dkim.pem"),
        trusted_proxies=("127.0.0.1",),
    )
    Path(settings.dkim_key).touch(0o600)
    Path(settings.dkim_key).write_bytes(key)
    signer = make_signer(settings)
    assert signer
    name, text = signer.record()
    zone = Zone(
        {
            ("blog.example", "TXT"): ["v=spf1 mx ~all"],
            ("bounces.blog.example", "TXT"): ["some other text", "v=spf1 include:relay.example -all"],
            (name, "TXT"): ["".join(re.findall(r'"([^"]*)"', text))],
            ("_dmarc.blog.example", "TXT"): ["v=DMARC1; p=reject"],
            ("bounces.blog.example", "MX"): ["mx.blog.example"],
            ("mx.blog.example", "A"): ["192.0.2.1"],
        }
    )
    logs = tmp_path / "log"
    logs.mkdir()
    with new_office(settings, watch) as office:
        office.database.write(lambda connection: set_fact(connection, LAST_BACKUP, str(office.clock.today())))
        yield House(office, zone, logs)


def test_a_mailroom_in_order_has_no_complaint(house: House) -> None:
    found = house.examine()
    assert [finding for finding in found.values() if finding.verdict == "wrong"] == []
    looked_at = {name for name, finding in found.items() if finding.verdict == "look"}
    assert looked_at <= {"Relay", "Returned letters", "Clock"}  # files, nobody reads them; a machine without NTP
    assert all(finding.remedy for finding in found.values() if finding.verdict != "ok")


@pytest.mark.parametrize(
    ("kind", "name", "records", "verdict", "said"),
    [
        ("SPF", "bounces.blog.example", [], "wrong", "has no record"),
        ("SPF", "bounces.blog.example", ["v=spf1 -all", "v=spf1 ~all"], "wrong", "2 records"),
        ("SPF", "bounces.blog.example", ["v=spf1 +all"], "wrong", "everybody"),
        ("SPF", "bounces.blog.example", ["v=spf1 mx ?all"], "look", "refuses nobody"),
        ("SPF", "bounces.blog.example", ["v=spf10 -all"], "wrong", "has no record"),
        ("SPF", "bounces.blog.example", ["v=spf1 include:<relay> -all"], "wrong", "not filled in"),
        ("DKIM", "mailroom._domainkey.blog.example", [], "wrong", "has no record"),
        ("DKIM", "mailroom._domainkey.blog.example", ["v=DKIM1; k=rsa; p=AAAA"], "wrong", "is not MAILROOM_DKIM_KEY"),
        ("DKIM", "mailroom._domainkey.blog.example", ["v=DKIM1; p="], "wrong", "is not MAILROOM_DKIM_KEY"),
        ("DKIM", "mailroom._domainkey.blog.example", ["garbage"], "wrong", "is not MAILROOM_DKIM_KEY"),
        ("DMARC", "_dmarc.blog.example", [], "wrong", "has no policy"),
        ("DMARC", "_dmarc.blog.example", ["v=DMARC1; p=none"], "look", "forged"),
        ("DMARC", "_dmarc.blog.example", ["v=DMARC1; p=reject; aspf=s"], "look", "the return path does not count"),
    ],
)
def test_what_dns_does_not_say_is_found(
    house: House, kind: str, name: str, records: list[str], verdict: str, said: str
) -> None:
    house.zone.records[name, "TXT"] = records
    finding = house.examine()[kind]
    assert (finding.verdict, said in finding.what) == (verdict, True), finding
    assert finding.remedy


def test_a_senders_domain_that_says_nothing_is_to_be_looked_at(house: House) -> None:
    house.zone.records["blog.example", "TXT"] = []
    sender, judged = doctor.look_at_spf(house.office.settings, house.zone)
    assert (sender.verdict, judged.verdict) == ("look", "ok")
    assert "mailroom dns" in sender.remedy


def test_a_policy_of_the_domain_above_holds(house: House) -> None:
    house.zone.records["_dmarc.blog.example", "TXT"] = ["v=DMARC1; p=reject"]
    finding = house.examine(sender="letters@post.blog.example", dkim_domain="blog.example")["DMARC"]
    assert finding.verdict == "ok"


def test_domains_that_do_not_belong_together_are_found(house: House) -> None:
    finding = house.examine(dkim_domain="relay.example", bounce_domain="bounces.relay.example")["DMARC"]
    assert (finding.verdict, "neither" in finding.what) == ("wrong", True)


@pytest.mark.parametrize("missing", [("bounces.blog.example", "MX"), ("mx.blog.example", "A")])
def test_a_return_path_that_leads_nowhere_is_found(house: House, missing: tuple[str, str]) -> None:
    house.zone.records[missing] = []
    [finding] = doctor.look_at_return_path(house.office.settings, house.zone)
    assert finding.verdict == "wrong"


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"Set-Cookie": "a=1"}, "cookie"),
        ({"Cache-Control": "public"}, "stored"),
        ({"Content-Security-Policy": "default-src *"}, "policy of content"),
        ({"Server": "nginx/1.22.1"}, "version"),
        ({"Strict-Transport-Security": None}, "encrypted"),
        ({"Referrer-Policy": "origin"}, "followed"),
    ],
)
def test_a_careless_web_server_is_found(house: House, headers: Mapping[str, str | None], said: str) -> None:
    for name, value in headers.items():
        if value is None:
            del house.headers[name]
        else:
            house.headers[name] = value
    [finding] = [each for each in house_web(house) if each.verdict == "wrong"]
    assert said in finding.what


def house_web(house: House) -> list[Finding]:
    return list(doctor.look_at_proxy(Patient(house.office, house.zone, house.fetch, (house.folder,))))


def test_a_log_of_what_readers_ask_for_is_found(house: House) -> None:
    house.logs = True
    [finding] = [each for each in house_web(house) if each.verdict == "wrong"]
    assert "access.log" in finding.what


def test_a_mailroom_that_does_not_run_is_found(house: House) -> None:
    def refuse(_: str) -> Answer:
        raise ConnectionRefusedError

    [finding] = doctor.look_at_proxy(Patient(house.office, house.zone, refuse, ()))
    assert (finding.verdict, "does not answer" in finding.what) == ("wrong", True)
    house.status = 503
    assert next(each.what for each in house_web(house) if each.verdict == "wrong").endswith("answers 503")


def _ask_and_wait(house: House, watch: Watch) -> None:
    house.office.requests.store(Request("subscribe", "en", "reader@mail.example"))
    watch.pass_(86_400)


def _go_back(house: House, _: Watch) -> None:
    house.office.database.write(lambda connection: set_fact(connection, LAST_DAY, str(house.office.clock.today() + 3)))


def _let_backup_age(_: House, watch: Watch) -> None:
    watch.pass_(9 * 86_400)


def _never_back_up(house: House, _: Watch) -> None:
    house.write("DELETE FROM facts WHERE name = ?", LAST_BACKUP)


def _open_the_key(house: House, _: Watch) -> None:
    Path(house.office.settings.dkim_key).chmod(0o644)


@pytest.mark.parametrize(
    ("harm", "name", "said"),
    [
        (_ask_and_wait, "Requests", "1 wait"),
        (_go_back, "Clock", "back by 3 days"),
        (_let_backup_age, "Backup", "9 days ago"),
        (_never_back_up, "Backup", "never"),
        (_open_the_key, "Keys", "others may read"),
    ],
)
def test_what_is_wrong_here_is_found(
    house: House, watch: Watch, harm: Callable[[House, Watch], None], name: str, said: str
) -> None:
    harm(house, watch)
    finding = house.examine()[name]
    assert (finding.verdict, said in finding.what) == ("wrong", True), finding
    assert finding.remedy
    assert "reader@" not in finding.what


def test_letters_that_do_not_move_are_found(house: House) -> None:
    now = int(house.office.clock.now())
    for number, (state, due) in enumerate([("unknown", 0), ("unknown", 0), ("pending", now - 7200)]):
        house.write(
            "INSERT INTO letters (id, kind, lang, state, due, first_due, day) VALUES (?, 'test', 'en', ?, ?, 0, 0)",
            bytes([number]) * 8, state, due,
        )  # fmt: skip
    house.write("INSERT INTO pauses (domain, until, reply) VALUES (x'01', ?, '550 5.7.1')", now + 100)
    found = [each.what for each in doctor.look_at_letters(Patient(house.office, house.zone))]
    assert found == [
        "Letters: 1 domains are paused",
        "Letters: 1 are an hour late",
        "Letters: of 2 nobody knows whether they left",
    ]
    house.office.database.write(lambda connection: set_fact(connection, DELIVERY, "off"))
    assert "delivery is off" in next(doctor.look_at_letters(Patient(house.office, house.zone))).what


def test_letters_of_lists_are_not_late_that_wait_their_turn(house: House, watch: Watch) -> None:
    def late(**settings: Any) -> bool:
        return "an hour late" in house.examine(**settings)["Letters"].what

    enrol(house.office, addresses(3))
    start(house.office)
    watch.pass_(HOUR)
    assert not late()
    watch.pass_(1)
    assert late()
    assert late(daily_cap=1)
    today = house.office.clock.today()
    house.write("INSERT INTO deliveries VALUES (?, 1, 1)", today)
    assert not late(daily_cap=1), "the others go tomorrow"
    assert not late(warm_up=(1, 5)), "the others go tomorrow"
    assert late(daily_cap=2)
    assert not late(rate=1), "they go one after the other"
    house.write("UPDATE campaigns SET state = 'paused'")
    assert not late()
    house.write("UPDATE campaigns SET state = 'started', release = ?", int(watch.now) - 10)
    assert not late(), "it was held until now"
    house.write("UPDATE campaigns SET release = 0")
    assert late()
    watch.pass_(DAY - watch.now % DAY)
    assert not late(daily_cap=1), "the day has only begun"
    assert late()
    [row, *_] = house.office.database.read("SELECT id FROM letters")
    house.write("UPDATE letters SET state = 'claimed', due = ? WHERE id = ?", int(watch.now) + 1, row["id"])
    assert not late(), "others are on their way"
    watch.pass_(2)
    assert late(), "nobody is at work any more"


def test_a_full_disk_is_found(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for free, verdict in ((10 * 1024**2, "wrong"), (500 * 1024**2, "look"), (2 * 1024**3, "ok")):
        monkeypatch.setattr(doctor, "LEAST_ROOM", 200 * 1024**2)
        monkeypatch.setattr("mailroom.doctor.shutil.disk_usage", lambda _, free=free: _Usage(free))
        assert house.examine()["Disk"].verdict == verdict


@dataclass
class _Usage:
    free: int


def test_what_cannot_be_looked_at_is_wrong_and_ends_nothing(house: House) -> None:
    class Silent:
        def find(self, name: str, kind: Kind) -> list[str]:
            raise MailroomError(f"{name}: no name server answers to {kind}")

    findings = list(examine(Patient(house.office, Silent(), house.fetch, ())))
    assert sum(finding.verdict == "wrong" for finding in findings) >= 4
    assert findings[-1].what.startswith("Letters")


# Real servers


@contextmanager
def name_server(records: Mapping[tuple[str, str], list[str]]) -> Iterator[dns.resolver.Resolver]:
    """A name server on this machine, and a resolver that asks it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.bind(("127.0.0.1", 0))

        def answer() -> None:
            while True:
                question, address = channel.recvfrom(4096)
                if not question:
                    return
                query = dns.message.from_wire(question)
                asked = query.question[0]
                response = dns.message.make_response(query)
                response.flags |= dns.flags.RA
                kind = dns.rdatatype.to_text(asked.rdtype)
                found = records.get((asked.name.to_text(omit_final_dot=True), kind))
                if found is None:
                    response.set_rcode(dns.rcode.NXDOMAIN)
                elif found:
                    response.answer.append(dns.rrset.from_text(asked.name, 60, "IN", kind, *found))
                channel.sendto(response.to_wire(), address)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], channel.getsockname()[1]
        try:
            yield resolver
        finally:
            channel.sendto(b"", channel.getsockname())  # wakes whoever waits for a question
            thread.join()


def test_records_are_read_as_dns_has_them() -> None:
    records = {
        ("blog.example", "TXT"): ['"v=DKIM1; p=AAA" "BBB"', '"other"'],
        ("blog.example", "MX"): ["20 second.example.", "10 first.example."],
        ("first.example", "A"): ["192.0.2.1"],
        ("empty.example", "TXT"): [],
    }
    with name_server(records) as asked:
        resolver = Resolver(asked)
        assert sorted(resolver.find("blog.example", "TXT")) == ["other", "v=DKIM1; p=AAABBB"]
        assert resolver.find("blog.example", "MX") == ["first.example", "second.example"]
        assert resolver.find("first.example", "A") == ["192.0.2.1"]
        assert resolver.find("empty.example", "TXT") == []
        assert resolver.find("nowhere.example", "MX") == []


def test_a_name_server_that_is_silent_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailroom.names.PATIENCE", 0.2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        asked = dns.resolver.Resolver(configure=False)
        asked.nameservers, asked.port = ["127.0.0.1"], deaf.getsockname()[1]
        with pytest.raises(MailroomError, match="no name server answers"):
            Resolver(asked).find("blog.example", "TXT")


def probing(settings: Settings, mail: MailServer, port: int) -> Settings:
    """Settings with which a letter goes through a real relay into a real mailbox."""
    address = f"doctor-{port}@{MAIL_DOMAIN}"
    return replace(
        settings,
        url="https://blog.test/mail/",
        sender=f"letters@{BLOG_DOMAIN}",
        bounce_domain=BOUNCE_DOMAIN,
        relay=f"smtp://127.0.0.1:{port}",
        probe_address=address,
        probe_imap=f"imap://{address.replace('@', '%40')}@127.0.0.1:{mail.imap_port}",
        probe_password=Secret(PASSWORD),
    )


def test_a_letter_through_an_honest_relay_has_no_complaint(house: House, mail: MailServer) -> None:
    office = replace(house.office, settings=probing(house.office.settings, mail, mail.smtp_port))
    findings = list(send_and_read(office, patience=20))
    assert {finding.verdict for finding in findings} == {"ok"}, findings
    assert len(findings) >= 7
    assert mail.mailbox(office.settings.probe_address).raw() == []  # it cleans up after itself
    [relay] = doctor.look_at_relay(Patient(office, house.zone))
    assert relay == Finding("ok", "Relay: it lets us in, on this machine")


@pytest.mark.parametrize(
    ("meddling", "complaint"),
    [
        ("links", "Links: the relay rewrites them (now at click.relay.test)"),
        ("body", "Body: the relay changed it"),
        ("message-id", "Message-ID: the relay gave the letter another"),
        ("return-path", f"Return path: the relay put one at {BLOG_DOMAIN} in its place"),
    ],
)
def test_a_relay_that_meddles_is_caught(house: House, mail: MailServer, meddling: str, complaint: str) -> None:
    office = replace(house.office, settings=probing(house.office.settings, mail, mail.meddling_ports[meddling]))
    wrong = [finding for finding in send_and_read(office, patience=20) if finding.verdict == "wrong"]
    assert any(finding.what.startswith(complaint) for finding in wrong), wrong
    assert all(finding.remedy for finding in wrong)


def test_a_relay_that_says_it_signs_and_does_not_is_caught(house: House, mail: MailServer) -> None:
    settings = replace(probing(house.office.settings, mail, mail.smtp_port), dkim_key="relay")
    wrong = [each for each in send_and_read(replace(house.office, settings=settings), 20) if each.verdict == "wrong"]
    assert [finding.what.partition(":")[0] for finding in wrong] == ["DKIM"]


def test_a_letter_that_does_not_arrive_is_said(house: House, mail: MailServer) -> None:
    settings = probing(house.office.settings, mail, mail.smtp_port)
    refused = replace(settings, probe_address=f"unknown@{MAIL_DOMAIN}")
    with pytest.raises(MailroomError, match=r"RCPT: 550 5\.1\.1"):
        list(send_and_read(replace(house.office, settings=refused), 1))
    lost = replace(settings, probe_address=f"another@{MAIL_DOMAIN}")
    with pytest.raises(MailroomError, match="did not arrive"):
        list(send_and_read(replace(house.office, settings=lost), 0.5))
    with pytest.raises(ConfigurationError, match="MAILROOM_PROBE_IMAP"):
        list(send_and_read(replace(house.office, settings=replace(settings, probe_imap="")), 1))


def test_a_relay_that_does_not_let_us_in_is_found(house: House, mail: MailServer) -> None:
    settings = replace(
        house.office.settings, relay=f"smtp://localhost:{mail.submission_port}", relay_ca=str(mail.ca),
        relay_user=f"mailroom@{BLOG_DOMAIN}", relay_password=Secret(PASSWORD),
    )  # fmt: skip
    [finding] = doctor.look_at_relay(Patient(replace(house.office, settings=settings), house.zone))
    assert finding == Finding("ok", "Relay: it lets us in, over TLS")
    for wrong, said in (
        ({"relay_password": Secret("wrong")}, "it refuses us (535"),
        ({"relay_ca": ""}, "Relay: "),
        ({"relay": "smtp://127.0.0.1:1"}, "cannot be reached"),
    ):
        other = replace(house.office, settings=replace(settings, **wrong))
        [finding] = doctor.look_at_relay(Patient(other, house.zone))
        if "relay_ca" not in wrong:  # without an authority of ours this machine is spoken to in the clear: no AUTH
            assert said in finding.what
        assert finding.verdict == "wrong"
        assert "wrong" not in finding.what


# The commands


def test_the_commands_say_what_they_did(tmp_path: Path) -> None:
    copy_project(tmp_path, "blog", "requirements.txt", "mailroom")
    lend_environment(tmp_path)
    environment = {name: "" for name in os.environ if name.startswith("MAILROOM_")}
    environment["MAILROOM_SENDER"] = "letters@blog.example"
    for attempt in ("made", "kept"):
        made: subprocess.CompletedProcess[str] = run_blog(tmp_path, "mailroom", "dkim", **environment)
        assert made.returncode == 0, made.stderr
        assert made.stdout.startswith('mailroom._domainkey.blog.example. IN TXT "v=DKIM1; k=rsa; p=')
        assert ("a new key" in made.stderr) == (attempt == "made")
    assert (tmp_path / "var" / "dkim.pem").stat().st_mode & 0o777 == 0o600
    failed = run_blog(tmp_path, "mailroom", "doctor", **environment)
    assert failed.returncode == 1
    assert "MAILROOM_URL" in failed.stderr
