"""Header fields as bytes (RFC 5322, 2047, 6532): nothing that is put into one can begin another."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

import idna

from mailroom.errors import InvalidLetter

# Control characters, and Unicode's own line breaks, which some programs obey.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_ADDRESS = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@(?P<domain>[A-Za-z0-9.\u0080-\U0010ffff-]+)\Z")
_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*\Z")
#: RFC 2047: a line that holds an encoded word has at most 76 characters, the word 75.
_LINE, _WORD = 76, 75
_OVERHEAD = len("=?utf-8?b??=")


def field(name: str, value: str) -> bytes:
    """One field as it stands, of characters that need no encoding (an address may hold UTF-8).

    Raises InvalidLetter, naming the field but not the value, for a line break or another control character.
    """
    return f"{name}: {_checked(name, value)}\r\n".encode()


def text_field(name: str, text: str) -> bytes:
    """A field of free text, such as a subject: encoded where it is not ASCII, folded where it is long."""
    return f"{name}: {_encode(_checked(name, text), len(name) + 2)}\r\n".encode("ascii")


def sender_field(name: str, address: str) -> bytes:
    """The sender: a name in any language and an address."""
    _checked("From", name)
    if name.isascii() and "=?" not in name and len(name) < _LINE:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        phrase = name if _PHRASE.match(name) else f'"{quoted}"'
    else:
        phrase = _encode(name, len("From: "))
    end = f"<{wire_address(address, 'From')}>"
    separator = "\r\n " if len(phrase.rpartition("\n")[2]) + len(end) + len("From: ") > _LINE else " "
    return f"From: {phrase}{separator}{end}\r\n".encode() if phrase else f"From: {end}\r\n".encode()


def date_field(instant: float) -> bytes:
    """The time of sending, in UTC, so that it does not say where we are."""
    return _date(int(instant))


@lru_cache(8)
def _date(second: int) -> bytes:
    return b"Date: " + format_datetime(datetime.fromtimestamp(second, UTC)).encode() + b"\r\n"


def wire_address(address: str, name: str) -> str:
    """An address as the wire has it: its domain in ASCII (IDNA 2008), its local part as the mailbox is called.

    What remains beyond ASCII needs a relay with SMTPUTF8 (RFC 6531). Raises InvalidLetter, naming the field.
    """
    found = _ADDRESS.match(_checked(name, address))
    if not found:
        raise InvalidLetter(f"{name} is not one address", "Look at how it was stored or set")
    return address if found["domain"].isascii() else f"{found['local']}@{wire_domain(found['domain'], name)}"


def wire_domain(domain: str, name: str) -> str:
    """A domain in ASCII (IDNA 2008). Raises InvalidLetter, naming the field."""
    if domain.isascii():
        return _checked(name, domain)
    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        raise InvalidLetter(f"The domain of {name} is none", "Look at how it was stored or set") from None


def _checked(name: str, value: str) -> str:
    if found := _FORBIDDEN.search(value):
        what = f"{name} holds U+{ord(found[0]):04X}, which would end the field or hide in it"
        raise InvalidLetter(what, "Take line breaks and control characters out")
    return value


def _encode(text: str, used: int) -> str:
    """Free text after `used` characters of its first line, as ASCII."""
    words = re.sub(r"[ \t]+", " ", text).strip(" ").split(" ")
    lines: list[str] = []
    if text.isascii() and "=?" not in text and max(map(len, words)) < _LINE - used:
        line, room = words[0], _LINE - used
        for word in words[1:]:
            if len(line) + 1 + len(word) > room:
                lines.append(line)
                line, room = word, _LINE - 1
            else:
                line += " " + word
        lines.append(line)
        return "\r\n ".join(lines)
    # Words are cut between characters, as each must be whole in itself (RFC 2047, 5).
    chunk, room = b"", (min(_WORD, _LINE - used) - _OVERHEAD) // 4 * 3
    for character in " ".join(words):
        octets = character.encode()
        if len(chunk) + len(octets) > room:
            lines.append(_encoded_word(chunk))
            chunk, room = b"", (_WORD - _OVERHEAD) // 4 * 3
        chunk += octets
    lines.append(_encoded_word(chunk))
    return "\r\n ".join(lines)


def _encoded_word(octets: bytes) -> str:
    return f"=?utf-8?b?{base64.b64encode(octets).decode()}?="
