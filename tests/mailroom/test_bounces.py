"""What comes back is believed when its address is ours, followed once, and left for a person when not understood."""

from __future__ import annotations

import base64
import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.delivery.bounces import LARGEST, Finding, count_set_aside, read_bounces, understand
from mailroom.errors import ConfigurationError, MailroomError
from mailroom.letters.return_path import Returned, ReturnPaths
from mailroom.office import Office
from mailroom.settings import Secret
from mailroom.store.keyring import Keyring
from tests.mailroom.offices import Watch, count, make_settings, new_office, subscribe
from tests.mailroom.servers import BOUNCE_DOMAIN, BOUNCES, GONE, PASSWORD, MailServer

#: Keys that are the same in every process of a test run, whose tests are named after what they are given.
PATHS, FORGED = (ReturnPaths(Keyring({"token": {1: key * 32}}), BOUNCE_DOMAIN) for key in (b"k", b"f"))
LETTER, SUBSCRIPTION = b"letter-1", b"subscription-one"
ADDRESS = PATHS.bounce(LETTER)


def report(
    to: str = ADDRESS,
    status: str = "5.1.1",
    action: str = "failed",
    *,
    more: str = "",
    kind: str = "message/delivery-status",
    encoding: str = "",
) -> bytes:
    """A report on a delivery, as relays write them (RFC 3464)."""
    fields = (
        "Reporting-MTA: dns; mx.mail.test\n\n"
        f"Final-Recipient: rfc822; reader@mail.test\nAction: {action}\nStatus: {status}\n{more}"
    )
    if encoding == "base64":
        fields = base64.encodebytes(fields.encode()).decode()
    lines = f"""\
Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.mail.test>
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_r"

--=_r
Content-Type: text/plain

Your letter could not be delivered. <someone-else@mail.test>: 550 5.1.1

--=_r
Content-Type: {kind}
Content-Transfer-Encoding: {encoding or "7bit"}

{fields}
--=_r
Content-Type: text/rfc822-headers

Return-Path: <{PATHS.bounce(b"another!")}>
Subject: A new article

--=_r--
"""
    return lines.replace("\n", "\r\n").encode()


def complaint(to: str = "abuse@bounces.blog.test", kind: str = "abuse", headers: str = "", fields: str = "") -> bytes:
    """A complaint, as mail providers write them (RFC 5965)."""
    lines = f"""\
From: complaints@provider.example
To: {to}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="=_r"

--=_r
Content-Type: text/plain

Somebody does not want this.

--=_r
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: Provider/1
Version: 1
{fields}
--=_r
Content-Type: message/rfc822

From: letters@blog.test
{headers}Subject: A new article

Text.

--=_r--
"""
    return lines.replace("\n", "\r\n").encode()


def write(to: str, text: str = "Hello.", **headers: str) -> bytes:
    lines = ["From: reader@mail.test", f"To: {to}", *(f"{name.replace('_', '-')}: {headers[name]}" for name in headers)]
    return "\r\n".join([*lines, "", text, ""]).encode()


ABOUT = Returned("b", LETTER)


