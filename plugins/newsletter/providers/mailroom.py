"""The mailroom, this project's own mailing service: mailroom/README.md, "The API", says what it takes and answers.

It keeps one campaign of a key, starts a group in one transaction, and every call can be repeated. It puts a letter into
its own frame, so it is given what stands between head and foot.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from ..campaigns import Campaign
from ..errors import NotReviewed, Rejected, UnknownCampaign, UnsupportedFeature
from ..forms import SignupForm
from ..settings import Configuration
from . import Access, Feature, State, Submitted
from .service import Answer, Credentials, Service

#: Where a mailroom on this machine serves its API (MAILROOM_API_LISTEN).
USUAL = "http://127.0.0.1:8026/mail/api/"
_STATES: dict[str, State] = {
    "draft": "draft", "started": "sending", "paused": "paused", "stopped": "stopped", "finished": "sent",
}  # fmt: skip


def open_provider(access: Access) -> Mailroom:
    """The mailroom at NEWSLETTER_API."""
    return Mailroom(access)


def make_form(configuration: Configuration) -> SignupForm:
    """The form of its first page: an address and a language; the page after it asks whether that is meant."""
    return SignupForm(
        action=configuration.signup or "", address="address", lang="lang", company=configuration.signup_company
    )


class Mailroom:
    """See Provider, whose methods these are."""

    name = "mailroom"
    features: frozenset[Feature] = frozenset(
        {
            "unique", "group", "hold", "stop", "correction", "digest", "text", "verbatim", "untracked", "recipients",
            "test",
        }
    )  # fmt: skip

    def __init__(self, access: Access) -> None:
        self._service = Service(
            self.name,
            access.api or USUAL,
            auth=Credentials("Bearer", access.token),
            timeout=access.timeout,
            sleep=access.sleep,
        )

    def find(self, key: str) -> Submitted | None:
        """The campaign with this key."""
        answer = self._service.ask("GET", f"campaigns/{key}", campaign=key, accept=(404,))
        return None if answer.status == 404 else self._read(answer, key)

    def drafts(self) -> Iterable[Submitted]:
        """Every draft: a mailroom serves one publication."""
        answer = self._service.ask("GET", "campaigns", query={"state": "draft"})
        with self._service.reading(answer) as data:
            return [_read(each) for each in data["campaigns"]]

    def submit(self, campaign: Campaign, *, again: bool = False) -> Submitted:
        """Hand in a draft. The mailroom itself knows whom a stopped letter has reached, and leaves those out."""
        _check(campaign)
        found = self.find(campaign.key)
        if found and found.is_started:
            raise _has_been(campaign.key, "started", "What was sent is put right by a correction.")
        if found and found.state == "stopped":
            if not again:
                raise _has_been(campaign.key, "stopped", "Hand it in again on purpose, if the others are to get it.")
            if found.digest == campaign.digest:
                raise _has_been(campaign.key, "stopped with this content", "Change what was wrong with it.")
        answer = self._service.ask(
            "PUT", f"campaigns/{campaign.key}", _fields(campaign), campaign=campaign.key, accept=(409,)
        )
        if answer.status == 409:
            raise _has_been(campaign.key, "started or stopped", "Look at the plan.")
        return self._read(answer, campaign.key)

    def start(self, group: Sequence[Campaign], hold: int) -> list[Submitted]:
        """Start these in one transaction."""
        found = {campaign.key: self._get(campaign.key) for campaign in group}
        if stopped := [key for key, each in found.items() if each.state == "stopped"]:
            raise _has_been(", ".join(stopped), "stopped", "Hand it in again on purpose, if the others are to get it.")
        digests = {campaign.key: campaign.digest for campaign in group if not found[campaign.key].is_started}
        if digests:
            first = next(iter(digests))
            body = {"digests": digests, "hold": hold}
            answer = self._service.ask(  # what a first try has started, a second leaves as it is
                "POST", f"campaigns/{first}/start", body, campaign=first, accept=(404, 409, 412), repeatable=True
            )
            if answer.status == 404:
                raise _unknown(", ".join(digests))
            if answer.status in (409, 412):
                raise NotReviewed(_detail(answer), "Hand it in, review it, and start that.")
            with self._service.reading(answer, first) as data:
                found |= {each.key: each for each in map(_read, data["campaigns"])}
        return list(found.values())

    def stop(self, key: str) -> Submitted:
        """Drop what has not left."""
        answer = self._service.ask("POST", f"campaigns/{key}/stop", campaign=key, accept=(404, 409), repeatable=True)
        if answer.status == 404:
            raise _unknown(key)
        return self._get(key) if answer.status == 409 else self._read(answer, key)

    def withdraw(self, key: str) -> None:
        """Delete a draft."""
        answer = self._service.ask("DELETE", f"campaigns/{key}", campaign=key, accept=(404, 409))
        if answer.status == 409:
            raise _has_been(key, "started", "Stop it: only a draft can be withdrawn.")
        with self._service.reading(answer, key) as data:
            if data is not None and answer.status != 404:
                raise ValueError("it answers a deletion with nothing")

    def test(self, campaign: Campaign, address: str) -> None:
        """Mail the draft to one of MAILROOM_EDITORS."""
        key = campaign.key
        answer = self._service.ask(
            "POST", f"campaigns/{key}/test", {"address": address}, campaign=key, accept=(403, 404, 429)
        )
        if answer.status == 404:
            raise _unknown(key)
        if answer.status in (403, 429):  # no editor's address, or enough tests for a day: waiting helps with neither
            raise Rejected(self.name, key, answer.status, "", problem=_detail(answer))
        self._read(answer, key)

    def close(self) -> None:
        """Close connections."""
        self._service.close()

    def _get(self, key: str) -> Submitted:
        found = self.find(key)
        if found is None:
            raise _unknown(key)
        return found

    def _read(self, answer: Answer, key: str) -> Submitted:
        with self._service.reading(answer, key) as data:
            return _read(data)


def _check(campaign: Campaign) -> None:
    if campaign.kind == "digest":
        problem = "The mailroom composes the letter of the week itself, for readers who chose that"
        raise UnsupportedFeature(problem, "Set NEWSLETTER_DIGEST = False.")
    if campaign.sender:
        problem = "The mailroom sends all letters from MAILROOM_SENDER"
        raise UnsupportedFeature(problem, 'Set NEWSLETTER_SENDER = "".')


def _fields(campaign: Campaign) -> dict[str, str]:
    fields = {
        "kind": campaign.kind,
        "lang": campaign.lang,
        "post": campaign.post,
        "digest": campaign.digest,
        "subject": campaign.subject,
        "preheader": campaign.preheader,
        "title": campaign.title,
        "summary": campaign.summary,
        "url": campaign.url,
        "html": campaign.fragment,
        "text": campaign.fragment_text,
    }
    optional = {"corrects": campaign.corrects, "reply_to": campaign.reply_to}
    return fields | {name: value for name, value in optional.items() if value}


def _read(data: Any) -> Submitted:
    """A campaign as the API tells of it."""
    state, release = _STATES[data["state"]], data["release"]
    if state == "sending" and release and datetime.fromisoformat(release) > datetime.now(UTC):
        state = "scheduled"
    return Submitted(
        key=str(data["key"]),
        state=state,
        digest=str(data["digest"]),
        identity=str(data["key"]),
        recipients=data.get("recipients"),
        started=date.fromisoformat(data["started"]) if data["started"] else None,
        letters={str(each): int(count) for each, count in data["letters"].items()},
    )


def _unknown(key: str) -> UnknownCampaign:
    return UnknownCampaign(f"The mailroom has no campaign {key}", "Hand it in first: ./blog newsletter draft.")


def _has_been(key: str, what: str, remedy: str) -> NotReviewed:
    return NotReviewed(f"{key} has been {what}", remedy)


def _detail(answer: Answer) -> str:
    """What an answer that is a problem says (RFC 9457)."""
    return str(answer.data["detail"]) if isinstance(answer.data, dict) and "detail" in answer.data else answer.excerpt
