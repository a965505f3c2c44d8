"""The same sources give the same bytes: whatever the order of sets, and on whichever day."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.frontdoor.support import ROOT, copy_project
from tests.multilingual.foreign import make_foreign_site, tree
from tests.multilingual.sites import TERMS, WITH_TERMS, Site

#: Makes it another day for everything that asks Python for the time.
ANOTHER_DAY = """
import datetime, os, time

shift = 86400 * float(os.environ["DAYS_LATER"])
now, real = time.time, datetime.datetime
time.time = lambda: now() + shift

class Kind(type):
    def __instancecheck__(cls, instance):
        return isinstance(instance, real)

class Later(real, metaclass=Kind):
    @classmethod
    def now(cls, tz=None):
        return real.now(tz) + datetime.timedelta(seconds=shift)
    @classmethod
    def utcnow(cls):
        return cls.now(datetime.timezone.utc).replace(tzinfo=None)
    @classmethod
    def today(cls):
        return cls.now()

datetime.datetime = Later
"""


def make_own_site(folder: Path) -> Site:
    site = Site(folder, FEED_RSS="feed.rss", **WITH_TERMS)
    site.settings(MONTH_ARCHIVE_SAVE_AS="{date:%Y}/{date:%m}/index.html", MONTH_ARCHIVE_URL="{date:%Y}/{date:%m}/")
    site.write("terms.yaml", TERMS)
    for number in range(6):
        site.article("en", f"a{number}", "[x]({filename}a1.md)", Topics="war, asylum", Authors="desk, amina")
        site.translation("fa", f"a{number}", "en", Summary="See [it]({filename}a2.md).")
        site.translation("zh-Hans", f"a{number}", "en", Status=("draft", "hidden", "published")[number % 3])
    site.article("fa", "unfinished", Status="draft", Date="")
    site.page("en", "about")
    site.page("fa", "about", Translated_from="en")
    return site


def build(site: Site, **environment: str) -> dict[str, bytes]:
    output = site.folder / "-".join(["out", *environment.values()]).replace("/", "_")[-40:]
    built = site.run_pelican("-o", str(output), **environment)
    assert built.returncode == 0, built.stderr
    assert "ERROR" not in built.stdout + built.stderr, built.stdout
    return tree(output)


def shift_the_clock(site: Site, days: float) -> dict[str, str]:
    """What makes a process believe that it is another day."""
    (site.folder / "clock").mkdir(exist_ok=True)
    (site.folder / "clock/sitecustomize.py").write_text(ANOTHER_DAY, "utf-8")
    return {"PYTHONPATH": f"{site.folder / 'clock'}:{ROOT / 'plugins'}", "DAYS_LATER": str(days)}


@pytest.mark.parametrize("whose", ["own", "foreign"])
def test_output_is_the_same_under_every_hash_seed_and_on_another_day(tmp_path: Path, whose: str) -> None:
    if whose == "own":
        site = make_own_site(tmp_path)
    else:
        languages: dict[str, Any] = {"en": {}, "fr": {}}
        site = make_foreign_site(tmp_path, PLUGINS=["multilingual"], MULTILINGUAL_LANGUAGES=languages)
    first, second = (build(site, PYTHONHASHSEED=seed) for seed in "01")
    another_day = build(site, PYTHONHASHSEED="2", **shift_the_clock(site, 400.3))
    assert first == second == another_day


def test_publication_is_the_same_under_every_hash_seed(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.content.rmdir()
    copy_project(site.folder, "content", "theme", "plugins", "pelicanconf.py")
    first, second = (build(site, PYTHONHASHSEED=seed) for seed in "01")
    assert first == second


def test_clock_of_these_tests_is_what_pelican_goes_by(tmp_path: Path) -> None:
    site = make_own_site(tmp_path)
    site.article("en", "later", Date="2199-01-01")
    later = "en/later/index.html"
    assert later not in build(site, SOURCE_DATE_EPOCH="7226496000")  # the day before
    assert later in build(site, **shift_the_clock(site, 365 * 180))
