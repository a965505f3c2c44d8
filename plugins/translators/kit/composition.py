"""What stands in a kit, whatever file it becomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from .counterparts import Counterparts, State
from .document import Document, Piece, Span
from .notation import show, targets_of

#: What the page says about each kind; the theme's catalogue may have them in the translator's language.
LABELS = {
    "title": "Title",
    "summary": "Summary",
    "slug": "Words for the page’s web address (optional)",
    "image_alt": "Description of the picture",
    "image_caption": "Caption of the picture",
    "image_credit": "Credit of the picture",
    "tab_title": "Short title, for the browser’s tab",
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
    "A number in brackets, [3], is a note: put it where it belongs in your sentence. The notes themselves stand at the "
    "end, each with its number.",
    "A line | between words parts the cells of a table: keep it.",
    "Make words bold or italic as they are in the text. Other formats, comments and pictures are not taken over.",
    "Do not add or remove rows, and do not change the first line: they tell us where your text belongs.",
    "Your name is not needed, and we take nothing from the file but the text.",
)
#: Programs other than browsers write it.
DOCX_INSTRUCTION = (
    "Your program may have written your name into the file. Take it out before you send it: in LibreOffice, choose "
    "“File”, “Properties”, clear “Apply user data”, click “Reset Properties”, and save; in Word, choose “File”, "
    "“Info”, “Check for Issues”, “Inspect Document”, remove document properties and personal information, and save. "
    "Comments and tracked changes have your name as well: do without them. If it is dangerous for you to be known, "
    "send the file in a way that does not show who you are."
)
HTML_INSTRUCTION = (
    "If you have a word processor, ask for the .docx file: what you write there is not lost so easily. In this page, "
    "click into the last column and write. Then save the page with your browser (Ctrl+S, “Web page, complete”), open "
    "the saved file to see that your text is in it, and send us that file. Your text is lost if you close the page "
    "before. The browser may write into the file in which folder the page lay: choose one whose path does not name you."
)
TEXTS = {
    "changed": "Changed since this translation: please renew it.",
    "unchanged": "Translated.",
    "doubtful": "Perhaps the translation of this text: please compare them.",
    "source": "Text: %(language)s",
    "translation": "Translation: %(language)s",
    "glossary": "Words that our texts translate in the same way",
    "instructions": "How to use this file",
}
#: All that a kit says, for whoever looks whether it is translated.
MESSAGES = (*LABELS.values(), *INSTRUCTIONS, DOCX_INSTRUCTION, HTML_INSTRUCTION, *TEXTS.values())


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
    """A block of the source and its present translation, if it has one; `number` counts from 1.

    `note` is the number by which the text calls it, if it is a note.
    """

    number: int
    label: str
    source: Piece
    shown: tuple[Span, ...]
    present: tuple[Span, ...] = ()
    state: State = "unchanged"
    note: int = 0


@dataclass(frozen=True, slots=True)
class Kit:
    """A text to translate; `habits` are those of the target language, in whatever language they are told.

    `revision` is the SHA-256 of the source file's bytes, as in a record; `present` that of the translation's, or "".
    `say` translates a sentence of ours into the target language, and returns it unchanged where nobody has.
    """

    key: str
    source: Tongue
    target: Tongue
    revision: str
    present: str
    rows: tuple[Row, ...]
    terms: tuple[Term, ...] = ()
    habits: tuple[str, ...] = ()
    say: Callable[[str], str] = str

    @property
    def identity(self) -> str:
        """The line by which the file is known when it comes back."""
        present = f" · {self.present[:16]}" if self.present else ""
        return f"{self.key} · {self.source.lang} → {self.target.lang} · {self.revision}{present}"

    def name(self, ending: str) -> str:
        """The file's name, which says nothing about anybody."""
        return f"{self.key}-{self.target.lang}.{ending}"

    def heading(self, name: str) -> tuple[str, str, Tongue]:
        """What stands before and behind a language's name at the head of its column, and in which language."""
        said, tongue = self.tongue_of(TEXTS[name])
        before, _, behind = said.partition("%(language)s")
        return before, behind, tongue

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
    counterparts: Counterparts = Counterparts(),  # noqa: B008 - nobody can change it
    present: str = "",
    terms: Iterable[Term] = (),
    habits: Iterable[str] = (),
    say: Callable[[str], str] = str,
) -> Kit:
    """Lay a text out for its translation; `counterparts` is the translation that exists, `present` its SHA-256."""
    rows = []
    for place, piece in enumerate(document.blocks):
        now = counterparts.beside.get(place)
        name = piece.name if piece.kind == "field" else piece.kind
        rows.append(
            Row(
                0,
                LABELS.get(name, name),
                piece,
                show(piece, document.labels, piece.links),
                show(now.piece, document.labels, targets_of(piece, now.piece)) if now else (),
                now.state if now else "unchanged",
                document.labels.index(piece.name) + 1 if piece.kind == "note" else 0,
            )
        )
    rows.insert(slug_row(document) - 1, Row(0, LABELS["slug"], Piece("field", name="slug"), (), counterparts.slug))
    numbered = tuple(replace(row, number=number) for number, row in enumerate(rows, 1))
    return Kit(key, source, target, revision, present, numbered, tuple(terms), tuple(habits), say)


def slug_row(document: Document) -> int:
    """The number of the row for the slug, which stands after the fields; those after it count one more."""
    return 1 + sum(piece.kind in ("title", "summary", "field") for piece in document.blocks)
