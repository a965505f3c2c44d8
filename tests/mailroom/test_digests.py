"""The digest of the week: when, for whom, of what, once."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailroom.campaigns import digests as module
from mailroom.campaigns.campaigns import Campaigns
from mailroom.campaigns.digests import Digests, key_of, latest
from mailroom.clock import DAY, HOUR
from mailroom.errors import InvalidCampaign
from mailroom.office import Office
from mailroom.people.subscriptions import Preferences, read_preferences
from mailroom.settings import WEEKDAYS
from mailroom.store.facts import DELIVERY, set_fact
from tests.mailroom.offices import Watch, count, make_settings, new_office
from tests.mailroom.readers import add_readers, draft, letters, set_letters, start

#: The offices' clock begins on a Saturday at noon.
TIME = "saturday 08:00"


@pytest.fixture
def weekly(office: Office) -> Digests:
    return Digests(office.database, office.clock, TIME)


def digest_letters(office: Office) -> dict[bytes, tuple[str, str]]:
    """Language and posts by reader."""
    rows = office.database.read("SELECT * FROM letters WHERE kind = 'digest'")
    assert len(rows) == len({(row["subscription"], row["campaign"]) for row in rows})
    return {bytes(row["subscription"]): (row["lang"], row["posts"]) for row in rows}


def instant(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-22T08:00", "2026-11-22T08:00"),
        ("2026-11-22T07:59:59", "2026-11-15T08:00"),
        ("2026-11-28T23:00", "2026-11-22T08:00"),
        ("2027-01-03T09:00", "2027-01-03T08:00"),
    ],
)
def test_a_digest_is_due_at_the_hour_that_is_set(now: str, expected: str) -> None:
    assert latest("sunday 08:00", instant(now)) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@given(st.sampled_from(WEEKDAYS), st.integers(0, 23), st.integers(0, 2**33))
def test_the_last_digest_was_within_a_week_on_its_weekday(weekday: str, hour: int, now: int) -> None:
    found = latest(f"{weekday} {hour:02}:30", now)
    assert 0 <= now - found.timestamp() < 7 * DAY
    assert (WEEKDAYS[found.weekday()], found.hour, found.minute) == (weekday, hour, 30)


@given(st.integers(0, 2**32))
def test_later_weeks_have_greater_keys(now: int) -> None:
    this, following = (key_of(datetime.fromtimestamp(now + days * DAY, UTC)) for days in (0, 7))
    assert this < following


def test_keys_name_the_iso_week() -> None:
    assert key_of(datetime(2026, 11, 22, tzinfo=UTC)) == "digest-2026-w47"
    assert key_of(datetime(2027, 1, 3, tzinfo=UTC)) == "digest-2026-w53"


def test_weekly_readers_get_one_letter_with_what_they_have_not_had(
    office: Office, weekly: Digests, watch: Watch
) -> None:
    both, english, russian, each = add_readers(
        office,
        [
            {"langs": "fa,en", "rhythm": "weekly"},
            {"langs": "en", "rhythm": "weekly"},
            {"langs": "ru", "rhythm": "weekly"},
            {"langs": "en", "rhythm": "each"},
        ],
    )
    assert weekly.make_due() == 0  # of the week before: nothing
    start(office, draft(office, "en", "one"))
    watch.pass_(DAY)
    start(office, draft(office, "en", "two"), draft(office, "fa", "two"))
    start(office, draft(office, "en", "notice", kind="notice"))
    draft(office, "en", "three")
    assert weekly.make_due() is None
    watch.pass_(6 * DAY)
    assert weekly.make_due() == 2
    assert digest_letters(office) == {both: ("fa", "en-one,fa-two"), english: ("en", "en-one,en-two")}
    assert weekly.make_due() is None
    assert letters(office, each) == ["en-notice", "en-one", "en-two"]
    watch.pass_(7 * DAY)
    assert weekly.make_due() == 0
    assert letters(office, russian) == []
    assert [(row.key, row.kind, row.lang) for row in Campaigns(office.database, office.clock).find()][:3] == [
        (f"digest-2025-w{week}", "digest", "mul") for week in (45, 46, 47)
    ]


def test_a_later_translation_comes_in_a_digest_to_who_has_not_had_the_post(
    office: Office, weekly: Digests, watch: Watch
) -> None:
    both, english = add_readers(office, [{"langs": langs, "rhythm": "weekly"} for langs in ("en,fa", "en")])
    start(office, draft(office, "fa"))
    weekly.make_due()
    assert digest_letters(office) == {both: ("en", "fa-post")}
    watch.pass_(28 * DAY)
    assert weekly.make_due() == 0
    late, persian = add_readers(office, [{"langs": langs, "rhythm": "weekly"} for langs in ("fa,en", "fa")])
    start(office, draft(office, "en"))
    watch.pass_(7 * DAY)
    assert weekly.make_due() == 2
    assert digest_letters(office) == {
        both: ("en", "fa-post"), english: ("en", "en-post"), late: ("fa", "fa-post")
    }  # fmt: skip
    assert letters(office, persian) == []  # what is new is in no language of theirs


def test_what_is_on_hold_waits_for_the_next_digest(office: Office, weekly: Digests, watch: Watch) -> None:
    (reader,) = add_readers(office, [{"rhythm": "weekly"}])
    start(office, draft(office, "en"), hold=600)
    assert Campaigns(office.database, office.clock).finish() == 0  # it has no letter of its own
    assert weekly.make_due() == 0
    watch.pass_(7 * DAY)
    assert weekly.make_due() == 1
    assert letters(office, reader) == ["en-post"]


def test_who_changes_to_each_post_in_mid_week_gets_the_digest_of_that_week_still(
    office: Office, weekly: Digests, watch: Watch
) -> None:
    [reader] = add_readers(office, [{"rhythm": "weekly"}])
    weekly.make_due()
    start(office, draft(office, "en", "before"))
    office.subscriptions.change(reader, Preferences(("en",), "each"))
    office.subscriptions.change(reader, Preferences(("en",), "each", discreet=True))  # once more: it stays so
    assert read_preferences(office.database.read("SELECT * FROM subscriptions")[0]).rhythm == "each"
    start(office, draft(office, "en", "after"))
    assert letters(office, reader) == ["en-after"]
    watch.pass_(7 * DAY)
    start(office, draft(office, "en", "held"), hold=600)  # they have a letter of it: it waits
    assert weekly.make_due() == 1
    assert letters(office, reader) == ["en-after", "en-before", "en-held"]
    watch.pass_(7 * DAY)
    assert weekly.make_due() == 0
    assert office.database.read("SELECT rhythm FROM subscriptions")[0][0] == "each"


def test_who_never_read_digests_gets_none(office: Office, weekly: Digests, watch: Watch) -> None:
    each, back = add_readers(office, [{"langs": "fa"}, {"langs": "fa", "rhythm": "weekly"}])
    weekly.make_due()
    start(office, draft(office, "en"))
    office.subscriptions.change(each, Preferences(("en",), "each"))
    for rhythm in ("each", "weekly"):
        office.subscriptions.change(back, Preferences(("en",), rhythm))
    watch.pass_(7 * DAY)
    assert weekly.make_due() == 1
    assert (letters(office, each), letters(office, back)) == ([], ["en-post"])
    assert count(office, "subscriptions", "rhythm = 'both'") == 0


def test_a_post_that_was_paused_is_in_the_digest_after_it_went_on(
    office: Office, weekly: Digests, watch: Watch
) -> None:
    weekly_reader, changed, each = add_readers(office, [{"rhythm": "weekly"}, {"rhythm": "weekly"}, {}])
    weekly.make_due()
    start(office, draft(office, "en"))
    office.subscriptions.change(changed, Preferences(("en",), "each"))
    office.database.write(lambda connection: connection.execute("UPDATE campaigns SET state = 'paused'"))
    watch.pass_(8 * DAY)
    assert weekly.make_due() == 0
    Campaigns(office.database, office.clock).resend_unknown("en-post")
    watch.pass_(7 * DAY)
    assert weekly.make_due() == 2
    assert [letters(office, reader) for reader in (weekly_reader, changed, each)] == [["en-post"]] * 3


def test_a_digest_that_was_missed_is_made_later_and_no_week_twice(
    office: Office, weekly: Digests, watch: Watch
) -> None:
    (reader,) = add_readers(office, [{"rhythm": "weekly"}])
    weekly.make_due()
    start(office, draft(office, "en"))
    watch.pass_(16 * DAY)
    assert weekly.make_due() == 1
    watch.set_by = -21 * DAY  # somebody sets the clock back
    assert weekly.make_due() is None
    watch.set_by = 0
    assert weekly.make_due() is None
    assert letters(office, reader) == ["en-post"]


def test_a_digest_that_is_interrupted_leaves_nothing_and_is_made_whole(
    office: Office, weekly: Digests, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = add_readers(office, [{"rhythm": "weekly"}] * 5)
    start(office, draft(office, "en"))
    collect = module._collect

    class Cut(Exception):
        pass

    def cut(connection: sqlite3.Connection, since: int, now: int) -> None:
        collect(connection, since, now)
        raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(module, "_collect", cut)
        with pytest.raises(Cut):
            weekly.make_due()
    assert count(office, "campaigns", "kind = 'digest'") == 0
    watch.pass_(HOUR)
    assert weekly.make_due() == 5
    assert set(digest_letters(office)) == set(readers)


def test_no_digest_is_made_while_delivery_is_off(office: Office, weekly: Digests) -> None:
    add_readers(office, [{"rhythm": "weekly"}])
    start(office, draft(office, "en"))
    office.database.write(lambda connection: set_fact(connection, DELIVERY, "off"))
    assert weekly.make_due() is None
    office.database.write(lambda connection: set_fact(connection, DELIVERY, "on"))
    assert weekly.make_due() == 1


def test_a_stopped_post_leaves_the_digests_that_have_not_left(office: Office, weekly: Digests) -> None:
    one, two, gone = add_readers(office, [{"langs": langs, "rhythm": "weekly"} for langs in ("fa,en", "en", "en")])
    campaigns = Campaigns(office.database, office.clock)
    for lang, post in (("fa", "a"), ("en", "b"), ("en", "c")):
        start(office, draft(office, lang, post))
    office.database.write(lambda connection: connection.execute("INSERT INTO received VALUES (?, 'c', 'en-c')", (two,)))
    weekly.make_due()
    assert digest_letters(office) == {one: ("fa", "fa-a,en-b,en-c"), two: ("en", "en-b"), gone: ("en", "en-b,en-c")}
    key = next(each.key for each in campaigns.find() if each.kind == "digest")
    set_letters(office, key, "sent", gone)
    campaigns.finish()
    campaigns.stop("en-b")
    assert digest_letters(office) == {one: ("fa", "fa-a,en-c"), two: ("en", ""), gone: ("en", "en-b,en-c")}
    assert campaigns.get(key).letters == {"dropped": 1, "pending": 1, "sent": 1}
    had = {(bytes(row[0]), row[1]) for row in office.database.read("SELECT subscription, campaign FROM received")}
    assert had == {(one, "fa-a"), (one, "en-c"), (two, "en-c"), (gone, "en-b"), (gone, "en-c")}


def test_a_digest_can_be_stopped_but_not_started(office: Office, weekly: Digests) -> None:
    (reader,) = add_readers(office, [{"rhythm": "weekly"}])
    campaigns = Campaigns(office.database, office.clock)
    start(office, draft(office, "en"))
    weekly.make_due()
    key = next(each.key for each in campaigns.find() if each.kind == "digest")
    with pytest.raises(InvalidCampaign, match="by the mailroom itself"):
        campaigns.start({key: ""})
    campaigns.stop(key)
    assert campaigns.get(key).letters == {"dropped": 1}
    assert count(office, "received") == 0
    assert letters(office, reader) == []


def test_a_correction_reaches_readers_of_digests(office: Office, weekly: Digests) -> None:
    got, refused, each = add_readers(office, [{"rhythm": "weekly"}, {"rhythm": "weekly"}, {}])
    start(office, draft(office, "en", "one"), draft(office, "fa", "one"))
    start(office, draft(office, "en", "two"))
    weekly.make_due()
    key = next(each.key for each in Campaigns(office.database, office.clock).find() if each.kind == "digest")
    set_letters(office, key, "refused", refused)
    start(office, draft(office, "en", key="en-c", kind="correction", corrects="en-one"))
    rows = office.database.read("SELECT subscription FROM letters WHERE campaign = 'en-c'")
    assert {bytes(row[0]) for row in rows} == {got, each}


LANGS = ("ar", "en", "fa", "ru")


@settings(max_examples=40)
@given(
    orders=st.lists(st.lists(st.sampled_from(LANGS), min_size=1, unique=True), max_size=10),
    weeks=st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(LANGS)), max_size=5), max_size=4),
)
def test_whatever_appears_when_nobody_gets_a_post_twice_and_everybody_gets_it(
    shared_office: tuple[Office, Watch], orders: list[list[str]], weeks: list[list[tuple[str, str]]]
) -> None:
    office, watch = shared_office
    for table in ("letters", "received", "campaigns", "subscriptions"):
        office.database.write(lambda connection, table=table: connection.execute(f"DELETE FROM {table}"))  # type: ignore[misc]  # noqa: S608
    readers = add_readers(office, [{"langs": ",".join(order), "rhythm": "weekly"} for order in orders])
    weekly = Digests(office.database, office.clock, TIME)
    present: dict[str, set[str]] = {post: set() for post in "abc"}
    expected: dict[tuple[bytes, str], str] = {}
    for week in weeks:
        for post, lang in week:
            if lang not in present[post]:
                present[post].add(lang)
                start(office, draft(office, lang, post))
        for post, langs in present.items():
            for reader, order in zip(readers, orders, strict=True):
                if (reader, post) not in expected and langs.intersection(order):
                    expected[reader, post] = f"{next(lang for lang in order if lang in langs)}-{post}"
        weekly.make_due()
        watch.pass_(7 * DAY)
        found = office.database.read("SELECT subscription, posts FROM letters ORDER BY day")
        had = [(bytes(row[0]), key) for row in found for key in row[1].split(",")]
        assert sorted(had) == sorted((reader, key) for (reader, _), key in expected.items())


@pytest.fixture(scope="module")
def shared_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Office, Watch]]:
    watch = Watch()
    with new_office(make_settings(tmp_path_factory.mktemp("office")), watch) as opened:
        yield opened, watch


def test_twenty_thousand_digests_are_made_in_seconds(office: Office, weekly: Digests) -> None:
    orders = ("en", "fa", "fa,en", "en,fa", "ru,en", "ar", "ar,en,fa", "ru")
    add_readers(office, ({"langs": orders[number % 8], "rhythm": "weekly"} for number in range(20_000)))
    for post in "abcde":
        start(office, *(draft(office, lang, post) for lang in ("en", "fa", "ru")))
    begun = time.perf_counter()
    assert weekly.make_due() == 17_500
    assert time.perf_counter() - begun < 6  # two on an idle machine
    assert count(office, "received") == 5 * 17_500
