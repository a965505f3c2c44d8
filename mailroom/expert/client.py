"""The server's API as an expert's program asks it: sealed octets and words about them, with an `intake` token.

The token goes to MAILROOM_INTAKE_API alone: over HTTPS unless that is this machine, through no proxy that the
environment names, after no redirect. Every answer is read with suspicion, and up to a length.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Self
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from mailroom.doctor import Finding
from mailroom.errors import ConfigurationError, MailroomError
from mailroom.intake.container import SIZES
from mailroom.intake.sealing import Recipient
from mailroom.settings import Secret

#: Seconds to connect, and for which nothing may come.
PATIENCE = (15.0, 60.0)
#: Octets of an answer that is no submission.
LARGEST = 8 * 1024 * 1024
_ID, _KEY = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{8}")


class ServerError(MailroomError):
    """The server could not be asked, or what it answered is of no use; `status` is HTTP's, 0 without one."""

    def __init__(self, problem: str, remedy: str, status: int = 0) -> None:
        super().__init__(problem, remedy)
        self.status = status


@dataclass(frozen=True, slots=True)
class Waiting:
    """A submission on the server: `key` names the recipients to whom it is sealed."""

    id: str
    day: date
    size: int
    key: str
    state: str


@dataclass(frozen=True, slots=True)
class Overview:
    """How things stand on the server; `form` is the public form's address, `expires` the token's last day."""

    submissions: tuple[Waiting, ...]
    recipients: tuple[Recipient, ...]
    form: str
    expires: date
    health: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Blob:
    """The sealed octets of a submission."""

    octets: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        """By which the server knows that they arrived whole."""
        return hashlib.sha256(self.octets).hexdigest()


class Client:
    """The API at one address."""

    def __init__(self, api: str, token: Secret, patience: tuple[float, float] = PATIENCE, ca: str = "") -> None:
        """`ca` is a file of certificates to trust in the place of the usual ones. Raises ConfigurationError."""
        check_api(api)
        if not token:
            remedy = "ask whoever runs the server for a token: ./blog mailroom token create NAME --scope intake"
            raise ConfigurationError("MAILROOM_INTAKE_TOKEN", "", remedy)
        if not re.fullmatch(r"[!-~]+", token.reveal()):
            raise ConfigurationError("MAILROOM_INTAKE_TOKEN", "…", "a token has no spaces: copy it again, whole")
        self._base = api
        self._patience = patience
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy may read the token, and no .netrc replaces it
        self._session.auth = _Bearer(token)
        self._session.verify = ca or True
        self._session.headers.update({"User-Agent": "mailroom-expert", "Accept-Encoding": "identity"})
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def close(self) -> None:
        """Close connections."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def look(self, seen: str = "") -> Overview:
        """How things stand; `seen` is what the server shall look for in its web server's logs. Raises ServerError."""
        content = self._ask("GET", "submissions" + (f"?seen={seen}" if seen else ""), LARGEST)
        with _understanding():
            return _read_overview(json.loads(content))

    def fetch(self, identity: str, size: int) -> Blob:
        """The sealed octets of a submission, which are as many as its size class says. Raises ServerError."""
        content = self._ask("GET", f"submissions/{identity}", size)
        if len(content) != size:
            raise ServerError(
                f"The server sent {len(content):,} octets of a submission of {size:,}: it was cut off",
                "Try again; nothing is lost.",
            )
        return Blob(content)

    def acknowledge(self, identity: str, sha256: str) -> None:
        """Say that a submission is stored here: the server deletes it. Raises ServerError."""
        self._ask("POST", f"submissions/{identity}/acknowledge", LARGEST, {"sha256": sha256})

    def delete(self, identity: str) -> None:
        """Have a submission deleted, unread. Raises ServerError."""
        self._ask("DELETE", f"submissions/{identity}", LARGEST)

    def _ask(self, method: str, path: str, largest: int, body: Any = None) -> bytes:
        """The body of a good answer."""
        again = "Try again; nothing is lost."
        try:
            with self._session.request(
                method, self._base + path, json=body, timeout=self._patience, allow_redirects=False, stream=True
            ) as answer:
                content: bytes = answer.raw.read(largest + 1)
                length, status = answer.headers.get("Content-Length", ""), answer.status_code
        except requests.exceptions.SSLError as error:
            remedy = "Is the address right? Do not go on through a network that asks you to."
            raise ServerError("The server's certificate is not to be trusted", remedy) from error
        except requests.ConnectTimeout as error:
            raise ServerError(f"The server does not answer in {self._patience[0]:g} s", again) from error
        except requests.ReadTimeout as error:
            raise ServerError(f"The server said nothing for {self._patience[1]:g} s", again) from error
        except requests.ConnectionError as error:
            remedy = "Is this machine online, and MAILROOM_INTAKE_API right?"
            raise ServerError("The server cannot be reached, or hung up", remedy) from error
        except (requests.RequestException, OSError, ValueError) as error:
            raise ServerError("The server's answer broke off", again) from error
        except Exception as error:
            if type(error).__module__.startswith("urllib3"):  # what reading the answer raises
                raise ServerError("The server's answer broke off", again) from error
            raise
        _check(status)
        if len(content) > largest:
            raise ServerError(f"The server sent more than {largest:,} octets", "Ask whoever runs it.", status)
        if length.isdigit() and int(length) != len(content):
            raise ServerError("The server's answer broke off", again)
        return content


