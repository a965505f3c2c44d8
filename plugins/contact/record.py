"""What templates are given as `contact`: frozen, the same for every page."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Number:
    """A telephone number: `digits` without the plus (E.164), `text` grouped as it was written."""

    digits: str
    text: str


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to write or speak to the practice.

    `kind` is "intake", "signal", "email", "phone" or "whatsapp"; `text` is the address as a reader
    copies it, `url` what a link to it opens ("" where there is only something to copy).
    """

    kind: str
    text: str
    url: str = ""

    @property
    def is_web(self) -> bool:
        """Whether the link opens a page of somebody else's, who is to learn nothing from us."""
        return self.url.startswith("https://")


@dataclass(frozen=True, slots=True)
class Download:
    """A file to take away: `url` under the site's root, `format` such as "PDF", `size` in bytes."""

    url: str
    format: str
    size: int


@dataclass(frozen=True, slots=True)
class Contact:
    """The ways to reach the practice and what it offers; None where nothing is set."""

    email: str | None = None
    phone: Number | None = None
    whatsapp: Number | None = None
    #: A number, or a user name.
    signal: Number | str | None = None
    #: Minutes until an answer at the latest, as the practice promises it.
    reply_minutes: int | None = None
    #: Where the plain form is sent: an https address, or a path on the site's own host.
    form_action: str | None = None
    #: The sealed form: a path on the site's own host; "" in a copy of the site, which carries none.
    intake_url: str | None = None
    #: The age recipients to whom it is sealed, and to whom anybody can seal a letter: age1…
    age_recipients: tuple[str, ...] = ()
    sample_report: Download | None = None
    expert_cv: Download | None = None
    #: The name of the service that carries video meetings.
    meeting_service: str | None = None
    #: The handle, without its @.
    youtube: str | None = None
    linkedin_name: str | None = None
    linkedin_url: str | None = None

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The ways that are set, the one that reveals least first.

        One order for all pages: help that stands in the same order everywhere is found again
        (WCAG 2.2, 3.2.6).
        """
        found = []
        if self.intake_url is not None:
            found.append(Channel("intake", "", self.intake_url))
        if isinstance(self.signal, Number):
            found.append(Channel("signal", self.signal.text, f"https://signal.me/#p/+{self.signal.digits}"))
        elif self.signal:
            found.append(Channel("signal", self.signal))
        if self.email:
            found.append(Channel("email", self.email, self.mail_url))
        if self.phone:
            found.append(Channel("phone", self.phone.text, f"tel:+{self.phone.digits}"))
        if self.whatsapp:
            # WhatsApp's own "click to chat": digits only, no plus.
            found.append(Channel("whatsapp", self.whatsapp.text, f"https://wa.me/{self.whatsapp.digits}"))
        return tuple(found)

    @property
    def mail_url(self) -> str:
        """The address as a link (RFC 6068: whatever means something in an address is encoded); "" without one."""
        if not self.email:
            return ""
        local, _, domain = self.email.rpartition("@")
        return f"mailto:{quote(local, safe='')}@{domain}"

    @property
    def youtube_url(self) -> str:
        """The page of the channel; "" without one."""
        return f"https://www.youtube.com/@{quote(self.youtube, safe='')}" if self.youtube else ""
