-- Accounts. Times are milliseconds since the Unix epoch; identifiers are the 16 bytes of a UUID.
-- Addresses and user names are stored in their one spelling (lower case), so that UNIQUE means what
-- it says.
CREATE TABLE users (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    email TEXT NOT NULL UNIQUE,
    username TEXT UNIQUE,
    password_hash TEXT,
    -- A JSON array of words. Always read and written whole, with its user; nothing joins on it.
    roles TEXT NOT NULL,
    email_verified INTEGER NOT NULL CHECK (email_verified IN (0, 1)),
    disabled INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    -- Open JSON objects.
    profile TEXT NOT NULL,
    metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- The order of lists: oldest account first.
CREATE INDEX users_by_age ON users (created_at, id);
