"""What the mailroom's tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailroom.office import Office
from mailroom.settings import Settings
from tests.mailroom.offices import Watch, make_settings, new_office


@pytest.fixture
def watch() -> Watch:
    """What the office's clock shows."""
    return Watch()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings for a mailroom of this test's own."""
    return make_settings(tmp_path)


@pytest.fixture
def office(settings: Settings, watch: Watch) -> Iterator[Office]:
    """An open mailroom of this test's own, empty."""
    with new_office(settings, watch) as opened:
        yield opened
