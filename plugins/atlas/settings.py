"""The plugin's settings, read into a frozen record.

The fields of `Configuration` are the documentation: their names (upper case, prefixed
`ATLAS_`), defaults and meaning. A test holds the README to this list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any

from .errors import ConfigurationError

PREFIX = "ATLAS_"


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings of the plugin."""

    #: The table of regions and countries, relative to PATH; "" for no atlas at all.
    file: str = ""


def read_configuration(settings: Mapping[str, Any]) -> Configuration:
    """Read the `ATLAS_*` settings. Raises ConfigurationError for an unknown name or a value of the wrong kind."""
    known = {PREFIX + field.name.upper(): field.name for field in fields(Configuration)}
    stated = {name: value for name, value in settings.items() if name.startswith(PREFIX)}
    for name, value in stated.items():
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0) or list(known)
            raise ConfigurationError(name, value, f"unknown setting. Did you mean {near[0]!r}?")
        if not isinstance(value, str):
            raise ConfigurationError(name, value, 'use a path, or "" for none')
    return Configuration(**{known[name]: value for name, value in stated.items()})
