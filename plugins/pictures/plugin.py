"""Receivers of Pelican's signals."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from pelican import Pelican
from pelican.contents import Article, Content, Page
from pelican.generators import Generator, StaticGenerator
from pelican.plugins import signals

from .metadata import PictureError, clean, is_picture
from .places import paths_of, place_pictures
from .sizes import Size, read_size

logger = logging.getLogger(__name__)


class _Run:
    """What is known of the current run; replaced by each."""

    configured = False
    statics: list[Any] = []  # noqa: RUF012
    contents: list[Content] = []  # noqa: RUF012


def connect() -> None:
    """Connect every receiver. Pelican holds them weakly, so they are module functions."""
    signals.initialized.connect(prepare)
    signals.generator_init.connect(begin)
    signals.content_object_init.connect(await_pictures)
    signals.static_generator_finalized.connect(remember)
    signals.all_generators_finalized.connect(place)
    signals.finalized.connect(clean_pictures)


def prepare(pelican: Pelican) -> None:
    """Note whether this site asks for the plugin: receivers outlive the one that did."""
    # Pelican has put the names of the loaded plugins there.
    _Run.configured = __package__ in pelican.settings["PLUGINS"]


def begin(generator: Generator) -> None:
    """Forget what an earlier run, which may have failed, has left."""
    _Run.statics, _Run.contents = [], []


def await_pictures(content: Content) -> None:
    """Note a text: its pictures are known when all files are."""
    if _Run.configured and isinstance(content, Article | Page):
        content.image_size = None
        _Run.contents.append(content)


def remember(generator: StaticGenerator) -> None:
    """Keep the list of static files: they are copied after the last signal that has it."""
    if _Run.configured:
        _Run.statics = list(generator.staticfiles)


def place(generators: list[Generator]) -> None:
    """Give the pictures of every text their size, before Pelican replaces the links."""
    contents, _Run.contents = _Run.contents, []
    sizes: dict[str, Size | None] = {}
    for content in contents:
        files = content._context.get("static_content", {})

        def find_size(link: str, content: Content = content, files: Any = files) -> Size | None:
            for path in paths_of(link, content.relative_dir):
                if path in files and path not in sizes:
                    sizes[path] = read_size(Path(files[path].source_path))
                # Pelican lists whatever is linked, under each name a link has, also what is not there.
                if sizes.get(path):
                    return sizes[path]
            return None

        content._content = place_pictures(content._content or "", find_size)
        image = getattr(content, "image", None)
        if isinstance(image, str) and image:
            content.image_size = find_size("/" + image.lstrip("/"))


def clean_pictures(pelican: Pelican) -> None:
    """Clean every copied picture; one that cannot be read is not published."""
    for static in _Run.statics:
        path = Path(pelican.output_path, static.save_as)
        if not is_picture(path) or not path.is_file():
            continue
        try:
            clean(path)
        except PictureError as error:
            path.unlink()
            logger.error("%s: %s", static.source_path, error)
