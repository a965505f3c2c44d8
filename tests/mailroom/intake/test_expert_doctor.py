"""The expert's doctor before a real deployment: in order it finds nothing wrong, of planted faults exactly those.

nginx runs with the configuration that is printed, before the intake's own process and the API's own server.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailroom.campaigns.api_tokens import ApiTokens, Scope
from mailroom.doctor import Answer, look_at_proxy
from mailroom.doctor import Patient as OnServer
from mailroom.expert.client import Client
from mailroom.expert.doctor import Patient, Web, examine
from mailroom.expert.identity import Key
from mailroom.intake.examination import PROTECTION
from mailroom.intake.notice import place_of
from mailroom.names import Resolver
from mailroom.office import open_office
from mailroom.settings import Secret
from tests.frontdoor.support import wait_until
from tests.mailroom.intake.house import HOST, House, Running, running
from tests.mailroom.intake.practice import OTHER, serving_api
from tests.mailroom.intake.stores import lookup_of, make_expert, sealed
from tests.mailroom.servers import free_ports
from tests.multilingual.sites import Site
from tests.policy.servers import make_certificate, print_configuration, running_nginx
from tests.policy.test_servers import publish

TODAY = datetime.now(UTC).date()
NOTICE = "expert@practice.example"
FORM = re.compile(r"    location /mail/form[ {].*?\n    \}\n", re.DOTALL)
SWAPS = "Filename\tType\tSize\tUsed\tPriority\n"


@dataclass
class Deployment:
    """An intake at work, the configuration of a web server before it, and the machine as it is examined."""

    folder: Path
    house: House
    intake: Running
    configuration: str
    certificate: str
    ports: tuple[int, int]

    @contextmanager
    def served(self, *changes: tuple[str, str], redirects: bool = True) -> Iterator[Path]:
        """nginx, with words replaced where the form is led through; the folder of what it writes."""
        folder = self.folder / "nginx"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        place = FORM.search(self.configuration)
        assert place
        form = place[0]
        for old, new in changes:
            assert old in form, old
            form = form.replace(old, new)
        text = self.configuration.replace(place[0], form)
        if not redirects:
            text, count = re.subn(r"return 301 https[^;]*;", "return 200 form;", text)
            assert count
        with running_nginx(folder, text):
            wait_until(lambda: listens(self.ports[1]), "nginx does not listen")
            yield folder

    def web(self, *, trusting: bool = True) -> Web:
        """How its web server is reached, as if it were at its own address."""
        places = {80: self.ports[0], 443: self.ports[1]}
        context = ssl.create_default_context(cafile=self.certificate if trusting else None)
        return Web(lambda _, port: socket.create_connection(("127.0.0.1", places[port]), timeout=60), context, 1.5)

    def machine(self, **files: str) -> Path:
        """A machine that does not swap; its nginx logs where ours does."""
        root = self.folder / "machine"
        shutil.rmtree(root, ignore_errors=True)
        standing = {"proc/swaps": SWAPS, "proc/sys/kernel/core_pattern": "core\n"}
        for name, text in (standing | {name.replace("__", "/"): text for name, text in files.items()}).items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        (root / "var" / "log").mkdir(parents=True)
        (root / "var" / "log" / "nginx").symlink_to(self.folder / "nginx")
        return root

    def key(self, identity: Any = None, since: date = TODAY, *, protected: bool = True) -> Key:
        path = self.folder / "identity.age"
        path.touch(mode=0o600)
        return Key(path, since, protected, identity or self.house.identity)

    def examine(
        self, machine: Path, *keys: Key, scope: Scope = "intake", web: Web | None = None, days: int = 90, **changed: Any
    ) -> tuple[list[str], list[str]]:
        """What is found not to be well, and what is."""
        with serving_api(self.house, machine, **({"intake_notice": (NOTICE,)} | changed)) as (office, api):
            tokens = ApiTokens(office.database, office.clock)
            name = f"token-{len(tokens.list())}"
            token = tokens.create(name, scope, days)
            with self.house.store.transaction() as connection:
                today = office.clock.today()
                connection.execute("INSERT OR REPLACE INTO notices VALUES (?, ?, ?)",
                                   (place_of(office, NOTICE), today, today))  # fmt: skip
            with Client(api, Secret(token)) as client:
                patient = Patient(client, keys or (self.key(),), TODAY, web or self.web())
                findings = list(examine(patient))
        assert all(each.remedy for each in findings if each.verdict != "ok")
        return (
            [each.what for each in findings if each.verdict != "ok"],
            [each.what for each in findings if each.verdict == "ok"],
        )


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("deployed")
    house = House(folder / "house")
    house.store.expire()
    house.store.set_fact(PROTECTION, json.dumps({"dumpable": False, "cgroup": ""}))
    plain, tls, nobody = free_ports(3)
    site = Site(folder / "site", PLUGINS=["multilingual", "policy"], POLICY_HSTS_DAYS=30, PRIVACY_ACCESS_LOG="none")
    publish(site)
    (folder / "site" / "output").mkdir()
    (folder / "certificate").mkdir()
    certificate, key = make_certificate(folder / "certificate")
    configuration = print_configuration(
        site.folder, "nginx", "--root", str(site.folder / "output"), "--mailroom", f"127.0.0.1:{nobody}",
        "--intake", f"127.0.0.1:{house.port}", "--certificate", certificate, "--key", key, "--ports", f"{plain},{tls}",
    )  # fmt: skip
    with running(house) as intake:
        yield Deployment(folder, house, intake, configuration, certificate, (plain, tls))
        assert not intake.said


def expect(found: Sequence[str], *wanted: str) -> None:
    """Exactly these are found, by the words that they begin with."""
    left = list(found)
    for words in wanted:
        [one] = [each for each in left if words in each]
        left.remove(one)
    assert left == []


def test_a_deployment_in_order_has_nothing_against_it(deployment: Deployment) -> None:
    with deployment.served():
        found, well = deployment.examine(deployment.machine())
    assert found == []
    assert well[-1] == "Test: a submission of 4 MB was sent, fetched, opened, acknowledged and deleted"
    assert {each.partition(":")[0] for each in well} == {"Keys", "Token", "Form", "Web", "Intake", "Test"}
    assert deployment.house.store.list() == []


SPOOLS = ("proxy_request_buffering off;", "")
COOKIE = ("proxy_http_version", 'add_header Set-Cookie "session=1" always; proxy_http_version')


def test_of_six_planted_faults_six_are_found(deployment: Deployment) -> None:
    """The web server logs, spools and sets a cookie, the machine swaps, a key is old, and the store is nearly full."""
    logs = ("access_log off;", f"access_log {deployment.folder}/nginx/access.log;")
    for number in range(2):
        deployment.house.store.store(sealed(make_expert()), lookup_of(str(number)))
    old = TODAY - timedelta(days=100)
    machine = deployment.machine(proc__swaps=f"{SWAPS}/swapfile file 2097148 0 -2\n")
    recipients = f"{deployment.house.identity.to_public()} {old}"
    with deployment.served(logs, SPOOLS, COOKIE):
        found, well = deployment.examine(
            machine, deployment.key(since=old), intake_recipients=recipients, intake_most=2
        )
    expect(
        found,
        "access.log holds what is asked",
        "the web server spools what is sent",
        "a cookie is set",
        "its memory may be swapped out",
        "the oldest on the form is 100 days old, yours",
        "it is nearly full, 2 submissions of 2",
    )
    assert "Test: a submission of 4 MB was sent, fetched, opened, acknowledged and deleted" in well
    for each in deployment.house.store.list():
        assert each.state == "stored", "what others sent is left alone"
        deployment.house.store.discard(each.id)


def test_other_faults_of_the_web_server(deployment: Deployment) -> None:
    headers = ("proxy_http_version", "proxy_hide_header Cache-Control; proxy_http_version")
    with deployment.served(
        ("proxy_set_header Host $host;", f"proxy_set_header Host {HOST};"), headers,
        ("add_header Cache-Control $", 'add_header Cache-Control "public" always; add_header X-Was $'), redirects=False,
    ):  # fmt: skip
        found, _ = deployment.examine(deployment.machine())
    expect(found, "browsers may keep it", "answers under another host's name", "without encryption it answers 200")


def test_a_key_that_is_not_mine_is_found_and_nothing_is_sent(deployment: Deployment) -> None:
    with deployment.served():
        found, well = deployment.examine(deployment.machine(), deployment.key(OTHER))
        expect(found, "Form: it is sealed to no key of yours")
        assert not [each for each in well if each.startswith("Test")]
        found, _ = deployment.examine(deployment.machine(), deployment.key(OTHER), deployment.key())
        expect(found, "to an older key of yours, not to the newest")
        both = f"{deployment.house.identity.to_public()} {TODAY}, {OTHER.to_public()} {TODAY}"
        found, _ = deployment.examine(deployment.machine(), intake_recipients=both)
        expect(found, "the keys on it are not those that the server names")
    assert deployment.house.store.list() == []


def test_faults_of_key_token_certificate_and_machine(deployment: Deployment) -> None:
    with deployment.served():
        found, _ = deployment.examine(deployment.machine(), scope="draft")
        expect(found, "Server: The token has the wrong scope")
        found, _ = deployment.examine(deployment.machine(), web=deployment.web(trusting=False))
        expect(found, "Form: its certificate is not to be trusted")
        fact = json.dumps({"dumpable": True, "cgroup": ""})
        deployment.house.store.set_fact(PROTECTION, fact)
        machine = deployment.machine(proc__sys__kernel__core_pattern="|/usr/lib/systemd/systemd-coredump\n")
        found, _ = deployment.examine(machine, deployment.key(protected=False), days=10)
        deployment.house.store.set_fact(PROTECTION, fact.replace("true", "false"))
        expect(
            found, "has no passphrase", "Token: it expires in 10 days", "hand its memory to a program (core_pattern)"
        )
    found, _ = deployment.examine(deployment.machine())
    expect(found, "cannot be reached (ConnectionRefusedError)")


def test_the_doctor_on_the_server_finds_what_is_logged_of_the_form_alone(deployment: Deployment) -> None:
    def fetch(url: str) -> Answer:
        answer = deployment.web().ask(url)
        return Answer(answer.status, dict(answer.headers.items()), answer.body)

    settings = replace(deployment.house.settings, trusted_proxies=())
    planted = ("access_log off;", f"access_log {deployment.folder}/nginx/access.log;")
    for changes in ((), (planted,)):
        with deployment.served(*changes), open_office(settings) as office:
            patient = OnServer(office, Resolver(), fetch, (deployment.folder / "nginx",))
            found = [each.what for each in look_at_proxy(patient)]
            assert any("access.log holds what is asked" in each for each in found) == bool(changes), found
