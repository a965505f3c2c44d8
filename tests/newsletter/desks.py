"""An editor at the desk, and what is said to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from newsletter.campaigns import Campaign
from newsletter.desk import Desk, Outcome
from newsletter.providers import Access, Provider, open_provider
from newsletter.settings import Configuration, Secret

from tests.newsletter.mailrooms import MailroomService


@contextmanager
def opened(mailroom: MailroomService, token: str = "") -> Iterator[Provider]:
    """The provider for a mailroom, with a token of scope `send` or another."""
    access = Access(mailroom.api, Secret(token or mailroom.token), {}, "0a1b2c3d", sleep=lambda _: None)
    with closing(open_provider("mailroom", access)) as provider:
        yield provider


@dataclass
class Editor:
    """Somebody at the desk of a site; `awaited` are the pages that a start waited for."""

    provider: Provider
    former: Provider | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    awaited: list[str] = field(default_factory=list)
    #: What waiting for pages raises.
    missing: Exception | None = None

    def desk(self, *campaigns: Campaign) -> Desk:
        """The desk when these have been composed."""
        by_key: Mapping[str, Campaign] = {one.key: one for one in campaigns}
        configuration = Configuration(**{"site_id": "desk", "since": "2026-11-01"} | self.settings)
        return Desk(configuration, by_key, self.provider, self.former, wait=self._wait)

    def _wait(self, pages: Iterable[tuple[str, str]]) -> None:
        self.awaited += [url for url, _ in pages]
        if self.missing:
            raise self.missing

    def plan(self, *campaigns: Campaign) -> dict[str, str]:
        """What the plan says of each key."""
        return {entry.key: entry.reason for entry in self.desk(*campaigns).plan()}

    def draft(self, *campaigns: Campaign, again: Iterable[str] = ()) -> list[str]:
        """Hand in; what is said."""
        return [say(one) for one in self.desk(*campaigns).draft(list(again))]

    def send(self, *campaigns: Campaign, keys: Iterable[str], only: bool = False) -> list[str]:
        """Start; what is said."""
        return [say(one) for one in self.desk(*campaigns).send(list(keys), only=only)]


def say(outcome: Outcome) -> str:
    """An outcome as it is printed."""
    return f"{outcome.text}: {outcome.error}" if outcome.error else outcome.text
