-- Days are days since 1970-01-01 in UTC; there are no instants. Identifiers are random octets, and rows stand in their
-- order: no row tells which came before.

-- What a receipt finds. `lookup` is a slow keyed hash of it (mailroom/intake/receipts.py). The row stays until 30 days
-- after its day; once an expert has the submission safely, it says so and names it no longer.
CREATE TABLE receipts (
    lookup BLOB PRIMARY KEY CHECK (length(lookup) = 32),
    day INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('stored', 'fetched', 'acknowledged')),
    submission BLOB UNIQUE,
    CHECK ((submission IS NULL) = (state = 'acknowledged'))
) WITHOUT ROWID;

-- What waits for an expert, sealed (mailroom/intake/sealing.py). `key` names the recipients who can open it.
CREATE TABLE submissions (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    size INTEGER NOT NULL,
    key TEXT NOT NULL,
    sealed BLOB NOT NULL CHECK (length(sealed) = size)
) WITHOUT ROWID;

-- To whom the daily notice went (mailroom/intake/notice.py): `recipient` is a keyed hash of the address.
CREATE TABLE notices (
    recipient BLOB PRIMARY KEY,
    begun INTEGER NOT NULL,             -- day of the last notice that may have left
    sent INTEGER NOT NULL               -- day of the last one that the relay took; 0 for none
) WITHOUT ROWID;

-- Single values, in words (mailroom/store/facts.py): 'expired' (the day on which was last deleted what is old),
-- 'protection' (how the processes that see submissions are kept from leaving traces; mailroom/intake/examination.py).
CREATE TABLE facts (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;
