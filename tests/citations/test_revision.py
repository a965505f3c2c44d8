"""The revision names a wording: the same wherever and however it is built, another with every letter."""

from __future__ import annotations

import time
import unicodedata
from hashlib import sha256

import pytest
from citations.revision import compute_revision
from hypothesis import given
from hypothesis import strategies as st

from tests.citations.reading import revision
from tests.multilingual.sites import Site

TEXT = (
    "## Heading\n\nWords[^a] and a [link]({filename}two.md), *more* words.\n\n"
    "![A gate]({static}/images/a.png)\n\n[^a]: A source. <https://source.example/?a=1&b=2>\n"
)
MARKDOWN = {"extension_configs": {"markdown.extensions.extra": {}}, "output_format": "html5"}


@pytest.fixture
def written(site: Site) -> Site:
    site.settings(MARKDOWN=MARKDOWN)
    site.write("images/a.png", b"")
    site.article("en", "one", TEXT, Title="Tïtle")
    site.article("en", "two")
    site.translation("fa", "one", "en", "متن")
    site.build_whole()
    return site


def test_it_is_what_the_documentation_says() -> None:
    html = (
        "<!-- x --><h2 id='s1'>A &amp; B</h2>\n<p class=\"n\">See<a href='{filename}b.md' rel=\"n\">that</a>  here."
        '<img width="9" src="a.png" alt="A &quot;gate&quot;" /><a href="#fn:a">1</a></p>'
        '<li id="fn:a"><p>Source.<a class="footnote-backref" href="#r">↑</a></p></li>'
    )
    lines = 'en\nA title\nA & B See {filename}b.md that here. a.png A "gate" 1 Source.'
    assert compute_revision("en", " A \n title", html) == sha256(lines.encode()).hexdigest()[:12]


def test_two_builds_agree(written: Site) -> None:
    before = revision(written, "en/one/")
    assert len(before) == 12
    assert set(before) <= set("0123456789abcdef")
    written.build_whole()
    assert revision(written, "en/one/") == before


def test_one_letter_makes_another(written: Site) -> None:
    first = {revision(written, url) for url in ("en/one/", "en/two/", "fa/one/")}
    assert len(first) == 3
    written.article("en", "one", TEXT.replace("words", "wordz"), Title="Tïtle")
    written.build_whole()
    second = revision(written, "en/one/")
    written.article("en", "one", TEXT, Title="Title")
    written.build_whole()
    third = revision(written, "en/one/")
    assert len({second, third} - first) == 2
    # Links and pictures are part of the text, and so is what a picture shows.
    for old, new in (("two.md", "one.md"), ("b=2", "b=3"), ("A gate", "A door")):
        written.article("en", "one", TEXT.replace(old, new), Title="Tïtle")
        written.build_whole()
        assert revision(written, "en/one/") not in first


def test_neither_other_articles_nor_the_address_nor_the_header_change_it(written: Site) -> None:
    before = revision(written, "en/one/"), revision(written, "fa/one/")
    written.article("en", "two", "Changed.", Slug="drei")
    written.translation("fa", "two", "en")  # a link from fa/one would lead elsewhere now
    written.article("en", "one", TEXT, Title="Tïtle", Date="2020-01-01", Summary="New", Corrected="2026-05-01 It")
    written.settings(SITEURL="https://mirror.example", RELATIVE_URLS=False, MULTILINGUAL_DEFAULT_AT_ROOT=True)
    written.build_whole()
    assert (revision(written, "one/"), revision(written, "fa/one/")) == before


def test_an_editors_form_of_unicode_does_not_matter(written: Site) -> None:
    before = revision(written, "en/one/")
    path = written.content / "articles/en/one.md"
    composed = path.read_text("utf-8")
    decomposed = unicodedata.normalize("NFD", composed)
    assert decomposed != composed
    path.write_text(decomposed.replace("\n", "\r\n"), "utf-8", newline="")
    written.build_whole()
    assert revision(written, "en/one/") == before


@pytest.mark.parametrize("plugins", [["prose", "citations"], ["citations", "prose"]])
def test_what_other_plugins_add_to_the_markup_does_not_matter(written: Site, plugins: list[str]) -> None:
    before = revision(written, "en/one/")
    written.settings(PLUGINS=["multilingual", *plugins])
    done = written.run("build")
    assert done.returncode == 0, done.stdout + done.stderr
    assert written.html("en/one/").get_element_by_id("paragraphs").text  # it was at work
    assert revision(written, "en/one/") == before


def test_every_article_has_one_but_not_a_text_that_is_gone(site: Site) -> None:
    site.article("en", "one", Status="hidden")
    site.article("en", "two", Status="draft")
    site.translation("fa", "one", "en")
    site.article("en", "gone", Withdrawn="2026-02-01 Why")
    (site.folder / "bare/templates/withdrawn.html").write_text("<p id=revision>{{ article.revision }}</p>", "utf-8")
    site.build_whole()
    assert all(len(revision(site, url)) == 12 for url in ("en/one/", "en/drafts/two/", "fa/one/"))
    assert revision(site, "en/gone/") == ""


@pytest.mark.parametrize("piece", ["<a ", "<!-- ", "<a href='", '<a class="footnote-backref">', "<a href=x>&", "<"])
def test_no_text_takes_long(piece: str) -> None:
    start = time.perf_counter()
    compute_revision("en", "", piece * 20_000)
    assert time.perf_counter() - start < 2  # measured: 0.1 s; comparing each with each takes minutes


@given(st.text(), st.text())
def test_texts_that_read_differently_are_told_apart(one: str, other: str) -> None:
    def form(text: str) -> str:
        return unicodedata.normalize("NFC", " ".join(text.split()))

    same = compute_revision("en", one, "") == compute_revision("en", other, "")
    assert same == (form(one) == form(other))
