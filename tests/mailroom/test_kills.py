"""Workers killed in the middle of a campaign: nobody gets a letter twice, nobody is passed over unseen."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailroom.people.requests import Request
from tests.frontdoor.support import skip_if_left_out
from tests.mailroom.mortal import COMMITS, HAND_OVER, MOMENTS, ROOT
from tests.mailroom.sink import LOSE, Rule, Sink
from tests.mailroom.trial import Trial


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    with Sink(tmp_path) as sink:
        yield sink


#: What has the relay say for a work to be done.
CAUSES = {
    "_defer": Rule("rcpt", "451 4.7.1 later", once_each=True),
    "_refuse": Rule("rcpt", "550 5.1.1 no such user", times=1),
    "lose": Rule("end", LOSE, times=1),
    "pause_relay": Rule("rcpt", "421 4.3.2 closing", times=1),
}


def test_killed_at_every_commit(tmp_path: Path, sink: Sink) -> None:
    trial = Trial(tmp_path, sink, 400)
    points = [f"{moment} {name}" for name in COMMITS for moment in MOMENTS]
    with trial.cradle:
        for number, point in enumerate([*HAND_OVER, *points]):
            with trial.office() as office:
                office.requests.store(Request("subscribe", "en", f"new{number}@forms.test"))
            sink.obey(*(rule for name, rule in CAUSES.items() if name in point))
            assert trial.kill(point=point, count=2 if "body" in point else 1, ahead=number * 120), point
        trial.finish()


def test_killed_at_random(tmp_path: Path, sink: Sink) -> None:
    sink.obey(Rule("end", delay=0.02))  # so that the campaign lasts as long as the killing does
    trial = Trial(tmp_path, sink, 600)
    with trial.cradle:
        trial.kill_at_random(8)
        trial.finish()


def test_nothing_of_a_letter_leaves_before_it_is_on_the_disk(tmp_path: Path, sink: Sink) -> None:
    skip_if_left_out("mail")
    trial = Trial(tmp_path, sink, 6, connections=1)
    log = tmp_path / "calls"
    program = "import sys; from tests.mailroom.mortal import live_alone; live_alone(sys.argv[1])"
    command = ["strace", "-f", "-y", "-s", "100", "-e", "trace=fdatasync,fsync,sendto,pwrite64,write", "-o", str(log)]
    with trial.cradle:
        given = trial.cradle.given()
    subprocess.run([*command, sys.executable, "-c", program, given], cwd=ROOT, check=True, timeout=120)
    assert len(sink.accepted()) == 6
    bodies, written, synced = 0, False, False
    for line in log.read_text("utf-8", "replace").splitlines():
        if re.search(r"sendto\(.*\\r\\nDATA\\r\\n", line):
            written = synced = False
        elif "pwrite64" in line and "mailroom.db-wal" in line:
            written = True  # by whichever thread: a commit of another one may begin after the letter's is synced
        elif re.search(r"(fdatasync\(\d+<[^>]*mailroom\.db-wal>\)|fdatasync resumed>\)).*= 0", line):
            synced = synced or written
        elif re.search(r"sendto\(.*From: ", line):
            bodies += 1
            assert written
            assert synced, line
    assert bodies == 6
