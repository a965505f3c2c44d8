"""A translation that was sent in, put where it belongs: block by block beside its source, and then in Markdown.

Of a kit the rows say where; of any other text, alignment.py. What is not certain becomes a doubt, for an editor to look
at; nothing is guessed silently.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..changes import ALIKE_ELSEWHERE, compare_profiles, make_profile
from .alignment import Pair, align, length
from .arrival import Arrival, Cells
from .composition import slug_row
from .counterparts import Counterpart, Counterparts
from .document import Document, Piece, Span, plain, tidy
from .doubts import Doubt, compare
from .errors import UnusableFile
from .markdown import write_fields, write_markdown
from .notation import NOTE_SIGN, find_notes, letters_of, link_addresses, show, targets_of, understand

#: Aligning so many takes seconds; a long article has a hundred.
_MAX_BLOCKS = 1_000
#: Stands for the slug among the places of blocks.
_SLUG = -1


@dataclass(frozen=True, slots=True)
class Wording:
    """A block of the source as a kit had it: its place among the blocks of now, or None; and its text, if that differs.

    In the text links are words alone, and a note's call is `[^label]`.
    """

    place: int | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Imported:
    """A translation to write: the header's fields by lower-case name, the body in Markdown, and what to look at.

    `dropped` says what the file had and the text has not, with numbers. `wording` is the source that it was made from,
    if that is not the source of now.
    """

    fields: Mapping[str, str]
    body: str
    doubts: tuple[Doubt, ...]
    dropped: tuple[str, ...]
    wording: tuple[Wording, ...] = ()


def place(
    arrival: Arrival,
    document: Document,
    lang: str,
    target_lang: str,
    revision: str,
    present: Counterparts = Counterparts(),  # noqa: B008 - nobody can change it
    prepare: Callable[[Piece], Piece] | None = None,
) -> Imported:
    """Put what came where it belongs.

    `document` is the source, in `lang`, `revision` its SHA-256, and `present` the translation that exists. `prepare`
    makes a block of the source the place for its translation, for those that have none.
    """
    if arrival.identity is None:
        return _place_document(arrival, document, lang, target_lang, prepare)
    return _Placing(arrival, document, (lang, target_lang), revision, present).run(prepare)


class _Placing:
    """A kit on its way back into its text."""

    def __init__(
        self, arrival: Arrival, document: Document, langs: tuple[str, str], revision: str, present: Counterparts
    ) -> None:
        self._arrival = arrival
        self._document = document
        self._blocks = document.blocks
        self._langs = langs
        self._present = present
        self._same = arrival.identity is not None and arrival.identity.revision == revision
        self._slug_row = slug_row(document)
        self._doubts: list[Doubt] = []
        #: Places of blocks whose words are others than in the kit.
        self._reworded: set[int] = set()
        self._rows = self._match()
        self._labels = self._find_labels()

    def run(self, prepare: Callable[[Piece], Piece] | None) -> Imported:
        blocks = self._blocks
        made = {position: self._fill(position, piece) for position, piece in enumerate(blocks)}
        here = sum(length(blocks[position].text) for position, pieces in made.items() if pieces)
        there = sum(length(piece.text) for pieces in made.values() for piece in pieces)
        for position, pieces in made.items():
            if pieces:
                self._look_at(position, pieces, there / max(1, here))
        if prepare:
            empty = [position for position, pieces in made.items() if not pieces]
            made |= {position: _body([prepare(blocks[position])]) for position in empty}
        else:
            self._keep_notes(made)
        placed = iter(made[position] for position in range(len(blocks)))
        slug = self._rows.get(_SLUG)
        pieces = [Piece("field", slug.spans, name="slug")] if slug and slug.spans else []
        for piece in self._document.pieces:
            # What has no words, such as a rule or a list's empty item, stays where it is.
            pieces += next(placed) if piece.text.strip() or piece.links else [piece]
        for piece in self._present.rest:
            self._doubt(0, "the translation has this beside no block of its source: left out", "", piece.text)
        doubts = tuple(sorted(self._doubts, key=lambda doubt: doubt.number))
        wording = () if self._same else tuple(self._read_wording())
        return Imported(write_fields(pieces), write_markdown(pieces), doubts, self._arrival.dropped, wording)

    # Rows to blocks

    def _match(self) -> dict[int, Cells]:
        """The row of each block: the one that shows its words; else, with a doubt, the one most like it."""
        labels = self._document.labels
        shown = [plain(show(piece, labels, piece.links)) for piece in self._blocks]
        waiting: dict[str, list[int]] = {}
        for position, text in enumerate(shown):
            waiting.setdefault(_words_of(text), []).append(position)
        found: dict[int, Cells] = {}
        left: list[Cells] = []
        for row in self._arrival.rows:
            positions = waiting.get(_words_of(row.source), []) if row.source else []
            if positions:
                # Of several with the same words that which has the number.
                position = self._position(row.number)
                positions.remove(position := position if position in positions else positions[0])
                found[position] = row
            elif row.number == self._slug_row_then() and not row.source:
                found[_SLUG] = row
            else:
                left.append(row)
        for row in self._match_changed(left, shown, found):
            if row.spans:
                self._doubt(row.number, self._why_left_out(row), "", plain(row.spans), row.source)
        return found

    def _match_changed(self, rows: Sequence[Cells], shown: Sequence[str], found: dict[int, Cells]) -> list[Cells]:
        """Give rows whose words are nowhere to blocks that nothing came for; returns those that remain."""
        blocks = {
            place: make_profile(NOTE_SIGN.sub("", _words(text)))
            for place, text in enumerate(shown)
            if place not in found
        }
        ranked = []
        for number, row in enumerate(rows):
            words = make_profile(NOTE_SIGN.sub("", _words(row.source)))
            position = self._position(row.number)
            for place, profile in blocks.items() if row.source else ():
                if (alike := compare_profiles(profile, words)) >= ALIKE_ELSEWHERE:
                    ranked.append((-alike, abs(place - position), number, place))
        taken: set[int] = set()
        for *_, number, place in sorted(ranked):
            if number not in taken and place not in found:
                found[place] = rows[number]
                taken.add(number)
        for number, row in enumerate(rows):
            place = self._position(row.number)
            if self._same and number not in taken and 0 <= place < len(shown) and place not in found:
                found[place] = row
                taken.add(number)
        for place, row in found.items():
            if row in rows:
                self._reworded.add(place)
                by = "in the file" if self._same else "since the kit was made"
                self._doubt(
                    row.number, f"its source was changed {by}", self._blocks[place].text, plain(row.spans), row.source
                )
        return [row for number, row in enumerate(rows) if number not in taken]

    def _why_left_out(self, row: Cells) -> str:
        if not row.number:
            return "this stands in no row of the kit: left out"
        if self._same:
            return "a row of the kit that is there twice, or is none of this text: left out"
        return "the source has changed since the kit was made, and this is no longer in it: left out"

    def _slug_row_then(self) -> int:
        """The number of the slug's row in the kit, before which there may have been other fields than now."""
        empty = [row.number for row in self._arrival.rows if row.number and not row.source]
        return self._slug_row if self._same or not empty else empty[0]

    def _position(self, number: int) -> int:
        """The place of the block that has a number in a kit."""
        return number - 1 - (number > self._slug_row)

    def _number(self, position: int) -> int:
        row = self._rows.get(position)
        return row.number if row else position + 1 + (position + 1 >= self._slug_row)

    def _find_labels(self) -> tuple[str, ...]:
        """The notes by the numbers that they have in the kit; "" for one that is no longer there."""
        if self._same:
            return self._document.labels
        labels = {row.note: self._blocks[position].name for position, row in self._rows.items() if row.note}
        return tuple(labels.get(number, "") for number in range(1, max(labels, default=0) + 1))

    # Words into blocks

    def _doubt(self, number: int, reason: str, source: str, translation: str = "", former: str = "") -> None:
        self._doubts.append(Doubt(number, reason, source, translation, former))

    def _fill(self, position: int, piece: Piece) -> list[Piece]:
        row, counterpart = self._rows.get(position), self._present.beside.get(position)
        if row is None or not row.spans:
            return self._go_without(position, piece, counterpart)
        now = counterpart.piece if counterpart else None
        targets = targets_of(piece, now)
        shown = plain(show(now, self._labels, targets)) if now else ""
        if counterpart and now and letters_of(plain(row.spans)) == letters_of(shown):
            if counterpart.state == "changed":
                reason = "the source has changed, and the translation is as it was"
                self._doubt(row.number, reason, piece.text, now.text)
            elif counterpart.state == "doubtful":
                self._doubt(row.number, "perhaps the translation of something else", piece.text, now.text)
            return _split_lines(now, piece)
        return _split_lines(replace(piece, spans=understand(row.spans, piece, self._labels, targets)), piece)

    def _go_without(self, position: int, piece: Piece, counterpart: Counterpart | None) -> list[Piece]:
        is_there = position in self._rows
        if is_there and piece.kind == "code":
            return [piece]
        what = "not translated" if is_there else "not in the file"
        if counterpart is None:
            self._doubt(self._number(position), what, piece.text)
            return []
        self._doubt(self._number(position), f"{what}: kept as it was", piece.text, counterpart.piece.text)
        return _split_lines(counterpart.piece, piece)

    def _look_at(self, position: int, pieces: Sequence[Piece], ratio: float) -> None:
        source, number, whole = self._blocks[position], self._number(position), pieces[0]
        for piece in pieces[1:]:
            whole = replace(whole, spans=(*whole.spans, Span(" "), *piece.spans))
        if len(pieces) > 1:
            self._doubt(number, f"{len(pieces)} paragraphs here, one in the source", source.text, whole.text)
        for reason in compare(source, self._langs[0], whole, self._langs[1], ratio):
            self._doubt(number, reason, source.text, whole.text)

    def _keep_notes(self, made: dict[int, list[Piece]]) -> None:
        """A note that is referred to and was not translated stays as it is in the source."""
        called = {label for pieces in made.values() for piece in pieces for label in piece.notes}
        for position, piece in enumerate(self._blocks):
            if piece.kind == "note" and not made[position] and piece.name in called:
                made[position] = [piece]

    # What the kit was made from

    def _read_wording(self) -> Iterable[Wording]:
        places = {id(row): place for place, row in self._rows.items()}
        for row in self._arrival.rows:
            place = places.get(id(row))
            if place not in (None, _SLUG) and place not in self._reworded:
                yield Wording(place)
            elif row.source:
                mark = f"[^{self._labels[row.note - 1] or row.note}]: " if 0 < row.note <= len(self._labels) else ""
                yield Wording(place, mark + NOTE_SIGN.sub(self._name_note, _words(row.source)))

    def _name_note(self, found: re.Match[str]) -> str:
        number = int(found["number"])
        label = self._labels[number - 1] if 0 < number <= len(self._labels) else ""
        return f"[^{label}]" if label else ""


