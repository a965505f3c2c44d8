"""Finding addresses in files, in whatever common form they may have got there."""

from __future__ import annotations

import base64
import hashlib
import json
import quopri
import sys
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

#: Octets by which a needle is found first: a machine word, so that a file is looked through in C.
WINDOW = 8
HASHES = ("md5", "sha1", "sha256")


def forms(text: str) -> Iterator[tuple[str, bytes]]:
    """A text as files may hold it, with the name of each form."""
    octets = text.encode()
    yield "raw", octets
    yield "UTF-16, little end first", text.encode("utf-16-le")
    yield "UTF-16, big end first", text.encode("utf-16-be")
    for offset in range(3):
        for name, code in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            # The characters that this text alone decides, wherever it begins in what was encoded.
            end = (offset + len(octets)) * 8 // 6
            yield f"{name} at {offset}", code(bytes(offset) + octets)[-(-offset * 8 // 6) : end]
    yield "hex", octets.hex().encode()
    yield "HEX", octets.hex().upper().encode()
    yield "quoted-printable", quopri.encodestring(octets, quotetabs=True).replace(b"=\n", b"")
    yield "quoted-printable with @", quopri.encodestring(octets).replace(b"=\n", b"").replace(b"@", b"=40")
    yield "percent", quote(text, safe="").encode()
    yield "JSON", json.dumps(text)[1:-1].encode()
    for name in HASHES:
        digest = hashlib.new(name, octets, usedforsecurity=False).digest()
        yield name, digest
        yield f"{name} in hex", digest.hex().encode()
        yield f"{name} in HEX", digest.hex().upper().encode()
        yield f"{name} in base64", base64.b64encode(digest).rstrip(b"=")


class Needles:
    """Texts to look for: each as it is, in lower case, and its part before the @ (nine octets at least)."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._found_by: dict[int, list[tuple[str, bytes]]] = {}
        self.count = 0
        for text in texts:
            for each in {text, text.lower(), text.casefold(), text.partition("@")[0], text.lower().partition("@")[0]}:
                for name, needle in set(forms(each)):
                    assert len(needle) >= WINDOW, (each, name)
                    word = int.from_bytes(needle[:WINDOW], sys.byteorder)
                    self._found_by.setdefault(word, []).append((f"{each}: {name}", needle))
                    self.count += 1
        self._words = frozenset(self._found_by)

    def find(self, content: bytes) -> set[str]:
        """What is in there: text and form."""
        words: set[int] = set()
        for start in range(WINDOW):
            end = start + (len(content) - start) // WINDOW * WINDOW
            words |= self._words.intersection(array("Q", content[start:end]))
        return {name for word in words for name, needle in self._found_by[word] if needle in content}

    def find_under(self, *folders: Path) -> dict[str, set[str]]:
        """What is in files of these folders, or in their names, by file."""
        found = {}
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                content = str(path).encode() + (b"\n" + path.read_bytes() if path.is_file() else b"")
                if hits := self.find(content):
                    found[str(path)] = hits
        return found
