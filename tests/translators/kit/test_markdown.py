"""What the writer of Markdown writes, Python-Markdown reads as the same pieces."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from translators.kit.document import CELL, Container, Piece, Span, tidy
from translators.kit.markdown import escape, read_markdown, write_inline, write_markdown

from tests.translators.kit.samples import CONVERT, body_of, sources

#: Characters that mean something to Markdown, letters of several scripts, joiners and marks.
LETTERS = "ab \u00a0\\`*_{}[]()<>#+-.!|:~=&;^'\"/1٢аяجی\u200cא中文é\u0301"
WORDS = st.text(LETTERS, max_size=14).map(lambda text: " ".join(text.split(" ")).strip(" \u00a0"))
LINES = st.sampled_from([
    "1. not a list", "۱. متن", "- neither", "+ this", "# no heading", "#", "> no quotation", "---", "***", "===",
    "~~~", "```", ": no definition", "    code?", "| a | b |", "[^1]: no note", "[a]: http://b", "*[HTML]: no",
    "&amp; &lt; &#33;", "<b>no</b>", "<!-- no -->", "</p>", "http://x.test/_a_b_", "snake_case_name", "_under_",
    "**no**", "`no`", "\\", "\\*", "![no](a.png)", "[no](b)", "a{: .c }", "{filename}/x.md", "!", "a\nb", "1.", "-",
    "///Footnotes Go Here///", "!!! note", "2 < 3 > 1", "a  b", "x^2^", "C#", "mail@example.org", "[TOC]",
])  # fmt: skip
TARGETS = st.sampled_from([
    "https://example.org/a_b*c", "{filename}/articles/en/x.md", "mailto:a@example.org", "https://example.org/(a)b",
    "#part", "/k/x/", "https://example.org/?q=a%20b&c=d",
])  # fmt: skip

KINDS = ["plain", "plain", "bold", "italic", "both", "code", "link", "lang", "note", "image"]


@st.composite
def spans(draw: st.DrawFn, labels: tuple[str, ...] = ()) -> tuple[Span, ...]:
    found: list[Span] = []
    for _ in range(draw(st.integers(1, 4))):
        text = draw(WORDS | LINES)
        kind = draw(
            st.sampled_from(["plain", "plain", "bold", "italic", "both", "code", "link", "lang", "note", "image"])
        )
        if kind == "note" and labels:
            found.append(Span(note=draw(st.sampled_from(labels))))
        elif kind == "image":
            found.append(Span(" ".join(text.split()), image="{static}/images/a.png"))
        elif kind == "code":
            found.append(Span(" ".join(text.split()).strip("\\`") or "x", code=True))
        elif text:
            found.append(
                Span(
                    text,
                    bold=kind in ("bold", "both"),
                    italic=kind in ("italic", "both"),
                    link=draw(TARGETS) if kind == "link" else "",
                    lang="ar" if kind == "lang" else "",
                )
            )
            if draw(st.booleans()):
                found.append(Span(draw(st.sampled_from([" ", ", ", "!", "a", " – "]))))
    return tidy(found) or (Span("x"),)


def order(piece: Piece) -> str:
    return piece.name if piece.kind == "note" else ""


def same(pieces: list[Piece]) -> None:
    written = write_markdown(pieces)
    # Python-Markdown numbers notes in lists after those of the paragraphs that follow; their order is its own.
    found = sorted(read_markdown(written, CONVERT).pieces, key=order)
    assert found == sorted(pieces, key=order), written


@given(spans())
def test_any_words_come_back(found: tuple[Span, ...]) -> None:
    kind = "figure" if len(found) == 1 and found[0].image else "paragraph"
    same([Piece(kind, found)])  # type: ignore[arg-type]


@given(spans(), st.integers(2, 6))
def test_headings_come_back(found: tuple[Span, ...], level: int) -> None:
    same([Piece("heading", found, level=level)])


@given(st.text(LETTERS, max_size=40))
def test_escaped_text_is_text(text: str) -> None:
    text = " ".join(text.split()).strip(" \u00a0")
    written = write_inline([Span(text)])
    assert "".join(piece.text for piece in read_markdown(written, CONVERT).pieces) == text


@st.composite
def documents(draw: st.DrawFn) -> list[Piece]:
    labels = ("one", "two-2", "3")
    pieces: list[Piece] = []
    used: list[str] = []

    def words() -> tuple[Span, ...]:
        found = draw(spans(labels))
        used.extend(span.note for span in found if span.note)
        return found if not found[0].image else (Span("x"), *found)

    def fill(within: tuple[Container, ...], most: int) -> None:
        for _ in range(draw(st.integers(1, most))):
            quoted = bool(within) and within[-1].kind == "quotation"
            kind = draw(st.sampled_from(["text", "text", "list", "numbered", "quotation", "code", "rule", "table"]))
            if kind in ("list", "numbered") and len(within) < 3:
                inner = (*within, Container(kind))  # type: ignore[arg-type]
                if pieces and len(pieces[-1].within) > len(within) and pieces[-1].within[: len(within)] == within:
                    pieces.append(Piece("quotation" if quoted else "paragraph", words(), within))
                for _ in range(draw(st.integers(1, 3))):
                    pieces.append(Piece("item", words(), inner))
                    if draw(st.integers(0, 3)) == 0:
                        fill(inner, 2)
            elif kind == "quotation" and len(within) < 2 and not quoted:
                pieces.append(Piece("paragraph", words(), within))
                fill((*within, Container("quotation")), 2)
            elif kind == "code" and not within:
                pieces.append(Piece("code", (Span("if a < b:\n    *c*\n\n`d` <e> [^f]"),), within, name="python"))
            elif kind == "rule" and not within:
                pieces.append(Piece("rule", (), within))
            elif kind == "table" and not within:
                for row in range(draw(st.integers(1, 3))):
                    cells = (*words(), Span(CELL), *words())
                    pieces.append(Piece("row", cells, within, int(not row), "--" if not row else ""))
            else:
                pieces.append(Piece("quotation" if quoted else "paragraph", words(), within))

    fill((), 5)
    for label in dict.fromkeys(used):
        pieces.append(Piece("note", draw(spans()), name=label))
        if draw(st.booleans()):
            pieces.append(Piece("note", draw(spans()), name=label))
    return pieces


@settings(max_examples=100)
@given(documents())
def test_documents_come_back(pieces: list[Piece]) -> None:
    same(pieces)


@pytest.mark.parametrize("path", sources(), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_sites_own_texts_come_back(path: Path) -> None:
    found = read_markdown(body_of(path), CONVERT)
    assert found.pieces
    assert read_markdown(write_markdown(found.pieces), CONVERT).pieces == found.pieces
    assert not found.lost


def test_ordinary_words_are_not_cluttered() -> None:
    text = "Art. 1(2), para. 3 – “so” (A/HRC/56/25), snake_case, 50 %, a-b, x > y."
    assert escape(text) == text


def test_what_pieces_cannot_hold_is_named() -> None:
    markdown = "H~2~O is <sub>2</sub>\n\nTerm\n:   definition\n"
    assert read_markdown(markdown, CONVERT).lost == ("definition lists", "subscript")


@pytest.mark.parametrize("pieces", [
    [Piece("paragraph", (Span("]: a", link="/x"),))],
    [Piece("paragraph", (Span(note="1"), Span(": a"))), Piece("note", (Span("b"),), name="1")],
    [Piece("item", (Span("a"),), (Container("list"),)),
     Piece("item", (Span("b"),), (Container("list"), Container("list"))),
     Piece("paragraph", (Span("c"),), (Container("list"), Container("list"))),
     Piece("item", (Span("d"),), (Container("list"),))],
])  # fmt: skip
def test_what_was_once_taken_for_something_else(pieces: list[Piece]) -> None:
    same(pieces)
