"""The editor's desk: what would become of each campaign and why, and doing it.

Nothing is remembered here: what has been submitted is asked of the service each time, so that every machine sees the
same, and whatever was cut off is completed by doing it again.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from .campaigns import Campaign
from .errors import (
    AmbiguousCampaign,
    AuthenticationFailed,
    ConfigurationError,
    NewsletterError,
    NotReviewed,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    UnknownCampaign,
)
from .live import await_pages
from .providers import Access, Provider, Submitted, open_provider
from .settings import Configuration, Secret

#: What `draft` does with a campaign.
Action = Literal["submit", "again", "update", "keep", "withdraw", "nothing"]
_DONE = {
    "submit": "handed in",
    "again": "handed in again",
    "update": "brought up to date",
    "withdraw": "withdrawn",
}
#: What has become of letters that nobody has.
_NOT_REACHED = frozenset({"dropped", "refused", "bounced", "expired", "unsent"})
#: Waits until all of these pages can be read, each an address and a digest. Raises PageNotLive.
Wait = Callable[[Iterable[tuple[str, str]]], None]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the plan."""

    #: By which the service knows the campaign, or will.
    key: str
    action: Action
    reason: str
    #: As it was composed; None for a draft at the service that is composed no longer.
    composed: Campaign | None = None
    #: What the service has of it.
    found: Submitted | None = None
    #: Whether that is the service used before.
    is_former: bool = False
    #: The key of the first letter as the service knows it, of a correction.
    corrects: str = ""

    @property
    def campaign(self) -> Campaign:
        """What is handed in and started: as composed, under the keys by which the service knows it."""
        assert self.composed is not None  # noqa: S101
        return replace(self.composed, key=self.key, corrects=self.corrects or self.composed.corrects)

    @property
    def is_draft(self) -> bool:
        """Whether one draft lies there, and nothing else."""
        return self.found is not None and self.found.state == "draft" and self.found.copies == 1

    @property
    def is_ready(self) -> bool:
        """Whether a draft lies there with what was composed, as far as the service tells."""
        return bool(self.is_draft and self.found and self.found.digest in ("", self.campaign.digest))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done, in a line; or what was not, with the error."""

    text: str
    error: Exception | None = None


class Desk:
    """What an editor does with the composed campaigns at a mailing service."""

    def __init__(
        self,
        configuration: Configuration,
        campaigns: Mapping[str, Campaign],
        provider: Provider,
        former: Provider | None = None,
        *,
        wait: Wait,
    ) -> None:
        """`former` is the service used before, `wait` what a start does first."""
        self._configuration = configuration
        self._campaigns = campaigns
        self._provider = provider
        self._former = former
        self._wait = wait

    # What would be done

    def plan(self) -> list[Entry]:
        """What would become of every campaign, newest first, and then of drafts that are left over."""
        entries = [self._weigh(campaign) for campaign in self._campaigns.values()]
        kept = {entry.key for entry in entries if not entry.is_former}
        left_over = [
            Entry(found.key, "withdraw", "composed no longer: to be withdrawn", None, found)
            for found in sorted(self._provider.drafts(), key=lambda found: found.key)
            if found.key not in kept
        ]
        return [*entries, *left_over]

    def find_excess(self, entries: Iterable[Entry]) -> str:
        """What is said when more posts are new than may be handed in at one time, "" if not."""
        new = {(one.campaign.kind, one.campaign.post) for one in entries if one.action == "submit"}
        most = self._configuration.max_per_push
        return f"{len(new)} posts are new, more than NEWSLETTER_MAX_PER_PUSH = {most}" if len(new) > most else ""

    def _weigh(self, campaign: Campaign) -> Entry:
        name, keys = self._provider.name, (campaign.key, *campaign.former)
        found = _locate(self._provider, keys)
        if self._former and (found is None or found.state == "draft"):
            before = _locate(self._former, keys)
            if before and before.state != "draft":
                entry = Entry(before.key, "nothing", "", campaign, before, is_former=True)
                return replace(entry, reason=_tell(entry, f" to {self._former.name}"))
        entry = Entry(found.key if found else campaign.key, "nothing", "", campaign, found)
        obstacle = self._find_obstacle(campaign)
        if campaign.kind == "correction":
            first = self._campaigns.get(campaign.corrects)
            keys = (campaign.corrects, *(first.former if first else ()))
            wrong = _locate(self._provider, keys)
            entry = replace(entry, corrects=wrong.key if wrong else "")
            obstacle = obstacle or self._find_nothing_to_correct(campaign, first, wrong, keys)
        if found is None:
            reason = obstacle or "new: will be handed in"
            return replace(entry, action="nothing" if obstacle else "submit", reason=reason)
        if found.copies > 1:
            number = "two" if found.copies == 2 else found.copies
            kept = "the one that was started" if found.is_started else "one"
            return replace(entry, reason=f"{number} campaigns have this key: delete all but {kept} at {name}")
        if found.state != "draft":
            return replace(entry, reason=_tell(entry))
        if obstacle:
            return replace(entry, action="withdraw", reason=f"{obstacle}: to be withdrawn")
        if found.digest != entry.campaign.digest:
            return replace(entry, action="update", reason="draft, to be brought up to date")
        return replace(entry, action="keep", reason="draft, as composed")

    def _find_obstacle(self, campaign: Campaign) -> str:
        """Why this can be no draft of the service's."""
        name, lists = self._provider.name, self._configuration.lists
        if lists and campaign.lang not in lists:
            return f"no list for {campaign.lang} in NEWSLETTER_LISTS"
        if campaign.kind == "correction" and "correction" not in self._provider.features:
            return f"{name} cannot send a correction to whoever was sent the first letter"
        if campaign.kind == "digest" and "digest" in self._provider.features:
            return f"{name} composes the letter of the week itself: NEWSLETTER_DIGEST must be False"
        return ""

    def _find_nothing_to_correct(
        self, campaign: Campaign, first: Campaign | None, wrong: Submitted | None, keys: Collection[str]
    ) -> str:
        """Why nobody is to be sent this. Whoever got the first letter with the correction in it needs no second.

        What was retracted is composed no longer, so that no letter has been sent with the retraction. A digest leads to
        the page, and says nothing of corrections.
        """
        if wrong and wrong.state == "scheduled":
            return f"correction: the first letter leaves soon: stop {wrong.key}, or wait until it has left"
        if wrong is None or wrong.state == "draft":
            before = self._former and _locate(self._former, keys)
            if self._former and before and before.state != "draft":
                return f"the first letter was sent by {self._former.name}, which alone can correct it"
            return "correction: the first letter has not been sent: nothing to correct"
        if wrong.state == "stopped" and wrong.letters and set(wrong.letters) <= _NOT_REACHED:
            return "correction: no letter had left when the first was stopped: nothing to correct"
        if first and first.kind != "digest" and wrong.digest == first.digest:
            return "correction: the first letter was sent with it: nothing to correct"
        if first and wrong.started and campaign.day < wrong.started:
            started = f"the first letter was started later ({wrong.started}, UTC)"
            return f"correction: {started}: nothing to correct; if it was wrong, date the correction that day"
        return ""

    # Doing it

    def draft(self, again: Collection[str] = ()) -> Iterator[Outcome]:
        """Hand in what is new, bring drafts up to date, withdraw those that are left over; go on when one fails.

        `again` are keys of stopped campaigns that are to go to those whom they have not reached, as they are composed
        now. Raises NewsletterError, before anything is done, for others than stopped ones, and when more posts are new
        than NEWSLETTER_MAX_PER_PUSH.
        """
        wanted = {self._campaign(key).key for key in again}
        planned = self.plan()
        corrected = {one.corrects for one in planned if one.action in ("submit", "update", "keep")}
        entries = [
            self._offer_again(one, corrected) if one.composed and one.composed.key in wanted else one for one in planned
        ]
        self._refuse_excess(entries)
        return self._draft(entries)

    def push(self, *, send: bool) -> Iterator[Outcome]:
        """What follows a deployment: wait for the pages of what is new or has changed, hand it in, and maybe start it.

        What lay there as a draft before is not started: an editor may have left it there, or stopped it. Raises
        PageNotLive, and what `draft` raises, before anything is done.
        """
        entries = self.plan()
        self._refuse_excess(entries)
        new = [entry.campaign for entry in entries if entry.action in ("submit", "update")]
        yield from self._await(new)
        failed = 0
        for outcome in self._draft(entries):
            failed += outcome.error is not None
            yield outcome
        if send and new and not failed:
            yield from self.send([campaign.key for campaign in new], only=True)

    def _refuse_excess(self, entries: Iterable[Entry]) -> None:
        if excess := self.find_excess(entries):
            remedy = "See `./blog newsletter plan`, and raise the setting if all of them are meant."
            raise NewsletterError(f"{excess}: nothing was handed in", remedy)

    def _await(self, campaigns: Iterable[Campaign]) -> Iterator[Outcome]:
        pages = list(dict.fromkeys(page for campaign in campaigns for page in campaign.pages))
        if pages:
            yield Outcome(
                f"Waiting until {'a page' if len(pages) == 1 else f'{len(pages)} pages'} can be read as built."
            )
            self._wait(pages)

    def _offer_again(self, entry: Entry, corrected: Collection[str]) -> Entry:
        if entry.found is None or entry.found.state != "stopped" or entry.is_former:
            problem = f"{entry.key} was not stopped: {entry.reason}"
            raise NewsletterError(problem, "Name after --again what was stopped, or nothing.")
        if entry.key in corrected and set(entry.found.letters) - _NOT_REACHED:
            problem = f"Letters of {entry.key} have left, and their correction has not been sent"
            raise NewsletterError(problem, "Send that first: afterwards it would not be known who needs it.")
        return replace(entry, action="again")

    def _draft(self, entries: Iterable[Entry]) -> Iterator[Outcome]:
        entries = [entry for entry in entries if entry.action != "nothing"]
        for place, entry in enumerate(entries):
            try:
                if entry.action == "withdraw":
                    self._provider.withdraw(entry.key)
                else:
                    self._provider.submit(entry.campaign, again=entry.action == "again")
            except (NewsletterError, ConfigurationError) as error:
                yield Outcome(f"{entry.key} failed", error)
                if _concerns_all(error):
                    left = [one.key for one in entries[place + 1 :] if one.action in _DONE]
                    if left:
                        yield Outcome(f"not tried: {', '.join(left)}")
                    return
            else:
                # What is kept is handed in too: somebody may have changed it at the service.
                if entry.action in _DONE:
                    yield Outcome(f"{entry.key} {_DONE[entry.action]}")

    def send(self, keys: Sequence[str], *, only: bool = False) -> Iterator[Outcome]:
        """Start these, each with all languages of its post whose drafts are what was composed (but not with `only`).

        Raises UnknownCampaign, NotReviewed, AmbiguousCampaign and PageNotLive; then nothing has been started.
        """
        groups: dict[tuple[str, ...], dict[str, Entry]] = {}
        named = {self._campaign(key).key for key in keys}
        for each in self._campaigns.values():
            members = [self._campaigns[key] for key in named if _group(self._campaigns[key]) == _group(each)]
            if each.key in named or (members and not only):
                groups.setdefault(_group(each), {})[each.key] = self._weigh(each)
        ready: dict[tuple[str, ...], list[Campaign]] = {}
        for group, entries in groups.items():
            for key, entry in entries.items():
                if self._check_start(entry, is_named=key in named):
                    ready.setdefault(group, []).append(entry.campaign)
                else:
                    yield Outcome(f"{entry.key} left as it is: {entry.reason}")
        yield from self._await(campaign for campaigns in ready.values() for campaign in campaigns)
        for campaigns in ready.values():
            yield from self._start(campaigns)

    def _check_start(self, entry: Entry, *, is_named: bool) -> bool:
        """Whether an entry is to be started; raises where somebody means it to be, and it cannot."""
        found, name = entry.found, self._provider.name
        if entry.is_draft:
            if entry.is_ready and entry.action != "withdraw":
                return True
            remedy = "Run `./blog newsletter draft` and review it again, or leave it out with --only."
            raise NotReviewed(f"{entry.key} at {name} is not what is composed now ({entry.reason})", remedy)
        copies = found.copies if found else 0
        if not is_named or (found and found.is_started and copies == 1):
            return False
        if copies > 1:
            raise AmbiguousCampaign(
                f"{copies} campaigns at {name} have the key {entry.key}",
                "Delete all but one, and none that was started.",
            )
        if entry.action == "submit":
            remedy = "Run `./blog newsletter draft`, and look at it."
            raise UnknownCampaign(f"{entry.key} is not at {name}: it has not been handed in", remedy)
        raise NewsletterError(f"{entry.key} is not started: {entry.reason}", "See `./blog newsletter plan`.")

    def _start(self, group: Sequence[Campaign]) -> Iterator[Outcome]:
        hold = self._configuration.hold if "hold" in self._provider.features else 0
        keys = " ".join(campaign.key for campaign in group)
        try:
            self._provider.start(group, hold)
        except (NewsletterError, ConfigurationError) as error:
            unsure = " (whether any was started, `plan` shows)" if isinstance(error, ProviderError) else ""
            yield Outcome(f"{keys} failed{unsure}", error)
            return
        release = datetime.now(UTC) + timedelta(seconds=hold)
        leaves = f"no letter leaves before {release:%Y-%m-%d %H:%M} UTC" if hold else "letters leave now"
        can_stop = hold or "stop" in self._provider.features
        remedy = f" To stop: ./blog newsletter stop {keys}" if can_stop else " They cannot be stopped."
        yield Outcome(f"{keys} started: {leaves}.{remedy}")

    def stop(self, key: str) -> str:
        """Stop what has not left, and say how far it had come. Raises UnknownCampaign, UnsupportedFeature."""
        composed = self._composed(key)
        found = _locate(self._provider, (composed.key, *composed.former) if composed else (key,))
        if found is None:
            remedy = "`./blog newsletter plan` lists the keys."
            raise UnknownCampaign(f"{self._provider.name} has no campaign {key}", remedy)
        if found.state == "draft":
            return f"{found.key} is a draft: no letter leaves"
        stopped = self._provider.stop(found.key)
        if stopped.state == "draft":
            return f"{found.key} stopped: it is a draft again, no letter has left (`send` starts it with its post)"
        letters = ", ".join(f"{count:,} {state}" for state, count in sorted(stopped.letters.items()) if count)
        return f"{found.key} stopped" + (f" (letters: {letters})" if letters else "")

    def test(self, key: str, address: str) -> str:
        """Have a draft mailed to one address. Raises UnknownCampaign, NotReviewed, UnsupportedFeature, Rejected."""
        entry = self._weigh(self._campaign(key))
        if entry.found is None or entry.found.state != "draft":
            raise UnknownCampaign(f"There is no draft {entry.key}: {entry.reason}", "Run `./blog newsletter draft`.")
        if not entry.is_ready:
            raise NotReviewed(f"{entry.key} is not what is composed now", "Run `./blog newsletter draft`.")
        self._provider.test(entry.campaign, address)
        return f"{entry.key} goes to that address, and to nobody else"

    def _campaign(self, key: str) -> Campaign:
        found = self._composed(key)
        if found is None:
            raise UnknownCampaign(f"There is no campaign {key}", "`./blog newsletter plan` lists them.")
        return found

    def _composed(self, key: str) -> Campaign | None:
        """A campaign by its key, or one that it had."""
        return self._campaigns.get(key) or next((one for one in self._campaigns.values() if key in one.former), None)


