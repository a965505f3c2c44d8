"""A part of what `python -m tests.mailroom.intake.soak` sends to the form and the receipt's page."""

from __future__ import annotations

from pathlib import Path

from tests.mailroom.intake.fuzz import FORM, RECEIPT, attack
from tests.mailroom.intake.house import House, running

COUNT = 150


def test_nothing_that_is_sent_is_a_failure_of_ours(tmp_path: Path) -> None:
    with running(House(tmp_path)) as intake:
        attack(intake, FORM, 20, seed=99)
        before = intake.memory()
        forms, receipts = attack(intake, FORM, COUNT), attack(intake, RECEIPT, COUNT)
        intake.await_idle()
        assert intake.memory() - before < 2 * 1024 * 1024
    assert forms.total() == receipts.total() == COUNT
    assert {200, 400, 405, 415, 422} <= forms.keys(), forms
    assert {200, 400, 405, 422} <= receipts.keys(), receipts
    assert intake.said == [], "what was sent is logged"
