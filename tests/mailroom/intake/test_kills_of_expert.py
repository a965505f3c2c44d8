"""An expert's program that is killed at any point: nothing is lost, and the next run ends what it had begun."""

from __future__ import annotations

from pathlib import Path

from mailroom.expert.inbox import Inbox
from tests.mailroom.intake.practice import MESSAGE, Mortal, Practice, practising

CONTENTS = {f"attachment-{number}.{each.kind}": each.content for number, each in enumerate(MESSAGE.attachments, 1)}


def lies_open(practice: Practice, identity: str) -> list[Path]:
    """The folders in which the submission lies, each of which is whole."""
    if not practice.folder.exists():
        return []
    found = [path.parent for path in practice.folder.glob("2*/.about") if identity in path.read_text()]
    for folder in found:
        assert "سلام." in (folder / "letter.txt").read_text("utf-8")
        assert {path.name: path.read_bytes() for path in folder.glob("attachment-*")} == CONTENTS
    return found


def test_a_kill_before_any_step_loses_nothing(tmp_path: Path) -> None:
    with practising(tmp_path) as practice, Mortal(practice) as mortal:
        left_behind, step, died = [], 0, True
        while died:
            step += 1
            practice.forget()
            identity = practice.send(MESSAGE)
            died = mortal.run("open", step=step)
            is_there = [each.id for each in practice.house.store.list()] == [identity]
            opened = lies_open(practice, identity)
            assert is_there or opened, f"lost at step {step}"
            left_behind.append((is_there, len(opened), len(list(practice.folder.glob("sealed/*")))))
            assert practice.run("open")[0] == 0
            assert len(lies_open(practice, identity)) == 1, f"step {step}"
            assert practice.house.store.list() == []
            rest = {path.name for path in practice.folder.iterdir()} - {lies_open(practice, identity)[0].name}
            assert rest == {".lock", "sealed"}
            assert not list((practice.folder / "sealed").iterdir())
        # It has been killed before and after each of the three that matter.
        assert {(True, 0, 0), (True, 0, 1), (True, 1, 1), (True, 1, 0), (False, 1, 0)} <= set(left_behind)
        assert step > 20


def test_what_a_killed_program_left_in_the_clear_goes_with_the_next(tmp_path: Path) -> None:
    (tmp_path / ".opening-x").mkdir()
    (tmp_path / ".opening-x" / "letter.txt").write_text("half of it")
    with Inbox(tmp_path):
        assert not (tmp_path / ".opening-x").exists()
