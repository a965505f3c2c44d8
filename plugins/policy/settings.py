"""The plugin's settings, read once into a frozen record.

The fields of `Configuration` are the documentation: their names (upper case, prefixed `POLICY_`), defaults and meaning.
A test holds the README to this list. What begins with `PRIVACY_` is read in `privacy.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

from .errors import ConfigurationError, suggestion

PREFIX = "POLICY_"
#: Header files that we know how to write.
HEADER_FILES = ("_headers",)

#: What separates directives and sources in a policy, or means something in HTML ("&") or in a server's configuration
#: ("$" and "{}" name variables), so that it can be in no address.
_SPECIAL = re.compile(r"[\s;,'\"\\<>&$`{|}^]|[^\x21-\x7e]")
_ADDRESS = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):(?P<port>[0-9]{1,5})\Z")


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings of the plugin."""

    #: Where forms may be sent: addresses, or paths of the site itself. None means that no form can be sent at all.
    form_actions: tuple[str, ...] = ()
    #: Header files to write into the output: "_headers" (Netlify, Cloudflare Pages).
    header_files: tuple[str, ...] = ()
    #: How many days browsers refuse to visit the site without encryption; 0 for no such order.
    hsts_days: int = 0
    #: Where the server finds the service under `/mail/`; "" for none.
    mailroom: str = "127.0.0.1:8025"
    #: Where it finds the process for the sealed form, `/mail/form`; "" where there is none.
    intake: str = ""
    #: Write a `.gz` beside every text file of 1 KiB or more.
    precompress: bool = False
    #: Write `robots.txt`.
    robots: bool = False
    #: Where to report a vulnerability: `mailto:` and `https:` addresses. Empty: CONTACT_EMAIL and the contact page.
    security_contact: tuple[str, ...] = ()
    #: The day on which `security.txt` expires, "2027-03-01"; "" for 360 days after the newest text.
    security_expires: str = ""
    #: The key (without multilingual: the slug) of the page that says how to reach us.
    contact_page: str = "contact"
    #: The key of the page that says what is kept of readers.
    privacy_page: str = "privacy"
    #: The key of the page that says how to read safely.
    safety_page: str = "safety"


def read_configuration(settings: Mapping[str, Any]) -> Configuration:
    """Read the `POLICY_*` settings. Raises ConfigurationError for an unknown name or a value that cannot be used."""
    known = {PREFIX + field.name.upper(): field for field in fields(Configuration)}
    values: dict[str, Any] = {}
    for name, value in settings.items():
        if not name.startswith(PREFIX):
            continue
        if name not in known:
            raise ConfigurationError(name, value, "unknown setting. " + suggestion(name, known))
        values[known[name].name] = _READERS[str(known[name].type)](name, value)
    for action in values.get("form_actions", ()):
        _check_form_action(action)
    for name in values.get("header_files", ()):
        if name not in HEADER_FILES:
            raise ConfigurationError(PREFIX + "HEADER_FILES", name, suggestion(name, HEADER_FILES))
    for contact in values.get("security_contact", ()):
        if not re.fullmatch(r"(?:mailto:\S+@\S+|https://\S+|tel:\S+)", contact):  # RFC 9116, 2.5.3
            raise ConfigurationError(PREFIX + "SECURITY_CONTACT", contact, "use mailto:…, https://… or tel:…")
    if mailroom := values.get("mailroom"):
        check_address(PREFIX + "MAILROOM", mailroom)
    if intake := values.get("intake"):
        check_address(PREFIX + "INTAKE", intake)
    if values.get("security_expires"):
        _check_day(PREFIX + "SECURITY_EXPIRES", values["security_expires"])
    return Configuration(**values)


def split_address(setting: str, url: str) -> SplitResult:
    """The parts of an address. Raises ConfigurationError for one that has none, such as `https://[`."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # read only here: beyond 65535 it is an error
    except ValueError as error:
        raise ConfigurationError(setting, url, f"use an https address: {error}") from error
    return parts


def check_address(setting: str, address: str) -> None:
    """Raise ConfigurationError unless it is `host:port`."""
    found = _ADDRESS.match(address)
    if not found or not 0 < int(found["port"]) < 65536:
        raise ConfigurationError(setting, address, "use host:port, such as 127.0.0.1:8025")


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, (list, tuple)) or not all(isinstance(v, str) for v in value):
        raise ConfigurationError(name, value, 'use a tuple of texts, such as ("one",)')
    return tuple(value)


def _text(name: str, value: Any) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if not isinstance(value, str):
        raise ConfigurationError(name, value, 'use a text, or "" for none')
    return value


def _switch(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConfigurationError(name, value, "use True or False")
    return value


def _days(name: str, value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ConfigurationError(name, value, "use a number of days, or 0 for none")
    return value


_READERS = {"tuple[str, ...]": _texts, "str": _text, "bool": _switch, "int": _days}


def _check_day(name: str, value: str) -> None:
    try:
        date.fromisoformat(value)
    except ValueError as error:
        raise ConfigurationError(name, value, "use a day such as 2027-03-01") from error


def _check_form_action(action: str) -> None:
    setting = PREFIX + "FORM_ACTIONS"
    if _SPECIAL.search(action):
        remedy = "use plain ASCII without spaces, quotes, commas, semicolons, & and $"
        raise ConfigurationError(setting, action, remedy)
    address = split_address(setting, action)
    if action.startswith("/") and not action.startswith("//"):
        return
    is_private = address.hostname in ("127.0.0.1", "localhost", "::1") or (address.hostname or "").endswith(".onion")
    if address.scheme != "https" and not (address.scheme == "http" and is_private):
        raise ConfigurationError(setting, action, "use an https address, or a path of this site such as /mail/")
    if not address.hostname or "*" in action or "@" in address.netloc or address.query or address.fragment:
        raise ConfigurationError(setting, action, "use host and path only: no *, user, ? or #")
