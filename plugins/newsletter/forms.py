"""The sign-up form of a mailing service, for themes: no script, and a word on whom it is sent to.

A provider's module offers `make_form(configuration) -> SignupForm`, which is asked where NEWSLETTER_SIGNUP is an
address; templates get the result as `newsletter_form`, None where there is no form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .settings import Configuration


@dataclass(frozen=True, slots=True)
class SignupForm:
    """What a form needs to be understood by a mailing service."""

    #: Where it is sent to: NEWSLETTER_SIGNUP.
    action: str
    #: The name of the field with the address.
    address: str
    #: The name of the field that says which list, "" where the service has one list.
    lang: str = ""
    #: Its value for each language that letters are offered in; empty where it is the language's tag, whichever it is.
    langs: Mapping[str, str] = field(default_factory=dict)
    #: Hidden fields that are always the same.
    fixed: tuple[tuple[str, str], ...] = ()
    #: A field that people cannot see: programs fill it in, and the service then refuses. "" for none.
    trap: str = ""
    #: Who gets what is filled in, when that is not the publication itself.
    company: str = ""


def find_contradiction(configuration: Configuration, claimed: str | None) -> tuple[str, str] | None:
    """What a privacy page would say wrongly of who gets the addresses, and the remedy; None where it is right.

    `claimed` is PRIVACY_MAILING_SERVICE, None where the page says that no letters are sent.
    """
    provider = configuration.provider
    if claimed == provider or (claimed is None and configuration.signup is None):
        return None
    says = f"{claimed} sends the letters" if claimed else "no letters are sent"
    what = f"NEWSLETTER_PROVIDER is {provider!r}, and the privacy page says that {says}"
    return what, f"Set PRIVACY_MAILING_SERVICE={provider}, or the provider that really sends them."
