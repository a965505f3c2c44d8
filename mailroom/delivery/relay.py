"""The relay: SMTP with the letter's body apart from what comes before it (RFC 5321).

A transaction has two halves. `offer` ends with the relay's 354: nothing of the letter has left, so it may be repeated.
`deliver` hands over the body; what happens after its last octet and before the reply, nobody can know.
"""

from __future__ import annotations

import contextlib
import ipaddress
import smtplib
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from mailroom.delivery.replies import Reply, Stage, read_reply
from mailroom.errors import ConfigurationError, DeliveryFailed, PermanentFailure, TemporaryFailure
from mailroom.letters.headers import wire_domain
from mailroom.settings import Settings

_END = b".\r\n"


class Rejected(DeliveryFailed):
    """The relay said no: `reply` at `stage`."""

    def __init__(self, stage: Stage, reply: Reply) -> None:
        super().__init__(f"The relay said {reply} at {stage.name}")
        self.stage = stage
        self.reply = reply


class ConnectionLost(TemporaryFailure):
    """The connection ended, or stalled, before the letter had left: the relay cannot have taken it.

    `stale` when it had served before and ended between two letters, as relays do: a new one may do.
    """

    def __init__(self, problem: str, *, stale: bool = False) -> None:
        super().__init__(problem)
        self.stale = stale


class Unreachable(TemporaryFailure):
    """No connection could be opened: that says nothing of the letter."""


class Uncertain(DeliveryFailed):
    """The letter left, and no reply came: the relay may have taken it."""


class Unencodable(PermanentFailure):
    """The address needs SMTPUTF8 (RFC 6531), which the relay has not."""


class Relay(Protocol):
    """Where letters go. One thread uses it; only `interrupt` may come from another."""

    def offer(self, sender: str, recipient: str) -> None:
        """Begin a transaction, up to where the letter may follow.

        Raises Rejected, Unreachable, ConnectionLost, Unencodable.
        """

    def deliver(self, letter: bytes) -> Reply:
        """Hand over the letter (lines ending in CRLF), and return the reply. Raises ConnectionLost, Uncertain."""

    def abandon(self) -> None:
        """End the connection so that a letter begun, or not even begun, counts for nothing."""

    def interrupt(self) -> None:
        """End a wait for the relay, unless it is for the reply to a letter that left."""

    def close(self) -> None:
        """Take leave."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the relay is waited for, in seconds."""

    connect: float = 30
    #: For every answer, and for every piece of a letter to be taken: what RFC 5321, 4.5.3.2 asks for the reply to the
    #: letter, which the relay may be busy with, and more than it asks for the others.
    answer: float = 600


@dataclass(frozen=True, slots=True)
class Address:
    """Where the relay is, and how it is spoken to."""

    host: str
    port: int
    #: TLS from the first octet (smtps), or by STARTTLS (RFC 3207).
    implicit_tls: bool
    starttls: bool


