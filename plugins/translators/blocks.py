"""A text as blocks: the pieces that a translator translates, each with a hash of what it means.

A text is converted by the site's own Markdown and the HTML is walked, so that whatever is
written differently but reads the same (wrapped lines, `*` for `_`, a reference for an
inline link) gives the same blocks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

#: Converts Markdown to HTML.
Convert = Callable[[str], str]

#: Kinds between which a block may go without a change of meaning: a list made of sentences.
_FAMILIES = {"paragraph": "prose", "item": "prose"}

# Chinese and Japanese are wrapped anywhere, and a line's end is no space there; Korean parts its words.
_CJK = "\u2e80-\u312f\u3190-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff"
_SPACE_AT_CJK = re.compile(rf"(?<=[{_CJK}])\s+|\s+(?=[{_CJK}])")
#: Soft hyphens, zero-width spaces and joiners of words, and the marks that set the direction of what is shown. The
#: zero-width non-joiner and joiner stay: Persian and Hindi spell with them.
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
_TYPOGRAPHY = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "\u2011": "-", "…": "..."})
_NOTE_CALL = re.compile(r"\[\^[^\]\s]+\]")
_INTERNAL = re.compile(r"(?P<before>[{|]filename[|}](?:.*/)?)(?P<key>[a-z0-9-]+)(?P<after>\.\w+(?:#.*)?)\Z")


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of a text.

    `kind` is title, summary, field, heading, paragraph, item, row, quotation, figure, code or
    note. `text` is plain: a call of a footnote stands in it as `[^label]`, a note begins with
    `[^label]: `, a field with `name: `, the cells of a row are parted by ` | `. `links` are what
    it leads to and shows: targets of links, sources of pictures, titles of both. `hash` is 16
    hex digits over all that carries meaning. Made by `make_block`.
    """

    kind: str
    text: str
    hash: str
    links: tuple[str, ...] = ()


def make_block(kind: str, text: str, links: Iterable[str] = ()) -> Block:
    """Make a block, its text normalised and its hash computed.

    Labels of footnotes are left out of the hash, or numbering them anew would change every
    block; `changes.align` compares what they stand for.
    """
    links = tuple(links)
    text = _tidy_code(text) if kind == "code" else tidy(text)
    meaning = text if kind == "code" else _NOTE_CALL.sub("[^]", fold(text))
    parts = (_FAMILIES.get(kind, kind), meaning, *links)
    return Block(kind, text, sha256("\0".join(parts).encode()).hexdigest()[:16], links)


def tidy(text: str) -> str:
    """Text as it is kept and shown: NFC, one space between words, nothing invisible."""
    return " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFC", text)).split())


def fold(text: str) -> str:
    """Tidy text without typography's variants: what two texts that say the same have in common.

    Hashes in records are made from it, so a change here needs every record written anew.
    """
    return _SPACE_AT_CJK.sub("", text.translate(_TYPOGRAPHY))


def note_labels(block: Block) -> tuple[str, ...]:
    """The labels of the footnotes that a block calls, in order; for a note, its own comes first."""
    return () if block.kind == "code" else tuple(found[2:-1] for found in _NOTE_CALL.findall(block.text))


def make_converter(options: Mapping[str, Any]) -> Convert:
    """A converter by the site's own Markdown; `options` is Pelican's setting MARKDOWN."""
    from markdown import Markdown  # takes longer to load than to find that nothing has changed

    options = {**options, "extensions": [*options.get("extensions", ()), *options.get("extension_configs", ())]}
    # The header is read elsewhere, and once is enough for each.
    options["extensions"] = [
        name for name in dict.fromkeys(options["extensions"]) if name != "markdown.extensions.meta"
    ]
    markdown = Markdown(**options)

    def convert(text: str) -> str:
        return str(markdown.reset().convert(text))

    return convert


def read_blocks(
    fields: Mapping[str, Sequence[str]],
    body: str,
    convert: Convert,
    *,
    names: Sequence[str] = (),
    former: Mapping[str, str] | None = None,
) -> tuple[Block, ...]:
    """Part a text into blocks: title, summary and the fields of `names` first, in this order, then the body.

    `fields` are the header's values by lower-case name. `former` maps the keys that texts have to the first they
    had, so that a link to a text that was renamed is the same link.
    """
    found = []
    if title := " ".join(fields.get("title", ())):
        found.append(make_block("title", title))
    if summary := "\n".join(fields.get("summary", ())):
        parts = read_html(convert(summary), former=former)
        links = (link for part in parts for link in part.links)
        found.append(make_block("summary", " ".join(part.text for part in parts), links))
    for name in names:
        if value := " ".join(fields.get(name, ())):
            found.append(make_block("field", f"{name}: {value}"))
    return (*found, *read_html(convert(body), former=former))


def read_html(html: str, *, former: Mapping[str, str] | None = None) -> tuple[Block, ...]:
    """Part HTML into blocks, as Python-Markdown writes it or an author has."""
    return tuple(_walk(html, former or {}).blocks)


def read_places(html: str) -> tuple[tuple[str, str], ...]:
    """The kinds of the blocks of HTML, each with the id of the innermost element around it that has one, or "".

    Only elements count before or into which a line can be put: see `PLACES`.
    """
    walker = _walk(html, {})
    return tuple(zip((block.kind for block in walker.blocks), walker.places, strict=True))


def _walk(html: str, former: Mapping[str, str]) -> _Walker:
    walker = _Walker(former)
    walker.feed(html)
    walker.close()
    walker.finish()
    return walker


