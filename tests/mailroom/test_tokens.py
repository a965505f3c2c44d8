"""Tokens: whole, ours, for this purpose and in time, or worth nothing."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.clock import DAY, HOUR
from mailroom.errors import ExpiredToken, InvalidToken
from mailroom.store.keyring import make_keyring
from mailroom.tokens import HOURS, Purpose, Tokens
from tests.mailroom.offices import NOON

RING = make_keyring()
TOKENS = Tokens(RING)
WHO = bytes(range(16))
ids = st.binary(min_size=16, max_size=16)
purposes = st.sampled_from(Purpose)


@given(purposes, ids, st.floats(0, 4e9))
def test_a_token_is_read_back_and_says_nothing_else(purpose: Purpose, who: bytes, now: float) -> None:
    token = TOKENS.issue(purpose, who, now)
    assert re.fullmatch(r"[A-Za-z0-9_-]{52}", token)
    assert TOKENS.read(purpose, token, now) == who


@given(purposes, purposes)
def test_a_token_is_for_one_purpose(made_for: Purpose, used_for: Purpose) -> None:
    token = TOKENS.issue(made_for, WHO, NOON)
    if made_for != used_for:
        with pytest.raises(InvalidToken):
            TOKENS.read(used_for, token, NOON)


@given(st.data(), purposes)
def test_a_token_that_was_altered_is_not_ours(data: st.DataObject, purpose: Purpose) -> None:
    octets = bytearray(base64.urlsafe_b64decode(TOKENS.issue(purpose, WHO, NOON)))
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= data.draw(st.integers(1, 255))
    forged = base64.urlsafe_b64encode(octets).decode()
    for each in Purpose:
        with pytest.raises(InvalidToken):
            TOKENS.read(each, forged, NOON)


@given(st.one_of(st.text(), st.binary().map(lambda noise: base64.urlsafe_b64encode(noise).decode())), purposes)
def test_noise_is_no_token(noise: str, purpose: Purpose) -> None:
    with pytest.raises(InvalidToken) as caught:
        TOKENS.read(purpose, noise, NOON)
    assert not noise.strip() or len(noise) < 8 or noise not in str(caught.value)


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if HOURS[purpose]])
def test_a_token_ends_on_time(purpose: Purpose) -> None:
    token = TOKENS.issue(purpose, WHO, NOON)
    life = (HOURS[purpose] or 0) * HOUR
    assert TOKENS.read(purpose, token, NOON + life) == WHO
    with pytest.raises(ExpiredToken):
        TOKENS.read(purpose, token, NOON + life + 61)


@pytest.mark.parametrize("purpose", [Purpose.UNSUBSCRIBE, Purpose.SETTINGS])
def test_the_links_of_letters_never_end(purpose: Purpose) -> None:
    assert TOKENS.read(purpose, TOKENS.issue(purpose, WHO, NOON), NOON + 50 * 365 * DAY) == WHO


def test_another_ring_made_none_of_our_tokens() -> None:
    with pytest.raises(InvalidToken):
        TOKENS.read(Purpose.CONFIRM, Tokens(make_keyring()).issue(Purpose.CONFIRM, WHO, NOON), NOON)


def test_old_keys_still_read_and_no_longer_sign() -> None:
    old = TOKENS.issue(Purpose.UNSUBSCRIBE, WHO, NOON)
    grown = Tokens(RING.with_new("token"))
    assert grown.read(Purpose.UNSUBSCRIBE, old, NOON) == WHO
    with pytest.raises(InvalidToken):
        TOKENS.read(Purpose.UNSUBSCRIBE, grown.issue(Purpose.UNSUBSCRIBE, WHO, NOON), NOON)
