"""A Buttondown for tests: what its API does with e-mails and tags, and what its templates make of them.

Each fact names the page of docs.buttondown.com that it is from; "assumed" marks what no page says.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import unquote

from tests.newsletter.services import FakeService, Letter, Reply, Request

#: api-emails-list: pages have a fixed size; assumed to be smaller than the real one, so that there are some.
PAGE = 25
#: lib/openapi in buttondown/cli, EmailInput and EmailUpdateInput: anything else is a 422 (api-error-codes).
FIELDS = frozenset(
    {
        "attachments", "publish_date", "subject", "slug", "description", "canonical_url", "image", "body",
        "archival_mode", "email_type", "status", "metadata", "secondary_id", "filters", "template",
        "commenting_mode", "related_email_ids", "featured", "should_trigger_pay_per_email_billing",
    }
)  # fmt: skip
#: api-emails-create, defaults: an e-mail is sent at once, stands in the archive, and goes to everybody.
DEFAULTS: Mapping[str, Any] = {
    "attachments": [], "publish_date": None, "slug": None, "body": "", "archival_mode": "enabled", "template": None,
    "status": "about_to_send", "metadata": {}, "commenting_mode": "enabled",
    "filters": {"filters": [], "groups": [], "predicate": "and"},
}  # fmt: skip
TEMPLATES = frozenset({"classic", "custom", "modern", "naked", "plaintext", "none", None})
#: api-emails-status: those whose letters go out without anybody doing more.
LEAVING = frozenset({"about_to_send", "in_flight", "throttled", "resending", "sent"})
#: docs.djangoproject.com, ref/templates/builtins, `templatetag`.
MARKS = {
    "openblock": "{%", "closeblock": "%}", "openvariable": "{{", "closevariable": "}}", "openbrace": "{",
    "closebrace": "}", "opencomment": "{#", "closecomment": "#}",
}  # fmt: skip
#: django/template/base.py: what counts as a command, each on one line.
_COMMAND = re.compile(r"({%.*?%}|{{.*?}}|{#.*?#})")
_MODE = re.compile(r"\A<!-- buttondown-editor-mode: \w+ -->")


class TemplateSyntaxError(Exception):
    """A template that Django would not render."""


class FakeButtondown(FakeService):
    """E-mails by id, the answers kept for idempotency keys, and how often letters were set going."""

    path: ClassVar[str] = "/v1/"
    token = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
    lists: Mapping[str, str] = {"en": "sub_tag_english", "fa": "sub_tag_persian"}
    #: Whether a key's first sending is refused until a person confirms it (api-error-codes).
    wants_confirmation = False
    #: Whether what is about to be sent is on its way before anybody looks.
    is_quick = True

    def reset(self) -> None:
        """An account with two tags."""
        self.emails: dict[str, dict[str, Any]] = {}
        self._answers: dict[str, Reply] = {}
        self._started: dict[str, int] = {}
        self.tests: list[tuple[str, str]] = []
        self.wants_confirmation, self.is_quick = False, True
        self._moment = datetime(2026, 11, 22, tzinfo=UTC)

    def answer(self, request: Request) -> Reply:
        """Ask for the key (api-authentication), and do a request of one idempotency key once (api-idempotency-keys)."""
        if request.headers.get("authorization") != f"Token {self.token}":
            return Reply(401, {"code": "authentication_invalid", "detail": "Invalid token."})
        key = request.headers.get("x-idempotency-key", "")
        if key in self._answers:
            return self._answers[key]
        reply = self._do(request)
        if key:
            self._answers[key] = reply
        return reply

    def _do(self, request: Request) -> Reply:
        kind, _, rest = request.path.removeprefix(self.path).partition("/")
        name, _, action = unquote(rest).partition("/")
        match (request.method, kind, action):
            case ("GET", "tags", ""):
                known = name in self.lists.values()
                return Reply(200, {"id": name, "name": "…", "color": "#000000"}) if known else Reply(404, {})
            case ("GET", "emails", "") if not name:
                return self._list(request)
            case ("POST", "emails", "") if not name:
                return self._create(request.data)
        email = self.emails.get(name)
        if kind != "emails" or email is None:
            return Reply(404, {"detail": "Not Found"})
        match (request.method, action):
            case ("GET", ""):
                self._go_on(email)
                return Reply(200, email)
            case ("PATCH", ""):
                return self._update(email, request.data)
            case ("DELETE", ""):  # api-emails-delete: it cannot be recovered
                del self.emails[name]
                return Reply(204)
            case ("POST", "send-draft"):
                return self._send_draft(email, request.data)
        return Reply(405, {"detail": "Method Not Allowed"})

    def _list(self, request: Request) -> Reply:
        """api-emails-list, api-pagination. There is no filter for slug or metadata."""
        for email in self.emails.values():
            self._go_on(email)
        wanted = request.query.get("status")
        found = [each for each in self.emails.values() if not wanted or each["status"] in wanted]
        found.sort(key=lambda each: str(each["creation_date"]), reverse=request.one("ordering") != "creation_date")
        page = int(request.one("page", "1"))
        shown = found[(page - 1) * PAGE : page * PAGE]
        without = request.query.get("excluded_fields", [])
        results = [{name: value for name, value in each.items() if name not in without} for each in shown]
        more = len(found) > page * PAGE
        following = f"{self.api}emails?page={page + 1}" if more else None
        return Reply(200, {"count": len(found), "next": following, "previous": None, "results": results})

    def _create(self, data: Mapping[str, Any]) -> Reply:
        email = {**DEFAULTS, **data}
        if refused := self._check(data) or self._check_slug(email):
            return refused
        if email["status"] != "draft" and self.wants_confirmation:
            return Reply(400, {"code": "sending_requires_confirmation", "detail": "Confirm it.", "metadata": {}})
        self._moment += timedelta(seconds=1)
        identity = f"em_{uuid.uuid4().hex}"
        email |= {"id": identity, "creation_date": self._moment.isoformat(), "source": "api"}
        self.emails[identity] = email
        self._set_going("draft", email)
        return Reply(201, dict(email))

    def _update(self, email: dict[str, Any], data: Mapping[str, Any]) -> Reply:
        if refused := self._check(data):
            return refused
        if data.get("status") in ("about_to_send", "scheduled") and self.wants_confirmation:  # assumed: as at creation
            return Reply(400, {"code": "sending_requires_confirmation", "detail": "Confirm it.", "metadata": {}})
        before = email["status"]
        email |= data
        if email["publish_date"] == "none":  # EmailUpdateInput: clears it
            email["publish_date"] = None
        if email["status"] == "scheduled" and not email["publish_date"]:
            email["status"] = before
            return Reply(400, {"code": "publish_date_missing", "detail": "When?", "metadata": {}})
        if before in ("scheduled", "about_to_send") and email["status"] == "draft":
            # scheduling-emails-via-the-api, "Unschedule"; drafting-emails-via-the-api, "undo sending"
            self._started[email["id"]] -= 1
        self._set_going(before, email)
        return Reply(200, dict(email))

    def _check(self, data: Mapping[str, Any]) -> Reply | None:
        """api-error-codes: 422 for unknown fields, 400 with a code for what is in them."""
        if unknown := set(data) - FIELDS:
            where = ["body", "payload", min(unknown)]
            detail = [{"type": "extra_forbidden", "loc": where, "msg": "Extra inputs are not permitted"}]
            return Reply(422, {"detail": detail})
        if re.match(r"---\s*\n\w+:", str(data.get("body", ""))):
            return Reply(400, {"code": "body_contains_frontmatter", "detail": "Frontmatter.", "metadata": {}})
        if data.get("template") not in TEMPLATES or len(str(data.get("subject", ""))) > 2000:
            return Reply(400, {"code": "email_invalid", "detail": "Invalid.", "metadata": {}})
        return None

    def _check_slug(self, email: Mapping[str, Any]) -> Reply | None:
        """api-error-codes, slug_invalid: "invalid or already in use"; email_duplicate."""
        slug = email["slug"]
        taken = any(each["slug"] == slug for each in self.emails.values())
        if slug is not None and (taken or not re.fullmatch(r"[\w-]+", slug, re.ASCII)):
            return Reply(400, {"code": "slug_invalid", "detail": "In use.", "metadata": {"field": "slug"}})
        return None

    def _set_going(self, before: str, email: Mapping[str, Any]) -> None:
        now = email["status"]
        if now != before and now in LEAVING | {"scheduled"} and before not in LEAVING | {"scheduled"}:
            self._started[email["id"]] = self._started.get(email["id"], 0) + 1

    def _go_on(self, email: dict[str, Any]) -> None:
        """api-emails-status: what is about to be sent is on its way within minutes, without anybody doing more."""
        if email["status"] == "about_to_send" and self.is_quick:
            email["status"] = "in_flight"

    def _send_draft(self, email: Mapping[str, Any], data: Mapping[str, Any]) -> Reply:
        """api-emails-send-draft: 200 without a body."""
        for address in data["recipients"]:
            if "@" not in address:
                detail = f"{address} is no address"
                return Reply(400, {"code": "email_invalid", "detail": detail, "metadata": {}})
            self.tests.append((str(email["slug"]), address))
        return Reply(200)

    # What tests ask

    def campaigns(self, key: str) -> list[Any]:
        """By slug, or by what was noted with it."""
        found = self.emails.values()
        return [each for each in found if key in (each["slug"], each["metadata"].get("key"))]

    def starts(self, key: str) -> int:
        """Of all e-mails with the key."""
        return sum(self._started.get(each["id"], 0) for each in self.campaigns(key))

    def change(self, key: str) -> None:
        """Edit the text on its pages."""
        (email,) = self.campaigns(key)
        email["body"] = email["body"].replace("</p>", " And more.</p>", 1)

    def copy(self, key: str) -> None:
        """Duplicate it on its pages: assumed to keep the metadata, and to get a slug of its own."""
        (email,) = self.campaigns(key)
        self._create({name: email[name] for name in FIELDS & email.keys()} | {"slug": f"{key}-2", "status": "draft"})

    def deliver(self, key: str) -> None:
        """Send it to the last reader."""
        for email in self.campaigns(key):
            if email["status"] in LEAVING | {"scheduled"}:
                email |= {"status": "sent", "publish_date": self._moment.isoformat()}

    def letter(self, key: str) -> Letter:
        """Subject and body rendered (automation-dynamic-content: both are templates); the text is its own affair."""
        (email,) = self.campaigns(key)
        assert email["template"] == "naked"  # with any other, a frame comes around it
        assert "{{ unsubscribe_url }}" in email["body"]  # naked-mode: it must be there
        html = _MODE.sub("", self._render(email["body"]))  # editor-modes: readers do not see it
        return Letter(self._render(email["subject"]), html, None)

    def _render(self, template: str) -> str:
        """As Django does, for what a letter may hold by accident or by design."""
        rendered = ""
        for number, piece in enumerate(_COMMAND.split(template)):
            if number % 2 == 0:
                rendered += piece
            elif piece.startswith("{{"):
                rendered += self._resolve(piece[2:-2].strip())
            elif piece.startswith("{%"):
                tag, _, rest = piece[2:-2].strip().partition(" ")
                if tag != "templatetag" or rest not in MARKS:
                    raise TemplateSyntaxError(piece)
                rendered += MARKS[rest]
        return rendered

    def _resolve(self, name: str) -> str:
        """templating: a variable that is not there is nothing."""
        if not re.fullmatch(r"[\w.]+(\|\w+)*", name):
            raise TemplateSyntaxError(name)
        return {"unsubscribe_url": self.unsubscribe, "subscriber.email": "reader@example.org"}.get(name, "")
