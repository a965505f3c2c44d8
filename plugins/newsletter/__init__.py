"""New articles become campaigns, which an editor hands in to a mailing service and starts: see README.md."""


def register() -> None:
    """Connect the plugin's receivers to Pelican's signals."""
    from .plugin import connect

    connect()
