"""Editions: the whole site once in each language, from files that are each read once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.multilingual.bare import look, undress
from tests.multilingual.sites import TERMS, THEME, WITH_TERMS, Site

CANARY = "The seventh witness spoke at dawn."


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site in English, Persian and Simplified Chinese, in the bare theme."""
    return undress(Site(tmp_path))


def everything(site: Site) -> str:
    """Every text of the output, to look for what must not be there."""
    return "\n".join(path.read_text("utf-8") for path in sorted(site.output.rglob("*")) if path.is_file())


# What an edition consists of


def test_every_language_has_the_same_pages_of_its_own(site: Site) -> None:
    site.settings(**WITH_TERMS)
    site.write("terms.yaml", TERMS)
    site.article("en", "one", Topics="asylum", Author="desk")
    site.translation("fa", "one", "en", Slug="یک")
    site.page("en", "about")
    site.page("fa", "about", Translated_from="en")
    site.build_whole()

    assert site.pages() == [
        "", "404.html",
        "en/", "en/404.html", "en/about/", "en/archive/", "en/authors/", "en/authors/desk/", "en/one/", "en/topics/",
        "en/topics/asylum/",
        "fa/", "fa/404.html", "fa/about/", "fa/archive/", "fa/authors/", "fa/authors/desk/", "fa/topics/",
        "fa/topics/پناهندگی/", "fa/یک/",
        "k/one/",
        "zh-Hans/", "zh-Hans/404.html", "zh-Hans/archive/", "zh-Hans/authors/", "zh-Hans/authors/desk/",
        "zh-Hans/topics/", "zh-Hans/topics/asylum/",
    ]  # fmt: skip
    persian = look(site, "fa/")
    assert (persian.lang, persian.direction) == ("fa", "rtl")
    assert persian.articles == ["/fa/یک/"]
    assert persian.pages == ["/fa/about/"]
    assert look(site, "zh-Hans/").articles == []
    assert look(site, "fa/topics/پناهندگی/").heading == "پناهندگی"
    assert look(site, "fa/authors/desk/").articles == ["/fa/یک/"]


def test_each_source_is_read_once_however_many_languages_there_are(site: Site) -> None:
    site.article("en", "one")
    site.translation("fa", "one", "en")
    (site.folder / "counting.py").write_text(
        "from pelican.plugins import signals\n"
        "read = []\n"
        "def count(content):\n"
        "    if hasattr(content, 'title'): read.append(content.source_path)\n"
        "def tell(pelican):\n"
        "    print('READ', len(read), len(set(read)))\n"
        "def register():\n"
        "    signals.content_object_init.connect(count)\n"
        "    signals.finalized.connect(tell)\n",
        "utf-8",
    )
    site.settings(PLUGINS=["multilingual", "counting"], PLUGIN_PATHS=[*site.configuration["PLUGIN_PATHS"], "."])
    assert "READ 2 2" in site.run_pelican().stdout


def test_chooser_puts_languages_first_with_one_headline_each(site: Site) -> None:
    site.article("en", "old", Date="2026-01-01", Title="Old news")
    site.article("en", "new", Date="2026-02-01", Title="New news")
    site.article("fa", "iran", Title="ایران")
    site.build_whole()
    chooser = look(site, "")
    assert chooser.template == "chooser"
    rows = [
        (row.get("lang"), row.get("data-url"), (row.text or "").strip())
        for row in chooser.document.find_class("headline")
    ]
    assert rows == [("en", "/en/", "New news"), ("fa", "/fa/", "ایران"), ("zh-Hans", "/zh-Hans/", "")]


def test_neutral_address_names_every_language_and_is_not_indexed(site: Site) -> None:
    site.article("fa", "one", Title="یک")
    site.translation("en", "one", "fa", Title="One", Slug="the-one")
    site.article("en", "secret", Status="hidden")
    site.build_whole()
    neutral = look(site, "k/one/")
    assert neutral.versions == ["/fa/one/", "/en/the-one/"]  # the source article first
    assert neutral.texts("version") == ["یک", "One"]
    assert neutral.noindex
    assert neutral.alternates == {}
    assert not site.has("k/secret/")


