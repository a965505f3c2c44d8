"""Words, in any script: counting them, and what differs between two wordings."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Literal

Difference = Literal["same", "removed", "added"]

_KANA = "\u3040-\u30ff\u31f0-\u31ff"
_IDEOGRAPHS = "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_HAN = _IDEOGRAPHS + _KANA
# Arabic vowels, Devanagari signs and the like belong to the letter before them, and `\w` does not know them.
_MARKS = "".join(sign for sign in map(chr, range(0x300, 0xAC00)) if unicodedata.category(sign)[0] == "M")
_MARKS += "\u200c\u200d"
_LETTER = rf"[^\W_{_HAN}]|[{_MARKS}]"
#: A note's call; a Chinese character, however many of them make a word; a number with its separators; a word with its
#: marks, apostrophes and hyphens; spaces; any other sign.
_WORD = re.compile(
    rf"\[\^[^\]\s]+\]|[{_HAN}]|\d+(?:[.,٫٬’'\u00a0\u202f/-]\d+)*|(?:{_LETTER})+(?:[’'ʼ\u2011-](?:{_LETTER})+)*|\s+|."
)
#: Languages that put no space between words: a sign with its marks is as near as one gets without a dictionary.
_UNSPACED = frozenset({"th", "lo", "km", "my", "dz", "bo"})
_CLUSTER = re.compile(rf"\[\^[^\]\s]+\]|\d+|[A-Za-z]+|\s+|.[{_MARKS}]*")
#: Where no spaces part words, signs are counted, and what one is of a word, in twentieths: five Chinese characters are
#: three words (the measure of our texts that exist in Chinese and English), five kana two, and four letters one
#: in the scripts of Thai, Lao, Tibetan, Burmese and Khmer. Without a dictionary for each there is no closer count.
_INDOCHINA = "\u0e00-\u109f\u1780-\u17ff\ua9e0-\ua9ff\uaa60-\uaa7f"
_SHARES = (
    (re.compile(rf"[{_IDEOGRAPHS}]"), 12),
    (re.compile(rf"[{_KANA}]"), 8),
    (re.compile(rf"(?=[^\W\d_])[{_INDOCHINA}]"), 5),
)
_PACKED = re.compile(rf"[{_HAN}{_INDOCHINA}]")
_SPOKEN = re.compile(r"[^\W_]\S*")
# What is not translated in the source of a Markdown file: tags, addresses that stand alone, the labels of notes.
_SILENT = re.compile(r"<[^>]*>|\[\^[^\]]*\]:?")


def split_words(text: str, lang: str = "") -> list[str]:
    """Part text into words, spaces and signs; joined they are the text again."""
    return (_CLUSTER if lang.split("-")[0] in _UNSPACED else _WORD).findall(text)


def count_words(text: str) -> int:
    """How many words there are to translate, about; where no spaces part them, by what they are long on average."""
    text = _SILENT.sub(" ", text)
    shares = 0
    for sign, share in _SHARES if _PACKED.search(text) else ():  # to look for each takes three times as long
        text, found = sign.subn(" ", text)
        shares += found * share
    return -(-shares // 20) + len(_SPOKEN.findall(text))


def word_diff(old: str, new: str, lang: str = "") -> Sequence[tuple[Difference, str]]:
    """What became of a wording: pieces that stayed, went and came, in reading order.

    The pieces that are not "added" joined are the old text, those not "removed" the new one.
    """
    before, after = split_words(old, lang), split_words(new, lang)
    pieces: list[tuple[Difference, str]] = []
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces.append(("same", "".join(before[a:b])))
        else:
            pieces += [("removed", "".join(before[a:b]))] if a < b else []
            pieces += [("added", "".join(after[c:d]))] if c < d else []
    return _without_islands(pieces)


def _without_islands(pieces: list[tuple[Difference, str]]) -> list[tuple[Difference, str]]:
    """Draw a space that alone stayed between two changed words into the change: whole phrases read better."""
    merged: list[tuple[Difference, str]] = []
    removed, added = "", ""

    def close() -> None:
        nonlocal removed, added
        if removed:
            merged.append(("removed", removed))
        if added:
            merged.append(("added", added))
        removed, added = "", ""

    for place, (what, text) in enumerate(pieces):
        if what == "removed":
            removed += text
        elif what == "added":
            added += text
        elif text.isspace() and removed and added and place + 1 < len(pieces):
            removed, added = removed + text, added + text
        else:
            close()
            merged.append((what, text))
    close()
    return merged
