"""A small copy of the publication with real parts around it: its web server, its mailroom, a relay and mailboxes."""

from __future__ import annotations

import email.policy
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from pathlib import Path

from newsletter.campaigns import Campaign, Kind, make_key, read_campaigns

from mailroom.campaigns.campaigns import Campaigns
from mailroom.office import Office, open_office
from tests.frontdoor.support import ROOT, copy_project, run_blog, wait_until
from tests.mailroom.crowd import enrol
from tests.mailroom.servers import MailServer, free_ports, make_certificates
from tests.mailroom.test_service import House, make_house
from tests.mailroom.test_whole_way import equip
from tests.policy.servers import print_configuration, running_nginx

LANGUAGES = ("en", "fa")
#: NEWSLETTER_SITE_ID of the publication.
SITE_ID = "thehuman-rights"
#: What the publication has had for long: the new ones link to it.
OLD = "how-to-document-persecution"
#: Seconds between a start and the first letter.
HOLD = 2
#: Letters a second, so that a campaign can be stopped in the middle.
RATE = 20
# The copy's own lines, behind the real ones.
_WRITING = """
SITEURL = {url!r}
MULTILINGUAL_LANGUAGES = {{lang: MULTILINGUAL_LANGUAGES[lang] for lang in {languages!r}}}
MULTILINGUAL_FALLBACK = {{"fa": ["en"]}}
NEWSLETTER_SINCE = {today!r}
NEWSLETTER_HOLD = {hold}
NEWSLETTER_WAIT = 60
"""


def today() -> str:
    """The day in UTC, as an author writes it."""
    return datetime.now(UTC).date().isoformat()


def key_of(name: str, lang: str) -> str:
    """By what the mailing service knows an article's letter."""
    return make_key(SITE_ID, "post", name, lang)


