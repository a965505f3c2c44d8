"""What a reader can do on the public pages, and what they are told."""

from __future__ import annotations

import json
import re
import resource
from dataclasses import replace
from pathlib import Path

import pytest

from mailroom.clock import DAY, HOUR
from mailroom.languages import describe, load_languages
from mailroom.office import Office
from mailroom.people.subscriptions import Preferences
from mailroom.settings import Settings
from mailroom.tokens import Purpose
from mailroom.web import pages
from mailroom.web.app import make_public
from mailroom.web.rendering import write_number
from tests.mailroom.offices import Watch, ask, count, identity_of, make_settings, new_office, subscribe
from tests.mailroom.visitor import Answer, Visitor


@pytest.fixture
def visitor(office: Office) -> Visitor:
    return Visitor(office)


def state(office: Office, address: str) -> str:
    rows = office.database.read("SELECT state FROM subscriptions WHERE id = ?", (identity_of(office, address),))
    return str(rows[0]["state"])


def every_page(visitor: Visitor) -> dict[str, Answer]:
    """Every page there is, by what it is."""
    office = visitor.office
    [identity] = subscribe(office, "everything@example.org")
    ask(office, "new@example.org")
    new = identity_of(office, "new@example.org")
    links = {purpose: visitor.link(purpose, identity) for purpose in Purpose} | {
        Purpose.CONFIRM: visitor.link(Purpose.CONFIRM, new)
    }
    preferences, _, query = links[Purpose.PREFERENCES].partition("?")
    found = {
        "subscribe": visitor.get("subscribe"),
        "invalid": visitor.post("subscribe", {"address": "nobody@", "lang": "en"}),
        "send": visitor.post("subscribe", {"address": "reader@example.org", "lang": "en"}),
        "sent": visitor.sign_up("reader@example.org"),
        "preferences": visitor.get(links[Purpose.PREFERENCES]),
        "saved": visitor.post(links[Purpose.PREFERENCES], {"langs": ["fa", "en"], "rhythm": "each"}),
        "erase": visitor.get(f"{preferences}/erase?{query}"),
        "broken": visitor.get("confirm/no-token"),
        "missing": visitor.get("nothing-here"),
        "refused": visitor.post("subscribe", content_type="text/plain"),
    }
    for purpose in (Purpose.CONFIRM, Purpose.SETTINGS, Purpose.UNSUBSCRIBE):
        name = purpose.name.lower()
        found[name] = visitor.get(links[purpose])
        found[f"{name} done"] = visitor.press(found[name])
    found["expired"] = visitor.get(links[Purpose.PREFERENCES])
    found["erased"] = visitor.press(found["erase"])
    return found


def test_from_the_form_to_the_list(office: Office, visitor: Visitor) -> None:
    form = visitor.get("subscribe?lang=fa")
    assert form.lang == "fa"
    button = visitor.press(form, {"address": " Reader@Example.ORG ", "lang": "fa"})
    assert "Reader@example.org" in button.text
    assert count(office, "requests") == 0, "nothing is kept before the button is pressed"
    sent = visitor.press(button, {"request": button.field})
    assert sent.status == 200
    assert "example.org" not in sent.text.lower()
    assert count(office, "requests") == 1
    office.requests.decide_all()
    assert count(office, "letters", "kind = 'confirmation' AND lang = 'fa'") == 1
    identity = identity_of(office, "reader@example.org")
    page = visitor.get(visitor.link(Purpose.CONFIRM, identity, "fa"))
    assert page.tree.get("dir") == "rtl"
    assert state(office, "reader@example.org") == "unconfirmed", "a program that opens links confirms nothing"
    assert visitor.press(page).status == 200
    assert state(office, "reader@example.org") == "confirmed"
    assert visitor.press(page).status == 200, "twice is once"
    assert office.subscriptions.preferences(identity).langs == ("fa",)


def test_what_was_agreed_to_is_kept_by_a_hash_of_its_text(office: Office, visitor: Visitor) -> None:
    visitor.sign_up("one@example.org", "en")
    visitor.sign_up("two@example.org", "en")
    office.requests.decide_all()
    hashes = {row["consent"] for row in office.database.read("SELECT consent FROM subscriptions")}
    assert len(hashes) == 1
    assert re.fullmatch("[0-9a-f]{16}", hashes.pop())


