"""`./blog newsletter …` on a small site, at a real mailroom: what it prints, and what an editor's changes lead to."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from newsletter.campaigns import make_key
from newsletter.desk import only_one
from newsletter.errors import ConfigurationError

from tests.frontdoor.support import copy_project, lend_environment, run_blog
from tests.newsletter.mailrooms import EDITOR, MailroomService, serving_mailroom
from tests.newsletter.newsrooms import TODAY, Newsroom
from tests.newsletter.websites import Website, serve

ENGLISH = make_key("newsroom", "post", "leaving", "en")
PERSIAN = make_key("newsroom", "post", "leaving", "fa")
#: Columns of a terminal.
WIDTH = 100


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailroomService]:
    with serving_mailroom(tmp_path_factory.mktemp("mailroom")) as service:
        yield service


@pytest.fixture
def mailroom(running: MailroomService) -> MailroomService:
    running.start_afresh()
    return running


@pytest.fixture(scope="module")
def website() -> Iterator[Website]:
    with serve() as website:
        yield website


@pytest.fixture
def newsroom(tmp_path: Path, mailroom: MailroomService, website: Website) -> Newsroom:
    """A post in two languages, published at `website`, not yet handed in at `mailroom`."""
    website.folder = None
    site = Newsroom(tmp_path, SITEURL=website.url, NEWSLETTER_API=mailroom.api, NEWSLETTER_WAIT=0)
    site.post("en", "leaving", Title="Leaving")
    site.translation("fa", "leaving", "en", Title="رفتن از کشور", Summary="خلاصه.", Translated=TODAY)
    site.set_environment(NEWSLETTER_TOKEN=mailroom.token)
    return site


Said = Callable[[], tuple[list[str], list[str]]]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """What a command has printed since: lines of its output, and of what it says beside."""

    def read() -> tuple[list[str], list[str]]:
        found = capsys.readouterr()
        return found.out.splitlines(), found.err.splitlines()

    return read


def plan(newsroom: Newsroom, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert newsroom.run_newsletter("plan") == 0
    found = capsys.readouterr()
    assert not found.err
    return found.out


def test_a_plan_says_what_how_many_where_and_why(newsroom: Newsroom, said: Said) -> None:
    assert newsroom.run_newsletter("draft") == 0
    assert said() == ([f"{ENGLISH} handed in", f"{PERSIAN} handed in"], [])
    assert newsroom.run_newsletter("draft") == 0
    assert said() == (["Nothing to do: the drafts are as composed."], [])
    assert newsroom.run_newsletter("plan") == 0
    assert said()[0] == [
        f"{TODAY}  en  post  \u2068Leaving\u2069",
        f"    {ENGLISH}, 3 recipients",
        "    draft, as composed",
        f"    var/campaigns/{ENGLISH}/campaign.{{html,txt}}",
        "",
        f"{TODAY}  fa  post  \u2068رفتن از کشور\u2069",
        f"    {PERSIAN}, 2 recipients",
        "    draft, as composed",
        f"    var/campaigns/{PERSIAN}/campaign.{{html,txt}}",
    ]
    for part in ("html", "txt"):
        assert (newsroom.folder / "var" / "campaigns" / PERSIAN / f"campaign.{part}").is_file()
    assert not newsroom.output.exists()


def test_a_plan_stays_within_its_columns(newsroom: Newsroom, capsys: pytest.CaptureFixture[str]) -> None:
    newsroom.post("en", "long", Title="战时迫害 e\u0301 \u202eعنوان\u200cها " * 9)
    lines = plan(newsroom, capsys).splitlines()
    (line,) = (line for line in lines if "战时" in line)
    wide = sum(unicodedata.east_asian_width(each) in "WF" for each in line)
    marks = sum(unicodedata.category(each) in ("Mn", "Cf") for each in line)
    assert WIDTH - 3 <= len(line) + wide - marks <= WIDTH
    assert "\u202e" not in line
    assert re.search("\u2068[^\u2068\u2069]+…\u2069$", line)


def test_a_post_goes_from_the_plan_to_its_readers(
    newsroom: Newsroom, mailroom: MailroomService, website: Website, said: Said
) -> None:
    newsroom.run_newsletter("draft")
    said()
    assert newsroom.run_newsletter("send", ENGLISH) == 1
    assert said() == (
        ["Waiting until 2 pages can be read as built."],
        [
            "newsletter: No letter leaves before its page, and 2 pages cannot be read as built. Publish what was "
            "composed, and run this again:",
            f"  {website.url}/en/leaving/ answers 404: it is not there",
            f"  {website.url}/fa/leaving/ answers 404: it is not there",
        ],
    )
    assert mailroom.starts(ENGLISH) == 0
    newsroom.build_production()
    website.folder = newsroom.output
    assert newsroom.run_newsletter("send", ENGLISH, "--only") == 0
    assert newsroom.slept == [10]
    assert said()[0][-1].startswith(f"{ENGLISH} started: no letter leaves before ")
    assert (mailroom.starts(ENGLISH), mailroom.starts(PERSIAN)) == (1, 0)
    assert newsroom.run_newsletter("send", ENGLISH, "--only") == 0
    assert said()[0][0].startswith(f"{ENGLISH} left as it is: already submitted (started ")
    newsroom.post("en", "broken", "[Gone]({filename}/articles/en/gone.md)")
    newsroom.settings(NEWSLETTER_FORMER_PROVIDER="listmonk")  # and no token for it
    (newsroom.folder / "var" / "campaigns" / PERSIAN / "campaign.txt").write_text("Another text.")
    assert newsroom.run_newsletter("stop", "en-0", f" {ENGLISH.upper()}\n") == 1
    assert said() == (
        [f"{ENGLISH} stopped (letters: 3 dropped)"],
        ["newsletter: mailroom has no campaign en-0. `./blog newsletter plan` lists the keys."],
    )


def test_what_is_wrong_with_the_site_is_said_and_nothing_is_handed_in(newsroom: Newsroom, said: Said) -> None:
    newsroom.post("en", "broken", "[Gone]({filename}/articles/en/gone.md)")
    assert newsroom.run_newsletter("draft") == 1
    out, errors = said()
    assert out == []
    assert "gone.md" in errors[0]
    assert errors[-1] == "newsletter: The site cannot be built, so nothing was composed. Mend what is named above."


@pytest.mark.parametrize("change", [{"SITEURL": ""}, {"PLUGINS": ["multilingual"]}])
def test_what_was_composed_earlier_is_not_taken_for_what_is(
    newsroom: Newsroom, said: Said, change: dict[str, object]
) -> None:
    newsroom.run_newsletter("plan")
    said()
    newsroom.settings(**change)
    assert newsroom.run_newsletter("draft") == 1
    assert said()[1][-1].startswith("newsletter: The build has composed nothing into campaigns. Name")


def test_what_is_not_set_is_named(newsroom: Newsroom, said: Said) -> None:
    newsroom.settings(NEWSLETTER_SINCE="")
    assert newsroom.run_newsletter("plan") == 1
    assert "NEWSLETTER_SINCE is empty" in said()[1][0]
    newsroom.settings(NEWSLETTER_SINCE=TODAY)
    newsroom.set_environment()
    with pytest.raises(ConfigurationError, match=r"^NEWSLETTER_TOKEN = '': put the service's token into"):
        newsroom.run_newsletter("plan")
    newsroom.settings(NEWSLETTER_PROVIDER="pigeons")
    newsroom.set_environment(NEWSLETTER_TOKEN="t")
    with pytest.raises(ConfigurationError, match=r"^NEWSLETTER_PROVIDER = 'pigeons': use one of mailroom"):
        newsroom.run_newsletter("plan")


def test_a_failure_is_named_beside_what_was_done(newsroom: Newsroom, said: Said) -> None:
    newsroom.settings(MULTILINGUAL_LANGUAGES={"en": {}, "fa": {}, "de": {}})
    newsroom.translation("de", "leaving", "en", Summary="Kurz.", Translated=TODAY)
    unknown = make_key("newsroom", "post", "leaving", "de")
    assert newsroom.run_newsletter("draft") == 1
    out, errors = said()
    assert out == [f"{ENGLISH} handed in", f"{PERSIAN} handed in"]
    assert errors[0].startswith(f"newsletter: {unknown} failed: mailroom answered 422 about {unknown}")
    assert errors[1] == "newsletter: 1 failure. Mend it, and run this again: it goes on."


def test_two_runs_on_one_machine_do_not_meet(newsroom: Newsroom, said: Said) -> None:
    with only_one(newsroom.folder / "var"):
        assert newsroom.run_newsletter("draft") == 1
    assert said()[1] == [
        "newsletter: Another `./blog newsletter` is at work in this folder. Run this when it has ended."
    ]


def test_a_test_letter_s_address_is_read_and_never_shown(newsroom: Newsroom, said: Said) -> None:
    newsroom.run_newsletter("draft")
    said()
    assert newsroom.run_newsletter("test", ENGLISH, stdin=f" {EDITOR}\n") == 0
    assert said() == ([f"{ENGLISH} goes to that address, and to nobody else"], [])
    assert newsroom.run_newsletter("test", ENGLISH, stdin="somebody@elsewhere.example\n") == 1
    assert "somebody" not in "".join(said()[1])
    with pytest.raises(ConfigurationError, match="standard input"):
        newsroom.run_newsletter("test", ENGLISH)


@pytest.mark.parametrize("word", ["", " ", "../en-0", "*"])
def test_what_is_no_key_is_asked_of_no_service(newsroom: Newsroom, said: Said, word: str) -> None:
    with pytest.raises(SystemExit):
        newsroom.run_newsletter("stop", word)
    assert "a campaign's key stands here" in said()[1][-1]


def test_the_front_door_has_them(newsroom: Newsroom) -> None:
    copy_project(newsroom.folder, "blog", "requirements.txt", "plugins/multilingual", "plugins/newsletter")
    lend_environment(newsroom.folder)
    done = run_blog(newsroom.folder, "newsletter", "draft")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"{ENGLISH} handed in", f"{PERSIAN} handed in"]
    newsroom.set_environment(NEWSLETTER_TOKEN="mailroom_wrong")
    done = run_blog(newsroom.folder, "newsletter", "plan")
    assert done.returncode == 1
    assert "answered 401" in done.stderr
    assert "mailroom_wrong" not in done.stderr


# What editors change


def change_title(newsroom: Newsroom) -> None:
    newsroom.post("en", "leaving", Title="Leaving at last")


def change_slug(newsroom: Newsroom) -> None:
    newsroom.post("en", "leaving", Title="Leaving", Slug="leaving-again", Former_slugs="leaving")


def change_siteurl(newsroom: Newsroom) -> None:
    newsroom.settings(SITEURL="https://another.example")


def change_file_name(newsroom: Newsroom) -> None:
    folder = newsroom.content / "articles"
    for lang in ("en", "fa"):
        text = (folder / lang / "leaving.md").read_text("utf-8")
        (folder / lang / "leaving.md").unlink()
        more = "Former_keys: leaving\n" if lang == "en" else ""
        (folder / lang / "left.md").write_text(more + text, "utf-8")


@pytest.mark.parametrize("change", [change_title, change_slug, change_siteurl, change_file_name])
def test_what_editors_change_mails_nothing_again(
    newsroom: Newsroom,
    mailroom: MailroomService,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[Newsroom], None],
) -> None:
    newsroom.run_newsletter("draft")
    digests = {key: str(found.digest) for key in (ENGLISH, PERSIAN) for found in mailroom.campaigns(key)}
    mailroom.office.database.write(
        lambda connection: connection.execute("UPDATE campaigns SET state = 'finished', started = 20000, release = 0")
    )
    assert len(digests) == 2
    change(newsroom)
    found = plan(newsroom, capsys)
    reasons = re.findall("^    ((?:already|new|draft).*)$", found, re.MULTILINE)
    submitted = "already submitted (started 2024-10-04)"
    assert len(reasons) == 2
    assert {reason.removesuffix(", changed since") for reason in reasons} == {submitted}
    assert re.findall(r"^    (\S+-[0-9a-f]{16})$", found, re.MULTILINE) == [ENGLISH, PERSIAN]
    assert newsroom.run_newsletter("draft") == 0
    assert capsys.readouterr().out == "Nothing to do: the drafts are as composed.\n"


def test_a_fresh_copy_of_the_content_has_the_same_plan(
    newsroom: Newsroom, tmp_path: Path, mailroom: MailroomService, capsys: pytest.CaptureFixture[str]
) -> None:
    newsroom.run_newsletter("draft")
    newsroom.post("en", "another")
    first = plan(newsroom, capsys)
    copy = Newsroom(tmp_path / "elsewhere", **newsroom.configuration)
    shutil.copytree(newsroom.content, copy.content, dirs_exist_ok=True)
    copy.set_environment(NEWSLETTER_TOKEN=mailroom.token)
    assert plan(copy, capsys) == first
    assert first.count("draft, as composed") == 2
    assert first.count("new: will be handed in") == 1


# The preview, and other people's sites


def test_the_preview_s_mailroom_gets_what_serve_has_composed(
    newsroom: Newsroom, mailroom: MailroomService, said: Said
) -> None:
    newsroom.set_environment()
    assert newsroom.run_newsletter("plan", "--preview") == 1
    assert said()[1] == ["newsletter: There is no preview to talk to. Run `./blog serve` in another terminal."]
    newsroom.settings(NEWSLETTER_SENDER="Blog <blog@production.example>")
    newsroom.build_whole()  # as `serve` does
    access = newsroom.folder / "var" / "newsletter.env"
    access.write_text(f"NEWSLETTER_API={mailroom.api}\nNEWSLETTER_TOKEN={mailroom.token}\n")
    newsroom.settings(
        NEWSLETTER_API="https://production.example/api/",
        NEWSLETTER_LISTS={"en": "1"},
        NEWSLETTER_MAX_PER_PUSH=0,
    )
    assert newsroom.run_newsletter("draft", "--preview") == 0
    assert said()[0] == [f"{ENGLISH} handed in", f"{PERSIAN} handed in"]
    assert newsroom.run_newsletter("plan", "--preview") == 0
    assert f"    var/preview/campaigns/{ENGLISH}/campaign.{{html,txt}}" in said()[0]


def test_a_site_without_our_front_door_has_the_commands(
    newsroom: Newsroom, mailroom: MailroomService, tmp_path: Path
) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "newsletter", *words]
        root = Path(__file__).resolve().parents[2]
        environment = {"PYTHONPATH": str(root / "plugins"), "PYTHONUTF8": "1", "NEWSLETTER_TOKEN": mailroom.token}
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", check=False
        )

    newsroom.settings(
        PLUGINS=["newsletter"], MULTILINGUAL_LANGUAGES=..., THEME="simple", ARTICLE_LANG_URL="{lang}/{slug}/",
        ARTICLE_LANG_SAVE_AS="{lang}/{slug}/index.html", NEWSLETTER_CAMPAIGNS="var/campaigns",
    )  # fmt: skip
    shutil.rmtree(newsroom.content)
    newsroom.post(".", "plain", Title="A plain site", Lang="en")
    drafted = run("site/pelicanconf.py", "draft")
    assert drafted.returncode == 0, drafted.stderr
    assert re.fullmatch(r"en-[0-9a-f]{16} handed in\n", drafted.stdout.splitlines(keepends=True)[-1])
    refused = run("site/no-such-file.py", "plan")
    assert refused.returncode == 1
    assert "there is no such file" in refused.stderr
    assert run("--help").returncode == 0
