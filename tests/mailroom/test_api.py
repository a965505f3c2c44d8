"""The API as its clients meet it: what it takes, what it refuses and in which words, and that nothing is done twice."""

from __future__ import annotations

import http.client
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from falcon.testing import Result, TestClient
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailroom.campaigns.api_tokens import ApiTokens
from mailroom.campaigns.campaigns import TESTS_PER_DAY
from mailroom.campaigns.submissions import LONGEST_HOLD
from mailroom.office import Office
from mailroom.web.api import LARGEST, make_api
from mailroom.web.server import Server
from tests.mailroom.offices import Watch, count, make_settings, new_office
from tests.mailroom.readers import add_readers, digest_of, set_letters

BASE = "/mail/api/campaigns"
KEY = "en-0123456789abcdef"
EDITOR = "editor@news.example"
FIELDS = {
    "kind": "post",
    "lang": "en",
    "post": "an-article",
    "digest": digest_of(KEY),
    "subject": "A subject",
    "preheader": "Before it",
    "title": "A title",
    "summary": "What it is about.",
    "url": "https://news.example/en/an-article/",
    "html": '<p lang="en" dir="ltr">What happened, <a href="https://news.example/">here</a>.</p>',
    "text": "What happened, here [1].\n\n[1] https://news.example/\n",
}
DIGESTS = {"digests": {KEY: FIELDS["digest"]}}


@dataclass(frozen=True)
class Caller:
    """A client with a token."""

    office: Office
    client: TestClient
    token: str

    def ask(self, method: str, path: str = "", fields: Any = None, **given: Any) -> Result:
        headers = {"Authorization": f"Bearer {self.token}"} | given.pop("headers", {})
        if fields is not None:
            given["body"] = json.dumps(fields)
            headers.setdefault("Content-Type", "application/json")
        return self.client.simulate_request(method, BASE + path, headers=headers, **given)

    def put(self, key: str = KEY, **changes: Any) -> Result:
        """Hand in a draft; a change to None leaves the field out."""
        fields = {name: value for name, value in (FIELDS | changes).items() if value is not None}
        return self.ask("PUT", f"/{key}", fields)

    def refused(self, status: int, answer: Result) -> str:
        """The detail of a refusal."""
        assert answer.status_code == status, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert set(answer.json) == {"title", "detail", "remedy"}
        assert all(answer.json.values())
        return str(answer.json["detail"])


@pytest.fixture(scope="module")
def module_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office")
    with new_office(make_settings(folder, editors=("Editor@news.example",)), Watch()) as opened:
        yield opened


@pytest.fixture
def office(module_office: Office) -> Office:
    def empty(connection: Any) -> None:
        for table in ("letters", "received", "campaigns", "subscriptions", "api_tokens"):
            connection.execute(f"DELETE FROM {table}")  # noqa: S608

    module_office.database.write(empty)
    return module_office


@pytest.fixture(scope="module")
def client(module_office: Office) -> TestClient:
    return TestClient(make_api(module_office))


@pytest.fixture
def drafter(office: Office, client: TestClient) -> Caller:
    return Caller(office, client, ApiTokens(office.database, office.clock).create("ci", "draft"))


@pytest.fixture
def sender(office: Office, client: TestClient) -> Caller:
    return Caller(office, client, ApiTokens(office.database, office.clock).create("editor", "send"))


# Tokens


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic eDp5", "Bearer \xff", "Bearer {} more"])
@pytest.mark.parametrize("path", ["", f"/{KEY}", "/nowhere/at/all"])
def test_without_a_good_token_there_is_nothing_to_see(drafter: Caller, header: str, path: str) -> None:
    headers = {"Authorization": header.format(drafter.token)} if header else {}
    answer = drafter.client.simulate_get(BASE + path, headers=headers)
    drafter.refused(401, answer)
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="mailroom"')
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_revoked_token_is_refused(drafter: Caller) -> None:
    assert drafter.ask("GET").status_code == 200
    ApiTokens(drafter.office.database, drafter.office.clock).revoke("ci")
    drafter.refused(401, drafter.ask("GET"))


