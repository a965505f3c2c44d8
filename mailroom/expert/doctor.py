"""What keeps submissions from being sealed to this expert, or from leaving no trace, seen from the expert's machine.

It asks for the form as anybody could, and the server's own examination through the API. Its test submission, of the
largest class, goes through the public form, is opened here, acknowledged, and deleted by its receipt.
"""

from __future__ import annotations

import http.client
import os
import re
import secrets
import socket
import ssl
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlencode, urlsplit

from mailroom.doctor import Finding, Verdict
from mailroom.errors import MailroomError, WrongKey
from mailroom.expert.client import Client, Overview, ServerError, is_this_machine
from mailroom.expert.identity import Key
from mailroom.intake.container import SIZES
from mailroom.intake.forms import LARGEST_FILES, RECEIPT
from mailroom.intake.sealing import REFUSE_AFTER, ROTATE_AFTER, unseal

#: Days before the end of a token's life on which to think of the next.
SOON = 14
#: Octets that the test of spooling announces, and that it sends: more than any server holds in memory for one request.
_ANNOUNCED, _SENT = 1024 * 1024, 256 * 1024
_LARGEST_PAGE = 1024 * 1024
_RECEIPT = re.compile(rb'class="receipt"[^>]*><bdi[^>]*>([0-9 ]{19})<')
_STATE = re.compile(rb'data-state="(\w+)"')
_RECIPIENT = re.compile(rb"\bage1[0-9a-z]{58}\b")
_SCRIPT = re.compile(rb"<script|javascript:|<[^>]*\son[a-z]+\s*=", re.IGNORECASE)
_AGAIN = "Print the web server's configuration again: ./blog deploy-config nginx (or caddy)."


def connect(host: str, port: int) -> socket.socket:
    """A connection to a web server. Raises OSError."""
    return socket.create_connection((host, port), timeout=60)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a web server said."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Web:
    """How web servers are reached: without proxy, redirect or cookie. Tests have a web server of their own."""

    connect: Callable[[str, int], socket.socket] = connect
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    #: Seconds in which what needs no more than the head of a request is answered.
    patience: float = 15.0

    def ask(self, url: str, method: str = "GET", body: bytes | None = None, kind: str = "", host: str = "") -> Answer:
        """Ask for an address, under the name of another `host` if one is given. Raises OSError, HTTPException."""
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc)
        connection.sock = self._open(url)
        headers = {"Host": host or parts.netloc, "User-Agent": "mailroom-doctor", "Connection": "close"}
        try:
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body, headers | ({"Content-Type": kind} if kind else {}))
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read(_LARGEST_PAGE))
        finally:
            connection.close()

    def answers_early(self, url: str) -> bool:
        """Whether a request is answered that is not whole yet, as who reads it while it comes can. Raises OSError."""
        parts = urlsplit(url)
        head = (
            f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: mailroom-doctor\r\n"
            f"Content-Type: text/plain\r\nContent-Length: {_ANNOUNCED}\r\n\r\n"
        )
        with self._open(url) as line:
            line.settimeout(self.patience)
            line.sendall(head.encode("ascii"))
            try:
                line.sendall(bytes(_SENT))
                return line.recv(1) != b""
            except TimeoutError:
                return False
            except OSError:  # refused, and hung up: nothing is kept
                return True

    def _open(self, url: str) -> socket.socket:
        parts = urlsplit(url)
        host, is_encrypted = parts.hostname or "", parts.scheme == "https"
        line = self.connect(host, parts.port or (443 if is_encrypted else 80))
        return self.context.wrap_socket(line, server_hostname=host) if is_encrypted else line


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined, and by what."""

    client: Client
    keys: Sequence[Key]
    today: date
    web: Web = field(default_factory=Web)


def examine(patient: Patient) -> Iterator[Finding]:
    """Look at everything, as far as one can get. What cannot be looked at is wrong too."""
    try:
        overview = patient.client.look()
        yield from look_at_keys(patient, overview)
        yield from look_at_token(patient, overview)
        yield from _look_at_form(patient, overview)
    except (ServerError, WrongKey) as error:
        yield Finding("wrong", f"Server: {error.problem}", error.remedy)


def look_at_keys(patient: Patient, overview: Overview) -> Iterator[Finding]:
    """The expert's own: that a passphrase protects them, and that nobody else can read their files."""
    for key in patient.keys:
        if not key.is_protected:
            is_preview = is_this_machine(urlsplit(overview.form).hostname or "")
            remedy = "Make one that has: ./blog intake keygen, with another MAILROOM_INTAKE_IDENTITY."
            yield Finding("look" if is_preview else "wrong", f"Keys: {key.path} has no passphrase", remedy)
        elif sys.platform != "win32" and key.path.stat().st_mode & 0o077:
            yield Finding("wrong", f"Keys: others may read {key.path}", f"chmod 600 {key.path}")
        else:
            yield Finding("ok", f"Keys: {key.path} has a passphrase")


