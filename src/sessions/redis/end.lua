-- Ends a session, and returns it; an empty list where there is none.
-- KEYS: session, log
-- ARGV: session id, what the keys of users' sessions start with, now
local held = redis.call('HMGET', KEYS[1], 'user', 'expires_at')
if not held[1] then
    return {}
end

-- One that has run out is taken away too: to a gateway whose clock is behind, it may still live.
local ended = {}
if tonumber(held[2]) > tonumber(ARGV[3]) then
    -- The log first: when memory is full, it is the write that fails, and then nothing has changed.
    redis.call('XADD', KEYS[2], '*', 'session', ARGV[1], 'at', ARGV[3])
    ended = redis.call('HGETALL', KEYS[1])
end
redis.call('DEL', KEYS[1])
redis.call('ZREM', ARGV[2] .. held[1], ARGV[1])
return ended
