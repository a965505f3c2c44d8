"""What every page may load, send and keep, said once: in the pages, in header files, in the server's configuration.

A promise such as "nothing is loaded from elsewhere" is worth what a browser can enforce, and a promise such as "no log
is kept" what the server was told. Both are made from one table here, and `./blog check` compares them with what was
written.
"""


def register() -> None:
    """Connect the plugin's receivers to Pelican's signals."""
    from .plugin import connect

    connect()
