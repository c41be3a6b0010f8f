-- The audit trail: rows are added at its end and removed from its start, and never changed. Times are
-- milliseconds since the Unix epoch.
--
-- `hash` seals the row together with the hash of the row before it, so that hash stands once only.
CREATE TABLE audit (
    seq        INTEGER NOT NULL PRIMARY KEY,
    time       INTEGER NOT NULL,
    action     TEXT    NOT NULL,
    outcome    TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    actor      TEXT,
    user_id    TEXT,
    session_id TEXT,
    address    TEXT,
    request_id TEXT,
    api_key_id TEXT,
    detail     TEXT,
    hash       BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE INDEX audit_by_time ON audit (time);
CREATE INDEX audit_by_user ON audit (user_id, seq);
CREATE INDEX audit_by_actor ON audit (actor, seq);

-- One row: the end of the trail, which writers lock, and what was removed from its start.
CREATE TABLE audit_head (
    id           INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    seq          INTEGER NOT NULL,
    hash         BLOB    NOT NULL CHECK (length(hash) = 32),
    seal         BLOB    NOT NULL,
    removed_seq  INTEGER NOT NULL,
    removed_hash BLOB    NOT NULL CHECK (length(removed_hash) = 32)
) STRICT;

INSERT INTO audit_head VALUES (1, 0, zeroblob(32), x'', 0, zeroblob(32));
