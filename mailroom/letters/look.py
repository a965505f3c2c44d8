"""How letters look: type by script and colours, written into every element.

Mail programs drop style sheets, outer elements and inheritance, each others; what stands on an element itself survives
them all. Letters look like the site: one column, rules instead of boxes, one accent colour.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from mailroom.languages import Language, describe
from mailroom.letters.markup import VOID

# Names of several words need no quotation marks in CSS, which saves escaping them in attributes.
_SERIF = "Charter,Bitstream Charter,Sitka Text,Cambria,Noto Serif,Georgia,serif"
_SANS = "system-ui,-apple-system,Segoe UI,Roboto,Noto Sans,Helvetica Neue,Arial,sans-serif"
_NASKH = "Noto Naskh Arabic,Geeza Pro,Segoe UI,Tahoma,serif"
_ARABIC_UI = "Noto Sans Arabic,Geeza Pro,Segoe UI,Tahoma,Noto Naskh Arabic,sans-serif"
_HAN = "PingFang SC,Hiragino Sans GB,Microsoft YaHei,Noto Sans CJK SC,Noto Sans SC,sans-serif"
_HAN_HEAD = "Songti SC,Noto Serif CJK SC,Source Han Serif SC,Noto Serif SC,Microsoft YaHei,serif"
_CYRILLIC = "PT Serif,Sitka Text,Cambria,Noto Serif,Georgia,Times New Roman,serif"


@dataclass(frozen=True, slots=True)
class Colours:
    """Those of one scheme; neither black nor white, so that programs that invert letters keep the contrast."""

    paper: str
    ink: str
    quiet: str
    rule: str
    accent: str


LIGHT = Colours("#fdfcf9", "#1b1b1a", "#53504a", "#cdc8bd", "#1c4a6e")
DARK = Colours("#16181a", "#e6e3dc", "#b4b0a7", "#43464a", "#a8cbe6")


@dataclass(frozen=True, slots=True)
class Look:
    """The type of a language; `size` in CSS pixels, `outlook` is what Word's engine takes for every font."""

    language: Language
    text: str
    ui: str
    head: str
    outlook: str
    size: int
    leading: float
    tight: float

    @property
    def lang(self) -> str:
        """The language's tag."""
        return self.language.tag

    @property
    def direction(self) -> str:
        """The direction of writing."""
        return self.language.direction

    @property
    def start(self) -> str:
        """The side on which lines begin."""
        return "right" if self.direction == "rtl" else "left"

    @property
    def attributes(self) -> str:
        """The language and its direction, for an element's start tag."""
        return f'lang="{self.lang}" dir="{self.direction}"'

    @property
    def body(self) -> str:
        """Running text."""
        return (
            f"font-family:{self.text};font-size:{self.size}px;line-height:{self.leading};"
            f"color:{LIGHT.ink};text-align:{self.start}"
        )

    @property
    def small(self) -> str:
        """What is said about the letter, under it."""
        leading = max(1.5, self.leading - 0.1)
        return (
            f"font-family:{self.ui};font-size:16px;line-height:{leading:.2f};"
            f"color:{LIGHT.quiet};text-align:{self.start}"
        )

    def heading(self, level: int) -> str:
        """A heading; level 0 is the publication's name."""
        size = {0: 20, 1: 30, 2: 23, 3: 20, 4: self.size}[level]
        if self.language.script in ("Hans", "Hant") and level == 1:
            size = 28
        return f"font-family:{self.head};font-size:{size}px;line-height:{self.tight};font-weight:700;color:{LIGHT.ink}"


@cache
def look_of(lang: str) -> Look:
    """The look of a language."""
    language = describe(lang)
    if language.script == "Arab":
        ui = f"Vazirmatn,{_ARABIC_UI}" if lang == "fa" else _ARABIC_UI
        text = f"Vazirmatn,{_NASKH}" if lang == "fa" else _NASKH
        return Look(language, text, ui, text, "Tahoma,sans-serif", 19 if lang == "fa" else 20, 1.8, 1.5)
    if language.script in ("Hans", "Hant"):
        return Look(language, _HAN, _HAN, _HAN_HEAD, "Microsoft YaHei,sans-serif", 17, 1.75, 1.4)
    serif = _CYRILLIC if language.script == "Cyrl" else _SERIF
    return Look(language, serif, _SANS, serif, "Georgia,serif", 18, 1.55, 1.25)


# A start or an end tag, as nh3 writes them: attributes in double quotes.
_TAG = re.compile(r"<(?P<end>/?)(?P<tag>[a-z][a-z0-9]*)(?P<attributes>(?: [a-z]+=\"[^\"]*\")*)>")
_ATTRIBUTE = re.compile(r" ([a-z]+)=\"([^\"]*)\"")


