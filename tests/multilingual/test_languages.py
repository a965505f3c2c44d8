"""Tags in canonical form, and what CLDR knows about each language."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multilingual.errors import ConfigurationError
from multilingual.languages import Language, Languages, canonical_tag, find_locale, nearest_tags, read_languages

from tests.multilingual.sites import Site


def read(configured: Mapping[str, Mapping[str, Any]], default: str = "en") -> Languages:
    return read_languages(configured, default, default_at_root=False)


def describe(tag: str, **overrides: str) -> Language:
    return next(iter(read({tag: overrides}, tag).values()))


def refusal(configured: Any, default: str = "en") -> str:
    with pytest.raises(ConfigurationError) as raised:
        read(configured, default)
    return str(raised.value)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("en", "en"), ("EN", "en"), ("zh_hans", "zh-Hans"), ("ZH-HANS", "zh-Hans"), ("zh-Hans", "zh-Hans"),
        ("pt-br", "pt-BR"), ("pt_BR", "pt-BR"), ("sr-latn", "sr-Latn"), ("SR_LATN_RS", "sr-Latn-RS"), ("ckb", "ckb"),
        ("es-419", "es-419"), ("de-1996", "de-1996"), ("kmr", "kmr"), ("iw", "he"),
    ],
)  # fmt: skip
def test_tags_are_canonical(written: str, canonical: str) -> None:
    assert canonical_tag(written) == canonical
    assert canonical_tag(canonical) == canonical


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "is not a language tag"),
        ("farsi language", "is not a language tag"),
        ("../en", "is not a language tag"),
        ("en-", "is not a language tag"),
        ("-en", "is not a language tag"),
        ("en\n", "is not a language tag"),
        ("فا", "is not a language tag"),
        ("english", "is not a language tag"),
        ("xx", "is not in the IANA registry of language tags"),
        ("qzz-Latn", "is not in the IANA registry of language tags"),
        ("en-AB", "is not in the IANA registry of language tags"),
    ],
)
def test_what_is_no_tag_is_refused(written: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        canonical_tag(written)


@given(st.one_of(st.text(max_size=20), st.from_regex(r"\A[a-zA-Z]{1,4}([-_][a-zA-Z0-9]{1,8}){0,3}\Z")))
def test_any_text_is_a_tag_or_is_refused(text: str) -> None:
    try:
        tag = canonical_tag(text)
    except ValueError:
        return
    assert canonical_tag(tag) == tag
    assert canonical_tag(tag.replace("-", "_").lower()) == tag


def test_languages_are_found_by_any_spelling() -> None:
    languages = read({"zh_hans": {}, "pt-br": {}, "en": {}})
    assert list(languages) == ["zh-Hans", "pt-BR", "en"]
    assert languages.find("ZH-hans") is languages["zh-Hans"]
    assert languages.find("zh") is None
    assert languages.find("not a tag") is None
    assert languages.default is languages["en"]


def test_prefixes_are_tags_and_none_at_the_root() -> None:
    languages = read_languages({"en": {}, "zh-hans": {}}, "en", default_at_root=True)
    assert [language.prefix for language in languages.values()] == ["", "zh-Hans/"]


@pytest.mark.parametrize(
    ("tag", "name", "direction", "script"),
    [
        ("en", "English", "ltr", "Latn"), ("ru", "Русский", "ltr", "Cyrl"), ("uk", "Українська", "ltr", "Cyrl"),
        ("es", "Español", "ltr", "Latn"), ("fr", "Français", "ltr", "Latn"), ("ar", "العربية", "rtl", "Arab"),
        ("fa", "فارسی", "rtl", "Arab"), ("zh-Hans", "简体中文", "ltr", "Hans"), ("zh-Hant", "繁體中文", "ltr", "Hant"),
        ("he", "עברית", "rtl", "Hebr"), ("ckb", "کوردیی ناوەندی", "rtl", "Arab"),
        ("pt-BR", "Português (Brasil)", "ltr", "Latn"),
        ("sr-Latn", "Srpski (latinica)", "ltr", "Latn"), ("uz-Arab", "اوزبیک (عربی)", "rtl", "Arab"),
        ("my", "မြန်မာ", "ltr", "Mymr"),
    ],
)  # fmt: skip
def test_what_cldr_says_of_a_language(tag: str, name: str, direction: str, script: str) -> None:
    language = describe(tag)
    assert (language.name, language.direction, language.script) == (name, direction, script)


def test_a_locale_is_the_nearest_there_is() -> None:
    assert str(find_locale("zh-Hans-SG")) == "zh_Hans_SG"
    assert str(find_locale("de-1996")) == "de"
    assert str(find_locale("fa-IR-x-own")) == "fa_IR"
    assert find_locale("hak") is None
    assert list(nearest_tags("zh-Hans-SG")) == ["zh-Hans-SG", "zh-Hans", "zh"]


def test_a_language_cldr_does_not_know_describes_itself() -> None:
    language = describe("hak", name="Hak-kâ-ngî", direction="ltr", cldr="zh-Hant")
    assert (language.tag, language.name, language.direction) == ("hak", "Hak-kâ-ngî", "ltr")
    assert str(language.locale) == "zh_Hant"
    assert language.overrides == {}


@pytest.mark.parametrize("lacking", ["name", "direction", "cldr"])
def test_a_language_cldr_does_not_know_must_describe_itself_in_full(lacking: str) -> None:
    described = {"name": "Hak-kâ-ngî", "direction": "ltr", "cldr": "zh-Hant"}
    del described[lacking]
    said = refusal({"en": {}, "hak": described})
    assert said.startswith("MULTILINGUAL_LANGUAGES['hak'] = ")
    assert f"state '{lacking}'" in said or f"'{lacking}'" in said.partition("state")[2]


def test_what_cldr_says_can_be_overruled() -> None:
    language = describe("ku", name="Kurdî", direction="rtl", cldr="ckb")
    assert (language.name, language.direction, str(language.locale)) == ("Kurdî", "rtl", "ckb")


@pytest.mark.parametrize(
    ("configured", "said"),
    [
        ({}, "MULTILINGUAL_LANGUAGES = {}: map at least one language tag"),
        (["en"], "MULTILINGUAL_LANGUAGES = ['en']: map at least one language tag"),
        ({"en": {}, "EN": {}}, "MULTILINGUAL_LANGUAGES = 'EN': en is there twice"),
        ({"en": {}, "no way": {}}, "MULTILINGUAL_LANGUAGES = 'no way': 'no way' is not a language tag"),
        ({"en": {}, "xx": {}}, "MULTILINGUAL_LANGUAGES = 'xx': 'xx' is not in the IANA registry"),
        ({"en": {}, 7: {}}, "MULTILINGUAL_LANGUAGES = 7: 7 is not a language tag"),
        ({"en": "English"}, "MULTILINGUAL_LANGUAGES = {'en': 'English'}: the value must be a dict"),
        ({"fa": {}}, "DEFAULT_LANG = 'en': name one of the languages: fa"),
        ({"en": {"direction": "right"}}, "MULTILINGUAL_LANGUAGES['en'] = 'right': 'direction' must be"),
        (
            {"en": {"cldr": "hak", "name": "x", "direction": "ltr"}},
            "MULTILINGUAL_LANGUAGES['en'] = 'hak': 'cldr' must be",
        ),
        ({"en": {"cldr": "nonsense here"}}, "MULTILINGUAL_LANGUAGES['en'] = 'nonsense here': 'cldr' must be"),
        ({"en": {"name": 7}}, "MULTILINGUAL_LANGUAGES['en'] = 7: 'name' must be text"),
    ],
)
def test_a_bad_table_of_languages_is_refused(configured: Any, said: str) -> None:
    assert refusal(configured).startswith(said)


def test_a_default_language_that_is_no_tag_is_refused() -> None:
    assert refusal({"en": {}}, "Farsi language").startswith("DEFAULT_LANG = 'Farsi language': ")


def test_every_edition_states_its_language_and_direction(site: Site) -> None:
    site.settings(MULTILINGUAL_LANGUAGES={"en": {}, "zh_hans": {}, "CKB": {}}, DEFAULT_LANG="EN")
    site.article("en", "one")
    site.translation("zh-hans", "one", "en")
    site.translation("ckb", "one", "EN")
    site.build_whole()
    for tag, direction in (("en", None), ("zh-Hans", None), ("ckb", "rtl")):
        root = site.html(f"{tag}/one/")
        assert root.get("lang") == tag
        assert root.get("dir") in (direction, "rtl" if direction else "ltr")


def test_a_language_folder_is_found_by_any_spelling(site: Site) -> None:
    site.article("ZH_Hans", "one")
    site.build_whole()
    assert site.has("zh-Hans/one/")


def test_adding_a_language_is_one_line(site: Site) -> None:
    site.article("en", "one")
    site.settings(MULTILINGUAL_LANGUAGES={"en": {}, "tr": {}})
    site.build_whole()
    assert site.html("tr/").get("lang") == "tr"
    assert "Türkçe" in site.html("").text_content()


@pytest.mark.parametrize(
    ("tag", "overrides", "expected"),
    [
        ("en", {}, "en_US"), ("en", {"cldr": "en-GB"}, "en_GB"), ("fa", {}, "fa_IR"), ("fa-AF", {}, "fa_AF"),
        ("zh-Hans", {}, "zh_CN"), ("zh-Hant", {}, "zh_TW"), ("eo", {}, "eo"),
        ("kmr", {"name": "Kurmancî", "direction": "ltr", "cldr": "tr"}, "kmr_TR"),
    ],
)  # fmt: skip
def test_a_language_has_the_territory_that_open_graph_asks_for(
    tag: str, overrides: dict[str, str], expected: str
) -> None:
    assert describe(tag, **overrides).with_territory == expected
