"""Addresses: which ones are taken, and which two are one person's."""

from __future__ import annotations

import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.errors import InvalidAddress
from mailroom.people.addresses import LONGEST, normalise, read_address

ATEXT = "abcxyzABCXYZ0189!#$%&'*+-/=?^_`{|}~"
locals_ = st.lists(st.text(ATEXT, min_size=1, max_size=12), min_size=1, max_size=4).map(".".join)
labels = st.from_regex(r"[a-zA-Z]([a-z0-9]{0,8}[a-z])?", fullmatch=True)
domains = st.lists(labels, min_size=2, max_size=4).map(lambda parts: ".".join([*parts, "example"]))
addresses = st.builds("{}@{}".format, locals_, domains)


@given(addresses)
def test_an_address_is_taken_as_it_is(address: str) -> None:
    read = read_address(f" {address}\n")
    local, _, domain = address.rpartition("@")
    assert read == f"{local}@{domain.lower()}"
    assert read_address(read) == read


@given(addresses)
def test_case_makes_no_other_person(address: str) -> None:
    assert normalise(read_address(address.upper())) == normalise(read_address(address.lower()))
    assert normalise(normalise(address)) == normalise(address)


@given(st.text())
def test_whatever_is_typed_is_an_address_or_invalid(text: str) -> None:
    try:
        read = read_address(text)
    except InvalidAddress:
        return
    assert read.count("@") == 1
    assert len(read.encode()) <= LONGEST
    assert not set(read) & set(' \r\n\t\0<>,;:"')


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("Reader@EXAMPLE.org", "Reader@example.org"),
        ("reader+tag@example.org", "reader+tag@example.org"),
        ("reader@xn--bcher-kva.example", "reader@bücher.example"),
        ("reader@Bücher.example", "reader@bücher.example"),
        ("u\u0308ber@example.org", "über@example.org"),
        ("خواننده@نمونه.example", "خواننده@نمونه.example"),
        ("读者@例子.example", "读者@例子.example"),
        ("reader@example。org", "reader@example.org"),
    ],
)
def test_internationalised_addresses_are_addresses(typed: str, read: str) -> None:
    assert read_address(typed) == read


@pytest.mark.parametrize(
    "typed",
    [
        "", "@", "reader", "reader@", "@example.org", "reader@localhost", "a@b@example.org", "reader@example..org",
        ".reader@example.org", "reader.@example.org", "rea der@example.org", "Reader <reader@example.org>",
        "reader@example.org, other@example.org", "reader@example.org\nBcc: other@example.org", "reader@exa\r\nmple.org",
        '"rea der"@example.org', "reader@[127.0.0.1]", "reader@127.0.0.1", "reader(comment)@example.org",
        "reader@-example.org", "reader@example.org\0", "r\0eader@example.org", "reader@exam\u202eple.org",
        "x" * 250 + "@example.org", "reader@" + "x" * 64 + ".org", "reader@" + ".".join(["x" * 60] * 5),
        "\ud800@example.org",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_repeating_it(typed: str) -> None:
    with pytest.raises(InvalidAddress) as caught:
        read_address(typed)
    assert len(typed) < 3 or typed not in str(caught.value)


@pytest.mark.parametrize("end", ["@[10.0.0.1]", "@10.0.0.1", "@-example.org", "@exa mple.org", ", a@b.org"])
def test_tracebacks_that_are_logged_do_not_hold_what_was_typed(end: str) -> None:
    typed = "somebody-in-danger" + end
    with pytest.raises(InvalidAddress) as caught:
        read_address(typed)
    assert "somebody-in-danger" not in "".join(traceback.format_exception(caught.value))
