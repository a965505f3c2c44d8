"""The plugin's settings, read once into a frozen record, and the secrets, which are in no template's reach.

The fields of `Configuration` are the documentation: their names (upper case, prefixed `NEWSLETTER_`), defaults and
meaning. A test holds the README to this list.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .errors import ConfigurationError

PREFIX = "NEWSLETTER_"
#: Read from the environment or from .env, and nowhere else: Pelican shows its settings to every template.
SECRETS = ("NEWSLETTER_TOKEN", "NEWSLETTER_FORMER_TOKEN")

#: NEWSLETTER_SIGNUP in copies of the site: whoever makes one could read what is entered.
ELSEWHERE = "elsewhere"


class Secret:
    """A token: printing it, or an error that quotes it, shows stars."""

    __slots__ = ("_value",)

    def __init__(self, value: str = "") -> None:
        self._value = value

    def reveal(self) -> str:
        """The token itself, for the one who needs it."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "***" if self._value else "''"


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings of the plugin."""

    #: What the keys of campaigns are made from: any word, chosen once and kept for ever. Not the site's address, which
    #: may change. "" composes nothing.
    site_id: str = ""
    #: The first day of the newsletter, "2026-11-22": what is older is never mailed. "" composes nothing.
    since: str = ""
    #: How many posts a command may hand in at one time; more is refused, since it may be a mistake.
    max_per_push: int = 5
    #: The mailing service: "mailroom", "listmonk", "buttondown" or "mailchimp", or the name of a module of your own.
    provider: str = "mailroom"
    #: The address of the service's API; "" for its usual one.
    api: str = ""
    #: What each language's mailing list is called at the service: `{"fa": "3"}`. The mailroom needs none.
    lists: Mapping[str, str] = field(default_factory=dict)
    #: The sender, "Name <address>", for all languages or by language; "" for the service's own.
    sender: str | Mapping[str, str] = ""
    #: The address for replies, likewise.
    reply_to: str | Mapping[str, str] = ""
    #: Whether `publish` also starts what it has handed in. Otherwise an editor does.
    send: bool = False
    #: How long a started campaign waits before its first letter, in seconds, so that it can be stopped.
    hold: int = 600
    #: How long a deployed page is waited for, in seconds.
    wait: int = 600
    #: How long an answer of the service is waited for, in seconds.
    timeout: int = 30
    #: Compose a digest of each week that has ended, instead of a letter for each post, for services that cannot.
    digest: bool = False
    #: Where composed campaigns are written, relative to the project's folder.
    campaigns: str = "var/campaigns"
    #: The service used before, which is asked too whether it has had a campaign already; "" for none.
    former_provider: str = ""
    #: The address of its API.
    former_api: str = ""
    #: The address that the sign-up form is sent to; None for no form, "elsewhere" in a copy of the site.
    signup: str | None = None
    #: What the form says to name each language's list at the service: `{"fa": "<the list's UUID>"}`.
    signup_lists: Mapping[str, str] = field(default_factory=dict)
    #: Who runs the service that the form is sent to, as readers are told; "" for the provider's usual name.
    signup_company: str = ""

    def sender_in(self, lang: str) -> str:
        """The sender of letters in a language."""
        return _of_language(self.sender, lang)

    def reply_to_in(self, lang: str) -> str:
        """The address for replies to letters in a language."""
        return _of_language(self.reply_to, lang)

    @property
    def composes(self) -> bool:
        """Whether anything can be composed."""
        return bool(self.site_id and self.since)

    @property
    def first_day(self) -> date:
        """NEWSLETTER_SINCE as a day."""
        return date.fromisoformat(self.since)


def read_configuration(settings: Mapping[str, Any]) -> Configuration:
    """Read the `NEWSLETTER_*` settings. Raises ConfigurationError for an unknown name or an unusable value."""
    known = {PREFIX + each.name.upper(): each for each in fields(Configuration)}
    values: dict[str, Any] = {}
    for name, value in settings.items():
        if not name.startswith(PREFIX):
            continue
        if name in SECRETS:
            remedy = "secrets come from the environment or from .env, never from a settings file"
            raise ConfigurationError(name, Secret("set"), remedy)
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0) or sorted(known)
            raise ConfigurationError(name, value, f"unknown setting. Did you mean {near[0]!r}?")
        values[known[name].name] = _READERS[str(known[name].type)](name, value)
    for name, check in _CHECKS.items():
        if name in values:
            check(PREFIX + name.upper(), values[name])
    return Configuration(**values)


def read_secrets(root: Path) -> dict[str, Secret]:
    """The tokens, from the environment or from `root/.env`, by name; empty where there is none."""
    from dotenv import dotenv_values

    found = {**dotenv_values(root / ".env", encoding="utf-8-sig"), **os.environ}
    return {name: Secret((found.get(name) or "").strip()) for name in SECRETS}


def _of_language(value: str | Mapping[str, str], lang: str) -> str:
    return value if isinstance(value, str) else value.get(lang, "")


def _text(name: str, value: Any) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if not isinstance(value, str) or re.search(r"[\x00-\x1f\x7f]", value):
        raise ConfigurationError(name, value, 'use a text on one line, or "" for none')
    return value.strip()


def _text_or_none(name: str, value: Any) -> str | None:
    return None if value is None else _text(name, value) or None


def _texts(name: str, value: Any) -> dict[str, str]:
    """By language. Numbers are texts too: that is what lists are called at some services."""
    if not isinstance(value, Mapping) or not all(
        isinstance(lang, str) and type(each) in (str, int) for lang, each in value.items()
    ):
        raise ConfigurationError(name, value, 'use a table by language, such as {"fa": "3"}')
    return {lang: _text(name, str(each)) for lang, each in value.items()}


def _text_or_texts(name: str, value: Any) -> str | dict[str, str]:
    return _texts(name, value) if isinstance(value, Mapping) else _text(name, value)


def _switch(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConfigurationError(name, value, "use True or False; in the environment yes or no")
    return value


def _number(name: str, value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ConfigurationError(name, value, "use a whole number, not below 0")
    return value


_READERS: dict[str, Callable[[str, Any], Any]] = {
    "str": _text,
    "str | None": _text_or_none,
    "str | Mapping[str, str]": _text_or_texts,
    "Mapping[str, str]": _texts,
    "bool": _switch,
    "int": _number,
}


def _check_day(name: str, value: str) -> None:
    try:
        date.fromisoformat(value or "2026-11-22")
    except ValueError as error:
        raise ConfigurationError(name, value, "use a day such as 2026-11-22") from error


def _check_address(name: str, value: str) -> None:
    if not value:
        return
    shown = Secret(value) if "@" in value else value  # a password may stand before it
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError as error:
        raise ConfigurationError(name, shown, "use an address, https://…") from error
    local = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if parts.scheme not in ("https", *(["http"] if local else [])) or not parts.hostname or "@" in parts.netloc:
        remedy = "use an https address without a password in it (http only for this machine)"
        raise ConfigurationError(name, shown, remedy)


def _check_signup(name: str, value: str | None) -> None:
    if value and re.search(r"[\s\"'<>\\#]|[^\x21-\x7e]", value):
        raise ConfigurationError(name, value, "use an address in ASCII without spaces, quotes and #")
    if value and value != ELSEWHERE and not re.match("/(?!/)", value):
        try:
            _check_address(name, value)
        except ConfigurationError as error:
            remedy = f'{error.remedy}, a path of this site such as /mail/subscribe, "{ELSEWHERE}", or None'
            raise ConfigurationError(name, error.value, remedy) from error


def _check_provider(name: str, value: str) -> None:
    if not re.fullmatch(r"[A-Za-z_][\w.]*", value, re.ASCII):
        raise ConfigurationError(name, value, "use the name of a mailing service, such as mailroom")


def _check_hold(name: str, value: int) -> None:
    if value > 7 * 24 * 3600:
        raise ConfigurationError(name, value, "use seconds, seven days at most")


_CHECKS: dict[str, Callable[[str, Any], None]] = {
    "since": _check_day,
    "api": _check_address,
    "former_api": _check_address,
    "provider": _check_provider,
    "hold": _check_hold,
    "signup": _check_signup,
}
