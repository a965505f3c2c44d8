"""What keeps letters from arriving, or the mailroom from its promises, and what to do about each.

Only `examine` looks; it changes nothing and sends nothing. `doctor --letter` is in probe.py.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import secrets
import shutil
import smtplib
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from mailroom.clock import DAY, HOUR
from mailroom.delivery.bounces import count_set_aside
from mailroom.delivery.queue import Queue, cap_on
from mailroom.delivery.relay import Rejected, SmtpRelay, Unreachable
from mailroom.errors import ConfigurationError, MailroomError
from mailroom.letters.dkim import make_signer
from mailroom.names import Names
from mailroom.office import Office
from mailroom.settings import Settings
from mailroom.store.facts import LAST_BACKUP, LAST_DAY, fact, may_deliver

Verdict = Literal["ok", "look", "wrong"]
#: Octets that should be free, and must be: a campaign to thousands writes some tens of MB.
ROOM, LEAST_ROOM = 1024**3, 200 * 1024**2
#: Days since the last backup.
OLD_BACKUP, TOO_OLD_BACKUP = 2, 8
#: Where web servers log; what stands there must not hold what was asked of the mailroom.
LOGS = tuple(Path("/var/log", name) for name in ("nginx", "caddy", "apache2"))
#: How much of a log's end is read, in octets.
_TAIL = 1024**2
#: Seconds after which what is logged at all has been logged.
SETTLED = 0.3
_TIME_ERROR = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: well, to be looked at by a person, or wrong. Only the last fails the command."""

    verdict: Verdict
    what: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a web server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def fetch(url: str) -> Answer:
    """Ask a web server as a visitor does. Raises OSError."""
    request = urllib.request.Request(url, headers={"User-Agent": "mailroom-doctor"})  # noqa: S310 - MAILROOM_URL
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:  # noqa: S310
            return Answer(answer.status, dict(answer.headers.items()), answer.read(100_000))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers.items()), error.read(100_000))


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined, and by what: tests have names, a web server and logs of their own."""

    office: Office
    names: Names
    fetch: Callable[[str], Answer] = fetch
    logs: tuple[Path, ...] = field(default=LOGS)


def examine(patient: Patient) -> Iterator[Finding]:
    """Look at everything. What cannot be looked at is wrong too."""
    for check in CHECKS:
        try:
            yield from check(patient)
        except (MailroomError, ConfigurationError) as error:
            yield Finding("wrong", str(error))


# What others ask DNS: these checks need nothing else of the mailroom, and zone.py asks them too


def look_at_spf(settings: Settings, names: Names) -> Iterator[Finding]:
    """SPF (RFC 7208): which servers may send, for the sender's domain and the return path's.

    Letters are judged by the second; a sender's domain that says nothing harms none of ours.
    """
    judged = settings.bounce_domain or settings.domain
    if settings.domain != judged:
        yield _look_at_spf(settings.domain, names, missing="look")
    yield _look_at_spf(judged, names, missing="wrong")


def _look_at_spf(domain: str, names: Names, *, missing: Verdict) -> Finding:
    found = [text for text in names.find(domain, "TXT") if re.match(r"v=spf1(\s|$)", text, re.IGNORECASE)]
    advice = f"Publish what ./blog mailroom dns prints for {domain}."
    if not found:
        return Finding(missing, f"SPF: {domain} has no record", advice)
    if len(found) > 1:
        return Finding("wrong", f"SPF: {domain} has {len(found)} records, so none counts", "Join them into one.")
    if "<" in found[0]:
        remedy = "Put what the relay's operator names in the place of <…>."
        return Finding("wrong", f"SPF: the record of {domain} is not filled in", remedy)
    if re.search(r"\s\+?all\b", found[0], re.IGNORECASE):
        return Finding("wrong", f"SPF: {domain} lets everybody send", advice)
    if not re.search(r"\s[-~]all\b|\sredirect=", found[0], re.IGNORECASE):
        return Finding("look", f"SPF: {domain} refuses nobody", "End the record with -all or ~all.")
    return Finding("ok", f"SPF: {domain} says who may send")


def look_at_dkim(settings: Settings, names: Names) -> Iterator[Finding]:
    """The public key in DNS (RFC 6376, 3.6) must be that of our key."""
    signer = make_signer(settings)
    if signer is None:
        remedy = "Only a letter shows whether it does: ./blog mailroom doctor --letter"
        yield Finding("look", "DKIM: the relay is to sign", remedy)
        return
    name, ours = signer.record()
    wanted = _tags("".join(re.findall(r'"([^"]*)"', ours)))
    records = [_tags(text) for text in names.find(name, "TXT")]
    advice = f"Publish what ./blog mailroom dkim prints for {name}."
    if not records:
        yield Finding("wrong", f"DKIM: {name} has no record", advice)
    elif len(records) > 1:
        yield Finding("wrong", f"DKIM: {name} has {len(records)} records, so none counts", advice)
    elif (records[0].get("p"), records[0].get("k", "rsa")) != (wanted["p"], wanted["k"]):
        yield Finding("wrong", f"DKIM: the key at {name} is not MAILROOM_DKIM_KEY's", advice)
    elif "y" in records[0].get("t", "").split(":"):
        yield Finding("look", f"DKIM: {name} says that it is a test", "Take t=y out of the record.")
    else:
        yield Finding("ok", f"DKIM: the key at {name} is ours")


def look_at_dmarc(settings: Settings, names: Names) -> Iterator[Finding]:
    """DMARC (RFC 7489): a policy, and that SPF's or DKIM's domain counts as the sender's."""
    place, policy = find_policy(names, settings.domain)
    if not place:
        advice = f"Publish what ./blog mailroom dns prints for _dmarc.{settings.domain}. Large providers ask for it."
        yield Finding("wrong", f"DMARC: {settings.domain} has no policy", advice)
        return
    signing = settings.dkim_domain or settings.domain
    dkim = _is_aligned(signing, settings.domain, place, strict=policy.get("adkim") == "s")
    spf = _is_aligned(
        settings.bounce_domain or settings.domain, settings.domain, place, strict=policy.get("aspf") == "s"
    )
    if not dkim and not spf:
        remedy = "Choose MAILROOM_DKIM_DOMAIN and MAILROOM_BOUNCE_DOMAIN below the sender's domain."
        yield Finding("wrong", f"DMARC: neither signature nor return path counts as {settings.domain}'s", remedy)
    elif not dkim or not spf:
        what, name = ("signature", "MAILROOM_DKIM_DOMAIN") if spf else ("return path", "MAILROOM_BOUNCE_DOMAIN")
        remedy = f"Choose {name} below the sender's domain, or relax {'adkim' if spf else 'aspf'}=s."
        yield Finding("look", f"DMARC: the {what} does not count as {settings.domain}'s", remedy)
    else:
        yield Finding("ok", f"DMARC: {place} has a policy, and signature and return path count as the sender's")
    if policy.get("p", "").lower() == "none":
        remedy = "When no letter of yours fails any more: p=quarantine, then p=reject."
        yield Finding("look", f"DMARC: {place} asks nobody to refuse forged letters", remedy)


