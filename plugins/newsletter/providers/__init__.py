"""Mailing services, one module each; what the rest of the plugin knows of them is the contract here.

A module offers `open_provider(access: Access) -> Provider`, and `make_form(configuration) -> SignupForm` for the theme.
"""

from __future__ import annotations

import importlib
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, Protocol

from ..campaigns import Campaign
from ..errors import ConfigurationError
from ..forms import SignupForm
from ..settings import ELSEWHERE, Configuration, Secret

#: The services that come with the plugin.
PROVIDERS = ("mailroom", "listmonk", "buttondown", "mailchimp")

Feature = Literal[
    "unique",  # it refuses a second campaign of a key, so that no rerun and no race can make one
    "group",  # languages that are started together are weighed together: a reader of several gets a post once
    "hold",  # a started campaign can wait before its first letter
    "stop",  # what has not left can be stopped once letters go out
    "correction",  # a correction goes to whoever was sent the first letter, and to nobody else
    "digest",  # it composes the letter of the week itself, for readers who chose that
    "text",  # it sends our plain text; else it makes one of its own
    "verbatim",  # text that looks like the service's own commands arrives as it was written
    "untracked",  # it can be told to track nothing
    "recipients",  # it says how many would get a draft
    "test",  # it sends a test letter
]
#: What has become of a campaign at the service. `scheduled` is started and held: no letter has left.
State = Literal["draft", "scheduled", "sending", "sent", "stopped", "paused"]
STARTED = frozenset({"scheduled", "sending", "sent", "paused"})


@dataclass(frozen=True, slots=True)
class Access:
    """How a service is reached. `lists` names its mailing list for each language, `site` whose campaigns are ours."""

    api: str
    token: Secret
    lists: Mapping[str, str]
    #: A short mark of NEWSLETTER_SITE_ID, by which a service's drafts are known to be of this site.
    site: str
    timeout: float = 30
    #: What the settings are called of which errors speak.
    setting: str = "NEWSLETTER_API"
    #: How it waits before it asks again.
    sleep: Callable[[float], None] = time.sleep

    @property
    def token_setting(self) -> str:
        """What the token's setting is called."""
        return self.setting.replace("_API", "_TOKEN")


@dataclass(frozen=True, slots=True)
class Submitted:
    """A campaign as the service tells of it."""

    key: str
    state: State
    #: Of what was submitted, as far as the service keeps it; "" where it does not.
    digest: str = ""
    #: What the service calls it.
    identity: str = ""
    #: How many campaigns at the service have this key. More than one is never started.
    copies: int = 1
    #: How many would get a draft; None where the service does not say.
    recipients: int | None = None
    #: The day on which it was started; None where it was not, or the service does not say.
    started: date | None = None
    #: How many letters are in which state, as far as the service says.
    letters: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_started(self) -> bool:
        """Whether letters have left, or will without anybody doing more."""
        return self.state in STARTED


class Provider(Protocol):
    """A mailing service. Every method raises ProviderError where the service fails; none needs to be called twice.

    All can be called again after any failure: what was done is found, and nothing is done twice.
    """

    name: str
    features: frozenset[Feature]

    def find(self, key: str) -> Submitted | None:
        """The campaign with this key, None where the service has none."""

    def drafts(self) -> Iterable[Submitted]:
        """Every draft of this site that lies at the service, whoever handed it in."""

    def submit(self, campaign: Campaign, *, again: bool = False) -> Submitted:
        """Hand in a campaign as a draft, or bring its draft up to date; start nothing.

        `again` makes a draft of one that was stopped after letters may have left, for those whom it has not reached;
        without it that is refused, so that no rerun does it. Raises NotReviewed for what has been started or stopped,
        AmbiguousCampaign where two have its key, UnsupportedFeature for a kind that the service cannot send to the
        right people, and SubmissionUncertain when nobody knows.
        """

    def start(self, group: Sequence[Campaign], hold: int) -> list[Submitted]:
        """Start exactly these, all languages of one post, each of them a draft with this content; wait `hold` seconds.

        What has been started already stays as it is. Raises UnknownCampaign for what was not handed in, NotReviewed
        where content, mailing list or sender at the service are not the campaign's, AmbiguousCampaign for two of a key;
        then nothing has been started.
        """

    def stop(self, key: str) -> Submitted:
        """Stop what has not left; twice is once, and a draft stays one. What no letter has left of may become a draft.

        Raises UnknownCampaign, UnsupportedFeature (too late for it).
        """

    def withdraw(self, key: str) -> None:
        """Delete a draft; what is not there is fine.

        Raises NotReviewed for one that has been started, AmbiguousCampaign where two drafts have its key: one may be
        somebody's own.
        """

    def test(self, campaign: Campaign, address: str) -> None:
        """Have the draft mailed to one address. Raises UnknownCampaign, UnsupportedFeature, Rejected."""

    def close(self) -> None:
        """Close connections."""


def open_provider(name: str, access: Access, *, setting: str = "NEWSLETTER_PROVIDER") -> Provider:
    """The mailing service of that name: one of ours, or a module of the site's own. Raises ConfigurationError."""
    if not re.fullmatch(r"[!-~]*", access.token.reveal()):  # else the line that carries it would be quoted in an error
        remedy = "use the token as the service shows it: ASCII letters, digits and signs, without spaces"
        raise ConfigurationError(access.token_setting, access.token, remedy)
    found: Provider = _offer(name, "open_provider", setting)(access)
    return found


def make_form(configuration: Configuration) -> SignupForm | None:
    """The sign-up form as the mailing service understands it; None where NEWSLETTER_SIGNUP asks for none here."""
    if configuration.signup in (None, ELSEWHERE):
        return None
    found: SignupForm = _offer(configuration.provider, "make_form", "NEWSLETTER_PROVIDER")(configuration)
    return found


def _offer(name: str, function: str, setting: str) -> Callable[..., Any]:
    module = f"{__package__}.{name}" if name in PROVIDERS else name
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        remedy = f"use one of {', '.join(PROVIDERS)}, or a module with `{function}` ({error})"
        raise ConfigurationError(setting, name, remedy) from error
    return found
