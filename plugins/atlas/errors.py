"""What can go wrong, and how it is said.

ConfigurationError(ValueError)   a setting: stops the build before it starts
Problem                          a finding in the table: collected, never raised
"""

from __future__ import annotations

from dataclasses import dataclass


class ConfigurationError(ValueError):
    """A setting that cannot be used: which, the value found there, the remedy."""

    def __init__(self, setting: str, value: object, remedy: str) -> None:
        super().__init__(f"{setting} = {value!r}: {remedy}")
        self.setting = setting
        self.value = value
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding: the line it stands in (from 1; 0: the whole file), what is wrong, what to do about it."""

    line: int
    what: str
    remedy: str