@pytest.mark.parametrize(
    ("raw", "finding"),
    [
        (report(), Finding("failed", ABOUT, "5.1.1")),
        (report(ADDRESS.upper()), Finding("failed", ABOUT, "5.1.1")),
        (report(f'"The blog" <{ADDRESS}>'), Finding("failed", ABOUT, "5.1.1")),
        (report(f"x@y.test\nDelivered-To: {ADDRESS}"), Finding("failed", ABOUT, "5.1.1")),
        (report(status="5.7.1 (blocked)"), Finding("failed", ABOUT, "5.7.1")),
        (report(status="4.4.7"), Finding("failed", ABOUT, "4.4.7")),
        (report(encoding="base64"), Finding("failed", ABOUT, "5.1.1")),
        (report(kind="message/global-delivery-status", encoding="base64"), Finding("failed", ABOUT, "5.1.1")),
        (report(kind="message/global-delivery-status"), Finding("failed", ABOUT, "5.1.1")),
        (
            report(status="5.0.0", more="Diagnostic-Code: smtp; 550-5.1.1 no such\n user here\n"),
            Finding("failed", ABOUT, "5.1.1"),
        ),
        (report(status="5.7.1", more="Diagnostic-Code: smtp; 550 5.1.1 no\n"), Finding("failed", ABOUT, "5.7.1")),
        (report(action="delayed", status="4.2.0"), Finding("nothing", ABOUT)),
        (report(action="relayed", status="2.0.0"), Finding("nothing", ABOUT)),
        # Where an address stands for several mailboxes, one that is gone says nothing of the address.
        (
            report(more="\nFinal-Recipient: rfc822; b@mail.test\nAction: failed\nStatus: 5.2.2\n"),
            Finding("failed", ABOUT, "5.2.2"),
        ),
        (
            report(more="\nFinal-Recipient: rfc822; b@mail.test\nAction: delayed\nStatus: 4.2.2\n"),
            Finding("nothing", ABOUT),
        ),
        (report(status="gone"), Finding("unreadable", ABOUT)),
        (report(kind="text/plain"), Finding("nothing", ABOUT)),
        (write(ADDRESS, Auto_Submitted="auto-replied"), Finding("nothing", ABOUT)),
        (write(ADDRESS, X_Autoreply="yes"), Finding("nothing", ABOUT)),
        (write(ADDRESS), Finding("unreadable", ABOUT)),
        (write(PATHS.leave(SUBSCRIPTION)), Finding("left", Returned("leave", SUBSCRIPTION))),
        (
            write(PATHS.leave(SUBSCRIPTION), "Please keep me subscribed!", Auto_Submitted="auto-generated"),
            Finding("left", Returned("leave", SUBSCRIPTION)),
        ),
        (complaint(ADDRESS), Finding("complained", ABOUT)),
        (complaint(headers=f"Return-Path: <{ADDRESS}>\n"), Finding("complained", ABOUT)),
        (complaint(fields=f"Original-Mail-From: <{ADDRESS}>\n"), Finding("complained", ABOUT)),
        (
            complaint(
                headers=f"List-Unsubscribe: <https://blog.test/mail/x>,\n <mailto:{PATHS.leave(SUBSCRIPTION)}>\n"
            ),
            Finding("complained", Returned("leave", SUBSCRIPTION)),
        ),
        (complaint(ADDRESS, kind="not-spam"), Finding("nothing", ABOUT)),
        (complaint(ADDRESS, kind="auth-failure"), Finding("nothing", ABOUT)),
        (complaint(), Finding("forged")),
    ],
)
def test_mail_is_understood(raw: bytes, finding: Finding) -> None:
    assert understand(raw, PATHS) == finding
    assert understand(raw.replace(b"\r\n", b"\n"), PATHS) == finding


@pytest.mark.parametrize(
    "raw",
    [
        report(FORGED.bounce(LETTER)),
        report(ADDRESS[:5] + ("a" if ADDRESS[5] != "a" else "b") + ADDRESS[6:]),
        report(f"reader@mail.test\nSubject: {ADDRESS}\nCc: {ADDRESS}"),
        report("reader@mail.test"),
        write(FORGED.leave(SUBSCRIPTION)),
        complaint(FORGED.bounce(LETTER), headers=f"Return-Path: <{FORGED.bounce(LETTER)}>\n"),
        write("postmaster@bounces.blog.test", Auto_Submitted="auto-replied"),
        b"",
        b"\0" * 100,
        b"\xff" * 1000,
    ],
)
def test_forged_mail_says_nothing(raw: bytes) -> None:
    assert understand(raw, PATHS) == Finding("forged")


def nested(depth: int) -> bytes:
    """A report within so many mails, each in the next."""
    inner = report()
    for number in range(depth):
        mark = f"=_n{number}"
        inner = b"\r\n".join(
            [
                f'To: {ADDRESS}\r\nContent-Type: multipart/mixed; boundary="{mark}"\r\n'.encode(),
                f"--{mark}\r\nContent-Type: message/rfc822\r\n".encode(),
                inner,
                f"--{mark}--\r\n".encode(),
            ]
        )
    return inner


@pytest.mark.parametrize(
    "raw",
    [
        nested(1),
        nested(2000),
        f"To: {ADDRESS}\r\n".encode() + b"Content-Type: multipart/report; boundary=x\r\n\r\n" + b"--x\r\n" * 150_000,
        f"To: {ADDRESS}\r\n".encode() + b"Content-Type: message/rfc822\r\n\r\n" * 30_000,
        b"To: b+" * 100_000 + f"\r\nTo: {ADDRESS}\r\n\r\n".encode(),
        report().replace(b"Status: 5.1.1", b"Status: " + b"5.1.1." * 100_000),
        report(kind='message/delivery-status; charset="=?x?q?\'"', encoding="base64").replace(b"dGlv", b"\xff\xfe"),
        report().replace(b'boundary="=_r"', b""),
        report().replace(b"Action: failed\r\n", b""),
        report().partition(b"Status:")[0],
    ],
    ids=range(10),
)
def test_hostile_mail_is_left_for_a_person_and_costs_little(raw: bytes) -> None:
    raw = raw[:LARGEST]
    started = time.process_time()
    assert understand(raw, PATHS).said in ("unreadable", "nothing")
    assert time.process_time() - started < 3