def test_who_may_draft_cannot_send(drafter: Caller) -> None:
    drafter.put()
    for word in ("start", "stop"):
        detail = drafter.refused(403, drafter.ask("POST", f"/{KEY}/{word}", DIGESTS))
        assert "its scope is draft" in detail
    assert drafter.ask("GET", f"/{KEY}").json["state"] == "draft"


def test_intake_is_another_scope(office: Office, client: TestClient) -> None:
    caller = Caller(office, client, ApiTokens(office.database, office.clock).create("desk", "intake"))
    caller.refused(403, caller.ask("GET"))
    caller.refused(403, caller.put())


# Drafts


def test_a_draft_is_handed_in_changed_shown_and_deleted(drafter: Caller) -> None:
    add_readers(drafter.office, [{}, {"langs": "fa,en"}, {"rhythm": "weekly"}])
    answer = drafter.put()
    assert answer.status_code == 201
    shown: dict[str, Any] = {
        "key": KEY, "kind": "post", "lang": "en", "post": "an-article", "corrects": None, "digest": FIELDS["digest"],
        "state": "draft", "created": "2025-11-08", "started": None, "release": None, "letters": {},
    }  # fmt: skip
    assert answer.json == shown
    assert drafter.put().status_code == 200
    assert drafter.put(subject="Another").status_code == 200
    assert drafter.ask("GET", f"/{KEY}").json == shown | {"recipients": 2}
    content = json.loads(drafter.office.database.read("SELECT content FROM campaigns")[0][0])
    kept = ("subject", "preheader", "title", "summary", "url", "html", "text")
    assert content == {name: FIELDS[name] for name in kept} | {"subject": "Another", "reply_to": ""}
    assert drafter.ask("DELETE", f"/{KEY}").status_code == 204
    drafter.refused(404, drafter.ask("DELETE", f"/{KEY}"))
    drafter.refused(404, drafter.ask("GET", f"/{KEY}"))


def test_of_a_document_the_body_is_kept(drafter: Caller) -> None:
    drafter.put(html="<!doctype html><html><head><title>x</title></head><body class='y'>\n<p>Here.</p>\n</body></html>")
    assert json.loads(drafter.office.database.read("SELECT content FROM campaigns")[0][0])["html"] == "<p>Here.</p>"


def test_campaigns_are_listed_by_post_and_state(sender: Caller) -> None:
    sender.put()
    sender.put("fa-1", lang="fa", digest=digest_of("fa-1"))
    sender.put("en-2", post="another")
    sender.ask("POST", f"/{KEY}/start", DIGESTS)

    def keys(query: str = "") -> list[str]:
        return [each["key"] for each in sender.ask("GET", query_string=query).json["campaigns"]]

    assert keys() == [KEY, "en-2", "fa-1"]
    assert keys("post=an-article") == [KEY, "fa-1"]
    assert keys("state=draft") == ["en-2", "fa-1"]
    assert keys("post=an-article&state=draft") == ["fa-1"]
    assert keys("post=none") == []
    sender.refused(422, sender.ask("GET", query_string="state=sent"))
    sender.refused(422, sender.ask("GET", query_string="posts=an-article"))


