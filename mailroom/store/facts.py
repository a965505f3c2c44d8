"""Single values that the mailroom keeps beside its rows: the table `facts`."""

from __future__ import annotations

import sqlite3

#: "off" after a restore, or when whoever runs it says so: the worker sends nothing and no campaign starts. Else "on".
DELIVERY = "delivery"
#: The day of the last backup, for the doctor.
LAST_BACKUP = "last_backup"
#: The newest day that the worker has seen, by which it knows a clock that went back.
LAST_DAY = "last_day"
#: What the page `health` wrote last, which means nothing.
HEALTH = "health"


def fact(connection: sqlite3.Connection, name: str) -> str:
    """The value kept under a name, "" if there is none."""
    row = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    return row[0] if row else ""


def set_fact(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Keep a value under a name."""
    connection.execute(
        "INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
    )


def may_deliver(connection: sqlite3.Connection) -> bool:
    """Whether letters may go out at all."""
    return fact(connection, DELIVERY) != "off"
