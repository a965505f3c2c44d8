"""Where "leave this page" leads: a dull page that anybody there might have open.

`EXIT_URL` is a variable of the site and, in `MULTILINGUAL_LANGUAGES`, of each language: what is unsuspicious and
reachable differs from country to country.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from .errors import ConfigurationError
from .settings import split_address

SETTING = "EXIT_URL"


def read_exits(settings: Mapping[str, Any]) -> dict[str, str]:
    """The exits that are stated, by the setting's full name. Raises ConfigurationError for one that is not safe."""
    exits = {SETTING: settings.get(SETTING) or ""}
    for tag, overrides in _languages(settings).items():
        exits[f"MULTILINGUAL_LANGUAGES[{tag!r}][{SETTING!r}]"] = overrides.get(SETTING) or ""
    own = urlsplit(str(settings.get("SITEURL", ""))).hostname
    for name, url in exits.items():
        if url:
            _check(name, url, own)
    return {name: url for name, url in exits.items() if url}


def languages_without_exit(settings: Mapping[str, Any]) -> list[str]:
    """The languages that have none of their own, on a site where any has one."""
    languages = _languages(settings)
    if not read_exits(settings):
        return []
    return [tag for tag, overrides in languages.items() if not overrides.get(SETTING)]


def _languages(settings: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    stated = settings.get("MULTILINGUAL_LANGUAGES")
    if not isinstance(stated, Mapping):
        return {}
    return {str(tag): overrides for tag, overrides in stated.items() if isinstance(overrides, Mapping)}


def _check(name: str, url: Any, own: str | None) -> None:
    if not isinstance(url, str) or re.search(r'[\s"<>\\]', url):
        raise ConfigurationError(name, url, "use an https address, without spaces and quotes")
    address = split_address(name, url)
    if address.scheme != "https" or not address.hostname:
        raise ConfigurationError(name, url, "use an absolute https address")
    if "@" in address.netloc:
        raise ConfigurationError(name, url, "leave out user and password")
    if address.hostname == own:
        raise ConfigurationError(name, url, "it leads back to this site: name another")
