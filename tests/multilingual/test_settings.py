"""Settings: what is wrong with one is said with its name, its value and the remedy."""

from typing import Any

import pytest
from multilingual.errors import ConfigurationError
from multilingual.settings import PER_EDITION, read_configuration

from tests.multilingual.sites import Site

LANGUAGES: dict[str, dict[str, Any]] = {"en": {}, "uk": {}, "ru": {}, "zh-Hans": {}}
TAXONOMY = {"url": "topics/{slug}/", "template": "topic"}


def read(**settings: Any) -> Any:
    return read_configuration({"DEFAULT_LANG": "en", "MULTILINGUAL_LANGUAGES": LANGUAGES} | settings)


def refusal(**settings: Any) -> str:
    with pytest.raises(ConfigurationError) as raised:
        read(**settings)
    return str(raised.value)


def test_without_languages_there_is_no_configuration() -> None:
    assert read_configuration({"DEFAULT_LANG": "en", "SITENAME": "x"}) is None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("MULTILINGUAL_LANGAUGES", "MULTILINGUAL_LANGUAGES"),
        ("MULTILINGUAL_FALLBACKS", "MULTILINGUAL_FALLBACK"),
        ("MULTILINGUAL_UNTRANSLATED_PAGE", "MULTILINGUAL_UNTRANSLATED_PAGES"),
    ],
)
def test_a_typo_is_told_also_where_the_plugin_is_not_configured(name: str, meant: str) -> None:
    said = f"{name} = {{}}: unknown setting. Did you mean '{meant}'?"
    assert refusal(**{name: {}}) == said
    with pytest.raises(ConfigurationError) as raised:
        read_configuration({"DEFAULT_LANG": "en", name: {}})
    assert str(raised.value) == said


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("DEFAULT_AT_ROOT", "yes", "use True or False"),
        ("CHOOSER", 1, "use True or False"),
        ("NEUTRAL", None, "use True or False"),
        ("NOT_FOUND", "no", "use True or False"),
        ("DRAFTS", 0, "use True or False"),
        ("WITHOUT_BROKEN", "", "use True or False"),
        ("SITEMAP", None, 'use a path, or "" for none'),
        ("TERMS", False, 'use a path, or "" for none'),
        ("REDIRECTS", ["a"], 'use a path, or "" for none'),
        ("UNTRANSLATED", "show", "use 'link' or 'hide'"),
        ("UNTRANSLATED_PAGES", True, "use 'link' or 'hide'"),
        ("DATE_FORMAT", "%Y", "use 'short' or 'medium' or 'long' or 'full'"),
        ("MESSAGES", "messages", "use a list of strings"),
        ("MESSAGES", [1], "use a list of strings"),
        ("RESERVED_SLUGS", "apply", "use a list of strings"),
        ("FALLBACK", ["uk"], "use a dict such as {'uk': ['en']}"),
        ("TAXONOMIES", ["topics"], "map article attributes to their pages"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(name: str, value: object, remedy: str) -> None:
    assert refusal(**{f"MULTILINGUAL_{name}": value}) == f"MULTILINGUAL_{name} = {value!r}: {remedy}"


@pytest.mark.parametrize(
    ("fallback", "said"),
    [
        ({"uk": "zh-Hant"}, "MULTILINGUAL_FALLBACK = 'zh-Hant': not a language of this site. Did you mean 'zh-Hans'?"),
        ({"fa": ["en"]}, "MULTILINGUAL_FALLBACK = 'fa': not a language of this site. Known are: en, ru, uk, zh-Hans."),
        ({"uk": 7}, "MULTILINGUAL_FALLBACK['uk'] = 7: use a list of language tags"),
        ({"uk": [7]}, "MULTILINGUAL_FALLBACK = 7: not a language of this site. Known are: en, ru, uk, zh-Hans."),
    ],
)
def test_a_bad_fallback_is_refused(fallback: object, said: str) -> None:
    assert refusal(MULTILINGUAL_FALLBACK=fallback) == said


def test_fallbacks_take_any_spelling_and_keep_their_order() -> None:
    configuration = read(MULTILINGUAL_FALLBACK={"UK": ["RU", "en"], "zh_hans": "en"})
    assert configuration.fallback == {"uk": ("ru", "en"), "zh-Hans": ("en",)}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("topic", "MULTILINGUAL_TAXONOMIES['topics'] = 'topic': use a dict with at least 'url' and 'template'"),
        ({"url": "t/{slug}/"}, "state at least 'url' and 'template'"),
        (TAXONOMY | {"templat": "x"}, "= 'templat': unknown option. Did you mean 'template'?"),
        (TAXONOMY | {"url": "topics/"}, "= 'topics/': 'url' needs {slug} or {key}"),
        (TAXONOMY | {"feed": "feed.atom"}, "= 'feed.atom': 'feed' needs {slug} or {key}"),
        (TAXONOMY | {"index": "topics/"}, "'index' and 'index_template' go together"),
        (TAXONOMY | {"paginate": "10"}, "MULTILINGUAL_TAXONOMIES['topics']['paginate'] = '10': use a number"),
        (TAXONOMY | {"paginate": 0}, "MULTILINGUAL_TAXONOMIES['topics']['paginate'] = 0: use a number"),
        (TAXONOMY | {"template": None}, "MULTILINGUAL_TAXONOMIES['topics']['template'] = None: use text"),
    ],
)
def test_bad_taxonomies_are_refused(options: object, said: str) -> None:
    assert said in refusal(MULTILINGUAL_TAXONOMIES={"topics": options})


