"""A campaign whose workers are killed, and what must hold all the while.

The truth is in the record of a server that outlives them all.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

from mailroom.campaigns.campaigns import Campaigns
from mailroom.clock import HOUR
from mailroom.office import Office, make_office, open_office
from tests.mailroom.crowd import KEY, addresses, enrol, start
from tests.mailroom.delivering import states
from tests.mailroom.mortal import Cradle
from tests.mailroom.offices import count, make_settings
from tests.mailroom.sink import Sink

CONNECTIONS = 4


class Trial:
    """A campaign whose workers are killed, and what must hold all the while."""

    def __init__(self, folder: Path, sink: Sink, readers: int, **overrides: object) -> None:
        """The campaign is started; nothing has been sent."""
        given = {"relay": f"smtp://127.0.0.1:{sink.port}", "connections": CONNECTIONS, **overrides}
        self.sink = sink
        self.people = addresses(readers)
        self.cradle = Cradle(folder, **given)
        self._settings = make_settings(folder, **given)
        self.unknown: set[str] = set()
        self.kills = 0
        make_office(self._settings)
        with self.office() as office:
            enrol(office, self.people)
            start(office)

    def office(self) -> Office:
        """Open the mailroom, while no worker has it."""
        return open_office(self._settings)

    def people_in(self, office: Office, *wanted: str) -> set[str]:
        """To whom letters in these states go."""
        marks = ", ".join("?" * len(wanted))
        rows = office.database.read(
            "SELECT subscriptions.id, subscriptions.address FROM letters JOIN subscriptions"  # noqa: S608 - marks
            f" ON subscriptions.id = subscription WHERE campaign = ? AND letters.state IN ({marks})",
            (KEY, *wanted),
        )
        return {office.vault.open(bytes(row["address"]), bytes(row["id"])) for row in rows}

    def kill(self, **how: object) -> bool:
        """Run a worker until it dies, and look at what it left; tell whether it died."""
        died = self.cradle.run(**how)  # type: ignore[arg-type]
        self.kills += died
        with self.office() as office:
            sending = self.people_in(office, "sending")
            # What the next worker will call unknown: never more than there were connections past the 354.
            begun = {event.recipient for event in self.sink.events("begun")}
            assert sending <= begun
            assert len(sending) <= CONNECTIONS
            self.unknown |= self.people_in(office, "sending", "unknown")
            accepted = Counter(event.recipient for event in self.sink.accepted() if event.recipient in set(self.people))
            assert set(accepted) <= self.people_in(office, "sent", "sending", "unknown")
            assert max(accepted.values(), default=1) == 1
        return died

    def kill_at_random(self, times: int) -> None:
        """Kill so many workers after a random time, while there is something to deliver."""
        source = random.Random(times)  # noqa: S311 - the same deaths in every run
        while self.kills < times:
            assert self.kill(after=source.uniform(0.05, 0.5)), f"all was delivered after {self.kills} kills"

    def finish(self) -> None:
        """Let the campaign come to its end, then have what is unknown sent again, and judge."""
        for hours in (0, 1, 3, 6, 12):
            self.kill(ahead=hours * HOUR)
        with self.office() as office:
            assert not {"pending", "claimed", "sending", "deferred"} & set(states(office))
            assert len(self.people_in(office, "unknown")) <= self.kills * CONNECTIONS + 1
            Campaigns(office.database, office.clock).resend_unknown(KEY)
        self.sink.obey()
        assert not self.cradle.run(ahead=12 * HOUR)
        with self.office() as office:
            assert count(office, "campaigns", "state = 'finished' AND kind = 'post'") == 1
            accepted = Counter(event.recipient for event in self.sink.accepted())
            refused = self.people_in(office, "bounced", "refused")
            ours = {address: times for address, times in accepted.items() if address in set(self.people)}
            lost = set(self.people) - set(ours) - refused
            doubled = {address for address, times in ours.items() if times > 1}
            assert not lost
            assert doubled <= self.unknown
            identities = {(event.recipient, event.message_id) for event in self.sink.accepted()}
            assert len(identities) == len(accepted)  # who got one twice got the same one