def test_unsubscribing(office: Office, visitor: Visitor) -> None:
    [identity] = subscribe(office, "reader@example.org")
    page = visitor.get(visitor.link(Purpose.UNSUBSCRIBE, identity))
    assert state(office, "reader@example.org") == "confirmed", "looking changes nothing"
    done = visitor.press(page)
    assert done.status == 200
    assert state(office, "reader@example.org") == "unsubscribed"
    assert count(office, "suppressions") == 1
    assert "subscribe?lang=en" in done.text, "it says how to come back"
    assert count(office, "form_letters") == 1
    assert "the days on which a form had a letter sent" in done.text, "it says all that remains"
    assert visitor.press(page).status == 200, "twice is once"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b"List-Unsubscribe=One-Click"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n'),
        ("text/plain", b"\xff\x00"),
        ("", b""),
        ("nonsense", b"%%%"),
    ],
)
def test_one_click_takes_any_body(office: Office, visitor: Visitor, kind: str, body: bytes) -> None:
    [identity] = subscribe(office, "reader@example.org")
    link = visitor.link(Purpose.UNSUBSCRIBE, identity).partition("?")[0]
    done = visitor.ask("POST", f"/mail/{link}", body, {"Content-Type": kind} if kind else {})
    assert done.status == 200
    assert not done.header("Location")
    assert state(office, "reader@example.org") == "unsubscribed"


def test_unsubscribing_is_never_limited(tmp_path: Path, watch: Watch) -> None:
    with new_office(make_settings(tmp_path, limit_network=0, limit_total=0), watch) as office:
        visitor = Visitor(office)
        assert visitor.sign_up("reader@example.org").status == 429
        ask(office, "reader@example.org")
        identity = identity_of(office, "reader@example.org")
        assert visitor.press(visitor.get(visitor.link(Purpose.CONFIRM, identity))).status == 200
        assert visitor.press(visitor.get(visitor.link(Purpose.UNSUBSCRIBE, identity))).status == 200


def test_the_link_in_every_letter_only_has_another_one_mailed(office: Office, visitor: Visitor) -> None:
    [identity] = subscribe(office, "reader@example.org", lang="fa")
    page = visitor.get(visitor.link(Purpose.SETTINGS, identity, "fa"))
    assert count(office, "requests") == 0
    assert visitor.press(page).status == 200
    office.requests.decide_all()
    assert count(office, "letters", "kind = 'settings' AND lang = 'fa'") == 1


def test_changing_preferences(office: Office, visitor: Visitor) -> None:
    [identity] = subscribe(office, "reader@example.org", lang="ru")
    page = visitor.get(visitor.link(Purpose.PREFERENCES, identity))
    selected = [each.get("value") for each in page.tree.findall(".//option[@selected]")]
    assert selected == ["ru"]
    assert len(page.tree.findall(".//select")) == 3
    saved = visitor.press(page, {"langs": ["fa", "", "en", "fa"], "rhythm": "weekly", "discreet": "yes"})
    assert saved.status == 200
    assert office.subscriptions.preferences(identity) == Preferences(("fa", "en"), "weekly", discreet=True)
    assert [each.get("value") for each in saved.tree.findall(".//option[@selected]")] == ["fa", "en"]
    visitor.press(saved, {"langs": ["en"], "rhythm": "each"})
    assert office.subscriptions.preferences(identity) == Preferences(("en",), "each", discreet=False)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"langs": [""], "rhythm": "each"},
        {"langs": ["tlh"], "rhythm": "each"},
        {"langs": ["en,fa"], "rhythm": "each"},
        {"langs": ["en"], "rhythm": "hourly"},
        {"langs": ["en"]},
    ],
)
def test_preferences_that_no_form_sends(office: Office, visitor: Visitor, fields: dict[str, list[str]]) -> None:
    [identity] = subscribe(office, "reader@example.org")
    assert visitor.post(visitor.link(Purpose.PREFERENCES, identity), fields).status == 400
    assert office.subscriptions.preferences(identity) == Preferences(("en",))


