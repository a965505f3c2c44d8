"""How many sign-ups are taken, from whom, and what is remembered of it."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from mailroom.clock import DAY, HOUR, MINUTE
from mailroom.office import Office
from mailroom.settings import Network, Settings
from mailroom.tokens import Purpose
from mailroom.web.limits import Limits, network_of, visitor
from tests.mailroom.offices import Watch, count, new_office, subscribe
from tests.mailroom.visitor import Visitor

PROXIES: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.1"), ipaddress.ip_network("10.0.0.0/8"))


def test_a_network_gets_so_many_in_an_hour(watch: Watch) -> None:
    limits = Limits(2, 100, steady=lambda: watch.now)
    assert limits.take("192.0.2.1") == 0
    watch.pass_(10 * MINUTE)
    assert limits.take("192.0.2.200") == 0
    assert limits.take("192.0.2.3") == 50 * MINUTE
    assert limits.take("198.51.100.1") == 0, "another network has its own"
    watch.pass_(50 * MINUTE)
    assert limits.take("192.0.2.3") == 0
    assert limits.take("192.0.2.3") == 10 * MINUTE


def test_everybody_gets_so_many_in_a_minute(watch: Watch) -> None:
    limits = Limits(100, 3, steady=lambda: watch.now)
    assert [limits.take(f"192.0.{number}.1") for number in range(4)] == [0, 0, 0, MINUTE]
    watch.pass_(MINUTE)
    assert limits.take("203.0.113.1") == 0


def test_everybody_gets_so_many_in_a_day(watch: Watch) -> None:
    limits = Limits(100, 2, 3, steady=lambda: watch.now)
    taken = []
    for _ in range(4):
        taken.append(limits.take("192.0.2.1"))
        watch.pass_(MINUTE)
    assert taken == [0, 0, 0, DAY - 3 * MINUTE]
    watch.pass_(DAY - 4 * MINUTE)
    assert limits.take("192.0.2.1") == 0
    assert limits.take("192.0.2.1") == MINUTE, "the second of them is of a minute later"


@pytest.mark.parametrize(("network", "total", "wait"), [(0, 9, HOUR), (9, 0, MINUTE)])
def test_none_at_all(watch: Watch, network: int, total: int, wait: float) -> None:
    assert Limits(network, total, steady=lambda: watch.now).take("192.0.2.1") == wait


def test_what_is_remembered_goes_and_names_no_network(watch: Watch) -> None:
    limits = Limits(5, 10**6, steady=lambda: watch.now)
    for number in range(3000):
        limits.take(f"198.51.{number % 250}.1")
    assert len(limits._hour) == 250 * 5, "what was refused is not remembered"
    assert not any(network_of("198.51.100.1") in name for name in limits._networks)
    assert Limits(1, 1)._key != Limits(1, 1)._key
    watch.pass_(HOUR)
    limits.take("192.0.2.1")
    assert (len(limits._hour), len(limits._networks), len(limits._spans[0].taken)) == (1, 1, 1)


def test_threads_do_not_get_more_than_there_is() -> None:
    limits = Limits(10**6, 500)
    taken: list[bool] = []

    def take() -> None:
        taken.extend(limits.take("192.0.2.1") == 0 for _ in range(200))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sum(taken) == 500


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.254", True),
        ("192.0.2.1", "192.0.3.1", False),
        ("192.0.2.1", "::ffff:192.0.2.9", True),
        ("2001:db8:0:ff::1", "2001:db8:0:1:2:3:4:5", True),
        ("2001:db8:0:1ff::1", "2001:db8:0:ff::1", False),
        ("::c000:201", "192.0.2.1", False),
        ("", "nonsense", True),
        ("fe80::1%eth0", "fe80::2", True),
    ],
)
def test_networks(one: str, other: str, same: bool) -> None:
    assert (network_of(one) == network_of(other)) == same


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.1", "192.0.2.1"),  # no proxy of ours: it may say what it likes
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "203.0.113.9, 198.51.100.1", "198.51.100.1"),  # what stands before it may be invented
        ("127.0.0.1", "203.0.113.9, 198.51.100.1, 10.1.2.3", "198.51.100.1"),
        ("127.0.0.1", "10.9.9.9,10.1.2.3", "10.9.9.9"),
        ("127.0.0.1", "127.0.0.1, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("127.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("127.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9, unknown", "127.0.0.1"),
        ("127.0.0.1", ",,,", "127.0.0.1"),
        ("127.0.0.1", "\x00\xff, " * 50, "127.0.0.1"),
        ("", "198.51.100.1", ""),
    ],
)
def test_who_asks(peer: str, forwarded: str, expected: str) -> None:
    assert visitor(peer, forwarded, PROXIES) == expected


@contextmanager
def limited(settings: Settings, watch: Watch, **limits: Any) -> Iterator[Visitor]:
    """Somebody at pages with few sign-ups, behind a proxy of ours."""
    with new_office(replace(settings, trusted_proxies=PROXIES, **limits), watch) as office:
        yield Visitor(office)


def press(visitor: Visitor, peer: str = "127.0.0.1", forwarded: str = "", limit: int = HOUR) -> int:
    page = visitor.post("subscribe", {"address": "reader@example.org", "lang": "fa"})
    headers = {"Content-Type": "application/x-www-form-urlencoded"} | (
        {"X-Forwarded-For": forwarded} if forwarded else {}
    )
    answer = visitor.ask("POST", page.action, b"request=" + page.field.encode(), headers, REMOTE_ADDR=peer)
    if answer.status == 429:
        assert 0 < int(answer.header("Retry-After")) <= limit
        assert answer.lang == "fa"
        assert answer.heading
    return answer.status


def test_too_many_from_one_network(settings: Settings, watch: Watch) -> None:
    with limited(settings, watch, limit_network=2) as visitor:
        assert [press(visitor, forwarded="192.0.2.1") for _ in range(3)] == [200, 200, 429]
        assert count(visitor.office, "requests") == 2, "nothing is kept of what is refused"
        assert press(visitor, forwarded="198.51.100.1, 192.0.2.77") == 429, "an invented hop helps nobody"
        assert press(visitor, forwarded="198.51.100.1") == 200


def test_who_is_no_proxy_of_ours_is_counted_as_itself(settings: Settings, watch: Watch) -> None:
    with limited(settings, watch, limit_network=2) as visitor:
        found = [press(visitor, "192.0.2.1", f"198.51.{number}.1") for number in range(3)]
        assert found == [200, 200, 429]


def test_too_many_in_all(settings: Settings, watch: Watch) -> None:
    with limited(settings, watch, limit_total=3) as visitor:
        assert [press(visitor, forwarded=f"198.51.{number}.1") for number in range(4)] == [200, 200, 200, 429]
        [identity] = subscribe(visitor.office, "reader@example.org")
        found = [visitor.post(visitor.link(Purpose.SETTINGS, identity)).status for _ in range(4)]
        assert found == [200, 200, 200, 429], "they are counted apart"
        for purpose in (Purpose.CONFIRM, Purpose.UNSUBSCRIBE):
            assert visitor.post(visitor.link(purpose, identity)).status == 200, "these are never limited"


def test_too_many_in_a_day(settings: Settings, watch: Watch) -> None:
    with limited(settings, watch, limit_day=2) as visitor:
        assert [press(visitor, limit=DAY) for _ in range(3)] == [200, 200, 429]
        [identity] = subscribe(visitor.office, "reader@example.org")
        assert visitor.post(visitor.link(Purpose.SETTINGS, identity)).status == 200


def test_looking_and_mistyping_is_not_counted(settings: Settings, watch: Watch) -> None:
    with limited(settings, watch, limit_network=1, limit_total=1) as visitor:
        for _ in range(3):
            assert visitor.get("subscribe").status == 200
            assert visitor.post("subscribe", {"address": "nobody@", "lang": "en"}).status == 422
            assert visitor.post("subscribe/send", {"request": "forged"}).status == 400
        assert press(visitor) == 200


def test_no_address_of_a_visitor_is_kept(office: Office) -> None:
    visitor = Visitor(office)
    press(visitor, "192.0.2.123")
    for path in office.settings.data.rglob("*"):
        if path.is_file():
            octets = path.read_bytes()
            assert b"192.0.2" not in octets
            assert ipaddress.ip_address("192.0.2.123").packed not in octets
