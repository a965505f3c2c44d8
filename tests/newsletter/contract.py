"""What every provider keeps to, whichever the service: derive from `Contract`, and give it a service.

    @pytest.fixture(scope="module")
    def running() -> Iterator[FakeService]: ...

    class TestMailroom(Contract):
        provider = "mailroom"

What only some services can guarantee is asked of those whose provider claims the feature, and refused by the others.
"""

from __future__ import annotations

import base64
import html
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from html.parser import HTMLParser
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from newsletter.campaigns import FOOT, UNSUBSCRIBE, Campaign, Kind, make_key, make_post_id
from newsletter.errors import (
    AmbiguousCampaign,
    AuthenticationFailed,
    NewsletterError,
    NotReviewed,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    SubmissionUncertain,
    UnexpectedResponse,
    UnknownCampaign,
    UnsupportedFeature,
)
from newsletter.providers import Access, Provider, open_provider
from newsletter.settings import Secret

from tests.newsletter.services import RETRY_AFTER, SLOW, FakeService, Fault, Letter

SITE = "0a1b2c3d"
HOLD = 600
#: How long an answer is waited for where it may not come, and where it will, in seconds.
IMPATIENT, PATIENT = 0.15, 20.0
_STYLE = "p{margin:0}@media (prefers-color-scheme: dark){a{color:#fff}}"


def make_campaign(lang: str = "en", kind: Kind = "post", said: str = "What happened.", **given: Any) -> Campaign:
    """A campaign that says this, as it would be composed."""
    identity = given.pop("identity", "an-article")
    subject = given.pop("subject", "A subject")
    direction = "rtl" if lang == "fa" else "ltr"
    escaped, opening = html.escape(said), f'lang="{lang}" dir="{direction}"'
    fragment = f'<p {opening}>{escaped} <a href="https://news.example/?a=1&amp;b=2">here</a></p>'
    document = (
        f'<!DOCTYPE html>\n<html {opening}>\n<head><meta charset="utf-8"><title>{html.escape(subject)}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n<!--[if mso]><p>old</p><![endif]-->\n"
        f'<h1 title="{escaped}">A title</h1>\n{fragment}\n<p><a href="{UNSUBSCRIBE}">Unsubscribe</a></p>\n'
        "</body>\n</html>\n"
    )
    values: dict[str, Any] = {
        "key": make_key("contract", kind, identity, lang),
        "kind": kind,
        "lang": lang,
        "direction": direction,
        "post": make_post_id("contract", "an-article"),
        "day": date(2026, 11, 20),
        "subject": subject,
        "preheader": "Before it",
        "title": "A title",
        "summary": "",
        "url": f"https://news.example/{lang}/an-article/",
        "html": document,
        "fragment": fragment,
        "text": f"A title\n\n{said}{FOOT}Unsubscribe: {UNSUBSCRIBE}\n",
    }
    return Campaign(**values | given)


ENGLISH, PERSIAN = make_campaign(), make_campaign("fa")
GROUP = (ENGLISH, PERSIAN)
CHANGED = make_campaign(said="What happened, put right.")


@dataclass(frozen=True)
class Step:
    """Something asked of a provider, and what must hold when it has been done, if need be by asking again."""

    prepare: Callable[[Provider], object]
    act: Callable[[Provider], object]
    holds: Callable[[FakeService, Provider], bool]


def _is_draft_of(campaign: Campaign) -> Callable[[FakeService, Provider], bool]:
    def holds(service: FakeService, provider: Provider) -> bool:
        found = provider.find(campaign.key)
        assert found is not None
        same = found.digest in (campaign.digest, "")
        return found.state == "draft" and same and service.starts(campaign.key) == 0

    return holds


def _all_started(service: FakeService, provider: Provider) -> bool:
    found = [provider.find(each.key) for each in GROUP]
    return all(each and each.is_started for each in found) and all(service.starts(each.key) == 1 for each in GROUP)


def _is_stopped(_: FakeService, provider: Provider) -> bool:
    found = provider.find(ENGLISH.key)
    return found is not None and not found.is_started


def _submit_group(provider: Provider) -> None:
    for each in GROUP:
        provider.submit(each)


def _start_one(provider: Provider) -> None:
    provider.submit(ENGLISH)
    provider.start([ENGLISH], HOLD)


