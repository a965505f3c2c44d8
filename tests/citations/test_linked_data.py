"""What search engines are told: complete, true, without anything empty, and light."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.citations.reading import TEMPLATE, cite, linked_data, revision
from tests.multilingual.foreign import make_foreign_site
from tests.multilingual.sites import ROOT, Site

#: Of each type, what it must have and what it may have beside that (schema.org, as we use it).
SCHEMA: dict[str, tuple[str, str]] = {
    "Organization": ("name", "logo"),
    "Person": ("name", ""),
    "Country": ("name", ""),
    "Thing": ("name", ""),
    "WebSite": ("@id name", ""),
    "CorrectionComment": ("datePublished", "text"),
    "Article": ("@id inLanguage", "headline"),
}
PAGE = (
    "@id url headline inLanguage datePublished publisher isPartOf version",
    "@context identifier author translator translationOfWork workTranslation dateModified image about correction"
    " creativeWorkStatus citation",
)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
MARKDOWN = {
    "extension_configs": {"markdown.extensions.extra": {}, "markdown.extensions.footnotes": {}},
    "output_format": "html5",
}


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a description, itself included."""
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from nodes(one)
    elif isinstance(value, list):
        for one in value:
            yield from nodes(one)


def addresses(data: dict[str, Any]) -> set[str]:
    names = ("@id", "url", "identifier", "image", "logo")
    return {node[name] for node in nodes(data) for name in names if name in node}


def validate(data: dict[str, Any]) -> None:
    assert data["@context"] == "https://schema.org"
    assert data["@type"] == "Article"
    for node in nodes(data):
        required, further = PAGE if node is data else SCHEMA[node["@type"]]
        assert set(required.split()) <= set(node), node
        assert set(node) <= {"@type", *required.split(), *further.split()}, node
        assert all(value not in (None, "", [], {}) for value in node.values()), node
        for name, value in node.items():
            assert not name.startswith("date") or DAY.fullmatch(value)


def assert_addresses_are_written(site: Site, data: dict[str, Any], root: str = "https://site.example") -> None:
    for address in addresses(data):
        assert address.startswith(root + "/"), address
        assert site.has(unquote(urlsplit(address).path).lstrip("/")), address


@pytest.fixture
def published(site: Site) -> Site:
    site.settings(MARKDOWN=MARKDOWN, CITATIONS_LOGO="images/logo.png")
    site.write("images/logo.png", b"")
    site.write("images/a b.jpg", b"")
    site.article(
        "en", "one", "A[^1] B[^2]\n\n[^1]: Book & *more*, 2020.\n[^2]: Report. <https://x.example/a?b=1&c=2> (2026)\n",
        Title="</script><b> & 'one'", Authors="desk, amina", Topics="war, asylum", Image="images/a b.jpg",
        Modified="2026-02-03",
    )  # fmt: skip
    site.translation(
        "fa", "one", "en", Title="یک", Slug="یک", Translated="2026-01-09", Translator="A. Reader",
        Corrected="2026-03-04 عدد", Retracted="2026-03-05 نادرست",
    )  # fmt: skip
    site.translation("zh-Hans", "one", "en", Translator="withheld", Corrected="2026-03-04")
    return site


def test_a_source_article_is_described(published: Site) -> None:
    published.build_whole()
    data = linked_data(published, "en/one/")
    validate(data)
    assert_addresses_are_written(published, data)
    assert data == {
        "@context": "https://schema.org",
        "@type": "Article",
        "@id": "https://site.example/en/one/",
        "url": "https://site.example/en/one/",
        "identifier": "https://site.example/k/one/",
        "headline": "</script><b> & 'one'",
        "inLanguage": "en",
        "author": [{"@type": "Organization", "name": "The desk"}, {"@type": "Person", "name": "Amina"}],
        "workTranslation": [
            {"@type": "Article", "@id": "https://site.example/fa/%DB%8C%DA%A9/", "inLanguage": "fa"},
            {"@type": "Article", "@id": "https://site.example/zh-Hans/one/", "inLanguage": "zh-Hans"},
        ],
        "datePublished": "2026-01-02",
        "dateModified": "2026-02-03",
        "publisher": {
            "@type": "Organization", "name": "The Site", "logo": "https://site.example/images/logo.png",
        },
        "isPartOf": {"@type": "WebSite", "@id": "https://site.example/en/", "name": "The Site"},
        "image": "https://site.example/images/a%20b.jpg",
        "about": [{"@type": "Thing", "name": "War"}, {"@type": "Thing", "name": "Asylum"}],
        "version": revision(published, "en/one/"),
        "citation": ["Book & more, 2020.", "https://x.example/a?b=1&c=2"],
    }  # fmt: skip


