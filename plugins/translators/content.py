"""What the desk needs to know of the site's texts; another part of the house reads them, and hands them over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from gettext import NullTranslations
from pathlib import Path
from typing import Any, Protocol


class Language(Protocol):
    """One of the site's languages: its tag, its own name for itself, its direction, its addresses' beginning."""

    @property
    def tag(self) -> str: ...  # noqa: D102

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def direction(self) -> str: ...  # noqa: D102

    @property
    def prefix(self) -> str: ...  # noqa: D102


class Text(Protocol):
    """One article or page in one language: where it stands, its header's values by lower-case name, its body."""

    @property
    def kind(self) -> str: ...  # noqa: D102

    @property
    def key(self) -> str: ...  # noqa: D102

    @property
    def lang(self) -> str: ...  # noqa: D102

    @property
    def path(self) -> Path: ...  # noqa: D102

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def fields(self) -> Mapping[str, Sequence[str]]: ...  # noqa: D102

    @property
    def body(self) -> str: ...  # noqa: D102

    @property
    def raw(self) -> bytes: ...  # noqa: D102


class Inventory(Protocol):
    """All texts, the languages in the site's order, Pelican's settings, and files that could not be read."""

    @property
    def root(self) -> Path: ...  # noqa: D102

    @property
    def content(self) -> Path: ...  # noqa: D102

    @property
    def settings(self) -> Mapping[str, Any]: ...  # noqa: D102

    @property
    def languages(self) -> Sequence[Language]: ...  # noqa: D102

    @property
    def texts(self) -> Sequence[Text]: ...  # noqa: D102

    @property
    def problems(self) -> Sequence[object]: ...  # noqa: D102

    def filters(self, tag: str) -> Mapping[str, Callable[..., str]]:
        """Days and numbers as a language writes them: the filters `localdate` and `localnumber`."""
        ...

    def messages(self, tag: str) -> NullTranslations:
        """The theme's texts in a language."""
        ...

    def reread(self, text: Any, raw: bytes) -> Text:
        """A text as other bytes have it; raises a ValueError with a remedy where they are no text."""
        ...