def test_not_found_page_speaks_every_language_and_links_absolutely(site: Site) -> None:
    site.settings(SITEURL="https://site.example/base")
    site.build_whole()
    page = site.html("404.html")
    assert [(e.get("lang"), e.get("dir")) for e in page.iter("section")] == [
        ("en", "ltr"),
        ("fa", "rtl"),
        ("zh-Hans", "ltr"),
    ]
    assert [a.get("href") for a in page.iter("a")] == ["/base/", "/base/en/", "/base/fa/", "/base/zh-Hans/"]
    assert page.xpath("//style")
    assert not page.xpath("//link[@rel='stylesheet']")


def test_every_edition_has_a_not_found_page_of_its_own(site: Site) -> None:
    site.build_whole()
    page = look(site, "fa/404.html")
    assert (page.template, page.lang, page.direction, page.noindex) == ("not_found", "fa", "rtl", True)
    # Whoever got lost in one language is not led to the error page of another.
    assert {lang: (one.url, one.current) for lang, one in page.switcher.items()} == {
        "en": ("/en/", False),
        "fa": ("/fa/404.html", True),
        "zh-Hans": ("/zh-Hans/", False),
    }
    assert "404" not in (site.output / "sitemap.xml").read_text("utf-8")


def test_not_found_page_links_from_the_root_as_it_is_served_for_any_address(site: Site) -> None:
    site.settings(SITEURL="https://site.example/base", THEME=THEME)
    site.build_whole()
    links = site.html("fa/404.html").xpath("//@href | //@src")
    own = [link for link in links if not link.startswith(("#", "https:", "mailto:"))]
    assert "/base/fa/" in own
    assert all(link.startswith("/base/") for link in own)


@pytest.mark.parametrize(
    ("setting", "value", "gone"),
    [
        ("MULTILINGUAL_CHOOSER", False, ""),
        ("MULTILINGUAL_NEUTRAL", False, "k/one/"),
        ("MULTILINGUAL_NOT_FOUND", False, "404.html"),
        ("MULTILINGUAL_SITEMAP", "", "sitemap.xml"),
    ],
)
def test_pages_that_belong_to_no_edition_can_be_switched_off(site: Site, setting: str, value: Any, gone: str) -> None:
    site.article("en", "one")
    site.build_whole()
    assert site.has(gone)
    everywhere = set(site.snapshot())
    site.settings(**{setting: value})
    site.build_whole()
    assert not site.has(gone)
    assert len(everywhere - set(site.snapshot())) == (4 if gone == "404.html" else 1)
    if gone == "k/one/":
        assert "k/one" not in everything(site)


def test_sitemap_can_have_another_name(site: Site) -> None:
    site.settings(MULTILINGUAL_SITEMAP="maps/all.xml")
    site.build_whole()
    assert site.has("maps/all.xml")
    assert not site.has("sitemap.xml")


def test_default_language_at_the_root(site: Site) -> None:
    site.settings(MULTILINGUAL_DEFAULT_AT_ROOT=True, PAGINATED_TEMPLATES={"index": 1})
    site.article("en", "one")
    site.article("en", "two")
    site.translation("fa", "one", "en")
    site.page("en", "about")
    site.article("en", "three", Status="draft", Date="")
    site.build_whole()
    assert site.pages() == [
        "", "404.html", "about/", "archive/", "drafts/three/", "fa/", "fa/404.html", "fa/archive/", "fa/one/",
        "k/one/", "k/two/", "languages/", "one/", "page/2/", "two/", "zh-Hans/", "zh-Hans/404.html",
        "zh-Hans/archive/",
    ]  # fmt: skip
    home = look(site, "")
    assert (home.template, home.lang) == ("index", "en")
    assert home.next == "/page/2/"
    assert look(site, "languages/").template == "chooser"
    assert look(site, "languages/").alternates == {}
    assert home.alternates["x-default"] == look(site, "fa/").alternates["x-default"] == "https://site.example/"
    assert look(site, "fa/one/").switcher["en"].url == "/one/"
    assert look(site, "one/").alternates["en"] == "https://site.example/one/"
    assert site.has("feed.atom")
    assert site.has("fa/feed.atom")