def dress(html: str, lang: str) -> str:
    """Give every element of a cleaned fragment the publication's look; what the fragment states itself prevails."""
    outer = [_Place(look_of(lang), look_of(lang).start, layout=False)]

    def dressed(found: re.Match[str]) -> str:
        tag = found["tag"]
        if found["end"]:
            outer.pop()
            return found[0]
        stated = dict(_ATTRIBUTE.findall(found["attributes"]))
        place = outer[-1].inside(tag, stated)
        if tag not in VOID:
            outer.append(place)
        style = "" if place.layout and tag in _TABLE else _STYLES.get(tag, _plain)(place.look, place.start)
        if "dir" in stated and tag in _BLOCKS:
            style = f"{style};text-align:{place.start}"
        whole = ";".join(filter(None, (style.strip(";"), stated.pop("style", ""))))
        if whole:
            stated["style"] = whole
        written = "".join(f' {name}="{value}"' for name, value in stated.items())
        return f"<{tag}{written}>"

    return _TAG.sub(dressed, html)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an element stands: in which type, on which side lines begin, whether a table is there for its layout."""

    look: Look
    start: str
    layout: bool

    def inside(self, tag: str, stated: dict[str, str]) -> _Place:
        """The place that an element with these attributes makes for what is in it."""
        look = look_of(stated["lang"]) if stated.get("lang") else self.look
        if look.language is not self.look.language:
            stated.setdefault("dir", look.direction)
        start = {"rtl": "right", "ltr": "left"}.get(stated.get("dir", ""), self.start)
        return _Place(look, start, "role" in stated if tag == "table" else self.layout)


def _plain(_: Look, __: str) -> str:
    return ""


def _indented(_: Look, start: str) -> str:
    return f"margin:0 0 1em;padding:0;padding-{start}:1.4em"


def _numbered(look: Look, start: str) -> str:
    numerals = _NUMERALS.get(look.lang.partition("-")[0])
    return _indented(look, start) + (f";list-style-type:{numerals}" if numerals else "")


def _cell(start: str, weight: int) -> str:
    inner = "6px 12px 6px 0" if start == "left" else "6px 0 6px 12px"
    line = f"border-bottom:1px solid {LIGHT.rule}"
    return f"padding:{inner};{line};vertical-align:top;text-align:{start};font-weight:{weight};overflow-wrap:anywhere"


def _emphasis(look: Look, bold: str) -> str:
    """Scripts without italics say it with weight."""
    return f"font-style:normal{bold}" if look.language.script in ("Arab", "Hans", "Hant") else ""


#: Lists are numbered in the digits that their text is written with.
_NUMERALS = {"fa": "persian", "ps": "persian", "ckb": "arabic-indic"}
_TABLE = ("table", "tbody", "td", "tfoot", "th", "thead", "tr")
_BLOCKS = ("blockquote", "dd", "div", "dl", "dt", "h1", "h2", "h3", "h4", "li", "ol", "p", "section", "ul")
_STYLES: dict[str, Callable[[Look, str], str]] = {
    "p": lambda _, __: "margin:0 0 1em",
    "h1": lambda look, _: f"margin:0 0 .6em;{look.heading(1)}",
    "h2": lambda look, _: f"margin:1.6em 0 .5em;{look.heading(2)}",
    "h3": lambda look, _: f"margin:1.6em 0 .5em;{look.heading(3)}",
    "h4": lambda look, _: f"margin:1.6em 0 .5em;{look.heading(4)}",
    "a": lambda _, __: f"color:{LIGHT.accent}",
    "ul": _indented,
    "ol": _numbered,
    "li": lambda _, __: "margin:0 0 .35em",
    "dl": lambda _, __: "margin:0 0 1em",
    "dt": lambda _, __: "font-weight:700",
    "dd": lambda _, start: f"margin:0;padding-{start}:1.4em",
    "blockquote": lambda _, s: f"margin:0 0 1em;padding:0;padding-{s}:1.1em;border-{s}:3px solid {LIGHT.rule}",
    "hr": lambda _, __: f"border:0;border-top:1px solid {LIGHT.rule};margin:2em 0",
    "table": lambda _, start: f"border-collapse:collapse;margin:0 0 1em;font-size:16px;text-align:{start}",
    "caption": lambda _, start: f"padding:0 0 6px;font-weight:700;text-align:{start}",
    "td": lambda _, start: _cell(start, 400),
    "th": lambda _, start: _cell(start, 700),
    "pre": lambda _, __: "margin:0 0 1em;white-space:pre-wrap;font-size:16px",
    "code": lambda _, __: "font-family:Consolas,Noto Sans Mono,monospace;font-size:16px",
    "em": lambda look, _: _emphasis(look, ";font-weight:700"),
    "i": lambda look, _: _emphasis(look, ""),
    "cite": lambda look, _: _emphasis(look, ""),
    "sup": lambda _, __: "font-size:.75em;line-height:0",
    "sub": lambda _, __: "font-size:.75em;line-height:0",
    "small": lambda _, __: "font-size:16px",
}
