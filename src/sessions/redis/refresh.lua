-- Moves a session on to its next refresh token, or finds out why not. The rules are those of
-- `Standing::of`.
-- KEYS: session, log
-- ARGV: session id, what the keys of users' sessions start with, generation shown, now,
--       expires at (if the session moves on, and does not end before), grace
local SLACK = 3600000
local NEWEST = 4294967295
-- That of `Session::usual_end`.
local USUAL_AGE = 2592000000

local held = redis.call('HMGET', KEYS[1], 'user', 'generation', 'refreshed_at', 'expires_at', 'ends_at',
    'created_at')
local now = tonumber(ARGV[4])
if not held[1] or tonumber(held[4]) <= now then
    return { 'gone', {} }
end

local sessions = ARGV[2] .. held[1]
-- Where a Cluster has moved this key away already, it fails here, and then nothing has changed.
redis.call('EXISTS', sessions)
local shown, stored = tonumber(ARGV[3]), tonumber(held[2])
if shown >= stored then
    local next = string.format('%.0f', math.min(shown + 1, NEWEST))
    local ends = tonumber(held[5]) or math.max(tonumber(held[6]) + USUAL_AGE, tonumber(held[4]))
    local expires = string.format('%.0f', math.min(tonumber(ARGV[5]), ends))
    redis.call('HSET', KEYS[1], 'generation', next, 'refreshed_at', ARGV[4], 'expires_at', expires,
        'ends_at', string.format('%.0f', ends))
    redis.call('ZADD', sessions, expires, ARGV[1])
    local last = redis.call('ZREVRANGE', sessions, 0, 0, 'WITHSCORES')[2] or expires
    redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', tonumber(expires) + SLACK))
    redis.call('PEXPIREAT', sessions, string.format('%.0f', tonumber(last) + SLACK))
    return { 'rotated', redis.call('HGETALL', KEYS[1]) }
end
if shown + 1 == stored and now - tonumber(held[3]) <= tonumber(ARGV[6]) then
    return { 'repeated', redis.call('HGETALL', KEYS[1]) }
end

-- The log first: when memory is full, it is the write that fails, and then nothing has changed.
redis.call('XADD', KEYS[2], '*', 'session', ARGV[1], 'at', ARGV[4])
local reused = redis.call('HGETALL', KEYS[1])
redis.call('DEL', KEYS[1])
redis.call('ZREM', sessions, ARGV[1])
return { 'reused', reused }