@pytest.mark.parametrize("slug", ["fa", "languages", "k", "archive", "page", "drafts", "theme"])
def test_article_at_the_root_cannot_take_the_address_of_something_else(site: Site, slug: str) -> None:
    site.settings(MULTILINGUAL_DEFAULT_AT_ROOT=True)
    site.article("en", "one", Slug=slug)
    [problem] = site.build().errors
    assert "reserved" in problem.what


# Lists


def test_lists_are_in_pages_of_their_own(site: Site) -> None:
    site.settings(PAGINATED_TEMPLATES={"index": 2}, **WITH_TERMS)
    site.write("terms.yaml", TERMS)
    for day in range(1, 6):
        site.article("en", f"a{day}", Date=f"2026-01-0{day}", Topics="war")
    site.translation("fa", "a1", "en")
    site.build_whole()
    first, second, third = (look(site, url) for url in ("en/", "en/page/2/", "en/page/3/"))
    assert first.articles + second.articles + third.articles == [f"/en/a{n}/" for n in (5, 4, 3, 2, 1)]
    assert (first.previous, first.next) == (None, "/en/page/2/")
    assert (second.previous, second.next) == ("/en/", "/en/page/3/")
    assert (third.previous, third.next) == ("/en/page/2/", None)
    assert not site.has("fa/page/2/")
    assert look(site, "en/topics/war/page/3/").articles == ["/en/a1/"]
    assert look(site, "en/archive/").articles == first.articles + second.articles + third.articles


def test_day_of_the_translation_orders_its_edition(site: Site) -> None:
    site.article("en", "a", Date="2026-01-01")
    site.article("en", "b", Date="2026-01-02")
    site.translation("fa", "a", "en", Translated="2026-03-01")
    site.translation("fa", "b", "en", Translated="2026-02-01")
    site.build_whole()
    assert look(site, "en/").articles == ["/en/b/", "/en/a/"]
    assert look(site, "fa/").articles == ["/fa/a/", "/fa/b/"]
    assert look(site, "fa/archive/").dates == ["/fa/a/", "/fa/b/"]
    assert [item.findtext("{*}title") for item in site.xml("fa/feed.atom").iter("{*}entry")] == ["a in fa", "b in fa"]


def test_archives_of_months_name_them_in_the_language(site: Site) -> None:
    site.settings(MONTH_ARCHIVE_SAVE_AS="{date:%Y}/{date:%m}/index.html", MONTH_ARCHIVE_URL="{date:%Y}/{date:%m}/")
    site.settings(YEAR_ARCHIVE_SAVE_AS="{date:%Y}/index.html", YEAR_ARCHIVE_URL="{date:%Y}/")
    site.article("en", "a", Date="2026-03-01")
    site.article("en", "b", Date="2025-12-31")
    site.translation("fa", "a", "en")
    site.translation("zh-Hans", "a", "en")
    site.build_whole()
    march = look(site, "en/2026/03/")
    assert march.heading == "2026 March"
    assert march.articles == ["/en/a/"]
    assert look(site, "fa/2026/03/").heading == "2026 مارس"
    assert look(site, "zh-Hans/2026/03/").heading == "2026 三月"
    assert look(site, "en/2025/").articles == ["/en/b/"]
    assert not site.has("fa/2025/")
    assert march.switcher["fa"].url == "/fa/2026/03/"
    assert march.alternates["fa"] == "https://site.example/fa/2026/03/"


# Settings of an edition


