"""The table: what a page of this site may load and send, and what a browser may keep of it or tell others.

Everything is refused and little is allowed again: style sheets and pictures of the site itself, and forms to the places
that are configured. There is no script on the site, so none may run; blocks of linked data (`application/ld+json`) are
not scripts to a browser and need no permission (HTML Living Standard, 4.12.1).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

#: Directives that browsers ignore in a page's <meta> (CSP Level 3, 3.3).
HEADER_ONLY = frozenset({"frame-ancestors", "report-uri", "sandbox"})

#: Abilities of a browser that no page here has, nor anything that finds its way into one: those that Chromium knows,
#: since it complains of every other.
DENIED_FEATURES = (
    "accelerometer", "autoplay", "browsing-topics", "camera", "clipboard-read",
    "clipboard-write", "display-capture", "encrypted-media", "fullscreen", "gamepad", "geolocation", "gyroscope", "hid",
    "identity-credentials-get", "idle-detection", "local-fonts", "magnetometer", "microphone", "midi", "payment",
    "picture-in-picture", "publickey-credentials-create", "publickey-credentials-get", "screen-wake-lock", "serial",
    "storage-access", "usb", "window-management", "xr-spatial-tracking",
)  # fmt: skip

#: How long a copy may be shown without asking the server: corrections and withdrawals must arrive soon.
PAGES_FRESH, FILES_FRESH = 300, 86400

#: Types of what a build writes and an article carries; with `nosniff`, what is typed wrongly is not shown.
TYPES = {
    "html": "text/html",
    "css": "text/css",
    "txt": "text/plain",
    "xml": "text/xml",
    "atom": "application/atom+xml",
    "rss": "application/rss+xml",
    "json": "application/json",
    "webmanifest": "application/manifest+json",
    "bib": "application/x-bibtex",
    "ris": "application/x-research-info-systems",
    "svg": "image/svg+xml",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
    "ico": "image/x-icon",
    "pdf": "application/pdf",
    "epub": "application/epub+zip",
    "zip": "application/zip",
}
#: Those that are text, in UTF-8.
TEXTS = ("html", "css", "txt", "xml", "atom", "rss", "bib", "ris", "svg")


@dataclass(frozen=True, slots=True)
class Policy:
    """What the pages of one site may do.

    `styles` are the hashes of style blocks that stand inside pages ('sha256-…', with quotes): the page for unknown
    addresses carries its own, since it is shown at any address.
    """

    site_url: str = ""
    form_actions: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    hsts_days: int = 0

    def directives(self, *, inline_styles: bool = False) -> dict[str, tuple[str, ...]]:
        """The Content-Security-Policy: each directive with its sources."""
        return {
            "default-src": ("'none'",),
            "style-src": ("'self'", *(self.styles if inline_styles else ())),
            "img-src": ("'self'",),
            "base-uri": ("'none'",),
            "form-action": self._form_sources(),
            "frame-ancestors": ("'none'",),
        }

    def meta(self, *, inline_styles: bool = False) -> str:
        """The policy as a page carries it, wherever it is copied to."""
        directives = self.directives(inline_styles=inline_styles).items()
        return _join((name, sources) for name, sources in directives if name not in HEADER_ONLY)

    def headers(self, *, encrypted: bool = True) -> dict[str, str]:
        """What a server says with every answer. `encrypted` is False where there is no TLS, as on an onion address."""
        headers = {
            "Content-Security-Policy": _join(self.directives(inline_styles=True).items()),
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "X-DNS-Prefetch-Control": "off",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": ", ".join(f"{feature}=()" for feature in DENIED_FEATURES),
        }
        host = urlsplit(self.site_url).hostname or ""
        if encrypted and self.hsts_days and not host.endswith(".onion"):
            headers["Strict-Transport-Security"] = f"max-age={self.hsts_days * 86400}"
        return headers

    def allows_form(self, action: str) -> bool:
        """Whether a form may be sent to an absolute address, or to a path of the site itself."""
        try:
            target, origin = urlsplit(action), _origin(action)
        except ValueError:
            return False
        own = not target.netloc or origin == _origin(self.site_url)
        for source in self._form_sources():
            if source == "'self'":
                if own:
                    return True
            elif _origin(source) == origin:
                path = urlsplit(source).path
                # CSP Level 3, 6.7.2.11: a path that ends in a slash stands for all below it.
                if path in ("", target.path) or (path.endswith("/") and target.path.startswith(path)):
                    return True
        return False

    def _form_sources(self) -> tuple[str, ...]:
        own = _origin(self.site_url)
        sources = ("'self'" if a.startswith("/") or _origin(a) == own else a for a in self.form_actions)
        return tuple(dict.fromkeys(sources)) or ("'none'",)


def _join(directives: Iterable[tuple[str, tuple[str, ...]]]) -> str:
    return "; ".join(" ".join((name, *sources)) for name, sources in directives)


def _origin(address: str) -> tuple[str, str, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname or "", parts.port or {"https": 443, "http": 80}.get(parts.scheme)
