"""The content model: folders, keys, groups, inherited fields, states, slugs."""

import string
import unicodedata
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multilingual.build import BuildResult
from multilingual.placement import slug_fault
from pelican.contents import Article

from tests.multilingual.sites import TERMS, WITH_TERMS, Site, texts

WITH_CATEGORIES = {"CATEGORY_URL": "category/{slug}/", "CATEGORY_SAVE_AS": "category/{slug}/index.html"}


def pieces(result: BuildResult, lang: str) -> dict[str, Article]:
    """An edition's articles by key: published, hidden and draft."""
    assert result.site is not None
    edition = result.site.editions[lang]
    return {a.translation_key: a for a in (*edition.articles, *edition.hidden_articles, *edition.drafts)}


def keys(result: BuildResult, lang: str, what: str = "articles") -> list[str]:
    assert result.site is not None
    return [article.translation_key for article in getattr(result.site.editions[lang], what)]


# Folders and keys


def test_the_folder_names_the_language_and_the_file_the_key(site: Site) -> None:
    site.article("en", "one")
    site.translation("fa", "one", "en")
    site.page("en", "about")
    result = site.build_whole()
    assert site.has("en/one/")
    assert site.has("fa/one/")
    assert site.has("en/about/")
    article = pieces(result, "fa")["one"]
    assert (article.lang, article.source.lang, article.is_source) == ("fa", "en", False)
    assert [t.lang for t in article.translations] == ["en"]


def test_a_folder_below_a_language_is_no_language(site: Site) -> None:
    site.write("articles/en/2026/fa/deep.md", "Title: Deep\nDate: 2026-01-02\n\nText.\n")
    result = site.build_whole()
    assert list(pieces(result, "en")) == ["deep"]
    assert not site.has("fa/deep/")


@pytest.mark.parametrize("key", ["One", "one_two", "one two", "یک", "one.two", "a" * 81])
def test_a_key_is_small_letters_digits_and_hyphens(site: Site, key: str) -> None:
    site.article("en", key)
    (problem,) = site.build().problems
    assert problem.file == f"content/articles/en/{key}.md"
    assert problem.what == f"{key!r} is no key"
    assert problem.remedy == "Rename the file: small letters a-z, digits and hyphens, at most 80."


def test_the_longest_key(site: Site) -> None:
    site.article("en", "a" * 80)
    site.build_whole()
    assert site.has(f"en/{'a' * 80}/")


def test_one_key_is_one_article_in_a_language(site: Site) -> None:
    site.article("en", "one")
    site.write("articles/en/more/one.md", "Title: Again\nDate: 2026-01-02\n\nText.\n")
    assert texts(site.build()) == [
        "content/articles/en/one.md: content/articles/en/more/one.md is the same article in the same language. "
        "Keep one of them.",
    ]


def test_keys_that_differ_in_case_alone_are_one(site: Site) -> None:
    site.article("en", "one")
    site.article("en", "ONE")
    said = texts(site.build())
    assert any("'ONE' is no key" in text for text in said)


def test_a_lang_header_may_repeat_the_folder_and_not_contradict_it(site: Site) -> None:
    site.article("zh-Hans", "right", Lang="zh_hans")
    site.article("en", "wrong", Lang="fa")
    assert texts(site.build()) == [
        "content/articles/en/wrong.md:3: Lang: fa contradicts the folder, which says en. "
        "Remove the line, or move the file.",
    ]


def test_beside_language_folders_every_folder_is_one(site: Site) -> None:
    site.article("en", "one")
    site.article("farsi", "one", Translated_from="en")
    site.article("de", "two")
    site.page("drafts", "about")
    said = texts(site.build())
    assert said == [
        "content/articles/de: the folder 'de' names no language of this site, while others beside it do. "
        "Known are: en, fa, zh-Hans. Rename it, or add the language to MULTILINGUAL_LANGUAGES.",
        "content/articles/farsi: the folder 'farsi' names no language of this site, while others beside it do. "
        "Known are: en, fa, zh-Hans. Rename it, or add the language to MULTILINGUAL_LANGUAGES.",
    ]


def test_where_no_folder_is_a_language_folders_are_categories(site: Site) -> None:
    site.settings(USE_FOLDER_AS_CATEGORY=True, **WITH_CATEGORIES)
    site.write("articles/news/one.md", "Title: One\nDate: 2026-01-02\nSlug: one\n\nText.\n")
    site.write("articles/news/one-fa.md", "Title: یک\nDate: 2026-01-02\nSlug: one\nLang: fa\n\nText.\n")
    result = site.build_whole()
    assert site.has("en/one/")
    assert site.has("fa/one/")
    assert str(pieces(result, "fa")["one"].category) == "news"


