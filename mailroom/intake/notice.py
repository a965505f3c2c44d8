"""The daily notice: the same letter at the same hour, whether something has come or not, so that it tells nobody.

It asks experts to look. Each address gets it once a day at most: that it may have left is on the disk before its first
octet leaves, as with all letters. What the relay did not take is tried again until the day is over; of one that was on
its way when the process was killed nobody knows, and the next day's tells that all is well.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

from mailroom.clock import DAY, HOUR, MINUTE, day_of, steady_time
from mailroom.delivery.outbox import Outbox
from mailroom.delivery.relay import Patience, Relay, SmtpRelay, Uncertain
from mailroom.errors import DeliveryFailed
from mailroom.intake.submissions import Intake
from mailroom.languages import Languages
from mailroom.letters.dkim import Signer
from mailroom.letters.encoding import encode
from mailroom.letters.headers import date_field, field, sender_field, text_field, wire_address, wire_domain
from mailroom.letters.return_path import ReturnPaths, message_id
from mailroom.office import Office
from mailroom.store.facts import may_deliver

LOG = logging.getLogger(__name__)
#: Seconds after which the relay is tried again.
RETRY = 15 * MINUTE
#: Other chores wait meanwhile, and so does the worker's end.
_PATIENCE = Patience(connect=10, answer=60)


class Notice:
    """Sends the notice when it is due."""

    def __init__(
        self, office: Office, intake: Intake, languages: Languages, signer: Signer | None, connect: Callable[[], Relay]
    ) -> None:
        """`connect` makes a connection that is not yet open."""
        self._office = office
        self._intake = intake
        self._signer = signer
        self._connect = connect
        self._texts = languages.texts(office.settings.default_lang)
        self._retry_at = float("-inf")

    def send_due(self) -> int:
        """Send the notice to whoever is to have it today and has not; return to how many."""
        now = self._office.clock.now()
        if now % DAY < seconds_of(self._office.settings.intake_hour) or steady_time() < self._retry_at:
            return 0
        with self._office.database.snapshot() as connection:
            if not may_deliver(connection):
                return 0
        due = [each for each in self._office.settings.intake_notice if self._is_due(each, day_of(now))]
        if not due:
            return 0
        relay = self._connect()
        try:
            return sum(self._send(relay, address, now) for address in due)
        finally:
            relay.close()

    def _is_due(self, address: str, today: int) -> bool:
        with self._intake.connection() as connection:
            place = place_of(self._office, address)
            row = connection.execute("SELECT begun FROM notices WHERE recipient = ?", (place,)).fetchone()
        return row is None or row["begun"] < today

    def _send(self, relay: Relay, address: str, now: float) -> bool:
        """Send it to one; tell whether the relay took it."""
        place = place_of(self._office, address)
        sender, content = self._compose(address, place, now)
        try:
            relay.offer(sender, wire_address(address, "MAILROOM_INTAKE_NOTICE"))
            self._begin(place, day_of(now))
            reply = relay.deliver(content)
        except Uncertain:
            LOG.error("the daily notice: no reply came, so it may have left or not; the next goes tomorrow")
            return False
        except DeliveryFailed as error:
            self._fail(place, str(error))
            return False
        if reply.code // 100 != 2:
            self._fail(place, f"The relay said {reply}")
            return False
        self._settle(place, "sent = begun")
        return True

    def _fail(self, place: bytes, problem: str) -> None:
        """It has certainly not left."""
        self._settle(place, "begun = sent")
        self._retry_at = steady_time() + RETRY
        LOG.error("the daily notice: %s. It is tried again in %d minutes", problem, RETRY // MINUTE)

    def _begin(self, place: bytes, today: int) -> None:
        with self._intake.transaction() as connection:
            connection.execute(
                "INSERT INTO notices VALUES (?, ?, 0) ON CONFLICT (recipient) DO UPDATE SET begun = excluded.begun",
                (place, today),
            )

    def _settle(self, place: bytes, change: str) -> None:
        with self._intake.transaction() as connection:
            connection.execute(f"UPDATE notices SET {change} WHERE recipient = ?", (place,))  # noqa: S608 - our own words

    def _compose(self, address: str, place: bytes, now: float) -> tuple[str, bytes]:
        """The return path, and the letter."""
        settings, ring = self._office.settings, self._office.ring
        # The same when it is tried again, so that a mail program shows it once.
        identity = hashlib.sha256(place + day_of(now).to_bytes(8, "big")).digest()[:8]
        sender = settings.sender or "letters@localhost"
        gettext = self._texts.gettext
        text = encode(
            "\n\n".join(
                (
                    gettext("This note comes every day at the same hour, whether there is anything or not."),
                    gettext("Please have a look, as on every day."),
                    gettext("If it does not come for two days, ask whoever looks after the server."),
                )
            )
            + "\n"
        )
        letter = b"".join(
            (
                sender_field(settings.discreet_name or gettext("Letters"), sender),
                text_field("Subject", gettext("Daily note")),
                field("To", wire_address(address, "MAILROOM_INTAKE_NOTICE")),
                date_field(now),
                field("Message-ID", message_id(ring, identity, wire_domain(settings.domain or "localhost", "From"))),
                field("Auto-Submitted", "auto-generated"),  # RFC 3834: no program is to answer
                field("MIME-Version", "1.0"),
                field("Content-Type", "text/plain; charset=utf-8"),
                field("Content-Transfer-Encoding", text.transfer),
                b"\r\n",
                *text.fill({}),
            )
        )
        if self._signer:
            letter = self._signer.sign(letter, now)
        return ReturnPaths(ring, settings.bounce_domain).bounce(identity) if settings.bounce_domain else sender, letter


def make_connect(office: Office, outbox: Path) -> Callable[[], Relay]:
    """How the relay that the settings name is reached for a notice; `outbox` is where letters are files."""
    if office.settings.relay == "outbox:":
        return partial(Outbox, outbox)
    return partial(SmtpRelay, office.settings, _PATIENCE)


def seconds_of(hour: str) -> int:
    """MAILROOM_INTAKE_HOUR as seconds since midnight."""
    return int(hour[:2]) * HOUR + int(hour[3:]) * MINUTE


def place_of(office: Office, address: str) -> bytes:
    """By what is known to whom the notice went: a keyed hash, which stays the same when keys change."""
    return office.vault.lookups(address)[-1].value
