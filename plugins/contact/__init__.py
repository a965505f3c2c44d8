"""How to reach the practice, and what it offers: said once, the same on every page.

Every way to write to somebody reveals something to somebody. The ways stand in one order, the
one that reveals least first, and what is not set is not shown.
"""


def register() -> None:
    """Connect the plugin's receivers to Pelican's signals."""
    from .plugin import connect

    connect()