def test_edition_has_settings_of_its_own(site: Site) -> None:
    site.settings(
        SITESUBTITLE="News",
        DEFAULT_PAGINATION=2,
        FEED_MAX_ITEMS=2,
        MENU="three",
        MULTILINGUAL_LANGUAGES={
            "en": {},
            "fa": {"SITENAME": "سایت", "DEFAULT_PAGINATION": 3, "FEED_MAX_ITEMS": 3, "MENU": "سه"},
            "zh-Hans": {"DEFAULT_PAGINATION": 1, "FEED_MAX_ITEMS": 1, "SITESUBTITLE": "新闻"},
        },
    )
    for key in ("a", "b", "c", "d"):
        site.article("en", key)
        site.translation("fa", key, "en")
        site.translation("zh-Hans", key, "en")
    site.build_whole()
    titles = {lang: site.html(f"{lang}/").findtext(".//title") for lang in ("en", "fa", "zh-Hans")}
    assert titles == {"en": "The Site", "fa": "سایت", "zh-Hans": "The Site"}
    assert site.html("").findtext(".//title") == "The Site"
    bodies = {lang: site.html(f"{lang}/").xpath("//body")[0] for lang in titles}
    assert [body.get("data-menu") for body in bodies.values()] == ["three", "سه", "three"]
    assert [body.get("data-subtitle") for body in bodies.values()] == ["News", "News", "新闻"]
    assert [len(look(site, f"{lang}/").articles) for lang in bodies] == [2, 3, 1]
    assert [len(list(site.xml(f"{lang}/feed.atom").iter("{*}entry"))) for lang in bodies] == [2, 3, 1]
    assert site.xml("fa/feed.atom").findtext("{*}title") == "سایت"


# What an edition has not got


def untranslated_site(site: Site, **settings: Any) -> Site:
    site.settings(MULTILINGUAL_LANGUAGES={"en": {}, "ru": {}, "uk": {}, "fa": {}}, **WITH_TERMS)
    site.settings(MULTILINGUAL_FALLBACK={"uk": ["ru", "en"], "fa": ["en"]}, **settings)
    site.write("terms.yaml", "topics:\n  war: {name: {en: War}}\nauthors: {}\n")
    for number in range(1, 8):
        site.article("en", f"e{number}", Date=f"2026-01-0{number}", Topics="war")
        site.translation("ru", f"e{number}", "en")
    site.article("ru", "only-russian", Date="2026-02-01", Topics="war")
    site.page("ru", "about")
    site.page("en", "about", Translated_from="ru")
    return site


def test_untranslated_pieces_are_offered_in_the_nearest_language(site: Site) -> None:
    untranslated_site(site).build_whole()
    ukrainian = look(site, "uk/")
    assert ukrainian.articles == []
    assert ukrainian.untranslated == ["/ru/only-russian/", "/ru/e7/", "/ru/e6/", "/ru/e5/", "/ru/e4/"]
    rows = ukrainian.document.find_class("untranslated")
    assert {(row.get("lang"), row.get("dir")) for row in rows} == {("ru", "ltr")}
    # Persian readers are offered English where there is any, else the source article.
    persian = look(site, "fa/")
    assert persian.untranslated == ["/ru/only-russian/", "/en/e7/", "/en/e6/", "/en/e5/", "/en/e4/"]
    assert persian.texts("untranslated-page") == ["about in en"]
    assert look(site, "en/").untranslated == ["/ru/only-russian/"]
    assert look(site, "ru/").untranslated == []


def test_topic_page_offers_all_that_is_untranslated(site: Site) -> None:
    untranslated_site(site).build_whole()
    topic = look(site, "uk/topics/war/")
    assert len(topic.untranslated) == 8
    assert topic.noindex
    assert topic.alternates == {}
    assert look(site, "en/topics/war/").untranslated == ["/ru/only-russian/"]
    assert not look(site, "en/topics/war/").noindex


