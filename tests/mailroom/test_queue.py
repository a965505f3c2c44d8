"""Letters and what becomes of them, in the database."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from mailroom.campaigns.campaigns import Campaigns
from mailroom.clock import DAY, HOUR
from mailroom.delivery import pauses
from mailroom.delivery.housekeeping import BOUNCED_LIFE, clear_out
from mailroom.delivery.pauses import DOMAIN_PAUSE
from mailroom.delivery.queue import _SELECTED, LEASE, Letter, Queue
from mailroom.delivery.replies import LAST_ATTEMPT, Reply, Verdict
from mailroom.office import Office
from tests.mailroom.crowd import KEY, addresses, draft, enrol, start
from tests.mailroom.offices import Watch, ask, count, identity_of

NO_SUCH_USER, SPAM, GREYLISTED = Reply(550, "5.1.1"), Reply(550, "5.7.1"), Reply(451, "4.7.1")


@pytest.fixture
def letters(office: Office) -> Queue:
    """The letters of the office."""
    return Queue(office.database, office.vault, office.journal, office.clock)


def claim(letters: Queue, most: int = 100) -> list[Letter]:
    return letters.claim(most, lists=most)


def states(office: Office) -> dict[str, int]:
    return dict(map(tuple, office.database.read("SELECT state, count(*) FROM letters GROUP BY state")))


def send(letters: Queue, letter: Letter) -> None:
    assert letters.begin(letter)
    letters.accept(letter)


# Claims


def test_letters_of_forms_go_before_those_of_lists(office: Office, letters: Queue) -> None:
    enrol(office, addresses(5))
    start(office)
    ask(office, "new@readers.test")
    kinds = [letter.kind for letter in letters.claim(3, lists=1)]
    assert kinds == ["confirmation", "campaign"]


def test_campaigns_that_started_together_go_side_by_side(office: Office, letters: Queue) -> None:
    enrol(office, addresses(50, "fa.test"), "fa")
    enrol(office, addresses(3, "en.test"), "en")
    enrol(office, addresses(50, "ru.test"), "ru")
    start(office, [draft(f"{lang}-0000000000000000", lang=lang) for lang in ("en", "fa", "ru")])
    langs = [letter.lang for letter in claim(letters, 30)]
    assert sorted(langs) == ["en"] * 3 + ["fa"] * 14 + ["ru"] * 13


def test_nothing_leaves_before_its_hold_is_over(office: Office, letters: Queue, watch: Watch) -> None:
    enrol(office, addresses(2))
    start(office, hold=600)
    watch.pass_(599)
    assert not claim(letters)
    watch.pass_(1)
    assert len(claim(letters)) == 2


def test_a_claim_is_made_once_and_its_lease_ends(office: Office, letters: Queue, watch: Watch) -> None:
    enrol(office, addresses(1))
    start(office)
    [first] = claim(letters)
    assert not claim(letters)
    watch.pass_(LEASE)
    [second] = claim(letters)
    assert not letters.begin(first)
    letters.accept(first)
    letters.put_back([first])
    letters.lose(first)
    letters.refuse(first, NO_SUCH_USER, bounced=True)
    assert states(office) == {"claimed": 1}
    send(letters, second)
    assert states(office) == {"sent": 1}


def test_what_is_tried_again_does_not_wait_for_the_end_of_a_long_list(
    office: Office, letters: Queue, watch: Watch
) -> None:
    enrol(office, addresses(30))
    start(office)
    [greylisted] = claim(letters, 1)
    letters.defer(greylisted, GREYLISTED)
    assert greylisted.identity not in {letter.identity for letter in claim(letters, 9)}
    watch.pass_(HOUR // 2)
    assert greylisted.identity in {letter.identity for letter in claim(letters, 10)}


def test_after_a_start_claims_are_free_and_what_was_on_its_way_is_unknown(office: Office, letters: Queue) -> None:
    enrol(office, addresses(3))
    start(office)
    first, _, third = claim(letters)
    assert letters.begin(first)
    send(letters, third)
    assert letters.recover() == {"pending": 1, "unknown": 1}
    assert states(office) == {"pending": 1, "unknown": 1, "sent": 1}
    assert letters.recover() == {"pending": 0, "unknown": 0}


def test_unknown_letters_are_sent_again_with_the_same_identity(office: Office, letters: Queue) -> None:
    enrol(office, addresses(1))
    start(office)
    [letter] = claim(letters)
    assert letters.begin(letter)
    letters.lose(letter)
    campaigns = Campaigns(office.database, office.clock)
    assert campaigns.finish() == 1
    assert campaigns.resend_unknown(KEY) == 1
    assert [again.identity for again in claim(letters)] == [letter.identity]


@pytest.mark.parametrize(
    "source",
    [
        "letters.campaign IS NULL",
        "letters.kind = 'test'",
        "letters.campaign = :campaign AND letters.kind <> 'test'",
    ],
)
def test_claims_read_no_more_than_they_take(office: Office, source: str) -> None:
    sql = f"{_SELECTED} WHERE {source} AND letters.state = 'pending' AND letters.due <= :now ORDER BY letters.due"
    plan = office.database.read(f"EXPLAIN QUERY PLAN {sql} LIMIT 5", {"now": 0, "campaign": KEY})
    steps = [row["detail"] for row in plan]
    assert any("SEARCH letters USING INDEX" in step and "due<?" in step for step in steps), steps
    assert not any("TEMP B-TREE" in step or step.startswith("SCAN") for step in steps), steps


# Before a letter leaves


@pytest.mark.parametrize("way", ["unsubscribe", "erase", "bounce"])
def test_who_has_left_gets_nothing(office: Office, letters: Queue, way: str) -> None:
    people = addresses(3)
    enrol(office, people)
    start(office)
    first = claim(letters, 1)[0]
    for address in people:
        identity = identity_of(office, address)
        if way == "bounce":
            office.subscriptions.leave(identity, "bounced")
        else:
            getattr(office.subscriptions, way)(identity)
    assert not letters.begin(first)
    assert not claim(letters)
    assert states(office) == ({} if way == "erase" else {"dropped": 3})
    assert count(office, "received") == 0


def test_a_suppressed_reader_who_is_still_on_the_list_gets_nothing(office: Office, letters: Queue) -> None:
    enrol(office, addresses(2))
    start(office)
    first, second = claim(letters)
    letters.refuse(first, NO_SUCH_USER, bounced=True)
    start(office, [draft("en-1111111111111111", post="another")])
    assert [letter.address for letter in claim(letters)] == [second.address]


def test_a_stopped_campaign_is_dropped_and_a_paused_one_waits(office: Office, letters: Queue) -> None:
    enrol(office, addresses(4))
    start(office)
    first, second = claim(letters, 2)
    letters.pause_campaign([first], KEY)
    assert not letters.begin(second)
    assert not claim(letters)
    assert states(office) == {"pending": 4}
    Campaigns(office.database, office.clock).resend_unknown(KEY)
    [third] = claim(letters, 1)
    Campaigns(office.database, office.clock).stop(KEY)
    assert not letters.begin(third)
    assert states(office) == {"dropped": 4}


def test_letters_of_forms_go_to_whoever_asked(office: Office, letters: Queue) -> None:
    ask(office, "new@readers.test", "changed-their-mind@readers.test")
    first, second = claim(letters)
    office.subscriptions.erase(second.subscription or b"")
    send(letters, first)
    assert not letters.begin(second)
    assert states(office) == {"sent": 1}


def test_a_test_letter_goes_to_its_own_address_which_is_then_forgotten(office: Office, letters: Queue) -> None:
    campaigns = Campaigns(office.database, office.clock)
    campaigns.put(draft())
    campaigns.send_test(KEY, "editor@news.example", office.vault)
    [letter] = claim(letters)
    assert letter.address == "editor@news.example"
    assert "editor" not in repr(letter)
    send(letters, letter)
    assert count(office, "letters", "state = 'sent' AND address IS NULL AND claim IS NULL AND due = 0") == 1


# Replies


def test_a_deferred_letter_is_tried_for_72_hours(office: Office, letters: Queue, watch: Watch) -> None:
    enrol(office, addresses(1))
    start(office)
    watch.pass_(4 * DAY)  # the relay was away: that does not count
    tried = [watch.now]
    while letters.defer(claim(letters)[0], GREYLISTED):
        assert not claim(letters)
        watch.now = office.database.read("SELECT due FROM letters")[0]["due"]
        tried.append(watch.now)
    waits = [round((after - before) / HOUR, 1) for before, after in pairwise(tried)]
    assert waits[:6] == [0.5, 1, 2, 4, 8, 16]
    assert sum(waits) == 72
    assert states(office) == {"expired": 1}
    assert count(office, "received") == 0
    assert count(office, "letters", "reply = '451 4.7.1'") == 1


def test_a_refused_letter_lets_a_later_translation_reach_its_reader(office: Office, letters: Queue) -> None:
    enrol(office, ["one@a.test", "two@b.test"], "en,fa")
    start(office)
    first, second = claim(letters)
    letters.refuse(first, SPAM)
    send(letters, second)
    assert count(office, "suppressions") == 0
    fa = "fa-0000000000000000"
    start(office, [draft(fa, lang="fa")])
    assert count(office, "letters", f"campaign = '{KEY}' AND state = 'sent'") == 1
    assert count(office, "letters", f"campaign = '{fa}' AND state = 'pending'") in (0, 1)


def test_a_mailbox_that_is_none_is_suppressed_and_its_address_erased_days_later(
    office: Office, letters: Queue, watch: Watch
) -> None:
    enrol(office, ["gone@a.test"])
    start(office)
    [letter] = claim(letters)
    letters.refuse(letter, NO_SUCH_USER, bounced=True)
    assert count(office, "suppressions", f"reason = 'bounced' AND campaign = '{KEY}'") == 1
    clear_out(office)
    assert count(office, "subscriptions", "address IS NOT NULL") == 1
    watch.pass_((BOUNCED_LIFE + 1) * DAY)
    clear_out(office)
    assert count(office, "subscriptions", "address IS NULL AND state = 'unsubscribed'") == 1
    assert count(office, "suppressions") == 1
    watch.pass_(30 * DAY)
    clear_out(office)
    assert count(office, "letters") == 0


def test_an_unconfirmed_address_that_bounces_is_not_kept(office: Office, letters: Queue) -> None:
    ask(office, "typo@a.test")
    [letter] = claim(letters)
    letters.refuse(letter, NO_SUCH_USER, bounced=True)
    assert states(office) == {"bounced": 1}
    assert count(office, "suppressions") == 0


# Domains that refuse


def refuse_all(letters: Queue, most: int, reply: Reply = SPAM, *, bounced: bool = False) -> int:
    """Have so many letters refused; return how often a domain was paused."""
    return sum(letters.refuse(letter, reply, bounced=bounced) is not None for letter in claim(letters, most))


@pytest.mark.parametrize(("reply", "bounced"), [(SPAM, False), (NO_SUCH_USER, True)])
def test_a_domain_that_refuses_everything_is_paused_and_nobody_suppressed(
    office: Office, letters: Queue, watch: Watch, reply: Reply, bounced: bool
) -> None:
    enrol(office, addresses(30, "strict.test"))
    start(office)
    assert refuse_all(letters, 9, reply, bounced=bounced) == 0
    assert count(office, "suppressions") == (9 if bounced else 0)
    under_way = claim(letters, 3)
    paused = letters.refuse(under_way[0], reply, bounced=bounced)
    assert paused
    assert (paused.waiting, paused.lifted) == (10, 9 + 1 if bounced else 0)
    assert letters.refuse(under_way[1], reply, bounced=bounced) is None
    letters.put_back(under_way)
    assert states(office) == {"pending": 30}
    assert count(office, "suppressions") == 0
    assert count(office, "received") == 30
    assert not claim(letters)
    assert not claim(letters)
    [pause] = pauses.standing(office.database, watch.now)
    assert not pause.is_relay
    assert (pause.campaign, pause.reply) == (KEY, str(reply))
    watch.pass_(DOMAIN_PAUSE)
    assert len(claim(letters)) == 30


def test_a_pause_does_not_outlive_72_hours(office: Office, letters: Queue, watch: Watch) -> None:
    enrol(office, addresses(40, "strict.test"))
    start(office)
    told = 0
    for _ in range(40):
        told += refuse_all(letters, 10, NO_SUCH_USER, bounced=True)
        watch.pass_(DOMAIN_PAUSE)
    claim(letters)
    assert states(office) == {"expired": 40}
    assert count(office, "suppressions") == 0
    assert count(office, "received") == 0
    assert 18 <= told < 40


def test_reports_do_not_have_letters_sent_for_ever(office: Office, letters: Queue, watch: Watch) -> None:
    """A relay that takes everything and reports later that the domain refuses it."""
    enrol(office, addresses(20, "strict.test"))
    start(office)
    sent: Counter[bytes] = Counter()
    for _ in range(40):
        batch = claim(letters)
        for letter in batch:
            send(letters, letter)
            sent[letter.identity] += 1
        for letter in batch:
            letters.come_back(letter.identity, "5.7.1")
        watch.pass_(DOMAIN_PAUSE)
    assert max(sent.values()) <= 1 + LAST_ATTEMPT // DOMAIN_PAUSE
    assert count(office, "letters", "state = 'pending'") == 0


def test_whoever_leaves_meanwhile_stays_suppressed(office: Office, letters: Queue) -> None:
    people = addresses(12, "strict.test")
    enrol(office, people)
    start(office)
    refuse_all(letters, 9, NO_SUCH_USER, bounced=True)
    gone = office.database.read("SELECT subscription FROM letters WHERE state = 'bounced' LIMIT 1")[0][0]
    office.subscriptions.unsubscribe(gone)
    assert refuse_all(letters, 1, NO_SUCH_USER, bounced=True) == 1
    assert [row["reason"] for row in office.database.read("SELECT reason FROM suppressions")] == ["unsubscribed"]


def test_who_has_had_the_post_by_then_in_another_language_does_not_get_it_again(office: Office, letters: Queue) -> None:
    enrol(office, addresses(10, "strict.test"), "fa,en")
    start(office)
    refuse_all(letters, 9)
    assert count(office, "received") == 1
    start(office, [draft("fa-0000000000000000", lang="fa")])
    assert count(office, "letters", "lang = 'fa'") == 9
    [last] = [letter for letter in claim(letters) if letter.lang == "en"]
    paused = letters.refuse(last, SPAM)
    assert paused
    assert paused.waiting == 1
    assert count(office, "letters", "state = 'refused'") == 9


def test_one_unknown_user_in_ten_is_no_reason_to_pause(office: Office, letters: Queue) -> None:
    enrol(office, addresses(100))
    start(office)
    for number, letter in enumerate(claim(letters)):
        if number % 10 == 9:
            assert letters.refuse(letter, NO_SUCH_USER, bounced=True) is None
        else:
            send(letters, letter)
    assert states(office) == {"sent": 90, "bounced": 10}
    assert count(office, "suppressions") == 10


@pytest.mark.parametrize(("taken", "refused"), [(0, 9), (5, 4), (13, 6), (77, 22)])
def test_a_domain_is_paused_when_it_clearly_refuses_one_letter_in_five(
    office: Office, letters: Queue, taken: int, refused: int
) -> None:
    enrol(office, addresses(taken + refused + 1, "strict.test"))
    start(office)
    *others, last = claim(letters, 1000)
    for letter in others[:taken]:
        send(letters, letter)
    for letter in others[taken:]:
        assert letters.refuse(letter, SPAM) is None
    assert letters.refuse(last, SPAM) is not None


def test_forms_letters_are_not_held_by_a_domains_pause(office: Office, letters: Queue) -> None:
    enrol(office, addresses(10, "strict.test"))
    start(office)
    assert refuse_all(letters, 10) == 1
    ask(office, "new@strict.test")
    assert [letter.kind for letter in claim(letters)] == ["confirmation"]


def test_pauses_can_be_ended(office: Office, letters: Queue) -> None:
    enrol(office, addresses(10, "strict.test"))
    start(office)
    assert refuse_all(letters, 10) == 1
    letters.pause_relay(None, int(office.clock.now()) + 60, "421 4.3.2")
    assert [each.is_relay for each in pauses.standing(office.database, office.clock.now())] == [True, False]
    assert pauses.resume(office.database, office.clock.now()) == 2
    assert count(office, "letters", f"due = {int(office.clock.now())}") == 10, "they are not late"
    assert len(claim(letters)) == 10


# Reports


def test_a_report_counts_as_a_refusal(office: Office, letters: Queue) -> None:
    enrol(office, addresses(20, "strict.test"))
    start(office)
    claimed = claim(letters)
    for letter in claimed:
        send(letters, letter)
    assert letters.come_back(claimed[0].identity, "5.1.1") is Verdict.BOUNCED
    assert letters.come_back(claimed[0].identity, "5.1.1") is None
    assert letters.come_back(claimed[1].identity, "5.7.1") is Verdict.REFUSED
    assert states(office) == {"sent": 18, "bounced": 1, "refused": 1}
    assert count(office, "suppressions") == 1
    assert letters.come_back(b"\0" * 8, "5.1.1") is None
    for letter in claimed[2:7]:
        letters.come_back(letter.identity, "5.1.1")
    assert states(office) == {"sent": 13, "pending": 7}
    assert count(office, "suppressions") == 0


def test_days_of_delivering_are_counted(office: Office, letters: Queue, watch: Watch) -> None:
    assert letters.sent_on(office.clock.today()) == (0, 0)
    enrol(office, addresses(3))
    start(office)
    for letter in claim(letters):
        send(letters, letter)
    assert letters.sent_on(office.clock.today()) == (3, 0)
    watch.pass_(5 * DAY)
    assert letters.sent_on(office.clock.today()) == (0, 1)


def test_letters_of_forms_use_up_the_cap_and_not_the_warm_up(office: Office, letters: Queue, watch: Watch) -> None:
    ask(office, "new@readers.test")
    for letter in claim(letters):
        send(letters, letter)
    assert letters.sent_on(office.clock.today()) == (1, 0)
    watch.pass_(DAY)
    ask(office, "another@readers.test")
    enrol(office, addresses(2))
    start(office)
    for letter in claim(letters):
        send(letters, letter)
    assert letters.sent_on(office.clock.today()) == (3, 0), "no letter of a list went before"
    watch.pass_(DAY)
    assert letters.sent_on(office.clock.today()) == (0, 1)
