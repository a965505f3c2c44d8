"""The public pages: sign up, confirm, leave, see and change what is kept.

Nothing happens on GET but pages with a button: mail programs and virus scanners open every link. There are no
sessions: whoever has a link has the authority for what it is for (mailroom/tokens.py), and nobody else has any.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import falcon

from mailroom.clock import steady_time
from mailroom.errors import InvalidAddress, InvalidToken, StoreError
from mailroom.intake.forms import FACES, RECEIPT
from mailroom.languages import Language, Languages
from mailroom.office import Office
from mailroom.people.addresses import read_address
from mailroom.people.requests import Request
from mailroom.people.subscriptions import Preferences, Rhythm
from mailroom.store.facts import HEALTH, set_fact
from mailroom.tokens import Purpose
from mailroom.web.choice import known, language_for
from mailroom.web.export import everything_about
from mailroom.web.forms import read_form
from mailroom.web.limits import Limits, visitor
from mailroom.web.rendering import Renderer

#: For how many languages the preferences have room, unless somebody has more.
CHOICES = 3
#: Seconds for which an answer about the mailroom's health holds: nobody can have the disk written to more often.
HEALTH_HOLDS = 10.0
#: How much of a wrong address stands in its field again.
_ECHO = 320


@dataclass(frozen=True, slots=True)
class Desk:
    """What all pages work with; `url` is their address as readers see it, ending in "/"."""

    office: Office
    url: str
    languages: Languages
    renderer: Renderer
    #: Of sign-ups, and of links to the settings: both have a letter sent.
    sign_ups: Limits
    links: Limits

    def show(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        page: str,
        language: Language | None = None,
        **values: Any,
    ) -> None:
        """Answer with a page, in the language that was asked for unless another one is named."""
        self.renderer.show(req, resp, page, language or self.language(req), **values)

    def language(self, req: falcon.Request) -> Language:
        """The language that the address asks for (`?lang=fa`), else the first of the browser's that there is."""
        return language_for(req, self.languages)

    def known(self, tag: str) -> Language | None:
        """The language that serves whoever asks for this tag, if there is one."""
        return known(tag, self.languages)

    def identity(self, purpose: Purpose, token: str) -> bytes:
        """Whose token this is. Raises InvalidToken, ExpiredToken."""
        return self.office.tokens.read(purpose, token, self.office.clock.now())

    def address(self, req: falcon.Request, path: str) -> str:
        """The address of a page, in the language of this one."""
        return f"{self.url}{path}?lang={self.language(req).tag}"

    def count(self, req: falcon.Request, limits: Limits) -> None:
        """Count what has a letter sent. Raises falcon.HTTPTooManyRequests."""
        trusted = self.office.settings.trusted_proxies
        wait = limits.take(visitor(req.remote_addr, req.get_header("X-Forwarded-For") or "", trusted))
        if wait:
            raise falcon.HTTPTooManyRequests(retry_after=int(wait) + 1)


class Page:
    """A page that is looked at before anything is done."""

    on_get: Callable[..., None]

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def on_head(self, req: falcon.Request, resp: falcon.Response, **segments: str) -> None:
        """The headers of the page."""
        self.on_get(req, resp, **segments)


class Subscribe(Page):
    """`subscribe`: the form, and what the same form on the site sends."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The form."""
        self.desk.show(req, resp, "subscribe", address="", invalid=False)

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The page with the button, which has the address sealed in it; nothing is stored."""
        desk, form = self.desk, read_form(req)
        language = desk.known(form.first("lang")) or desk.language(req)
        typed = form.first("address")
        try:
            address = read_address(typed)
        except InvalidAddress:
            resp.status = falcon.HTTP_UNPROCESSABLE_ENTITY
            shown = "".join(character for character in typed[:_ECHO] if character.isprintable())
            desk.show(req, resp, "subscribe", language, address=shown, invalid=True)
            return
        request = Request("subscribe", language.tag, address, consent=desk.renderer.consent(language.tag))
        sealed = desk.office.requests.seal_form(request)
        desk.show(req, resp, "send", language, address=address, sealed=sealed)


class Send:
    """`subscribe/send`: the button was pressed."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Keep the request for the worker. The answer is the same for everybody."""
        try:
            request = self.desk.office.requests.open_form(read_form(req).first("request"))
        except InvalidToken as error:
            if type(error) is InvalidToken:
                raise falcon.HTTPBadRequest from error
            raise
        self.desk.count(req, self.desk.sign_ups)
        self.desk.office.requests.store(request)
        self.desk.show(req, resp, "sent", self.desk.languages.find(request.lang))


