"""The editor's desk, at a real mailroom: what the plan says, and what is handed in, started, stopped and corrected."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from newsletter.campaigns import Campaign, make_key, make_post_id
from newsletter.desk import only_one
from newsletter.errors import (
    AmbiguousCampaign,
    NewsletterError,
    NotReviewed,
    PageNotLive,
    Rejected,
    UnknownCampaign,
)
from newsletter.providers import Access, Feature, Submitted, open_provider
from newsletter.settings import Secret

from mailroom.campaigns.campaigns import Campaigns
from tests.mailroom.readers import add_readers, set_letters
from tests.newsletter.desks import Editor, opened
from tests.newsletter.fake_listmonk import FakeListmonk
from tests.newsletter.mailrooms import EDITOR, MailroomService, serving_mailroom
from tests.newsletter.services import Fault

TODAY = datetime.now(UTC).date()


def compose(name: str = "leaving", lang: str = "en", text: str = "What happened.", **given: Any) -> Campaign:
    """An article's campaign, as it would be composed."""
    kind = given.get("kind", "post")
    url = f"https://news.example/{lang}/{name}/"
    values: dict[str, Any] = {
        "key": make_key("desk", kind, name, lang),
        "kind": kind,
        "lang": lang,
        "direction": "rtl" if lang == "fa" else "ltr",
        "post": make_post_id("desk", name),
        "day": TODAY,
        "subject": "A subject",
        "preheader": "Before it",
        "title": "A title",
        "summary": "",
        "url": url,
        "html": f'<!doctype html><p lang="{lang}">{text}</p>',
        "fragment": f'<p lang="{lang}">{text}</p>',
        "text": f"{text}\n",
        "pages": ((url, "0" * 32),),
    }
    return Campaign(**values | given)


ENGLISH, PERSIAN = compose(), compose(lang="fa")
OTHER = compose("other")
CHANGED = compose(text="What happened, put right.")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailroomService]:
    with serving_mailroom(tmp_path_factory.mktemp("mailroom")) as service:
        yield service


@pytest.fixture
def mailroom(running: MailroomService) -> MailroomService:
    """A mailroom with four readers: of English, of English, of Persian, of Persian before English."""
    running.start_afresh()
    return running


@pytest.fixture
def editor(mailroom: MailroomService) -> Iterator[Editor]:
    with opened(mailroom) as provider:
        yield Editor(provider)


def letters(mailroom: MailroomService, campaign: Campaign) -> int:
    """How many letters a campaign has."""
    return sum(Campaigns(mailroom.office.database, mailroom.office.clock).get(campaign.key).letters.values())


# plan and draft


def test_a_new_post_is_handed_in_once_and_kept_up_to_date(editor: Editor) -> None:
    assert editor.plan(ENGLISH) == {ENGLISH.key: "new: will be handed in"}
    assert editor.draft(ENGLISH) == [f"{ENGLISH.key} handed in"]
    assert editor.plan(ENGLISH) == {ENGLISH.key: "draft, as composed"}
    assert editor.draft(ENGLISH) == []
    assert editor.plan(CHANGED) == {ENGLISH.key: "draft, to be brought up to date"}
    assert editor.draft(CHANGED) == [f"{ENGLISH.key} brought up to date"]
    assert editor.plan(CHANGED) == {ENGLISH.key: "draft, as composed"}


def test_what_somebody_changed_at_the_service_is_as_composed_again() -> None:
    with FakeListmonk() as service:
        access = Access(service.api, Secret(service.token), service.lists, "0a1b2c3d", sleep=lambda _: None)
        with closing(open_provider("listmonk", access)) as provider:
            editor = Editor(provider)
            editor.draft(ENGLISH)
            service.change(ENGLISH.key)
            assert editor.plan(ENGLISH) == {ENGLISH.key: "draft, as composed"}, "as far as the service tells"
            _, failed = editor.send(ENGLISH, keys=[ENGLISH.key])
            assert "is not what was composed" in failed
            assert editor.draft(ENGLISH) == []
            assert editor.send(ENGLISH, keys=[ENGLISH.key])[1].startswith(f"{ENGLISH.key} started")
            assert service.starts(ENGLISH.key) == 1


def test_the_plan_says_how_many_would_get_it(editor: Editor) -> None:
    editor.draft(ENGLISH, PERSIAN)
    counts = [entry.found and entry.found.recipients for entry in editor.desk(ENGLISH, PERSIAN).plan()]
    assert counts == [3, 2]


