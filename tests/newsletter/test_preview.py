"""The pages that show every campaign: what they show, what they refuse, and that a letter can do nothing to them."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from html import escape
from pathlib import Path

import pytest
from lxml import html
from multilingual.preview import PreviewServer
from newsletter.campaigns import UNSUBSCRIBE, Campaign, make_key, make_post_id, write_campaigns
from newsletter.preview import FOLDER, name_language, serve_beside
from playwright.sync_api import Browser, BrowserContext

from tests.theme.axe import bring_axe, judge_appearance, judge_whole
from tests.theme.support import JAVA_OPTIONS, java_path, node_tool

#: What a letter should never be, and does nothing as one.
HOSTILE = (
    "<script>parent.document.title = 'taken'; document.title = 'run'</script>"
    '<img src="https://tracker.example/a.png" alt="">'
)


def compose(lang: str, post: str, day: date, subject: str, paragraph: str) -> Campaign:
    direction = "rtl" if lang == "fa" else "ltr"
    page = (
        f'<!DOCTYPE html><html lang="{lang}" dir="{direction}"><head><meta charset="utf-8">'
        f'<meta name="color-scheme" content="light dark"><title>{escape(subject)}</title></head>'
        f'<body><h1>{escape(subject)}</h1>{paragraph}<p><a href="{UNSUBSCRIBE}">Unsubscribe</a></p></body></html>'
    )
    return Campaign(
        key=make_key("site", "post", post, lang),
        kind="post",
        lang=lang,
        direction="rtl" if lang == "fa" else "ltr",
        post=make_post_id("site", post),
        day=day,
        subject=subject,
        preheader=f"{subject} …",
        title=subject,
        summary="A summary.",
        url=f"https://site.example/{lang}/{post}/",
        html=page,
        fragment=paragraph,
        text=f"{subject}\n\nA paragraph.\n\n{UNSUBSCRIBE}\n",
        pages=((f"https://site.example/{lang}/{post}/", "0" * 32),),
    )


ENGLISH = compose("en", "leaving", date(2026, 11, 20), "Leaving <Iran> & arriving", f"<p>A paragraph.</p>{HOSTILE}")
PERSIAN = replace(
    compose("fa", "leaving", date(2026, 11, 22), "ترک ایران", "<p>یک بند.</p>"), sender="ناشر <a@site.example>"
)
OTHER = compose("en", "other", date(2026, 11, 21), "Another", "<p>Another.</p>")
CORRECTION = replace(
    OTHER, key=make_key("site", "correction", "other", "en"), kind="correction", corrects=OTHER.key, pages=()
)


@dataclass
class Shown:
    """A preview with these campaigns, in a project's folder."""

    root: Path
    url: str
    notice: str

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=10)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def page(self, path: str) -> html.HtmlElement:
        status, _, body = self.ask(path)
        assert status == 200, body
        return html.document_fromstring(body.decode())


def show(root: Path) -> Iterator[Shown]:
    output = root / "output"
    output.mkdir()
    (output / "index.html").write_text("<title>The site</title>", "utf-8")
    server = PreviewServer(0, output)
    beside = serve_beside(root, server.url)
    server.beside |= beside.mounts
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield Shown(root, server.url, beside.notice)
    server.shutdown()
    thread.join()
    server.server_close()
    beside.close()


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    root = tmp_path_factory.mktemp("shown")
    write_campaigns(root / FOLDER, [ENGLISH, PERSIAN, OTHER, CORRECTION])
    yield from show(root)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Shown]:
    yield from show(tmp_path)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context
    context.close()


def test_the_terminal_names_the_address(shown: Shown) -> None:
    assert shown.notice.startswith(f"{shown.url}/campaigns/ ")