@given(st.binary(max_size=2000), st.integers(0, 1500), st.integers(0, 200))
def test_damaged_report_never_names_another_letter(noise: bytes, start: int, length: int) -> None:
    whole = report()
    finding = understand(whole[:start] + noise + whole[start + length :], PATHS)
    assert finding.about in (None, ABOUT, Returned("b", b"another!"))
    assert finding.said != "left"


# In a mailroom


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    """The mailbox that reports come back to, as a Maildir."""
    for name in ("cur", "new", "tmp"):
        (tmp_path / "reports" / name).mkdir(parents=True)
    return tmp_path / "reports"


@pytest.fixture
def reading(tmp_path: Path, watch: Watch, maildir: Path) -> Iterator[Office]:
    """A mailroom that reads it."""
    settings = make_settings(
        tmp_path, bounces="maildir", bounce_maildir=str(maildir), bounce_domain=BOUNCE_DOMAIN, data=tmp_path / "data"
    )
    with new_office(settings, watch) as office:
        yield office


def add_letter(office: Office, subscription: bytes | None, state: str = "sent", *, domain: bytes | None = b"d") -> str:
    """Have sent a letter of a campaign, or a test letter; return its return path."""
    letter = os.urandom(8)
    listed = subscription is not None

    def work(connection: sqlite3.Connection) -> None:
        connection.execute(
            "INSERT OR IGNORE INTO campaigns (key, kind, lang, post, digest, content, state, created)"
            " VALUES ('en-1', 'post', 'en', 'p', 'd', '{}', 'started', 1)"
        )
        connection.execute(
            "INSERT INTO letters (id, kind, campaign, subscription, lang, state, due, first_due, day, domain)"
            " VALUES (?, ?, ?, ?, 'en', ?, 0, 0, 1, ?)",
            (letter, "campaign" if listed else "test", "en-1" if listed else None, subscription, state, domain),
        )

    office.database.write(work)
    return paths_of(office).bounce(letter)


def paths_of(office: Office) -> ReturnPaths:
    return ReturnPaths(office.ring, BOUNCE_DOMAIN)


def put(maildir: Path, *raws: bytes) -> None:
    """Deliver mails to a Maildir."""
    for raw in raws:
        (maildir / "new" / f"{time.time_ns()}.M{os.urandom(4).hex()}.host").write_bytes(raw)


def letter_of(office: Office, return_path: str) -> tuple[str, str]:
    """A letter's state, and what was said of it."""
    (about,) = paths_of(office).find(return_path)
    row = office.database.read("SELECT state, reply FROM letters WHERE id = ?", (about.identity,))[0]
    return row["state"], row["reply"]


def suppressions(office: Office) -> list[tuple[str, str | None]]:
    rows = office.database.read("SELECT reason, campaign FROM suppressions ORDER BY reason")
    return [(row["reason"], row["campaign"]) for row in rows]


def left_in(maildir: Path) -> int:
    return sum(1 for name in ("cur", "new") for _ in (maildir / name).iterdir())


@pytest.mark.parametrize("status", ["5.1.1", "5.1.3", "5.1.6", "5.1.10", "5.2.1"])
def test_mailbox_that_is_none_is_suppressed(reading: Office, maildir: Path, status: str) -> None:
    path = add_letter(reading, subscribe(reading, "reader@mail.test")[0])
    put(maildir, report(path, status))
    assert read_bounces(reading) == {"bounced": 1}
    assert letter_of(reading, path) == ("bounced", status)
    assert suppressions(reading) == [("bounced", "en-1")]
    assert left_in(maildir) == 0, "a report names people"


@pytest.mark.parametrize("status", ["5.7.1", "5.2.2", "5.0.0", "5.4.4", "4.4.7"])
def test_other_failures_say_nothing_of_the_address(reading: Office, maildir: Path, status: str) -> None:
    path = add_letter(reading, subscribe(reading, "reader@mail.test")[0], state="unknown")
    put(maildir, report(path, status))
    assert read_bounces(reading) == {"refused": 1}
    assert letter_of(reading, path) == ("refused", status)
    assert suppressions(reading) == []
    assert left_in(maildir) == 0


