"""What a long text needs to be read and cited.

Numbered blocks, sections with ids that are the same in every language, a table of contents,
the time it takes to read, and links that tell other hosts nothing of where the reader was.
"""


def register() -> None:
    """Connect the plugin's receivers to Pelican's signals."""
    from .plugin import connect

    connect()
