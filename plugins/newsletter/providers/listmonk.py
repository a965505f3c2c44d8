"""listmonk, from version 6 on (listmonk.app/docs/apis/campaigns): one mailing list for each language.

What it keeps for us: the key as `archive_slug`, which no two campaigns can share (the archive stays off), the key and
the site's mark as tags, by which campaigns are found, and the digest in `attribs`. Subject, HTML and text are templates
in Go to it, so each is handed in as a literal that says exactly what is to be read; and the HTML as of the type
"visual", which it puts into no frame, so that nothing counts readers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from ..campaigns import UNSUBSCRIBE, Campaign
from ..errors import ConfigurationError, SubmissionUncertain, UnexpectedResponse, UnsupportedFeature
from ..forms import SignupForm
from ..settings import Configuration
from . import Access, Feature, State
from .listing import Found, ListingProvider, pick
from .service import Answer, Credentials

_STATES: dict[str, State] = {
    "draft": "draft", "scheduled": "scheduled", "running": "sending", "paused": "paused", "finished": "sent",
    "cancelled": "stopped",
}  # fmt: skip
#: What the next status is on the way to being stopped.
_STOPS = {"scheduled": "draft", "running": "paused", "paused": "cancelled"}
#: What must be at the service as it was handed in, when a campaign is started.
_REVIEWED = ("subject", "body", "altbody", "content_type", "lists", "headers", "media", "messenger", "type", "attribs")
_KEY = re.compile(r"[a-z0-9-]+-[0-9a-f]{16}")
#: It looks for what is due every five seconds, and takes no date that has passed: shorter holds are not kept.
_SHORTEST_HOLD = 60
_CLASH = "campaigns_archive_slug_key"


def open_provider(access: Access) -> Listmonk:
    """The listmonk at NEWSLETTER_API. Raises ConfigurationError for what it cannot be reached without."""
    if not access.api:
        raise ConfigurationError(access.setting, "", "use the address of listmonk's API, https://…/api/")
    if ":" not in access.token.reveal():
        raise ConfigurationError(access.token_setting, access.token, "use USER:TOKEN of an API user of listmonk's")
    return Listmonk(access)


def make_form(configuration: Configuration) -> SignupForm:
    """The form of listmonk's own page; whatever fills in `nonce` is refused."""
    action = configuration.signup or ""
    return SignupForm(
        action=action,
        address="email",
        lang="l",
        langs=configuration.signup_lists,
        trap="nonce",
        company=configuration.signup_company or urlsplit(action).hostname or "",
    )