def test_a_translation_names_its_original_and_what_happened_to_it(published: Site) -> None:
    published.build_whole()
    data = linked_data(published, "fa/یک/")
    validate(data)
    assert_addresses_are_written(published, data)
    assert data["translationOfWork"] == {
        "@type": "Article", "@id": "https://site.example/en/one/", "inLanguage": "en",
        "headline": "</script><b> & 'one'",
    }  # fmt: skip
    assert "workTranslation" not in data
    assert data["translator"] == {"@type": "Person", "name": "A. Reader"}
    assert (data["datePublished"], data["dateModified"]) == ("2026-01-09", "2026-03-05")
    assert data["correction"] == [{"@type": "CorrectionComment", "datePublished": "2026-03-04", "text": "عدد"}]
    assert data["creativeWorkStatus"] == "Retracted"
    assert [one["name"] for one in data["about"]] == ["جنگ", "پناهندگی"]


def test_what_is_withheld_or_unknown_is_not_there(published: Site) -> None:
    published.build_whole()
    data = linked_data(published, "zh-Hans/one/")
    validate(data)
    assert "translator" not in data
    assert data["correction"] == [{"@type": "CorrectionComment", "datePublished": "2026-03-04"}]
    published.article("en", "bare")
    published.build_whole()
    validate(linked_data(published, "en/bare/"))


def test_only_what_is_published_is_named(published: Site) -> None:
    published.translation("fa", "one", "en", Slug="یک", Status="draft")
    published.translation("zh-Hans", "one", "en", Status="hidden")
    published.article("en", "two", Status="hidden")
    published.translation("fa", "two", "en")
    published.build_whole()
    assert "workTranslation" not in linked_data(published, "en/one/")
    assert "translationOfWork" not in linked_data(published, "fa/two/")
    for url in ("fa/drafts/یک/", "zh-Hans/one/", "en/two/", "fa/two/"):
        validate(linked_data(published, url))
        assert_addresses_are_written(published, linked_data(published, url))


def test_no_title_gets_out_of_its_script(published: Site) -> None:
    published.build_whole()
    text = published.text("en/one/")
    assert text.count("</script>") == 1
    # Other scripts stand as they are: escaped, each letter would take six.
    assert '"headline": "یک"' in published.text("fa/یک/")


def test_countries_are_those_of_the_atlas(published: Site) -> None:
    folder = str(Path(__file__).parents[1] / "related")
    published.settings(PLUGINS=["multilingual", "places", "citations"], PLUGIN_PATHS=[str(ROOT / "plugins"), folder])
    published.article("en", "two", Countries="IR", Topics="war")
    published.article("en", "three", Places="IR")
    published.settings(PLACES_ATTRIBUTE="countries")
    published.build_whole()
    assert linked_data(published, "en/two/")["about"] == [
        {"@type": "Country", "name": "IR in en"},
        {"@type": "Thing", "name": "War"},
    ]


def test_a_site_without_multilingual_is_described_as_well(tmp_path: Path) -> None:
    site = cite(make_foreign_site(tmp_path, PLUGINS=["citations"], RELATIVE_URLS=True))
    for template in (site.folder / "bare/templates").glob("*.html"):
        template.write_text(TEMPLATE if template.stem == "article" else "", "utf-8")
    done = site.run_pelican("-s", "pelicanconf.py")
    assert done.returncode == 0, done.stderr
    data = linked_data(site, "soup.html")
    validate(data)
    assert_addresses_are_written(site, data, "https://kitchen.example")
    assert data["workTranslation"] == [
        {"@type": "Article", "@id": "https://kitchen.example/soup-fr.html", "inLanguage": "fr"}
    ]
    assert data["about"] == [{"@type": "Thing", "name": "oven"}, {"@type": "Thing", "name": "winter"}]
    french = linked_data(site, "soup-fr.html")
    validate(french)
    assert french["translationOfWork"]["headline"] == "Soup"


def test_it_is_light_on_our_own_longest_articles(site: Site) -> None:
    """Compressed with the page, directly behind the text: what a reader's connection carries for it."""
    articles = ROOT / "content" / "articles"
    for lang in ("en", "fa", "ru"):
        longest = max(articles.glob(f"{lang}/*.md"), key=lambda path: path.stat().st_size)
        text = longest.read_text("utf-8").partition("\n\n")[2]
        header = "Title: How wartime persecution reaches families\nDate: 2026-11-09\nAuthors: desk\n\n"
        site.write(f"articles/{lang}/only-{lang}.md", header + re.sub(r"\{filename\}[^)]*", "#", text))
    site.settings(MULTILINGUAL_LANGUAGES={"en": {}, "fa": {}, "ru": {}}, MARKDOWN=MARKDOWN)
    shutil.rmtree(site.output, ignore_errors=True)
    site.build_whole()

    def weigh(page: str) -> int:
        return len(gzip.compress(page.encode(), 9, mtime=0))

    for lang in ("en", "fa", "ru"):
        page = site.text(f"{lang}/only-{lang}/")
        data = json.dumps(linked_data(site, f"{lang}/only-{lang}/"))
        assert len(linked_data(site, f"{lang}/only-{lang}/")["citation"]) > 10, data
        cost = weigh(page) - weigh(re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL))
        assert cost < 900, (lang, cost)
