"""How long a text takes to read.

Speeds are those of the IReST study, in which the same texts were read in 17 languages: S. Trauzettel-Klosinski,
K. Dietz, "Standardized Assessment of Reading Performance: The New International Reading Speed Texts IReST",
Investigative Ophthalmology & Visual Science 53 (2012), 5452-5461. They were read aloud, so whoever reads silently
is done sooner.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

#: Words a minute.
_WORDS = {
    "ar": 138, "de": 179, "en": 228, "es": 218, "fi": 161, "fr": 195, "he": 187, "it": 188, "nl": 202, "pl": 166,
    "pt": 181, "ru": 184, "sl": 180, "sv": 199, "tr": 166,
}  # fmt: skip
#: The mean of the 17 languages, for all others that part their words.
_OTHER_WORDS = 184
#: Characters a minute, where words are not parted. Thai, Lao, Khmer, Burmese and Tibetan were not studied: their
#: letters stand for sounds, and the 14 alphabets in the study took 68 ms a character.
_CHARACTERS = {"zh": 255, "yue": 255, "ja": 357} | dict.fromkeys(("th", "lo", "km", "my", "bo", "dz"), 60_000 / 68)
#: Thai, Lao, Tibetan, Burmese, Khmer, kana, and Chinese characters; no punctuation.
_UNPARTED = re.compile(
    "[\u0e01-\u0e4e\u0e81-\u0ecd\u0f40-\u0fbc\u1000-\u1049\u1780-\u17d3"
    "\u3005-\u3007\u3041-\u3096\u30a1-\u30fa\u30fc\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_WORD = re.compile(r"\w\S*+")
#: A word of another script among those: punctuation, which has no space behind it either, ends it.
_WORD_AMONG_THEM = re.compile(r"\w[\w'’./-]*+")


def reading_minutes(words: str, lang: str, speeds: Mapping[str, float]) -> int:
    """Whole minutes, at least one, for a text without markup.

    `speeds` take precedence, by language tag or its first part: words a minute, or characters where `lang` is
    written without spaces. In such a text, a word of another script counts as a word.
    """
    tag = lang.replace("_", "-").lower()
    first = tag.partition("-")[0]
    stated = speeds.get(tag, speeds.get(first))
    if first in _CHARACTERS:
        rest, characters = _UNPARTED.subn(" ", words)
        minutes = characters / (stated or _CHARACTERS[first]) + len(_WORD_AMONG_THEM.findall(rest)) / _OTHER_WORDS
    else:
        minutes = len(_WORD.findall(words)) / (stated or _WORDS.get(first, _OTHER_WORDS))
    return max(1, round(minutes))
