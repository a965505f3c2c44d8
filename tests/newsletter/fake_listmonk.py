"""listmonk as its API behaves, quirks included.

Seen at listmonk 6.2.0 (github.com/knadh/listmonk) and in its source: cmd/campaigns.go, internal/core/campaigns.go,
models/campaigns.go, models/common.go, queries/campaigns.sql, cmd/lists.go, internal/auth/auth.go. The template language
is modelled as far as letters can meet it: literals, `Safe`, the functions for links, comments, and escaping in texts.
"""

from __future__ import annotations

import csv
import email
import email.policy
import html
import io
import json
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.newsletter.services import FakeService, Letter, Reply, Request

ROOT = "https://letters.example"
SUBSCRIBER = "00000000-0000-4000-8000-000000000001"
#: By id: type, optin, confirmed, whether there is a user with a list role that leaves it out.
LISTS: dict[int, tuple[str, str, int]] = {
    3: ("public", "double", 5),
    4: ("public", "double", 3),
    5: ("private", "double", 1),
    6: ("public", "single", 1),
}
SUBSCRIBERS = ("alice@mail.test",)
#: Seconds between two looks of its manager at what is due.
TICK = 5
_EDITABLE = ("draft", "paused", "scheduled")
_FROM = {  # core.UpdateCampaignStatus; "finished" is let through unchecked
    "draft": (("scheduled",), "Only scheduled campaigns can be saved as drafts."),
    "scheduled": (("draft", "paused"), "Only draft or paused campaigns can be scheduled."),
    "running": (("paused", "draft"), "Only paused campaigns and drafts can be started."),
    "paused": (("running",), "Only active campaigns can be paused."),
    "cancelled": (("running", "paused"), "Only active campaigns can be cancelled."),
}
#: What is kept when a PUT leaves it out; `lists`, `media` and `attribs` are not.
_KEPT = (
    "name", "subject", "from_email", "body", "altbody", "send_at", "content_type", "tags", "headers", "template_id",
    "messenger", "archive", "archive_slug", "type",
)  # fmt: skip


class _Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.reply = Reply(status, {"message": message})