def test_who_has_many_languages_keeps_them(office: Office, visitor: Visitor) -> None:
    [identity] = subscribe(office, "reader@example.org")
    many = ("ar", "fa", "en", "fr", "ru")
    office.subscriptions.change(identity, Preferences(many))
    page = visitor.get(visitor.link(Purpose.PREFERENCES, identity))
    assert len(page.tree.findall(".//select")) == 6
    assert tuple(each.get("value") for each in page.tree.findall(".//option[@selected]")) == many


def test_taking_everything_along(office: Office, visitor: Visitor) -> None:
    [identity] = subscribe(office, "reader@example.org", lang="fa")
    path, _, query = visitor.link(Purpose.PREFERENCES, identity).partition("?")
    answer = visitor.get(f"{path}/export?{query}")
    assert answer.header("Content-Disposition") == 'attachment; filename="letters.json"'
    assert answer.header("Content-Type") == "application/json"
    found = json.loads(answer.body)
    day = "2025-11-08"
    assert found == {
        "address": "reader@example.org",
        "state": "confirmed",
        "languages": ["fa"],
        "rhythm": "each",
        "discreet": False,
        "requested": day,
        "confirmed": day,
        "consent_text": "c0ffee",
        "letters_of_30_days": [
            {"kind": "confirmation", "campaign": None, "lang": "fa", "state": "pending", "reply": "", "day": day}
        ],
        "articles_sent": [],
        "letters_asked_for": [{"kind": "confirmation", "day": day}],
    }


def test_erasing(office: Office, visitor: Visitor) -> None:
    [identity] = subscribe(office, "reader@example.org")
    path, _, query = visitor.link(Purpose.PREFERENCES, identity).partition("?")
    page = visitor.get(f"{path}/erase?{query}")
    assert count(office, "subscriptions") == 1
    assert visitor.press(page).status == 200
    assert count(office, "subscriptions") == count(office, "letters") == 0
    assert visitor.press(page).status == 200, "twice is once"
    for gone in ("", "/export"):
        assert visitor.get(f"{path}{gone}?{query}").status == 410


def test_links_whose_time_is_over_say_how_to_get_another(office: Office, visitor: Visitor, watch: Watch) -> None:
    [identity] = subscribe(office, "reader@example.org")
    form = visitor.post("subscribe", {"address": "other@example.org", "lang": "en"})
    links = {purpose: visitor.link(purpose, identity) for purpose in Purpose}
    watch.pass_(HOUR + 61)
    late = [visitor.press(form, {"request": form.field}), visitor.get(links[Purpose.PREFERENCES])]
    watch.pass_(3 * DAY)
    late += [visitor.get(links[Purpose.CONFIRM]), visitor.post(links[Purpose.CONFIRM])]
    for answer in late:
        assert answer.status == 410
        assert "subscribe?lang=en" in answer.text
    assert count(office, "requests") == 0
    watch.pass_(2 * 365 * DAY)
    assert visitor.get(links[Purpose.UNSUBSCRIBE]).status == visitor.get(links[Purpose.SETTINGS]).status == 200


def test_a_late_confirmation_after_leaving(office: Office, visitor: Visitor) -> None:
    [identity] = subscribe(office, "reader@example.org")
    office.subscriptions.unsubscribe(identity)
    assert visitor.post(visitor.link(Purpose.CONFIRM, identity)).status == 410
    assert state(office, "reader@example.org") == "unsubscribed"


@pytest.mark.parametrize(
    "address", ["", "nobody", "nobody@", "@example.org", "a b@example.org", "a@b", "x" * 400 + "@example.org"]
)
def test_an_invalid_address_comes_back_with_what_is_wrong(office: Office, visitor: Visitor, address: str) -> None:
    answer = visitor.post("subscribe", {"address": address, "lang": "fa"})
    assert answer.status == 422
    assert answer.lang == "fa"
    field = answer.tree.get_element_by_id("address")
    assert field.get("value") == address[:320]
    assert field.get("aria-invalid") == "true"
    message = answer.tree.get_element_by_id(field.get("aria-describedby") or "")
    assert message.text_content().strip()
    assert count(office, "requests") == 0


@pytest.mark.parametrize(
    "address", ["خواننده@example.org", "reader@bücher.example", "读者@例子.example", "O'Brien+x@example.org"]
)
def test_an_internationalised_address_is_one(office: Office, visitor: Visitor, address: str) -> None:
    assert visitor.sign_up(address).status == 200
    office.requests.decide_all()
    assert office.subscriptions.record(identity_of(office, address)).address == address