def test_untranslated_pieces_are_no_part_of_the_edition(site: Site) -> None:
    untranslated_site(site).build_whole()
    assert not any(name.startswith("uk/") and name.endswith(".atom") for name in site.snapshot())
    assert "only-russian" not in site.text("en/feed.atom")
    assert "/uk/topics/war/" not in site.text("sitemap.xml")
    assert set(look(site, "en/e1/").alternates) == {"en", "ru", "x-default"}
    assert not any(url.startswith("uk/e") for url in site.pages())


def test_untranslated_pieces_can_be_hidden(site: Site) -> None:
    untranslated_site(site, MULTILINGUAL_UNTRANSLATED="hide").build_whole()
    assert look(site, "uk/").untranslated == []
    assert not site.has("uk/topics/war/")
    assert look(site, "fa/").texts("untranslated-page") == ["about in en"]
    site.settings(MULTILINGUAL_UNTRANSLATED_PAGES="hide")
    site.build_whole()
    assert look(site, "fa/").texts("untranslated-page") == []


# Drafts, hidden articles, embargoes


def test_drafts_are_written_for_their_authors_only(site: Site) -> None:
    site.settings(**WITH_TERMS)
    site.write("terms.yaml", TERMS)
    site.article("en", "seen")
    site.article("en", "unready", CANARY, Status="draft", Topics="war", Author="amina")
    site.page("en", "plan", CANARY, Status="draft")
    site.build_whole()
    for url in ("en/drafts/unready/", "en/drafts/plan/"):
        assert look(site, url).noindex
        assert look(site, url).alternates == {}
        assert CANARY in site.text(url)
    (site.output / "en/drafts/unready/index.html").unlink()
    (site.output / "en/drafts/plan/index.html").unlink()
    for word in (CANARY, "unready", "/plan", "topics/war", "amina"):
        assert word not in everything(site)

    site.build_whole(overrides={"MULTILINGUAL_DRAFTS": False})
    assert "en/drafts/" not in " ".join(site.snapshot())
    assert CANARY not in everything(site)
    assert "unready" not in everything(site)


def test_draft_translation_stays_out_of_the_published_group(site: Site) -> None:
    site.article("en", "one")
    site.translation("fa", "one", "en", CANARY, Status="draft", Title="پیش‌نویس")
    site.build_whole()
    assert set(look(site, "en/one/").alternates) == {"en", "x-default"}
    assert look(site, "k/one/").versions == ["/en/one/"]
    assert look(site, "fa/").articles == []
    # Whoever looks at the draft finds the published languages.
    assert look(site, "fa/drafts/one/").switcher["en"].url == "/en/one/"
    assert look(site, "en/one/").switcher["fa"].url == "/fa/"


def test_hidden_article_is_written_and_in_no_list(site: Site) -> None:
    site.settings(**WITH_TERMS)
    site.write("terms.yaml", TERMS)
    site.article("en", "notice", CANARY, Status="hidden", Topics="war", Author="amina")
    site.translation("fa", "notice", "en", Status="hidden")
    site.page("en", "quiet", CANARY, Status="hidden")
    site.build_whole()
    assert CANARY in site.text("en/notice/")
    assert CANARY in site.text("en/quiet/")
    assert look(site, "en/notice/").switcher["fa"].url == "/fa/notice/"
    assert look(site, "en/").articles == look(site, "en/archive/").articles == look(site, "en/").untranslated == []
    assert look(site, "en/").pages == []
    for place in ("en/topics/war/", "en/feed.atom", "k/notice/"):
        assert not site.has(place)
    assert "notice" not in site.text("sitemap.xml")
    assert "quiet" not in site.text("sitemap.xml")