def test_an_unknown_language_in_a_header_is_told(site: Site) -> None:
    site.write("articles/one.md", "Title: One\nDate: 2026-01-02\nLang: farsi\n\nText.\n")
    assert texts(site.build()) == [
        "content/articles/one.md:3: the language 'farsi' is not one of this site. Known are: en, fa, zh-Hans.",
    ]


# Sources


def test_one_source_however_many_translations(site: Site) -> None:
    site.article("fa", "one")
    site.translation("en", "one", "fa")
    site.translation("zh-Hans", "one", "EN")
    result = site.build_whole()
    for lang in ("fa", "en", "zh-Hans"):
        article = pieces(result, lang)["one"]
        assert article.source.lang == "fa"
        assert article.is_source is (lang == "fa")
    assert pieces(result, "zh-Hans")["one"].made_from.lang == "en"
    assert pieces(result, "en")["one"].made_from.lang == "fa"


def test_two_sources_name_both_files(site: Site) -> None:
    site.article("en", "one")
    site.article("fa", "one")
    names = "content/articles/en/one.md, content/articles/fa/one.md"
    said = f"'one' has 2 source articles ({names}). State `Translated_from:` in all but one."
    assert texts(site.build()) == [f"content/articles/{lang}/one.md: {said}" for lang in ("en", "fa")]


def test_no_source_names_the_files(site: Site) -> None:
    site.translation("en", "one", "fa")
    site.translation("fa", "one", "en")
    assert texts(site.build()) == [
        "content/articles/en/one.md:2: 'one' has no source article: each of content/articles/en/one.md, "
        "content/articles/fa/one.md is a translation. Remove `Translated_from:` from the one that was written first.",
    ]


def test_a_translation_without_its_source(site: Site) -> None:
    site.translation("fa", "one", "en")
    assert texts(site.build()) == [
        "content/articles/fa/one.md:2: there is no 'one' in en, from which it was translated. "
        "Name the right language, or restore that file.",
    ]


@pytest.mark.parametrize(
    ("stated", "what"),
    [
        ("farsi", "Translated_from: farsi is not a language of this site. Known are: en, fa, zh-Hans."),
        ("fa", "Translated_from: fa is its own language. Name the language it was made from."),
        (
            "zh-Hans",
            "there is no 'one' in zh-Hans, from which it was translated. "
            "Name the right language, or restore that file.",
        ),
    ],
)
def test_a_wrong_translated_from_is_told(site: Site, stated: str, what: str) -> None:
    site.article("en", "one")
    site.translation("fa", "one", stated)
    assert texts(site.build()) == [f"content/articles/fa/one.md:2: {what}"]


def test_groups_are_formed_over_every_state(site: Site) -> None:
    site.article("en", "one", Status="draft")
    site.translation("fa", "one", "en", Status="hidden")
    site.translation("zh-Hans", "one", "en")
    result = site.build_whole()
    assert keys(result, "en", "drafts") == keys(result, "fa", "hidden_articles") == keys(result, "zh-Hans") == ["one"]
    assert pieces(result, "zh-Hans")["one"].source.lang == "en"
    # Only what is published stands among the translations that a page lists.
    assert pieces(result, "fa")["one"].translations == [pieces(result, "zh-Hans")["one"]]
    assert pieces(result, "zh-Hans")["one"].translations == []


# Shared fields


def test_translations_inherit_what_they_do_not_state(site: Site) -> None:
    site.settings(**WITH_TERMS)
    site.write("terms.yaml", TERMS)
    site.article(
        "en", "one", Date="2025-03-04 09:30", Topics="war, asylum", Countries="RU, UA", Authors="amina, desk",
        Image="/images/a.jpg", Category="Reports",
    )  # fmt: skip
    site.translation("fa", "one", "en")
    site.translation(
        "zh-Hans", "one", "en", Date="2025-05-06", Topics="asylum", Countries="CN", Author="desk", Image="/images/b.jpg"
    )
    result = site.build_whole()
    inherited, own = pieces(result, "fa")["one"], pieces(result, "zh-Hans")["one"]
    assert inherited.date == datetime.fromisoformat("2025-03-04T09:30+00:00")
    assert [topic.key for topic in inherited.topics] == ["war", "asylum"]
    assert [str(topic.name) for topic in inherited.topics] == ["جنگ", "پناهندگی"]
    assert [author.key for author in inherited.authors] == ["amina", "desk"]
    assert (inherited.countries, inherited.image, str(inherited.category)) == ("RU, UA", "/images/a.jpg", "Reports")
    assert own.date.date() == date(2025, 5, 6)
    assert [topic.key for topic in own.topics] == ["asylum"]
    assert [author.key for author in own.authors] == ["desk"]
    assert (own.countries, own.image, str(own.category)) == ("CN", "/images/b.jpg", "Reports")


