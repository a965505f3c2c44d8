"""What a relay's reply means for the letter (RFC 5321, 4.2; RFC 3463). Nothing here does anything.

Of a reply only the code and the enhanced status are kept: its text may hold the recipient's address.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from mailroom.clock import HOUR, MINUTE

#: The mailbox is none, was given up, or is no address: the only statuses that suppress anybody. A bare `550`, which
#: spam filters say as well, does not.
NO_MAILBOX = frozenset({"5.1.1", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
#: How long a letter is tried again, counted from its first attempt.
LAST_ATTEMPT = 72 * HOUR
_FIRST_WAIT, _LONGEST_WAIT = 30 * MINUTE, 16 * HOUR
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?![.\d])")


class Stage(enum.Enum):
    """What a reply answers."""

    #: The greeting, EHLO, STARTTLS and AUTH.
    CONNECT = enum.auto()
    MAIL = enum.auto()
    RCPT = enum.auto()
    DATA = enum.auto()
    #: The letter itself.
    END = enum.auto()


class Verdict(enum.Enum):
    """What becomes of a letter."""

    SENT = enum.auto()
    #: Nobody has that mailbox: its address is suppressed.
    BOUNCED = enum.auto()
    #: Not this letter, or not from us; that says nothing of the address.
    REFUSED = enum.auto()
    #: Later.
    DEFERRED = enum.auto()
    #: The relay takes nothing now, from us or at all: that says nothing of the letter.
    RELAY = enum.auto()


@dataclass(frozen=True, slots=True)
class Reply:
    """A relay's reply without its text; `status` is "" where there is none."""

    code: int
    status: str = ""

    def __str__(self) -> str:
        return f"{self.code} {self.status}".rstrip()


def read_reply(code: int, text: str) -> Reply:
    """The reply in a code and a text, as smtplib gives them."""
    found = _ENHANCED.match(text)
    return Reply(code, found[1] if found else "")


def classify(reply: Reply, stage: Stage) -> Verdict:
    """What a reply says of the letter.

    The code decides whether it is for now or for good; where the enhanced status contradicts it ("450 5.1.1"), it is
    for now. A reply that is none (not 2xx, 4xx or 5xx) is taken for temporary.
    """
    code = reply.code
    if code in (421, 454) or code // 10 == 53:
        return Verdict.RELAY
    if stage is Stage.END and 200 <= code < 300:
        return Verdict.SENT
    if stage in (Stage.CONNECT, Stage.MAIL):
        return Verdict.RELAY
    if not 500 <= code < 600:
        return Verdict.DEFERRED
    return classify_report(reply.status)


def classify_report(status: str) -> Verdict:
    """What a status means in a report on a letter that could not be delivered (RFC 3464), or in a 5xx reply."""
    return Verdict.BOUNCED if status in NO_MAILBOX else Verdict.REFUSED


def wait_after(attempts: int) -> int:
    """Seconds to the next attempt after so many: 30 minutes, doubling to 16 hours."""
    return min(_FIRST_WAIT << min(attempts - 1, 5), _LONGEST_WAIT)
