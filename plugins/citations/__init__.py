"""Citing an article: in a court bundle, a reference manager, a search engine.

Every article gets a revision that names its exact wording, files that reference managers
read, and a description for search engines (schema.org). Settings and what a theme can use
are described in this folder's README.
"""


def register() -> None:
    """Connect the plugin's receivers to Pelican's signals."""
    from .plugin import connect

    connect()