class Confirm(Page):
    """`confirm/<token>`."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, token: str) -> None:
        """The page with the button."""
        self.desk.identity(Purpose.CONFIRM, token)
        self.desk.show(req, resp, "confirm", action=self.desk.address(req, f"confirm/{token}"))

    def on_post(self, req: falcon.Request, resp: falcon.Response, token: str) -> None:
        """Confirm."""
        self.desk.office.subscriptions.confirm(self.desk.identity(Purpose.CONFIRM, token))
        self.desk.show(req, resp, "confirmed")


class Unsubscribe(Page):
    """`unsubscribe/<token>`, also in the header of every letter (RFC 8058)."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, token: str) -> None:
        """The page with the button."""
        self.desk.identity(Purpose.UNSUBSCRIBE, token)
        self.desk.show(req, resp, "unsubscribe", action=self.desk.address(req, f"unsubscribe/{token}"))

    def on_post(self, req: falcon.Request, resp: falcon.Response, token: str) -> None:
        """End all letters, whatever the body says: mail programs send what they like there."""
        self.desk.office.subscriptions.unsubscribe(self.desk.identity(Purpose.UNSUBSCRIBE, token))
        self.desk.show(req, resp, "unsubscribed")


class SettingsLink(Page):
    """`settings/<token>`: the link in every letter, which only has a better one mailed."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, token: str) -> None:
        """The page with the button."""
        self.desk.identity(Purpose.SETTINGS, token)
        self.desk.show(req, resp, "settings", action=self.desk.address(req, f"settings/{token}"))

    def on_post(self, req: falcon.Request, resp: falcon.Response, token: str) -> None:
        """Keep the request for the worker. The answer is the same for everybody."""
        identity = self.desk.identity(Purpose.SETTINGS, token)
        self.desk.count(req, self.desk.links)
        request = Request("settings", self.desk.language(req).tag, subscription=identity.hex())
        self.desk.office.requests.store(request)
        self.desk.show(req, resp, "link_sent")


class PreferencesPage(Page):
    """`preferences/<token>`: languages in their order, how often, discreet or not."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, token: str) -> None:
        """The form, as it was left."""
        identity = self.desk.identity(Purpose.PREFERENCES, token)
        self._show(req, resp, token, identity, self.desk.office.subscriptions.preferences(identity), saved=False)

    def on_post(self, req: falcon.Request, resp: falcon.Response, token: str) -> None:
        """Keep what was chosen, and show it."""
        identity, form = self.desk.identity(Purpose.PREFERENCES, token), read_form(req)
        langs = tuple(dict.fromkeys(filter(None, form.all("langs"))))
        rhythms: dict[str, Rhythm] = {"each": "each", "weekly": "weekly"}
        if not langs or not set(langs) <= set(self.desk.languages) or form.first("rhythm") not in rhythms:
            raise falcon.HTTPBadRequest
        chosen = Preferences(langs, rhythms[form.first("rhythm")], discreet=form.first("discreet") == "yes")
        self.desk.office.subscriptions.change(identity, chosen)
        self._show(req, resp, token, identity, chosen, saved=True)

    def _show(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        token: str,
        identity: bytes,
        preferences: Preferences,
        *,
        saved: bool,
    ) -> None:
        desk, office = self.desk, self.desk.office
        leave = office.tokens.issue(Purpose.UNSUBSCRIBE, identity, office.clock.now())
        choices = [lang for lang in preferences.langs if lang in desk.languages] or [desk.languages.default.tag]
        room = min(max(CHOICES, len(choices) + 1), len(desk.languages))
        desk.show(
            req,
            resp,
            "preferences",
            preferences=preferences,
            choices=choices + [""] * (room - len(choices)),
            saved=saved,
            action=desk.address(req, f"preferences/{token}"),
            export=desk.address(req, f"preferences/{token}/export"),
            erase=desk.address(req, f"preferences/{token}/erase"),
            unsubscribe=desk.address(req, f"unsubscribe/{leave}"),
        )