@pytest.mark.parametrize("name", [*FIELDS])
def test_a_missing_field_is_named(drafter: Caller, name: str) -> None:
    without: dict[str, Any] = {name: None}
    assert drafter.refused(422, drafter.put(**without)) == f"{name} is missing"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("lists", [], "lists is not known here"),
        ("not a name", "x", "A field is not known here"),
        ("kind", "digest", "kind is none of post, correction, notice: the mailroom composes the digest"),
        ("kind", "news", "kind is none of"),
        ("kind", 7, "kind is not a text"),
        ("lang", "de", "lang is none of our languages, ar, en"),
        ("lang", "EN", "lang is none of"),
        ("lang", "fa", "key does not consist of fa- and"),
        ("post", "", "post is not 1 to 64"),
        ("post", "a b", "post is not"),
        ("post", "x" * 65, "post is not"),
        ("post", "é", "post is not"),
        ("corrects", "en-1", "corrects belongs to corrections alone"),
        ("digest", "abc", "digest is not a SHA-256"),
        ("digest", "A" * 64, "digest is not a SHA-256"),
        ("subject", "", "subject is empty"),
        ("subject", "Hello\r\nBcc: all@reader.example", "subject holds U+000D"),
        ("subject", "Hello\nthere", "subject holds U+000A"),
        ("subject", "Hello\u2028there", "subject holds U+2028"),
        ("subject", "Hello\ud800", "subject holds U+D800"),
        ("subject", "Hello\x85", "subject holds U+0085"),
        ("subject", "x" * 501, "subject has more than 500"),
        ("preheader", "a\tb", "preheader holds U+0009"),
        ("title", "a\x00b", "title holds U+0000"),
        ("text", "a\x01name\x01b", "text holds the control character U+0001"),
        ("text", " \n", "text is empty"),
        ("url", "javascript:alert(1)", "url is not a whole address"),
        ("url", "//news.example/", "url is not"),
        ("url", 'https://news.example/"onclick', "url is not"),
        ("url", "https://[news", "url is not"),
        ("url", "https://user@news.example/", "url is not"),
        ("html", "<p>a<img src='https://x.example/p.gif'></p>", "html cannot be mailed: <img> is not allowed"),
        ("html", "<p>a</p><script>b</script>", "<script> is not allowed"),
        ("html", "<p style='background:url(x)'>a</p>", "'background' of <p> is not allowed"),
        ("html", "<p>a", "<p> is not closed"),
        ("html", "", "html is empty"),
        ("reply_to", "editor", "reply_to is not an address"),
        ("reply_to", "a@b.example\nBcc: c@d.example", "reply_to holds U+000A"),
        ("reply_to", "a@b.example, c@d.example", "reply_to is not an address"),
    ],
)  # fmt: skip
def test_a_field_that_cannot_be_used_is_named(drafter: Caller, name: str, value: Any, words: str) -> None:
    detail = drafter.refused(422, drafter.put(**{name: value}))
    assert words in detail
    assert "@" not in detail
    assert count(drafter.office, "campaigns") == 0


@pytest.mark.parametrize(
    "key", ["fa-1", "EN-1", "en", "en_1", "en-é", "en-" + "x" * 78, "en-1,en-2", "digest-2026-w01"]
)
def test_a_key_begins_with_its_language(drafter: Caller, key: str) -> None:
    assert "key does not consist of en-" in drafter.refused(422, drafter.put(key))


def test_a_key_holds_its_language_in_small_letters(drafter: Caller) -> None:
    assert drafter.put("zh-hans-1", lang="zh-Hans").status_code == 201


def test_a_correction_says_what_it_corrects(drafter: Caller) -> None:
    assert drafter.refused(422, drafter.put(kind="correction")).startswith("corrects is not the key")
    answer = drafter.put(kind="correction", corrects="en-first")
    assert (answer.status_code, answer.json["corrects"]) == (201, "en-first")
    assert drafter.ask("GET", f"/{KEY}").json["recipients"] == 0


# Bodies


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
def test_only_json_is_taken(drafter: Caller, kind: str) -> None:
    answer = drafter.ask("PUT", f"/{KEY}", headers={"Content-Type": kind}, body=json.dumps(FIELDS))
    drafter.refused(415, answer)


