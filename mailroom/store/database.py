"""The database: one SQLite file, written by one thread per process so that what was committed is on the disk.

`write` returns when its work is durable (`synchronous=FULL`). Works that wait at the same moment share one commit, and
so one sync of the disk: a page that said "done" is in the database after a power cut, at hundreds of pages a second.
"""

from __future__ import annotations

import contextlib
import os
import queue
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from mailroom.errors import DiskFull, SchemaOutdated, StoreDamaged, StoreError, WrongKey
from mailroom.store.vault import Vault

T = TypeVar("T")
MIGRATIONS = Path(__file__).parent / "migrations"
#: How many works may share a commit: bounds how long the first one waits.
BATCH = 256
#: How long another process's commit is waited for, in seconds.
PATIENCE = 30.0
#: What a caller did wrong, not the disk.
MISUSE = (sqlite3.IntegrityError, sqlite3.ProgrammingError)


@dataclass(slots=True)
class _Work:
    run: Callable[[sqlite3.Connection], Any]
    done: Future[Any] = field(default_factory=Future)


class Database:
    """An open database. `write` and `read` may be called from any thread."""

    def __init__(self, path: Path) -> None:
        """Open it. Raises SchemaOutdated, StoreDamaged, StoreError."""
        self.path = path
        if not path.exists():
            raise StoreError(f"{path}: there is no database", "Make it: ./blog mailroom init")
        check_schema(path)
        self._queue: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._readers = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._closed = False
        self._lock = threading.Lock()
        self._connection = connect(path)
        self._writer = threading.Thread(target=self._run, name="database", daemon=True)
        self._writer.start()

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a work in a transaction and return its result when that is on the disk.

        Whatever the work raises undoes it alone and is raised here; errors of the disk undo all that shared the
        commit. A work must be quick: others wait for it. It may be run twice, when another one fails.
        """
        return self.submit(work).result()

    def submit(self, work: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """As `write`, without waiting."""
        item = _Work(work)
        with self._lock:
            if self._closed:
                raise StoreError("The database is closed")
            self._queue.put(item)
        return item.done

    def read(self, sql: str, values: tuple[Any, ...] | dict[str, Any] = ()) -> list[sqlite3.Row]:
        """The rows of a query, as of now."""
        with translated(self.path):
            return self._reader().execute(sql, values).fetchall()

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A connection whose queries all see the same moment."""
        reader = self._reader()
        with translated(self.path):
            reader.execute("BEGIN")
            try:
                yield reader
            finally:
                reader.execute("ROLLBACK")

    def empty_log(self) -> None:
        """Have nothing of what was deleted stand in SQLite's log (WAL) any longer, unless somebody reads just now."""
        with contextlib.closing(connect(self.path)) as connection, translated(self.path):
            connection.execute("PRAGMA busy_timeout = 1000")  # writers wait as well
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def close(self) -> None:
        """Commit what waits, and close."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._writer.join()
        for connection in [*self._open, self._connection]:
            connection.close()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._readers, "connection", None)
        if connection is None:
            connection = connect(self.path)
            connection.execute("PRAGMA query_only = ON")
            self._readers.connection = connection
            with self._lock:
                self._open.append(connection)
        return connection

    def _run(self) -> None:
        while batch := self._next_batch():
            self._commit(batch)

    def _next_batch(self) -> list[_Work]:
        """What waits, at least one; nothing when closed."""
        batch: list[_Work] = []
        with contextlib.suppress(queue.Empty):
            while len(batch) < BATCH:
                item = self._queue.get(block=not batch)
                if item is None:
                    if batch:
                        self._queue.put(None)
                    break
                batch.append(item)
        return batch

    def _commit(self, batch: list[_Work]) -> None:
        """Run a batch in one transaction. Whoever waits is answered when it is over, not before.

        It is hoped that no work raises anything; if one does, all are run again, so that it can be undone alone.
        """
        outcomes: list[tuple[Any, Exception | None]] = []
        for attempt in (self._attempt, self._attempt_alone):
            try:
                with translated(self.path):
                    self._connection.execute("BEGIN IMMEDIATE")
                    outcomes = [attempt(item) for item in batch]
                    self._connection.execute("COMMIT")
                break
            except Exception as failure:  # noqa: BLE001 - raised in the threads that wait
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                outcomes = [(None, failure)] * len(batch)
                if isinstance(failure.__cause__, sqlite3.Error):
                    break  # the disk's, and so everybody's
        for item, (result, problem) in zip(batch, outcomes, strict=True):
            if problem:
                item.done.set_exception(problem)
            else:
                item.done.set_result(result)

    def _attempt(self, item: _Work) -> tuple[Any, Exception | None]:
        """Run one work."""
        return item.run(self._connection), None

    def _attempt_alone(self, item: _Work) -> tuple[Any, Exception | None]:
        """Run one work, or undo it alone; the disk's errors are everybody's."""
        self._connection.execute("SAVEPOINT work")
        try:
            result = item.run(self._connection)
        except Exception as problem:
            if isinstance(problem, sqlite3.DatabaseError) and not isinstance(problem, MISUSE):
                raise
            self._connection.execute("ROLLBACK TO work")
            self._connection.execute("RELEASE work")
            return None, problem
        self._connection.execute("RELEASE work")
        return result, None


def connect(path: Path) -> sqlite3.Connection:
    """A connection with our settings; transactions are begun by hand."""
    with translated(path):
        connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten, not only forgotten
            connection.execute("PRAGMA temp_store = MEMORY")
        except sqlite3.Error:
            connection.close()
            raise
        return connection


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise SQLite's errors as ours, which say what to do. What a caller did wrong stays as it is."""
    try:
        yield
    except MISUSE:
        raise
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", "")
        if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            raise StoreDamaged(
                f"{path}: the database is damaged ({name})", "Keep the file, and see ./blog mailroom restore --help."
            ) from error
        if name in ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE"):
            raise DiskFull(
                f"{path.parent}: the disk is full", "Make room; nothing was lost, what waits is done then."
            ) from error
        raise StoreError(f"{path}: {error} ({name})", "Try again; see ./blog mailroom doctor.") from error


