"""The plugin within Pelican: on our site and on somebody else's, in every kind of build."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import pytest
from newsletter.articles import Voice
from newsletter.campaigns import read_campaigns
from newsletter.composition import Composer
from newsletter.errors import ConfigurationError
from newsletter.settings import Configuration

from tests.multilingual.foreign import make_foreign_site, tree
from tests.multilingual.sites import THEME, Site, texts
from tests.newsletter.test_composition import TODAY, article

FOREIGN = {"NEWSLETTER_SITE_ID": "kitchen", "NEWSLETTER_SINCE": "2026-01-01"}


def composed(site: Site) -> dict[str, bytes]:
    return tree(site.folder / "var" / "campaigns")


def build_with_pelican(site: Site, **environment: str) -> str:
    built = site.run_pelican("content", "-s", "pelicanconf.py", "-o", "output", COLUMNS="300", **environment)
    assert built.returncode == 0, built.stderr
    return built.stdout + built.stderr


@pytest.fixture
def whole(site: Site) -> Site:
    """A site with what depends on order, on language and on addresses."""
    text = "Text with [a link]({filename}/articles/en/two.md).[^1]\n\n[^1]: <https://a.example/>"
    site.article("en", "one", text, Summary="See [two]({filename}two.md).", Corrected="2026-01-03 A.")
    site.article("en", "two", "| a |\n|---|\n| b |", Former_keys="zwei, deux")
    for lang in ("fa", "zh-Hans"):
        site.translation(lang, "one", "en", "متن")
    return site


# Somebody else's site


def test_a_site_without_languages_gets_letters_and_stays_as_it_is(tmp_path: Path) -> None:
    site = make_foreign_site(tmp_path)
    build_with_pelican(site)
    before = tree(site.output)
    site.settings(PLUGINS=["newsletter"], **FOREIGN)
    output = build_with_pelican(site)
    assert tree(site.output) == before
    assert "newsletter" not in output.lower()
    found = {one.url: one for one in read_campaigns(site.folder / "var" / "campaigns").values()}
    assert set(found) == {
        f"https://kitchen.example/{name}.html" for name in ("bread", "bread-fr", "soup", "soup-fr", "undated")
    }
    soup, french = found["https://kitchen.example/soup.html"], found["https://kitchen.example/soup-fr.html"]
    assert soup.post == french.post
    assert (soup.lang, french.lang) == ("en", "fr")
    assert "By Nora Berg, Ali Reza\nPublished on 2026-01-20" in soup.text
    assert '<a href="https://kitchen.example/bread.html">bread</a>' in soup.fragment
    assert "Corrected" not in soup.text
    bread = found["https://kitchen.example/bread.html"]
    assert bread.summary == "Flour, water, see soup."
    assert "print('bread')" in bread.fragment_text


def test_without_a_whole_address_nothing_is_composed_and_a_warning_says_so(tmp_path: Path) -> None:
    site = make_foreign_site(tmp_path, PLUGINS=["newsletter"], SITEURL="", **FOREIGN)
    output = " ".join(build_with_pelican(site).split())
    assert "SITEURL = '': no campaigns are composed, since letters need whole addresses" in output
    assert not (site.folder / "var").exists()


@pytest.mark.parametrize("name", ["NEWSLETTER_SITE_ID", "NEWSLETTER_SINCE"])
def test_a_site_that_has_chosen_no_id_or_no_day_composes_nothing(tmp_path: Path, name: str) -> None:
    site = make_foreign_site(tmp_path, PLUGINS=["newsletter"], **FOREIGN)
    site.settings(**{name: ...})
    build_with_pelican(site)
    assert not (site.folder / "var").exists()


def test_a_problem_is_logged_where_nobody_collects_them(tmp_path: Path) -> None:
    site = make_foreign_site(tmp_path, PLUGINS=["newsletter"], **FOREIGN)
    site.write("soup.md", "Title: Soup\nDate: 2026-01-20\nNewsletter: perhaps\n\nText.\n")
    output = " ".join(build_with_pelican(site).split())
    assert "soup.md: Newsletter: perhaps is neither yes nor no. Write yes or no." in output
    assert not [one for one in read_campaigns(site.folder / "var" / "campaigns").values() if one.title == "Soup"]


# Settings


@pytest.mark.parametrize(
    ("setting", "said"),
    [({"NEWSLETTER_SINC": "2026-01-01"}, "NEWSLETTER_SINCE"), ({"NEWSLETTER_TOKEN": "s3cr3t"}, "NEWSLETTER_TOKEN")],
)
def test_a_setting_that_cannot_be_used_ends_the_build(site: Site, setting: dict[str, str], said: str) -> None:
    site.settings(**setting)
    site.article("en", "one")
    with pytest.raises(ConfigurationError, match=said) as caught:
        site.build()
    assert "s3cr3t" not in str(caught.value)
    assert not site.output.exists()


def test_a_site_that_does_not_use_the_plugin_is_left_alone(site: Site) -> None:
    site.article("en", "one")
    site.build_whole()
    site.settings(PLUGINS=["multilingual"], NEWSLETTER_CAMPAIGNS="elsewhere")
    site.build_whole()
    assert not (site.folder / "elsewhere").exists()


# Builds


def test_the_same_content_gives_the_same_campaigns_everywhere(whole: Site) -> None:
    build_with_pelican(whole, PYTHONHASHSEED="1", TZ="Asia/Tehran")
    first = composed(whole)
    for path in whole.content.rglob("*.md"):  # as another machine may have checked them out
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    build_with_pelican(whole, PYTHONHASHSEED="2", TZ="Pacific/Auckland")
    assert composed(whole) == first
    assert len(read_campaigns(whole.folder / "var" / "campaigns")) == 5


def test_each_build_makes_the_folder_anew(whole: Site) -> None:
    whole.build_whole()
    whole.article("en", "two", Status="draft")
    whole.article("en", "one")
    whole.build_whole()
    assert {one.title for one in read_campaigns(whole.folder / "var" / "campaigns").values()} == {
        "one in en", "one in fa", "one in zh-Hans",
    }  # fmt: skip
    assert [path.name for path in (whole.folder / "var").iterdir()] == ["campaigns"]


def test_a_build_that_is_stopped_by_a_problem_leaves_the_campaigns(whole: Site) -> None:
    whole.build_whole()
    before = composed(whole)
    whole.article("en", "three", "[x]({filename}nowhere.md)")
    assert texts(whole.build())
    assert composed(whole) == before


@pytest.mark.parametrize("campaigns_are_there", [True, False])
def test_a_rebuild_of_one_page_composes_what_it_must(whole: Site, campaigns_are_there: bool) -> None:
    whole.build_whole()
    folder = whole.folder / "var" / "campaigns"
    before = read_campaigns(folder)
    if not campaigns_are_there:
        shutil.rmtree(folder)
    path = whole.content / "articles" / "en" / "two.md"
    path.write_text(path.read_text("utf-8") + "\nMore.\n", "utf-8")
    whole.build_whole(only=[str(path)])
    now = read_campaigns(folder)
    assert len(now) == 5
    assert [key for key in now if now[key] != before[key]] == [one.key for one in now.values() if "More." in one.text]
    assert [one.title for one in now.values() if "More." in one.text] == ["two in en"]


# The page's digest


def test_a_page_says_what_it_was_made_from(site: Site) -> None:
    site.settings(THEME=THEME)
    site.article("en", "one", "Text.")
    site.article("en", "gone", Withdrawn="2026-01-03 Danger.")
    site.build_whole()
    digest = str(site.html("en/one/").xpath("string(//meta[@name='content-digest']/@content)"))
    assert re.fullmatch("[0-9a-f]{32}", digest)
    (one,) = read_campaigns(site.folder / "var" / "campaigns").values()
    assert one.pages == (("https://site.example/en/one/", digest),)
    for url in ("en/gone/", "en/", "k/one/"):
        assert "content-digest" not in site.text(url)
    site.settings(SITEURL="https://elsewhere.example", PLUGINS=["multilingual", "newsletter"])
    site.build_whole()
    assert digest in site.text("en/one/")
    site.article("en", "one", "Text!")
    site.build_whole()
    assert digest not in site.text("en/one/")


@pytest.mark.alone
def test_a_hundred_campaigns_are_composed_in_two_seconds() -> None:
    """The best of three, since the machine may be busy: about one on the machine this was written on."""
    text = "".join(
        f"<h2>Part {part}</h2>" + f"<p>{'word ' * 90}<a href='https://a.example/'>link</a>.</p>" * 3
        for part in range(8)
    )
    articles = [article(text, translation_key=f"a{number}") for number in range(100)]
    composer = Composer(Configuration(site_id="example", since="2026-01-01"), "https://site.example", Voice(), TODAY)
    rounds = []
    for _ in range(3):
        start = time.perf_counter()
        assert len(list(composer.compose(articles))) == 100
        rounds.append(time.perf_counter() - start)
    assert min(rounds) < 2
