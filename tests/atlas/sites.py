"""Sites with a table of countries, made in a test's own folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.multilingual.sites import ROOT, Site

LANGUAGES = ("en", "ru", "uk", "es", "fr", "ar", "fa", "zh-Hans")
TAXONOMIES: dict[str, Any] = {
    "countries": {
        "url": "countries/{slug}/", "template": "country", "feed": "countries/{slug}/feed.atom",
        "index": "countries/", "index_template": "countries",
    },
    "regions": {"url": "regions/{slug}/", "template": "region", "feed": "regions/{slug}/feed.atom"},
}  # fmt: skip
#: The table of our own site.
TABLE = (ROOT / "content" / "atlas.yaml").read_text("utf-8")


def make_site(folder: Path, table: str = TABLE, **settings: Any) -> Site:
    """Make a site in English, Persian and Simplified Chinese with a table, our own if no other is given."""
    defaults: dict[str, Any] = {
        "PLUGINS": ["multilingual", "atlas"],
        "ATLAS_FILE": "atlas.yaml",
        "MULTILINGUAL_TAXONOMIES": TAXONOMIES,
    }
    site = Site(folder, **defaults | settings)
    site.write("atlas.yaml", table)
    return site


def words(element: Any) -> str:
    """What an element says, in one line."""
    return " ".join(element.text_content().split())
