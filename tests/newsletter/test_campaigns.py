"""Campaigns: what they are called, what is signed off with them, and the folder they are kept in."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from newsletter.campaigns import (
    CONTENT,
    FOOT,
    Campaign,
    make_key,
    make_post_id,
    read_campaign,
    read_campaigns,
    write_campaigns,
)
from newsletter.errors import ConfigurationError, UnknownCampaign

ONE = Campaign(
    key="fa-0123456789abcdef", kind="post", lang="fa", direction="rtl", post="0123456789abcdef", day=date(2026, 1, 2),
    subject="عنوان", preheader="خلاصه", title="عنوان", summary="خلاصه", url="https://site.example/fa/one/",
    html="<p>متن</p>\n", fragment="<p>متن</p>", text=f"عنوان\n\nخلاصه\n\nمتن\n\nدو{FOOT}پا\n[[unsubscribe]]\n",
    pages=(("https://site.example/fa/one/", "ab" * 16),), former=("fa-fedcba9876543210",),
)  # fmt: skip
words = st.text("abc-xyz0189", min_size=1, max_size=12)


@given(words, words, words)
def test_a_key_is_of_its_parts(site: str, identity: str, other: str) -> None:
    key = make_key(site, "post", identity, "zh-Hans")
    assert key.startswith("zh-hans-")
    assert len(key) == len("zh-hans-") + 16
    assert key.isascii()
    assert (make_key(site, "post", other, "zh-Hans") == key) == (other == identity)
    assert make_key(site, "notice", identity, "zh-Hans") != key
    assert make_key(site, "post", identity, "zh-Hant")[-16:] != key[-16:]
    assert (make_post_id(site, other) == make_post_id(site, identity)) == (other == identity)


def test_keys_of_letters_that_went_out_stay_as_they_are() -> None:
    assert make_key("example", "post", "leaving", "zh-Hans") == "zh-hans-4f7b4631e926d0b0"


@pytest.mark.parametrize("name", CONTENT)
def test_whatever_reaches_a_reader_changes_the_digest(name: str) -> None:
    other: dict[str, Any] = {name: "other"}
    assert replace(ONE, **other).digest != ONE.digest


def test_what_reaches_nobody_changes_no_digest() -> None:
    assert replace(ONE, pages=(), former=(), day=date(2027, 1, 1), key="x", direction="ltr").digest == ONE.digest
    assert {each.name for each in fields(Campaign)} == {*CONTENT, "pages", "former", "day", "key", "direction"}


def test_the_inner_part_of_a_text() -> None:
    assert ONE.fragment_text == "متن\n\nدو"
    marked = "\u200f" + ONE.text.replace("خلاصه", "\u200fخلاصه")
    assert replace(ONE, text=marked).fragment_text == "متن\n\nدو"
    assert replace(ONE, text="متن").fragment_text == "متن"


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    two = replace(ONE, key="en-0123456789abcdef", lang="en", day=date(2026, 1, 3), text="a\u2028b\x0cc\n")
    write_campaigns(tmp_path / "var" / "campaigns", [ONE, two])
    assert read_campaigns(tmp_path / "var" / "campaigns") == {two.key: two, ONE.key: ONE}
    assert list(read_campaigns(tmp_path / "var" / "campaigns")) == [two.key, ONE.key]
    write_campaigns(tmp_path / "var" / "campaigns", [])
    assert read_campaigns(tmp_path / "var" / "campaigns") == {}
    assert read_campaigns(tmp_path / "nowhere") == {}


@pytest.mark.parametrize("setting", ["", ".", "var", "../project", "README.md"])
def test_a_folder_with_anything_else_in_it_is_never_replaced(tmp_path: Path, setting: str) -> None:
    project = tmp_path / "project"
    write_campaigns(project / "var" / "campaigns", [ONE])
    (project / "var" / "mailroom.key").write_text("precious")
    (project / "README.md").write_text("precious")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises((ConfigurationError, NotADirectoryError), match=r"NEWSLETTER_CAMPAIGNS.*deleted|README\.md"):
        write_campaigns(project / setting, [ONE])
    assert sorted(tmp_path.rglob("*")) == before
    (project / "var" / "campaigns" / ".DS_Store").write_bytes(b"")
    write_campaigns(project / "var" / "campaigns", [])


def change_json(place: Path, change: Callable[[dict[str, object]], object]) -> None:
    facts = json.loads((place / "campaign.json").read_text("utf-8"))
    change(facts)
    (place / "campaign.json").write_text(json.dumps(facts), "utf-8")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda place: (place / "campaign.html").write_text("<p>Other</p>", "utf-8"),
        lambda place: (place / "campaign.txt").write_bytes(b"\xff"),
        lambda place: (place / "campaign.json").write_text("{", "utf-8"),
        lambda place: change_json(place, lambda facts: facts.update(subject="Other")),
        lambda place: change_json(place, lambda facts: facts.update(kind="blast")),
        lambda place: change_json(place, lambda facts: facts.update(colour="red")),
        lambda place: change_json(place, lambda facts: facts.pop("lang")),
        lambda place: change_json(place, lambda facts: facts.pop("digest")),
    ],
)
def test_what_was_changed_by_hand_is_refused(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    write_campaigns(tmp_path / "campaigns", [ONE])
    spoil(tmp_path / "campaigns" / ONE.key)
    with pytest.raises(ConfigurationError, match=f"NEWSLETTER_CAMPAIGNS.*{ONE.key}"):
        read_campaign(tmp_path / "campaigns" / ONE.key)


def test_what_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(UnknownCampaign, match="There is no campaign fa-1"):
        read_campaign(tmp_path / "fa-1")


def test_builds_at_the_same_time_leave_one_of_theirs(tmp_path: Path) -> None:
    folder = tmp_path / "campaigns"

    def build(number: int) -> None:
        write_campaigns(folder, [replace(ONE, key=f"fa-{each:016x}", title=str(number)) for each in range(9)])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(build, range(60)))
    found = read_campaigns(folder).values()
    assert len(found) == 9
    assert len({one.title for one in found}) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["campaigns"]
