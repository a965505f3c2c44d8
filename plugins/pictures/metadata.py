"""Removing metadata from one picture."""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

_RASTER = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".avif"}
#: The tag that says how a camera was held (Exif 2.32, table 4).
ORIENTATION = 0x0112

#: What drawing programs leave in an SVG: who drew it, where the file lay.
_SVG_REMAINS = re.compile(
    r"<!--.*?-->"
    r"|<(?P<tag>metadata|sodipodi:namedview)\b[^>]*?(?:/>|>.*?</(?P=tag)\s*>)"
    r"|\s(?:inkscape|sodipodi):[\w-]+=(?:\"[^\"]*\"|'[^']*')",
    re.DOTALL,
)


class PictureError(ValueError):
    """A picture that cannot be cleaned."""


def is_picture(path: Path) -> bool:
    """Whether a file is a picture by its ending."""
    return path.suffix.lower() in _RASTER | {".svg"}


def clean(path: Path) -> None:
    """Rewrite a picture without anything but what is seen.

    How it was held when taken is put into the pixels, as the note that says so goes too.
    Raises PictureError for a file that is no picture.
    """
    try:
        if path.suffix.lower() == ".svg":
            _clean_svg(path)
        else:
            _clean_raster(path)
    except (UnidentifiedImageError, UnicodeDecodeError, OSError, ValueError) as error:
        raise PictureError(
            f"this is not a picture that can be cleaned of metadata ({error}); export it again, or remove it"
        ) from error


def _clean_raster(path: Path) -> None:
    with Image.open(path) as picture:
        kind = picture.format or ""
        profile = picture.info.get("icc_profile")
        turned = picture.getexif().get(ORIENTATION, 1) != 1
        options: dict[str, object] = {"icc_profile": profile} if profile else {}
        if getattr(picture, "is_animated", False):
            options |= {"save_all": True}
            for name in ("duration", "loop", "disposal", "background"):
                if name in picture.info:
                    options[name] = picture.info[name]
        if turned:
            cleaned = ImageOps.exif_transpose(picture)
            options |= {"quality": 92} if kind in ("JPEG", "WEBP") else {}
        else:
            cleaned = picture
            if kind == "JPEG":
                # The same tables again: nothing visible changes.
                options |= {"quality": "keep"}
            elif kind == "WEBP":
                options |= {"lossless": True} if _is_lossless(path) else {"quality": 92}
        transparency = cleaned.info.get("transparency")
        cleaned.info = {} if transparency is None else {"transparency": transparency}
        beside = path.with_name(f".{path.name}.cleaning")
        cleaned.save(beside, format=kind, **options)
    beside.replace(path)


def _is_lossless(path: Path) -> bool:
    # WebP container specification: lossless pixels stand in a chunk called VP8L.
    return b"VP8L" in path.read_bytes()[:64]


def _clean_svg(path: Path) -> None:
    text = path.read_text("utf-8-sig")
    if "<svg" not in text:
        raise ValueError("no <svg> element")
    cleaned = _SVG_REMAINS.sub("", text)
    if cleaned != text:
        path.write_text(cleaned, "utf-8", newline="\n")
