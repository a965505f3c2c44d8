"""The plugin's settings, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from .errors import ConfigurationError

_PREFIX = "PROSE_"
_KINDS = ("article", "page")
_KNOWN = ("PROSE_NUMBERED", "PROSE_SPEEDS")


@dataclass(frozen=True, slots=True)
class Configuration:
    """`numbered`: the kinds of content whose blocks get numbers; `speeds`: per primary language; `host`: the site's."""

    numbered: frozenset[str]
    speeds: Mapping[str, float]
    host: str


def read_configuration(settings: Mapping[str, Any]) -> Configuration:
    """Read the settings. Raises ConfigurationError."""
    for name in settings:
        if name.startswith(_PREFIX) and name not in _KNOWN:
            near = get_close_matches(name, _KNOWN, n=1, cutoff=0) or _KNOWN
            raise ConfigurationError(name, settings[name], f"there is no such setting. Did you mean {near[0]}?")
    return Configuration(
        _read_kinds(settings.get("PROSE_NUMBERED", ("article",))),
        _read_speeds(settings.get("PROSE_SPEEDS", {})),
        urlsplit(settings.get("SITEURL") or "").hostname or "",
    )


def _read_kinds(value: Any) -> frozenset[str]:
    if not isinstance(value, list | tuple | set | frozenset) or not set(value) <= set(_KINDS):
        raise ConfigurationError("PROSE_NUMBERED", value, f"write a tuple of kinds out of {', '.join(_KINDS)}.")
    return frozenset(value)


def _read_speeds(value: Any) -> dict[str, float]:
    if not isinstance(value, Mapping):
        raise ConfigurationError("PROSE_SPEEDS", value, 'write words a minute by language: {"fa": 170}.')
    for lang, speed in value.items():
        is_number = isinstance(speed, int | float) and not isinstance(speed, bool)
        if not isinstance(lang, str) or not is_number or not 0 < speed < float("inf"):
            raise ConfigurationError("PROSE_SPEEDS", {lang: speed}, "a speed is a number above 0, by language.")
    return {lang.replace("_", "-").lower(): float(speed) for lang, speed in value.items()}