@contextmanager
def open_desk(
    configuration: Configuration,
    campaigns: Mapping[str, Campaign],
    secrets: Mapping[str, Secret],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Desk]:
    """The desk at the service that the settings name, beside the one used before. Raises ConfigurationError."""
    site = hashlib.sha256(configuration.site_id.encode()).hexdigest()[:8]
    with ExitStack() as stack:

        def reach(prefix: str, name: str, api: str, lists: Mapping[str, str]) -> Provider:
            token = secrets[f"{prefix}TOKEN"]
            if not token:
                remedy = "put the service's token into the environment or into .env"
                raise ConfigurationError(f"{prefix}TOKEN", "", remedy)
            access = Access(api, token, lists, site, configuration.timeout, f"{prefix}API")
            return stack.enter_context(closing(open_provider(name, access, setting=f"{prefix}PROVIDER")))

        provider = reach("NEWSLETTER_", configuration.provider, configuration.api, configuration.lists)
        former = None
        if configuration.former_provider:
            former = reach("NEWSLETTER_FORMER_", configuration.former_provider, configuration.former_api, {})
        yield Desk(
            configuration, campaigns, provider, former,
            wait=lambda pages: await_pages(pages, configuration.wait, sleep=sleep),
        )  # fmt: skip


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Keep two runs on one machine from handing in the same. The system lets go if the holder dies."""
    folder.mkdir(parents=True, exist_ok=True)
    # SQLite locks files on every system alike.
    with closing(sqlite3.connect(folder / "newsletter.lock", timeout=0, isolation_level=None)) as lock:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise NewsletterError(
                "Another `./blog newsletter` is at work in this folder", "Run this when it has ended."
            ) from error
        yield


def _locate(provider: Provider, keys: Iterable[str]) -> Submitted | None:
    """What the service has under any of these keys; what has been started first, since it must not go out again."""
    found = [one for key in keys if (one := provider.find(key))]
    return min(found, key=lambda one: (not one.is_started, one.state == "draft"), default=None)


def _tell(entry: Entry, whereto: str = "") -> str:
    """How a campaign stands that is no draft."""
    found = entry.found
    assert found is not None  # noqa: S101
    changed = ", changed since" if found.digest not in ("", entry.campaign.digest) else ""
    if found.state == "stopped":
        return f"stopped{whereto and f' at{whereto[3:]}'}{changed}"
    started = f"started {found.started}" if found.started else "started"
    more = {"scheduled": ", held", "paused": ", paused"}.get(found.state, "")
    return f"already submitted{whereto} ({started}{more}){changed}"


def _group(campaign: Campaign) -> tuple[str, ...]:
    """What campaigns have in common that start together; a post may be corrected more than once."""
    day = campaign.day.isoformat() if campaign.kind == "correction" else ""
    return campaign.kind, campaign.post, day


def _concerns_all(error: Exception) -> bool:
    """Whether the next campaign would fail as well."""
    unreachable = isinstance(error, ProviderUnavailable) and error.status == 0
    return unreachable or isinstance(error, AuthenticationFailed | RateLimited | ConfigurationError)
