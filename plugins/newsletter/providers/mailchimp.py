"""Mailchimp: an audience for each language, or one with a saved segment or tag for each (NEWSLETTER_LISTS).

Facts are from mailchimp.com/developer/marketing: api/campaigns, api/campaign-content, api/campaign-send-checklist,
docs/alternative-schemas (segment conditions), docs/errors, docs/fundamentals. Nothing there refuses a second campaign
of a key, and no field is free for a digest: a campaign's title, which readers never see, holds key, site and digest.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from email.utils import parseaddr
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from requests.auth import HTTPBasicAuth

from ..campaigns import UNSUBSCRIBE, Campaign
from ..errors import (
    AuthenticationFailed,
    ConfigurationError,
    NotReviewed,
    RateLimited,
    Rejected,
    UnexpectedResponse,
    UnsupportedFeature,
)
from ..forms import SignupForm
from ..settings import Configuration
from . import Access, Feature, State
from .listing import Found, ListingProvider
from .service import Answer

#: A regular campaign is paused when it was scheduled and is to be edited: a draft, since nothing leaves by itself.
_STATES: Final[Mapping[str, State]] = {
    "save": "draft", "paused": "draft", "schedule": "scheduled", "sending": "sending", "sent": "sent",
    "canceled": "stopped", "canceling": "stopped", "archived": "sent",
}  # fmt: skip
#: All that can be told to track nothing; opens and clicks are tracked by default.
_TRACKING = {"opens": False, "html_clicks": False, "text_clicks": False, "ecomm360": False, "google_analytics": ""}
_PAGE = 1000
_FIELDS = "id,web_id,status,send_time,settings.title,recipients.recipient_count"
_QUARTER = 15 * 60


def open_provider(access: Access) -> Mailchimp:
    """Mailchimp, at the data centre that the key in NEWSLETTER_TOKEN names. Raises ConfigurationError."""
    return Mailchimp(access)


def make_form(configuration: Configuration) -> SignupForm:
    """The form for https://ACCOUNT.DC.list-manage.com/subscribe/post?u=…&id=…; NEWSLETTER_SIGNUP_LISTS: tags' numbers.

    The field that must stay empty is named after the address's u and id. Raises ConfigurationError.
    """
    action = configuration.signup or ""
    query = parse_qs(urlsplit(action).query)
    if not query.get("u") or not query.get("id"):
        remedy = "use the whole address that Mailchimp's embedded form is sent to, with its u and id"
        raise ConfigurationError("NEWSLETTER_SIGNUP", action, remedy)
    return SignupForm(
        action=action,
        address="EMAIL",
        lang="tags" if configuration.signup_lists else "",
        langs=configuration.signup_lists,
        trap=f"b_{query['u'][0]}_{query['id'][0]}",
        company=configuration.signup_company or "Mailchimp (Intuit)",
    )


class Mailchimp(ListingProvider):
    """Mailchimp's campaigns."""

    name = "mailchimp"
    title = "Mailchimp"
    features: frozenset[Feature] = frozenset(
        {"hold", "stop", "correction", "text", "untracked", "recipients", "test"}  # stop: by its paid plans
    )
    reason = "title"

    def __init__(self, access: Access) -> None:
        key = access.token.reveal()
        centre = re.fullmatch(r"\S+-([a-z]+\d+)", key, re.ASCII)
        if not access.api and not centre:
            remedy = "use a key that ends in its data centre, such as …-us19"
            raise ConfigurationError(access.token_setting, access.token, remedy)
        api = access.api or f"https://{centre[1] if centre else ''}.api.mailchimp.com/3.0/"
        super().__init__(access, api, HTTPBasicAuth("any", key))

    def _compose(self, campaign: Campaign) -> dict[str, Any]:
        """A campaign in two parts, as it is handed in."""
        recipients, usual = self._find_audience(campaign.lang)
        if campaign.kind == "correction":
            recipients["segment_opts"] = {"match": "all", "conditions": [self._reached(campaign)]}
        name, address = parseaddr(campaign.sender)
        settings = {
            "title": self._title(campaign.key, campaign.digest),
            "subject_line": _escape(campaign.subject),
            "from_name": _escape(name or str(usual.get("from_name", ""))),
            "reply_to": campaign.reply_to or address or str(usual.get("from_email", "")),  # the sender's address, too
            "auto_footer": False,
            "inline_css": False,
            "fb_comments": False,
        }
        html = (piece.replace("*|", "*&#124;") for piece in campaign.html.split(UNSUBSCRIBE))
        text = map(_escape, campaign.text.split(UNSUBSCRIBE))
        return {
            "campaign": {"recipients": recipients, "settings": settings, "tracking": _TRACKING},
            "content": {"html": "*|UNSUB|*".join(html), "plain_text": "*|UNSUB|*".join(text)},
        }

    def _title(self, key: str, digest: str = "") -> str:
        """Key, site and digest, below a hundred characters."""
        shortened = base64.urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip("=")
        return f"{key} {self._access.site} {shortened}".rstrip()

    def _reached(self, campaign: Campaign) -> dict[str, str]:
        """The condition that somebody was sent the first letter ("Aim Segment")."""
        first = self._only(campaign.corrects)
        if first is None or first.state in ("draft", "scheduled"):
            problem = f"The first letter, {campaign.corrects}, which {campaign.key} corrects, was not sent by Mailchimp"
            raise NotReviewed(problem, "There is nobody to be told.")
        return {"condition_type": "Aim", "field": "aim", "op": "sent", "value": str(first.data["web_id"])}

    def _find_audience(self, lang: str) -> tuple[dict[str, Any], Mapping[str, Any]]:
        """Whom letters in a language are for, and who they are from where nobody says. Raises ConfigurationError."""
        named = self._access.lists.get(lang, "")
        setting = f"NEWSLETTER_LISTS[{lang!r}]"
        place, _, segment = named.partition("/")
        found = self._look_at(f"lists/{place}") if re.fullmatch(r"\w+(/\d+)?", named, re.ASCII) else None
        if not found or (segment and not self._look_at(f"lists/{place}/segments/{segment}")):
            remedy = "use an audience's id at Mailchimp, alone or with a segment's number, such as a1b2c3d4e5/123"
            raise ConfigurationError(setting, named, remedy)
        if not found.get("double_optin"):
            raise ConfigurationError(setting, named, "have this audience ask for confirmation, at Mailchimp")
        options = {"segment_opts": {"saved_segment_id": int(segment)}} if segment else {}
        return {"list_id": place, **options}, found.get("campaign_defaults") or {}

    def _list(self) -> Iterator[Found]:
        """Regular campaigns, oldest first, of all times: what was sent long ago must not be sent again."""
        fields = ",".join(f"campaigns.{name}" for name in _FIELDS.split(","))
        asked = {"type": "regular", "sort_field": "create_time", "sort_dir": "ASC", "count": _PAGE}
        offset, total = 0, 1
        while offset < total:
            query = {**asked, "fields": f"{fields},total_items", "offset": offset}
            answer = self._ask("GET", "campaigns", "", query=query)
            with self._service.reading(answer) as data:
                yield from map(self._read, data["campaigns"])
                offset, total = offset + _PAGE, int(data["total_items"])

    def _read(self, data: Any) -> Found:
        title, state = str((data.get("settings") or {}).get("title", "")), _STATES.get(data["status"], "sent")
        key, site, digest = (*title.split(" "), "", "")[:3]
        sent = str(data.get("send_time") or "")[:10] if state != "draft" else ""
        return Found(
            key,
            state,
            digest=base64.urlsafe_b64decode(f"{digest}=").hex() if re.fullmatch(r"[\w-]{43}", digest) else "",
            identity=str(data["id"]),
            recipients=(data.get("recipients") or {}).get("recipient_count"),
            started=date.fromisoformat(sent) if sent else None,
            keys=(key,),
            site=site,
            data={**data, **{part: data.get(part) or {} for part in ("recipients", "settings", "tracking")}},
        )

    def _complete(self, found: Found) -> Found:
        whole = self._fetch(found)
        answer = self._ask("GET", self._path(found, "/content"), found.key, query={"fields": "html,plain_text"})
        with self._service.reading(answer, found.key) as data:
            content = {"html": str(data["html"]), "plain_text": str(data["plain_text"])}
        return replace(whole, data={**whole.data, "content": content})

    def _compare(self, found: Found, fields: Mapping[str, Any]) -> list[str]:
        """Its audience, settings and content (blanks aside), and what it tracks."""
        ours, there = fields["campaign"], found.data
        aim, aimed = (each.get("segment_opts") or {} for each in (ours["recipients"], there["recipients"]))
        same = {
            "audience": ours["recipients"]["list_id"] == there["recipients"].get("list_id"),
            "segment": aim.get("saved_segment_id") == (aimed.get("saved_segment_id") or None),
            # what a saved segment is made of is told, too
            "conditions": "saved_segment_id" in aim or aim.get("conditions", []) == (aimed.get("conditions") or []),
        }
        for part in ("settings", "tracking"):
            same |= {name: value == (there[part].get(name) or type(value)()) for name, value in ours[part].items()}
        same |= {name: there["content"][name].split() == text.split() for name, text in fields["content"].items()}
        return [name for name, is_same in same.items() if not is_same]

    def _review(self, campaign: Campaign) -> Found:
        """Also by Mailchimp itself (api/campaign-send-checklist)."""
        found = super()._review(campaign)
        if not found.is_started:
            answer = self._ask("GET", self._path(found, "/send-checklist"), found.key)
            with self._service.reading(answer, found.key) as data:
                missing = [str(each["heading"]) for each in data["items"] if each["type"] == "error"]
                if not data["is_ready"]:
                    problem = f"it is not ready to be sent: {', '.join(missing)}"
                    remedy = "Mend that at Mailchimp."
                    raise Rejected(self.name, found.key, answer.status, "", problem=problem, remedy=remedy)
        return found

    def _create(self, key: str, fields: Mapping[str, Any]) -> Found:
        """After a second look: nothing refuses another of this key. Its title names the digest when all is there."""
        settings = {**fields["campaign"]["settings"], "title": self._title(key)}
        begun = {**fields["campaign"], "type": "regular", "settings": settings}
        return self._only(key) or self._take(self._ask("POST", "campaigns", key, begun), key)

    def _update(self, found: Found, fields: Mapping[str, Any]) -> Found:
        answer = self._ask("PUT", self._path(found, "/content"), found.key, fields["content"])
        with self._service.reading(answer, found.key) as data:
            _ = data["html"]
        answer = self._ask("PATCH", self._path(found), found.key, fields["campaign"], repeatable=True)
        return self._take(answer, found.key)

    def _launch(self, found: Found, campaign: Campaign, moment: datetime | None) -> Found:  # noqa: ARG002
        """Send it, or schedule it for the first quarter of an hour after the hold."""
        if moment is None:
            return replace(self._act(found, "send", "sending"), started=datetime.now(UTC).date())
        moment = datetime.fromtimestamp(-(-moment.timestamp() // _QUARTER) * _QUARTER, UTC)
        body = {"schedule_time": moment.isoformat(timespec="seconds")}
        return replace(self._act(found, "schedule", "scheduled", body), started=moment.date())

    def _halt(self, found: Found) -> Found:
        """Make what is scheduled a draft again, or have what is being sent cancelled."""
        if found.state == "scheduled":
            return replace(self._act(found, "unschedule", "draft"), started=None)
        try:
            return self._act(found, "cancel-send", "stopped")
        except (AuthenticationFailed, Rejected) as error:
            problem = f"Mailchimp does not stop {found.key}, whose letters are on their way: {error.problem}"
            raise UnsupportedFeature(problem, "Only some of its plans can stop what is being sent.") from error

    def _act(self, found: Found, action: str, state: State, body: Any = None) -> Found:
        answer = self._ask("POST", self._path(found, f"/actions/{action}"), found.key, body)
        if answer.status != 204:
            raise UnexpectedResponse(self.name, found.key, answer.status, answer.excerpt)
        return replace(found, state=state)

    def _compose_test(self, found: Found, campaign: Campaign, address: str) -> tuple[str, Any]:  # noqa: ARG002
        return self._path(found, "/actions/test"), {"test_emails": [address], "send_type": "html"}

    def _ask(self, method: str, path: str, key: str, body: Any = None, **options: Any) -> Answer:
        """Ask; a 403 without a word is what many requests get at times, not what a wrong key gets."""
        try:
            return super()._ask(method, path, key, body, **options)
        except AuthenticationFailed as error:
            if error.status == 403 and not error.excerpt:
                raise RateLimited(self.name, key, error.status, "", None) from error
            raise


def _escape(text: str) -> str:
    """Part the characters that begin a merge tag by a word joiner: plain text has no other way, and it is not seen."""
    return text.replace("*|", "*\u2060|")
