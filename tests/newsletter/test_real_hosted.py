"""The providers for Buttondown and Mailchimp, on real accounts: drafts, and schedules that are undone."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from newsletter.errors import NotReviewed
from newsletter.providers import Access, Provider, open_provider
from newsletter.settings import Secret

from tests.newsletter.contract import ALL_TRICKS, SITE, make_campaign
from tests.newsletter.real import credentials

HERE = {name: found for name in ("buttondown", "mailchimp") if (found := credentials(name, "TOKEN", "LISTS"))}
#: An hour, in which what was scheduled is unscheduled.
HOLD = 3600

if HERE:

    @pytest.fixture(params=sorted(HERE))
    def opened(request: pytest.FixtureRequest) -> Iterator[Provider]:
        found = HERE[request.param]
        lists = dict(zip(("en", "fa"), found["LISTS"].split(","), strict=True))
        provider = open_provider(request.param, Access("", Secret(found["TOKEN"]), lists, SITE))
        yield provider
        provider.close()

    def test_a_campaign_is_handed_in_scheduled_unscheduled_and_withdrawn(opened: Provider) -> None:
        """What is compared before a start is what the service has made of it, so this tells whether it keeps it."""
        identity = uuid.uuid4().hex
        first, last = (make_campaign("fa", said=said, identity=identity) for said in ("First.", ALL_TRICKS))
        try:
            submitted = opened.submit(first)
            assert (submitted.state, submitted.digest) == ("draft", first.digest)
            assert opened.submit(last).identity == submitted.identity
            with pytest.raises(NotReviewed):
                opened.start([first], HOLD)
            (started,) = opened.start([last], HOLD)
            assert started.state == "scheduled"
            assert opened.start([last], HOLD)[0].identity == submitted.identity
            assert opened.stop(last.key).state == "draft"
            found = opened.find(last.key)
            assert found is not None
            assert (found.state, found.copies, found.digest) == ("draft", 1, last.digest)
        finally:
            found = opened.find(last.key)
            if found and found.is_started:
                opened.stop(last.key)
            opened.withdraw(last.key)
        assert opened.find(last.key) is None
