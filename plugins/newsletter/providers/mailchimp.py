"""Mailchimp: an audience for each language, or one with a saved segment or tag for each (NEWSLETTER_LISTS).

Facts are from mailchimp.com/developer/marketing: api/campaigns, api/campaign-content, api/campaign-send-checklist,
docs/alternative-schemas (segment conditions), docs/errors, docs/fundamentals. Nothing there refuses a second campaign
of a key, and no field is free for a digest: a campaign's title, which readers never see, holds key, site and digest.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from email.utils import parseaddr
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit

from requests.auth import HTTPBasicAuth

from ..campaigns import UNSUBSCRIBE, Campaign
from ..errors import (
    AmbiguousCampaign,
    AuthenticationFailed,
    ConfigurationError,
    NotReviewed,
    ProviderError,
    RateLimited,
    Rejected,
    SubmissionUncertain,
    UnexpectedResponse,
    UnknownCampaign,
    UnsupportedFeature,
)
from ..forms import SignupForm
from ..settings import Configuration
from . import Access, Feature, State, Submitted
from .service import Answer, Service

#: A regular campaign is paused when it was scheduled and is to be edited: a draft, since nothing leaves by itself.
_STATES: Final[Mapping[str, State]] = {
    "save": "draft", "paused": "draft", "schedule": "scheduled", "sending": "sending", "sent": "sent",
    "canceled": "stopped", "canceling": "stopped", "archived": "sent",
}  # fmt: skip
#: All that can be told to track nothing; opens and clicks are tracked by default.
_TRACKING = {"opens": False, "html_clicks": False, "text_clicks": False, "ecomm360": False, "google_analytics": ""}
#: For how long a list serves `find`, in seconds.
_FRESH = 5.0
_PAGE = 1000
_FIELDS = ",".join(
    f"campaigns.{name}"
    for name in ("id", "web_id", "status", "send_time", "settings.title", "recipients.recipient_count")
)
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


class Mailchimp:
    """See Provider, whose methods these are."""

    name = "mailchimp"
    features: frozenset[Feature] = frozenset(
        {"hold", "stop", "correction", "text", "untracked", "recipients", "test"}  # stop: by its paid plans
    )

    def __init__(self, access: Access) -> None:
        self._access = access
        self._audiences: dict[str, _Audience] = {}
        self._listed: list[Any] = []
        self._stale = 0.0
        centre = re.fullmatch(r"\S+-([a-z]+\d+)", access.token.reveal(), re.ASCII)
        if not access.api and not centre:
            remedy = "use a key that ends in its data centre, such as …-us19"
            raise ConfigurationError(access.token_setting, access.token, remedy)
        self._service = Service(
            self.name,
            access.api or f"https://{centre[1] if centre else ''}.api.mailchimp.com/3.0/",
            auth=HTTPBasicAuth("any", access.token.reveal()),
            timeout=access.timeout,
            sleep=access.sleep,
        )

    def find(self, key: str) -> Submitted | None:
        """The campaign whose title begins with this key."""
        found = self._look_up(key, fresh=False)
        return _tell(found) if found else None

    def drafts(self) -> Iterable[Submitted]:
        """Every draft whose title says that it is of this site."""
        ours: dict[str, list[Any]] = {}
        for each in self._list():
            if each["site"] == self._access.site and each["state"] == "draft":
                ours.setdefault(each["key"], []).append(each)
        return [_tell(found) for found in ours.values()]

    def submit(self, campaign: Campaign, *, again: bool = False) -> Submitted:
        """Hand in a draft after looking for one twice. Its title names the digest only once all is there."""
        key, settings = campaign.key, self._compose(campaign)
        found = self._only(key) or self._only(key)
        if found is None:
            begun = {**settings, "type": "regular", "settings": {**settings["settings"], "title": self._title(key, "")}}
            try:
                found = self._read(self._ask("POST", "campaigns", key, begun), key)
            except SubmissionUncertain:
                found = self._only(key)
                if found is None:
                    raise
        if found["state"] == "stopped" and again:
            problem = f"Mailchimp cannot send {key} again only to those whom it has not reached"
            raise UnsupportedFeature(problem, "Write a notice, which all get.")
        if found["state"] != "draft":
            raise _has_been(key, found)
        answer = self._ask("PUT", f"{_path(found)}/content", key, _content(campaign))
        with self._service.reading(answer, key) as data:
            _ = data["html"]
        return _tell([self._read(self._ask("PATCH", _path(found), key, settings, repeatable=True), key)])

    def start(self, group: Sequence[Campaign], hold: int) -> list[Submitted]:
        """Start these one after another, once all are found right; what waits, waits until a quarter of an hour."""
        self._stale = 0.0
        found = [self._review(campaign) for campaign in group]
        return [self._begin(campaign.key, each, hold) for campaign, each in zip(group, found, strict=True)]

    def stop(self, key: str) -> Submitted:
        """Make what is scheduled a draft again, or have what is being sent cancelled."""
        found = self._only(key)
        if found is None:
            raise _unknown(key)
        if found["state"] == "scheduled":
            found = self._act(found, "unschedule", key, "draft")
        elif found["state"] == "sending":
            try:
                found = self._act(found, "cancel-send", key, "stopped")
            except (AuthenticationFailed, Rejected) as error:
                problem = f"Mailchimp does not stop {key}, whose letters are on their way: {error.problem}"
                raise UnsupportedFeature(problem, "Only some of its plans can stop what is being sent.") from error
        elif found["state"] == "sent":
            raise UnsupportedFeature(f"All letters of {key} have left", "Write a correction.")
        return _tell([found])

    def withdraw(self, key: str) -> None:
        """Delete the draft, and copies of it."""
        found = self._look_up(key)
        for each in found:
            if each["state"] != "draft":
                raise _has_been(key, each)
        for each in found:
            answer = self._ask("DELETE", _path(each), key, accept=(404,))
            if answer.status not in (204, 404):
                raise UnexpectedResponse(self.name, key, answer.status, answer.excerpt)

    def test(self, campaign: Campaign, address: str) -> None:
        """Mail the draft to one address."""
        found = self._only(campaign.key)
        if found is None:
            raise _unknown(campaign.key)
        body = {"test_emails": [address], "send_type": "html"}
        answer = self._ask("POST", f"{_path(found)}/actions/test", campaign.key, body, accept=(400,))
        if answer.status == 400:  # what it says may hold the address
            raise Rejected(self.name, campaign.key, answer.status, "", problem="this address gets no test")

    def close(self) -> None:
        """Close connections."""
        self._service.close()

    def _compose(self, campaign: Campaign) -> dict[str, Any]:
        """All of a campaign but its content."""
        audience = self._find_audience(campaign.lang)
        recipients = dict(audience.recipients)
        if campaign.kind == "correction":
            recipients["segment_opts"] = {"match": "all", "conditions": [self._reached(campaign)]}
        name, address = parseaddr(campaign.sender)
        return {
            "recipients": recipients,
            "settings": {
                "title": self._title(campaign.key, campaign.digest),
                "subject_line": _escape(campaign.subject),
                "from_name": _escape(name or audience.from_name),
                "reply_to": campaign.reply_to or address or audience.from_email,  # the sender's address, too
                "auto_footer": False,
                "inline_css": False,
                "fb_comments": False,
            },
            "tracking": _TRACKING,
        }

    def _reached(self, campaign: Campaign) -> dict[str, str]:
        """The condition that somebody was sent the first letter ("Aim Segment")."""
        first = self._only(campaign.corrects)
        if first is None or first["state"] in ("draft", "scheduled"):
            problem = f"The first letter, {campaign.corrects}, which {campaign.key} corrects, was not sent by Mailchimp"
            raise NotReviewed(problem, "There is nobody to be told.")
        return {"condition_type": "Aim", "field": "aim", "op": "sent", "value": str(first["web_id"])}

    def _find_audience(self, lang: str) -> _Audience:
        """Whom letters in a language are for. Raises ConfigurationError where nobody is, or nobody was asked."""
        named = self._access.lists.get(lang, "")
        setting = f"NEWSLETTER_LISTS[{lang!r}]"
        place, _, segment = named.partition("/")
        found = self._fetch_audience(place) if re.fullmatch(r"\w+(/\d+)?", named, re.ASCII) else None
        if found is None or (segment and not self._has_segment(place, segment)):
            remedy = "use an audience's id at Mailchimp, alone or with a segment's number, such as a1b2c3d4e5/123"
            raise ConfigurationError(setting, named, remedy)
        if not found.confirms:
            raise ConfigurationError(setting, named, "have this audience ask for confirmation, at Mailchimp")
        options = {"segment_opts": {"saved_segment_id": int(segment)}} if segment else {}
        return replace(found, recipients={"list_id": place, **options})

    def _fetch_audience(self, identity: str) -> _Audience | None:
        if identity not in self._audiences:
            answer = self._ask("GET", f"lists/{identity}", "", accept=(404,))
            if answer.status == 404:
                return None
            with self._service.reading(answer) as data:
                usual, confirms = data["campaign_defaults"], bool(data["double_optin"])
                self._audiences[identity] = _Audience(confirms, str(usual["from_name"]), str(usual["from_email"]))
        return self._audiences[identity]

    def _has_segment(self, audience: str, segment: str) -> bool:
        answer = self._ask("GET", f"lists/{audience}/segments/{segment}", "", accept=(404,))
        with self._service.reading(answer) as data:
            return answer.status != 404 and bool(data["id"])

    def _title(self, key: str, digest: str) -> str:
        """Key, site and digest, below a hundred characters."""
        shortened = base64.urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip("=")
        return f"{key} {self._access.site} {shortened}".rstrip()

    def _list(self) -> Iterator[Any]:
        """Regular campaigns, oldest first, of all times: what was sent long ago must not be sent again."""
        asked = {"type": "regular", "sort_field": "create_time", "sort_dir": "ASC", "count": _PAGE}
        asked["fields"] = f"{_FIELDS},total_items"
        offset, total = 0, 1
        while offset < total:
            answer = self._ask("GET", "campaigns", "", query={**asked, "offset": offset})
            with self._service.reading(answer) as data:
                yield from [_read(each) for each in data["campaigns"]]
                offset, total = offset + _PAGE, int(data["total_items"])

    def _look_up(self, key: str, *, fresh: bool = True) -> list[Any]:
        """Everything with this key. A plan asks for many, which a list of a moment ago answers; nothing else is."""
        if fresh or time.monotonic() > self._stale:
            self._listed = list(self._list())
            self._stale = time.monotonic() + _FRESH
        return [each for each in self._listed if each["key"] == key]

    def _only(self, key: str, *, fresh: bool = True) -> Any:
        """The one campaign with this key, or None."""
        found = self._look_up(key, fresh=fresh)
        if len(found) > 1:
            remedy = "Delete all but one there, and none that was sent; then run the command again."
            raise AmbiguousCampaign(f"{len(found)} campaigns at Mailchimp have the key {key}", remedy)
        return found[0] if found else None

    def _review(self, campaign: Campaign) -> Any:
        """A campaign that is exactly this one and ready to be sent, or has been started."""
        key = campaign.key
        found = self._only(key, fresh=False)
        if found is None:
            raise _unknown(key)
        if found["state"] == "stopped":
            raise _has_been(key, found)
        if found["state"] != "draft":
            return found
        now = self._get(found, key)
        different = _find_differences(self._compose(campaign), now)
        if now["state"] != "draft" or different or not self._has_content(now, _content(campaign), key):
            problem = f"What lies at Mailchimp as {key} is not what was composed here"
            told = f" ({', '.join(different)})" if different else ""
            raise NotReviewed(problem + told, "Hand it in, review it, and start that.")
        answer = self._ask("GET", f"{_path(now)}/send-checklist", key)
        with self._service.reading(answer, key) as data:
            missing = [str(each["heading"]) for each in data["items"] if each["type"] == "error"]
            if not data["is_ready"]:
                problem = f"it is not ready to be sent: {', '.join(missing)}"
                raise Rejected(self.name, key, answer.status, "", problem=problem, remedy="Mend that at Mailchimp.")
        return now

    def _begin(self, key: str, found: Any, hold: int) -> Submitted:
        """Send it, or schedule it for the first quarter of an hour after the hold."""
        if found["state"] != "draft":
            return _tell([found])
        moment = datetime.now(UTC) + timedelta(seconds=hold)
        try:
            if hold:
                moment = datetime.fromtimestamp(-(-moment.timestamp() // _QUARTER) * _QUARTER, UTC)
                body = {"schedule_time": moment.isoformat(timespec="seconds")}
                found = self._act(found, "schedule", key, "scheduled", body)
            else:
                found = self._act(found, "send", key, "sending")
        except SubmissionUncertain as error:
            try:
                found = self._get(found, key)
            except ProviderError:
                raise error from None
            if found["state"] == "draft":
                raise
        return _tell([found | {"started": moment.date()}])

    def _act(self, found: Any, action: str, key: str, state: State, body: Any = None) -> Any:
        answer = self._ask("POST", f"{_path(found)}/actions/{action}", key, body)
        if answer.status != 204:
            raise UnexpectedResponse(self.name, key, answer.status, answer.excerpt)
        return found | {"state": state}

    def _has_content(self, found: Any, content: Mapping[str, str], key: str) -> bool:
        """Whether HTML and text at the service are these, blanks aside."""
        answer = self._ask("GET", f"{_path(found)}/content", key, query={"fields": ",".join(content)})
        with self._service.reading(answer, key) as data:
            return all(str(data[name]).split() == value.split() for name, value in content.items())

    def _get(self, found: Any, key: str) -> Any:
        return self._read(self._ask("GET", _path(found), key), key)

    def _read(self, answer: Answer, key: str) -> Any:
        with self._service.reading(answer, key) as data:
            return _read(data)

    def _ask(self, method: str, path: str, key: str, body: Any = None, **options: Any) -> Answer:
        """Ask; a 403 without a word is what many requests get at times, not what a wrong key gets."""
        if method != "GET":
            self._stale = 0.0
        try:
            return self._service.ask(method, path, body, campaign=key, **options)
        except AuthenticationFailed as error:
            if error.status == 403 and not error.excerpt:
                raise RateLimited(self.name, key, error.status, "", None) from error
            raise


@dataclass(frozen=True, slots=True)
class _Audience:
    """Whom letters are for, whether all of them confirmed it, and who letters are from where nobody says."""

    confirms: bool
    from_name: str
    from_email: str
    recipients: Mapping[str, Any] = field(default_factory=dict)


def _content(campaign: Campaign) -> dict[str, str]:
    """Both parts, with Mailchimp's own address for unsubscribing in its place."""
    html = (piece.replace("*|", "*&#124;") for piece in campaign.html.split(UNSUBSCRIBE))
    text = map(_escape, campaign.text.split(UNSUBSCRIBE))
    return {"html": "*|UNSUB|*".join(html), "plain_text": "*|UNSUB|*".join(text)}


