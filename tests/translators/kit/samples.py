"""What the tests of kits share: the site's Markdown settings and its own texts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from translators.blocks import make_converter
from translators.kit.arrival import read_arrival
from translators.kit.composition import Kit, Tongue, compose_kit
from translators.kit.counterparts import Counterparts, find_counterparts
from translators.kit.document import Document, Piece, tidy
from translators.kit.markdown import read_document
from translators.kit.placement import Imported, place

CONTENT = Path(__file__).resolve().parents[3] / "content"
OPTIONS = {
    "extensions": ["markdown.extensions.extra", "markdown.extensions.footnotes"],
    "extension_configs": {
        "markdown.extensions.footnotes": {"BACKLINK_TEXT": "↑", "BACKLINK_TITLE": "{}", "USE_DEFINITION_ORDER": False}
    },
    "output_format": "html5",
}
CONVERT = make_converter(OPTIONS)
FIELDS = ("image_alt", "image_caption", "image_credit", "tab_title")


def sources() -> list[Path]:
    """Articles in all languages, and pages in English."""
    return sorted([*CONTENT.glob("articles/*/*.md"), *CONTENT.glob("pages/en/*.md")])


def body_of(path: Path) -> str:
    """A file without its header."""
    text = path.read_text("utf-8")
    return text.split("\n---\n", 1)[1] if text.startswith("---\n") else text.split("\n\n", 1)[1]


def load(lang: str, key: str, names: Iterable[str] = ("slug", *FIELDS)) -> Document:
    """An article of the site, read as the desk reads it."""
    path = CONTENT / "articles" / lang / f"{key}.md"
    head = path.read_text("utf-8").split("\n\n", 1)[0]
    fields = {name.lower(): [value] for name, _, value in (line.partition(": ") for line in head.split("\n"))}
    return read_document(fields, body_of(path), CONVERT, tuple(names))


def revision(lang: str, key: str) -> str:
    """What a record says of a source's file."""
    return sha256((CONTENT / "articles" / lang / f"{key}.md").read_bytes()).hexdigest()


def tongue(lang: str) -> Tongue:
    """A language, by a name that is enough for tests."""
    return Tongue(lang, "rtl" if lang in ("ar", "fa") else "ltr", lang)


def make_kit(origin: str, lang: str, key: str, **more: Any) -> Kit:
    """A kit of an article of the site."""
    document = load(origin, key, FIELDS)
    return compose_kit(key, tongue(origin), tongue(lang), revision(origin, key), document, **more)


def present(origin: str, lang: str, key: str) -> Counterparts:
    """The translation that the site has, beside its source."""
    return find_counterparts(load(origin, key, FIELDS), origin, load(lang, key), lang)


def take_in(name: str, data: bytes, origin: str, lang: str, key: str, now: Counterparts | None = None) -> Imported:
    """What comes of a file that was sent in."""
    arrival = read_arrival(name, data, CONVERT, ("slug", *FIELDS))
    return place(arrival, load(origin, key, FIELDS), origin, lang, revision(origin, key), now or Counterparts())


def bare(pieces: Iterable[Piece]) -> list[Piece]:
    """Blocks without what a word processor may lose: the languages of single words, and where links lead."""
    return [
        replace(piece, spans=tidy(replace(span, lang="", link="") for span in piece.spans))
        for piece in pieces
        if piece.kind not in ("title", "summary", "field")
    ]
