"""The settings, read once into the record that templates are given.

`SETTINGS` is their list; the README's table is held to it by a test.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, urlsplit

from .errors import ConfigurationError, suggestion
from .record import Contact, Download, Number

#: Prefixes that are ours alone: another name that begins so is a mistyped one.
PREFIXES = ("CONTACT_", "FOLLOW_")
FORM_ACTION = "CONTACT_FORM_ACTION"
INTAKE, AGE_RECIPIENTS = "CONTACT_INTAKE", "CONTACT_AGE_RECIPIENTS"
POLICY_FORM_ACTIONS = "POLICY_FORM_ACTIONS"

#: In a copy of the site, whoever makes it could read what is typed into a form: it only says where the form is.
ELSEWHERE = "elsewhere"

Reader = Callable[[str, Any, Mapping[str, Any]], Any]

# RFC 5322 allows more before the @ than any provider gives; dots neither double nor at an end.
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?P<domain>(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9])"
)
_NUMBER = re.compile(r"\+[1-9](?: ?[0-9]){6,14}")  # ITU-T E.164: at most fifteen digits
_SIGNAL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,31}\.[0-9]{2,9}")
_AGE = re.compile(r"age1[02-9ac-hj-np-z]{58}")  # Bech32 (BIP 173) of 32 octets, behind "age1"
_HANDLE = re.compile(r"@?(?P<handle>[\w.\u00b7-]{3,30})")  # YouTube's rules for handles
_PATH = re.compile(r"/(?!/)[A-Za-z0-9._~!$&'()*+,;=:@%/-]*(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?")
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9](?::[0-9]{1,5})?")


def read_text(name: str, value: Any, _: Mapping[str, Any]) -> str:
    """A name that is shown as it stands."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ConfigurationError(name, value, "state a name on one line, or None")
    return value.strip()


def read_email(name: str, value: Any, _: Mapping[str, Any]) -> str:
    """One mail address, without a name around it."""
    if not isinstance(value, str) or not _EMAIL.fullmatch(value):
        raise ConfigurationError(name, value, "state one mail address, such as office@your-domain.org")
    return value


def read_number(name: str, value: Any, _: Mapping[str, Any]) -> Number:
    """A number with its country's code, grouped by spaces as a reader should see it."""
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise ConfigurationError(
            name, value, 'state it with + and the country\'s code (E.164), such as "+44 20 7946 0123"'
        )
    return Number(re.sub("[^0-9]", "", value), value)


def read_signal(name: str, value: Any, settings: Mapping[str, Any]) -> Number | str:
    """A user name, which keeps the number to oneself, or a number."""
    if isinstance(value, str) and _SIGNAL_NAME.fullmatch(value):
        return value
    if isinstance(value, str) and value.startswith("+"):
        return read_number(name, value, settings)
    raise ConfigurationError(
        name, value, 'state a Signal user name with its digits ("office.27") or a number ("+44 …")'
    )


def read_minutes(name: str, value: Any, _: Mapping[str, Any]) -> int:
    """A promise in whole minutes."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigurationError(name, value, "state whole minutes, 1 or more (60 is one hour), or None for no promise")
    return value


def read_action(name: str, value: Any, _: Mapping[str, Any]) -> str:
    """Where a form is sent: an https address, or a path on the site's own host."""
    if not isinstance(value, str) or not (_PATH.fullmatch(value) or _is_https(value)):
        raise ConfigurationError(
            name,
            value,
            'state an https:// address, or a path on this host such as "/mail/contact", or None for no form',
        )
    return value


def read_intake(name: str, value: Any, _: Mapping[str, Any]) -> str:
    """Where the sealed form is: on the site's own host and nowhere else, since another host would learn of a visit."""
    if value == ELSEWHERE:
        return ""
    if not isinstance(value, str) or not _PATH.fullmatch(value) or "?" in value or value.endswith("/"):
        remedy = f'state its path on this host, "/mail/form", or "{ELSEWHERE}" in a copy of the site, or None'
        raise ConfigurationError(name, value, remedy)
    return value


def read_recipients(name: str, value: Any, _: Mapping[str, Any]) -> tuple[str, ...]:
    """Public halves of age keys. The value is in no error: it may be the other half."""
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, (list, tuple)) or not all(isinstance(one, str) and _AGE.fullmatch(one) for one in found):
        raise ConfigurationError(name, "…", 'state age recipients, the public halves of keys: ("age1…", "age1…")')
    return tuple(found)


def read_https(name: str, value: Any, _: Mapping[str, Any]) -> str:
    """The address of a page elsewhere."""
    if not isinstance(value, str) or not _is_https(value):
        raise ConfigurationError(name, value, "state an https:// address, or None")
    return value


def read_handle(name: str, value: Any, _: Mapping[str, Any]) -> str:
    """A YouTube handle, with or without its @."""
    found = _HANDLE.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ConfigurationError(name, value, 'state the handle alone, such as "@our_channel"')
    return found["handle"]


