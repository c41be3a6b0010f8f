-- API keys. Times are milliseconds since the Unix epoch; identifiers are the 16 bytes of a UUID.
CREATE TABLE api_keys (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    -- SHA-256 of the text; the text itself is nowhere.
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    -- The first characters of the text.
    hint TEXT NOT NULL,
    -- Whom it speaks for: a user or a service.
    user_id BLOB CHECK (length(user_id) = 16),
    service TEXT,
    -- JSON arrays of words. Always read and written whole, with their key.
    roles TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER,
    -- Of a key that was rotated: until when it still holds.
    retires_at INTEGER,
    revoked_at INTEGER,
    rotated_from BLOB,
    -- The change in which it got its present state.
    changed INTEGER NOT NULL,
    CHECK ((user_id IS NULL) <> (service IS NULL))
) STRICT;

CREATE INDEX api_keys_by_change ON api_keys (changed, id);
CREATE INDEX api_keys_by_user ON api_keys (user_id);
CREATE INDEX api_keys_by_service ON api_keys (service);

-- Counts the changes of keys; one row. Who changes keys counts up here first, and so holds its lock until
-- the commit: changes are committed in the order of their numbers, and who has read up to a number has
-- missed nothing below it.
CREATE TABLE api_key_changes (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL
) STRICT;
INSERT INTO api_key_changes (one, seq) VALUES (1, 0);

-- What bounds a key is a change of the key, whoever makes it. A migration that makes the table of users
-- anew must make these again.
CREATE TRIGGER api_keys_follow_their_user AFTER UPDATE OF email, roles, disabled ON users
WHEN OLD.email <> NEW.email OR OLD.roles <> NEW.roles OR OLD.disabled <> NEW.disabled
BEGIN
    UPDATE api_key_changes SET seq = seq + 1;
    UPDATE api_keys SET changed = (SELECT seq FROM api_key_changes) WHERE user_id = NEW.id;
END;

CREATE TRIGGER api_keys_end_with_their_user AFTER DELETE ON users
BEGIN
    UPDATE api_key_changes SET seq = seq + 1;
    UPDATE api_keys
    SET changed = (SELECT seq FROM api_key_changes),
        revoked_at = coalesce(revoked_at, CAST(unixepoch('subsec') * 1000 AS INTEGER))
    WHERE user_id = OLD.id;
END;
