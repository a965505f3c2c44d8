-- Days are days since 1970-01-01 in UTC, instants are seconds since then. Identifiers are random octets.

-- What a page took, sealed (mailroom/people/requests.py). The worker opens it, decides, and deletes it.
CREATE TABLE requests (
    id INTEGER PRIMARY KEY,
    day INTEGER NOT NULL,
    sealed BLOB NOT NULL
);

-- One row for each person who asked for letters. `address` is sealed for its row, and goes when the person does;
-- `lookup` is a keyed hash of it. `langs` is in the reader's order: "fa,en". `rhythm` is `both` for whoever changed from
-- weekly to each, until the digest of that week: it has what they have not had.
CREATE TABLE subscriptions (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    lookup BLOB NOT NULL UNIQUE,
    lookup_key INTEGER NOT NULL,
    address BLOB,
    state TEXT NOT NULL CHECK (state IN ('unconfirmed', 'confirmed', 'unsubscribed')),
    langs TEXT NOT NULL,
    rhythm TEXT NOT NULL DEFAULT 'each' CHECK (rhythm IN ('each', 'weekly', 'both')),
    discreet INTEGER NOT NULL DEFAULT 0 CHECK (discreet IN (0, 1)),
    consent TEXT NOT NULL DEFAULT '',   -- which text was agreed to: a short hash of it
    requested INTEGER NOT NULL,         -- day
    confirmed INTEGER,                  -- day
    CHECK (address IS NOT NULL OR state = 'unsubscribed')
) WITHOUT ROWID;
CREATE INDEX subscriptions_by_state ON subscriptions (state);

-- Who must get nothing, unless they ask and confirm anew. Nothing but a keyed hash is left of them.
CREATE TABLE suppressions (
    lookup BLOB PRIMARY KEY,
    lookup_key INTEGER NOT NULL,
    reason TEXT NOT NULL CHECK (reason IN ('unsubscribed', 'erased', 'bounced', 'complained')),
    campaign TEXT,                      -- for bounces: undone when a whole domain refused
    day INTEGER NOT NULL
) WITHOUT ROWID;

-- To whom lists are sent. The worker looks again when a letter leaves.
CREATE VIEW readers AS
SELECT * FROM subscriptions WHERE state = 'confirmed'
AND NOT EXISTS (SELECT 1 FROM suppressions WHERE suppressions.lookup = subscriptions.lookup);

-- How often a form had a letter sent to an address; rows go after 30 days.
CREATE TABLE form_letters (
    lookup BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('confirmation', 'settings')),
    day INTEGER NOT NULL
);
CREATE INDEX form_letters_by_lookup ON form_letters (lookup);

CREATE TABLE campaigns (
    key TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('post', 'digest', 'correction', 'notice')),
    lang TEXT NOT NULL,
    post TEXT NOT NULL,                 -- the same for all languages of a post
    corrects TEXT,                      -- the key of the campaign that a correction follows
    digest TEXT NOT NULL,               -- what the client computed over the content
    content TEXT NOT NULL,              -- JSON: subject, preheader, title, summary, url, html, text, reply_to
    state TEXT NOT NULL CHECK (state IN ('draft', 'started', 'paused', 'stopped', 'finished')),
    created INTEGER NOT NULL,           -- day
    started INTEGER,                    -- day on which the first letter may leave
    release INTEGER NOT NULL DEFAULT 0  -- instant before which none does; for finished and stopped campaigns 0
) WITHOUT ROWID;
CREATE INDEX campaigns_by_post ON campaigns (post);

-- One row for each letter; it goes 30 days after its last day. `id` becomes Message-ID and return path.
CREATE TABLE letters (
    id BLOB PRIMARY KEY CHECK (length(id) = 8),
    kind TEXT NOT NULL CHECK (kind IN ('campaign', 'digest', 'confirmation', 'settings', 'test')),
    campaign TEXT REFERENCES campaigns (key),
    subscription BLOB,                  -- NULL for a test
    address BLOB,                       -- sealed for this letter; only where no subscription holds it (a test)
    lang TEXT NOT NULL,
    posts TEXT,                         -- for a digest: the keys of its campaigns, in order
    state TEXT NOT NULL CHECK (state IN ('pending', 'claimed', 'sending',
        'sent', 'bounced', 'refused', 'deferred', 'unknown', 'expired', 'dropped')),
    attempts INTEGER NOT NULL DEFAULT 0,
    due INTEGER NOT NULL,               -- instant; for finished letters 0
    first_due INTEGER NOT NULL,         -- instant, from which 72 hours count; for finished letters 0
    claim BLOB,                         -- which worker's claim, while claimed or sending
    domain BLOB,                        -- keyed hash of the recipient's domain, once known
    reply TEXT NOT NULL DEFAULT '',     -- code and enhanced status, "550 5.1.1"
    day INTEGER NOT NULL,               -- of the last change of state
    UNIQUE (campaign, subscription)     -- nobody gets a letter twice
) WITHOUT ROWID;
CREATE INDEX letters_by_campaign ON letters (campaign, state, due);
CREATE INDEX letters_of_tests ON letters (state, due) WHERE kind = 'test';
CREATE INDEX letters_by_subscription ON letters (subscription);

-- How many letters of a campaign a recipient's domain took and refused; for its pause.
CREATE TABLE tallies (
    campaign TEXT NOT NULL,
    domain BLOB NOT NULL,               -- keyed hash
    taken INTEGER NOT NULL DEFAULT 0,
    refused INTEGER NOT NULL DEFAULT 0,
    day INTEGER NOT NULL,               -- of the last change; rows go after three
    PRIMARY KEY (campaign, domain)
) WITHOUT ROWID;

-- How many letters went to the relay on a day: for the daily cap, and for the warm-up, which counts the days on which
-- letters of lists went: to a few who confirm, a sender stays new.
CREATE TABLE deliveries (
    day INTEGER PRIMARY KEY,
    letters INTEGER NOT NULL,
    listed INTEGER NOT NULL             -- how many of them were of lists
);

-- Who was given a post, in whichever language: a later translation goes to the others. No days: who got what, not when.
CREATE TABLE received (
    subscription BLOB NOT NULL,
    post TEXT NOT NULL,
    campaign TEXT NOT NULL,
    PRIMARY KEY (subscription, post)
) WITHOUT ROWID;
CREATE INDEX received_by_campaign ON received (campaign);

-- What is not delivered to for a while: the relay (`domain` is empty), or a recipient's domain (keyed hash).
CREATE TABLE pauses (
    domain BLOB PRIMARY KEY,
    until INTEGER NOT NULL,             -- instant
    reply TEXT NOT NULL,
    campaign TEXT
) WITHOUT ROWID;

CREATE TABLE api_tokens (
    name TEXT PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,          -- SHA-256: the token has 256 random bits
    scope TEXT NOT NULL CHECK (scope IN ('draft', 'send', 'intake')),
    expires INTEGER NOT NULL,           -- day
    revoked INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- Single values, in words (mailroom/store/facts.py): 'delivery' ('on'; 'off' after a restore: nothing is sent, nothing
-- starts), 'last_backup' (day), 'last_day' (the clock's), 'health' (anything); and in octets: 'keyring' (Vault.check).
CREATE TABLE facts (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;
