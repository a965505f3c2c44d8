"""The mailroom as it runs in production: several processes, each started again when it dies, none left behind."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mailroom.errors import ConfigurationError
from mailroom.office import make_office
from mailroom.settings import Settings
from mailroom.store.keyring import load_keyring, make_keyring, write_keyring
from mailroom.unit import write_unit
from tests.frontdoor.support import (
    ROOT,
    copy_project,
    lend_environment,
    run_blog,
    skip_if_left_out,
    start_blog,
    wait_until,
)
from tests.mailroom.servers import free_ports

HOST = "site.example"


@dataclass
class House:
    """A folder with the project and a mailroom of its own, as on a server."""

    folder: Path
    port: int
    api_port: int
    environment: dict[str, str] = field(repr=False)

    @property
    def settings(self) -> Settings:
        var = self.folder / "var"
        return Settings(data=var / "mailroom", key=str(var / "mailroom.key"), development=True)

    def start(self, **environment: str) -> Running:
        return Running(self, start_blog(self.folder, "mailroom", "run", **(self.environment | environment)))

    def health(self) -> int:
        """What the mailroom answers at its pages' port; 0 while nobody does."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request(
                "GET", "/mail/health", headers={"Host": urlsplit(self.environment["MAILROOM_URL"]).netloc}
            )
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()


class Running:
    """A mailroom that runs, and what it says."""

    def __init__(self, house: House, process: subprocess.Popen[str]) -> None:
        self.house, self.process = house, process
        self.said: list[str] = []
        assert process.stderr
        self._listener = threading.Thread(target=lambda: self.said.extend(process.stderr or ()), daemon=True)
        self._listener.start()

    def await_work(self) -> Running:
        wait_until(lambda: self.process.poll() is not None or self.says("at work"), "it does not start")
        assert self.process.poll() is None, self.said
        wait_until(lambda: self.house.health() == 200, f"no answer: {self.said}")
        return self

    def says(self, words: str) -> bool:
        return any(words in line for line in list(self.said))

    def parts(self) -> list[int]:
        """Its processes, the oldest first: at the start the web part, then the worker."""
        found = []
        for pid in children(self.process.pid):
            with contextlib.suppress(OSError):
                if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(pid)
        return sorted(found, key=lambda pid: int(Path(f"/proc/{pid}/stat").read_text().split()[21]))

    def stop(self) -> int:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=20)
        self._listener.join()
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()
        return code


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def make_house(folder: Path) -> House:
    copy_project(folder, "blog", "requirements.txt", "mailroom")
    lend_environment(folder)
    port, api_port, relay = free_ports(3)
    house = House(
        folder, port, api_port,
        {
            "MAILROOM_URL": f"https://{HOST}/mail/",
            "MAILROOM_SENDER": f"letters@{HOST}",
            "MAILROOM_BOUNCE_DOMAIN": f"bounces.{HOST}",
            "MAILROOM_DKIM_KEY": "relay",
            "MAILROOM_EXIT": "https://weather.example/",
            "MAILROOM_BACKUP_RECIPIENT": "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
            "MAILROOM_RELAY": f"smtp://127.0.0.1:{relay}",
            "MAILROOM_LISTEN": f"127.0.0.1:{port}",
            "MAILROOM_API_LISTEN": f"127.0.0.1:{api_port}",
        },
    )  # fmt: skip
    make_office(house.settings)
    return house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return make_house(tmp_path_factory.mktemp("house"))


@pytest.fixture(scope="module")
def running(house: House) -> Iterator[Running]:
    """A mailroom that the tests may hurt, as long as it recovers."""
    running = house.start()
    try:
        yield running.await_work()
    finally:
        running.stop()


def test_a_part_that_is_killed_is_started_again_alone(running: Running) -> None:
    for name in ("web", "worker"):
        first, second = running.parts()  # the web part, and then it is the younger one
        os.kill(first, signal.SIGKILL)
        message = f"the mailroom's {name} ended (SIGKILL): it is started again in 1 s"
        wait_until(partial(running.says, message), "it is not said")
        wait_until(lambda: len(running.parts()) == 2, "it is not started again")
        assert running.parts()[0] == second
    wait_until(lambda: running.house.health() == 200, f"no answer: {running.said}")


def test_it_leaves_no_core_file_and_nothing_for_others_to_read(running: Running) -> None:
    for pid in (running.process.pid, *running.parts()):
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert next(line for line in limits.splitlines() if "core" in line).split()[4:6] == ["0", "0"]
        assert "Umask:\t0077" in Path(f"/proc/{pid}/status").read_text()
    for path in running.house.settings.data.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_second_mailroom_on_the_same_data_is_refused(running: Running) -> None:
    house = running.house
    result = run_blog(house.folder, "mailroom", "run", **house.environment)
    assert result.returncode == 1
    assert "the mailroom is at work there" in result.stderr
    assert result.stderr.count("\n") == 1
    assert house.health() == 200