def find_policy(names: Names, domain: str) -> tuple[str, dict[str, str]]:
    """The domain whose DMARC policy holds for a domain, and the policy: the nearest on the way up."""
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        place = ".".join(labels[start:])
        found = [tags for text in names.find(f"_dmarc.{place}", "TXT") if (tags := _tags(text)).get("v") == "DMARC1"]
        if len(found) == 1:
            return place, found[0]
    return "", {}


def _is_aligned(domain: str, sender: str, place: str, *, strict: bool) -> bool:
    return domain == sender if strict else domain == place or domain.endswith("." + place)


def look_at_return_path(settings: Settings, names: Names) -> Iterator[Finding]:
    """Where letters that cannot be delivered come back to."""
    domain = settings.bounce_domain
    servers = [server for server in names.find(domain, "MX") if server not in ("", ".")]
    if not servers:
        remedy = f"Publish for {domain}: MX 10 and the name of the server that has the mailbox of MAILROOM_BOUNCES."
        yield Finding("wrong", f"Returned letters: {domain} has no MX record", remedy)
        return
    for server in servers:
        if not any(names.find(server, kind) for kind in ("A", "AAAA")):
            yield Finding("wrong", f"Returned letters: {server} has no address", "Publish its A or AAAA record.")
            return
    yield Finding("ok", f"Returned letters: {domain} leads to {servers[0]}")


