"""The API's part for experts, over its real server: what it hands over, to whom, and what it says of the server."""

from __future__ import annotations

import hashlib
import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from mailroom.campaigns.api_tokens import ApiTokens
from mailroom.intake.sealing import unseal
from tests.mailroom.intake.practice import MESSAGE, Practice, practising
from tests.mailroom.intake.stores import lookup_of


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    with practising(tmp_path_factory.mktemp("practice")) as made:
        yield made


def ask(practice: Practice, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, bytes]:
    parts = urlsplit(practice.api)
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    headers = {"Authorization": f"Bearer {token or practice.token}", "Content-Type": "application/json"}
    try:
        connection.request(method, parts.path + path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.status, answer.read()
    finally:
        connection.close()


def test_a_submission_is_listed_fetched_and_acknowledged(practice: Practice) -> None:
    identity = practice.send(MESSAGE, "receipt")
    status, content = ask(practice, "GET", "submissions")
    found = json.loads(content)
    assert status == 200
    assert found.keys() == {"submissions", "recipients", "form", "token", "health"}
    [one] = found["submissions"]
    assert one.keys() == {"id", "day", "size", "key", "state"}
    assert (one["id"], one["size"], one["state"]) == (identity, 8192, "stored")
    [recipient] = found["recipients"]
    assert recipient["age"] == str(practice.house.identity.to_public())
    assert found["form"] == practice.house.settings.url + "form"
    assert {each["verdict"] for each in found["health"]} <= {"ok", "look", "wrong"}
    assert "recipients" not in json.dumps(found["health"]), "an expert's program judges them itself"

    status, octets = ask(practice, "GET", f"submissions/{identity}")
    assert unseal(octets, practice.house.identity) == MESSAGE
    assert practice.house.store.state(lookup_of("receipt")) == "fetched"

    path = f"submissions/{identity}/acknowledge"
    assert ask(practice, "POST", path, {"sha256": "0" * 64})[0] == 412
    assert practice.house.store.state(lookup_of("receipt")) == "fetched"
    for nonsense in ({}, {"sha256": 1}, {"sha256": "0"}, {"sha256": "0" * 64, "more": "x"}):
        assert ask(practice, "POST", path, nonsense)[0] == 422
    assert ask(practice, "POST", path, {"sha256": hashlib.sha256(octets).hexdigest()}) == (204, b"")
    assert practice.house.store.state(lookup_of("receipt")) == "acknowledged"
    assert ask(practice, "GET", f"submissions/{identity}")[0] == 404


def test_a_submission_is_deleted_unread(practice: Practice) -> None:
    identity = practice.send(MESSAGE, "unread")
    assert ask(practice, "DELETE", f"submissions/{identity}")[0] == 204
    assert practice.house.store.state(lookup_of("unread")) is None
    assert ask(practice, "DELETE", f"submissions/{identity}")[0] == 404
    assert ask(practice, "GET", "submissions/nonsense")[0] == 404


def test_scopes_are_closed_to_each_other(practice: Practice) -> None:
    tokens = ApiTokens(practice.office.database, practice.office.clock)
    identity = practice.send(MESSAGE)
    ours = (("GET", "submissions"), ("GET", f"submissions/{identity}"), ("DELETE", f"submissions/{identity}"),
            ("POST", f"submissions/{identity}/acknowledge"))  # fmt: skip
    for scope in ("draft", "send"):
        token = tokens.create(scope, scope)
        for method, path in ours:
            assert ask(practice, method, path, token=token)[0] == 403
    for method, path in (("GET", "campaigns"), ("PUT", "campaigns/en-x"), ("POST", "campaigns/en-x/start")):
        assert ask(practice, method, path, {})[0] == 403
    for method, path in ours:
        assert ask(practice, method, path, token="nonsense")[0] == 401
    assert [each.state for each in practice.house.store.list()] == ["stored"]


def test_only_what_a_doctor_asks_is_looked_for_in_logs(practice: Practice) -> None:
    for query in (
        "seen=root",
        "seen=doctor-1",
        "other=1",
        "seen=doctor-%2e%2e%2e%2e%2e%2e%2e%2e%2e%2e%2e%2e%2e%2e%2e%2e",
    ):
        assert ask(practice, "GET", f"submissions?{query}")[0] == 400
    assert ask(practice, "GET", "submissions?seen=doctor-0123456789abcdef")[0] == 200


def test_without_an_intake_there_is_nothing(tmp_path: Path) -> None:
    with practising(tmp_path) as practice:
        practice.house.settings.intake_database.unlink()
        status, content = ask(practice, "GET", "submissions")
        assert (status, json.loads(content)["detail"]) == (404, "There is no intake here")
