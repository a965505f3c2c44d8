"""Campaigns: who gets what, once, in which language; and what can be done to them when."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailroom.campaigns.campaigns import TESTS_PER_DAY, Campaigns
from mailroom.clock import DAY, HOUR
from mailroom.errors import CampaignClosed, DraftChanged, InvalidCampaign, TooManyTests, UnknownCampaign
from mailroom.office import Office
from mailroom.store.facts import DELIVERY, set_fact
from tests.mailroom.offices import Watch, count, make_settings, new_office, subscribe
from tests.mailroom.readers import CONTENT, add_readers, digest_of, draft, letters, set_letters, start


@pytest.fixture
def campaigns(office: Office) -> Campaigns:
    return Campaigns(office.database, office.clock)


def received(office: Office) -> dict[bytes, str]:
    return {bytes(row[0]): row[1] for row in office.database.read("SELECT subscription, campaign FROM received")}


# Drafts


def test_a_draft_is_new_once_and_changed_until_it_is_started(office: Office, campaigns: Campaigns) -> None:
    (reader,) = add_readers(office, [{}])
    key = draft(office, "en")
    assert draft(office, "en", version=2, content=replace(CONTENT, subject="Better")) == key
    row = office.database.read("SELECT * FROM campaigns")[0]
    assert (row["digest"], row["state"]) == (digest_of(key, 2), "draft")
    assert '"subject": "Better"' in row["content"]
    start(office, key, version=2)
    with pytest.raises(CampaignClosed, match="has been started"):
        draft(office, "en", version=2)
    set_letters(office, key, "sent")
    assert campaigns.finish() == 1
    with pytest.raises(CampaignClosed, match="has been sent"):
        draft(office, "en", version=3)
    assert letters(office, reader) == [key]


def test_only_drafts_can_be_deleted(office: Office, campaigns: Campaigns) -> None:
    key, other = draft(office, "en"), draft(office, "fa")
    campaigns.send_test(key, "editor@news.example", office.vault)
    campaigns.delete(key)
    assert [each.key for each in campaigns.find()] == [other]
    assert count(office, "letters") == 0
    with pytest.raises(UnknownCampaign):
        campaigns.delete(key)
    start(office, other)
    with pytest.raises(CampaignClosed):
        campaigns.delete(other)


def test_campaigns_are_found_by_post_and_state_with_counts(office: Office, campaigns: Campaigns) -> None:
    readers = add_readers(office, [{}, {}, {"langs": "fa"}])
    english, persian, other = draft(office, "en"), draft(office, "fa"), draft(office, "en", "other")
    campaigns.send_test(english, "editor@news.example", office.vault)
    start(office, english, persian)
    set_letters(office, english, "sent", readers[0])
    assert [each.key for each in campaigns.find(post="post")] == [english, persian]
    assert [each.key for each in campaigns.find(state="draft")] == [other]
    assert campaigns.get(english).letters == {"pending": 1, "sent": 1}
    assert campaigns.get(persian).letters == {"pending": 1}
    assert campaigns.recipients(other) == 2
    assert campaigns.recipients(english) == 0
    with pytest.raises(UnknownCampaign):
        campaigns.get("en-none")


# Starting


def test_a_group_is_started_whole_or_not_at_all(office: Office, campaigns: Campaigns) -> None:
    add_readers(office, [{}])
    english, persian = draft(office, "en"), draft(office, "fa")
    for error, digests in (
        (DraftChanged, {english: digest_of(english), persian: digest_of(persian, 2)}),
        (UnknownCampaign, {english: digest_of(english), "ru-post": digest_of("ru-post")}),
    ):
        with pytest.raises(error):
            campaigns.start(digests)
        assert {each.state for each in campaigns.find()} == {"draft"}
        assert count(office, "letters") == count(office, "received") == 0
    with pytest.raises(InvalidCampaign, match="of one post"):
        start(office, english, draft(office, "en", "other"))


def test_a_started_campaign_waits_for_its_release(office: Office, campaigns: Campaigns, watch: Watch) -> None:
    add_readers(office, [{}])
    key = draft(office, "en")
    start(office, key, hold=600)
    row = office.database.read("SELECT * FROM letters")[0]
    assert (row["kind"], row["lang"], row["state"]) == ("campaign", "en", "pending")
    assert row["due"] == row["first_due"] == watch.now + 600 == campaigns.get(key).release
    assert (len(row["id"]), row["day"], campaigns.get(key).started) == (8, office.clock.today(), office.clock.today())
    watch.pass_(300)
    start(office, key, hold=600)  # the answer to the first call was lost
    assert [row["due"] for row in office.database.read("SELECT due FROM letters")] == [watch.now + 300]


def test_only_confirmed_and_unsuppressed_readers_of_each_post_get_it(office: Office) -> None:
    stays, leaves = subscribe(office, "stays@reader.example", "leaves@reader.example")
    office.subscriptions.unsubscribe(leaves)
    add_readers(office, [{"state": "unconfirmed"}, {"state": "unsubscribed"}, {"langs": "fa"}, {"rhythm": "weekly"}])
    (suppressed,) = add_readers(office, [{}])
    office.database.write(
        lambda connection: connection.execute(
            "INSERT INTO suppressions SELECT lookup, 1, 'bounced', NULL, 1 FROM subscriptions WHERE id = ?",
            (suppressed,),
        )
    )
    start(office, draft(office, "en"))
    assert set(received(office)) == {stays}
    assert count(office, "letters", "kind = 'campaign'") == 1


def test_a_notice_goes_to_weekly_readers_too(office: Office) -> None:
    each, weekly = add_readers(office, [{}, {"rhythm": "weekly", "langs": "fa,en"}])
    start(office, draft(office, "en", kind="notice"))
    assert letters(office, each) == letters(office, weekly) == ["en-post"]


def test_a_later_translation_goes_to_who_has_not_had_the_post(office: Office, campaigns: Campaigns) -> None:
    both, persian_only, english_only = add_readers(office, [{"langs": "en,fa"}, {"langs": "fa"}, {"langs": "en"}])
    start(office, draft(office, "fa"))
    assert campaigns.finish() == 0
    set_letters(office, "fa-post", "sent")
    assert campaigns.finish() == 1
    late_persian, late_both, late_russian = add_readers(
        office, [{"langs": "fa"}, {"langs": "fa,en"}, {"langs": "ru,en"}]
    )
    start(office, draft(office, "en"), "fa-post")
    assert letters(office, both) == letters(office, persian_only) == ["fa-post"]
    assert letters(office, english_only) == letters(office, late_russian) == ["en-post"]
    assert letters(office, late_persian) == []  # what is new is in no language of theirs
    assert letters(office, late_both) == ["fa-post"]
    assert campaigns.get("fa-post").state == "started"  # somebody is still to get it
    assert campaigns.get("fa-post").letters == {"pending": 1, "sent": 2}


def test_who_was_refused_a_letter_may_get_a_later_translation(office: Office) -> None:
    reader, stranger = add_readers(office, [{"langs": "fa,en"}, {"langs": "ru,en"}])
    start(office, draft(office, "fa"), draft(office, "ru"))
    set_letters(office, "fa-post", "refused")
    set_letters(office, "ru-post", "sent")
    # The first letter was refused, and so forgotten; of the second the reader left and came back.
    office.database.write(lambda connection: connection.execute("DELETE FROM received"))
    start(office, draft(office, "en"))
    assert letters(office, reader) == ["fa-post"]
    assert letters(office, stranger) == ["ru-post"]
    states = {row["campaign"]: row["state"] for row in office.database.read("SELECT * FROM letters")}
    assert states == {"fa-post": "pending", "ru-post": "sent"}
    assert set(received(office)) == {reader, stranger}


def test_nothing_starts_while_delivery_is_off(office: Office, campaigns: Campaigns) -> None:
    add_readers(office, [{}])
    key = draft(office, "en")
    office.database.write(lambda connection: set_fact(connection, DELIVERY, "off"))
    with pytest.raises(CampaignClosed, match="Delivery is off"):
        start(office, key)
    assert campaigns.get(key).state == "draft"


LANGS = ("ar", "en", "fa", "ru")
ORDERS = st.lists(st.sampled_from(LANGS), min_size=1, unique=True)


@settings(max_examples=40)
@given(
    readers=st.lists(st.tuples(ORDERS, st.integers(0, 3)), max_size=12),
    starts=st.lists(st.sets(st.sampled_from(LANGS), min_size=1), min_size=1, max_size=4),
)
def test_everybody_gets_a_post_once_in_the_first_of_their_languages_present(
    shared_office: Office, readers: list[tuple[list[str], int]], starts: list[set[str]]
) -> None:
    """Whoever comes when, and in whatever order translations appear."""
    office = shared_office
    for table in ("letters", "received", "campaigns", "subscriptions"):
        office.database.write(lambda connection, table=table: connection.execute(f"DELETE FROM {table}"))  # type: ignore[misc]  # noqa: S608
    ids = add_readers(office, [{"langs": ",".join(order), "state": "unconfirmed"} for order, _ in readers])
    people = [(identity, *reader) for identity, reader in zip(ids, readers, strict=True)]
    present: set[str] = set()
    expected: dict[bytes, str] = {}
    for turn, langs in enumerate(starts):
        come = [(identity,) for identity, _, at in people if at == turn]
        office.database.write(
            lambda connection, come=come: connection.executemany(  # type: ignore[misc]
                "UPDATE subscriptions SET state = 'confirmed' WHERE id = ?", come
            )
        )
        fresh = langs - present
        present |= langs
        for identity, order, at in people:
            if at <= turn and identity not in expected and fresh.intersection(order):
                first = next(lang for lang in order if lang in present)
                expected[identity] = f"{first}-post"
        for lang in fresh:
            draft(office, lang)
        start(office, *(f"{lang}-post" for lang in langs))
        found = office.database.read("SELECT subscription, campaign FROM letters")
        assert len(found) == len({row["subscription"] for row in found})
        assert {bytes(row["subscription"]): row["campaign"] for row in found} == expected == received(office)


@pytest.fixture(scope="module")
def shared_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with new_office(make_settings(tmp_path_factory.mktemp("office"))) as opened:
        yield opened


# Stopping


def test_what_has_not_left_is_dropped_and_may_reach_its_readers_otherwise(office: Office, campaigns: Campaigns) -> None:
    readers = add_readers(office, [{"langs": "fa,en"}] * 4)
    key = draft(office, "fa")
    start(office, key)
    for reader, state in zip(readers, ("sent", "sending", "claimed", "deferred"), strict=True):
        set_letters(office, key, state, reader)
    campaigns.stop(key)
    campaigns.stop(key)
    assert campaigns.get(key).letters == {"dropped": 2, "sending": 1, "sent": 1}
    assert (campaigns.get(key).state, campaigns.get(key).release) == ("stopped", 0)
    assert set(received(office)) == set(readers[:2])
    with pytest.raises(CampaignClosed, match="has been stopped"):
        start(office, key)
    start(office, draft(office, "en"))
    assert [letters(office, reader) for reader in readers] == [["fa-post"]] * 2 + [["en-post"]] * 2
    with pytest.raises(CampaignClosed, match="has not been started"):
        campaigns.stop(draft(office, "ru"))


def test_a_stopped_campaign_goes_on_with_other_content_to_those_it_had_not_reached(
    office: Office, campaigns: Campaigns
) -> None:
    had, waits = add_readers(office, [{}, {}])
    key = draft(office, "en")
    start(office, key)
    set_letters(office, key, "sent", had)
    campaigns.stop(key)
    with pytest.raises(CampaignClosed):
        draft(office, "en")  # a repeated call
    draft(office, "en", version=2)
    assert campaigns.get(key).state == "draft"
    assert campaigns.recipients(key) == 1
    with pytest.raises(DraftChanged):
        start(office, key)  # a repeated call
    campaigns.delete(key)
    assert (campaigns.get(key).state, campaigns.get(key).letters) == ("stopped", {"dropped": 1, "sent": 1})
    draft(office, "en", version=3)
    draft(office, "en", version=2)
    start(office, key, version=2)
    assert campaigns.get(key).letters == {"pending": 1, "sent": 1}
    assert set(received(office)) == {had, waits}


# Putting right


def test_a_correction_goes_to_who_was_sent_the_letter(office: Office, campaigns: Campaigns) -> None:
    got, perhaps, refused, later, persian = add_readers(office, [{}] * 4 + [{"langs": "fa"}])
    office.database.write(
        lambda connection: connection.execute("UPDATE subscriptions SET state = 'unconfirmed' WHERE id = ?", (later,))
    )
    start(office, draft(office, "en"), draft(office, "fa"))
    set_letters(office, "en-post", "sent", got)
    set_letters(office, "en-post", "unknown", perhaps)
    set_letters(office, "en-post", "refused", refused)
    set_letters(office, "fa-post", "sent", persian)
    office.database.write(lambda connection: connection.execute("UPDATE subscriptions SET state = 'confirmed'"))
    key = draft(office, "en", key="en-correction", kind="correction", corrects="en-post")
    assert campaigns.recipients(key) == 2
    start(office, key)
    rows = office.database.read("SELECT subscription FROM letters WHERE campaign = ?", (key,))
    assert {bytes(row[0]) for row in rows} == {got, perhaps}
    assert set(received(office).values()) == {"en-post", "fa-post"}
    assert letters(office, later) == []


def test_a_correction_names_what_was_sent_in_its_language(office: Office, campaigns: Campaigns) -> None:
    draft(office, "en")
    for lang, corrects, message in (
        ("en", "en-none", "names no post"),
        ("fa", "en-post", "names no post or notice in fa"),
        ("en", "en-post", "which was sent to nobody"),
    ):
        key = draft(office, lang, key=f"{lang}-c", kind="correction", corrects=corrects)
        assert campaigns.recipients(key) == 0
        with pytest.raises(InvalidCampaign, match=message):
            start(office, key)


def test_unknown_letters_are_sent_again_only_when_told(office: Office, campaigns: Campaigns, watch: Watch) -> None:
    readers = add_readers(office, [{}, {}])
    key = draft(office, "en")
    start(office, key)
    set_letters(office, key, "unknown", readers[0])
    set_letters(office, key, "sent", readers[1])
    before = office.database.read("SELECT id FROM letters ORDER BY id")
    assert campaigns.finish() == 1
    watch.pass_(HOUR)
    assert campaigns.resend_unknown(key) == 1
    assert campaigns.resend_unknown(key) == 0
    assert campaigns.get(key).letters == {"pending": 1, "sent": 1}
    assert campaigns.get(key).state == "started"
    assert office.database.read("SELECT due FROM letters WHERE state = 'pending'")[0][0] == watch.now
    assert office.database.read("SELECT id FROM letters ORDER BY id") == before  # and so their Message-IDs
    campaigns.stop(key)
    with pytest.raises(CampaignClosed):
        campaigns.resend_unknown(key)


def test_a_paused_campaign_goes_on_when_told_and_not_by_a_repeated_call(office: Office, campaigns: Campaigns) -> None:
    add_readers(office, [{}])
    key = draft(office, "en")
    start(office, key)
    set_letters(office, key, "unknown")
    office.database.write(lambda connection: connection.execute("UPDATE campaigns SET state = 'paused'"))
    with pytest.raises(CampaignClosed, match="is paused"):
        start(office, key)
    assert campaigns.resend_unknown(key) == 1
    assert campaigns.get(key).state == "started"


# Tests by editors


def test_a_test_letter_is_sealed_for_its_row_and_counts_nowhere(
    office: Office, campaigns: Campaigns, watch: Watch
) -> None:
    key = draft(office, "en")
    campaigns.send_test(key, "editor@news.example", office.vault)
    row = office.database.read("SELECT * FROM letters")[0]
    assert (row["kind"], row["state"], row["subscription"]) == ("test", "pending", None)
    assert office.vault.open(bytes(row["address"]), b"letter" + bytes(row["id"])) == "editor@news.example"
    assert campaigns.get(key).letters == {}
    for _ in range(TESTS_PER_DAY - 1):
        campaigns.send_test(key, "editor@news.example", office.vault)
    with pytest.raises(TooManyTests):
        campaigns.send_test(key, "editor@news.example", office.vault)
    watch.pass_(DAY)
    campaigns.send_test(key, "editor@news.example", office.vault)


# Size


def test_twenty_thousand_letters_are_made_within_a_second_in_no_more_memory(office: Office) -> None:
    orders = ("en", "fa", "fa,en", "en,fa", "ru,en", "ar", "ar,en,fa", "ru")
    add_readers(office, ({"langs": orders[number % 8]} for number in range(20_000)))
    keys = [draft(office, lang) for lang in ("en", "fa", "ru")]
    tracemalloc.start()
    begun = time.perf_counter()
    start(office, *keys)
    seconds = time.perf_counter() - begun
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count(office, "letters") == count(office, "received") == 17_500
    assert peak < 1_000_000
    assert seconds < 3  # under a second on an idle machine
