"""Related articles: which ones, in which order, and at what cost."""

from __future__ import annotations

import ast
import datetime
import random
import re
import time
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from related.errors import ConfigurationError
from related.index import Index, Related
from related.plugin import Library
from related.settings import Configuration, read_configuration

from tests.multilingual.bare import undress
from tests.multilingual.foreign import make_foreign_site
from tests.multilingual.sites import ROOT, TERMS, WITH_TERMS, Site

SHOWN = "<p>{% for one in article.related %}<a class='related'>{{ one.translation_key or one.slug }}</a>{% endfor %}"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site with topics whose article pages show nothing but what is related."""
    site = Site(tmp_path, **WITH_TERMS, PLUGINS=["multilingual", "related"])
    site.write("terms.yaml", TERMS)
    undress(site)
    (site.folder / "bare" / "templates" / "article.html").write_text(SHOWN, "utf-8")
    return site


def shown(site: Site, url: str) -> list[str]:
    return [str(one.text) for one in site.html(url).find_class("related")]


# On a real site


def test_shared_countries_come_first_then_topics_then_the_newest(site: Site) -> None:
    site.settings(RELATED_BY=("countries", "topics"))
    site.article("en", "this", Countries="IR, RU", Topics="asylum, war", Date="2026-01-01")
    site.article("en", "one-country", Countries="IR", Date="2026-05-01")
    site.article("en", "one-country-one-topic", Countries="RU", Topics="war", Date="2024-01-01")
    site.article("en", "two-countries", Countries="RU, IR", Date="2020-01-01")
    site.article("en", "two-topics", Topics="asylum, war", Date="2026-06-01")
    site.article("en", "newer-country", Countries="IR, DE", Date="2026-06-01")
    site.article("en", "nothing", Countries="DE", Date="2026-06-01")
    site.build_whole()
    assert shown(site, "en/this/") == ["two-countries", "one-country-one-topic", "newer-country", "one-country"]
    assert shown(site, "en/two-topics/") == ["this", "one-country-one-topic"]
    assert shown(site, "en/nothing/") == ["newer-country"]


def test_equals_of_one_day_stand_by_their_keys_and_the_limit_can_be_set(site: Site) -> None:
    site.settings(RELATED_LIMIT=2)
    for key in ("d", "b", "c", "a"):
        site.article("en", key, Topics="war")
    site.build_whole()
    assert shown(site, "en/b/") == ["a", "c"]


def test_only_what_a_reader_may_find_is_named(site: Site) -> None:
    site.article("en", "this", Topics="war")
    site.article("en", "hidden", Topics="war", Status="hidden")
    site.article("en", "draft", Topics="war", Status="draft")
    site.article("en", "later", Topics="war", Date="2999-01-01")
    site.article("en", "retracted", Topics="war", Retracted="2026-02-01 Wrong")
    site.article("en", "withdrawn", Topics="war", Withdrawn="2026-02-01 Gone")
    site.article("en", "good", Topics="war")
    site.build_whole()
    assert shown(site, "en/this/") == ["good"]
    # They themselves lead on.
    assert shown(site, "en/hidden/") == shown(site, "en/drafts/draft/") == ["good", "this"]
    assert shown(site, "en/retracted/") == ["good", "this"]


def test_each_language_stays_with_its_own_articles_and_their_days(site: Site) -> None:
    for key, day in (("one", "2026-01-01"), ("two", "2026-01-02"), ("three", "2026-01-03")):
        site.article("en", key, Topics="war", Date=day)
    site.translation("fa", "one", "en", Translated="2026-01-09")
    site.translation("fa", "two", "en", Translated="2026-01-08")
    site.translation("fa", "three", "en", Status="draft")
    site.build_whole()
    assert shown(site, "en/one/") == ["three", "two"]
    assert shown(site, "fa/one/") == ["two"]
    assert shown(site, "fa/drafts/three/") == ["one", "two"]


def test_terms_of_another_plugin_are_known_by_their_keys(site: Site) -> None:
    """As an atlas sets them: objects with a key, new ones for each article."""
    site.settings(
        PLUGINS=["multilingual", "places", "related"], PLUGIN_PATHS=[str(ROOT / "plugins"), str(Path(__file__).parent)]
    )
    site.article("en", "one", Places="IR")
    site.article("en", "two", Places="IR")
    site.article("en", "three", Places="RU")
    site.settings(RELATED_BY=("places",))
    site.build_whole()
    assert shown(site, "en/one/") == ["two"]
    assert shown(site, "en/three/") == []


def test_a_site_without_multilingual_goes_by_its_tags(tmp_path: Path) -> None:
    site = make_foreign_site(tmp_path, PLUGINS=["related"], THEME="bare")
    undress(site)
    templates = site.folder / "bare" / "templates"
    for template in templates.glob("*.html"):
        template.write_text("", "utf-8")
    (templates / "article.html").write_text(SHOWN, "utf-8")
    done = site.run_pelican("-s", "pelicanconf.py")
    assert done.returncode == 0, done.stderr
    assert shown(site, "bread.html") == ["soup"]
    assert shown(site, "soup.html") == ["bread"]
    assert shown(site, "bread-fr.html") == []


# The index


@dataclass(eq=False)
class Piece:
    """An article as the plugin sees it."""

    translation_key: str
    countries: list[str]
    topics: list[str]
    date: datetime.date
    lang: str = "en"
    related: Any = field(default=None)


TERMS_OF_PIECES = st.tuples(
    st.frozensets(st.sampled_from("ABCD"), max_size=3), st.frozensets(st.sampled_from("wxyz"), max_size=3)
)


@given(st.lists(TERMS_OF_PIECES, min_size=1, max_size=12))
def test_the_order_is_that_of_comparing_each_with_each(terms: list[tuple[frozenset[str], frozenset[str]]]) -> None:
    numbers = range(len(terms))
    index = Index(numbers, lambda number: terms[number])

    def shared(one: int, other: int) -> tuple[int, ...]:
        return tuple(len(mine & theirs) for mine, theirs in zip(terms[one], terms[other], strict=True))

    for one in numbers:
        others = [other for other in numbers if other != one and any(shared(one, other))]
        others.sort(key=lambda other: tuple(-count for count in shared(one, other)))
        assert list(index.related(one)) == others


def test_it_is_a_sequence_that_looks_only_when_asked() -> None:
    asked = []

    def find() -> Any:
        asked.append(1)
        yield from "abcdef"

    related = Related(find, 4)
    assert not asked
    assert (len(related), related[0], related[1:3], list(related)) == (4, "a", ["b", "c"], ["a", "b", "c", "d"])
    assert asked == [1]
    assert not Related(lambda: iter(()), 4)


def test_ten_thousand_articles_cost_little() -> None:
    """A country that half of them are about and nine topics: the worst case for comparing."""
    chance = random.Random(1)  # noqa: S311 (the same site each time)
    pieces = [
        Piece(
            f"key-{number}",
            ["RU"] * chance.randint(0, 1) + chance.sample([f"C{n}" for n in range(190)], chance.randint(0, 2)),
            chance.sample("abcdefghi", chance.randint(1, 3)),
            datetime.date(2020, 1, 1) + datetime.timedelta(days=chance.randint(0, 2000)),
        )
        for number in range(10_000)
    ]
    start = time.perf_counter()
    library = Library(pieces, ("countries", "topics"))
    for piece in pieces:
        piece.related = Related(partial(library.related, piece), 4)
    found = sum(len(piece.related) for piece in pieces)
    seconds = time.perf_counter() - start
    assert found > 39_000
    # Measured: half a second. Comparing each with each takes minutes.
    assert seconds < 5, seconds


# Settings


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({"RELATED_LIMTI": 3}, "Did you mean 'RELATED_LIMIT'"),
        ({"RELATED_LIMIT": 0}, "1 or more"),
        ({"RELATED_LIMIT": True}, "1 or more"),
        ({"RELATED_BY": "topics"}, "list of attributes"),
        ({"RELATED_BY": ()}, "list of attributes"),
        ({"RELATED_BY": [1]}, "list of attributes"),
    ],
)
def test_a_wrong_setting_is_told(stated: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        read_configuration(stated)
    assert caught.value.remedy
    assert caught.value.setting in str(caught.value)


def test_settings_are_read() -> None:
    assert read_configuration({}) == Configuration(limit=4, by=("countries", "topics", "tags"))
    assert read_configuration({"RELATED_BY": ["x"], "RELATED_LIMIT": 9}) == Configuration(limit=9, by=("x",))


def test_every_setting_is_documented_with_its_default() -> None:
    readme = (ROOT / "plugins" / "related" / "README.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(RELATED_\w+)` \| `(.+?)` \|", readme, re.MULTILINE))
    defaults = {"RELATED_" + field.name.upper(): field.default for field in fields(Configuration)}
    assert {name: ast.literal_eval(value) for name, value in rows.items()} == defaults
