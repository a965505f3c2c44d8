"""Files that machines look for at fixed addresses: `security.txt` (RFC 9116) and `robots.txt` (RFC 9309)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import quote

SECURITY_TXT = ".well-known/security.txt"
ROBOTS_TXT = "robots.txt"
#: RFC 9116, 2.5.5: less than a year is recommended.
VALID = timedelta(days=360)


@dataclass(frozen=True, slots=True)
class SecurityContact:
    """What `security.txt` says: whom to tell about a vulnerability, until when, in which languages."""

    contacts: tuple[str, ...]
    expires: date
    languages: tuple[str, ...]
    canonical: str
    policy: str = ""

    def text(self) -> str:
        """The file's text. An address beyond ASCII is percent-encoded, as the format asks."""
        lines = [("Contact", contact) for contact in self.contacts]
        lines.append(("Expires", f"{self.expires.isoformat()}T00:00:00Z"))
        if self.languages:
            lines.append(("Preferred-Languages", ", ".join(self.languages)))
        lines.append(("Canonical", self.canonical))
        if self.policy:
            lines.append(("Policy", self.policy))
        return "".join(f"{name}: {_ascii(value)}\n" for name, value in lines)


def expiry(stated: str, newest: date | None) -> date | None:
    """The day on which the contact ends: the stated one, else 360 days after the newest text; None without either."""
    if stated:
        return date.fromisoformat(stated)
    return newest + VALID if newest else None


def robots_txt(sitemaps: Iterable[str]) -> str:
    """Everything may be read: a path that is kept from robots is a path that is told to everybody."""
    lines = ["User-agent: *", "Disallow:", *(f"Sitemap: {_ascii(address)}" for address in sitemaps)]
    return "\n".join(lines) + "\n"


def _ascii(value: str) -> str:
    return quote(value, safe="/:@?&=+,;%#~!$'()* ")
