"""The public web application: its routes, who may ask for what host, what every answer says, and errors as pages."""

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
from mailroom.web.limits import Limits
from mailroom.web.pages import Desk, pages
from mailroom.web.rendering import Renderer

#: Abilities of a browser that no page here has: those that Chromium knows, since it complains of every other.
DENIED_FEATURES = (
    "accelerometer", "autoplay", "browsing-topics", "camera", "clipboard-read",
    "clipboard-write", "display-capture", "encrypted-media", "fullscreen", "gamepad", "geolocation", "gyroscope", "hid",
    "identity-credentials-get", "idle-detection", "local-fonts", "magnetometer", "microphone", "midi", "payment",
    "picture-in-picture", "publickey-credentials-create", "publickey-credentials-get", "screen-wake-lock", "serial",
    "storage-access", "usb", "window-management", "xr-spatial-tracking",
)  # fmt: skip

_LOG = logging.getLogger("mailroom.web")
_PAGES = {404: "missing", 429: "busy"}


def make_app(office: Office, languages: Languages | None = None) -> falcon.App[Any, Any]:
    """The public pages, below the path of MAILROOM_URL, for that address's host alone."""
    settings = office.settings
    url = public_url(office)
    languages = languages or load_languages(settings.languages, settings.default_lang)
    renderer = Renderer(settings, url, languages)
    sign_ups = Limits(settings.limit_network, settings.limit_total, settings.limit_day)
    links = Limits(settings.limit_network, settings.limit_total)
    desk = Desk(office, url, languages, renderer, sign_ups, links)
    app: falcon.App[Any, Any] = falcon.App(middleware=[_Gate(url, renderer.policy)])
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
    path, hosts = api_path(office), hosts_of(public_url(office))

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        # The pages refuse other hosts.
        ours = environ["PATH_INFO"].startswith(path) and environ.get("HTTP_HOST", "").lower() in hosts
        return (api if ours else app)(environ, start_response)

    return serve


def public_url(office: Office) -> str:
    """Where readers see the pages; without MAILROOM_URL, which only development may do, where they are served."""
    return office.settings.url or f"http://{office.settings.listen}/mail/"


def hosts_of(url: str) -> set[str]:
    """What a browser that was sent to this address says in `Host`."""
    parts = urlsplit(url)
    usual = {"https": 443, "http": 80}[parts.scheme]
    name = parts.hostname or ""
    host = f"[{name}]" if ":" in name else name
    port = parts.port or usual
    return {f"{host}:{port}"} | ({host} if port == usual else set())


class _Gate:
    """Lets in requests for our own host, and has every answer say what a browser may do with it."""

    def __init__(self, url: str, policy: str) -> None:
        self._hosts = hosts_of(url)
        self._headers = {
            "Content-Security-Policy": policy,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "X-Robots-Tag": "noindex",
            "Cache-Control": "no-store",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": ", ".join(f"{feature}=()" for feature in DENIED_FEATURES),
        }

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:  # noqa: ARG002
        """Refuse other hosts: a page under another name would be somebody else's."""
        if (req.get_header("Host") or "").lower() not in self._hosts:
            raise falcon.HTTPBadRequest

    def process_response(self, req: falcon.Request, resp: falcon.Response, *_: object) -> None:  # noqa: ARG002
        """Set the headers."""
        resp.set_headers(self._headers)


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
