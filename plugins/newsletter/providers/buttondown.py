"""Buttondown: one newsletter for all languages, and a tag for the subscribers of each (NEWSLETTER_LISTS).

Facts are from docs.buttondown.com: api-emails-create, -update, -list, -status and -send-draft, api-error-codes,
templating, automation-dynamic-content, naked-mode, tags. A subject and a body are Django templates there. With the
template "naked" the body is sent as it is, without a frame; the text is always of Buttondown's own making.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from ..campaigns import UNSUBSCRIBE, Campaign
from ..errors import (
    AmbiguousCampaign,
    ConfigurationError,
    NotReviewed,
    ProviderError,
    Rejected,
    SubmissionUncertain,
    UnexpectedResponse,
    UnknownCampaign,
    UnsupportedFeature,
)
from ..forms import SignupForm
from ..settings import Configuration
from . import Access, Feature, State, Submitted
from .service import Answer, Credentials, Service

USUAL = "https://api.buttondown.com/v1/"
#: The API as it is known here, whatever the newsletter is set to: a list of e-mails holds drafts too.
VERSION = "2026-04-01"
#: For how long a list serves `find`, in seconds.
_FRESH = 5.0
#: So that the body is taken for HTML and not searched for Markdown.
_MODE = "<!-- buttondown-editor-mode: fancy -->"
#: A brace before what makes it open a command, or at an end, where the brace of a command of ours may follow.
_OPENING = re.compile(r"\{(?=[{%#]|\Z)")
#: What is queued can be made a draft again for some minutes (drafting-emails-via-the-api): no letter has left.
_STATES: Final[Mapping[str, State]] = {
    "draft": "draft", "about_to_send": "scheduled", "scheduled": "scheduled", "in_flight": "sending",
    "throttled": "sending", "resending": "sending", "sent": "sent", "paused": "paused", "errored": "paused",
    "suppressed": "stopped",
}  # fmt: skip


def open_provider(access: Access) -> Buttondown:
    """Buttondown, with the key in NEWSLETTER_TOKEN."""
    return Buttondown(access)


def make_form(configuration: Configuration) -> SignupForm:
    """The form for https://buttondown.com/api/emails/embed-subscribe/NAME; NEWSLETTER_SIGNUP_LISTS names tags."""
    return SignupForm(
        action=configuration.signup or "",
        address="email",
        lang="tag" if configuration.signup_lists else "",
        langs=configuration.signup_lists,
        fixed=(("embed", "1"),),
        company=configuration.signup_company or "Buttondown",
    )


