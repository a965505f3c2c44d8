"""What readers see of the desk: that a translation is outdated and where, what was corrected, where to help."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import feedparser
import pytest
from lxml import html
from multilingual.commands import read_content
from newsletter.campaigns import read_campaigns
from translators.recording import accept, record
from translators.settings import read_configuration
from translators.states import Survey

from tests.multilingual.sites import Site, texts
from tests.once import once

DAY = date(2026, 11, 22)
BODY = (
    "## One\n\nA first paragraph of some length.[^a]\n\n- An item.\n- Another item.\n\n"
    "## Two\n\nThe end.\n\n[^a]: A source.\n"
)
PERSIAN = "## یک\n\nبند نخست.[^a]\n\n- یک مورد.\n- مورد دیگر.\n\n## دو\n\nپایان.\n\n[^a]: یک منبع.\n"
CHANGED = (
    BODY.replace("some", "no")
    .replace("Another item", "Another, new item")
    .replace("## Two\n", "Wholly new words.\n\n## Three\n")
    .replace("A source", "Another source")
)
#: Corrected in the original, not yet checked here.
UNCHECKED = "原文已更正，译文尚未核对"
SETTINGS: dict[str, Any] = {
    "PLUGINS": ["multilingual", "prose", "translators"],
    "PROSE_NUMBERED": ["article", "page"],
    "MARKDOWN": {
        "extension_configs": {"markdown.extensions.extra": {}, "markdown.extensions.footnotes": {}},
        "output_format": "html5",
    },
}


def survey(site: Site) -> Survey:
    inventory = read_content(site.folder)
    return Survey(inventory, read_configuration(inventory.settings))


def hrefs(element: html.HtmlElement, selector: str) -> list[str]:
    return [str(link.get("href")) for link in element.cssselect(selector)]


def put_on_record(site: Site, *keys: str, langs: tuple[str, ...] = ("fa", "zh-Hans")) -> None:
    taken = survey(site)
    for key in keys:
        for lang in langs:
            one = taken.find(key, lang)
            assert one, taken.problems
            record(taken, one, DAY)


def make_site(folder: Path) -> Site:
    """Articles whose source was changed, corrected, retracted; one that is as it was; a page; one under embargo."""
    site = Site(folder, **SETTINGS, TRANSLATORS_REPOSITORY="https://github.com/example/site")
    for key in ("changed", "same", "wrong", "gone"):
        site.article("en", key, BODY)
        for lang in ("fa", "zh-Hans"):
            site.translation(
                lang, key, "en", PERSIAN, Slug=f"تغییر-{key}" if lang == "fa" else "", Translator="withheld"
            )
    site.page("en", "about", "Text.")
    site.page("fa", "about", "متن.", Translated_from="en")
    site.page("en", "help-translate", Template="help_translate")
    site.page("en", "follow", Template="follow")
    put_on_record(site, "changed", "same", "wrong", "gone")
    put_on_record(site, "about", langs=("fa",))
    site.article("en", "changed", CHANGED)
    site.page("en", "about", "Text, and more of it.")
    site.article("en", "wrong", BODY, Corrected="2026-11-23 It was <two>.")
    site.translation("zh-Hans", "wrong", "en", PERSIAN, Corrected="2026-11-23 是二。")
    site.article("en", "gone", BODY, Retracted="2026-11-24 Nothing of it holds.")
    site.article("en", "secret", "Text.", Date="2999-01-01")
    site.article("en", "missing", "Five words are to do.")
    return site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    def build(folder: Path) -> Site:
        site = make_site(folder)
        site.build_whole()
        return site

    return once(tmp_path_factory, "outdated-site", build)


def test_an_outdated_translation_says_so_and_how_many_changes_there_were(site: Site) -> None:
    page = site.html("fa/تغییر-changed/")
    notice = page.cssselect("[aria-labelledby=notice-outdated]")[0]
    assert "۵" in notice.text_content()
    assert notice.cssselect("a")[0].get("href") == "../../fa/تغییر-changed/changes/"
    for url in ("en/changed/", "fa/تغییر-same/", "fa/تغییر-wrong/"):
        assert not site.html(url).cssselect("[aria-labelledby=notice-outdated], .remark")


def test_each_change_is_marked_where_it_belongs(site: Site) -> None:
    for url in ("fa/تغییر-changed/", "zh-Hans/changed/"):
        page = site.html(url)
        assert page.xpath("//p[@class='remark above ui']/following-sibling::*[1]/@id") == [
            "p1",
            "p2",
            "s2",
        ]
        new = page.xpath("//p[@class='remark ui']/preceding-sibling::*[1]/@id")
        assert new == ["p2"], "what is new is missed behind what it follows"
        links = [href.partition("#")[2] for href in hrefs(page, ".prose .remark a")]
        assert links == ["c1", "c2", "c3", "c4", "c5"]
        assert page.xpath("//li[p[@class='remark above ui']]/@id") == ["fn:a"]


def test_a_text_whose_page_has_other_blocks_than_its_file_is_marked_nowhere(tmp_path: Path) -> None:
    site = Site(tmp_path, **SETTINGS)
    (site.folder / "splitter.py").write_text(
        "from pelican import signals\n"
        "def split(content):\n"
        "    if 'splitter' not in content.settings['PLUGINS']:\n"
        "        return\n"
        "    content._content = (content._content or '').replace('<p>', '<p>more</p><p>', 1)\n"
        "def register():\n"
        "    signals.content_object_init.connect(split)\n"
    )
    site.settings(PLUGIN_PATHS=[*site.configuration["PLUGIN_PATHS"], str(site.folder)])
    site.settings(PLUGINS=["multilingual", "splitter", "prose", "translators"])
    site.article("en", "one", BODY)
    site.translation("fa", "one", "en", PERSIAN)
    put_on_record(site, "one", langs=("fa",))
    site.article("en", "one", BODY.replace("end", "beginning"))
    site.build_whole()
    page = site.html("fa/one/")
    assert len(page.cssselect("[aria-labelledby=notice-outdated] p")[0].text_content().split(".")) == 2
    assert not page.cssselect(".prose .remark")
    assert not site.html("fa/one/changes/").cssselect(".change p.ui a")


def test_the_changes_are_shown_in_the_language_of_the_source(site: Site) -> None:
    page = site.html("fa/تغییر-changed/changes/")
    assert page.cssselect("meta[name=robots]")[0].get("content") == "noindex"
    sections = page.cssselect(".change")
    assert [section.get("id") for section in sections] == ["c1", "c2", "c3", "c4", "c5"]
    before, now = sections[0].cssselect("p[lang]")
    assert (before.get("lang"), before.get("dir")) == (now.get("lang"), now.get("dir")) == ("en", "ltr")
    assert before.text_content() == "A first paragraph of some length."
    assert (before.cssselect("del")[0].text, now.cssselect("ins")[0].text) == ("some", "no")
    assert sections[0].cssselect("a")[0].get("href") == "../../../fa/تغییر-changed/#p1"
    assert sections[2].cssselect("p[lang]")[0].text_content() == "Wholly new words."
    assert "changes" not in site.text("sitemap.xml")
    assert not page.cssselect("link[hreflang]:not([type])")


def test_who_changes_the_language_there_comes_to_the_text(site: Site) -> None:
    switcher = site.html("fa/تغییر-changed/changes/").cssselect(".languages a")
    assert [link.get("href") for link in switcher] == ["../../../en/changed/", "../../../zh-Hans/changed/changes/"]


def test_pages_say_it_too(site: Site) -> None:
    page = site.html("fa/about/")
    assert page.cssselect("header [aria-labelledby=notice-outdated]")
    assert page.cssselect(".prose .remark + #p1")
    assert not page.cssselect(".prose .number"), "a page is not cited by paragraph"
    assert site.has("fa/about/changes/")


def test_a_correction_stands_on_every_translation_at_once(site: Site) -> None:
    persian = site.html("fa/تغییر-wrong/").cssselect("[aria-labelledby=notice-unchecked] li")
    assert len(persian) == 1
    assert persian[0].cssselect("bdi")[0].get("lang") == "en"
    assert "It was <two>." in persian[0].text_content()
    chinese = site.html("zh-Hans/wrong/").cssselect("[aria-labelledby=notice-corrected] li")
    assert len(chinese) == 1, "what a translator has given is not said twice"
    assert "是二。" in chinese[0].text_content()
    for url in ("en/gone/", "fa/تغییر-gone/", "zh-Hans/gone/"):
        assert site.html(url).cssselect("[aria-labelledby=notice-retracted]")
    feed = feedparser.parse(site.text("fa/feed.atom"))
    entry = next(one for one in feed.entries if one.id.endswith("/wrong"))
    assert 'lang="en">It was &lt;two&gt;.</span>' in entry.content[0].value


def test_a_correction_stays_when_somebody_has_looked_and_readers_are_written_to_only_then(tmp_path: Path) -> None:
    site = Site(tmp_path, **SETTINGS, NEWSLETTER_SITE_ID="example", NEWSLETTER_SINCE="2026-01-01")
    site.settings(PLUGINS=[*SETTINGS["PLUGINS"], "newsletter"])
    keys = ("wrong", "gone")
    for key in keys:
        site.article("en", key, BODY, Date="2026-01-02")
        for lang in ("fa", "zh-Hans"):
            site.translation(lang, key, "en", PERSIAN, Translated="2026-01-03")
    put_on_record(site, *keys)
    site.article("en", "wrong", BODY, Date="2026-01-02", Corrected="2026-11-20 It was two.")
    site.article("en", "gone", BODY, Date="2026-01-02", Retracted="2026-11-21 Nothing of it holds.")
    taken = survey(site)
    for key in keys:
        one = taken.find(key, "fa")
        assert one
        accept(taken, one, DAY)
    site.build_whole()
    told = {lang: notices(site, f"{lang}/wrong/") for lang in ("en", "fa", "zh-Hans")}
    assert told == {"en": ["corrected"], "fa": ["corrected"], "zh-Hans": ["unchecked"]}
    assert [notices(site, f"{lang}/gone/") for lang in ("en", "fa", "zh-Hans")] == [["retracted"]] * 3
    states = [mark.text for mark in site.html("zh-Hans/corrections/").cssselect("main .state")]
    assert states == ["已撤稿", UNCHECKED]
    entry = next(one for one in feedparser.parse(site.text("zh-Hans/feed.atom")).entries if one.id.endswith("/wrong"))
    assert UNCHECKED in entry.content[0].value
    letters = read_campaigns(site.folder / "var" / "campaigns").values()
    assert sorted((one.kind, one.lang, one.url.rpartition("/")[0].rpartition("/")[2]) for one in letters) == [
        ("correction", "en", "gone"), ("correction", "en", "wrong"),
        ("correction", "fa", "gone"), ("correction", "fa", "wrong"),
        ("correction", "zh-Hans", "gone"),
        ("post", "en", "wrong"), ("post", "fa", "wrong"), ("post", "zh-Hans", "wrong"),
    ]  # fmt: skip
    assert [one.lang for one in letters if UNCHECKED in one.text] == ["zh-Hans"]


def notices(site: Site, url: str) -> list[str]:
    """What a page says above its text."""
    return [str(one.get("aria-labelledby")).removeprefix("notice-") for one in site.html(url).cssselect(".notice")]


def test_every_edition_lists_its_corrections(site: Site) -> None:
    days = {"en": 2, "fa": 2, "zh-Hans": 2}
    for lang, count in days.items():
        page = site.html(f"{lang}/corrections/")
        times = [time.get("datetime") for time in page.cssselect("main h2 time")]
        assert times == ["2026-11-24", "2026-11-23"], lang
        links = page.cssselect("main li a")
        assert len(links) == count
        assert all(site.has(f"{lang}/corrections/{link.get('href')}") for link in links)
    assert site.html("fa/corrections/").cssselect("main li bdi")[0].get("lang") == "en"
    assert "fa/corrections/" in site.text("sitemap.xml")
    alternates = site.html("fa/corrections/").cssselect("link[hreflang]:not([type])")
    assert [link.get("hreflang") for link in alternates] == ["en", "fa", "zh-Hans"]


def test_corrections_are_linked_where_readers_look(site: Site) -> None:
    assert site.html("fa/").cssselect(".colophon a[href='../fa/corrections/']")
    assert site.html("en/follow/").cssselect("a[href='../../en/corrections.atom']")
    head = site.html("fa/corrections/").cssselect("link[type='application/atom+xml']")
    assert head[-1].get("href") == "https://site.example/fa/corrections.atom"


def test_the_feed_of_corrections_is_a_feed(site: Site) -> None:
    feed = feedparser.parse(site.text("fa/corrections.atom"))
    assert not feed.bozo, feed.get("bozo_exception")
    assert feed.version == "atom10"
    assert feed.feed.language == "fa"
    assert feed.feed.updated == "2026-11-24T00:00:00Z"
    assert [entry.id for entry in feed.entries] == [
        "tag:site.example,2026:fa/gone/retracted/2026-11-24",
        "tag:site.example,2026:fa/wrong/corrected/2026-11-23",
    ]
    assert feed.entries[1].summary == "It was <two>."
    assert feed.entries[1].summary_detail.language == "en"
    assert feed.entries[1].link.startswith("https://site.example/fa/%D8%AA")
    assert len({feedparser.parse(site.text(f"{lang}/corrections.atom")).feed.id for lang in ("en", "fa")}) == 2


def test_with_nothing_corrected_the_list_says_so_and_can_be_followed(tmp_path: Path) -> None:
    site = Site(tmp_path, **SETTINGS)
    site.article("en", "one", Date="2026-01-02")
    site.build_whole()
    assert site.html("en/corrections/").cssselect(".empty")
    feed = feedparser.parse(site.text("en/corrections.atom"))
    assert (feed.feed.updated, feed.entries) == ("2026-01-02T00:00:00Z", [])
    assert not site.has("fa/corrections.atom"), "without an article there is no day to state"
    first = site.text("en/corrections.atom")
    site.build_whole()
    assert site.text("en/corrections.atom") == first


def test_what_a_language_lacks_leads_to_where_one_can_help(site: Site) -> None:
    link = site.html("fa/").cssselect(".untranslated a[href$='en/help-translate/']")
    assert (link[0].get("href"), link[0].get("hreflang")) == ("../en/help-translate/", "en")


def test_volunteers_are_asked_for_what_readers_can_see(site: Site) -> None:
    page = site.html("en/help-translate/")
    persian = page.cssselect("details.tasks")[1]
    asked = [
        (item.xpath("string(a)"), item.xpath("string(div/text()[1])").strip().partition(";")[0])
        for item in persian.cssselect("li")
    ]
    assert asked == [
        ("gone in en", "has been corrected or retracted"),
        ("wrong in en", "has been corrected or retracted"),
        ("changed in en", "5 paragraphs have changed"),
        ("missing in en", "not translated yet"),
        ("about in en", "1 paragraph has changed"),
        ("follow in en", "not translated yet"),
        ("help-translate in en", "not translated yet"),
    ]
    assert "secret" not in site.text("en/help-translate/")
    address = next(href for href in hrefs(persian, "li .part a") if "missing.md" in href)
    assert address == (
        "https://github.com/example/site/new/main?filename=content%2Farticles%2Ffa%2Fmissing.md"
        "&value=Title%3A%20%0ASummary%3A%20%0ATranslated_from%3A%20en%0ATranslator%3A%20withheld%0A%0A"
    )


def test_an_address_that_is_taken_is_named(tmp_path: Path) -> None:
    site = Site(tmp_path, **SETTINGS)
    site.article("en", "corrections")
    assert [text for text in texts(site.build()) if "claimed twice" in text]


def test_a_theme_that_knows_nothing_of_the_desk_gets_no_pages_from_it(tmp_path: Path) -> None:
    site = Site(tmp_path, **SETTINGS, THEME="simple", MULTILINGUAL_MESSAGES=[])
    site.article("en", "one", BODY)
    site.translation("fa", "one", "en", PERSIAN)
    put_on_record(site, "one", langs=("fa",))
    site.article("en", "one", CHANGED)
    site.build_whole()
    assert not [page for page in site.pages() if "corrections" in page or "changes" in page]


def test_a_record_that_cannot_be_read_is_told_and_stops_nothing(tmp_path: Path) -> None:
    site = Site(tmp_path, **SETTINGS)
    site.article("en", "one", BODY)
    site.translation("fa", "one", "en", PERSIAN)
    site.write(".translations/fa/one.json", "{")
    found = [problem for problem in site.build_whole().problems if "one.json" in problem.file]
    assert len(found) == 1
    assert found[0].warning
    assert found[0].file == "content/.translations/fa/one.json:1"
