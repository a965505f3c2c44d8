"""The form's pages as people see them: valid, light, and usable with whatever browser, screen and keyboard there is."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from playwright.sync_api import Browser, Page

from mailroom.intake.forms import FACES, MEETING, REPORT, Unfinished, fill_form, read_submission
from mailroom.languages import load_languages
from mailroom.web.rendering import TEMPLATES, Renderer
from tests.mailroom.judges import faults_of_pages
from tests.mailroom.offices import NOON, make_settings
from tests.theme.axe import bring_axe, judge_appearance, judge_whole
from tests.theme.support import DESKTOP, PHONE
from tests.theme.test_keyboard import STOPS as ALL_STOPS
from tests.theme.test_keyboard import walk
from tests.theme.visits import UNFOLD, beyond

LANGUAGES = tuple(load_languages())
#: Octets of a page with all it needs, as it goes over the line.
HEAVIEST = 14 * 1024
JUDGED = ("en", "fa", "zh-Hans")
#: Pages that differ in more than their words.
SHAPES = ("report-unfinished", "meeting-unfinished", "translation", "sealed-True", "receipt-invalid", "receipt-stored")
RECIPIENTS = [f"age1{letter * 58}" for letter in "qz"]
#: Of choices that exclude each other Tab reaches the first while none is chosen.
STOPS = ALL_STOPS.replace(".filter(e =>", ".filter(e => (e.type !== 'radio' || e.id === e.name) &&")


def render_all(folder: Path, lang: str) -> dict[str, str]:
    """Every page of the form in a language, in every state that looks different."""
    languages = load_languages()
    site = make_settings(folder, meeting_service="Zoom", exit="https://weather.example/")
    renderer, language = Renderer(site, site.url, languages), languages[lang]
    pages = {}

    def add(name: str, template: str = "", **values: Any) -> None:
        pages[name] = renderer.render(template or name, language, **{"switch": True} | values)

    for face in FACES.values():
        add(face.name, recipients=RECIPIENTS[:1], **fill_form(face, language, NOON))
        typed = {face.message: ["word " * 4_001], "contact_by": ["?"], "days": ["?"], "contact": ["\u202e<b>"]}
        with pytest.raises(Unfinished) as caught:
            read_submission(face, lang, typed, [("a.pdf", b"")])
        values = fill_form(face, language, NOON, caught.value)
        add(f"{face.name} unfinished", face.name, recipients=RECIPIENTS, **values)
    with pytest.raises(Unfinished) as caught:
        read_submission(REPORT, lang, {})
    add("empty", "report", recipients=RECIPIENTS, **fill_form(REPORT, language, NOON, caught.value))
    for answerable in (True, False):
        add(f"sealed {answerable}", "sealed", face=REPORT, receipt="0123456789012345", answerable=answerable)
    for state in ("", "invalid", "unknown", "stored", "fetched", "acknowledged", "deleted"):
        add(f"receipt {state}".strip(), "receipt", state=state, typed="12345" if state else "")
    for path in sorted(TEMPLATES[1].glob("*.html")):
        if not {path.stem} & {"form", "face", "fields", "again", "sealed", "receipt", *FACES}:
            add(path.stem)
            add(f"{path.stem} posted", path.stem, switch=False)
    return pages


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All pages in the languages that are judged, as files."""
    made = tmp_path_factory.mktemp("form") / "pages"
    made.mkdir()
    for lang in JUDGED:
        for name, text in render_all(made.parent, lang).items():
            (made / f"{name.replace(' ', '-')}.{lang}.html").write_text(text, "utf-8")
    return made


def pages_in(folder: Path, *langs: str) -> Iterator[Path]:
    for lang in langs:
        yield from sorted(folder.glob(f"*.{lang}.html"))


def test_every_page_is_valid(folder: Path) -> None:
    assert len(list(pages_in(folder, *JUDGED))) > 60
    # Where a translation is still missing, its page is in English.
    assert [each for each in faults_of_pages(folder) if "appears to be written in English" not in each] == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page_is_light_and_says_nothing_to_whoever_looks_at_tabs(lang: str, tmp_path: Path) -> None:
    pages = render_all(tmp_path, lang)
    for name, text in pages.items():
        tree = html.document_fromstring(text)
        [title] = tree.xpath("//title/text()")
        word = load_languages().texts(lang).gettext("Form")
        assert word in title, name
        assert "Human" not in title, name
        assert tree.xpath("//link/@href") == ["data:,"], name
        assert not tree.xpath("//script | //img | //iframe | //*[@style] | //*[@maxlength] | //*[@required]"), name
        assert tree.xpath("//body//a/@href")[1] == "https://weather.example/", f"{name}: the way out comes first"
        for form in tree.xpath("//form"):
            assert form.get("autocomplete") == "off", name
            assert form.get("action").startswith("http://127.0.0.1:8025/mail/form"), name
            assert f"lang={lang}" in form.get("action"), name
        for field in tree.xpath("//input[not(@type='hidden')] | //select | //textarea"):
            assert len(tree.xpath(f"//label[@for='{field.get('id')}']")) == 1, name
            for part in (field.get("aria-describedby") or "").split():
                assert tree.xpath(f"//*[@id='{part}']"), (name, part)
        for box in tree.xpath("//textarea | //input[@type='text'][@id!='receipt']"):
            assert box.get("dir") == "auto", name
    for face in FACES.values():
        size = len(gzip.compress(pages[face.name].encode(), 6))
        assert size <= HEAVIEST, (face.name, size)


