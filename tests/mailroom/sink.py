"""An SMTP server that writes down what it was given and misbehaves as told; a process of its own.

It outlives the client that a test kills, so its record is the truth about what was accepted: the line is in the file
before the 250 is on its way. Only the standard library, so that it starts at once.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import itertools
import json
import os
import re
import ssl
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
_LARGEST = 64 * 1024 * 1024
#: What a rule may have instead of a reply: drop the connection; say nothing more; accept, and drop it before the 250.
DROP, STALL, LOSE = "drop", "stall", "lose"


@dataclass(frozen=True)
class Rule:
    """One way to misbehave; the first that fits is followed."""

    #: When: "connect", "auth", "mail", "rcpt", "data" (instead of the 354), "body" (after its first bytes) or "end"
    #: (after the final dot).
    at: str
    #: What is said then, such as "550 5.1.1 no such user", or DROP, STALL, LOSE. Empty: the usual, after `delay`.
    reply: str = ""
    #: A regular expression that is found in the recipient's address, which is empty before RCPT TO.
    to: str = ""
    #: How often in all; None: always.
    times: int | None = None
    #: Only the first time for each recipient (greylisting).
    once_each: bool = False
    #: Seconds to wait before.
    delay: float = 0.0


@dataclass(frozen=True)
class Event:
    """One line of the record."""

    #: "connected", "begun" (the 354 is on its way), "accepted", "refused" (with the reply) or "lost" (the client, in
    #: the body).
    what: str
    time: float
    #: Counted from 0.
    connection: int
    sender: str = ""
    recipient: str = ""
    message_id: str = ""
    reply: str = ""
    tls: bool = False
    #: Who has logged in.
    user: str = ""
    #: The letter as it came, if the sink keeps letters.
    letter: bytes = b""


class Sink:
    """A running sink; `with Sink(tmp_path, Rule(…)) as sink`."""

    def __init__(
        self, folder: Path, *rules: Rule, certificate: tuple[Path, Path] | None = None, keep: bool = False
    ) -> None:
        """Start it, its record in `folder`.

        With a certificate and its key it offers STARTTLS, and AUTH within; any password is right, if no rule says
        otherwise. `keep`: letters are recorded whole.
        """
        self.record = folder / f"sink-{time.monotonic_ns()}.jsonl"
        self.record.touch()
        command = [sys.executable, "-c", "from tests.mailroom.sink import main; main()", str(self.record)]
        command += ["--certificate", *map(str, certificate)] if certificate else []
        self._process = subprocess.Popen(
            [*command, "--keep"] if keep else command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.port = self._say(rules)

    def obey(self, *rules: Rule) -> None:
        """Misbehave in these ways from now on, instead of those before."""
        self._say(rules)

    def _say(self, rules: tuple[Rule, ...]) -> int:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin
        assert stdout
        stdin.write(json.dumps([asdict(rule) for rule in rules]).encode() + b"\n")
        stdin.flush()
        return int(stdout.readline())

    def events(self, what: str) -> list[Event]:
        """What happened, of one kind, oldest first."""
        start = f'{{"what": "{what}"'.encode()
        found = (json.loads(line) for line in self.record.read_bytes().splitlines() if line.startswith(start))
        return [Event(**each | {"letter": base64.b64decode(each["letter"])}) for each in found]

    def accepted(self) -> list[Event]:
        """The letters that were accepted."""
        return self.events("accepted")

    def wait_for(self, count: int, timeout: float = 30) -> list[Event]:
        """The letters that were accepted, as soon as there are so many."""
        deadline = time.monotonic() + timeout
        while len(accepted := self.accepted()) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(accepted)} of {count} letters accepted within {timeout} s")
            time.sleep(0.02)
        return accepted

    def close(self) -> None:
        """Stop it; the record stays."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe
            pipe.close()  # it ends with its standard input
        self._process.wait(timeout=10)

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class _Leave(Exception):
    """The connection is to be closed."""


class _Server:
    """What all connections share."""

    def __init__(self, record: Path, *, keep: bool, tls: ssl.SSLContext | None) -> None:
        self.keep, self.tls = keep, tls
        self.numbers = itertools.count()
        self._record = os.open(record, os.O_WRONLY | os.O_APPEND)
        self.obey([])

    def obey(self, rules: list[dict[str, Any]]) -> None:
        self.rules = [Rule(**rule) for rule in rules]
        self._used: Counter[int] = Counter()
        self._named: set[tuple[int, str]] = set()

    def choose(self, at: str, recipient: str) -> Rule | None:
        """The rule to follow now, if there is one."""
        for number, rule in enumerate(self.rules):
            if rule.at != at or not re.search(rule.to, recipient):
                continue
            if rule.times is not None and self._used[number] >= rule.times:
                continue
            if rule.once_each and (number, recipient) in self._named:
                continue
            self._used[number] += 1
            self._named.add((number, recipient))
            return rule
        return None

    def write(self, event: Event) -> None:
        line = asdict(event) | {"letter": base64.b64encode(event.letter).decode()}
        os.write(self._record, json.dumps(line).encode() + b"\n")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _Connection(self, reader, writer).talk()
        except (_Leave, asyncio.IncompleteReadError, OSError):
            pass  # a rule, or the client's end
        finally:
            writer.close()