def test_what_is_composed_no_longer_is_withdrawn(editor: Editor) -> None:
    editor.draft(ENGLISH, OTHER)
    assert editor.plan(OTHER) == {OTHER.key: "draft, as composed", ENGLISH.key: "composed no longer: to be withdrawn"}
    assert editor.draft(OTHER) == [f"{ENGLISH.key} withdrawn"]
    assert editor.plan(OTHER) == {OTHER.key: "draft, as composed"}


def test_what_was_started_is_not_withdrawn(editor: Editor) -> None:
    editor.draft(ENGLISH)
    editor.send(ENGLISH, keys=[ENGLISH.key])
    assert editor.plan() == {}
    assert editor.draft() == []


def test_an_archive_is_never_handed_in_at_once(editor: Editor) -> None:
    editor.settings["max_per_push"] = 2
    posts = [compose(f"post-{number}", lang) for number in range(3) for lang in ("en", "fa")]
    assert editor.desk(*posts).find_excess(editor.desk(*posts).plan())
    with pytest.raises(NewsletterError, match=r"^3 posts are new, more than NEWSLETTER_MAX_PER_PUSH = 2: nothing was"):
        editor.draft(*posts)
    assert editor.plan() == {}
    assert len(editor.draft(*posts[:4])) == 4, "languages of a post count as one"
    assert len(editor.draft(*posts)) == 2, "what lies there is not new"


def test_a_language_without_a_list_gets_no_campaign(editor: Editor) -> None:
    editor.draft(PERSIAN)
    editor.settings["lists"] = {"en": "1"}
    no_list = "no list for fa in NEWSLETTER_LISTS"
    assert editor.plan(compose("other", "fa"), PERSIAN) == {
        compose("other", "fa").key: no_list,
        PERSIAN.key: f"{no_list}: to be withdrawn",
    }
    assert editor.draft(compose("other", "fa"), PERSIAN) == [f"{PERSIAN.key} withdrawn"]


def test_one_that_fails_is_named_and_the_others_are_handed_in(editor: Editor) -> None:
    unknown = compose("leaving", "tlh")
    said = editor.draft(ENGLISH, unknown, OTHER)
    assert said[0] == f"{ENGLISH.key} handed in"
    assert said[1].startswith(f"{unknown.key} failed: mailroom answered 422 about {unknown.key}")
    assert said[2] == f"{OTHER.key} handed in"
    assert [say.startswith(f"{unknown.key} failed") for say in editor.draft(ENGLISH, unknown, OTHER)] == [True]


def test_what_concerns_all_ends_it_and_the_rest_is_named(mailroom: MailroomService) -> None:
    """The token is revoked in the middle of it; with a good one, the next run completes it."""
    name = "revoked"
    with opened(mailroom, mailroom.make_token(name, "draft")) as provider:
        outcomes = Editor(provider).desk(ENGLISH, PERSIAN, OTHER).draft()
        assert next(outcomes).text == f"{ENGLISH.key} handed in"
        mailroom.office.database.write(
            lambda connection: connection.execute("UPDATE api_tokens SET revoked = 1 WHERE name = ?", (name,))
        )
        failed, rest = outcomes
    assert "answered 401" in str(failed.error)
    assert "Set NEWSLETTER_TOKEN" in str(failed.error)
    assert "mailroom_" not in repr(failed)
    assert rest.text == f"not tried: {OTHER.key}"
    with opened(mailroom) as provider:
        assert Editor(provider).draft(ENGLISH, PERSIAN, OTHER) == [f"{one.key} handed in" for one in (PERSIAN, OTHER)]


def test_a_service_that_cannot_be_reached_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        api = f"http://127.0.0.1:{closed.getsockname()[1]}/mail/api/"
    provider = open_provider("mailroom", Access(api, Secret("token"), {}, "0a1b2c3d", sleep=lambda _: None))
    with pytest.raises(NewsletterError, match=r"mailroom about \S+: cannot be reached\. See whether it runs"):
        Editor(provider).plan(ENGLISH)


def test_two_runs_at_once_make_one_campaign(mailroom: MailroomService) -> None:
    said: list[str] = []

    def run() -> None:
        with opened(mailroom) as provider:
            said.extend(Editor(provider).draft(ENGLISH, PERSIAN))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(said) <= {f"{one.key} handed in" for one in (ENGLISH, PERSIAN)}
    found = Campaigns(mailroom.office.database, mailroom.office.clock).find()
    assert [(one.key, one.state) for one in found] == [(ENGLISH.key, "draft"), (PERSIAN.key, "draft")]


