"""The mailroom's settings: `MAILROOM_*` from the environment and from `.env`, read once.

The fields of `Settings` are the documentation: their names (upper case, prefixed), defaults and meaning. A test holds
the README to this list. The mailroom reads nothing else of the site's.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values

from mailroom.errors import ConfigurationError

PREFIX = "MAILROOM_"
#: What may be set for each language by a name that begins so, and in which field it is found.
BY_LANGUAGE = {"NAME_": "names", "EXIT_": "exits"}
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Secret:
    """A password: printing it, or an error that quotes it, shows stars."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The password itself, for the one who needs it."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "***" if self._value else "''"


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the mailroom."""

    #: The address of its pages, as readers see it, ending in "/": `https://example.org/mail/`. Links come from it.
    url: str = ""
    #: The address of the site that links back to its editions: "" for the root of MAILROOM_URL.
    site: str = ""
    #: The publication's name. `MAILROOM_NAME_FA`, `MAILROOM_NAME_ZH_HANS` give it in other languages.
    name: str = "The Human Rights"
    #: The name by language, from `MAILROOM_NAME_…`.
    names: Mapping[str, str] = field(default_factory=dict)
    #: Where "Leave this page" leads, an address that anybody may be looking at: "" for no such link, which a
    #: sealed form must have. `MAILROOM_EXIT_FA` and so on give it for other languages.
    exit: str = ""
    #: That address by language, from `MAILROOM_EXIT_…`.
    exits: Mapping[str, str] = field(default_factory=dict)
    #: The service that carries meetings by video, named on the form with what it learns: "" for none named there.
    meeting_service: str = ""
    #: Tags of the languages offered, comma-separated: "" for all that have a catalogue.
    languages: tuple[str, ...] = ()
    #: The language of whoever asks in none of these.
    default_lang: str = "en"
    #: Other addresses at which the site can be read: every letter names them.
    mirrors: tuple[str, ...] = ()

    #: Where the database lies.
    data: Path = Path("var/mailroom")
    #: The keyring's file, outside MAILROOM_DATA; `ask` has it pasted at the start and kept in memory only.
    key: str = "var/mailroom.key"
    #: Where the pages are served: an address of this machine, behind the web server.
    listen: str = "127.0.0.1:8025"
    #: Where the API is served: another address of this machine, or `unix:/run/mailroom/api.sock`.
    api_listen: str = "127.0.0.1:8026"
    #: Serve the API under MAILROOM_URL too, for whoever pushes from elsewhere.
    api_public: bool = False
    #: Whose `X-Forwarded-For` is believed: addresses or networks, comma-separated; nobody's when empty.
    trusted_proxies: tuple[Network, ...] = ()
    #: Sign-ups taken in an hour from one network (/24, /56); and as many settings links.
    limit_network: int = 20
    #: Sign-ups taken in a minute from everybody; and as many settings links.
    limit_total: int = 120
    #: Sign-ups taken in a day from everybody.
    limit_day: int = 5000

    #: The sender's address.
    sender: str = ""
    #: The sender's name in discreet letters, in all languages: "" for the word for letters in each.
    discreet_name: str = ""
    #: Where replies go: "" for the sender.
    reply_to: str = ""
    #: Who may be sent test letters, comma-separated.
    editors: tuple[str, ...] = ()
    #: The identity of the mailing lists (RFC 2919): "" for the sender's domain.
    list_domain: str = ""

    #: The relay: `smtp://host:587` (STARTTLS is required unless the host is this machine), `smtps://host:465`, or
    #: `outbox:` for files in `outbox/` beside MAILROOM_DATA.
    relay: str = "outbox:"
    #: The relay's user.
    relay_user: str = ""
    #: The relay's password.
    relay_password: Secret = field(default_factory=lambda: Secret(""))
    #: A file of certificates to trust besides the system's.
    relay_ca: str = ""
    #: Connections to the relay at one time.
    connections: int = 4
    #: Letters a second at most; 0 for no limit.
    rate: int = 0
    #: Letters a day at most; 0 for no limit.
    daily_cap: int = 0
    #: For a new sender: letters on the first day on which a list gets any, the second and so on, `50,100,200,…`; then
    #: MAILROOM_DAILY_CAP.
    warm_up: tuple[int, ...] = ()
    #: When the digest of the week goes: `sunday 08:00`, UTC.
    digest: str = "sunday 08:00"

    #: The key that signs letters, a PEM file; `relay` declares that the relay signs them.
    dkim_key: str = ""
    #: The selector of its DNS record.
    dkim_selector: str = "mailroom"
    #: The domain that signs: "" for the sender's.
    dkim_domain: str = ""

    #: The domain of return paths: whatever comes back arrives in one mailbox.
    bounce_domain: str = ""
    #: How that mailbox is read: `imap`, `maildir`, or `none`.
    bounces: str = "none"
    #: The Maildir's folder.
    bounce_maildir: str = ""
    #: The mailbox's server: `imaps://user@host:993`, or `imap://` on this machine.
    bounce_imap: str = ""
    #: Its password.
    bounce_password: Secret = field(default_factory=lambda: Secret(""))
    #: Another mailbox in which `doctor --letter` reads its letter: `imaps://user@host:993`.
    probe_imap: str = ""
    #: Its address.
    probe_address: str = ""
    #: Its password.
    probe_password: Secret = field(default_factory=lambda: Secret(""))

    #: The age recipient (`age1…`) to whom backups and exports are sealed.
    backup_recipient: str = ""

    #: The age recipients to whom submissions are sealed, each with the day on which its key was made:
    #: `age1… 2026-11-01, age1… 2026-11-22`; "" for no intake.
    intake_recipients: str = ""
    #: Where the form is served: another address of this machine, behind the web server.
    intake_listen: str = "127.0.0.1:8027"
    #: Submissions taken in an hour from one network (/24, /56).
    intake_limit: int = 10
    #: Submissions kept at one time.
    intake_most: int = 2000
    #: MiB kept at one time.
    intake_room: int = 2048
    #: Who is sent the daily notice, comma-separated.
    intake_notice: tuple[str, ...] = ()
    #: When the daily notice goes: `08:00`, UTC.
    intake_hour: str = "08:00"

    #: On an expert's machine: where the API is, `https://example.org/mail/api/`, or `http://` on this machine.
    intake_api: str = ""
    #: There too: a token of scope `intake`.
    intake_token: Secret = field(default_factory=lambda: Secret(""))
    #: The file of the expert's private key; later ones are beside it.
    intake_identity: Path = Path("var/intake/identity.age")
    #: The folder in which submissions are opened.
    intake_folder: Path = Path("var/intake/opened")

    #: Set by `./blog serve`: letters go to files, nothing is required, HTTP will do.
    development: bool = False

    def name_in(self, lang: str) -> str:
        """The publication's name in a language."""
        return self.names.get(lang, self.name)

    def exit_in(self, lang: str) -> str:
        """Where "Leave this page" leads from pages in a language."""
        return self.exits.get(lang, self.exit)

    @property
    def database(self) -> Path:
        """The database's file."""
        return self.data / "mailroom.db"

    @property
    def intake_database(self) -> Path:
        """The file of the intake's own database."""
        return self.data / "intake.db"

    @property
    def outbox(self) -> Path:
        """Where letters are files, if they are (MAILROOM_RELAY=outbox:)."""
        return self.data.parent / "outbox"

    @property
    def domain(self) -> str:
        """The sender's domain."""
        return self.sender.rpartition("@")[2]


