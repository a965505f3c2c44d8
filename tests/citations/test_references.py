"""The files for LaTeX and for reference managers, read back by libraries that are not ours."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from citations.biblatex import find_langid, write_biblatex
from citations.reference import Author, Reference
from citations.ris import write_ris
from hypothesis import example, given
from hypothesis import strategies as st

from tests.citations.reading import cite, read_bib, read_ris, revision
from tests.multilingual.foreign import make_foreign_site
from tests.multilingual.sites import Site, texts

REFERENCE = Reference(
    key="one-fa",
    lang="fa",
    title="A title",
    authors=(Author("The Desk", is_organisation=True), Author("Nora Berg", is_organisation=False)),
    translator="A. Reader",
    publication="Law and Order",
    published=date(2026, 1, 9),
    changed=date(2026, 2, 3),
    retracted=None,
    original_lang="en",
    original_title="An original",
    original_published=date(2026, 1, 2),
    url="https://site.example/fa/%D9%86/",
    neutral_url="https://site.example/k/one/",
    revision="0123456789ab",
)
#: What any editor can type into a title, control characters included.
TITLES = st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda text: one_line(text))
HOSTILE = (
    r"""50 % of {A} & B_c #1 $x$ ^2 ~ \emph{y} "q" -- --- ''z'' ``z`` <<n>> ,,n,, ?` !` }{ """
    "@online{a, b = {c}} ER  - TY  - "
)