@dataclass(frozen=True)
class Publication:
    """A project's folder, put on line by its own commands."""

    house: House
    mail: MailServer
    url: str
    #: What its web server serves.
    www: Path
    #: What vouches for its letters in the DNS.
    records: dict[str, str]

    @property
    def folder(self) -> Path:
        return self.house.folder

    def file(self, name: str, lang: str) -> Path:
        """An article's file."""
        return self.folder / "content" / "articles" / lang / f"{name}.md"

    def write(self, name: str, day: str) -> None:
        """Have an editor write a real article, in both languages, on a day."""
        for lang in LANGUAGES:
            text = (ROOT / "content" / "articles" / lang / f"{name}.md").read_text("utf-8")
            file = self.file(name, lang)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(re.sub("^(Date|Translated): .*$", rf"\1: {day}", text, flags=re.MULTILINE), "utf-8")

    def state(self, name: str, lang: str, field: str, value: str) -> None:
        """Have an editor state a field of an article, or change it."""
        text = self.file(name, lang).read_text("utf-8")
        kept = re.sub(f"^{field}: .*\n", "", text, flags=re.MULTILINE)
        self.file(name, lang).write_text(f"{field}: {value}\n{kept}", "utf-8")

    def run(self, *words: str, **environment: str) -> str:
        """What a command of the front door prints."""
        done = run_blog(self.folder, *words, **self.house.environment | environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return str(done.stdout)

    def plan(self) -> dict[str, str]:
        """What the plan says of each campaign, by key."""
        found = re.findall(r"^    (\S+-[0-9a-f]{16})(?:, .*)?\n    (.*)$", self.run("newsletter", "plan"), re.MULTILINE)
        return dict(found)

    def composed(self, name: str, lang: str, kind: Kind = "post") -> Campaign:
        """A letter as the last build has composed it."""
        identity = f"{name} {today()}" if kind == "correction" else name
        return read_campaigns(self.folder / "var" / "campaigns")[make_key(SITE_ID, kind, identity, lang)]

    def office(self) -> Office:
        """The mailroom's data, beside those who work with them."""
        return open_office(self.house.settings)

    def enrol(self, lang: str, *addresses: str) -> None:
        """Have these be subscribers, of a language or several ("fa,en")."""
        with self.office() as office:
            enrol(office, addresses, lang)

    def release(self, key: str) -> float:
        """When the first letter of a campaign was allowed to leave."""
        with self.office() as office:
            return Campaigns(office.database, office.clock).get(key).release

    def letters(self, key: str) -> dict[str, int]:
        """How many letters of a campaign are in which state, as the mailroom counts."""
        with self.office() as office:
            return {name: n for name, n in Campaigns(office.database, office.clock).get(key).letters.items() if n}

    def arrived(self, subject: str) -> dict[str, float]:
        """In whose mailboxes letters with this subject are, and since when; nobody has two."""
        found: dict[str, float] = {}
        parser = BytesHeaderParser(policy=email.policy.default)
        for file in (self.mail.folder / "mail").glob("*/[nc][eu][wr]/*"):
            with file.open("rb") as content:
                if parser.parse(content)["Subject"] == subject:
                    address = file.parents[1].name
                    assert address not in found, f"{address} has {subject} twice"
                    found[address] = file.stat().st_mtime
        return found

    def wait_for(self, subject: str, count: int) -> dict[str, float]:
        """The same, as soon as there are so many."""

        def enough() -> dict[str, float]:
            found = self.arrived(subject)
            return found if len(found) >= count else {}

        return wait_until(enough, f"fewer than {count} letters arrive: {subject}")

    def letter(self, address: str, subject: str) -> tuple[bytes, EmailMessage]:
        """A letter in somebody's mailbox, as it came and as it is read."""
        mailbox = self.mail.mailbox(address)
        ((raw, letter),) = (
            both for both in zip(mailbox.raw(), mailbox.letters(), strict=True) if both[1]["Subject"] == subject
        )
        return raw, letter


@contextmanager
def publication(folder: Path, mail: MailServer) -> Iterator[Publication]:
    """The copy with one old article, as yet unpublished; its web server answers, its mailroom works."""
    house = make_house(folder / "house")
    copy_project(
        house.folder, "plugins", "theme", "pelicanconf.py", "publishconf.py", "content/atlas.yaml",
        "content/redirects.txt", "content/terms.yaml", "content/images",
        *(f"content/pages/{lang}" for lang in LANGUAGES),
    )  # fmt: skip
    certificates = folder / "certificates"
    certificates.mkdir()
    ca, certificate, key = make_certificates(certificates)
    plain, port = free_ports(2)
    url, www = f"https://localhost:{port}", folder / "www"
    www.mkdir()
    with (house.folder / "pelicanconf.py").open("a", encoding="utf-8") as file:
        file.write(_WRITING.format(url=url, languages=LANGUAGES, today=today(), hold=HOLD))
    records = equip(house, mail, folder)
    house.environment.update(
        MAILROOM_URL=f"{url}/mail/", MAILROOM_RATE=str(RATE),
        PUBLISH_COMMAND=shlex.join(["cp", "-a", "{output}/.", str(www)]),
        PRIVACY_ACCESS_LOG="none", PRIVACY_HOST="A host", PRIVACY_HOST_COUNTRY="IS", PRIVACY_MAILING_SERVICE="mailroom",
        NEWSLETTER_API=f"http://127.0.0.1:{house.api_port}/mail/api/", NEWSLETTER_SIGNUP="/mail/subscribe",
        REQUESTS_CA_BUNDLE=str(ca),
    )  # fmt: skip
    made = Publication(house, mail, url, www, records)
    made.write(OLD, "2026-11-01")
    running = house.start()
    try:
        running.await_work()
        token = made.run("mailroom", "token", "create", "newsletter", "--scope", "send").split()[0]
        house.environment["NEWSLETTER_TOKEN"] = token
        text = print_configuration(
            house.folder, "nginx", "--root", str(www), "--mailroom", f"127.0.0.1:{house.port}",
            "--certificate", str(certificate), "--key", str(key), "--ports", f"{plain},{port}",
        )  # fmt: skip
        home = folder / "nginx"
        home.mkdir()
        with running_nginx(home, text):
            yield made
    finally:
        running.stop()