class Buttondown:
    """See Provider, whose methods these are. An e-mail's slug is the key, and refuses a second one."""

    name = "buttondown"
    features: frozenset[Feature] = frozenset({"unique", "hold", "verbatim", "test"})

    def __init__(self, access: Access) -> None:
        self._access = access
        self._tags: dict[str, str] = {}
        self._listed: list[Any] = []
        self._stale = 0.0
        self._service = Service(
            self.name,
            access.api or USUAL,
            auth=Credentials("Token", access.token),
            headers={"X-API-Version": VERSION},
            timeout=access.timeout,
            sleep=access.sleep,
        )

    def find(self, key: str) -> Submitted | None:
        """The e-mail with this key."""
        found = self._look_up(key, fresh=False)
        return _tell(key, found) if found else None

    def drafts(self) -> Iterable[Submitted]:
        """Every draft whose metadata say that it is of this site."""
        ours: dict[str, list[Any]] = {}
        for email in self._list({"status": "draft"}):
            if email["metadata"].get("site") == self._access.site:
                ours.setdefault(str(email["metadata"].get("key")), []).append(email)
        return [_tell(key, found) for key, found in ours.items()]

    def submit(self, campaign: Campaign, *, again: bool = False) -> Submitted:  # noqa: ARG002  what is stopped is a draft
        """Hand in a draft; what its slug refuses is looked up again."""
        key, letter = campaign.key, self._compose(campaign)
        email = self._only(key)
        if email is None:
            answer = self._write(
                "POST",
                "emails",
                key,
                {**letter, "status": "draft"},  # without a status it would be sent at once
                headers={"X-Idempotency-Key": uuid.uuid4().hex},  # with it a second try creates nothing
                accept=(400, 409),
                repeatable=True,
            )
            if answer.status not in (400, 409):
                return _tell(key, [self._read(answer, key)])
            email = self._only(key) if _code(answer) in ("slug_invalid", "email_duplicate") else None
            if email is None:
                raise Rejected(self.name, key, answer.status, answer.excerpt)
        if email["state"] != "draft":
            raise NotReviewed(f"{key} has been started at Buttondown", "What was sent is put right by a notice.")
        email = self._get(email, key)
        if not _is_there(letter, email):
            email = self._change(email, key, letter)
        return _tell(key, [email])

    def start(self, group: Sequence[Campaign], hold: int) -> list[Submitted]:
        """Start these one after another, once all are found right; what waits is scheduled."""
        emails = [self._review(campaign) for campaign in group]
        return [self._begin(campaign.key, email, hold) for campaign, email in zip(group, emails, strict=True)]

    def stop(self, key: str) -> Submitted:
        """Make what is scheduled or queued a draft again; letters on their way cannot be stopped."""
        email = self._only(key)
        if email is None:
            raise _unknown(key)
        if email["state"] == "scheduled":
            email = self._change(email, key, {"status": "draft", "publish_date": "none"})
        if email["state"] not in ("draft", "stopped"):
            problem = f"Letters of {key} are on their way, and Buttondown stops none of them"
            raise UnsupportedFeature(problem, "Write to its support at once.")
        return _tell(key, [email])

    def withdraw(self, key: str) -> None:
        """Delete the draft, and copies of it."""
        found = self._look_up(key)
        if any(email["state"] != "draft" for email in found):
            raise NotReviewed(f"{key} has been started at Buttondown", "Stop it first: only a draft can be withdrawn.")
        for email in found:
            answer = self._write("DELETE", _path(email), key, accept=(404,))
            if answer.status not in (204, 404):
                raise UnexpectedResponse(self.name, key, answer.status, answer.excerpt)

    def test(self, campaign: Campaign, address: str) -> None:
        """Mail the draft to one address."""
        email = self._only(campaign.key)
        if email is None:
            raise _unknown(campaign.key)
        body = {"recipients": [address]}
        answer = self._service.ask("POST", f"{_path(email)}/send-draft", body, campaign=campaign.key, accept=(400, 422))
        if answer.status in (400, 422):  # what it says holds the address
            raise Rejected(self.name, campaign.key, answer.status, _code(answer), problem="this address gets no test")

    def close(self) -> None:
        """Close connections."""
        self._service.close()

    def _compose(self, campaign: Campaign) -> dict[str, Any]:
        """What is handed in. It stands in no archive, since the page is one."""
        if campaign.kind == "correction":
            problem = f"Buttondown cannot tell who was sent the first letter, whom {campaign.key} is for"
            raise UnsupportedFeature(problem, "Write a notice, which all get, or leave it at the page.")
        if campaign.sender or campaign.reply_to:
            problem = "Buttondown has one sender and one address for replies, set there"
            raise UnsupportedFeature(problem, 'Set NEWSLETTER_SENDER = "" and NEWSLETTER_REPLY_TO = "".')
        audience = {"field": "subscriber.tags", "operator": "contains", "value": self._find_tag(campaign.lang)}
        return {
            "subject": _escape(campaign.subject),
            "body": _MODE + "{{ unsubscribe_url }}".join(map(_escape, campaign.html.split(UNSUBSCRIBE))),
            "slug": campaign.key,
            "template": "naked",
            "archival_mode": "disabled",
            "commenting_mode": "disabled",
            "attachments": [],
            "filters": {"filters": [audience], "groups": [], "predicate": "and"},
            "metadata": {"key": campaign.key, "site": self._access.site, "digest": campaign.digest},
        }

    def _find_tag(self, lang: str) -> str:
        """The tag of a language's subscribers, as the API calls it. Raises ConfigurationError."""
        if lang not in self._tags:
            named = self._access.lists.get(lang, "")
            answer = self._service.ask("GET", f"tags/{quote(named, safe='')}", accept=(404, 422)) if named else None
            if answer is None or answer.status in (404, 422):
                remedy = f"name the tag of those who read {lang}, by the id that stands in its address at Buttondown"
                raise ConfigurationError(f"NEWSLETTER_LISTS[{lang!r}]", named, remedy)
            with self._service.reading(answer) as data:
                self._tags[lang] = str(data["id"])
        return self._tags[lang]

    def _list(self, query: Mapping[str, str]) -> Iterator[Any]:
        """E-mails without their bodies, oldest first, so that a new one pushes none to another page."""
        page, more = 1, True
        while more:
            asked = {**query, "excluded_fields": "body", "ordering": "creation_date", "page": page}
            answer = self._service.ask("GET", "emails", query=asked)
            with self._service.reading(answer) as data:
                yield from [_read(each) for each in data["results"] if each["status"] != "deleted"]
                more, page = bool(data["next"]), page + 1

    def _look_up(self, key: str, *, fresh: bool = True) -> list[Any]:
        """Everything with this key: the list can be filtered by neither slug nor metadata.

        A plan asks for many keys, which a list of a moment ago answers; nothing is done by any but a fresh one.
        """
        if fresh or time.monotonic() > self._stale:
            self._listed = list(self._list({}))
            self._stale = time.monotonic() + _FRESH
        return [email for email in self._listed if key in (email["slug"], email["metadata"].get("key"))]

    def _write(self, method: str, path: str, key: str, body: Any = None, **options: Any) -> Answer:
        self._stale = 0.0
        return self._service.ask(method, path, body, campaign=key, **options)

    def _only(self, key: str) -> Any:
        """The one e-mail with this key, or None."""
        found = self._look_up(key)
        if len(found) > 1:
            remedy = "Delete all but one there, and none that was sent; then run the command again."
            raise AmbiguousCampaign(f"{len(found)} e-mails at Buttondown have the key {key}", remedy)
        return found[0] if found else None

    def _review(self, campaign: Campaign) -> Any:
        """An e-mail that is exactly this campaign, or has been started."""
        email = self._only(campaign.key)
        if email is None:
            raise _unknown(campaign.key)
        if email["state"] in ("draft", "stopped"):
            letter, email = self._compose(campaign), self._get(email, campaign.key)
            if email["state"] == "stopped" or not _is_there(letter, email):
                problem = f"What lies at Buttondown as {campaign.key} is not what was composed here"
                raise NotReviewed(problem, "Hand it in, review it, and start that.")
        return email

    def _begin(self, key: str, email: Any, hold: int) -> Submitted:
        if email["state"] != "draft":
            return _tell(key, [email])
        when = f"{datetime.now(UTC) + timedelta(seconds=hold):%Y-%m-%dT%H:%M:%SZ}"
        change = {"status": "scheduled", "publish_date": when} if hold else {"status": "about_to_send"}
        try:
            answer = self._write("PATCH", _path(email), key, change, accept=(400,))
        except SubmissionUncertain as error:
            try:
                email = self._get(email, key)
            except ProviderError:
                raise error from None
            if email["state"] == "draft":
                raise
            return _tell(key, [email])
        if _code(answer) == "sending_requires_confirmation":
            # A header, X-Buttondown-Live-Dangerously, would do without; it also silences other warnings.
            problem = "it wants the first sending with this key confirmed by a person"
            remedy = f"Confirm the key as docs.buttondown.com/api-emails-create says, or start {key} on its own pages."
            raise Rejected(self.name, key, answer.status, "", problem=problem, remedy=remedy)
        if answer.status == 400:
            raise Rejected(self.name, key, answer.status, answer.excerpt)
        return _tell(key, [self._read(answer, key)])

    def _change(self, email: Any, key: str, change: Mapping[str, Any]) -> Any:
        return self._read(self._write("PATCH", _path(email), key, change, repeatable=True), key)

    def _get(self, email: Any, key: str) -> Any:
        return self._read(self._service.ask("GET", _path(email), campaign=key), key)

    def _read(self, answer: Answer, key: str) -> Any:
        with self._service.reading(answer, key) as data:
            return _read(data)


