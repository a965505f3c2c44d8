"""The list outgrows one machine: from the mailroom to listmonk, and nobody gets a post twice."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests
from newsletter.providers import Access, open_provider
from newsletter.settings import Secret

from tests.mailroom.offices import run_command, subscribe
from tests.newsletter.contract import SITE, make_campaign
from tests.newsletter.desks import Editor, opened
from tests.newsletter.fake_listmonk import FakeListmonk
from tests.newsletter.mailrooms import MailroomService, serving_mailroom
from tests.newsletter.real_listmonk import HERE, RealListmonk

PEOPLE = {"en": ["reader-1@mail.test", "reader-2@mail.test"], "fa": ["reader-3@mail.test"]}
OLD = [make_campaign(lang, identity="old", post="0" * 16) for lang in PEOPLE]
NEW = [make_campaign(lang, identity="new", post="1" * 16) for lang in PEOPLE]
SERVICES = {"fake": FakeListmonk} | ({"real": RealListmonk} if HERE else {})


@pytest.fixture
def mailroom(tmp_path: Path) -> Iterator[MailroomService]:
    """A mailroom whose readers have had the old post."""
    with serving_mailroom(tmp_path) as service:
        service.office.database.write(lambda connection: connection.execute("DELETE FROM subscriptions"))
        for lang, addresses in PEOPLE.items():
            subscribe(service.office, *addresses, lang=lang)
        with opened(service) as provider:
            editor = Editor(provider)
            editor.draft(*OLD)
            editor.send(*OLD, keys=[OLD[0].key])
        service.deliver(OLD[0].key)
        service.deliver(OLD[1].key)
        yield service


@pytest.fixture(params=SERVICES)
def listmonk(request: pytest.FixtureRequest) -> Iterator[FakeListmonk | RealListmonk]:
    with SERVICES[request.param]() as service:
        yield service
        service.reset()


def import_at(service: FakeListmonk | RealListmonk, file: Path, number: int) -> None:
    """As listmonk's own page does it, with "confirmed" and without "overwrite", which would bring back who has left."""
    wishes = {
        "mode": "subscribe",
        "subscription_status": "confirmed",
        "delim": ",",
        "lists": [number],
        "overwrite": False,
    }
    address, headers = f"{service.api}import/subscribers", {"Authorization": f"token {service.token}"}
    parts: dict[str, tuple[str | None, bytes]] = {"params": (None, json.dumps(wishes).encode())}
    parts["file"] = ("list.csv", file.read_bytes())
    requests.post(address, files=parts, headers=headers, timeout=20).raise_for_status()
    while requests.get(address, headers=headers, timeout=20).json()["data"]["status"] == "importing":
        time.sleep(0.2)
    requests.delete(address, headers=headers, timeout=20)


def test_moving_to_listmonk(mailroom: MailroomService, listmonk: FakeListmonk | RealListmonk, tmp_path: Path) -> None:
    for lang, number in listmonk.lists.items():
        file = tmp_path / f"{lang}.csv"
        words = ("export", file, "--for", "listmonk", "--lang", lang, "--plaintext")
        assert run_command(tmp_path, *words, MAILROOM_DEVELOPMENT="yes") == 0
        import_at(listmonk, file, int(number))

    access = Access(listmonk.api, Secret(listmonk.token), listmonk.lists, SITE)
    with opened(mailroom) as former, closing(open_provider("listmonk", access)) as provider:
        editor = Editor(provider, former, {"lists": listmonk.lists})
        plan = editor.plan(*NEW, *OLD)
        assert all(plan[each.key].startswith("already submitted to mailroom (started ") for each in OLD)
        assert {plan[each.key] for each in NEW} == {"new: will be handed in"}
        editor.draft(*NEW, *OLD)
        editor.send(*NEW, *OLD, keys=[NEW[0].key])
        drafts = {each.key: provider.find(each.key) for each in NEW}
        assert all(found and found.is_started for found in drafts.values())
        assert not any(listmonk.campaigns(each.key) for each in OLD)
        assert editor.draft(*NEW, *OLD) == []

        alone = Editor(provider, None, {"lists": listmonk.lists})
        assert {alone.plan(*NEW, *OLD)[each.key] for each in OLD} == {"new: will be handed in"}, "NEWSLETTER_FORMER_…"

    for each in NEW:
        listmonk.deliver(each.key)
        assert listmonk.starts(each.key) == 1
    if isinstance(listmonk, FakeListmonk):
        expected = {(who, each.key) for each in NEW for who in PEOPLE[each.lang]}
        assert Counter(listmonk.delivered) == Counter(expected)