@pytest.mark.parametrize("production", [False, True])
def test_embargo_ends_with_its_day(site: Site, monkeypatch: pytest.MonkeyPatch, production: bool) -> None:
    site.article("en", "now", Date="2026-01-01")
    site.article("en", "later", CANARY, Date="2026-06-01")
    site.translation("fa", "now", "en", CANARY, Translated="2026-06-01")
    options = {"overrides": {"MULTILINGUAL_DRAFTS": not production}}
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1780185600")  # 2026-05-31
    site.build_whole(**options)
    assert look(site, "en/").articles == ["/en/now/"]
    assert look(site, "fa/").articles == []
    assert site.has("en/drafts/later/") is site.has("fa/drafts/now/") is not production
    assert production is (CANARY not in everything(site))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1780315200")  # 2026-06-01, noon
    site.build_whole(**options)
    assert look(site, "en/").articles == ["/en/later/", "/en/now/"]
    assert look(site, "fa/").articles == ["/fa/now/"]


# Corrections, retractions, withdrawals


def test_correction_and_retraction_are_told_in_the_language_of_the_page(site: Site) -> None:
    site.article("en", "one", Corrected="2026-03-04 The number of families.", Retracted="2026-03-06 The source lied.")
    site.translation("fa", "one", "en", Corrected="2026-03-05 شمار خانواده‌ها")
    site.build_whole()
    assert look(site, "en/one/").texts("correction") == ["March 4, 2026: The number of families."]
    assert look(site, "en/one/").texts("retraction") == ["March 6, 2026: The source lied."]
    assert look(site, "fa/one/").texts("correction") == ["۱۴ اسفند ۱۴۰۴ (۵ مارس ۲۰۲۶): شمار خانواده‌ها"]
    entry = site.xml("en/feed.atom").find("{*}entry")
    assert entry is not None
    assert entry.findtext("{*}updated") == "2026-03-06T00:00:00+00:00"
    text = entry.findtext("{*}content") or ""
    assert text.index("The source lied.") < text.index("The number of families.") < text.index("Text.")


def withdrawn_site(site: Site) -> None:
    site.settings(OUTPUT_SOURCES=True, **WITH_TERMS)
    site.write("terms.yaml", TERMS)
    site.article("en", "stays")
    fields = {"Withdrawn": "2026-03-04 At the author's request.", "Summary": CANARY, "Topics": "war"}
    site.article("en", "goes", CANARY, Title="It goes", **fields)
    site.translation("fa", "goes", "en", CANARY, Slug="می‌رود".replace("\u200c", "-"), Title="می‌رود")
    site.translation("zh-Hans", "goes", "en", CANARY, Status="draft", Title="草稿标题")


@pytest.mark.parametrize("production", [False, True])
def test_withdrawn_article_leaves_a_notice_in_every_language(site: Site, production: bool) -> None:
    withdrawn_site(site)
    site.build_whole(overrides={"MULTILINGUAL_DRAFTS": not production})
    assert CANARY not in everything(site)
    assert "草稿标题" not in everything(site)
    for url, date in {"en/goes/": "March 4, 2026", "fa/می-رود/": "۱۳ اسفند", "zh-Hans/goes/": "2026年3月4日"}.items():
        notice = look(site, url)
        assert notice.template == "withdrawn"
        assert notice.noindex
        assert notice.alternates == {}
        [text] = notice.texts("withdrawal")
        assert date in text
        assert "At the author's request." in text
        assert notice.switcher["fa"].url == "/fa/می-رود/"
    assert look(site, "en/").articles == ["/en/stays/"]
    assert not site.has("en/topics/war/")
    for place in ("sitemap.xml", "en/feed.atom"):
        assert "goes" not in site.text(place)
    assert look(site, "k/goes/").texts("withdrawal") == ["March 4, 2026: At the author's request."]
    assert look(site, "k/goes/").versions == []


def test_draft_that_was_never_published_needs_no_notice(site: Site) -> None:
    site.article("en", "plan", CANARY, Title="Nobody knew", Status="draft", Withdrawn="2026-03-04")
    site.build_whole()
    assert "Nobody knew" not in everything(site)
    assert not site.has("en/plan/")
    assert not site.has("k/plan/")
