-- What clients of some dialects know of an API key beside its name. The number is that of the change in
-- which the first key of its line was made: keys that take its place have it, too. 0: made before there
-- were any.
ALTER TABLE api_keys ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN description TEXT NOT NULL DEFAULT '';
