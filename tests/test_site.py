"""The publication itself, built as it is published, and every page of it looked at."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

import feedparser
import pytest
from lxml import etree, html

from tests.frontdoor.support import ROOT, skip_if_left_out
from tests.publication import publish

BASE = "https://thehuman-rights.com/"
LANGUAGES = {
    "en": "ltr",
    "ru": "ltr",
    "uk": "ltr",
    "es": "ltr",
    "fr": "ltr",
    "ar": "rtl",
    "fa": "rtl",
    "zh-Hans": "ltr",
}
XHTML_LINK = "{http://www.w3.org/1999/xhtml}link"


class Page:
    """A page of the output; `url` is its address relative to the site's root."""

    def __init__(self, output: Path, file: Path) -> None:
        self.url = file.relative_to(output).as_posix().removesuffix("index.html")
        self.source = file.read_text("utf-8")

    def __repr__(self) -> str:
        return f"/{self.url}"

    @cached_property
    def document(self) -> html.HtmlElement:
        return html.document_fromstring(self.source.encode(), parser=html.HTMLParser(encoding="utf-8"))

    def all(self, path: str) -> list[Any]:
        found = self.document.xpath(path)
        assert isinstance(found, list)
        return found

    @property
    def address(self) -> str:
        """Its absolute address, percent-encoded."""
        return BASE + quote(self.url)

    @cached_property
    def alternates(self) -> dict[str, str]:
        links = self.all("//link[@rel='alternate'][@hreflang][not(@type)]")
        found = {link.get("hreflang"): link.get("href") for link in links}
        assert len(found) == len(links), f"{self}: a language is there twice"
        return found

    @property
    def noindex(self) -> bool:
        return "noindex" in self.all("//meta[@name='robots']/@content")

    @property
    def is_redirect(self) -> bool:
        return bool(self.all("//meta[@http-equiv='refresh']"))

    @property
    def text(self) -> str:
        return " ".join(self.document.text_content().split())


