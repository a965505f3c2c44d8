"""Footnotes are read, and those that lack the day on which a page was read are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from citations.sources import read_sources
from hypothesis import given
from hypothesis import strategies as st
from markdown import Markdown

from tests.citations.test_linked_data import MARKDOWN
from tests.multilingual.foreign import make_foreign_site
from tests.multilingual.sites import ROOT, Site, texts

BACK = ' <a class="footnote-backref" href="#fnref:a" title="2026">↑ 2026</a>'


def note(text: str) -> str:
    return f'<p>Text 1</p><div class="footnote"><hr /><ol><li id="fn:a"><p>{text}{BACK}</p></li></ol></div>'


LINK = '<a href="https://undocs.org/A/HRC/54/54">https://undocs.org/A/HRC/54/54</a>'


@pytest.mark.parametrize(
    "after",
    [
        " (accessed 9 November 2026)",
        " (дата обращения: 9 ноября 2026\xa0г.)",
        " (اطُّلع عليه في 9 نوفمبر/تشرين الثاني 2026)",
        " (اطُّلع عليه في ٩ نوفمبر ٢٠٢٦)",
        "\u200e (دسترسی: ۵ نوامبر ۲۰۲۶)",
        " (دسترسی: ۱۴ آبان ۱۴۰۵)",
        "（2026年11月9日访问）",
        "（二〇二六年十一月九日访问）",
        " (9 พฤศจิกายน ๒๕๖๙)",
        ", 2026-11-09",
        ", <em>9.11.2026</em>",
    ],
)
def test_a_day_is_seen_in_every_languages_digits_and_calendar(after: str) -> None:
    (source,) = read_sources(note(f"A report, 2023. {LINK}{after}"))
    assert not source.lacks_access_date
    assert source.addresses == ("https://undocs.org/A/HRC/54/54",)
    (source,) = read_sources(note(f"A report, 2023. https://x.example/2023{after}"))
    assert not source.lacks_access_date


@pytest.mark.parametrize(
    "text",
    [
        f"A report, 15 September 2023. {LINK}",
        f"گزارش، ۱۵ سپتامبر ۲۰۲۳. {LINK}\u200e",
        f"报告，2023年9月15日。{LINK}。",
        f"{LINK} (no. 11884/22, 12345 pages, par. 2026a1)".replace("2026a1", "20261"),
        "As plain text, 2023: https://x.example/2023/54.",
        f"{LINK} (9 November 2026); {LINK}",
    ],
)
def test_an_address_without_a_day_is_seen(text: str) -> None:
    (source,) = read_sources(note(text))
    assert source.lacks_access_date


def test_what_names_no_address_needs_no_day() -> None:
    (source,) = read_sources(note("A book &amp; <em>its</em>\n title. <a href='#s1'>above</a>"))
    assert (source.text, source.addresses, source.lacks_access_date) == ("A book & its title. above", (), False)
    assert read_sources("<ol><li id='first'>No footnote https://x.example</li></ol>") == []


def test_a_footnote_may_hold_a_list() -> None:
    html = f'<ol><li id="fn:a"><p>One:</p><ul><li>two</li><li>{LINK}</li></ul><p>2026{BACK}</p></li>'
    html += f'<li id="fn:b">Three{BACK}</li></ol><p>After it, https://x.example</p>'
    first, second = read_sources(html)
    assert (first.text.split(), first.lacks_access_date) == (
        ["One:", "two", "https://undocs.org/A/HRC/54/54", "2026"], False,
    )  # fmt: skip
    assert (second.number, second.text, second.addresses) == (2, "Three", ())


@given(st.text())
def test_whatever_stands_there_is_read(text: str) -> None:
    for source in read_sources('<li id="fn:a">' + text):
        assert source.number > 0


# On a site


def test_an_editor_is_told_which_source_lacks_its_day(site: Site) -> None:
    site.settings(MARKDOWN=MARKDOWN, CITATIONS_ACCESS_DATES=True)
    dated = "[^1]: A, 2023. <https://x.example/> (accessed 9 November 2026)"
    site.article("en", "one", f"A[^1] B[^2]\n\n{dated}\n[^2]: B.")
    undated = "[^1]: گزارش، ۱۵ سپتامبر ۲۰۲۳. <https://x.example/>"
    dated = "[^2]: ب، ۲۰۲۳. <https://y.example/> (دسترسی: ۵ نوامبر ۲۰۲۶)"
    site.translation("fa", "one", "en", f"الف[^1] ب[^2]\n\n{undated}\n{dated}")
    undated = "[^2]: 报告，2023年9月15日。<https://x.example/>。"
    site.translation("zh-Hans", "one", "en", f"甲[^1]乙[^2]\n\n[^1]: 书。\n{undated}")
    site.article("en", "gone", "A[^1]\n\n[^1]: <https://x.example/>\n", Withdrawn="2026-02-01 Why")
    result = site.check()
    found = [text for text in texts(result) if "web address" in text]
    assert found == [
        "content/articles/fa/one.md: source 1 names a web address and no day on which it was read. "
        "Write the day behind https://x.example/.",
        "content/articles/zh-Hans/one.md: source 2 names a web address and no day on which it was read. "
        "Write the day behind https://x.example/.",
    ]
    assert not result.errors
    site.settings(CITATIONS_ACCESS_DATES=...)
    assert not [text for text in texts(site.check()) if "web address" in text]


def test_our_own_sources_all_have_their_day() -> None:
    markdown = Markdown(extensions=["extra"])
    counted = 0
    for path in sorted((ROOT / "content/articles").glob("*/*.md")):
        for source in read_sources(markdown.reset().convert(path.read_text("utf-8").partition("\n\n")[2])):
            assert not source.lacks_access_date, (path, source)
            counted += bool(source.addresses)
    assert counted > 90


def test_a_site_without_multilingual_is_told_in_the_log(tmp_path: Path) -> None:
    site = make_foreign_site(tmp_path, PLUGINS=["citations"], CITATIONS_ACCESS_DATES=True)
    site.write("noted.md", "Title: N\nDate: 2026-01-02\n\nA[^1]\n\n[^1]: <https://x.example/>\n")
    site.settings(MARKDOWN=MARKDOWN)
    done = site.run_pelican("-s", "pelicanconf.py", "--log-handler", "plain")
    assert done.returncode == 0, done.stderr
    assert "noted.md: source 1 names a web address" in done.stderr + done.stdout
