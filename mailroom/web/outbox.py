"""The outbox as pages, for `./blog serve`: which letters would have gone out, and how they read.

Only development has it. Letters are shown as a mail program would, walled in: what a letter could do wrong, it cannot
do to the page around it.
"""

from __future__ import annotations

import email.policy
import re
import threading
from collections.abc import Callable, Iterable
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import falcon
from jinja2 import DictLoader, Environment, StrictUndefined

from mailroom.office import Office
from mailroom.web.api import LARGEST
from mailroom.web.app import make_public
from mailroom.web.gate import public_url
from mailroom.web.server import Server

#: Where the pages are.
PATH = "/outbox/"
#: How many letters are listed.
MOST = 200

_STYLE = """\
:root { color-scheme: light dark; }
body { font: 1.0625rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
.development { background: #b00; color: #fff; padding: 0.25rem 1rem; margin: 0; }
table { border-collapse: collapse; inline-size: 100%; }
th, td { text-align: start; vertical-align: top; padding: 0.4rem 1rem 0.4rem 0; border-block-end: 1px solid #8888; }
th { white-space: nowrap; } td { overflow-wrap: anywhere; }
iframe { inline-size: 100%; block-size: 48rem; border: 1px solid; background: #fff; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid; padding: 1rem; }
"""
_TEMPLATES = {
    "base": """\
<!doctype html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
{% block refresh %}{% endblock %}
<title>{% block title %}{% endblock %}</title>
<style>{{ style }}</style>
</head>
<body>
<p class="development">Development: these letters went to nobody. They are files in <code>{{ folder }}</code>.</p>
{% block content %}{% endblock %}
</body>
</html>
""",
    "list": """\
{% extends "base" %}
{% block refresh %}<meta http-equiv="refresh" content="3">{% endblock %}
{% block title %}Outbox: {{ letters|length }}{% endblock %}
{% block content %}
<h1>Outbox</h1>
{% if letters %}
<table>
<tr><th>Sent<th>To<th>Subject</tr>
{% for name, letter in letters %}
<tr>
<td>{{ letter["Date"] }}
<td><bdi>{{ letter["To"] }}</bdi>
<td><a href="{{ path }}{{ name }}"><bdi>{{ letter["Subject"] }}</bdi></a>
</tr>
{% endfor %}
</table>
{% else %}
<p>No letter yet. Sign up on the <a href="/">site</a>'s newsletter page: the letter to confirm comes here.</p>
{% endif %}
<p>An address gets one such letter a day: for another try, take another address.</p>
{% endblock %}
""",
    "letter": """\
{% extends "base" %}
{% block title %}{{ letter["Subject"] }}{% endblock %}
{% block content %}
<p><a href="{{ path }}">All letters</a> · <a href="{{ path }}{{ name }}/source">source</a></p>
<h1 dir="auto">{{ letter["Subject"] }}</h1>
{% if one_click %}
<form action="{{ one_click }}" method="post">
<input type="hidden" name="List-Unsubscribe" value="One-Click">
<button>Unsubscribe, as a mail program does</button>
</form>
{% endif %}
{% if html %}
<h2>HTML</h2>
<iframe src="{{ path }}{{ name }}/html" title="HTML part" sandbox="allow-popups allow-popups-to-escape-sandbox \
allow-top-navigation-by-user-activation"></iframe>
{% endif %}
{% if text %}
<h2>Text</h2>
<pre dir="auto">{{ text|urlize(target="_top") }}</pre>
{% endif %}
<h2>Headers</h2>
<table>
{% for header, value in letter.items() %}
<tr><th scope="row">{{ header }}<td><bdi>{{ value }}</bdi></tr>
{% endfor %}
</table>
{% endblock %}
""",
}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'; base-uri 'none'"
_WALL = "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation; "
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def serve_with_outbox(office: Office, stop: threading.Event) -> None:
    """Serve the public pages, the API and the outbox, until `stop` is set."""
    settings = office.settings
    app = with_outbox(make_public(office), settings.outbox, public_url(settings))
    Server(app, settings.listen, LARGEST).run(stop)


