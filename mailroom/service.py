"""The mailroom at work: pages and API, delivery, and the intake are a process each, and this one watches over them.

So a page that is attacked cannot hold up letters, and what delivers answers no strangers. The keyring is read once,
here, and handed to each process through a pipe: it is on no command line, in no environment and in no file of ours.
The intake gets of keys and settings what it needs, and no more.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from mailroom.clock import Clock
from mailroom.errors import ConfigurationError, describe
from mailroom.office import Office, open_office, prepare_intake
from mailroom.settings import Secret, Settings
from mailroom.store.keyring import Keyring, load_keyring
from mailroom.store.lock import Lock

log = logging.getLogger("mailroom")

#: The processes, in the order in which they are started; the last if MAILROOM_INTAKE_RECIPIENTS names somebody.
PARTS = ("web", "worker", "intake")
#: Seconds before a process that died is started again: doubled each time, from the first to the last …
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
#: … and as at first again when it ran for so long.
STEADY = 60.0
#: Seconds in which letters on their way may be finished at the end; what is cut off then counts as `unknown`.
PATIENCE = 110.0


def run(settings: Settings, ring: Keyring | None = None) -> None:
    """Run until SIGTERM or Ctrl-C; the second one does not wait for letters that are on their way.

    `ring` is the keyring where it is in no file (`MAILROOM_KEY=ask`). Raises SchemaOutdated, WrongKey and other
    StoreErrors, and ConfigurationError, before anything is started.
    """
    protect()
    write_log(settings)
    if settings.intake_recipients or settings.intake_database.exists():  # what is there expires in any case
        prepare_intake(settings)
    ring = ring or load_keyring(Path(settings.key))
    open_office(settings, ring=ring).close()
    check_parts(settings, ring)
    with Lock(settings.data, alone=True, name="running.lock"):
        for name in ("listen", "api_listen", *(("intake_listen",) if settings.intake_recipients else ())):
            check_free(name, getattr(settings, name))
        service = Service(settings, ring)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: service.stop())
        service.watch()


class Service:
    """Starts the processes and starts them again; `watch` returns after `stop`, when all have ended."""

    def __init__(self, settings: Settings, ring: Keyring, patience: float = PATIENCE) -> None:
        self._parts = [_Part(name, settings, ring) for name in PARTS if name != "intake" or settings.intake_recipients]
        self._patience = patience
        self._ear, self._bell = multiprocessing.Pipe(duplex=False)

    def stop(self) -> None:
        """Have `watch` end. May be called by any thread and by signal handlers."""
        self._bell.send(None)

    def watch(self) -> None:
        """Keep all processes running."""
        told = False
        try:
            while True:
                for part in self._parts:
                    part.start_if_due()
                if not told and all(part.works for part in self._parts):
                    told = True
                    log.info("at work")
                    notify("READY=1")
                if self._ear in wait(self._handles(), min(part.seconds_left() for part in self._parts)):
                    self._ear.recv()
                    return
                for part in self._parts:
                    part.look()
        finally:
            self._end()

    def _handles(self) -> list[Any]:
        return [self._ear, *(handle for part in self._parts for handle in part.handles())]

    def _end(self) -> None:
        notify("STOPPING=1")
        running = [process for part in self._parts if (process := part.dismiss())]
        deadline = time.monotonic() + self._patience
        while running and (left := deadline - time.monotonic()) > 0:
            if self._ear in wait([self._ear, *(process.sentinel for process in running)], left):
                break  # told a second time
            running = [process for process in running if process.exitcode is None]
        for process in running:
            log.warning("a process did not end in time: letters that were on their way count as unknown")
            process.kill()
            process.join()
        log.info("ended")


class _Part:
    """One process and its line: it says "ready" there, and takes the end of the line for the order to stop."""

    def __init__(self, name: str, settings: Settings, ring: Keyring) -> None:
        self.name = name
        self.works = False
        self._given = (name, *((settings, ring) if name != "intake" else for_intake(settings, ring)))
        self._process: SpawnProcess | None = None
        self._line: Connection | None = None
        self._due = self._started = 0.0
        self._pause = FIRST_PAUSE

    def handles(self) -> list[Any]:
        return [handle for handle in (self._line, self._process and self._process.sentinel) if handle is not None]

    def seconds_left(self) -> float:
        """Until it is to be started; a minute when it runs."""
        return LONGEST_PAUSE if self._process else max(0.0, self._due - time.monotonic())

    def start_if_due(self) -> None:
        if self._process or time.monotonic() < self._due:
            return
        ours, theirs = multiprocessing.Pipe()
        # A fresh interpreter, not a fork: threads and the open database stay where they are.
        process = multiprocessing.get_context("spawn").Process(target=work, args=(*self._given, theirs), daemon=True)
        with _shielded():
            process.start()
        theirs.close()
        self._process, self._line, self._started = process, ours, time.monotonic()

    def look(self) -> None:
        """Take note of what the process said, or of its end."""
        if self._line and self._line.poll():
            try:
                self.works = self._line.recv() == "ready"
            except (EOFError, OSError):
                self._line.close()
                self._line = None
        if self._process and self._process.exitcode is not None:
            if time.monotonic() - self._started > STEADY:
                self._pause = FIRST_PAUSE
            reason = f"exit code {self._process.exitcode}"
            if self._process.exitcode < 0:
                reason = signal.Signals(-self._process.exitcode).name
            log.error("the mailroom's %s ended (%s): it is started again in %g s", self.name, reason, self._pause)
            self.dismiss()
            self._due = time.monotonic() + self._pause
            self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def dismiss(self) -> SpawnProcess | None:
        """Let the process end, and return it."""
        process, self._process, self.works = self._process, None, False
        if self._line:
            self._line.close()
            self._line = None
        return process


def work(name: str, settings: Settings, ring: Keyring, line: Connection) -> None:
    """What a process does: its part, until the line ends."""
    protect()
    write_log(settings)
    stop = threading.Event()
    # The terminal sends Ctrl-C to everybody, systemd SIGTERM; what counts is the line.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        if name == "intake":
            take_in(settings, ring, line)
            return
        threading.excepthook = lambda failed: log.error("a thread of the %s ended: %s", name, _of_thread(failed))
        threading.Thread(target=_await_end, args=(line, stop), name="line", daemon=True).start()
        with open_office(settings, ring=ring) as office:
            line.send("ready")
            {"web": serve, "worker": deliver}[name](office, stop)
    except Exception as error:  # noqa: BLE001 - said without what it holds, and the process ends
        log.error("the %s cannot go on: %s", name, describe(error))
        sys.exit(1)


def serve(office: Office, stop: threading.Event) -> None:
    """Serve the pages and, at an address of its own, the API; either's end is the end of both."""
    from mailroom.web.outbox import serve_with_outbox
    from mailroom.web.server import serve_api, serve_public

    failures: list[Exception] = []

    def run_one(one: Callable[[Office, threading.Event], None]) -> None:
        try:
            one(office, stop)
        except Exception as error:  # noqa: BLE001 - raised below
            failures.append(error)
        finally:
            stop.set()

    public = serve_with_outbox if office.settings.development else serve_public
    threads = [threading.Thread(target=run_one, args=(one,), name="web") for one in (public, serve_api)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def deliver(office: Office, stop: threading.Event) -> None:
    """Decide on requests and deliver letters."""
    from mailroom.delivery.worker import run_worker

    run_worker(office, stop, outbox=office.settings.outbox)


def take_in(settings: Settings, ring: Keyring, line: Connection) -> None:
    """Serve the form until the line ends. This process forks, so that it has neither threads nor an open database."""
    from mailroom.intake.app import make_app
    from mailroom.intake.examination import note_protection
    from mailroom.intake.server import Server, open_descriptors
    from mailroom.intake.submissions import open_intake

    private = open_descriptors()  # the line, and by what the watching process sees that this one lives
    note_protection(open_intake(settings, Clock()))
    server = Server(make_app(settings, ring), settings.intake_listen, private)
    line.send("ready")
    server.run(line)


def for_intake(settings: Settings, ring: Keyring) -> tuple[Settings, Keyring]:
    """What the intake is given, which reads what strangers send: no password, and keys for receipts alone."""
    passwords: dict[str, Any] = {
        each.name: Secret("") for each in fields(Settings) if isinstance(getattr(settings, each.name), Secret)
    }
    return replace(settings, **passwords), ring.only("receipt-salt", "receipt-secret")


def _await_end(line: Connection, stop: threading.Event) -> None:
    """The line ends when the watching process lets go of it, or has died: no part is left alone."""
    with contextlib.suppress(EOFError, OSError):
        line.recv()
    stop.set()


def protect() -> None:
    """No core file, which would hold addresses and keys; and what we write is for our own eyes."""
    os.umask(0o077)
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    forbid_dump()


def forbid_dump() -> None:
    """No core for another program either (core_pattern, "|…"), for which the limit does not count; nor for debuggers.

    What this process starts by forking inherits it (PR_SET_DUMPABLE, prctl(2)).
    """
    if sys.platform == "linux":
        import ctypes

        pr_set_dumpable = 4
        ctypes.CDLL(None).prctl(pr_set_dumpable, 0, 0, 0, 0)


def write_log(settings: Settings) -> None:
    """Log to standard error, without instants: whoever keeps the log stamps it. A developer sees only what is wrong."""
    level = logging.WARNING if settings.development else logging.INFO
    logging.basicConfig(level=level, format="%(name)s: %(levelname)s: %(message)s", force=True)
    # It names paths when something fails, and a path may hold a token.
    logging.getLogger("waitress").setLevel(logging.CRITICAL + 1)


def _of_thread(failed: threading.ExceptHookArgs) -> str:
    return describe(failed.exc_value) if failed.exc_value else failed.exc_type.__name__


def notify(state: str) -> None:
    """Tell systemd, where it asks to be told (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel, contextlib.suppress(OSError):
            channel.sendto(state.encode(), address.replace("@", "\0", 1) if address[0] == "@" else address)


def check_parts(settings: Settings, ring: Keyring) -> None:
    """Raise ConfigurationError for what a part would refuse, so that it is said at once and not at every start."""
    from mailroom.delivery.relay import SmtpRelay
    from mailroom.intake.receipts import Lookup
    from mailroom.intake.sealing import read_recipients, refuse_old
    from mailroom.languages import load_languages
    from mailroom.letters.dkim import make_signer

    load_languages(settings.languages, settings.default_lang)
    make_signer(settings)
    recipients = read_recipients(settings.intake_recipients)
    if not settings.development:
        refuse_old(recipients, Clock().today())
    if recipients:
        Lookup(ring)
    if settings.relay != "outbox:":
        SmtpRelay(settings)


def check_free(name: str, address: str) -> None:
    """Raise ConfigurationError when another program listens there, or nobody may."""
    if address.startswith("unix:"):
        return
    host, _, port = address.rpartition(":")
    try:
        with socket.create_server((host.strip("[]"), int(port)), family=_family(host)):
            pass
    except (OSError, OverflowError, ValueError) as error:
        remedy = f"nothing can listen there ({getattr(error, 'strerror', None) or error}): use a free HOST:PORT"
        raise ConfigurationError(f"MAILROOM_{name.upper()}", address, remedy) from error


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


@contextlib.contextmanager
def _shielded() -> Iterator[None]:
    """Have a process start deaf to Ctrl-C: signals that a thread blocks stay blocked in what it starts."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