def test_defaults_never_count_as_stated(site: Site) -> None:
    site.settings(
        DEFAULT_DATE="2001-01-01", DEFAULT_CATEGORY="misc", AUTHOR="Nobody", USE_FOLDER_AS_CATEGORY=True,
        DEFAULT_METADATA={"countries": "XX"}, **WITH_CATEGORIES,
    )  # fmt: skip
    site.article("en", "one", Date="2026-01-02", Category="Reports", Author="Amina", Countries="RU")
    site.translation("fa", "one", "en")
    article = pieces(site.build_whole(), "fa")["one"]
    assert article.date.date() == date(2026, 1, 2)
    assert (str(article.category), article.author.name, article.countries) == ("Reports", "Amina", "RU")


def test_a_language_folder_is_no_category(site: Site) -> None:
    site.settings(USE_FOLDER_AS_CATEGORY=True, **WITH_CATEGORIES, DEFAULT_CATEGORY="misc")
    site.article("en", "one")
    assert str(pieces(site.build_whole(), "en")["one"].category) == "misc"


def test_a_date_that_is_missing_is_told_once(site: Site) -> None:
    site.article("en", "one", Date="")
    site.translation("fa", "one", "en")
    assert texts(site.build()) == ["content/articles/en/one.md: the date is missing. State `Date: 2026-03-04`."]


def test_an_unknown_topic_is_told_where_it_is_stated(site: Site) -> None:
    site.settings(**WITH_TERMS)
    site.write("terms.yaml", TERMS)
    site.article("en", "one", Topics="war, asilum")
    site.translation("fa", "one", "en")
    site.article("en", "two", Authors="Desk")
    assert texts(site.build()) == [
        "content/articles/en/one.md:3: 'asilum' is not in the table of topics. Did you mean 'asylum'?",
        "content/articles/en/two.md:3: 'Desk' is not in the table of authors. Did you mean 'desk'?",
    ]


# States and dates


def test_drafts_are_written_in_development_only(site: Site) -> None:
    site.article("en", "one", Status="draft", Date="")
    site.page("en", "plan", Status="draft")
    site.build_whole()
    assert site.has("en/drafts/one/")
    assert site.has("en/drafts/plan/")
    assert "one in en" not in site.text("en/")
    site.settings(MULTILINGUAL_DRAFTS=False)
    site.build_whole()
    assert not any("drafts" in url or "one" in url for url in site.pages())
    assert not site.has("k/one/")


def test_hidden_articles_are_written_and_in_no_list(site: Site) -> None:
    site.article("en", "one", Status="hidden")
    site.build_whole()
    assert site.has("en/one/")
    for url in ("", "en/", "en/archive/", "fa/", "sitemap.xml"):
        assert "one in en" not in site.text(url)
        assert "/one/" not in site.text(url)
    assert not site.has("en/feed.atom")


def test_a_future_date_is_an_embargo(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.article("en", "one", Date="2026-03-04 12:00")
    site.translation("fa", "one", "en")
    site.translation("zh-Hans", "one", "en", Translated="2026-05-06")
    for moment, published in (
        ("2026-03-04T11:59:59", set()),
        ("2026-03-04T12:00:00", {"en", "fa"}),
        ("2026-05-06T00:00:00", {"en", "fa", "zh-Hans"}),
    ):
        epoch = int(datetime.fromisoformat(f"{moment}+00:00").timestamp())
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(epoch))
        result = site.build_whole()
        assert {lang for lang in ("en", "fa", "zh-Hans") if keys(result, lang)} == published
        for lang in ("en", "fa", "zh-Hans"):
            assert site.has(f"{lang}/one/") is (lang in published)
            assert site.has(f"{lang}/drafts/one/") is (lang not in published)
            assert pieces(result, lang)["one"].embargoed is (lang not in published)


