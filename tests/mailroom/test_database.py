"""The database: what was answered is on the disk, one failure is nobody else's, damage and a full disk are named."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mailroom.delivery.housekeeping import clear_out
from mailroom.errors import DiskFull, SchemaOutdated, StoreDamaged, StoreError, Unreadable, WrongKey
from mailroom.office import Office, make_office, open_office
from mailroom.settings import Settings
from mailroom.store.database import BATCH, Database, connect, migrate, migrations
from mailroom.store.facts import DELIVERY, fact, may_deliver, set_fact
from mailroom.store.keyring import make_keyring, save_keyring
from mailroom.store.lock import Lock
from tests.mailroom.offices import ask, count, new_office, subscribe

ROOT = Path(__file__).resolve().parents[2]


def add(database: Database, name: str, value: str = "1") -> None:
    database.write(lambda connection: set_fact(connection, name, value))


def names(database: Database) -> set[str]:
    return {row["name"] for row in database.read("SELECT name FROM facts")}


def fill(settings: Settings) -> None:
    """Rows enough for damage to hit some."""
    with new_office(settings) as office:
        ask(office, *(f"reader-{number}@example.org" for number in range(100)))


def run_python(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


# Writing together


def test_many_threads_share_commits_and_none_is_lost(office: Office) -> None:
    commits = 0
    real = office.database._commit

    def counted(batch: list[object]) -> None:
        nonlocal commits
        commits += 1
        real(batch)  # type: ignore[arg-type]

    office.database._commit = counted  # type: ignore[assignment, method-assign]
    with ThreadPoolExecutor(32) as threads:
        list(threads.map(lambda number: add(office.database, f"n{number}"), range(1000)))
    assert count(office, "facts", "name LIKE 'n%'") == 1000
    assert commits < 700


def test_a_work_that_fails_undoes_itself_alone(office: Office) -> None:
    gate = threading.Event()
    first = office.database.submit(lambda _: gate.wait())  # the others gather behind it, and share a commit

    def fails(connection: sqlite3.Connection) -> None:
        set_fact(connection, "failed", "1")
        raise LookupError("of its own")

    def breaks_a_rule(connection: sqlite3.Connection) -> None:
        set_fact(connection, "broke", "1")
        connection.execute("INSERT INTO facts VALUES ('keyring', 'again')")

    good = [office.database.submit(lambda c, n=number: set_fact(c, f"n{n}", "1")) for number in range(5)]  # type: ignore[misc]
    bad = [office.database.submit(fails), office.database.submit(breaks_a_rule)]
    good += [office.database.submit(lambda c, n=number: set_fact(c, f"n{n}", "1")) for number in range(5, 9)]  # type: ignore[misc]
    gate.set()
    first.result()
    for future in good:
        future.result()
    with pytest.raises(LookupError):
        bad[0].result()
    with pytest.raises(sqlite3.IntegrityError):
        bad[1].result()
    assert names(office.database) == {"keyring", *(f"n{number}" for number in range(9))}


def test_an_error_of_ours_in_a_work_is_nobody_elses(office: Office) -> None:
    """Such as an address that does not open: it is a StoreError, but the disk is well."""
    gate = threading.Event()
    office.database.submit(lambda _: gate.wait())

    def fails(connection: sqlite3.Connection) -> None:
        set_fact(connection, "failed", "1")
        office.vault.open(b"damaged", b"place")

    failing = office.database.submit(fails)
    others = [office.database.submit(lambda c, n=number: set_fact(c, f"n{n}", "1")) for number in range(5)]  # type: ignore[misc]
    gate.set()
    with pytest.raises(Unreadable):
        failing.result()
    for each in others:
        each.result()
    assert names(office.database) == {"keyring", *(f"n{number}" for number in range(5))}


def test_more_than_a_batch_waits_and_is_all_done_at_close(settings: Settings) -> None:
    office = new_office(settings)
    gate = threading.Event()
    office.database.submit(lambda _: gate.wait())
    for number in range(2 * BATCH + 3):
        office.database.submit(lambda c, n=number: set_fact(c, f"n{n}", "1"))  # type: ignore[misc]
    gate.set()
    office.close()
    with pytest.raises(StoreError, match="closed"):
        office.database.submit(lambda _: None)
    with open_office(settings) as again:
        assert count(again, "facts", "name LIKE 'n%'") == 2 * BATCH + 3


def test_readers_cannot_write_and_a_snapshot_stays(office: Office) -> None:
    with pytest.raises(StoreError):
        office.database.read("DELETE FROM facts")
    add(office.database, DELIVERY, "on")
    with office.database.snapshot() as connection:
        assert may_deliver(connection)
        add(office.database, DELIVERY, "off")
        assert fact(connection, DELIVERY) == "on"
    with office.database.snapshot() as connection:
        assert not may_deliver(connection)
        assert fact(connection, "nothing of this name") == ""


# Lasting

KILLED = """
import sys
from pathlib import Path
from mailroom.store.database import Database
from mailroom.store.facts import set_fact
database = Database(Path(sys.argv[1]))
for number in range(100_000):
    database.write(lambda connection: set_fact(connection, f"n{number}", "1"))
    print(number, flush=True)
