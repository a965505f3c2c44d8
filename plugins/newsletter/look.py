"""How letters look: type by script and colours, written into the elements.

Mail programs drop style sheets, outer elements and inheritance, each others; what stands on an element itself survives
most of them. One column, rules instead of boxes, one accent colour, neither black nor white.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from .markup import Direction, Element, direction_of, write_dressed

PAPER, INK, QUIET, RULE, ACCENT = "#fdfcf9", "#1b1b1a", "#53504a", "#cdc8bd", "#1c4a6e"
#: The same where people have chosen dark.
DARK = {"paper": "#16181a", "ink": "#e6e3dc", "quiet": "#b4b0a7", "rule": "#43464a", "accent": "#a8cbe6"}
# Names of several words need no quotation marks in CSS, which saves escaping them in attributes.
_SERIF = "Charter,Bitstream Charter,Sitka Text,Cambria,Noto Serif,Georgia,serif"
_NASKH = "Noto Naskh Arabic,Geeza Pro,Segoe UI,Tahoma,serif"
_HAN = "PingFang SC,Hiragino Sans GB,Microsoft YaHei,Noto Sans CJK SC,Noto Sans SC,sans-serif"
_NUMERALS = {"fa": "persian", "ps": "persian", "ckb": "arabic-indic"}


@dataclass(frozen=True, slots=True)
class Look:
    """The type of a language; `size` in CSS pixels, `leading` in lines."""

    lang: str
    direction: Direction
    start: str
    font: str
    size: int
    leading: float
    #: What ordered lists count with, "" for what programs count with anyway.
    numerals: str
    #: Whether a word is set slanted to stress it: scripts without italics say it with weight.
    slants: bool

    @property
    def body(self) -> str:
        """Running text."""
        return (
            f"font-family:{self.font};font-size:{self.size}px;line-height:{self.leading};color:{INK};"
            f"text-align:{self.start}"
        )

    @property
    def small(self) -> str:
        """What is said about the letter."""
        return (
            f"font-family:{self.font};font-size:16px;line-height:{self.leading};color:{QUIET};text-align:{self.start}"
        )


@cache
def look_of(lang: str) -> Look:
    """The look of a language."""
    main, direction = lang.lower().partition("-")[0], direction_of(lang)
    font, size, leading, slants = _SERIF, 18, 1.55, True
    if main in ("zh", "ja", "ko", "yue"):
        font, size, leading, slants = _HAN, 17, 1.75, False
    elif direction == "rtl":
        font, size, leading, slants = _NASKH, 19, 1.8, False
    start = "right" if direction == "rtl" else "left"
    return Look(lang, direction, start, font, size, leading, _NUMERALS.get(main, ""), slants)


def dress(children: Iterable[Element | str], look: Look) -> str:
    """A letter's tree as HTML whose elements carry their style."""
    return "".join(write_dressed(_dressed(child, look)) for child in children)


def _dressed(node: Element | str, look: Look) -> Element | str:
    if isinstance(node, str):
        return node
    if lang := node.attributes.get("lang"):
        look = look_of(lang)
    attributes = dict(node.attributes)
    if node.tag in ("table", "ul", "ol", "blockquote") and look.direction == "rtl":
        attributes.setdefault("dir", "rtl")  # Gmail and Word's engine lose that of what is around them
    if style := _style(node.tag, look):
        attributes["style"] = style
    return Element(node.tag, attributes, [_dressed(child, look) for child in node.children])


def _style(tag: str, look: Look) -> str:
    start = look.start
    cell = f"padding:6px;border-bottom:1px solid {RULE};vertical-align:top;text-align:{start}"
    indented = f"margin:0 0 1em;padding:0;padding-{start}:1.4em"
    numerals = f";list-style-type:{look.numerals}" if look.numerals else ""
    stressed = "" if look.slants else "font-style:normal"
    return {
        "p": "margin:0 0 1em",
        "h2": "margin:1.6em 0 .5em;font-size:23px;line-height:1.4",
        "h3": "margin:1.6em 0 .5em;font-size:20px;line-height:1.4",
        "h4": f"margin:1.6em 0 .5em;font-size:{look.size}px",
        "a": f"color:{ACCENT}",
        "ul": indented,
        "ol": indented + numerals,
        "li": "margin:0 0 .35em",
        "blockquote": f"margin:0 0 1em;padding:0;padding-{start}:1.1em;border-{start}:3px solid {RULE}",
        "hr": f"border:0;border-top:1px solid {RULE};margin:2em 0",
        "table": f"border-collapse:collapse;margin:0 0 1em;font-size:16px;text-align:{start}",
        "td": cell,
        "th": cell,
        "pre": "margin:0 0 1em;white-space:pre-wrap;font-size:16px",
        "code": "font-size:16px",
        "sup": "font-size:.75em;line-height:0",
        "sub": "font-size:.75em;line-height:0",
        "em": f"{stressed};font-weight:700" if stressed else "",
        "i": stressed,
        "cite": stressed,
        "small": "font-size:16px",
    }.get(tag, "")
