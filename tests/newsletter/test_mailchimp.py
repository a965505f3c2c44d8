"""The provider for Mailchimp, against a Mailchimp of our own making."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from newsletter.campaigns import UNSUBSCRIBE
from newsletter.errors import (
    AuthenticationFailed,
    ConfigurationError,
    NotReviewed,
    ProviderUnavailable,
    RateLimited,
    Rejected,
    UnknownCampaign,
    UnsupportedFeature,
)
from newsletter.forms import SignupForm
from newsletter.providers import Access, make_form
from newsletter.providers.mailchimp import Mailchimp
from newsletter.settings import Configuration, Secret

from tests.newsletter.contract import (
    ALL_TRICKS,
    CHANGED,
    ENGLISH,
    GROUP,
    HOLD,
    HOSTILE,
    PERSIAN,
    SITE,
    Contract,
    events,
    make_campaign,
)
from tests.newsletter.fake_mailchimp import MANY, FakeMailchimp
from tests.newsletter.services import Fault

READER = "reader@example.org"
CORRECTION = make_campaign(kind="correction", identity="an-article\n2026-11-21", corrects=ENGLISH.key)


class TestMailchimp(Contract):
    provider = "mailchimp"


@pytest.fixture(scope="module")
def running() -> Iterator[FakeMailchimp]:
    with FakeMailchimp() as service:
        yield service


@pytest.fixture
def opened(access: Access) -> Iterator[Mailchimp]:
    provider = Mailchimp(access)
    yield provider
    provider.close()


def stored(service: FakeMailchimp) -> dict[str, Any]:
    """The only campaign there."""
    (found,) = service.stored.values()
    return found


def test_nothing_is_tracked(service: FakeMailchimp, opened: Mailchimp) -> None:
    opened.submit(ENGLISH)
    assert not any(stored(service)["tracking"].values())


def test_what_is_tracked_all_the_same_is_not_started(service: FakeMailchimp, opened: Mailchimp) -> None:
    """Some plans do not let it be switched off."""
    service.must_track = True
    opened.submit(ENGLISH)
    with pytest.raises(NotReviewed, match="html_clicks"):
        opened.start([ENGLISH], HOLD)
    assert service.starts(ENGLISH.key) == 0


def test_its_title_holds_what_it_is_known_by(service: FakeMailchimp, opened: Mailchimp, access: Access) -> None:
    opened.submit(ENGLISH)
    key, site, digest = stored(service)["settings"]["title"].split(" ")
    assert (key, site, len(digest)) == (ENGLISH.key, SITE, 43)
    found = Mailchimp(access).find(ENGLISH.key)
    assert found is not None
    assert found.digest == ENGLISH.digest


def test_a_draft_without_all_of_its_content_does_not_say_that_it_is_complete(
    service: FakeMailchimp, opened: Mailchimp
) -> None:
    service.fail(Fault.BROKEN, times=None, when=lambda request: request.path.endswith("/content"))
    with pytest.raises(ProviderUnavailable, match="500"):
        opened.submit(ENGLISH)
    found = opened.find(ENGLISH.key)
    assert found is not None
    assert (found.state, found.digest) == ("draft", "")
    assert [each.key for each in opened.drafts()] == [ENGLISH.key]
    service.mend()
    with pytest.raises(NotReviewed):
        opened.start([ENGLISH], HOLD)
    assert opened.submit(ENGLISH).digest == ENGLISH.digest
    opened.start([ENGLISH], HOLD)


@pytest.mark.parametrize(
    "lists", [{}, {"en": "unknown"}, {"en": "a1b2c3d4e5/99"}, {"en": "a1b2c3d4e5/x"}, {"en": "../campaigns"}], ids=str
)
def test_an_audience_that_is_not_there_is_named(
    service: FakeMailchimp, access: Access, lists: Mapping[str, str]
) -> None:
    with pytest.raises(ConfigurationError, match=r"NEWSLETTER_LISTS\['en'\]"):
        Mailchimp(replace(access, lists=lists)).submit(ENGLISH)
    assert not service.stored


def test_an_audience_asks_for_confirmation(service: FakeMailchimp, opened: Mailchimp) -> None:
    service.confirms = False
    with pytest.raises(ConfigurationError, match="ask for confirmation"):
        opened.submit(ENGLISH)
    assert not service.stored


def test_each_language_has_its_audience_or_segment(service: FakeMailchimp, opened: Mailchimp) -> None:
    for campaign, segment in ((ENGLISH, None), (PERSIAN, 12)):
        submitted = opened.submit(campaign)
        recipients = service.stored[submitted.identity]["recipients"]
        assert (recipients["list_id"], recipients.get("segment_opts", {}).get("saved_segment_id")) == (
            "a1b2c3d4e5", segment,
        )  # fmt: skip
        assert submitted.recipients == 7


def test_a_campaign_whose_audience_was_changed_there_is_not_started(service: FakeMailchimp, opened: Mailchimp) -> None:
    opened.submit(PERSIAN)
    del stored(service)["recipients"]["segment_opts"]
    with pytest.raises(NotReviewed, match="segment"):
        opened.start([PERSIAN], HOLD)
    assert service.starts(PERSIAN.key) == 0


@pytest.mark.parametrize(
    ("given", "sender"),
    [
        ({}, ("The blog", "news@example.org")),
        ({"sender": "Us <us@example.org>"}, ("Us", "us@example.org")),
        ({"sender": "Us <us@example.org>", "reply_to": "to@example.org"}, ("Us", "to@example.org")),
        ({"reply_to": "to@example.org"}, ("The blog", "to@example.org")),
    ],
)
def test_who_it_is_from(
    service: FakeMailchimp, opened: Mailchimp, given: dict[str, Any], sender: tuple[str, str]
) -> None:
    opened.submit(make_campaign(**given))
    put = stored(service)["settings"]
    assert (put["from_name"], put["reply_to"]) == sender


def test_what_is_not_ready_is_not_started(service: FakeMailchimp, opened: Mailchimp) -> None:
    service.defaults["from_name"] = ""
    for campaign in GROUP:
        opened.submit(campaign)
    with pytest.raises(Rejected, match="not ready to be sent: From"):
        opened.start(GROUP, HOLD)
    assert [service.starts(each.key) for each in GROUP] == [0, 0]


@pytest.mark.parametrize("hold", [1, HOLD, 900, 3600])
def test_a_hold_lasts_until_a_quarter_of_an_hour(service: FakeMailchimp, opened: Mailchimp, hold: int) -> None:
    opened.submit(ENGLISH)
    before = datetime.now(UTC)
    (started,) = opened.start([ENGLISH], hold)
    when = datetime.fromisoformat(stored(service)["send_time"])
    assert timedelta(seconds=hold) <= when - before < timedelta(seconds=hold + 15 * 60 + 30)
    assert (when.minute % 15, when.second, when.microsecond) == (0, 0, 0)
    assert (started.state, started.started) == ("scheduled", when.date())
    assert opened.stop(ENGLISH.key).state == "draft"
    opened.start([ENGLISH], 0)
    assert service.starts(ENGLISH.key) == 1


def test_what_a_plan_cannot_cancel_is_said(service: FakeMailchimp, opened: Mailchimp) -> None:
    service.can_cancel = False
    opened.submit(ENGLISH)
    opened.start([ENGLISH], 0)
    with pytest.raises(UnsupportedFeature, match=r"included with Mailchimp Pro.*plans"):
        opened.stop(ENGLISH.key)
    service.deliver(ENGLISH.key)
    with pytest.raises(UnsupportedFeature, match="have left"):
        opened.stop(ENGLISH.key)


def test_what_was_cancelled_cannot_go_to_the_others(service: FakeMailchimp, opened: Mailchimp) -> None:
    opened.submit(ENGLISH)
    opened.start([ENGLISH], 0)
    opened.stop(ENGLISH.key)
    with pytest.raises(UnsupportedFeature, match="not reached"):
        opened.submit(CHANGED, again=True)
    with pytest.raises(NotReviewed, match="stopped"):
        opened.withdraw(ENGLISH.key)
    assert service.starts(ENGLISH.key) == 1


def test_a_correction_goes_to_whoever_was_sent_the_first_letter(service: FakeMailchimp, opened: Mailchimp) -> None:
    for _ in range(2):
        with pytest.raises(NotReviewed, match="was not sent by Mailchimp"):
            opened.submit(CORRECTION)
        opened.submit(ENGLISH)
    (first,) = service.campaigns(ENGLISH.key)
    opened.start([ENGLISH], 0)
    opened.submit(CORRECTION)
    (correction,) = service.campaigns(CORRECTION.key)
    condition = {"condition_type": "Aim", "field": "aim", "op": "sent", "value": str(first["web_id"])}
    assert correction["recipients"]["segment_opts"] == {"match": "all", "conditions": [condition]}
    correction["recipients"]["segment_opts"]["conditions"] = []
    with pytest.raises(NotReviewed, match="conditions"):
        opened.start([CORRECTION], HOLD)


def test_very_many_campaigns_are_all_seen(service: FakeMailchimp, opened: Mailchimp) -> None:
    service.fill(MANY)
    opened.submit(ENGLISH)
    service.requests.clear()
    found = opened.find(ENGLISH.key)
    assert found is not None
    assert [request.one("offset") for request in service.requests] == ["0", str(MANY)]
    assert len(opened.submit(ENGLISH).identity) == len(found.identity)
    assert len(service.campaigns(ENGLISH.key)) == 1


def test_it_is_looked_for_twice_before_it_is_created(service: FakeMailchimp, opened: Mailchimp) -> None:
    opened.submit(ENGLISH)
    methods = [(request.method, request.path) for request in service.requests]
    created = methods.index(("POST", "/3.0/campaigns"))
    assert methods[:created].count(("GET", "/3.0/campaigns")) == 2


def test_drafts_of_others_are_left_alone(opened: Mailchimp, access: Access) -> None:
    Mailchimp(replace(access, site="ffffffff")).submit(ENGLISH)
    opened.submit(PERSIAN)
    assert [each.key for each in opened.drafts()] == [PERSIAN.key]


def test_a_plan_asks_for_the_list_once(service: FakeMailchimp, opened: Mailchimp) -> None:
    for each in GROUP:
        assert opened.find(each.key) is None
    assert len(service.requests) == 1
    opened.submit(ENGLISH)
    assert opened.find(ENGLISH.key) is not None


def test_many_requests_are_not_taken_for_a_wrong_key(service: FakeMailchimp, opened: Mailchimp) -> None:
    service.is_throttling = True
    with pytest.raises(RateLimited, match="too many requests"):
        opened.find(ENGLISH.key)


def test_what_a_key_may_not_do_is_not_taken_for_many_requests(service: FakeMailchimp, opened: Mailchimp) -> None:
    service.can_cancel = False
    opened.submit(ENGLISH)
    stored(service)["status"] = "sending"
    with pytest.raises(UnsupportedFeature) as caught:
        opened.stop(ENGLISH.key)
    assert isinstance(caught.value.__cause__, AuthenticationFailed)


@pytest.mark.parametrize(
    "key", ["", "0123456789abcdef", "-us19", "0123456789abcdef-", "0123456789abcdef-evil.example/"]
)
def test_a_key_names_its_data_centre(access: Access, key: str) -> None:
    """Where no address is set."""
    with pytest.raises(ConfigurationError, match=r"NEWSLETTER_TOKEN = .*data centre") as caught:
        Mailchimp(replace(access, api="", token=Secret(key)))
    assert "0123456789abcdef" not in str(caught.value)
    Mailchimp(replace(access, api="", token=Secret("0123456789abcdef-us19")))


def test_a_test_letter(service: FakeMailchimp, opened: Mailchimp) -> None:
    with pytest.raises(UnknownCampaign, match=ENGLISH.key):
        opened.test(ENGLISH, READER)
    opened.submit(ENGLISH)
    opened.test(ENGLISH, READER)
    assert service.tests == [(ENGLISH.key, READER)]
    assert service.starts(ENGLISH.key) == 0
    with pytest.raises(Rejected, match="this address gets no test") as caught:
        opened.test(ENGLISH, "nobody.example.org")
    assert "nobody.example.org" not in f"{caught.value}{caught.value!r}{vars(caught.value)}"


@settings(max_examples=25, deadline=None)
@example(said=ALL_TRICKS, subject=ALL_TRICKS[:400])
@given(said=HOSTILE, subject=HOSTILE)
def test_no_text_is_taken_for_a_merge_tag(running: FakeMailchimp, said: str, subject: str) -> None:
    """HTML arrives as it was written; subject and text with a word joiner, which is not seen."""
    running.start_afresh()
    campaign = make_campaign(said=said, subject=subject)
    access = Access(running.api, Secret(running.token), running.lists, SITE, 20)
    provider = Mailchimp(access)
    provider.submit(campaign)
    provider.start([campaign], 0)
    provider.close()
    letter = running.letter(campaign.key)
    assert letter.text is not None
    assert events(letter.html) == events(campaign.html.replace(UNSUBSCRIBE, running.unsubscribe))
    assert letter.subject.replace("*\u2060|", "*|") == subject
    text = campaign.text.replace(UNSUBSCRIBE, running.unsubscribe)
    assert letter.text.replace("*\u2060|", "*|") == text


def test_the_form() -> None:
    action = "https://rights.us19.list-manage.com/subscribe/post?u=0a1b2c&id=3d4e5f"
    plain = Configuration(provider="mailchimp", signup=action)
    assert make_form(plain) == SignupForm(action, "EMAIL", trap="b_0a1b2c_3d4e5f", company="Mailchimp (Intuit)")
    tags = {"en": "11", "fa": "12"}
    form = make_form(replace(plain, signup_lists=tags, signup_company="A company"))
    assert form == SignupForm(action, "EMAIL", "tags", tags, trap="b_0a1b2c_3d4e5f", company="A company")
    with pytest.raises(ConfigurationError, match="NEWSLETTER_SIGNUP"):
        make_form(replace(plain, signup="https://rights.us19.list-manage.com/subscribe/post?u=0a1b2c"))
