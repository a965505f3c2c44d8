"""The field `Countries:` of an article."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

# The commas and semicolons of the scripts that our articles are written in.
_SEPARATORS = re.compile(r"[,;\n،؛、，；]")


def split_countries(stated: Any) -> list[str]:
    """What a header states, in its order and each once: `RU, ua`, a list in YAML, or the field repeated."""
    return list(dict.fromkeys(_parts(stated)))


def _parts(stated: Any) -> Iterator[str]:
    if isinstance(stated, list | tuple):
        for one in stated:
            yield from _parts(one)
    elif stated is not None:
        for part in _SEPARATORS.split(str(stated)):
            if text := part.strip():
                yield text.upper() if _looks_like_code(text) else text


def _looks_like_code(text: str) -> bool:
    return len(text) == 2 and text.isascii() and text.isalpha()
