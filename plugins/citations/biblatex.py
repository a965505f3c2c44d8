"""A reference for LaTeX: one `@online` entry of biblatex (its manual, section 2.1.1), in UTF-8."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from .reference import Author, Reference

_BREAKS = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")
_SPECIALS = {
    "\\": r"\textbackslash{}",
    # Not \{ and \}: BibTeX counts braces, with or without a backslash.
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    '"': r"\textquotedbl{}",  # active in several languages of babel
}
_SPECIAL = re.compile("[" + re.escape("".join(_SPECIALS)) + "]")
#: Pairs that TeX's fonts make one character of.
_LIGATURE = re.compile(r"(?<=-)(?=-)|(?<=')(?=')|(?<=[`!?])(?=`)|(?<=<)(?=<)|(?<=>)(?=>)|(?<=,)(?=,)")
_SEVERAL_NAMES = re.compile(r"\band\b|,", re.IGNORECASE)

#: The names of the languages that biblatex has its own texts for (its files *.lbx).
_LANGIDS = {
    "bg": "bulgarian", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "de-AT": "austrian",
    "el": "greek", "en": "english", "en-GB": "british", "en-US": "american", "es": "spanish", "et": "estonian",
    "eu": "basque", "fi": "finnish", "fr": "french", "gl": "galician", "hr": "croatian", "hu": "hungarian",
    "is": "icelandic", "it": "italian", "lt": "lithuanian", "lv": "latvian", "nb": "norsk", "nl": "dutch",
    "nn": "nynorsk", "pl": "polish", "pt": "portuguese", "pt-BR": "brazilian", "ro": "romanian", "ru": "russian",
    "sk": "slovak", "sl": "slovene", "sr": "serbian", "sv": "swedish", "tr": "turkish", "uk": "ukrainian",
}  # fmt: skip


def write_biblatex(reference: Reference, translate: Callable[[str], str] = str) -> str:
    """The entry as text. `translate` gives the theme's messages in the article's language."""
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in _fields(reference, translate))
    return f"@online{{{_entry_key(reference)},\n{lines}}}\n"


def escape(text: str) -> str:
    """Text that LaTeX sets as it is written here, on one line, its braces balanced."""
    text = _LIGATURE.sub("\0", _BREAKS.sub(" ", text).strip(" "))
    return _SPECIAL.sub(lambda found: _SPECIALS[found[0]], text).replace("\0", "{}")


def find_langid(lang: str) -> str:
    """The name biblatex has for a language (BCP 47), "" where it has none."""
    return _LANGIDS.get(lang) or _LANGIDS.get(lang.split("-")[0], "")


def _entry_key(reference: Reference) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", reference.key).strip("-") or "article"


def _fields(reference: Reference, translate: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    if reference.authors:
        yield "author", " and ".join(_name(author) for author in reference.authors)
    # A second pair of braces keeps the capitals, and a name with "and" in it one name.
    yield "title", f"{{{escape(reference.title)}}}"
    if reference.translator:
        yield "translator", _name(Author(reference.translator, is_organisation=False))
    yield "organization", f"{{{escape(reference.publication)}}}"
    yield "date", reference.published.isoformat()
    yield "language", escape(reference.lang)
    if langid := find_langid(reference.lang):
        yield "langid", langid
    if reference.original_lang:
        yield "origlanguage", find_langid(reference.original_lang) or escape(reference.original_lang)
    if reference.original_title:
        yield "origtitle", f"{{{escape(reference.original_title)}}}"
    if reference.original_published:
        yield "origdate", reference.original_published.isoformat()
    # Fields for an address are verbatim: nothing in them is escaped.
    if reference.url:
        yield "url", reference.url
    if reference.neutral_url:
        yield "addendum", rf"\url{{{reference.neutral_url}}}"
    changed = f" ({reference.changed.isoformat()})" if reference.changed else ""
    yield "version", reference.revision + changed
    if reference.retracted:
        yield "note", escape(f"{translate('Retracted')}, {reference.retracted.isoformat()}")


def _name(author: Author) -> str:
    name = escape(author.name)
    return f"{{{name}}}" if author.is_organisation or _SEVERAL_NAMES.search(name) else name
