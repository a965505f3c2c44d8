"""What countries are called in each language, and what somebody may have meant."""

from __future__ import annotations

import pytest
from atlas.names import Names, Texts, country_codes
from atlas.table import AtlasTable
from babel import Locale

from tests.atlas.sites import LANGUAGES
from tests.multilingual.sites import ROOT

OWN = AtlasTable(ROOT / "content" / "atlas.yaml", {})


def test_the_codes_are_those_of_iso_3166_and_kosovo() -> None:
    assert len(country_codes()) == 249 + 1
    assert {"XK", "NO", "SS", "TW", "EH", "PS"} < country_codes()
    assert not {"UK", "EU", "UN", "SU", "XA", "ZZ"} & country_codes()


def test_our_table_is_whole() -> None:
    assert OWN.problems == []
    assert list(OWN.find_gaps(LANGUAGES)) == []
    assert len(OWN.atlas.regions) == 7
    assert len(OWN.atlas.countries) == 58


@pytest.mark.parametrize("lang", LANGUAGES)
def test_our_countries_have_names_of_their_own_in_every_language(lang: str) -> None:
    names = {country.name(lang) for country in OWN.atlas.countries}
    assert len(names) == 58
    assert not [name for name in names if set("()&,") & set(name)]
    assert {country.name_lang(lang) for country in OWN.atlas.countries} == {lang}


@pytest.mark.parametrize(
    ("code", "lang", "name"),
    [
        ("PS", "en", "Palestine"), ("PS", "zh-Hans", "巴勒斯坦"), ("PS", "ru", "Палестина"), ("MM", "fa", "میانمار"),
        ("BA", "en", "Bosnia and Herzegovina"), ("XK", "ar", "كوسوفو"), ("MK", "uk", "Північна Македонія"),
        ("NO", "fr", "Norvège"),
    ],
)  # fmt: skip
def test_names_are_ours_where_those_of_cldr_do_not_suit(code: str, lang: str, name: str) -> None:
    assert OWN.atlas.find(code).name(lang) == name


def test_a_missing_name_says_which_language_it_is_in() -> None:
    names = Names({"RU": Texts({"fr": "Russie", "pt": "Rússia"})}, {"tlh": Locale.parse("ru")})
    assert names.find("RU", "pt-BR") == ("Rússia", "pt-BR")
    assert names.find("RU", "xx") == ("Russie", "fr")  # a language that CLDR does not know, without English
    assert names.find("UA", "xx") == ("Ukraine", "en")
    assert names.find("UA", "tlh") == ("Украина", "ru")  # it borrows the formats of Russian


@pytest.mark.parametrize(
    ("text", "lang", "code"),
    [
        ("UK", "en", "GB"), ("RUS", "en", "RU"), ("Russia", "en", "RU"), ("russland", "de", "RU"),
        ("Росия", "ru", "RU"), ("روسیه", "fa", "RU"), ("俄罗斯", "zh-Hans", "RU"), ("Burma", "en", "MM"),
        ("Palestinian Territories", "en", "PS"), ("ur", "en", "RU"), ("Ukrain", "fa", "UA"),
    ],
)  # fmt: skip
def test_the_nearest_country_is_offered(text: str, lang: str, code: str) -> None:
    likely = [country.code for country in OWN.atlas.countries]
    assert f"{code!r}" in OWN.atlas.names.remedy(text, lang, likely)


def test_what_is_near_to_nothing_gets_the_rule() -> None:
    assert OWN.atlas.names.remedy("Middle-earth", "en") == (
        "Write two letters of ISO 3166-1, such as RU; Kosovo is XK."
    )
