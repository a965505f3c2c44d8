"""Markdown from pieces, and pieces from Markdown.

What is written reads back as the same pieces with Python-Markdown and its `extra`; text that looks like markup is
escaped (https://python-markdown.github.io/, "Backslash Escapes" of the syntax it follows, and character references
for what a backslash cannot escape there).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from ..blocks import Convert
from .document import Document, Piece, Span, split_cells, tidy
from .markup import read_html, read_spans

_ENTITY = re.compile(r"&(?=#|\w+;)")
_BEFORE_LINE = re.compile(r"(?P<digits>\d+)\.(?=\s|$)|(?P<mark>[#>]|[-+](?=[\s-]|$))|(?P<other>[:~=])")
#: Of a note or a link's target.
_LIKE_DEFINITION = re.compile(r"\[[^\[\]]*\]:")
_MARKS = re.compile(r"[\\`*\[\]{|]|(?<![^\W_])_|_(?![^\W_])")
_AUTOLINK = re.compile(r"(?:https?|ftp)://[^\s<>]+")
_PLAIN_TARGET = re.compile(r"[^\s()<>\\\"'*_\[\]`]+")
_COLUMNS = {"l": ":---", "c": ":---:", "r": "---:"}


def read_markdown(text: str, convert: Convert) -> Document:
    """The pieces of a body; `convert` is the site's own Markdown (blocks.make_converter). Raises TooMuchMarkup."""
    return read_html(convert(text))


def read_document(fields: Mapping[str, Sequence[str]], body: str, convert: Convert, names: Sequence[str]) -> Document:
    """A file: title, summary and the fields of `names`, which are plain text, and then its body.

    `fields` are the header's values by lower-case name, as for blocks.read_blocks. Raises TooMuchMarkup.
    """
    pieces = []
    if title := " ".join(fields.get("title", ())):
        pieces.append(Piece("title", (Span(title),)))
    if summary := "\n".join(fields.get("summary", ())):
        pieces.append(Piece("summary", read_spans(convert(summary))))
    pieces += [Piece("field", (Span(" ".join(fields[name])),), name=name) for name in names if fields.get(name)]
    found = read_markdown(body, convert)
    return Document((*pieces, *found.pieces), found.lost)


def write_fields(pieces: Iterable[Piece]) -> dict[str, str]:
    """The values of the header's fields among the pieces, by lower-case name."""
    found = {}
    for piece in pieces:
        if piece.kind == "summary":
            found["summary"] = write_inline(piece.spans)
        elif piece.kind in ("title", "field"):
            found[piece.name or "title"] = " ".join(piece.text.split())
    return found


def write_markdown(pieces: Iterable[Piece]) -> str:
    """The body of a file; ends with a newline unless there is nothing."""
    pieces = [piece for piece in pieces if piece.kind not in ("title", "summary", "field")]
    blocks = _write_level([piece for piece in pieces if piece.kind != "note"], 0)
    notes = [piece for piece in pieces if piece.kind == "note"]
    written = [
        "\n\n    ".join(write_inline(piece.spans) for piece in paragraphs)
        for _, paragraphs in groupby(notes, lambda piece: piece.name)
    ]
    labels = dict.fromkeys(piece.name for piece in notes)
    if written:
        blocks.append("\n".join(f"[^{label}]: {text}" for label, text in zip(labels, written, strict=True)))
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _write_level(pieces: Sequence[Piece], depth: int) -> list[str]:
    """The blocks, without the blank lines between them, of pieces that all stand in the same `depth` containers."""
    blocks: list[str] = []
    before = ""
    position = 0
    while position < len(pieces):
        piece = pieces[position]
        container = piece.within[depth] if len(piece.within) > depth else None
        table = piece.kind == "row" and container is None
        end = position + 1
        while end < len(pieces) and _continues(pieces[end], piece, depth):
            end += 1
        group = pieces[position:end]
        position = end
        if container is None:
            blocks.append(_write_table(group) if table else _write_leaf(piece, depth))
        elif container.kind == "quotation":
            blocks.append(_write_quotation(group, depth))
        else:
            if before in ("list", "numbered"):
                blocks.append("<!-- -->")  # Python-Markdown makes one list of two neighbours otherwise
            blocks.append(_write_list(group, depth))
        before = container.kind if container else ""
    return blocks


def _continues(piece: Piece, first: Piece, depth: int) -> bool:
    if len(first.within) > depth:
        return piece.within[: depth + 1] == first.within[: depth + 1]
    return first.kind == piece.kind == "row" and len(piece.within) == depth and not piece.level


def _write_leaf(piece: Piece, depth: int) -> str:
    if piece.kind == "rule":
        return "---"
    if piece.kind == "code":
        return _write_code(piece, depth)
    if piece.kind == "heading":
        text = write_inline(piece.spans, start=False)
        return "#" * piece.level + " " + (text[:-1] + "\\#" if text.endswith("#") else text)
    return write_inline(piece.spans)


