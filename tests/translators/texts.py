"""Real texts of this site; how they can be written differently, and how they come to say something else."""

from __future__ import annotations

import json
import random
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path

from multilingual.headers import decode, split_header
from translators.blocks import Block, Convert, make_converter, read_blocks

ROOT = Path(__file__).resolve().parents[2]
#: As in pelicanconf.py.
MARKDOWN = {
    "extension_configs": {
        "markdown.extensions.extra": {},
        "markdown.extensions.footnotes": {"USE_DEFINITION_ORDER": False},
    },
    "output_format": "html5",
}
NAMES = ("image_alt", "image_caption")
#: "Not", and a word that stands in no text.
NOT = {"en": "not", "fa": "هرگز", "ar": "لم", "zh-Hans": "不", "ru": "не", "uk": "не", "es": "no", "fr": "jamais"}
OTHER = {"fa": "گوسفندان", "ar": "طماطم", "zh-Hans": "鳜鱼", "ru": "тюльпаны", "uk": "тюльпани"}

_SPECIAL = re.compile(r"[-+*#>|:=~\[\]\d.`<&]|\Z")
_CALL = re.compile(r"\[\^([^\]]+)\]")


@cache
def converter() -> Convert:
    """Convert as the site does; headers are the same again and again."""
    return lru_cache(make_converter(MARKDOWN))


@dataclass(frozen=True)
class Writing:
    """The source of a text: its header's fields, and the lines of its body, one for each block, or for a table."""

    lang: str
    fields: tuple[tuple[str, str], ...]
    lines: tuple[str, ...]

    def source(self) -> bytes:
        header = "\n".join(f"{name}: {value}" for name, value in self.fields)
        body = ""
        for line, following in zip(self.lines, (*self.lines[1:], ""), strict=True):
            run = any(line.startswith(mark) and following.startswith(mark) for mark in ("- ", "[^", "> ", "| "))
            body += line + ("\n" if run else "\n\n")
        return f"{header}\n\n{body}".encode()

    def blocks(self) -> tuple[Block, ...]:
        return blocks_of(self.source())

    def places(self, *, notes: bool = True) -> list[int]:
        """Lines that are a paragraph, an item, a heading or a note."""
        return [n for n, line in enumerate(self.lines) if not re.match(r"[<|>]", line) and (notes or line[:2] != "[^")]

    def position(self, place: int, blocks: Sequence[Block]) -> int:
        """Where the block of a line stands among `blocks`, those of this text; of a table, its first row."""
        if found := re.match(r"\[\^[^\]]+\]: ", self.lines[place]):  # in whatever order Markdown puts notes
            return next(at for at, block in enumerate(blocks) if block.text.startswith(found[0]))
        head = 4  # title, summary and two more fields
        return head + sum(1 + line.startswith("| ") for line in self.lines[:place])

    def with_field(self, name: str, value: str) -> Writing:
        return replace(self, fields=tuple((one, value if one == name else old) for one, old in self.fields))

    def with_line(self, place: int, line: str) -> Writing:
        return replace(self, lines=(*self.lines[:place], line, *self.lines[place + 1 :]))


def blocks_of(source: bytes) -> tuple[Block, ...]:
    header = split_header(decode(source))
    fields = {name: [str(value) for value in values] for name, values in header.fields.items()}
    return read_blocks(fields, header.body, converter(), names=NAMES)


@cache
def _read(path: Path) -> tuple[dict[str, str], list[str], list[str]]:
    """An article's fields, the lines of its body, and words of it."""
    header = split_header(decode(path.read_bytes()))
    fields = {name.capitalize(): " ".join(map(str, values)) for name, values in header.fields.items()}
    lines = [line for line in header.body.split("\n") if line.strip() and not re.match(r"<|\||!\[", line)]
    return fields, lines, [word[0] for line in lines if line[:2] != "[^" for word in _words(line)]


def excerpt(path: Path, chance: random.Random, size: int) -> Writing:
    """Some lines of an article that follow each other, and the notes that they call.

    To them come, of the article's words, what few articles have: a link, a picture, a table, fields.
    """
    given, lines, words = _read(path)
    body = [line for line in lines if not line.startswith("[^")]
    start = chance.randrange(max(1, len(body) - size + 1))
    chosen = body[start : start + size]

    def some() -> str:
        at = chance.randrange(len(words) - 3)
        return " ".join(words[at : at + 3])

    number = chance.randrange(10, 1000)
    title = chance.choice(["", f' "{some()}"'])
    for line in (
        f"{some()} [{some()}](https://example.org/{number}{title}) {some()} {number}.",
        f"![{some()}](/images/{number}.png)",
        f"| {some()} | {some()} |\n|---|---|\n| {number} | {some()} |",
    ):
        # Not between items: they would be two lists, and then others.
        places = [
            at for at in range(len(chosen) + 1) if not any(one[:1] in "-123456789>" for one in chosen[at : at + 1])
        ]
        chosen.insert(chance.choice(places), line)
    called = {label for line in chosen for label in _CALL.findall(line)}
    notes = [line for line in lines if line.startswith("[^") and line[2 : line.index("]")] in called]
    fields = {"Title": some(), "Date": "2026-01-02", "Summary": some(), "Image_alt": some(), "Image_caption": some()}
    return Writing(path.parent.name, tuple((fields | given).items()), (*chosen, *notes))