def _tags(text: str) -> dict[str, str]:
    """`v=DKIM1; k=rsa; p=…` as tags; white space within values does not count (RFC 6376, 3.2)."""
    parts = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): re.sub(r"\s", "", value) for name, _, value in parts if name.strip()}


# The servers that the mailroom speaks with


def look_at_relay(patient: Patient) -> Iterator[Finding]:
    """Whether the relay lets us in, over TLS that can be trusted."""
    settings = patient.office.settings
    if settings.relay == "outbox:":
        yield Finding("look", "Relay: letters are files", "Name a relay in MAILROOM_RELAY when they are to be sent.")
        return
    relay = SmtpRelay(settings)
    try:
        session = relay.open()
        encrypted = hasattr(session.sock, "cipher")
    except Rejected as error:
        remedy = "Check MAILROOM_RELAY_USER and MAILROOM_RELAY_PASSWORD."
        yield Finding("wrong", f"Relay: it refuses us ({error.reply})", remedy)
        return
    except (Unreachable, OSError, smtplib.SMTPException) as error:
        problem = error.problem if isinstance(error, Unreachable) else type(error).__name__
        yield Finding("wrong", f"Relay: {problem}", "Check MAILROOM_RELAY, MAILROOM_RELAY_CA, and the relay itself.")
        return
    finally:
        relay.close()
    how = "over TLS" if encrypted else "on this machine"
    yield Finding("ok", f"Relay: it lets us in, {how}")


def look_at_reports(patient: Patient) -> Iterator[Finding]:
    """The mailbox of returned letters, and what nobody understood there."""
    settings = patient.office.settings
    if settings.bounces == "none":
        remedy = "Set MAILROOM_BOUNCES, or addresses that are gone are written to for ever."
        yield Finding("look", "Returned letters: nobody reads them", remedy)
        return
    count = count_set_aside(settings)
    if count:
        yield Finding("look", f"Returned letters: {count} could not be understood", "They are flagged: look at them.")
    else:
        yield Finding("ok", "Returned letters: the mailbox opens, and nothing waits there")


def look_at_proxy(patient: Patient) -> Iterator[Finding]:
    """The web server in front: that it leads here, keeps what it hears to itself, and says who asks."""
    settings = patient.office.settings
    canary = f"doctor-{secrets.token_hex(8)}"
    try:
        health, page = patient.fetch(f"{settings.url}health"), patient.fetch(f"{settings.url}{canary}?{canary}")
    except OSError as error:
        reason = getattr(error, "reason", error)
        remedy = "Start the mailroom (./blog mailroom run), and a web server with ./blog deploy-config."
        yield Finding("wrong", f"Web: {settings.url} does not answer ({reason})", remedy)
        return
    if health.status != 200:
        yield Finding("wrong", f"Web: {settings.url}health answers {health.status}", "Look at the mailroom's log.")
    problems = list(_wrong_headers(page, encrypted=settings.url.startswith("https:")))
    if problems:
        remedy = "Print the configuration again: ./blog deploy-config nginx (or caddy)."
        yield Finding("wrong", f"Web: {'; '.join(problems)}", remedy)
    if health.status == 200 and not problems:
        yield Finding("ok", "Web: the mailroom answers, with its headers")
    if settings.intake_recipients:  # in front of the form there may be other words
        with contextlib.suppress(OSError):
            patient.fetch(f"{settings.url}form/{canary}")
    yield from look_for_logs((*patient.logs, Path("/var/log") / (urlsplit(settings.url).hostname or "")), canary)
    if not settings.trusted_proxies and not settings.development:
        remedy = "MAILROOM_TRUSTED_PROXIES=127.0.0.1 (the proxy must overwrite X-Forwarded-For, as ours do)."
        yield Finding("look", "Web: no proxy is trusted, so all visitors count as one to the limits", remedy)


