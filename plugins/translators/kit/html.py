"""A kit as a page that needs no program but a browser, and no script.

Its last column can be written into (`contenteditable`). What is written there becomes part of the document, which
browsers write out when the whole page is saved; what is typed into a `textarea` does not. Firefox wraps lines when it
saves, after hyphens too, where a line's end would be read as a space, but not within `pre`.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from .composition import HTML_INSTRUCTION, INSTRUCTIONS, TEXTS, Kit, Row, Tongue
from .document import Span
from .manuscript import Grid, Manuscript, Paragraph
from .markup import read_cell
from .tree import Node, build_tree

_STYLE = """
body { font: 1rem/1.5 sans-serif; margin: 1rem auto; max-width: 80rem; padding: 0 1rem }
table { border-collapse: collapse; table-layout: fixed; width: 100% }
td, th { border: 1px solid #767676; padding: .5rem; text-align: start; vertical-align: top; overflow-wrap: anywhere }
th:first-child { inline-size: 9rem }
pre { font: inherit; margin: 0; min-block-size: 1.5rem; white-space: pre-wrap; overflow-wrap: anywhere }
tbody tr { block-size: 1px } tbody td { block-size: inherit }
[contenteditable] { background: #fffbe6; block-size: 100%; box-sizing: border-box; color: #000 }
.changed { background: #fff2cc; color: #000 }
small { display: block }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def write_html(kit: Kit) -> bytes:
    """The kit's bytes, in UTF-8."""
    said = "".join(_sentence(kit, "p", text) for text in (HTML_INSTRUCTION, *INSTRUCTIONS))
    terms = "".join(
        f"<li{_in(kit.target)}><bdi{_in(kit.source)}>{escape(term.term)}</bdi> = <bdi>{escape(term.rendering)}</bdi>"
        f"{f' (<bdi>{escape(term.note)}</bdi>)' if term.note else ''}</li>"
        for term in kit.terms
    )
    terms += "".join(f'<li dir="auto">{escape(habit)}</li>' for habit in kit.habits)
    glossary = f"{_sentence(kit, 'h2', TEXTS['glossary'])}<ul>{terms}</ul>" if terms else ""
    heads = _heading(kit, "source", kit.source) + _heading(kit, "translation", kit.target)
    page = f"""<!doctype html>
<html{_in(kit.target)}>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width">
<title>{escape(kit.name("html").removesuffix(".html"))}</title>
<style>{_STYLE}</style>
</head>
<body>
<pre lang="en" dir="ltr">{escape(kit.identity)}</pre>
{_sentence(kit, "h1", TEXTS["instructions"])}{said}{glossary}
<table>
<thead><tr><th></th>{heads}</tr></thead>
<tbody>
{"".join(_write_row(kit, row) for row in kit.rows)}</tbody>
</table>
</body>
</html>
"""
    return page.encode("utf-8")


def _sentence(kit: Kit, tag: str, text: str) -> str:
    said, tongue = kit.tongue_of(text)
    return f"<{tag}{_in(tongue)}>{escape(said)}</{tag}>"


def _heading(kit: Kit, name: str, tongue: Tongue) -> str:
    before, behind, language = kit.heading(name)
    return f"<th{_in(language)}>{escape(before)}<bdi{_in(tongue)}>{escape(tongue.name)}</bdi>{escape(behind)}</th>"


def _write_row(kit: Kit, row: Row) -> str:
    remark = _sentence(kit, "small", TEXTS[row.state]) if row.present else ""
    changed = ' class="changed"' if row.state != "unchanged" else ""
    note = f" <bdi>[{row.note}]</bdi>" if row.note else ""
    return (
        f"<tr{changed}><td>{row.number}{_sentence(kit, 'small', row.label)}{note}{remark}</td>"
        f"<td{_in(kit.source)}>{_write_spans(row.shown)}</td>"
        # Some browsers send what is written to a server to have its spelling checked.
        f'<td><pre{_in(kit.target)} contenteditable="true" spellcheck="false">{_write_spans(row.present)}</pre></td>'
        "</tr>\n"
    )


def _in(tongue: Tongue) -> str:
    return f' lang="{escape(tongue.lang)}" dir="{tongue.direction}"'


def _write_spans(spans: Iterable[Span]) -> str:
    written = []
    for span in spans:
        text = escape(span.text).replace("\n", "<br>")
        for tag, wanted in (("code", span.code), ("i", span.italic), ("b", span.bold)):
            text = f"<{tag}>{text}</{tag}>" if wanted else text
        written.append(f'<span lang="{escape(span.lang)}" dir="auto">{text}</span>' if span.lang else text)
    return "".join(written)


def read_kit_html(html: str) -> Manuscript:
    """The paragraphs and tables of a page. Raises TooMuchMarkup."""
    found = Manuscript()
    _read(build_tree(html), found)
    return found


def _read(node: Node, found: Manuscript) -> None:
    for child in node.children:
        if isinstance(child, str):
            found.blocks.append(Paragraph((Span(child),)))
        elif child.tag == "table":
            rows = tuple(tuple(read_cell(cell) for cell in _all(row, {"td", "th"})) for row in _all(child, {"tr"}))
            found.blocks.append(Grid(rows))
        elif child.tag in ("p", "h1", "h2", "h3"):
            found.blocks.append(Paragraph(read_cell(child)))
        else:
            _read(child, found)


def _all(node: Node, tags: set[str]) -> list[Node]:
    found: list[Node] = []
    for child in node.children:
        if isinstance(child, Node):
            found += [child] if child.tag in tags else _all(child, tags)
    return found