def _words(text: str) -> str:
    """What a kit shows of a block, its links as words."""
    return re.sub(r"\[([^\[\]]*)\]\(\d{1,3}\)", r"\1", text)


def _words_of(text: str) -> str:
    """What a kit shows of a block, to compare: notes may have got other numbers."""
    return letters_of(NOTE_SIGN.sub("[]", text))


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


def _body(pieces: Iterable[Piece]) -> list[Piece]:
    """Without fields: of these the header says whether they are translated."""
    return [piece for piece in pieces if piece.kind not in ("title", "summary", "field")]


def _place_document(
    arrival: Arrival, document: Document, lang: str, target_lang: str, prepare: Callable[[Piece], Piece] | None
) -> Imported:
    """A text that was not written in a kit, block by block beside its source."""
    own = [piece for piece in arrival.document.blocks if piece.name == "slug"]  # which no source has
    source = _by_call(document.blocks)
    target = [piece for piece in arrival.document.blocks if piece not in own]
    if document.labels and not any(piece.notes for piece in target):
        target = [find_notes(piece, len(document.labels)) for piece in target]
    numbers = {piece: number for number, piece in reversed(list(enumerate(document.blocks, 1)))}
    if max(len(source), len(target)) > _MAX_BLOCKS:
        raise UnusableFile(arrival.name, f"it has more than {_MAX_BLOCKS} blocks", "Import it in parts.")
    ratio = sum(length(piece.text) for piece in target) / max(1, sum(length(piece.text) for piece in source))
    target = list(_by_call(target))
    pairs = _align_body(source, target)
    target = _rename_notes(source, target, pairs)
    pairs += _pair_notes(source, target)
    doubts: list[Doubt] = []
    pieces = own
    for pair in pairs:
        number = numbers[source[pair.source[0]]] if pair.source else 0
        theirs = [source[place] for place in pair.source]
        ours = [target[place] for place in pair.target]
        here, there = _texts(theirs), _texts(ours)
        if not ours:
            doubts.append(Doubt(number, "nothing in the file corresponds to this", here))
            ours = _body(map(prepare, theirs)) if prepare else []
        elif not theirs:
            doubts.append(Doubt(0, "nothing in the source corresponds to this", "", there))
        elif len(ours) == len(theirs) == 1:
            ours = [link_addresses(_adopt(theirs[0], ours[0]), theirs[0].links)]
            reasons = compare(theirs[0], lang, ours[0], target_lang, ratio)
            doubts += [Doubt(number, reason, here, there) for reason in reasons]
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


