"""The plugin's settings, read once into a frozen record.

The fields of `Configuration` are the documentation: their names (upper case, prefixed
`TRANSLATORS_`), defaults and meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any

from .errors import ConfigurationError

PREFIX = "TRANSLATORS_"


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings of the plugin."""

    #: Fields of the header that are translated beside `Title:` and `Summary:`.
    fields: tuple[str, ...] = ("image_alt", "image_caption", "image_credit", "tab_title")
    #: How what recurs is written in each language, relative to PATH; "" for none.
    glossary: str = "glossary.yaml"


def read_configuration(settings: Mapping[str, Any]) -> Configuration:
    """Read the `TRANSLATORS_*` settings. Raises ConfigurationError for a wrong name or value."""
    known = {PREFIX + field.name.upper(): field.name for field in fields(Configuration)}
    stated = {name: value for name, value in settings.items() if name.startswith(PREFIX)}
    for name, value in stated.items():
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0) or sorted(known)
            raise ConfigurationError(name, value, f"unknown setting. Did you mean {near[0]!r}?")
    values = {known[name]: value for name, value in stated.items()}
    names = values.get("fields", ())
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise ConfigurationError(PREFIX + "FIELDS", names, "use a list of fields, such as ('image_alt',)")
    if "fields" in values:
        values["fields"] = tuple(name.lower() for name in names)
    if not isinstance(values.get("glossary", ""), str):
        raise ConfigurationError(PREFIX + "GLOSSARY", values["glossary"], 'use a path, or "" for none')
    return Configuration(**values)
