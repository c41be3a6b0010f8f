-- Notes what is known of the user of a session by now. A session never changes hands.
-- KEYS: session
-- ARGV: user, email, roles
if redis.call('HGET', KEYS[1], 'user') == ARGV[1] then
    redis.call('HSET', KEYS[1], 'email', ARGV[2], 'roles', ARGV[3])
end
