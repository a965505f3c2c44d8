"""Where a change in the source is shown in a translation."""

from __future__ import annotations

from pathlib import Path

import pytest
from translators.changes import Op
from translators.outdated import Outdated, Remark, find_changes

from tests.translators.sites import BODY, DAY, Site

LABELS: dict[Op, str] = {"changed": "here", "added": "here"}


def mark(html: str, *remarks: Remark) -> str:
    text = str(Outdated("en", "ltr", DAY, lambda: remarks).mark(html, "there", LABELS))
    for number, remark in enumerate(remarks, 1):
        where = "" if remark.op == "added" else " above"
        text = text.replace(f'<p class="remark{where} ui"><a href="there#c{number}">here</a></p>\n', f"[{number}]")
    return text


def test_what_changed_has_its_line_before_it_and_what_is_new_in_its_place() -> None:
    html = '<h2 id="s">A</h2><p id="p">B</p>'
    remarks = Remark("changed", (), "s"), Remark("added", (), "s", True), Remark("added", (), "p", True)
    assert mark(html, *remarks) == '[1]<h2 id="s">A</h2>[2]<p id="p">B</p>[3]'
    assert mark(html, Remark("added", (), "s")) == f"[1]{html}"


@pytest.mark.parametrize(
    ("html", "marked"),
    [
        ('<ul><li id="x">A<ul><li>B</li></ul></li></ul>', '<ul><li id="x">A<ul><li>B</li></ul>[1]</li></ul>'),
        ('<div id="x">A<div>B</div></div><p>C</p>', '<div id="x">A<div>B</div></div>[1]<p>C</p>'),
        ('<p id="x">A<ul></ul>', '[1]<p id="x">A<ul></ul>'),
    ],
    ids=["an item", "a block of blocks", "no end"],
)
def test_a_line_behind_an_element_stands_behind_all_of_it(html: str, marked: str) -> None:
    assert mark(html, Remark("added", (), "x", True)) == marked


def test_only_the_first_of_several_changes_in_a_place_has_a_line() -> None:
    remarks = [Remark("added", (), "x", True), Remark("added", (), "x", True)]
    assert mark('<p id="x">A</p>', *remarks) == '<p id="x">A</p>[1]'


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (f"New words.\n\n{BODY}", ("p1", False)),
        (BODY.replace("\n\n- ", "\n\nNew words.\n\n- ", 1), ("p2", True)),
    ],
    ids=["at the beginning", "later"],
)
def test_what_is_new_belongs_behind_what_it_follows(tmp_path: Path, body: str, place: tuple[str, bool]) -> None:
    site = Site(tmp_path)
    site.write("en")
    site.translate("fa")
    site.record("fa")
    site.write("en", body=body)
    html = '<p id="p1">A</p><p id="p2">B</p><ul><li>C</li><li>D</li></ul>'
    found = find_changes(site.survey(), site.find("fa"), html, "fa/flight/", "fa/flight/index.html")
    assert found
    assert [(remark.op, remark.place, remark.is_behind) for remark in found.remarks] == [("added", *place)]