def test_all_campaigns_are_listed_by_post_the_newest_first(shown: Shown) -> None:
    page = shown.page("/campaigns/")
    sections = page.xpath("//main/section")
    listed = [section.xpath(".//li/a/@href") for section in sections]
    assert listed == [[f"/campaigns/{one.key}/" for one in post] for post in ([ENGLISH, PERSIAN], [CORRECTION, OTHER])]
    assert [section.xpath("string(h2)") for section in sections] == [ENGLISH.title, OTHER.title]
    persian = sections[0].xpath(".//li")[1]
    assert persian.xpath("./a/bdi[1]/text()") == ["فارسی"]
    assert persian.xpath("./a/bdi[2]")[0].attrib == {"lang": "fa", "dir": "rtl"}
    facts = persian.xpath("./p[@class='facts']")[0].text_content()
    for expected in (PERSIAN.key, "post of 2026-11-22", f"{len(PERSIAN.html.encode()):,} bytes"):
        assert expected in facts
    assert ENGLISH.subject in page.text_content()
    assert (page.get("lang"), page.get("dir")) == ("en", "ltr")


def test_a_campaign_is_shown_with_both_parts_and_how_to_try_it(shown: Shown) -> None:
    page = shown.page(f"/campaigns/{PERSIAN.key}/")
    frames = page.xpath("//iframe")
    assert [(frame.get("width"), frame.get("sandbox"), frame.get("src")) for frame in frames] == [
        ("360", "", "campaign.html"),
        ("700", "", "campaign.html"),
    ]
    [text] = page.xpath("//pre")
    assert (text.get("lang"), text.get("dir"), str(text.text).removeprefix("\n")) == ("fa", "rtl", PERSIAN.text)
    words = page.text_content()
    for expected in (PERSIAN.sender, PERSIAN.url, f"./blog newsletter test {PERSIAN.key} --preview"):
        assert expected in words
    assert page.xpath("//a[@href='/outbox/']")
    correction = shown.page(f"/campaigns/{CORRECTION.key}/")
    assert correction.xpath(f"//dd/a[@href='/campaigns/{OTHER.key}/']")
    assert "no page of the site" in correction.text_content()


def test_the_parts_are_given_as_they_were_composed(shown: Shown) -> None:
    for part, expected, kind in (("html", ENGLISH.html, "text/html"), ("txt", ENGLISH.text, "text/plain")):
        status, headers, body = shown.ask(f"/campaigns/{ENGLISH.key}/campaign.{part}")
        assert (status, body.decode()) == (200, expected)
        assert headers["Content-Type"] == f"{kind}; charset=utf-8"
        assert "sandbox" in headers["Content-Security-Policy"].split("; ")


def test_what_was_saved_is_seen_after_a_reload(empty: Shown) -> None:
    empty.root.joinpath(FOLDER).parent.mkdir(parents=True)
    write_campaigns(empty.root / FOLDER, [OTHER])
    assert OTHER.subject in empty.page("/campaigns/").text_content()
    write_campaigns(empty.root / FOLDER, [replace(OTHER, subject="Saved")])
    assert "Saved" in empty.page("/campaigns/").text_content()


def test_where_nothing_is_composed_the_page_says_what_to_do(empty: Shown) -> None:
    said = empty.page("/campaigns/").text_content()
    for expected in (str(FOLDER), "NEWSLETTER_SITE_ID", "NEWSLETTER_SINCE"):
        assert expected in said


def test_what_was_changed_by_hand_is_not_shown_as_composed(empty: Shown) -> None:
    write_campaigns(empty.root / FOLDER, [OTHER])
    (empty.root / FOLDER / OTHER.key / "campaign.txt").write_text("Changed", "utf-8")
    for path in ("/campaigns/", f"/campaigns/{OTHER.key}/", f"/campaigns/{OTHER.key}/campaign.txt"):
        status, _, body = empty.ask(path)
        assert status == 500
        assert "changed after it was composed" in body.decode()


@pytest.mark.parametrize(
    "path",
    [
        "en-0000000000000000/", "../secret/", "..%2f..%2fsecret/", "%2e%2e/", "./", "EN-1/", "-/", f"{OTHER.key}",
        f"{OTHER.key}/campaign.json", f"{OTHER.key}/../{OTHER.key}/", f"{OTHER.key}/%00", f"{OTHER.key}/campaign.html/",
    ],
)  # fmt: skip
def test_only_campaigns_are_shown(shown: Shown, path: str) -> None:
    status, _, body = shown.ask(f"/campaigns/{path}")
    assert status == 404
    assert "/campaigns/" in body.decode()


