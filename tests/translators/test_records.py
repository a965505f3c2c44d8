"""Records: the same bytes for the same record, and a clear word for a file that is none."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from translators.blocks import make_block
from translators.errors import ClaimedError, RecordError
from translators.records import Claim, Record, claim, format_record, make_basis, read_record, write_record

DAY = date(2026, 11, 22)
BLOCKS = (make_block("title", "Flucht"), make_block("paragraph", "پناه‌جو [^a]", ["https://example.org/"]))


def example() -> Record:
    return Record(make_basis("en", DAY, b"Title: x\n", BLOCKS, ["corrected 2026-03-04"]), Claim("Nasrin", DAY))


def test_a_record_reads_back_as_it_was_and_is_written_the_same(tmp_path: Path) -> None:
    path = tmp_path / "fa" / "key.json"
    write_record(path, example())
    found = read_record(path)
    assert found == example()
    assert found
    assert found.basis
    assert found.basis.blocks() == BLOCKS
    assert format_record(found) == path.read_bytes()
    assert os.listdir(path.parent) == ["key.json"]  # noqa: PTH208 - nothing is left beside it
    stated = json.loads(path.read_text("utf-8"))
    assert list(stated) == sorted(stated)
    assert set(stated) == {"blocks", "claim", "day", "from", "notes", "source"}
    assert stated["blocks"][0] == {"hash": BLOCKS[0].hash, "kind": "title", "text": "Flucht"}


@given(st.text(), st.lists(st.text(max_size=20), max_size=3), st.text(max_size=20))
def test_any_text_is_kept(text: str, links: list[str], by: str) -> None:
    try:
        text.encode()
        by.encode()
        [link.encode() for link in links]
    except UnicodeEncodeError:
        return
    block = make_block("paragraph", text, links)
    assert make_block("paragraph", block.text, block.links) == block
    stated = json.loads(format_record(Record(make_basis("en", DAY, b"", [block], []), Claim(by, DAY))))
    assert stated["blocks"][0]["text"] == block.text
    assert stated["claim"]["by"] == by


def test_line_ends_are_no_change() -> None:
    assert make_basis("en", DAY, b"a\r\nb", [], []) == make_basis("en", DAY, b"a\nb", [], [])


def test_none_where_there_is_none_and_an_empty_one_goes(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    assert read_record(path) is None
    write_record(path, Record(claim=Claim("", DAY)))
    assert read_record(path) == Record(claim=Claim("", DAY))
    write_record(path, Record())
    assert not path.exists()


def broken(**changes: object) -> str:
    return json.dumps({**json.loads(format_record(example())), **changes})


SHA = "0" * 64


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "key.json:1: it is not JSON"),
        ("{\n\n 'a': 1}", "key.json:3: it is not JSON"),
        ("[]", "no record of a translation"),
        ("{}", "no record of a translation"),
        ('{"hello": 1}', "no record of a translation"),
        ("[" * 100_000, "nested too deep|not JSON"),
        ("<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> x\n", "two branches changed it.*Take either side"),
        (broken(day="22 November"), "no day such as"),
        (broken(day="2026-02-30"), "'2026-02-30' is no day of the calendar"),
        (broken(day="20261122"), "no day such as"),
        (broken(source="abc"), "'source' is 'abc'"),
        (broken(notes="x"), "'notes'"),
        (broken(notes=[1]), "'notes'"),
        (broken(blocks={}), "no record of a translation"),
        (broken(claim="Nasrin"), "'claim' is not a name and a day"),
        (broken(claim={"by": "x", "day": "2026-11-22", "email": "y"}), "'claim' is not a name and a day"),
        (broken(author="x"), "'author': no record has that"),
        ('{"claim": {"by": "x"}}', "'claim'"),
        ('{"claim": {"by": "\\u001b[2Jx", "day": "2026-11-22"}}', "'claim'"),
        ('{"claim": {"by": "\\ud800", "day": "2026-11-22"}}', "not UTF-8"),
        ('{"from": ' + "1" * 5000 + "}", "too long a number"),
    ],
)
def test_a_file_that_is_no_record_is_named_with_a_remedy(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "key.json"
    path.write_text(text, "utf-8")
    with pytest.raises(RecordError, match=what) as caught:
        read_record(path)
    assert "key.json" in str(caught.value)
    assert "./blog translations" in caught.value.remedy


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "key.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(RecordError, match="not UTF-8"):
        read_record(tmp_path / "key.json")


def test_a_folder_is_no_record(tmp_path: Path) -> None:
    (tmp_path / "key.json").mkdir()
    with pytest.raises(RecordError, match="cannot be read"):
        read_record(tmp_path / "key.json")


@pytest.mark.parametrize(
    ("block", "what"),
    [
        ({"kind": "title", "text": "Flug", "hash": BLOCKS[0].hash}, "'Flug' was changed by hand"),
        ({"kind": "title", "text": "Flucht", "hash": "0" * 16}, "'Flucht' was changed by hand"),
        ({"kind": "title", "text": "Flucht"}, "no block"),
        ({"kind": "title", "text": 1, "hash": ""}, "no block"),
        ({"kind": "title", "text": "Flucht", "hash": BLOCKS[0].hash, "links": "x"}, "no block"),
        ({"kind": "title", "text": "Flucht", "hash": BLOCKS[0].hash, "by": "x"}, "no block"),
        ("Flucht", "no block"),
    ],
)
def test_a_block_that_was_edited_by_hand_is_found_when_it_matters(tmp_path: Path, block: object, what: str) -> None:
    path = tmp_path / "key.json"
    path.write_text(broken(blocks=[block]), "utf-8")
    found = read_record(path)
    assert found
    assert found.basis
    with pytest.raises(RecordError, match=what):
        found.basis.blocks()


def test_a_second_claim_is_refused_and_names_nobody_who_gave_no_name() -> None:
    held = claim(Record(), "Nasrin", DAY, what="flight in fa")
    with pytest.raises(ClaimedError, match="flight in fa: it was claimed on 2026-11-22 by Nasrin"):
        claim(held, "Omid", DAY, what="flight in fa")
    nameless = claim(Record(), "", DAY, what="flight in fa")
    with pytest.raises(ClaimedError, match=r"claimed on 2026-11-22\."):
        claim(nameless, "", DAY, what="flight in fa")
