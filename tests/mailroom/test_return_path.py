"""Addresses that mail comes back to: ours are known, whatever happened to their letters' case, and no others."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.letters.return_path import Returned, ReturnPaths, message_id
from mailroom.store.keyring import make_keyring

RING = make_keyring()
PATHS = ReturnPaths(RING, "bounces.blog.test")
LETTER, SUBSCRIPTION = bytes(range(8)), bytes(range(16))
IDENTITIES = st.one_of(
    st.binary(min_size=8, max_size=8).map(lambda identity: Returned("b", identity)),
    st.binary(min_size=16, max_size=16).map(lambda identity: Returned("leave", identity)),
)


def issue(returned: Returned, paths: ReturnPaths = PATHS) -> str:
    return paths.bounce(returned.identity) if returned.kind == "b" else paths.leave(returned.identity)


@given(IDENTITIES, st.randoms(), st.sampled_from(["{}", "<{}>", "The blog <{}>", "rfc822;{}", "<mailto:{}>, x@y.test"]))
def test_address_is_read_back_in_any_case(returned: Returned, random: Random, form: str) -> None:
    address = issue(returned)
    local, _, domain = address.partition("@")
    assert len(local) <= 64
    assert local.replace("+", "").isalnum()
    mixed = "".join(random.choice([each.upper(), each]) for each in address)
    assert list(PATHS.find(form.format(mixed))) == [returned]
    assert domain == "bounces.blog.test"


@given(IDENTITIES, st.data())
def test_altered_address_is_nobodys(returned: Returned, data: st.DataObject) -> None:
    local, _, domain = issue(returned).partition("@")
    start = local.index("+") + 1
    place = data.draw(st.integers(start, len(local) - 1))
    other = data.draw(st.sampled_from([each for each in "abcdefghijklmnopqrstuvwxyz234567" if each != local[place]]))
    assert not list(PATHS.find(f"{local[:place]}{other}{local[place + 1 :]}@{domain}"))
    assert not list(PATHS.find(f"{local[:place]}{local[place + 1 :]}@{domain}"))
    assert not list(PATHS.find(f"{local[:place]}{other}{local[place:]}@{domain}"))


@given(st.text(max_size=300))
def test_any_text_is_searched(text: str) -> None:
    assert not list(PATHS.find(text))
    assert list(PATHS.find(f"{text} <{PATHS.bounce(LETTER)}> {text}")) == [Returned("b", LETTER)]


def test_address_is_for_one_purpose_domain_and_keyring() -> None:
    address = PATHS.bounce(LETTER)
    leave = PATHS.leave(SUBSCRIPTION)
    for foreign in (
        address.replace("b+", "leave+", 1),
        leave.replace("leave+", "b+", 1),
        f"x{address}",
        f"{address}.example",
        address.replace("@", "@x."),
        address.replace("bounces.", "bouncesx"),
        issue(Returned("b", LETTER), ReturnPaths(make_keyring(), PATHS.domain)),
    ):
        assert not list(PATHS.find(foreign)), foreign


def test_addresses_outlive_a_new_key() -> None:
    newer = RING.with_new("token")
    address, leave = PATHS.bounce(LETTER), PATHS.leave(SUBSCRIPTION)
    paths = ReturnPaths(newer, PATHS.domain)
    assert list(paths.find(f"{address}, {leave}")) == [Returned("b", LETTER), Returned("leave", SUBSCRIPTION)]
    assert paths.bounce(LETTER) != address
    assert list(PATHS.find(paths.bounce(LETTER))) == [], "made with a key that this ring has not got"


def test_message_id_is_the_letters_own_and_stays() -> None:
    first = message_id(RING, LETTER, "blog.test")
    assert first == message_id(RING.with_new("token"), LETTER, "blog.test")
    assert first.startswith("<")
    assert first.endswith("@blog.test>")
    assert first != message_id(RING, bytes(8), "blog.test")
    assert LETTER.hex() not in first


@pytest.mark.parametrize("name", ["b", "leave"])
def test_long_domains_fit(name: str) -> None:
    """A path has at most 254 octets (RFC 5321, 4.5.3.1.3)."""
    domain = ".".join(["d" * 60] * 3)
    address = issue(
        Returned("b", LETTER) if name == "b" else Returned("leave", SUBSCRIPTION), ReturnPaths(RING, domain)
    )
    assert len(address) <= 254