def _escape(text: str) -> str:
    """Have the template write the braces that would begin a command (docs.djangoproject.com, `templatetag`)."""
    return _OPENING.sub("{% templatetag openbrace %}", text)


def _path(email: Any) -> str:
    return f"emails/{quote(email['id'], safe='')}"


def _code(answer: Answer) -> str:
    """Which error it is: 400 says {"code", "detail"}, 422 has a list of details instead."""
    return str(answer.data.get("code", "")) if isinstance(answer.data, dict) else ""


def _read(data: Any) -> Any:
    """An e-mail as the API tells of it; a state that is unknown here is never started."""
    published = str(data.get("publish_date") or "")[:10]
    return {
        **data,
        "id": str(data["id"]),
        "slug": data["slug"],
        "state": _STATES.get(data["status"], "sent"),
        "metadata": dict(data["metadata"]),
        "attachments": list(data["attachments"] or ()),
        "published": date.fromisoformat(published) if published else None,
    }


def _is_there(letter: Mapping[str, Any], email: Mapping[str, Any]) -> bool:
    """Whether an e-mail is this letter, in all that says what is read and by whom."""
    noted = {name: email["metadata"].get(name) for name in letter["metadata"]}
    there = {**email, "metadata": noted, "body": str(email["body"]).strip()}
    return all(there.get(name) == value for name, value in {**letter, "body": letter["body"].strip()}.items())


def _tell(key: str, found: Sequence[Any]) -> Submitted:
    """What is known of e-mails with one key: one that has been started speaks for all."""
    email = max(found, key=lambda each: bool(each["state"] != "draft"))
    return Submitted(
        key,
        email["state"],
        digest=str(email["metadata"].get("digest", "")),
        identity=email["id"],
        copies=len(found),
        started=email["published"] if email["state"] != "draft" else None,
    )


def _unknown(key: str) -> UnknownCampaign:
    return UnknownCampaign(f"Buttondown has no campaign {key}", "Hand it in first: ./blog newsletter draft.")
