"""Letters as mail programs read them, and as people see them."""

from __future__ import annotations

import email
import re
import time
from dataclasses import replace
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8, default

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from playwright.sync_api import Browser

from mailroom.errors import InvalidLetter
from mailroom.languages import load_languages
from mailroom.letters.composition import CampaignContent, Composer, DigestPost, Links, Template
from mailroom.letters.encoding import Base64, QuotedPrintable, encode, gap
from mailroom.letters.headers import field, sender_field, text_field, wire_address
from mailroom.settings import Settings
from tests.theme.axe import bring_axe, judge_whole

INSTANT = 1_795_000_000
TOKEN = "A_-z" * 13
SETTINGS = Settings(
    url="https://blog.test/mail/",
    sender="letters@blog.test",
    name="The Human Rights",
    names={"fa": "حقوق بشر"},
    mirrors=("https://mirror.test/", "http://abcdefghijklmnop.onion/"),
    reply_to="desk@blog.test",
)
LINKS = Links(
    unsubscribe=f"https://blog.test/mail/unsubscribe/{TOKEN}",
    settings=f"https://blog.test/mail/settings/{TOKEN}",
    leave="leave+abc@bounces.test",
    action=f"https://blog.test/mail/confirm/{TOKEN}",
)
LANGUAGES = load_languages()
COMPOSER = Composer(SETTINGS, LANGUAGES)
SAID = {
    "en": ("What an expert report is", "Which duties a country expert has.", "A country expert explains a place."),
    "fa": ("گزارش کارشناسی چیست", "کارشناس امور کشورها چه وظایفی دارد.", "کارشناس دربارهٔ یک کشور توضیح می‌دهد."),
    "zh-Hans": ("国别专家报告是什么", "国别专家负有哪些义务。", "国别专家向必须作出决定的人说明一个地方。"),
}


#: Wider than a telephone, if nothing breaks it.
ADDRESS = "https://example.org/legal-content/the-common-guidelines-for-processing-information-on-countries-of-origin"


def campaign(lang: str = "en", kind: str = "post", length: int = 1) -> CampaignContent:
    title, summary, sentence = SAID.get(lang, SAID["en"])
    body = (
        f"<p>{sentence} <a href='https://example.org/?a=1&amp;b=2'>{sentence}</a></p><h2>{sentence}</h2>"
        f"<ul><li>{sentence}</li></ul><blockquote><p lang='ar' dir='rtl'>إعلان</p></blockquote>"
        f"<table><tr><th scope='col'>{sentence}</th></tr><tr><td>1</td></tr></table>"
        f"<p><a href='{ADDRESS}'>{ADDRESS}</a></p>"
    )
    return CampaignContent(
        key=f"{lang}-0123456789abcdef",
        kind=kind,
        lang=lang,
        subject=title,
        preheader=summary,
        title=title,
        summary=summary,
        url=f"https://blog.test/{lang}/what-a-report-is/",
        html=f"<!doctype html><html><head><title>x</title></head><body>{body * length}</body></html>",
        text=f"{sentence}\n\n{sentence}\n" * length,
    )


POSTS = tuple(DigestPost(lang, *SAID[lang][:2], f"https://blog.test/{lang}/what-a-report-is/") for lang in SAID)


def templates(lang: str = "en") -> dict[str, Template]:
    return {
        "post": COMPOSER.campaign(campaign(lang), lang, discreet=False),
        "correction": COMPOSER.campaign(campaign(lang, "correction"), lang, discreet=False),
        "discreet": COMPOSER.campaign(campaign(lang), lang, discreet=True),
        "digest": COMPOSER.digest(POSTS, lang, discreet=False),
        "confirmation": COMPOSER.confirmation(lang),
        "settings": COMPOSER.settings(lang, discreet=True),
    }


def personalise(template: Template, to: str = "reader@mail.test", links: Links = LINKS) -> bytes:
    return template.personalise(to=to, message_id="<abc@blog.test>", instant=INSTANT, links=links)


def read(letter: bytes) -> EmailMessage:
    message = email.message_from_bytes(letter, policy=SMTPUTF8 if not letter.isascii() else SMTP)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def part(letter: bytes, kind: str) -> str:
    found = read(letter).get_body((kind,))
    assert isinstance(found, EmailMessage)
    assert not found.defects
    return found.get_content().replace("\r\n", "\n")  # type: ignore[no-any-return]


