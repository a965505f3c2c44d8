"""What only a finished build shows: a form that its own page forbids, an address out of a film."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

from .record import Contact, Number
from .reserved import is_example_domain, is_fictional_number
from .settings import AGE_RECIPIENTS, FORM_ACTION, INTAKE, POLICY_FORM_ACTIONS, SETTINGS, allows

#: As multilingual's `report_problem`: where, what, remedy.
Report = Callable[[str, str, str], None]

_NAMES = {field: name for name, (field, _) in SETTINGS.items()}


def check_invented(contact: Contact, report: Report) -> None:
    """Refuse what is reserved for fiction and examples: nobody could be reached there."""
    for field in ("phone", "whatsapp", "signal"):
        number = getattr(contact, field)
        if isinstance(number, Number) and is_fictional_number(number.digits):
            what = f"{number.text} is reserved for fiction"
            report(_NAMES[field], what, "State the practice's own number, or None.")
    for field, domain in _domains(contact):
        if is_example_domain(domain):
            report(_NAMES[field], f"{domain} is reserved for examples", "State the practice's own address, or None.")


def check_intake(contact: Contact, report: Report) -> None:
    """Refuse a sealed form whose recipients no page shows: it tells its readers to compare them."""
    if contact.intake_url is not None and not contact.age_recipients:
        what = f"the sealed form ({INTAKE}) tells readers to compare its recipients with the site's, which shows none"
        report(AGE_RECIPIENTS, what, "State those of MAILROOM_INTAKE_RECIPIENTS: age1…")


def _domains(contact: Contact) -> Iterator[tuple[str, str]]:
    if contact.email:
        yield "email", contact.email.rpartition("@")[2]
    for field in ("form_action", "linkedin_url"):
        host = urlsplit(getattr(contact, field) or "").hostname
        if host:
            yield field, host


def check_forms(contact: Contact, output: Path, report: Report, site_url: str = "") -> None:
    """Refuse a page whose Content-Security-Policy keeps its own contact form from being sent."""
    action = contact.form_action
    if not action:
        return
    for file in sorted(output.rglob("*.html")):
        text = file.read_text("utf-8")
        if "<form" not in text.lower():
            continue
        page = _Page(text)
        permitted = all(any(allows(one, action, site_url) for one in sources) for sources in page.form_actions)
        if action in page.actions and not permitted:
            here = file.relative_to(output).as_posix().removesuffix("index.html")
            what = f"the page's policy keeps the form from being sent to {action} ({FORM_ACTION})"
            report(f"/{here}", what, f"Add {action.partition('?')[0]!r} to {POLICY_FORM_ACTIONS}.")


class _Page(HTMLParser):
    """Where a page's forms are sent, and what each of its policies allows (CSP Level 3, form-action)."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.actions: list[str] = []
        self.form_actions: list[list[str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect forms and policies."""
        found = dict(attrs)
        if tag == "form" and found.get("action"):
            self.actions.append(str(found["action"]))
        if tag == "meta" and (found.get("http-equiv") or "").lower() == "content-security-policy":
            directives = (part.split() for part in (found.get("content") or "").split(";"))
            self.form_actions += [words[1:] for words in directives if words and words[0].lower() == "form-action"]
