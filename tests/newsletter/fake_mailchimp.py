"""A Mailchimp for tests: what its Marketing API does with campaigns and audiences, and what becomes of merge tags.

Each fact names the page below mailchimp.com/developer/marketing that it is from; "assumed" marks what no page says.
"""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from tests.newsletter.services import FakeService, Letter, Reply, Request

#: api/campaigns, "List campaigns": so many are told of unless more are asked for, and never more than the second.
FEW, MANY = 10, 1000
#: api/campaigns, "Add campaign": what is tracked unless it is told not to be.
TRACKING: Mapping[str, Any] = {
    "opens": True, "html_clicks": True, "text_clicks": True, "goal_tracking": False, "ecomm360": False,
    "google_analytics": "", "clicktale": "",
}  # fmt: skip
SETTINGS: Mapping[str, Any] = {
    "subject_line": "", "title": "", "from_name": "", "reply_to": "", "auto_footer": False, "inline_css": False,
    "fb_comments": True, "authenticate": True,
}  # fmt: skip
AUDIENCES = {"a1b2c3d4e5": "Readers"}
SEGMENTS = {"a1b2c3d4e5": {11: "English", 12: "فارسی"}}
EDITABLE = frozenset({"save", "paused"})
_MERGE_TAG = re.compile(r"\*\|(.*?)\|\*")


