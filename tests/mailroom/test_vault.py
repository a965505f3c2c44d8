"""Sealing: opens at its place alone, says nothing by its length, and is found by keyed hashes."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.errors import Unreadable
from mailroom.store.keyring import make_keyring
from mailroom.store.vault import ADDRESS_SIZE, REQUEST_SIZE, Vault

RING = make_keyring()
VAULT = Vault(RING)
texts = st.text().filter(lambda text: len(text.encode()) <= ADDRESS_SIZE - 2)


@given(texts, st.binary())
def test_what_is_sealed_opens(text: str, place: bytes) -> None:
    assert VAULT.open(VAULT.seal(text, place), place) == text


@given(texts, st.binary(), st.binary())
def test_a_value_opens_at_its_place_alone(text: str, place: bytes, other: bytes) -> None:
    sealed = VAULT.seal(text, place)
    if place != other:
        with pytest.raises(Unreadable):
            VAULT.open(sealed, other)


@given(st.data())
def test_a_value_that_was_altered_does_not_open(data: st.DataObject) -> None:
    sealed = bytearray(VAULT.seal("reader@example.org", b"here"))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Unreadable):
        VAULT.open(bytes(sealed), b"here")


@given(st.binary(max_size=400))
def test_noise_does_not_open(noise: bytes) -> None:
    with pytest.raises(Unreadable):
        VAULT.open(noise, b"here")


@given(st.binary(max_size=40))
def test_noise_with_a_keys_number_does_not_open(noise: bytes) -> None:
    with pytest.raises(Unreadable):
        VAULT.open(b"\x01" + noise, b"here")


@given(texts, texts)
def test_all_sealed_addresses_are_of_one_length_and_none_is_like_another(one: str, other: str) -> None:
    assert len(VAULT.seal(one, b"here")) == len(VAULT.seal(other, b"here"))
    assert VAULT.seal(one, b"here") != VAULT.seal(one, b"here")


def test_what_does_not_fit_is_refused() -> None:
    VAULT.seal("x" * (REQUEST_SIZE - 2), b"here", REQUEST_SIZE)
    with pytest.raises(ValueError, match="do not fit"):
        VAULT.seal("x" * (REQUEST_SIZE - 1), b"here", REQUEST_SIZE)


def test_another_ring_opens_nothing() -> None:
    with pytest.raises(Unreadable):
        Vault(make_keyring()).open(VAULT.seal("reader@example.org", b"here"), b"here")


def test_a_new_key_seals_and_the_old_one_still_opens() -> None:
    old = VAULT.seal("reader@example.org", b"here")
    grown = Vault(RING.with_new("data", "lookup"))
    assert grown.open(old, b"here") == "reader@example.org"
    assert not grown.is_current(old)
    assert grown.is_current(grown.seal("reader@example.org", b"here"))
    with pytest.raises(Unreadable, match="MAILROOM_KEY"):
        VAULT.open(grown.seal("reader@example.org", b"here"), b"here")


def test_an_address_is_looked_up_under_every_key() -> None:
    grown = Vault(RING.with_new("data", "lookup"))
    assert [each.key for each in grown.lookups("reader@example.org")] == [2, 1]
    assert grown.lookups("reader@example.org")[1] == VAULT.lookup("reader@example.org")
    assert grown.check() == VAULT.check(), "a database is the same keyring's after new keys"


def test_a_lookup_needs_the_key() -> None:
    assert VAULT.lookup("reader@example.org").value != hashlib.sha256(b"reader@example.org").digest()
    assert VAULT.lookup("reader@example.org") != Vault(make_keyring()).lookup("reader@example.org")


def test_a_domain_is_no_address() -> None:
    assert VAULT.domain("a@example.org") == VAULT.domain("b@example.org") != VAULT.domain("a@example.net")
    assert VAULT.domain("a@example.org") != VAULT.lookup("a@example.org").value
