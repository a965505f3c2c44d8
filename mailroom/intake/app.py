"""The intake's web application: its routes, what every answer says, and errors as pages that say nothing of anybody."""

from __future__ import annotations

import logging
import re
from functools import partial
from typing import Any, NoReturn
from urllib.parse import urlsplit

import falcon
from falcon.media import MultipartFormHandler

from mailroom.clock import Clock
from mailroom.errors import IntakeFull, StoreError, TooLarge
from mailroom.intake.forms import FACES
from mailroom.intake.pages import LARGEST_TEXT, Desk, pages
from mailroom.intake.receipts import Lookup
from mailroom.intake.sealing import read_recipients
from mailroom.intake.submissions import open_intake
from mailroom.intake.turnstile import Busy, Turnstile
from mailroom.languages import load_languages
from mailroom.settings import Settings
from mailroom.store.keyring import Keyring
from mailroom.web.failures import note_failure, note_unexpected
from mailroom.web.gate import Gate, public_url
from mailroom.web.rendering import Renderer

_LOG = logging.getLogger("mailroom.intake")
#: Of a form's parts: how many, and octets of the lines before one.
_MOST_PARTS, _LARGEST_PART_HEAD = 128, 4 * 1024
_PAGES = {404: "nowhere", 413: "large"}


def make_app(
    settings: Settings, ring: Keyring, *, turnstile: Turnstile | None = None, clock: Clock | None = None
) -> falcon.App[Any, Any]:
    """The form's pages, below the path of MAILROOM_URL, for that address's host alone. To be called before forking.

    Raises ConfigurationError.
    """
    url, clock = public_url(settings), clock or Clock()
    languages = load_languages(settings.languages, settings.default_lang)
    renderer = Renderer(settings, url, languages)
    desk = Desk(
        settings,
        languages,
        renderer,
        read_recipients(settings.intake_recipients),
        Lookup(ring, development=settings.development),
        turnstile or Turnstile(settings.intake_limit),
        clock,
        partial(open_intake, settings, clock),
    )
    # Forms lead to forms, not to the sign-up, on whose path letters are asked for.
    policy = re.sub("form-action ([^;]*)", r"form-action \1form \1form/", renderer.policy)
    app: falcon.App[Any, Any] = falcon.App(middleware=[Gate(url, policy)])
    handler = MultipartFormHandler()
    handler.parse_options.max_body_part_count = _MOST_PARTS
    handler.parse_options.max_body_part_headers_size = _LARGEST_PART_HEAD
    handler.parse_options.max_body_part_buffer_size = LARGEST_TEXT
    app.req_options.media_handlers = falcon.media.Handlers({falcon.MEDIA_MULTIPART: handler})
    path = urlsplit(url).path
    for each, page in pages(desk):
        app.add_route(path + each, page)
    errors = _Errors(desk)
    app.add_error_handler(Exception, errors.show_unexpected)
    app.add_error_handler(ConnectionError, errors.give_up)
    app.add_error_handler(StoreError, errors.show_failure)
    app.add_error_handler(IntakeFull, errors.show_full)
    app.add_error_handler(TooLarge, errors.show_large)
    app.add_error_handler(Busy, errors.show_busy)
    app.add_error_handler(falcon.HTTPError, errors.show_http)
    # Each child would compile them again; the last four are parts of the others.
    renderer.load(*FACES, "sealed", "receipt", "face", "fields", "form", "base")
    return app


class _Errors:
    """Errors as pages in the reader's language. They repeat nothing that was sent, and show nothing of ours."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def show_http(self, req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError, _: object) -> None:
        """What is wrong with the request itself."""
        resp.set_headers(error.headers or {})
        self._show(req, resp, error.status_code, _PAGES.get(error.status_code, "unread"))

    def show_large(self, req: falcon.Request, resp: falcon.Response, *_: object) -> None:
        """More than the largest size class holds."""
        self._show(req, resp, 413, "large")

    def show_busy(self, req: falcon.Request, resp: falcon.Response, error: Busy, _: object) -> None:
        """Too many at this moment."""
        resp.set_header("Retry-After", str(int(error.wait) + 1))
        self._show(req, resp, 429, "crowded")

    def show_full(self, req: falcon.Request, resp: falcon.Response, *_: object) -> None:
        """Nothing more is kept until an expert has fetched some."""
        self._show(req, resp, 503, "full")

    def show_failure(self, req: falcon.Request, resp: falcon.Response, error: StoreError, _: object) -> None:
        """The database does not take it now."""
        note_failure(_LOG, resp, error)
        self._show(req, resp, 503, "stopped")

    def show_unexpected(self, req: falcon.Request, resp: falcon.Response, error: Exception, _: object) -> None:
        """A mistake in the program."""
        note_unexpected(_LOG, req, error)
        self._show(req, resp, 500, "stopped")

    def give_up(self, _: object, __: object, error: ConnectionError, ___: object) -> NoReturn:
        """Whoever asked has gone."""
        raise error

    def _show(self, req: falcon.Request, resp: falcon.Response, status: int, page: str) -> None:
        resp.status = status
        self._desk.show(req, resp, page)
