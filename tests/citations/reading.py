"""A theme that shows what the plugin offers, and independent readers of what it writes."""

from __future__ import annotations

import json
from typing import Any, cast

import rispy
from bibtexparser.entrypoint import parse_string
from bibtexparser.middlewares import LatexDecodingMiddleware
from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec, get_default_latex_context_db

from tests.multilingual.bare import undress
from tests.multilingual.sites import Site

TEMPLATE = """\
<!DOCTYPE html><html lang="{{ article.lang }}"><title>x</title>
<p id="revision">{{ article.revision }}</p>
<p id="paragraphs">{{ article.paragraphs|default("") }}</p>
<div id="content">{{ article.content|safe }}</div>
<script type="application/ld+json">{{ linked_data(article)|tojson }}</script></html>
"""


def cite(site: Site) -> Site:
    """Give a site the theme."""
    undress(site)
    (site.folder / "bare" / "templates" / "article.html").write_text(TEMPLATE, "utf-8")
    return site


def revision(site: Site, url: str) -> str:
    return str(site.html(url).get_element_by_id("revision").text or "")


def linked_data(site: Site, url: str) -> dict[str, Any]:
    (script,) = cast("list[Any]", site.html(url).xpath("//script[@type='application/ld+json']"))
    read = json.loads(script.text)
    assert isinstance(read, dict)
    return read


def _decoder() -> LatexNodes2Text:
    """The library's, taught the four names of LaTeX's own that it lacks."""
    known = get_default_latex_context_db()
    names = {"textbraceleft": "{", "textbraceright": "}", "textquotedbl": '"', "textasciicircum": "^"}
    macros = [MacroTextSpec(name, simplify_repl=character) for name, character in names.items()]
    known.add_context_category("further", prepend=True, macros=macros)
    return LatexNodes2Text(latex_context=known, keep_braced_groups=False, strict_latex_spaces=True)


def read_bib(text: str) -> dict[str, str]:
    """The fields of the one entry in a file, as LaTeX would set them; `url` as it stands."""
    raw = parse_string(text)
    decoded = parse_string(text, append_middleware=[LatexDecodingMiddleware(decoder=_decoder())])
    assert not raw.failed_blocks, raw.failed_blocks
    (entry,), (raw_entry,) = decoded.entries, raw.entries
    assert entry.entry_type == "online"
    verbatim = {"url": raw_entry["url"]} if "url" in raw_entry else {}
    return {"key": entry.key, **{field.key: str(field.value) for field in entry.fields}, **verbatim}


def read_ris(text: str) -> dict[str, Any]:
    """The fields of the one record in a file."""
    (record,) = rispy.loads(text.replace("\r\n", "\n"))
    assert isinstance(record, dict)
    return record
