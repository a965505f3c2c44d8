"""Programs that judge letters as receivers do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import dkim

from tests.frontdoor.support import skip_if_left_out


def spam_score(letter: bytes, home: Path) -> tuple[float, list[str]]:
    """What SpamAssassin makes of a letter by its local tests alone: the score (5 is spam), and the tests that hit."""
    skip_if_left_out("mail")
    path = shutil.which("spamassassin")
    assert path, "no spamassassin: run ./blog test, which installs it"
    command = [path, "--local", "--test-mode", "--nocreate-prefs", "--cf", "use_bayes 0"]
    done = subprocess.run(
        command, input=letter, capture_output=True, check=True, env=os.environ | {"HOME": str(home), "LC_ALL": "C"}
    )
    found = re.search(rb"^X-Spam-Status: \w+, score=(\S+) .*?tests=(.*?)\s+\w+=", done.stdout, re.DOTALL | re.MULTILINE)
    assert found, done.stdout
    return float(found[1]), sorted(re.findall(r"\w+", found[2].decode()))


def verified_headers(letter: bytes, records: Mapping[str, str]) -> list[set[str]]:
    """The headers that each valid DKIM signature of a letter covers, in lower case.

    `records` is all there is in the DNS: TXT records by name, such as "key1._domainkey.blog.test". A signature that is
    not valid has no part in the list.
    """

    def look_up(name: bytes, timeout: float = 5) -> bytes | None:  # noqa: ARG001 (the signature is the library's)
        record = records.get(name.decode().rstrip("."))
        return record.encode() if record is not None else None

    judge = dkim.DKIM(letter)
    count = sum(name.lower() == b"dkim-signature" for name, _ in judge.headers)
    valid = []
    for number in range(count):
        with suppress(dkim.ValidationError):
            if judge.verify(number, dnsfunc=look_up):
                covered = re.sub(rb"\s", b"", judge.signature_fields[b"h"]).lower().decode()
                valid.append(set(covered.split(":")))
    return valid
