"""What comes back: reports on letters that did not arrive, complaints, and mails that ask to leave.

A mail is believed only if it was sent to an address that nobody could make who has not seen the letter
(mailroom/letters/return_path.py); what it says of addresses is never looked at. What was understood is deleted, since
it names people. What was not is flagged and left for a person, and `doctor` counts it.
"""

from __future__ import annotations

import base64
import email
import logging
import quopri
import re
import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from typing import Literal

from mailroom.delivery.mailboxes import open_bounce_mailbox
from mailroom.delivery.queue import Queue
from mailroom.delivery.replies import Verdict, classify_report
from mailroom.letters.return_path import Returned, ReturnPaths
from mailroom.office import Office
from mailroom.settings import Settings

#: What a mail says.
Said = Literal["failed", "complained", "left", "nothing", "forged", "unreadable"]
#: What became of it. `late`: what becomes of its letter was known before, or is forgotten; `later`: the worker has not
#: yet written down that the relay took it.
Outcome = Literal[
    "bounced", "refused", "complained", "left", "ignored", "late", "later", "forged", "unreadable", "oversized"
]
SET_ASIDE: tuple[Outcome, ...] = ("forged", "unreadable", "oversized")
#: Octets of a report at most: it brings back one of our letters at worst.
LARGEST = 1024 * 1024
#: Where relays write to whom they have delivered.
_ADDRESSED = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To")
#: Where a complaint has the letter's own addresses (RFC 5965, 3.2), which it may have been sent without.
_COMPLAINED_OF = ("Original-Mail-From", "Return-Path", "List-Unsubscribe")
#: Feedback that is no complaint: the opposite, and reports on signatures (RFC 5965, 7.3; RFC 6591).
_NO_COMPLAINT = ("not-spam", "auth-failure", "dmarc")
_STATUS = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})(?![.\d])")
_DIAGNOSTIC = re.compile(r"\b5\d\d[ -](5\.\d{1,3}\.\d{1,3})\b")

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a mail says, and about which letter or subscription; `status` is that of a failure (RFC 3463)."""

    said: Said
    about: Returned | None = None
    status: str = ""


def read_bounces(office: Office, most: int = 500) -> Counter[Outcome]:
    """Read what has come back, at most so many mails, and count what became of them.

    Each is deleted only when what it says is in the database; a process killed in between reads it once more, which
    changes nothing. Raises ConfigurationError, MailroomError for the mailbox, StoreError for the database.
    """
    tally: Counter[Outcome] = Counter()
    if office.settings.bounces == "none":
        return tally
    paths = ReturnPaths(office.ring, office.settings.bounce_domain)
    with open_bounce_mailbox(office.settings) as mailbox:
        for mail in mailbox.waiting(most):
            outcome: Outcome = "oversized"
            if mail.size <= LARGEST:
                outcome = follow(office, understand(mailbox.read(mail), paths))
            if outcome in SET_ASIDE:
                mailbox.set_aside(mail)
            elif outcome != "later":
                mailbox.delete(mail)
            tally[outcome] += 1
    if tally:
        aside = sum(tally[outcome] for outcome in SET_ASIDE)
        remedy = "; those not understood are flagged there, look at them" if aside else ""
        counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(tally.items()))
        LOG.log(logging.WARNING if aside else logging.INFO, "the mailbox of reports: %s%s", counts, remedy)
    return tally


def count_set_aside(settings: Settings) -> int:
    """How many mails wait for a person in the mailbox. Raises as `read_bounces` does."""
    if settings.bounces == "none":
        return 0
    with open_bounce_mailbox(settings) as mailbox:
        return mailbox.count_set_aside()


def follow(office: Office, finding: Finding) -> Outcome:
    """Do what a finding asks for; return when that is on the disk."""
    match finding:
        case Finding("failed", Returned("b", letter), status):
            return _fail(office, letter, status)
        case Finding("complained", Returned() as about):
            return _complain(office, about)
        case Finding("left", Returned("leave", subscription)):
            office.subscriptions.unsubscribe(subscription)
            return "left"
        case Finding("nothing"):
            return "ignored"
        case Finding("forged"):
            return "forged"
        case _:
            return "unreadable"


def _fail(office: Office, letter: bytes, status: str) -> Outcome:
    queue = Queue(office.database, office.vault, office.journal, office.clock)
    verdict = queue.come_back(letter, status)
    if verdict is not None:
        return "bounced" if verdict is Verdict.BOUNCED else "refused"
    row = _find(office, letter)
    return "later" if row is not None and row["state"] in ("claimed", "sending") else "late"


def _complain(office: Office, about: Returned) -> Outcome:
    subscription = about.identity
    if about.kind == "b":
        row = _find(office, about.identity)
        if row is None or row["subscription"] is None:
            return "late"
        subscription = bytes(row["subscription"])
    office.subscriptions.leave(subscription, "complained")
    return "complained"


def _find(office: Office, letter: bytes) -> sqlite3.Row | None:
    rows = office.database.read("SELECT state, subscription FROM letters WHERE id = ?", (letter,))
    return rows[0] if rows else None


def understand(raw: bytes, paths: ReturnPaths) -> Finding:
    """What a mail says. It raises nothing: anybody can write to these addresses, and anything."""
    try:
        return _understand(email.message_from_bytes(raw), paths)
    except Exception:  # noqa: BLE001 - on hostile mail the parser has been seen to raise most kinds there are
        return Finding("unreadable")


def _understand(message: Message, paths: ReturnPaths) -> Finding:
    about = _about(message, _ADDRESSED, paths)
    kind, part = _report(message)
    if kind == "feedback":
        return _read_complaint(message, part, about, paths)
    if about is None:
        return Finding("forged")
    if about.kind == "leave":
        return Finding("left", about)  # whatever it says
    if kind == "delivery":
        return _read_delivery(part, about)
    automatic = message.get("Auto-Submitted", "no").strip().lower().startswith("auto-")
    if automatic or kind == "disposition" or {"X-Autoreply", "X-Autorespond"} & set(message):
        return Finding("nothing", about)
    return Finding("unreadable", about)


def _about(message: Message | Mapping[str, str], headers: tuple[str, ...], paths: ReturnPaths) -> Returned | None:
    """The first address of ours in these headers."""
    values = (str(value) for header in headers for name, value in message.items() if name.lower() == header.lower())
    return next((found for value in values for found in paths.find(value)), None)


def _report(message: Message) -> tuple[str, Message]:
    """Which kind of report a mail is, and the part for machines (RFC 6522): the second, never one further inside."""
    parts = _parts(message)
    if message.get_content_type() == "multipart/report" and len(parts) > 1:
        part = parts[1]
        kind = part.get_content_type()
        if kind in ("message/delivery-status", "message/global-delivery-status"):  # RFC 3464, 6533
            return "delivery", part
        if kind == "message/feedback-report":
            return "feedback", part
        if kind in ("message/disposition-notification", "message/global-disposition-notification"):
            return "disposition", part
    return "", message


def _read_delivery(part: Message, about: Returned) -> Finding:
    """A report on a delivery: that of the letter failed when every recipient's did, for one never had two."""
    _, *recipients = _fields(part) or [{}]
    failed = [_status(each) for each in recipients if each.get("action", "").strip().lower() == "failed"]
    if not recipients or "" in failed:
        return Finding("unreadable", about)
    if len(failed) < len(recipients):
        return Finding("nothing", about)  # delayed, relayed, delivered
    # Where an address stood for several, only what all their mailboxes say is true of it.
    gone = [status for status in failed if classify_report(status) is Verdict.BOUNCED]
    other = [status for status in failed if status not in gone]
    return Finding("failed", about, (other or gone)[0])