def test_translated_orders_lists_and_both_dates_are_there(site: Site) -> None:
    site.article("en", "old", Date="2020-01-01")
    site.translation("fa", "old", "en", Translated="2026-02-02")
    site.article("en", "new", Date="2026-01-01")
    site.translation("fa", "new", "en")
    result = site.build_whole()
    assert keys(result, "en") == ["new", "old"]
    assert keys(result, "fa") == ["old", "new"]
    article = pieces(result, "fa")["old"]
    assert (article.date.date(), article.translated, article.listed.date()) == (
        date(2020, 1, 1), date(2026, 2, 2), date(2026, 2, 2),
    )  # fmt: skip
    shown = {time.get("datetime") for time in site.html("fa/old/").xpath("//time")}
    assert {"2020-01-01", "2026-02-02"} <= shown


def test_corrections_and_retractions_are_shown_and_change_the_date(site: Site) -> None:
    site.write(
        "articles/en/one.md",
        "Title: One\nDate: 2026-01-02\nCorrected: 2026-03-04 A figure.\nCorrected: 2026-02-03 A name.\n"
        "Retracted: 2026-04-05 The source.\n\nText.\n",
    )
    article = pieces(site.build_whole(), "en")["one"]
    assert [(note.date, note.text) for note in article.corrections] == [
        (date(2026, 2, 3), "A name."), (date(2026, 3, 4), "A figure."),
    ]  # fmt: skip
    assert (article.retraction.date, article.retraction.text) == (date(2026, 4, 5), "The source.")
    assert article.modified.date() == date(2026, 4, 5)
    text = site.html("en/one/").text_content()
    assert all(said in text for said in ("A figure.", "A name.", "The source."))


@pytest.mark.parametrize("name", ["Corrected", "Retracted", "Withdrawn"])
@pytest.mark.parametrize("stated", ["yesterday A figure.", "2026-13-04 A figure.", "A figure.", "2026-3-4 A figure."])
def test_a_remark_begins_with_a_day(site: Site, name: str, stated: str) -> None:
    site.article("en", "one", **{name: stated})
    assert texts(site.build()) == [
        f"content/articles/en/one.md:3: {name}: {stated!r} does not begin with a day. "
        f"Write `{name}: 2026-03-04 What and why`.",
    ]


@pytest.mark.parametrize("name", ["Date", "Modified", "Translated"])
@pytest.mark.parametrize("stated", ["soon", "2026-02-30", "March 2026", "12:30", "2026-99"])
def test_an_unreadable_date_is_told_with_its_line(site: Site, name: str, stated: str) -> None:
    site.write(
        "articles/en/one.md",
        f"Title: One\n{name}: {stated}\nDate: 2026-01-02\n\nText.\n".replace(
            "Date: 2026-01-02\n", "" if name == "Date" else "Date: 2026-01-02\n"
        ),
    )
    (problem,) = site.build().problems
    assert (problem.file, problem.line) == ("content/articles/en/one.md", 2)
    assert problem.what == f"{name.lower()!r} is not a date: {stated!r}"
    assert problem.remedy.startswith("Write it as 2026-03-04")


def test_withdrawing_one_language_withdraws_all(site: Site) -> None:
    site.article("en", "one", "Secret text.", Title="Secret title", Summary="Secret summary.")
    site.translation("fa", "one", "en", "متن پنهان", Withdrawn="2026-03-04 For somebody's safety.")
    site.page("en", "about", "See [it]({filename}/articles/en/one.md).")
    result = site.build_whole()
    assert not pieces(result, "en")
    for path in site.output.rglob("*"):
        if path.is_file() and path.suffix in (".html", ".xml", ".atom"):
            text = path.read_text("utf-8")
            assert "Secret" not in text
            assert "متن پنهان" not in text
    for lang in ("en", "fa", "zh-Hans"):
        assert "For somebody's safety." in site.html(f"{lang}/one/").text_content()
    assert "/one/" not in site.text("sitemap.xml")


def test_a_reason_is_given_in_the_readers_language_where_there_is_one(site: Site) -> None:
    site.article("en", "one", Withdrawn="2026-03-04 At the author's wish")
    site.translation("fa", "one", "en", Withdrawn="2026-03-04 به خواست نویسنده")
    site.translation("zh-Hans", "one", "en", Withdrawn="2026-03-04")
    site.build_whole()
    reasons = {}
    for lang in ("en", "fa", "zh-Hans"):
        (reason,) = site.html(f"{lang}/one/").xpath("//main//p/bdi")
        reasons[lang] = (reason.text, reason.get("lang"))
    assert reasons == {
        "en": ("At the author's wish", None),
        "fa": ("به خواست نویسنده", None),
        "zh-Hans": ("At the author's wish", "en"),
    }


