"""What the tests of the citations plugin are given."""

from pathlib import Path

import pytest

from tests.citations.reading import cite
from tests.multilingual.sites import TERMS, WITH_TERMS, Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site with topics and authors, whose article pages show their revision and linked data."""
    site = Site(tmp_path, **WITH_TERMS, PLUGINS=["multilingual", "citations"], CITATIONS_ORGANISATIONS=("desk",))
    site.write("terms.yaml", TERMS)
    return cite(site)
