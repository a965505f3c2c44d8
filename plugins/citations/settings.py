"""The plugin's settings, read once into a frozen record.

The fields of `Configuration` are the documentation: their names (upper case, prefixed
`CITATIONS_`), defaults and meaning. A test holds the README to this list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any

from .errors import ConfigurationError

PREFIX = "CITATIONS_"


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings of the plugin."""

    #: Keys (or slugs) of the authors that are organisations; the others are people.
    organisations: tuple[str, ...] = ()
    #: A picture that stands for the publisher: its address below the site's root.
    logo: str = ""
    #: Warn of a footnote with a web address and no day on which it was read.
    access_dates: bool = False


def read_configuration(settings: Mapping[str, Any]) -> Configuration:
    """Read the `CITATIONS_*` settings. Raises ConfigurationError for a wrong name or value."""
    known = {PREFIX + field.name.upper(): field.name for field in fields(Configuration)}
    stated = {name: value for name, value in settings.items() if name.startswith(PREFIX)}
    for name, value in stated.items():
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0) or sorted(known)
            raise ConfigurationError(name, value, f"unknown setting. Did you mean {near[0]!r}?")
    values = {known[name]: value for name, value in stated.items()}
    keys = values.get("organisations", ())
    if not isinstance(keys, (list, tuple, set, frozenset)) or not all(isinstance(key, str) for key in keys):
        raise ConfigurationError(PREFIX + "ORGANISATIONS", keys, "use a list of authors' keys, such as ('desk',)")
    values["organisations"] = tuple(keys)
    if not isinstance(values.get("logo", ""), str):
        raise ConfigurationError(PREFIX + "LOGO", values["logo"], 'use a path, or "" for none')
    if not isinstance(values.get("access_dates", False), bool):
        raise ConfigurationError(PREFIX + "ACCESS_DATES", values["access_dates"], "use True or False")
    return Configuration(**values)