def test_same_report_twice_is_once(reading: Office, maildir: Path) -> None:
    path = add_letter(reading, subscribe(reading, "reader@mail.test")[0])
    put(maildir, report(path), report(path, "5.7.1"), report(path))
    assert read_bounces(reading) == {"bounced": 1, "late": 2}
    assert letter_of(reading, path) == ("bounced", "5.1.1")
    assert suppressions(reading) == [("bounced", "en-1")]


def test_letter_under_way_is_waited_for(reading: Office, maildir: Path) -> None:
    path = add_letter(reading, subscribe(reading, "reader@mail.test")[0], state="sending")
    put(maildir, report(path))
    assert read_bounces(reading) == {"later": 1}
    assert left_in(maildir) == 1
    reading.database.write(lambda connection: connection.execute("UPDATE letters SET state = 'sent'"))
    assert read_bounces(reading) == {"bounced": 1}
    assert left_in(maildir) == 0


def test_report_on_a_letter_that_is_forgotten_goes(reading: Office, maildir: Path) -> None:
    put(maildir, report(paths_of(reading).bounce(LETTER)), complaint(paths_of(reading).bounce(LETTER)))
    assert read_bounces(reading) == {"late": 2}
    assert left_in(maildir) == 0


def test_report_on_a_letter_that_a_restore_made_unknown_is_followed(reading: Office, maildir: Path) -> None:
    path = add_letter(reading, subscribe(reading, "reader@mail.test")[0], state="unknown", domain=None)
    put(maildir, report(path))
    assert read_bounces(reading) == {"bounced": 1}
    assert suppressions(reading) == [("bounced", "en-1")]


def test_domain_that_refuses_many_afterwards_suppresses_nobody(reading: Office, maildir: Path) -> None:
    found = subscribe(reading, *(f"reader-{number}@mail.test" for number in range(10)))
    put(maildir, *(report(add_letter(reading, each)) for each in found))
    assert read_bounces(reading) == {"bounced": 10}
    assert suppressions(reading) == []
    assert count(reading, "letters", "state = 'pending' AND campaign = 'en-1'") == 10


def test_test_letter_suppresses_nobody(reading: Office, maildir: Path) -> None:
    path = add_letter(reading, None)
    put(maildir, report(path))
    assert read_bounces(reading) == {"bounced": 1}
    assert letter_of(reading, path) == ("bounced", "5.1.1")
    assert suppressions(reading) == []


def test_complaint_ends_the_subscription(reading: Office, maildir: Path) -> None:
    first, second = subscribe(reading, "first@mail.test", "second@mail.test")
    put(
        maildir,
        complaint(headers=f"Return-Path: <{add_letter(reading, first)}>\n"),
        complaint(headers=f"List-Unsubscribe: <mailto:{paths_of(reading).leave(second)}>\n"),
    )
    assert read_bounces(reading) == {"complained": 2}
    assert suppressions(reading) == [("complained", None)] * 2
    assert count(reading, "letters", "state = 'sent'") == 1


def test_whoever_writes_to_the_leave_address_has_left(reading: Office, maildir: Path) -> None:
    subscription = subscribe(reading, "reader@mail.test")[0]
    raw = write(paths_of(reading).leave(subscription), "I do not want to leave.", Auto_Submitted="auto-replied")
    put(maildir, raw, raw)
    assert read_bounces(reading) == {"left": 2}
    assert suppressions(reading) == [("unsubscribed", None)]


def test_old_keys_are_believed(reading: Office, maildir: Path) -> None:
    subscription = subscribe(reading, "reader@mail.test")[0]
    old = paths_of(reading).leave(subscription)
    newer = reading.ring.with_new("token")
    put(maildir, write(old))
    assert understand(write(old), ReturnPaths(newer, BOUNCE_DOMAIN)).said == "left"


