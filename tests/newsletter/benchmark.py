"""How long many campaigns take: `python -m tests.newsletter.benchmark [POSTS]`, each post in English and Persian.

A real article stands for each. Composing is what a production build takes more with a newsletter than without; planning
and handing in go to a mailroom in processes of its own, each answer given when the disk has it. Nothing else should run
meanwhile.
"""

# ruff: noqa: T201 - it is run by hand, and this is what it is for

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.frontdoor.support import ROOT, run_blog
from tests.mailroom.test_service import make_house

sys.path.insert(0, str(ROOT / "plugins"))

from multilingual.build import build_site
from newsletter.campaigns import read_campaigns
from newsletter.desk import open_desk
from newsletter.settings import Configuration, Secret

from tests.multilingual.sites import Site

ARTICLE, DAY = "leaving-russia", "2026-11-20"
ROUNDS = 3
#: The settings of a site with a newsletter.
SETTINGS = {
    "PLUGINS": ["multilingual", "prose", "newsletter"],
    "MULTILINGUAL_LANGUAGES": {"en": {}, "fa": {}},
    "NEWSLETTER_SITE_ID": "benchmark",
    "NEWSLETTER_SINCE": DAY,
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("posts", nargs="?", type=int, default=50)
    count = 2 * parser.parse_args().posts
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        site = write_site(folder, count // 2)
        with_it = measure_build(site, NEWSLETTER_CAMPAIGNS=str(folder / "campaigns"))
        without = measure_build(site, NEWSLETTER_SITE_ID="")
        print(
            f"a build of {count} articles: {without:.2f} s; composing {count} campaigns: {with_it - without:.2f} s more"
        )
        hand_in(folder, count)


def write_site(folder: Path, posts: int) -> Site:
    """A site with so many posts in two languages, all the same real text."""
    site = Site(folder, **SETTINGS)
    text = {
        lang: (ROOT / "content" / "articles" / lang / f"{ARTICLE}.md").read_text("utf-8").partition("\n\n")[2]
        for lang in ("en", "fa")
    }
    for number in range(posts):
        site.article("en", f"post-{number}", text["en"], Date=DAY, Summary="A summary.")
        site.translation("fa", f"post-{number}", "en", text["fa"], Translated=DAY, Summary="خلاصه.")
    return site


def measure_build(site: Site, **overrides: str) -> float:
    """Seconds that a build takes, the median."""

    def build() -> None:
        result = build_site(site.folder / "pelicanconf.py", overrides=overrides)
        assert not result.errors, result.errors

    return statistics.median(measure(build) for _ in range(ROUNDS))


def hand_in(folder: Path, count: int) -> None:
    """Plan all of them, hand them in, and plan again."""
    house = make_house(folder / "house")
    running = house.start()
    try:
        running.await_work()
        words = ("mailroom", "token", "create", "benchmark", "--scope", "draft")
        token = run_blog(house.folder, *words, **house.environment).stdout.split()[0]
        configuration = Configuration(
            site_id="benchmark", since=DAY, max_per_push=count, api=f"http://127.0.0.1:{house.api_port}/mail/api/"
        )
        secrets = {"NEWSLETTER_TOKEN": Secret(token)}
        campaigns = read_campaigns(folder / "campaigns")
        assert len(campaigns) == count
        with open_desk(configuration, campaigns, secrets) as desk:
            print(f"planning {count} new ones: {measure(desk.plan):.2f} s")
            print(f"planning them and handing them in: {measure(lambda: list(desk.draft())):.2f} s")
            reasons = [entry.reason for entry in desk.plan()]
            assert reasons == ["draft, as composed"] * count
            print(f"planning {count} drafts: {measure(desk.plan):.2f} s")
    finally:
        running.stop()


def measure(work: Callable[[], object]) -> float:
    """Seconds that something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
