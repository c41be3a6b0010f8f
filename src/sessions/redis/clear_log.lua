-- Removes log entries that are older than asked, and returns how many. Their ids carry the time of
-- this server, so their age is told by this server too.
-- KEYS: log
-- ARGV: how long to keep an entry, in milliseconds
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local oldest = string.format('%.0f', math.max(now - tonumber(ARGV[1]), 0))
return redis.call('XTRIM', KEYS[1], 'MINID', oldest)
