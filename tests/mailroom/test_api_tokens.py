"""Tokens of the API: shown once, kept hashed, good for a while."""

from __future__ import annotations

import hashlib

import pytest

from mailroom.campaigns.api_tokens import LONGEST, PREFIX, ApiToken, ApiTokens
from mailroom.clock import DAY
from mailroom.errors import MailroomError
from mailroom.office import Office
from tests.mailroom.offices import Watch


@pytest.fixture
def tokens(office: Office) -> ApiTokens:
    return ApiTokens(office.database, office.clock)


def test_a_token_is_kept_as_its_hash_alone(office: Office, tokens: ApiTokens) -> None:
    token = tokens.create("ci", "draft")
    assert token.startswith(PREFIX)
    assert len(token.removeprefix(PREFIX)) == 43  # 256 bits
    row = office.database.read("SELECT * FROM api_tokens")[0]
    assert bytes(row["hash"]) == hashlib.sha256(token.encode()).digest()
    assert token.encode() not in office.settings.database.read_bytes()
    assert tokens.create("other", "draft") != token


def test_a_token_is_found_until_it_expires_or_is_revoked(tokens: ApiTokens, watch: Watch) -> None:
    short, long = tokens.create("short", "draft", days=1), tokens.create("long", "send", days=2)
    today = int(watch.now // DAY)
    assert tokens.find(short) == ApiToken("short", "draft", today + 1, revoked=False)
    assert tokens.find(short[:-1]) is tokens.find("") is tokens.find(short.upper()) is None
    watch.pass_(DAY)
    assert tokens.find(short) is None
    assert tokens.find(long)
    tokens.revoke("long")
    tokens.revoke("long")
    assert tokens.find(long) is None
    assert [(each.name, each.revoked) for each in tokens.list()] == [("long", True), ("short", False)]
    with pytest.raises(MailroomError, match="no token"):
        tokens.revoke("none")


def test_a_name_is_free_again_when_its_token_is_no_longer_good(tokens: ApiTokens, watch: Watch) -> None:
    tokens.create("ci", "draft")
    with pytest.raises(MailroomError, match="Revoke it first"):
        tokens.create("ci", "send")
    tokens.revoke("ci")
    tokens.create("ci", "send", days=1)
    watch.pass_(DAY)
    tokens.create("ci", "intake")
    assert [each.scope for each in tokens.list()] == ["intake"]


@pytest.mark.parametrize(
    ("scope", "allowed"), [("draft", {"draft"}), ("send", {"draft", "send"}), ("intake", {"intake"})]
)
def test_a_scope_allows_what_it_says(scope: str, allowed: set[str]) -> None:
    token = ApiToken("ci", scope, 1, revoked=False)  # type: ignore[arg-type]
    assert {each for each in ("draft", "send", "intake") if token.allows(each)} == allowed


@pytest.mark.parametrize("name", ["", "-ci", "a b", "ä", "a" * 41, "a\n"])
def test_a_name_is_a_word(tokens: ApiTokens, name: str) -> None:
    with pytest.raises(MailroomError, match="no name"):
        tokens.create(name, "draft")


@pytest.mark.parametrize("days", [0, -1, LONGEST + 1])
def test_no_token_is_for_ever(tokens: ApiTokens, days: int) -> None:
    with pytest.raises(MailroomError, match="cannot be good"):
        tokens.create("ci", "draft", days)
