"""Pictures are published without what a camera or a drawing program wrote into them."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest
from pictures.metadata import PictureError, clean, is_picture
from PIL import ExifTags, Image

ROOT = Path(__file__).resolve().parents[2]
CANARY = "Camera of a person in hiding"
FORMATS = {".apng": "PNG", ".jfif": "JPEG"}
GPS = {1: "N", 2: (35.0, 41.0, 0.0), 3: "E", 4: (51.0, 25.0, 0.0)}


def photograph(path: Path, *, orientation: int = 1, size: tuple[int, int] = (40, 20)) -> Path:
    """A picture whose left half is red, with a place, a device and a comment in it."""
    image = Image.new("RGB", size, "white")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    exif = image.getexif()
    exif[ExifTags.Base.Make] = CANARY
    exif[ExifTags.Base.Orientation] = orientation
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(GPS)
    if path.suffix == ".jpg":
        image.save(path, exif=exif, comment=CANARY.encode(), quality=90)
    elif path.suffix == ".tiff":
        note = f"<x:xmpmeta>{CANARY}</x:xmpmeta>".encode()
        image.save(path, exif=exif, tiffinfo={700: note, 33723: note})  # XMP, IPTC
    else:
        image.save(path, format=FORMATS.get(path.suffix), exif=exif)
    return path


def is_red(image: Image.Image, place: tuple[int, int]) -> bool:
    x, y = place
    red, green, _ = image.convert("RGB").crop((x, y, x + 1, y + 1)).tobytes()
    return red > 200 and green < 60


@pytest.mark.parametrize("ending", [".jpg", ".jfif", ".png", ".apng", ".webp", ".avif", ".tiff"])
def test_nothing_but_what_is_seen_remains(tmp_path: Path, ending: str) -> None:
    path = photograph(tmp_path / f"a{ending}")
    assert CANARY.encode() in path.read_bytes()
    clean(path)
    assert CANARY.encode() not in path.read_bytes()
    with Image.open(path) as image:
        notes = {ExifTags.Base.Make, ExifTags.Base.Orientation, ExifTags.Base.GPSInfo, ExifTags.Base.XMLPacket}
        assert not notes & set(image.getexif())
        assert image.size == (40, 20)
        assert is_red(image, (5, 10))


def test_a_picture_held_sideways_is_turned(tmp_path: Path) -> None:
    path = photograph(tmp_path / "a.jpg", orientation=6)
    clean(path)
    with Image.open(path) as image:
        assert image.size == (20, 40)
        assert is_red(image, (10, 5))


def test_colours_and_transparency_stay(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    image = Image.new("RGBA", (4, 4), (10, 20, 30, 128))
    image.save(path, icc_profile=b"profile")
    clean(path)
    with Image.open(path) as cleaned:
        assert cleaned.getpixel((1, 1)) == (10, 20, 30, 128)
        assert cleaned.info["icc_profile"] == b"profile"


def test_a_moving_picture_keeps_moving(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "green", "blue")]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=70, loop=0, comment=CANARY.encode())
    clean(path)
    assert CANARY.encode() not in path.read_bytes()
    with Image.open(path) as image:
        assert getattr(image, "n_frames", 1) == 3


def test_a_drawing_loses_its_author_and_keeps_its_description(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:sodipodi="http://sodipodi.test/" '
        f'sodipodi:docname="/home/{CANARY}.svg"><!-- {CANARY} --><metadata id="m"><a>{CANARY}</a></metadata>'
        "<title>Arrests by month</title><path d='M0 0'/></svg>",
        encoding="utf-8",
    )
    clean(path)
    text = path.read_text(encoding="utf-8")
    assert CANARY not in text
    assert "<title>Arrests by month</title>" in text


def test_a_photograph_within_a_drawing_is_cleaned_as_well(tmp_path: Path) -> None:
    photo = photograph(tmp_path / "a.jpg").read_bytes()
    coded = b64encode(photo).decode()
    path = tmp_path / "a.svg"
    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg"><image href="data:image/jpeg;base64,\n'
        f'{coded[:76]}&#10;{coded[76:]}"/><path d="M0 0"/></svg>',
        encoding="utf-8",
    )
    clean(path)
    text = path.read_text(encoding="utf-8")
    embedded = text.partition("base64,")[2].partition('"')[0]
    expected = tmp_path / "a.jpg"
    clean(expected)
    assert embedded == b64encode(expected.read_bytes()).decode()
    assert text.endswith('<path d="M0 0"/></svg>')


def test_of_a_telephone_s_picture_in_layers_the_first_remains(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    image, layer = Image.new("RGB", (40, 20), "red"), Image.new("RGB", (40, 20), "blue")
    exif = image.getexif()
    exif[ExifTags.Base.Make] = CANARY
    image.save(path, format="MPO", save_all=True, append_images=[layer], exif=exif)
    clean(path)
    assert CANARY.encode() not in path.read_bytes()
    with Image.open(path) as cleaned:
        assert cleaned.format == "JPEG"
        assert is_red(cleaned, (5, 10))


def test_pages_of_a_tiff_stay(tmp_path: Path) -> None:
    path = tmp_path / "a.tiff"
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "green", "blue")]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    clean(path)
    with Image.open(path) as image:
        assert getattr(image, "n_frames", 1) == 3


@pytest.mark.parametrize("name", ["a.jpg", "a.svg"])
def test_what_is_no_picture_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\xff not a picture")
    with pytest.raises(PictureError, match="export it again"):
        clean(path)


@pytest.mark.parametrize(
    "text",
    [
        "<metadata>" * 9999,
        "<svg><metadata></svg>",
        "<svg><!-- </svg>",
        '<svg><image href="data:image/png;base64,AAAA"/></svg>',
        '<svg><image href="data:image/png;base64,&amp;"/></svg>',
    ],
)
def test_a_drawing_that_is_not_whole_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.svg"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PictureError):
        clean(path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.svg"]


@pytest.mark.parametrize("ending", [".heic", ".HEIC", ".dng", ".svgz", ".psd"])
def test_a_kind_that_cannot_be_cleaned_is_refused_whatever_is_in_it(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    written = io.BytesIO()
    Image.new("RGB", (4, 4)).save(written, format="TIFF")
    path.write_bytes(written.getvalue())
    assert is_picture(path)
    with pytest.raises(PictureError, match=f"{ending.lower()} is none of the kinds"):
        clean(path)


@pytest.mark.parametrize("name", ["a.jpg", "a.svg"])
def test_a_copy_that_is_a_link_leaves_its_source_alone(tmp_path: Path, name: str) -> None:
    source, copy = tmp_path / name, tmp_path / f"copy-{name}"
    if name == "a.svg":
        source.write_text(f"<svg><!-- {CANARY} --></svg>", "utf-8")
    else:
        photograph(source)
    os.link(source, copy)  # STATIC_CREATE_LINKS
    clean(copy)
    assert CANARY.encode() in source.read_bytes()
    assert CANARY.encode() not in copy.read_bytes()


def test_a_site_publishes_clean_copies_and_keeps_its_sources(tmp_path: Path) -> None:
    images = tmp_path / "content" / "images"
    images.mkdir(parents=True)
    source = photograph(images / "a.jpg")
    (images / "broken.png").write_bytes(b"no picture")
    (tmp_path / "content" / "a.md").write_text("Title: A\nDate: 2026-01-02\n\nText\n", encoding="utf-8")
    (tmp_path / "pelicanconf.py").write_text(
        f'PLUGIN_PATHS, PLUGINS = [{str(ROOT / "plugins")!r}], ["pictures"]\n'
        'PATH, THEME, TIMEZONE, LOCALE = "content", "simple", "UTC", "C"\n',
        encoding="utf-8",
    )
    run = subprocess.run(
        [sys.executable, "-m", "pelican", "--log-handler", "plain"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    published = tmp_path / "output" / "images"
    assert CANARY.encode() in source.read_bytes()
    assert CANARY.encode() not in (published / "a.jpg").read_bytes()
    assert not (published / "broken.png").exists()
    assert "broken.png" in run.stderr + run.stdout
