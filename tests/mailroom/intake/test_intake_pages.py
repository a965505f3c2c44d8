"""What the form's process answers: to whom, what a browser may do with it, and what becomes of a submission."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from mailroom.intake.forms import FACES, LARGEST_FILES
from mailroom.intake.pages import LARGEST_TEXTS
from tests.mailroom.intake.house import HOST, TYPE, Answer, House, Running, running

PATHS = (*(face.path for face in FACES.values()), "form/receipt")


@pytest.fixture(scope="module")
def intake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(House(tmp_path_factory.mktemp("house"))) as intake:
        yield intake
        intake.await_idle()
        assert intake.said == [], "something is logged"


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_for_our_host_and_says_what_it_may_do(intake: Running, path: str) -> None:
    answer, head = intake.ask(f"{path}?lang=fa"), intake.ask(f"{path}?lang=fa", "HEAD")
    assert (answer.status, head.status, head.body) == (200, 200, b"")
    assert answer.headers.items() == head.headers.items()
    directives = dict(each.split(" ", 1) for each in (answer.headers["Content-Security-Policy"] or "").split("; "))
    assert directives.pop("style-src").startswith("'sha256-")
    assert directives == {
        "default-src": "'none'",
        "img-src": "data:",
        "form-action": f"https://{HOST}/mail/form https://{HOST}/mail/form/",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    for name, value in (("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer"), ("X-Robots-Tag", "noindex")):
        assert answer.headers.get_all(name) == [value]
    assert answer.headers["Server"] is None
    assert answer.headers["Set-Cookie"] is None
    assert (answer.tree.get("lang"), answer.tree.get("dir")) == ("fa", "rtl")
    assert all(action.startswith(f"https://{HOST}/mail/form") for action in answer.texts("//form/@action"))
    for host in ("evil.example", f"{HOST}:8027", f"{HOST}.evil.example", ""):
        assert intake.ask(path, Host=host).status == 400


def test_errors_are_pages_that_name_nobody(intake: Running) -> None:
    found = {
        404: intake.ask("form/nowhere"),
        400: intake.ask("form", "POST", b"x", Content_Type=TYPE),
        415: intake.ask("form", "POST", b"x", Content_Type="text/plain"),
        422: intake.send(),
    }
    for status, answer in found.items():
        assert answer.status == status
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Human Rights" not in answer.texts("//title/text()")[0]
    assert intake.ask("form/receipt", "PUT").status == 405
    assert intake.ask("subscribe").status == 404, "letters are asked for elsewhere"


def test_what_was_typed_beside_too_large_a_file_stands_there_again(intake: Running) -> None:
    for files in ([("a", bytes(LARGEST_FILES + 1))], [("a", bytes(LARGEST_FILES)), ("b", b"1"), ("c", b"2")]):
        answer = intake.send("form?lang=fa", files, message="typed <beside> it", contact="here")
        assert answer.status == 413
        assert "".join(answer.texts("//textarea[@name='message']/text()")).strip() == "typed <beside> it"
        assert answer.texts("//input[@name='contact']/@value") == ["here"]
    assert intake.send("form", [("a", bytes(LARGEST_FILES))]).receipt


def state(answer: Answer) -> str:
    return "".join(answer.texts("//*[@role='status']//text()")).strip()


def test_texts_take_only_so_much_memory(intake: Running) -> None:
    text = "x" * (LARGEST_TEXTS // 4)
    too_long = intake.send(message=text, contact=text, hours=text, name=text)
    assert too_long.status == 422
    assert too_long.tree.get_element_by_id("message").text_content().strip() == text
    assert intake.send(message=text, contact=text, hours=text, name=text, country="x").status == 413


def test_a_receipt_shows_what_became_of_it_and_deletes_it(intake: Running) -> None:
    store = intake.house.store
    first, second = (intake.send(message=name).receipt for name in ("first", "second"))
    before = {each.id for each in store.list()}
    stored = state(intake.try_receipt(first))
    persian = first.translate({ord("0") + digit: 0x06F0 + digit for digit in range(10)})
    assert state(intake.try_receipt(f"{persian[:8]}-{persian[8:]}")) == stored != ""
    assert state(intake.try_receipt("0000000000000000")) not in ("", stored)

    deleted = intake.try_receipt(first, delete="yes")
    assert (deleted.status, len(store.list())) == (200, len(before) - 1)
    assert state(intake.try_receipt(first)) == state(intake.try_receipt("0000000000000000"))
    again = intake.try_receipt(first, delete="yes")
    assert state(again) == state(intake.try_receipt("0000000000000000")), "once more says nothing new"

    seen = {stored, state(deleted)}
    for each in store.list():
        content = store.fetch(each.id)
        seen.add(state(intake.try_receipt(second)))
        store.acknowledge(each.id, hashlib.sha256(content).hexdigest())
    seen.add(state(intake.try_receipt(second)))
    assert len(seen) == 4, seen
    assert intake.try_receipt("1234").status == 422


def test_each_submission_is_sealed_with_numbers_of_its_own(intake: Running) -> None:
    """What a child begins with it has from a process that all of them have it from."""
    receipts = {intake.send(message="the same").receipt for _ in range(4)}
    blobs = [intake.house.store.fetch(each.id) for each in intake.house.store.list()]
    shares = [blob[4:].split(b"\n")[1] for blob in blobs]
    assert all(share.startswith(b"-> X25519 ") for share in shares)
    assert len(set(shares)) == len(shares) >= 4
    assert len({blob[-64:] for blob in blobs}) == len(blobs)
    assert len(receipts) == 4