def test_it_is_only_read(shown: Shown) -> None:
    for method in ("POST", "PUT", "DELETE"):
        status, headers, _ = shown.ask("/campaigns/", method)
        assert (status, headers["Allow"]) == (405, "GET, HEAD")
    status, headers, body = shown.ask("/campaigns/", "HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) > 100


def test_a_letter_runs_nothing_and_loads_nothing(shown: Shown, context: BrowserContext) -> None:
    page = context.new_page()
    answered: list[str] = []
    refused: dict[str, str | None] = {}
    told: list[str] = []
    page.on("response", lambda response: answered.append(response.url))
    page.on("requestfailed", lambda request: refused.update({request.url: request.failure}))
    page.on("console", lambda message: told.append(message.text))
    page.goto(f"{shown.url}/campaigns/{ENGLISH.key}/")
    assert page.frame_locator("iframe >> nth=0").locator("h1").inner_text() == ENGLISH.subject
    page.wait_for_load_state("networkidle")
    assert page.title() == ENGLISH.key
    assert [url for url in answered if not url.startswith(shown.url)] == []
    assert refused == {"https://tracker.example/a.png": "csp"}
    assert any("script" in each for each in told), "the control: there was something to forbid"
    assert not [each for each in told if "style" in each.lower()], "our own style applies"
    assert page.locator("iframe >> nth=0").bounding_box()["width"] == 362  # type: ignore[index]
    assert page.evaluate("getComputedStyle(document.querySelector('.parts')).display") == "flex"


def test_frames_follow_the_system_into_the_dark(shown: Shown, context: BrowserContext) -> None:
    page = context.new_page()
    for scheme, is_dark in (("light", False), ("dark", True)):
        page.emulate_media(color_scheme="dark" if is_dark else "light")
        page.goto(f"{shown.url}/campaigns/{PERSIAN.key}/")
        frame = page.frames[1]
        assert frame.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") is is_dark, scheme


def test_axe_finds_nothing_and_the_pages_fit_a_telephone(shown: Shown, context: BrowserContext) -> None:
    bring_axe(context)
    page = context.new_page()
    for path in ("", f"{CORRECTION.key}/", "nothing/"):
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(f"{shown.url}/campaigns/{path}")
        assert judge_whole(page) == [], path
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size({"width": 320, "height": 640})
        assert judge_appearance(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path


def test_every_page_is_valid(shown: Shown, tmp_path: Path) -> None:
    java, checker = java_path(), node_tool("BLOG_TEST_VNU", "vnu-jar/build/dist/vnu.jar")
    for name, path in {"list": "", "one": f"{PERSIAN.key}/", "correction": f"{CORRECTION.key}/", "none": "x/"}.items():
        (tmp_path / f"{name}.html").write_bytes(shown.ask(f"/campaigns/{path}")[2])
    (tmp_path / "control.html").write_text('<!DOCTYPE html><html lang="en"><title>x</title><p><div></p>', "utf-8")
    command = [java, *JAVA_OPTIONS, "-jar", str(checker), "--format", "json", "--stdout", str(tmp_path)]
    run = subprocess.run(
        command, env=os.environ | {"LC_ALL": "C.UTF-8"}, capture_output=True, encoding="utf-8", timeout=120, check=False
    )
    told = [f"{each['url'].rpartition('/')[2]}: {each['message']}" for each in json.loads(run.stdout)["messages"]]
    assert any(each.startswith("control.html") for each in told), run.stderr
    assert not [each for each in told if not each.startswith("control.html")]


@pytest.mark.parametrize(("lang", "name"), [("fa", "فارسی"), ("zh-Hans", "中文 (简体)"), ("qqq", "qqq")])
def test_languages_have_their_own_names(lang: str, name: str) -> None:
    assert name_language(lang) == name