def _status(fields: Mapping[str, str]) -> str:
    """The status of a recipient, from the server's own words where the reporting one only says "failed" (5.0.0)."""
    found = _STATUS.match(fields.get("status", ""))
    told = _DIAGNOSTIC.search(fields.get("diagnostic-code", ""))
    status = found[1] if found else ""
    return told[1] if status == "5.0.0" and told else status


def _read_complaint(message: Message, part: Message, about: Returned | None, paths: ReturnPaths) -> Finding:
    fields = (_fields(part) or [{}])[0]
    about = about or _about(fields, _COMPLAINED_OF, paths)
    for letter in _parts(message)[2:3]:  # the letter complained of, or its headers
        about = about or _about((_parts(letter) or [_headers(letter)])[0], _COMPLAINED_OF, paths)
    if about is None:
        return Finding("forged")
    if fields.get("feedback-type", "").strip().lower() in ("", *_NO_COMPLAINT):
        return Finding("nothing", about)
    return Finding("complained", about)


def _parts(message: Message) -> list[Message]:
    """What a multipart mail consists of, or what a mail holds that is nothing but another one."""
    payload = message.get_payload()
    return [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else []


def _headers(part: Message) -> Message:
    """The headers in a text/rfc822-headers."""
    content = part.get_payload(decode=True)
    return HeaderParser().parsestr(content.decode("utf-8", "replace") if isinstance(content, bytes) else "")


def _fields(part: Message) -> list[dict[str, str]]:
    """The blocks of fields in a report's part for machines, names in lower case; the first block is about the whole.

    The parser has taken the part for mails within a mail, however it is encoded, so it is put together again first.
    """
    octets = b"\n".join(block.as_bytes() for block in _parts(part))
    encoding = part.get("Content-Transfer-Encoding", "").strip().lower()
    if encoding == "base64":
        octets = base64.b64decode(octets)
    elif encoding == "quoted-printable":
        octets = quopri.decodestring(octets)
    texts = re.split(r"\n\s*\n", octets.decode("utf-8", "replace").replace("\r\n", "\n").strip())
    return [
        {name.lower(): " ".join(value.split()) for name, value in HeaderParser().parsestr(text).items()}
        for text in texts
        if text
    ]