class Publication:
    """Everything that was written."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.files = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}
        found = [Page(output, output / name) for name in sorted(self.files) if name.endswith(".html")]
        self.pages = {page.url: page for page in found}
        self.feeds = sorted(name for name in self.files if name.endswith("feed.atom"))  # lists of articles

    def __iter__(self) -> Iterator[Page]:
        return iter(self.pages.values())

    def at(self, address: str) -> Page:
        """The page at an absolute address."""
        assert address.startswith(BASE), address
        return self.pages[unquote(address.removeprefix(BASE))]

    def feed(self, name: str) -> Any:
        parsed = feedparser.parse((self.output / name).read_bytes())
        assert not parsed.bozo, f"{name}: {parsed.get('bozo_exception')}"
        return parsed


@pytest.fixture(scope="session")
def publication(tmp_path_factory: pytest.TempPathFactory) -> Publication:
    return Publication(publish(tmp_path_factory))


def published() -> dict[tuple[str, str], dict[str, tuple[str, bool]]]:
    """Each article and page, as the content folder has it: language → its address, and whether it is the source."""
    found: dict[tuple[str, str], dict[str, tuple[str, bool]]] = defaultdict(dict)
    for kind in ("articles", "pages"):
        for path in (ROOT / "content" / kind).glob("*/*.md"):
            header = path.read_text("utf-8-sig").split("\n\n", 1)[0]
            if field("status", header) in ("draft", "hidden", "skip") or field("withdrawn", header):
                continue
            slug = field("slug", header) or path.stem
            is_source = not field("translated_from", header)
            found[kind, path.stem][path.parent.name] = (f"{path.parent.name}/{slug}/", is_source)
    return found


def field(name: str, header: str) -> str:
    found = re.search(rf"^{name}:[ ]*(.*)$", header, re.IGNORECASE | re.MULTILINE)
    return found[1].strip("\"' ") if found else ""


# Links


def test_every_link_resolves(publication: Publication) -> None:
    ids = {page.url: set(page.all("//@id")) for page in publication}
    broken = []
    for page in publication:
        for link in {*page.all("//@href"), *page.all("//@src"), *page.all("//@action")}:
            target = urlsplit(urljoin(page.address, link))
            if target.scheme in ("mailto", "tel") or not target.geturl().startswith(BASE):
                continue
            path = unquote(target.path).lstrip("/")
            file = path + "index.html" if path.endswith("/") or not path else path
            if file not in publication.files:
                broken.append(f"{page} -> {link}")
            elif target.fragment and unquote(target.fragment) not in ids[file.removesuffix("index.html")]:
                broken.append(f"{page} -> {link}: no such place there")
    assert not broken


def test_links_between_pages_are_relative_so_that_a_mirror_is_a_copy(publication: Publication) -> None:
    for page in publication:
        if page.url.endswith("404.html"):  # served for any address
            continue
        for element in page.all("//a[@href] | //img[@src] | //link[@rel='stylesheet' or @rel='icon']"):
            link = element.get("href") or element.get("src")
            assert not link.startswith(("/", BASE)), f"{page} -> {link}"


def test_not_found_pages_link_from_the_root(publication: Publication) -> None:
    found = [page for page in publication if page.url.endswith("404.html")]
    assert len(found) == 1 + len(LANGUAGES)
    for page in found:
        links = page.all("//a[not(starts-with(@href, '#') or contains(@href, ':'))]/@href")
        assert links
        assert all(link.startswith("/") for link in links), page


# What the browser is asked to load


def test_nothing_is_loaded_from_elsewhere_and_nothing_runs(publication: Publication) -> None:
    for page in publication:
        loaded = page.all(
            "//*[not(self::a)]/@src | //@srcset | //@poster | //@data | //@background | //object/@data"
            " | //link[not(@rel='canonical' or @rel='alternate')]/@href"
        )
        outside = [address for address in loaded if urlsplit(address).scheme or address.startswith("//")]
        assert not outside, f"{page}: {outside}"
        assert not page.all(
            "//script[not(@type='application/ld+json')] | //iframe | //object | //embed | //base | //form[not(@action)]"
        ), page
        assert not page.all("//@*[starts-with(name(), 'on')]"), page
        assert not page.all("//@href[starts-with(., 'javascript:')]"), page
        assert not page.all("//meta[translate(@http-equiv, 'SETCOKI', 'setcoki')='set-cookie']"), page
    for name in publication.files:
        assert not name.endswith((".js", ".mjs", ".wasm", ".map"))
        if name.endswith((".css", ".html", ".svg")):
            text = (publication.output / name).read_text("utf-8")
            assert not re.search(r"@import|url\(\s*['\"]?(https?:)?//", text), name


# The frame of every page


def test_page_says_its_language_and_direction(publication: Publication) -> None:
    for page in publication:
        folder = page.url.split("/")[0]
        lang = folder if folder in LANGUAGES else "en"
        assert (page.document.get("lang"), page.document.get("dir")) == (lang, LANGUAGES[lang]), page


def test_page_has_one_heading_of_the_first_rank(publication: Publication) -> None:
    for page in publication:
        [heading] = page.all("//h1")
        assert heading.text_content().strip() or heading.xpath("string(.//img/@alt)"), page
        assert page.all("//title/text()")[0].strip(), page


def test_page_with_a_navigation_can_skip_it(publication: Publication) -> None:
    for page in publication:
        if page.all("//nav"):
            first = page.all("//body//a")[0]
            target = first.get("href")
            assert target.startswith("#"), page
            [place] = page.all(f"//*[@id='{target[1:]}']")
            assert place.tag == "main", page


def test_ids_are_unique(publication: Publication) -> None:
    for page in publication:
        ids = page.all("//@id")
        assert len(ids) == len(set(ids)), page


# The same in other languages


def test_alternates_are_complete_and_reciprocal(publication: Publication) -> None:
    for page in publication:
        for lang, address in page.alternates.items():
            other = publication.at(address)
            assert other.alternates == page.alternates, f"{page} and {other} disagree"
            assert not other.noindex, f"{page} names {other}, which is not indexed"
            if lang != "x-default":
                assert other.document.get("lang") == lang, f"{page} names {other} as {lang}"
        if page.alternates:
            assert page.address in page.alternates.values(), f"{page} does not name itself"


def test_every_article_and_page_names_its_real_translations(publication: Publication) -> None:
    for (kind, key), pieces in published().items():
        addresses = {lang: BASE + quote(url) for lang, (url, _) in pieces.items()}
        [source] = [lang for lang, (_, is_source) in pieces.items() if is_source]
        for url, _ in pieces.values():
            assert publication.pages[url].alternates == addresses | {"x-default": addresses[source]}
        if kind == "articles":
            neutral = publication.pages[f"k/{key}/"]
            links = [urljoin(neutral.address, quote(link)) for link in neutral.all("//main//ul//a/@href")]
            assert links[0] == addresses[source]
            assert set(links) == set(addresses.values())
    for lang in LANGUAGES:
        assert publication.pages[f"{lang}/"].alternates["x-default"] == BASE


def test_only_listed_pages_name_alternates(publication: Publication) -> None:
    for page in publication:
        if page.noindex:
            assert not page.alternates, page
            assert page.is_redirect or not page.all("//link[@rel='canonical']"), page
        else:
            assert page.all("//link[@rel='canonical']/@href") == [page.address], page


def test_switcher_is_on_every_page_and_leads_somewhere(publication: Publication) -> None:
    for page in publication:
        if page.url in ("", "404.html") or page.is_redirect:  # these are nothing but a choice of languages
            continue
        entries = page.all("(//nav[.//li[@lang]])[1]//li")
        assert [entry.get("lang") for entry in entries] == list(LANGUAGES), page
        assert [entry.get("dir") for entry in entries] == list(LANGUAGES.values()), page
        here = [entry.get("lang") for entry in entries if entry.xpath(".//@aria-current")]
        assert here == [lang for lang in LANGUAGES if page.url.startswith(f"{lang}/")], page
        for entry in entries:
            for link in entry.iter("a"):
                other = publication.at(urljoin(page.address, quote(link.get("href"), safe="/.")))
                assert other.document.get("lang") == entry.get("lang") == link.get("hreflang"), page


# The sitemap


def test_sitemap_keeps_to_its_schema(publication: Publication) -> None:
    schema = etree.XMLSchema(etree.parse(ROOT / "tests/schemas/sitemap.xsd"))
    schema.assertValid(etree.parse(publication.output / "sitemap.xml"))


def test_sitemap_has_every_indexed_page_with_the_same_alternates(publication: Publication) -> None:
    sitemap = etree.parse(publication.output / "sitemap.xml").getroot()
    listed = {
        entry.findtext("{*}loc"): {link.get("hreflang"): link.get("href") for link in entry.iter(XHTML_LINK)}
        for entry in sitemap
    }
    assert listed == {page.address: page.alternates for page in publication if not page.noindex}


# Feeds


def test_every_edition_with_articles_has_a_feed_that_its_pages_name(publication: Publication) -> None:
    with_articles = {lang for (kind, _), langs in published().items() if kind == "articles" for lang in langs}
    assert {name.split("/")[0] for name in publication.feeds} == with_articles
    for page in publication:
        lang = page.url.split("/")[0]
        if lang in with_articles and not page.is_redirect:
            named = [(e.get("hreflang"), e.get("href")) for e in page.all("//link[@type='application/atom+xml']")]
            assert (lang, f"{BASE}{lang}/feed.atom") in named, page


def words_of(element: html.HtmlElement) -> str:
    """Its text without the numbers of paragraphs and notes, which only a page writes in its own digits."""
    copy = html.fromstring(html.tostring(element, encoding="unicode"))
    for number in copy.xpath(".//*[@class='number'] | .//sup"):
        number.drop_tree()
    return " ".join(copy.text_content().split())


def test_feeds_are_whole_in_their_language_and_keep_their_ids(publication: Publication) -> None:
    feed_ids = set()
    entry_links: dict[str, str] = {}
    for name in publication.feeds:
        lang = name.split("/")[0]
        tree = etree.parse(publication.output / name).getroot()
        assert tree.get("{http://www.w3.org/XML/1998/namespace}lang") == lang
        feed = publication.feed(name)
        assert feed.version == "atom10"
        assert feed.feed.updated
        feed_ids.add(feed.feed.id)
        assert feed.feed.link == BASE + quote(name.removesuffix("feed.atom"))
        assert [link.href for link in feed.feed.links if link.rel == "self"] == [BASE + quote(name)]
        assert feed.entries
        for entry in feed.entries:
            assert re.fullmatch(rf"tag:thehuman-rights\.com,20\d\d:{lang}/[a-z0-9-]+", entry.id)
            assert entry_links.setdefault(entry.id, entry.link) == entry.link
            page = publication.at(entry.link)
            content = html.fragment_fromstring(entry.content[0].value)
            assert (content.get("lang"), content.get("dir")) == (lang, LANGUAGES[lang])
            for notice in content.xpath("./p[not(@id)]/strong"):  # the page says it in a section of its own
                notice.getparent().text = (notice.tail or "").removeprefix(": ")
                notice.getparent().remove(notice)
            paragraphs = [words_of(element) for element in content.iter("p", "h2", "li")]
            assert len(paragraphs) > 5
            shown = words_of(page.all("//main")[0])
            assert [text for text in paragraphs if text not in shown] == []
            addresses = [element.get("href") or element.get("src") for element in content.iter("a", "img")]
            assert not [a for a in addresses if not str(a).startswith(("http", "mailto:", "#"))]
    assert len(feed_ids) == len(publication.feeds)
    assert len(set(entry_links.values())) == len(entry_links)


def test_main_feeds_have_every_article(publication: Publication) -> None:
    expected = dict.fromkeys(LANGUAGES, 0)
    for (kind, _), langs in published().items():
        for lang in langs if kind == "articles" else ():
            expected[lang] += 1
    found = dict.fromkeys(LANGUAGES, 0) | {
        name.split("/")[0]: len(publication.feed(name).entries) for name in publication.feeds if name.count("/") == 1
    }
    assert found == {lang: min(count, 20) for lang, count in expected.items()}


def test_real_reader_takes_the_feeds(publication: Publication, tmp_path: Path) -> None:
    skip_if_left_out("feeds")
    newsboat = shutil.which("newsboat")
    assert newsboat, "no newsboat: run ./blog test, which installs it"
    main = [name for name in publication.feeds if name.count("/") == 1]
    urls, cache, config = tmp_path / "urls", tmp_path / "cache.db", tmp_path / "config"
    urls.write_text("".join(f"file://{quote(str(publication.output / name))}\n" for name in main), "utf-8")
    config.write_text("", "utf-8")
    read = subprocess.run(
        [newsboat, "-u", urls, "-c", cache, "-C", config, "-x", "reload"],
        env=os.environ | {"HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert read.returncode == 0, read.stdout + read.stderr
    with sqlite3.connect(cache) as database:
        rows = database.execute("SELECT guid, title, url, content FROM rss_item").fetchall()
    database.close()
    expected = {entry.id: entry for name in main for entry in publication.feed(name).entries}
    assert {guid for guid, *_ in rows} == set(expected)
    for guid, title, url, content in rows:
        assert title == expected[guid].title
        assert url == expected[guid].link
        assert len(content) > 1000


# What a published edition consists of


def test_production_shows_no_draft_and_every_language_has_its_front_page(publication: Publication) -> None:
    assert not [url for url in publication.pages if "/drafts/" in url]
    assert {*LANGUAGES} == {url.strip("/") for url in publication.pages if url.strip("/") in LANGUAGES}
    assert {"", "404.html"} <= set(publication.pages)
