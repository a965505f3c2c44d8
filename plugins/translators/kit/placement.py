"""A translation that was sent in, put where it belongs: block by block beside its source, and then in Markdown.

Of a kit the rows say where; of any other text, alignment.py. What is not certain becomes a doubt, for an editor to look
at; nothing is guessed silently.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from .alignment import Pair, align, length
from .arrival import Arrival, Cells
from .composition import pair_with, slug_row
from .document import Document, Piece, Span, plain, tidy
from .doubts import Doubt, compare
from .errors import UnusableFile
from .markdown import write_fields, write_markdown
from .notation import letters_of, link_addresses, show, targets_of, understand

#: Aligning so many takes seconds; a long article has a hundred.
_MAX_BLOCKS = 1_000
#: Stands for the slug among the places of blocks.
_SLUG = -1


@dataclass(frozen=True, slots=True)
class Imported:
    """A translation to write: the header's fields by lower-case name, the body in Markdown, and what to look at.

    `dropped` says what the file had and the text has not, with numbers.
    """

    fields: Mapping[str, str]
    body: str
    doubts: tuple[Doubt, ...]
    dropped: tuple[str, ...]


def place(
    arrival: Arrival,
    document: Document,
    revision: str,
    present: Document | None = None,
    changed: Collection[int] = (),
) -> Imported:
    """Put what came where it belongs.

    `document` is the source, `revision` its SHA-256, `present` the translation that exists and `changed` the places,
    among the source's blocks, of those that changed since.
    """
    if arrival.identity is None:
        return _place_document(arrival, document)
    return _Placing(arrival, document, revision, present, changed).run()


class _Placing:
    """A kit on its way back into its text."""

    def __init__(
        self,
        arrival: Arrival,
        document: Document,
        revision: str,
        present: Document | None,
        changed: Collection[int],
    ) -> None:
        self._arrival = arrival
        self._document = document
        self._present = pair_with(document, present) if present else {}
        self._changed = changed
        identity = arrival.identity
        self._same = identity is not None and revision.startswith(identity.revision)
        self._slug_row = slug_row(document)
        self._doubts: list[Doubt] = []

    def run(self) -> Imported:
        blocks = self._document.blocks
        rows = self._match(blocks)
        made: dict[int, list[Piece]] = {}
        for position, piece in enumerate(blocks):
            found = rows.get(position)
            made[position] = self._piece(position, piece, found) if found else []
        here = sum(length(blocks[position].text) for position, pieces in made.items() if pieces)
        there = sum(length(piece.text) for pieces in made.values() for piece in pieces)
        for position, pieces in made.items():
            number = self._number(position)
            self._look_at(blocks[position], pieces, there / max(1, here), number, is_there=position in rows)
        self._keep_notes(blocks, made)
        placed = iter(made[position] for position in range(len(blocks)))
        pieces = [*self._slug(rows)]
        for piece in self._document.pieces:
            # What has no words, such as a rule or a list's empty item, stays where it is.
            pieces += next(placed) if piece.text.strip() or piece.links else [piece]
        doubts = tuple(sorted(self._doubts, key=lambda doubt: doubt.number))
        return Imported(write_fields(pieces), write_markdown(pieces), doubts, self._arrival.dropped)

    def _match(self, blocks: Sequence[Piece]) -> dict[int, Cells]:
        """The row of each block: the one that shows its words, and among several the one nearest to its number."""
        labels = self._document.labels
        shown = [letters_of(plain(show(piece, labels, piece.links))) for piece in blocks]
        waiting: dict[str, list[Cells]] = {}
        for row in self._arrival.rows:
            waiting.setdefault(letters_of(row.source), []).append(row)
        found: dict[int, Cells] = {}
        for position, text in enumerate(shown):
            if text and (rows := waiting.get(text)):
                found[position] = rows.pop(0)
        for row in (row for rows in waiting.values() for row in rows):
            position = self._position(row.number)
            if row.number == self._slug_row and not row.source:
                found[_SLUG] = row
            elif self._same and 0 <= position < len(blocks) and position not in found:
                found[position] = row
                self._doubt(row.number, "the source was changed in the file", row.source, plain(row.spans))
            elif row.spans:
                reason = "the source has changed since the kit was made: this is no longer there, and was left out"
                self._doubt(row.number, reason, row.source, plain(row.spans))
        return found

    def _position(self, number: int) -> int:
        """The place of the block that has a number in a kit."""
        return number - 1 - (number > self._slug_row)

    def _number(self, position: int) -> int:
        return position + 1 + (position + 1 >= self._slug_row)

    def _doubt(self, number: int, reason: str, source: str, translation: str = "") -> None:
        self._doubts.append(Doubt(number, reason, source, translation))

    def _slug(self, rows: Mapping[int, Cells]) -> list[Piece]:
        row = rows.get(_SLUG)
        return [Piece("field", row.spans, name="slug")] if row and row.spans else []

    def _piece(self, position: int, piece: Piece, row: Cells) -> list[Piece]:
        labels = self._document.labels
        now = self._present.get(position)
        targets = targets_of(piece, now)
        if now and letters_of(plain(row.spans)) == letters_of(plain(show(now, labels, targets))):
            if position in self._changed:
                reason = "the source has changed, and the translation is as it was"
                self._doubt(row.number, reason, piece.text, now.text)
            return _split_lines(now, piece)
        spans = understand(row.spans, piece, labels, targets)
        if not spans:
            return [piece] if piece.kind == "code" else []
        return _split_lines(replace(piece, spans=spans), piece)

    def _look_at(self, source: Piece, pieces: list[Piece], ratio: float, number: int, *, is_there: bool) -> None:
        if not pieces:
            self._doubt(number, "not translated" if is_there else "not in the file", source.text)
            return
        whole = pieces[0]
        for piece in pieces[1:]:
            whole = replace(whole, spans=(*whole.spans, Span(" "), *piece.spans))
        if len(pieces) > 1:
            self._doubt(number, f"{len(pieces)} paragraphs here, one in the source", source.text, whole.text)
        for reason in compare(source, whole, ratio):
            self._doubt(number, reason, source.text, whole.text)

    def _keep_notes(self, blocks: Sequence[Piece], made: dict[int, list[Piece]]) -> None:
        """A note that is referred to and was not translated stays as it is in the source."""
        called = {label for pieces in made.values() for piece in pieces for label in piece.notes}
        for position, piece in enumerate(blocks):
            if piece.kind == "note" and not made[position] and piece.name in called:
                made[position] = [piece]


def _split_lines(piece: Piece, source: Piece) -> list[Piece]:
    """A piece whose lines were paragraphs, unless the source has lines itself."""
    if "\n" not in piece.text or "\n" in source.text:
        return [piece]
    if piece.kind not in ("paragraph", "quotation", "note", "item"):
        return [replace(piece, spans=tidy(replace(span, text=span.text.replace("\n", " ")) for span in piece.spans))]
    lines: list[list[Span]] = [[]]
    for span in piece.spans:
        first, *more = span.text.split("\n") if not (span.note or span.image) else [span.text]
        lines[-1].append(replace(span, text=first))
        lines += [[replace(span, text=text)] for text in more]
    found = [tidy(line) for line in lines]
    return [
        replace(piece, spans=spans, kind="paragraph" if piece.kind == "item" and number else piece.kind)
        for number, spans in enumerate(spans for spans in found if spans)
    ]


def _place_document(arrival: Arrival, document: Document) -> Imported:
    """A text that was not written in a kit, block by block beside its source."""
    own = [piece for piece in arrival.document.blocks if piece.name == "slug"]  # which no source has
    source = _by_call(document.blocks)
    target = _by_call([piece for piece in arrival.document.blocks if piece not in own])
    numbers = {piece: number for number, piece in reversed(list(enumerate(document.blocks, 1)))}
    if max(len(source), len(target)) > _MAX_BLOCKS:
        raise UnusableFile(arrival.name, f"it has more than {_MAX_BLOCKS} blocks", "Import it in parts.")
    ratio = sum(length(piece.text) for piece in target) / max(1, sum(length(piece.text) for piece in source))
    pairs = align(source, target)
    target = _rename_notes(source, target, pairs)
    doubts: list[Doubt] = []
    pieces = own
    for pair in pairs:
        number = numbers[source[pair.source[0]]] if pair.source else 0
        theirs = [source[place] for place in pair.source]
        ours = [target[place] for place in pair.target]
        here, there = _texts(theirs), _texts(ours)
        if not ours:
            doubts.append(Doubt(number, "nothing in the file corresponds to this", here))
        elif not theirs:
            doubts.append(Doubt(0, "nothing in the source corresponds to this", "", there))
        elif len(ours) == len(theirs) == 1:
            ours = [link_addresses(_adopt(theirs[0], ours[0]), theirs[0].links)]
            doubts += [Doubt(number, reason, here, there) for reason in compare(theirs[0], ours[0], ratio)]
        else:
            doubts.append(Doubt(number, f"{len(ours)} blocks here, {len(theirs)} in the source", here, there))
        pieces += ours
    doubts.sort(key=lambda doubt: doubt.number)
    return Imported(write_fields(pieces), write_markdown(pieces), tuple(doubts), arrival.dropped)


def _by_call(blocks: Sequence[Piece]) -> tuple[Piece, ...]:
    """Blocks with their notes in the order in which the text calls them, as a word processor numbers them.

    Python-Markdown numbers those in lists after those of the paragraphs that follow.
    """
    called = list(dict.fromkeys(label for piece in blocks for label in piece.notes if piece.kind != "note"))
    notes = [piece for piece in blocks if piece.kind == "note"]
    notes.sort(key=lambda piece: called.index(piece.name) if piece.name in called else len(called))
    return (*(piece for piece in blocks if piece.kind != "note"), *notes)


def _texts(pieces: Sequence[Piece]) -> str:
    return "\n".join(piece.text for piece in pieces)


def _adopt(source: Piece, target: Piece) -> Piece:
    """A block with the kind of its source where the file has none: a paragraph may be anything."""
    if source.kind in ("title", "summary", "field") and target.kind in ("heading", "paragraph", "quotation"):
        return Piece(source.kind, target.spans, name=source.name)
    if source.kind == target.kind == "heading":
        return replace(target, level=source.level)
    if target.kind == "paragraph" and source.kind in ("heading", "item", "quotation"):
        return replace(target, kind=source.kind, level=source.level, within=source.within)
    if target.kind == "paragraph" and source.kind == "code":
        return source
    return target


def _rename_notes(source: Sequence[Piece], target: Sequence[Piece], pairs: Sequence[Pair]) -> tuple[Piece, ...]:
    """Notes take the labels of those that they translate."""
    new: dict[str, str] = {}
    for pair in pairs:
        if pair.source and pair.target:
            theirs, ours = source[pair.source[0]], target[pair.target[0]]
            if theirs.kind == ours.kind == "note" and theirs.name not in new.values():
                new.setdefault(ours.name, theirs.name)
    taken = set(new.values())
    own = {piece.name for piece in target if piece.kind == "note"} - set(new)
    new |= {label: f"{label}-own" for label in own & taken}
    return tuple(
        replace(
            piece,
            name=new.get(piece.name, piece.name) if piece.kind == "note" else piece.name,
            spans=tuple(replace(span, note=new.get(span.note, span.note)) for span in piece.spans),
        )
        for piece in target
    )
