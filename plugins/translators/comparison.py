"""What changed in a source since it was translated, beside what the translation says there now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from .blocks import Block, note_labels
from .changes import Change, align
from .content import Language
from .kit.alignment import align as pair_blocks
from .kit.document import Piece, Span
from .states import Survey, Translation
from .words import Difference, word_diff


@dataclass(frozen=True, slots=True)
class Passage:
    """A change, and where it belongs.

    `present` are the blocks of the translation that stand for the old ones, `places` theirs in the translation's
    blocks, from 0. For what was added there are none; it belongs behind the block `after`, or at the beginning where
    that is None.
    """

    change: Change
    present: tuple[Block, ...] = ()
    places: tuple[int, ...] = ()
    after: Block | None = None

    @property
    def kind(self) -> str:
        """What it is: paragraph, heading, …."""
        return (self.change.new or self.change.old)[0].kind

    def words(self, lang: str) -> Sequence[tuple[Difference, str]]:
        """What became of the wording, in the source's language."""
        old, new = _join(self.change.old), _join(self.change.new)
        if self.change.op == "moved":
            return [("same", new)]
        found = list(word_diff(old, new, lang))
        before = [link for block in self.change.old for link in block.links]
        after = [link for block in self.change.new for link in block.links]
        if before != after:  # where a link leads is no word of the text
            found += [("same", " ")]
            found += [("removed", f"<{link}>") for link in before if link not in after]
            found += [("added", f"<{link}>") for link in after if link not in before]
        return found


def compare(survey: Survey, one: Translation) -> list[Passage]:
    """Every change of a translation's source since it was recorded, in the order of the source."""
    if one.text is None or one.record.basis is None or not one.changes:
        return []
    return place_changes(one.record.basis.blocks(), survey.blocks_of(one.source), survey.blocks_of(one.text))


def place_changes(old: Sequence[Block], new: Sequence[Block], translation: Sequence[Block]) -> list[Passage]:
    """What changed between two states of a source, and where that stands in a translation of the old one."""
    beside: dict[int, tuple[int, ...]] = {}
    for pair in pair_blocks([as_piece(block) for block in old], [as_piece(block) for block in translation]):
        beside |= dict.fromkeys(pair.source, pair.target)
    found = []
    before: tuple[int, ...] = ()
    for change in align(old, new):
        at = change.old_at or 0
        places = tuple(
            dict.fromkeys(place for near in range(at, at + len(change.old)) for place in beside.get(near, ()))
        )
        if change.op == "added":
            found.append(Passage(change, after=translation[before[-1]] if before else None))
        elif change.op != "same":
            found.append(Passage(change, tuple(translation[place] for place in places), places))
        if change.op not in ("added", "removed"):
            before = places or before
    return found


def as_piece(block: Block) -> Piece:
    """A block as the alignment of two languages looks at it."""
    label = note_labels(block)[:1] if block.kind == "note" else ()
    name = label[0] if label else block.text.partition(":")[0] if block.kind == "field" else ""
    spans = [Span(block.text), *(Span(link=link) for link in block.links)]
    spans += [Span(note=called) for called in note_labels(block)[len(label) :]]
    kind = block.kind
    return Piece(kind, tuple(spans), name=name)  # type: ignore[arg-type]  # blocks have no other kinds than pieces


def _join(blocks: Iterable[Block]) -> str:
    return "\n".join(block.text for block in blocks)


# In the terminal

_MARKS: dict[Difference, tuple[str, str]] = {"same": ("", ""), "removed": ("-[", "]"), "added": ("+[", "]")}
_COLOURS: dict[Difference, str] = {"same": "", "removed": "\x1b[31m", "added": "\x1b[32m"}
_RESET = "\x1b[0m"
# Unicode's isolates (UAX #9): what is between them is set in its own direction and disturbs nothing around it.
_ISOLATES = {"rtl": "\u2067", "ltr": "\u2066"}
_POP = "\u2069"


def show_passages(
    passages: Sequence[Passage], source: Language, target: Language, *, colour: bool = False
) -> Iterator[str]:
    """Lines for a terminal; the marks say without colour what went and what came."""
    for number, passage in enumerate(passages, 1):
        yield f"{number} of {len(passages)}: {passage.kind} {passage.change.op}"
        words = "".join(
            (_COLOURS[what] if colour else "")
            + _MARKS[what][0]
            + text
            + _MARKS[what][1]
            + (_RESET if colour and what != "same" else "")
            for what, text in passage.words(source.tag)
        )
        yield from _in_language(source, words)
        if passage.present:
            for block in passage.present:
                yield from _in_language(target, block.text)
        elif passage.after:
            yield from _in_language(target, f"… {passage.after.text[-60:]}", "to be added behind ")
        else:
            yield f"  {target.tag}: {_missing(passage)}"
        yield ""


