-- One-time codes, one an account and purpose, hashed. Times are milliseconds since the Unix epoch.
--
-- No foreign key leads to the users: they may be kept elsewhere.
CREATE TABLE codes (
    user_id BLOB NOT NULL CHECK (length(user_id) = 16),
    purpose TEXT NOT NULL,
    -- The address that it was sent to.
    email TEXT NOT NULL,
    -- Under a key of the gateway; none where only a link was sent.
    digits TEXT,
    digits_end_at INTEGER NOT NULL,
    -- Wrong digits that it still stands.
    attempts_left INTEGER NOT NULL,
    -- SHA-256; none where only digits were sent.
    token TEXT UNIQUE,
    token_ends_at INTEGER NOT NULL,
    spent INTEGER NOT NULL DEFAULT 0 CHECK (spent IN (0, 1)),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, purpose)
) STRICT, WITHOUT ROWID;

-- Digits are shown together with the address.
CREATE INDEX codes_by_email ON codes (email, purpose);
