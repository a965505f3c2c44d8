"""One letter through the relay, read back where it arrives: what a relay does to letters shows there alone.

Relays rewrite links to count clicks, add lines of their own, or give letters another Message-ID or return path. Each
of these breaks something that is promised: nothing is tracked, returned letters are recognised, nobody gets one twice.
"""

from __future__ import annotations

import email
import email.policy
import os
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage

from mailroom.delivery.mailboxes import ImapMailbox, open_imap
from mailroom.delivery.relay import Rejected, SmtpRelay
from mailroom.doctor import Finding
from mailroom.errors import ConfigurationError, DeliveryFailed, MailroomError
from mailroom.languages import load_languages
from mailroom.letters.composition import CampaignContent, Composer, Links
from mailroom.letters.dkim import make_signer
from mailroom.letters.headers import wire_domain
from mailroom.letters.return_path import ReturnPaths, message_id
from mailroom.office import Office
from mailroom.tokens import ID_LENGTH, Purpose

#: Seconds to wait for the letter.
PATIENCE = 120.0
#: How many of the newest mails are looked through.
_NEWEST = 30
#: Header fields that must arrive as they were sent: those that leaving, replying and finding the letter rest on.
_KEPT = ("From", "To", "Subject", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Content-Language")
_LINKS = re.compile(r"https?://[^\s\"'<>]+")
_RESULT = re.compile(r"\b(spf|dkim|dmarc)\s*=\s*([a-z]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sent:
    """A letter as it left: `mark` stands in its subject and in its text."""

    mark: str
    sender: str
    content: bytes


def send_and_read(office: Office, patience: float = PATIENCE) -> Iterator[Finding]:
    """Send a letter to MAILROOM_PROBE_ADDRESS, read it by MAILROOM_PROBE_IMAP, and compare.

    Raises ConfigurationError where these are not set, MailroomError when the relay refuses it or it does not arrive.
    """
    settings = office.settings
    for name in ("probe_address", "probe_imap", "probe_password"):
        if not getattr(settings, name):
            remedy = "name a mailbox elsewhere, where this letter can be read: see .env.example"
            raise ConfigurationError(f"MAILROOM_{name.upper()}", "", remedy)
    if settings.relay == "outbox:":
        raise ConfigurationError("MAILROOM_RELAY", settings.relay, "name a relay, smtp://…: a file shows nothing")
    sent = compose(office)
    hand_over(office, sent)
    started = time.monotonic()
    arrived = wait_for(office, sent, patience)
    yield Finding("ok", f"Letter: it arrived after {time.monotonic() - started:.0f} s")
    yield from compare(sent, arrived, signs=settings.dkim_key != "relay")


def compose(office: Office) -> Sent:
    """A letter with all that a letter to many has; its links are good, and nobody's."""
    settings = office.settings
    mark = secrets.token_hex(4)
    lang = settings.default_lang
    site = settings.site or settings.url
    content = CampaignContent(
        key="doctor", kind="notice", lang=lang, subject=f"Test of the mailroom {mark}", preheader="A letter of ours",
        title=f"Test {mark}", summary="This letter is read back and compared.", url=site,
        html=f'<p>Read back, and compared: <a href="{site}?a=1&amp;b=2">a link</a>. سلام · Привет · 你好</p>',
        text=f"Read back, and compared: {site}?a=1&b=2\n\nسلام · Привет · 你好\n",
    )  # fmt: skip
    composer = Composer(settings, load_languages(settings.languages, settings.default_lang))
    letter, nobody, now = os.urandom(8), bytes(ID_LENGTH), office.clock.now()
    paths = ReturnPaths(office.ring, settings.bounce_domain)
    links = Links(
        unsubscribe=f"{settings.url}unsubscribe/{office.tokens.issue(Purpose.UNSUBSCRIBE, nobody, now)}",
        settings=f"{settings.url}settings/{office.tokens.issue(Purpose.SETTINGS, nobody, now)}",
        leave=paths.leave(nobody),
    )
    octets = composer.campaign(content, lang, discreet=False).personalise(
        to=settings.probe_address,
        message_id=message_id(office.ring, letter, wire_domain(settings.domain, "MAILROOM_SENDER")),
        instant=now,
        links=links,
    )
    signer = make_signer(settings)
    return Sent(mark, paths.bounce(letter), signer.sign(octets, now) if signer else octets)


def hand_over(office: Office, sent: Sent) -> None:
    """Give the letter to the relay. Raises MailroomError when it does not take it."""
    relay = SmtpRelay(office.settings)
    remedy = "See ./blog mailroom doctor."
    try:
        relay.offer(sent.sender, office.settings.probe_address)
        reply = relay.deliver(sent.content)
    except Rejected as error:
        raise MailroomError(f"The relay refused the letter at {error.stage.name}: {error.reply}", remedy) from error
    except DeliveryFailed as error:
        raise MailroomError(error.problem, remedy) from error
    finally:
        relay.close()
    if reply.code // 100 != 2:
        raise MailroomError(f"The relay refused the letter: {reply}", remedy)


def wait_for(office: Office, sent: Sent, patience: float) -> EmailMessage:
    """The letter from the mailbox, where it is deleted. Raises MailroomError when it does not come."""
    settings = office.settings
    password, deadline = settings.probe_password.reveal(), time.monotonic() + patience
    pause = 0.2
    while True:
        with open_imap("MAILROOM_PROBE_IMAP", settings.probe_imap, password, settings.relay_ca) as mailbox:
            if found := _find(mailbox, sent.mark):
                return found
        if time.monotonic() > deadline:
            raise MailroomError(
                f"The relay took the letter, and it did not arrive within {patience:.0f} s",
                "Look for it among the mailbox's junk, and ask who runs the relay.",
            )
        time.sleep(pause)
        pause = min(2 * pause, 5.0)


def _find(mailbox: ImapMailbox, mark: str) -> EmailMessage | None:
    for mail in reversed(mailbox.waiting(100_000)[-_NEWEST:]):
        letter = email.message_from_bytes(mailbox.read(mail), policy=email.policy.default)
        if mark in str(letter["Subject"]) or mark in _text(letter, "plain"):
            mailbox.delete(mail)
            return letter
    return None


def compare(sent: Sent, arrived: EmailMessage, *, signs: bool) -> Iterator[Finding]:
    """What happened to the letter on its way."""
    ours = email.message_from_bytes(sent.content, policy=email.policy.default)
    yield from _compare_links(ours, arrived)
    changed = [kind for kind in ("plain", "html") if _lines(ours, kind) != _lines(arrived, kind)]
    if changed:
        remedy = "Have the relay add nothing: no footer, no pixel, no tracking."
        yield Finding("wrong", f"Body: the relay changed it ({', '.join(changed)})", remedy)
    else:
        yield Finding("ok", "Body: it arrived as it was sent")
    if str(arrived["Message-ID"]).strip() != str(ours["Message-ID"]).strip():
        remedy = "Have the relay keep it: by it a letter that was sent twice is shown once."
        yield Finding("wrong", "Message-ID: the relay gave the letter another", remedy)
    else:
        yield Finding("ok", "Message-ID: it was kept")
    yield from _compare_return_path(sent, arrived)
    lost = [name for name in _KEPT if str(ours[name]) != str(arrived[name])]
    if lost:
        yield Finding("wrong", f"Header: the relay changed {', '.join(lost)}", "Have it pass them on as they are.")
    else:
        yield Finding("ok", "Header: what leaving the list rests on was kept")
    yield from _look_at_signature(ours, arrived, signs=signs)


def _compare_links(ours: EmailMessage, arrived: EmailMessage) -> Iterator[Finding]:
    before, after = (_links(letter) for letter in (ours, arrived))
    if before != after:
        hosts = sorted({link.split("/")[2] for link in after - before})
        by = f" (now at {', '.join(hosts)})" if hosts else ""
        yield Finding("wrong", f"Links: the relay rewrites them{by}", "Switch its click tracking off.")
    else:
        yield Finding("ok", f"Links: all {len(before)} arrived as they were sent")


def _compare_return_path(sent: Sent, arrived: EmailMessage) -> Iterator[Finding]:
    found = str(arrived["Return-Path"] or "").strip().strip("<>")
    if not found:
        yield Finding("look", "Return path: the mailbox's server does not say it", "Try a mailbox elsewhere.")
    elif found.lower() != sent.sender.lower():
        remedy = "Have the relay keep it, or nobody learns of addresses that are gone."
        yield Finding("wrong", f"Return path: the relay put one at {found.rpartition('@')[2]} in its place", remedy)
    else:
        yield Finding("ok", "Return path: it was kept")


def _look_at_signature(ours: EmailMessage, arrived: EmailMessage, *, signs: bool) -> Iterator[Finding]:
    signatures = [_tags(str(value)) for value in arrived.get_all("DKIM-Signature", [])]
    domain = str(ours["From"]).rpartition("@")[2].strip(" >")
    aligned = [tags for tags in signatures if domain == tags.get("d") or domain.endswith("." + tags.get("d", "-"))]
    if signs and str(ours["DKIM-Signature"]) not in map(str, arrived.get_all("DKIM-Signature", [])):
        yield Finding("wrong", "DKIM: our signature did not arrive", "Have the relay keep it.")
    elif not any({"list-unsubscribe", "list-unsubscribe-post"} <= _signed(tags) for tags in aligned):
        remedy = "Sign here (./blog mailroom dkim): mail programs show no unsubscribe button otherwise (RFC 8058)."
        yield Finding("wrong", "DKIM: no signature of the sender's domain covers both List-Unsubscribe fields", remedy)
    else:
        yield Finding("ok", "DKIM: the signature covers what leaving the list rests on")
    results = _RESULT.findall(str(arrived["Authentication-Results"] or ""))
    failed = sorted(
        {method.lower() for method, result in results if result.lower() not in ("pass", "none", "bestguesspass")}
    )
    if failed:
        yield Finding("wrong", f"The mailbox's server says that {', '.join(failed)} failed", "./blog mailroom doctor")
    elif results:
        passed = ", ".join(sorted({method.lower() for method, result in results if result.lower() == "pass"}))
        yield Finding("ok", f"The mailbox's server says: {passed or 'nothing'} passed")


def _signed(tags: dict[str, str]) -> set[str]:
    return set(tags.get("h", "").lower().split(":"))


def _tags(value: str) -> dict[str, str]:
    parts = (part.partition("=") for part in value.split(";"))
    return {name.strip(): re.sub(r"\s", "", text) for name, _, text in parts}


def _links(letter: EmailMessage) -> set[str]:
    return {link for kind in ("plain", "html") for link in _LINKS.findall(_text(letter, kind))}


def _lines(letter: EmailMessage, kind: str) -> list[str]:
    return [line.rstrip() for line in _text(letter, kind).strip().splitlines()]


def _text(letter: EmailMessage, kind: str) -> str:
    part = letter.get_body((kind,))
    return str(part.get_content()) if part else ""