def test_what_nobody_understands_is_flagged_once_and_told(
    reading: Office, maildir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    subscription = subscribe(reading, "reader@mail.test")[0]
    path = add_letter(reading, subscription)
    put(
        maildir,
        report(FORGED.bounce(LETTER)),
        write(FORGED.leave(subscription)),
        nested(3).replace(ADDRESS.encode(), path.encode()),
        report(path) + b"x" * LARGEST,
        write(path, "Who are you? reader@mail.test"),
    )
    with caplog.at_level(logging.INFO):
        assert read_bounces(reading) == {"forged": 2, "unreadable": 2, "oversized": 1}
    assert "2 forged" in caplog.text
    assert "@" not in caplog.text, "an address in the log"
    assert read_bounces(reading) == {}, "they are passed over from now on"
    assert left_in(maildir) == count_set_aside(reading.settings) == 5
    assert all(path.name.endswith(":2,F") for path in (maildir / "cur").iterdir())
    assert suppressions(reading) == []
    assert letter_of(reading, path) == ("sent", "")


def test_what_somebody_has_read_is_not_passed_over(reading: Office, maildir: Path) -> None:
    path = add_letter(reading, subscribe(reading, "reader@mail.test")[0])
    (maildir / "cur" / "1.M1.host:2,RS").write_bytes(report(path))
    (maildir / "cur" / "2.M1.host:2,ST").write_bytes(report(path))
    assert read_bounces(reading) == {"bounced": 1}
    assert left_in(maildir) == 1, "in the trash already"


def test_mailroom_without_a_mailbox_reads_none(office: Office) -> None:
    assert read_bounces(office) == {}
    assert count_set_aside(office.settings) == 0


# By IMAP, from a real server


@pytest.fixture
def by_imap(tmp_path: Path, watch: Watch, mail_server_settings: dict[str, Any]) -> Iterator[Office]:
    """A mailroom that reads the mailbox of reports by IMAP, within TLS."""
    with new_office(make_settings(tmp_path, **mail_server_settings), watch) as office:
        yield office


@pytest.fixture
def mail_server_settings(mail: MailServer) -> dict[str, Any]:
    mail.mailbox(BOUNCES).empty()
    return {
        "bounces": "imap",
        "bounce_imap": f"imaps://{BOUNCES.replace('@', '%40')}@localhost:{mail.imaps_port}",
        "bounce_password": Secret(PASSWORD),
        "bounce_domain": BOUNCE_DOMAIN,
        "relay_ca": str(mail.ca),
    }


def test_report_of_a_real_server_suppresses(by_imap: Office, mail: MailServer) -> None:
    subscription = subscribe(by_imap, GONE[0])[0]
    path = add_letter(by_imap, subscription)
    mail.send(write(GONE[0]), path, GONE[0])
    mail.send(write(GONE[1]), FORGED.bounce(LETTER), GONE[1])
    mail.send(write("b@blog.test"), "reader@mail.test", paths_of(by_imap).leave(subscription).upper())
    mail.mailbox(BOUNCES).wait_for(3)
    tally = read_bounces(by_imap, 2) + read_bounces(by_imap)
    assert tally == {"bounced": 1, "forged": 1, "left": 1}
    assert letter_of(by_imap, path) == ("bounced", "5.1.1")
    assert count(by_imap, "suppressions") == 1
    assert read_bounces(by_imap) == {}
    assert count_set_aside(by_imap.settings) == 1
    (kept,) = mail.mailbox(BOUNCES).letters()
    assert kept["To"] == FORGED.bounce(LETTER)


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"bounce_password": Secret("wrong")}, MailroomError, r"BOUNCE_IMAP.*AUTHENTICATIONFAILED"),
        ({"relay_ca": ""}, MailroomError, "BOUNCE_IMAP.*certificate"),
        ({"bounce_imap": "imaps://bounce@localhost:1"}, MailroomError, "BOUNCE_IMAP.*refused"),
        ({"bounce_imap": "imap://bounce@mail.example"}, ConfigurationError, "use imaps"),
        ({"bounce_imap": "imaps://localhost"}, ConfigurationError, "imaps://user@host"),
        ({"bounce_imap": "pop3://bounce@localhost"}, ConfigurationError, "imaps://user@host"),
        ({"bounces": "maildir", "bounce_maildir": "/nowhere"}, ConfigurationError, "no Maildir"),
    ],
)
def test_mailbox_that_cannot_be_read_is_told(
    tmp_path: Path,
    watch: Watch,
    mail_server_settings: dict[str, Any],
    changed: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    with new_office(make_settings(tmp_path, **(mail_server_settings | changed)), watch) as office:
        with pytest.raises(error, match=f"(?i){message}") as raised:
            read_bounces(office)
        assert BOUNCES not in str(raised.value)
        assert "wrong" not in str(raised.value)


def test_mailbox_on_this_machine_may_be_read_without_tls(
    tmp_path: Path, watch: Watch, mail: MailServer, mail_server_settings: dict[str, Any]
) -> None:
    plain = {"bounce_imap": f"imap://{BOUNCES}@127.0.0.1:{mail.imap_port}"}
    with new_office(make_settings(tmp_path, **(mail_server_settings | plain)), watch) as office:
        assert read_bounces(office) == {}
