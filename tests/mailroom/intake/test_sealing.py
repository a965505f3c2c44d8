"""Sealing: within a size class nothing can be told from a blob's length; each expert opens it, and nobody else."""

from __future__ import annotations

import itertools
import traceback
from datetime import date, timedelta

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailroom.errors import ConfigurationError, InvalidSubmission, WrongKey
from mailroom.intake.container import SIZES, content_size
from mailroom.intake.sealing import (
    MOST_RECIPIENTS,
    REFUSE_AFTER,
    Recipient,
    fingerprint,
    read_recipients,
    refuse_old,
    seal,
    unseal,
)
from tests.mailroom.intake.stores import TEXTS, make_expert, sealed, with_file, write
from tests.mailroom.offices import NOON

EXPERTS = [make_expert() for _ in range(MOST_RECIPIENTS)]
TODAY = int(NOON // 86_400)


@pytest.mark.parametrize("lang", sorted(TEXTS))
@pytest.mark.parametrize("edge", SIZES[:-1])
def test_a_class_begins_where_the_one_before_ends(lang: str, edge: int) -> None:
    """The largest of a class, and an octet less and more, to one, two and three experts."""
    larger = SIZES[SIZES.index(edge) + 1]
    for experts, difference in itertools.product((1, 2, 3), (-1, 0, 1)):
        submission = write(lang, content_size(edge) + difference)
        found = seal(submission, [each.recipient for each in EXPERTS[:experts]])
        assert found.size == len(found.blob) == (larger if difference > 0 else edge)
        if experts == 3:
            assert unseal(found.blob, EXPERTS[2].identity) == submission


@pytest.mark.parametrize("lang", sorted(TEXTS))
def test_the_largest_of_all_is_no_larger(lang: str) -> None:
    for difference in (-1, 0):
        assert len(sealed(EXPERTS[0], lang, content_size(SIZES[-1]) + difference).blob) == SIZES[-1]


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.sampled_from(sorted(TEXTS)), st.integers(200, content_size(SIZES[1])), st.integers(1, 3))
def test_nothing_but_the_class_shows(lang: str, octets: int, experts: int) -> None:
    found = seal(write(lang, octets), [each.recipient for each in EXPERTS[:experts]])
    assert len(found.blob) == found.size == (SIZES[0] if octets <= content_size(SIZES[0]) else SIZES[1])


def test_there_is_room_for_what_age_adds_at_most() -> None:
    """A stanza of random length is added: many times, so that long ones are among them."""
    everybody = [each.recipient for each in EXPERTS]
    lengths = set()
    for _ in range(500):
        blob = seal(write("en", 300), everybody).blob
        assert len(blob) == SIZES[0]
        lengths.add(int.from_bytes(blob[:4], "big"))
    assert len(lengths) > 20, "they do differ before the random octets"
    assert max(lengths) < SIZES[0] - 80
    assert len(seal(write("en", content_size(SIZES[-1])), everybody).blob) == SIZES[-1]


def test_each_expert_opens_it_and_nobody_else() -> None:
    submission = with_file("fa", b"%PDF-1.7 \xff\x00")
    found = seal(submission, [each.recipient for each in EXPERTS[:3]])
    for each in EXPERTS[:3]:
        assert unseal(found.blob, each.identity) == submission
    with pytest.raises(WrongKey):
        unseal(found.blob, EXPERTS[3].identity)


def test_the_same_text_is_never_sealed_to_the_same_octets() -> None:
    one, other = (sealed(EXPERTS[0]).blob for _ in range(2))
    assert sum(a == b for a, b in zip(one, other, strict=True)) < 200


