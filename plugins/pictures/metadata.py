"""Removing metadata from one picture."""

from __future__ import annotations

import io
import re
from base64 import b64decode, b64encode
from pathlib import Path
from urllib.parse import unquote
from xml.parsers import expat

from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

_RASTER = {
    ".apng", ".avif", ".bmp", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp",
}  # fmt: skip
#: What they are opened as, whatever their endings say: Pillow would run another program for some.
_FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "TIFF", "WEBP")
#: Kinds that carry as much and that we cannot write: what telephones and cameras make, and drawing programs keep.
_UNCLEANED = {
    ".ai", ".arw", ".cr2", ".cr3", ".dng", ".eps", ".heic", ".heif", ".hif", ".jxl", ".nef", ".orf", ".psd", ".raf",
    ".rw2", ".svgz", ".xcf",
}  # fmt: skip
#: The tag that says how a camera was held (Exif 2.32, table 4).
ORIENTATION = 0x0112

#: What drawing programs leave in an SVG: who drew it, where the file lay.
_SVG_REMAINS = re.compile(
    r"<!--.*?-->"
    r"|<(?P<tag>metadata|sodipodi:namedview)(?=[\s/>])(?:[^>\"']|\"[^\"]*\"|'[^']*')*(?:(?<=/)>|>.*?</(?P=tag)\s*>)"
    r"|\s(?:inkscape|sodipodi):[\w-]+\s*=\s*(?:\"[^\"]*\"|'[^']*')",
    re.DOTALL,
)
#: A picture within a drawing (RFC 2397), which has a camera's notes of its own.
_EMBEDDED = re.compile(r"(data:image/[^\"'<>,]*;base64,)([^\"'<>)]*)", re.IGNORECASE)
_NO_BASE64 = re.compile(r"\s|&#\w+;")


class PictureError(ValueError):
    """A picture that cannot be cleaned."""


def is_picture(path: Path) -> bool:
    """Whether a file is a picture by its ending, be it one that can be cleaned or not."""
    return path.suffix.lower() in _RASTER | _UNCLEANED | {".svg"}


def clean(path: Path) -> None:
    """Rewrite a picture without anything but what is seen.

    How it was held when taken is put into the pixels, as the note that says so goes too.
    Raises PictureError for a file that is no picture, or of a kind that cannot be cleaned.
    """
    ending = path.suffix.lower()
    try:
        if ending in _UNCLEANED:
            raise ValueError(f"{ending} is none of the kinds that can")
        data = path.read_bytes()
        cleaned = _clean_drawing(data) if ending == ".svg" else _clean_raster(data)
        if cleaned != data:
            # A new file in its place: Pelican may have made the copy a link to the source.
            beside = path.with_name(f".{path.name}.cleaning")
            beside.write_bytes(cleaned)
            beside.replace(path)
    except (UnidentifiedImageError, Image.DecompressionBombError, expat.ExpatError, OSError, ValueError) as error:
        raise PictureError(
            f"this is not a picture that can be cleaned of metadata ({error}); export it again, or remove it"
        ) from error


def _clean_raster(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
        kind = picture.format or ""
        profile = picture.info.get("icc_profile")
        turned = picture.getexif().get(ORIENTATION, 1) != 1
        options: dict[str, object] = {"icc_profile": profile} if profile else {}
        frames: list[Image.Image] = []
        if kind == "MPO":
            # A JPEG with others behind it, which no page shows: a telephone's map of brightness, a second eye.
            kind, options = "JPEG", options | {"quality": 92}
        elif getattr(picture, "is_animated", False):
            options |= {"save_all": True}
            for name in ("duration", "loop", "disposal", "background"):
                if name in picture.info:
                    options[name] = picture.info[name]
        if turned:
            cleaned = ImageOps.exif_transpose(picture)
            options |= {"quality": 92} if kind in ("JPEG", "WEBP", "AVIF") else {}
        elif kind == "TIFF":
            # Pillow writes XMP and IPTC of what was opened as TIFF again, so only the pixels are taken.
            cleaned, *frames = (frame.copy() for frame in ImageSequence.Iterator(picture))
            options |= {"append_images": frames} if frames else {}
        else:
            cleaned = picture
            if kind == "JPEG" and "quality" not in options:
                # The same tables again: nothing visible changes.
                options |= {"quality": "keep"}
            elif kind in ("WEBP", "AVIF"):
                options |= {"lossless": True} if _is_lossless(data) else {"quality": 92}
        for frame in (cleaned, *frames):
            transparency = frame.info.get("transparency")
            frame.info = {} if transparency is None else {"transparency": transparency}
        written = io.BytesIO()
        cleaned.save(written, format=kind, **options)
    return written.getvalue()


def _is_lossless(data: bytes) -> bool:
    # WebP container specification: lossless pixels stand in a chunk called VP8L.
    return b"VP8L" in data[:64]


def _clean_drawing(data: bytes) -> bytes:
    expat.ParserCreate().Parse(data, True)
    text = data.decode("utf-8-sig")
    if "<svg" not in text:
        raise ValueError("no <svg> element")
    return _EMBEDDED.sub(_clean_embedded, _SVG_REMAINS.sub("", text)).encode()


def _clean_embedded(found: re.Match[str]) -> str:
    data = b64decode(_NO_BASE64.sub("", unquote(found[2])), validate=True)
    cleaned = _clean_drawing(data) if "svg" in found[1].lower() else _clean_raster(data)
    return found[1] + b64encode(cleaned).decode()
