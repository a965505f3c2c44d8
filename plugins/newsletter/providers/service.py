"""A mailing service over HTTP: how it is asked, when it is asked again, and what its failures are called.

Reading, and writing that can be repeated, is tried again with growing pauses while the service is out of order. A
request that creates or starts something is sent once: when no answer comes, nobody knows whether it was done, and that
is what is raised (SubmissionUncertain), for the caller to look before it acts.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urljoin

import requests
from requests.auth import AuthBase

from ..errors import (
    AuthenticationFailed,
    ConfigurationError,
    ProviderUnavailable,
    RateLimited,
    Rejected,
    SubmissionUncertain,
    UnexpectedResponse,
)
from ..settings import Secret

#: How often a request that can be repeated is sent, and the pauses between, in seconds, before chance is added.
ATTEMPTS = 4
PAUSES = (1.0, 4.0, 15.0)
#: A pause that the service asks for is kept to, unless it is longer than this: then a person decides.
LONGEST_PAUSE = 60.0
#: Octets of an answer, at most: a list of all campaigns with their texts stays below.
LARGEST = 32 * 1024 * 1024
_EXCERPT = 200
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said: `data` is its JSON, None where there was none."""

    status: int
    data: Any
    excerpt: str


class Credentials(AuthBase):
    """A token in the header Authorization, after a word that says what it is."""

    def __init__(self, scheme: str, token: Secret) -> None:
        self._scheme = scheme
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put it on a request."""
        request.headers["Authorization"] = f"{self._scheme} {self._token.reveal()}"
        return request


class Service:
    """The API of a mailing service at one address."""

    def __init__(
        self,
        name: str,
        base: str,
        *,
        auth: AuthBase,
        headers: Mapping[str, str] | None = None,
        timeout: float = 30,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`base` ends in "/"; `auth` also keeps requests from sending what a .netrc holds."""
        self.name = name
        self._base = base if base.endswith("/") else base + "/"
        self._timeout = timeout
        self._sleep = sleep
        self._session = requests.Session()
        self._session.auth = auth
        # Plain HTTP is for this machine alone: a proxy that the environment names would read the token.
        self._session.trust_env = not base.startswith("http:")
        self._session.headers.update({"Accept": "application/json", "User-Agent": "pelican-newsletter"})
        self._session.headers.update(headers or {})
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def close(self) -> None:
        """Close connections."""
        self._session.close()

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        campaign: str = "",
        accept: Collection[int] = (),
        repeatable: bool | None = None,
    ) -> Answer:
        """Send a request and return the answer, if it is a success (2xx) or its status is in `accept`.

        `path` is relative to the API's address. `repeatable` says whether the request may be sent again though it may
        have been done already; where it does not, GET, PUT and DELETE may. Raises ProviderError.
        """
        again = method in _REPEATABLE if repeatable is None else repeatable
        for attempt in range(ATTEMPTS):
            try:
                answer, retry_after = self._send(method, path, body, query, headers, campaign)
                self._check(answer, retry_after, campaign, accept, sent_once=not again)
            except RateLimited as error:  # nothing was done, whatever it was
                pause = error.retry_after
                if attempt == ATTEMPTS - 1 or (pause or 0) > LONGEST_PAUSE:
                    raise
            except ProviderUnavailable:
                pause = None
                if attempt == ATTEMPTS - 1:
                    raise
            except SubmissionUncertain as error:
                if not again:
                    raise
                pause = None
                if attempt == ATTEMPTS - 1:
                    raise ProviderUnavailable(self.name, campaign, error.status, error.excerpt) from error
            else:
                return answer
            self._sleep(PAUSES[attempt] * random.uniform(1, 1.5) if pause is None else pause)  # noqa: S311
        raise AssertionError("the last attempt returns or raises")

    @contextmanager
    def reading(self, answer: Answer, campaign: str = "") -> Iterator[Any]:
        """Its data; raises UnexpectedResponse where they are not as the block takes them to be."""
        try:
            yield answer.data
        except ConfigurationError:
            raise
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            problem = f"this is not what was asked for: {type(error).__name__}"
            raise UnexpectedResponse(self.name, campaign, answer.status, answer.excerpt, problem=problem) from error

    def _send(
        self,
        method: str,
        path: str,
        body: Any,
        query: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
        campaign: str,
    ) -> tuple[Answer, str]:
        try:
            response = self._session.request(
                method,
                urljoin(self._base, path),
                json=body,
                params=query,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,  # a redirected POST becomes a GET, and a token goes where it should not
                stream=True,
            )
            with response:
                content = response.raw.read(LARGEST + 1, decode_content=True)
        except (requests.ConnectTimeout, requests.exceptions.InvalidURL) as error:
            raise ProviderUnavailable(self.name, campaign, 0, "", problem="cannot be reached") from error
        except requests.ConnectionError as error:
            if _was_never_sent(error):
                raise ProviderUnavailable(self.name, campaign, 0, "", problem="cannot be reached") from error
            raise SubmissionUncertain(self.name, campaign, 0, "", problem="the connection broke off") from error
        except requests.Timeout as error:
            problem = f"no answer in {self._timeout:g} s"
            raise SubmissionUncertain(self.name, campaign, 0, "", problem=problem) from error
        except (requests.RequestException, OSError, ValueError) as error:
            raise SubmissionUncertain(self.name, campaign, 0, "", problem="the answer broke off") from error
        except Exception as error:
            if type(error).__module__.startswith("urllib3"):  # what reading the answer raises
                raise SubmissionUncertain(self.name, campaign, 0, "", problem="the answer broke off") from error
            raise
        if len(content) > LARGEST:
            raise UnexpectedResponse(self.name, campaign, response.status_code, "", problem="an endless answer")
        text = content.decode("utf-8", "replace")
        excerpt = " ".join(text.split())[:_EXCERPT]
        try:
            data = json.loads(text) if text.strip() else None
        except ValueError:
            data = None if response.status_code >= 300 else _NONSENSE
        return Answer(response.status_code, data, excerpt), response.headers.get("Retry-After", "")

    def _check(
        self, answer: Answer, retry_after: str, campaign: str, accept: Collection[int], *, sent_once: bool
    ) -> None:
        """Raise what an answer means that is no success."""
        status, excerpt = answer.status, answer.excerpt
        if answer.data is _NONSENSE:
            raise UnexpectedResponse(self.name, campaign, status, excerpt, problem="this is no JSON")
        if status in accept or 200 <= status < 300:
            return
        if status == 429:
            raise RateLimited(self.name, campaign, status, excerpt, _seconds(retry_after))
        if status in (401, 403):
            raise AuthenticationFailed(self.name, campaign, status, excerpt)
        if status >= 500:
            failure = SubmissionUncertain if sent_once else ProviderUnavailable
            raise failure(self.name, campaign, status, excerpt)
        if 400 <= status < 500:
            raise Rejected(self.name, campaign, status, excerpt)
        raise UnexpectedResponse(self.name, campaign, status, excerpt)


#: Stands for an answer that says 200 and is no JSON: a captive portal, a parked domain.
_NONSENSE = object()


def _was_never_sent(error: requests.ConnectionError) -> bool:
    """Whether not even a connection was made: then nothing can have been done."""
    from urllib3.exceptions import NameResolutionError, NewConnectionError

    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError | NameResolutionError) or isinstance(
        error, requests.exceptions.SSLError | requests.exceptions.ProxyError
    )


def _seconds(retry_after: str) -> float | None:
    """The header Retry-After, which is seconds or a date (RFC 9110, 10.2.3)."""
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None
