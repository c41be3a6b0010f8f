-- Sessions, how often all of a user's were ended, and the log of those that ended early.
--
-- No foreign key leads to the users: they may be kept elsewhere. Times are milliseconds since the
-- Unix epoch, ids are hyphenated UUIDs.

CREATE TABLE sessions (
    id           TEXT    NOT NULL PRIMARY KEY,
    user_id      TEXT    NOT NULL,
    email        TEXT    NOT NULL,
    roles        TEXT    NOT NULL, -- in order, a comma between two
    kind         TEXT    NOT NULL CHECK (kind IN ('user', 'admin')),
    client       TEXT    NOT NULL CHECK (client IN ('web', 'native')),
    generation   INTEGER NOT NULL CHECK (generation BETWEEN 0 AND 4294967295),
    created_at   INTEGER NOT NULL,
    refreshed_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    address      TEXT    NOT NULL,
    user_agent   TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE session_epochs (
    user_id TEXT    NOT NULL PRIMARY KEY,
    epoch   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT, so that a number is never given twice, not even after the table was cleared: a
-- reader's place in the log stays a place.
CREATE TABLE ended_sessions (
    seq        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    session_id TEXT    NOT NULL,
    ended_at   INTEGER NOT NULL
) STRICT;
