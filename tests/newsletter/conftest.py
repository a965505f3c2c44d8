"""What the tests of the newsletter are given."""

from pathlib import Path

import pytest
from multilingual.build import build_site
from newsletter.campaigns import Campaign, read_campaigns

from tests.frontdoor.support import ROOT
from tests.multilingual.bare import undress
from tests.multilingual.sites import Site
from tests.once import once

#: Of a site with a newsletter.
NEWSLETTER = {
    "PLUGINS": ["multilingual", "prose", "newsletter"],
    "NEWSLETTER_SITE_ID": "example",
    "NEWSLETTER_SINCE": "2026-01-01",
}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An empty site with a newsletter, in English, Persian and Chinese, whose pages show little."""
    site = Site(tmp_path, **NEWSLETTER)
    undress(site)
    return site


@pytest.fixture(scope="session")
def real_campaigns(tmp_path_factory: pytest.TempPathFactory) -> list[Campaign]:
    """A letter for every article of the repository, however old, and every correction, as they are published."""

    def build(folder: Path) -> list[Campaign]:
        overrides = {"NEWSLETTER_CAMPAIGNS": str(folder / "campaigns"), "NEWSLETTER_SINCE": "2020-01-01"}
        cache = folder.parents[1] / "compiled-templates"
        result = build_site(ROOT / "publishconf.py", folder / "output", overrides=overrides, template_cache=cache)
        assert not result.errors, "\n".join(map(str, result.errors))
        return list(read_campaigns(folder / "campaigns").values())

    return once(tmp_path_factory, "real-campaigns", build)