def articles(*langs: str) -> list[Path]:
    return [path for lang in langs for path in sorted((ROOT / "content" / "articles" / lang).glob("*.md"))]


# Written differently

Rewrite = Callable[[str, random.Random], str]


def _each_line(rewrite: Rewrite) -> Rewrite:
    """Apply to lines of the body that are a paragraph or an item."""

    def apply(source: str, chance: random.Random) -> str:
        header, body = source.split("\n\n", 1)
        lines = body.split("\n")
        for place, line in enumerate(lines):
            if line and not re.match(r"<|\||>|#|\[|[-=]+\Z", line) and chance.random() < 0.5:
                lines[place] = rewrite(line, chance)
        return header + "\n\n" + "\n".join(lines)

    return apply


def _wrap(line: str, chance: random.Random) -> str:
    """Break lines at spaces, and between Chinese characters, where no mark would begin a line."""
    indent = "  " if line.startswith("- ") else ""
    pieces = re.split(r"(?<=\S)( +)(?=\S)|(?<=[\u4e00-\u9fff，。])()(?=[\u4e00-\u9fff])", line)
    text = pieces[0]
    for space, empty, following in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        inside = text.count("<") != text.count(">") or text.count("](") != len(re.findall(r"\]\([^)]*\)", text))
        if chance.random() < 0.2 and not _SPECIAL.match(following) and not inside and len(text) > 3:
            text += "\n" + indent + following
        else:
            text += (space or empty or "") + following
    return text


def _soft(line: str, chance: random.Random) -> str:
    """Put in soft hyphens and marks of direction, where no address is."""
    if re.search(r"[<\[`&]", line):
        return line
    return re.sub(r"(?<=[^\W_])(?=[^\W_])", lambda _: chance.choice(["", "", "\u00ad", "\u200e"]), line)


def _emphasis(source: str, chance: random.Random) -> str:
    mark = chance.choice(["_", ""])
    return re.sub(
        r"(?<![\w*\\])(\*\*?)(?=[^\s*])([^*\n]+)(?<=[^\s*])\1(?![\w*])",
        lambda m: mark * len(m[1]) + m[2] + mark * len(m[1]),
        source,
    )


def _bullets(source: str, chance: random.Random) -> str:
    mark = chance.choice("*+")
    return re.sub(r"^- (?=\S)", f"{mark} ", source, flags=re.MULTILINE)


def _headings(source: str, chance: random.Random) -> str:
    line, end = "-" * chance.randint(3, 20), "#" * chance.randint(1, 6)
    new = chance.choice([rf"\1\n{line}", rf"## \1 {end}", rf"##\1 {end}"])
    return re.sub(r"^## (.*)$", new, source, flags=re.MULTILINE)


def _table(source: str, chance: random.Random) -> str:
    """Other alignment, other padding, and no bars at the ends."""
    rule = "|".join(chance.choice(["---", ":--", "--:", ":-:", "  -------- "]) for _ in range(2))
    rule, row = chance.choice([(rule, r"\1 | \2"), (f"|{rule}|", r"|\1|\2|"), (f"|{rule}|", r"|   \1 |\2      |")])
    source = source.replace("|---|---|", rule)
    return re.sub(r"^\| ([^|\n]*) \| ([^|\n]*) \|$", row, source, flags=re.MULTILINE)


def _entities(line: str, chance: random.Random) -> str:
    """Letters by their number or name, where no address is and no mark begins the line."""
    if re.search(r"[<\[`&]", line):
        return line
    named = {"«": "&laquo;", "»": "&raquo;", "—": "&mdash;", "–": "&ndash;"}
    return line[:4] + re.sub(
        r"[^\W\d_]|[«»—–]",
        lambda m: chance.choice([named.get(m[0], f"&#x{ord(m[0]):x};")] + [m[0]] * 9),
        line[4:],
    )


def _angles(source: str, _: random.Random) -> str:
    return re.sub(r"\]\((https?://[^()\s]+)", r"](<\1>", source)


def _curly(source: str, _: random.Random) -> str:
    """Typographers' quotation marks for typewriters', in the text."""
    header, body = source.split("\n\n", 1)
    lines = [line if re.search(r"[<\[`]", line) else re.sub(r'"([^"\n]*)"', r"“\1”", line) for line in body.split("\n")]
    return header + "\n\n" + "\n".join(lines)


