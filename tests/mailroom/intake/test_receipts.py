"""Receipts: read in the digits of any script; found by nobody who has the database without the keyring."""

from __future__ import annotations

import traceback
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailroom.errors import ConfigurationError, InvalidReceipt
from mailroom.intake.receipts import LENGTH, Lookup, make_receipt, read_receipt
from mailroom.store.keyring import Keyring, Kind, make_keyring
from tests.mailroom.intake.stores import lookup_of, make_expert, make_store, sealed

RING = make_keyring()
#: Zeros of scripts: ASCII, Arabic, Persian, Devanagari, fullwidth, mathematical.
ZEROS = "0٠۰०０𝟎"


@settings(derandomize=True, max_examples=100, deadline=None)
@given(
    st.integers(0, 10**16 - 1),
    st.lists(st.sampled_from(ZEROS), min_size=16, max_size=16),
    st.lists(st.sampled_from(["", " ", "-", "‐", "–", "\u00a0", "\u202f", "\u200f", "\u2068", "\n"]), min_size=16),
)
def test_a_receipt_is_read_however_it_is_written(number: int, zeros: list[str], between: list[str]) -> None:
    receipt = f"{number:016}"
    typed = "".join(
        gap + chr(ord(zero) + int(digit)) for gap, zero, digit in zip(between, zeros, receipt, strict=False)
    )
    assert read_receipt(typed) == receipt


def test_in_persian_digits() -> None:
    assert read_receipt("۱۲۳۴ ۵۶۷۸ ۹۰۱۲ ۳۴۵۶") == "1234567890123456"
    assert read_receipt("\u2067۱۲۳۴\u200c-\u200f۵۶۷۸-۹۰۱۲-۳۴۵۶\u2069") == "1234567890123456"


@pytest.mark.parametrize(
    "text",
    ["", " ", "123456789012345", "12345678901234567", "123456789012345x", "²" * 16, "½" * 16, "一" * 16, "1" * 10**6,
     "1234.5678.9012.3456", "+123456789012345", "\0" * 16, "\ud800" + "1" * 16, "-" * 100, "1" * 16 + " " * 100],
    ids=range(15),
)  # fmt: skip
def test_what_is_no_receipt_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidReceipt) as caught:
        read_receipt(text)
    assert caught.value.__cause__ is None
    assert str(caught.value) == "This is no receipt. A receipt has 16 digits."


def test_receipts_are_random_digits() -> None:
    made = {make_receipt() for _ in range(1000)}
    assert len(made) == 1000
    assert all(len(each) == 16 and each.isascii() and each.isdecimal() for each in made)
    assert {each[0] for each in made} == set("0123456789")


def test_a_value_is_the_same_each_time_and_another_for_another_receipt() -> None:
    lookup = Lookup(RING, development=True)
    value = lookup.value("1234567890123456")
    assert len(value) == LENGTH
    assert Lookup(RING, development=True).value("1234567890123456") == value
    assert lookup.value("1234567890123457") != value


@pytest.mark.parametrize("kind", ["receipt-salt", "receipt-secret"])
def test_both_secrets_matter(kind: Kind, tmp_path: Path) -> None:
    """Whoever copied the database and has not the keyring, nor half of it, cannot look a receipt up there."""
    receipt = make_receipt()
    other = Keyring({**RING.keys, kind: make_keyring().keys[kind]})
    right, wrong = (Lookup(ring, development=True).value(receipt) for ring in (RING, other))
    store = make_store(tmp_path)
    store.store(sealed(make_expert()), right)
    assert store.state(wrong) is None
    assert not store.delete(wrong)
    assert store.state(lookup_of(receipt)) is None
    assert store.state(right) == "stored"
    assert receipt.encode() not in store.path.read_bytes()


def test_a_ring_without_these_keys_says_what_makes_them() -> None:
    old = replace(RING, keys={**RING.keys, "receipt-salt": {}, "receipt-secret": {}})
    with pytest.raises(ConfigurationError, match="mailroom migrate"):
        Lookup(old)
    Lookup(old.completed())


def test_a_lookup_shows_no_secret() -> None:
    lookup = Lookup(RING)
    assert "receipt" not in repr(lookup).lower().replace("receipts", "")
    with pytest.raises(UnicodeEncodeError) as caught:
        lookup.value("۱")
    shown = "".join(traceback.format_exception(caught.value))
    assert not any(repr(RING.current(kind)[1])[2:-1] in shown for kind in ("receipt-salt", "receipt-secret"))