def test_a_second_run_on_the_same_machine_is_refused(tmp_path: Path) -> None:
    with only_one(tmp_path / "var"), pytest.raises(NewsletterError, match="Another"), only_one(tmp_path / "var"):
        pytest.fail("two at once")
    with only_one(tmp_path / "var"):
        pass


# send


def test_all_languages_of_a_post_start_together_once_their_pages_are_there(
    mailroom: MailroomService, editor: Editor
) -> None:
    editor.draft(ENGLISH, PERSIAN, OTHER)
    waiting, started = editor.send(ENGLISH, PERSIAN, OTHER, keys=[PERSIAN.key])
    assert editor.awaited == [ENGLISH.url, PERSIAN.url]
    assert waiting == "Waiting until 2 pages can be read as built."
    both = f"{ENGLISH.key} {PERSIAN.key}"
    assert re.fullmatch(
        rf"{both} started: no letter leaves before \S+ \d\d:\d\d UTC\. To stop: \./blog newsletter stop {both}", started
    )
    assert [letters(mailroom, one) for one in (ENGLISH, PERSIAN, OTHER)] == [2, 2, 0], "each reader gets one"
    day = (datetime.now(UTC) + timedelta(seconds=600)).date()
    submitted = f"already submitted (started {day}, held)"
    assert editor.plan(ENGLISH, PERSIAN, OTHER) == {
        ENGLISH.key: submitted,
        PERSIAN.key: submitted,
        OTHER.key: "draft, as composed",
    }


def test_what_was_started_is_not_started_again(mailroom: MailroomService, editor: Editor) -> None:
    editor.draft(ENGLISH)
    editor.send(ENGLISH, keys=[ENGLISH.key])
    mailroom.deliver(ENGLISH.key)
    editor.awaited.clear()
    said = editor.send(CHANGED, keys=[ENGLISH.key])
    assert len(said) == 1
    assert said[0].startswith(f"{ENGLISH.key} left as it is: already submitted (started ")
    assert said[0].endswith("), changed since")
    assert editor.awaited == []
    assert editor.draft(CHANGED) == []
    assert letters(mailroom, ENGLISH) == 3


def test_only_the_language_that_is_named(mailroom: MailroomService, editor: Editor) -> None:
    editor.draft(ENGLISH, PERSIAN)
    editor.send(ENGLISH, PERSIAN, keys=[PERSIAN.key], only=True)
    assert editor.awaited == [PERSIAN.url]
    assert (letters(mailroom, ENGLISH), letters(mailroom, PERSIAN)) == (0, 2)
    # A later start of the other goes to who has not had the post.
    said = editor.send(ENGLISH, PERSIAN, keys=[ENGLISH.key])
    assert said[0].startswith(f"{PERSIAN.key} left as it is: already submitted")
    assert letters(mailroom, ENGLISH) == 2


def test_several_posts_each_start_as_their_own_group(mailroom: MailroomService, editor: Editor) -> None:
    editor.draft(ENGLISH, PERSIAN, OTHER)
    said = editor.send(ENGLISH, PERSIAN, OTHER, keys=[OTHER.key, ENGLISH.key])
    assert said[0] == "Waiting until 3 pages can be read as built."
    assert [line.partition(" started")[0] for line in said[1:]] == [f"{ENGLISH.key} {PERSIAN.key}", OTHER.key]
    assert letters(mailroom, OTHER) == 3


def test_a_draft_that_differs_is_refused_and_nothing_starts(mailroom: MailroomService, editor: Editor) -> None:
    changed = compose(lang="fa", text="Something else.")
    editor.draft(ENGLISH, PERSIAN)
    with pytest.raises(NotReviewed, match=rf"^{PERSIAN.key} at mailroom is not what is composed now \(draft, to be b"):
        editor.send(ENGLISH, changed, keys=[ENGLISH.key])
    assert editor.awaited == []
    assert letters(mailroom, ENGLISH) == 0
    editor.send(ENGLISH, changed, keys=[ENGLISH.key], only=True)
    assert (letters(mailroom, ENGLISH), letters(mailroom, PERSIAN)) == (3, 0)


