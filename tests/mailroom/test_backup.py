"""Backups: whole, sealed, without keys; and nobody is written to because of one who should not be."""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyrage
import pytest

from mailroom.campaigns.campaigns import Campaigns
from mailroom.campaigns.digests import Digests
from mailroom.clock import DAY
from mailroom.delivery.queue import Queue
from mailroom.errors import (
    CampaignClosed,
    ConfigurationError,
    DiskFull,
    DraftChanged,
    ExpiredToken,
    SchemaOutdated,
    StoreDamaged,
    StoreError,
    WrongKey,
)
from mailroom.office import Office, open_office
from mailroom.people.requests import Request
from mailroom.settings import Settings
from mailroom.store.backup import Restored, back_up
from mailroom.store.backup import restore as restore_backup
from mailroom.store.facts import DELIVERY, LAST_BACKUP, fact, set_fact
from mailroom.store.keyring import load_keyring, make_keyring, save_keyring, write_keyring
from mailroom.store.rotation import rotate_data
from mailroom.store.sealing import read_identity
from tests.mailroom.offices import (
    AgeKey,
    Watch,
    ask,
    count,
    identity_of,
    make_age_key,
    make_settings,
    new_office,
    subscribe,
)
from tests.mailroom.readers import draft, start

ROOT = Path(__file__).resolve().parents[2]
READERS = [f"reader-{number}@example.org" for number in range(8)]


@pytest.fixture(scope="module")
def age_key() -> AgeKey:
    return make_age_key()


@pytest.fixture
def settings(tmp_path: Path, age_key: AgeKey) -> Settings:
    return make_settings(tmp_path, backup_recipient=age_key.recipient)


@pytest.fixture
def office(settings: Settings, watch: Watch) -> Iterator[Office]:
    with new_office(settings, watch) as opened:
        yield opened


def start_campaign(office: Office, identities: list[bytes]) -> None:
    """A campaign with a letter in each state for the first readers, the rest pending."""
    states = ["sent", "claimed", "sending", "deferred"]
    states += ["pending"] * (len(identities) - len(states))
    now = int(office.clock.now())

    def work(connection: sqlite3.Connection) -> None:
        connection.execute(
            "INSERT INTO campaigns (key, kind, lang, post, digest, content, state, created)"
            " VALUES ('post-en', 'post', 'en', 'post', '', '{}', 'started', 1)"
        )
        for identity, state in zip(identities, states, strict=True):
            connection.execute(
                "INSERT INTO letters (id, kind, campaign, subscription, lang, state, due, first_due, day)"
                " VALUES (?, 'campaign', 'post-en', ?, 'en', ?, ?, ?, 1)",
                (os.urandom(8), identity, state, now, now),
            )
            connection.execute("INSERT INTO received VALUES (?, 'post', 'post-en')", (identity,))

    office.database.write(work)


