"""Regions and countries: which ones an article is about, and what is reported on in each.

An article states ISO codes; it gets countries and regions that know their names in every
language. Pages and feeds for them are a matter of `MULTILINGUAL_TAXONOMIES`. The table of
regions, `atlas.yaml`, is described in this folder's README.
"""


def register() -> None:
    """Connect the plugin's receivers to Pelican's signals."""
    from .plugin import connect

    connect()