def test_a_draft_that_changes_while_pages_are_awaited_is_refused(mailroom: MailroomService, editor: Editor) -> None:
    editor.draft(ENGLISH)
    outcomes = editor.desk(ENGLISH).send([ENGLISH.key])
    next(outcomes)
    editor.draft(CHANGED)
    (failed,) = outcomes
    assert isinstance(failed.error, NotReviewed)
    assert letters(mailroom, ENGLISH) == 0


def test_a_language_that_was_not_handed_in_is_left_out_and_that_is_said(editor: Editor) -> None:
    editor.draft(ENGLISH)
    said = editor.send(ENGLISH, PERSIAN, keys=[ENGLISH.key])
    assert said[0] == f"{PERSIAN.key} left as it is: new: will be handed in"
    with pytest.raises(UnknownCampaign, match=rf"{PERSIAN.key} is not at mailroom: it has not been handed in"):
        editor.send(ENGLISH, PERSIAN, keys=[PERSIAN.key])
    with pytest.raises(UnknownCampaign, match=r"There is no campaign en-0\. `./blog newsletter plan` lists them"):
        editor.send(ENGLISH, keys=["en-0"])


def test_nothing_starts_before_its_page_is_there(mailroom: MailroomService, editor: Editor) -> None:
    editor.draft(ENGLISH, OTHER)
    editor.missing = PageNotLive("The page is not there", "Publish it.")
    with pytest.raises(PageNotLive):
        editor.send(ENGLISH, OTHER, keys=[ENGLISH.key, OTHER.key])
    assert (letters(mailroom, ENGLISH), letters(mailroom, OTHER)) == (0, 0)


def test_a_token_that_may_only_draft_starts_nothing_and_its_scope_is_named(mailroom: MailroomService) -> None:
    with opened(mailroom, mailroom.make_token("night", "draft")) as provider:
        editor = Editor(provider)
        editor.draft(ENGLISH)
        _, failed = editor.send(ENGLISH, keys=[ENGLISH.key])
    assert "The token night may not do this: its scope is draft" in failed
    assert letters(mailroom, ENGLISH) == 0


# after a deployment


def test_what_is_new_is_started_after_its_deployment_and_what_lay_there_is_not(
    mailroom: MailroomService, editor: Editor
) -> None:
    editor.draft(ENGLISH)
    handed_in = [one.text for one in editor.desk(ENGLISH, OTHER).push(send=True)]
    assert handed_in[:2] == ["Waiting until a page can be read as built.", f"{OTHER.key} handed in"]
    assert handed_in[-1].startswith(f"{OTHER.key} started")
    assert editor.awaited == [OTHER.url] * 2
    assert (letters(mailroom, ENGLISH), letters(mailroom, OTHER)) == (0, 3)
    assert list(editor.desk(ENGLISH, OTHER).push(send=True)) == []
    assert [one.text for one in editor.desk(CHANGED, OTHER).push(send=False)][1:] == [
        f"{ENGLISH.key} brought up to date"
    ]
    assert letters(mailroom, ENGLISH) == 0


def test_nothing_is_started_when_something_could_not_be_handed_in(mailroom: MailroomService, editor: Editor) -> None:
    outcomes = list(editor.desk(ENGLISH, compose(lang="tlh")).push(send=True))
    assert [bool(one.error) for one in outcomes] == [False, False, True]
    assert letters(mailroom, ENGLISH) == 0


# what editors change


@pytest.mark.parametrize("state", ["draft", "started"])
@pytest.mark.parametrize(
    "change",
    [
        {"title": "Another title", "subject": "Another title"},
        {"url": "https://news.example/en/a-corrected-slug/"},
        {"url": "https://mirror.example/en/leaving/", "html": '<a href="https://mirror.example/en/leaving/">x</a>'},
    ],
    ids=["title", "slug", "SITEURL"],
)
def test_what_is_changed_mails_nothing_again(editor: Editor, change: dict[str, Any], state: str) -> None:
    editor.draft(ENGLISH)
    if state == "started":
        editor.send(ENGLISH, keys=[ENGLISH.key])
    (reason,) = editor.plan(replace(ENGLISH, **change)).values()
    if state == "started":
        assert reason.startswith("already submitted (started ")
        assert reason.endswith(", held), changed since")
    else:
        assert reason == "draft, to be brought up to date"


