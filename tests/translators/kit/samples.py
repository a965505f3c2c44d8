"""What the tests of kits share: the site's Markdown settings and its own texts."""

from __future__ import annotations

from pathlib import Path

from translators.blocks import make_converter

CONTENT = Path(__file__).resolve().parents[3] / "content"
OPTIONS = {
    "extensions": ["markdown.extensions.extra", "markdown.extensions.footnotes"],
    "extension_configs": {
        "markdown.extensions.footnotes": {"BACKLINK_TEXT": "↑", "BACKLINK_TITLE": "{}", "USE_DEFINITION_ORDER": False}
    },
    "output_format": "html5",
}
CONVERT = make_converter(OPTIONS)


def sources() -> list[Path]:
    """Articles in all languages, and pages in English."""
    return sorted([*CONTENT.glob("articles/*/*.md"), *CONTENT.glob("pages/en/*.md")])


def body_of(path: Path) -> str:
    """A file without its header."""
    text = path.read_text("utf-8")
    return text.split("\n---\n", 1)[1] if text.startswith("---\n") else text.split("\n\n", 1)[1]