def test_keys_are_called_by_who_can_open_it() -> None:
    recipients = [each.recipient for each in EXPERTS[:3]]
    name = fingerprint(recipients)
    assert len(bytes.fromhex(name)) == 4
    assert seal(write("en", 300), recipients).key == name == fingerprint(recipients[::-1])
    assert name != fingerprint(recipients[:2])
    later = [Recipient(each.age, each.since + timedelta(days=1)) for each in recipients]
    assert fingerprint(later) == name


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.binary(max_size=100), st.booleans())
def test_hostile_blobs_are_refused(octets: bytes, padded: bool) -> None:
    with pytest.raises((InvalidSubmission, WrongKey)):
        unseal(octets.ljust(SIZES[0], b"\0") if padded else octets, EXPERTS[0].identity)


def test_what_others_sealed_to_us_is_read_with_suspicion() -> None:
    recipient = pyrage.x25519.Recipient.from_str(EXPERTS[0].recipient.age)
    for content in (b"", b"hello", bytes(content_size(SIZES[0])), bytes(content_size(SIZES[1]))):
        file = pyrage.encrypt(content, [recipient])
        blob = (len(file).to_bytes(4, "big") + file).ljust(SIZES[0], b"\0")
        with pytest.raises(InvalidSubmission):
            unseal(blob if len(blob) in SIZES else blob.ljust(SIZES[2], b"\0"), EXPERTS[0].identity)


@pytest.mark.parametrize("at", [0, 3, 4, 40, 300, 5000, SIZES[0] - 1])
def test_a_changed_blob_opens_as_it_was_or_not_at_all(at: int) -> None:
    found = bytearray(sealed(EXPERTS[0]).blob)
    found[at] ^= 1
    if at == SIZES[0] - 1:  # among the random octets
        assert unseal(bytes(found), EXPERTS[0].identity) == write("fa", 1000)
        return
    with pytest.raises((InvalidSubmission, WrongKey)):
        unseal(bytes(found), EXPERTS[0].identity)


# The setting


def test_recipients_are_read_with_their_days() -> None:
    one, other = (each.recipient.age for each in EXPERTS[:2])
    found = read_recipients(f" {one}  2026-11-01 ,{other} 2026-11-22,")
    assert found == (Recipient(one, date(2026, 11, 1)), Recipient(other, date(2026, 11, 22)))
    assert read_recipients("") == ()


@pytest.mark.parametrize(
    "text",
    [
        "{identity} 2026-11-01", "{age}", "{age} yesterday", "{age} 2026-11-31", "2026-11-01", "{cut} 2026-11-01",
        "{age} 2026-11-01 {age} 2026-11-02", "{age} 2026-11-01, {age} 2026-11-02", "age1canary 2026-11-01",
    ],
)  # fmt: skip
def test_what_is_no_recipient_is_refused_and_not_repeated(text: str) -> None:
    expert = make_expert()
    age, identity = expert.recipient.age, str(expert.identity)
    with pytest.raises(ConfigurationError) as caught:
        read_recipients(text.format(age=age, cut=age[:-1], identity=identity))
    shown = "".join(traceback.format_exception(caught.value))
    assert identity not in shown
    assert "MAILROOM_INTAKE_RECIPIENTS" in shown
    assert "2026-11-01, age1" in shown or "twice" in shown


def test_so_many_recipients_and_no_more() -> None:
    texts = [f"{each.recipient.age} 2026-11-01" for each in [*EXPERTS, make_expert()]]
    assert len(read_recipients(",".join(texts[:-1]))) == MOST_RECIPIENTS
    with pytest.raises(ConfigurationError, match="at most"):
        read_recipients(",".join(texts))


@pytest.mark.parametrize(("days", "remedy"), [(-2, "the day"), (-1, ""), (0, ""), (REFUSE_AFTER, ""), (181, "keygen")])
def test_a_key_is_refused_when_it_is_too_old(days: int, remedy: str) -> None:
    recipient = Recipient(EXPERTS[0].recipient.age, date(1970, 1, 1) + timedelta(days=TODAY - days))
    assert recipient.days(TODAY) == days
    if not remedy:
        refuse_old([recipient], TODAY)
        return
    with pytest.raises(ConfigurationError, match=remedy):
        refuse_old([recipient], TODAY)