def read_settings(root: Path, environment: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Read the settings from `root/.env` and the environment, which wins; relative paths begin at `root`.

    `overrides` are fields already typed, for `./blog serve` and tests. Raises ConfigurationError for an unknown name,
    a value that cannot be used, and, outside development, a required one that is missing.
    """
    found = {name: value or "" for name, value in dotenv_values(root / ".env", encoding="utf-8-sig").items()}
    found |= os.environ if environment is None else environment
    known = {PREFIX + each.name.upper(): each for each in fields(Settings) if each.name not in BY_LANGUAGE.values()}
    values: dict[str, Any] = {}
    by_language: dict[str, dict[str, str]] = {each: {} for each in BY_LANGUAGE.values()}
    for name, text in found.items():
        if not name.startswith(PREFIX):
            continue
        if name in known:
            if text.strip():  # an empty value is no value: `.env.example` has them
                values[known[name].name] = _READERS[str(known[name].type)](name, text.strip())
        elif kind := next((kind for kind in BY_LANGUAGE if name.startswith(PREFIX + kind)), ""):
            by_language[BY_LANGUAGE[kind]][_tag(name.removeprefix(PREFIX + kind))] = text.strip()
        else:
            near = "".join(f", did you mean {each}?" for each in get_close_matches(name, known, n=1))
            raise ConfigurationError(name, "…", f"unknown setting{near}")  # its value may be a password
    defaults = {each.name: each.default for each in fields(Settings) if each.default is not MISSING}
    settings = {**defaults, **by_language, **values, **overrides}
    for path in ("data", "intake_identity", "intake_folder"):
        settings[path] = root / settings[path]
    for path in ("key", "dkim_key", "relay_ca", "bounce_maildir"):
        if settings[path] not in ("", "ask", "relay"):
            settings[path] = str(root / settings[path])
    read = Settings(**settings)
    _check(read)
    return read


def _check(settings: Settings) -> None:
    """What concerns several settings, or must hold outside development."""
    url = settings.url
    if not settings.development:
        for name in ("url", "sender", "bounce_domain", "dkim_key", "backup_recipient"):
            if not getattr(settings, name):
                raise ConfigurationError(PREFIX + name.upper(), "", _REQUIRED[name])
        if settings.intake_recipients and not settings.exit:
            remedy = 'say where the sealed form\'s "Leave this page" leads, such as a weather service: https://…'
            raise ConfigurationError(PREFIX + "EXIT", "", remedy)
        if settings.relay == "outbox:":
            raise ConfigurationError(
                PREFIX + "RELAY", settings.relay, "letters would only be files: name a relay, smtp://…"
            )
    for name in ("url", "site", "relay", "bounce_imap", "probe_imap"):
        if re.search(r"//[^/@]*:[^/@]*@", getattr(settings, name)):
            raise ConfigurationError(PREFIX + name.upper(), "…", "no password belongs there: there is …_PASSWORD")
    if settings.backup_recipient and not re.fullmatch(r"age1[0-9a-z]+", settings.backup_recipient):
        raise ConfigurationError(  # what stands there may be the other half, which is secret
            PREFIX + "BACKUP_RECIPIENT", "…", "use the public half of an age key: age1…"
        )
    if url and not _is_url(url, development=settings.development):
        raise ConfigurationError(
            PREFIX + "URL", url, "use an https address that ends in /, such as https://example.org/mail/"
        )
    for name, address in (
        ("exit", settings.exit),
        *((f"exit_{lang}", address) for lang, address in settings.exits.items()),
    ):
        if address and not re.fullmatch(r"https://[!#-%'-;=?-~]+", address):
            raise ConfigurationError(
                PREFIX + name.upper(), address, "use an https address, such as https://example.org/"
            )
    for name in ("sender", "reply_to"):
        value = getattr(settings, name)
        if value and not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", value):
            raise ConfigurationError(PREFIX + name.upper(), value, "use an address alone: letters@example.org")
    if settings.key != "ask" and Path(settings.key).resolve().is_relative_to(settings.data.resolve()):
        raise ConfigurationError(PREFIX + "KEY", settings.key, "the key must not lie beside the data it opens: move it")
    if settings.bounces not in ("imap", "maildir", "none"):
        raise ConfigurationError(PREFIX + "BOUNCES", settings.bounces, "use imap, maildir or none")
    for kind, name in (("imap", "bounce_imap"), ("maildir", "bounce_maildir")):
        if settings.bounces == kind and not getattr(settings, name):
            raise ConfigurationError(PREFIX + name.upper(), "", f"MAILROOM_BOUNCES={kind} needs it")
    for each in settings.intake_recipients.split(","):
        if each.strip() and not re.fullmatch(r"age1[0-9a-z]+\s+\d{4}-\d\d-\d\d", each.strip(), re.ASCII):
            raise ConfigurationError(  # here too it may be the other half
                PREFIX + "INTAKE_RECIPIENTS", "…", "name public keys, each with its day: age1… 2026-11-01"
            )
    for address in settings.intake_notice:
        if not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", address):
            raise ConfigurationError(PREFIX + "INTAKE_NOTICE", address, "use addresses alone: expert@example.org")
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", settings.intake_hour, re.ASCII):
        raise ConfigurationError(PREFIX + "INTAKE_HOUR", settings.intake_hour, "use an hour in UTC: 08:00")
    if not re.fullmatch(rf"({'|'.join(WEEKDAYS)}) ([01]\d|2[0-3]):[0-5]\d", settings.digest):
        raise ConfigurationError(PREFIX + "DIGEST", settings.digest, "use a weekday and an hour in UTC: sunday 08:00")
    if not re.fullmatch(r"outbox:|smtps?://[^/@\s]+", settings.relay):
        raise ConfigurationError(PREFIX + "RELAY", settings.relay, "use smtp://host:587, smtps://host:465 or outbox:")


_REQUIRED = {
    "url": "say at which address readers see the mailroom, such as https://example.org/mail/",
    "sender": "say from which address letters come, such as letters@example.org",
    "bounce_domain": "say to which domain letters that cannot be delivered come back, such as bounces.example.org",
    "dkim_key": "name the key that signs letters (./blog mailroom dkim makes one), or `relay` if the relay signs them",
    "backup_recipient": "name the age recipient (age1…) to whom backups are sealed",
}


def _is_url(url: str, *, development: bool) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    schemes = ("https", "http") if development or (parts.hostname or "").endswith(".onion") else ("https",)
    bare = not (parts.query or parts.fragment or parts.username or parts.password is not None)
    return parts.scheme in schemes and bool(parts.hostname) and parts.path.endswith("/") and bare and url.isascii()


def _tag(suffix: str) -> str:
    """`ZH_HANS` → `zh-Hans`, `PT_BR` → `pt-BR`."""
    first, *rest = suffix.lower().split("_")
    return "-".join([first, *(part.title() if len(part) == 4 else part.upper() for part in rest)])


def _list(_: str, text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _number(name: str, text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise ConfigurationError(name, text, "use a whole number")
    return int(text)


def _numbers(name: str, text: str) -> tuple[int, ...]:
    return tuple(_number(name, part) for part in _list(name, text))


def _switch(name: str, text: str) -> bool:
    if text.lower() not in ("yes", "no", "true", "false", "1", "0"):
        raise ConfigurationError(name, text, "use yes or no")
    return text.lower() in ("yes", "true", "1")


def _networks(name: str, text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part) for part in _list(name, text))
    except ValueError as error:
        raise ConfigurationError(name, text, f"use addresses or networks: {error}") from error


_READERS: dict[str, Callable[[str, str], Any]] = {
    "str": lambda _, text: text,
    "Path": lambda _, text: Path(text),
    "Secret": lambda _, text: Secret(text),
    "bool": _switch,
    "int": _number,
    "tuple[str, ...]": _list,
    "tuple[int, ...]": _numbers,
    "tuple[Network, ...]": _networks,
}
