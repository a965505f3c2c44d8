"""The daily notice: the same every day at the same hour, once to each, whatever comes, fails or is killed."""

from __future__ import annotations

import email
import re
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from email.message import Message
from functools import partial
from pathlib import Path
from typing import Any

import dkim
import pytest

from mailroom.clock import DAY, HOUR
from mailroom.delivery.relay import Patience, SmtpRelay
from mailroom.delivery.worker import run_worker
from mailroom.intake.notice import Notice, place_of, seconds_of
from mailroom.intake.submissions import make_intake, open_intake
from mailroom.languages import load_languages
from mailroom.letters.dkim import Signer, load_key, make_key
from mailroom.office import Office
from mailroom.store.facts import DELIVERY, set_fact
from tests.frontdoor.support import wait_until
from tests.mailroom.intake.mortal import Cradle
from tests.mailroom.intake.stores import lookup_of, make_expert, sealed
from tests.mailroom.offices import NOON, Watch, make_settings, new_office
from tests.mailroom.sink import DROP, LOSE, STALL, Rule, Sink

EXPERTS = ("expert@practice.example", "other@practice.example")
MIDNIGHT = NOON - NOON % DAY


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    with Sink(tmp_path, keep=True) as sink:
        yield sink


@pytest.fixture
def morning(tmp_path: Path, watch: Watch, sink: Sink) -> Iterator[Office]:
    """An office at midnight, whose experts get a notice at eight."""
    watch.now = MIDNIGHT
    settings = make_settings(tmp_path, intake_notice=EXPERTS, relay=f"smtp://127.0.0.1:{sink.port}")
    make_intake(settings)
    with new_office(settings, watch) as office:
        yield office


def notice_of(office: Office, patience: Patience | None = None, signer: Signer | None = None) -> Notice:
    """As the worker makes it when it starts."""
    connect = partial(SmtpRelay, office.settings, patience or Patience(connect=2, answer=2))
    return Notice(office, open_intake(office.settings, office.clock), load_languages(), signer, connect)


def to_whom(sink: Sink) -> Counter[str]:
    return Counter(each.recipient for each in sink.accepted())


def letters(sink: Sink) -> list[Message]:
    return [email.message_from_bytes(each.letter) for each in sink.accepted()]


def test_it_goes_at_its_hour_and_once_a_day(morning: Office, watch: Watch, sink: Sink) -> None:
    assert seconds_of("08:00") == 8 * HOUR
    notice = notice_of(morning)
    sent = []
    for minute in range(0, 3 * 24 * 60, 20):
        watch.now = MIDNIGHT + minute * 60
        if notice.send_due():
            sent.append(minute / 60)
        if minute % (7 * 60) == 0:
            notice = notice_of(morning)  # started again
    assert sent == [8, 32, 56]
    assert to_whom(sink) == dict.fromkeys(EXPERTS, 3)


def test_it_goes_late_rather_than_not_at_all(morning: Office, watch: Watch, sink: Sink) -> None:
    watch.now = MIDNIGHT + 23 * HOUR
    assert notice_of(morning).send_due() == 2
    watch.pass_(HOUR)
    assert notice_of(morning).send_due() == 0
    watch.pass_(8 * HOUR)
    assert notice_of(morning).send_due() == 2
    assert to_whom(sink) == dict.fromkeys(EXPERTS, 2)


def test_it_says_the_same_whether_there_is_something_or_not(morning: Office, watch: Watch, sink: Sink) -> None:
    notice, store = notice_of(morning), open_intake(morning.settings, morning.clock)
    for day in range(3):
        watch.now = MIDNIGHT + day * DAY + 8 * HOUR
        assert notice.send_due() == 2
        for number in range(5):
            store.store(sealed(make_expert()), lookup_of(f"{day} {number}"))
    found = letters(sink)
    assert len(found) == 6
    own = ("To", "Date", "Message-ID")
    assert len({str([(name, value) for name, value in each.items() if name not in own]) for each in found}) == 1
    assert len({each.get_payload() for each in found}) == 1
    assert len({each["Message-ID"] for each in found}) == 6
    first = found[0]
    assert first["Subject"] == "Daily note"
    assert first["From"] == "Letters <letters@news.example>"
    assert first["Auto-Submitted"] == "auto-generated"
    assert first.get_content_type() == "text/plain"
    shown = first.as_string().lower()
    assert not re.search(r"submission|asylum|human|sealed|form\b|intake|\d+ (new|letters)", shown)
    assert "every day at the same hour" in " ".join(shown.split())


def test_it_is_in_the_language_of_the_mailroom(morning: Office, watch: Watch, sink: Sink) -> None:
    watch.now = MIDNIGHT + 8 * HOUR
    persian = replace(morning, settings=replace(morning.settings, default_lang="fa", discreet_name="نامه"))
    assert notice_of(persian).send_due() == 2
    text = letters(sink)[0].get_payload(decode=True)
    assert isinstance(text, bytes)
    assert text.decode().strip()


def test_it_is_signed_and_comes_back_to_us(morning: Office, watch: Watch, sink: Sink, tmp_path: Path) -> None:
    path = tmp_path / "dkim.pem"
    path.write_bytes(make_key())
    signer = Signer(load_key(path), "news.example", "mailroom")
    name, record = signer.record()
    published = "".join(re.findall(r'"([^"]*)"', record)).encode()
    watch.now = MIDNIGHT + 8 * HOUR
    office = replace(morning, settings=replace(morning.settings, bounce_domain="bounces.news.example"))
    assert notice_of(office, signer=signer).send_due() == 2
    event = sink.accepted()[0]
    assert event.sender.startswith("b+")
    assert event.sender.endswith("@bounces.news.example")
    letter = event.letter.removesuffix(b".\r\n")  # the end of DATA

    def look_up(asked: bytes, timeout: int = 5) -> bytes | None:
        return published if timeout and asked.decode().startswith(name) else None

    assert dkim.verify(letter, dnsfunc=look_up)


