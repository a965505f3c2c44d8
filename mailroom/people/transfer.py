"""Carrying the list to another service and back, and forgetting somebody who asks for it outside of letters."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from mailroom.clock import write_day
from mailroom.errors import InvalidAddress, InvalidImport, Unreadable
from mailroom.office import Office
from mailroom.people.addresses import normalise, read_address
from mailroom.people.requests import Request, find
from mailroom.people.subscriptions import Preferences, read_preferences
from mailroom.people.suppressions import is_suppressed, suppress
from mailroom.store.files import write_private
from mailroom.store.sealing import read_recipient, seal
from mailroom.store.vault import Lookup

Service = Literal["listmonk", "buttondown", "mailchimp"]
#: What a column of addresses is called, in the files of most services.
ADDRESS_COLUMNS = ("email", "e-mail", "email address", "email_address", "address")
#: A cell that a spreadsheet would take for a formula that starts programs (DDE); all others do no harm.
FORMULA = re.compile(r"[=+\-@].*[|!]")
#: How many bad lines are named; whoever has more has another problem.
NAMED = 20
#: How long the words may be in which an operator says how consent was given.
PROOF = 200
#: What is kept as consent of those who were imported without it, and confirm.
ASKED = "asked by letter"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A confirmed subscriber, as another service may take them over."""

    address: str = field(repr=False)
    preferences: Preferences
    confirmed: str


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that a service imports, and a subscriber in them."""

    names: tuple[str, ...]
    cells: Callable[[Subscriber], tuple[str, ...]]


def _listmonk(who: Subscriber) -> tuple[str, ...]:
    wishes = who.preferences
    attributes = {
        "langs": wishes.langs, "rhythm": wishes.rhythm, "discreet": wishes.discreet, "confirmed": who.confirmed,
    }  # fmt: skip
    return who.address, "", json.dumps(attributes)


def _tagged(who: Subscriber) -> tuple[str, ...]:
    langs = who.preferences.langs
    return who.address, langs[0], " ".join(langs), who.preferences.rhythm, who.confirmed


#: A tag is the first language alone: who had one for each would get each post once in each.
SERVICES: dict[Service, Columns] = {
    "listmonk": Columns(("email", "name", "attributes"), _listmonk),
    "buttondown": Columns(("email", "tags", "langs", "rhythm", "confirmed"), _tagged),
    "mailchimp": Columns(("Email Address", "Tags", "Languages", "Rhythm", "Confirmed"), _tagged),
}


@dataclass(frozen=True, slots=True)
class Exported:
    """How many subscribers a file holds; it does not hold formulas to a spreadsheet, and addresses that do not open."""

    count: int
    formulas: int
    damaged: int


def export(office: Office, target: Path, service: Service, *, lang: str = "", plaintext: bool = False) -> Exported:
    """Write the confirmed subscribers to a CSV file, sealed to the operator's age recipient unless `plaintext`.

    `lang` takes those whose first language it is, for services with a list for each. Raises ConfigurationError for the
    recipient, DiskFull, StoreError.
    """
    recipient = None if plaintext else read_recipient(office.settings.backup_recipient)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180
    writer.writerow(SERVICES[service].names)
    counts: Counter[str] = Counter()
    for who in _confirmed(office):
        if who is None:
            counts["damaged"] += 1
        elif lang in ("", who.preferences.langs[0]):
            cells = SERVICES[service].cells(who)
            is_formula = any(FORMULA.match(cell) for cell in cells)
            counts["formula" if is_formula else "written"] += 1
            if not is_formula:
                writer.writerow(cells)
    content = text.getvalue().encode()
    if recipient:
        seal(io.BytesIO(content), recipient, target)
    else:
        write_private(target, content)
    return Exported(counts["written"], counts["formula"], counts["damaged"])


def _confirmed(office: Office) -> Iterator[Subscriber | None]:
    """Who confirmed and may be written to; None for one whose address does not open."""
    with office.database.snapshot() as connection:
        for row in connection.execute("SELECT * FROM readers ORDER BY confirmed, id"):
            try:
                address = office.vault.open(bytes(row["address"]), bytes(row["id"]))
            except Unreadable:
                yield None
            else:
                yield Subscriber(address, read_preferences(row), write_day(row["confirmed"]))


@dataclass(frozen=True, slots=True)
class Imported:
    """How many of a file's addresses were taken, were known already, and must get nothing."""

    taken: int
    known: int
    suppressed: int