class FakeListmonk(FakeService):
    """One listmonk with two good lists, and two that are not."""

    path = "/api/"
    token = "pusher:a-token-that-only-tests-know"
    #: Of a user without the permission campaigns:send.
    drafter = "drafter:another-token-of-the-tests"
    lists: Mapping[str, str] = {"en": "3", "fa": "4"}

    def reset(self) -> None:
        """Have no campaigns."""
        self.records: dict[int, dict[str, Any]] = {}
        self.ran: set[int] = set()
        self.tests: list[tuple[str, Letter]] = []
        #: Who was imported to each list, and whom of them which campaign was sent to.
        self.people: dict[int, list[str]] = {}
        self.delivered: list[tuple[str, str]] = []
        self._next = 1
        self._late = timedelta(0)

    # What the API does

    def answer(self, request: Request) -> Reply:
        """Route a request, as cmd/handlers.go does."""
        try:
            user = self._authenticate(request)
            words = request.path.removeprefix(self.path).split("/")
            match request.method, words:
                case "GET", ["campaigns"]:
                    return _data(self._query(request))
                case "POST", ["campaigns"]:
                    return _data(self._create(_bind(request)))
                case "GET", ["campaigns", number]:
                    return _data(self._shown(self._get(number)))
                case "PUT", ["campaigns", number]:
                    return _data(self._update(self._get(number), _bind(request)))
                case "DELETE", ["campaigns", number]:
                    del self.records[self._get(number)["id"]]  # in any state
                    return _data(True)
                case "PUT", ["campaigns", number, "status"]:
                    if user == "drafter":
                        raise _Refused(403, "permission denied: campaigns:send")
                    return _data(self._set(self._get(number), str(_bind(request).get("status", ""))))
                case "POST", ["campaigns", number, "test"]:
                    return _data(self._test(self._get(number), _bind(request)))
                case "POST", ["import", "subscribers"]:
                    return _data(self._import(request))
                case "GET" | "DELETE", ["import", "subscribers"]:
                    return _data({"status": "finished"})
                case "GET", ["lists", number]:
                    return _data(self._list(number))
                case _:
                    raise _Refused(404, "404 unknown endpoint")
        except _Refused as refused:
            return refused.reply

    def _authenticate(self, request: Request) -> str:
        """Never 401; a cookie is looked at before the header."""
        if "cookie" in request.headers or "authorization" not in request.headers:
            raise _Refused(403, "invalid session")
        scheme, _, token = request.headers["authorization"].partition(" ")
        if scheme != "token":
            raise _Refused(403, "code=400, message=unknown Authorization scheme")
        if token not in (self.token, self.drafter):
            raise _Refused(403, "invalid API credentials")
        return token.partition(":")[0]

    def _get(self, number: str) -> dict[str, Any]:
        if not number.isdecimal() or number == "0":
            raise _Refused(400, "invalid ID")
        self._tick()
        if int(number) not in self.records:
            raise _Refused(400, "Campaign not found")
        return self.records[int(number)]

    def _query(self, request: Request) -> dict[str, Any]:
        """`tag`, not `tags`; what it does not know it ignores; newest first."""
        self._tick()
        statuses, tags = request.query.get("status", []), set(request.query.get("tag", []))
        if unknown := set(statuses) - {*_FROM, "finished"}:
            raise _Refused(500, f'Error fetching Campaign: pq: invalid input value for enum: "{unknown.pop()}"')
        found = [
            each
            for each in reversed(self.records.values())
            if (not statuses or each["status"] in statuses) and tags <= set(each["tags"])
        ]
        asked = request.one("per_page", "20")
        size = 0 if asked in ("all", "-1") else int(asked) if asked.isdecimal() and int(asked) else 20
        page = found[: size or None]
        bodiless = {"body": ""} if request.one("no_body") == "true" else {}
        return {
            "results": [self._shown(each) | bodiless for each in page],
            "search": "",
            "query": "",
            "total": len(found) if found else 0,
            "per_page": size if found else 0,
            "page": 1 if found else 0,
        }

    def _shown(self, record: Mapping[str, Any]) -> dict[str, Any]:
        lists = [{"id": number, "name": f"List {number}"} for number in record["lists"]]
        return {**record, "lists": lists, "media": [{"id": each, "filename": "x"} for each in record["media"]]}

    def _create(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        number = self._next
        new: dict[str, Any] = {
            "id": number,
            "uuid": str(UUID(int=number)),
            "created_at": self._now().isoformat(),
            "status": "draft",
            "started_at": None,
            "to_send": 0,
            "sent": 0,
            "views": 0,
            "clicks": 0,
            "bounces": 0,
            "type": "regular",
            "messenger": "email",
            "archive_meta": {},
        }
        record = self._checked(new, sent)
        self._next += 1  # a sequence of PostgreSQL's goes on when an insert fails; ours need not
        self.records[number] = record
        return self._shown(record)

    def _update(self, record: dict[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
        if record["status"] not in _EDITABLE:
            raise _Refused(400, "Cannot update a running or a finished campaign.")
        changed = self._checked(record, sent)
        if changed["status"] == "scheduled" and changed["send_at"] is None:
            changed["status"] = "draft"
        self.records[record["id"]] = changed
        return self._shown(changed)

    def _checked(self, record: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
        """validateCampaignFields, and what the tables then do."""
        for name in ("lists", "media"):
            if any(not isinstance(each, int) for each in sent.get(name) or []):
                raise _Refused(400, f"Unmarshal type error: expected=int, got=object, field={name}, offset=151")
        default: dict[str, Any] = dict.fromkeys(_KEPT) | {"archive": False, "tags": [], "headers": []}
        made = default | dict(record) | {name: value for name, value in sent.items() if name in _KEPT}
        made["from_email"] = made["from_email"] or "Blog <blog@blog.test>"
        for name, longest in (("name", 2000), ("subject", 5000)):
            if not 1 <= len(made[name] or "") <= longest:
                raise _Refused(400, f"Invalid length for {name}.")
        if made["content_type"] not in ("html", "plain", "markdown", "visual"):
            made["content_type"] = "richtext"
        if made["send_at"] and datetime.fromisoformat(made["send_at"]) < self._now():
            raise _Refused(400, "Scheduled date should be in the future.")
        if not sent.get("lists"):
            raise _Refused(400, "Invalid list IDs.")
        if made["messenger"] != "email":
            raise _Refused(400, f"Unknown messenger {made['messenger']}.")
        for part in ("subject", "body", "altbody"):
            try:
                _Template(made[part] or "", is_html=part != "subject", always=part == "body")
            except ValueError as error:
                raise _Refused(400, f"Error compiling campaign body: error compiling message: {error}") from error
        made["altbody"] = made["altbody"] or None
        made["archive_slug"] = _as_slug(made["archive_slug"] or "") or None
        made["tags"] = [re.sub(r"\s+", "-", tag.strip()) for tag in made["tags"] or []]
        if any(len(tag) > 100 for tag in made["tags"]):
            raise _Refused(500, "Error creating Campaign: pq: value too long for type character varying(100)")
        made["lists"] = [number for number in sent["lists"] if number in LISTS]  # others are dropped without a word
        made["media"] = sent.get("media") or []
        made["attribs"] = sent.get("attribs") or {}
        made["headers"] = made["headers"] or []
        made["updated_at"] = self._now().isoformat()
        slug = made["archive_slug"]
        if slug and any(each["archive_slug"] == slug for each in self.records.values() if each["id"] != made["id"]):
            word = "updating" if made["id"] in self.records else "creating"
            clash = 'pq: duplicate key value violates unique constraint "campaigns_archive_slug_key"'
            raise _Refused(500, f"Error {word} Campaign: {clash}. Key (archive_slug)=({slug}) already exists.")
        return made

    def _set(self, record: dict[str, Any], status: str) -> dict[str, Any]:
        if status not in (*_FROM, "finished"):
            message = f'pq: invalid input value for enum campaign_status: "{status}"'
            raise _Refused(500, f"Error updating Campaign: {message}")
        if status in _FROM and record["status"] not in _FROM[status][0]:
            raise _Refused(400, _FROM[status][1])
        if status == "scheduled" and not record["send_at"]:
            raise _Refused(400, "Campaign needs a date to be scheduled.")
        record["status"] = "scheduled" if status == "running" and record["send_at"] else status
        if record["status"] == "running":
            self.ran.add(record["id"])
        return self._shown(record) | {"status": status}  # the answer repeats what was asked

    def _test(self, record: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
        """It mails what is in the request, not what is stored."""
        made = self._checked(dict.fromkeys(_KEPT) | {"id": record["id"]}, {**sent, "archive_slug": None})
        known = [each for each in sent.get("subscribers") or [] if each.strip().lower() in SUBSCRIBERS]
        if not known:
            raise _Refused(400, "No known subscribers to test.")
        self.tests += [(each, self._render(made)) for each in known]
        return True

    def _list(self, number: str) -> dict[str, Any]:
        if int(number) not in LISTS:
            raise _Refused(400, "List not found")
        kind, optin, confirmed = LISTS[int(number)]
        counts = {"confirmed": confirmed + len(self.people.get(int(number), [])), "unconfirmed": 2}
        return {"id": int(number), "name": "A list", "type": kind, "optin": optin, "subscriber_statuses": counts}

    def _import(self, request: Request) -> dict[str, Any]:
        """Columns by these names alone; what is confirmed elsewhere is so here, and nobody is written to."""
        head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
        parts = {
            str(part.get_param("name", header="content-disposition")): bytes(part.get_payload(decode=True))
            for part in email.message_from_bytes(head + request.body, policy=email.policy.HTTP).iter_parts()
        }
        wish = json.loads(parts["params"])
        if wish["mode"] != "subscribe" or len(wish["delim"]) != 1:
            raise _Refused(400, "Invalid mode")
        rows = csv.DictReader(io.StringIO(parts["file"].decode(), newline=""), delimiter=wish["delim"])
        if "email" not in (rows.fieldnames or ()):
            raise _Refused(400, "'email' column not found")
        addresses = [row["email"].lower() for row in rows if isinstance(json.loads(row["attributes"]), dict)]
        if wish["subscription_status"] == "confirmed":
            for number in wish["lists"]:
                self.people.setdefault(number, []).extend(addresses)
        return {"name": "list.csv", "total": 0, "imported": 0, "status": "importing"}

    def _tick(self) -> None:
        """Its manager takes up what is due."""
        for record in self.records.values():
            if record["status"] == "scheduled" and datetime.fromisoformat(record["send_at"]) <= self._now():
                record["status"] = "running"
                self.ran.add(record["id"])

    def _now(self) -> datetime:
        return datetime.now(UTC) + self._late

    # What tests ask and do

    def campaigns(self, key: str) -> Collection[Any]:
        """By slug or by tag: a copy made in the interface has the tags."""
        return [each for each in self.records.values() if each["archive_slug"] == key or key in each["tags"]]

    def starts(self, key: str) -> int:
        """How many of them run, have run, or will."""
        return sum(each["status"] == "scheduled" or each["id"] in self.ran for each in self.campaigns(key))

    def change(self, key: str) -> None:
        """Edit the body, as the interface does."""
        (record,) = self.campaigns(key)
        self._update(record, {**record, "body": "<p>Edited.</p>"})

    def copy(self, key: str) -> None:
        """Clone it in the interface: a new draft with the same tags and no slug."""
        (record,) = self.campaigns(key)
        self._create({**record, "name": f"Copy of {record['name']}", "archive_slug": None, "send_at": None})

    def deliver(self, key: str) -> None:
        """Let its hold pass, and all letters leave."""
        for record in self.campaigns(key):
            if record["status"] == "scheduled":
                due = datetime.fromisoformat(record["send_at"]) + timedelta(seconds=TICK)
                self._late = max(self._late, due - datetime.now(UTC))
        self._tick()
        for record in self.campaigns(key):
            if record["status"] == "running":
                people = [each for number in record["lists"] for each in self.people.get(number, [])]
                self.delivered += [(each, key) for each in people]
                size = sum(LISTS[number][2] for number in record["lists"]) + len(people)
                record |= {"status": "finished", "to_send": size, "sent": size, "started_at": self._now().isoformat()}

    def letter(self, key: str) -> Letter:
        """What a subscriber gets."""
        (record,) = self.campaigns(key)
        return self._render(record)

    def _render(self, record: Mapping[str, Any]) -> Letter:
        self.unsubscribe = f"{ROOT}/subscription/{UUID(int=record['id'])}/{SUBSCRIBER}"
        subject = _Template(record["subject"], is_html=False).render(self.unsubscribe)
        body = _Template(record["body"], always=True).render(self.unsubscribe)
        text = record["altbody"] and _Template(record["altbody"]).render(self.unsubscribe)
        if record["content_type"] != "visual":  # the default template: a frame, with a pixel in it
            pixel = f'<img src="{ROOT}/campaign/{record["id"]}/0/px.png">'
            body = f'<!doctype html><html><body><div class="wrap">{body}</div>{pixel}</body></html>'
        return Letter(subject, body, text)


def _data(data: Any) -> Reply:
    return Reply(200, {"data": data})


def _bind(request: Request) -> dict[str, Any]:
    try:
        found = json.loads(request.body or b"{}")
    except ValueError as error:
        raise _Refused(400, f"Syntax error: offset=2, error={error}") from error
    return dict(found)


def _as_slug(text: str) -> str:
    """What is no letter, mark or digit becomes a hyphen."""
    return re.sub(r"\s+", "-", re.sub(r"[^\w]|_", " ", text.lower()).strip())


class _Template:
    """A template of Go's: compiled when a campaign is handed in, rendered for each reader.

    Subject and text are templates only where they have both braces, the body always. What is in the text of an HTML
    template outside of commands loses its comments; what comes from commands is escaped, unless it is `Safe`.
    """

    _BEFORE = (  # regTplFuncs of models/common.go
        (re.compile(r'{{\s*TrackLink\s+"([^"]+)"\s*}}'), r'{{ TrackLink "\1" . }}'),
        (re.compile(r"(https?://[\w\-.~!#$&'()*+,/:;=?@\[\]%]*)@TrackLink"), r'{{ TrackLink "\1" . }}'),
        (re.compile(r"{{(\s+)?(TrackView|UnsubscribeURL|ManageURL|OptinURL|MessageURL)(\s+)?}}"), r"{{ \2 . }}"),
    )
    _TOKEN = re.compile(r'{{-?((?:"(?:[^"\\\n]|\\.)*"|`[^`]*`|[^"`}]|}(?!}))*?)-?}}', re.DOTALL)
    _COMMAND = re.compile(
        r'(?:(?P<name>\w+)(?:\s+(?P<given>"(?:[^"\\\n]|\\.)*"))?(?:\s+\.)?|(?P<alone>"(?:[^"\\\n]|\\.)*"))'
    )
    _NAMES = ("Safe", "UnsubscribeURL", "TrackLink", "TrackView")

    def __init__(self, text: str, *, is_html: bool = True, always: bool = False) -> None:
        self._is_html = is_html
        self._parts: list[str | re.Match[str]] = [text]
        if not always and "}}" not in text.partition("{{")[2]:
            return
        for pattern, replacement in self._BEFORE:
            text = pattern.sub(replacement, text)
        self._parts, end = [], 0
        for found in self._TOKEN.finditer(text):
            self._parts += [self._plain(text[end : found.start()]), self._command(found[1].strip())]
            end = found.end()
        self._parts.append(self._plain(text[end:]))

    def _plain(self, text: str) -> str:
        if "{{" in text:
            raise ValueError("template: content:1: unclosed action")
        return re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL) if self._is_html else text

    def _command(self, text: str) -> re.Match[str]:
        found = self._COMMAND.fullmatch(text)
        if not found or (found["name"] and found["name"] not in self._NAMES):
            raise ValueError(f"template: content:1: function {text!r} not defined")
        for literal in (found["given"], found["alone"]):
            if literal:
                _unquote(literal)
        return found

    def render(self, unsubscribe: str) -> str:
        """The text for a reader with this link."""
        return "".join(each if isinstance(each, str) else self._run(each, unsubscribe) for each in self._parts)

    def _run(self, command: re.Match[str], unsubscribe: str) -> str:
        given = _unquote(command["given"] or command["alone"] or '""')
        values = {"UnsubscribeURL": unsubscribe, "TrackLink": f"{ROOT}/link/{given}", "TrackView": f"{ROOT}/px.png"}
        value = values.get(command["name"] or "", given)
        return value if command["name"] == "Safe" or not self._is_html else html.escape(value)


def _unquote(literal: str) -> str:
    """strconv.Unquote, as far as JSON's strings are Go's."""
    if not re.fullmatch(r'"(?:[^"\\\n]|\\(?:[bfnrt\\"]|u[0-9a-fA-F]{4}))*"', literal):
        raise ValueError("template: content:1: invalid syntax")
    found = json.loads(literal, strict=False)
    assert isinstance(found, str)
    return found
