"""A file that was sent in and cannot be used."""

from __future__ import annotations


class UnusableFile(ValueError):
    """It names the file, what is wrong with it and what to do; nothing was changed."""

    remedy = True  # the front door then shows the message as it is

    def __init__(self, name: str, what: str, remedy: str) -> None:
        super().__init__(f"{name}: {what}. {remedy}")
        self.name = name
        self.what = what
        self.remedy_text = remedy
