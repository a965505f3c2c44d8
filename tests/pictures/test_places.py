"""Pictures in a text have their size before they load, and load when a reader comes near."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from pictures.places import place_pictures
from pictures.sizes import read_size
from PIL import ExifTags, Image

from tests.multilingual.sites import Site, texts

LAZY = ' loading="lazy" decoding="async"'


def picture(path: Path, size: tuple[int, int] = (40, 20), orientation: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", size, "red")
    exif = image.getexif()
    exif[ExifTags.Base.Orientation] = orientation
    options: dict[str, Any] = {} if path.suffix == ".gif" else {"exif": exif}
    image.save(path, **options)
    return path


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp", ".gif", ".tiff", ".avif"])
def test_the_size_of_a_picture(tmp_path: Path, ending: str) -> None:
    assert read_size(picture(tmp_path / f"a{ending}")) == (40, 20)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_held_sideways_has_the_size_of_its_copy(tmp_path: Path, orientation: int) -> None:
    from pictures.metadata import clean

    path = picture(tmp_path / "a.jpg", orientation=orientation)
    size = read_size(path)
    clean(path)
    with Image.open(path) as published:
        assert published.size == size


@pytest.mark.parametrize(
    ("tag", "size"),
    [
        ('<svg width="30" height="20" viewBox="0 0 3 2">', (30, 20)),
        ("<svg\n  width='30px' height='20.4'>", (30, 20)),
        ('<svg width="100%" height="20" viewBox="0 0 300 200">', (300, 200)),
        ('<svg width="3cm" height="2cm" viewBox="-10,-10,300.6,200">', (301, 200)),
        ('<?xml version="1.0"?><!-- <x> --><svg viewBox="0 0 3 2">', (3, 2)),
        ('<svg data-width="30" height="20">', None),
        ('<svg width="0" height="0">', None),
        ('<svg viewBox="0 0 a b">', None),
        ("<svg>", None),
        ("<html>", None),
    ],
)
def test_the_size_of_a_drawing(tmp_path: Path, tag: str, size: tuple[int, int] | None) -> None:
    path = tmp_path / "a.svg"
    path.write_text(f"{tag}<path d='M0 0'/></svg>", "utf-8")
    assert read_size(path) == size


@pytest.mark.parametrize("name", ["a.jpg", "a.svg"])
def test_what_is_no_picture_has_no_size(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    assert read_size(path) is None
    path.write_bytes(b"\xff no picture")
    assert read_size(path) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<img alt="" src="{static}/a.jpg">', f'<img width="40" height="20"{LAZY} alt="" src="{{static}}/a.jpg">'),
        ("<IMG SRC='{filename}/a.jpg' />", f'<IMG width="40" height="20"{LAZY} SRC=\'{{filename}}/a.jpg\' />'),
        ("<img src=|static|/a.jpg>", f'<img width="40" height="20"{LAZY} src=|static|/a.jpg>'),
        ('<img src="{static}/a.jpg" width="10">', f'<img height="5"{LAZY} src="{{static}}/a.jpg" width="10">'),
        ('<img src="{static}/a.jpg" height=10>', f'<img width="20"{LAZY} src="{{static}}/a.jpg" height=10>'),
        ('<img src="{static}/a.jpg" width="50%">', f'<img{LAZY} src="{{static}}/a.jpg" width="50%">'),
        ('<img src="{static}/a.jpg" width=1 height=2 loading=eager decoding=sync>', None),
        ('<img src="{static}/missing.jpg">', None),
        ('<img src="https://x.org/a.jpg">', None),
        ('<img src="/a.jpg" alt="{static}/a.jpg">', None),
        ('<img alt="src={static}/a.jpg">', None),
        ('<image src="{static}/a.jpg">', None),
        ("<!-- <img src='{static}/a.jpg'> -->", None),
        ("<span title=\"<img src='{static}/a.jpg'>\">", None),
        ("<script>'<img src={static}/a.jpg>'</script>", None),
        ('<code>&lt;img src="{static}/a.jpg"&gt;</code>', None),
        ('<img src="{static}/a.jpg"', None),
    ],
)
def test_places_in_a_text(text: str, expected: str | None) -> None:
    found = place_pictures(f"a{text}", lambda link: (40, 20) if link == "/a.jpg" else None)
    assert found == f"a{expected or text}"
    assert place_pictures(found, lambda _: (40, 20) if expected else None) == found


PIECES = [
    "<img ", "src=", '"{static}/a.jpg"', "'", '"', ">", "<", "/>", "<!--", "-->", "<script>", "</script>", " ", "=",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_nothing_is_lost_of_whatever_is_written(text: str) -> None:
    result = place_pictures(text, lambda _: (40, 20))
    for added in (' width="40"', ' height="20"', ' loading="lazy"', ' decoding="async"'):
        result = result.replace(added, "")
    assert result == text


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path, PLUGINS=["multilingual", "pictures"])
    picture(site.content / "images" / "b.jpg", orientation=6)
    picture(site.content / "images" / "a.jpg")
    return site


def images(site: Site, url: str, of: str) -> list[dict[str, str]]:
    found: list[html.HtmlElement] = site.html(url).xpath(f'//*[@class="{of}"]//img')
    return [{name: str(value) for name, value in image.attrib.items() if name != "alt"} for image in found]


def test_pictures_of_a_site(site: Site) -> None:
    text = "![x]({static}/images/a.jpg) ![y]({static}../../images/b.jpg)\n\n<img src='{static}/images/%62.jpg' alt>"
    site.article("en", "one", text, Image="images/a.jpg")
    site.translation("fa", "one", "en", text)
    site.translation("zh-Hans", "one", "en", text, Image="/images/b.jpg")
    site.page("en", "about", text)
    site.build_whole()
    lazy = {"loading": "lazy", "decoding": "async"}
    for url in ("en/one/", "fa/one/", "en/about/"):
        up = "../../images/"
        assert images(site, url, "prose") == [
            {"src": up + "a.jpg", "width": "40", "height": "20"} | lazy,
            {"src": up + "b.jpg", "width": "20", "height": "40"} | lazy,
            {"src": up + "%62.jpg", "width": "20", "height": "40"} | lazy,
        ]
    for url, size in (("en/one/", ("40", "20")), ("fa/one/", ("40", "20")), ("zh-Hans/one/", ("20", "40"))):
        (header,) = images(site, url, "picture")
        assert (header["width"], header["height"]) == size
        assert "loading" not in header, "it is seen at once"


def test_a_picture_that_is_missing_is_one_problem_and_one_alone(site: Site) -> None:
    site.article("en", "one", "![x]({static}/images/c.jpg)")
    assert len([text for text in texts(site.build()) if "c.jpg" in text]) == 1


def test_a_header_picture_that_is_missing_has_no_size(site: Site) -> None:
    site.article("en", "one", "Text", Image="images/c.jpg")
    site.article("en", "two", "Text")
    site.build_whole()
    (header,) = images(site, "en/one/", "picture")
    assert "width" not in header
    assert not images(site, "en/two/", "picture")


def test_a_site_without_the_plugin_is_left_alone(site: Site) -> None:
    """Also when another site of the same process has it."""
    site.article("en", "one", "![x]({static}/images/a.jpg)")
    site.build_whole()
    site.settings(PLUGINS=["multilingual"])
    site.build_whole()
    assert images(site, "en/one/", "prose") == [{"src": "../../images/a.jpg"}]