def _escape(text: str) -> str:
    """Part the characters that begin a merge tag by a word joiner: plain text has no other way, and it is not seen."""
    return text.replace("*|", "*\u2060|")


def _path(found: Any) -> str:
    return f"campaigns/{quote(found['id'], safe='')}"


def _read(data: Any) -> Any:
    """A campaign as the API tells of it; a state that is unknown here is never started."""
    title = str((data.get("settings") or {}).get("title", ""))
    key, site, digest = (*title.split(" "), "", "")[:3]
    sent = str(data.get("send_time") or "")[:10]
    return {
        **data,
        "id": str(data["id"]),
        "state": _STATES.get(data["status"], "sent"),
        "key": key,
        "site": site,
        "digest": base64.urlsafe_b64decode(f"{digest}=").hex() if re.fullmatch(r"[\w-]{43}", digest) else "",
        "started": date.fromisoformat(sent) if sent else None,
    }


def _find_differences(ours: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    """In which of these a campaign at the service differs: its settings, what it tracks, and whom it goes to."""
    aim, found = ours["recipients"].get("segment_opts", {}), there["recipients"].get("segment_opts") or {}
    same = {
        "audience": ours["recipients"]["list_id"] == there["recipients"]["list_id"],
        "segment": aim.get("saved_segment_id") == (found.get("saved_segment_id") or None),
        # what a saved segment is made of is told, too
        "conditions": "saved_segment_id" in aim or aim.get("conditions", []) == (found.get("conditions") or []),
    }
    for part in ("settings", "tracking"):
        same |= {name: value == (there[part].get(name) or type(value)()) for name, value in ours[part].items()}
    return [name for name, is_same in same.items() if not is_same]


def _tell(found: Sequence[Any]) -> Submitted:
    """What is known of campaigns with one key: one that has been started speaks for all."""
    one = max(found, key=lambda each: bool(each["state"] != "draft"))
    return Submitted(
        one["key"],
        one["state"],
        digest=one["digest"],
        identity=one["id"],
        copies=len(found),
        recipients=(one.get("recipients") or {}).get("recipient_count"),
        started=one["started"] if one["state"] != "draft" else None,
    )


def _has_been(key: str, found: Any) -> NotReviewed:
    what = "stopped" if found["state"] == "stopped" else "started"
    return NotReviewed(f"{key} has been {what} at Mailchimp", "What was sent is put right by a correction.")


def _unknown(key: str) -> UnknownCampaign:
    return UnknownCampaign(f"Mailchimp has no campaign {key}", "Hand it in first: ./blog newsletter draft.")