KINDS = tuple(templates())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_letter_keeps_to_the_standards(lang: str) -> None:
    for kind, template in templates(lang).items():
        letter = personalise(template)
        assert letter.isascii()
        assert re.search(rb"(?<!\r)\n|\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", letter) is None
        head, _, body = letter.partition(b"\r\n\r\n")
        assert max(map(len, body.split(b"\r\n"))) <= 76
        assert max(map(len, head.split(b"\r\n"))) <= 160  # a link cannot be folded
        message = read(letter)
        assert message.get_content_type() == "multipart/alternative"
        assert [one.get_content_type() for one in message.iter_parts()] == ["text/plain", "text/html"]
        for one in message.iter_parts():
            assert one.get_content_charset() == "utf-8"
        for name in ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Language", "Reply-To"):
            assert len(message.get_all(name, [])) == 1, (kind, name)
        assert message["Message-ID"] == "<abc@blog.test>"
        assert message["Date"].datetime.timestamp() == INSTANT
        assert message["Date"].endswith("+0000")
        assert message["To"] == "reader@mail.test"
        assert message["Content-Language"] == lang


@pytest.mark.parametrize("kind", KINDS)
def test_how_to_leave_is_in_the_header_and_in_both_parts(kind: str) -> None:
    letter = personalise(templates("en")[kind])
    message = read(letter)
    if kind in ("confirmation", "settings"):
        assert message["Auto-Submitted"] == "auto-generated"
        assert not any(name.startswith("List-") for name in message)
        links, others = [LINKS.action], [LINKS.unsubscribe, LINKS.settings, LINKS.leave]
    else:
        assert message["List-Id"] == "<en.letters.blog.test>"
        assert message["List-Unsubscribe"] == f"<{LINKS.unsubscribe}>, <mailto:{LINKS.leave}>"
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert message["List-Post"] == "NO"
        assert message["Auto-Submitted"] is None
        links, others = [LINKS.unsubscribe, LINKS.settings], [LINKS.action]
    for subtype in ("plain", "html"):
        text = part(letter, subtype)
        assert all(link in text for link in links)
        assert not any(link in text for link in others)
        assert "\x01" not in text


@pytest.mark.parametrize("kind", KINDS)
def test_every_letter_names_where_the_site_can_be_read(kind: str) -> None:
    letter = personalise(templates("fa")[kind])
    for each in ("plain", "html"):
        for site in ("https://blog.test/", *SETTINGS.mirrors):
            assert re.search(rf"{re.escape(site)}(?![\w/])", part(letter, each)), (each, site)


def test_a_list_without_a_mailbox_offers_no_mail() -> None:
    letter = personalise(templates()["post"], links=replace(LINKS, leave=""))
    assert read(letter)["List-Unsubscribe"] == f"<{LINKS.unsubscribe}>"


def test_both_parts_say_the_whole() -> None:
    letter = personalise(COMPOSER.campaign(campaign("fa", "correction"), "fa", discreet=False))
    title, summary, sentence = SAID["fa"]
    tree = html.document_fromstring(part(letter, "html"))
    for text in (part(letter, "plain"), tree.text_content()):
        for said in (
            title,
            summary,
            sentence,
            "https://mirror.test/",
            "http://abcdefghijklmnop.onion/",
            "https://blog.test/",
        ):
            assert said in text, said
        assert LANGUAGES.texts("fa").gettext("Correction") in text
    assert "https://blog.test/fa/what-a-report-is/" in part(letter, "plain")
    assert 'href="https://blog.test/fa/what-a-report-is/"' in part(letter, "html")
    assert [heading.tag for heading in tree.iter("h1", "h2")] == ["h1", "h2"]


def test_a_campaign_with_a_title_of_its_own_gets_no_second_one() -> None:
    own = campaign()
    own = replace(own, html=f"<h1>{own.title}</h1><p>x</p>", text=f"{own.title}\n\nx")
    letter = personalise(COMPOSER.campaign(own, "en", discreet=False))
    assert part(letter, "html").count("<h1") == 1
    assert part(letter, "plain").count(own.title) == 1


def test_what_is_not_allowed_never_goes_out() -> None:
    bad = replace(
        campaign(), html="<p>a</p></td></table><img src=https://example.org/pixel><script>x</script><p class=b>c"
    )
    text = part(personalise(COMPOSER.campaign(bad, "en", discreet=False)), "html")
    assert "pixel" not in text
    assert "<script" not in text
    shell = part(personalise(templates()["post"]), "html")
    assert text.count("</table>") == shell.count("</table>") - 1  # the article's own