def _align_body(source: Sequence[Piece], target: Sequence[Piece]) -> list[Pair]:
    """Pairs of what is no note; notes stand behind everything else."""
    return align(*([piece for piece in pieces if piece.kind != "note"] for pieces in (source, target)))


def _rename_notes(source: Sequence[Piece], target: Sequence[Piece], pairs: Sequence[Pair]) -> list[Piece]:
    """Notes take the labels of those that they translate: that are called in the same place, else that are alike."""
    new: dict[str, str] = {}
    for pair in pairs:
        theirs, ours = ([label for at in places for label in pieces[at].notes] for places, pieces in (
            (pair.source, source), (pair.target, target),
        ))  # fmt: skip
        for label, wanted in zip(ours, theirs, strict=True) if len(ours) == len(theirs) else ():
            if wanted not in new.values():
                new.setdefault(label, wanted)
    left = [piece for piece in source if piece.kind == "note" and piece.name not in new.values()]
    waiting = [piece for piece in target if piece.kind == "note" and piece.name not in new]
    for pair in align(left, waiting):
        if pair.source and pair.target and left[pair.source[0]].name not in new.values():
            new.setdefault(waiting[pair.target[0]].name, left[pair.source[0]].name)
    taken = set(new.values())
    own = {piece.name for piece in target if piece.kind == "note"} - set(new)
    new |= {label: f"{label}-own" for label in own & taken}
    return [
        replace(
            piece,
            name=new.get(piece.name, piece.name) if piece.kind == "note" else piece.name,
            spans=tuple(replace(span, note=new.get(span.note, span.note)) for span in piece.spans),
        )
        for piece in target
    ]


def _pair_notes(source: Sequence[Piece], target: Sequence[Piece]) -> list[Pair]:
    """Notes by their labels, those of the translation alone behind the others."""
    waiting: dict[str, list[int]] = {}
    for at, piece in enumerate(target):
        if piece.kind == "note":
            waiting.setdefault(piece.name, []).append(at)
    found = []
    for at, piece in enumerate(source):
        if piece.kind == "note":
            places = waiting.get(piece.name, [])
            found.append(Pair((at,), (places.pop(0),) if places else ()))
    return found + [Pair((), (at,)) for places in waiting.values() for at in places]