def test_sigterm_ends_every_process_and_says_so(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(20)
        running = house.start(NOTIFY_SOCKET=str(tmp_path / "notify"))
        assert systemd.recv(100) == b"READY=1"
        running.await_work()
        processes = running.parts()
        assert running.stop() == 0
        assert systemd.recv(100) == b"STOPPING=1"
    assert all(map(gone, processes))
    assert running.said[0] == "mailroom: INFO: at work\n"
    assert running.said[-1] == "mailroom: INFO: ended\n"
    assert not [line for line in running.said if "INFO" not in line], "it complains"


def test_no_part_outlives_a_watcher_that_is_killed(tmp_path: Path) -> None:
    running = make_house(tmp_path).start().await_work()
    processes = running.parts()
    running.process.kill()
    running.stop()
    wait_until(lambda: all(map(gone, processes)), "a process is left")


def test_a_keyring_that_is_handed_in_is_nowhere_else(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    ring = load_keyring(Path(house.settings.key))
    Path(house.settings.key).unlink()
    process = subprocess.Popen(
        [sys.executable, "blog", "mailroom", "run"],
        cwd=house.folder,
        env=os.environ | house.environment | {"MAILROOM_KEY": "ask"},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin
    process.stdin.write(write_keyring(ring))
    process.stdin.close()
    running = Running(house, process)
    try:
        running.await_work()
        for pid in running.parts():
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: running.says("the mailroom's web ended"), "it was not noticed")
        wait_until(lambda: len(running.parts()) == 2 and house.health() == 200, "it asks again")
        secrets = [line.split()[2].encode() for line in write_keyring(ring).splitlines() if not line.startswith("#")]
        secrets += [secret for keys in ring.keys.values() for secret in keys.values()]
        for pid in (process.pid, *running.parts()):
            for name in ("cmdline", "environ"):
                with contextlib.suppress(PermissionError):  # its own user may not look either, only root
                    content = Path(f"/proc/{pid}/{name}").read_bytes()
                    assert not any(secret in content for secret in secrets)
        for path in tmp_path.rglob("*"):
            if path.is_file() and ".venv" not in path.parts:
                assert not any(secret in path.read_bytes() for secret in secrets), path
    finally:
        assert running.stop() == 0
        assert not any(secret.decode() in "".join(running.said) for secret in secrets[:3])


def _outdate(house: House) -> None:
    with contextlib.closing(sqlite3.connect(house.settings.database)) as connection:
        connection.execute("PRAGMA user_version = 0")


def _damage(house: House) -> None:
    house.settings.database.write_bytes(b"no database " * 1000)


def _remove(house: House) -> None:
    shutil.rmtree(house.settings.data)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_outdate, "./blog mailroom migrate"),
        (_damage, "the database is damaged"),
        (_remove, "./blog mailroom init"),
    ],
)
def test_it_does_not_start_on_what_it_cannot_use(tmp_path: Path, harm: Callable[[House], None], said: str) -> None:
    house = make_house(tmp_path)
    harm(house)
    result = run_blog(house.folder, "mailroom", "run", **house.environment)
    assert result.returncode == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_it_does_not_start_with_another_keyring(running: Running, tmp_path: Path) -> None:
    house = running.house
    key = tmp_path / "mailroom.key"
    key.touch(0o600)
    key.write_text(write_keyring(make_keyring()))
    result = run_blog(house.folder, "mailroom", "run", **(house.environment | {"MAILROOM_KEY": str(key)}))
    assert result.returncode == 1
    assert "another keyring" in result.stderr


def test_it_does_not_start_where_another_program_listens(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    with socket.create_server(("127.0.0.1", house.port)):
        result = run_blog(house.folder, "mailroom", "run", **house.environment)
    assert result.returncode == 1
    assert "MAILROOM_LISTEN" in result.stderr


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("MAILROOM_DKIM_KEY", "no-such-key.pem"),
        ("MAILROOM_LANGUAGES", "en,tlh"),
        ("MAILROOM_RELAY", "smtp://127.0.0.1:99999"),
        ("MAILROOM_RELAY_CA", "no-such-file.pem"),
    ],
)
def test_settings_that_a_part_would_refuse_are_refused_at_once(house: House, setting: str, value: str) -> None:
    environment = house.environment | {"MAILROOM_RELAY": "smtps://localhost:2525", setting: value}
    result = run_blog(house.folder, "mailroom", "run", **environment)
    assert (result.returncode, setting in result.stderr) == (1, True), result.stderr


# As systemd starts it


def test_a_unit_may_write_where_the_data_is_and_nowhere_else() -> None:
    settings = Settings(
        data=Path("/srv/mail"), api_listen="unix:/run/letters/api.sock", bounces="maildir", bounce_maildir="/srv/back"
    )
    text = write_unit(settings, ROOT, Path("/usr/bin/python3"), "letters")
    assert re.findall(r"^(?:StateD|RuntimeD|ReadW).*$", text, re.MULTILINE) == [
        "ReadWritePaths=/srv/mail",
        "RuntimeDirectory=letters",
        "ReadWritePaths=/srv/back",
    ]
    assert "User=letters\n" in text
    assert "LimitCORE=0\n" in text
    for wrong in ({"key": "ask"}, {"data": Path("/srv/mail room")}):
        with pytest.raises(ConfigurationError):
            write_unit(replace(settings, **wrong), ROOT, Path("/usr/bin/python3"))
    with pytest.raises(ConfigurationError):
        write_unit(settings, ROOT, Path("/usr/bin/python3"), "root\nExecStart=")


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    skip_if_left_out("systemd")
    settings = Settings(data=Path("/var/lib/mailroom"))
    file = tmp_path / "mailroom.service"
    file.write_text(write_unit(settings, ROOT, Path(sys.prefix, "bin", "python")))
    assert "StateDirectory=mailroom\n" in file.read_text()
    judge = shutil.which("systemd-analyze")
    assert judge, "no systemd-analyze: run ./blog test, which installs it"
    done = subprocess.run([judge, "verify", str(file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
