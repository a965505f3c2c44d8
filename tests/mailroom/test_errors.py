"""How errors are told: whatever ends in a log holds nothing that was sent."""

from __future__ import annotations

import errno
import subprocess
import sys

from mailroom.errors import DiskFull, describe


def caught(error: Exception) -> str:
    try:
        raise error
    except Exception as found:  # noqa: BLE001 - any
        return describe(found)


def test_our_own_errors_say_what_to_do_and_others_only_where_they_were() -> None:
    assert caught(DiskFull("var: the disk is full", "Make room.")) == "var: the disk is full. Make room."
    assert caught(ValueError("reader@example.org")).startswith("ValueError at test_errors.py:")
    said = caught(OSError(errno.ENOENT, "no such file", "/mail/confirm/token"))
    assert said.startswith("FileNotFoundError (ENOENT) at test_errors.py:")
    assert "token" not in said


def test_the_worker_does_without_the_service_that_starts_it() -> None:
    program = "import sys, mailroom.delivery.worker; sys.exit('mailroom.service' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
