-- How long a session lives at the most, and how long its client keeps it.
--
-- Sessions of before were kept by every browser, and had no end: they get one 30 days after their
-- sign-in, but none is cut short by it (`Session::usual_end`).

ALTER TABLE sessions ADD COLUMN persistence TEXT NOT NULL DEFAULT 'persistent'
    CHECK (persistence IN ('browser', 'persistent'));
ALTER TABLE sessions ADD COLUMN ends_at INTEGER NOT NULL DEFAULT 0;

UPDATE sessions SET ends_at = max(created_at + 2592000000, expires_at);