class _Connection:
    """One client."""

    def __init__(self, server: _Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.number = next(server.numbers)
        self.encrypted, self.user, self.sender, self.recipient, self.message_id = False, "", "", "", ""

    def note(self, what: str, reply: str = "", letter: bytes = b"") -> None:
        self.server.write(
            Event(
                what, time.time(), self.number, self.sender, self.recipient, self.message_id, reply, self.encrypted,
                self.user, letter if self.server.keep else b"",
            )
        )  # fmt: skip

    def say(self, *lines: str) -> None:
        for line in lines:
            self.writer.write(line.encode() + b"\r\n")

    async def hear(self) -> str:
        return (await self.reader.readuntil(b"\r\n")).decode("utf-8", "replace").rstrip("\r\n")

    async def misbehave(self, at: str) -> str:
        """Follow the rule for this moment; return what it has in place of the usual reply."""
        rule = self.server.choose(at, self.recipient)
        if rule is None:
            return ""
        await asyncio.sleep(rule.delay)
        if rule.reply == STALL:
            await self.reader.read()  # until the client has had enough
        if rule.reply in (DROP, STALL):
            raise _Leave
        if rule.reply not in ("", LOSE):
            self.note("refused", rule.reply)
            self.say(rule.reply)
            if rule.reply.startswith("421"):
                raise _Leave
        return rule.reply

    async def talk(self) -> None:
        self.note("connected")
        if await self.misbehave("connect"):
            raise _Leave
        self.say("220 sink.test ESMTP")
        while True:
            line = await self.hear()
            verb, _, rest = line.partition(" ")
            match verb.upper():
                case "EHLO" | "HELO":
                    self.greet()
                case "STARTTLS" if self.server.tls and not self.encrypted:
                    self.say("220 2.0.0 go on")
                    await self.writer.start_tls(self.server.tls)
                    self.encrypted = True
                case "AUTH" if self.encrypted:
                    await self.log_in(rest)
                case "MAIL":
                    self.sender, self.recipient, self.message_id = _path(rest), "", ""
                    if not await self.misbehave("mail"):
                        self.say("250 2.1.0 ok")
                case "RCPT":
                    self.recipient = _path(rest)
                    if not await self.misbehave("rcpt"):
                        self.say("250 2.1.5 ok")
                    else:
                        self.recipient = ""
                case "DATA" if not self.recipient:
                    self.say("554 5.5.1 no valid recipients")
                case "DATA":
                    if not await self.misbehave("data"):
                        await self.take()
                case "RSET" | "NOOP":
                    self.say("250 2.0.0 ok")
                case "QUIT":
                    self.say("221 2.0.0 bye")
                    await self.writer.drain()
                    return
                case _:
                    self.say("502 5.5.1 no such command")

    def greet(self) -> None:
        offers = ["8BITMIME", "SMTPUTF8", f"SIZE {_LARGEST}", "ENHANCEDSTATUSCODES", "PIPELINING"]
        offers += ["STARTTLS"] if self.server.tls and not self.encrypted else []
        offers += ["AUTH PLAIN LOGIN"] if self.encrypted else []
        self.say("250-sink.test", *(f"250-{offer}" for offer in offers[:-1]), f"250 {offers[-1]}")

    async def log_in(self, rest: str) -> None:
        mechanism, _, initial = rest.partition(" ")
        if mechanism.upper() == "PLAIN":
            if not initial:
                self.say("334 ")
                initial = await self.hear()
            user = base64.b64decode(initial).split(b"\0")[1].decode()
        else:
            self.say("334 VXNlcm5hbWU6")
            user = base64.b64decode(await self.hear()).decode()
            self.say("334 UGFzc3dvcmQ6")
            await self.hear()
        if not await self.misbehave("auth"):
            self.user = user
            self.say("235 2.7.0 ok")

    async def take(self) -> None:
        self.note("begun")
        self.say("354 go on")
        try:
            begin = b""
            if any(rule.at == "body" for rule in self.server.rules):
                begin = await self.reader.readexactly(16)
                await self.misbehave("body")
            body = begin + await self.reader.readuntil(b"\r\n.\r\n")
        except asyncio.IncompleteReadError:
            self.note("lost")
            raise
        head = body[: body.find(b"\r\n\r\n")].decode("utf-8", "replace")
        found = re.search(r"^message-id:\s*(\S+)", head, re.IGNORECASE | re.MULTILINE)
        self.message_id = found[1] if found else ""
        outcome = await self.misbehave("end")
        if outcome not in ("", LOSE):
            return
        self.note("accepted", letter=body)
        if outcome == LOSE:
            raise _Leave
        self.say("250 2.0.0 kept")


def _path(argument: str) -> str:
    """The address in `FROM:<…>` or `TO:<…>`."""
    return argument[argument.find("<") + 1 : argument.find(">")]


def _obey_standard_input(server: _Server, port: int) -> None:
    """Take rules from each line, answer with the port, and end with the input."""
    for line in sys.stdin.buffer:
        server.obey(json.loads(line))
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
    os._exit(0)


async def _run(server: _Server) -> None:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=_LARGEST)
    await asyncio.to_thread(_obey_standard_input, server, listening.sockets[0].getsockname()[1])


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(description="An SMTP server that records what it accepts. Rules: standard input.")
    parser.add_argument("record", type=Path)
    parser.add_argument("--certificate", nargs=2, metavar=("CERTIFICATE", "KEY"))
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    tls = None
    if args.certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*args.certificate)
    asyncio.run(_run(_Server(args.record, keep=args.keep, tls=tls)))