def test_json_may_name_its_encoding(drafter: Caller) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert drafter.ask("PUT", f"/{KEY}", FIELDS, headers=headers).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b'"x"', b"null", b"\xff", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"[" * 100_000,
        b'{"a":' * 100_000, b"1" * 5000, "\ufeff{}".encode(), '{"a": 1}'.encode("utf-16"),
    ],
)  # fmt: skip
def test_what_is_no_object_in_json_is_refused(drafter: Caller, body: bytes) -> None:
    answer = drafter.ask("PUT", f"/{KEY}", headers={"Content-Type": "application/json"}, body=body)
    drafter.refused(400, answer)


def test_a_body_may_have_a_mebibyte(drafter: Caller) -> None:
    room = LARGEST - len(json.dumps(FIELDS))
    assert drafter.put(text=FIELDS["text"] + "x" * room).status_code == 201
    drafter.refused(413, drafter.put(text=FIELDS["text"] + "x" * (room + 1)))


def test_unknown_addresses_and_methods(sender: Caller) -> None:
    for path in ("/", f"/{KEY}/go", f"/{KEY}/start/now", "/%ff%00"):
        sender.refused(404, sender.ask("GET", path))
    for method, path in (("POST", ""), ("PATCH", f"/{KEY}"), ("GET", f"/{KEY}/start"), ("PUT", f"/{KEY}/test")):
        answer = sender.ask(method, path)
        sender.refused(405, answer)
        assert answer.headers["Allow"]


# Starting and stopping


def test_a_campaign_is_started_held_and_stopped(sender: Caller) -> None:
    readers = add_readers(sender.office, [{}] * 3)
    sender.put()
    first = sender.ask("POST", f"/{KEY}/start", DIGESTS | {"hold": 600})
    assert first.status_code == 200
    [campaign] = first.json["campaigns"]
    assert (campaign["state"], campaign["started"]) == ("started", "2025-11-08")
    assert campaign["release"] == "2025-11-08T12:10:00+00:00"
    assert campaign["letters"] == {"pending": 3}
    assert sender.ask("POST", f"/{KEY}/start", DIGESTS | {"hold": 600}).json == first.json
    sender.refused(409, sender.put())
    sender.refused(409, sender.ask("DELETE", f"/{KEY}"))
    set_letters(sender.office, KEY, "sent", readers[0])
    for _ in range(2):
        stopped = sender.ask("POST", f"/{KEY}/stop")
        assert (stopped.status_code, stopped.json["state"]) == (200, "stopped")
        assert stopped.json["letters"] == {"dropped": 2, "sent": 1}
    sender.refused(409, sender.ask("POST", f"/{KEY}/start", DIGESTS))


def test_a_group_is_started_as_reviewed_or_not_at_all(sender: Caller) -> None:
    sender.put()
    sender.put("fa-1", lang="fa", digest=digest_of("fa-1"))
    wrong = {"digests": {KEY: FIELDS["digest"], "fa-1": digest_of("fa-1", 2)}}
    assert "fa-1 is not what was reviewed" in sender.refused(412, sender.ask("POST", f"/{KEY}/start", wrong))
    unknown = {"digests": {KEY: FIELDS["digest"], "ru-1": digest_of("ru-1")}}
    sender.refused(404, sender.ask("POST", f"/{KEY}/start", unknown))
    assert {each["state"] for each in sender.ask("GET").json["campaigns"]} == {"draft"}
    right = {"digests": {KEY: FIELDS["digest"], "fa-1": digest_of("fa-1")}}
    answer = sender.ask("POST", f"/{KEY}/start", right)
    assert [each["state"] for each in answer.json["campaigns"]] == ["started"] * 2
    sender.put("en-2", post="another", digest=digest_of("en-2"))
    mixed = {"digests": right["digests"] | {"en-2": digest_of("en-2")}}
    assert "of one post" in sender.refused(422, sender.ask("POST", "/en-2/start", mixed))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "digests is missing"),
        ({"digests": {}}, f"digests does not hold {KEY}"),
        ({"digests": {"en-2": digest_of("en-2")}}, f"digests does not hold {KEY}"),
        ({"digests": []}, "digests is not an object"),
        ({"digests": {KEY: 1}}, "digests is not a text"),
        ({"digests": {KEY: "\ud800"}}, "digests holds what is not"),
        ({"digests": DIGESTS["digests"] | {"\ud800": "x"}}, "digests is not an object"),
        (DIGESTS | {"hold": -1}, "hold is not a number"),
        (DIGESTS | {"hold": True}, "hold is not a number"),
        (DIGESTS | {"hold": 1.5}, "hold is not a number"),
        (DIGESTS | {"hold": "600"}, "hold is not a number"),
        (DIGESTS | {"hold": LONGEST_HOLD + 1}, "hold is not a number"),
        (DIGESTS | {"at": "now"}, "at is not known here"),
    ],
)
def test_a_start_says_what_and_when(sender: Caller, fields: dict[str, Any], words: str) -> None:
    sender.put()
    assert words in sender.refused(422, sender.ask("POST", f"/{KEY}/start", fields))
    assert sender.ask("GET", f"/{KEY}").json["state"] == "draft"


