"""Kits out, translations in: what stands between `kit/`, which knows no file of ours, and the content folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from .blocks import Block, fold, make_converter, note_labels, tidy
from .changes import Change
from .choice import choose_source, choose_translation
from .content import Language, Text
from .drafting import find_place, find_terms
from .errors import DeskError
from .glossary import Glossary
from .kit.arrival import Arrival, read_arrival
from .kit.composition import SOURCE_FIELDS, TARGET_FIELDS, Term, Tongue, compose_kit
from .kit.document import Document
from .kit.docx import write_docx
from .kit.html import write_html
from .kit.markdown import read_document
from .kit.placement import Imported, place
from .recording import save_record
from .records import Record, hash_source, make_basis
from .scaffold import FIELD_MARK
from .states import Survey, Translation, is_draft, notes_of

Format = Literal["docx", "html"]
FORMATS: Mapping[Format, Callable[..., bytes]] = {"docx": write_docx, "html": write_html}


def make_kit(
    survey: Survey, glossary: Glossary, one: Translation, format_: Format, say: Callable[[str], str] = str
) -> tuple[str, bytes]:
    """A kit's neutral file name, and its bytes; `say` translates our sentences into the target language."""
    source, languages = one.source, {language.tag: language for language in survey.inventory.languages}
    document = _read(survey, source, SOURCE_FIELDS)
    terms = [
        Term(_first(term.renderings[source.lang]), term.renderings[one.lang], term.note)
        for term in find_terms(glossary, "\n".join(piece.text for piece in document.blocks), source.lang, one.lang)
    ]
    kit = compose_kit(
        one.key,
        _tongue(languages[source.lang]),
        _tongue(languages[one.lang]),
        hash_source(source.raw),
        document,
        _read(survey, one.text, TARGET_FIELDS) if one.text else None,
        find_changed(document, one.changes),
        terms,
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
        return identity is None or hash_source(self.source.raw).startswith(identity.revision)


def receive(survey: Survey, name: str, data: bytes, key: str = "", lang: str = "") -> Delivery:
    """Read a file that was sent in, and lay it beside its source; nothing is written.

    A kit says itself what it is of; for anything else, `key` and `lang` do. Raises UnusableFile or DeskError.
    """
    convert = make_converter(survey.inventory.settings["MARKDOWN"])
    arrival = read_arrival(name, data, convert)
    identity = arrival.identity
    if identity is None and not (key and lang):
        remedy = "Say it: `--key leaving-russia --lang fa`"
        raise DeskError(name, "it is no kit, and so does not say which text it is in which language", remedy)
    if identity and (key or lang) and (key or identity.key, lang or identity.lang) != (identity.key, identity.lang):
        what = f"it is a kit of {identity.key} in {identity.lang}"
        raise DeskError(name, what, "Leave --key and --lang out, or send the other file")
    one = choose_translation(survey, identity.key if identity else key, identity.lang if identity else lang)
    source = choose_source(survey, one, identity.origin) if identity else one.source
    changes = one.changes if source is one.source else ()
    document = _read(survey, source, SOURCE_FIELDS)
    present = _read(survey, one.text, TARGET_FIELDS) if one.text else None
    imported = place(arrival, document, hash_source(source.raw), present, find_changed(document, changes))
    return Delivery(arrival, one, source, imported)


def write_delivery(survey: Survey, delivery: Delivery, by: str, day: date) -> list[Path]:
    """Write what came as the translation, a draft if there was none, and record it. Returns what was written.

    What the header of a translation that is there says beside texts is kept. Who has claimed it is not asked: whoever
    takes a file in knows from whom it came.
    """
    one, source = delivery.one, delivery.source
    path = one.text.path if one.text else find_place(survey, one)
    header = _merge(one.text.fields if one.text else {}, delivery.imported.fields, source)
    if one.text is None:
        header |= {"Translated_from": [source.lang], "Translated": [day.isoformat()]}
        header |= {"Translator": [by or "withheld"], "Status": ["draft"]}
    elif by:
        header["Translator"] = [by]
    lines = [f"{name}: {value}" for name, values in header.items() for value in values]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n\n" + delivery.imported.body, "utf-8", newline="\n")
    if not delivery.is_recent:  # it was made from another wording, of which only its own record may know
        return [path]
    basis = make_basis(source.lang, day, source.raw, survey.blocks_of(source), notes_of(one.article))
    unfinished = one.text is None or is_draft(one.text)
    return [path, *save_record(survey, one, Record(basis, one.claim if unfinished else None))]


def _merge(present: Mapping[str, Sequence[str]], fields: Mapping[str, str], source: Text) -> dict[str, list[str]]:
    """A header's values by name, as it is written: in the order that was there, with what came in its place."""
    values = {name: [" ".join(one.split()) for one in there] for name, there in present.items()}
    values |= {name: [" ".join(value.split())] for name, value in fields.items() if value.strip()}
    # A file without a title is no text.
    title = values.pop("title", [FIELD_MARK + " ".join(source.fields.get("title", ()))])
    return {"Title": title, **{name.capitalize(): value for name, value in values.items()}}


def find_changed(document: Document, changes: Iterable[Change]) -> set[int]:
    """The places, among a source's pieces, of the blocks that changed or came."""
    wanted = [_words_of(block) for change in changes if change.op in ("changed", "added") for block in change.new]
    found = set()
    for at, piece in enumerate(document.blocks):
        if (words := fold(tidy(piece.text))) in wanted:
            found.add(at)
            wanted.remove(words)
    return found


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
        for lang, text in ((delivery.source.lang, doubt.source), (delivery.one.lang, doubt.translation)):
            if text:
                yield f"    {lang}: \u2068{' '.join(text.split())}\u2069"
    for dropped in delivery.imported.dropped:
        yield f"left out: {dropped}"


def _read(survey: Survey, text: Text, names: Sequence[str]) -> Document:
    convert = make_converter(survey.inventory.settings["MARKDOWN"])
    return read_document(text.fields, text.body, convert, names)


def _tongue(language: Language) -> Tongue:
    return Tongue(language.tag, language.direction, language.name)


def _first(rendering: str) -> str:
    return rendering.split(";")[0].strip()
