"""Kits out, translations in: what stands between `kit/`, which knows no file of ours, and the content folder."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from .blocks import Block, fold, make_block, make_converter, note_labels, tidy
from .changes import align
from .choice import choose_source, choose_translation
from .comparison import as_piece
from .content import Language, Text
from .drafting import find_place, find_terms
from .errors import DeskError
from .glossary import Glossary
from .kit.arrival import Arrival, read_arrival
from .kit.composition import Term, Tongue, compose_kit
from .kit.counterparts import Counterparts, Origin, find_counterparts
from .kit.document import Document
from .kit.docx import write_docx
from .kit.html import write_html
from .kit.markdown import read_document
from .kit.placement import Imported, Wording, place
from .recording import save_record
from .records import Basis, Record, hash_source, make_basis
from .scaffold import FIELD_MARK, prepare
from .states import Survey, Translation, is_draft, notes_of

Format = Literal["docx", "html"]
FORMATS: Mapping[Format, Callable[..., bytes]] = {"docx": write_docx, "html": write_html}


def make_kit(
    survey: Survey,
    glossary: Glossary,
    one: Translation,
    source: Text,
    format_: Format,
    say: Callable[[str], str] = str,
) -> tuple[str, bytes]:
    """A kit's neutral file name, and its bytes; `say` translates our sentences into the target language."""
    languages = {language.tag: language for language in survey.inventory.languages}
    document = _read(survey, source, survey.names)
    terms = [
        Term(term.forms(source.lang)[0], " / ".join(term.forms(one.lang)), term.note)
        for term in find_terms(glossary, "\n".join(piece.text for piece in document.blocks), source.lang, one.lang)
        if term.forms(one.lang)
    ]
    kit = compose_kit(
        one.key,
        _tongue(languages[source.lang]),
        _tongue(languages[one.lang]),
        hash_source(source.raw),
        document,
        read_present(survey, one, source, document),
        hash_source(one.text.raw) if one.text else "",
        terms,
        glossary.style.get(one.lang, ()),
        say,
    )
    return kit.name(format_), FORMATS[format_](kit)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A file that came, and the translation that it is of."""

    arrival: Arrival
    one: Translation
    source: Text
    imported: Imported

    @property
    def is_recent(self) -> bool:
        """Whether it was made from the source as it is; of a text that is no kit nobody knows, and the doubts tell."""
        identity = self.arrival.identity
        return identity is None or hash_source(self.source.raw) == identity.revision

    @property
    def is_overtaken(self) -> bool:
        """Whether the translation that is there is not the one that the kit shows."""
        identity, text = self.arrival.identity, self.one.text
        return bool(identity and text and hash_source(text.raw)[:16] != identity.present)


def receive(survey: Survey, name: str, data: bytes, key: str = "", lang: str = "", source_lang: str = "") -> Delivery:
    """Read a file that was sent in, and lay it beside its source; nothing is written.

    A kit says itself what it is of; for anything else, `key`, `lang` and `source_lang`, what it was translated from,
    do. Raises UnusableFile or DeskError.
    """
    convert = make_converter(survey.inventory.settings["MARKDOWN"])
    arrival = read_arrival(name, data, convert, ("slug", *survey.names))
    identity = arrival.identity
    if identity is None and not (key and lang):
        remedy = "Say it: `--key leaving-russia --lang fa`"
        raise DeskError(name, "it is no kit, and so does not say which text it is in which language", remedy)
    stated = {"key": key, "lang": lang, "origin": source_lang}
    if identity and any(value and value != getattr(identity, part) for part, value in stated.items()):
        what = f"it is a kit of {identity.key} from {identity.origin} into {identity.lang}"
        raise DeskError(name, what, "Leave --key, --lang and --from out, or take the other file")
    try:
        one = choose_translation(survey, identity.key if identity else key, identity.lang if identity else lang)
        source = choose_source(survey, one, identity.origin if identity else source_lang)
    except DeskError as error:
        if identity is None:
            raise
        kit = f"it is a kit of {identity.key} from {identity.origin} into {identity.lang}"
        what = f"{kit}, but {error.where}: {error.what}"
        raise DeskError(name, what, error.remedy) from error
    document = _read(survey, source, survey.names)
    present = read_present(survey, one, source, document)
    to_fill = prepare if one.text is None or is_draft(one.text) else None
    imported = place(arrival, document, source.lang, one.lang, hash_source(source.raw), present, to_fill)
    return Delivery(arrival, one, source, imported)


def read_present(survey: Survey, one: Translation, source: Text, document: Document) -> Counterparts:
    """The translation that exists, beside the blocks of a source, which may have changed since; none if there is none.

    What it was made from is taken from its record.
    """
    if one.text is None:
        return Counterparts()
    present = _read(survey, one.text, ("slug", *survey.names))
    basis = one.record.basis
    if basis is None or basis.lang != source.lang or basis.source == hash_source(source.raw):
        return find_counterparts(document, source.lang, present, one.lang)
    old, new = basis.blocks(), survey.blocks_of(source)
    places = find_places(document, new)
    former, origins = [as_piece(block) for block in old], dict[int, Origin]()
    for change in align(old, new):
        if change.old_at is None or change.new_at is None:
            continue
        before = tuple(range(change.old_at, change.old_at + len(change.old)))
        is_same = change.op in ("same", "moved")
        for at in range(change.new_at, change.new_at + len(change.new)):
            if at in places:
                origins[places[at]] = Origin(before, is_same)
                if is_same:
                    former[before[0]] = document.blocks[places[at]]
    return find_counterparts(document, source.lang, present, one.lang, former, origins)


def write_delivery(survey: Survey, delivery: Delivery, by: str, day: date) -> list[Path]:
    """Write what came as the translation, a draft if there was none, and record it. Returns what was written.

    A draft has places for what is not translated, as `./blog translate` leaves them. What the header of a translation
    that is there says beside texts is kept. Who has claimed it is not asked: whoever takes a file in knows from whom
    it came.
    """
    one, source = delivery.one, delivery.source
    path = one.text.path if one.text else find_place(survey, one)
    names = ("title", "summary", *survey.names) if one.text is None or is_draft(one.text) else ("title",)
    header = _merge(one.text.fields if one.text else {}, delivery.imported.fields, source, names)
    if one.text is None:
        header |= {"Translated_from": [source.lang], "Translated": [day.isoformat()]}
        header |= {"Translator": [by or "withheld"], "Status": ["draft"]}
    elif by:
        header["Translator"] = [by]
    lines = [f"{name}: {value}" for name, values in header.items() for value in values]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n\n" + delivery.imported.body, "utf-8", newline="\n")
    unfinished = one.text is None or is_draft(one.text)
    basis = _make_basis(survey, delivery, day)
    return [path, *save_record(survey, one, Record(basis, one.claim if unfinished else None))]


def _make_basis(survey: Survey, delivery: Delivery, day: date) -> Basis:
    """What it was made from: of a kit the source as it showed it, so that the desk tells what has changed since.

    Which corrections that had nobody knows, and so all are to be looked at.
    """
    source, identity, blocks = delivery.source, delivery.arrival.identity, survey.blocks_of(delivery.source)
    if identity is None or delivery.is_recent:
        return make_basis(source.lang, day, source.raw, blocks, notes_of(delivery.one.article))
    document = _read(survey, source, survey.names)
    now = {place: blocks[at] for at, place in find_places(document, blocks).items()}
    kept = tuple(_make_block(wording, now) for wording in delivery.imported.wording)
    return Basis(source.lang, day, identity.revision, (), lambda: kept)


def _make_block(wording: Wording, now: Mapping[int, Block]) -> Block:
    block = now.get(-1 if wording.place is None else wording.place)
    if block and not wording.text:
        return block
    kind = block.kind if block else "note" if wording.text.startswith("[^") else "paragraph"
    name = f"{block.text.partition(': ')[0]}: " if block and kind == "field" else ""
    return make_block(kind, name + wording.text, block.links if block else ())


def _merge(
    present: Mapping[str, Sequence[str]], fields: Mapping[str, str], source: Text, names: Sequence[str]
) -> dict[str, list[str]]:
    """A header's values by name, as it is written: in the order that was there, with what came in its place.

    Of `names` those that nobody has translated are to be filled in; a file without a title is no text.
    """
    values = {name: [" ".join(one.split()) for one in there] for name, there in present.items()}
    came = {**fields, "slug": make_slug(fields.get("slug", ""))}
    values |= {name: [" ".join(value.split())] for name, value in came.items() if value.strip()}
    for name in names:
        if text := " ".join(" ".join(source.fields.get(name, ())).split()):
            values.setdefault(name, [FIELD_MARK + text])
    title = values.pop("title")
    return {"Title": title, **{name.capitalize(): value for name, value in values.items()}}


def make_slug(words: str) -> str:
    """Words as they can stand in an address: in small letters, with hyphens between them."""
    small = unicodedata.normalize("NFC", words).lower().replace("i\u0307", "i")  # a Turkish İ has left its dot behind
    kept = "".join(char if unicodedata.category(char)[0] in "LMN" else " " for char in small)
    return "-".join(kept.split())


def find_places(document: Document, blocks: Sequence[Block]) -> dict[int, int]:
    """Which of a document's blocks each block that is compared is, both by their places."""
    waiting: dict[str, list[int]] = {}
    for at, piece in enumerate(document.blocks):
        waiting.setdefault(fold(tidy(piece.text)), []).append(at)
    return {at: places.pop(0) for at, block in enumerate(blocks) if (places := waiting.get(_words_of(block)))}


def _words_of(block: Block) -> str:
    text = block.text
    for label in note_labels(block):
        text = text.replace(f"[^{label}]: ", "", 1).replace(f"[^{label}]", "")
    if block.kind == "field":
        text = text.partition(": ")[2]
    return fold(tidy(text))


def show_doubts(delivery: Delivery) -> Iterator[str]:
    """What to look at, side by side, and what was left out."""
    for doubt in delivery.imported.doubts:
        yield f"{'row' if delivery.arrival.identity else 'block'} {doubt.number or '?'}: {doubt.reason}"
        here, there = delivery.source.lang, delivery.one.lang
        for lang, text in ((f"{here}, in the file", doubt.former), (here, doubt.source), (there, doubt.translation)):
            if text:
                yield f"    {lang}: \u2068{' '.join(text.split())}\u2069"
    for dropped in delivery.imported.dropped:
        yield f"left out: {dropped}"


def _read(survey: Survey, text: Text, names: Sequence[str]) -> Document:
    convert = make_converter(survey.inventory.settings["MARKDOWN"])
    return read_document(text.fields, text.body, convert, names)


def _tongue(language: Language) -> Tongue:
    return Tongue(language.tag, language.direction, language.name)