def test_what_is_not_there_is_neither_started_nor_stopped(sender: Caller) -> None:
    for word, fields in (("start", DIGESTS), ("stop", None), ("test", {"address": EDITOR})):
        sender.refused(404, sender.ask("POST", f"/{KEY}/{word}", fields))
    sender.put()
    sender.refused(409, sender.ask("POST", f"/{KEY}/stop"))


def test_calls_at_one_moment_start_a_campaign_once(sender: Caller) -> None:
    add_readers(sender.office, [{}] * 5)
    sender.put()
    answers: list[Result] = []

    def call() -> None:
        answers.append(sender.ask("POST", f"/{KEY}/start", DIGESTS))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {200}
    assert count(sender.office, "letters") == 5


# Tests by editors


def test_a_test_goes_to_an_editor_alone(drafter: Caller) -> None:
    drafter.put()
    answer = drafter.ask("POST", f"/{KEY}/test", {"address": EDITOR})
    assert answer.status_code == 202
    assert answer.json["letters"] == {}
    assert EDITOR not in answer.text
    for address in ("somebody@reader.example", "editor@news.example.evil.example"):
        refused = drafter.ask("POST", f"/{KEY}/test", {"address": address})
        assert address not in drafter.refused(403, refused) + refused.text
    for fields, words in (
        ({}, "address is missing"),
        ({"address": "x"}, "address is not an address"),
        ({"address": f"{EDITOR}\r\nBcc: x@y.example"}, "address holds U+000D"),
        ({"address": [EDITOR]}, "address is not a text"),
        ({"address": EDITOR, "cc": EDITOR}, "cc is not known here"),
    ):
        assert words in drafter.refused(422, drafter.ask("POST", f"/{KEY}/test", fields))
    rows = drafter.office.database.read("SELECT kind, campaign FROM letters")
    assert [tuple(row) for row in rows] == [("test", KEY)]


def test_tests_have_an_end(drafter: Caller) -> None:
    drafter.put()
    answers = [drafter.ask("POST", f"/{KEY}/test", {"address": EDITOR}) for _ in range(TESTS_PER_DAY + 1)]
    assert [answer.status_code for answer in answers] == [202] * TESTS_PER_DAY + [429]


# Failures


