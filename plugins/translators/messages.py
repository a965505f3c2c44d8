"""The texts that templates say, for whoever looks whether they are translated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment
from jinja2.ext import extract_from_ast

#: Pages of the plugin's own: the dashboard, the feed of corrections.
TEMPLATES = Path(__file__).parent / "templates"
FUNCTIONS = ("gettext", "ngettext", "pgettext", "npgettext")


def find_messages(folder: Path) -> Iterator[str]:
    """The messages of the templates in a folder; of one that counts, its singular."""
    environment = Environment(extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True)  # noqa: S701
    for path in sorted(folder.rglob("*.html")):
        for _, function, message in extract_from_ast(environment.parse(path.read_text("utf-8")), FUNCTIONS):
            texts = [text for text in ([message] if isinstance(message, str) else message or ()) if text]
            yield texts[1] if function in ("pgettext", "npgettext") else texts[0]
