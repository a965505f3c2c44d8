"""What the tests of the multilingual plugin are given."""

from pathlib import Path

import pytest

from tests.multilingual.sites import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An empty site in English, Persian and Simplified Chinese, with the repository's theme."""
    return Site(tmp_path)
