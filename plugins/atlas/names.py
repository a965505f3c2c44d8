"""What countries are called: ISO 3166-1 codes, and names from CLDR through Babel.

CLDR also names territories that are no country of ISO 3166-1; these are left out. Kosovo
has no code of ISO's own and stands under XK, as in CLDR and in the practice of the EU.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

from babel import Locale
from babel.core import UnknownLocaleError, get_global

#: Two-letter territories of CLDR beyond ISO 3166-1: reserved codes, unions, pseudo-locales.
_NO_COUNTRY = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}
#: What is asked when a text is missing in a language.
_LAST_RESORT = "en"


@cache
def country_codes() -> frozenset[str]:
    """Every code of ISO 3166-1 alpha-2, and XK."""
    territories = map(str, Locale.parse("en").territories)
    return frozenset(code for code in territories if len(code) == 2 and code.isalpha()) - _NO_COUNTRY


def shorten(tag: str) -> Iterator[str]:
    """The tag, then ever shorter ones: `zh-Hans-SG`, `zh-Hans`, `zh`."""
    while tag:
        yield tag
        tag = tag.rpartition("-")[0]


@cache
def find_locale(tag: str) -> Locale | None:
    """The CLDR locale nearest to a BCP 47 tag: `zh-Hans-SG` → zh_Hans_SG; None for a language unknown to CLDR."""
    for shorter in shorten(tag):
        try:
            return Locale.parse(shorter.replace("-", "_"))
        except (UnknownLocaleError, ValueError):
            continue
    return None


class Texts:
    """A text in several languages; a missing one falls back, and tells which language it is in."""

    __slots__ = ("_texts",)

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = dict(texts)

    def __contains__(self, lang: object) -> bool:
        return isinstance(lang, str) and any(tag in self._texts for tag in shorten(lang))

    def __bool__(self) -> bool:
        return bool(self._texts)

    def find(self, lang: str) -> tuple[str, str]:
        """The text for a language and the language it really is in; both "" where there is no text at all."""
        for tag in shorten(lang):
            if tag in self._texts:
                return self._texts[tag], lang
        for tag in (_LAST_RESORT, *self._texts):
            if tag in self._texts:
                return self._texts[tag], tag
        return "", ""


@dataclass(frozen=True)
class Names:
    """What countries are called: the table's own names first, then CLDR's.

    `locales` are those that the site's languages use; any other tag is looked up in CLDR.
    """

    own: Mapping[str, Texts]
    locales: Mapping[str, Locale]

    def find(self, code: str, lang: str) -> tuple[str, str]:
        """The name of a country and the language it really is in."""
        own = self.own.get(code, Texts({}))
        if lang in own:
            return own.find(lang)
        locale = self.locales.get(lang) or find_locale(lang)
        if locale is not None and code in locale.territories:
            # A language that CLDR does not know may borrow another's formats, and with these its names.
            is_own = locale.language == lang.split("-")[0] or locale == find_locale(lang)
            return str(locale.territories[code]), lang if is_own else str(locale).replace("_", "-")
        if own:
            return own.find(lang)
        return str(Locale.parse(_LAST_RESORT).territories.get(code, code)), _LAST_RESORT

    def remedy(self, text: str, lang: str, preferred: Iterable[str] = ()) -> str:
        """What to tell somebody who wrote a text that is no country's code."""
        near = [f"{code!r} ({self.find(code, _LAST_RESORT)[0]})" for code in self.suggest(text, lang, preferred)]
        if near:
            return f"Did you mean {' or '.join(near)}?"
        return "Write two letters of ISO 3166-1, such as RU; Kosovo is XK."

    def suggest(self, text: str, lang: str, preferred: Iterable[str] = ()) -> list[str]:
        """The codes that somebody may have meant who wrote a name, another code or a slip.

        `preferred` are the codes that are likely; they win over others that are as near.
        """
        alias = get_global("territory_aliases").get(text.upper(), [])
        if len(alias) == 1 and alias[0] in country_codes():
            return [str(alias[0])]  # UK, RUS, 643
        likely = list(preferred)
        if len(text) == 2 and text.isascii():
            turned = text[::-1].upper()
            return [turned] if turned in likely else [code for code in likely if code[0] == text[0].upper()][:3]
        codes: dict[str, str] = {}
        for code in (*likely, *sorted(country_codes())):
            for name in self._all_names(code, lang):
                codes.setdefault(name.casefold(), code)
        return [codes[name] for name in get_close_matches(text.casefold(), codes, n=1, cutoff=0.7)]

    def _all_names(self, code: str, lang: str) -> Iterator[str]:
        for tag in (lang, _LAST_RESORT):
            yield self.find(code, tag)[0]
            locale = find_locale(tag)
            if locale is not None and code in locale.territories:
                # CLDR writes what else a country is called in brackets: "Myanmar (Burma)".
                yield from str(locale.territories[code]).removesuffix(")").split(" (")
