"""A letter as the relay gets it: from whom, to whom, and the signed bytes with this reader's own links."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from mailroom.delivery.queue import Letter
from mailroom.errors import MailroomError, StoreError
from mailroom.letters.composition import CampaignContent, Composer, DigestPost, Links, Template
from mailroom.letters.dkim import Signer
from mailroom.letters.headers import wire_address, wire_domain
from mailroom.letters.return_path import ReturnPaths, message_id
from mailroom.office import Office
from mailroom.tokens import ID_LENGTH, Purpose

#: Whose links a test letter carries: nobody's, so that they open and change nothing.
_NOBODY = bytes(ID_LENGTH)


class BrokenCampaign(MailroomError):
    """A campaign of which no letter can be composed, whoever gets it."""


class ContentChanged(MailroomError):
    """A campaign was stopped and handed in anew since its letter was claimed."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is handed to the relay. `sender` is the return path."""

    sender: str = field(repr=False)
    recipient: str = field(repr=False)
    content: bytes = field(repr=False)


class Envelopes:
    """Fills envelopes; may be used by several threads."""

    def __init__(self, office: Office, composer: Composer, signer: Signer | None) -> None:
        settings = office.settings
        self._office = office
        self._composer = composer
        self._signer = signer
        self._url = settings.url
        self._domain = wire_domain(settings.domain or "localhost", "MAILROOM_SENDER")
        self._paths = ReturnPaths(office.ring, settings.bounce_domain) if settings.bounce_domain else None
        self._may_leave_by_mail = settings.bounces != "none"
        # By digest too: a campaign that was stopped may be started again with other content.
        self._campaign = lru_cache(16)(self._read_campaign)
        self._post = lru_cache(256)(self._read_post)

    def fill(self, letter: Letter) -> Envelope:
        """Compose and sign a letter.

        Raises BrokenCampaign, ContentChanged, StoreError; InvalidLetter when it is only this one that cannot be.
        """
        office, now = self._office, self._office.clock.now()
        recipient = wire_address(letter.address, "To")
        try:
            template = self._template(letter)
        except (StoreError, ContentChanged):
            raise  # not the campaign's fault
        except Exception as error:
            raise BrokenCampaign(
                f"Letters of {letter.campaign or letter.kind} cannot be composed ({type(error).__name__})",
                "Look at its content, stop it and start it anew.",
            ) from error
        content = template.personalise(
            to=letter.address,
            message_id=message_id(office.ring, letter.identity, self._domain),
            instant=now,
            links=self._links(letter, now),
        )
        if self._signer:
            content = self._signer.sign(content, now)
        sender = self._paths.bounce(letter.identity) if self._paths else office.settings.sender
        return Envelope(sender, recipient, content)

    def _template(self, letter: Letter) -> Template:
        match letter.kind:
            case "confirmation":
                return self._composer.confirmation(letter.lang)
            case "settings":
                return self._composer.settings(letter.lang, discreet=letter.discreet)
            case "digest":
                return self._composer.digest(self._posts(letter.posts), letter.lang, discreet=letter.discreet)
            case _:
                content = self._campaign(letter.campaign or "", letter.digest)
                return self._composer.campaign(content, letter.lang, discreet=letter.discreet)

    def _links(self, letter: Letter, now: float) -> Links:
        if letter.kind == "confirmation":
            return Links(action=self._link("confirm", Purpose.CONFIRM, letter, now))
        if letter.kind == "settings":
            return Links(action=self._link("preferences", Purpose.PREFERENCES, letter, now))
        return Links(
            unsubscribe=self._link("unsubscribe", Purpose.UNSUBSCRIBE, letter, now),
            settings=self._link("settings", Purpose.SETTINGS, letter, now),
            leave=self._paths.leave(letter.subscription or _NOBODY) if self._paths and self._may_leave_by_mail else "",
        )

    def _link(self, page: str, purpose: Purpose, letter: Letter, now: float) -> str:
        """The address of a page for this letter's reader, in the letter's language."""
        token = self._office.tokens.issue(purpose, letter.subscription or _NOBODY, now)
        return f"{self._url}{page}/{token}?lang={letter.lang}"

    def _read_campaign(self, key: str, digest: str) -> CampaignContent:
        rows = self._office.database.read(
            "SELECT kind, lang, content FROM campaigns WHERE key = ? AND digest = ?", (key, digest)
        )
        if not rows:
            raise ContentChanged(f"{key} was changed")
        return CampaignContent(key=key, kind=rows[0]["kind"], lang=rows[0]["lang"], **json.loads(rows[0]["content"]))

    def _posts(self, keys: Sequence[str]) -> tuple[DigestPost, ...]:
        marks = ", ".join("?" * len(keys))
        rows = self._office.database.read(
            f"SELECT key, digest FROM campaigns WHERE key IN ({marks})",  # noqa: S608 - question marks
            tuple(keys),
        )
        digests = {row["key"]: row["digest"] for row in rows}
        return tuple(self._post(key, digests[key]) for key in keys)

    def _read_post(self, key: str, digest: str) -> DigestPost:
        content = self._read_campaign(key, digest)
        return DigestPost(content.lang, content.title, content.summary, content.url)