@pytest.mark.parametrize("state", ["draft", "started"])
def test_a_renamed_file_that_states_its_former_key_mails_nothing_again(
    mailroom: MailroomService, editor: Editor, state: str
) -> None:
    renamed = replace(compose("left", text="Renamed."), former=("en-0000000000000000", ENGLISH.key))
    editor.draft(ENGLISH)
    if state == "started":
        editor.send(ENGLISH, keys=[ENGLISH.key])
        assert editor.plan(renamed)[ENGLISH.key].startswith("already submitted (started ")
        assert editor.draft(renamed) == []
        return
    assert editor.plan(renamed) == {ENGLISH.key: "draft, to be brought up to date"}
    assert editor.draft(renamed) == [f"{ENGLISH.key} brought up to date"]
    assert editor.send(renamed, keys=[renamed.key])[1].startswith(f"{ENGLISH.key} started")
    assert letters(mailroom, ENGLISH) == 3


def test_of_two_keys_the_started_one_counts_and_the_other_draft_is_withdrawn(editor: Editor) -> None:
    """The file was renamed, and mailed before somebody stated its former key."""
    editor.draft(ENGLISH)
    renamed = compose("left")
    editor.draft(ENGLISH, renamed)
    editor.send(renamed, keys=[renamed.key])
    found = replace(ENGLISH, former=(renamed.key,))
    assert editor.plan(found) == {
        renamed.key: f"already submitted (started {(datetime.now(UTC) + timedelta(seconds=600)).date()}, held)"
        + ("" if found.digest == renamed.digest else ", changed since"),
        ENGLISH.key: "composed no longer: to be withdrawn",
    }
    assert editor.draft(found) == [f"{ENGLISH.key} withdrawn"]


# stop, again, corrections


def test_what_has_not_left_is_stopped_and_stays_so(editor: Editor) -> None:
    editor.draft(ENGLISH)
    assert editor.desk(ENGLISH).stop(ENGLISH.key) == f"{ENGLISH.key} is a draft: no letter leaves"
    editor.send(ENGLISH, keys=[ENGLISH.key])
    assert editor.desk().stop(ENGLISH.key) == f"{ENGLISH.key} stopped (letters: 3 dropped)"
    assert editor.desk().stop(ENGLISH.key) == f"{ENGLISH.key} stopped (letters: 3 dropped)"
    assert editor.plan(ENGLISH) == {ENGLISH.key: "stopped"}
    assert editor.plan(CHANGED) == {ENGLISH.key: "stopped, changed since"}
    assert editor.draft(CHANGED) == []
    with pytest.raises(NewsletterError, match=f"^{ENGLISH.key} is not started: stopped"):
        editor.send(ENGLISH, keys=[ENGLISH.key])
    with pytest.raises(UnknownCampaign, match="mailroom has no campaign en-0"):
        editor.desk().stop("en-0")


def test_a_renamed_file_s_campaign_is_stopped_by_its_new_key(editor: Editor) -> None:
    editor.draft(ENGLISH)
    editor.send(ENGLISH, keys=[ENGLISH.key])
    renamed = replace(compose("left"), former=(ENGLISH.key,))
    assert editor.desk(renamed).stop(renamed.key).startswith(f"{ENGLISH.key} stopped")


def test_a_stopped_letter_goes_out_again_on_purpose_alone(mailroom: MailroomService, editor: Editor) -> None:
    editor.draft(ENGLISH)
    with pytest.raises(NewsletterError, match=f"{ENGLISH.key} was not stopped: draft, as composed"):
        editor.draft(ENGLISH, again=[ENGLISH.key])
    editor.send(ENGLISH, keys=[ENGLISH.key])
    editor.desk().stop(ENGLISH.key)
    (failed,) = editor.draft(ENGLISH, again=[ENGLISH.key])
    assert "stopped with this content" in failed
    assert editor.draft(CHANGED, again=[ENGLISH.key]) == [f"{ENGLISH.key} handed in again"]
    assert editor.send(CHANGED, keys=[ENGLISH.key])[1].startswith(f"{ENGLISH.key} started")
    assert letters(mailroom, ENGLISH) == 3


def correct(day: date = TODAY, **given: Any) -> Campaign:
    key = make_key("desk", "correction", f"leaving {day}", "en")
    return compose(kind="correction", key=key, corrects=ENGLISH.key, day=day, text="What was wrong.", **given)


