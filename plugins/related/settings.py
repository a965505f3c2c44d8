"""The plugin's settings, read once into a frozen record.

The fields of `Configuration` are the documentation: their names (upper case, prefixed
`RELATED_`), defaults and meaning. A test holds the README to this list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any

from .errors import ConfigurationError

PREFIX = "RELATED_"


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings of the plugin."""

    #: How many articles are named at most.
    limit: int = 4
    #: The attributes whose shared terms make articles related, the weightiest first.
    by: tuple[str, ...] = ("countries", "topics", "tags")


def read_configuration(settings: Mapping[str, Any]) -> Configuration:
    """Read the `RELATED_*` settings. Raises ConfigurationError for a wrong name or value."""
    known = {PREFIX + field.name.upper(): field.name for field in fields(Configuration)}
    stated = {name: value for name, value in settings.items() if name.startswith(PREFIX)}
    for name, value in stated.items():
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0) or sorted(known)
            raise ConfigurationError(name, value, f"unknown setting. Did you mean {near[0]!r}?")
    values = {known[name]: value for name, value in stated.items()}
    limit = values.get("limit", 1)
    if type(limit) is not int or limit < 1:
        raise ConfigurationError(PREFIX + "LIMIT", limit, "use a number of articles, 1 or more")
    attributes = values.get("by", ("tags",))
    if (
        not isinstance(attributes, (list, tuple))
        or not attributes
        or not all(isinstance(name, str) for name in attributes)
    ):
        raise ConfigurationError(PREFIX + "BY", attributes, "use a list of attributes, such as ('countries', 'topics')")
    if "by" in values:
        values["by"] = tuple(attributes)
    return Configuration(**values)