def read_address(settings: Settings) -> Address:
    """MAILROOM_RELAY. Raises ConfigurationError."""
    try:
        parts = urlsplit(settings.relay)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        remedy = "the port is none: use smtp://host:587 or smtps://host:465"
        raise ConfigurationError("MAILROOM_RELAY", settings.relay, remedy) from error
    implicit = parts.scheme == "smtps"
    # To this machine nothing can be read on the way; with a certificate to trust it can be encrypted all the same.
    starttls = not implicit and (not _is_loopback(host) or bool(settings.relay_ca))
    return Address(host, port or (465 if implicit else 587), implicit, starttls)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class SmtpRelay:
    """A connection to an SMTP relay, opened by the first letter and used for those that follow."""

    def __init__(self, settings: Settings, patience: Patience | None = None) -> None:
        """Nothing is opened yet. Raises ConfigurationError for MAILROOM_RELAY and MAILROOM_RELAY_CA."""
        self._settings = settings
        self._patience = patience or Patience()
        self._address = read_address(settings)
        self._context = _trust(settings) if self._address.implicit_tls or self._address.starttls else None
        self._session: smtplib.SMTP | None = None
        self._served = 0
        # Whether a letter has begun to leave: then the wait for its reply must not be ended.
        self._leaving = False
        self._interrupted = False
        self._lock = threading.Lock()

    def offer(self, sender: str, recipient: str) -> None:
        """Begin a transaction. See Relay."""
        session = self._session or self.open()
        options = ""
        if not recipient.isascii():
            if not session.has_extn("smtputf8"):
                raise Unencodable("The relay does not take addresses beyond ASCII", "Use one with SMTPUTF8.")
            options = " SMTPUTF8 BODY=8BITMIME"
        commands = (
            (Stage.MAIL, f"MAIL FROM:<{sender}>{options}\r\n"),
            (Stage.RCPT, f"RCPT TO:<{recipient}>\r\n"),
            (Stage.DATA, "DATA\r\n"),
        )
        for _, command in commands:
            if command.count("\r") > 1 or command.count("\n") > 1:
                raise ValueError("an address with a line break")
        try:
            if session.has_extn("pipelining"):
                self._offer_together(session, commands)
            else:
                self._offer_singly(session, commands)
        except (OSError, smtplib.SMTPException) as error:
            served = self._served > 0
            self.abandon()
            raise ConnectionLost("The connection ended before a letter", stale=served) from error

    def _offer_singly(self, session: smtplib.SMTP, commands: tuple[tuple[Stage, str], ...]) -> None:
        for stage, command in commands:
            session.send(command.encode())
            reply = self._read(session)
            if not _is_positive(stage, reply):
                self._reject(session, stage, reply)

    def _offer_together(self, session: smtplib.SMTP, commands: tuple[tuple[Stage, str], ...]) -> None:
        """All three commands at once (RFC 2920), which spares two journeys; the body still waits for the 354."""
        session.send("".join(command for _, command in commands).encode())
        refused: tuple[Stage, Reply] | None = None
        reply = Reply(0)
        for stage, _ in commands:
            reply = self._read(session)
            if refused is None and not _is_positive(stage, reply):
                refused = stage, reply
                if reply.code == 421:
                    break  # nothing will follow
        if refused is None:
            return
        if reply.code == 354:
            # A relay that takes DATA without a recipient is given no letter (RFC 2920, 3.1 has a lone dot sent
            # here, which some deliver): the connection ends.
            self.abandon()
            raise Rejected(*refused)
        self._reject(session, *refused)

    def _reject(self, session: smtplib.SMTP, stage: Stage, reply: Reply) -> None:
        """Raise Rejected, the connection being ready for another letter, or ended."""
        if reply.code == 421 or reply.code < 400:
            stale = reply.code == 421 and stage is Stage.MAIL and self._served > 0
            self.abandon()
            if stale:
                raise ConnectionLost("The relay closed the connection between two letters", stale=True)
            raise Rejected(stage, reply)
        if stage is not Stage.MAIL:
            try:
                session.send(b"RSET\r\n")
                self._read(session)
            except (OSError, smtplib.SMTPException):
                self.abandon()
        self._served += 1
        raise Rejected(stage, reply)

    def deliver(self, letter: bytes) -> Reply:
        """Hand over the letter. See Relay."""
        session = self._session
        if session is None or session.sock is None:
            raise ConnectionLost("The connection ended before a letter")
        body = letter.replace(b"\r\n.", b"\r\n..") if b"\r\n." in letter else letter
        if body.startswith(b"."):
            body = b"." + body
        body += _END if body.endswith(b"\r\n") else b"\r\n" + _END
        with self._lock:
            if self._interrupted:
                self.abandon()
                raise ConnectionLost("Delivery was interrupted")
            self._leaving = True
        try:
            self._send_body(session.sock, body)
            try:
                reply = self._read(session)
            except (OSError, smtplib.SMTPException) as error:
                self.abandon()
                raise Uncertain("No reply came to a letter that had left") from error
        finally:
            self._leaving = False
        self._served += 1
        if reply.code // 100 not in (2, 4, 5):
            self.abandon()
            raise Uncertain("No reply that can be understood came to a letter that had left")
        if reply.code == 421:
            self.abandon()
        return reply

    def _send_body(self, connection: socket.socket, body: bytes) -> None:
        """Give the body to the system, which is not certain until its last octet: only then can the relay have it."""
        left = memoryview(body)
        try:
            while left:
                left = left[connection.send(left) :]
        except OSError as error:
            self.abandon()
            raise ConnectionLost("The connection ended in the middle of a letter") from error

    def abandon(self) -> None:
        """End the connection at once."""
        session, self._session, self._served = self._session, None, 0
        if session:
            session.close()

    def interrupt(self) -> None:
        """End a wait. See Relay."""
        with self._lock:
            self._interrupted = True
            session = self._session
            if self._leaving or session is None or session.sock is None:
                return
            with contextlib.suppress(OSError):
                session.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Take leave (QUIT), without waiting long for the answer."""
        session = self._session
        if session and session.sock:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                session.sock.settimeout(2)
                session.send(b"QUIT\r\n")
                session.getreply()
        self.abandon()

    def open(self) -> smtplib.SMTP:
        """Connect, encrypt, log in. Raises Rejected, Unreachable."""
        # Our name, since smtplib's own would tell what this machine is called.
        name = wire_domain(self._settings.domain or "localhost", "MAILROOM_SENDER")
        session = _session(self._address, self._context, name, self._patience.connect)
        # Known from the start, so that a stalled relay can be interrupted.
        self._session, self._served = session, 0
        try:
            self._greet(session)
            return session
        except Rejected:
            self.abandon()
            raise
        except (OSError, smtplib.SMTPException) as error:
            self.abandon()
            raise Unreachable(f"The relay cannot be reached: {_describe(error)}") from error

    def _greet(self, session: smtplib.SMTP) -> None:
        code, text = session.connect(self._address.host, self._address.port)
        _demand(code == 220, code, text)
        _demand(*_answer(session.ehlo()))
        if self._address.starttls:
            if not session.has_extn("starttls"):
                raise smtplib.SMTPNotSupportedError("it does not offer STARTTLS, and letters are not sent in the clear")
            try:
                session.starttls(context=self._context)
            except smtplib.SMTPResponseException as error:
                raise Rejected(Stage.CONNECT, _reply_of(error.smtp_code, error.smtp_error)) from error
            _demand(*_answer(session.ehlo()))
        if self._settings.relay_user:
            self._log_in(session)
        if session.sock:
            session.sock.settimeout(self._patience.answer)
            # The body's last packet does not wait for the one before it to be acknowledged.
            session.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _log_in(self, session: smtplib.SMTP) -> None:
        """Show user and password. What smtplib raises may quote them: nothing of it goes on."""
        try:
            session.login(self._settings.relay_user, self._settings.relay_password.reveal())
            return
        except smtplib.SMTPResponseException as error:
            reply = _reply_of(error.smtp_code, error.smtp_error)
        except smtplib.SMTPNotSupportedError:
            problem = "it does not offer AUTH, perhaps because it wants TLS first: see MAILROOM_RELAY_CA"
            raise smtplib.SMTPNotSupportedError(problem) from None
        except UnicodeError:
            problem = "MAILROOM_RELAY_USER and MAILROOM_RELAY_PASSWORD must be ASCII"
            raise smtplib.SMTPNotSupportedError(problem) from None
        raise Rejected(Stage.CONNECT, reply)

    def _read(self, session: smtplib.SMTP) -> Reply:
        return _reply_of(*session.getreply())


def _session(address: Address, context: ssl.SSLContext | None, name: str, timeout: float) -> smtplib.SMTP:
    """A session that is not yet connected."""
    if address.implicit_tls:
        return _named(smtplib.SMTP_SSL(local_hostname=name, timeout=timeout, context=context), address)
    return _named(smtplib.SMTP(local_hostname=name, timeout=timeout), address)


def _named(session: smtplib.SMTP, address: Address) -> smtplib.SMTP:
    # Whose certificate is checked; smtplib knows it only of sessions that connect when they are made.
    session._host = address.host  # type: ignore[attr-defined]
    return session


def _trust(settings: Settings) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if settings.relay_ca:
        try:
            context.load_verify_locations(settings.relay_ca)
        except (OSError, ssl.SSLError) as error:
            remedy = "name a readable file of certificates in PEM"
            raise ConfigurationError("MAILROOM_RELAY_CA", settings.relay_ca, remedy) from error
    return context


def _reply_of(code: int, text: bytes | str) -> Reply:
    return read_reply(code, text if isinstance(text, str) else text.decode("ascii", "replace"))


def _is_positive(stage: Stage, reply: Reply) -> bool:
    return reply.code == 354 if stage is Stage.DATA else 200 <= reply.code < 300


def _answer(answer: tuple[int, bytes]) -> tuple[bool, int, bytes]:
    return answer[0] == 250, *answer


def _demand(satisfied: bool, code: int, text: bytes) -> None:
    if not satisfied:
        raise Rejected(Stage.CONNECT, _reply_of(code, text))


def _describe(error: Exception) -> str:
    """Why the relay cannot be reached, without what it said."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message}): see MAILROOM_RELAY_CA"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
