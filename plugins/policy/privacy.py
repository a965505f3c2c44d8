"""What the site claims about its readers' traces, as settings that a page can be held to.

    PRIVACY_ACCESS_LOG       "none", for how many days the server keeps a line per request, or "host": a company serves
                             the pages, and what it records is not ours to decide
    PRIVACY_HOST             who runs the machine that serves the pages
    PRIVACY_HOST_COUNTRY     where it stands: ISO 3166-1, two letters
    PRIVACY_MAILING_SERVICE  who sends the letters and so holds the addresses; None while none are sent

The privacy page says each of them in words and marks it with `data-claim`; the server's configuration is made from the
first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from .errors import ConfigurationError, suggestion

PREFIX = "PRIVACY_"
MAILING_SERVICES = ("mailroom", "listmonk", "buttondown", "mailchimp")


@dataclass(frozen=True, slots=True)
class Privacy:
    """The claims. None means not decided yet; for the mailing service, that no letters are sent."""

    #: "none", a number of days, or "host".
    access_log: str | int | None = None
    #: Who serves the pages.
    host: str | None = None
    #: The country of the server.
    host_country: str | None = None
    #: "mailroom", "listmonk", "buttondown" or "mailchimp".
    mailing_service: str | None = None

    @property
    def undecided(self) -> tuple[str, ...]:
        """The settings that only the operator can fill in, and has not."""
        names = ("access_log", "host", "host_country")
        return tuple(PREFIX + name.upper() for name in names if getattr(self, name) is None)

    @property
    def claims(self) -> dict[str, str]:
        """Each decided claim with its value, as `data-claim` carries them: `access-log=none`."""
        values = {field.name.replace("_", "-"): getattr(self, field.name) for field in fields(self)}
        values["mailing-service"] = self.mailing_service or "none"
        return {name: str(value) for name, value in values.items() if value is not None}

    def country_name(self, lang: str) -> str:
        """The host's country in a language; its code where Babel or the name is missing."""
        code = self.host_country or ""
        try:
            from babel import Locale, UnknownLocaleError
        except ImportError:
            return code
        try:
            return str(Locale.parse(lang.replace("-", "_")).territories.get(code, code))
        except (UnknownLocaleError, ValueError):
            return code


def read_privacy(settings: Mapping[str, Any]) -> Privacy | None:
    """Read the `PRIVACY_*` settings; None where a site has none. Raises ConfigurationError for what cannot be meant."""
    known = {PREFIX + field.name.upper(): field.name for field in fields(Privacy)}
    values: dict[str, Any] = {}
    for name, value in settings.items():
        if name.startswith(PREFIX):
            if name not in known:
                raise ConfigurationError(name, value, "unknown setting. " + suggestion(name, known))
            values[known[name]] = value if value != "" else None  # an empty name in the environment is none
    if not values:
        return None
    values["access_log"] = _read_log(values.get("access_log"))
    host, country = values.get("host"), values.get("host_country")
    if host is not None and (not isinstance(host, str) or not host.strip() or "\n" in host):
        raise ConfigurationError(PREFIX + "HOST", host, "use a name on one line, or None while it is not decided")
    if country is not None and not (isinstance(country, str) and re.fullmatch("[A-Z]{2}", country)):
        raise ConfigurationError(PREFIX + "HOST_COUNTRY", country, "use a code of ISO 3166-1, such as IS")
    service = values.get("mailing_service")
    if service is not None and service not in MAILING_SERVICES:
        remedy = "use None while no letters are sent. " + suggestion(str(service), MAILING_SERVICES)
        raise ConfigurationError(PREFIX + "MAILING_SERVICE", service, remedy)
    return Privacy(**values)


def _read_log(value: Any) -> str | int | None:
    if isinstance(value, str) and re.fullmatch("[0-9]{1,4}", value):  # from the environment
        value = int(value)
    if value in (None, "none", "host") or (type(value) is int and value > 0):
        return value  # type: ignore[no-any-return]
    raise ConfigurationError(PREFIX + "ACCESS_LOG", value, 'use "none", a number of days, or "host"')