_HEADINGS = frozenset(f"h{level}" for level in range(1, 7))
#: Elements that begin and end a block.
_BLOCKS = _HEADINGS | {
    "address", "article", "aside", "blockquote", "caption", "dd", "details", "div", "dl", "dt", "figcaption", "figure",
    "footer", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "tfoot",
    "thead", "tr", "ul",
}  # fmt: skip
#: Elements that a remark can be put at.
PLACES = _HEADINGS | {"p", "blockquote", "div", "li"}
#: Elements that are one block whatever is in them.
_WHOLE = _HEADINGS | {"figure", "tr", "pre"}
_VOID = frozenset(
    {"hr", "img", "br", "wbr", "input", "source", "track", "area", "base", "col", "embed", "link", "meta"}
)
_SILENT = frozenset({"script", "style", "template"})
#: What is struck out is said no longer; a raised number is another number: 10² is not 102.
_STRUCK = frozenset({"del", "s", "strike"})
_RAISED = {"sup": "^", "sub": "_"}
_FIGURE = re.compile(r"\s*[-+−]?\d")


class _Walker(HTMLParser):
    """Collects blocks while HTML is read.

    `_open` are the open elements that matter, outermost first, each with its id; for `li` of a footnote the label
    stands with it. `places` has for each block the id by which it is found.
    """

    def __init__(self, former: Mapping[str, str]) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[Block] = []
        self.places: list[str] = []
        self._former = former
        self._open: list[tuple[str, str, str]] = []
        self._text: list[str] = []
        self._links: list[str] = []
        self._cells = 0
        self._has_words = False
        self._has_picture = False
        self._raised = ""
        self._silence = ""  # the element whose content is not read

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._silence:
            return
        given = {name: value or "" for name, value in attrs}
        if tag in _BLOCKS:
            if not self._is_whole():
                self.finish()
            if tag not in _VOID:
                classes = given.get("class", "").split()
                mark = given.get("id", "")[3:] if tag == "li" and self._in_notes() else ""
                place = given.get("id", "") if tag in PLACES else ""
                self._open.append((tag, "footnotes" if "footnote" in classes else mark, place))
        elif tag in _SILENT:
            self._silence = tag
        elif tag in ("td", "th"):
            self._text += [" | "] * bool(self._cells)
            self._cells += 1
        elif tag in ("br", "wbr"):
            self._text.append(" " if tag == "br" else "")
        else:
            self._start_inline(tag, given)

    def _start_inline(self, tag: str, given: Mapping[str, str]) -> None:
        classes = given.get("class", "").split()
        if tag == "a" and "footnote-backref" in classes:
            self._silence = tag
        elif tag == "a" and "footnote-ref" in classes:
            self._text.append(f"[^{given.get('href', '')[4:]}]")
            self._silence = tag
        elif tag == "img":
            self._text.append(f" {given.get('alt', '')} ")
            self._has_picture = True
        elif tag in _STRUCK:
            self._text.append("~~")
        self._raised = _RAISED.get(tag, self._raised)
        for name in ("href", "src", "srcset", "poster", "data", "title"):
            if value := "" if self._silence else given.get(name, "").strip():
                self._links.append(self._first_key(value))

    def handle_endtag(self, tag: str) -> None:
        if self._silence:
            self._silence = "" if tag == self._silence else self._silence
            return
        if tag in _BLOCKS and any(tag == name for name, *_ in self._open):
            if tag in _WHOLE or not self._is_whole():
                self.finish()
            while self._open.pop()[0] != tag:
                pass
        elif tag in _STRUCK:
            self._text.append("~~")
        elif tag in _RAISED:
            self._raised = ""

    def handle_data(self, data: str) -> None:
        if not self._silence:
            if self._raised and _FIGURE.match(data):
                self._text.append(self._raised)
            self._raised = ""
            self._text.append(data)
            self._has_words = self._has_words or not data.isspace()

    def finish(self) -> None:
        """End the block that is being read, if there is any."""
        text, links = "".join(self._text), self._links
        is_picture = self._has_picture and not self._has_words
        self._text, self._links, self._cells, self._has_words, self._has_picture = [], [], 0, False, False
        if not text.strip() and not links:
            return
        kind = self._kind(is_picture=is_picture)
        if kind == "note":
            place = next(place for place in reversed(range(len(self._open))) if self._open[place][0] == "li")
            if label := self._open[place][1]:
                text = f"[^{label}]: {text}"
                self._open[place] = ("li", "", self._open[place][2])  # further paragraphs of the note follow without
        self.blocks.append(make_block(kind, text, links))
        self.places.append(next((place for *_, place in reversed(self._open) if place), ""))

    def _kind(self, *, is_picture: bool) -> str:
        names = [name for name, *_ in self._open]
        innermost = names[-1] if names else ""
        if "pre" in names:
            return "code"
        if is_picture or "figure" in names:
            return "figure"
        if "tr" in names:
            return "row"
        if innermost in _HEADINGS:
            return "heading"
        if self._in_notes() and "li" in names:
            return "note"
        if "blockquote" in names:
            return "quotation"
        return "item" if any(name in names for name in ("li", "dt", "dd")) else "paragraph"

    def _in_notes(self) -> bool:
        return any(mark == "footnotes" for _, mark, _ in self._open)

    def _is_whole(self) -> bool:
        return any(name in _WHOLE for name, *_ in self._open)

    def _first_key(self, link: str) -> str:
        found = _INTERNAL.match(link)
        if found is None or found["key"] not in self._former:
            return unicodedata.normalize("NFC", link)
        return found["before"] + self._former[found["key"]] + found["after"]


def _tidy_code(text: str) -> str:
    lines = [line.rstrip() for line in unicodedata.normalize("NFC", text).split("\n")]
    return "\n".join(lines).strip("\n")