# Slugs


@pytest.mark.parametrize(
    ("lang", "slug"),
    [
        ("hi", "युद्ध-से-पलायन"),
        ("th", "ผู้ลี้ภัย"),
        ("my", "ဒုက္ခသည်များ"),
        ("fa", "پناهندگی-و-جنگ"),
        ("ar", "لاجئون"),
        ("vi", "tị-nạn"),
    ],
)
def test_a_language_may_have_a_slug_in_its_own_script(site: Site, lang: str, slug: str) -> None:
    site.settings(MULTILINGUAL_LANGUAGES={"en": {}, lang: {}})
    site.article("en", "one")
    site.translation(lang, "one", "en", Slug=unicodedata.normalize("NFD", slug))
    result = site.build_whole()
    composed = unicodedata.normalize("NFC", slug)
    assert pieces(result, lang)["one"].slug == composed
    assert site.has(f"{lang}/{composed}/")
    assert not site.has(f"{lang}/one/")
    assert site.has("en/one/")


@pytest.mark.parametrize(
    ("slug", "what"),
    [
        ("../../etc/passwd", "the slug '../../etc/passwd' has other characters than letters, digits and hyphens"),
        ("/root", "the slug '/root' has other characters than letters, digits and hyphens"),
        ("a/b", "the slug 'a/b' has other characters than letters, digits and hyphens"),
        ("a.b", "the slug 'a.b' has other characters than letters, digits and hyphens"),
        ("a b", "the slug 'a b' has other characters than letters, digits and hyphens"),
        ("a\u202eb", "the slug 'a\\u202eb' has other characters than letters, digits and hyphens"),
        ("ا" * 101, f"the slug {'ا' * 20!r}… is longer than 200 bytes"),
        ("-", "the slug '-' is empty"),
        ("archive", "the slug 'archive' is reserved"),
        ("drafts", "the slug 'drafts' is reserved"),
        ("page", "the slug 'page' is reserved"),
        ("fa", "the slug 'fa' is reserved"),
        ("Archive", "the slug 'Archive' is reserved"),
    ],
)
def test_a_bad_slug_is_told_and_writes_nothing(site: Site, slug: str, what: str) -> None:
    site.article("en", "one", Slug=slug)
    (problem,) = site.build().problems
    assert (problem.file, problem.line, problem.what) == ("content/articles/en/one.md", 3, what)
    assert sorted(path.name for path in site.folder.iterdir() if path.name != "__pycache__") == [
        "content", "pelicanconf.py",
    ]  # fmt: skip


def test_reserved_words_are_no_keys_either(site: Site) -> None:
    site.settings(MULTILINGUAL_RESERVED_SLUGS=["apply"])
    site.article("en", "apply")
    site.article("en", "archive")
    assert texts(site.build()) == [
        "content/articles/en/apply.md: 'apply' is reserved. Rename the file.",
        "content/articles/en/archive.md: 'archive' is reserved. Rename the file.",
    ]


@given(st.text(min_size=1, max_size=30))
def test_a_slug_without_fault_is_one_harmless_part_of_a_path(slug: str) -> None:
    if not slug_fault(slug, frozenset()):
        assert not set(slug) & (set(string.whitespace) | set(string.punctuation) - set("-_"))
        assert slug not in (".", "..")
        assert slug == "".join(c for c in slug if c.isprintable())
        assert len(slug.encode()) <= 200


def test_two_pieces_cannot_claim_one_address(site: Site) -> None:
    site.article("en", "one")
    site.article("en", "two", Slug="one")
    site.page("fa", "three", Slug="یک")
    site.article("fa", "four", Slug="یک")
    said = texts(site.build())
    assert len(said) == 2
    assert "is claimed twice" in said[0]
    assert "content/articles/en/one.md" in said[0]
    assert "content/articles/en/two.md" in said[0]
    assert "/fa/یک/ is claimed twice" in said[1]


def test_other_formats_belong_to_groups_too(site: Site) -> None:
    site.article("en", "one")
    site.write("articles/fa/one.rst", "یک\n####\n\n:translated_from: en\n\nمتن\n")
    article = pieces(site.build_whole(), "fa")["one"]
    assert article.source.lang == "en"
    assert article.date.date() == date(2026, 1, 2)
