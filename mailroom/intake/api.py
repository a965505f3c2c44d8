"""The API's part for experts: an expert's program fetches what is sealed, and says when it is safely stored.

Tokens of scope `intake` open this and nothing else. What is answered is octets that only an expert's key opens, days,
sizes, and how the server is (mailroom/intake/examination.py): experts have no other way to look at it. In no log of
ours stands which submission was fetched, or when.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import falcon

from mailroom.campaigns.api_tokens import Scope
from mailroom.clock import write_day
from mailroom.doctor import LOGS, Finding, look_for_logs
from mailroom.errors import UnknownSubmission
from mailroom.intake.examination import examine_intake, look_at_recipients
from mailroom.intake.sealing import read_recipients
from mailroom.intake.submissions import Intake, open_intake
from mailroom.office import Office
from mailroom.web.api import Problem, read_body
from mailroom.web.gate import public_url

#: What an expert's doctor has asked of the form, and what no log may hold.
_CANARY = re.compile(r"doctor-[0-9a-f]{16}")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class Practice:
    """What the resources work with; `root` is where the machine's files begin."""

    office: Office
    root: Path

    def open(self) -> Intake:
        """The store. Raises UnknownSubmission where there is no intake."""
        if not self.office.settings.intake_database.exists():
            raise UnknownSubmission("There is no intake here", "Set MAILROOM_INTAKE_RECIPIENTS on the server.")
        return open_intake(self.office.settings, self.office.clock)

    def examine(self, canary: str) -> Iterator[Finding]:
        """How the server is, and whether its web server has written `canary` down, unless that is empty.

        Its recipients are judged by an expert's program, which knows when its own keys were made.
        """
        yield from examine_intake(self.office, self.root, without=(look_at_recipients,))
        if canary:
            host = urlsplit(public_url(self.office.settings)).hostname or ""
            folders = (*LOGS, Path("/var/log", host))
            yield from look_for_logs([self.root / folder.relative_to("/") for folder in folders], canary)


class _Resource:
    scope: Scope = "intake"

    def __init__(self, practice: Practice) -> None:
        self.practice = practice


class Submissions(_Resource):
    """`submissions`: what waits, to whom it is sealed, and how the server is."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Tell all that; with `?seen=doctor-…`, also whether that stands in a log of the web server's."""
        canary = req.get_param("seen", default="")
        if req.params.keys() - {"seen"} or (canary and not _CANARY.fullmatch(canary)):
            raise Problem(400, "The address asks for something else", "Ask for all, or with seen=doctor-….")
        settings, token = self.practice.office.settings, req.context.token
        waiting = [asdict(each) | {"day": write_day(each.day)} for each in self.practice.open().list()]
        recipients = read_recipients(settings.intake_recipients)
        resp.media = {
            "submissions": waiting,
            "recipients": [{"age": each.age, "since": each.since.isoformat()} for each in recipients],
            "form": f"{public_url(settings)}form",
            "token": {"name": token.name, "expires": write_day(token.expires)},
            "health": [asdict(each) for each in self.practice.examine(canary)],
        }


class Submission(_Resource):
    """`submissions/<id>`: the sealed octets."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, identity: str) -> None:  # noqa: ARG002
        """Hand them over; the submission counts as fetched from now on."""
        resp.data = self.practice.open().fetch(identity)
        resp.content_type = "application/octet-stream"

    def on_delete(self, req: falcon.Request, resp: falcon.Response, identity: str) -> None:  # noqa: ARG002
        """Delete it, unread."""
        self.practice.open().discard(identity)
        resp.status = falcon.HTTP_NO_CONTENT


class Acknowledgement(_Resource):
    """`submissions/<id>/acknowledge`: an expert's program has it safely."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, identity: str) -> None:
        """Delete what the client shows that it has."""
        fields = read_body(req)
        digest = fields.get("sha256")
        if fields.keys() != {"sha256"} or not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            raise Problem(422, "The body names no sha256", "Send the SHA-256 of the octets, in 64 hexadecimal digits.")
        self.practice.open().acknowledge(identity, digest)
        resp.status = falcon.HTTP_NO_CONTENT


def routes(office: Office, root: Path) -> Iterator[tuple[str, Any]]:
    """Every resource with its path below `/mail/api/`."""
    practice = Practice(office, root)
    yield "submissions", Submissions(practice)
    yield "submissions/{identity}", Submission(practice)
    yield "submissions/{identity}/acknowledge", Acknowledgement(practice)
