-- Ends the sessions of a user, moves the epoch on, and returns the ids of those that it ended.
-- KEYS: sessions of the user, epoch of the user, log
-- ARGV: what the keys of sessions start with, now, the id of a session that goes on (or nothing)
local DAY = 86400000

-- First what fails when memory is full, so that then nothing has changed. The epoch guards sign-ins
-- that are under way, which takes seconds; a day later nobody can hold an old one.
redis.call('INCR', KEYS[2])
redis.call('PEXPIRE', KEYS[2], DAY)
-- Those that have run out are taken away too: to a gateway whose clock is behind, they may still live.
local ended = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    if id ~= ARGV[3] then
        local expires = redis.call('HGET', ARGV[1] .. id, 'expires_at')
        if expires and tonumber(expires) > tonumber(ARGV[2]) then
            redis.call('XADD', KEYS[3], '*', 'session', id, 'at', ARGV[2])
            table.insert(ended, id)
        end
        redis.call('DEL', ARGV[1] .. id)
        redis.call('ZREM', KEYS[1], id)
    end
end
return ended