def test_a_correction_goes_to_whoever_was_sent_the_first_letter(mailroom: MailroomService, editor: Editor) -> None:
    correction = correct(TODAY + timedelta(1))
    not_sent = "correction: the first letter has not been sent: nothing to correct"
    assert editor.plan(CHANGED, correction)[correction.key] == not_sent
    editor.draft(ENGLISH)
    assert editor.plan(CHANGED, correction)[correction.key] == not_sent
    editor.send(ENGLISH, keys=[ENGLISH.key])
    held = f"correction: the first letter leaves soon: stop {ENGLISH.key}, or wait until it has left"
    assert editor.plan(CHANGED, correction)[correction.key] == held
    mailroom.deliver(ENGLISH.key)
    add_readers(mailroom.office, [{"langs": "en"}])
    assert editor.plan(CHANGED, correction)[correction.key] == "new: will be handed in"
    assert editor.draft(CHANGED, correction) == [f"{correction.key} handed in"]
    _, started = editor.send(CHANGED, correction, keys=[correction.key])
    assert started.startswith(f"{correction.key} started")
    assert letters(mailroom, correction) == 3


def test_whoever_got_the_letter_with_its_correction_needs_no_second(mailroom: MailroomService, editor: Editor) -> None:
    with_it = "correction: the first letter was sent with it: nothing to correct"
    editor.draft(CHANGED)
    editor.send(CHANGED, keys=[CHANGED.key])
    mailroom.deliver(CHANGED.key)
    same_day, before = correct(), correct(TODAY - timedelta(2))
    assert editor.plan(CHANGED, same_day)[same_day.key] == with_it
    started = (datetime.now(UTC) + timedelta(seconds=600)).date()
    assert editor.plan(compose(text="Yet another."), before)[before.key] == (
        f"correction: the first letter was started later ({started}, UTC): nothing to correct; "
        "if it was wrong, date the correction that day"
    )


def test_a_retraction_is_never_taken_for_sent(mailroom: MailroomService, editor: Editor) -> None:
    """It says a day before the letter was started, and a letter that says it is never composed."""
    editor.draft(ENGLISH)
    editor.send(ENGLISH, keys=[ENGLISH.key])
    mailroom.deliver(ENGLISH.key)
    retraction = correct(TODAY - timedelta(2))
    assert editor.plan(retraction) == {retraction.key: "new: will be handed in"}


def test_an_article_is_corrected_though_the_digest_has_not_changed() -> None:
    week = compose("2026-W46", kind="digest")
    shelf = Shelf(frozenset({"correction"}))
    shelf.kept[week.key] = Submitted(week.key, "sent", week.digest, started=TODAY - timedelta(1))
    correction = replace(correct(), corrects=week.key)
    assert Editor(shelf).plan(week, correction)[correction.key] == "new: will be handed in"


def test_a_correction_goes_before_what_goes_out_again(mailroom: MailroomService, editor: Editor) -> None:
    """Afterwards nobody would know who had the wrong letter, and they would not be told."""
    editor.settings["hold"] = 0
    editor.draft(ENGLISH)
    editor.send(ENGLISH, keys=[ENGLISH.key])
    (reader, *_) = mailroom.office.database.read("SELECT subscription FROM letters WHERE campaign = ?", (ENGLISH.key,))
    set_letters(mailroom.office, ENGLISH.key, "sent", reader[0])
    editor.desk().stop(ENGLISH.key)
    correction = correct(TODAY + timedelta(1))
    for _ in ("new", "a draft"):
        with pytest.raises(NewsletterError, match="have left, and their correction has not been sent"):
            editor.draft(CHANGED, correction, again=[ENGLISH.key])
        editor.draft(CHANGED, correction)
    editor.send(CHANGED, correction, keys=[correction.key])
    assert editor.draft(CHANGED, correction, again=[ENGLISH.key]) == [f"{ENGLISH.key} handed in again"]
    assert editor.draft() == [f"{ENGLISH.key} withdrawn"]
    assert editor.plan(CHANGED)[ENGLISH.key] == "stopped"


def test_nobody_is_told_what_was_wrong_with_a_letter_that_nobody_has(editor: Editor) -> None:
    editor.draft(ENGLISH)
    editor.send(ENGLISH, keys=[ENGLISH.key])
    editor.desk().stop(ENGLISH.key)
    correction = correct(TODAY + timedelta(1))
    nobody = "correction: no letter had left when the first was stopped: nothing to correct"
    assert editor.plan(CHANGED, correction)[correction.key] == nobody
    assert editor.draft(CHANGED, correction, again=[ENGLISH.key]) == [f"{ENGLISH.key} handed in again"]


