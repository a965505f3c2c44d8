"""The provider for listmonk, against a fake that has its quirks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from newsletter.campaigns import UNSUBSCRIBE
from newsletter.errors import (
    AuthenticationFailed,
    ConfigurationError,
    NotReviewed,
    Rejected,
    SubmissionUncertain,
    UnexpectedResponse,
    UnknownCampaign,
    UnsupportedFeature,
)
from newsletter.providers import Access, Provider, make_form, open_provider
from newsletter.settings import Configuration, Secret

from tests.newsletter.contract import CHANGED, ENGLISH, GROUP, HOLD, PERSIAN, SITE, Contract, make_campaign
from tests.newsletter.fake_listmonk import LISTS, FakeListmonk
from tests.newsletter.services import Fault


@pytest.fixture(scope="module")
def running() -> Iterator[FakeListmonk]:
    with FakeListmonk() as service:
        yield service


class TestListmonk(Contract):
    provider = "listmonk"


@pytest.fixture
def opened(service: FakeListmonk) -> Iterator[Provider]:
    with TestListmonk().opening(service) as provider:
        yield provider


def only(service: FakeListmonk) -> dict[str, Any]:
    (record,) = service.records.values()
    return record


def test_a_draft_as_listmonk_keeps_it(service: FakeListmonk, opened: Provider) -> None:
    submitted = opened.submit(replace(ENGLISH, reply_to="desk@news.example", sender="News <news@news.example>"))
    record = only(service)
    assert record["archive_slug"] == ENGLISH.key
    assert record["archive"] is False
    assert record["tags"] == [f"newsletter-{SITE}", ENGLISH.key]
    assert record["lists"] == [3]
    assert record["from_email"] == "News <news@news.example>"
    assert record["headers"] == [{"Content-Language": "en"}, {"Reply-To": "desk@news.example"}]
    assert submitted.recipients == LISTS[3][2]
    assert all(UNSUBSCRIBE not in record[part] for part in ("body", "altbody"))
    assert record["body"].count("{{ UnsubscribeURL }}") == 1


def test_nothing_counts_readers(service: FakeListmonk, opened: Provider) -> None:
    opened.submit(ENGLISH)
    html = service.letter(ENGLISH.key).html
    assert "px.png" not in html
    assert "/link/" not in html
    assert html.startswith("<!DOCTYPE html>")


def test_what_is_told_of_a_campaign(service: FakeListmonk, opened: Provider) -> None:
    opened.submit(ENGLISH)
    opened.start([ENGLISH], HOLD)
    service.deliver(ENGLISH.key)
    found = opened.find(ENGLISH.key)
    assert found is not None
    assert found.started is not None
    assert (found.letters, found.recipients) == ({"sent": LISTS[3][2]}, None)
    only(service)["sent"] -= 2  # what its relay refuses, it forgets
    found = opened.find(ENGLISH.key)
    assert found is not None
    assert found.letters == {"sent": LISTS[3][2] - 2, "unsent": 2}


@pytest.mark.parametrize("hold", [1, HOLD])
def test_the_hold_is_a_date(service: FakeListmonk, opened: Provider, hold: int) -> None:
    """A short one too: listmonk takes no date that has passed when it arrives."""
    opened.submit(ENGLISH)
    (started,) = opened.start([ENGLISH], hold)
    assert (started.state, only(service)["status"]) == ("scheduled", "scheduled")


def test_a_stopped_hold_makes_a_draft_that_can_be_put_right(service: FakeListmonk, opened: Provider) -> None:
    opened.submit(ENGLISH)
    opened.start([ENGLISH], HOLD)
    assert opened.stop(ENGLISH.key).state == "draft"
    opened.submit(CHANGED)
    (started,) = opened.start([CHANGED], 0)
    assert started.state == "sending"
    assert service.starts(ENGLISH.key) == 1


def test_a_paused_campaign_is_ended(service: FakeListmonk, opened: Provider) -> None:
    opened.submit(ENGLISH)
    opened.start([ENGLISH], 0)
    only(service)["status"] = "paused"
    assert opened.stop(ENGLISH.key).state == "stopped"


def test_it_is_too_late_to_stop(service: FakeListmonk, opened: Provider) -> None:
    opened.submit(ENGLISH)
    opened.start([ENGLISH], 0)
    service.deliver(ENGLISH.key)
    with pytest.raises(UnsupportedFeature, match="have left"):
        opened.stop(ENGLISH.key)


def test_what_was_stopped_is_not_handed_in_again(opened: Provider) -> None:
    opened.submit(ENGLISH)
    opened.start([ENGLISH], 0)
    opened.stop(ENGLISH.key)
    with pytest.raises(UnsupportedFeature, match="not reached"):
        opened.submit(CHANGED, again=True)


def test_tags_that_somebody_took_away(service: FakeListmonk, opened: Provider) -> None:
    """Then listmonk does not find it, but refuses another all the same."""
    opened.submit(ENGLISH)
    only(service)["tags"] = []
    assert opened.find(ENGLISH.key) is None
    opened.submit(CHANGED)
    assert only(service)["tags"] == [f"newsletter-{SITE}", ENGLISH.key]
    only(service).update(tags=[], status="finished")
    with pytest.raises(NotReviewed, match="started"):
        opened.submit(CHANGED)


def test_a_slug_that_somebody_took_away(service: FakeListmonk, opened: Provider) -> None:
    opened.submit(ENGLISH)
    only(service)["archive_slug"] = None
    assert [each.key for each in opened.drafts()] == [ENGLISH.key]
    opened.submit(ENGLISH)
    assert len(service.campaigns(ENGLISH.key)) == 1


def test_drafts_are_told_of_by_key(service: FakeListmonk, opened: Provider) -> None:
    """A copy is no other draft, and what has lost its key is none of ours any more."""
    for each in GROUP:
        opened.submit(each)
    service.copy(ENGLISH.key)
    service.records[2].update(archive_slug=None, tags=[f"newsletter-{SITE}", "kept-by-somebody"])
    assert [(each.key, each.copies) for each in opened.drafts()] == [(ENGLISH.key, 2)]


def test_what_is_somebody_else_s_is_left_alone(service: FakeListmonk, opened: Provider) -> None:
    with TestListmonk().opening(service, site="ffffffff") as other:
        other.submit(PERSIAN)
    opened.submit(ENGLISH)
    assert [each.key for each in opened.drafts()] == [ENGLISH.key]


@pytest.mark.parametrize("field", ["subject", "body", "altbody", "lists", "headers", "content_type"])
def test_any_change_at_listmonk_is_seen(service: FakeListmonk, opened: Provider, field: str) -> None:
    for each in GROUP:
        opened.submit(each)
    record = service.records[1]
    record[field] = {"lists": [4], "headers": [], "content_type": "richtext"}.get(field, "Other.")
    with pytest.raises(NotReviewed, match=rf"{ENGLISH.key} at listmonk is not what was composed: {field}"):
        opened.start(GROUP, 0)
    assert [service.starts(each.key) for each in GROUP] == [0, 0]


def test_another_sender_is_seen(service: FakeListmonk, opened: Provider) -> None:
    ours = replace(ENGLISH, sender="News <news@news.example>")
    opened.submit(ours)
    only(service)["from_email"] = "Other <other@news.example>"
    with pytest.raises(NotReviewed, match="from_email"):
        opened.start([ours], 0)


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        ("5", "public"),
        ("6", "double opt-in"),
        ("99", "name the number"),
        ("en", "name the number"),
        ("", "list for en"),
    ],
)
def test_a_list_that_cannot_be_used(service: FakeListmonk, number: str, remedy: str) -> None:
    lists = {"en": number} if number else {}
    with (
        TestListmonk().opening(service, lists=lists) as provider,
        pytest.raises(ConfigurationError, match=f"NEWSLETTER_LISTS.*{remedy}"),
    ):
        provider.submit(ENGLISH)
    assert not service.records


def test_an_old_listmonk_is_told_apart(service: FakeListmonk, opened: Provider) -> None:
    """Before version 6 it drops `attribs` without a word."""
    kept = service.answer

    def forgetful(request: Any) -> Any:
        reply = kept(request)
        if request.method == "POST":
            reply.data["data"]["attribs"] = {}
        return reply

    service.answer = forgetful  # type: ignore[method-assign]
    try:
        with pytest.raises(UnexpectedResponse, match="did not keep what was handed in: attribs"):
            opened.submit(ENGLISH)
    finally:
        service.answer = kept  # type: ignore[method-assign]


def test_who_may_only_draft(service: FakeListmonk) -> None:
    with TestListmonk().opening(service, token=Secret(service.drafter)) as provider:
        provider.submit(ENGLISH)
        with pytest.raises(AuthenticationFailed, match="campaigns:send"):
            provider.start([ENGLISH], HOLD)
        provider.submit(ENGLISH)
    assert service.starts(ENGLISH.key) == 0


def test_test_letters(service: FakeListmonk, opened: Provider) -> None:
    with pytest.raises(UnknownCampaign):
        opened.test(ENGLISH, "alice@mail.test")
    opened.submit(ENGLISH)
    opened.test(ENGLISH, "alice@mail.test")
    ((address, letter),) = service.tests
    assert (address, letter.subject) == ("alice@mail.test", ENGLISH.subject)
    with pytest.raises(Rejected, match="must be a subscriber's") as caught:
        opened.test(ENGLISH, "nobody@mail.test")
    assert "nobody@" not in str(caught.value)
    assert service.starts(ENGLISH.key) == 0


def test_a_create_that_clashes_with_something_else(service: FakeListmonk, opened: Provider) -> None:
    """A 500 that names no clash says nothing on what was done."""
    service.fail(Fault.BROKEN, when=lambda request: request.method == "POST", times=None)
    with pytest.raises(SubmissionUncertain, match=ENGLISH.key):
        opened.submit(ENGLISH)
    assert sum(request.method == "POST" for request in service.requests) == 1


@pytest.mark.parametrize(
    ("api", "token", "setting"),
    [("", "a:b", "NEWSLETTER_API"), ("https://x.example/api/", "b", "NEWSLETTER_TOKEN"), ("x", "a:b\n", "TOKEN")],
)
def test_what_it_cannot_do_without(api: str, token: str, setting: str) -> None:
    with pytest.raises(ConfigurationError, match=setting) as caught:
        open_provider("listmonk", Access(api, Secret(token), {}, SITE))
    assert token not in str(caught.value) or token == ""


def test_a_subject_without_braces_stays_legible(service: FakeListmonk, opened: Provider) -> None:
    """In listmonk's own list of campaigns."""
    opened.submit(make_campaign(subject="Who may stay & who decides"))
    assert only(service)["subject"] == "Who may stay & who decides"


def test_the_form() -> None:
    lists = {"en": "00000000-0000-4000-8000-000000000003"}
    configuration = Configuration(
        provider="listmonk", signup="https://letters.example/subscription/form", signup_lists=lists
    )
    form = make_form(configuration)
    assert form is not None
    assert (form.address, form.lang, form.langs, form.trap) == ("email", "l", lists, "nonce")
    assert form.company == "letters.example"
    form = make_form(replace(configuration, signup_company="Letters Ltd"))
    assert form is not None
    assert form.company == "Letters Ltd"
