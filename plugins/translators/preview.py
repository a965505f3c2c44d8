"""A built site that opens from a disk, where no server shows the `index.html` of a folder."""

from __future__ import annotations

import re
from html import escape, unescape
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

_LINK = re.compile(r"""(<(?:a|link|area)\b[^<>]*?\shref=|<form\b[^<>]*?\saction=)"([^"<>]*)\"""")
_REFRESH = re.compile(r'(<meta http-equiv="refresh" content="0; url=)([^"<>]*)"')
_COMPRESSED = (".gz", ".br")


def prepare_preview(site: Path) -> None:
    """Let the links of a built site lead to files; what is only for servers goes."""
    for path in sorted(path for path in site.rglob("*") if path.is_file()):
        if path.suffix in _COMPRESSED:
            path.unlink()
        elif path.suffix == ".html":
            name = path.relative_to(site).as_posix()
            path.write_text(lead_to_files(path.read_text("utf-8"), site, name), "utf-8", newline="\n")


def lead_to_files(html: str, site: Path, name: str) -> str:
    """A page whose links to folders of the site name the `index.html` that a server would show; `name` is its file."""

    def lead(found: re.Match[str]) -> str:
        return f'{found[1]}"{escape(_to_file(unescape(found[2]), site, name))}"'

    def send(found: re.Match[str]) -> str:
        return f'{found[1]}{escape(_to_file(unescape(found[2]), site, name))}"'

    return _REFRESH.sub(send, _LINK.sub(lead, html))


def _to_file(link: str, site: Path, name: str) -> str:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc or not parts.path:
        return link
    path = unquote(parts.path)
    if path.startswith("/"):  # the page for addresses that lead nowhere begins its links at the root
        target, above = site / path.lstrip("/"), "../" * name.count("/")
        path = f"{above}{path.lstrip('/')}"
        parts = parts._replace(path=above + parts.path.lstrip("/"))
    else:
        target = site / PurePosixPath(name).parent / path
    if not target.is_dir():
        return parts.geturl()
    folder = f"{parts.path.rstrip('/')}/" if parts.path.strip("/") else parts.path
    return parts._replace(path=f"{folder}index.html").geturl()