def _in_language(language: Language, text: str, head: str = "") -> Iterator[str]:
    for line in text.split("\n"):
        yield f"  {language.tag}: {head}{_ISOLATES.get(language.direction, _ISOLATES['ltr'])}{line}{_POP}"


def _missing(passage: Passage) -> str:
    return "to be added at the beginning" if passage.change.op == "added" else "nothing there corresponds to it"


# As a page

_STYLE = """
:root { color-scheme: light dark; --rule: light-dark(#cdc8bd, #43464a); --quiet: light-dark(#55524c, #b4b0a7); }
body { margin: 0 auto; max-inline-size: 72rem; padding: 1rem clamp(1rem, 3vw, 2rem) 4rem;
  font: 1rem/1.6 system-ui, sans-serif; overflow-wrap: anywhere;
  color: light-dark(#1b1b1a, #e6e3dc); background: light-dark(#fdfcf9, #16181a); }
:lang(ar), :lang(fa), :lang(ur) { line-height: 1.8; }
h1 { margin-block: 1rem 0.25rem; font-size: 1.625rem; line-height: 1.3; }
h2 { margin-block: 2rem 0.5rem; padding-block-start: 0.75rem; border-block-start: 1px solid var(--rule);
  font-size: 0.875rem; }
.beside { display: grid; gap: 1rem 2.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); }
.beside > div { white-space: pre-line; }
.next { margin-block-start: 2rem; padding-block-start: 0.75rem; border-block-start: 3px solid; }
del + ins { margin-inline-start: 0.25em; }
ins { background: light-dark(#d5efd9, #1d4428); } del { background: light-dark(#f8dcd8, #5a2520); }
.remark { color: var(--quiet); }
code { font: 0.875em ui-monospace, Consolas, monospace; }
"""
Tag = Literal["ins", "del", ""]
_TAGS: dict[Difference, Tag] = {"same": "", "removed": "del", "added": "ins"}


def write_page(
    passages: Sequence[Passage], key: str, title: str, source: Language, target: Language, notes: Iterable[str] = ()
) -> str:
    """A page of its own that loads nothing: each change beside its present translation."""
    rows = []
    for number, passage in enumerate(passages, 1):
        words = "".join(_mark(_TAGS[what], text) for what, text in passage.words(source.tag))
        if passage.present:
            there = f"<div {_says(target)}>{escape(_join(passage.present))}</div>"
        elif passage.after:
            end = f"<bdi {_says(target)}>{escape(passage.after.text[-60:])}</bdi>"
            there = f'<div><span class="remark">To be added behind:</span> … {end}</div>'
        else:
            there = f'<div class="remark">{_missing(passage).capitalize()}</div>'
        rows.append(
            f"<h2>{number} of {len(passages)}: {passage.kind} {passage.change.op}</h2>\n"
            f'<div class="beside">\n<div {_says(source)}>{words}</div>\n{there}\n</div>'
        )
    said = [f"<p>The source article was {escape(note)}.</p>" for note in notes]
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    head = (
        '<!DOCTYPE html>\n<html lang="en" dir="ltr">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="robots" content="noindex">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{escape(key)}: {source.tag} → {target.tag}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1><bdi {_says(source)}>{escape(title)}</bdi></h1>\n"
        f'<p class="remark">What has changed in the source ({_name(source)}) since it was translated, beside what the '
        f"translation ({_name(target)}) says there now.</p>\n"
    )
    accept = f"<code>./blog accept {escape(key)} {escape(target.tag)}</code>"
    end = f'<p class="next">When the translation says the same: {accept}</p>\n</main>\n</body>\n</html>\n'
    return "\n".join([head, *said, *rows, end])


def _says(language: Language) -> str:
    return f'lang="{escape(language.tag)}" dir="{language.direction}"'


def _name(language: Language) -> str:
    return f'<bdi lang="{escape(language.tag)}">{escape(language.name)}</bdi>'


def _mark(tag: Tag, text: str) -> str:
    return f"<{tag}>{escape(text)}</{tag}>" if tag else escape(text)
