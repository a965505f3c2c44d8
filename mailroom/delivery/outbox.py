"""The development relay: letters are files, to be opened in any mail program."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

from mailroom.delivery.replies import Reply

_COUNT = itertools.count(1)


class Outbox:
    """A folder that takes every letter (see `mailroom.delivery.relay.Relay`). Its files sort by their time."""

    def __init__(self, folder: Path) -> None:
        """The folder is made when there is a letter."""
        self._folder = folder

    def offer(self, sender: str, recipient: str) -> None:
        """Anybody may be written to."""

    def deliver(self, letter: bytes) -> Reply:
        """Write the letter; whoever looks sees it whole or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        name = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}-{next(_COUNT):05}"
        unfinished = self._folder / f".{name}.part"
        unfinished.write_bytes(letter)
        unfinished.rename(self._folder / f"{name}.eml")
        return Reply(250, "2.0.0")

    def abandon(self) -> None:
        """Nothing was begun."""

    def interrupt(self) -> None:
        """Nothing is waited for."""

    def close(self) -> None:
        """Nothing is open."""