def test_a_failure_of_ours_says_nothing_of_what_was_asked(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from mailroom.campaigns.campaigns import Campaigns
    from mailroom.errors import DiskFull

    caller = Caller(office, TestClient(make_api(office)), ApiTokens(office.database, office.clock).create("x", "draft"))

    def failing(error: Exception) -> Callable[..., None]:
        def fail(*_: object) -> None:
            raise error

        return fail

    with caplog.at_level(logging.INFO, "mailroom.api"):
        monkeypatch.setattr(Campaigns, "put", failing(ZeroDivisionError("reader@reader.example")))
        caller.refused(500, caller.put())
        monkeypatch.setattr(Campaigns, "put", failing(DiskFull("var: the disk is full", "Make room.")))
        answer = caller.put()
        caller.refused(503, answer)
        assert answer.headers["Retry-After"]
    assert "reader" not in caplog.text
    assert caller.token not in caplog.text
    assert "ZeroDivisionError at " in caplog.text
    assert "the disk is full" in caplog.text


def test_the_log_says_who_did_what_and_names_nobody(sender: Caller, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "mailroom.api"):
        sender.put()
        sender.ask("POST", f"/{KEY}/test", {"address": EDITOR})
        sender.ask("POST", f"/{KEY}/start", DIGESTS)
        sender.ask("POST", f"/{KEY}/stop")
    assert [record.getMessage() for record in caplog.records] == [
        f"{KEY} {what} by the token editor" for what in ("handed in", "started", "stopped")
    ]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150)
@given(
    changes=st.dictionaries(st.sampled_from([*FIELDS, "corrects", "reply_to", "digests", "hold"]), VALUES, max_size=3),
    key=st.text(min_size=1, max_size=20) | st.just(KEY),
    word=st.sampled_from(["", "/start", "/stop", "/test", "/x"]),
    method=st.sampled_from(["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD"]),
)
@example(changes={"subject": "\ud800"}, key="\x00", word="", method="PUT")
def test_nothing_that_is_asked_is_a_failure_of_ours(
    fuzzed: Caller, changes: dict[str, Any], key: str, word: str, method: str
) -> None:
    from urllib.parse import quote

    path = "/" + quote(key.encode("utf-8", "surrogatepass"), safe="") + word
    answer = fuzzed.ask(method, path, FIELDS | changes)
    assert answer.status_code < 500


@settings(max_examples=60)
@given(html=st.text(alphabet="<>/!-ab p\"'=&;\x00\ud800é", max_size=60))
def test_no_html_is_a_failure_of_ours(fuzzed: Caller, html: str) -> None:
    assert fuzzed.put(html=html).status_code in (200, 201, 409, 422)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    with new_office(make_settings(tmp_path_factory.mktemp("fuzzed"))) as opened:
        token = ApiTokens(opened.database, opened.clock).create("x", "send")
        yield Caller(opened, TestClient(make_api(opened)), token)


# The real server


@contextmanager
def served(office: Office) -> Iterator[int]:
    server, stop = Server(make_api(office), "127.0.0.1:0", LARGEST), threading.Event()
    thread = threading.Thread(target=server.run, args=(stop,))
    thread.start()
    try:
        yield server.port
    finally:
        stop.set()
        thread.join()


def test_a_campaign_through_the_real_server(sender: Caller) -> None:
    add_readers(sender.office, [{}])
    with served(sender.office) as port:

        def ask(method: str, path: str, fields: Any = None, **headers: str) -> tuple[int, Any]:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            headers |= {"Authorization": f"Bearer {sender.token}", "Content-Type": "application/json"}
            body = json.dumps(fields).encode() if fields is not None else None
            connection.request(method, BASE + path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
            connection.close()
            return answer.status, json.loads(text) if "json" in (answer.headers["Content-Type"] or "") else text

        assert ask("PUT", f"/{KEY}", FIELDS)[0] == 201
        status, answer = ask("POST", f"/{KEY}/start", DIGESTS)
        assert (status, answer["campaigns"][0]["letters"]) == (200, {"pending": 1})
        assert ask("GET", "?state=started")[1]["campaigns"][0]["key"] == KEY
        assert ask("POST", f"/{KEY}/stop")[1]["letters"] == {"dropped": 1}
        assert ask("DELETE", f"/{KEY}")[0] == 409
        assert ask("PUT", f"/{KEY}", FIELDS | {"text": "x" * LARGEST})[0] == 413