class Listmonk(ListingProvider):
    """listmonk's campaigns."""

    name = title = "listmonk"
    features: frozenset[Feature] = frozenset(
        {"unique", "hold", "stop", "text", "verbatim", "untracked", "recipients", "test"}
    )
    test_remedy = "The address must be a subscriber's: add it to a list of its own in listmonk."

    def __init__(self, access: Access) -> None:
        super().__init__(access, access.api, Credentials("token", access.token))
        self._mark = f"newsletter-{access.site}"

    def _compose(self, campaign: Campaign) -> dict[str, Any]:
        if campaign.kind == "correction":
            problem = f"listmonk cannot send {campaign.key} to whoever was sent {campaign.corrects}, and to nobody else"
            raise UnsupportedFeature(problem, "Correct the page, or write a notice to all.")
        headers = [{"Content-Language": campaign.lang}]
        if campaign.reply_to:
            headers.append({"Reply-To": campaign.reply_to})
        return {
            "name": f"{campaign.title} ({campaign.lang})"[:200],
            "subject": _as_subject(campaign.subject),
            "lists": [self._find_list(campaign.lang)],
            "type": "regular",
            "content_type": "visual",
            "body": _as_template(campaign.html),
            "altbody": _as_template(campaign.text),
            "messenger": "email",
            "headers": headers,
            "tags": [self._mark, campaign.key],
            "attribs": {"key": campaign.key, "digest": campaign.digest},
            "archive": False,
            "archive_slug": campaign.key,
            "media": [],
            "send_at": None,
        } | ({"from_email": campaign.sender} if campaign.sender else {})

    def _find_list(self, lang: str) -> int:
        """The id of a language's list, which readers can see and have to confirm. Raises ConfigurationError."""
        value = self._access.lists.get(lang, "")
        found = self._look_at(f"lists/{int(value)}") if value.isdecimal() else {}
        if not found:
            remedy = f"name the number of listmonk's list for {lang}, such as {{{lang!r}: '3'}}"
            raise ConfigurationError("NEWSLETTER_LISTS", value, remedy)
        if (found.get("type"), found.get("optin")) != ("public", "double"):
            remedy = "make this list public, with double opt-in: readers must confirm, and be able to leave"
            raise ConfigurationError("NEWSLETTER_LISTS", value, remedy)
        return int(value)

    def _count(self, number: int) -> int:
        """How many readers of a list have confirmed."""
        return int((self._look_at(f"lists/{number}").get("subscriber_statuses") or {}).get("confirmed", 0))

    def _look_up(self, key: str, *, fresh: bool = True) -> list[Found]:  # noqa: ARG002  it is asked for nothing else
        """By a tag, the key's or the site's: no other search is safe, and an unknown parameter finds everything."""
        return pick(key, self._list(key or self._mark))

    def _list(self, tag: str = "") -> list[Found]:
        query = {"per_page": "all"} | ({"tag": tag} if tag else {})
        answer = self._ask("GET", "campaigns", tag, query=query)
        with self._service.reading(answer, tag) as data:
            return [self._read(each) for each in data["data"]["results"]]

    def _read(self, data: Any) -> Found:
        state, sent = _STATES[data["status"]], int(data["sent"] or 0)
        rest = max(0, int(data["to_send"] or 0) - sent)  # "finished" does not mean that all were sent
        letters = {"sent": sent, "pending" if state in ("sending", "paused") else "unsent": rest}
        lists, started = [each["id"] for each in data["lists"]], data["started_at"]
        is_ours = self._mark in data["tags"]
        keys = [each for each in (data.get("archive_slug") or "", *data["tags"]) if _KEY.fullmatch(each)]
        return Found(
            keys[0] if keys else "",
            state,
            digest=str((data.get("attribs") or {}).get("digest", "")),
            identity=str(data["id"]),
            recipients=sum(map(self._count, lists)) if is_ours and state == "draft" else None,
            started=datetime.fromisoformat(started).date() if started else None,
            letters={each: count for each, count in letters.items() if count},
            keys=keys,
            site=self._access.site if is_ours else "",
            data={**data, "lists": lists, "media": [each["id"] for each in data["media"]]},
        )

    def _unwrap(self, data: Any) -> Any:
        return data["data"]

    def _complete(self, found: Found) -> Found:
        return found

    def _compare(self, found: Found, fields: Mapping[str, Any]) -> list[str]:
        names = (*_REVIEWED, *(["from_email"] if "from_email" in fields else []))
        return [name for name in names if found.data.get(name) != fields[name]]

    def _create(self, key: str, fields: Mapping[str, Any]) -> Found:
        """It refuses a slug that is taken; where its tags were taken from that campaign, it is found among all."""
        try:
            return self._take_kept(self._ask("POST", "campaigns", key, fields), key, fields)
        except SubmissionUncertain as error:
            found = pick(key, self._list()) if _CLASH in error.excerpt else []
            if not found:
                raise
            return found[0]

    def _update(self, found: Found, fields: Mapping[str, Any]) -> Found:
        """Whole: what is left out of `lists`, `media` and `attribs` would be lost."""
        return self._take_kept(self._ask("PUT", self._path(found), found.key, fields), found.key, fields)

    def _take_kept(self, answer: Answer, key: str, fields: Mapping[str, Any]) -> Found:
        """What it kept. It drops without a word: attribs before version 6, lists that the user may not see."""
        found = self._take(answer, key)
        if lost := self._compare(found, fields):
            problem = f"it did not keep what was handed in: {', '.join(lost)}"
            raise UnexpectedResponse(self.name, key, answer.status, "", problem=problem)
        return found

    def _launch(self, found: Found, campaign: Campaign, moment: datetime | None) -> Found:
        if moment:
            moment = max(moment, datetime.now(UTC) + timedelta(seconds=_SHORTEST_HOLD))
        fields = self._compose(campaign) | {"send_at": moment.isoformat("T", "seconds") if moment else None}
        return self._set(self._update(found, fields), "scheduled" if moment else "running")

    def _halt(self, found: Found) -> Found:
        """Take a scheduled one back to a draft; pause one that is leaving, and end it."""
        for _ in range(len(_STOPS) + 2):  # it may leave while we take it back
            if found.data["status"] in _STOPS:
                found = self._set(found, _STOPS[found.data["status"]])
        return found

    def _set(self, found: Found, status: str) -> Found:
        """Ask for another status. What it refuses (400) it has done before, or somebody else has: look."""
        path = self._path(found, "/status")
        answer = self._ask("PUT", path, found.key, {"status": status}, accept=(400,))
        with self._service.reading(answer, found.key) as data:
            _ = data["message"] if answer.status == 400 else data["data"]["id"]
        return self._fetch(found)

    def _delete(self, found: Found) -> None:
        """By itself it would delete anything; 400: it is gone."""
        answer = self._ask("DELETE", self._path(found), found.key, accept=(400,))
        with self._service.reading(answer, found.key) as data:
            if answer.status == 200 and data["data"] is not True:
                raise ValueError("it deletes, and says so")

    def _compose_test(self, found: Found, campaign: Campaign, address: str) -> tuple[str, Any]:
        return self._path(found, "/test"), self._compose(campaign) | {"subscribers": [address]}


def _as_template(text: str) -> str:
    """A template that comes to exactly this text, with the reader's link in its place."""
    before, _, after = text.partition(UNSUBSCRIBE)
    return f"{{{{ Safe {_literal(before)} }}}}{{{{ UnsubscribeURL }}}}{{{{ Safe {_literal(after)} }}}}"


def _as_subject(text: str) -> str:
    """Only a subject with braces is taken for a template."""
    return f"{{{{ {_literal(text)} }}}}" if "{{" in text else text


def _literal(text: str) -> str:
    """A string of Go's, in which listmonk's own search and replace (of commands, and of @TrackLink) finds nothing."""
    return json.dumps(text, ensure_ascii=False).replace("{", "\\u007b").replace("@", "\\u0040")