def _continued(source: str, _: random.Random) -> str:
    """A field of the header on several lines."""
    return re.sub(r"^(Summary: \S+) (?=\S)", r"\1\n    ", source, flags=re.MULTILINE)


def _references(source: str, _: random.Random) -> str:
    targets: list[str] = []

    def refer(found: re.Match[str]) -> str:
        targets.append(found[2])
        return f"[{found[1]}][ref-{len(targets)}]"

    source = re.sub(r"(?<!!)\[([^\[\]]+)\]\(([^()\s]+)\)", refer, source)
    return source + "\n" + "\n".join(f"[ref-{n}]: <{target}>" for n, target in enumerate(targets, 1)) + "\n"


def _trailing(source: str, chance: random.Random) -> str:
    header, body = source.split("\n\n", 1)
    return header + "\n\n" + re.sub(r"(?<=[^\s#])$", lambda _: " " * chance.randint(0, 3), body, flags=re.MULTILINE)


def _blank_lines(source: str, chance: random.Random) -> str:
    header, body = source.split("\n\n", 1)
    return header + "\n\n" + re.sub(r"\n\n", lambda _: "\n" * chance.randint(2, 4), body)


def _loose(source: str, _: random.Random) -> str:
    return re.sub(r"\n(?=- )", "\n\n", source)


def _reorder(source: str, chance: random.Random) -> str:
    header, body = source.split("\n\n", 1)
    lines = header.split("\n")
    chance.shuffle(lines)
    return "\n".join(lines) + "\n\n" + body


def _yaml(source: str, _: random.Random) -> str:
    header, body = source.split("\n\n", 1)
    fields = [line.split(": ", 1) for line in header.split("\n")]
    lines = [f"{name.lower()}: {json.dumps(value, ensure_ascii=False)}" for name, value in fields]
    return "---\n" + "\n".join(lines) + "\n---\n\n" + body


def _spaces(source: str, chance: random.Random) -> str:
    return re.sub(r"(?<=\w) (?=\w)", lambda _: chance.choice([" ", " ", "\u00a0", "\u202f"]), source)


def _quotes(source: str, _: random.Random) -> str:
    return source.replace("’", "'").replace("…", "...")


def _decomposed(source: str, _: random.Random) -> str:
    return unicodedata.normalize("NFD", source)


def _labels(source: str, chance: random.Random) -> str:
    labels = list(dict.fromkeys(_CALL.findall(source)))
    numbers = list(range(1, len(labels) + 1))
    chance.shuffle(numbers)
    names = dict(zip(labels, numbers, strict=True))
    return _CALL.sub(lambda found: f"[^{names[found[1]]}]", source)


def _comment(source: str, _: random.Random) -> str:
    header, body = source.split("\n\n", 1)
    return header + "\n\n<!-- to be looked at again -->\n\n" + body


def _line_ends(source: str, _: random.Random) -> str:
    return "\ufeff" + source.replace("\n", "\r\n")


#: In an order in which one does not hinder the next.
REWRITES: tuple[Rewrite, ...] = (
    _labels, _reorder, _continued, _quotes, _curly, _emphasis, _references, _angles, _each_line(_entities),
    _each_line(_soft), _each_line(_wrap), _headings, _spaces, _loose, _bullets, _table, _trailing, _blank_lines,
    _comment, _decomposed,
)  # fmt: skip


def rewritten(writing: Writing, chance: random.Random) -> bytes:
    """The same text written differently, in one to six ways, and never as it was."""
    source = before = writing.source().decode()
    while source == before:
        source = before
        ways = chance.sample(range(len(REWRITES)), chance.randint(1, 6))
        for way in sorted(ways):
            source = REWRITES[way](source, chance)
        if chance.random() < 0.2 and _continued not in [REWRITES[way] for way in ways]:
            source = _yaml(source, chance)
        if chance.random() < 0.2:
            source = _line_ends(source, chance)
    return source.encode()


# Saying something else


def _words(line: str) -> list[re.Match[str]]:
    """Where words stand that are text: not in addresses, tags and labels."""
    hidden = [
        found.span() for found in re.finditer(r"<[^>]*>|\]\([^)]*\)|\]\[[^\]]*\]|\[\^[^\]]*\]:?|https?://\S+", line)
    ]
    found = re.finditer(r"[^\W\d_][\w\u200c\u0300-\u036f\u064b-\u0655]*", line)
    return [one for one in found if not any(a < one.end() and one.start() < b for a, b in hidden)]


def change_word(writing: Writing, chance: random.Random) -> tuple[Writing, int] | None:
    if not (places := [place for place in writing.places() if _words(writing.lines[place])]):
        return None
    words = _words(line := writing.lines[place := chance.choice(places)])
    word = chance.choice(words)
    return writing.with_line(
        place, line[: word.start()] + OTHER.get(writing.lang, "tulips") + line[word.end() :]
    ), place


