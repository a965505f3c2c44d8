"""Where a translation may not say what its source says: advice for an editor, before anything is published.

Whatever is reported here has to be looked at by somebody, so nothing is that is only possible.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from .blocks import Convert, make_converter
from .content import Text
from .glossary import Glossary
from .kit.alignment import Pair, align, length
from .kit.document import Document, Piece
from .kit.doubts import compare_figures, compare_shape
from .kit.markdown import read_document
from .kit.tree import TooMuchMarkup
from .scaffold import find_unfinished
from .states import Survey, Translation, is_draft
from .words import split_words

#: Kinds of blocks that are in the translation's language; notes name works as they are called, code is in none.
_PROSE = frozenset({"title", "summary", "field", "heading", "paragraph", "item", "row", "quotation"})
#: A text of fewer letters than this may be names alone (one of Chinese counts as three).
_LETTERS = 40
#: How sure the identification must be, of 1.
_SURE = 0.9
#: A term that is there so often, and its rendering never.
_OFTEN = 5

_MARKUP = re.compile(r"\[\^[^\]]*\]|\]\([^)]*\)|<[^>]*>|[*_`#>\[\]|\\]")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at in a file, `line` from 1, 0 for the whole; a `mistake` must not be published."""

    file: str
    line: int
    what: str
    remedy: str
    is_mistake: bool = False


def find_leftovers(text: Text) -> Iterator[Finding]:
    """What is left of a scaffold in a text that is no draft any more: readers would see the source's words, or none."""
    left = [] if is_draft(text) else list(find_unfinished(text.raw.decode("utf-8-sig").replace("\r\n", "\n")))
    if left:
        line, what = min(left)
        more = f", and {len(left) - 1} more of its kind," if len(left) > 1 else ""
        remedy = f"`./blog translate {text.key} {text.lang} --done` takes quotations out and names what is to do."
        yield Finding(text.name, line, f"{what}{more} in a text that is no draft", remedy, is_mistake=True)


def review(survey: Survey, glossary: Glossary) -> Iterator[Finding]:
    """Look at every finished translation beside its source; outdated ones differ from it rightly."""
    reader = _Reader(survey)
    for group in survey.groups:
        for one in group.translations.values():
            if one.text is not None and one.state in ("current", "unrecorded"):
                yield from _review(reader, glossary, one, one.text)


class _Reader:
    """Reads texts as documents, each once."""

    def __init__(self, survey: Survey) -> None:
        self._convert: Convert = make_converter(survey.inventory.settings["MARKDOWN"])
        self._names = survey.names
        self._documents: dict[str, Document] = {}
        self._words: dict[str, frozenset[str]] = {}
        self._terms: dict[str, Counter[str]] = {}

    def read(self, text: Text) -> Document:
        if text.name not in self._documents:
            try:
                document = read_document(text.fields, text.body, self._convert, self._names)
            except TooMuchMarkup:  # no article: what it is made of, nobody would review here
                document = Document(())
            self._documents[text.name] = document
        return self._documents[text.name]

    def read_words(self, text: Text) -> frozenset[str]:
        """The words of a text, each once."""
        if text.name not in self._words:
            self._words[text.name] = frozenset(_words("\n".join(piece.text for piece in self.read(text).blocks)))
        return self._words[text.name]

    def count_terms(self, glossary: Glossary, text: Text) -> Counter[str]:
        """How often a text has each term of the glossary."""
        if text.name not in self._terms:
            prose = "\n".join(piece.text for piece in self.read(text).blocks if piece.kind in _PROSE)
            self._terms[text.name] = Counter(found.term.key for found in glossary.find_terms(prose, text.lang))
        return self._terms[text.name]


def _review(reader: _Reader, glossary: Glossary, one: Translation, text: Text) -> Iterator[Finding]:
    source, target = reader.read(one.source).blocks, reader.read(text).blocks
    if not source or not target:
        return
    ratio = sum(length(piece.text) for piece in target) / sum(length(piece.text) or 1 for piece in source)
    lines = _Lines(text)
    for pair in _pair(source, target):
        theirs, ours = [source[place] for place in pair.source], [target[place] for place in pair.target]
        if not ours:
            before = target[pair_before(pair, source, target)] if target else None
            for piece in theirs:
                what = f"nothing corresponds to the {piece.kind} “{_short(piece)}” of {one.source.name}"
                yield Finding(text.name, lines.find(before), what, "Translate it, or see that nothing is lost.")
        elif theirs:
            remedy = f"Compare it with “{_short(theirs[0])}” in {one.source.name}."
            for what in _compare(theirs, ours, one, ratio):
                yield Finding(text.name, lines.find(ours[0]), what, remedy)
    known = reader.read_words(one.source)
    for piece in target:
        if _is_in(piece, one.source.lang, text.lang, known):
            what = f"the {piece.kind} “{_short(piece)}” seems to be in {one.source.lang}"
            yield Finding(text.name, lines.find(piece), what, "Translate it, or mark a quotation with its `lang`.")
    yield from _look_for_terms(reader, glossary, one, text)