"""


def test_what_was_answered_is_there_after_a_kill(settings: Settings) -> None:
    make_office(settings)
    process = run_python(KILLED, settings.database)
    assert process.stdout
    for line in process.stdout:
        if int(line) >= 50:
            break
    process.send_signal(signal.SIGKILL)
    # `communicate` would leave out what has been read ahead of the loop.
    last = max([50, *(int(each) for each in process.stdout.read().split("\n")[:-1])])
    process.communicate(timeout=30)
    with open_office(settings) as office:
        kept = count(office, "facts", "name LIKE 'n%'")
    assert last + 1 <= kept <= last + 2


def test_a_commit_is_synced_before_it_is_answered(office: Office) -> None:
    connection = connect(office.database.path)
    assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert connection.execute("PRAGMA secure_delete").fetchone()[0] == 1
    connection.close()


def test_what_was_erased_leaves_the_log_too(office: Office) -> None:
    [identity] = subscribe(office, "gone@example.org")
    sealed = bytes(office.database.read("SELECT address FROM subscriptions")[0][0])
    office.subscriptions.erase(identity)
    files = [office.database.path.with_name(office.database.path.name + ending) for ending in ("", "-wal")]
    assert any(sealed in file.read_bytes() for file in files), "the test looks in the wrong place"
    clear_out(office)
    assert not any(sealed in file.read_bytes() for file in files)
    with office.database.snapshot() as reader:  # somebody who reads for long is not in the way of those who write
        reader.execute("SELECT 1 FROM facts").fetchone()
        office.database.write(lambda connection: set_fact(connection, DELIVERY, "on"))
        office.database.empty_log()


def test_the_database_is_its_owners_alone(office: Office) -> None:
    add(office.database, "a")
    for path in office.settings.data.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
    assert office.settings.data.stat().st_mode & 0o077 == 0


# Full


FULL = """
import resource, sys
from pathlib import Path
from mailroom.errors import DiskFull
from mailroom.store.database import Database
from mailroom.store.facts import set_fact
from mailroom.store.journal import Entry, Journal
from mailroom.store.vault import Lookup
path = Path(sys.argv[1])
database = Database(path)
journal = Journal(path.parent / "journal")
entry = Entry("suppress", Lookup(1, bytes(32)), "erased", 1)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
done = 0
try:
    while True:
        database.write(lambda connection: set_fact(connection, f"n{done}", "x" * 20_000))
        done += 1
except DiskFull as error:
    print(error.remedy)
resource.setrlimit(resource.RLIMIT_FSIZE, (30, hard))
try:
    journal.append(entry)
except DiskFull as error:
    print(error.remedy)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