def _write_code(piece: Piece, depth: int) -> str:
    text = "".join(span.text for span in piece.spans)
    if depth:  # fences count at the outermost level only
        return "\n".join("    " + line if line else "" for line in text.split("\n"))
    longest = max((len(found) for found in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{piece.name}\n{text}\n{fence}"


def _write_quotation(pieces: Sequence[Piece], depth: int) -> str:
    if any(container.lang for piece in pieces for container in piece.within[depth:]):
        return _write_foreign(pieces, depth)
    text = "\n\n".join(_write_level(pieces, depth + 1))
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _write_foreign(pieces: Sequence[Piece], depth: int) -> str:
    """A quotation in another language, or with one in it: only HTML can say which."""
    lang = pieces[0].within[depth].lang
    said = f' lang="{lang}" dir="auto"' if lang else ""
    text = "\n\n".join(_write_level(pieces, depth + 1))
    return f'<blockquote{said} markdown="1">\n\n{text}\n\n</blockquote>'


def _write_list(pieces: Sequence[Piece], depth: int) -> str:
    items: list[list[Piece]] = []
    for piece in pieces:
        if not items or (piece.kind == "item" and len(piece.within) == depth + 1):
            items.append([])
        items[-1].append(piece)
    # Further paragraphs, at whatever depth, need blank lines between the items, or they take the next item in.
    loose = any(piece.kind != "item" for item in items for piece in item[1:])
    written = []
    for number, item in enumerate(items, 1):
        mark = f"{number}." if pieces[0].within[depth].kind == "numbered" else "-"
        blocks = _write_level(item, depth + 1)
        text = ("\n\n" if loose else "\n").join(blocks)
        first, *more = text.split("\n")
        written.append("\n".join([f"{mark} {first}".rstrip(), *("    " + line if line else "" for line in more)]))
    return ("\n\n" if loose else "\n").join(written)


def _write_table(rows: Sequence[Piece]) -> str:
    cells = [split_cells(row.spans) for row in rows]
    width = max(len(row) for row in cells)
    names = rows[0].name.ljust(width, "-")
    lines = [
        "| " + " | ".join(write_inline(cell, start=False) for cell in [*row, *[()] * (width - len(row))]) + " |"
        for row in cells
    ]
    lines.insert(1, "|" + "|".join(_COLUMNS.get(name, "---") for name in names[:width]) + "|")
    return "\n".join(lines)


def write_inline(spans: Iterable[Span], *, start: bool = True) -> str:
    """Spans in one line. `start`: it begins a line, where more characters mean something."""
    text = "".join(_write_spans(tidy(spans)))
    return escape_start(text) if start else text


def escape_start(text: str) -> str:
    """A line whose first characters would begin a list, a heading, a quotation, a rule or a definition."""
    if found := _LIKE_DEFINITION.match(text):
        return f"{found[0][:-1]}&#58;{text[found.end() :]}"
    found = _BEFORE_LINE.match(text)
    if not found:
        return text
    if found["digits"]:
        return f"{found['digits']}\\{text[found.end('digits') :]}"
    return f"\\{text}" if found["mark"] else f"&#{ord(text[0])};{text[1:]}"


def escape(text: str) -> str:
    """Text in which nothing is markup any more; a line's end is a `<br>`."""
    text = _MARKS.sub(lambda found: "\\" + found[0], text)
    text = _ENTITY.sub("&amp;", text).replace("<", "&lt;").replace("///Footnotes", "&#47;//Footnotes")
    return text.replace("\n", "<br>")


def _write_spans(spans: Sequence[Span], order: Sequence[str] = ("link", "lang", "bold", "italic")) -> Iterator[str]:
    """Links outermost, then words in other languages, then bold, then italics; code is within all of them."""
    if not order:
        for number, span in enumerate(spans):
            following = spans[number + 1] if number + 1 < len(spans) else None
            yield _write_one(span, following)
        return
    mark, *inner = order
    before = ""
    for value, group in groupby(spans, lambda span: str(getattr(span, mark) or "")):
        members = list(group)
        text = "".join(_write_spans(members, inner))
        if value and text:
            text = _mark(mark, value, text, members, touching=before.endswith("*") and not before.endswith("\\*"))
        yield text
        before = text


def _mark(mark: str, value: str, text: str, spans: Sequence[Span], *, touching: bool) -> str:
    if mark == "link":
        if len(spans) == 1 and spans[0].text == value and _AUTOLINK.fullmatch(value):
            return f"<{value}>"
        return f"[{text}]({_target(value)})"
    if mark == "lang":
        return f'<span lang="{value}" dir="auto">{text}</span>'
    # Asterisks that touch others would be taken for theirs; the elements say the same.
    touching = touching or text.startswith("*") or text.endswith(("*", "\\"))
    sign, tag = ("**", "strong") if mark == "bold" else ("*", "em")
    return f"<{tag}>{text}</{tag}>" if touching else f"{sign}{text}{sign}"


def _target(address: str) -> str:
    address = address.replace("<", "%3C").replace(">", "%3E").replace("\n", "")
    return address if _PLAIN_TARGET.fullmatch(address) else f"<{address}>"


def _write_one(span: Span, following: Span | None) -> str:
    if span.note:
        return f"[^{span.note}]"
    if span.image:
        return f"![{escape(span.text)}]({_target(span.image)})"
    if not span.code:
        text = escape(span.text)
        # Before a link or a note, an exclamation mark would make a picture of it.
        return text[:-1] + "\\!" if text.endswith("!") and (following is None or following.note) else text
    fence = "`" * (max((len(found) for found in re.findall(r"`+", span.text)), default=0) + 1)
    inner = span.text.replace("\n", " ")
    edge = " " if inner.startswith("`") or inner.endswith("`") else ""
    return f"{fence}{edge}{inner}{edge}{fence}"