@pytest.mark.parametrize("lang", LANGUAGES)
def test_letters_load_nothing_and_count_nothing(lang: str) -> None:
    for template in templates(lang).values():
        text = part(personalise(template), "html")
        assert not re.search(
            r"<(img|link|script|iframe|form|object|svg|base)\b|\ssrc=|url\(|@import|@font-face|background=", text
        )


def test_language_and_direction_stand_on_every_layer() -> None:
    tree = html.document_fromstring(part(personalise(templates("fa")["post"]), "html"))
    layers = [
        tree,
        tree.find("body"),
        *tree.iterfind(".//div[@role='article']"),
        *tree.xpath("//td[@class='edge'][@lang]"),
    ]
    assert len(layers) >= 5
    assert {(layer.get("lang"), layer.get("dir")) for layer in layers} == {("fa", "rtl")}
    assert {cell.get("align") for cell in tree.xpath("//td[@class='edge'][@lang]")} == {"right"}
    for table in tree.iter("table"):
        assert (table.get("role") == "presentation") == (table.find(".//th") is None or table.get("width") == "100%")


def test_the_footer_is_in_the_readers_language() -> None:
    letter = personalise(COMPOSER.campaign(campaign("en"), "fa", discreet=False))
    tree = html.document_fromstring(part(letter, "html"))
    (link,) = tree.xpath(f"//a[@href='{LINKS.unsubscribe}']")
    assert link.text == LANGUAGES.texts("fa").gettext("Unsubscribe")
    assert [link.xpath("ancestor::*[@lang]")[-1].get(name) for name in ("lang", "dir")] == ["fa", "rtl"]
    assert (tree.get("lang"), read(letter)["List-Id"]) == ("en", "<en.letters.blog.test>")


def test_a_digest_sets_each_post_in_its_language() -> None:
    letter = personalise(COMPOSER.digest(POSTS, "en", discreet=False))
    tree = html.document_fromstring(part(letter, "html"))
    for post in POSTS:
        (link,) = tree.xpath(f"//h2/a[@href='{post.url}']")
        around = link.xpath("ancestor::*[@lang]")[-1]
        assert (link.text, around.get("lang"), around.get("dir")) == (
            post.title,
            post.lang,
            LANGUAGES[post.lang].direction,
        )
        assert f"{post.title}\n{post.summary}\n{post.url}\n" in part(letter, "plain")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_discreet_letters_say_nothing_unopened(lang: str) -> None:
    own = campaign("en")
    made = {
        "campaign": COMPOSER.campaign(own, lang, discreet=True),
        "digest": COMPOSER.digest(POSTS, lang, discreet=True),
        "settings": COMPOSER.settings(lang, discreet=True),
        "confirmation": COMPOSER.confirmation(lang),
    }
    for kind, template in made.items():
        letter = personalise(template)
        message = read(letter)
        seen = f"{message['From'].addresses[0].display_name} {message['Subject']}"
        assert message["From"].addresses[0].display_name == LANGUAGES.texts(lang).gettext("Letters")
        if kind in ("settings", "confirmation"):  # whose HTML says less still
            beginning = part(letter, "plain").encode()[:90].decode(errors="ignore")
            seen += f" {beginning}"
        else:
            tree = html.document_fromstring(part(letter, "html"))
            hidden = "".join(tree.xpath("//body/div[1]//text()"))
            shown = part(letter, "plain").partition("\n\n")[0]
            assert shown in hidden
            assert len(shown.encode()) > 90, "it must fill what a telephone shows of a letter"
            seen += f"{hidden} {shown} {tree.findtext('head/title')}"
        for word in ("Human", "Rights", SETTINGS.name_in(lang), own.title, own.summary, "blog", "asyl", "refug"):
            assert word.lower() not in seen.lower(), (kind, word)


def test_the_name_of_discreet_letters_is_in_their_language_unless_it_is_set() -> None:
    named = Composer(replace(SETTINGS, discreet_name="Ann"), LANGUAGES)
    for composer, names in ((COMPOSER, {"en": "Letters", "fa": "نامه‌ها"}), (named, {"en": "Ann", "fa": "Ann"})):
        for lang, name in names.items():
            for template in (composer.confirmation(lang), composer.campaign(campaign("ru"), lang, discreet=True)):
                assert read(personalise(template))["From"].addresses[0].display_name == name


def test_confirmation_is_the_same_whoever_asks() -> None:
    first, second = (personalise(COMPOSER.confirmation("en"), to) for to in ("a@mail.test", "b@mail.test"))
    assert first.replace(b"a@mail.test", b"b@mail.test") == second
    assert "a@mail.test" not in part(first, "html") + part(first, "plain")


