"""How letters look: type by script and colours, written into the elements, and the templates that they are made with.

Mail programs drop style sheets, outer elements and inheritance, each others; what stands on an element itself survives
most of them. One column, rules instead of boxes, one accent colour, neither black nor white.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape
from jinja2.ext import extract_from_ast

from .markup import Direction, Element, direction_of, to_html
from .plain import directed, line_of

LIGHT = {"paper": "#fdfcf9", "ink": "#1b1b1a", "quiet": "#53504a", "rule": "#cdc8bd", "accent": "#1c4a6e"}
#: The same where people have chosen dark.
DARK = {"paper": "#16181a", "ink": "#e6e3dc", "quiet": "#b4b0a7", "rule": "#43464a", "accent": "#a8cbe6"}
# Names of several words need no quotation marks in CSS, which saves escaping them in attributes.
_SERIF = "Charter,Bitstream Charter,Sitka Text,Cambria,Noto Serif,Georgia,serif"
_NASKH = "Noto Naskh Arabic,Geeza Pro,Segoe UI,Tahoma,serif"
_HAN = "PingFang SC,Hiragino Sans GB,Microsoft YaHei,Noto Sans CJK SC,Noto Sans SC,sans-serif"
_TEMPLATES = Path(__file__).with_name("templates")
_NUMERALS = {"fa": "persian", "ps": "persian", "ckb": "arabic-indic"}


@dataclass(frozen=True, slots=True)
class Look:
    """The type of a language; `size` in CSS pixels, `leading` in lines."""

    lang: str
    direction: Direction
    font: str
    size: int
    leading: float
    #: Whether a word is set slanted to stress it: scripts without italics say it with weight.
    slants: bool

    @property
    def start(self) -> str:
        """The side on which lines begin."""
        return "right" if self.direction == "rtl" else "left"


@cache
def look_of(lang: str) -> Look:
    """The look of a language."""
    main, direction = lang.lower().partition("-")[0], direction_of(lang)
    font, size, leading, slants = _SERIF, 18, 1.55, True
    if main in ("zh", "ja", "ko", "yue"):
        font, size, leading, slants = _HAN, 17, 1.75, False
    elif direction == "rtl":
        font, size, leading, slants = _NASKH, 19, 1.8, False
    return Look(lang, direction, font, size, leading, slants)


def dress(children: Iterable[Element | str], look: Look) -> str:
    """A letter's tree as HTML whose elements carry their style."""
    return to_html(_dressed(child, look) for child in children)


def _dressed(node: Element | str, look: Look) -> Element | str:
    if isinstance(node, str):
        return node
    if lang := node.attributes.get("lang"):
        look = look_of(lang)
    attributes = dict(node.attributes)
    if node.tag in ("table", "ul", "ol", "blockquote") and look.direction == "rtl":
        attributes.setdefault("dir", "rtl")  # Gmail and Word's engine lose that of what is around them
    if style := _styles(look).get(node.tag):
        attributes["style"] = style
    return Element(node.tag, attributes, [_dressed(child, look) for child in node.children])


@cache
def _styles(look: Look) -> dict[str, str]:
    start = look.start
    cell = f"padding:6px;border-bottom:1px solid {LIGHT['rule']};vertical-align:top;text-align:{start}"
    indented = f"margin:0 0 1em;padding:0;padding-{start}:1.4em"
    numerals = _NUMERALS.get(look.lang.lower().partition("-")[0])
    stressed = "" if look.slants else "font-style:normal"
    return {
        "p": "margin:0 0 1em",
        "h2": "margin:1.6em 0 .5em;font-size:23px;line-height:1.4",
        "h3": "margin:1.6em 0 .5em;font-size:20px;line-height:1.4",
        "h4": f"margin:1.6em 0 .5em;font-size:{look.size}px",
        "a": f"color:{LIGHT['accent']}",
        "ul": indented,
        "ol": indented + (f";list-style-type:{numerals}" if numerals else ""),
        "li": "margin:0 0 .35em",
        "blockquote": f"margin:0 0 1em;padding:0;padding-{start}:1.1em;border-{start}:3px solid {LIGHT['rule']}",
        "hr": f"border:0;border-top:1px solid {LIGHT['rule']};margin:2em 0",
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
    }


def template(name: str) -> Template:
    """One of the templates, which show HTML as text unless they are told that it is whole."""
    return _environment().get_template(name)


def render(name: str, **context: Any) -> str:
    """A page or a text made with a template, which ends with a line's end."""
    return template(name).render(context, light=LIGHT, dark=DARK).strip("\n") + "\n"


@cache
def find_messages() -> frozenset[str]:
    """What letters say; in the article's language if the site has a catalogue with it, else in English."""
    environment = _environment()
    read = (Path(_TEMPLATES, name).read_text("utf-8") for name in environment.list_templates())
    found = (extract_from_ast(environment.parse(source), ["say"], babel_style=False) for source in read)
    return frozenset(text for each in found for _, _, texts in each for text in texts or () if text)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(["html"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"directed": directed, "line": line_of}
    return environment
