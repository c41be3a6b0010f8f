-- Takes an attempt out of buckets again, and notes that an account knows a network. The rule is that of
-- `limit::settle`.
-- KEYS: the buckets, then the note, if there is one
-- ARGV: now, the longest wait that grows, how many buckets, for how long the note holds;
--       for each bucket: role, interval, tolerance
local now, most, count = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
for i = 1, count do
    local role, interval = ARGV[3 * i + 2], tonumber(ARGV[3 * i + 3])
    local held = redis.call('GET', KEYS[i])
    if held then
        local at, tries = string.match(held, '^(%-?%d+):?(%d*)$')
        at, tries = tonumber(at) - interval, 0
        local ends = at
        if role == 'grows' then
            at, tries = now, math.max((tonumber(string.match(held, ':(%d+)$')) or 0) - 1, 0)
            ends = at + most
        end
        if at <= now and tries == 0 then
            redis.call('DEL', KEYS[i])
        else
            local value = string.format('%.0f', at)
            if role == 'grows' then value = value .. ':' .. tries end
            redis.call('SET', KEYS[i], value, 'PX', string.format('%.0f', math.ceil((ends - now) / 1000) + 1000))
        end
    end
end
if KEYS[count + 1] then
    local span = tonumber(ARGV[4])
    redis.call('SET', KEYS[count + 1], string.format('%.0f', now + span), 'PX', string.format('%.0f', math.ceil(span / 1000) + 1000))
end
