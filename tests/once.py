"""What is expensive is made once in a run of the tests, by whichever of its workers needs it first."""

import fcntl
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")


def once(temporary: pytest.TempPathFactory, name: str, make: Callable[[Path], T]) -> T:
    """Return what `make` returns, given a folder of its own that stays; whoever else asks waits and gets a copy.

    If it fails, the next who asks tries again, so that every test that needs it says why.
    """
    base = temporary.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "once" / name
    shared.mkdir(parents=True, exist_ok=True)
    folder, result = shared / "made", shared / "result"
    with (shared / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the system lets go when it is closed, or its holder dies
        if not result.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            made = pickle.dumps(make(folder))
            result.write_bytes(made)
    return pickle.loads(result.read_bytes())  # type: ignore[no-any-return]  # noqa: S301 - we wrote it ourselves
