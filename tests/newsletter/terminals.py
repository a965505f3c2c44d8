"""A mail program in a terminal that nobody sits at."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import termios
import time
from pathlib import Path

from tests.frontdoor.support import skip_if_left_out

#: So high that every letter is on one screen.
LINES, COLUMNS = 1500, 100
_SETTINGS = """\
set mbox_type=Maildir folder="{folder}" sleep_time=0 markers=no charset="utf-8"
ignore *
unignore subject
push <display-message>
"""
#: What moves the cursor, or changes how it writes.
_CONTROL = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>78MDE])|\x08")


def read_in_neomutt(letter: bytes, folder: Path) -> str:
    """What neomutt shows of a letter: its subject, and its text."""
    skip_if_left_out("mail")
    path = shutil.which("neomutt")
    assert path, "no neomutt: run ./blog test, which installs it"
    for name in ("cur", "new", "tmp"):
        (folder / "box" / name).mkdir(parents=True)
    (folder / "box" / "new" / "1.letter").write_bytes(letter)
    settings = folder / "neomuttrc"
    settings.write_text(_SETTINGS.format(folder=folder), "utf-8")
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    process = subprocess.Popen(
        [path, "-n", "-R", "-F", str(settings), "-f", str(folder / "box")],
        stdin=its,
        stdout=its,
        stderr=its,
        env={"TERM": "vt220", "HOME": str(folder), "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]},
        start_new_session=True,
    )
    os.close(its)
    try:
        return _CONTROL.sub("\n", _read(ours, "(all").decode("utf-8"))
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _read(terminal: int, end: str) -> bytes:
    """What is written until this is, which stands in the line below a letter that is shown whole."""
    written, deadline = b"", time.monotonic() + 20
    while end.encode() not in written:
        ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
        assert ready, f"neomutt shows no whole letter: {written[-500:]!r}"
        written += os.read(terminal, 65536)
    return written
