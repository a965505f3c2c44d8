"""Languages: canonical tags, and what CLDR knows about each.

A tag is BCP 47 in canonical form (RFC 5646): `en`, `zh-Hans`, `pt-BR`. Validity is
checked against the IANA registry as packaged by `langcodes`; names, writing direction
and formats come from CLDR through Babel.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import langcodes
from babel import Locale, localedata
from babel.core import UnknownLocaleError
from langcodes.tag_parser import LanguageTagError

from .errors import ConfigurationError

SETTING = "MULTILINGUAL_LANGUAGES"
OWN_KEYS = ("name", "direction", "cldr")

# A tag as one could write it: `zh_hans` is forgiven, `farsi language` is not.
_WELL_FORMED = re.compile(r"[A-Za-z]{1,8}([-_][A-Za-z0-9]{1,8})*\Z")


@cache
def canonical_tag(raw: str) -> str:
    """Write a tag the way BCP 47 does: `zh_hans` → `zh-Hans`, `pt-br` → `pt-BR`.

    Raises ValueError for a tag that is malformed or not in the IANA registry.
    """
    if not isinstance(raw, str) or not _WELL_FORMED.match(raw):
        raise ValueError(f"{raw!r} is not a language tag")
    try:
        tag = langcodes.standardize_tag(raw.replace("_", "-"))
    except LanguageTagError as error:
        raise ValueError(f"{raw!r} is not a language tag") from error
    if not langcodes.tag_is_valid(tag):
        raise ValueError(f"{raw!r} is not in the IANA registry of language tags")
    return tag


@cache
def find_locale(tag: str) -> Locale | None:
    """Find the CLDR locale nearest to a tag, dropping subtags from the end.

    `fa-AF` → `fa_AF`, `de-1996` → `de`; None when CLDR has nothing on the language.
    """
    subtags = tag.split("-")
    while subtags:
        try:
            return _with_own_data(Locale.parse("_".join(subtags)))
        except (UnknownLocaleError, ValueError):
            subtags.pop()
    return None


def _with_own_data(locale: Locale) -> Locale:
    """Part a locale's data from what Babel shares between locales.

    Babel 2.18 resolves references inside the shared data, so that the first language to
    name a month would name it for those that refer to their own names as well.
    """
    data = localedata.load(str(locale))
    data.update(_part(data))
    return locale


def _part(value: Any) -> Any:
    """Copy the dictionaries, which Babel writes into; the rest, most of the data, it never changes."""
    if isinstance(value, dict):
        return {key: _part(one) if isinstance(one, dict | tuple) else one for key, one in value.items()}
    return tuple(map(_part, value)) if type(value) is tuple else value


def nearest_tags(tag: str) -> Iterator[str]:
    """The tag, then ever shorter ones: `zh-Hans-SG`, `zh-Hans`, `zh`."""
    subtags = tag.split("-")
    while subtags:
        yield "-".join(subtags)
        subtags.pop()


@dataclass(frozen=True, slots=True)
class Language:
    """One language of the site.

    `name` is its own name for itself, `direction` is "ltr" or "rtl", `script` an ISO 15924
    code, `locale` the CLDR data that formats its dates and numbers, `prefix` what its
    addresses begin with ("fa/", or "" at the root), `overrides` its edition's settings.
    """

    tag: str
    name: str
    direction: str
    script: str
    locale: Locale
    prefix: str
    overrides: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.tag

    @property
    def with_territory(self) -> str:
        """Language and territory, `fa_IR`: what Open Graph calls a locale.

        The territory is that of the CLDR data in use, else CLDR's likeliest; none is made up
        for a language of no country.
        """
        likeliest = langcodes.Language.get(self.tag).maximize()
        own = self.locale.territory if self.locale.language == likeliest.language else None
        territory = own or likeliest.territory or ""
        return f"{likeliest.language}_{territory}" if territory.isalpha() else str(likeliest.language)


class Languages(Mapping[str, Language]):
    """The site's languages in the order of the setting, found by any spelling of a tag."""

    def __init__(self, languages: Mapping[str, Language], default: str) -> None:
        self._languages = dict(languages)
        self.default = self._languages[default]

    def __getitem__(self, tag: str) -> Language:
        return self._languages[tag]

    def __iter__(self) -> Iterator[str]:
        return iter(self._languages)

    def __len__(self) -> int:
        return len(self._languages)

    def find(self, raw: str) -> Language | None:
        """The configured language a spelling means, or None."""
        try:
            return self._languages.get(canonical_tag(raw.strip()))
        except ValueError:
            return None


def read_languages(configured: Mapping[str, Mapping[str, Any]], default: str, *, default_at_root: bool) -> Languages:
    """Make the languages of the site from the setting.

    Raises ConfigurationError for a bad tag, a tag given twice, a language CLDR does not
    know and that is not described, or a default that is none of them.
    """
    if not isinstance(configured, Mapping) or not configured:
        raise ConfigurationError(SETTING, configured, "map at least one language tag to its overrides, e.g. {'en': {}}")
    try:
        default_tag = canonical_tag(default)
    except ValueError as error:
        raise ConfigurationError("DEFAULT_LANG", default, f"{error}") from error

    languages: dict[str, Language] = {}
    for raw, overrides in configured.items():
        try:
            tag = canonical_tag(raw)
        except ValueError as error:
            raise ConfigurationError(SETTING, raw, f"{error}; use a BCP 47 tag") from error
        if tag in languages:
            raise ConfigurationError(SETTING, raw, f"{tag} is there twice; remove one")
        if not isinstance(overrides, Mapping):
            raise ConfigurationError(SETTING, {raw: overrides}, "the value must be a dict")
        prefix = "" if default_at_root and tag == default_tag else f"{tag}/"
        languages[tag] = _describe(tag, overrides, prefix)
    if default_tag not in languages:
        raise ConfigurationError("DEFAULT_LANG", default, f"name one of the languages: {', '.join(languages)}")
    return Languages(languages, default_tag)


def _describe(tag: str, overrides: Mapping[str, Any], prefix: str) -> Language:
    stated = {key: overrides[key] for key in OWN_KEYS if key in overrides}
    setting = f"{SETTING}[{tag!r}]"
    for key, value in stated.items():
        if not isinstance(value, str) or not value:
            raise ConfigurationError(setting, value, f"{key!r} must be text")
    known = find_locale(tag)
    if known is None and len(stated) < len(OWN_KEYS):
        raise ConfigurationError(
            setting,
            dict(overrides),
            "CLDR does not know this language; state 'name', 'direction' and 'cldr' "
            "(the tag whose date and number formats it uses)",
        )
    locale = find_locale(stated["cldr"]) if "cldr" in stated else known
    if locale is None:
        raise ConfigurationError(setting, stated["cldr"], "'cldr' must be a tag CLDR knows")
    direction = stated.get("direction", locale.text_direction)
    if direction not in ("ltr", "rtl"):
        raise ConfigurationError(setting, direction, "'direction' must be 'ltr' or 'rtl'")
    return Language(
        tag=tag,
        name=stated.get("name") or own_name(tag, locale),
        direction=direction,
        script=langcodes.Language.get(tag).maximize().script or "Zyyy",
        locale=locale,
        prefix=prefix,
        overrides={key: value for key, value in overrides.items() if key not in OWN_KEYS},
    )


def own_name(tag: str, locale: Locale) -> str:
    """What a language calls itself, as a heading: `Русский`, `简体中文`, `فارسی`."""
    name = locale.languages.get(tag.replace("-", "_")) or locale.get_display_name() or tag
    return name[:1].upper() + name[1:]
