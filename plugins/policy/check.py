"""What `./blog check` holds the pages to: the table, the claims of the privacy page, the day of security.txt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from .pages import Page, is_elsewhere
from .policy import Policy
from .privacy import Privacy
from .styles import style_hash

#: Fewer days than this, and an editor on holiday would let the contact expire.
DAYS_LEFT = 30


class Finding(NamedTuple):
    """Something to mend: where, what, what to do, and whether it is a warning."""

    where: str
    what: str
    remedy: str
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a build promised. `privacy_pages` maps each language to the address of its privacy page, "" for none."""

    policy: Policy
    privacy: Privacy | None
    privacy_pages: Mapping[str, str]
    expires: date | None
    without_contact: bool
    without_exit: tuple[str, ...]


def inspect(output: Path, expected: Expectation, *, production: bool) -> Iterator[Finding]:
    """Everything that is not as promised. What only the operator can decide is an error only in production."""
    for file in sorted(output.rglob("*.html")):
        where = "/" + file.relative_to(output).as_posix().removesuffix("index.html")
        yield from _inspect_page(where, Page(file.read_text("utf-8")), expected.policy)
    for file in sorted(output.rglob("*.svg")):
        # Opened by itself, where no server forbids it, a drawing can do whatever a page can.
        where = "/" + file.relative_to(output).as_posix()
        yield from _inspect_content(where, Page(file.read_text("utf-8", "replace")), expected.policy)
    if expected.privacy is not None:
        yield from _inspect_privacy(output, expected.privacy, expected.privacy_pages, warning=not production)
    for tag in expected.without_exit:
        yield Finding(
            f"MULTILINGUAL_LANGUAGES[{tag!r}]",
            "no EXIT_URL: 'leave this page' leads to another language's exit",
            "Name a page that is dull and reachable where the language is read.",
            not production,
        )
    if production:
        yield from _inspect_security(expected)


def _inspect_content(where: str, page: Page, policy: Policy) -> Iterator[Finding]:
    host = urlsplit(policy.site_url).hostname or ""
    for address in dict.fromkeys(page.loads):
        if is_elsewhere(address, host):
            yield Finding(where, f"it loads {address}, which tells others who reads it", "Keep a copy in the site.")
    if page.scripts:
        yield Finding(where, "it has a script, which no browser is to run", "Take it out.")


def _inspect_page(where: str, page: Page, policy: Policy) -> Iterator[Finding]:
    yield from _inspect_content(where, page, policy)
    if page.cookies:
        yield Finding(where, "it sets a cookie", "Take it out.")
    for form in dict.fromkeys(page.forms):
        if not policy.allows_form(form.action):
            what = f"its form is sent to {form.action or 'the page itself'}, which browsers will refuse"
            yield Finding(where, what, "Name that address in POLICY_FORM_ACTIONS, or take the form out.")
    if page.style_attributes or any(style_hash(style) not in policy.styles for style in page.styles):
        what = "it has styles of its own (style=…), which browsers will not apply"
        yield Finding(where, what, "Put them into the style sheet.", warning=True)


def _inspect_privacy(output: Path, privacy: Privacy, pages: Mapping[str, str], *, warning: bool) -> Iterator[Finding]:
    for setting in () if warning else privacy.undecided:  # while one writes, the page itself says so
        what = "not decided, so the privacy page cannot say it"
        yield Finding(setting, what, "Set it in publishconf.py or in the environment.")
    promised = {f"{name}={value}" for name, value in privacy.claims.items()}
    for lang, url in pages.items():
        file = output / unquote(url)
        file = file / "index.html" if not url or url.endswith("/") else file
        if not url or not file.is_file():
            yield Finding(f"the privacy page in {lang}", "there is none", "Write it, or translate it.", warning)
            continue
        found = {claim for claim in Page(file.read_text("utf-8")).claims if not claim.endswith("=undecided")}
        for claim in sorted(promised - found):
            remedy = "Let its template include _privacy_claims.html, and build again."
            yield Finding(f"/{url}", f"the privacy page does not say {claim}", remedy, warning)
        for claim in sorted(found - promised):
            remedy = "Correct the page, or the PRIVACY_ settings."
            yield Finding(f"/{url}", f"the privacy page says {claim}, which the settings do not", remedy, warning)


def _inspect_security(expected: Expectation) -> Iterator[Finding]:
    if expected.without_contact:
        what = "nobody to tell about a vulnerability, so there is no security.txt"
        yield Finding("POLICY_SECURITY_CONTACT", what, "Set it, or CONTACT_EMAIL.")
    elif expected.expires is not None:
        left = (expected.expires - datetime.now(UTC).date()).days
        if left < DAYS_LEFT:
            when = f"expires on {expected.expires.isoformat()}, in {left} days" if left > 0 else "has expired"
            yield Finding("security.txt", when, "Publish something, or set POLICY_SECURITY_EXPIRES to a later day.")
