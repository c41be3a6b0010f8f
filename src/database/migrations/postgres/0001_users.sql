-- Accounts. Times are milliseconds since the Unix epoch; identifiers are the 16 bytes of a UUID.
-- Addresses and user names are stored in their one spelling (lower case), so that UNIQUE means what
-- it says. Yes and no are 1 and 0, and JSON is text, as in the embedded database: the statements are
-- the same for both.
CREATE TABLE users (
    id BYTEA NOT NULL PRIMARY KEY CHECK (octet_length(id) = 16),
    email TEXT NOT NULL UNIQUE,
    username TEXT UNIQUE,
    password_hash TEXT,
    -- A JSON array of words. Always read and written whole, with its user; nothing joins on it.
    roles TEXT NOT NULL,
    email_verified BIGINT NOT NULL CHECK (email_verified IN (0, 1)),
    disabled BIGINT NOT NULL CHECK (disabled IN (0, 1)),
    -- Open JSON objects.
    profile TEXT NOT NULL,
    metadata TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- Counts the changes of the account: who changes what they read names the count that they read.
    revision BIGINT NOT NULL DEFAULT 1
);

-- The order of lists: oldest account first.
CREATE INDEX users_by_age ON users (created_at, id);