@pytest.mark.parametrize("default", ["fa", "zh"])
def test_the_default_language_is_one_of_them(default: str) -> None:
    said = refusal(DEFAULT_LANG=default)
    assert said == f"DEFAULT_LANG = {default!r}: name one of the languages: en, uk, ru, zh-Hans"


@pytest.mark.parametrize(
    "name",
    ["ARTICLE_URL", "SITEURL", "PATH", "TIMEZONE", "THEME", "PLUGINS", "MARKDOWN", "FEED_ATOM", "OWN_URL", "lower"],
)
def test_an_edition_cannot_have_its_own_of_what_is_read_once(name: str) -> None:
    said = refusal(MULTILINGUAL_LANGUAGES=LANGUAGES | {"uk": {name: "x"}})
    assert said.startswith(f"MULTILINGUAL_LANGUAGES['uk'][{name!r}] = 'x': this is read once for the whole build. ")
    for allowed in PER_EDITION:
        assert allowed in said


def test_what_an_edition_may_have_of_its_own_is_accepted() -> None:
    overrides: dict[str, object] = dict.fromkeys(PER_EDITION, "x") | {"MY_VARIABLE": 1, "name": "Українською"}
    configuration = read(MULTILINGUAL_LANGUAGES=LANGUAGES | {"uk": overrides})
    assert configuration.languages["uk"].overrides.keys() == overrides.keys() - {"name"}
    assert configuration.languages["uk"].name == "Українською"


def test_an_edition_may_lead_elsewhere_than_the_others(site: Site) -> None:
    site.settings(
        MULTILINGUAL_LANGUAGES={"en": {}, "fa": {"EXIT_URL": "https://weather.example/fa/"}},
        EXIT_URL="https://weather.example/",
    )
    site.article("en", "one")
    site.translation("fa", "one", "en")
    site.build_whole()
    for url, exit_url in (("en/one/", "https://weather.example/"), ("fa/one/", "https://weather.example/fa/")):
        assert f'href="{exit_url}"' in site.text(url)


def test_overrides_reach_the_edition_s_pages(site: Site) -> None:
    site.settings(
        MULTILINGUAL_LANGUAGES={"en": {}, "fa": {"SITENAME": "نام", "DEFAULT_PAGINATION": 1, "OWN_VARIABLE": "x"}},
        DEFAULT_PAGINATION=10,
    )
    for key in ("one", "two"):
        site.article("en", key)
        site.translation("fa", key, "en")
    result = site.build_whole()
    assert "نام" in site.html("fa/").findtext(".//title", "")
    assert "The Site" in site.html("en/").findtext(".//title", "")
    assert site.has("fa/page/2/")
    assert not site.has("en/page/2/")
    assert result.site is not None
    assert result.site.editions["fa"].settings["OWN_VARIABLE"] == "x"
    assert "OWN_VARIABLE" not in result.site.editions["en"].settings


def test_the_command_says_it_in_one_line_and_exits_with_1(site: Site) -> None:
    site.article("en", "one")
    site.settings(MULTILINGUAL_CHOSER=False)
    done = site.run("build")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "blog: MULTILINGUAL_CHOSER = False: unknown setting. Did you mean 'MULTILINGUAL_CHOOSER'?\n"
    assert not site.output.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SITENAME = 'x'\nSITEURL = oops\n", "pelicanconf.py:2 = 'NameError': name 'oops' is not defined"),
        ("SITENAME = 'x'\n\nif\n", "pelicanconf.py:3 = 'if': invalid syntax"),
    ],
)
def test_a_settings_file_that_cannot_be_read_is_told_with_its_line(site: Site, text: str, said: str) -> None:
    site.settings_file.write_text(text, "utf-8")
    with pytest.raises(ConfigurationError) as raised:
        site.build()
    assert str(raised.value) == said


def test_a_settings_file_that_is_missing_is_told(site: Site) -> None:
    site.settings_file.unlink()
    with pytest.raises(ConfigurationError, match="there is no such file"):
        site.build()


def test_the_cache_that_plugins_cannot_see_is_refused(site: Site) -> None:
    site.settings(CACHE_CONTENT=True, CONTENT_CACHING_LAYER="generator")
    with pytest.raises(ConfigurationError, match="CONTENT_CACHING_LAYER = 'generator': use 'reader'"):
        site.build()