@pytest.mark.parametrize(
    ("asked", "browser", "expected"),
    [
        ("", "", "en"),
        ("", "fa-IR,fa;q=0.9,en;q=0.5", "fa"),
        ("", "tlh,uk;q=0.3,fr;q=0.7", "fr"),
        ("", "tlh,*", "en"),
        ("", "en-GB,fa;q=0.9", "en"),
        ("", "zh-CN", "zh-Hans"),
        ("", "prs", "fa"),
        ("", ";;q=,\x00,fa;q=9", "en"),
        ("", "," * 500 + "fa", "en"),
        ("ru", "fa", "ru"),
        ("tlh", "fa", "fa"),
        ("fa-AF", "", "fa"),
        ("../../etc", "", "en"),
    ],
)
def test_the_language_of_pages(visitor: Visitor, asked: str, browser: str, expected: str) -> None:
    answer = visitor.get(f"subscribe?lang={asked}" if asked else "subscribe", accept_language=browser)
    assert answer.lang == answer.header("Content-Language") == expected


def test_the_languages_that_a_mailroom_offers(office: Office) -> None:
    visitor = Visitor(office, load_languages(("fa", "en"), "fa"))
    assert visitor.get("subscribe").lang == "fa"
    assert visitor.get("subscribe", accept_language="ru,en;q=0.1").lang == "en"
    page = visitor.get("subscribe?lang=en").tree
    assert [each.get("value") for each in page.findall(".//option")] == ["fa", "en"]
    assert visitor.post("subscribe", {"address": "a@example.org", "lang": "ru"}).lang == "fa"


def test_every_page_stands_on_its_own(visitor: Visitor) -> None:
    pages = every_page(visitor)
    statuses = {name: page.status for name, page in pages.items() if page.status != 200}
    assert statuses == {"invalid": 422, "broken": 404, "missing": 404, "refused": 415, "expired": 410}
    for name, page in pages.items():
        tree = page.tree
        assert page.heading, name
        (title,) = page.attributes("//title/text()")
        assert page.heading in title, name
        assert title.endswith(" – The Human Rights"), name
        assert tree.get("lang") == "en", name
        assert tree.get("dir") == "ltr", name
        assert page.attributes("//p[@class='wordmark']/a/@href") == ["http://127.0.0.1:8025/en/"], name
        assert not tree.xpath("//script | //img | //iframe | //link | //*[@style] | //*[@onclick]"), name
        assert all(each.startswith("http://127.0.0.1:8025/mail/") for each in page.attributes("//form/@action")), name
        for field in tree.xpath("//input[not(@type='hidden')] | //select"):
            assert tree.xpath(f"//label[@for='{field.get('id')}']"), name
        assert "everything@example.org" not in page.text, name


def test_other_languages_are_offered_where_the_address_alone_leads(visitor: Visitor) -> None:
    for name, page in every_page(visitor).items():
        links = page.attributes("//nav//a/@href")
        done = name.endswith(("done", "sent", "send", "saved", "invalid", "refused", "erased"))
        assert bool(links) != done, name
        assert all(re.fullmatch(r"\?lang=[A-Za-z-]+", link) for link in links), name


@pytest.mark.parametrize(
    ("lang", "digits", "error"), [("en", "123", "Error: "), ("fa", "۱۲۳", "خطا: "), ("zh-Hans", "123", "错误：邮")]
)
def test_numbers_and_marks_are_the_languages_own(
    office: Office, visitor: Visitor, lang: str, digits: str, error: str
) -> None:
    [identity] = subscribe(office, "reader@example.org")
    labels = visitor.get(visitor.link(Purpose.PREFERENCES, identity, lang)).attributes("//label/text()")
    assert [label[-1] for label in labels[:3]] == list(digits)
    (title,) = visitor.post("subscribe", {"address": "nobody", "lang": lang}).attributes("//title/text()")
    assert title.startswith(error)


@pytest.mark.parametrize(
    ("lang", "written"), [("fa", "۱٬۲۳۴٬۵۶۷٬۸۹۰"), ("en", "1,234,567,890"), ("ar-EG", "١٬٢٣٤٬٥٦٧٬٨٩٠")]
)
def test_numbers_have_their_languages_digits(lang: str, written: str) -> None:
    assert write_number(1_234_567_890, describe(lang)) == written


