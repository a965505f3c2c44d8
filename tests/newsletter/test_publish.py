"""`./blog publish`: built, deployed, awaited, handed in, and sent where that is set; no letter without its page."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from newsletter.campaigns import make_key
from newsletter.errors import ConfigurationError

from tests.newsletter.mailrooms import MailroomService, serving_mailroom
from tests.newsletter.newsrooms import TODAY, Newsroom
from tests.newsletter.test_commands import Said
from tests.newsletter.websites import Page, Website, serve

KEY = make_key("newsroom", "post", "leaving", "en")
#: Copies the output to where the web server looks, unless somebody has put a file in its way.
DEPLOY = """\
import pathlib, shutil, sys
if not pathlib.Path("stuck").exists():
    shutil.copytree(sys.argv[1], sys.argv[2], dirs_exist_ok=True)
"""
AWAITING = "Waiting until a page can be read as built."


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailroomService]:
    with serving_mailroom(tmp_path_factory.mktemp("mailroom")) as service:
        yield service


@pytest.fixture
def mailroom(running: MailroomService) -> MailroomService:
    running.start_afresh()
    return running


@pytest.fixture
def website(tmp_path: Path) -> Iterator[Website]:
    with serve() as website:
        website.folder = tmp_path / "www"
        yield website


@pytest.fixture
def newsroom(tmp_path: Path, mailroom: MailroomService, website: Website) -> Newsroom:
    site = Newsroom(
        tmp_path, SITEURL=website.url, NEWSLETTER_API=mailroom.api, NEWSLETTER_WAIT=0, MULTILINGUAL_LANGUAGES={"en": {}}
    )
    site.post("en", "leaving", Title="Leaving")
    (site.folder / "deploy.py").write_text(DEPLOY)
    set_environment(site, mailroom.token)
    return site


def set_environment(newsroom: Newsroom, token: str) -> None:
    target = newsroom.folder.parent / "www"
    command = shlex.join([sys.executable, "deploy.py", "{output}", str(target)])
    newsroom.set_environment(NEWSLETTER_TOKEN=token, PUBLISH_COMMAND=f'"{command}"')


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Said:
    def read() -> tuple[list[str], list[str]]:
        found = capfd.readouterr()
        return found.out.splitlines(), found.err.splitlines()

    return read


def test_what_is_new_is_handed_in_once_its_page_can_be_read(
    newsroom: Newsroom, mailroom: MailroomService, website: Website, said: Said
) -> None:
    assert newsroom.run_command("publish") == 0
    out, _ = said()
    assert out[-3:] == ["Published.", AWAITING, f"{KEY} handed in"]
    assert [target.partition("?")[0] for target, _ in website.asked] == ["/en/leaving/"] * 3
    assert newsroom.slept == [10]
    assert mailroom.starts(KEY) == 0
    assert newsroom.run_command("publish") == 0
    assert said()[0][-1] == "Newsletter: nothing is new."


def test_what_was_handed_in_is_started_where_that_is_set(
    newsroom: Newsroom, mailroom: MailroomService, said: Said
) -> None:
    newsroom.settings(NEWSLETTER_SEND=True)
    assert newsroom.run_command("publish") == 0
    assert said()[0][-1].startswith(f"{KEY} started: no letter leaves before ")
    assert mailroom.starts(KEY) == 1
    newsroom.post("en", "leaving", "Put right.", Title="Leaving")
    assert newsroom.run_command("publish") == 0
    assert said()[0][-1] == "Newsletter: nothing is new."
    assert mailroom.starts(KEY) == 1


def publish_another_version(newsroom: Newsroom, website: Website) -> None:
    newsroom.build_production()
    shutil.copytree(newsroom.output, website.folder or "")
    newsroom.post("en", "leaving", "Put right.", Title="Leaving")
    (newsroom.folder / "stuck").touch()


def lose_the_page(newsroom: Newsroom, _: Website) -> None:
    (newsroom.folder / "stuck").touch()


def redirect(_: Newsroom, website: Website) -> None:
    website.put("/en/leaving/", Page("", 301, {"Location": "https://www.site.example/en/leaving/"}))


def keep_in_a_cache(_: Newsroom, website: Website) -> None:
    website.cached["/en/leaving/"] = Page("", 404)


def show_something_else(_: Newsroom, website: Website) -> None:
    website.put("/en/leaving/", "<!doctype html><title>Welcome to our web server</title>")


@pytest.mark.parametrize(
    ("fail", "reason"),
    [
        (lose_the_page, "answers 404: it is not there"),
        (publish_another_version, "is another version: its content-digest is "),
        (redirect, "answers 301 and leads to https://www.site.example/en/leaving/: set SITEURL to where pages are"),
        (keep_in_a_cache, "answers 404: it is not there (with ?"),
        (show_something_else, 'has no <meta name="content-digest">: it is another page, or one whose theme does not'),
    ],
)
def test_no_letter_leaves_without_its_page_and_the_reason_is_said(
    newsroom: Newsroom,
    mailroom: MailroomService,
    website: Website,
    said: Said,
    fail: Callable[[Newsroom, Website], None],
    reason: str,
) -> None:
    newsroom.settings(NEWSLETTER_SEND=True)
    fail(newsroom, website)
    said()
    assert newsroom.run_command("publish") == 1
    out, errors = said()
    assert out[-2:] == ["Published.", AWAITING]
    assert errors[-2].startswith("newsletter: No letter leaves before its page, and its page cannot be read as built.")
    assert errors[-1].startswith(f"  {website.url}/en/leaving/ {reason}")
    assert not mailroom.campaigns(KEY)
    # The next run goes on, once it is mended.
    (newsroom.folder / "stuck").unlink(missing_ok=True)
    website.pages.clear()
    website.cached.clear()
    assert newsroom.run_command("publish") == 0
    assert mailroom.starts(KEY) == 1


def test_a_draft_that_lay_there_is_an_editor_s_to_send(
    newsroom: Newsroom, mailroom: MailroomService, said: Said
) -> None:
    newsroom.run_command("publish")
    newsroom.settings(NEWSLETTER_SEND=True)
    (newsroom.folder / "var" / "campaigns" / KEY / "campaign.txt").write_text("By hand.")
    assert newsroom.run_command("publish") == 0
    assert said()[0][-1] == "Newsletter: nothing is new."
    assert mailroom.starts(KEY) == 0


@pytest.mark.parametrize(
    ("settings", "token", "line"),
    [
        ({}, "", "Newsletter: nothing is handed in without NEWSLETTER_TOKEN."),
        ({"NEWSLETTER_SINCE": ""}, "t", "Newsletter: nothing is handed in without NEWSLETTER_SINCE."),
        (
            {"NEWSLETTER_SINCE": "", "NEWSLETTER_SITE_ID": ""},
            "",
            "Newsletter: nothing is handed in without NEWSLETTER_SITE_ID, NEWSLETTER_SINCE, NEWSLETTER_TOKEN.",
        ),
    ],
)
def test_a_site_without_a_newsletter_is_published(
    newsroom: Newsroom, said: Said, settings: dict[str, str], token: str, line: str
) -> None:
    newsroom.settings(**settings)
    set_environment(newsroom, token)
    assert newsroom.run_command("publish") == 0
    assert said()[0][-2:] == ["Published.", line]


def test_what_is_not_set_rightly_is_said_before_anything_is_built(newsroom: Newsroom) -> None:
    newsroom.settings(NEWSLETTER_FORMER_PROVIDER="mailroom")
    with pytest.raises(ConfigurationError, match="NEWSLETTER_FORMER_TOKEN"):
        newsroom.run_command("publish")
    assert not newsroom.output.exists()


def test_an_archive_is_not_handed_in(newsroom: Newsroom, mailroom: MailroomService, said: Said) -> None:
    newsroom.settings(NEWSLETTER_MAX_PER_PUSH=1, NEWSLETTER_SEND=True)
    newsroom.post("en", "another", Date=TODAY)
    assert newsroom.run_command("publish") == 1
    assert said()[1][-1].startswith("newsletter: 2 posts are new, more than NEWSLETTER_MAX_PER_PUSH = 1: nothing was")
    assert not mailroom.campaigns(KEY)


def test_a_site_that_is_published_from_another_folder(
    newsroom: Newsroom, mailroom: MailroomService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(newsroom.folder.parent)
    assert newsroom.run_command("publish") == 0
    assert len(mailroom.campaigns(KEY)) == 1
