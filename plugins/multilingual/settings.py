"""The plugin's settings, read once into a frozen record.

The fields of `Configuration` are the documentation: their names (upper case, prefixed
`MULTILINGUAL_`), defaults and meaning. A test holds the README to this list.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from pelican.settings import DEFAULT_CONFIG, read_settings

from .errors import ConfigurationError, suggestion
from .languages import SETTING as LANGUAGES_SETTING
from .languages import Languages, read_languages

PREFIX = "MULTILINGUAL_"

#: Settings of Pelican that are read while an edition is written, so that an edition may
#: have its own. Everything else in Pelican is read once for the whole build.
PER_EDITION = frozenset(
    {
        "SITENAME",
        "SITESUBTITLE",
        "AUTHOR",
        "MENUITEMS",
        "LINKS",
        "SOCIAL",
        "DISPLAY_PAGES_ON_MENU",
        "DISPLAY_CATEGORIES_ON_MENU",
        "DEFAULT_PAGINATION",
        "DEFAULT_ORPHANS",
        "PAGINATED_TEMPLATES",
        "FEED_MAX_ITEMS",
        "RSS_FEED_SUMMARY_ONLY",
        "NEWEST_FIRST_ARCHIVES",
        "REVERSE_CATEGORY_ORDER",
        "SUMMARY_MAX_LENGTH",
        "SUMMARY_END_SUFFIX",
        "DATE_FORMATS",
        "DEFAULT_DATE_FORMAT",
    }
)
#: A whole address, such as that of another site: no pattern of this one's.
ELSEWHERE = re.compile(r"https?://")
#: Names that Pelican reads once though DEFAULT_CONFIG does not list them.
_ONCE = re.compile(r".*_(URL|SAVE_AS|PATH|PATHS)\Z|.*FEED.*\Z|TIMEZONE\Z|SITEURL\Z|" + PREFIX)


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """Pages for the values of one article attribute, in every edition.

    `attribute` names a list on each article whose items have `.key`, `.name(lang)` and
    `.slug(lang)`. `url` and `feed` are patterns with `{slug}` or `{key}`; `index` is the
    address of the page that lists them all. `paginate` is a number of articles or None.
    """

    attribute: str
    url: str
    template: str
    feed: str = ""
    paginate: int | None = None
    index: str = ""
    index_template: str = ""


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings of the plugin."""

    languages: Languages
    #: The default language has no prefix; the chooser moves from `/` to `/languages/`.
    default_at_root: bool = False
    #: Write the page on which a reader chooses a language.
    chooser: bool = True
    #: Write `/k/<key>/`, an article's address in no language.
    neutral: bool = True
    #: Write `/404.html`, which speaks every language, and one for each language.
    not_found: bool = True
    #: Where the sitemap is written; "" for none.
    sitemap: str = "sitemap.xml"
    #: Articles an edition has not got: "link" offers them in another language, or "hide".
    untranslated: str = "link"
    #: The same for pages.
    untranslated_pages: str = "link"
    #: Which languages are offered instead of a missing one, in order: {"uk": ["en"]}.
    fallback: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: Article attributes that get pages, feeds and an index in every edition.
    taxonomies: tuple[Taxonomy, ...] = ()
    #: The table of topics and authors, relative to PATH; "" for Pelican's own tags.
    terms: str = ""
    #: A file of `old new` addresses, relative to PATH; "" for none.
    redirects: str = ""
    #: Folders of `<lang>.po` files; None means `messages` in the theme.
    messages: tuple[str, ...] | None = None
    #: Write drafts. A production build does not.
    drafts: bool = True
    #: Leave out translations with problems instead of stopping.
    without_broken: bool = False
    #: CLDR's length of dates in text: "short", "medium", "long" or "full".
    date_format: str = "long"
    #: Further slugs that no article or page may have.
    reserved_slugs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is read once per Pelican object, however often it runs.

    `translation_ids` are the attributes by which the site itself ties translations together,
    `root` is the folder that problems name files from.
    """

    settings: dict[str, Any]
    configuration: Configuration
    translation_ids: dict[str, tuple[str, ...]]
    root: Path

    @property
    def public_url(self) -> str:
        """The site's own address, which the writer replaces by a relative one."""
        return str(self.settings["SITEURL"])


