"""The gate that every public page stands behind: our own host alone is let in, and every answer says what it may do."""

from __future__ import annotations

from urllib.parse import urlsplit

import falcon

from mailroom.settings import Settings

#: Abilities of a browser that no page here has: those that Chromium knows, since it complains of every other.
DENIED_FEATURES = (
    "accelerometer", "autoplay", "browsing-topics", "camera", "clipboard-read",
    "clipboard-write", "display-capture", "encrypted-media", "fullscreen", "gamepad", "geolocation", "gyroscope", "hid",
    "identity-credentials-get", "idle-detection", "local-fonts", "magnetometer", "microphone", "midi", "payment",
    "picture-in-picture", "publickey-credentials-create", "publickey-credentials-get", "screen-wake-lock", "serial",
    "storage-access", "usb", "window-management", "xr-spatial-tracking",
)  # fmt: skip


def public_url(settings: Settings) -> str:
    """Where readers see the pages; without MAILROOM_URL, which only development may do, where they are served."""
    return settings.url or f"http://{settings.listen}/mail/"


def hosts_of(url: str) -> set[str]:
    """What a browser that was sent to this address says in `Host`."""
    parts = urlsplit(url)
    usual = {"https": 443, "http": 80}[parts.scheme]
    name = parts.hostname or ""
    host = f"[{name}]" if ":" in name else name
    port = parts.port or usual
    return {f"{host}:{port}"} | ({host} if port == usual else set())


class Gate:
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
