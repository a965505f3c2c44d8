"""What the tests of the newsletter are given."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from newsletter.campaigns import Campaign, read_campaigns
from newsletter.providers import Access
from newsletter.settings import Secret

from tests.frontdoor.support import ROOT
from tests.multilingual.bare import undress
from tests.multilingual.sites import Site
from tests.newsletter.contract import SITE
from tests.newsletter.mailrooms import MailroomService, serving_mailroom
from tests.newsletter.services import FakeService
from tests.once import once

#: Of a site with a newsletter.
NEWSLETTER = {
    "MULTILINGUAL_LANGUAGES": {"en": {"cldr": "en-GB"}, "fa": {}, "zh-Hans": {}},
    "PLUGINS": ["multilingual", "prose", "newsletter"],
    "NEWSLETTER_SITE_ID": "example",
    "NEWSLETTER_SINCE": "2026-01-01",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what mostly waits, for letters to arrive, so that no worker has to wait for it in the end."""
    items.sort(key=lambda item: item.path != Path(__file__).with_name("test_whole_way.py"))


@pytest.fixture(scope="module")
def running_mailroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailroomService]:
    """A mailroom that answers for as long as a file's tests run."""
    with serving_mailroom(tmp_path_factory.mktemp("mailroom")) as service:
        yield service


@pytest.fixture
def mailroom(running_mailroom: MailroomService) -> MailroomService:
    """A mailroom with four readers: of English, of English, of Persian, of Persian before English."""
    running_mailroom.start_afresh()
    return running_mailroom


@pytest.fixture
def service(running: FakeService) -> FakeService:
    """The stand-in that a file's tests run, as if nobody had asked it anything."""
    running.start_afresh()
    return running


@pytest.fixture
def access(service: FakeService) -> Access:
    """How it is reached."""
    return Access(service.api, Secret(service.token), service.lists, SITE, 20, sleep=lambda _: None)


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
        settings = {"NEWSLETTER_CAMPAIGNS": str(folder / "campaigns"), "NEWSLETTER_SINCE": "2020-01-01"}
        built = subprocess.run(
            [sys.executable, "-m", "pelican", "content", "-s", "publishconf.py", "-o", str(folder / "output"), "-e"]
            + [f"{name}={json.dumps(value)}" for name, value in settings.items()],
            cwd=ROOT,
            env=os.environ | {"PYTHONUTF8": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert built.returncode == 0, built.stderr
        return list(read_campaigns(folder / "campaigns").values())

    return once(tmp_path_factory, "real-campaigns", build)
