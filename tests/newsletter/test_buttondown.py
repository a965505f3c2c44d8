"""The provider for Buttondown, against a Buttondown of our own making."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from newsletter.errors import (
    ConfigurationError,
    NotReviewed,
    Rejected,
    UnknownCampaign,
    UnsupportedFeature,
)
from newsletter.forms import SignupForm
from newsletter.providers import Access, make_form
from newsletter.providers.buttondown import VERSION, Buttondown
from newsletter.settings import Configuration

from tests.newsletter.contract import CHANGED, ENGLISH, GROUP, HOLD, PERSIAN, SITE, Contract, make_campaign
from tests.newsletter.fake_buttondown import FakeButtondown
from tests.newsletter.services import Fault

READER = "reader@example.org"


class TestButtondown(Contract):
    provider = "buttondown"


@pytest.fixture(scope="module")
def running() -> Iterator[FakeButtondown]:
    with FakeButtondown() as service:
        yield service


@pytest.fixture
def opened(access: Access) -> Iterator[Buttondown]:
    provider = Buttondown(access)
    yield provider
    provider.close()


def email(service: FakeButtondown) -> dict[str, Any]:
    """The only one there."""
    (found,) = service.emails.values()
    return found


def test_a_draft_is_all_that_is_ever_created(service: FakeButtondown, opened: Buttondown) -> None:
    """Without a status, Buttondown sends what it is given."""
    opened.submit(ENGLISH)
    opened.start([ENGLISH], 0)
    created = [request for request in service.requests if request.method == "POST"]
    assert [request.data["status"] for request in created] == ["draft"]
    assert {request.headers["x-api-version"] for request in service.requests} == {VERSION}


def test_it_stands_in_no_archive_and_goes_to_the_readers_of_its_language(
    service: FakeButtondown, opened: Buttondown
) -> None:
    opened.submit(PERSIAN)
    lies = email(service)
    assert (lies["archival_mode"], lies["commenting_mode"], lies["template"]) == ("disabled", "disabled", "naked")
    assert lies["filters"] == {
        "filters": [{"field": "subscriber.tags", "operator": "contains", "value": service.lists["fa"]}],
        "groups": [],
        "predicate": "and",
    }
    assert lies["metadata"] == {"key": PERSIAN.key, "site": SITE, "digest": PERSIAN.digest}


@pytest.mark.parametrize("lists", [{}, {"en": "sub_tag_unknown"}, {"en": "../emails"}], ids=str)
def test_without_a_tag_nothing_is_handed_in(service: FakeButtondown, access: Access, lists: Mapping[str, str]) -> None:
    """An e-mail without one would go to all languages' readers."""
    with pytest.raises(ConfigurationError, match="NEWSLETTER_LISTS"):
        Buttondown(replace(access, lists=lists)).submit(ENGLISH)
    assert not service.emails


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("filters", {"filters": [], "groups": [], "predicate": "and"}),
        ("subject", "Another"),
        ("template", "modern"),
        ("archival_mode", "enabled"),
        ("attachments", ["att_1"]),
        ("slug", "another"),
        ("metadata", {"key": ENGLISH.key, "site": SITE, "digest": CHANGED.digest}),
    ],
)
def test_what_is_not_as_it_was_handed_in_is_not_started(
    service: FakeButtondown, opened: Buttondown, name: str, value: object
) -> None:
    opened.submit(ENGLISH)
    email(service)[name] = value
    with pytest.raises(NotReviewed):
        opened.start([ENGLISH], HOLD)
    assert service.starts(ENGLISH.key) == 0
    opened.submit(ENGLISH)
    opened.start([ENGLISH], HOLD)
    assert service.starts(ENGLISH.key) == 1


def test_a_hold_is_a_schedule_and_is_forgotten_when_it_is_stopped(service: FakeButtondown, opened: Buttondown) -> None:
    opened.submit(ENGLISH)
    (started,) = opened.start([ENGLISH], HOLD)
    when = datetime.fromisoformat(email(service)["publish_date"])
    assert timedelta(0) <= datetime.now(UTC) + timedelta(seconds=HOLD) - when < timedelta(seconds=30)
    assert (started.state, started.started) == ("scheduled", when.date())
    stopped = opened.stop(ENGLISH.key)
    assert (stopped.state, stopped.started) == ("draft", None)
    assert email(service)["publish_date"] is None


