"""listmonk, from version 6 on (listmonk.app/docs/apis/campaigns): one mailing list for each language.

What it keeps for us: the key as `archive_slug`, which no two campaigns can share (the archive stays off), the key and
the site's mark as tags, by which campaigns are found, and the digest in `attribs`. Subject, HTML and text are templates
in Go to it, so each is handed in as a literal that says exactly what is to be read; and the HTML as of the type
"visual", which it puts into no frame, so that nothing counts readers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from ..campaigns import UNSUBSCRIBE, Campaign
from ..errors import (
    AmbiguousCampaign,
    ConfigurationError,
    NotReviewed,
    Rejected,
    SubmissionUncertain,
    UnexpectedResponse,
    UnknownCampaign,
    UnsupportedFeature,
)
from ..forms import SignupForm
from ..settings import Configuration
from . import STARTED, Access, Feature, State, Submitted
from .service import Answer, Credentials, Service

_STATES: dict[str, State] = {
    "draft": "draft",
    "scheduled": "scheduled",
    "running": "sending",
    "paused": "paused",
    "finished": "sent",
    "cancelled": "stopped",
}
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


class Listmonk:
    """See Provider, whose methods these are."""

    name = "listmonk"
    features: frozenset[Feature] = frozenset(
        {"unique", "hold", "stop", "text", "verbatim", "untracked", "recipients", "test"}
    )

    def __init__(self, access: Access) -> None:
        self._mark = f"newsletter-{access.site}"
        self._lists = access.lists
        self._found: dict[int, dict[str, Any]] = {}
        self._service = Service(
            self.name,
            access.api,
            auth=Credentials("token", access.token),
            timeout=access.timeout,
            sleep=access.sleep,
        )

    def find(self, key: str) -> Submitted | None:
        """The campaign with this key."""
        found = self._look(key)
        return self._tell(key, found) if found else None

    def drafts(self) -> Iterable[Submitted]:
        """Every draft with this site's mark."""
        ours: dict[str, list[dict[str, Any]]] = {}
        for each in self._list({"tag": self._mark, "status": "draft"}):
            if self._mark in each["tags"] and each["status"] == "draft" and (key := _key_of(each)):
                ours.setdefault(key, []).append(each)
        return [self._tell(key, found) for key, found in ours.items()]

    def submit(self, campaign: Campaign, *, again: bool = False) -> Submitted:
        """Hand in a draft. listmonk does not know whom a stopped letter has reached: there is no second time."""
        key, fields = campaign.key, self._fields(campaign)
        found = self._look(key) or self._create(key, fields)
        submitted = self._tell(key, found)
        if submitted.is_started:
            raise NotReviewed(f"{key} has been started", "What was sent is put right by a notice.")
        if again and submitted.state == "stopped":
            problem = f"{key} has been stopped, and listmonk does not know whom it has reached"
            raise UnsupportedFeature(problem, "Write another letter.")
        _check_draft(submitted)
        if _differences(found[0], fields):
            self._write(key, found[0], fields)
        return replace(submitted, digest=campaign.digest)

    def start(self, group: Sequence[Campaign], hold: int) -> list[Submitted]:
        """Start these one after another, once all are found right: listmonk has no groups."""
        drafts = []
        for campaign in group:
            found = self._need(campaign.key)
            submitted = self._tell(campaign.key, found)
            if not submitted.is_started:
                _check_draft(submitted)
                drafts.append((campaign.key, found[0], self._fields(campaign)))
        for key, record, fields in drafts:
            if differing := _differences(record, fields):
                problem = f"{key} at listmonk is not what was composed: {', '.join(differing)}"
                raise NotReviewed(problem, "Hand it in, review it, and start that.")
        date = datetime.now(UTC) + timedelta(seconds=max(hold, _SHORTEST_HOLD)) if hold else None
        for key, record, fields in drafts:
            self._write(key, record, fields | {"send_at": date.isoformat("T", "seconds") if date else None})
        for key, record, _ in drafts:
            self._set(key, record, "scheduled" if date else "running")
        started = [self._tell(campaign.key, self._need(campaign.key)) for campaign in group]
        for each in started:
            if not each.is_started:
                raise UnexpectedResponse(self.name, each.key, 200, "", problem=f"it is {each.state} after its start")
        return started

    def stop(self, key: str) -> Submitted:
        """Take a scheduled one back to a draft; pause one that is leaving, and end it."""
        for _ in range(len(_STOPS) + 2):  # it may leave while we take it back
            found = self._need(key)
            submitted = self._tell(key, found)
            if submitted.state == "sent":
                raise UnsupportedFeature(f"All letters of {key} have left", "Write to readers what is right.")
            if not submitted.is_started:
                return submitted
            record = _first(found)
            self._set(key, record, _STOPS[record["status"]])
        raise UnexpectedResponse(self.name, key, 200, "", problem="it does not stop")

    def withdraw(self, key: str) -> None:
        """Delete a draft: listmonk itself would delete anything."""
        found = self._look(key)
        if not found:
            return
        submitted = self._tell(key, found)
        if submitted.state != "draft":
            raise NotReviewed(f"{key} has been started", "Only a draft can be withdrawn.")
        _check_draft(submitted)
        answer = self._service.ask("DELETE", f"campaigns/{found[0]['id']}", campaign=key, accept=(400,))
        with self._service.reading(answer, key) as data:  # 400: it is gone
            if answer.status == 200 and data["data"] is not True:
                raise ValueError("it deletes, and says so")

    def test(self, campaign: Campaign, address: str) -> None:
        """Mail it to a subscriber; listmonk knows no other addresses."""
        path = f"campaigns/{self._need(campaign.key)[0]['id']}/test"
        body = self._fields(campaign) | {"subscribers": [address]}
        answer = self._service.ask("POST", path, body, campaign=campaign.key, accept=(400,))
        if answer.status == 400:
            remedy = "The address must be a subscriber's: add it to a list of its own in listmonk."
            raise Rejected(self.name, campaign.key, 400, _message(answer), remedy=remedy)

    def close(self) -> None:
        """Close connections."""
        self._service.close()

    # What is there

    def _look(self, key: str) -> list[dict[str, Any]]:
        """Whatever has this key, by its tag: no other search is safe, and an unknown parameter finds everything."""
        return _having(key, self._list({"tag": key}, key))

    def _need(self, key: str) -> list[dict[str, Any]]:
        found = self._look(key)
        if not found:
            raise UnknownCampaign(f"listmonk has no campaign {key}", "Hand it in first: ./blog newsletter draft.")
        return found

    def _list(self, query: Mapping[str, str], key: str = "") -> list[dict[str, Any]]:
        answer = self._service.ask("GET", "campaigns", query={"per_page": "all", **query}, campaign=key)
        with self._service.reading(answer, key) as data:
            found: list[dict[str, Any]] = data["data"]["results"]
            for each in found:
                _ = each["id"], each["tags"], each["lists"], each["media"], _STATES[each["status"]]
            return found

    def _tell(self, key: str, found: Sequence[dict[str, Any]]) -> Submitted:
        record = _first(found)
        state, sent = _STATES[record["status"]], int(record["sent"] or 0)
        rest = max(0, int(record["to_send"] or 0) - sent)  # "finished" does not mean that all were sent
        letters = {"sent": sent, "pending" if state in ("sending", "paused") else "unsent": rest}
        started = record["started_at"]
        return Submitted(
            key=key,
            state=state,
            digest=str((record.get("attribs") or {}).get("digest", "")),
            identity=str(record["id"]),
            copies=len(found),
            recipients=sum(self._count(each["id"]) for each in record["lists"]) if state == "draft" else None,
            started=datetime.fromisoformat(started).date() if started else None,
            letters={each: count for each, count in letters.items() if count},
        )

    # What is written

    def _fields(self, campaign: Campaign) -> dict[str, Any]:
        """A campaign in listmonk's fields."""
        if campaign.kind == "correction":
            problem = f"listmonk cannot send {campaign.key} to whoever was sent {campaign.corrects}, and to nobody else"
            raise UnsupportedFeature(problem, "Correct the page, or write a notice to all.")
        headers = [{"Content-Language": campaign.lang}]
        if campaign.reply_to:
            headers.append({"Reply-To": campaign.reply_to})
        return {
            "name": f"{campaign.title} ({campaign.lang})"[:200],
            "subject": _as_subject(campaign.subject),
            "lists": [self._list_for(campaign.lang)],
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

    def _create(self, key: str, fields: Mapping[str, Any]) -> list[dict[str, Any]]:
        """A new draft, or the one that somebody else has made meanwhile. What was not answered is not repeated."""
        try:
            answer = self._service.ask("POST", "campaigns", fields, campaign=key, accept=(500,))
        except SubmissionUncertain:
            found = self._look(key)
            if not found:
                raise
            return found
        if answer.status == 500:
            # Where its tags were taken from it, it is found among all.
            found = (self._look(key) or _having(key, self._list({}, key))) if _CLASH in _message(answer) else []
            if not found:
                raise SubmissionUncertain(self.name, key, 500, answer.excerpt)
            return found
        return [self._read_kept(key, answer, fields)]

    def _write(self, key: str, record: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
        """Bring a draft up to date, whole: what is left out of `lists`, `media` and `attribs` would be lost."""
        answer = self._service.ask("PUT", f"campaigns/{record['id']}", fields, campaign=key)
        self._read_kept(key, answer, fields)

    def _read_kept(self, key: str, answer: Answer, fields: Mapping[str, Any]) -> dict[str, Any]:
        """What it kept. It drops without a word: attribs before version 6, lists that the user may not see."""
        with self._service.reading(answer, key) as data:
            record: dict[str, Any] = data["data"]
            lost = _differences(record, fields)
        if lost:
            problem = f"it did not keep what was handed in: {', '.join(lost)}"
            raise UnexpectedResponse(self.name, key, answer.status, "", problem=problem)
        return record

    def _set(self, key: str, record: Mapping[str, Any], status: str) -> None:
        """Ask for another status. What it refuses (400) it has done before, or somebody else has: look."""
        path = f"campaigns/{record['id']}/status"
        answer = self._service.ask("PUT", path, {"status": status}, campaign=key, accept=(400,))
        with self._service.reading(answer, key) as data:
            _ = data["message"] if answer.status == 400 else data["data"]["id"]

    # Mailing lists

    def _list_for(self, lang: str) -> int:
        """The id of a language's list, which readers can see and have to confirm. Raises ConfigurationError."""
        value = self._lists.get(lang, "")
        found = self._look_at(int(value)) if value.isdecimal() else {}
        if not found:
            remedy = f"name the number of listmonk's list for {lang}, such as {{{lang!r}: '3'}}"
            raise ConfigurationError("NEWSLETTER_LISTS", value, remedy)
        if (found["type"], found["optin"]) != ("public", "double"):
            remedy = "make this list public, with double opt-in: readers must confirm, and be able to leave"
            raise ConfigurationError("NEWSLETTER_LISTS", value, remedy)
        return int(value)

    def _count(self, number: int) -> int:
        return int((self._look_at(number).get("subscriber_statuses") or {}).get("confirmed", 0))

    def _look_at(self, number: int) -> dict[str, Any]:
        """A list as it was when it was first asked for; empty where there is none."""
        if number not in self._found:
            answer = self._service.ask("GET", f"lists/{number}", accept=(400,))
            with self._service.reading(answer) as data:
                found = data["data"] if answer.status == 200 else {}
                self._found[number] = {**found, "type": found["type"], "optin": found["optin"]} if found else {}
        return self._found[number]


def _check_draft(submitted: Submitted) -> None:
    """Refuse to write or start what was stopped, and what there is more than one of."""
    if submitted.state == "stopped":
        raise NotReviewed(f"{submitted.key} has been stopped", "listmonk cannot send the rest of it.")
    if submitted.copies > 1:
        problem = f"{submitted.copies} campaigns at listmonk have the key {submitted.key}"
        raise AmbiguousCampaign(problem, "Delete there whichever was copied from the other.")


def _having(key: str, found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in found if key in each["tags"] or each.get("archive_slug") == key]


def _first(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Of several the one that has been started, if any: then nothing else with this key is."""
    return next((each for each in found if _STATES[each["status"]] in STARTED), found[0])


def _key_of(record: Mapping[str, Any]) -> str:
    return str(record.get("archive_slug") or next(filter(_KEY.fullmatch, record["tags"]), ""))


def _differences(record: Mapping[str, Any], fields: Mapping[str, Any]) -> list[str]:
    """In what a campaign at the service is not what was handed in."""
    there = {**record, **{name: [each["id"] for each in record[name]] for name in ("lists", "media")}}
    names = (*_REVIEWED, *(["from_email"] if "from_email" in fields else []))
    return [name for name in names if there.get(name) != fields[name]]


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


def _message(answer: Answer) -> str:
    return str(answer.data.get("message", "")) if isinstance(answer.data, dict) else answer.excerpt
