-- Judges an attempt by all of its buckets, and counts it in each of them where none refuses. The rule is
-- that of `limit::judge`, where it is argued for. A bucket is "instant" or "instant:tries".
-- KEYS: the buckets, then where it is noted that the account knows the network, if that counts
-- ARGV: now, the longest wait that grows, how many buckets; for each: role, interval, tolerance. The role
--       `pair` refuses, and tells whether the network is fresh.
-- All times in microseconds, which a double holds exactly for the next two centuries.
local FREE_TRIES = 3
local now, most, count = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local familiar = false
if KEYS[count + 1] then
    familiar = (tonumber(redis.call('GET', KEYS[count + 1]) or '') or 0) > now
end

local function charge(i)
    local at = 3 * i + 1
    return ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
end

local held = {}
if count > 0 then
    held = redis.call('MGET', unpack(KEYS, 1, count))
end

-- What a bucket holds now: when it is full again, and its tries.
local function start(i)
    local role, _, tolerance = charge(i)
    if not held[i] then return now, 0 end
    local at, tries = string.match(held[i], '^(%-?%d+):?(%d*)$')
    at, tries = tonumber(at), tonumber(tries) or 0
    local furthest, kept = tolerance, 0
    if role == 'presses' then furthest = tolerance + most end
    if role == 'grows' then furthest, kept = most, most end
    if at - now > furthest or at - now <= -kept then return now, 0 end
    return math.max(at, now), tries
end

local pressed = false
for i = 1, count do
    local role, interval, tolerance = charge(i)
    if role == 'presses' and not familiar and start(i) + interval - now > tolerance then
        pressed = true
    end
end

local refused, longest, fresh, counted = nil, 0, 1, {}
for i = 1, count do
    local role, interval, tolerance = charge(i)
    local at, tries = start(i)
    local wait, next_at, next_tries = nil, at + interval, 0
    if role == 'refuses' or role == 'pair' or (role == 'strangers' and not familiar) then
        wait = next_at - now - tolerance
    elseif role == 'presses' and not familiar then
        wait, next_at = 0, math.min(next_at, now + tolerance + most)
    elseif role == 'grows' and pressed then
        wait, next_tries = at - now, tries + 1
        next_at = now
        if next_tries >= FREE_TRIES then
            next_at = now + math.min(interval * 2 ^ math.min(next_tries - FREE_TRIES, 40), most)
        end
    end
    if wait then
        counted[#counted + 1] = { i, next_at, next_tries }
        if wait > longest then refused, longest = i, wait end
        if (role == 'grows' or role == 'pair') and (at > now or tries > 0) then
            fresh = 0
        end
    end
end
if refused then
    return { 'refused', { refused - 1, longest } }
end

local answer = { familiar and 1 or 0, fresh }
for _, one in ipairs(counted) do
    local i, at, tries = one[1], one[2], one[3]
    local role = charge(i)
    local value, ends = string.format('%.0f', at), at
    if role == 'grows' then
        value, ends = value .. ':' .. tries, at + most
    end
    -- A second late, as the clocks of the replicas and of this server differ.
    redis.call('SET', KEYS[i], value, 'PX', string.format('%.0f', math.ceil((ends - now) / 1000) + 1000))
    answer[#answer + 1] = i - 1
    answer[#answer + 1] = at
    answer[#answer + 1] = tries
end
return { 'admitted', answer }
