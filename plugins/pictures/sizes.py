"""How large pictures are, so that a page keeps their place while they load."""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image

from .metadata import ORIENTATION

#: Width and height in CSS pixels.
Size = tuple[int, int]

#: Orientations with the camera on its side (Exif 2.32, table 6): the published copy is turned upright.
_ON_ITS_SIDE = range(5, 9)
_SVG = re.compile(r"<svg(?=[\s>])(?P<attributes>(?:[^>\"']|\"[^\"]*\"|'[^']*')*)>")
_SVG_LENGTH = r"\s{}=[\"']\s*(\d+(?:\.\d+)?)(?:px)?\s*[\"']"
_WIDTH, _HEIGHT = re.compile(_SVG_LENGTH.format("width")), re.compile(_SVG_LENGTH.format("height"))
_VIEW_BOX = re.compile(r"\sviewBox=[\"']\s*-?[\d.]+[\s,]+-?[\d.]+[\s,]+(\d+(?:\.\d+)?)[\s,]+(\d+(?:\.\d+)?)\s*[\"']")
#: A drawing names its size at its beginning.
_SVG_HEAD = 65_536


def read_size(path: Path) -> Size | None:
    """The size of a picture as it will be published; None for what has none or cannot be read."""
    try:
        if path.suffix.lower() == ".svg":
            with path.open(encoding="utf-8-sig") as file:
                return _svg_size(file.read(_SVG_HEAD))
        with Image.open(path) as picture:
            width, height = picture.size
            turned = picture.getexif().get(ORIENTATION, 1) in _ON_ITS_SIDE
            return (height, width) if turned else (width, height)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None  # `clean` refuses it, and says so.


def _svg_size(text: str) -> Size | None:
    found = _SVG.search(text)
    if found is None:
        return None
    attributes = found["attributes"]
    width, height = _WIDTH.search(attributes), _HEIGHT.search(attributes)
    if width and height:
        size = (round(float(width[1])), round(float(height[1])))
    elif box := _VIEW_BOX.search(attributes):
        size = (round(float(box[1])), round(float(box[2])))
    else:
        return None
    return size if min(size) > 0 else None
