"""What readers see: shown where it is set, hidden where it is not, the same on every page."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from lxml.html import HtmlElement

from tests.contact.conftest import AGE, EVERYTHING, LANGUAGES, TEMPLATES, make_site
from tests.multilingual.foreign import make_foreign_site, tree
from tests.multilingual.sites import Site, texts
from tests.theme.support import java_path, node_tool

#: By setting: where it shows, and by what it is recognised there.
SHOWN = {
    "CONTACT_EMAIL": ("contact", "office@practice.org"),
    "CONTACT_PHONE": ("contact", "+44 20 7946 0101"),
    "CONTACT_WHATSAPP": ("contact", "+1 202 555 0102"),
    "CONTACT_SIGNAL": ("contact", "office.27"),
    "CONTACT_INTAKE": ("apply", "Open the form"),
    "CONTACT_AGE_RECIPIENTS": ("apply", AGE),
    "CONTACT_REPLY_MINUTES": ("contact", "We answer within one hour."),
    "CONTACT_FORM_ACTION": ("contact", "Write to us here"),
    "SAMPLE_REPORT": ("apply", "Download the sample report"),
    "EXPERT_CV": ("apply", "Download the expert’s CV"),
    "MEETING_SERVICE": ("meeting", "Zoom"),
    "FOLLOW_YOUTUBE": ("follow", "@A_Channel"),
    "FOLLOW_LINKEDIN_NAME": ("follow", "A Practice"),
}
FIELDS = ["message", "reply_by", "reply_to", "name", "country", "language", "page_lang"]
#: What a history of visited pages is not to name.
SENSITIVE = {
    "en": "asylum, refug, persecut, human rights, expert, report, witness, flee",
    "ru": "убежищ, бежен, преследов, права человека, прав человека, эксперт, заключен",
    "uk": "притул, біжен, переслід, права людини, прав людини, експерт, висновк",
    "es": "asilo, refugi, persecu, derechos humanos, perit, expert, informe",
    "fr": "asile, réfugi, persécu, droits humains, droits de l’homme, expert, rapport",
    "ar": "لجوء, لاجئ, اضطهاد, حقوق الإنسان, خبير, تقرير",
    "fa": "پناهندگی, پناهنده, پناهجو, آزار, حقوق بشر, کارشناس, گزارش",
    "zh-Hans": "庇护, 难民, 迫害, 人权, 专家, 报告",
}


def text_of(site: Site, page: str, lang: str = "en") -> str:
    main = site.html(f"{lang}/{page}/").find(".//main")
    assert main is not None
    return " ".join(str(main.text_content()).split())


def links(document: HtmlElement) -> list[HtmlElement]:
    return [a for a in document.iter("a") if a.get("href", "").startswith("http")]


def test_nothing_set_shows_nothing_and_every_page_stands(site: Site) -> None:
    result = site.build_whole()
    assert not result.errors
    for page in TEMPLATES:
        said = text_of(site, page)
        assert "Text." in said
        for where, sign in SHOWN.values():
            assert sign not in said, (page, where)
    contact = site.html("en/contact/")
    assert not contact.xpath("//dl | //form")
    assert links(contact) == []


def test_the_theme_stands_without_the_plugin(full_site: Site) -> None:
    full_site.build_whole()  # its receivers are connected from here on
    full_site.settings(PLUGINS=["multilingual"])
    full_site.build_whole()
    for page in TEMPLATES:
        said = text_of(full_site, page)
        assert "Text." in said
        assert not [sign for _, sign in SHOWN.values() if sign in said]


def test_a_site_may_begin_to_use_the_plugin(full_site: Site, tmp_path: Path) -> None:
    for plugins in (["multilingual"], ["multilingual", "contact"]):
        full_site.settings(PLUGINS=plugins)
        full_site.build_whole(template_cache=tmp_path / "compiled")  # as ./blog serve does
    assert "1.2\N{NO-BREAK SPACE}MB" in text_of(full_site, "services").replace(" ", "\N{NO-BREAK SPACE}")


def test_everything_set_shows_everything(full_site: Site) -> None:
    full_site.build_whole()
    for page, sign in SHOWN.values():
        assert sign in text_of(full_site, page), sign


@pytest.mark.parametrize("name", SHOWN)
def test_one_thing_unset_hides_that_alone(full_site: Site, name: str) -> None:
    further = {"FOLLOW_LINKEDIN_URL": None} if name == "FOLLOW_LINKEDIN_NAME" else {}
    full_site.settings(**{name: None, **further})
    full_site.build_whole()
    for other, (page, sign) in SHOWN.items():
        assert (sign in text_of(full_site, page)) is (other != name), other


def test_channels_stand_in_one_order_on_every_page(full_site: Site) -> None:
    full_site.build_whole()
    for lang in LANGUAGES:
        for page in ("contact", "apply", "meeting"):
            ways = full_site.html(f"{lang}/{page}/").xpath("//section[@aria-labelledby='channels']//dt//bdi")
            assert [way.text for way in ways] == [
                "office.27",
                "office@practice.org",
                "+44 20 7946 0101",
                "+1 202 555 0102",
            ]
            assert {way.get("dir") for way in ways} == {"ltr"}


def test_every_channel_says_what_it_reveals(full_site: Site) -> None:
    full_site.build_whole()
    entries = full_site.html("en/contact/").xpath("//section[@aria-labelledby='channels']/dl/div")
    assert len(entries) == 5
    for entry, word in zip(
        entries, ("sealed before it is stored", "Signal knows", "mail provider", "operator", "Meta"), strict=True
    ):
        assert word in str(entry.findtext("dd"))


def test_the_sealed_form_opens_in_the_language_of_the_page(full_site: Site) -> None:
    full_site.build_whole()
    for lang in LANGUAGES:
        for page, path in (("apply", "/mail/form"), ("meeting", "/mail/form/meeting")):
            sealed = full_site.html(f"{lang}/{page}/").xpath("//section[@aria-labelledby='sealed']")[0]
            assert sealed.xpath(".//a/@href") == [f"{path}?lang={lang}"]
            assert [code.text for code in sealed.iter("code")] == [AGE]
            assert full_site.html(f"{lang}/{page}/").xpath("//main//a[@href='#sealed']")


def test_check_knows_that_the_form_is_served_beside_the_site(site: Site) -> None:
    links = "[the form](/mail/form/meeting?lang=en), [another](/mail/former), [mail](/mail/)"
    site.page("en", "apply", links, Template="apply")
    site.settings(CONTACT_INTAKE="/mail/form")
    dead = [text.partition("leads")[0] for text in texts(site.check()) if "leads to nothing" in text]
    assert dead == ["/en/apply/: the link to /mail/ ", "/en/apply/: the link to /mail/former "]


def test_a_copy_says_where_the_form_is(full_site: Site) -> None:
    full_site.settings(CONTACT_INTAKE="elsewhere", SITEURL="https://site.example")
    full_site.build_whole()
    page = full_site.html("en/apply/")
    assert page.xpath("//section[@aria-labelledby='sealed']//a/@href") == ["https://site.example/en/apply/"]
    assert not page.xpath("//a[contains(@href, '/mail/')]")
    assert "The sealed form on the original site" in text_of(full_site, "contact")


def test_without_a_form_the_page_says_how_to_seal_a_letter(full_site: Site) -> None:
    full_site.settings(CONTACT_INTAKE=None)
    full_site.build_whole()
    sealed = full_site.html("en/apply/").xpath("//section[@aria-labelledby='sealed']")[0]
    assert AGE in sealed.text_content()
    assert "age -r" in sealed.text_content()
    assert sealed.xpath(".//a/@href") == ["mailto:office@practice.org"]


def test_a_translator_is_led_to_a_face_of_the_form(full_site: Site) -> None:
    full_site.page("en", "help-translate", Template="help_translate")
    full_site.build_whole()
    sealed = "//section[@aria-labelledby='sealed']"
    assert full_site.html("en/help-translate/").xpath(f"{sealed}//a/@href") == ["/mail/form/translation?lang=en"]
    full_site.settings(CONTACT_INTAKE=None)
    full_site.build_whole()
    assert not full_site.html("en/help-translate/").xpath(sealed)


def test_links_outwards_take_nothing_along(full_site: Site) -> None:
    full_site.build_whole()
    seen = set()
    for lang in LANGUAGES:
        for page in TEMPLATES:
            for link in links(full_site.html(f"{lang}/{page}/").xpath("//main")[0]):
                assert link.get("rel") == "noreferrer noopener", (page, link.get("href"))
                assert link.get("target") is None
                seen.add(link.get("href"))
    assert seen == {
        "https://wa.me/12025550102",
        "https://www.youtube.com/@A_Channel",
        "https://www.linkedin.com/company/a-practice/",
    }


def test_a_name_without_an_address_is_text(full_site: Site) -> None:
    full_site.settings(FOLLOW_LINKEDIN_URL=None)
    full_site.build_whole()
    assert "A Practice" in text_of(full_site, "follow")
    assert not [a for a in links(full_site.html("en/follow/")) if "linkedin" in a.get("href", "")]


def test_the_promise_of_an_answer_is_said_in_each_language(full_site: Site) -> None:
    full_site.settings(CONTACT_REPLY_MINUTES=90)
    full_site.build_whole()
    expected = {"en": "90 minutes", "ru": "90 минут", "fa": "۹۰ دقیقه", "zh-Hans": "90分钟"}
    for lang, duration in expected.items():
        assert duration in text_of(full_site, "contact", lang)


def test_downloads_say_what_they_are_and_lead_to_the_file(full_site: Site) -> None:
    full_site.build_whole()
    said = text_of(full_site, "apply")
    assert "Download the sample report (PDF, 1.2 MB)" in said
    assert "Download the expert’s CV (PDF, 4 kB)" in said
    assert "مگابایت" in text_of(full_site, "apply", "fa") or "۱٫۲ MB" in text_of(full_site, "apply", "fa")
    (link,) = full_site.html("en/apply/").xpath("//a[@download][contains(@href, 'sample')]")
    assert link.get("href") == "../../files/sample-report.pdf"
    assert full_site.has("files/sample-report.pdf")


def test_what_is_no_file_is_had_by_request(site: Site) -> None:
    site.settings(CONTACT_EMAIL="office@practice.org")
    site.build_whole()
    here = site.html("en/apply/").xpath("//section[@aria-labelledby='offers']//a[text()='By request']/@href")
    elsewhere = site.html("en/services/").xpath("//section[@aria-labelledby='offers']//a[text()='By request']/@href")
    assert (here, elsewhere) == (["#channels"] * 3, ["../../en/apply/"] * 3)
    for lang in LANGUAGES:
        (site.content / "pages" / lang / "apply.md").unlink()
    site.build_whole()
    mails = site.html("en/services/").xpath("//section[@aria-labelledby='offers']//a[starts-with(@href, 'mailto:')]")
    assert len(mails) == 3


def test_the_form_asks_for_nothing_that_is_not_needed(full_site: Site) -> None:
    full_site.build_whole()
    for lang in LANGUAGES:
        (form,) = full_site.html(f"{lang}/contact/").xpath("//main//form")
        assert (form.get("action"), form.get("method"), form.get("autocomplete")) == (
            EVERYTHING["CONTACT_FORM_ACTION"],
            "post",
            "off",
        )
        assert [field.get("name") for field in form.xpath(".//*[@name]")] == FIELDS
        assert not form.xpath(".//*[@required]")
        for field in form.xpath(".//*[@name][not(@type='hidden')]"):
            assert field.get("autocomplete") == "off"
            assert form.xpath(f".//label[@for='{field.get('id')}']"), field.get("name")
        assert form.xpath(".//select[@name='language']/option[@selected]/@value") == [lang]
        assert form.xpath(".//input[@name='page_lang']/@value") == [lang]


def test_hostile_texts_stay_texts(full_site: Site) -> None:
    full_site.settings(
        MEETING_SERVICE="<b>Z</b>&amp;", FOLLOW_LINKEDIN_NAME='"><script>x</script>', FOLLOW_LINKEDIN_URL=None
    )
    full_site.build_whole()
    assert "<b>Z</b>&amp;" in text_of(full_site, "meeting")
    assert not full_site.html("en/follow/").xpath("//script")


def test_the_line_for_the_foot_leads_to_mail_contact_and_form(full_site: Site) -> None:
    theme = full_site.folder / "overrides"
    theme.mkdir()
    (theme / "privacy.html").write_text('{% include "_contact_line.html" %}', "utf-8")
    full_site.settings(THEME_TEMPLATES_OVERRIDES=[str(theme)])
    full_site.build_whole()
    targets = ["mailto:office@practice.org", "../../fa/contact/", "../../fa/apply/"]
    assert full_site.html("fa/privacy/").xpath("//ul[@class='contact-line']/li/a/@href") == targets


def test_a_page_may_state_the_whole_title_of_its_tab(site: Site) -> None:
    site.page("en", "neutral", Title="Asylum and persecution", Tab_title="Form & more")
    site.page("en", "plain", Title="Plain")
    site.build_whole()
    assert site.html("en/neutral/").findtext(".//title") == "Form & more"
    assert site.html("en/neutral/").findtext(".//h1") == "Asylum and persecution"
    assert site.html("en/plain/").findtext(".//title") == "Plain – The Site"


@pytest.mark.parametrize("key", ["apply", "contact", "meeting"])
def test_the_publication_leaves_nothing_telling_in_a_history(tmp_path: Path, key: str) -> None:
    site = make_site(tmp_path)
    site.settings(SITENAME="The Human Rights")
    ours = Path(__file__).resolve().parents[2] / "content" / "pages"
    found = sorted(path.parent.name for path in ours.glob(f"*/{key}.md"))
    assert found == sorted(LANGUAGES)
    for lang in LANGUAGES:
        (site.content / "pages" / lang / f"{key}.md").unlink()
    for lang in found:
        text = (ours / lang / f"{key}.md").read_text("utf-8").partition("\n\n")[0]
        site.write(f"pages/{lang}/{key}.md", f"{text}\n\nText.\n")
    site.build_whole()
    titles = {page: site.html(page).findtext(".//title") for page in site.pages() if page.endswith(f"/{key}/")}
    assert len(titles) >= len(found)
    for page, title in titles.items():
        if page.startswith("k/"):
            continue
        assert title, page
        words = [word for lang in ("en", page.split("/")[0]) for word in SENSITIVE[lang].split(", ")]
        assert not [word for word in words if word in title.casefold()], (page, title)


def test_the_pages_are_valid(full_site: Site) -> None:
    full_site.build_whole()
    files = [str(full_site.output / lang / page / "index.html") for lang in ("en", "fa") for page in TEMPLATES]
    checker = node_tool("BLOG_TEST_VNU", "vnu-jar/build/dist/vnu.jar")
    run = subprocess.run(
        [java_path(), "-Xss2m", "-jar", str(checker), "--format", "json", "--stdout", *files],
        env=os.environ | {"LC_ALL": "C.UTF-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )
    messages: list[dict[str, Any]] = json.loads(run.stdout)["messages"]
    # The checker knows no origin of a file, and tells that what is not yet translated is in English.
    known = ("Content Security Policy", "appears to be written in")
    assert [m["message"] for m in messages if not any(text in m["message"] for text in known)] == []


# Another site


def test_without_settings_another_site_is_unchanged(tmp_path: Path) -> None:
    outputs = []
    for plugins in ([], ["contact"]):
        site = make_foreign_site(tmp_path / "_".join(["with", *plugins]), PLUGINS=plugins)
        run = site.run_pelican(SOURCE_DATE_EPOCH="1780000000")
        assert run.returncode == 0, run.stderr
        outputs.append(tree(site.output))
    assert outputs[0].keys() == outputs[1].keys()
    assert {name for name in outputs[0] if outputs[0][name] != outputs[1][name]} <= {
        name
        for name in outputs[0]
        if name.endswith(".xml")  # a feed tells the time it was made
    }


def test_another_site_uses_the_record_in_its_own_templates(tmp_path: Path) -> None:
    site = make_foreign_site(tmp_path, PLUGINS=["contact"])
    overrides = site.folder / "overrides"
    overrides.mkdir()
    (overrides / "page.html").write_text(
        "{% for one in contact.channels %}<p>{{ one.kind }} {{ one.text }} {{ one.url }}</p>{% endfor %}"
        "<p>{{ contact.reply_minutes|duration }}, {{ 1234567|filesize }}</p>",
        "utf-8",
    )
    site.settings(
        THEME_TEMPLATES_OVERRIDES=[str(overrides)], CONTACT_EMAIL="nora@kitchen.org", CONTACT_REPLY_MINUTES=120
    )
    run = site.run_pelican()
    assert run.returncode == 0, run.stderr
    said = [" ".join(p.text_content().split()) for p in site.html("pages/about.html").iter("p")]
    assert said == ["email nora@kitchen.org mailto:nora@kitchen.org", "2 hours, 1.2 MB"]


def test_a_mistake_stops_another_site(tmp_path: Path) -> None:
    site = make_foreign_site(tmp_path, PLUGINS=["contact"], CONTACT_EMIAL="nora@kitchen.org")
    run = site.run_pelican()
    assert run.returncode != 0
    assert "CONTACT_EMAIL" in run.stderr + run.stdout