def test_a_first_sending_that_wants_a_person_is_left_to_one(service: FakeButtondown, opened: Buttondown) -> None:
    opened.submit(ENGLISH)
    service.wants_confirmation = True
    with pytest.raises(Rejected, match=r"confirmed by a person.*Confirm the key"):
        opened.start([ENGLISH], HOLD)
    assert service.starts(ENGLISH.key) == 0
    assert not any("x-buttondown-live-dangerously" in request.headers for request in service.requests)


def test_a_sender_is_chosen_there(service: FakeButtondown, opened: Buttondown) -> None:
    for campaign in (make_campaign(sender="The blog <news@example.org>"), make_campaign(reply_to="news@example.org")):
        with pytest.raises(UnsupportedFeature, match="NEWSLETTER_SENDER"):
            opened.submit(campaign)
    assert not service.emails


def test_a_slug_that_something_deleted_has_kept_is_said(service: FakeButtondown, opened: Buttondown) -> None:
    opened.submit(ENGLISH)
    email(service)["status"] = "deleted"
    with pytest.raises(Rejected, match="slug_invalid"):
        opened.submit(ENGLISH)
    assert opened.find(ENGLISH.key) is None


def test_an_answer_that_was_lost_is_given_again_and_nothing_is_created_twice(
    service: FakeButtondown, opened: Buttondown
) -> None:
    service.fail(Fault.LOST, when=lambda request: request.method == "POST")
    opened.submit(ENGLISH)
    first, second = [request for request in service.requests if request.method == "POST"]
    assert first.headers["x-idempotency-key"] == second.headers["x-idempotency-key"]
    assert len(service.emails) == 1


@pytest.mark.parametrize(
    ("status", "state"),
    [("about_to_send", "sending"), ("throttled", "sending"), ("errored", "paused"), ("suppressed", "stopped"),
     ("of another day", "sent")],
)  # fmt: skip
def test_states_that_nobody_starts_again(service: FakeButtondown, opened: Buttondown, status: str, state: str) -> None:
    """Among them one that is not known here."""
    opened.submit(ENGLISH)
    email(service)["status"] = status
    found = opened.find(ENGLISH.key)
    assert found is not None
    assert found.state == state
    with pytest.raises(NotReviewed):
        opened.submit(ENGLISH)
    with pytest.raises(NotReviewed):
        opened.withdraw(ENGLISH.key)


def test_what_is_queued_is_stopped(service: FakeButtondown, opened: Buttondown) -> None:
    """For some minutes, as its pages say."""
    service.reset()
    opened.submit(ENGLISH)
    service.is_quick = False
    opened.start([ENGLISH], 0)
    assert opened.stop(ENGLISH.key).state == "draft"
    assert service.starts(ENGLISH.key) == 0


def test_drafts_of_others_are_left_alone(opened: Buttondown, access: Access) -> None:
    Buttondown(replace(access, site="ffffffff")).submit(ENGLISH)
    opened.submit(PERSIAN)
    assert [each.key for each in opened.drafts()] == [PERSIAN.key]


def test_a_plan_asks_for_the_list_once(service: FakeButtondown, opened: Buttondown) -> None:
    service.requests.clear()
    for each in GROUP:
        assert opened.find(each.key) is None
    assert len(service.requests) == 1
    opened.submit(ENGLISH)
    assert opened.find(ENGLISH.key) is not None


def test_a_test_letter(service: FakeButtondown, opened: Buttondown) -> None:
    with pytest.raises(UnknownCampaign, match=ENGLISH.key):
        opened.test(ENGLISH, READER)
    opened.submit(ENGLISH)
    opened.test(ENGLISH, READER)
    assert service.tests == [(ENGLISH.key, READER)]
    assert service.starts(ENGLISH.key) == 0
    with pytest.raises(Rejected, match="this address gets no test") as caught:
        opened.test(ENGLISH, "nobody.example.org")
    assert "nobody.example.org" not in f"{caught.value}{caught.value!r}{vars(caught.value)}"


def test_the_form() -> None:
    action = "https://buttondown.com/api/emails/embed-subscribe/rights"
    plain = Configuration(provider="buttondown", signup=action)
    assert make_form(plain) == SignupForm(action, "email", fixed=(("embed", "1"),), company="Buttondown")
    tags = {"en": "english", "fa": "persian"}
    form = make_form(replace(plain, signup_lists=tags, signup_company="A company"))
    assert form == SignupForm(action, "email", "tag", tags, fixed=(("embed", "1"),), company="A company")
