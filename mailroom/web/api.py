"""The API: programs hand in campaigns and start them; see mailroom/README.md for what it takes and answers.

It speaks JSON alone, takes exactly the fields it knows, and says what is wrong as `{"title", "detail", "remedy"}`. It
names no subscriber. A call that is repeated does nothing more than the first time.
"""

from __future__ import annotations

import http
import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

import falcon

from mailroom.campaigns.api_tokens import ApiTokens, Scope
from mailroom.campaigns.campaigns import Campaign, Campaigns, State
from mailroom.campaigns.submissions import read_draft, read_object, read_recipient, read_start
from mailroom.clock import write_day
from mailroom.errors import (
    CampaignClosed,
    CampaignError,
    DraftChanged,
    IntakeError,
    InvalidCampaign,
    StoreError,
    SubmissionChanged,
    TooManyTests,
    UnknownCampaign,
    UnknownSubmission,
)
from mailroom.languages import Languages, load_languages
from mailroom.office import Office
from mailroom.people.addresses import normalise
from mailroom.web.failures import note_failure, note_unexpected

#: A body's octets, at most.
LARGEST = 1024 * 1024

_LOG = logging.getLogger("mailroom.api")
_Refusal = CampaignError | IntakeError
_STATUS: dict[type[_Refusal], int] = {
    UnknownCampaign: 404,
    CampaignClosed: 409,
    DraftChanged: 412,
    InvalidCampaign: 422,
    TooManyTests: 429,
    UnknownSubmission: 404,
    SubmissionChanged: 412,
}


def make_api(office: Office, languages: Languages | None = None, *, root: Path = Path("/")) -> falcon.App[Any, Any]:
    """The API below the path of MAILROOM_URL: `/mail/api/…`.

    `root` is where the machine's files begin, of which an expert's doctor is told.
    """
    from mailroom.intake.api import routes  # it speaks as this does

    settings = office.settings
    languages = languages or load_languages(settings.languages, settings.default_lang)
    desk = _Desk(office, Campaigns(office.database, office.clock), languages)
    app: falcon.App[Any, Any] = falcon.App(middleware=[_Gate(ApiTokens(office.database, office.clock))])
    base = api_path(office) + "campaigns"
    app.add_route(base, _All(desk))
    app.add_route(base + "/{key}", _One(desk))
    for word, resource in (("start", _Start), ("stop", _Stop), ("test", _Test)):
        app.add_route(f"{base}/{{key}}/{word}", resource(desk))
    for path, each in routes(office, root):
        app.add_route(api_path(office) + path, each)
    app.add_error_handler(Exception, _show_unexpected)
    app.add_error_handler(StoreError, _show_failure)
    app.add_error_handler(CampaignError, _show_refusal)
    app.add_error_handler(IntakeError, _show_refusal)
    app.add_error_handler(falcon.HTTPError, _show_http)
    return app


def api_path(office: Office) -> str:
    """Where the API's addresses begin: `/mail/api/`."""
    return (urlsplit(office.settings.url).path or "/mail/") + "api/"


class Problem(falcon.HTTPError):
    """A request that cannot be done, and what to do about it."""

    def __init__(self, status: int, detail: str, remedy: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, description=detail, headers=headers)
        self.remedy = remedy


class _Gate:
    """Lets in who has a token, to what its scope allows."""

    def __init__(self, tokens: ApiTokens) -> None:
        self._tokens = tokens

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Look at the token, before anything is said about what there is."""
        resp.set_headers({"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})
        kind, _, token = (req.get_header("Authorization") or "").partition(" ")
        known = self._tokens.find(token.strip()) if kind.lower() == "bearer" else None
        if known is None:
            challenge = 'Bearer realm="mailroom"' + (', error="invalid_token"' if token else "")
            raise Problem(
                401,
                "There is no token in this request, or one that is unknown, expired or revoked",
                "Send `Authorization: Bearer TOKEN`; ./blog mailroom token create makes one.",
                {"WWW-Authenticate": challenge},
            )
        req.context.token = known

    def process_resource(self, req: falcon.Request, resp: falcon.Response, resource: Any, params: Any) -> None:  # noqa: ARG002
        """Look at its scope."""
        needed: Scope = resource.scope
        if not req.context.token.allows(needed):
            raise Problem(
                403,
                f"The token {req.context.token.name} may not do this: its scope is {req.context.token.scope}",
                f"Use one of scope {needed}.",
            )


class _Desk:
    """What all resources work with."""

    def __init__(self, office: Office, campaigns: Campaigns, languages: Languages) -> None:
        self.campaigns = campaigns
        self.languages = languages
        self.vault = office.vault
        self.editors = {normalise(address) for address in office.settings.editors}

    def show(self, resp: falcon.Response, key: str, status: int = 200) -> None:
        """Answer with a campaign as it is now."""
        resp.status = status
        resp.media = describe(self.campaigns.get(key))


class _Resource:
    scope: Scope = "draft"

    def __init__(self, desk: _Desk) -> None:
        self.desk = desk


class _All(_Resource):
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List campaigns, of one post or in one state."""
        for name in req.params:
            if name not in ("post", "state"):
                raise InvalidCampaign("The address asks for something else", "Ask by post, by state, or for all.")
        post, state = req.get_param("post", default=""), req.get_param("state", default="")
        if state and state not in get_args(State):
            raise InvalidCampaign("state is no state of a campaign", f"Use one of {', '.join(get_args(State))}.")
        resp.media = {"campaigns": [describe(each) for each in self.desk.campaigns.find(post=post, state=state)]}


