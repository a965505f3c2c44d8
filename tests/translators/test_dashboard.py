"""The dashboard: what an editor sees of all translations, in the editor's language, without a script."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import html
from playwright.sync_api import Browser
from translators.errors import ConfigurationError
from translators.messages import TEMPLATES, find_messages
from translators.records import Record, claim, record_path, write_record

from tests.translators.sites import DAY, Site, run_command

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = (
    'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    'msgid "Translations"\nmsgstr "ترجمه‌ها"\n\n'
    'msgctxt "state of a translation"\nmsgid "missing"\nmsgstr "نیست"\n'
)
SETTINGS = f"""
THEME = {str(ROOT / "theme")!r}
OUTPUT_PATH = "output"
TRANSLATORS_REPOSITORY = "https://github.com/o/r"
MULTILINGUAL_MESSAGES = ["messages"]
"""


def call(site: Site, *arguments: str) -> int:
    return run_command(site.root, "translations", "--html", *arguments)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A text in every state, and its dashboard in English."""
    site = Site(tmp_path_factory.mktemp("dashboard"), SETTINGS)
    (site.root / "messages").mkdir()
    (site.root / "messages" / "fa.po").write_text(CATALOGUE, "utf-8")
    for key in ("changed", "corrected", "same", "draft", "unknown", "claimed"):
        site.write("en", key)
    for key in ("changed", "corrected", "same"):
        site.translate("fa", key=key)
        site.record("fa", key=key)
    site.translate("fa", key="draft", header="Status: draft\n")
    site.translate("fa", key="unknown")
    held = claim(Record(), "<b>Nasrin</b>", DAY, what="")
    write_record(record_path(site.content, "fa", "claimed"), held)
    site.write("en", "changed", body="Something else altogether.\n")
    site.write("en", "corrected", header="Corrected: 2026-11-23 x\n")
    site.write("en", "help", kind="pages")
    assert call(site) == 0
    return site


def hrefs(element: html.HtmlElement) -> list[str]:
    return [str(link.get("href")) for link in element.cssselect("a")]


def page(site: Site, name: str) -> html.HtmlElement:
    text = (site.root / "var" / "translations" / f"{name}.html").read_bytes()
    return html.document_fromstring(text, parser=html.HTMLParser(encoding="utf-8"))


def test_every_text_stands_beside_its_state_in_every_language(site: Site) -> None:
    table = page(site, "index").cssselect(".texts")[0]
    rows = {
        row.cssselect("code")[0].text: [cell.xpath("string((a|text())[last()])") for cell in row.cssselect("td")]
        for row in table
    }
    assert next(iter(rows)) == "corrected", "the most urgent first"
    assert rows == {
        "corrected": ["source", "missing", "outdated", "missing"],
        "changed": ["source", "missing", "outdated", "missing"],
        "claimed": ["source", "missing", "claimed", "missing"],
        "draft": ["source", "missing", "draft", "missing"],
        "unknown": ["source", "missing", "unrecorded", "missing"],
        "same": ["source", "missing", "current", "missing"],
        "help": ["source", "missing", "missing", "missing"],
    }


def test_the_first_page_says_how_many_there_are_and_what_comes_next(site: Site) -> None:
    rows = page(site, "index").cssselect("table")[0].cssselect("tbody tr")
    told = {
        row.cssselect("th a")[0].text_content(): (
            [cell.text_content().split()[-1] for cell in row.cssselect(".number")],
            hrefs(row.cssselect("td:last-child")[0]),
        )
        for row in rows
    }
    assert told["فارسی"] == (["1", "1", "1", "1", "2", "1", "42"], ["fa.html#corrected"])
    assert told["English"] == (["0"] * 7, [])
    assert told["العربية"][1] == ["ar.html#corrected"]


