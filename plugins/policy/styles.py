"""Style blocks inside templates, by their hashes: allowed one by one, nothing else inline is.

They are found in the templates, not in the pages, so that a server's configuration can be printed before anything is
built.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

_STYLE = re.compile(r"<style\b[^>]*>(.*?)</style\s*>", re.DOTALL | re.IGNORECASE)


def style_hash(text: str) -> str:
    """What permits a style block in a policy: the hash of its text, as a browser reads it (CSP Level 3, 8.3)."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def find_styles(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The hashes of the style blocks in the theme's templates. One that Jinja fills in cannot be known, and is not."""
    folders = [*settings.get("THEME_TEMPLATES_OVERRIDES", ()), Path(settings["THEME"], "templates")]
    return hashes_of(path.read_text("utf-8-sig") for folder in folders for path in sorted(Path(folder).rglob("*.html")))


def hashes_of(texts: Iterable[str]) -> tuple[str, ...]:
    """The hashes of all style blocks in some templates or pages, each once, in their order."""
    blocks = (block for text in texts for block in _STYLE.findall(text))
    return tuple(dict.fromkeys(style_hash(block) for block in blocks if "{{" not in block and "{%" not in block))
