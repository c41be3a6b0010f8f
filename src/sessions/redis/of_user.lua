-- The sessions of a user that have not run out: for each its id and its fields.
-- KEYS: sessions of the user
-- ARGV: what the keys of sessions start with, now
local found = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[2], '+inf')) do
    table.insert(found, { id, redis.call('HGETALL', ARGV[1] .. id) })
end
return found
