"""The publication as it is published, for every test that reads it."""

from pathlib import Path

import pytest

from tests.frontdoor.support import ROOT, run_blog
from tests.once import once


def publish(temporary: pytest.TempPathFactory) -> Path:
    """Build it with the front door, once; return the folder, which nobody changes."""

    def build(folder: Path) -> Path:
        built = run_blog(ROOT, "build", "--production", "--output", str(folder / "output"))
        assert built.returncode == 0, built.stderr
        return folder / "output"

    return once(temporary, "publication", build)