class _One(_Resource):
    def on_get(self, req: falcon.Request, resp: falcon.Response, key: str) -> None:  # noqa: ARG002
        """Tell about a campaign; of a draft, how many would get it."""
        campaign = self.desk.campaigns.get(key)
        resp.media = describe(campaign)
        if campaign.state == "draft":
            resp.media["recipients"] = self.desk.campaigns.recipients(key)

    def on_put(self, req: falcon.Request, resp: falcon.Response, key: str) -> None:
        """Keep a draft."""
        draft = read_draft(key, read_body(req), self.desk.languages)
        new = self.desk.campaigns.put(draft)
        _note(req, "handed in", key)
        self.desk.show(resp, key, 201 if new else 200)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, key: str) -> None:
        """Delete a draft."""
        self.desk.campaigns.delete(key)
        _note(req, "deleted", key)
        resp.status = 204


class _Start(_Resource):
    scope: Scope = "send"

    def on_post(self, req: falcon.Request, resp: falcon.Response, key: str) -> None:
        """Start what was reviewed."""
        digests, hold = read_start(key, read_body(req))
        self.desk.campaigns.start(digests, hold)
        for each in digests:
            _note(req, "started", each)
        resp.media = {"campaigns": [describe(self.desk.campaigns.get(each)) for each in digests]}


class _Stop(_Resource):
    scope: Scope = "send"

    def on_post(self, req: falcon.Request, resp: falcon.Response, key: str) -> None:
        """Stop what has not left."""
        self.desk.campaigns.stop(key)
        _note(req, "stopped", key)
        self.desk.show(resp, key)


class _Test(_Resource):
    def on_post(self, req: falcon.Request, resp: falcon.Response, key: str) -> None:
        """Send a letter to an editor, and to nobody else."""
        address = read_recipient(read_body(req))
        if normalise(address) not in self.desk.editors:
            raise Problem(403, "This address is none of an editor's", "Name it in MAILROOM_EDITORS.")
        self.desk.campaigns.send_test(key, address, self.desk.vault)
        self.desk.show(resp, key, 202)


def describe(campaign: Campaign) -> dict[str, Any]:
    """A campaign as the API tells of it."""
    release = datetime.fromtimestamp(campaign.release, UTC).isoformat() if campaign.release else None
    return {
        "key": campaign.key,
        "kind": campaign.kind,
        "lang": campaign.lang,
        "post": campaign.post,
        "corrects": campaign.corrects or None,
        "digest": campaign.digest,
        "state": campaign.state,
        "created": write_day(campaign.created),
        "started": None if campaign.started is None else write_day(campaign.started),
        "release": release,
        "letters": dict(campaign.letters),
    }


def read_body(req: falcon.Request) -> dict[str, Any]:
    """The fields of the body. Raises Problem."""
    if (req.content_type or "").partition(";")[0].strip().lower() != falcon.MEDIA_JSON:
        raise Problem(415, "This is not declared as JSON", "Send it with `Content-Type: application/json`.")
    too_large = Problem(413, f"This has more than {LARGEST} octets", "Send an excerpt, and a link to the whole.")
    if (req.content_length or 0) > LARGEST:
        raise too_large
    body = req.bounded_stream.read(LARGEST + 1)
    if len(body) > LARGEST:
        raise too_large
    try:
        return read_object(body)
    except ValueError as error:
        raise Problem(400, "This is not an object in JSON, in UTF-8, with each field once", "Mend it.") from error


def _note(req: falcon.Request, what: str, key: str) -> None:
    _LOG.info("%s %s by the token %s", key, what, req.context.token.name)


def _show(resp: falcon.Response, status: int, detail: str, remedy: str) -> None:
    resp.status = status
    resp.content_type = "application/problem+json"
    problem = {"title": http.HTTPStatus(status).phrase, "detail": detail, "remedy": remedy}
    resp.data = json.dumps(problem, ensure_ascii=False).encode()


def _show_http(req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError, _: object) -> None:  # noqa: ARG001
    resp.set_headers(error.headers or {})
    usual = {404: "There is nothing at this address", 405: "This address does not know this method"}
    detail = error.description or usual.get(error.status_code, error.title)
    _show(resp, error.status_code, detail, getattr(error, "remedy", "See the API in mailroom/README.md."))


def _show_refusal(req: falcon.Request, resp: falcon.Response, error: _Refusal, _: object) -> None:  # noqa: ARG001
    _show(resp, _STATUS[type(error)], error.problem, error.remedy)


def _show_failure(req: falcon.Request, resp: falcon.Response, error: StoreError, _: object) -> None:  # noqa: ARG001
    note_failure(_LOG, resp, error)
    _show(resp, 503, "Nothing can be written or read now", "Try again later; the mailroom's log says why.")


def _show_unexpected(req: falcon.Request, resp: falcon.Response, error: Exception, _: object) -> None:
    note_unexpected(_LOG, req, error)
    _show(resp, 500, "This is a mistake of ours", "The mailroom's log says where.")
