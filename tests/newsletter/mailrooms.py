"""The mailroom itself, served by its own server, behind a proxy that fails when it is told to."""

from __future__ import annotations

import email
import json
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

from mailroom.campaigns.api_tokens import ApiTokens
from mailroom.campaigns.campaigns import Campaigns, Content, Draft
from mailroom.languages import load_languages
from mailroom.letters.composition import CampaignContent, Composer, Links
from mailroom.office import Office
from mailroom.web import api
from mailroom.web.server import Server
from tests.mailroom.offices import Watch, make_settings, new_office
from tests.mailroom.readers import add_readers, set_letters
from tests.newsletter.services import Letter, Proxy

EDITOR = "editor@news.example"
READERS = ("en", "en", "fa", "fa,en")


class MailroomService(Proxy):
    """A mailroom with some readers, whose clock a test can put forward."""

    path = "/mail/api/"
    lists = {}  # noqa: RUF012
    unsubscribe = "https://news.example/mail/unsubscribe/A_-z?lang=en"

    def __init__(self, office: Office, watch: Watch, port: int) -> None:
        super().__init__()
        self.office = office
        self.target = f"http://127.0.0.1:{port}{self.path}"
        self._watch = watch
        self._campaigns = Campaigns(office.database, office.clock)
        self._composer = Composer(office.settings, load_languages())
        self.token = ApiTokens(office.database, office.clock).create("editor", "send")

    def make_token(self, name: str, scope: Any) -> str:
        """Another token."""
        return ApiTokens(self.office.database, self.office.clock).create(name, scope)

    def reset(self) -> None:
        """Empty the tables; readers come back."""
        self._watch.now = time.time()

        def empty(connection: Any) -> None:
            for table in ("letters", "received", "campaigns", "subscriptions"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608

        self.office.database.write(empty)
        add_readers(self.office, [{"langs": langs} for langs in READERS])

    def campaigns(self, key: str) -> Collection[Any]:
        """One or none: the key is the table's."""
        return [each for each in self._campaigns.find() if each.key == key]

    def starts(self, key: str) -> int:
        """How many letters the reader has, or will have, who has most of them."""
        rows = self.office.database.read(
            "SELECT count(*) AS letters FROM letters WHERE campaign = ? AND kind = 'campaign' AND state <> 'dropped'"
            " GROUP BY subscription ORDER BY letters DESC",
            (key,),
        )
        return int(rows[0]["letters"]) if rows else 0

    def change(self, key: str) -> None:
        """Hand in something else, as another program would."""
        draft = self._draft(key)
        other = Content("Another subject", "", "A title", "", draft.url, "<p>Something else.</p>", "Something else.")
        (found,) = self.campaigns(key)
        self._campaigns.put(Draft(key, found.kind, found.lang, found.post, "0" * 64, other))

    def copy(self, key: str) -> None:
        """Nobody can."""
        raise AssertionError(f"the mailroom keeps one campaign of {key}")

    def deliver(self, key: str) -> None:
        """Have all its letters sent."""
        self._watch.pass_(max(0.0, self._campaigns.get(key).release - self._watch.now) + 1)
        set_letters(self.office, key, "sent")
        self._campaigns.finish()

    def letter(self, key: str) -> Letter:
        """What its readers get."""
        content = self._draft(key)
        template = self._composer.campaign(content, content.lang, discreet=False)
        links = Links(unsubscribe=self.unsubscribe, settings="https://news.example/mail/settings/A_-z")
        octets = template.personalise(to="reader@mail.test", message_id="<a@b.test>", instant=0, links=links)
        message = email.message_from_bytes(octets, policy=SMTP)
        parts = {}
        for name in ("plain", "html"):
            part = message.get_body((name,))
            assert isinstance(part, EmailMessage)
            parts[name] = part.get_content().replace("\r\n", "\n")
        return Letter(str(message["Subject"]), parts["html"], parts["plain"])

    def _draft(self, key: str) -> CampaignContent:
        (row,) = self.office.database.read("SELECT kind, lang, content FROM campaigns WHERE key = ?", (key,))
        return CampaignContent(key=key, kind=row["kind"], lang=row["lang"], **json.loads(row["content"]))


@contextmanager
def serving_mailroom(folder: Path) -> Iterator[MailroomService]:
    """A mailroom under this folder, its API on a port of its own."""
    watch, stop = Watch(time.time()), threading.Event()
    with new_office(make_settings(folder, editors=(EDITOR,)), watch) as office:
        server = Server(api.make_api(office), "127.0.0.1:0", api.LARGEST)
        thread = threading.Thread(target=server.run, args=(stop,))
        thread.start()
        try:
            with MailroomService(office, watch, server.port) as service:
                yield service
        finally:
            stop.set()
            thread.join()
