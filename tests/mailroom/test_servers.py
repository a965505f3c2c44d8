"""The servers that the mailroom is tried with do what they are there for, and let nothing out."""

from __future__ import annotations

import base64
import smtplib
import socket
import ssl
import time
from contextlib import suppress
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.mailroom.judges import spam_scores, verified_headers
from tests.mailroom.servers import (
    BOUNCES,
    GONE,
    INTERNATIONAL,
    PASSWORD,
    USER,
    MailServer,
    make_certificates,
    running_mail_server,
)
from tests.mailroom.sink import DROP, LOSE, STALL, Rule, Sink

RETURN_PATH = "b+it-was-here@bounces.blog.test"


def write(recipient: str, message_id: str = "letter-1@blog.test") -> bytes:
    lines = (
        "From: The blog <letters@blog.test>",
        f"To: <{recipient}>",
        "Subject: A new article",
        "Date: Sun, 22 Nov 2026 08:00:00 +0000",
        f"Message-ID: <{message_id}>",
        "",
        "It is at https://blog.test/en/leaving-russia/ from today.",
        "--",
        "You asked for this letter.",
        "",
    )
    return "\r\n".join(lines).encode()


def test_letter_is_read_back_as_it_was_sent(mail: MailServer) -> None:
    letter = write("as-sent@mail.test")
    mail.send(letter, RETURN_PATH, "as-sent@mail.test")
    (received,) = mail.mailbox("as-sent@mail.test").wait_for(1)
    assert received["Return-Path"] == f"<{RETURN_PATH}>"
    assert mail.mailbox("as-sent@mail.test").raw()[0].endswith(letter)
    mail.mailbox("as-sent@mail.test").empty()
    assert mail.mailbox("as-sent@mail.test").letters() == []


@pytest.mark.parametrize("recipient", INTERNATIONAL)
def test_reader_may_have_a_name_in_any_script(mail: MailServer, recipient: str) -> None:
    mail.send(write("reader").replace(b"reader", recipient.encode()), RETURN_PATH, recipient)
    assert mail.mailbox(recipient).wait_for(1)


def test_no_mail_can_leave(mail: MailServer) -> None:
    with smtplib.SMTP("127.0.0.1", mail.smtp_port, timeout=20) as client:
        client.ehlo("client.test")
        client.mail(RETURN_PATH)
        for outside in ("somebody@elsewhere.example", "somebody@[127.0.0.1]", "somebody", "a%b.example@mail.invalid"):
            code, text = client.rcpt(outside)
            assert (code, text[:5]) in {(550, b"5.7.1"), (554, b"5.7.1")}, outside
    services = (mail.folder / "master.cf").read_text().splitlines()
    assert "smtp" not in {line.split()[7] for line in services}, "a service that speaks to other servers"
    ports = (mail.smtp_port, mail.submission_port, mail.imap_port, mail.imaps_port, *mail.meddling_ports.values())
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines() if line.split()[3] == "0A"]
    ours = [address for address in listening if int(address.partition(":")[2], 16) in ports]
    assert sorted(ours) == sorted(f"0100007F:{port:04X}" for port in ports), "on 127.0.0.1 alone"


def test_unknown_reader_is_refused_at_once(mail: MailServer) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused, match=r"550.*5\.1\.1"):
        mail.send(write("unknown-1@mail.test"), RETURN_PATH, "unknown-1@mail.test")


def test_reader_who_is_gone_comes_back_as_a_report(mail: MailServer) -> None:
    mail.send(write(GONE[-1]), RETURN_PATH, GONE[-1])
    report = next(letter for letter in mail.mailbox(BOUNCES).wait_for(1) if letter["To"] == RETURN_PATH)
    assert report.get_content_type() == "multipart/report"
    assert "Status: 5.1.1" in report.as_string()


