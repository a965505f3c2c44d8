"""What can go wrong, and how it is said.

    ConfigurationError(ValueError)    a setting
    TranslatorsError(ValueError)
      RecordError                     a record that is not as the desk wrote it
      GlossaryError                   the glossary
      ClaimedError                    somebody else is at work on it
      DeskError                       what was asked for cannot be done

Each message names the file or setting, what is wrong there and the remedy, because
whoever reads it has that file open and nothing else.
"""

from __future__ import annotations


class ConfigurationError(ValueError):
    """A setting that cannot be used: it names the setting, the value found there and the remedy."""

    def __init__(self, setting: str, value: object, remedy: str) -> None:
        super().__init__(f"{setting} = {value!r}: {remedy}")
        self.setting = setting
        self.value = value
        self.remedy = remedy


class TranslatorsError(ValueError):
    """Something at the desk: where, what is wrong, and the remedy."""

    def __init__(self, where: str, what: str, remedy: str) -> None:
        super().__init__(f"{where}: {what}. {remedy}")
        self.where = where
        self.what = what
        self.remedy = remedy


class RecordError(TranslatorsError):
    """A record that is not as the desk wrote it."""


class GlossaryError(TranslatorsError):
    """A glossary that cannot be read."""


class ClaimedError(TranslatorsError):
    """A translation that somebody else has claimed."""


class DeskError(TranslatorsError):
    """What was asked for cannot be done with this translation."""
