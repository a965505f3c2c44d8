"""Buttondown: one newsletter for all languages, and a tag for the subscribers of each (NEWSLETTER_LISTS).

Facts are from docs.buttondown.com: api-emails-create, -update, -list, -status and -send-draft, api-error-codes,
templating, automation-dynamic-content, naked-mode, tags. A subject and a body are Django templates there. With the
template "naked" the body is sent as it is, without a frame; the text is always of Buttondown's own making.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final
from urllib.parse import quote

from ..campaigns import UNSUBSCRIBE, Campaign
from ..errors import ConfigurationError, Rejected, UnsupportedFeature
from ..forms import SignupForm
from ..settings import Configuration
from . import Access, Feature, State
from .listing import Found, ListingProvider
from .service import Credentials

USUAL = "https://api.buttondown.com/v1/"
#: The API as it is known here, whatever the newsletter is set to: a list of e-mails holds drafts too.
VERSION = "2026-04-01"
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


class Buttondown(ListingProvider):
    """Buttondown's e-mails. Their slug is the key, and refuses a second one."""

    name = "buttondown"
    title = "Buttondown"
    features: frozenset[Feature] = frozenset({"unique", "hold", "verbatim", "test"})
    place = "emails"
    reason = "code"

    def __init__(self, access: Access) -> None:
        super().__init__(access, access.api or USUAL, Credentials("Token", access.token), {"X-API-Version": VERSION})

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
        named = self._access.lists.get(lang, "")
        found = self._look_at(f"tags/{quote(named, safe='')}") if named else {}
        if not found:
            remedy = f"name the tag of those who read {lang}, by the id that stands in its address at Buttondown"
            raise ConfigurationError(f"NEWSLETTER_LISTS[{lang!r}]", named, remedy)
        return str(found["id"])

    def _list(self) -> Iterator[Found]:
        """E-mails without their bodies, oldest first, so that a new one pushes none to another page."""
        page, more = 1, True
        while more:
            asked = {"excluded_fields": "body", "ordering": "creation_date", "page": page}
            answer = self._ask("GET", "emails", "", query=asked)
            with self._service.reading(answer) as data:
                yield from [self._read(each) for each in data["results"] if each["status"] != "deleted"]
                more, page = bool(data["next"]), page + 1

    def _read(self, data: Any) -> Found:
        noted, state = dict(data["metadata"]), _STATES.get(data["status"], "sent")
        published = str(data.get("publish_date") or "")[:10] if state != "draft" else ""
        key = str(noted.get("key", ""))
        return Found(
            key,
            state,
            digest=str(noted.get("digest", "")),
            identity=str(data["id"]),
            started=date.fromisoformat(published) if published else None,
            keys=(key, data["slug"]),
            site=str(noted.get("site", "")),
            data={**data, "metadata": noted, "attachments": list(data["attachments"] or ())},
        )

    def _complete(self, found: Found) -> Found:
        return found if "body" in found.data else self._fetch(found)

    def _compare(self, found: Found, fields: Mapping[str, Any]) -> list[str]:
        """Notes of somebody else's, and blanks around the body, are not looked at."""
        noted = {name: found.data["metadata"].get(name) for name in fields["metadata"]}
        there = {**found.data, "metadata": noted, "body": str(found.data.get("body")).strip()}
        ours = {**fields, "body": fields["body"].strip()}
        return [name for name, value in ours.items() if there.get(name) != value]

    def _create(self, key: str, fields: Mapping[str, Any]) -> Found:
        """With a header by which a second try creates nothing; without a status it would be sent at once."""
        once = {"X-Idempotency-Key": uuid.uuid4().hex}
        draft = {**fields, "status": "draft"}
        return self._take(self._ask("POST", "emails", key, draft, headers=once, repeatable=True), key)

    def _update(self, found: Found, fields: Mapping[str, Any]) -> Found:
        return self._take(self._ask("PATCH", self._path(found), found.key, fields, repeatable=True), found.key)

    def _launch(self, found: Found, campaign: Campaign, moment: datetime | None) -> Found:
        change = {"status": "about_to_send"}
        if moment:
            change = {"status": "scheduled", "publish_date": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}
        try:
            return self._take(self._ask("PATCH", self._path(found), campaign.key, change), campaign.key)
        except Rejected as error:
            if "sending_requires_confirmation" not in error.excerpt:
                raise
            # A header, X-Buttondown-Live-Dangerously, would do without; it also silences other warnings.
            problem = "it wants the first sending with this key confirmed by a person"
            remedy = f"Confirm the key as docs.buttondown.com/api-emails-create says, or start {found.key} there."
            raise Rejected(self.name, found.key, error.status, "", problem=problem, remedy=remedy) from error

    def _halt(self, found: Found) -> Found:
        """Make what is scheduled or queued a draft again."""
        if found.state != "scheduled":
            problem = f"Letters of {found.key} are on their way, and Buttondown stops none of them"
            raise UnsupportedFeature(problem, "Write to its support at once.")
        return self._update(found, {"status": "draft", "publish_date": "none"})

    def _compose_test(self, found: Found, campaign: Campaign, address: str) -> tuple[str, Any]:  # noqa: ARG002
        return self._path(found, "/send-draft"), {"recipients": [address]}


def _escape(text: str) -> str:
    """Have the template write the braces that would begin a command (docs.djangoproject.com, `templatetag`)."""
    return _OPENING.sub("{% templatetag openbrace %}", text)