def test_a_correction_of_a_renamed_file_s_letter_names_the_key_that_was_sent(
    mailroom: MailroomService, editor: Editor
) -> None:
    editor.draft(ENGLISH)
    editor.send(ENGLISH, keys=[ENGLISH.key])
    mailroom.deliver(ENGLISH.key)
    renamed = replace(compose("left"), former=(ENGLISH.key,))
    correction = correct(TODAY + timedelta(1), post=ENGLISH.post)
    correction = replace(correction, corrects=renamed.key)
    editor.draft(renamed, correction)
    editor.send(renamed, correction, keys=[correction.key])
    assert letters(mailroom, correction) == 3
    submitted = editor.plan(renamed, correction)[correction.key]
    assert submitted.startswith("already submitted")
    assert submitted.endswith("held)"), "nothing has changed since"


def test_corrections_of_two_days_are_two_groups(mailroom: MailroomService, editor: Editor) -> None:
    editor.draft(ENGLISH)
    editor.send(ENGLISH, keys=[ENGLISH.key])
    mailroom.deliver(ENGLISH.key)
    first, second = correct(TODAY + timedelta(1)), correct(TODAY + timedelta(2))
    editor.draft(CHANGED, first, second)
    editor.send(CHANGED, first, second, keys=[first.key])
    assert (letters(mailroom, first), letters(mailroom, second)) == (3, 0)


# test letters


def test_a_test_letter_goes_to_an_editor_alone(mailroom: MailroomService, editor: Editor) -> None:
    with pytest.raises(UnknownCampaign, match=f"There is no draft {ENGLISH.key}: new: will be handed in"):
        editor.desk(ENGLISH).test(ENGLISH.key, EDITOR)
    editor.draft(ENGLISH)
    said = editor.desk(ENGLISH).test(ENGLISH.key, EDITOR)
    assert said == f"{ENGLISH.key} goes to that address, and to nobody else"
    tests = mailroom.office.database.read("SELECT count(*) FROM letters WHERE kind = 'test'")
    assert tests[0][0] == 1
    with pytest.raises(Rejected, match="none of an editor's") as refused:
        editor.desk(ENGLISH).test(ENGLISH.key, "somebody@elsewhere.example")
    assert "somebody" not in str(refused.value)
    with pytest.raises(NotReviewed):
        editor.desk(CHANGED).test(ENGLISH.key, EDITOR)


# another service


def test_what_the_service_before_has_had_is_not_handed_in(mailroom: MailroomService, tmp_path: Path) -> None:
    with serving_mailroom(tmp_path / "new") as new, opened(mailroom) as former, opened(new) as provider:
        before = Editor(former)
        before.draft(ENGLISH, PERSIAN, OTHER)
        before.send(ENGLISH, PERSIAN, keys=[ENGLISH.key], only=True)
        before.send(PERSIAN, keys=[PERSIAN.key])
        before.desk().stop(PERSIAN.key)
        editor = Editor(provider, former)
        plan = editor.plan(ENGLISH, PERSIAN, OTHER)
        assert plan[ENGLISH.key].startswith("already submitted to mailroom (started ")
        assert plan[PERSIAN.key] == "stopped at mailroom"
        assert plan[OTHER.key] == "new: will be handed in"
        assert editor.draft(ENGLISH, PERSIAN, OTHER) == [f"{OTHER.key} handed in"]
        (said,) = editor.send(ENGLISH, keys=[ENGLISH.key])
        assert "left as it is: already submitted to mailroom" in said
        correction = correct(TODAY + timedelta(1))
        reason = editor.plan(CHANGED, correction)[correction.key]
        assert reason == "the first letter was sent by mailroom, which alone can correct it"


def test_a_draft_of_what_the_service_before_has_had_is_withdrawn(mailroom: MailroomService, tmp_path: Path) -> None:
    with serving_mailroom(tmp_path / "new") as new, opened(mailroom) as former, opened(new) as provider:
        Editor(former).draft(ENGLISH)
        Editor(former).send(ENGLISH, keys=[ENGLISH.key])
        Editor(provider).draft(ENGLISH)
        assert Editor(provider, former).draft(ENGLISH) == [f"{ENGLISH.key} withdrawn"]


