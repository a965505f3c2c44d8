"""The keyring: read and written whole, for its owner's eyes only, its secrets in no message."""

from __future__ import annotations

import base64
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.errors import ConfigurationError
from mailroom.office import Office
from mailroom.store.keyring import (
    KINDS,
    Keyring,
    load_keyring,
    make_keyring,
    parse_keyring,
    save_keyring,
    write_keyring,
)

numbered = st.dictionaries(st.integers(1, 255), st.binary(min_size=32, max_size=32), min_size=1, max_size=5)
rings = st.builds(Keyring, st.fixed_dictionaries(dict.fromkeys(KINDS, numbered)))


@given(rings)
def test_a_written_ring_reads_back(ring: Keyring) -> None:
    assert parse_keyring(write_keyring(ring)) == ring


@given(rings)
def test_the_highest_number_makes_what_is_new(ring: Keyring) -> None:
    for kind in KINDS:
        number, secret = ring.current(kind)
        assert number == max(ring.keys[kind])
        assert ring.get(kind, number) == secret
        assert [each for each, _ in ring.newest_first(kind)] == sorted(ring.keys[kind], reverse=True)


@given(st.text())
def test_whatever_is_no_ring_is_a_configuration_error(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_keyring(text)


@given(st.lists(st.sampled_from(["data", "lookup", "token", "1", "0256", "9" * 5000, "AAAA", "#", "\n"])))
def test_nearly_a_ring_is_a_configuration_error(words: list[str]) -> None:
    with pytest.raises(ConfigurationError):
        parse_keyring(" ".join(words))


def test_an_error_names_the_line_and_never_the_secret() -> None:
    secret = base64.urlsafe_b64encode(bytes(range(30))).decode()
    with pytest.raises(ConfigurationError) as caught:
        parse_keyring(f"# a comment\ndata 1 {secret}\n")
    shown = "".join(traceback.format_exception(caught.value))
    assert "line 2" in shown
    assert secret not in shown


def test_two_keys_of_one_number_are_refused() -> None:
    text = write_keyring(make_keyring())
    with pytest.raises(ConfigurationError, match="two keys"):
        parse_keyring(text + text)


def test_a_ring_shows_no_secret() -> None:
    ring = make_keyring()
    for kind in KINDS:
        secret = ring.current(kind)[1]
        assert repr(secret) not in repr(ring)
        assert base64.urlsafe_b64encode(secret).decode() not in f"{ring} {ring!r}"


def test_an_open_mailroom_shows_no_secret(office: Office) -> None:
    shown = f"{office!r}{office.vault!r}{office.tokens!r}{office.requests!r}{vars(office.vault)['ring']!r}"
    for kind in KINDS:
        secret = office.ring.current(kind)[1]
        assert repr(secret)[2:-1] not in shown
        assert base64.urlsafe_b64encode(secret).decode() not in shown


def test_new_keys_follow_the_old_ones() -> None:
    ring = make_keyring().with_new("data", "lookup")
    numbers = {kind: sorted(ring.keys[kind]) for kind in KINDS}
    assert numbers == {kind: [1] for kind in KINDS} | {"data": [1, 2], "lookup": [1, 2]}
    assert sorted(ring.without("data", 1).keys["data"]) == [2]
    assert sorted(ring.keys["data"]) == [1, 2], "the ring it came from is as it was"


def test_a_full_ring_says_so() -> None:
    ring = Keyring({**make_keyring().keys, "token": {255: bytes(32)}})
    with pytest.raises(ConfigurationError, match="full"):
        ring.with_new("token")


def test_a_saved_ring_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "mailroom.key"
    first, second = make_keyring(), make_keyring()
    save_keyring(first, path)
    assert load_keyring(path) == first
    assert path.stat().st_mode & 0o777 == 0o600
    save_keyring(second, path)
    assert load_keyring(path) == second
    assert list(path.parent.iterdir()) == [path], "nothing half written stays"


def test_a_ring_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mailroom.key"
    save_keyring(make_keyring(), path)
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_keyring(path)


def test_a_missing_ring_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="mailroom init"):
        load_keyring(tmp_path / "mailroom.key")


def test_a_ring_from_before_there_was_an_intake_is_completed() -> None:
    whole = make_keyring()
    old = parse_keyring("\n".join(line for line in write_keyring(whole).splitlines() if "receipt" not in line))
    assert old.keys == whole.keys | {"receipt-salt": {}, "receipt-secret": {}}
    assert parse_keyring(write_keyring(old)) == old
    completed = old.completed()
    assert {kind: len(completed.keys[kind]) for kind in KINDS} == dict.fromkeys(KINDS, 1)
    assert completed.keys["data"] == whole.keys["data"]
    assert completed.completed() is completed