def _wrong_headers(page: Answer, *, encrypted: bool) -> Iterator[str]:
    headers = {name.lower(): value for name, value in page.headers.items()}
    if "set-cookie" in headers:
        yield "a cookie is set"
    if "no-store" not in headers.get("cache-control", ""):
        yield "pages may be stored (Cache-Control)"
    if headers.get("referrer-policy") != "no-referrer":
        yield "links tell where they were followed (Referrer-Policy)"
    if "default-src 'none'" not in headers.get("content-security-policy", ""):
        yield "the policy of content is not ours (Content-Security-Policy)"
    if encrypted and "strict-transport-security" not in headers:
        yield "browsers are not told to come encrypted (Strict-Transport-Security)"
    if re.search(r"/\d", headers.get("server", "")):
        yield "the server tells its version (Server)"


def look_for_logs(folders: Iterable[Path], canary: str) -> Iterator[Finding]:
    """Whether requests just made have been written down: `canary` stood in their addresses."""
    time.sleep(SETTLED)
    closed = False
    for folder in folders:
        try:
            files = [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
            for path in files:
                if canary.encode() in _tail(path):
                    remedy = "Links hold tokens: switch the log off for /mail/, as ./blog deploy-config does."
                    yield Finding("wrong", f"Web: {path} holds what is asked of the mailroom", remedy)
                    return
        except PermissionError:
            closed = True
    if closed:
        yield Finding("look", "Web: its logs cannot be read by this user", "Run ./blog mailroom doctor once as root.")
    else:
        yield Finding("ok", "Web: no log holds what is asked of the mailroom")


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        return file.read()


# The machine


def look_at_clock(patient: Patient) -> Iterator[Finding]:
    """Links and pauses live by the clock."""
    office = patient.office
    with office.database.snapshot() as connection:
        last = int(fact(connection, LAST_DAY) or 0)
    if last > office.clock.today():
        remedy = "Set it right; letters wait until it has caught up."
        yield Finding("wrong", f"Clock: it has gone back by {last - office.clock.today()} days", remedy)
    elif _is_set_by_network() is False:
        remedy = "Install systemd-timesyncd or chrony."
        yield Finding("look", "Clock: nothing sets it by the network", remedy)
    else:
        yield Finding("ok", "Clock: it runs forward")


def _is_set_by_network() -> bool | None:
    """What the kernel knows of its clock (ntp_adjtime(3)); None where it cannot be asked."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        status = ctypes.CDLL(None).ntp_adjtime(ctypes.create_string_buffer(512))
        return None if status < 0 else status != _TIME_ERROR
    return None


def look_at_disk(patient: Patient) -> Iterator[Finding]:
    """Room for what is to be written."""
    folder = patient.office.settings.data
    free = shutil.disk_usage(folder).free
    megabytes = f"{free // 1024**2:,} MB"
    if free < LEAST_ROOM:
        yield Finding("wrong", f"Disk: {megabytes} are left for {folder}", "Make room now.")
    elif free < ROOM:
        yield Finding("look", f"Disk: {megabytes} are left for {folder}", "Make room.")
    else:
        yield Finding("ok", f"Disk: {megabytes} are left")


def look_at_backup(patient: Patient) -> Iterator[Finding]:
    """How old the last backup is."""
    with patient.office.database.snapshot() as connection:
        last = fact(connection, LAST_BACKUP)
    remedy = "Have ./blog mailroom backup run every night, and copy what it writes to another machine."
    if not last:
        yield Finding("wrong", "Backup: there never was one", remedy)
        return
    days = patient.office.clock.today() - int(last)
    when = "today" if days <= 0 else "yesterday" if days == 1 else f"{days} days ago"
    verdict: Verdict = "wrong" if days > TOO_OLD_BACKUP else "look" if days > OLD_BACKUP else "ok"
    yield Finding(verdict, f"Backup: the last was made {when}", "" if verdict == "ok" else remedy)


def look_at_keys(patient: Patient) -> Iterator[Finding]:
    """Who may read what must stay ours."""
    settings = patient.office.settings
    private = [settings.key, settings.dkim_key]
    for text in private:
        path = Path(text)
        if text in ("", "ask", "relay") or os.name != "posix" or not path.exists():
            continue
        if path.stat().st_mode & 0o077:
            yield Finding("wrong", f"Keys: others may read {path}", f"chmod 600 {path}")
            return
    yield Finding("ok", "Keys: nobody else may read them")


# What waits


def look_at_requests(patient: Patient) -> Iterator[Finding]:
    """What pages took, and the worker has not decided."""
    office = patient.office
    rows = office.database.read("SELECT count(*) AS count FROM requests WHERE day < ?", (office.clock.today(),))
    if rows[0]["count"]:
        remedy = "The worker does not run, or cannot: look at its log."
        yield Finding("wrong", f"Requests: {rows[0]['count']} wait since yesterday or longer", remedy)
    else:
        yield Finding("ok", "Requests: none waits")


def look_at_letters(patient: Patient) -> Iterator[Finding]:
    """Letters that do not move."""
    office = patient.office
    now = int(office.clock.now())
    with office.database.snapshot() as connection:
        delivers = may_deliver(connection)
        unknown = connection.execute("SELECT count(*) FROM letters WHERE state = 'unknown'").fetchone()[0]
        values = {"before": now - HOUR, "lists": not _lists_wait_their_turn(office, connection)}
        late = connection.execute(_LATE, values).fetchone()[0]
        relay = connection.execute("SELECT reply FROM pauses WHERE domain = x'' AND until > ?", (now,)).fetchone()
        domains = connection.execute(
            "SELECT count(*) FROM pauses WHERE domain != x'' AND until > ?", (now,)
        ).fetchone()[0]
    before = [
        (not delivers, "delivery is off, as after a restore", "See ./blog mailroom --help for how to switch it on."),
        (relay, f"the relay is paused ({relay[0] if relay else ''})", "Ask who runs it; delivery goes on by itself."),
        (domains, f"{domains} domains are paused", "They refused many letters: ask them why."),
        (late and delivers and not relay, f"{late} are an hour late", "Is the worker running? Look at its log."),
        (unknown, f"of {unknown} nobody knows whether they left", "./blog mailroom resend --unknown KEY"),
    ]
    found = [Finding("look", f"Letters: {what}", remedy) for applies, what, remedy in before if applies]
    yield from found or [Finding("ok", "Letters: none is stuck")]


# Those of lists wait also while their campaign is paused or held.
_LATE = """
SELECT count(*) FROM letters LEFT JOIN campaigns ON campaigns.key = letters.campaign
WHERE letters.state = 'pending' AND letters.due < :before AND (letters.kind NOT IN ('campaign', 'digest')
    OR :lists AND campaigns.state = 'started' AND campaigns.release < :before)
"""


def _lists_wait_their_turn(office: Office, connection: sqlite3.Connection) -> bool:
    """Whether letters of lists may well wait: for another day, for their second, or for those that go before them."""
    now, today = int(office.clock.now()), office.clock.today()
    sent, day = Queue(office.database, office.vault, office.journal, office.clock).sent_on(today)
    cap = cap_on(office.settings, day)
    if cap and (sent >= cap or now % DAY < HOUR):
        return True
    at_work = "SELECT 1 FROM letters WHERE state IN ('claimed', 'sending') AND due > ? LIMIT 1"
    if connection.execute(at_work, (now,)).fetchone():
        return True
    went = connection.execute("SELECT 1 FROM deliveries WHERE day = ? AND listed > 0", (today,)).fetchone()
    return bool(office.settings.rate and went)


def look_at_intake(patient: Patient) -> Iterator[Finding]:
    """What keeps the intake from its promises."""
    from mailroom.intake.examination import examine_intake  # it has our findings

    yield from examine_intake(patient.office)


def _of_dns(check: Callable[[Settings, Names], Iterator[Finding]]) -> Callable[[Patient], Iterator[Finding]]:
    return lambda patient: check(patient.office.settings, patient.names)


CHECKS: tuple[Callable[[Patient], Iterator[Finding]], ...] = (
    _of_dns(look_at_spf),
    _of_dns(look_at_dkim),
    _of_dns(look_at_dmarc),
    _of_dns(look_at_return_path),
    look_at_relay,
    look_at_reports,
    look_at_proxy,
    look_at_clock,
    look_at_disk,
    look_at_backup,
    look_at_keys,
    look_at_requests,
    look_at_letters,
    look_at_intake,
)