def test_what_somebody_is_at_work_on_does_not_come_next(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.write("en")
    site.translate("fa", header="Status: draft\n")
    write_record(record_path(site.content, "ar", "flight"), claim(Record(), "", DAY, what=""))
    assert call(site) == 0
    assert {link for link in hrefs(page(site, "index")) if "#" in link} == {
        f"{lang}.html#flight" for lang in ("ar", "fa", "zh-Hans")
    }
    following = page(site, "index").cssselect("table")[0]
    assert [link for link in hrefs(following) if "#" in link] == ["zh-Hans.html#flight"]


def test_every_state_that_asks_for_something_leads_to_what_is_asked(site: Site) -> None:
    for link in page(site, "index").cssselect(".texts td a"):
        name, _, key = str(link.get("href")).partition("#")
        assert page(site, name.removesuffix(".html")).cssselect(f"tr[id='{key}']")


def test_each_row_has_the_command_and_the_editors_link(site: Site) -> None:
    rows = {row.get("id"): row for row in page(site, "fa").cssselect(".texts tr")}
    commands = {key: [code.text for code in row.cssselect("td code")] for key, row in rows.items()}
    assert commands == {
        "corrected": ["./blog diff corrected fa", "./blog kit corrected fa", "./blog accept corrected fa"],
        "changed": ["./blog diff changed fa", "./blog kit changed fa", "./blog accept changed fa"],
        "claimed": ["./blog translate claimed fa --release"],
        "draft": ["./blog translate draft fa --done"],
        "unknown": ["./blog accept unknown fa"],
        "help": ["./blog translate help fa", "./blog kit help fa"],
    }
    assert not rows["claimed"].cssselect("a"), "somebody is at work on it"
    links = {key: str(row.cssselect("td a")[0].get("href")) for key, row in rows.items() if key != "claimed"}
    assert links["draft"] == "https://github.com/o/r/edit/main/content/articles/fa/draft.md"
    assert links["help"].startswith("https://github.com/o/r/new/main?filename=content%2Fpages%2Ffa%2Fhelp.md&value=")
    assert "corrected on November 23, 2026" in rows["corrected"].text_content()
    assert "<b>Nasrin</b> has been at work on it since November 22, 2026" in rows["claimed"].text_content()


def test_it_speaks_the_editors_language(site: Site) -> None:
    (site.root / "pelicanconf.py").write_text(
        (site.root / "pelicanconf.py").read_text("utf-8") + "TRANSLATORS_DASHBOARD = 'var/persian'\n", "utf-8"
    )
    assert call(site, "--in", "FA") == 0
    text = (site.root / "var" / "persian" / "index.html").read_text("utf-8")
    assert '<html lang="fa" dir="rtl">' in text
    assert "<h1>ترجمه‌ها</h1>" in text
    assert ">نیست<" in text


def test_nothing_is_loaded_and_no_search_engine_keeps_it(site: Site) -> None:
    for path in (site.root / "var" / "translations").glob("*.html"):
        text = path.read_text("utf-8")
        tree = page(site, path.stem)
        assert tree.cssselect("meta[name=robots]")[0].get("content") == "noindex"
        assert not tree.cssselect("script, img, link, iframe, [src]")
        assert "default-src 'none'" in text


def test_filters_need_no_script(site: Site, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto((site.root / "var" / "translations" / "index.html").as_uri())
    rows = opened.locator(".texts tr:visible")
    assert rows.count() == 7
    opened.check("#state-outdated")
    assert rows.count() == 2
    opened.check("#kind-page")
    assert rows.count() == 0
    opened.check("#state-missing")
    assert rows.count() == 1
    heading = rows.locator(".label")
    assert not heading.first.is_visible()
    opened.set_viewport_size({"width": 390, "height": 800})
    assert heading.all_inner_texts() == ["العربية", "فارسی", "简体中文"], "a row says which language each state is of"
    assert heading.first.is_visible()
    context.close()


@pytest.mark.parametrize("folder", ["output/translations", "content", ".", "output"])
def test_it_is_never_written_where_it_would_be_published(tmp_path: Path, folder: str) -> None:
    site = Site(tmp_path, f'OUTPUT_PATH = "output"\nTRANSLATORS_DASHBOARD = {folder!r}\n')
    site.write("en")
    with pytest.raises(ConfigurationError, match="TRANSLATORS_DASHBOARD"):
        call(site)
    assert not list(tmp_path.rglob("*.html"))


def test_what_it_says_is_known_to_whoever_translates() -> None:
    found = set(find_messages(TEMPLATES))
    assert {"missing", "Words to do", "%(num)s paragraph has changed in the source (%(language)s)."} <= found
    assert "state of a translation" not in found