def with_outbox(app: Wsgi, folder: Path, url: str) -> Wsgi:
    """The application, with the outbox's pages beside it, for the host of `url` alone."""
    pages = falcon.App(middleware=[_Host(urlsplit(url).netloc)])
    outbox = _Outbox(folder)
    pages.add_route(PATH, outbox)
    pages.add_route(PATH + "{name}", outbox, suffix="letter")
    pages.add_route(PATH + "{name}/html", outbox, suffix="html")
    pages.add_route(PATH + "{name}/source", outbox, suffix="source")

    def choose(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        one = cast("Wsgi", pages) if environ["PATH_INFO"].startswith(PATH) else app
        return one(environ, start)

    return choose


class _Host:
    """Refuses other hosts: any page on the web can lead a name of its own here, and read letters."""

    def __init__(self, host: str) -> None:
        self._host = host

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:  # noqa: ARG002
        if req.get_header("Host") != self._host:
            raise falcon.HTTPBadRequest

    def process_response(self, req: falcon.Request, resp: falcon.Response, *_: object) -> None:  # noqa: ARG002
        resp.set_headers(_HEADERS)
        if not resp.get_header("Content-Security-Policy"):
            resp.set_header("Content-Security-Policy", _POLICY + "; frame-ancestors 'none'")


class _Outbox:
    """A folder of letters, the newest first: their names begin with the time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pages = Environment(loader=DictLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined)
        self._pages.globals |= {"style": _STYLE, "path": PATH, "folder": folder}

    def on_get(self, _: falcon.Request, resp: falcon.Response) -> None:
        files = sorted(self._folder.glob("[!.]*.eml"), reverse=True)[:MOST]
        parser = BytesHeaderParser(policy=email.policy.default)
        letters = [(file.stem, parser.parsebytes(file.read_bytes())) for file in files]
        self._show(resp, "list", letters=letters)

    def on_get_letter(self, _: falcon.Request, resp: falcon.Response, name: str) -> None:
        letter = self._read(name)
        found = re.findall(r"<(https?:[^>]+)>", str(letter["List-Unsubscribe"] or ""))
        one_click = found[0] if found and letter["List-Unsubscribe-Post"] else ""
        html, text = (_content(letter, kind) for kind in ("html", "plain"))
        self._show(resp, "letter", name=name, letter=letter, html=html, text=text, one_click=one_click)

    def on_get_html(self, _: falcon.Request, resp: falcon.Response, name: str) -> None:
        # Links leave the frame: the mailroom's pages refuse to be shown within another.
        page = re.sub("<head[^>]*>", r'\g<0><base target="_top">', _content(self._read(name), "html"), count=1)
        resp.content_type = falcon.MEDIA_HTML
        resp.set_header("Content-Security-Policy", _WALL + _POLICY)
        resp.text = page

    def on_get_source(self, _: falcon.Request, resp: falcon.Response, name: str) -> None:
        resp.content_type = "text/plain; charset=utf-8"
        resp.data = self._find(name).read_bytes()

    def _read(self, name: str) -> EmailMessage:
        return BytesParser(policy=email.policy.default).parsebytes(self._find(name).read_bytes())

    def _find(self, name: str) -> Path:
        file = self._folder / f"{name}.eml"
        if not re.fullmatch(r"\w[\w-]*", name) or not file.is_file():
            raise falcon.HTTPNotFound
        return file

    def _show(self, resp: falcon.Response, template: str, **values: Any) -> None:
        resp.content_type = falcon.MEDIA_HTML
        resp.text = self._pages.get_template(template).render(values)


def _content(letter: EmailMessage, kind: str) -> str:
    part = letter.get_body((kind,))
    return str(part.get_content()) if part else ""
