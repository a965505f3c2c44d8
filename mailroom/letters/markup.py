"""What HTML a letter may carry: an allow-list, said to whoever sends a campaign, and enforced on what goes out.

`check` names what is not allowed, so that the API can refuse it; `clean` lets nothing else through, whatever `check`
thought. Both read HTML as browsers do: what is checked is what nh3's parser makes of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import nh3

_TEXT = (
    "a", "b", "bdi", "blockquote", "br", "cite", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4",
    "hr", "i", "ins", "li", "ol", "p", "pre", "q", "s", "section", "small", "span", "strong", "sub", "sup", "u", "ul",
)  # fmt: skip
_TABLE = ("caption", "table", "tbody", "td", "tfoot", "th", "thead", "tr")
TAGS = frozenset({*_TEXT, *_TABLE})
VOID = frozenset({"br", "hr"})

#: By element; "*" for all.
ATTRIBUTES: dict[str, frozenset[str]] = {
    "*": frozenset({"lang", "dir", "style"}),
    "a": frozenset({"href", "rel"}),
    "ol": frozenset({"start"}),
    "table": frozenset({"role", "align", "border", "cellpadding", "cellspacing", "width"}),
    "td": frozenset({"align", "colspan", "rowspan", "valign", "width"}),
    "th": frozenset({"align", "colspan", "rowspan", "scope", "valign", "width"}),
}
#: What an address may begin with. `http` is there because laws and courts are cited by such addresses.
SCHEMES = frozenset({"https", "http", "mailto"})
#: Properties that set text and can neither load anything nor leave their place.
PROPERTIES = frozenset(
    {
        "background-color", "border", "border-bottom", "border-collapse", "border-color", "border-left", "border-right",
        "border-spacing", "border-style", "border-top", "border-width", "color", "direction", "font-family",
        "font-size", "font-style", "font-variant", "font-weight", "letter-spacing", "line-height", "list-style-type",
        "margin", "margin-bottom", "margin-left", "margin-right", "margin-top", "max-width", "padding",
        "padding-bottom", "padding-left", "padding-right", "padding-top", "text-align", "text-decoration",
        "text-indent", "unicode-bidi", "vertical-align", "white-space", "width", "word-break",
    }
)  # fmt: skip
# Words, numbers, colours and quoted names: no function but colours, no negative length, no escape.
_VALUE = re.compile(r"(?:rgba?\([\d\s.,%/]+\)|(?<![\w.])-(?=[a-z])|[\w#%.,!'\" ]|(?<=[A-Za-z])-)+\Z", re.ASCII)
_DROPPED = frozenset({"base", "embed", "head", "iframe", "object", "script", "style", "svg", "template", "title"})
_BODY = re.compile(
    r"<body\b(?:[^>\"']|\"[^\"]*+\"|'[^']*+')*+>(?P<body>.*?)(?:</body\s*+>.*)?\Z", re.IGNORECASE | re.DOTALL
)
# One tag, read without ever going back: what is handed in may have been made to take for ever.
_TAG = re.compile(
    r"</?[a-z][a-z0-9]*+(?:\s++[^\s\"'<>/=]++(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s\"'=<>`]++))?+)*+\s*+/?+>",
    re.IGNORECASE,
)
#: Elements within one another, at most. Misplaced ones are repeated by browsers for each block inside them.
_DEEPEST = 24
# What ends a paragraph, so that it cannot stand in one.
_BLOCKS = TAGS & {
    "blockquote", "dd", "div", "dl", "dt", "h1", "h2", "h3", "h4", "hr", "li", "ol", "p", "pre", "section", "table",
    "ul",
}  # fmt: skip
# What XML 1.0 and HTML forbid in text, but for the white space.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")
_IMPLIED = frozenset({"tbody"})


def body_of(html: str) -> str:
    """The fragment inside a document's body, or the text itself when it is no document."""
    start = re.search("<body", html, re.IGNORECASE)
    found = start and _BODY.match(html, start.start())
    return (found["body"] if found else html).strip()


def check(html: str) -> list[str]:
    """What is not allowed in this fragment, each said once: "<img> is not allowed". Empty when all of it is."""
    if broken := _find_broken(html):
        return [broken]
    reader = _Reader()
    reader.feed(html)
    reader.close()
    problems = [*reader.problems]
    if control := _CONTROL.search(html):
        problems.append(f"the control character U+{ord(control[0]):04X} is not allowed")
    if not problems:
        cleaned = _Reader()
        cleaned.feed(_read(html))
        cleaned.close()
        problems = [*_differences(reader.events, cleaned.events)]
    return list(dict.fromkeys(problems))


def clean(html: str) -> str:
    """The fragment as browsers understand it, with everything that is not allowed taken out: always balanced."""
    return _CONTROL.sub("", _read(html))  # "&#1;" was none before it was read


def _read(html: str) -> str:
    return _CLEANER.clean(_CONTROL.sub("", html.replace("\r\n", "\n").replace("\r", "\n")))