def migrations(folder: Path = MIGRATIONS) -> list[tuple[int, Path]]:
    """The steps from nothing to the newest schema, by number."""
    found = sorted(folder.glob("[0-9][0-9][0-9]_*.sql"))
    return [(int(re.match(r"\d+", path.name)[0]), path) for path in found]  # type: ignore[index]


def check_schema(path: Path, folder: Path = MIGRATIONS) -> None:
    """Raise SchemaOutdated unless the database is of this program's version, which the folder's steps lead to."""
    newest = migrations(folder)[-1][0]
    connection = connect(path)
    try:
        with translated(path):
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()
    if version < newest:
        raise SchemaOutdated(
            f"{path}: its version is {version}, the program's is {newest}",
            "Make a backup, then: ./blog mailroom migrate",
        )
    if version > newest:
        raise SchemaOutdated(
            f"{path}: its version is {version}, newer than the program's, {newest}", "Use the program that made it."
        )


def migrate(path: Path, folder: Path = MIGRATIONS) -> list[str]:
    """Bring a database to the newest schema, each step whole or not at all; make it if there is none.

    The steps are those of the folder; returns the names of those taken.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
    connection = connect(path)
    taken = []
    try:
        with translated(path):
            for number, step in migrations(folder):
                connection.execute("BEGIN IMMEDIATE")
                version = int(connection.execute("PRAGMA user_version").fetchone()[0])
                if version >= number:
                    connection.execute("ROLLBACK")
                    continue
                for statement in _statements(step.read_text(encoding="utf-8")):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")
                connection.execute("COMMIT")
                taken.append(step.stem)
    finally:
        connection.close()
    return taken


def _statements(script: str) -> Iterator[str]:
    """The statements of a script one by one: `executescript` would commit between them."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def remember_keyring(database: Database, vault: Vault) -> None:
    """Tie the database to its keyring at first use; raise WrongKey when it was tied to another."""

    def compare(connection: sqlite3.Connection) -> bytes:
        connection.execute("INSERT OR IGNORE INTO facts VALUES ('keyring', ?)", (vault.check(),))
        return bytes(connection.execute("SELECT value FROM facts WHERE name = 'keyring'").fetchone()[0])

    if database.write(compare) != vault.check():
        raise WrongKey(
            f"{database.path}: sealed with another keyring than MAILROOM_KEY names",
            "Point MAILROOM_KEY at the right one.",
        )
