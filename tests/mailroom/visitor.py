"""Somebody at the public pages, without a network: what they get, fill in and press."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from lxml import html

from mailroom.languages import Languages
from mailroom.office import Office
from mailroom.tokens import Purpose
from mailroom.web.app import make_app

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """A header's value, "" without it."""
        return next((value for each, value in self.headers if each.lower() == name.lower()), "")

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def tree(self) -> html.HtmlElement:
        return html.document_fromstring(self.body, parser=html.HTMLParser(encoding="utf-8"))

    def attributes(self, path: str) -> list[str]:
        """What an XPath finds of attributes or texts."""
        return [str(each) for each in self.tree.xpath(path)]

    @property
    def lang(self) -> str:
        """The page's language."""
        return self.tree.get("lang") or ""

    @property
    def heading(self) -> str:
        """The page's one h1."""
        (found,) = self.tree.iter("h1")
        return str(found.text_content()).strip()

    @property
    def field(self) -> str:
        """The sealed request in the page with the button."""
        (found,) = re.findall(r'name="request" value="([^"]+)"', self.text)
        return str(found)

    @property
    def action(self) -> str:
        """Where the page's form goes: path and query."""
        (action,) = self.attributes("//form/@action")
        parts = urlsplit(action)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path


class Visitor:
    """Somebody with a browser."""

    def __init__(self, office: Office, languages: Languages | None = None) -> None:
        self.office = office
        self.app: Callable[..., Iterable[bytes]] = make_app(office, languages)
        self.host = urlsplit(office.settings.url).netloc

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        **environ: Any,
    ) -> Answer:
        """Ask as a server hands it on (PEP 3333); `path` is percent-decoded, octet by octet as Latin-1."""
        path, _, query = path.partition("?")
        asked: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8025",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": self.host,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if body:
            asked["CONTENT_LENGTH"] = str(len(body))
        for name, value in (headers or {}).items():
            key = name.upper().replace("-", "_")
            asked[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        said: list[tuple[str, list[tuple[str, str]]]] = []
        chunks = self.app(asked | environ, lambda status, fields, _=None: said.append((status, fields)))
        content = b"".join(chunks)
        ((status, fields),) = said
        return Answer(int(status[:3]), fields, content)

    def get(self, path: str, **headers: str) -> Answer:
        """Open a page below the mailroom's path."""
        return self.ask("GET", f"/mail/{path}", headers=headers)

    def post(self, path: str, fields: Mapping[str, Any] | None = None, **headers: str) -> Answer:
        """Send a form to a page below the mailroom's path."""
        body = urlencode(fields or {}, doseq=True).encode()
        return self.ask("POST", f"/mail/{path}", body, {"content_type": FORM} | headers)

    def press(self, page: Answer, fields: Mapping[str, Any] | None = None) -> Answer:
        """Press the button on a page, after filling in these fields."""
        return self.post(page.action.removeprefix("/mail/"), fields)

    def sign_up(self, address: str, lang: str = "en") -> Answer:
        """Both forms; returns the last page."""
        page = self.post("subscribe", {"address": address, "lang": lang})
        return self.press(page, {"request": page.field})

    def link(self, purpose: Purpose, identity: bytes, lang: str = "en") -> str:
        """The path of a link in a letter."""
        token = self.office.tokens.issue(purpose, identity, self.office.clock.now())
        return f"{purpose.name.lower()}/{token}?lang={lang}"
