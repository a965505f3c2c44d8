"""The whole way through real parts: an editor's file, `./blog publish`, nginx, the mailroom, Postfix, a mailbox."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.mailroom.judges import spam_scores, verified_headers
from tests.mailroom.test_whole_way import html_of, text_of
from tests.newsletter.publications import LANGUAGES, OLD, Publication, key_of, publication, today
from tests.newsletter.terminals import read_in_neomutt
from tests.once import once
from tests.theme.axe import bring_axe, judge_appearance, judge_whole

#: Two real articles as an editor's new ones: the first goes to its end, the second is wrong and stopped half-way.
POST, WRONG = "what-an-expert-report-is", "leaving-russia"
SLUGS = {"en": POST, "fa": "گزارش-کارشناسی-چیست"}
MISTAKES = {"en": "The number of detentions was wrong.", "fa": "شمار بازداشت‌ها نادرست بود."}
FA, EN, BOTH = (f"{who}@mail.test" for who in ("persian", "english", "both"))
#: How many more read English, and how many of them have the wrong letter before it is stopped, at least.
CROWD, FIRST = 120, 10
#: What mail programs show before they cut off the end.
LARGEST = 90_000
PHONE, DESKTOP = 360, 1000
#: What letters never have, and would be asked for.
CONTROL = '<p><img src="https://tracker.example/open.gif" alt=""></p>'
#: Directions, which a terminal has no use for.
MARKS = re.compile("[\u200e\u200f\u2066-\u2069]")


@dataclass
class Way:
    """What was said and what came, step by step."""

    url: str
    #: What vouches for the letters in the DNS.
    records: dict[str, str]
    #: What the steps printed.
    said: dict[str, str] = field(default_factory=dict)
    #: What the plan says of each campaign, by step.
    plans: dict[str, dict[str, str]] = field(default_factory=dict)
    #: When the first article's letters might leave.
    release: float = 0
    #: In whose mailboxes what is, and since when: by kind and language.
    arrived: dict[tuple[str, str], dict[str, float]] = field(default_factory=dict)
    #: A letter of each of them: as it came, and as it is read.
    letters: dict[tuple[str, str], tuple[bytes, EmailMessage]] = field(default_factory=dict)
    #: How many letters of the stopped campaign the mailroom says it has sent, by language.
    sent: dict[str, int] = field(default_factory=dict)
    #: The keys of the corrections.
    corrections: set[str] = field(default_factory=set)
    #: Whether the first article's page is at its new address at last, and who has a letter with its new title.
    moved: dict[str, tuple[bool, dict[str, float]]] = field(default_factory=dict)
    #: The first article as it stands in its file at last.
    written: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def way(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Way:
    """All that is done, in one go and once; the tests look at what it has led to."""

    def make(folder: Path) -> Way:
        with publication(folder, request.getfixturevalue("mail")) as place:
            way = Way(place.url, place.records)
            publish_and_send(way, place)
            stop_one_half_way(way, place)
            publish_what_was_changed(way, place)
            return way

    return once(tmp_path_factory, "newsletter", make)


def publish_and_send(way: Way, place: Publication) -> None:
    place.enrol("fa", FA)
    place.enrol("en", EN)
    place.enrol("fa,en", BOTH)
    for name in (POST, WRONG):
        place.write(name, today())
    way.said["publish"] = place.run("publish")
    way.plans["publish"] = place.plan()
    place.enrol("en", *(f"crowd-{number:03}@mail.test" for number in range(CROWD)))
    way.said["send"] = place.run("newsletter", "send", key_of(POST, "fa"), key_of(WRONG, "en"))
    way.release = place.release(key_of(POST, "en"))


def stop_one_half_way(way: Way, place: Publication) -> None:
    subjects = {kind: {lang: place.composed(kind, lang).subject for lang in LANGUAGES} for kind in (POST, WRONG)}
    place.wait_for(subjects[WRONG]["en"], FIRST)
    way.said["stop"] = place.run("newsletter", "stop", *(key_of(WRONG, lang) for lang in LANGUAGES))
    # Meanwhile the first article goes to whoever is left.
    way.said["publish again"] = place.run("publish")
    place.wait_for(subjects[POST]["en"], CROWD + 1)
    for kind, of_language in subjects.items():
        for lang, subject in of_language.items():
            place.wait_for(subject, place.letters(key_of(kind, lang))["sent"])
            take(way, place, kind, lang, subject)
    way.sent = {lang: place.letters(key_of(WRONG, lang))["sent"] for lang in LANGUAGES}


def publish_what_was_changed(way: Way, place: Publication) -> None:
    for lang in LANGUAGES:
        place.state(POST, lang, "Title", f"Expert reports ({lang})")
        place.state(POST, lang, "Former_slugs", SLUGS[lang])
        place.state(POST, lang, "Slug", f"expert-reports-{lang}")
        place.state(WRONG, lang, "Corrected", f"{today()} {MISTAKES[lang]}")
    place.run("rename", POST, "expert-reports")
    way.said["publish a correction"] = place.run("publish", NEWSLETTER_SEND="yes")
    for lang in LANGUAGES:
        subject = place.composed(WRONG, lang, "correction").subject
        place.wait_for(subject, len(way.arrived[WRONG, lang]))
        take(way, place, "correction", lang, subject)
        way.corrections.add(place.composed(WRONG, lang, "correction").key)
    way.plans["publish a correction"] = place.plan()
    for lang in LANGUAGES:
        page = place.www / lang / f"expert-reports-{lang}" / "index.html"
        way.moved[lang] = page.is_file(), place.arrived(f"Expert reports ({lang})")
        way.written[lang] = place.file("expert-reports", lang).read_text("utf-8").partition("\n\n")[2]


def take(way: Way, place: Publication, kind: str, lang: str, subject: str) -> None:
    found = place.arrived(subject)
    way.arrived[kind, lang] = found
    way.letters[kind, lang] = place.letter(next(iter(found)), subject)


def handed_in(said: str) -> set[str]:
    return set(re.findall("^(.*) handed in$", said, re.MULTILINE))


# What was done, and what it led to


def test_what_is_new_is_handed_in_once_its_pages_can_be_read(way: Way) -> None:
    keys = {key_of(name, lang) for name in (POST, WRONG) for lang in LANGUAGES}
    assert handed_in(way.said["publish"]) == keys
    assert way.plans["publish"] == dict.fromkeys(keys, "draft, as composed")
    assert way.said["publish"].index("Published.") < way.said["publish"].index("handed in")
    assert way.said["send"].startswith("Waiting until 4 pages can be read as built.\n")


def test_everybody_has_the_letter_once_within_a_minute_of_its_release(way: Way) -> None:
    crowd = {f"crowd-{number:03}@mail.test" for number in range(CROWD)}
    assert way.arrived[POST, "fa"].keys() == {FA, BOTH}
    assert way.arrived[POST, "en"].keys() == {EN, *crowd}
    for lang in LANGUAGES:
        seconds = [moment - way.release for moment in way.arrived[POST, lang].values()]
        assert min(seconds) > 0
        assert max(seconds) < 60


def test_who_has_a_stopped_letter_is_who_was_counted(way: Way) -> None:
    for lang in LANGUAGES:
        key = key_of(WRONG, lang)
        (counted,) = re.findall(rf"^{key} stopped \(letters: (.*)\)$", way.said["stop"], re.MULTILINE)
        letters = {state: int(number) for number, state in re.findall(r"(\d+) (\w+)", counted)}
        dropped = letters.pop("dropped", 0)
        assert len(way.arrived[WRONG, lang]) == sum(letters.values())
        assert way.sent[lang] == len(way.arrived[WRONG, lang])
        if lang == "en":
            assert FIRST <= len(way.arrived[WRONG, lang]) < CROWD
            assert dropped == CROWD + 1 - len(way.arrived[WRONG, lang])


def test_a_correction_reaches_exactly_who_got_the_wrong_letter(way: Way) -> None:
    for lang in LANGUAGES:
        assert way.arrived["correction", lang].keys() == way.arrived[WRONG, lang].keys()
        letter = way.letters["correction", lang][1]
        assert MISTAKES[lang] in MARKS.sub("", text_of(letter))
        assert MISTAKES[lang] in html_of(letter)


def test_nothing_else_is_mailed_whatever_was_changed(way: Way) -> None:
    assert handed_in(way.said["publish again"]) == set()
    assert "Newsletter: nothing is new.\n" in way.said["publish again"]
    assert handed_in(way.said["publish a correction"]) == way.corrections
    plan = way.plans["publish a correction"]
    assert len(plan) == 6
    for lang in LANGUAGES:
        assert re.fullmatch(r"already submitted \(started .*\), changed since", plan[key_of(POST, lang)])
        assert plan[key_of(WRONG, lang)] == "stopped, changed since"
        assert way.moved[lang] == (True, {})


# The letters as they came


def test_letters_are_signed_and_no_spam(way: Way, tmp_path: Path) -> None:
    raws = [way.letters[kind, lang][0] for kind in (POST, "correction") for lang in LANGUAGES]
    for raw in raws:
        (covered,) = verified_headers(raw, way.records)
        assert {"from", "subject", "message-id", "list-unsubscribe", "list-unsubscribe-post"} <= covered
    scores = spam_scores(raws, tmp_path)
    assert max(score for score, _ in scores) < 2, scores


def test_letters_have_both_parts_and_are_not_too_large(way: Way) -> None:
    for (kind, lang), (_, letter) in way.letters.items():
        assert letter.get_content_type() == "multipart/alternative"
        assert len(html_of(letter).encode()) < LARGEST, (kind, lang)
        assert len(text_of(letter).split()) > (30 if kind == "correction" else 800), (kind, lang)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_browsers_display_letters_well_and_ask_for_nothing(way: Way, browser: Browser, scheme: str) -> None:
    context = browser.new_context(color_scheme="dark" if scheme == "dark" else "light")
    bring_axe(context)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    judge = judge_whole if scheme == "light" else judge_appearance
    for kind, lang in ((kind, lang) for kind in (POST, "correction") for lang in LANGUAGES):
        letter = way.letters[kind, lang][1]
        for width in (DESKTOP, PHONE):
            page.set_viewport_size({"width": width, "height": 900})
            page.set_content(html_of(letter))
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (kind, lang, width)
        # A letter is shown inside a mail program's page, whose landmarks are its own.
        assert [each for each in judge(page) if not each.startswith(("region", "landmark"))] == [], (kind, lang)
        body = page.locator("body")
        assert body.get_attribute("lang") == lang
        assert body.evaluate("e => getComputedStyle(e).direction") == ("rtl" if lang == "fa" else "ltr")
        aligned = page.locator("h1").evaluate("e => getComputedStyle(e).textAlign")
        assert aligned in (("right", "start") if lang == "fa" else ("left", "start"))
        red = body.evaluate("e => Number(getComputedStyle(e).backgroundColor.match(/\\d+/)[0])")
        assert (red < 100) == (scheme == "dark")
    assert asked == []
    page.set_content(html_of(letter).replace("</h1>", f"</h1>{CONTROL}", 1), wait_until="commit")
    page.wait_for_load_state("networkidle")
    assert asked == ["https://tracker.example/open.gif"]
    context.close()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_terminal_s_mail_program_shows_the_text(way: Way, lang: str, tmp_path: Path) -> None:
    raw, letter = way.letters[POST, lang]
    shown = read_in_neomutt(raw, tmp_path)
    text = text_of(letter)
    assert bare(text) in bare(shown)
    written = way.written[lang]
    beginning, headings = written.partition("\n")[0], re.findall("^## (.*)$", written, re.MULTILINE)
    assert len(headings) > 5
    for words in (beginning, *headings):
        assert bare(words) in bare(shown)
    assert bare(letter["Subject"]) in bare(shown)
    assert re.search(rf"\[\w+\] {way.url}/{lang}/", text), OLD
    assert bare(f"{way.url}/mail/unsubscribe/") in bare(shown)


def bare(text: str) -> str:
    """What is left of a text on a terminal, wherever its lines end."""
    return re.sub(r"\s", "", MARKS.sub("", text))