def read_file(name: str, value: Any, settings: Mapping[str, Any]) -> Download:
    """A file in the content folder that Pelican copies."""
    if not isinstance(value, str) or not _is_inside(value):
        raise ConfigurationError(name, value, 'state a file\'s path in the content folder, such as "files/report.pdf"')
    path = PurePosixPath(value)
    file = Path(settings["PATH"], path)
    if not file.is_file():
        raise ConfigurationError(name, value, "there is no such file in the content folder: put it there, or use None")
    statics = [PurePosixPath(static) for static in settings["STATIC_PATHS"]]
    if not any(path.is_relative_to(static) for static in statics):
        raise ConfigurationError(name, value, f"it would not be published: add {path.parts[0]!r} to STATIC_PATHS")
    return Download(quote(path.as_posix()), path.suffix.lstrip(".").upper(), file.stat().st_size)


SETTINGS: dict[str, tuple[str, Reader]] = {
    "CONTACT_EMAIL": ("email", read_email),
    "CONTACT_PHONE": ("phone", read_number),
    "CONTACT_WHATSAPP": ("whatsapp", read_number),
    "CONTACT_SIGNAL": ("signal", read_signal),
    "CONTACT_REPLY_MINUTES": ("reply_minutes", read_minutes),
    FORM_ACTION: ("form_action", read_action),
    INTAKE: ("intake_url", read_intake),
    AGE_RECIPIENTS: ("age_recipients", read_recipients),
    "SAMPLE_REPORT": ("sample_report", read_file),
    "EXPERT_CV": ("expert_cv", read_file),
    "MEETING_SERVICE": ("meeting_service", read_text),
    "FOLLOW_YOUTUBE": ("youtube", read_handle),
    "FOLLOW_LINKEDIN_NAME": ("linkedin_name", read_text),
    "FOLLOW_LINKEDIN_URL": ("linkedin_url", read_https),
}


def read_contact(settings: Mapping[str, Any]) -> Contact:
    """Read everything; None and "" count as not set.

    Raises ConfigurationError for an unknown name, a value that cannot be used, and one that only an
    edition states: readers of every language are to find the same ways.
    """
    for name, value in settings.items():
        if name.startswith(PREFIXES) and name not in SETTINGS:
            raise ConfigurationError(name, value, "unknown setting. " + suggestion(name, SETTINGS))
    _refuse_overrides(settings)
    stated = {name: value for name in SETTINGS if (value := settings.get(name)) is not None and value != ""}
    contact = Contact(**{SETTINGS[name][0]: SETTINGS[name][1](name, value, settings) for name, value in stated.items()})
    if contact.linkedin_url and not contact.linkedin_name:
        raise ConfigurationError("FOLLOW_LINKEDIN_URL", contact.linkedin_url, "state FOLLOW_LINKEDIN_NAME as well")
    if contact.form_action:
        _require_permission(contact.form_action, settings)
    return contact


def allows(source: str, action: str, site_url: str = "") -> bool:
    """Whether a source of a Content-Security-Policy's form-action lets a form be sent (CSP Level 3, 6.7.2).

    A source may also be a path, as `POLICY_FORM_ACTIONS` has them: it stands for the site's own host.
    """
    site, target, allowed = urlsplit(site_url), urlsplit(action), urlsplit(source)
    if source == "'self'" or source.startswith("/"):
        return not target.netloc or (target.scheme, target.netloc) == (site.scheme, site.netloc)
    if (allowed.scheme, allowed.netloc) != (target.scheme, target.netloc):
        return False
    below = allowed.path.endswith("/") and target.path.startswith(allowed.path)
    return allowed.path in ("", target.path) or below


def _refuse_overrides(settings: Mapping[str, Any]) -> None:
    languages = settings.get("MULTILINGUAL_LANGUAGES")
    for lang, overrides in languages.items() if isinstance(languages, Mapping) else ():
        for name in overrides if isinstance(overrides, Mapping) else ():
            if name in SETTINGS or str(name).startswith(PREFIXES):
                where = f"MULTILINGUAL_LANGUAGES[{lang!r}][{name!r}]"
                raise ConfigurationError(where, overrides[name], "state it once, for the whole site")


def _require_permission(action: str, settings: Mapping[str, Any]) -> None:
    """Where the `policy` plugin writes the pages' policy, it must let the form be sent."""
    allowed = settings.get(POLICY_FORM_ACTIONS)
    if allowed is None and "policy" not in map(str, settings.get("PLUGINS") or ()):
        return
    if not any(allows(str(source), action, str(settings.get("SITEURL") or "")) for source in allowed or ()):
        remedy = f"browsers would refuse to send the form: add {action.partition('?')[0]!r} to {POLICY_FORM_ACTIONS}"
        raise ConfigurationError(FORM_ACTION, action, remedy)


def _is_https(value: str) -> bool:
    if re.search(r"[\s\"'<>\\^`{|}]", value) or not value.isprintable():
        return False
    try:
        url = urlsplit(value)
        return url.scheme == "https" and _HOST.fullmatch(url.netloc) is not None and url.port != 0
    except ValueError:  # also for a port beyond 65535
        return False


def _is_inside(value: str) -> bool:
    path = PurePosixPath(value)
    return (
        bool(path.name)
        and not path.is_absolute()
        and ".." not in path.parts
        and value.isprintable()
        and "\\" not in value
    )
