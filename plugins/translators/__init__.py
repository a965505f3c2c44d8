"""The translators' desk: what is missing, what is outdated, and exactly what changed.

Freshness is told block by block from what carries meaning, against a record of what each
translation was made from; neither Git nor a date is believed. Settings are described in
this folder's README.
"""


def register() -> None:
    """Connect the plugin's receivers to Pelican's signals."""
    from .plugin import connect

    connect()
