"""Receivers of Pelican's signals."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from pelican import Pelican
from pelican.generators import StaticGenerator
from pelican.plugins import signals

from .metadata import PictureError, clean, is_picture

logger = logging.getLogger(__name__)


class _Run:
    statics: list[Any] = []  # noqa: RUF012 (replaced by each run)


def connect() -> None:
    """Connect every receiver. Pelican holds them weakly, so they are module functions."""
    signals.static_generator_finalized.connect(remember)
    signals.finalized.connect(clean_pictures)


def remember(generator: StaticGenerator) -> None:
    """Keep the list of static files: they are copied after the last signal that has it."""
    _Run.statics = list(generator.staticfiles)


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
