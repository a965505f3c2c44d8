"""What can go wrong, and how it is said.

    ConfigurationError(ValueError)   a setting: stops the build before it starts
    Problem                          a finding in one source file: collected, never raised

Pelican swallows exceptions raised while a file is read and logs no reason for them, so
whatever is wrong with content becomes a `Problem` in a list; the build ends with all of
them at once instead of the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class ConfigurationError(ValueError):
    """A setting that cannot be used.

    It names the setting, the value found there and the remedy, because whoever reads it
    has a configuration file open and nothing else.
    """

    def __init__(self, setting: str, value: object, remedy: str) -> None:
        super().__init__(f"{setting} = {value!r}: {remedy}")
        self.setting = setting
        self.value = value
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding: where, what, and what to do about it.

    `file` is relative to the project's folder, `line` counts from 1 (0: the whole file).
    A `warning` is listed by `check` but stops nothing.
    """

    file: str
    line: int
    what: str
    remedy: str
    warning: bool = False

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        # One line, whatever a file is called: a code host obeys lines that begin as its commands do.
        return _CONTROL.sub(lambda found: repr(found[0])[1:-1], f"{place}: {self.what}. {self.remedy}")


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Each finding once, by file and line: the order in which an editor mends them."""
    return sorted(set(problems), key=lambda p: (p.warning, p.file, p.line, p.what))


def suggestion(word: str, known: Iterable[str]) -> str:
    """Name the nearest known word, or all of them when none is near."""
    names = sorted(known)
    near = get_close_matches(word, names, n=1)
    if near:
        return f"Did you mean {near[0]!r}?"
    return "Known are: " + ", ".join(names) + "." if names else "None is defined yet."