@pytest.mark.parametrize(
    "rule",
    [
        Rule("connect", DROP, times=1), Rule("connect", "554 5.3.2 not now", times=1),
        Rule("mail", "421 4.3.2 closing", times=1), Rule("rcpt", "550 5.1.1 no such user", to="^other", times=1),
        Rule("data", "451 4.3.0 later", times=1), Rule("end", "452 4.3.1 full", times=1),
        Rule("end", "554 5.7.1 spam", to="^expert", times=1), Rule("rcpt", DROP, times=1),
        Rule("rcpt", STALL, to="^expert", times=1),
    ],
    ids=lambda rule: f"{rule.at} {rule.reply}",
)  # fmt: skip
def test_what_the_relay_did_not_take_is_tried_again(
    rule: Rule, morning: Office, watch: Watch, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailroom.intake.notice.RETRY", 0.2)
    sink.obey(rule)
    watch.now = MIDNIGHT + 8 * HOUR
    notice = notice_of(morning, Patience(connect=0.5, answer=0.5))
    first = notice.send_due()
    assert first < 2
    assert sum(to_whom(sink).values()) == first
    assert notice.send_due() == 0, "it is not tried at once"
    wait_until(lambda: notice.send_due() > 0 or sum(to_whom(sink).values()) == 2, "it is tried again")
    assert to_whom(sink) == dict.fromkeys(EXPERTS, 1)
    assert notice.send_due() == 0


def test_one_that_may_have_left_is_not_sent_twice(morning: Office, watch: Watch, sink: Sink) -> None:
    sink.obey(Rule("end", LOSE, to="^expert", times=1))
    watch.now = MIDNIGHT + 8 * HOUR
    assert notice_of(morning).send_due() == 1
    assert to_whom(sink) == dict.fromkeys(EXPERTS, 1)
    for _ in range(3):
        watch.pass_(HOUR)
        assert notice_of(morning).send_due() == 0
    watch.pass_(DAY)
    assert notice_of(morning).send_due() == 2


def test_it_waits_while_delivery_is_off(morning: Office, watch: Watch, sink: Sink) -> None:
    watch.now = MIDNIGHT + 8 * HOUR
    morning.database.write(lambda connection: set_fact(connection, DELIVERY, "off"))
    assert notice_of(morning).send_due() == 0
    morning.database.write(lambda connection: set_fact(connection, DELIVERY, "on"))
    assert notice_of(morning).send_due() == 2
    assert to_whom(sink) == dict.fromkeys(EXPERTS, 1)


def test_a_copied_database_does_not_name_experts(morning: Office, watch: Watch) -> None:
    watch.now = MIDNIGHT + 8 * HOUR
    notice_of(morning).send_due()
    database = morning.settings.intake_database
    assert place_of(morning, EXPERTS[0]) in database.read_bytes(), "it is there"
    assert not any(b"practice.example" in path.read_bytes() for path in database.parent.rglob("*") if path.is_file())


def test_once_a_day_also_across_kills(tmp_path: Path, morning: Office, watch: Watch, sink: Sink) -> None:
    """Killed before each step: nobody gets it twice on a day; only the one it was on its way to may not get it."""
    deaths = 0
    with Cradle() as cradle:
        given: dict[str, Any] = {"folder": str(tmp_path), "port": sink.port, "addresses": list(EXPERTS)}
        for step in (*range(1, 25), *range(25, 80, 4)):  # all of the first letter's, some of the second's
            watch.now = MIDNIGHT + step * DAY + 8 * HOUR
            before = to_whom(sink)
            died, done = cradle.run("notify", step=step, now=watch.now, **given)
            notice_of(morning).send_due()  # by the next worker
            today = to_whom(sink) - before
            assert max(today.values()) == 1
            assert len(today) >= (1 if died and not done else 2)
            if not died:
                break
            deaths += 1
    assert deaths > 20
    watch.now = MIDNIGHT + 100 * DAY + 8 * HOUR
    assert notice_of(morning).send_due() == 2


def test_the_worker_sends_it_and_has_things_expire(tmp_path: Path, watch: Watch) -> None:
    """The chores as the worker makes them, letters being files."""
    settings = make_settings(tmp_path, intake_notice=EXPERTS, intake_hour="00:00")
    make_intake(settings)
    outbox = tmp_path / "letters"
    with new_office(settings, watch) as office:
        store = open_intake(settings, office.clock)
        store.store(sealed(make_expert()), lookup_of("old"))
        watch.pass_(31 * DAY)
        store.store(sealed(make_expert()), lookup_of("new"))
        stop = threading.Event()
        thread = threading.Thread(target=run_worker, args=(office, stop), kwargs={"outbox": outbox})
        thread.start()
        wait_until(lambda: len(list(outbox.glob("*.eml"))) == 2 and len(store.list()) == 1, "both are done")
        stop.set()
        thread.join()
        assert store.state(lookup_of("new")) == "stored"
    assert len(list(outbox.glob("*.eml"))) == 2
