"""Programs that judge letters as receivers do, and pages as browsers should."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import dkim

from tests.frontdoor.support import skip_if_left_out
from tests.theme.support import JAVA_OPTIONS, java_path, node_tool


def spam_scores(letters: Sequence[bytes], folder: Path) -> list[tuple[float, list[str]]]:
    """What SpamAssassin makes of letters by its local tests alone: score (5 is spam) and tests that hit, for each.

    It starts slowly, so it is given all letters at once.
    """
    skip_if_left_out("mail")
    path = shutil.which("spamassassin")
    assert path, "no spamassassin: run ./blog test, which installs it"
    files = [folder / f"letter-{number}.eml" for number in range(len(letters))]
    for file, letter in zip(files, letters, strict=True):
        file.write_bytes(letter)
    command = [path, "--local", "--test-mode", "--nocreate-prefs", "--cf", "use_bayes 0", *map(str, files)]
    environment = os.environ | {"HOME": str(folder), "LC_ALL": "C"}
    done = subprocess.run(command, capture_output=True, check=True, env=environment)
    pattern = rb"^X-Spam-Status: \w+, score=(\S+) .*?tests=(.*?)\s+\w+="
    found = re.findall(pattern, done.stdout, re.DOTALL | re.MULTILINE)
    assert len(found) == len(letters), done.stdout
    return [(float(score), sorted(re.findall(r"\w+", tests.decode()))) for score, tests in found]


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


def faults_of_pages(folder: Path) -> list[str]:
    """What the Nu checker says of the pages in a folder. It starts slowly, so it is given all pages at once."""
    java, checker = java_path(), node_tool("BLOG_TEST_VNU", "vnu-jar/build/dist/vnu.jar")
    control = folder / "control.html"
    control.write_text('<!DOCTYPE html><html lang="en"><title>x</title><p><div></p>', "utf-8")
    run = subprocess.run(
        [java, *JAVA_OPTIONS, "-jar", str(checker), "--format", "json", "--stdout", str(folder)],
        env=os.environ | {"LC_ALL": "C.UTF-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    told = [
        f"{message['url'].rpartition('/')[2]}:{message.get('lastLine', 0)}: {message['message']}"
        for message in json.loads(run.stdout)["messages"]
    ]
    assert any(each.startswith(control.name) for each in told), run.stderr
    return [each for each in told if not each.startswith(control.name)]