def _find_broken(html: str) -> str:
    """The first thing that is no whole tag, in one pass; "" if there is none."""
    start = html.find("<")
    while start >= 0:
        tag = _TAG.match(html, start)
        if tag is None:
            return _name_broken(html[start : start + 40])
        start = html.find("<", tag.end())
    return ""


def _name_broken(text: str) -> str:
    if text.startswith("<!--"):
        return "comments are not allowed: some readers' programs obey them"
    if text.startswith(("<!", "<?")):
        return f"{text[:2]}…> is not allowed inside a letter"
    return f"{text!r} begins no whole tag: write &lt; for the sign"


def _filter(tag: str, attribute: str, value: str) -> str | None:
    return None if _objection(tag, attribute, value) else value


_CLEANER = nh3.Cleaner(
    tags=set(TAGS),
    clean_content_tags=set(_DROPPED),
    attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
    attribute_filter=_filter,
    link_rel=None,
    url_schemes=set(SCHEMES),
    url_relative="deny",
)


def _objection(tag: str, attribute: str, value: str) -> str | None:
    """Why an attribute that is allowed may not have this value."""
    if attribute == "style":
        for declaration in filter(str.strip, value.split(";")):
            name, _, text = declaration.partition(":")
            if name.strip().lower() not in PROPERTIES:
                return f"the style property {name.strip()!r} of <{tag}> is not allowed"
            if not _VALUE.match(text.strip()):
                return f"the style {declaration.strip()!r} of <{tag}> is not allowed"
        return None
    if attribute == "href":
        scheme, colon, rest = value.partition(":")
        if not colon or scheme.lower() not in SCHEMES:
            return f"the address {value[:80]!r} of <{tag}> is not allowed: write it whole, with https:"
        if re.search(r"[\s<>\"\\]", value) or not (rest if scheme.lower() == "mailto" else rest.startswith("//")):
            return f"the address {value[:80]!r} of <{tag}> is not an address"
        return None
    if attribute == "dir" and value not in ("ltr", "rtl", "auto"):
        return f"dir={value!r} of <{tag}> is not allowed: ltr, rtl or auto"
    if attribute == "role" and value not in ("presentation", "none"):
        return f"role={value!r} of <{tag}> is not allowed: presentation"
    if not re.fullmatch(r"[\w%. -]{0,60}", value, re.ASCII):
        return f"{attribute}={value[:80]!r} of <{tag}> is not allowed"
    return None


class _Reader(HTMLParser):
    """Reads a fragment into events, and says what it may not hold."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self.events: list[tuple[str, str, str]] = []  # start and attributes, end, text
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.problems.append(f"<{tag}> is not allowed")
            return
        for name, value in attrs:
            if name not in ATTRIBUTES["*"] | ATTRIBUTES.get(tag, frozenset()):
                self.problems.append(f"the attribute {name!r} of <{tag}> is not allowed")
            elif objection := _objection(tag, name, value or ""):
                self.problems.append(objection)
        if len(self._open) >= _DEEPEST:
            self.problems.append(f"more than {_DEEPEST} elements within one another are not allowed")
        if tag in _BLOCKS and "p" in self._open:
            self.problems.append(f"<{tag}> inside <p> stands where HTML does not let it stand")
        self.events.append(("start", tag, " ".join(sorted(f"{name}={value or ''}" for name, value in attrs))))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag not in TAGS:
            if f"<{tag}> is not allowed" not in self.problems:
                self.problems.append(f"</{tag}> is not allowed")
        elif not self._open or self._open[-1] != tag:
            inside = f" inside <{self._open[-1]}>" if self._open else ""
            self.problems.append(f"</{tag}>{inside} closes nothing")
        else:
            self._open.pop()
            self.events.append(("end", tag, ""))

    def handle_data(self, data: str) -> None:
        if self.events and self.events[-1][0] == "text":
            data = self.events.pop()[2] + data
        self.events.append(("text", "", data))

    def close(self) -> None:
        super().close()
        self.problems += [f"<{tag}> is not closed" for tag in self._open]


def _differences(written: list[tuple[str, str, str]], read: list[tuple[str, str, str]]) -> Iterator[str]:
    """The first place where browsers understand the fragment otherwise than it is written."""
    ours, theirs = _bare(written), _bare(read)
    for one, other in zip([*ours, None], [*theirs, None], strict=False):
        if one != other:
            kind, tag, text = one or ("end", "everything", "")
            where = f"<{tag}>" if kind == "start" else f"</{tag}>" if kind == "end" else repr(text.strip()[:40])
            yield f"{where} stands where HTML does not let it stand"
            return


def _bare(events: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Events without what a parser adds or may move: implied elements, white space."""
    bare: list[tuple[str, str, str]] = []
    for kind, tag, text in events:
        if tag in _IMPLIED:
            continue
        words = " ".join(text.split()) if kind == "text" else text
        if kind == "text" and not words:
            continue
        bare.append((kind, tag, words))
    return bare
