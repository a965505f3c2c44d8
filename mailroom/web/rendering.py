"""Makes pages from templates: one environment for each language, compiled once."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import falcon
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from mailroom.languages import Language, Languages
from mailroom.settings import Settings

_FOLDER = Path(__file__).parent
#: Where the pages' templates are: those of the letters, and those of the form for people in need.
TEMPLATES = (_FOLDER / "templates", _FOLDER.parent / "intake" / "templates")
# The zero of each numbering system that some language's press prefers (CLDR `numberingSystems.xml`).
_ZEROS = {
    "arab": "\u0660", "arabext": "\u06f0", "beng": "\u09e6", "deva": "\u0966", "mymr": "\u1040", "tibt": "\u0f20",
}  # fmt: skip


class Renderer:
    """Renders the pages of one mailroom. May be used from several threads."""

    def __init__(self, settings: Settings, url: str, languages: Languages) -> None:
        """`url` is where the pages are, as readers see it."""
        self._settings = settings
        self._url = url
        self._languages = languages
        self._style = (_FOLDER / "page.css").read_text(encoding="utf-8")
        self.consent: Callable[[str], str] = cache(self._hash_promises)
        self._template: Callable[[str, str], Template] = cache(self._load)
        self._environment: Callable[[str], Environment] = cache(self._make_environment)

    @property
    def policy(self) -> str:
        """The Content-Security-Policy: nothing is loaded, one style sheet applies, icons are inline, forms go to us."""
        digest = base64.b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        target = self._url.replace(";", "%3B").replace(",", "%2C")
        return (
            f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; form-action {target}; "
            "frame-ancestors 'none'; base-uri 'none'"
        )

    def show(self, req: falcon.Request, resp: falcon.Response, page: str, language: Language, **values: Any) -> None:
        """Answer with a page. Only where the address alone leads to it does it offer other languages."""
        resp.content_type = falcon.MEDIA_HTML
        resp.set_header("Content-Language", language.tag)
        resp.text = self.render(page, language, switch=req.method in ("GET", "HEAD"), **values)

    def render(self, page: str, language: Language, **values: Any) -> str:
        """A page in a language."""
        return self._template(page, language.tag).render(values)

    def load(self, *pages: str) -> None:
        """Load these pages in all languages, for processes that are forked from this one."""
        for tag in self._languages:
            for page in pages:
                self._template(page, tag)

    def _hash_promises(self, tag: str) -> str:
        """Which text a reader of this language agrees to: a short hash of it."""
        text = str(self._environment(tag).globals["promises"])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _load(self, page: str, tag: str) -> Template:
        return self._environment(tag).get_template(f"{page}.html")

    def _make_environment(self, tag: str) -> Environment:
        settings, language = self._settings, self._languages[tag]
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            auto_reload=False,
            extensions=["jinja2.ext.i18n"],
        )
        environment.install_gettext_translations(self._languages.texts(tag), newstyle=True)  # type: ignore[attr-defined]
        environment.filters["number"] = lambda number: write_number(number, language)
        environment.globals |= {
            "url": self._url,
            "home": f"{settings.site or urljoin(self._url, '/')}{tag}/",
            "name": settings.name_in(tag),
            "name_lang": tag if tag in settings.names else self._languages.default.tag,
            "exit": settings.exit_in(tag),
            "service": settings.meeting_service,
            "language": language,
            "languages": tuple(self._languages.values()),
            "style": Markup(self._style),  # noqa: S704 (our own file)
        }
        # The longest part of the longest pages, and the same for everybody.
        environment.globals["promises"] = Markup(environment.get_template("promises.html").render())  # noqa: S704
        return environment


def write_number(number: int, language: Language) -> str:
    """A number with the language's digits and separators: Babel fills its patterns with Latin digits."""
    return write_digits(format_decimal(number, locale=language.locale, numbering_system="default"), language)


def write_digits(text: str, language: Language) -> str:
    """A text with the language's own digits instead of Latin ones."""
    zero = ord(_ZEROS.get(language.locale.default_numbering_system, "0"))
    return text.translate({ord("0") + digit: zero + digit for digit in range(10)})