def import_(office: Office, content: bytes, lang: str, proof: str = "") -> Imported:
    """Take the addresses of a CSV file, in one language: all of them or, if a line is bad, none.

    `proof` is where and how they have confirmed, which is kept as their consent. Without it they are asked, each with
    a letter, as if they had filled in the form. Raises InvalidImport.
    """
    if len(proof) > PROOF or "@" in proof or not proof.isprintable():
        raise InvalidImport(
            "The words for how consent was given are too long or hold an address", f"Use up to {PROOF} characters."
        )
    people = [_Newcomer.prepare(office, address, lang, proof) for address in read_addresses(content)]

    def work(connection: sqlite3.Connection) -> Imported:
        counts = Counter(each.take(office, connection, lang, proof) for each in people)
        return Imported(counts["taken"], counts["known"], counts["suppressed"])

    return office.database.write(work)


@dataclass(frozen=True, slots=True)
class _Newcomer:
    """An imported address, sealed before the transaction begins, so that others wait as little as can be."""

    identity: bytes
    lookups: list[Lookup]
    sealed: bytes

    @classmethod
    def prepare(cls, office: Office, address: str, lang: str, proof: str) -> _Newcomer:
        identity = os.urandom(16)
        if proof:
            sealed = office.vault.seal(address, identity)
        else:
            sealed = office.requests.seal(Request("subscribe", lang, address, consent=ASKED))
        return cls(identity, office.vault.lookups(normalise(address)), sealed)

    def take(self, office: Office, connection: sqlite3.Connection, lang: str, proof: str) -> str:
        if is_suppressed(connection, self.lookups):
            return "suppressed"
        if find(connection, self.lookups):
            return "known"
        if proof:
            today = office.clock.today()
            connection.execute(
                "INSERT INTO subscriptions"
                " (id, lookup, lookup_key, address, state, langs, consent, requested, confirmed)"
                " VALUES (?, ?, ?, ?, 'confirmed', ?, ?, ?, ?)",
                (self.identity, self.lookups[0].value, self.lookups[0].key, self.sealed, lang, proof, today, today),
            )
        else:
            office.requests.add(connection, self.sealed)
        return "taken"


def read_addresses(content: bytes) -> list[str]:
    """The addresses in a CSV file with a heading; the columns beside them are not read. Raises InvalidImport."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        # The cause would carry what stands in the file.
        raise InvalidImport(f"Line {line} is not in UTF-8", "Save the file as CSV in UTF-8.") from None
    heading = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=heading.count), strict=True)
    addresses: dict[str, str] = {}
    bad: list[int] = []
    column = -1
    try:
        for row in rows:
            if column < 0:
                column = _address_column(row)
            elif any(cell.strip() for cell in row):
                try:
                    address = read_address(row[column])
                except (InvalidAddress, IndexError):
                    bad.append(rows.line_num)
                else:
                    addresses.setdefault(normalise(address), address)
    except csv.Error:
        raise InvalidImport(f"Line {rows.line_num} is no line of a CSV file", "Save it as CSV anew.") from None
    if column < 0:
        _address_column([])
    if bad:
        named = ", ".join(map(str, bad[:NAMED])) + (" …" if len(bad) > NAMED else "")
        raise InvalidImport(
            f"{len(bad)} of the lines hold no address: {named}", "Mend or remove them; nothing was imported."
        )
    return list(addresses.values())


def _address_column(heading: list[str]) -> int:
    for number, name in enumerate(heading):
        if name.strip().lower() in ADDRESS_COLUMNS:
            return number
    raise InvalidImport("Line 1 names no column of addresses", "Call the column `email`.")


def forget(office: Office, address: str) -> bool:
    """Erase whoever has this address, and take care that nothing brings them back; tell whether they were known.

    Raises InvalidAddress.
    """
    normalised = normalise(read_address(address))
    lookups = office.vault.lookups(normalised)
    waiting = office.database.read("SELECT id, sealed FROM requests")
    own = [(row["id"],) for row in waiting if _asks_for(office, bytes(row["sealed"]), normalised)]
    office.database.write(lambda connection: connection.executemany("DELETE FROM requests WHERE id = ?", own))
    with office.database.snapshot() as connection:
        found = find(connection, lookups)
    if found:
        office.subscriptions.erase(bytes(found["id"]))

    def suppress_all_the_same(connection: sqlite3.Connection) -> None:
        if not is_suppressed(connection, lookups):
            suppress(connection, office.journal, lookups[0], "erased", office.clock.today())

    office.database.write(suppress_all_the_same)
    return found is not None


def _asks_for(office: Office, sealed: bytes, normalised: str) -> bool:
    """Whether a request that waits is about an address."""
    try:
        return normalise(office.requests.open(sealed).address) == normalised
    except Unreadable:
        return False