def test_submission_wants_tls_and_a_password(mail: MailServer) -> None:
    with smtplib.SMTP("localhost", mail.submission_port, timeout=20) as client:
        client.ehlo("client.test")
        assert client.mail(RETURN_PATH)[0] == 530
        client.starttls(context=ssl.create_default_context(cafile=mail.ca))
        assert client.docmd("RCPT", "TO:<submitted@mail.test>")[0] == 503
        with pytest.raises(smtplib.SMTPAuthenticationError, match="535"):
            client.login(USER, "wrong")
        client.login(USER, PASSWORD)
        client.sendmail(RETURN_PATH, "submitted@mail.test", write("submitted@mail.test"))
    assert mail.mailbox("submitted@mail.test").wait_for(1)
    with (
        smtplib.SMTP("localhost", mail.submission_port, timeout=20) as client,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        client.starttls(context=ssl.create_default_context())


def test_relays_that_meddle(mail: MailServer) -> None:
    sent = write("meddled@mail.test")
    received = {}
    for name, port in mail.meddling_ports.items():
        recipient = f"meddled-{name}@mail.test"
        mail.send(sent, RETURN_PATH, recipient, port=port)
        received[name] = mail.mailbox(recipient).wait_for(1)[0]
    assert "https://click.relay.test/blog.test/en/leaving-russia/" in received["links"].get_content()
    assert "a relay that advertises" in received["body"].get_content()
    assert received["message-id"]["Message-ID"] == "<rewritten@relay.test>"
    assert received["return-path"]["Return-Path"] == "<returned@blog.test>"
    for name, letter in received.items():
        changed = [
            letter.get_content().encode() != sent.partition(b"\r\n\r\n")[2],
            letter["Message-ID"] != "<letter-1@blog.test>",
            letter["Return-Path"] != f"<{RETURN_PATH}>",
        ]
        assert sum(changed) == 1, f"{name} changes one thing"


def test_second_pair_stands_beside_the_first_and_leaves_nothing(mail: MailServer) -> None:
    started = time.monotonic()
    with running_mail_server() as other:
        other.send(write("second@mail.test"), RETURN_PATH, "second@mail.test")
        assert other.mailbox("second@mail.test").wait_for(1)
        assert mail.mailbox("second@mail.test").letters() == []
    assert not other.folder.exists()
    assert processes_of(mail)
    assert not processes_of(other)
    assert time.monotonic() - started < 15


def processes_of(server: MailServer) -> list[str]:
    """The ids of the processes that work in its folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            if str(server.folder) in (process / "cmdline").read_text() + str((process / "cwd").readlink()):
                found.append(process.name)
    return found


def attempt(sink: Sink, recipient: str = "a@mail.test", timeout: float = 10) -> str:
    """Send one letter, and tell how that ended."""
    try:
        with smtplib.SMTP("127.0.0.1", sink.port, local_hostname="client.test", timeout=timeout) as client:
            client.sendmail(RETURN_PATH, recipient, write(recipient))
    except smtplib.SMTPRecipientsRefused as error:
        return str(error.recipients[recipient][0])
    except smtplib.SMTPResponseException as error:
        return str(error.smtp_code)
    except OSError as error:
        return type(error).__name__
    return "sent"


def test_sink_records_what_it_accepts(tmp_path: Path) -> None:
    with Sink(tmp_path, keep=True) as sink:
        assert attempt(sink) == "sent"
    (letter,) = sink.accepted()
    assert (letter.sender, letter.recipient) == (RETURN_PATH, "a@mail.test")
    assert letter.message_id == "<letter-1@blog.test>"
    assert letter.letter == write("a@mail.test") + b".\r\n"


@pytest.mark.parametrize(
    ("rule", "ends"),
    [
        (Rule("connect", "421 4.3.2 later", times=1), ["421", "sent"]),
        (Rule("connect", DROP, times=1), ["SMTPServerDisconnected", "sent"]),
        (Rule("mail", "530 5.7.0 who are you", times=1), ["530", "sent"]),
        (Rule("rcpt", "450 4.2.0 greylisted", once_each=True), ["450", "sent"]),
        (Rule("rcpt", "550 5.1.1 no such user", to="^a@"), ["550", "550"]),
        (Rule("rcpt", "550 5.7.1 not from you", to="@elsewhere.test$"), ["sent", "sent"]),
        (Rule("data", "452 4.3.1 no space", times=1), ["452", "sent"]),
        (Rule("body", DROP, times=1), ["SMTPServerDisconnected", "sent"]),
        (Rule("end", "554 5.6.0 not this one", times=1), ["554", "sent"]),
        (Rule("end", LOSE, times=1), ["SMTPServerDisconnected", "sent"]),
        (Rule("end", DROP, times=1), ["SMTPServerDisconnected", "sent"]),
        (Rule("end", STALL, times=1), ["SMTPServerDisconnected", "sent"]),
        (Rule("end", delay=0.1), ["sent", "sent"]),
    ],
    ids=lambda value: f"{value.at}-{value.reply[:4]}" if isinstance(value, Rule) else "",
)
def test_sink_misbehaves_as_told(tmp_path: Path, rule: Rule, ends: list[str]) -> None:
    with Sink(tmp_path, rule) as sink:
        stalls = rule.reply == STALL
        assert [attempt(sink, timeout=0.5 if stalls else 10) for _ in ends] == ends
        assert len(sink.accepted()) == ends.count("sent") + (rule.reply == LOSE)
        sink.obey()
        assert attempt(sink) == "sent"


def test_sink_offers_tls_and_a_login(tmp_path: Path) -> None:
    ca, certificate, key = make_certificates(tmp_path)
    refusal = Rule("auth", "454 4.7.0 later", times=2)  # smtplib tries the second mechanism too
    with Sink(tmp_path, refusal, certificate=(certificate, key)) as sink:
        with smtplib.SMTP("localhost", sink.port, local_hostname="client.test", timeout=10) as client:
            client.starttls(context=ssl.create_default_context(cafile=ca))
            with pytest.raises(smtplib.SMTPAuthenticationError, match="454"):
                client.login("mailroom", "any")
        with smtplib.SMTP("localhost", sink.port, local_hostname="client.test", timeout=10) as client:
            client.starttls(context=ssl.create_default_context(cafile=ca))
            client.login("mailroom", "any")
            client.sendmail(RETURN_PATH, "a@mail.test", write("a@mail.test"))
        assert [(letter.tls, letter.user) for letter in sink.accepted()] == [(True, "mailroom")]


def test_sink_is_not_what_a_measurement_waits_for(tmp_path: Path) -> None:
    letter = write("a@mail.test") + b".\r\n"
    with Sink(tmp_path) as sink, socket.create_connection(("127.0.0.1", sink.port), timeout=20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        lines = connection.makefile("rb")
        assert lines.readline().startswith(b"220")
        started = time.monotonic()
        for number in range(1000):
            for part in (b"MAIL FROM:<a@blog.test>\r\n", b"RCPT TO:<%d@mail.test>\r\n" % number, b"DATA\r\n", letter):
                connection.sendall(part)
                assert lines.readline()[:1] in b"23"
        lines.close()
        assert len({each.recipient for each in sink.accepted()}) == 1000
    assert time.monotonic() - started < 5  # 0.5 s on an idle machine


def test_spam_filter_knows_good_from_bad(tmp_path: Path) -> None:
    bad = (
        b"From: x\r\nSubject: EARN $$$ NOW, ACT TODAY!!!\r\nContent-Type: text/html\r\n\r\n"
        b"<html><body><font size=7 color=red>100% FREE MONEY!!! CLICK HERE</font><img src=http://1.2.3.4/x></body>"
    )
    (good_score, _), (score, tests) = spam_scores([write("reader-001@mail.test"), bad], tmp_path)
    assert good_score < 2
    assert score > 5, tests
    assert "MISSING_DATE" in tests


def test_signature_is_verified_against_the_records_given() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    letter = write("reader-001@mail.test")
    signed = dkim.sign(letter, b"k1", b"blog.test", pem, include_headers=[b"from", b"subject"]) + letter
    records = {"k1._domainkey.blog.test": f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"}
    assert verified_headers(signed, records) == [{"from", "subject"}]
    assert verified_headers(signed.replace(b"today", b"now"), records) == []
    assert verified_headers(signed, {}) == []
