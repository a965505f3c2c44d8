"""Pictures without metadata: what a camera or an editor wrote into a file stays at home.

A photograph carries the place, the time and the device. Pelican copies files as they are,
so the copies in the output are cleaned, originals included.
"""


def register() -> None:
    """Connect the plugin's receivers to Pelican's signals."""
    from .plugin import connect

    connect()
