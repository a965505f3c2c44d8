"""What the mailroom keeps: one SQLite database, and the keys that stand outside it."""
