"""The public web application: its routes, and errors as pages."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

import falcon

from mailroom.errors import ExpiredToken, InvalidToken, StoreError
from mailroom.languages import Languages, load_languages
from mailroom.office import Office
from mailroom.web.api import api_path, make_api
from mailroom.web.failures import note_failure, note_unexpected
from mailroom.web.gate import Gate, hosts_of, public_url
from mailroom.web.limits import Limits
from mailroom.web.pages import Desk, pages
from mailroom.web.rendering import Renderer

_LOG = logging.getLogger("mailroom.web")
_PAGES = {404: "missing", 429: "busy"}


def make_app(office: Office, languages: Languages | None = None) -> falcon.App[Any, Any]:
    """The public pages, below the path of MAILROOM_URL, for that address's host alone."""
    settings = office.settings
    url = public_url(settings)
    languages = languages or load_languages(settings.languages, settings.default_lang)
    renderer = Renderer(settings, url, languages)
    sign_ups = Limits(settings.limit_network, settings.limit_total, settings.limit_day)
    links = Limits(settings.limit_network, settings.limit_total)
    desk = Desk(office, url, languages, renderer, sign_ups, links)
    app: falcon.App[Any, Any] = falcon.App(middleware=[Gate(url, renderer.policy)])
    path = urlsplit(url).path
    for each, page in pages(desk):
        app.add_route(path + each, page)
    errors = _Errors(desk)
    app.add_error_handler(Exception, errors.show_unexpected)
    app.add_error_handler(StoreError, errors.show_failure)
    app.add_error_handler(InvalidToken, errors.show_broken)
    app.add_error_handler(ExpiredToken, errors.show_expired)
    app.add_error_handler(falcon.HTTPError, errors.show_http)
    return app


def make_public(office: Office) -> Callable[..., Iterable[bytes]]:
    """What is served to everybody: the pages, and below `api/` the API if MAILROOM_API_PUBLIC."""
    app: Callable[..., Iterable[bytes]] = make_app(office)
    if not office.settings.api_public:
        return app
    api: Callable[..., Iterable[bytes]] = make_api(office)
    path, hosts = api_path(office), hosts_of(public_url(office.settings))

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        # The pages refuse other hosts.
        ours = environ["PATH_INFO"].startswith(path) and environ.get("HTTP_HOST", "").lower() in hosts
        return (api if ours else app)(environ, start_response)

    return serve


class _Errors:
    """Errors as pages in the reader's language. They repeat nothing that was sent, and show nothing of ours."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def show_http(self, req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError, _: object) -> None:
        """What is wrong with the request itself."""
        resp.set_headers(error.headers or {})
        self._show(req, resp, error.status_code, _PAGES.get(error.status_code, "refused"))

    def show_broken(self, req: falcon.Request, resp: falcon.Response, *_: object) -> None:
        """A link that we did not make, or made for something else."""
        self._show(req, resp, 404, "broken")

    def show_expired(self, req: falcon.Request, resp: falcon.Response, *_: object) -> None:
        """A link whose time is over."""
        self._show(req, resp, 410, "expired")

    def show_failure(self, req: falcon.Request, resp: falcon.Response, error: StoreError, _: object) -> None:
        """The database does not take it now."""
        note_failure(_LOG, resp, error)
        self._show(req, resp, 503, "failed")

    def show_unexpected(self, req: falcon.Request, resp: falcon.Response, error: Exception, _: object) -> None:
        """A mistake in the program."""
        note_unexpected(_LOG, req, error)
        self._show(req, resp, 500, "failed")

    def _show(self, req: falcon.Request, resp: falcon.Response, status: int, page: str) -> None:
        resp.status = status
        self._desk.show(req, resp, page)
