"""The store: kept when it says so, told to whoever has the receipt, and gone without a trace when it is to go."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mailroom.clock import DAY
from mailroom.errors import (
    DiskFull,
    IntakeFull,
    SchemaOutdated,
    StoreDamaged,
    StoreError,
    SubmissionChanged,
    UnknownSubmission,
)
from mailroom.intake.container import SIZES
from mailroom.intake.sealing import Sealed, unseal
from mailroom.intake.submissions import EXPIRED, LIFE, MIGRATIONS, Intake, make_intake, open_intake
from mailroom.settings import Settings
from mailroom.store.database import connect, migrate
from tests.mailroom.intake.stores import lookup_of, make_expert, make_store, only, sealed, write
from tests.mailroom.offices import Watch

EXPERT = make_expert()


def digest(blob: bytes) -> str:
    return hashlib.sha256(blob).hexdigest()


def random_blob(size: int = SIZES[0]) -> Sealed:
    """What is as good as sealed, to be looked for in files."""
    return Sealed(size, "0badcafe", os.urandom(size))


@pytest.fixture
def store(tmp_path: Path, watch: Watch) -> Intake:
    return make_store(tmp_path, watch)


# Keeping and telling


def test_the_whole_way_of_a_submission(store: Intake) -> None:
    given, receipt = sealed(EXPERT, "fa", 3000), lookup_of("receipt")
    assert store.state(receipt) is None
    store.store(given, receipt)
    assert store.state(receipt) == "stored"
    (stored,) = store.list()
    assert (stored.day, stored.size, stored.key, stored.state) == (20_400, SIZES[0], given.key, "stored")
    assert store.fetch(stored.id) == given.blob
    assert store.state(receipt) == store.list()[0].state == "fetched"
    assert unseal(store.fetch(stored.id), EXPERT.identity) == write("fa", 3000)
    store.acknowledge(stored.id, digest(given.blob).upper())
    assert store.state(receipt) == "acknowledged"
    assert store.list() == []
    with pytest.raises(UnknownSubmission):
        store.fetch(stored.id)
    with pytest.raises(UnknownSubmission):
        store.acknowledge(stored.id, digest(given.blob))
    assert store.delete(receipt)
    assert store.state(receipt) is None
    assert not store.delete(receipt)


def test_only_who_has_the_octets_may_acknowledge(store: Intake) -> None:
    given = sealed(EXPERT)
    store.store(given, lookup_of("receipt"))
    identity = only(store)
    for wrong in ("", "0" * 64, digest(given.blob[:-1]), "ä" * 64):
        with pytest.raises(SubmissionChanged):
            store.acknowledge(identity, wrong)
    assert store.fetch(identity) == given.blob
    assert store.state(lookup_of("receipt")) == "fetched"


@pytest.mark.parametrize("identity", ["", "x", "00" * 16, "../..", "0" * 31, "ß" * 32])
def test_an_id_that_is_none_is_unknown(store: Intake, identity: str) -> None:
    store.store(sealed(EXPERT), lookup_of("receipt"))
    for operation in (store.fetch, store.discard, lambda each: store.acknowledge(each, "0" * 64)):
        with pytest.raises(UnknownSubmission):
            operation(identity)
    assert len(store.list()) == 1


def test_an_expert_may_discard_and_a_sender_delete(store: Intake) -> None:
    for name in ("one", "other"):
        store.store(random_blob(), lookup_of(name))
    store.delete(lookup_of("one"))
    store.discard(only(store))
    assert store.list() == []
    assert [store.state(lookup_of(name)) for name in ("one", "other")] == [None, None]
    assert store.occupancy().octets == 0


def test_ids_and_order_say_nothing(store: Intake) -> None:
    given = [random_blob() for _ in range(40)]
    for number, each in enumerate(given):
        store.store(each, lookup_of(str(number)))
    found = store.list()
    assert len({each.id for each in found}) == 40
    assert [each.id for each in found] == sorted(each.id for each in found)
    assert [store.fetch(each.id) for each in found] != [each.blob for each in given]


def test_a_fork_and_threads_share_nothing(store: Intake) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: store.store(random_blob(), lookup_of(str(number))), range(40)))
        assert len(list(threads.map(store.fetch, [each.id for each in store.list()]))) == 40
    pid = os.fork()
    if not pid:
        store.store(random_blob(), lookup_of("child"))
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert store.state(lookup_of("child")) == "stored"
    assert store.occupancy().count == 41


def test_what_is_sealed_is_not_shown() -> None:
    assert repr(random_blob()) == f"Sealed(size={SIZES[0]}, key='0badcafe')"


# Limits


def test_so_many_are_kept_and_no_more(tmp_path: Path, watch: Watch) -> None:
    store = make_store(tmp_path, watch, most=3)
    for number in range(3):
        store.store(random_blob(), lookup_of(str(number)))
    with pytest.raises(IntakeFull):
        store.store(random_blob(), lookup_of("3"))
    assert store.state(lookup_of("3")) is None
    store.acknowledge(store.list()[0].id, digest(store.fetch(store.list()[0].id)))
    store.store(random_blob(), lookup_of("3"))
    with pytest.raises(IntakeFull):
        store.store(random_blob(), lookup_of("4"))


def test_so_many_octets_are_kept_and_no_more(tmp_path: Path, watch: Watch) -> None:
    store = make_store(tmp_path, watch, room=1)
    store.store(random_blob(SIZES[2]), lookup_of("0"))
    store.store(random_blob(SIZES[2]), lookup_of("1"))
    with pytest.raises(IntakeFull):
        store.store(random_blob(), lookup_of("2"))
    store.delete(lookup_of("0"))
    store.store(random_blob(), lookup_of("2"))
    assert store.occupancy().octets == SIZES[2] + SIZES[0]


def test_the_last_place_is_given_once(tmp_path: Path, watch: Watch) -> None:
    store = make_store(tmp_path, watch, most=5)
    together = threading.Barrier(8)

    def try_it(number: int) -> bool:
        together.wait()
        try:
            store.store(random_blob(), lookup_of(str(number)))
        except IntakeFull:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(try_it, range(8))) == 5
    assert store.occupancy().count == 5


# Expiring


def test_what_is_30_days_old_expires_and_nothing_else(store: Intake, watch: Watch) -> None:
    watch.now -= watch.now % DAY  # midnight
    store.store(random_blob(), lookup_of("old"))
    store.store(random_blob(), lookup_of("had"))
    store.acknowledge(store.list()[0].id, digest(store.fetch(store.list()[0].id)))
    first = [lookup_of("old"), lookup_of("had")]
    watch.pass_(DAY)
    store.store(random_blob(), lookup_of("new"))
    watch.pass_((LIFE - 1) * DAY - 1)  # a second before the day
    assert store.expire() == 0
    assert sorted(map(str, map(store.state, first))) == ["acknowledged", "stored"]
    watch.pass_(1)
    assert [store.state(each) for each in first] == [None, None], "nobody is told, even before it is deleted"
    assert store.expire() == 2
    assert len(store.list()) == 1
    assert store.state(lookup_of("new")) == "stored"
    assert store.expire() == 0
    watch.pass_(DAY)
    assert store.expire() == 1
    assert store.list() == []
    assert store.fact(EXPIRED) == str(store_day(watch))


def store_day(watch: Watch) -> int:
    return int(watch.now // DAY)


def test_the_file_does_not_stay_as_large_as_it_was(store: Intake, watch: Watch) -> None:
    empty = store.path.stat().st_size
    for number in range(4):
        store.store(random_blob(SIZES[2]), lookup_of(str(number)))
    assert store.path.stat().st_size > 4 * SIZES[2]
    watch.pass_(LIFE * DAY)
    store.expire()
    assert store.path.stat().st_size == empty


def test_places_in_the_file_do_not_tell_the_order(store: Intake) -> None:
    """Written anew, it has submissions in the order of their random ids."""
    given = [random_blob() for _ in range(24)]
    for number, each in enumerate(given):
        store.store(each, lookup_of(str(number)))

    def places() -> list[int]:
        content = store.path.read_bytes()
        return [content.index(each.blob[5000:5064]) for each in given]

    assert places() == sorted(places())
    store.expire()
    assert places() != sorted(places())
    by_place = [each.blob for _, each in sorted(zip(places(), given, strict=True), key=lambda pair: pair[0])]
    assert [store.fetch(each.id) for each in store.list()] == by_place


def test_the_files_own_times_are_of_just_now(store: Intake) -> None:
    store.store(random_blob(), lookup_of("receipt"))
    paths = [store.path, store.path.parent]
    for path in paths:
        os.utime(path, (1, 1))
    store.blur()
    assert all(path.stat().st_mtime > 1e9 for path in paths)
    with connect(store.path) as held:  # with a log beside it
        held.execute("SELECT count(*) FROM receipts").fetchone()
        store.blur()
    held.close()


# Traces


def traces(given: Sealed, identity: str) -> list[bytes]:
    """Pieces of the ciphertext, and the id in both forms."""
    pieces = [given.blob[start : start + 24] for start in range(0, given.size - 24, given.size // 100)]
    return [*pieces, bytes.fromhex(identity), identity.encode()]


def hits(folder: Path, needles: list[bytes]) -> int:
    contents = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return sum(needle in content for needle in needles for content in contents)


def _delete(store: Intake, _: Watch, __: str) -> None:
    assert store.delete(lookup_of("canary"))


def _discard(store: Intake, _: Watch, identity: str) -> None:
    store.discard(identity)


def _acknowledge(store: Intake, _: Watch, identity: str) -> None:
    store.acknowledge(identity, digest(store.fetch(identity)))


def _expire(store: Intake, watch: Watch, _: str) -> None:
    watch.pass_(LIFE * DAY)
    assert store.expire()


@pytest.mark.parametrize("ending", [_delete, _discard, _acknowledge, _expire], ids=lambda each: each.__name__)
@pytest.mark.parametrize("size", SIZES[:3])
def test_what_has_gone_is_in_no_file(
    ending: Callable[[Intake, Watch, str], None], size: int, tmp_path: Path, watch: Watch
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    store = make_store(folder, watch)
    for number in range(12):
        store.store(random_blob(), lookup_of(f"before {number}"))
    before = {each.id for each in store.list()}
    given = random_blob(size)
    store.store(given, lookup_of("canary"))
    identity = next(each.id for each in store.list() if each.id not in before)
    for number in range(12):
        store.store(random_blob(), lookup_of(f"after {number}"))
    # Another process has it open, as it may be: then SQLite keeps its log.
    held = sqlite3.connect(store.path)
    held.execute("SELECT count(*) FROM receipts").fetchone()
    store.fetch(identity)
    needles = traces(given, identity)
    assert hits(folder, needles) > 0.9 * len(needles), "what is there would be found, but for where a page ends"
    ending(store, watch, identity)
    assert (folder / "intake.db-shm").exists()
    assert hits(folder, needles) == 0
    assert hits(folder, [lookup_of("canary")]) == (ending is _acknowledge)
    held.close()
    (folder / "planted").write_bytes(b"x" + given.blob)
    assert hits(folder, needles) >= len(needles) - 2


# The disk


def test_it_is_for_its_owners_eyes_and_is_made_once(settings: Settings, watch: Watch) -> None:
    with pytest.raises(StoreError, match="mailroom migrate"):
        open_intake(settings, watch.clock())
    assert make_intake(settings) == ["001_intake"]
    assert make_intake(settings) == []
    store = open_intake(settings, watch.clock())
    assert (store.most, store.room) == (settings.intake_most, settings.intake_room)
    store.store(random_blob(), lookup_of("receipt"))
    assert [path.stat().st_mode & 0o077 for path in settings.data.iterdir()] == [0]


def test_another_version_is_refused(tmp_path: Path, watch: Watch) -> None:
    path = tmp_path / "intake.db"
    migrate(path, MIGRATIONS)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(SchemaOutdated):
        Intake(path, watch.clock())


def test_damage_is_named(store: Intake) -> None:
    for number in range(20):
        store.store(random_blob(), lookup_of(str(number)))
    content = store.path.read_bytes()
    store.path.write_bytes(content[:100] + b"\xff" * (len(content) - 100))
    with pytest.raises(StoreDamaged):
        store.list()


def test_a_full_disk_is_named_and_undoes_all(store: Intake) -> None:
    """Where the system lets no file of this process grow."""
    store.store(random_blob(), lookup_of("before"))
    pid = os.fork()
    if not pid:
        import resource
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        status = 1
        try:
            store.store(random_blob(SIZES[2]), lookup_of("receipt"))
        except DiskFull:
            status = 0
        os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0
    assert store.state(lookup_of("receipt")) is None
    assert store.occupancy().count == 1
    store.store(random_blob(), lookup_of("receipt"))