def finish_campaign(office: Office) -> None:
    def work(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE letters SET state = 'sent', due = 0, first_due = 0")
        connection.execute("UPDATE campaigns SET state = 'finished'")

    office.database.write(work)


def restore(office: Office, backup: Path, age_key: AgeKey, *, replace: bool = True) -> Restored:
    """Close the office and restore; the caller opens it anew."""
    office.close()
    ring = load_keyring(Path(office.settings.key))
    identity = read_identity(age_key.identity)
    return restore_backup(office.settings, ring, office.clock, backup, identity, replace=replace)


def claimed(office: Office) -> int:
    """How many letters a worker would take, if delivery were on and the campaign started again."""

    def work(connection: sqlite3.Connection) -> None:
        set_fact(connection, DELIVERY, "on")
        connection.execute("UPDATE campaigns SET state = 'started'")

    office.database.write(work)
    queue = Queue(office.database, office.vault, office.journal, office.clock)
    queue.recover()
    return len(queue.claim(1000, lists=1000))


# Writing one


def test_a_backup_holds_everything_and_is_sealed_as_a_whole(office: Office, tmp_path: Path, age_key: AgeKey) -> None:
    identities = subscribe(office, *READERS)
    office.subscriptions.unsubscribe(identities[0])
    backup = back_up(office.settings, office.clock, tmp_path / "a.age")
    content = backup.read_bytes()
    assert content.startswith(b"age-encryption.org/v1\n-> X25519 ")
    assert backup.stat().st_mode & 0o777 == 0o600
    opened = pyrage.decrypt(content, [read_identity(age_key.identity)])
    assert opened.startswith(b"SQLite format 3\0")
    (tmp_path / "opened.db").write_bytes(opened)
    database = sqlite3.connect(tmp_path / "opened.db")
    assert database.execute("SELECT count(*) FROM subscriptions").fetchone() == (len(READERS),)
    assert database.execute("SELECT content FROM journal").fetchone() == (office.journal.read(),)
    database.close()
    for line in write_keyring(office.ring).splitlines()[2:]:
        assert line.split()[2].encode() not in opened, "no key goes along"
    with office.database.snapshot() as connection:
        assert fact(connection, LAST_BACKUP) == str(office.clock.today())


def test_nothing_unsealed_stays_beside_the_data(office: Office, tmp_path: Path) -> None:
    subscribe(office, *READERS)
    before = sorted(office.settings.data.iterdir())
    (office.settings.data / ".backup").mkdir()
    (office.settings.data / ".backup" / "left-by-a-kill").write_text("x")
    back_up(office.settings, office.clock, tmp_path)
    assert sorted(office.settings.data.iterdir()) == before
    assert [path.name for path in tmp_path.glob("*.age")] == ["mailroom-2025-11-08-120000.age"]


def test_a_backup_needs_no_key_and_takes_an_older_version(office: Office, tmp_path: Path) -> None:
    office.database.write(lambda connection: connection.execute("PRAGMA user_version = 0"))
    office.close()
    Path(office.settings.key).unlink()
    assert back_up(office.settings, office.clock, tmp_path / "a.age").exists()


def test_a_backup_can_be_made_while_others_write(office: Office, tmp_path: Path, age_key: AgeKey) -> None:
    futures = [office.database.submit(lambda c, n=number: set_fact(c, f"n{n}", "1")) for number in range(500)]  # type: ignore[misc]
    backup = back_up(office.settings, office.clock, tmp_path / "a.age")
    for future in futures:
        future.result()
    assert pyrage.decrypt(backup.read_bytes(), [read_identity(age_key.identity)])


@pytest.mark.parametrize("recipient", ["", "age1notarecipient"])
def test_without_a_recipient_there_is_no_backup(office: Office, tmp_path: Path, recipient: str) -> None:
    with pytest.raises(ConfigurationError, match="MAILROOM_BACKUP_RECIPIENT"):
        back_up(replace(office.settings, backup_recipient=recipient), office.clock, tmp_path / "a.age")
    assert list(tmp_path.glob("*.age*")) == []


def test_a_damaged_database_does_not_take_the_place_of_a_good_backup(office: Office, tmp_path: Path) -> None:
    subscribe(office, *READERS)
    backup = back_up(office.settings, office.clock, tmp_path / "a.age")
    good = backup.read_bytes()
    root = office.database.read("SELECT rootpage FROM sqlite_master WHERE name = 'subscriptions'")[0][0]
    office.close()
    with office.settings.database.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(os.urandom(4096))
    with pytest.raises(StoreDamaged):
        back_up(office.settings, office.clock, backup)
    assert backup.read_bytes() == good
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.age", "var"]


FULL = """
import resource, sys
from pathlib import Path
from mailroom.clock import Clock
from mailroom.errors import DiskFull
from mailroom.store.backup import back_up
from tests.mailroom.offices import make_settings
settings = make_settings(Path(sys.argv[1]), backup_recipient=sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    back_up(settings, Clock(), Path(sys.argv[4]))
except DiskFull as error:
    print(error.remedy)
"""


def test_a_full_disk_is_named_and_leaves_the_backup_that_was_there(
    office: Office, tmp_path: Path, age_key: AgeKey
) -> None:
    subscribe(office, *(f"reader-{number}@example.org" for number in range(200)))
    target = back_up(office.settings, office.clock, tmp_path / "a.age")
    size = len(pyrage.decrypt(target.read_bytes(), [read_identity(age_key.identity)]))
    target.write_text("the last one")
    for limit in (size // 2, size):  # the copy does not fit; what it is sealed into does not
        done = subprocess.run(
            [sys.executable, "-c", FULL, tmp_path, age_key.recipient, str(limit), target],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert "Make room" in done.stdout, (limit, size)
        assert target.read_text() == "the last one"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a.age", "var"]


# Going on from one


def test_after_a_restore_in_mid_campaign_nobody_gets_anything(
    office: Office, settings: Settings, watch: Watch, tmp_path: Path, age_key: AgeKey
) -> None:
    identities = subscribe(office, *READERS)
    office.requests.store(Request("subscribe", "en", "undecided@example.org"))
    ask(office, "unconfirmed@example.org")
    office.requests.store(Request("subscribe", "en", "undecided@example.org"))
    start_campaign(office, identities)
    backup = back_up(settings, office.clock, tmp_path / "a.age")
    finish_campaign(office)
    watch.pass_(DAY)
    office.subscriptions.unsubscribe(identities[5])
    office.subscriptions.erase(identities[6])
    done = restore(office, backup, age_key)
    assert (done.subscribers, done.left, done.paused) == (len(READERS) - 2, 2, 1)

    with open_office(settings, clock=watch.clock()) as again:
        with again.database.snapshot() as connection:
            assert fact(connection, DELIVERY) == "off"
        assert count(again, "letters", "state = 'sent'") == 1
        # Of the campaign's eight, one had been sent and one is erased; of ten confirmations, one is.
        assert count(again, "letters", "state = 'unknown'") == 6 + 9 == done.unknown
        assert count(again, "letters", "state NOT IN ('sent', 'unknown')") == 0
        assert count(again, "campaigns", "state = 'paused'") == 1
        assert count(again, "requests") == 0
        assert count(again, "subscriptions", "id = x'" + identities[6].hex() + "'") == 0
        assert count(again, "letters", "subscription = x'" + identities[6].hex() + "'") == 0
        assert count(again, "subscriptions", "state = 'unsubscribed' AND address IS NULL") == 1
        assert count(again, "received") == len(READERS) - 2
        assert count(again, "suppressions") == 2
        with pytest.raises(ExpiredToken):
            again.subscriptions.record(identities[5])
        assert claimed(again) == 0


def test_a_digest_that_went_out_since_is_not_sent_again_by_itself(
    office: Office, settings: Settings, watch: Watch, tmp_path: Path, age_key: AgeKey
) -> None:
    identities = subscribe(office, *READERS)
    start_campaign(office, identities)
    finish_campaign(office)

    def read_weekly(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM letters")
        connection.execute("DELETE FROM received")
        connection.execute("UPDATE subscriptions SET rhythm = 'weekly'")
        connection.execute("UPDATE campaigns SET started = ?", (office.clock.today(),))

    office.database.write(read_weekly)
    backup = back_up(settings, office.clock, tmp_path / "a.age")
    watch.pass_(DAY)
    assert Digests(office.database, office.clock, settings.digest).make_due() == len(READERS)
    done = restore(office, backup, age_key)
    assert (done.unknown, done.paused) == (len(READERS), 1)

    with open_office(settings, clock=watch.clock()) as again:
        again.database.write(lambda connection: set_fact(connection, DELIVERY, "on"))
        assert Digests(again.database, again.clock, settings.digest).make_due() is None
        [digest] = Campaigns(again.database, again.clock).find(state="paused")
        assert Campaigns(again.database, again.clock).resend_unknown(digest.key) == len(READERS)


def test_a_draft_that_may_have_been_started_since_is_neither_handed_in_nor_started_again(
    office: Office, settings: Settings, watch: Watch, tmp_path: Path, age_key: AgeKey
) -> None:
    subscribe(office, READERS[0])
    key = draft(office, "en")
    backup = back_up(settings, office.clock, tmp_path / "a.age")
    start(office, key)
    done = restore(office, backup, age_key)
    assert (done.paused, done.stopped) == (0, (key,))

    with open_office(settings, clock=watch.clock()) as again:
        again.database.write(lambda connection: set_fact(connection, DELIVERY, "on"))
        with pytest.raises(CampaignClosed, match="has been stopped"):
            draft(again, "en")
        with pytest.raises(CampaignClosed, match="has been stopped"):
            start(again, key)
        with pytest.raises(DraftChanged):
            start(again, key, version=2)
        assert Campaigns(again.database, again.clock).get(key).state == "stopped"
        assert count(again, "letters", "campaign = 'en-post'") == 0
        start(again, draft(again, "en", version=2), version=2)  # somebody has decided that it is to go out
        assert count(again, "letters", "campaign = 'en-post'") == 1


def test_the_journal_in_the_backup_does_where_the_machine_is_lost(
    office: Office, watch: Watch, tmp_path: Path, age_key: AgeKey
) -> None:
    identities = subscribe(office, *READERS)
    office.subscriptions.unsubscribe(identities[0])
    journal = office.journal.read()
    backup = back_up(office.settings, office.clock, tmp_path / "a.age")
    office.close()
    shutil.rmtree(office.settings.data)
    done = restore(office, backup, age_key, replace=False)
    assert done.aside is None
    with open_office(office.settings, clock=watch.clock()) as again:
        assert again.journal.read() == journal
        assert count(again, "suppressions") == 1
        assert office.settings.data.stat().st_mode & 0o077 == 0
        assert office.settings.database.stat().st_mode & 0o077 == 0


def test_who_left_under_a_newer_key_stays_away(office: Office, watch: Watch, tmp_path: Path, age_key: AgeKey) -> None:
    identities = subscribe(office, *READERS)
    backup = back_up(office.settings, office.clock, tmp_path / "a.age")
    office.close()
    old = office.ring
    key = Path(office.settings.key)
    with open_office(office.settings, clock=watch.clock(), alone=True) as alone:
        rotate_data(alone, lambda ring: save_keyring(ring, key))
    with open_office(office.settings, clock=watch.clock()) as later:
        later.subscriptions.unsubscribe(identities[0])
        later.subscriptions.erase(identities[1])
    with pytest.raises(WrongKey, match="Add `data 1 …` from the keyring of that time"):
        restore(office, backup, age_key)
    text = write_keyring(old)
    line = next(line for line in text.splitlines() if line.startswith("data 1"))
    key.write_text(key.read_text() + line + "\n")
    assert restore(office, backup, age_key).left == 2
    with open_office(office.settings, clock=watch.clock(), alone=True) as again:
        assert count(again, "subscriptions", "state = 'confirmed'") == len(READERS) - 2
        rotate_data(again, lambda ring: save_keyring(ring, key))
    with open_office(office.settings, clock=watch.clock()) as again:
        assert sorted(again.ring.keys["data"]) == [2]
        assert again.subscriptions.record(identities[2]).address == READERS[2]


def test_an_old_keyring_that_does_not_know_who_left_is_refused(
    office: Office, watch: Watch, tmp_path: Path, age_key: AgeKey
) -> None:
    identities = subscribe(office, *READERS)
    backup = back_up(office.settings, office.clock, tmp_path / "a.age")
    office.close()
    key = Path(office.settings.key)
    old = key.read_text()
    with open_office(office.settings, clock=watch.clock(), alone=True) as alone:
        rotate_data(alone, lambda ring: save_keyring(ring, key))
    with open_office(office.settings, clock=watch.clock()) as later:
        later.subscriptions.unsubscribe(identities[0])
    key.write_text(old)
    with pytest.raises(WrongKey, match="lookup 2"):
        restore(office, backup, age_key)


def test_who_came_back_since_is_not_suppressed(office: Office, watch: Watch, tmp_path: Path, age_key: AgeKey) -> None:
    identity = subscribe(office, READERS[0])[0]
    office.subscriptions.unsubscribe(identity)
    backup = back_up(office.settings, office.clock, tmp_path / "a.age")
    watch.pass_(2 * DAY)
    subscribe(office, READERS[0])
    done = restore(office, backup, age_key)
    assert done.left == 0
    with open_office(office.settings, clock=watch.clock()) as again:
        assert count(again, "suppressions") == 0
        watch.pass_(2 * DAY)
        assert subscribe(again, READERS[0]) == [identity]


def test_journals_of_two_machines_are_both_heard(office: Office, watch: Watch, tmp_path: Path, age_key: AgeKey) -> None:
    identities = subscribe(office, *READERS)
    early = back_up(office.settings, office.clock, tmp_path / "early.age")
    office.subscriptions.unsubscribe(identities[0])
    late = back_up(office.settings, office.clock, tmp_path / "late.age")
    office.close()
    office.journal.path.unlink()  # as on another machine, which began with the early one
    restore(office, early, age_key)
    with open_office(office.settings, clock=watch.clock()) as other:
        other.subscriptions.unsubscribe(identities[1])
    assert restore(office, late, age_key).subscribers == len(READERS) - 2
    with open_office(office.settings, clock=watch.clock()) as again:
        assert count(again, "suppressions") == 2
        assert len(again.journal.entries()) == 2


def test_a_damaged_address_does_not_keep_a_backup_from_being_restored(
    office: Office, watch: Watch, tmp_path: Path, age_key: AgeKey
) -> None:
    first, second = subscribe(office, *READERS[:2])
    office.database.write(
        lambda c: c.execute("UPDATE subscriptions SET address = substr(address, 1, 60) WHERE id = ?", (first,))
    )
    backup = back_up(office.settings, office.clock, tmp_path / "a.age")
    office.subscriptions.unsubscribe(first)
    assert restore(office, backup, age_key).left == 1
    with open_office(office.settings, clock=watch.clock()) as again:
        assert again.subscriptions.record(second).address == READERS[1]


def test_who_asked_and_has_not_confirmed_can_ask_again(
    office: Office, watch: Watch, tmp_path: Path, age_key: AgeKey
) -> None:
    ask(office, READERS[0])
    restore(office, back_up(office.settings, office.clock, tmp_path / "a.age"), age_key)
    with open_office(office.settings, clock=watch.clock()) as again:
        again.subscriptions.confirm(identity_of(again, READERS[0]))


def test_tokens_of_the_api_that_were_revoked_since_stay_so(
    office: Office, watch: Watch, tmp_path: Path, age_key: AgeKey
) -> None:
    office.database.write(
        lambda c: c.execute("INSERT INTO api_tokens (name, hash, scope, expires) VALUES ('ci', x'00', 'send', 99999)")
    )
    restore(office, back_up(office.settings, office.clock, tmp_path / "a.age"), age_key)
    with open_office(office.settings, clock=watch.clock()) as again:
        assert count(again, "api_tokens", "revoked") == 1


def test_a_restore_that_was_cut_off_is_done_again(
    office: Office, watch: Watch, tmp_path: Path, age_key: AgeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = subscribe(office, READERS[0])[0]
    backup = back_up(office.settings, office.clock, tmp_path / "a.age")
    office.subscriptions.unsubscribe(identity)
    real = os.rename

    for allowed in range(20):
        with monkeypatch.context() as patch:
            calls = iter(range(allowed))

            def limited(path: Path, target: Path, calls: Iterator[int] = calls) -> Path:
                if next(calls, None) is None:
                    raise OSError(5, "of the disk")
                real(path, target)
                return target

            patch.setattr(Path, "rename", limited)
            patch.setattr(Path, "replace", limited)
            try:
                restore(office, backup, age_key)
            except StoreError:
                continue
            break
    assert allowed >= 3
    with open_office(office.settings, clock=watch.clock()) as again:
        assert count(again, "subscriptions", "state = 'unsubscribed'") == 1


# What it refuses


def test_an_existing_database_is_kept(office: Office, watch: Watch, tmp_path: Path, age_key: AgeKey) -> None:
    subscribe(office, READERS[0])
    backup = back_up(office.settings, office.clock, tmp_path / "a.age")
    subscribe(office, READERS[1])
    with pytest.raises(StoreError, match="--replace"):
        restore(office, backup, age_key, replace=False)
    done = restore(office, backup, age_key)
    assert done.subscribers == 1
    assert done.aside == office.settings.data / "mailroom.db.2025-11-08-120000"
    aside = sqlite3.connect(done.aside)
    assert aside.execute("SELECT count(*) FROM subscriptions").fetchone() == (2,)
    aside.close()
    with open_office(office.settings, clock=watch.clock()) as again:
        assert count(again, "subscriptions") == 1


def test_a_log_that_was_left_goes_aside_with_its_database(office: Office, tmp_path: Path, age_key: AgeKey) -> None:
    subscribe(office, READERS[0])
    backup = back_up(office.settings, office.clock, tmp_path / "a.age")
    subscribe(office, READERS[1])
    office.close()
    with open_office(office.settings) as killed:
        subscribe(killed, READERS[2])
        kept = {
            ending: office.settings.database.with_name(f"mailroom.db{ending}").read_bytes() for ending in ("", "-wal")
        }
    for ending, content in kept.items():  # as a kill leaves them
        office.settings.database.with_name(f"mailroom.db{ending}").write_bytes(content)
    done = restore(office, backup, age_key)
    assert not office.settings.database.with_name("mailroom.db-wal").exists()
    assert done.aside
    aside = sqlite3.connect(done.aside)
    assert aside.execute("SELECT count(*) FROM subscriptions").fetchone() == (3,)
    aside.close()


def test_nothing_is_restored_while_the_mailroom_is_at_work(
    office: Office, settings: Settings, tmp_path: Path, age_key: AgeKey
) -> None:
    backup = back_up(settings, office.clock, tmp_path / "a.age")
    ring = office.ring
    with pytest.raises(StoreError, match="Stop it"):
        restore_backup(settings, ring, office.clock, backup, read_identity(age_key.identity), replace=True)


def test_what_cannot_be_restored_leaves_everything_as_it_is(office: Office, tmp_path: Path, age_key: AgeKey) -> None:
    settings = office.settings
    subscribe(office, READERS[0])
    backup = back_up(settings, office.clock, tmp_path / "a.age")
    content = backup.read_bytes()
    recipient = pyrage.x25519.Recipient.from_str(age_key.recipient)
    office.close()
    before = {path: path.read_bytes() for path in settings.data.iterdir()}

    def sealed(what: bytes) -> bytes:
        return bytes(pyrage.encrypt(what, [recipient]))

    newer = sqlite3.connect(tmp_path / "newer.db")
    newer.executescript(
        "CREATE TABLE journal (content BLOB); INSERT INTO journal VALUES (x''); PRAGMA user_version = 99;"
    )
    newer.close()
    cases: list[tuple[bytes, type[Exception]]] = [
        (b"", WrongKey),
        (b"age-encryption.org/v1\n", WrongKey),
        (content[:-100], StoreDamaged),
        (content[:-1] + bytes([content[-1] ^ 1]), StoreDamaged),
        (pyrage.encrypt(b"x", [read_identity(make_age_key().identity).to_public()]), WrongKey),
        (sealed(b"no database"), StoreDamaged),
        (sealed(b""), StoreDamaged),
        (sealed((tmp_path / "newer.db").read_bytes()), SchemaOutdated),
    ]
    for wrong, error in cases:
        (tmp_path / "wrong.age").write_bytes(wrong)
        with pytest.raises(error):
            restore(office, tmp_path / "wrong.age", age_key)
        assert {path: path.read_bytes() for path in settings.data.iterdir()} == before
    with pytest.raises(StoreError):
        restore(office, tmp_path / "missing.age", age_key)
    save_keyring(make_keyring(), Path(settings.key))
    with pytest.raises(WrongKey, match="MAILROOM_KEY"):
        restore(office, backup, age_key)
    assert {path: path.read_bytes() for path in settings.data.iterdir()} == before


@pytest.mark.parametrize("text", ["", "age1xyz", "AGE-SECRET-KEY-1QQQQ", "# public key: age1\n"])
def test_what_is_no_identity_is_not_repeated(text: str) -> None:
    with pytest.raises(WrongKey) as caught:
        read_identity(text)
    assert not text or text not in str(caught.value)


def test_an_identity_is_read_as_age_keygen_writes_it(age_key: AgeKey) -> None:
    text = f"# created: 2025-11-08T12:00:00Z\n# public key: {age_key.recipient}\n{age_key.identity}\n"
    assert str(read_identity(text)) == age_key.identity


def test_a_disk_that_fills_up_is_told_from_other_troubles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mailroom.store import sealing

    def fail(*_: object) -> None:
        raise pyrage.EncryptError("OSError: [Errno 28] No space left on device")

    monkeypatch.setattr(pyrage, "encrypt_io", fail)
    recipient = sealing.read_recipient(make_age_key().recipient)
    with pytest.raises(DiskFull):
        sealing.seal(io.BytesIO(b"x"), recipient, tmp_path / "a.age")
    assert list(tmp_path.iterdir()) == []
