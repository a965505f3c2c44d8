"""Footnotes in the order in which a reader meets them.

Python-Markdown numbers notes as it works through a text, and comes to lists and tables last: a reader
would meet note 23 before note 14. Here the notes of its extension `footnotes` are counted again.
"""

from __future__ import annotations

import re

_BODY = re.compile(r'<div class="footnote">\s*+<hr\b[^>]*+>\s*+<ol>\s*+(?=<li id="fn:)')
_END = re.compile(r"</ol>\s*+</div>")
_NOTE = re.compile(r'(?=<li id="(fn:[^"]*+)")')
_REFERENCE = re.compile(r'(<a class="footnote-ref" href="#(fn:[^"]*+)"[^>]*+>)[0-9]++(?=</a>)')
_BACKWARDS = re.compile(r'(<a class="footnote-backref"[^>]*?\btitle="[^"0-9]*+)[0-9]++')


def order_notes(html: str) -> str:
    """Number the notes of a text as they are met in it, and put them in this order.

    Notes that nothing refers to come last. A text without notes, or in order, is given back as it is.
    """
    body = _BODY.search(html)
    closing = _END.search(html, body.end()) if body else None
    if body is None or closing is None:
        return html
    end = closing.start()
    starts = list(_NOTE.finditer(html, body.end(), end))
    edges = [found.start() for found in starts[1:]] + [end]
    notes = {found[1]: html[found.start() : edge] for found, edge in zip(starts, edges, strict=True)}
    met = dict.fromkeys(found[2] for found in _REFERENCE.finditer(html) if found[2] in notes)
    ordered = [*met, *(name for name in notes if name not in met)]
    if ordered == list(notes):
        return html
    numbers = {name: number for number, name in enumerate(ordered, 1)}

    def count_back(name: str) -> str:
        return _BACKWARDS.sub(lambda found: f"{found[1]}{numbers[name]}", notes[name])

    def count(found: re.Match[str]) -> str:
        return f"{found[1]}{numbers[found[2]]}" if found[2] in numbers else found[0]

    text = html[: body.end()] + "".join(map(count_back, ordered)) + html[end:]
    return _REFERENCE.sub(count, text)