STEPS = {
    "submit": Step(lambda _: None, lambda provider: provider.submit(ENGLISH), _is_draft_of(ENGLISH)),
    "submit changed": Step(
        lambda provider: provider.submit(ENGLISH), lambda provider: provider.submit(CHANGED), _is_draft_of(CHANGED)
    ),
    "start": Step(_submit_group, lambda provider: provider.start(GROUP, HOLD), _all_started),
    "stop": Step(_start_one, lambda provider: provider.stop(ENGLISH.key), _is_stopped),
    "withdraw": Step(
        lambda provider: provider.submit(ENGLISH),
        lambda provider: provider.withdraw(ENGLISH.key),
        lambda service, _: not service.campaigns(ENGLISH.key),
    ),
}
#: What a fault that lasts is called. What was done before the answer was lost may be found out, or not.
CALLED: dict[Fault, tuple[type[ProviderError], ...]] = {
    **dict.fromkeys(Fault, (ProviderUnavailable, SubmissionUncertain)),
    Fault.THROTTLED: (RateLimited,),
    Fault.THROTTLED_SECONDS: (RateLimited,),
    Fault.THROTTLED_DATE: (RateLimited,),
    Fault.PAGE: (UnexpectedResponse,),
    Fault.SHAPE: (UnexpectedResponse,),
}
#: What may last from any request on, as if the machine had gone away then; DOWN lasts anyway.
_FOR_GOOD = frozenset({Fault.CLOSED, Fault.LOST, Fault.THROTTLED_SECONDS})
#: To a client these are like THROTTLED_SECONDS, but for how long it is to wait: one request shows that.
_ALIKE = frozenset({Fault.THROTTLED, Fault.THROTTLED_DATE})
#: What template languages, mail programs and terminals might take for theirs.
_TRICKS = (
    "{{", "}}", "{%", "%}", "{#", "#}", "{{ UnsubscribeURL }}", "{{ unsubscribe_url }}", "{{- x -}}", "{{/* c */}}",
    '{{ "', "{% endverbatim %}", "{% endraw %}", "*|UNSUB|*", "*|IF:x|*", "|*", "@TrackLink",
    "https://x.example/a@TrackLink",
    "<!-- ", "-->", "<script>", "</style>", "<![CDATA[", "]]>", '"', "'", "`", "\\", "\\u007b", "\\n", "&amp;",
    "&#123;", "$1", "%s",
    "%7B%7B", "\u202e", "\u2066", "\u2069", "\u200f", "\u200c", "\ufeff", "🙂", "👩‍⚕️", "می‌رود", "中文", " ", "a",
)  # fmt: skip
_PLAIN = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cn", "Co"))
HOSTILE = st.lists(st.one_of(st.sampled_from(_TRICKS), st.text(_PLAIN, max_size=3)), min_size=1, max_size=8).map(
    lambda parts: "x" + "".join(parts) + "x"  # no service keeps spaces at the ends of a line
)
ALL_TRICKS = "x" + " ".join(_TRICKS) + "x"


class _Events(HTMLParser):
    """What a browser makes of HTML, near enough: tags, attributes and texts, references resolved."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[Any, ...]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.found.append(("/" + tag,))

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.found.append(("text", data.strip("\r\n")))


def events(document: str) -> list[tuple[Any, ...]]:
    """The tags and texts of a document, comments left out."""
    reader = _Events()
    reader.feed(document)
    reader.close()
    return reader.found


def says(letter: Letter, campaign: Campaign, unsubscribe: str) -> None:
    """Whether a letter is the campaign, to the letter, with the reader's link in its place."""
    assert letter.subject == campaign.subject
    assert events(letter.html) == events(campaign.html.replace(UNSUBSCRIBE, html.escape(unsubscribe)))
    if letter.text is not None:
        assert letter.text.rstrip("\r\n") == campaign.text.replace(UNSUBSCRIBE, unsubscribe).rstrip("\n")


