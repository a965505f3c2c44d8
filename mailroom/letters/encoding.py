"""Texts with gaps, encoded for mail in advance (RFC 2045): a letter to one person only fills the gaps.

A gap stands in a text as U+0001, a name, U+0001. Lines end in CRLF, have at most 76 characters and are ASCII, so every
relay hands them on as they are.
"""

from __future__ import annotations

import re
from binascii import b2a_base64, b2a_qp
from collections.abc import Mapping
from typing import Protocol

_GAP = re.compile("\x01([a-z]+)\x01")
_SAMPLE = b"https://letters.example.org/mail/unsubscribe/" + b"x" * 52
_SOFT_BREAK = b"=\r\n"


def gap(name: str) -> str:
    """What stands in a text where something is filled in."""
    return f"\x01{name}\x01"


class Encoded(Protocol):
    """A text that waits for what goes into its gaps."""

    transfer: str

    def fill(self, values: Mapping[str, bytes]) -> list[bytes]:
        """The encoded text with these values, in pieces to be joined."""


def encode(text: str) -> Encoded:
    """Encode a text the shorter way: nearly all ASCII as quoted-printable, other scripts as base64."""
    pieces = _GAP.split(text.replace("\r\n", "\n").replace("\r", "\n"))
    ways: tuple[Encoded, Encoded] = (QuotedPrintable(pieces), Base64(pieces))
    sample = dict.fromkeys(pieces[1::2], _SAMPLE)
    return min(ways, key=lambda way: sum(map(len, way.fill(sample))))


class QuotedPrintable:
    """A gap stands on lines of its own, which soft line breaks join to what is around it."""

    transfer = "quoted-printable"

    def __init__(self, pieces: list[str]) -> None:
        """`pieces` are texts and, between them, names of gaps."""
        self._names = pieces[1::2]
        self._texts = [_quoted(text.encode()) for text in pieces[::2]]

    def fill(self, values: Mapping[str, bytes]) -> list[bytes]:
        """The encoded text with these values."""
        filled = [self._texts[0]]
        for name, text in zip(self._names, self._texts[1:], strict=True):
            filled += (_SOFT_BREAK, _quoted(values[name]), _SOFT_BREAK, text)
        return filled


def _quoted(octets: bytes) -> bytes:
    """Quoted-printable text that leaves room for a soft line break at its end."""
    # One more character keeps the last line from being full, and a space before the break from being the last.
    encoded = b2a_qp(octets + b"=", istext=True)[:-3]
    return encoded.replace(b"\n", b"\r\n")


class Base64:
    """Three octets make four letters, so a gap takes along the few octets beside it that complete its letters.

    How many those are depends on what is filled in, hence each text is encoded from up to three beginnings, on demand.
    """

    transfer = "base64"

    def __init__(self, pieces: list[str]) -> None:
        """`pieces` are texts and, between them, names of gaps."""
        self._names = pieces[1::2]
        self._texts = [text.replace("\n", "\r\n").encode() for text in pieces[::2]]
        self._known: dict[tuple[int, int], tuple[bytes, bytes]] = {}

    def fill(self, values: Mapping[str, bytes]) -> list[bytes]:
        """The encoded text with these values."""
        lines, rest = self._from(0, 0)
        filled = [lines]
        for number, name in enumerate(self._names, 1):
            segment = rest + values[name]
            text = self._texts[number]
            begin = min(-len(segment) % 3, len(text))
            segment += text[:begin]
            if len(segment) % 3:  # the text was too short: it goes with the next gap
                rest = segment
                continue
            lines, rest = self._from(number, begin)
            filled += (_lines(segment), lines)
        filled.append(_lines(rest))
        return filled

    def _from(self, number: int, begin: int) -> tuple[bytes, bytes]:
        """A text from this octet on: its lines, and the octets left over."""
        if (number, begin) not in self._known:
            text = self._texts[number][begin:]
            whole = len(text) // 3 * 3
            self._known[number, begin] = _lines(text[:whole]), text[whole:]
        return self._known[number, begin]


def _lines(octets: bytes) -> bytes:
    encoded = b2a_base64(octets, newline=False)
    return b"".join(encoded[start : start + 76] + b"\r\n" for start in range(0, len(encoded), 76))