def load_settings(settings_file: Path, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Read a settings file. Raises ConfigurationError with the line that is wrong."""
    if not settings_file.is_file():
        raise ConfigurationError("settings", str(settings_file), "there is no such file")
    try:
        return dict(read_settings(str(settings_file), override=dict(overrides)))
    except ConfigurationError:
        raise
    except SyntaxError as error:
        where = f"{settings_file.name}:{error.lineno}"
        raise ConfigurationError(where, (error.text or "").strip(), f"{error.msg}") from error
    except Exception as error:
        line = traceback.extract_tb(error.__traceback__)[-1].lineno
        raise ConfigurationError(f"{settings_file.name}:{line}", type(error).__name__, f"{error}") from error


def read_configuration(settings: Mapping[str, Any]) -> Configuration | None:
    """Read the `MULTILINGUAL_*` settings; None when the plugin is not configured.

    Raises ConfigurationError for an unknown name, a value of the wrong kind, or an
    edition's override of something that is read once per build.
    """
    known = {PREFIX + f.name.upper(): f.name for f in fields(Configuration)}
    stated = {name: value for name, value in settings.items() if name.startswith(PREFIX)}
    for name, value in stated.items():
        if name not in known:
            raise ConfigurationError(name, value, "unknown setting. " + suggestion(name, known))
    if LANGUAGES_SETTING not in stated:
        return None

    values = {known[name]: value for name, value in stated.items()}
    for name in ("default_at_root", "chooser", "neutral", "not_found", "drafts", "without_broken"):
        _expect(values, name, bool, "use True or False")
    for name in ("sitemap", "terms", "redirects"):
        _expect(values, name, str, 'use a path, or "" for none')
    for name in ("untranslated", "untranslated_pages"):
        _expect_one_of(values, name, ("link", "hide"))
    _expect_one_of(values, "date_format", ("short", "medium", "long", "full"))

    languages = read_languages(
        values["languages"],
        settings["DEFAULT_LANG"],
        default_at_root=values.get("default_at_root", False),
    )
    _check_overrides(languages)
    values["languages"] = languages
    values["fallback"] = _read_fallback(values.get("fallback", {}), languages)
    values["taxonomies"] = _read_taxonomies(values.get("taxonomies", {}))
    for name in ("messages", "reserved_slugs"):
        if values.get(name) is not None:
            _expect(values, name, (list, tuple), "use a list of strings")
            if not all(isinstance(one, str) for one in values[name]):
                raise ConfigurationError(PREFIX + name.upper(), values[name], "use a list of strings")
            values[name] = tuple(values[name])
    return Configuration(**values)


def _expect(values: Mapping[str, Any], name: str, kind: Any, remedy: str) -> None:
    if name in values and not isinstance(values[name], kind):
        raise ConfigurationError(PREFIX + name.upper(), values[name], remedy)


def _expect_one_of(values: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> None:
    if name in values and values[name] not in allowed:
        choice = " or ".join(map(repr, allowed))
        raise ConfigurationError(PREFIX + name.upper(), values[name], f"use {choice}")


def _check_overrides(languages: Languages) -> None:
    for language in languages.values():
        for name, value in language.overrides.items():
            is_pattern = _ONCE.match(name) and not ELSEWHERE.match(str(value))
            read_once = name in DEFAULT_CONFIG or is_pattern or not name.isupper()
            if name not in PER_EDITION and read_once:
                raise ConfigurationError(
                    f"{LANGUAGES_SETTING}[{language.tag!r}][{name!r}]",
                    value,
                    "this is read once for the whole build. An edition may have its own "
                    + ", ".join(sorted(PER_EDITION))
                    + ", and variables of your own in capital letters",
                )


def _read_fallback(stated: Any, languages: Languages) -> dict[str, tuple[str, ...]]:
    setting = PREFIX + "FALLBACK"
    if not isinstance(stated, Mapping):
        raise ConfigurationError(setting, stated, "use a dict such as {'uk': ['en']}")
    fallback: dict[str, tuple[str, ...]] = {}
    for raw, offered in stated.items():
        tags = []
        if not isinstance(offered, (str, list, tuple)):
            raise ConfigurationError(f"{setting}[{raw!r}]", offered, "use a list of language tags")
        for one in (raw, *([offered] if isinstance(offered, str) else offered)):
            language = languages.find(str(one))
            if language is None:
                remedy = "not a language of this site. " + suggestion(str(one), languages)
                raise ConfigurationError(setting, one, remedy)
            tags.append(language.tag)
        fallback[tags[0]] = tuple(tags[1:])
    return fallback


def _read_taxonomies(stated: Any) -> tuple[Taxonomy, ...]:
    setting = PREFIX + "TAXONOMIES"
    if not isinstance(stated, Mapping):
        raise ConfigurationError(setting, stated, "map article attributes to their pages")
    known = {f.name for f in fields(Taxonomy)} - {"attribute"}
    taxonomies = []
    for attribute, options in stated.items():
        here = f"{setting}[{attribute!r}]"
        if not isinstance(options, Mapping):
            raise ConfigurationError(here, options, "use a dict with at least 'url' and 'template'")
        for name in options:
            if name not in known:
                raise ConfigurationError(here, name, "unknown option. " + suggestion(name, known))
        if "url" not in options or "template" not in options:
            raise ConfigurationError(here, options, "state at least 'url' and 'template'")
        for name in known & options.keys() - {"paginate"}:
            if not isinstance(options[name], str):
                raise ConfigurationError(f"{here}[{name!r}]", options[name], "use text")
        paginate = options.get("paginate")
        if paginate is not None and (type(paginate) is not int or paginate < 1):
            raise ConfigurationError(f"{here}['paginate']", paginate, "use a number of articles, or None")
        for name in ("url", "feed"):
            pattern = options.get(name, "")
            if pattern and "{slug}" not in pattern and "{key}" not in pattern:
                raise ConfigurationError(here, pattern, f"'{name}' needs {{slug}} or {{key}}")
        if bool(options.get("index")) != bool(options.get("index_template")):
            raise ConfigurationError(here, options, "'index' and 'index_template' go together")
        taxonomies.append(Taxonomy(attribute, **options))
    return tuple(taxonomies)
