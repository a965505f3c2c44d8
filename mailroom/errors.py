"""What can go wrong in the mailroom. Every message names the thing, says what is wrong with it and what to do.

None of them ever holds an address, a token or a key: messages end in logs.
"""

from __future__ import annotations

import errno
import traceback
from pathlib import Path


class ConfigurationError(ValueError):
    """A setting that cannot be used: it names the setting, the value found there and the remedy."""

    def __init__(self, setting: str, value: object, remedy: str) -> None:
        super().__init__(f"{setting} = {value!r}: {remedy}")
        self.setting = setting
        self.value = value
        self.remedy = remedy


class MailroomError(Exception):
    """Anything the mailroom cannot do; `remedy` says what whoever runs it can."""

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(f"{problem}. {remedy}" if remedy else problem)
        self.problem = problem
        self.remedy = remedy


class InvalidToken(MailroomError):
    """A link that we did not make, made for something else, or that was damaged on its way."""


class ExpiredToken(InvalidToken):
    """A link of ours whose time is over."""


class InvalidAddress(MailroomError):
    """What somebody typed is no address that letters can be sent to."""


class InvalidImport(MailroomError):
    """A file of subscribers that cannot be taken as it is; the lines are named, never what stands in them."""


class InvalidLetter(MailroomError):
    """What a letter is to be made of would break it."""


class CampaignError(MailroomError):
    """What was asked of a campaign cannot be done."""


class InvalidCampaign(CampaignError):
    """A field of what was handed in cannot be used; `problem` names it."""


class UnknownCampaign(CampaignError):
    """There is no campaign of that key."""


class CampaignClosed(CampaignError):
    """It is no longer, or not yet, in a state in which that can be done."""


class DraftChanged(CampaignError):
    """What would be sent is not what was reviewed."""


class TooManyTests(CampaignError):
    """Enough test letters for a day."""


class IntakeError(MailroomError):
    """What was asked of the intake cannot be done."""


class TooLarge(IntakeError):
    """More than the largest size class holds."""


class InvalidSubmission(IntakeError):
    """Octets that are no submission as our form makes them."""


class InvalidReceipt(IntakeError):
    """What somebody typed is no receipt."""


class IntakeFull(IntakeError):
    """No further submission is kept, until an expert has fetched some or they expire."""


class UnknownSubmission(IntakeError):
    """There is no submission of that id, or no longer."""


class SubmissionChanged(IntakeError):
    """What an expert's client has is not what is kept here."""


class StoreError(MailroomError):
    """The database cannot be used now."""


class AtWork(StoreError):
    """The mailroom runs, and what is to be done needs it to be still, or to be the only one."""


class SchemaOutdated(StoreError):
    """The database is of another version than the program."""


class StoreDamaged(StoreError):
    """The database file is not what we wrote: a backup is needed."""


class DiskFull(StoreError):
    """Nothing can be written until somebody makes room."""


class WrongKey(StoreError):
    """The keyring is not the one that the data was sealed with."""


class Unreadable(StoreError):
    """A sealed value that does not open: altered, or moved from another row."""


class DeliveryFailed(MailroomError):
    """A letter that the relay did not take."""


class TemporaryFailure(DeliveryFailed):
    """Not now; the same letter may be taken later."""


class PermanentFailure(DeliveryFailed):
    """Never, as things are."""


def describe(error: BaseException) -> str:
    """An error for the log: our own say what to do and hold no secret; of others, the kind and the place."""
    if isinstance(error, (MailroomError, ConfigurationError)):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    place = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames[-4:]))
    number = f" ({errno.errorcode.get(error.errno or 0, '?')})" if isinstance(error, OSError) else ""
    return f"{type(error).__name__}{number} at {place}"