def look_at_token(patient: Patient, overview: Overview) -> Iterator[Finding]:
    """Without a token nothing can be fetched. That its scope is right has shown: it was let in."""
    days = (overview.expires - patient.today).days
    remedy = "Ask whoever runs the server for the next: ./blog mailroom token create NAME --scope intake"
    if days <= SOON:
        yield Finding("look", f"Token: it expires in {days} days", remedy)
    else:
        yield Finding("ok", f"Token: it is good for {days} days")


def look_at_recipients(patient: Patient, overview: Overview, page: bytes) -> Iterator[Finding]:
    """What the form says that it seals to must be what the server says, and this expert's newest key."""
    shown = {name.decode("ascii") for name in _RECIPIENT.findall(page)}
    mine = [key.recipient for key in patient.keys]
    if not shown.intersection(mine):
        remedy = "Give whoever runs the server the line that ./blog intake keygen printed: you can open nothing now."
        yield Finding("wrong", "Form: it is sealed to no key of yours", remedy)
        return
    if shown != {each.age for each in overview.recipients}:
        remedy = "Ask whoever runs the server: somebody else's form may be there, or it was not restarted."
        yield Finding("wrong", "Form: the keys on it are not those that the server names", remedy)
    elif mine[0] not in shown:
        remedy = "Give whoever runs the server the line that ./blog intake keygen printed last."
        yield Finding("look", "Form: it is sealed to an older key of yours, not to the newest", remedy)
    else:
        yield Finding("ok", "Form: it is sealed to your key")
    made = {key.recipient: key.since for key in patient.keys}
    days = {each.age: (patient.today - (made.get(each.age) or each.since)).days for each in overview.recipients}
    oldest = max(days, key=lambda name: days[name])
    whose = "yours" if oldest in mine else f"another expert's ({oldest[:12]}…)"
    if days[oldest] > ROTATE_AFTER:
        verdict: Verdict = "wrong" if days[oldest] > REFUSE_AFTER else "look"
        remedy = "Make a new one, ./blog intake keygen, and have it named on the server in the old one's place."
        yield Finding(verdict, f"Keys: the oldest on the form is {days[oldest]} days old, {whose}", remedy)
    else:
        yield Finding("ok", f"Keys: those on the form are {days[oldest]} days old at most")


def _look_at_form(patient: Patient, overview: Overview) -> Iterator[Finding]:
    """The form from outside, then the server from inside, then a submission all the way."""
    web, form, canary = patient.web, overview.form, f"doctor-{secrets.token_hex(8)}"
    try:
        page = web.ask(f"{form}?lang=en")
        if page.status == 200:
            yield from look_at_recipients(patient, overview, page.body)
            yield from look_at_page(page)
        elif page.status != 503:  # then it is full or does not work, and the server says which
            yield Finding("wrong", f"Form: {form} answers {page.status}", _AGAIN)
        if form.startswith("https:"):
            yield from look_at_way(web, form)
        if not is_this_machine(urlsplit(form).hostname or "") or form.startswith("https:"):
            yield from look_at_spool(web, f"{form}/{canary}")
        web.ask(f"{form}/{canary}?{canary}")
    except ssl.SSLError:
        yield Finding("wrong", "Form: its certificate is not to be trusted", "Renew it, or ask who answers there.")
        return
    except (OSError, http.client.HTTPException) as error:
        remedy = "Is this machine online, the web server running, and the mailroom's part for the form?"
        yield Finding("wrong", f"Form: {form} cannot be reached ({type(error).__name__})", remedy)
        return
    yield from patient.client.look(seen=canary).health
    mine = {key.recipient for key in patient.keys}
    if page.status == 200 and any(each.age in mine for each in overview.recipients):
        try:
            yield from try_submission(patient, form)
        except (OSError, http.client.HTTPException) as error:
            yield Finding("wrong", f"Test: it broke off ({type(error).__name__})", "Try again.")


def look_at_page(page: Answer) -> Iterator[Finding]:
    """What a browser is told of the form, and what it would keep of it."""
    headers, problems = page.headers, []
    if headers.get_all("Set-Cookie"):
        problems.append("a cookie is set")
    if _SCRIPT.search(page.body):
        problems.append("there is a script on it")
    if "no-store" not in headers.get("Cache-Control", ""):
        problems.append("browsers may keep it (Cache-Control)")
    if headers.get("Referrer-Policy") != "no-referrer":
        problems.append("links tell that one was here (Referrer-Policy)")
    policy = headers.get("Content-Security-Policy", "")
    if "default-src 'none'" not in policy or "script-src" in policy:
        problems.append("its policy of content is not ours (Content-Security-Policy)")
    for problem in problems:
        yield Finding("wrong", f"Form: {problem}", _AGAIN)
    if not problems:
        yield Finding("ok", "Form: no script, no cookie, and its headers are right")


