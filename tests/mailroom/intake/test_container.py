"""The container: what was packed is unpacked; whatever else somebody sealed to us is refused, and not quoted."""

from __future__ import annotations

import json
import traceback
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailroom.errors import InvalidSubmission, TooLarge
from mailroom.intake.container import SIZES, content_size, pack, unpack
from mailroom.intake.forms import KINDS, LARGEST_FILES, LONGEST_MESSAGE, Attachment, Submission
from tests.mailroom.intake.stores import TEXTS, write

names = st.from_regex(r"[a-z][a-z_]{0,20}", fullmatch=True)
attachments = st.builds(Attachment, st.sampled_from(KINDS), st.binary(max_size=3000))
submissions = st.builds(
    Submission,
    names,
    st.sampled_from(sorted(TEXTS)),
    st.lists(st.tuples(names, st.text()), max_size=12).map(tuple),
    st.lists(attachments, max_size=5).map(tuple),
)
WHOLE: dict[str, Any] = {"face": "report", "lang": "fa", "fields": [["message", "x"]], "attachments": [["pdf", 3]]}


def packed(about: object, rest: bytes = b"abc", *, version: int = 1) -> bytes:
    written = about if isinstance(about, bytes) else json.dumps(about).encode()
    octets = bytes([version]) + len(written).to_bytes(4, "big") + written + rest
    return octets.ljust(content_size(SIZES[0]), b"\0")


@settings(derandomize=True, max_examples=100, deadline=None)
@given(submissions)
def test_what_is_packed_is_unpacked(submission: Submission) -> None:
    octets = pack(submission)
    assert len(octets) in map(content_size, SIZES)
    assert unpack(octets) == submission


@pytest.mark.parametrize("lang", sorted(TEXTS))
def test_the_largest_that_the_form_takes_fits(lang: str) -> None:
    longest = (TEXTS[lang] * LONGEST_MESSAGE)[:LONGEST_MESSAGE]
    fields = (
        ("message", longest),
        ("message_with_lines", "\n" * LONGEST_MESSAGE),
        *[("name", "\U00020000" * 500)] * 12,
    )
    submission = Submission("report", lang, fields, (Attachment("bin", b"\xff" * LARGEST_FILES),))
    assert unpack(pack(submission)) == submission


def test_what_is_larger_is_refused() -> None:
    most = content_size(SIZES[-1])
    assert len(pack(write("en", most))) == most
    with pytest.raises(TooLarge):
        pack(write("en", most + 1))


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.sampled_from([0, 1, 8000]))
def test_hostile_octets_are_refused(octets: bytes, fill: int) -> None:
    for each in (octets, (octets + bytes(fill)).ljust(content_size(SIZES[0]), b"\0")):
        with pytest.raises(InvalidSubmission):
            unpack(each)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(submissions, st.integers(0), st.integers(1, 255))
def test_an_octet_that_was_changed_is_refused_or_changes_nothing_else(submission: Submission, at: int, by: int) -> None:
    octets = bytearray(pack(submission))
    octets[at % len(octets)] ^= by
    try:
        found = unpack(bytes(octets))
    except InvalidSubmission:
        return
    assert len(pack(found)) == len(octets)
    assert all(each.kind in KINDS for each in found.attachments)


@pytest.mark.parametrize(
    "wrong",
    [
        {}, [], None, 1, "report", b"", b"\xff", b"[" * 6000, b'{"a":' * 1000, b"9" * 5000, WHOLE | {"more": 1},
        WHOLE | {"face": 1}, WHOLE | {"face": "../x"}, WHOLE | {"lang": "fa\n"}, WHOLE | {"fields": {}},
        WHOLE | {"fields": [["message"]]}, WHOLE | {"fields": [["message", None]]}, WHOLE | {"fields": [["a b", "x"]]},
        WHOLE | {"fields": ["ab"]}, WHOLE | {"fields": [["message", "\ud800"]]}, WHOLE | {"attachments": [["pdf", -3]]},
        WHOLE | {"attachments": [["pdf", 10**9]]}, WHOLE | {"attachments": [["pdf", True]]},
        WHOLE | {"attachments": [["pdf", 3.0]]}, WHOLE | {"attachments": [["pdf", 2]]}, WHOLE | {"attachments": []},
    ],
    ids=str,
)  # fmt: skip
def test_what_pack_does_not_make_is_refused(wrong: object) -> None:
    assert unpack(packed(WHOLE)).attachments == (Attachment("pdf", b"abc"),)
    with pytest.raises(InvalidSubmission):
        unpack(packed(wrong))


def test_another_version_and_another_length_are_refused() -> None:
    for octets in (packed(WHOLE, version=2), packed(WHOLE)[:-1], packed(WHOLE) + b"\0", b"\x01\xff\xff\xff\xff"):
        with pytest.raises(InvalidSubmission):
            unpack(octets)


def test_a_kind_that_we_do_not_know_becomes_the_end_of_no_files_name() -> None:
    assert unpack(packed(WHOLE | {"attachments": [["exe", 3]]})).attachments == (Attachment("bin", b"abc"),)


@pytest.mark.parametrize(
    "broken", [Submission("report", "fa", (("message", "canary \ud800"),)), packed(b'{"canary'), packed([["canary"]])]
)
def test_no_message_quotes_what_somebody_wrote(broken: Any) -> None:
    with pytest.raises(InvalidSubmission) as caught:
        pack(broken) if isinstance(broken, Submission) else unpack(broken)
    shown = "".join(traceback.format_exception(caught.value))
    assert "canary" not in shown


def test_a_submission_does_not_show_what_it_holds() -> None:
    submission = write("en", 3000)
    assert "expert" not in f"{submission!r}{submission}{submission.attachments!r}"
