"""What stands in a kit, whatever file it becomes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

from .alignment import align
from .document import Document, Piece, Span
from .notation import show, targets_of

#: The header's fields that are translated, beside title and summary, and those that a translation may have.
SOURCE_FIELDS = ("image_alt", "image_caption")
TARGET_FIELDS = ("slug", *SOURCE_FIELDS)
#: What the page says about each kind; the theme's catalogue may have them in the translator's language.
LABELS = {
    "title": "Title",
    "summary": "Summary",
    "slug": "Address (optional)",
    "image_alt": "Description of the picture",
    "image_caption": "Caption of the picture",
    "heading": "Heading",
    "paragraph": "Paragraph",
    "item": "List item",
    "row": "Table row",
    "quotation": "Quotation",
    "figure": "Picture",
    "code": "Code: stays as it is",
    "note": "Note",
}
INSTRUCTIONS = (
    "Write the translation of each paragraph beside it, in the last column. Leave empty what you have not translated.",
    "Words in brackets with a number, [words](1), are a link: translate the words, keep the brackets and the number.",
    "A number in brackets, [3], is a note: put it where it belongs in your sentence. The notes stand at the end.",
    "A line | between words parts the cells of a table: keep it.",
    "Make words bold or italic as they are in the text. Other formats, comments and pictures are not taken over.",
    "Do not add or remove rows, and do not change the first line: they tell us where your text belongs.",
    "Your name is not needed, and we take nothing from the file but the text. Your program may still write your name "
    "into the file: if that is a danger to you, send it in a way that does not show who you are.",
)
HTML_INSTRUCTION = (
    "If you have a word processor, ask for the .docx file: it is safer to fill in. In this page, click into the last "
    "column and write. Then save the page with your browser (Ctrl+S, “Web page, complete”), open the saved file to "
    "see that your text is in it, and send us that file. Your text is lost if you close the page before."
)
TEXTS = {
    "changed": "Changed since this translation: please renew it.",
    "unchanged": "Translated.",
    "source": "Text",
    "translation": "Translation",
    "glossary": "Words that our texts translate in the same way",
    "instructions": "How to use this file",
}
#: All that a kit says, for whoever looks whether it is translated.
MESSAGES = (*LABELS.values(), *INSTRUCTIONS, HTML_INSTRUCTION, *TEXTS.values())


@dataclass(frozen=True, slots=True)
class Tongue:
    """A language as a file states it: its tag, its direction (ltr or rtl) and its own name."""

    lang: str
    direction: str
    name: str


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the glossary in both languages, and a remark."""

    term: str
    rendering: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A block of the source and its present translation, if it has one; `number` counts from 1."""

    number: int
    label: str
    source: Piece
    shown: tuple[Span, ...]
    present: tuple[Span, ...] = ()
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Kit:
    """A text to translate. `revision` is the SHA-256 of the source file's bytes, as in a record.

    `say` translates a sentence of ours into the target language, and returns it unchanged where nobody has.
    """

    key: str
    source: Tongue
    target: Tongue
    revision: str
    rows: tuple[Row, ...]
    terms: tuple[Term, ...] = ()
    say: Callable[[str], str] = str

    @property
    def identity(self) -> str:
        """The line by which the file is known when it comes back."""
        return f"{self.key} · {self.source.lang} → {self.target.lang} · {self.revision[:16]}"

    def name(self, ending: str) -> str:
        """The file's name, which says nothing about anybody."""
        return f"{self.key}-{self.target.lang}.{ending}"

    def tongue_of(self, text: str) -> tuple[str, Tongue]:
        """A sentence of ours in the target language, else in English, with the language it is in."""
        said = self.say(text)
        english = Tongue("en", "ltr", "English")
        return said, english if said == text and self.target.lang != "en" else self.target


def compose_kit(
    key: str,
    source: Tongue,
    target: Tongue,
    revision: str,
    document: Document,
    present: Document | None = None,
    changed: Collection[int] = (),
    terms: Iterable[Term] = (),
    say: Callable[[str], str] = str,
) -> Kit:
    """Lay a text out for its translation.

    `document` is read with SOURCE_FIELDS, `present`, the translation that exists, with TARGET_FIELDS; `changed` are the
    places, among `document.blocks`, of those that changed since.
    """
    translated = pair_with(document, present) if present else {}
    rows = []
    for place, piece in enumerate(document.blocks):
        now = translated.get(place)
        rows.append(
            Row(
                0,
                LABELS[piece.name if piece.kind == "field" else piece.kind],
                piece,
                show(piece, document.labels, piece.links),
                show(now, document.labels, targets_of(piece, now)) if now else (),
                place in changed and now is not None,
            )
        )
    slugs = [piece.spans for piece in (present.pieces if present else ()) if piece.name == "slug"]
    slug = Row(0, LABELS["slug"], Piece("field", name="slug"), (), slugs[0] if slugs else ())
    rows.insert(slug_row(document) - 1, slug)
    numbered = tuple(replace(row, number=number) for number, row in enumerate(rows, 1))
    return Kit(key, source, target, revision, numbered, tuple(terms), say)


def slug_row(document: Document) -> int:
    """The number of the row for the slug, which stands after the fields; those after it count one more."""
    return 1 + sum(piece.kind in ("title", "summary", "field") for piece in document.blocks)


def pair_with(document: Document, present: Document) -> dict[int, Piece]:
    """What stands now beside each block of the source, by its place; two blocks become one with a line between."""
    shown = tuple(piece for piece in present.blocks if piece.name != "slug")
    blocks = document.blocks
    found = {}
    for pair in align(blocks, shown):
        if len(pair.source) == 1 and pair.target:
            spans = list(shown[pair.target[0]].spans)
            for place in pair.target[1:]:
                spans += [Span("\n"), *shown[place].spans]
            found[pair.source[0]] = replace(blocks[pair.source[0]], spans=tuple(spans))
    return found