class Contract:
    """What every provider keeps to."""

    provider: ClassVar[str]
    #: Whether people can copy a campaign at the service.
    copies: ClassVar[bool] = True

    @pytest.fixture
    def service(self, running: FakeService) -> FakeService:
        """The service, with nothing in it."""
        running.start_afresh()
        return running

    @pytest.fixture
    def opened(self, service: FakeService) -> Iterator[Provider]:
        """The provider, joined to it."""
        with self.opening(service) as provider:
            yield provider

    @contextmanager
    def opening(self, service: FakeService, *, timeout: float = PATIENT, **given: Any) -> Iterator[Provider]:
        """Join the provider to the service; pauses are not waited for."""
        access = Access(service.api, Secret(service.token), service.lists, SITE, timeout, sleep=lambda _: None)
        provider = open_provider(self.provider, replace(access, **given))
        try:
            yield provider
        finally:
            provider.close()

    def compare(self, letter: Letter, campaign: Campaign, service: FakeService) -> None:
        """Whether a letter says what the campaign says; services with a frame of their own compare less."""
        says(letter, campaign, service.unsubscribe)

    # Handing in

    def test_a_new_campaign_becomes_a_draft(self, service: FakeService, opened: Provider) -> None:
        submitted = opened.submit(ENGLISH)
        assert (submitted.key, submitted.state, submitted.copies) == (ENGLISH.key, "draft", 1)
        assert submitted.digest in (ENGLISH.digest, "")
        assert not submitted.is_started
        assert len(service.campaigns(ENGLISH.key)) == 1
        assert service.starts(ENGLISH.key) == 0

    def test_the_same_again_is_nothing_new(self, service: FakeService, opened: Provider) -> None:
        first = opened.submit(ENGLISH)
        assert opened.submit(ENGLISH).identity == first.identity
        assert len(service.campaigns(ENGLISH.key)) == 1

    def test_from_another_machine_it_is_the_same(self, service: FakeService, opened: Provider) -> None:
        opened.submit(ENGLISH)
        with self.opening(service) as other:
            other.submit(ENGLISH)
        assert len(service.campaigns(ENGLISH.key)) == 1

    def test_a_change_reaches_the_draft(self, service: FakeService, opened: Provider) -> None:
        first = opened.submit(ENGLISH)
        changed = make_campaign(said="Otherwise.", subject="Another subject")
        again = opened.submit(changed)
        assert (again.identity, again.state) == (first.identity, "draft")
        assert len(service.campaigns(ENGLISH.key)) == 1
        opened.start([changed], 0)
        self.compare(service.letter(ENGLISH.key), changed, service)

    def test_it_is_found(self, opened: Provider) -> None:
        assert opened.find(ENGLISH.key) is None
        submitted = opened.submit(ENGLISH)
        opened.submit(PERSIAN)
        found = opened.find(ENGLISH.key)
        assert found is not None
        assert (found.key, found.identity, found.state, found.digest) == (
            ENGLISH.key, submitted.identity, "draft", submitted.digest,
        )  # fmt: skip
        assert opened.find(PERSIAN.key) != found

    def test_drafts_are_listed(self, opened: Provider) -> None:
        assert list(opened.drafts()) == []
        _submit_group(opened)
        assert {each.key for each in opened.drafts()} == {ENGLISH.key, PERSIAN.key}
        opened.start([ENGLISH], HOLD)
        assert [each.key for each in opened.drafts()] == [PERSIAN.key]

    def test_many_campaigns_are_all_seen(self, opened: Provider) -> None:
        """More than a page of a service's list."""
        many = [make_campaign(identity=f"article-{number}") for number in range(60)]
        for each in many:
            opened.submit(each)
        assert {each.key for each in opened.drafts()} == {each.key for each in many}
        assert all(opened.find(each.key) for each in (many[0], many[-1]))

    def test_two_at_once_make_one(self, service: FakeService) -> None:
        with self.opening(service) as one, self.opening(service) as other:
            if "unique" not in one.features:
                return  # the commands let one alone push at a time
            for number in range(5):
                campaign = make_campaign(identity=f"article-{number}")
                with ThreadPoolExecutor(2) as pool:
                    done = list(pool.map(lambda provider, what=campaign: provider.submit(what), (one, other)))
                assert done[0].identity == done[1].identity
                assert len(service.campaigns(campaign.key)) == 1

    # Starting

    def test_what_was_reviewed_is_started(self, service: FakeService, opened: Provider) -> None:
        _submit_group(opened)
        started = opened.start(GROUP, HOLD)
        assert [each.key for each in started] == [each.key for each in GROUP]
        assert all(each.is_started for each in started)
        assert [service.starts(each.key) for each in GROUP] == [1, 1]
        if "hold" in opened.features:
            assert {each.state for each in started} == {"scheduled"}
        service.deliver(ENGLISH.key)
        found = opened.find(ENGLISH.key)
        assert found is not None
        assert found.state == "sent"

    def test_without_a_hold_it_leaves_at_once(self, service: FakeService, opened: Provider) -> None:
        opened.submit(ENGLISH)
        (started,) = opened.start([ENGLISH], 0)
        assert started.is_started
        assert service.starts(ENGLISH.key) == 1

    def test_twice_is_once(self, service: FakeService, opened: Provider) -> None:
        _submit_group(opened)
        opened.start(GROUP, HOLD)
        assert all(each.is_started for each in opened.start(GROUP, HOLD))
        service.deliver(ENGLISH.key)
        assert all(each.is_started for each in opened.start(GROUP, 0))
        assert [service.starts(each.key) for each in GROUP] == [1, 1]

    def test_a_later_translation_is_started_with_what_was(self, service: FakeService, opened: Provider) -> None:
        _start_one(opened)
        opened.submit(PERSIAN)
        opened.start(GROUP, HOLD)
        assert [service.starts(each.key) for each in GROUP] == [1, 1]

    def test_what_has_been_started_stays_as_it_is(self, service: FakeService, opened: Provider) -> None:
        """Also when its article was changed since."""
        _start_one(opened)
        opened.start([CHANGED], HOLD)
        assert service.starts(ENGLISH.key) == 1
        with pytest.raises(NotReviewed, match=ENGLISH.key):
            opened.submit(CHANGED)
        self.compare(service.letter(ENGLISH.key), ENGLISH, service)

    @pytest.mark.parametrize("first", [True, False])
    def test_a_draft_that_somebody_changed_is_not_started(
        self, service: FakeService, opened: Provider, *, first: bool
    ) -> None:
        _submit_group(opened)
        service.change(ENGLISH.key if first else PERSIAN.key)
        with pytest.raises(NotReviewed, match=ENGLISH.key if first else PERSIAN.key):
            opened.start(GROUP, HOLD)
        assert [service.starts(each.key) for each in GROUP] == [0, 0]
        opened.submit(GROUP[0 if first else 1])  # which puts it right
        opened.start(GROUP, HOLD)
        assert [service.starts(each.key) for each in GROUP] == [1, 1]

    def test_a_draft_of_another_article_s_text_is_not_started(self, service: FakeService, opened: Provider) -> None:
        opened.submit(ENGLISH)
        with pytest.raises(NotReviewed, match=ENGLISH.key):
            opened.start([CHANGED], HOLD)
        assert service.starts(ENGLISH.key) == 0

    @pytest.mark.parametrize("first", [True, False])
    def test_what_was_not_handed_in_is_not_started(
        self, service: FakeService, opened: Provider, *, first: bool
    ) -> None:
        there, missing = (PERSIAN, ENGLISH) if first else (ENGLISH, PERSIAN)
        opened.submit(there)
        with pytest.raises(UnknownCampaign, match=missing.key):
            opened.start(GROUP, HOLD)
        assert service.starts(there.key) == 0

    def test_two_drafts_of_a_key_are_not_started(self, service: FakeService, opened: Provider) -> None:
        """Nor written or deleted: one may be somebody's own."""
        if not self.copies:
            return
        _submit_group(opened)
        service.copy(PERSIAN.key)
        found = opened.find(PERSIAN.key)
        assert found is not None
        assert found.copies == 2
        assert sorted(each.copies for each in opened.drafts()) == [1, 2]
        for act in (
            lambda: opened.start(GROUP, HOLD),
            lambda: opened.submit(PERSIAN),
            lambda: opened.withdraw(PERSIAN.key),
        ):
            with pytest.raises(AmbiguousCampaign, match=PERSIAN.key):
                act()
        assert len(service.campaigns(PERSIAN.key)) == 2
        assert [service.starts(each.key) for each in GROUP] == [0, 0]

    def test_a_copy_of_what_has_been_started_is_not_started(self, service: FakeService, opened: Provider) -> None:
        """Which does not keep the first from being stopped."""
        if not self.copies:
            return
        _start_one(opened)
        service.copy(ENGLISH.key)
        (found,) = opened.start([ENGLISH], 0)
        assert (found.is_started, found.copies) == (True, 2)
        for act in (lambda: opened.submit(CHANGED), lambda: opened.withdraw(ENGLISH.key)):
            with pytest.raises(NotReviewed, match=ENGLISH.key):
                act()
        assert service.starts(ENGLISH.key) == 1
        assert not opened.stop(ENGLISH.key).is_started
        assert service.starts(ENGLISH.key) == 0

    # Stopping and withdrawing

    def test_a_held_campaign_is_stopped(self, service: FakeService, opened: Provider) -> None:
        if "hold" not in opened.features:
            return
        _start_one(opened)
        for _ in range(2):
            assert not opened.stop(ENGLISH.key).is_started
        assert service.starts(ENGLISH.key) == 0

    def test_a_campaign_that_is_leaving_is_stopped(self, opened: Provider) -> None:
        opened.submit(ENGLISH)
        opened.start([ENGLISH], 0)
        if "stop" not in opened.features:
            with pytest.raises(UnsupportedFeature):
                opened.stop(ENGLISH.key)
            return
        for _ in range(2):
            stopped = opened.stop(ENGLISH.key)
            assert stopped.state == "stopped"
        found = opened.find(ENGLISH.key)
        assert found is not None
        assert found.state == "stopped"
        assert not found.is_started

    def test_what_was_stopped_is_not_handed_in_or_started_by_a_rerun(
        self, service: FakeService, opened: Provider
    ) -> None:
        if "stop" not in opened.features:
            return
        opened.submit(ENGLISH)
        opened.start([ENGLISH], 0)
        opened.stop(ENGLISH.key)
        before = service.starts(ENGLISH.key)
        for campaign in (ENGLISH, CHANGED):
            with pytest.raises(NotReviewed, match=f"{ENGLISH.key} has been stopped"):
                opened.submit(campaign)
            with pytest.raises(NotReviewed, match=f"{ENGLISH.key} has been stopped"):
                opened.start([campaign], HOLD)
        assert service.starts(ENGLISH.key) == before
        assert len(service.campaigns(ENGLISH.key)) == 1

    def test_a_draft_stays_one_when_it_is_stopped(self, opened: Provider) -> None:
        opened.submit(ENGLISH)
        assert opened.stop(ENGLISH.key).state == "draft"
        found = opened.find(ENGLISH.key)
        assert found is not None
        assert found.state == "draft"

    def test_a_draft_is_withdrawn(self, service: FakeService, opened: Provider) -> None:
        _submit_group(opened)
        for _ in range(2):
            opened.withdraw(ENGLISH.key)
        assert not service.campaigns(ENGLISH.key)
        assert opened.find(ENGLISH.key) is None
        assert [each.key for each in opened.drafts()] == [PERSIAN.key]
        assert opened.submit(ENGLISH).state == "draft"

    @pytest.mark.parametrize("delivered", [True, False])
    def test_what_has_been_started_is_not_withdrawn(
        self, service: FakeService, opened: Provider, *, delivered: bool
    ) -> None:
        _start_one(opened)
        if delivered:
            service.deliver(ENGLISH.key)
        with pytest.raises(NotReviewed, match=ENGLISH.key):
            opened.withdraw(ENGLISH.key)
        assert len(service.campaigns(ENGLISH.key)) == 1

    def test_what_is_not_there(self, opened: Provider) -> None:
        opened.withdraw(ENGLISH.key)
        with pytest.raises(UnknownCampaign, match=ENGLISH.key):
            opened.stop(ENGLISH.key)

    # Who may, and for whom

    def test_a_wrong_token(self, service: FakeService) -> None:
        wrong = service.token[:-4] + "eeee"
        acts: Sequence[Callable[[Provider], object]] = (
            lambda provider: provider.find(ENGLISH.key),
            lambda provider: provider.drafts(),
            lambda provider: provider.submit(ENGLISH),
            lambda provider: provider.start([ENGLISH], HOLD),
            lambda provider: provider.stop(ENGLISH.key),
            lambda provider: provider.withdraw(ENGLISH.key),
        )
        with self.opening(service, token=Secret(wrong)) as provider:
            for act in acts:
                with pytest.raises(AuthenticationFailed, match="NEWSLETTER_TOKEN") as caught:
                    act(provider)
                _tells_no_secret(caught.value, wrong)
        assert not service.campaigns(ENGLISH.key)

    def test_a_correction(self, service: FakeService, opened: Provider) -> None:
        """It goes to whoever was sent the first letter, or it is refused."""
        _start_one(opened)
        service.deliver(ENGLISH.key)
        correction = make_campaign(kind="correction", identity="an-article\n2026-11-21", corrects=ENGLISH.key)
        if "correction" in opened.features:
            opened.submit(correction)
            opened.start([correction], 0)
            assert service.starts(correction.key) == 1
        else:
            with pytest.raises(UnsupportedFeature):
                opened.submit(correction)
            assert not service.campaigns(correction.key)

    def test_a_digest(self, service: FakeService, opened: Provider) -> None:
        """Where the service composes one itself, ours would be a second."""
        digest = make_campaign(kind="digest", identity="2026-W47")
        if "digest" in opened.features:
            with pytest.raises(UnsupportedFeature):
                opened.submit(digest)
            assert not service.campaigns(digest.key)
        else:
            assert opened.submit(digest).state == "draft"

    def test_it_names_itself(self, opened: Provider) -> None:
        assert opened.name == self.provider

    # What can go wrong

    @pytest.mark.parametrize("fault", Fault, ids=str)
    @pytest.mark.parametrize("name", STEPS)
    def test_a_fault_at_any_request(self, service: FakeService, name: str, fault: Fault) -> None:
        """Whatever fails, and when: asked again, each thing is done once; what seemed done was done."""
        step = STEPS[name]
        if name == "stop" and not self._can_stop_held(service):
            return

        def prepare() -> None:
            service.start_afresh()
            with self.opening(service) as provider:
                step.prepare(provider)

        prepare()
        prepare_again = service.remember() or prepare
        number = self._count_requests(service, step) if fault not in _ALIKE else 1
        for nth in range(1, number + 1):
            prepare_again()
            self._try_with(service, step, fault, nth, lasts=False)
            if fault in _FOR_GOOD or (nth == 1 and fault not in SLOW):
                prepare_again()
                self._try_with(service, step, fault, nth, lasts=True)

    def _can_stop_held(self, service: FakeService) -> bool:
        with self.opening(service) as provider:
            return "hold" in provider.features

    def _count_requests(self, service: FakeService, step: Step) -> int:
        with self.opening(service) as provider:
            service.requests.clear()
            step.act(provider)
            return len(service.requests)

    def _try_with(self, service: FakeService, step: Step, fault: Fault, nth: int, *, lasts: bool) -> None:
        service.fail(fault, nth, times=None if lasts else 1)
        said = f"{fault} at request {nth}, lasting: {lasts}"
        failure: ProviderError | None = None
        with self.opening(service, timeout=IMPATIENT if fault in SLOW else PATIENT) as provider:
            try:
                step.act(provider)
            except ProviderError as error:
                failure = error
        service.mend()
        with self.opening(service) as provider:
            if failure is None:
                assert step.holds(service, provider), said
            else:
                _tells_no_secret(failure, service.token)
                assert isinstance(failure, CALLED[fault]), f"{said}: {failure!r}"
                if isinstance(failure, RateLimited):
                    _says_when(failure, fault)
            step.act(provider)
            assert step.holds(service, provider), said
            for each in GROUP:
                assert len(service.campaigns(each.key)) <= 1, said
                assert service.starts(each.key) <= 1, said

    # What readers get

    @settings(  # each class that derives from this one runs it, in whichever order
        max_examples=60, deadline=None, suppress_health_check=[HealthCheck.differing_executors]
    )
    @example(said=ALL_TRICKS, subject=ALL_TRICKS[:400])
    @example(said="x\n\ny  z\n> q\n.\nFrom here", subject="x")
    @given(said=HOSTILE, subject=HOSTILE)
    def test_any_text_arrives_as_it_was_written(self, running: FakeService, said: str, subject: str) -> None:
        running.start_afresh()
        subject = " ".join(subject.split())  # spaces in a header field are not told apart
        campaign = make_campaign(said=said, subject=subject)
        with self.opening(running) as provider:
            if "verbatim" not in provider.features:
                return
            provider.submit(campaign)
            provider.start([campaign], 0)
            assert "text" not in provider.features or running.letter(campaign.key).text is not None
        self.compare(running.letter(campaign.key), campaign, running)


def _tells_no_secret(error: NewsletterError, token: str) -> None:
    told = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
    secrets = {token, token.rpartition(":")[2], base64.b64encode(token.encode()).decode()}
    assert not any(secret in told for secret in secrets)


def _says_when(error: RateLimited, fault: Fault) -> None:
    if fault is Fault.THROTTLED:
        assert error.retry_after is None
    elif fault is Fault.THROTTLED_SECONDS:
        assert error.retry_after == RETRY_AFTER
    else:
        assert error.retry_after is not None
        assert error.retry_after > RETRY_AFTER