database.write(lambda connection: set_fact(connection, "after", "1"))
journal.append(entry)
assert list(journal.entries()) == [entry], "what was half written counts for nothing"
database.close()
print(done)
"""


def test_a_full_disk_is_named_and_loses_nothing_that_was_answered(settings: Settings) -> None:
    make_office(settings)
    process = run_python(FULL, settings.database)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    first, second, done = out.split("\n")[:3]
    assert "Make room" in first
    assert "Make room" in second
    with open_office(settings) as office:
        assert names(office.database) == {"keyring", "after", *(f"n{number}" for number in range(int(done)))}
        assert int(done) > 3


def test_a_full_database_undoes_the_whole_batch_and_goes_on(office: Office) -> None:
    database = office.database
    pages = database.write(lambda connection: connection.execute("PRAGMA page_count").fetchone()[0])
    database.write(lambda connection: connection.execute(f"PRAGMA max_page_count = {pages + 4}").fetchone())
    gate = threading.Event()
    database.submit(lambda _: gate.wait())
    futures = [database.submit(lambda c, n=number: set_fact(c, f"n{n}", "x" * 9000)) for number in range(4)]  # type: ignore[misc]
    gate.set()
    for future in futures:
        with pytest.raises(DiskFull, match="Make room"):
            future.result()
    database.write(lambda connection: connection.execute("PRAGMA max_page_count = 100000").fetchone())
    add(database, "after")
    assert names(database) == {"keyring", "after"}


# Damaged, of another version, of another key


def test_a_file_that_is_no_database_is_named_with_the_remedy(settings: Settings) -> None:
    make_office(settings)
    settings.database.write_bytes(b"This was overwritten." * 1000)
    with pytest.raises(StoreDamaged, match="restore") as caught:
        open_office(settings)
    assert str(settings.database) in str(caught.value)


def test_overwritten_pages_are_named_by_reads_and_by_writes(settings: Settings) -> None:
    fill(settings)
    connection = sqlite3.connect(settings.database)
    size = connection.execute("PRAGMA page_size").fetchone()[0]
    roots = connection.execute("SELECT rootpage FROM sqlite_master WHERE tbl_name IN ('letters', 'subscriptions')")
    pages = [root for (root,) in roots]
    connection.close()
    with settings.database.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * size)
            file.write(os.urandom(size))
    with pytest.raises(StoreDamaged, match="restore"), Database(settings.database) as database:
        database.read("SELECT * FROM subscriptions")
    with Database(settings.database) as database:
        for statement in ("DELETE FROM letters", "UPDATE subscriptions SET langs = 'fa'"):
            with pytest.raises(StoreDamaged, match="restore"):
                database.write(lambda connection, sql=statement: connection.execute(sql))  # type: ignore[misc]


def test_a_missing_database_says_what_makes_one(settings: Settings) -> None:
    make_office(settings)
    settings.database.unlink()
    with pytest.raises(StoreError, match="mailroom init"):
        open_office(settings)


@pytest.mark.parametrize(("version", "remedy"), [(0, "mailroom migrate"), (999, "program that made it")])
def test_another_version_is_refused_both_ways(settings: Settings, version: int, remedy: str) -> None:
    make_office(settings)
    connection = sqlite3.connect(settings.database)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    with pytest.raises(SchemaOutdated, match=remedy):
        open_office(settings)


def test_migrations_are_numbered_without_gaps_and_run_once(settings: Settings) -> None:
    assert [number for number, _ in migrations()] == list(range(1, len(migrations()) + 1))
    assert migrate(settings.database) == [path.stem for _, path in migrations()]
    assert migrate(settings.database) == []


def test_a_migration_that_fails_leaves_nothing(settings: Settings, tmp_path: Path) -> None:
    steps = tmp_path / "steps"
    steps.mkdir()
    (steps / "001_half.sql").write_text("CREATE TABLE half (x);\nINSERT INTO nowhere VALUES (1);\n")
    with pytest.raises(StoreError):
        migrate(settings.database, steps)
    connection = sqlite3.connect(settings.database)
    assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    connection.close()


def test_another_keyring_is_refused_and_a_missing_one_is_not_replaced(settings: Settings) -> None:
    make_office(settings)
    open_office(settings).close()
    key = Path(settings.key)
    right = key.read_bytes()
    save_keyring(make_keyring(), key)
    with pytest.raises(WrongKey, match="MAILROOM_KEY"):
        open_office(settings)
    key.unlink()
    assert make_office(settings) == []
    assert not key.exists()
    key.write_bytes(right)
    key.chmod(0o600)
    open_office(settings).close()


# Alone


def test_many_may_have_it_open_and_one_may_have_it_alone(settings: Settings) -> None:
    with new_office(settings) as office:
        subscribe(office, "reader@example.org")
        with open_office(settings), pytest.raises(StoreError, match="Stop it"):
            open_office(settings, alone=True)
    with open_office(settings, alone=True), pytest.raises(StoreError, match="Try again"):
        open_office(settings)
    with Lock(settings.data, alone=True):
        pass


def test_a_process_that_dies_lets_go(settings: Settings) -> None:
    make_office(settings)
    code = (
        "import sys, time; from pathlib import Path; from mailroom.store.lock import Lock\n"
        "lock = Lock(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    process = run_python(code, settings.data)
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    with pytest.raises(StoreError):
        Lock(settings.data, alone=True)
    process.kill()
    process.communicate(timeout=30)
    Lock(settings.data, alone=True).close()