def test_every_answer_says_what_a_browser_may_do_with_it(visitor: Visitor) -> None:
    answers = every_page(visitor) | {
        "health": visitor.get("health"),
        "method": visitor.ask("DELETE", "/mail/subscribe"),
        "options": visitor.ask("OPTIONS", "/mail/subscribe"),
        "root": visitor.ask("GET", "/"),
        "host": visitor.ask("GET", "/mail/subscribe", HTTP_HOST="elsewhere.example"),
    }
    for name, answer in answers.items():
        policy = dict(each.split(" ", 1) for each in answer.header("Content-Security-Policy").split("; "))
        assert policy.pop("style-src").startswith("'sha256-"), name
        assert policy == {
            "default-src": "'none'",
            "img-src": "data:",
            "form-action": "http://127.0.0.1:8025/mail/",
            "frame-ancestors": "'none'",
            "base-uri": "'none'",
        }, name
        assert answer.header("Referrer-Policy") == "no-referrer", name
        assert answer.header("Cache-Control") == "no-store", name
        assert answer.header("X-Content-Type-Options") == "nosniff", name
        assert answer.header("X-Robots-Tag") == "noindex", name
        assert answer.header("Cross-Origin-Opener-Policy") == "same-origin", name
        assert "camera=()" in answer.header("Permissions-Policy"), name
        assert not answer.header("Set-Cookie"), name
        assert not answer.header("Location"), name


def test_head_is_get_without_the_page(office: Office, visitor: Visitor) -> None:
    [identity] = subscribe(office, "reader@example.org")
    path, _, query = visitor.link(Purpose.PREFERENCES, identity).partition("?")
    links = [visitor.link(purpose, identity) for purpose in Purpose]
    for each in ("subscribe", "health", "nothing-here", f"{path}/export?{query}", f"{path}/erase?{query}", *links):
        whole, head = visitor.get(each), visitor.ask("HEAD", f"/mail/{each}")
        assert (head.status, head.body) == (whole.status, b"")
        assert int(head.header("Content-Length")) == len(whole.body)


def test_health_says_ok_or_not(office: Office, visitor: Visitor) -> None:
    healthy = visitor.get("health")
    assert (healthy.status, healthy.body) == (200, b"ok\n")
    office.database.close()
    ill = Visitor(office).get("health")
    assert (ill.status, ill.body) == (503, b"not ok\n")


def test_health_notices_a_full_disk_and_writes_no_more_than_every_ten_seconds(
    visitor: Visitor, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "steady_time", lambda: watch.now)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        assert visitor.get("health").status == 200
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))  # no file may grow any more
        watch.pass_(9)
        assert visitor.get("health").status == 200, "this is what it said last"
        watch.pass_(1)
        assert (visitor.get("health").status, visitor.ask("HEAD", "/mail/health").status) == (503, 503)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    watch.pass_(10)
    assert visitor.get("health").status == 200


def test_the_publication_has_a_name_in_each_language(tmp_path: Path, watch: Watch) -> None:
    settings = replace(make_settings(tmp_path, site="https://news.example/"), name="The Paper", names={"fa": "روزنامه"})
    with new_office(settings, watch) as office:
        visitor = Visitor(office)
        for lang, name, name_lang in (("en", "The Paper", "en"), ("fa", "روزنامه", "fa"), ("ru", "The Paper", "en")):
            (link,) = visitor.get(f"subscribe?lang={lang}").tree.xpath("//p[@class='wordmark']/a")
            assert (link.text, link.get("lang")) == (name, name_lang)
            assert link.get("href") == f"https://news.example/{lang}/"


def test_the_api_is_there_only_on_request(settings: Settings, watch: Watch) -> None:
    for public, status in ((False, 404), (True, 401)):
        with new_office(replace(settings, api_public=public), watch) as office:
            visitor = Visitor(office)
            visitor.app = make_public(office)
            assert visitor.get("api/campaigns").status == status
            assert visitor.get("api/campaigns", host="elsewhere.example").status == 400
            assert visitor.get("subscribe").status == 200