def check_api(api: str) -> None:
    """Raise ConfigurationError unless a token may be sent to this address."""
    setting, remedy = "MAILROOM_INTAKE_API", "use an https address that ends in /: https://example.org/mail/api/"
    if not api:
        raise ConfigurationError(setting, "", "say where the server's API is: https://example.org/mail/api/")
    try:
        parts = urlsplit(api)
        _ = parts.port
    except ValueError:
        raise ConfigurationError(setting, "…", remedy) from None
    if parts.username or parts.password is not None:
        raise ConfigurationError(setting, "…", "no password belongs there: there is MAILROOM_INTAKE_TOKEN")
    if not (parts.hostname and parts.path.endswith("/")) or parts.query or parts.fragment:
        raise ConfigurationError(setting, api, remedy)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_this_machine(parts.hostname)):
        raise ConfigurationError(setting, api, remedy)


def is_this_machine(host: str) -> bool:
    """Whether what is sent there leaves no machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Bearer(AuthBase):
    """The token, in the header Authorization."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        return request


# What the answers mean; what a server says beside its status is shown to nobody, since it may be anybody's words
_MEANINGS = {
    401: ("The server does not know the token, or it has expired",
          "Ask whoever runs it: ./blog mailroom token create NAME --scope intake, then set MAILROOM_INTAKE_TOKEN."),
    403: ("The token has the wrong scope",
          "Ask whoever runs the server for one of scope intake: ./blog mailroom token create NAME --scope intake"),
    404: ("The server has no such submission, or no longer: it was acknowledged or deleted, or is 30 days old",
          "See what there is: ./blog intake list. If that says the same, look at MAILROOM_INTAKE_API."),
    412: ("The server has other octets of this submission than came here, and keeps them",
          "What lies open here is whole. When you have looked at it: ./blog intake delete ID"),
    503: ("The server can read and write nothing now", "Try again later; nothing is lost."),
}  # fmt: skip


def _check(status: int) -> None:
    if 200 <= status < 300:
        return
    if status in _MEANINGS:
        raise ServerError(*_MEANINGS[status], status)
    if 300 <= status < 400:
        problem = f"The server leads elsewhere ({status}), and the token does not follow"
        raise ServerError(problem, "Set MAILROOM_INTAKE_API to where it leads, if that is yours.", status)
    if status >= 500:
        remedy = "Is the mailroom running there? Try again later; nothing is lost."
        raise ServerError(f"The server is out of order ({status})", remedy, status)
    raise ServerError(f"The server refuses this ({status})", "Is MAILROOM_INTAKE_API right?", status)


@contextmanager
def _understanding() -> Iterator[None]:
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        remedy = "Is MAILROOM_INTAKE_API right? A network may want you to sign in first."
        raise ServerError("What the server answered is no answer of a mailroom", remedy) from None  # it may quote it


def _read_overview(found: Any) -> Overview:
    submissions = []
    for each in found["submissions"]:
        one = Waiting(each["id"], date.fromisoformat(each["day"]), each["size"], each["key"], each["state"])
        if not (_ID.fullmatch(one.id) and _KEY.fullmatch(one.key) and one.size in SIZES):
            raise ValueError
        if one.state not in ("stored", "fetched"):
            raise ValueError
        submissions.append(one)
    recipients = [Recipient(_word(each["age"]), date.fromisoformat(each["since"])) for each in found["recipients"]]
    health = []
    for each in found["health"]:
        if each["verdict"] not in ("ok", "look", "wrong"):
            raise ValueError
        health.append(Finding(each["verdict"], _words(each["what"]), _words(each["remedy"])))
    return Overview(
        tuple(sorted(submissions, key=lambda one: (one.day, one.id))), tuple(recipients), _word(found["form"]),
        date.fromisoformat(found["token"]["expires"]), tuple(health),
    )  # fmt: skip


def _word(found: str) -> str:
    if not re.fullmatch(r"[!-~]{1,500}", found):
        raise ValueError
    return found


def _words(found: str) -> str:
    """Words for the terminal, which must not take them for anything else."""
    return "".join(character if character.isprintable() else "\ufffd" for character in found[:1000])
