"""Related articles: what else there is on the same countries and topics, in the same language.

Found without a comparison of every article with every other. Settings and limits are
described in this folder's README.
"""


def register() -> None:
    """Connect the plugin's receivers to Pelican's signals."""
    from .plugin import connect

    connect()
