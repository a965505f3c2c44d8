"""Which articles become letters, under which keys, and what the letters say: real builds of small sites."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from newsletter.articles import LONGEST_TITLE, Voice
from newsletter.campaigns import UNSUBSCRIBE, Campaign, make_key, make_post_id, read_campaigns
from newsletter.composition import HTML_LIMIT, PREHEADER, Composer
from newsletter.look import find_messages
from newsletter.settings import Configuration

from mailroom.languages import load_languages
from mailroom.letters import composition as mailroom
from mailroom.letters.markup import check
from mailroom.settings import Settings
from tests.multilingual.sites import THEME, Site, texts

TODAY = date(2026, 11, 22)
MAILROOM = mailroom.Composer(Settings(url="https://blog.test/mail/", sender="letters@blog.test"), load_languages())


def compose(
    site: Site, monkeypatch: pytest.MonkeyPatch | None = None, now: str = ""
) -> dict[tuple[str, str], Campaign]:
    """Build, and return the campaigns by kind and address."""
    if monkeypatch:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(date_of(now))))
    site.build_whole()
    found = read_campaigns(site.folder / "var" / "campaigns").values()
    for one in found:
        assert check(one.fragment) == []
    return {(one.kind, one.url.removeprefix("https://site.example/")): one for one in found}


def date_of(day: str) -> float:
    return (date.fromisoformat(day) - date(1970, 1, 1)).total_seconds()


def letter(site: Site, lang: str = "en") -> Campaign:
    return compose(site)["post", f"{lang}/one/"]


def octets_at_the_mailroom(one: Campaign) -> int:
    content = mailroom.CampaignContent(
        one.key, one.kind, one.lang, one.subject, one.preheader, one.title, one.summary, one.url, one.fragment,
        one.fragment_text,
    )  # fmt: skip
    return MAILROOM.campaign(content, one.lang, discreet=False).html_octets


# Which


def test_published_articles_and_translations_become_letters(site: Site) -> None:
    site.article("en", "one", Date="2026-01-02")
    site.translation("fa", "one", "en", Translated="2026-02-03")
    site.article("en", "old", Date="2025-12-31")
    site.translation("zh-Hans", "old", "en", Translated="2026-01-01")
    site.article("en", "half", Status="draft")
    site.article("en", "soon", Date="2999-01-01")
    site.article("en", "gone", Withdrawn="2026-01-03 Danger.")
    site.article("en", "aside", Status="hidden")
    found = compose(site)
    assert set(found) == {("post", "en/one/"), ("post", "fa/one/"), ("post", "zh-Hans/old/")}
    en, fa = found["post", "en/one/"], found["post", "fa/one/"]
    assert (en.key, fa.key) == tuple(make_key("example", "post", "one", lang) for lang in ("en", "fa"))
    assert en.post == fa.post == make_post_id("example", "one")
    assert (en.day, fa.day) == (date(2026, 1, 2), date(2026, 2, 3))
    assert (en.direction, fa.direction) == ("ltr", "rtl")


def test_newsletter_no_in_the_source_or_the_translation(site: Site) -> None:
    site.article("en", "one", Newsletter="No")
    site.translation("fa", "one", "en")
    site.article("en", "two")
    site.translation("fa", "two", "en", Newsletter="no")
    site.article("en", "three", Newsletter="yes")
    assert set(compose(site)) == {("post", "en/two/"), ("post", "en/three/")}


def test_another_word_is_a_problem_that_names_the_file(site: Site) -> None:
    site.article("en", "one", Newsletter="later")
    site.article("fa", "two")
    (problem,) = texts(site.build())
    assert "articles/en/one.md:3: Newsletter: later is neither yes nor no. Write yes or no." in problem


def test_a_hidden_article_may_be_a_notice(site: Site) -> None:
    site.article("en", "moved", Status="hidden", Newsletter="yes")
    site.translation("fa", "moved", "en", Status="hidden")
    site.translation("zh-Hans", "moved", "en", Status="hidden", Newsletter="no")
    found = compose(site)
    assert set(found) == {("notice", "en/moved/"), ("notice", "fa/moved/")}
    assert found["notice", "en/moved/"].key == make_key("example", "notice", "moved", "en")


# Under which key


def test_what_an_editor_corrects_changes_no_key(site: Site) -> None:
    site.article("en", "one")
    before = letter(site)
    site.article("en", "one", "Other text.", Title="Other", Slug="uno", Summary="Other.")
    site.settings(SITEURL="https://elsewhere.example")
    after = compose(site)["post", "https://elsewhere.example/en/uno/"]
    assert (after.key, after.post) == (before.key, before.post)
    assert after.digest != before.digest


def test_a_renamed_file_keeps_its_oldest_name(site: Site) -> None:
    site.article("en", "third", Former_keys="first, second")
    site.translation("fa", "third", "en")
    found = compose(site)
    for lang in ("en", "fa"):
        one = found["post", f"{lang}/third/"]
        assert one.key == make_key("example", "post", "first", lang)
        assert one.post == make_post_id("example", "first")
        assert one.former == tuple(make_key("example", "post", name, lang) for name in ("second", "third"))
    site.article("en", "third", Former_keys="third, fourth")  # renamed, and renamed back
    site.translation("fa", "third", "en")
    assert compose(site)["post", "en/third/"].key == make_key("example", "post", "third", "en")


# What it says


def test_a_letter_says_what_the_page_says(site: Site) -> None:
    site.settings(MULTILINGUAL_MESSAGES=[f"{THEME}/messages"])
    site.article("fa", "one", "متن.", Title="عنوان", Summary="خلاصهٔ *مقاله*.", Authors="آرش", Date="2026-01-02")
    site.translation(
        "en", "one", "fa", "Text with [a link]({filename}/articles/fa/two.md), and **more**.[^1]\n\n[^1]: A source.",
        Title="A title", Summary="The summary.", Translator="B. C.", Translated="2026-01-05",
        Corrected="2026-01-08 A number was wrong.",
    )  # fmt: skip
    site.article("fa", "two")
    found = compose(site)
    en, fa = found["post", "en/one/"], found["post", "fa/one/"]
    assert en.text.splitlines() == [
        "A title", "", "The summary.", "",
        "By \u2068آرش\u2069", "Translated by B. C.", "Translated from Persian", "Published on 2 January 2026",
        "Translated on 5 January 2026", "",
        "Corrected", "", "- 8 January 2026 – A number was wrong.", "",
        "Text with a link [2] \u2068(فارسی)\u2069, and more.[1]", "",
        "## Sources", "", "1. A source.", "",
        "[2] https://site.example/fa/two/", "",
        "-- ", "The Site", "",
        "Read this on the website", "https://site.example/en/one/", "",
        "You receive the letters of The Site because you subscribed to them.", "",
        "Unsubscribe", UNSUBSCRIBE,
    ]  # fmt: skip
    assert en.fragment_text.startswith("By \u2068آرش\u2069\nTranslated by")
    assert en.fragment_text.endswith("[2] https://site.example/fa/two/")
    for part in (
        "<li>8 January 2026 – A number was wrong.</li>", 'Text with <a href="https://site.example/fa/two/">a link</a>',
        "<strong>more</strong><span style=\"white-space:nowrap\">.<sup>[1]</sup></span>", "<h2>Sources</h2>",
    ):  # fmt: skip
        assert part in en.fragment
    assert "The summary." not in en.fragment
    assert "You receive the letters of The Site because you subscribed to them." in en.html
    assert (fa.subject, fa.preheader, fa.summary) == ("عنوان", "خلاصهٔ مقاله.", "خلاصهٔ مقاله.")
    assert "انتشار: ۱۲ دی ۱۴۰۴ (۲ ژانویهٔ ۲۰۲۶)" in fa.text


def test_the_picture_that_a_page_begins_with_leaves_what_is_said_of_it(site: Site) -> None:
    site.write("images/a.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>")
    site.article("en", "one", Image="images/a.svg", Image_alt="A bar that never ends", Image_caption="Law, practice")
    one = letter(site)
    assert "[A bar that never ends]\n\nLaw, practice\n\nText." in one.text
    assert "a.svg" not in one.html


def test_a_translator_may_be_withheld(site: Site) -> None:
    site.article("fa", "one")
    site.translation("en", "one", "fa", Translator="withheld")
    assert "The translator’s name is withheld" in letter(site).text


def test_sender_and_reply_to_are_of_the_language(site: Site) -> None:
    site.settings(NEWSLETTER_SENDER={"en": "The Site <a@site.example>"}, NEWSLETTER_REPLY_TO="desk@site.example")
    site.article("en", "one")
    site.translation("fa", "one", "en")
    found = compose(site)
    assert found["post", "en/one/"].sender == "The Site <a@site.example>"
    assert (found["post", "fa/one/"].sender, found["post", "fa/one/"].reply_to) == ("", "desk@site.example")


@pytest.mark.parametrize(
    ("lang", "title", "subject"),
    [
        ("en", "Law & <em>order</em>", "Law & order"),
        ("en", "A &amp; B < C", "A & B < C"),
        ("fa", "مادهٔ ۱\u00a0(د)", "مادهٔ ۱\u00a0(د)"),
        ("en", "The word پناه", "\u2066The word پناه\u2069"),
        ("fa", "UNHCR و پناهندگان", "\u2067UNHCR و پناهندگان\u2069"),
        ("en", "Turned \u202eround", "Turned round"),
    ],
)
def test_a_subject_is_safe_wherever_it_is_shown(site: Site, lang: str, title: str, subject: str) -> None:
    site.article(lang, "one", Title=title)
    assert letter(site, lang).subject == subject


def test_what_is_long_is_cut(site: Site) -> None:
    site.article("en", "one", Title="word " * 80, Summary="word " * 80)
    site.article("zh-Hans", "two", Title="词" * 300, Summary="词" * 300)
    for one in compose(site).values():
        assert len(one.subject) <= LONGEST_TITLE
        assert len(one.preheader) <= PREHEADER
        assert one.subject.endswith(("word…", "词…"))


def test_without_a_summary_the_text_s_beginning_is_what_is_seen_first(site: Site) -> None:
    site.article("en", "one", "## Heading\n\nThe first words.[^1]\n\n[^1]: Note.")
    one = letter(site)
    assert (one.summary, one.preheader) == ("", "Heading")


def test_who_writes_the_token_writes_no_second_one(site: Site) -> None:
    text = f"About {UNSUBSCRIBE} and [this](https://a.example/{UNSUBSCRIBE}) and `{UNSUBSCRIBE}`."
    site.article("en", "one", text, Title=f"On {UNSUBSCRIBE}", Summary=UNSUBSCRIBE)
    one = letter(site)
    assert one.html.count(UNSUBSCRIBE) == one.text.count(UNSUBSCRIBE) == 1
    assert f'<a href="{UNSUBSCRIBE}"' in one.html
    assert one.text.endswith(f"\n{UNSUBSCRIBE}\n")
    assert UNSUBSCRIBE not in one.fragment
    assert one.text.replace("\u2060", "").count(UNSUBSCRIBE) == 5


# What is too long


def article(text: str, **fields: Any) -> SimpleNamespace:
    """An article as a site without any other plugin has it, as far as a letter needs it."""
    return SimpleNamespace(
        lang="en", title="Title", slug="one", url="one/", status="published", date=datetime(2026, 1, 2, tzinfo=UTC),
        settings={"SITENAME": "The Site"}, metadata={}, get_content=lambda _: text, **fields,
    )  # fmt: skip


@pytest.mark.parametrize(
    "block",
    [
        f"<p>{'word ' * 60}<a href='https://a.example/b'>link</a></p>",
        "<h2>A heading</h2>",
        "<ul><li>item</li><li>item</li></ul>",
        "<table><tr><th>a</th></tr><tr><td>b</td><td>c</td></tr></table>",
        "<pre>code</pre>",
        "<p><code>a</code> <em>b</em> <strong>c</strong> <small>d</small><sup>e</sup></p>",
        "<dl><dt>a</dt><dd>b</dd></dl>",
        "<blockquote><p>said</p></blockquote>",
        "<p dir='rtl' lang='fa'>گفت</p>",
    ],
)
def test_no_program_cuts_a_letter_off(block: str) -> None:
    """Whole as long as it can be; otherwise its first blocks, each whole, and a link."""
    composer = Composer(Configuration(site_id="example", since="2026-01-01"), "https://site.example", Voice(), TODAY)
    whole: list[int] = []
    excerpts: list[int] = []
    for octets in (4_000, 9_000, 14_000, 20_000, 28_000, 60_000):
        (one,) = composer.compose([article(f"<p>First.</p>{block * (octets // len(block))}")])
        at_mailroom = octets_at_the_mailroom(one)
        assert max(at_mailroom, len(one.html.encode())) <= HTML_LIMIT
        (excerpts if "Read the whole article" in one.fragment else whole).append(at_mailroom)
    assert max(whole) > HTML_LIMIT / 5
    assert not excerpts or max(excerpts) < HTML_LIMIT * 2 / 3


def test_an_excerpt_is_whole_blocks_without_notes(site: Site) -> None:
    text = "\n\n".join(f"Paragraph {number} {'word ' * 200}end.[^1]" for number in range(90))
    site.article("en", "one", f"{text}\n\n[^1]: Note.", Summary="The summary.")
    one = letter(site)
    assert one.fragment.count("end.</p>") == len(re.findall("Paragraph", one.fragment)) == 3
    assert '<a href="https://site.example/en/one/">Read the whole article</a>' in one.fragment
    assert "<sup>" not in one.fragment
    assert "Read the whole article [1]" in one.fragment_text
    assert "Note" not in one.text


# Corrections


def test_corrections_and_retractions(site: Site) -> None:
    site.article("en", "one", Summary="Summary.", Former_keys="uno")
    text = "---\ntitle: One\ndate: 2026-01-02\nformer_keys: uno\ncorrected:\n- 2026-02-01 A.\n- 2026-03-01 B.\n"
    text += "- 2026-02-01 C.\n---\n\nText.\n"
    site.write("articles/en/one.md", text)
    site.article("en", "two", Retracted="2026-02-02 It was invented.", Corrected="2026-02-01 A number.", Title="Two")
    site.article("en", "old", Date="2025-06-01", Corrected="2026-02-03 Old.")
    site.translation("fa", "two", "en", Translated="2026-04-01", Retracted="2026-02-02 ساختگی بود.")
    site.build_whole()
    found = read_campaigns(site.folder / "var" / "campaigns")
    names = sorted((one.kind, one.day.isoformat(), one.subject) for one in found.values())
    assert names == [
        ("correction", "2026-02-01", "Correction: One"),
        ("correction", "2026-02-02", "Retraction: Two"),
        ("correction", "2026-03-01", "Correction: One"),
        ("post", "2026-01-02", "One"),
    ]
    first = found[make_key("example", "correction", "uno 2026-02-01", "en")]
    post = found[make_key("example", "post", "uno", "en")]
    assert (first.corrects, first.post, first.title, first.url) == (post.key, post.post, "One", post.url)
    assert first.former == (make_key("example", "correction", "one 2026-02-01", "en"),)
    assert first.fragment_text == (
        "We sent you this article. It has been corrected since.\n\n- 1 February 2026 – A.\n- 1 February 2026 – C."
    )
    retraction = next(one for one in found.values() if one.subject.startswith("Retraction"))
    assert "do not rely on it" in retraction.text
    assert "It was invented." in retraction.text
    assert retraction.corrects == make_key("example", "post", "two", "en")


# Digests


def test_a_digest_of_each_week_that_has_ended(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.settings(NEWSLETTER_DIGEST=True)
    site.article("en", "one", Date="2026-01-05", Summary="First.")
    site.article("en", "two", Date="2026-01-11", Corrected="2026-01-20 A number.")
    site.translation("fa", "one", "en", Translated="2026-01-06")
    site.article("en", "gone", Date="2026-01-07", Retracted="2026-01-08 No.")
    site.article("en", "three", Date="2026-01-12")
    site.article("en", "moved", Status="hidden", Newsletter="yes")
    found = compose(site, monkeypatch, "2026-01-18")
    assert {key for key in found if key[0] in ("digest", "notice")} == {
        ("digest", "en/"), ("digest", "fa/"), ("notice", "en/moved/"),
    }  # fmt: skip
    assert not [key for key in found if key[0] == "post"]
    digest = found["digest", "en/"]
    assert digest.key == make_key("example", "digest", "2026-W02", "en")
    assert digest.post == found["digest", "fa/"].post == make_post_id("example", "2026-W02")
    assert (digest.day, digest.title) == (date(2026, 1, 11), "New articles: 5 January 2026 – 11 January 2026")
    assert [url for url, _ in digest.pages] == ["https://site.example/en/one/", "https://site.example/en/two/"]
    assert digest.fragment_text.splitlines()[:4] == ["## one in en [1]", "", "First.", ""]
    assert found["correction", "en/two/"].corrects == digest.key
    assert found["correction", "en/two/"].post == digest.post
    compose(site, monkeypatch, "2026-01-19")
    later = read_campaigns(site.folder / "var" / "campaigns")
    assert set(later) - {one.key for one in found.values()} == {make_key("example", "digest", "2026-W03", "en")}
    assert later[digest.key].digest == digest.digest


# Messages


def test_every_text_is_in_the_list_that_translators_are_given() -> None:
    plugin = Path(__file__).parents[2] / "plugins" / "newsletter"
    said = [
        text
        for path in (*plugin.glob("*.py"), *plugin.glob("templates/*"))
        for text in re.findall(r'\bsay\(\s*"([^"]+)"', path.read_text("utf-8"))
    ]
    assert find_messages() == set(said)
    assert {"Retraction: %(title)s", "Unsubscribe", "By %(names)s"} <= find_messages()


def test_check_asks_translators_for_them(site: Site) -> None:
    folder = site.folder / "messages"
    folder.mkdir()
    ours = Path(THEME, "messages", "fa.po").read_text("utf-8")
    lacking, count = re.subn(r'(msgid "Read the whole article"\n)msgstr ".*"', r'\1msgstr ""', ours)
    assert count == 1
    (folder / "fa.po").write_text(lacking, "utf-8")
    site.settings(MULTILINGUAL_MESSAGES=["messages"])
    site.article("en", "one", Summary="x")
    found: list[Any] = [text for text in texts(site.check()) if "Read the whole article" in text]
    assert any("fa.po" in text for text in found)
