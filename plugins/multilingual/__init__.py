"""One build, every language: a Pelican plugin for multilingual publications.

Each source file is read once; every configured language gets its own edition of the
whole site, tied to the others page by page. Settings and template variables are
described in this folder's README.
"""


def register() -> None:
    """Connect the plugin's receivers to Pelican's signals."""
    # Imported here, so that reading `multilingual.languages` alone loads no Pelican.
    from .plugin import connect

    connect()
