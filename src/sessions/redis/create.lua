-- Stores a session, unless the epoch of its user has moved on.
-- KEYS: session, sessions of the user, epoch of the user
-- ARGV: session id, epoch, created at, expires at, then the fields of the session and their values
local SLACK = 3600000

if (redis.call('GET', KEYS[3]) or '0') ~= ARGV[2] then
    return 0
end
for i = 5, #ARGV, 2 do
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
end
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
-- As late as the keys expire: to a gateway whose clock is behind, one that ran out just now still lives,
-- and "end all" must find it.
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', tonumber(ARGV[3]) - SLACK))
local last = redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')[2] or ARGV[4]
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', tonumber(ARGV[4]) + SLACK))
redis.call('PEXPIREAT', KEYS[2], string.format('%.0f', tonumber(last) + SLACK))
return 1