def test_the_same_input_gives_the_same_bytes() -> None:
    other = Composer(SETTINGS, load_languages())
    for lang in ("en", "fa"):
        own = campaign(lang)
        made = [each.campaign(own, lang, discreet=False) for each in (COMPOSER, other)]
        assert personalise(made[0]) == personalise(made[1])
        later = made[0].personalise(
            to="reader@mail.test", message_id="abc@blog.test", instant=INSTANT + 60, links=LINKS
        )
        assert later.replace(b"11:07:40", b"11:06:40") == personalise(made[1])
    assert COMPOSER.confirmation("en") is COMPOSER.confirmation("en-GB")


def test_mixed_directions_are_isolated() -> None:
    letter = personalise(Composer(replace(SETTINGS, names={}), LANGUAGES).confirmation("fa"))
    assert "\u2068The Human Rights\u2069" in part(letter, "plain")
    assert "<bdi>The Human Rights</bdi>" in part(letter, "html")
    assert "\u2068" not in part(personalise(COMPOSER.confirmation("en")), "plain")


@pytest.mark.parametrize(
    ("to", "written"),
    [
        ("reader@mail.test", "reader@mail.test"),
        ("o'neil+a_b=c@mail.test", "o'neil+a_b=c@mail.test"),
        ("reader@пример.test", "reader@xn--e1afmkfd.test"),
        ("читатель@пример.test", "читатель@xn--e1afmkfd.test"),
        ("用户@mail.test", "用户@mail.test"),
    ],
)
def test_internationalised_addresses(to: str, written: str) -> None:
    letter = personalise(templates()["post"], to)
    assert f"\r\nTo: {written}\r\n".encode() in letter
    assert letter.isascii() == written.isascii()
    message = email.message_from_string(letter.decode(), policy=default)
    assert f"{message['To'].addresses[0].username}@{message['To'].addresses[0].domain}" == written


BREAKING = st.sampled_from("\r\n\x00\x0b\x0c\x1f\x7f\x85\u2028\u2029")


@given(st.text(max_size=10), BREAKING, st.text(max_size=10))
def test_nothing_can_begin_a_field_of_its_own(before: str, breaking: str, after: str) -> None:
    value = f"{before}{breaking}{after}"
    secret = "5up3r53cr3t"
    for name, make in (
        ("Subject", lambda text: text_field("Subject", text)),
        ("Reply-To", lambda text: field("Reply-To", text)),
        ("From", lambda text: sender_field(text, "letters@blog.test")),
        ("To", lambda text: wire_address(text, "To")),
    ):
        with pytest.raises(InvalidLetter, match=name) as caught:
            make(value + secret)
        assert secret not in str(caught.value)


@pytest.mark.parametrize(
    "injected", ["a@mail.test\r\nBcc: b@mail.test", "a@mail.test, b@mail.test", "a@mail.test\x00", "a", "<a@b>"]
)
def test_addressees_message_ids_and_links_cannot_inject(injected: str) -> None:
    template = templates()["post"]
    with pytest.raises(InvalidLetter, match="To"):
        personalise(template, injected)
    with pytest.raises(InvalidLetter, match="List-Unsubscribe"):
        personalise(template, links=replace(LINKS, leave=injected))
    with pytest.raises(InvalidLetter, match="Message-ID"):
        template.personalise(to="a@mail.test", message_id="<a>\r\nBcc: b", instant=INSTANT, links=LINKS)
    for link in (
        "https://blog.test/ a",
        "https://blog.test/>",
        'https://blog.test/"',
        "https://blog.test/\r\nX: y",
        "",
    ):
        with pytest.raises(InvalidLetter, match="'unsubscribe'"):
            personalise(template, links=replace(LINKS, unsubscribe=link))
    with pytest.raises(InvalidLetter, match="'settings' is missing"):
        personalise(template, links=replace(LINKS, settings=""))


def test_campaigns_cannot_inject() -> None:
    for name in ("subject", "reply_to"):
        with pytest.raises(InvalidLetter, match=r"Subject|Reply-To"):
            COMPOSER.campaign(replace(campaign(), **{name: "a@mail.test\r\nBcc: b@mail.test"}), "en", discreet=False)
    for url in ("javascript:alert(1)", "/en/", "https://blog.test/ x", ""):
        with pytest.raises(InvalidLetter, match="address of a post"):
            COMPOSER.campaign(replace(campaign(), url=url), "en", discreet=False)
        with pytest.raises(InvalidLetter, match="address of a post"):
            COMPOSER.digest([replace(POSTS[0], url=url)], "en", discreet=False)
    forged = replace(campaign(), text=gap("settings"), title=gap("unsubscribe"), html=f"<p>{gap('action')}</p>")
    letter = personalise(COMPOSER.campaign(forged, "en", discreet=False), links=replace(LINKS, action=""))
    assert part(letter, "plain").count(LINKS.settings) == 1
    assert part(letter, "html").count(LINKS.unsubscribe) == 1


