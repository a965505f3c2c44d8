"""Every campaign as pages, within `./blog serve`: both parts as they would be handed in, before anything is.

    /campaigns/                         all of them, post by post
    /campaigns/<key>/                   one: the HTML at two widths, the text beside it
    /campaigns/<key>/campaign.html      the part as it was composed, and so campaign.txt

The folder is read at each request, so a reload shows what was saved. Letters stand in frames that may run nothing and
load nothing: what a letter could do wrong, it does not do to the page around it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from .campaigns import PARTS, Campaign, read_campaign, read_campaigns
from .errors import ConfigurationError, UnknownCampaign
from .look import render

PATH = "/campaigns/"
#: Where the build of `./blog serve` composes: NEWSLETTER_CAMPAIGNS of pelicanconf.py.
FOLDER = Path("var", "preview", "campaigns")
#: Widths of the frames, in CSS pixels: a telephone's, and a mail program's on a desk.
WIDTHS = {"phone": 360, "desktop": 700}

_TYPES = {"campaign.html": "text/html", "campaign.txt": "text/plain"}
#: A key holds no dot, so that no path leads out of the folder.
_ADDRESS = re.compile(rf"{PATH}(?:(?P<key>[a-z0-9]+(?:-[a-z0-9]+)*)/(?P<part>{'|'.join(map(re.escape, _TYPES))})?)?")
_PART_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
    "sandbox"  # no script either when it is opened by itself
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",  # drafts are nobody else's
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Beside:
    """The pages. `mounts` is what they answer, `notice` what an author reads on the terminal."""

    def __init__(self, root: Path, url: str) -> None:
        """`root` is the project's folder, `url` the preview's address without a slash at its end."""
        self._folder = root / FOLDER
        self.mounts: Mapping[str, Callable[[BaseHTTPRequestHandler], None]] = {PATH: self.answer}
        self.notice = f"{url}{PATH} (campaigns: the newsletter's letters, as they would be handed in)"

    def close(self) -> None:
        """Nothing is open between two requests."""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer a request for one of the addresses above."""
        if handler.command not in ("GET", "HEAD"):
            return _send(handler, HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", b"", {"Allow": "GET, HEAD"})
        found = _ADDRESS.fullmatch(unquote(handler.path.partition("?")[0]))
        try:
            if not found:
                raise UnknownCampaign("There is no such page", f"All campaigns are at {PATH}.")
            if not found["key"]:
                return _send_page(handler, HTTPStatus.OK, posts=_by_post(read_campaigns(self._folder).values()))
            campaign = read_campaign(self._folder / found["key"])
        except UnknownCampaign as error:
            return _send_page(handler, HTTPStatus.NOT_FOUND, problem=error.problem, remedy=error.remedy)
        except ConfigurationError as error:
            problem = f"Campaigns cannot be read: {error.value}"
            return _send_page(handler, HTTPStatus.INTERNAL_SERVER_ERROR, problem=problem, remedy=error.remedy)
        if not found["part"]:
            return _send_page(handler, HTTPStatus.OK, campaign=campaign, widths=WIDTHS)
        part = next(getattr(campaign, name) for name, file in PARTS.items() if file == found["part"])
        policy = {"Content-Security-Policy": _PART_POLICY}
        return _send(handler, HTTPStatus.OK, _TYPES[found["part"]], part.encode(), policy)


def serve_beside(root: Path, url: str) -> Beside:
    """Show campaigns beside the pages that `./blog serve` shows at `url`."""
    return Beside(root, url)


def name_language(lang: str) -> str:
    """A language by its own name; its tag where CLDR has none."""
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(lang, sep="-").display_name or lang
    except (UnknownLocaleError, ValueError):
        return lang


def _by_post(campaigns: Iterable[Campaign]) -> list[list[Campaign]]:
    """All languages of a post together, the oldest first, which is the source; the post of the newest comes first."""
    posts: dict[str, list[Campaign]] = {}
    for campaign in campaigns:
        posts.setdefault(campaign.post, []).append(campaign)
    return [sorted(post, key=lambda one: one.day) for post in posts.values()]


def _send_page(handler: BaseHTTPRequestHandler, status: HTTPStatus, **values: Any) -> None:
    style = render("preview.css")
    shown = {"problem": "", "campaign": None, "posts": [], "style": style, "folder": FOLDER, "path": PATH} | values
    page = render("preview.html", **shown, language=name_language, size=lambda part: f"{len(part.encode()):,}")
    fingerprint = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{fingerprint}'; frame-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    _send(handler, status, "text/html", page.encode(), {"Content-Security-Policy": policy})


def _send(
    handler: BaseHTTPRequestHandler, status: HTTPStatus, kind: str, body: bytes, headers: Mapping[str, str]
) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", f"{kind}; charset=utf-8")
    handler.send_header("Content-Length", str(len(body)))
    for name, value in {**_HEADERS, **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)