@dataclass
class Shelf:
    """A service that can do nothing of what is not everywhere, and refuses no second campaign."""

    features: frozenset[Feature] = frozenset()
    name: str = "shelf"
    kept: dict[str, Submitted] = field(default_factory=dict)
    started: list[tuple[list[str], int]] = field(default_factory=list)

    def find(self, key: str) -> Submitted | None:
        return self.kept.get(key)

    def drafts(self) -> Iterable[Submitted]:
        return [one for one in self.kept.values() if one.state == "draft"]

    def submit(self, campaign: Campaign, *, again: bool = False) -> Submitted:
        assert not again
        return self.kept.setdefault(campaign.key, Submitted(campaign.key, "draft"))

    def start(self, group: Sequence[Campaign], hold: int) -> list[Submitted]:
        self.started.append(([one.key for one in group], hold))
        return []

    def stop(self, key: str) -> Submitted:
        return replace(self.kept[key], state="draft")

    def withdraw(self, key: str) -> None:
        del self.kept[key]

    def test(self, campaign: Campaign, address: str) -> None:
        raise AssertionError(campaign, address)

    def close(self) -> None:
        pass


def test_what_a_service_cannot_do_is_said() -> None:
    editor = Editor(Shelf(), settings={"lists": {"en": "1"}})
    correction = correct()
    assert editor.plan(ENGLISH, correction) == {
        ENGLISH.key: "new: will be handed in",
        correction.key: "shelf cannot send a correction to whoever was sent the first letter",
    }
    assert editor.draft(ENGLISH, correction) == [f"{ENGLISH.key} handed in"]
    assert editor.plan(ENGLISH) == {ENGLISH.key: "draft, to be brought up to date"}, "it does not tell of what"
    said = editor.send(ENGLISH, keys=[ENGLISH.key])
    assert said[1] == f"{ENGLISH.key} started: letters leave now. They cannot be stopped."
    assert editor.provider.started == [([ENGLISH.key], 0)]  # type: ignore[attr-defined]


def test_what_could_be_unscheduled_is_a_draft_again() -> None:
    shelf = Shelf()
    shelf.kept[ENGLISH.key] = Submitted(ENGLISH.key, "scheduled")
    said = Editor(shelf).desk().stop(ENGLISH.key)
    again = "it is a draft again, no letter has left (`send` starts it with its post)"
    assert said == f"{ENGLISH.key} stopped: {again}"


def test_two_campaigns_of_one_key_are_named_and_neither_is_started() -> None:
    shelf = Shelf()
    editor = Editor(shelf)
    shelf.kept[ENGLISH.key] = Submitted(ENGLISH.key, "draft", ENGLISH.digest, copies=2)
    assert editor.plan(ENGLISH) == {ENGLISH.key: "two campaigns have this key: delete all but one at shelf"}
    assert editor.draft(ENGLISH) == []
    with pytest.raises(AmbiguousCampaign, match=f"2 campaigns at shelf have the key {ENGLISH.key}"):
        editor.send(ENGLISH, keys=[ENGLISH.key])
    editor.draft(PERSIAN, ENGLISH)
    assert f"{ENGLISH.key} left as it is: two campaigns have this key: delete all but one at shelf" in editor.send(
        ENGLISH, PERSIAN, keys=[PERSIAN.key]
    )
    assert shelf.started == [([PERSIAN.key], 0)]


def test_of_two_campaigns_of_one_key_a_started_one_must_not_be_deleted() -> None:
    """Then the other would go out, to the same readers."""
    shelf = Shelf()
    shelf.kept[ENGLISH.key] = Submitted(ENGLISH.key, "sending", ENGLISH.digest, copies=2)
    said = "two campaigns have this key: delete all but the one that was started at shelf"
    assert Editor(shelf).plan(ENGLISH) == {ENGLISH.key: said}


def test_what_was_started_before_a_failure_is_not_said_to_have_failed() -> None:
    with FakeListmonk() as service:
        access = Access(service.api, Secret(service.token), service.lists, "0a1b2c3d", sleep=lambda _: None)
        with closing(open_provider("listmonk", access)) as provider:
            editor = Editor(provider)
            editor.draft(ENGLISH, PERSIAN)
            service.fail(Fault.BROKEN, 2, times=None, when=lambda request: request.path.endswith("/status"))
            failed = editor.send(ENGLISH, PERSIAN, keys=[ENGLISH.key])[-1]
            assert failed.startswith(f"{ENGLISH.key} {PERSIAN.key} failed (whether any was started, `plan` shows): ")


def test_a_letter_of_the_week_is_left_to_the_service_that_composes_it(editor: Editor) -> None:
    week = compose("2026-W47", kind="digest")
    said = "mailroom composes the letter of the week itself: NEWSLETTER_DIGEST must be False"
    assert editor.plan(week) == {week.key: said}
    assert editor.draft(week) == []