def test_links_are_not_printed() -> None:
    assert TOKEN not in repr(LINKS)


@given(st.text(st.characters(exclude_characters="\r\n\x85\u2028\u2029", exclude_categories=("Cs", "Cc")), max_size=200))
def test_subjects_and_senders_are_read_back(text: str) -> None:
    line = text_field("Subject", text)
    assert line.isascii()
    assert all(len(each) <= 76 for each in line.split(b"\r\n"))
    read_back = email.message_from_bytes(line + b"\r\n", policy=default)["Subject"]
    assert squeezed(read_back) == squeezed(text)
    sender = email.message_from_bytes(sender_field(text, "letters@blog.test") + b"\r\n", policy=default)["From"]
    assert sender.addresses[0].addr_spec == "letters@blog.test"


def squeezed(text: str) -> str:
    return re.sub("[ \t]+", " ", text).strip(" ")


texts = st.text(st.sampled_from("ab =.é\n\tسل用"), max_size=90)


@given(st.lists(texts, min_size=1, max_size=5), st.lists(st.binary(max_size=90), min_size=4, max_size=4))
def test_both_encodings_give_back_what_they_were_given(pieces: list[str], values: list[bytes]) -> None:
    names = "abcd"[: len(pieces) - 1]
    filled = {name: value.hex().encode() for name, value in zip("abcd", values, strict=True)}
    mixed = [each for pair in zip(pieces, [*names, ""], strict=True) for each in pair][:-1]
    expected = "".join(
        text + (filled[name].decode() if name else "") for text, name in zip(pieces, [*names, ""], strict=True)
    )
    for way in (QuotedPrintable(mixed), Base64(mixed)):
        for _ in range(2):  # the second time from what it has kept
            encoded = b"".join(way.fill(filled))
            assert encoded.isascii()
            assert all(len(line) <= 76 for line in encoded.split(b"\r\n"))
            head = f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {way.transfer}\r\n\r\n"
            message = email.message_from_bytes(head.encode() + encoded, policy=SMTP)
            decoded = message.get_payload(decode=True)
            assert isinstance(decoded, bytes)
            assert decoded.decode().replace("\r\n", "\n") == expected


def test_the_shorter_encoding_is_chosen() -> None:
    assert encode("An English text – with a dash. " * 20).transfer == "quoted-printable"
    assert encode("متن فارسی " * 20 + gap("a")).transfer == "base64"


def test_letters_that_gmail_would_cut_are_known() -> None:
    assert not templates()["post"].is_clipped
    assert COMPOSER.campaign(campaign("fa", length=300), "fa", discreet=False).is_clipped


@pytest.mark.alone
@pytest.mark.parametrize("lang", ["en", "fa"])
def test_composing_is_fast(lang: str) -> None:
    """0.3 ms for a letter of 40 KB, unsigned; the best of several rounds, since the machine may be busy."""
    template = COMPOSER.campaign(campaign(lang, length=35), lang, discreet=False)
    assert len(personalise(template)) > 40_000
    rounds = []
    for _ in range(5):
        start = time.perf_counter()
        for number in range(100):
            template.personalise(
                to="reader@mail.test", message_id="<a@blog.test>", instant=INSTANT + number, links=LINKS
            )
        rounds.append((time.perf_counter() - start) / 100)
    assert min(rounds) < 0.0003


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_letters_fit_a_telephone(browser: Browser, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)  # type: ignore[arg-type]
    bring_axe(context)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    found = []
    for lang in ("en", "fa", "zh-Hans"):
        for kind, template in templates(lang).items():
            page.set_content(part(personalise(template), "html"))
            # A letter is shown inside a mail program's page, whose landmarks are its own.
            found += [f"{kind} ({lang}): {each}" for each in judge_whole(page) if not re.match("region|landmark", each)]
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, (kind, lang)
            sizes = page.evaluate(
                "[...document.querySelectorAll('td, p, a, li, h1, h2')].filter(e => e.innerText.trim())"
                ".map(e => parseFloat(getComputedStyle(e).fontSize))"
            )
            assert min(sizes) >= 16, (kind, lang)
    context.close()
    assert not found, "\n".join(found)
    assert not asked