def _pair(source: Sequence[Piece], target: Sequence[Piece]) -> list[Pair]:
    """Blocks beside each other: by place where both texts have the same shape, as nearly all do."""
    if [(piece.kind, piece.level) for piece in source] == [(piece.kind, piece.level) for piece in target]:
        return [Pair((place,), (place,)) for place in range(len(source))]
    return align(source, target)


def pair_before(pair: Pair, source: Sequence[Piece], target: Sequence[Piece]) -> int:
    """About where in a translation something is missing."""
    return min(len(target) - 1, round(pair.source[0] * len(target) / len(source)))


def _compare(theirs: Sequence[Piece], ours: Sequence[Piece], one: Translation, ratio: float) -> Iterator[str]:
    if len(theirs) == len(ours) == 1:
        yield from compare_shape(theirs[0], ours[0], ratio)
    here, there = ("\n".join(piece.text for piece in pieces) for pieces in (theirs, ours))
    yield from compare_figures(here, one.source.lang, there, one.lang)


def _short(piece: Piece) -> str:
    text = " ".join(piece.text.split())
    return text if len(text) <= 40 else text[:39].rstrip() + "…"


class _Lines:
    """Finds the line of a file in which a block stands, by its first words; of several the next behind the last."""

    def __init__(self, text: Text) -> None:
        raw = text.raw.decode("utf-8-sig").splitlines()
        self._raw = raw
        self._plain = [_squeeze(_MARKUP.sub("", line)) for line in raw]
        self._last = 0

    def find(self, piece: Piece | None) -> int:
        """The line, from 1; 0 where it is not found."""
        if piece is None:
            return 0
        if piece.kind in ("title", "summary", "field"):
            name = f"{piece.name or piece.kind}:"
            return next((number for number, line in enumerate(self._raw, 1) if line.lower().startswith(name)), 0)
        if piece.kind == "note":
            return next((number for number, line in enumerate(self._raw, 1) if f"[^{piece.name}]:" in line), 0)
        words = _squeeze(re.sub(r"[*_`#>|\\]", "", piece.text))[:30]
        found = [number for number, line in enumerate(self._plain, 1) if words and words in line]
        line = next((number for number in found if number > self._last), found[0] if found else 0)
        self._last = line or self._last
        return line


def _squeeze(text: str) -> str:
    return "".join(text.split())


# The language


def _is_in(piece: Piece, lang: str, other: str, known: frozenset[str]) -> bool:
    """Whether a block is in `lang` that should be in `other`; `known` are words of the source, which is in `lang`."""
    if piece.kind not in _PROSE or any(container.lang for container in piece.within):
        return False
    own = "".join(span.text for span in piece.spans if not (span.lang or span.code or span.text == span.link))
    if sum(3 if "\u2e80" <= char <= "\u9fff" else 1 for char in own if char.isalpha()) < _LETTERS:
        return False
    words = _words(own)
    if 3 * sum(word in known for word in words) < 2 * len(words):  # what was left as it was is of the source's words
        return False
    found, certainty = _identify(own)
    return certainty >= _SURE and found == lang.split("-")[0] != other.split("-")[0]


def _words(text: str) -> list[str]:
    return [word for word in split_words(text.casefold()) if word[0].isalpha()]


def _identify(text: str) -> tuple[str, float]:
    found, certainty = _identifier().classify(text)
    return str(found), float(certainty)


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # takes a second to load

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


# The glossary


def _look_for_terms(reader: _Reader, glossary: Glossary, one: Translation, text: Text) -> Iterator[Finding]:
    """Terms that a source has again and again, and the translation never as the glossary says."""
    known = {term.key: term for term in glossary.terms if term.forms(one.lang)}
    counts = reader.count_terms(glossary, one.source)
    often = [key for key, count in counts.items() if count >= _OFTEN and key in known]
    if not often:
        return
    used = reader.count_terms(glossary, text)
    for key in often:
        if key not in used:
            forms = " or ".join(f"“{form}”" for form in known[key].forms(one.lang))
            term = known[key].forms(one.source.lang)[0]
            what = f"{one.source.name} says “{term}” {counts[key]} times, this never {forms}"
            yield Finding(text.name, 0, what, "Use the rendering of the glossary, or add this one to it.")