class FakeMailchimp(FakeService):
    """Campaigns by id, their contents, and how often letters were set going."""

    path: ClassVar[str] = "/3.0/"
    token = "00112233445566778899aabbccddeeff-us19"
    lists: Mapping[str, str] = {"en": "a1b2c3d4e5", "fa": "a1b2c3d4e5/12"}

    def reset(self) -> None:
        """An account with an audience, and a segment for each language in it."""
        self.stored: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, dict[str, str]] = {}
        self._started: dict[str, int] = {}
        self.tests: list[tuple[str, str]] = []
        #: Whether the audience asks for confirmation, and what it says when nobody else does.
        self.confirms = True
        self.defaults = {"from_name": "The blog", "from_email": "news@example.org", "subject": "", "language": "en"}
        #: Whether the plan can cancel what is being sent; and whether clicks are tracked whatever is asked for.
        self.can_cancel, self.must_track = True, False
        #: Whether all is refused as when there are very many requests.
        self.is_throttling = False
        self._moment = datetime(2026, 11, 22, tzinfo=UTC)

    def answer(self, request: Request) -> Reply:
        """docs/fundamentals: any name, the key as password; and "a 429 or 403 without a JSON body"."""
        if self.is_throttling:
            return Reply(403)
        _, _, encoded = request.headers.get("authorization", "").partition(" ")
        if base64.b64decode(encoded).decode().partition(":")[2] != self.token:
            return _problem(401, "API Key Invalid", "Your API key may be invalid, or you've used the wrong datacenter.")
        match request.method, *request.path.removeprefix(self.path).split("/"):
            case "GET", "lists", audience, *rest:
                return self._tell_of_audience(audience, rest)
            case "GET", "campaigns":
                return self._list(request)
            case "POST", "campaigns":
                return self._create(request.data)
            case method, "campaigns", identity, *rest:
                campaign = self.stored.get(identity)
                if campaign is not None:
                    return self._do(method, campaign, "/".join(rest), request)
        return _problem(404, "Resource Not Found", "The requested resource could not be found.")

    def _do(self, method: str, campaign: dict[str, Any], what: str, request: Request) -> Reply:
        match method, what:
            case "GET", "":
                return Reply(200, campaign)
            case "GET", "content":
                return Reply(200, self.contents[campaign["id"]])
            case "GET", "send-checklist":
                return Reply(200, self._check(campaign))
            case "POST", "actions/test":
                return self._test(campaign, request.data)
            case "POST", action:
                return self._act(campaign, action.removeprefix("actions/"), request.data)
            case "DELETE", "":
                del self.stored[campaign["id"]]
                return Reply(204)
        if campaign["status"] not in EDITABLE:
            return _problem(400, "Bad Request", "This campaign can no longer be edited.")
        if (method, what) == ("PUT", "content"):
            content = self.contents[campaign["id"]]
            content |= {"html": "", "plain_text": "made of the HTML", **request.data}
            return Reply(200, content)
        return self._set(campaign, request.data) or Reply(200, dict(campaign))

    def _tell_of_audience(self, audience: str, rest: list[str]) -> Reply:
        """api/lists, api/list-segments: tags are segments, too."""
        if audience in AUDIENCES and not rest:
            told = {"id": audience, "double_optin": self.confirms, "campaign_defaults": self.defaults}
            return Reply(200, told)
        if rest and rest[0] == "segments" and int(rest[1]) in SEGMENTS.get(audience, {}):
            return Reply(200, {"id": int(rest[1]), "member_count": 7})
        return _problem(404, "Resource Not Found", "The requested resource could not be found.")

    def _list(self, request: Request) -> Reply:
        """api/campaigns, "List campaigns"; docs/methods-parameters: pagination, partial responses."""
        found = sorted(
            (each for each in self.stored.values() if request.one("type", each["type"]) == each["type"]),
            key=lambda each: str(each["create_time"]),
            reverse=request.one("sort_dir") == "DESC",
        )
        first, number = int(request.one("offset", "0")), min(int(request.one("count", str(FEW))), MANY)
        told = {"campaigns": found[first : first + number], "total_items": len(found)}
        return Reply(200, _select(told, request.one("fields")))

    def _create(self, data: Mapping[str, Any]) -> Reply:
        """api/campaigns, "Add campaign". Nothing refuses a second one of the same title."""
        self._moment += timedelta(seconds=1)
        campaign: dict[str, Any] = {
            "id": uuid.uuid4().hex[:10],
            "web_id": 4000 + len(self._started),
            "type": data["type"],
            "create_time": self._moment.isoformat(),
            "status": "save",
            "send_time": "",
            "recipients": {},
            "settings": dict(SETTINGS),
            "tracking": dict(TRACKING),
        }
        if refused := self._set(campaign, data):
            return refused
        self.stored[campaign["id"]] = campaign
        self.contents[campaign["id"]] = {"html": "", "plain_text": ""}
        self._started[campaign["id"]] = 0
        return Reply(200, dict(campaign))

    def _set(self, campaign: dict[str, Any], data: Mapping[str, Any]) -> Reply | None:
        recipients = data.get("recipients", campaign["recipients"])
        segment = recipients.get("segment_opts", {})
        known = recipients.get("list_id") in AUDIENCES
        if known and "saved_segment_id" in segment:
            known = segment["saved_segment_id"] in SEGMENTS[recipients["list_id"]]
        if not known or not all(self._is_condition(each) for each in segment.get("conditions", [])):
            return _problem(400, "Invalid Resource", "The resource submitted could not be validated.")
        if len(data.get("settings", {}).get("title", "")) > 100:  # assumed
            return _problem(400, "Invalid Resource", "A title is too long.")
        if "saved_segment_id" in segment:  # assumed: what it is made of is told, too
            recipients = recipients | {"segment_opts": segment | {"match": "any", "conditions": [{"op": "static_is"}]}}
        campaign["recipients"] = {**recipients, "recipient_count": 7}
        campaign["settings"] |= data.get("settings", {})
        campaign["tracking"] |= data.get("tracking", {})
        if self.must_track:
            campaign["tracking"]["html_clicks"] = True
        return None

    def _is_condition(self, condition: Mapping[str, Any]) -> bool:
        """docs/alternative-schemas, "Aim Segment": a campaign's web id, as text."""
        sent = {str(each["web_id"]) for each in self.stored.values() if each["send_time"]}
        given = {name: value for name, value in condition.items() if name != "value"}
        return given == {"condition_type": "Aim", "field": "aim", "op": "sent"} and condition["value"] in sent

    def _check(self, campaign: Mapping[str, Any]) -> dict[str, Any]:
        """api/campaign-send-checklist."""
        settings, content = campaign["settings"], self.contents[campaign["id"]]
        complete = {
            "Subject": settings["subject_line"], "From": settings["from_name"], "Reply-to": settings["reply_to"],
            "Content": content["html"] and "*|UNSUB|*" in content["html"],
        }  # fmt: skip
        items = [
            {"type": "success" if done else "error", "id": number, "heading": name, "details": "…"}
            for number, (name, done) in enumerate(complete.items())
        ]
        return {"is_ready": all(complete.values()), "items": items}

    def _act(self, campaign: dict[str, Any], action: str, data: Any) -> Reply:
        """api/campaigns: schedule (on the quarter-hour), unschedule, send, cancel-send (not by all plans)."""
        before = campaign["status"]
        match action:
            case "send" if before in EDITABLE and self._check(campaign)["is_ready"]:
                campaign |= {"status": "sending", "send_time": self._moment.isoformat()}
                self._started[campaign["id"]] += 1
            case "schedule" if before in EDITABLE and self._check(campaign)["is_ready"]:
                when = datetime.fromisoformat(data["schedule_time"])
                if when <= datetime.now(UTC) or when.timestamp() % (15 * 60):
                    return _problem(400, "Bad Request", "Campaigns are scheduled on the quarter-hour.")
                campaign |= {"status": "schedule", "send_time": data["schedule_time"]}
                self._started[campaign["id"]] += 1
            case "unschedule" if before == "schedule":
                campaign |= {"status": "paused", "send_time": ""}  # "paused" is assumed
                self._started[campaign["id"]] -= 1
            case "cancel-send" if before == "sending":
                if not self.can_cancel:  # which status it is, is assumed
                    return _problem(403, "Forbidden", "This feature is included with Mailchimp Pro.")
                campaign["status"] = "canceled"
            case _:
                return _problem(400, "Bad Request", f"A campaign that is in {before} cannot do this.")
        return Reply(204)

    def _test(self, campaign: Mapping[str, Any], data: Mapping[str, Any]) -> Reply:
        """api/campaigns, "Send test email"."""
        for address in data["test_emails"]:
            if "@" not in address:
                return _problem(400, "Invalid Resource", f"{address} is no address.")
            self.tests.append((campaign["settings"]["title"].split(" ")[0], address))
        return Reply(204)

    # What tests ask

    def fill(self, number: int) -> None:
        """Put so many campaigns there that are nobody's."""
        for _ in range(number):
            self._create({"type": "regular", "recipients": {"list_id": "a1b2c3d4e5"}})

    def campaigns(self, key: str) -> list[Any]:
        """By the word that their titles begin with."""
        return [each for each in self.stored.values() if each["settings"]["title"].split(" ")[0] == key]

    def starts(self, key: str) -> int:
        """Of all campaigns with the key."""
        return sum(self._started[each["id"]] for each in self.campaigns(key))

    def change(self, key: str) -> None:
        """Edit the text on its pages."""
        (campaign,) = self.campaigns(key)
        content = self.contents[campaign["id"]]
        content["html"] = content["html"].replace("</p>", " And more.</p>", 1)

    def copy(self, key: str) -> None:
        """api/campaigns, "Replicate campaign": assumed to get this title."""
        (campaign,) = self.campaigns(key)
        settings = {**campaign["settings"], "title": f"{campaign['settings']['title']} (copy 01)"}
        recipients = {"list_id": campaign["recipients"]["list_id"]}
        self._create({**campaign, "recipients": recipients, "settings": settings})

    def deliver(self, key: str) -> None:
        """Send it to the last reader."""
        for campaign in self.campaigns(key):
            if campaign["status"] in ("sending", "schedule"):
                campaign |= {"status": "sent", "send_time": self._moment.isoformat()}

    def letter(self, key: str) -> Letter:
        """Subject and both parts with merge tags replaced, wherever the source has them."""
        (campaign,) = self.campaigns(key)
        content = self.contents[campaign["id"]]
        return Letter(*map(self._merge, (campaign["settings"]["subject_line"], content["html"], content["plain_text"])))

    def _merge(self, source: str) -> str:
        """Every tag is taken for one that it knows: all but one say nothing."""
        return _MERGE_TAG.sub(lambda tag: self.unsubscribe if tag[1] == "UNSUB" else "", source)


def _problem(status: int, title: str, detail: str) -> Reply:
    """docs/errors."""
    said = {"type": "https://mailchimp.com/developer/", "title": title, "status": status, "detail": detail}
    return Reply(status, {**said, "instance": str(uuid.UUID(int=1))}, type="application/problem+json")


def _select(data: Any, fields: str) -> Any:
    """docs/methods-parameters, partial responses: a list of paths with dots."""
    wanted: dict[str, list[str]] = {}
    for name, _, rest in (field.partition(".") for field in fields.split(",") if field):
        wanted.setdefault(name, []).append(rest)
    if isinstance(data, list):
        return [_select(each, fields) for each in data]
    return {
        name: _select(data[name], ",".join(rests)) if all(rests) else data[name]
        for name, rests in wanted.items()
        if name in data
    }