def one_line(text: str) -> str:
    return re.sub(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+", " ", text).strip(" ")


@given(TITLES)
@example(HOSTILE)
@example("First\nER  - \nTY  - BOOK\r\nTI  - Forged")
@example("پناهندگی\u200cهای ایران: ۲۰۲۶")
def test_any_title_survives_in_both(title: str) -> None:
    reference = replace(REFERENCE, title=title)
    bib, ris = write_biblatex(reference), write_ris(reference)
    assert read_bib(bib)["title"] == one_line(title)
    assert read_ris(ris)["title"] == one_line(title).strip()
    assert bib.count("{") == bib.count("}")
    assert len(ris.split("\r\n")) == len(ris.splitlines()) + 1 == 16


@given(TITLES)
@example(HOSTILE)
@example("Médecins and Others, Inc.")
def test_any_name_survives_in_both(name: str) -> None:
    reference = replace(REFERENCE, authors=(Author(name, is_organisation=True),), publication=name)
    fields, record = read_bib(write_biblatex(reference)), read_ris(write_ris(reference))
    assert fields["author"] == fields["organization"] == one_line(name)
    assert record["authors"] == [one_line(name).replace("*", "∗").strip()]


def test_organisations_and_names_that_read_like_several_are_braced() -> None:
    people = tuple(Author(name, is_organisation=False) for name in ("Nora Berg", "Ali and Sons", "Berg, Nora"))
    bib = write_biblatex(replace(REFERENCE, authors=(Author("The Desk", is_organisation=True), *people)))
    assert "author = {{The Desk} and Nora Berg and {Ali and Sons} and {Berg, Nora}}," in bib


def test_languages_have_the_names_that_biblatex_knows() -> None:
    known = {tag: find_langid(tag) for tag in ("en", "en-GB", "en-NZ", "pt-BR", "ru", "uk", "es", "fr")}
    assert known == {
        "en": "english", "en-GB": "british", "en-NZ": "english", "pt-BR": "brazilian", "ru": "russian",
        "uk": "ukrainian", "es": "spanish", "fr": "french",
    }  # fmt: skip
    assert not any(map(find_langid, ("ar", "fa", "zh-Hans")))


# On a site


@pytest.fixture
def published(site: Site) -> Site:
    site.settings(MULTILINGUAL_LANGUAGES={"en": {}, "fa": {"SITENAME": "نشریه"}, "zh-Hans": {}})
    site.article("en", "one", Title="One & only", Authors="desk, amina", Modified="2026-02-03")
    site.translation(
        "fa", "one", "en", Title="یک", Slug="یک", Translated="2026-01-09", Translator="A. Reader",
        Corrected="2026-03-04 A number",
    )  # fmt: skip
    site.translation("zh-Hans", "one", "en", Translator="Withheld")
    return site


def test_a_source_article_states_what_is_known(published: Site) -> None:
    published.build_whole()
    fields = read_bib(published.text("en/one/cite.bib"))
    assert fields == {
        "key": "one-en",
        "author": "The desk and Amina",
        "title": "One & only",
        "organization": "The Site",
        "date": "2026-01-02",
        "language": "en",
        "langid": "english",
        "url": "https://site.example/en/one/",
        "addendum": "<https://site.example/k/one/>",
        "version": f"{revision(published, 'en/one/')} (2026-02-03)",
    }
    record = read_ris(published.text("en/one/cite.ris"))
    assert record == {
        "type_of_reference": "ELEC",
        "title": "One & only",
        "authors": ["The desk", "Amina"],
        "secondary_title": "The Site",
        "publisher": "The Site",
        "year": "2026",
        "date": "2026/01/02",
        "language": "en",
        "edition": f"{revision(published, 'en/one/')} (2026-02-03)",
        "urls": ["https://site.example/en/one/", "https://site.example/k/one/"],
    }


def test_a_translation_names_its_original_and_its_translator(published: Site) -> None:
    published.build_whole()
    fields = read_bib(published.text("fa/یک/cite.bib"))
    assert fields["translator"] == "A. Reader"
    assert (fields["origtitle"], fields["origlanguage"], fields["origdate"]) == ("One & only", "english", "2026-01-02")
    assert (fields["date"], fields["language"], fields["organization"]) == ("2026-01-09", "fa", "نشریه")
    assert "langid" not in fields
    assert fields["url"] == "https://site.example/fa/%DB%8C%DA%A9/"
    assert fields["version"].endswith(" (2026-03-04)")
    record = read_ris(published.text("fa/یک/cite.ris"))
    assert record["subsidiary_authors"] == ["A. Reader"]
    assert record["original_publication"] == "One & only (en, 2026-01-02)"
    assert (record["date"], record["publisher"]) == ("2026/01/09", "نشریه")


def test_a_withheld_name_is_in_neither(published: Site) -> None:
    published.build_whole()
    for name in ("cite.bib", "cite.ris"):
        text = published.text(f"zh-Hans/one/{name}")
        assert "ithheld" not in text
        assert "translator" not in text
        assert "A4  -" not in text


def test_lines_end_as_each_format_has_it(published: Site) -> None:
    published.build_whole()
    ris = (published.output / "fa/یک/cite.ris").read_bytes()
    assert ris.startswith(b"TY  - ELEC\r\n")
    assert ris.endswith(b"\r\nER  - \r\n")
    assert ris.count(b"\n") == ris.count(b"\r\n")
    assert b"\r" not in (published.output / "fa/یک/cite.bib").read_bytes()


def test_a_retraction_is_stated_in_the_readers_language(published: Site) -> None:
    published.article("en", "one", Retracted="2026-04-01 Wrong")
    published.translation("fa", "one", "en", Slug="یک", Retracted="2026-04-01 نادرست")
    catalogues = published.folder / "messages"
    catalogues.mkdir()
    for lang, word in (("en", "Retracted"), ("fa", "پس‌گرفته"), ("zh-Hans", "已撤稿")):
        head = f'msgid ""\nmsgstr ""\n"Language: {lang}\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
        (catalogues / f"{lang}.po").write_text(f'{head}msgid "Retracted"\nmsgstr "{word}"\n', "utf-8")
    published.settings(MULTILINGUAL_MESSAGES=("messages",))
    published.build_whole()
    assert read_bib(published.text("en/one/cite.bib"))["note"] == "Retracted, 2026-04-01"
    assert read_ris(published.text("fa/یک/cite.ris"))["notes"] == ["پس‌گرفته, 2026-04-01"]


def files(site: Site) -> list[str]:
    found = (path.relative_to(site.output).as_posix() for path in site.output.rglob("cite.*"))
    return sorted(found)


def test_what_is_public_has_files_and_nothing_else(site: Site) -> None:
    site.article("en", "one")
    site.article("en", "hidden", Status="hidden")
    site.article("en", "draft", Status="draft")
    site.article("en", "later", Date="2999-01-01")
    site.article("en", "gone", Withdrawn="2026-02-01 Why")
    site.translation("fa", "one", "en")
    site.translation("fa", "hidden", "en", Status="draft")
    site.page("en", "about")
    expected = [f"{url}/cite.{end}" for url in ("en/hidden", "en/one", "fa/one") for end in ("bib", "ris")]
    site.build_whole()
    assert files(site) == expected
    site.settings(MULTILINGUAL_DRAFTS=False)
    site.build_whole()
    assert files(site) == expected


def test_an_original_that_is_not_published_is_not_named(site: Site) -> None:
    site.article("en", "one", Title="Secret title", Status="draft")
    site.translation("fa", "one", "en", Date="2026-01-02")
    site.build_whole()
    assert "Secret" not in site.text("fa/one/cite.bib") + site.text("fa/one/cite.ris")
    assert read_bib(site.text("fa/one/cite.bib"))["origlanguage"] == "english"


def test_files_go_with_their_article_and_stay_when_the_build_fails(site: Site) -> None:
    site.article("en", "one")
    site.article("en", "two")
    site.build_whole()
    before = site.snapshot()
    site.article("en", "two", Topics="nonsense")
    assert site.build().errors
    assert site.snapshot() == before
    (site.content / "articles/en/two.md").unlink()
    site.build_whole()
    assert files(site) == ["en/one/cite.bib", "en/one/cite.ris"]
    assert site.build_whole().changed == 0


def test_a_page_may_link_them_and_a_file_in_their_place_is_found(site: Site) -> None:
    template = site.folder / "bare/templates/article.html"
    template.write_text('<a href="cite.bib">BibTeX</a> <a href="cite.ris">RIS</a> <a href="cite.xml">no</a>', "utf-8")
    site.article("en", "one")
    links = [text for text in texts(site.check()) if "leads to nothing" in text]
    assert len(links) == 1
    assert "cite.xml" in links[0]
    site.write("images/a.txt", "mine")
    site.settings(EXTRA_PATH_METADATA={"images/a.txt": {"path": "en/one/CITE.bib"}})
    problems = texts(site.build())
    assert any("images/a.txt: the file /en/one/cite.bib is written beside the article" in text for text in problems)


def test_a_site_without_multilingual_has_them_by_the_pages_name(tmp_path: Path) -> None:
    site = cite(make_foreign_site(tmp_path, PLUGINS=["citations"], CITATIONS_ORGANISATIONS=["ali-reza"]))
    for template in (site.folder / "bare/templates").glob("*.html"):
        if template.stem != "article":
            template.write_text("", "utf-8")
    done = site.run_pelican("-s", "pelicanconf.py")
    assert done.returncode == 0, done.stderr
    fields = read_bib(site.text("soup.bib"))
    assert fields["author"] == "Nora Berg and Ali Reza"
    assert "{Ali Reza}" in site.text("soup.bib")
    assert fields["url"] == "https://kitchen.example/soup.html"
    assert (fields["date"], fields["version"][-12:]) == ("2026-01-20", "(2026-01-25)")
    assert "addendum" not in fields
    assert "origlanguage" not in fields
    french = read_bib(site.text("soup-fr.bib"))
    assert (french["langid"], french["origlanguage"], french["origtitle"]) == ("french", "english", "Soup")
    # Headers of reStructuredText come as HTML.
    assert read_ris(site.text("bread.ris"))["title"] == "Bread"
    assert site.has("special/naples/cite.bib")
    assert not list(site.output.glob("drafts/*.bib"))
    assert site.has("quiet.ris")


def test_a_site_without_an_address_states_none(site: Site) -> None:
    site.settings(SITEURL="")
    site.article("en", "one")
    site.build_whole()
    assert "url" not in read_bib(site.text("en/one/cite.bib"))
    assert "urls" not in read_ris(site.text("en/one/cite.ris"))