class Export(Page):
    """`preferences/<token>/export`: all that is kept, to take along."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, token: str) -> None:  # noqa: ARG002
        """A file, whose name says nothing."""
        everything = everything_about(self.desk.office, self.desk.identity(Purpose.PREFERENCES, token))
        resp.content_type = falcon.MEDIA_JSON
        resp.set_header("Content-Disposition", 'attachment; filename="letters.json"')
        resp.text = json.dumps(everything, ensure_ascii=False, indent=2) + "\n"


class Erase(Page):
    """`preferences/<token>/erase`."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, token: str) -> None:
        """The page with the button."""
        self.desk.identity(Purpose.PREFERENCES, token)
        action = self.desk.address(req, f"preferences/{token}/erase")
        self.desk.show(req, resp, "erase", action=action, back=self.desk.address(req, f"preferences/{token}"))

    def on_post(self, req: falcon.Request, resp: falcon.Response, token: str) -> None:
        """Erase; twice is once."""
        self.desk.office.subscriptions.erase(self.desk.identity(Purpose.PREFERENCES, token))
        self.desk.show(req, resp, "erased")


class Health(Page):
    """`health`: whether the database takes what is written; nothing else."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._lock = threading.Lock()
        self._well, self._until = False, float("-inf")

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:  # noqa: ARG002
        """`ok` or `not ok`."""
        well = self._look()
        resp.content_type = falcon.MEDIA_TEXT
        resp.status = falcon.HTTP_OK if well else falcon.HTTP_SERVICE_UNAVAILABLE
        resp.text = "ok\n" if well else "not ok\n"

    def _look(self) -> bool:
        with self._lock:
            if steady_time() >= self._until:
                self._well = self._writes()
                self._until = steady_time() + HEALTH_HOLDS
            return self._well

    def _writes(self) -> bool:
        # Something else each time: SQLite writes nothing where nothing changes, and a full disk goes unnoticed.
        try:
            self.desk.office.database.write(lambda connection: set_fact(connection, HEALTH, secrets.token_hex(8)))
        except StoreError:
            return False
        return True


class NoForm(Page):
    """`form` and what is below it, where there is no intake: the other ways to reach us."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Not here."""
        resp.status = falcon.HTTP_NOT_FOUND
        self.desk.show(req, resp, "closed")

    on_post = on_get  # from a page that was opened before; what was typed is not read


def pages(desk: Desk) -> Iterator[tuple[str, object]]:
    """Every page with its path below the mailroom's."""
    yield "subscribe", Subscribe(desk)
    yield "subscribe/send", Send(desk)
    yield "confirm/{token}", Confirm(desk)
    yield "unsubscribe/{token}", Unsubscribe(desk)
    yield "settings/{token}", SettingsLink(desk)
    yield "preferences/{token}", PreferencesPage(desk)
    yield "preferences/{token}/export", Export(desk)
    yield "preferences/{token}/erase", Erase(desk)
    yield "health", Health(desk)
    if not desk.office.settings.intake_recipients:
        for path in (*(face.path for face in FACES.values()), RECEIPT):
            yield path, NoForm(desk)
