-- One step of a search for the users who have sessions: returns where to go on, and keys of their
-- sessions; '0' when all have been seen. A script, so that a cluster leads it to the server that has the
-- keys.
-- KEYS: log
-- ARGV: where to go on, pattern of the keys of users' sessions
return redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', 1000)
