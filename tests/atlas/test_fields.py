"""The field `Countries:`, in every way that it can be written."""

from __future__ import annotations

import pytest
from atlas.fields import split_countries
from atlas.names import Names, country_codes
from hypothesis import given
from hypothesis import strategies as st

CODES = st.sampled_from(sorted(country_codes()))


@pytest.mark.parametrize(
    ("stated", "codes"),
    [
        ("RU, UA", ["RU", "UA"]),
        ("ru;Ua", ["RU", "UA"]),
        (["RU", "no"], ["RU", "NO"]),
        (["RU, UA", "BY"], ["RU", "UA", "BY"]),
        ([["RU", "UA"], "RU"], ["RU", "UA"]),
        ("RU، UA", ["RU", "UA"]),
        ("RU、UA，by", ["RU", "UA", "BY"]),
        ("Russia, RU", ["Russia", "RU"]),
        ("", []),
        (" , ,", []),
        (None, []),
        ([], []),
    ],
)
def test_codes_are_read_in_their_order_and_each_once(stated: object, codes: list[str]) -> None:
    assert split_countries(stated) == codes


@given(
    st.lists(CODES),
    st.sampled_from([",", ", ", ";", " ; ", "،", "、", "，", "\n"]),
    st.sampled_from([str.lower, str.upper, str.title]),
)
def test_text_and_list_mean_the_same(codes: list[str], separator: str, write: type[str]) -> None:
    written = [write(code) for code in codes]
    assert split_countries(separator.join(written)) == split_countries(written) == list(dict.fromkeys(codes))


@given(st.recursive(st.text() | st.none() | st.booleans() | st.integers(), lambda inner: st.lists(inner)))
def test_nothing_that_can_be_stated_is_lost_or_fatal(stated: object) -> None:
    found = split_countries(stated)
    assert all(text == text.strip() and text for text in found)
    assert len(found) == len(set(found))
    assert split_countries(found) == found


@given(st.text(min_size=1), st.sampled_from(["en", "fa", "zh-Hans", "tlh"]))
def test_there_is_a_remedy_for_any_text(text: str, lang: str) -> None:
    assert Names({}, {}).remedy(text, lang, ["RU"]).endswith((".", "?"))
