"""Submissions sealed to the practice's age recipients, in blobs of exactly their size class.

What age writes varies in length by some hundred octets, with the number of recipients and a stanza of random length
that it adds to its header. So a blob is the length of age's file in four octets, the file, and random octets up to the
size: of two submissions of one class nothing but the class can be told.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import pyrage

from mailroom.errors import ConfigurationError, InvalidSubmission, WrongKey
from mailroom.intake.container import SIZES, content_size, pack, unpack
from mailroom.intake.forms import Submission

SETTING = "MAILROOM_INTAKE_RECIPIENTS"
#: How many experts' keys there may be: each makes what age writes longer.
MOST_RECIPIENTS = 8
#: Days after which a key is to be replaced by a new one, and after which it is refused.
ROTATE_AFTER, REFUSE_AFTER = 90, 180
_LENGTH = 4


@dataclass(frozen=True, slots=True)
class Recipient:
    """The public half of an expert's age key, and the day on which it was made."""

    age: str
    since: date

    def days(self, today: int) -> int:
        """How old it is on a day, which is counted from 1970-01-01."""
        return today - (self.since - date(1970, 1, 1)).days


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed submission: its size class, the name of the keys that open it, and the octets to be kept."""

    size: int
    key: str
    blob: bytes = field(repr=False)


def read_recipients(text: str) -> tuple[Recipient, ...]:
    """The recipients that MAILROOM_INTAKE_RECIPIENTS names: `age1… 2026-11-01, age1… 2026-11-22`; none for "".

    Raises ConfigurationError, without repeating what stands there: it may be the other half of a key.
    """
    parts = [part.split() for part in text.split(",") if part.strip()]
    recipients = tuple(_read_recipient(words) for words in parts)
    if len(recipients) > MOST_RECIPIENTS:
        raise ConfigurationError(SETTING, "…", f"name {MOST_RECIPIENTS} recipients at most")
    if len({each.age for each in recipients}) < len(recipients):
        raise ConfigurationError(SETTING, "…", "a recipient is named twice")
    return recipients


def _read_recipient(words: list[str]) -> Recipient:
    remedy = "name each recipient and the day on which it was made: age1… 2026-11-01, age1… 2026-11-22"
    try:
        name, day = words
        pyrage.x25519.Recipient.from_str(name)
        return Recipient(name, date.fromisoformat(day))
    except (ValueError, pyrage.RecipientError):
        raise ConfigurationError(SETTING, "…", remedy) from None  # the error may quote it


def refuse_old(recipients: Sequence[Recipient], today: int) -> None:
    """Raise ConfigurationError for a recipient that is too old to be sealed to, or that is not made yet."""
    for each in recipients:
        if each.days(today) > REFUSE_AFTER:
            remedy = f"this key is {each.days(today)} days old: make a new one with ./blog intake keygen"
            raise ConfigurationError(SETTING, f"{each.age} {each.since}", remedy)
        if each.days(today) < -1:  # in some time zone it is tomorrow
            raise ConfigurationError(SETTING, f"{each.age} {each.since}", "name the day on which the key was made")


def fingerprint(recipients: Sequence[Recipient]) -> str:
    """What keys are called that seal together: 8 hexadecimal digits."""
    names = "\n".join(sorted(each.age for each in recipients))
    return hashlib.sha256(names.encode()).hexdigest()[:8]


def seal(submission: Submission, recipients: Sequence[Recipient]) -> Sealed:
    """Seal a submission so that each of the recipients can open it alone. Raises TooLarge, InvalidSubmission."""
    content = pack(submission)
    size = next(size for size in SIZES if content_size(size) == len(content))
    file = pyrage.encrypt(content, [pyrage.x25519.Recipient.from_str(each.age) for each in recipients])
    blob = b"".join((len(file).to_bytes(_LENGTH, "big"), file, os.urandom(size - _LENGTH - len(file))))
    return Sealed(size, fingerprint(recipients), blob)


def unseal(blob: bytes, identity: pyrage.x25519.Identity) -> Submission:
    """Open a blob. Raises InvalidSubmission, and WrongKey where the identity does not open it."""
    end = _LENGTH + int.from_bytes(blob[:_LENGTH], "big")
    if len(blob) not in SIZES or end > len(blob):
        raise InvalidSubmission("This is no sealed submission: its length is none of ours", "Fetch it again.")
    try:
        content = pyrage.decrypt(blob[_LENGTH:end], [identity])
    except (pyrage.DecryptError, OSError) as error:
        raise WrongKey(
            "This age identity does not open the submission, or it was altered",
            "Try the identity that was in use when it was sent.",
        ) from error
    if len(content) != content_size(len(blob)):
        raise InvalidSubmission("This is no submission as our form makes them: its size is another class's",
                                "Trust nothing in it.")  # fmt: skip
    return unpack(content)