def test_the_page_says_what_is_promised_and_where_it_ends(tmp_path: Path) -> None:
    pages = render_all(tmp_path, "en")
    for face in FACES:
        text = " ".join(html.document_fromstring(pages[face]).text_content().split())
        for words in (
            "before anything is written to a disk",
            "The keys that open it are never on the server",
            "how many messages came on which day, which of four sizes each has, and whether an expert has fetched it",
            "Whoever controls the running server can read what arrives from then on.",
            "after 30 days at the latest",
            RECIPIENTS[0],
        ):
            assert words in text, (face, words)
    assert "Do not send documents" in pages["report"]
    assert "Zoom" in pages["meeting"]
    assert "Zoom" not in pages["report"] + pages["translation"]


def test_the_page_offers_what_is_taken_and_nothing_else(folder: Path) -> None:
    for face in FACES.values():
        tree = html.document_fromstring((folder / f"{face.name}.en.html").read_text("utf-8"))
        names = tree.xpath("//form//*[@name]/@name")
        assert list(dict.fromkeys(name for name in names if name != "files")) == [field.name for field in face.fields]
        assert ("files" in names) is face.files
        for field in face.fields:
            offered = tree.xpath(
                f"//input[@name='{field.name}'][@type!='text']/@value | //select[@name='{field.name}']//@value"
            )
            assert bool(offered) is (field.choices is not None)
            assert all(value in (field.choices or ()) for value in offered if value)
            if isinstance(field.choices, frozenset):
                assert {value for value in offered if value} == field.choices


def test_the_receipt_reads_the_same_in_every_direction(folder: Path) -> None:
    for lang in JUDGED:
        tree = html.document_fromstring((folder / f"sealed-True.{lang}.html").read_text("utf-8"))
        [digits] = tree.xpath("//bdi")
        assert digits.get("dir") == "ltr"
        assert digits.text == "0123 4567 8901 2345"


def test_without_a_service_none_is_named(tmp_path: Path) -> None:
    languages, site = load_languages(), make_settings(tmp_path)
    renderer = Renderer(site, site.url, languages)
    values = fill_form(MEETING, languages["en"], NOON)
    text = renderer.render("meeting", languages["en"], switch=True, recipients=RECIPIENTS, **values)
    assert "Meetings are held over" not in text
    assert 'name="other_way"' in text


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A window of its own."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


def test_every_page_fits_a_small_screen(page: Page, folder: Path) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    found = []
    for path in (path for path in pages_in(folder, *JUDGED) if path.name.partition(".")[0] in SHAPES):
        page.goto(path.as_uri(), wait_until="domcontentloaded")
        page.evaluate(UNFOLD)
        found += [f"{path.name}: {each}" for each in beyond(page)]
    assert found == []


def test_axe_finds_nothing_wrong(page: Page, folder: Path) -> None:
    bring_axe(page.context)
    found = []
    for stem, lang in (*((stem, "en") for stem in SHAPES), ("report-unfinished", "fa")):
        page.goto((folder / f"{stem}.{lang}.html").as_uri())
        page.evaluate(UNFOLD)
        found += [f"{stem} {lang}: {each}" for each in judge_whole(page)]
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    for stem, lang in (("report-unfinished", "fa"), ("meeting", "zh-Hans"), ("sealed-True", "fa")):
        page.goto((folder / f"{stem}.{lang}.html").as_uri())
        found += [f"{stem} {lang}, dark: {each}" for each in judge_appearance(page)]
    assert found == []


@pytest.mark.parametrize(
    ("name", "lang", "viewport"), [("report", "fa", PHONE), ("meeting", "en", DESKTOP)], ids=["phone", "desktop"]
)
def test_tab_reaches_everything_in_reading_order(
    page: Page, folder: Path, name: str, lang: str, viewport: tuple[int, int]
) -> None:
    page.set_viewport_size({"width": viewport[0], "height": viewport[1]})
    page.goto((folder / f"{name}.{lang}.html").as_uri())
    stops = walk(page)
    assert [stop["name"] for stop in stops] == page.evaluate(STOPS)
    assert [stop["name"] for stop in stops if stop["ring"] < 2] == []
    assert [stop["name"] for stop in stops if not stop["inView"] or not stop["uncovered"]] == []


def test_what_is_wrong_is_what_one_comes_to_first(page: Page, folder: Path) -> None:
    page.goto((folder / "empty.fa.html").as_uri())
    assert page.evaluate("document.activeElement.id") == "faults"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert re.search("#message$", page.url)
    assert page.evaluate("document.activeElement.id") == "message", "the link leads to the field"
