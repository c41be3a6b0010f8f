-- API keys. Times are milliseconds since the Unix epoch; identifiers are the 16 bytes of a UUID.
CREATE TABLE api_keys (
    id BYTEA NOT NULL PRIMARY KEY CHECK (octet_length(id) = 16),
    -- SHA-256 of the text; the text itself is nowhere.
    hash BYTEA NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    -- The first characters of the text.
    hint TEXT NOT NULL,
    -- Whom it speaks for: a user or a service.
    user_id BYTEA CHECK (octet_length(user_id) = 16),
    service TEXT,
    -- JSON arrays of words. Always read and written whole, with their key.
    roles TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT,
    -- Of a key that was rotated: until when it still holds.
    retires_at BIGINT,
    revoked_at BIGINT,
    rotated_from BYTEA,
    -- The change in which it got its present state.
    changed BIGINT NOT NULL,
    CHECK ((user_id IS NULL) <> (service IS NULL))
);

CREATE INDEX api_keys_by_change ON api_keys (changed, id);
CREATE INDEX api_keys_by_user ON api_keys (user_id);
CREATE INDEX api_keys_by_service ON api_keys (service);

-- Counts the changes of keys; one row. Who changes keys counts up here first, and so holds its lock until
-- the commit: changes are committed in the order of their numbers, and who has read up to a number has
-- missed nothing below it.
CREATE TABLE api_key_changes (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    seq BIGINT NOT NULL
);
INSERT INTO api_key_changes (one, seq) VALUES (1, 0);

-- What bounds a key is a change of the key, whoever makes it.
CREATE FUNCTION api_keys_follow_their_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE api_key_changes SET seq = seq + 1;
    IF TG_OP = 'DELETE' THEN
        UPDATE api_keys
        SET changed = (SELECT seq FROM api_key_changes),
            revoked_at = coalesce(revoked_at, (extract(epoch FROM clock_timestamp()) * 1000)::BIGINT)
        WHERE user_id = OLD.id;
    ELSE
        UPDATE api_keys SET changed = (SELECT seq FROM api_key_changes) WHERE user_id = NEW.id;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER api_keys_follow_their_user AFTER UPDATE OF email, roles, disabled ON users
FOR EACH ROW
WHEN (OLD.email <> NEW.email OR OLD.roles <> NEW.roles OR OLD.disabled <> NEW.disabled)
EXECUTE FUNCTION api_keys_follow_their_user();

CREATE TRIGGER api_keys_end_with_their_user AFTER DELETE ON users
FOR EACH ROW EXECUTE FUNCTION api_keys_follow_their_user();
