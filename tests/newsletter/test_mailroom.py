"""The provider for the mailroom, against the mailroom itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from newsletter.campaigns import Campaign
from newsletter.errors import AuthenticationFailed, NotReviewed, Rejected, UnknownCampaign, UnsupportedFeature
from newsletter.providers import Provider, make_form
from newsletter.providers.mailroom import USUAL
from newsletter.settings import Configuration, Secret

from mailroom.campaigns.campaigns import TESTS_PER_DAY
from mailroom.settings import Settings
from tests.newsletter.contract import CHANGED, ENGLISH, GROUP, HOLD, PERSIAN, Contract, events, make_campaign
from tests.newsletter.mailrooms import EDITOR, READERS, MailroomService, serving_mailroom
from tests.newsletter.services import FakeService, Letter


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailroomService]:
    with serving_mailroom(tmp_path_factory.mktemp("mailroom")) as service:
        yield service


class TestMailroom(Contract):
    provider = "mailroom"
    copies = False

    def compare(self, letter: Letter, campaign: Campaign, service: FakeService) -> None:
        """It has a head and a foot of its own, and one link to unsubscribe in each part."""
        assert letter.subject == campaign.subject
        assert _texts(campaign.fragment) in _texts(letter.html)
        assert letter.text is not None
        assert campaign.fragment_text.strip("\n") in letter.text
        shown = events(letter.html)
        assert [each for each in shown if service.unsubscribe in str(each)] == [
            each for each in shown if each[0] == "a" and dict(each[1])["href"] == service.unsubscribe
        ]
        assert letter.text.count(service.unsubscribe) == 1
        assert "[[" not in letter.html + letter.text or "[[" in campaign.fragment


def _texts(html: str) -> str:
    return re.sub(r"\s+", " ", "".join(each[1] for each in events(html) if each[0] == "text"))


@pytest.fixture
def service(running: MailroomService) -> MailroomService:
    running.start_afresh()
    return running


@pytest.fixture
def opened(service: MailroomService) -> Iterator[Provider]:
    with TestMailroom().opening(service) as provider:
        yield provider


def test_what_is_told_of_a_campaign(service: MailroomService, opened: Provider) -> None:
    for each in GROUP:
        opened.submit(each)
    draft = opened.find(ENGLISH.key)
    assert draft is not None
    assert (draft.recipients, draft.started, draft.letters) == (len(READERS) - 1, None, {})
    (english, persian) = opened.start(GROUP, HOLD)
    assert (english.state, persian.state) == ("scheduled", "scheduled")
    assert english.started == datetime.now(UTC).date() or english.started is not None
    assert (english.letters, persian.letters) == ({"pending": 2}, {"pending": 2})
    service.deliver(ENGLISH.key)
    sent = opened.find(ENGLISH.key)
    assert sent is not None
    assert (sent.state, sent.letters, sent.recipients) == ("sent", {"sent": 2}, None)


def test_a_reader_of_two_languages_gets_one_letter(service: MailroomService, opened: Provider) -> None:
    for each in GROUP:
        opened.submit(each)
    opened.start(GROUP, 0)
    rows = service.office.database.read("SELECT count(*) AS letters FROM letters GROUP BY subscription")
    assert [row["letters"] for row in rows] == [1] * len(READERS)


def test_a_token_for_drafts_starts_nothing(service: MailroomService, opened: Provider) -> None:
    drafter = service.make_token("ci", "draft")
    with TestMailroom().opening(service, token=Secret(drafter)) as provider:
        provider.submit(ENGLISH)
        for act in (lambda: provider.start([ENGLISH], HOLD), lambda: provider.stop(ENGLISH.key)):
            with pytest.raises(AuthenticationFailed, match="its scope is draft"):
                act()
        provider.withdraw(ENGLISH.key)
    assert opened.find(ENGLISH.key) is None


def test_a_stopped_campaign_is_handed_in_again_on_purpose(service: MailroomService, opened: Provider) -> None:
    """Those who have had the letter do not get it again."""
    opened.submit(ENGLISH)
    opened.start([ENGLISH], 0)
    first, *_ = service.office.database.read("SELECT subscription FROM letters ORDER BY subscription")
    service.office.database.write(
        lambda connection: connection.execute(
            "UPDATE letters SET state = 'sent' WHERE subscription = ?", (first["subscription"],)
        )
    )
    opened.stop(ENGLISH.key)
    with pytest.raises(NotReviewed, match="with this content"):
        opened.submit(ENGLISH, again=True)
    assert opened.submit(CHANGED, again=True).state == "draft"
    (started,) = opened.start([CHANGED], 0)
    assert started.letters == {"sent": 1, "pending": len(READERS) - 2}


def test_what_was_partly_sent_is_stopped_again_when_it_is_withdrawn(service: MailroomService, opened: Provider) -> None:
    opened.submit(ENGLISH)
    opened.start([ENGLISH], 0)
    service.deliver(ENGLISH.key)
    opened.stop(ENGLISH.key)
    opened.submit(CHANGED, again=True)
    opened.withdraw(ENGLISH.key)
    found = opened.find(ENGLISH.key)
    assert found is not None
    assert found.state == "stopped"


def test_a_correction_goes_to_who_was_sent_the_first_letter(service: MailroomService, opened: Provider) -> None:
    opened.submit(PERSIAN)
    opened.start([PERSIAN], 0)
    service.deliver(PERSIAN.key)
    correction = make_campaign("fa", kind="correction", identity="an-article\n2026-11-21", corrects=PERSIAN.key)
    assert opened.submit(correction).recipients is None
    found = opened.find(correction.key)
    assert found is not None
    assert found.recipients == sum(langs.startswith("fa") for langs in READERS)


def test_the_sender_is_the_mailroom_s(opened: Provider) -> None:
    with pytest.raises(UnsupportedFeature, match="NEWSLETTER_SENDER"):
        opened.submit(replace(ENGLISH, sender="Somebody <somebody@news.example>"))


def test_a_language_that_the_mailroom_does_not_know(opened: Provider) -> None:
    with pytest.raises(Rejected, match="lang is none of our languages"):
        opened.submit(make_campaign("tlh"))


def test_a_reply_goes_where_it_should(service: MailroomService, opened: Provider) -> None:
    opened.submit(replace(ENGLISH, reply_to="desk@news.example"))
    (row,) = service.office.database.read("SELECT content FROM campaigns")
    assert '"reply_to": "desk@news.example"' in row["content"]


def test_test_letters(service: MailroomService, opened: Provider) -> None:
    with pytest.raises(UnknownCampaign, match=ENGLISH.key):
        opened.test(ENGLISH, EDITOR)
    opened.submit(ENGLISH)
    with pytest.raises(Rejected, match="none of an editor's") as caught:
        opened.test(ENGLISH, "stranger@news.example")
    assert "stranger" not in str(caught.value)
    for _ in range(TESTS_PER_DAY):
        opened.test(ENGLISH, EDITOR)
    with pytest.raises(Rejected, match=f"{TESTS_PER_DAY} test letters"):
        opened.test(ENGLISH, EDITOR)
    assert service.starts(ENGLISH.key) == 0
    opened.withdraw(ENGLISH.key)


def test_the_usual_address() -> None:
    """Where a mailroom with its own defaults listens."""
    assert f"http://{Settings().api_listen}/mail/api/" == USUAL


@pytest.mark.parametrize("given", [{}, {"signup_company": "Somebody"}])
def test_the_form(given: dict[str, Any]) -> None:
    form = make_form(Configuration(signup="https://news.example/mail/", **given))
    assert form is not None
    assert (form.action, form.address, form.lang) == ("https://news.example/mail/", "address", "lang")
    assert (form.langs, form.fixed, form.trap, form.company) == ({}, (), "", given.get("signup_company", ""))
