"""What providers do alike whose service is open to others, too, who edit, copy, start and delete there as they like.

Such a service tells of its campaigns as a list. Ours are found in it by key, whatever has been done to them meanwhile,
and nothing is written or started that is not what was composed, or that lies there twice. A provider says how its
service lists, reads, writes and starts: a service of its own is mostly fields and addresses.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote

from requests.auth import AuthBase

from ..campaigns import Campaign
from ..errors import (
    AmbiguousCampaign,
    NotReviewed,
    ProviderError,
    Rejected,
    SubmissionUncertain,
    UnexpectedResponse,
    UnknownCampaign,
    UnsupportedFeature,
)
from . import Access, Feature, Submitted
from .service import Answer, Service

#: For how long a list serves `find` and `drafts`, in seconds.
FRESH = 5.0


@dataclass(frozen=True, slots=True)
class Found(Submitted):
    """A campaign as it lies at the service. `key` is the likeliest of what it may be known by."""

    #: All that it may be known by, since people may change each there.
    keys: Sequence[str] = ()
    #: `Access.site`, if it is of this site.
    site: str = ""
    #: As the service tells it.
    data: Any = field(default=None, repr=False, compare=False)


class ListingProvider(ABC):
    """See Provider, whose methods these are. What is abstract is to be written, and the names before it to be said."""

    name: str
    features: frozenset[Feature]
    #: What people call the service.
    title: ClassVar[str]
    #: Where its campaigns are, below the API's address.
    place: ClassVar[str] = "campaigns"
    #: Where an error says what is wrong, without repeating what it was given.
    reason: ClassVar[str] = "message"
    #: What helps who gets no test letter.
    test_remedy: ClassVar[str] = "Use another, or see to it there."

    def __init__(self, access: Access, api: str, auth: AuthBase, headers: Mapping[str, str] | None = None) -> None:
        self._access = access
        self._listed: list[Found] = []
        self._stale = 0.0
        self._seen: dict[str, Mapping[str, Any]] = {}
        self._service = Service(self.name, api, auth=auth, headers=headers, timeout=access.timeout, sleep=access.sleep)

    @abstractmethod
    def _compose(self, campaign: Campaign) -> Mapping[str, Any]:
        """A campaign in the service's fields. Raises UnsupportedFeature, ConfigurationError."""

    @abstractmethod
    def _list(self) -> Iterable[Found]:
        """All campaigns there, with what `_read` needs of each."""

    @abstractmethod
    def _read(self, data: Any) -> Found:
        """A campaign as the API tells of it; of a state that is unknown here, "sent", so that nobody starts it."""

    @abstractmethod
    def _create(self, key: str, fields: Mapping[str, Any]) -> Found:
        """Make a draft, by a request that is sent once, or that the service does once."""

    @abstractmethod
    def _update(self, found: Found, fields: Mapping[str, Any]) -> Found:
        """Bring a draft up to date."""

    @abstractmethod
    def _compare(self, found: Found, fields: Mapping[str, Any]) -> list[str]:
        """In what a whole draft is not this, of all that says what is read, and by whom."""

    @abstractmethod
    def _launch(self, found: Found, campaign: Campaign, moment: datetime | None) -> Found:
        """Start a draft that has been found right, or have it wait until then."""

    @abstractmethod
    def _halt(self, found: Found) -> Found:
        """Stop what has been started and not been sent. Raises UnsupportedFeature."""

    @abstractmethod
    def _compose_test(self, found: Found, campaign: Campaign, address: str) -> tuple[str, Any]:
        """Path and body of the request that mails a draft to one address."""

    def find(self, key: str) -> Submitted | None:
        """The campaign with this key."""
        found = self._look_up(key, fresh=False)
        return _sum_up(found) if found else None

    def drafts(self) -> Iterable[Submitted]:
        """Every draft that is marked as this site's."""
        ours: dict[str, list[Found]] = {}
        for each in self._look_up("", fresh=False):
            if each.key and each.site == self._access.site and each.state == "draft":
                ours.setdefault(each.key, []).append(each)
        return [_sum_up(found) for found in ours.values()]

    def submit(self, campaign: Campaign, *, again: bool = False) -> Submitted:
        """Hand in a draft. None of these services knows whom a stopped letter has reached: there is no second time."""
        key, fields = campaign.key, self._compose(campaign)
        found = self._only(key) or self._create_once(key, fields)
        if found.state == "stopped" and again:
            problem = f"{key} has been stopped, and {self.title} cannot send it to those alone whom it has not reached"
            raise UnsupportedFeature(problem, "Write another letter, which all get.")
        if found.state != "draft":
            raise self._refuse(found)
        if found.digest != campaign.digest or self._compare(self._complete(found), fields):
            found = self._update(found, fields)
        return found

    def start(self, group: Sequence[Campaign], hold: int) -> list[Submitted]:
        """Start these one after another, once all are found right."""
        self._stale = 0.0
        found = [self._review(campaign) for campaign in group]
        moment = datetime.now(UTC) + timedelta(seconds=hold) if hold else None
        return [self._begin(one, campaign, moment) for one, campaign in zip(found, group, strict=True)]

    def stop(self, key: str) -> Submitted:
        """Stop whatever has this key, the copies, too."""
        found = self._look_up(key)
        if not found:
            raise self._miss(key)
        found = [self._halt(each) if each.is_started and each.state != "sent" else each for each in found]
        stopped = _sum_up(found)
        if stopped.state == "sent":
            raise UnsupportedFeature(f"All letters of {key} have left", "Write to readers what is right.")
        if stopped.is_started:
            raise UnexpectedResponse(self.name, key, 200, "", problem="it does not stop")
        return stopped

    def withdraw(self, key: str) -> None:
        """Delete the draft."""
        found = self._only(key)
        if found and found.state != "draft":
            raise self._refuse(found, "Only a draft can be withdrawn.")
        if found:
            self._delete(found)

    def test(self, campaign: Campaign, address: str) -> None:
        """Mail the draft to one address."""
        found = self._only(campaign.key)
        if found is None:
            raise self._miss(campaign.key)
        path, body = self._compose_test(found, campaign, address)
        answer = self._ask("POST", path, campaign.key, body, accept=(400, 422))
        if answer.status in (400, 422):  # the whole answer might hold the address
            said = str(answer.data.get(self.reason, "")) if isinstance(answer.data, dict) else ""
            problem = "this address gets no test"
            raise Rejected(self.name, campaign.key, answer.status, said, problem=problem, remedy=self.test_remedy)

    def close(self) -> None:
        """Close connections."""
        self._service.close()

    # What is found

    def _look_up(self, key: str, *, fresh: bool = True) -> list[Found]:
        """Everything with this key, or with any.

        A plan asks for many keys, which a list of a moment ago answers; what is done is done by a fresh one.
        """
        if fresh or time.monotonic() > self._stale:
            self._listed = list(self._list())
            self._stale = time.monotonic() + FRESH
        return pick(key, self._listed)

    def _only(self, key: str, *, fresh: bool = True) -> Found | None:
        """The one with this key; of copies, one that was started or stopped, which keeps the others from it."""
        found = self._look_up(key, fresh=fresh)
        if not found:
            return None
        one = _sum_up(found)
        if one.copies > 1 and one.state == "draft":
            problem = f"{one.copies} campaigns at {self.title} have the key {key}"
            raise AmbiguousCampaign(problem, "Delete all but one there; then run the command again.")
        return one

    def _review(self, campaign: Campaign) -> Found:
        """A draft that is exactly this campaign, or what has been started."""
        found = self._only(campaign.key, fresh=False)
        if found is None:
            raise self._miss(campaign.key)
        if found.state == "draft":
            found = self._complete(found)
        if found.is_started:
            return found
        if found.state == "stopped":
            raise self._refuse(found)
        if differing := self._compare(found, self._compose(campaign)):
            problem = f"{campaign.key} at {self.title} is not what was composed: {', '.join(differing)}"
            raise NotReviewed(problem, "Hand it in, review it, and start that.")
        return found

    def _look_at(self, path: str) -> Mapping[str, Any]:
        """A mailing list, or what stands for one, as it was when it was first asked for; empty where there is none."""
        if path not in self._seen:
            answer = self._ask("GET", path, "", accept=(400, 404, 422))
            with self._service.reading(answer) as data:
                found = self._unwrap(data) if answer.status < 300 else {}
                self._seen[path] = {**found, "id": found["id"]} if found else {}
        return self._seen[path]

    def _complete(self, found: Found) -> Found:
        """All of it, where a list tells only a part."""
        return self._fetch(found)

    def _fetch(self, found: Found) -> Found:
        return self._take(self._ask("GET", self._path(found), found.key), found.key)

    # What is done

    def _create_once(self, key: str, fields: Mapping[str, Any]) -> Found:
        """A new draft, or what lies there after all: made by somebody else meanwhile, or by a request of no answer."""
        try:
            return self._create(key, fields)
        except (Rejected, SubmissionUncertain):
            found = self._only(key)
            if found is None:
                raise
            return found

    def _begin(self, found: Found, campaign: Campaign, moment: datetime | None) -> Submitted:
        if found.is_started:
            return found
        try:
            found = self._launch(found, campaign, moment)
        except SubmissionUncertain as error:
            try:
                found = self._fetch(found)
            except ProviderError:
                raise error from None
            if found.state == "draft":
                raise
        if not found.is_started:
            raise UnexpectedResponse(self.name, found.key, 200, "", problem=f"it is {found.state} after its start")
        return found

    def _delete(self, found: Found) -> None:
        answer = self._ask("DELETE", self._path(found), found.key, accept=(404,))
        if answer.status not in (204, 404):
            raise UnexpectedResponse(self.name, found.key, answer.status, answer.excerpt)

    # How it is said

    def _ask(self, method: str, path: str, key: str, body: Any = None, **options: Any) -> Answer:
        """Ask the service; what was listed before something is written is not true any more."""
        if method != "GET":
            self._stale = 0.0
        return self._service.ask(method, path, body, campaign=key, **options)

    def _take(self, answer: Answer, key: str) -> Found:
        """The campaign that an answer tells of."""
        with self._service.reading(answer, key) as data:
            return replace(self._read(self._unwrap(data)), key=key)

    def _unwrap(self, data: Any) -> Any:
        """What an answer is about, where something stands around it."""
        return data

    def _path(self, found: Found, below: str = "") -> str:
        return f"{self.place}/{quote(found.identity, safe='')}{below}"

    def _miss(self, key: str) -> UnknownCampaign:
        return UnknownCampaign(f"{self.title} has no campaign {key}", "Hand it in first: ./blog newsletter draft.")

    def _refuse(self, found: Found, remedy: str = "") -> NotReviewed:
        done = "stopped" if found.state == "stopped" else "started"
        word = "correction" if "correction" in self.features else "notice"
        problem = f"{found.key} has been {done} at {self.title}"
        return NotReviewed(problem, remedy or f"What was sent is put right by a {word}.")


def pick(key: str, listed: Iterable[Found]) -> list[Found]:
    """Those with this key, by whichever they are known; all of them where it is ""."""
    return [replace(each, key=key or each.key) for each in listed if not key or key in each.keys]


def _sum_up(found: Sequence[Found]) -> Found:
    """What is told of those with one key: one that was started, or else stopped, speaks for all."""
    return replace(max(found, key=lambda each: (each.is_started, each.state != "draft")), copies=len(found))