def look_at_way(web: Web, form: str) -> Iterator[Finding]:
    """That it is found under its own name alone, and by HTTPS alone."""
    try:
        answer = web.ask(form, host="elsewhere.example")
        is_refused = answer.status >= 400
    except (OSError, http.client.HTTPException):  # hung up
        is_refused = True
    if is_refused:
        yield Finding("ok", "Form: under another host's name nothing is there")
    else:
        yield Finding("wrong", "Form: it answers under another host's name", _AGAIN)
    parts = urlsplit(form)
    try:
        plain = web.ask(f"http://{parts.hostname}{parts.path}")
    except (OSError, http.client.HTTPException):
        yield Finding("ok", "Form: without encryption nothing answers")
        return
    if 300 <= plain.status < 400 and plain.headers.get("Location", "").startswith(f"https://{parts.hostname}"):
        yield Finding("ok", "Form: who comes without encryption is led to HTTPS")
    else:
        yield Finding("wrong", f"Form: without encryption it answers {plain.status}", _AGAIN)


def look_at_spool(web: Web, url: str) -> Iterator[Finding]:
    """That the web server hands on what is sent while it comes: one that waits for all of it has it on its disk."""
    if web.answers_early(url):
        yield Finding("ok", "Web: what is sent is handed on while it comes")
    else:
        remedy = f"proxy_request_buffering off. {_AGAIN} Over a very slow line, try again."
        yield Finding("wrong", "Web: the web server spools what is sent to its disk", remedy)


def try_submission(patient: Patient, form: str) -> Iterator[Finding]:
    """Send one of the largest class, and have it go the whole way. Raises OSError, ServerError."""
    client, web, mark = patient.client, patient.web, f"Test of the doctor {secrets.token_hex(8)}"
    before = {each.id for each in client.look().submissions}
    boundary = secrets.token_hex(16)
    disposition = f"--{boundary}\r\nContent-Disposition: form-data; name="
    body = b"".join((
        f'{disposition}"message"\r\n\r\n{mark}\r\n{disposition}"files"; filename="test"\r\n'.encode(),
        b"Content-Type: application/octet-stream\r\n\r\n", file := os.urandom(LARGEST_FILES),
        f"\r\n--{boundary}--\r\n".encode(),
    ))  # fmt: skip
    sent = web.ask(f"{form}?lang=en", "POST", body, f"multipart/form-data; boundary={boundary}")
    found = _RECEIPT.search(sent.body)
    if sent.status == 429:
        remedy = "Too many came from this network (MAILROOM_INTAKE_LIMIT). Try again in an hour."
        yield Finding("look", "Test: the form took no submission, for now", remedy)
        return
    if sent.status != 200 or not found:
        yield Finding("wrong", f"Test: the form did not take a submission, it answered {sent.status}",
                      "The largest has a little over 4 MB: does the web server let it through?")  # fmt: skip
        return
    receipt = found[1].decode("ascii").replace(" ", "")
    page = f"{form.removesuffix('form')}{RECEIPT}?lang=en"
    try:
        identity = ""
        for each in client.look().submissions:
            if each.id in before or each.size != SIZES[-1]:
                continue
            blob = client.fetch(each.id, each.size)
            if _is_ours(blob.octets, patient.keys, mark, file):
                identity = each.id
                client.acknowledge(identity, blob.sha256)
                break
        if not identity:
            remedy = "Was the server restarted after its recipients were changed?"
            yield Finding("wrong", "Test: what was sent could not be fetched, or not be opened", remedy)
            return
        state = _ask_receipt(web, page, receipt=receipt)
        if state != "acknowledged":
            yield Finding("wrong", f"Test: the receipt says {state}, not that an expert has it", "Try again.")
            return
    finally:
        last = _ask_receipt(web, page, receipt=receipt, delete="yes")
    if last == "deleted" and _ask_receipt(web, page, receipt=receipt) == "unknown":
        yield Finding("ok", "Test: a submission of 4 MB was sent, fetched, opened, acknowledged and deleted")
    else:
        yield Finding("wrong", "Test: the receipt did not delete it", "It expires after 30 days.")


def _is_ours(octets: bytes, keys: Sequence[Key], mark: str, file: bytes) -> bool:
    """Whether that is the test submission; what others sent meanwhile stays where it is."""
    for key in keys:
        try:
            submission = unseal(octets, key.identity)
        except MailroomError:
            continue
        return dict(submission.fields).get("message") == mark and [a.content for a in submission.attachments] == [file]
    return False


def _ask_receipt(web: Web, page: str, **fields: str) -> str:
    answer = web.ask(page, "POST", urlencode(fields).encode(), "application/x-www-form-urlencoded")
    state = _STATE.search(answer.body)
    return state[1].decode("ascii") if state else f"nothing ({answer.status})"