def negate(writing: Writing, chance: random.Random) -> tuple[Writing, int] | None:
    if not (places := [place for place in writing.places() if _words(writing.lines[place])]):
        return None
    words = _words(line := writing.lines[place := chance.choice(places)])
    at = chance.choice(words).start()
    return writing.with_line(place, f"{line[:at]}{NOT[writing.lang]} {line[at:]}"), place


def change_number(writing: Writing, chance: random.Random) -> tuple[Writing, int] | None:
    places = [
        place for place in writing.places() if re.search(r"(?<![\w/:.=%-])\d+(?![\w/:=%-])", writing.lines[place])
    ]
    if not places:
        return None
    line = writing.lines[place := chance.choice(places)]
    hidden = [found.span() for found in re.finditer(r"<[^>]*>|\]\([^)]*\)|\[\^[^\]]*\]|https?://\S+|^\d+\.", line)]
    found = [one for one in re.finditer(r"\d", line) if not any(a <= one.start() < b for a, b in hidden)]
    if not found:
        return None
    at = chance.choice(found).start()
    other = chr(ord(line[at]) - int(line[at]) + (int(line[at]) + chance.randint(1, 8)) % 10)
    return writing.with_line(place, line[:at] + other + line[at + 1 :]), place


def change_link(writing: Writing, chance: random.Random) -> tuple[Writing, int] | None:
    places = [place for place in writing.places() if "](" in writing.lines[place]]
    if not places:
        return None
    place = chance.choice(places)
    return writing.with_line(place, re.sub(r"\]\(", "](https://example.org/", writing.lines[place], count=1)), place


def change_alt(writing: Writing, chance: random.Random) -> tuple[Writing, int] | None:
    place = next(place for place, line in enumerate(writing.lines) if line.startswith("!["))
    word = chance.choice(_words(writing.lines[place]))
    line = writing.lines[place]
    return writing.with_line(place, line[: word.start()] + _other(writing) + line[word.end() :]), place


def change_picture(writing: Writing, _: random.Random) -> tuple[Writing, int] | None:
    place = next(place for place, line in enumerate(writing.lines) if line.startswith("!["))
    return writing.with_line(place, writing.lines[place].replace(".png)", "-2.png)")), place


def change_cell(writing: Writing, _: random.Random) -> tuple[Writing, int] | None:
    """Exchange two words between cells, or rather one for another."""
    place = next(place for place, line in enumerate(writing.lines) if line.startswith("| "))
    return writing.with_line(place, re.sub(r"^\| \S+", f"| {_other(writing)}", writing.lines[place])), place


def change_note(writing: Writing, chance: random.Random) -> tuple[Writing, int] | None:
    places = [place for place, line in enumerate(writing.lines) if line.startswith("[^") and _words(line)]
    if not places:
        return None
    line = writing.lines[place := chance.choice(places)]
    word = chance.choice(_words(line))
    return writing.with_line(place, line[: word.start()] + _other(writing) + line[word.end() :]), place


def _other(writing: Writing) -> str:
    return OTHER.get(writing.lang, "tulips")


def add(writing: Writing, chance: random.Random) -> tuple[Writing, int] | None:
    """Write a paragraph more, in front of one."""
    places = [n for n, line in enumerate(writing.lines) if not re.match(r"- |\[\^|<|> |\d", line)]
    line = f"{_other(writing)} {chance.randrange(1000)} {_other(writing)}."
    place = chance.choice(places)
    return replace(writing, lines=(*writing.lines[:place], line, *writing.lines[place:])), place


def delete(writing: Writing, chance: random.Random) -> tuple[Writing, int] | None:
    if not (places := writing.places(notes=False)):
        return None
    place = chance.choice(places)
    return replace(writing, lines=writing.lines[:place] + writing.lines[place + 1 :]), place


def move(writing: Writing, chance: random.Random) -> tuple[Writing, int] | None:
    """Move a paragraph to between two others, not into a list."""
    plain = [place for place in writing.places(notes=False) if writing.lines[place][:2] not in ("- ", "##")]
    if not plain:
        return None
    place = chance.choice(plain)
    lines = [*writing.lines[:place], *writing.lines[place + 1 :]]
    targets = [n for n in range(len(lines)) if n != place and not re.match(r"- |\[|<|> |\||\d", lines[n])]
    if not targets:
        return None
    lines.insert(chance.choice(targets), writing.lines[place])
    return replace(writing, lines=tuple(lines)), place


def writings(paths: list[Path], chance: random.Random, size: int) -> Iterator[Writing]:
    """Excerpts without end."""
    while True:
        yield excerpt(chance.choice(paths), chance, size)
