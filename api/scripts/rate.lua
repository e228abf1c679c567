-- One request of a key: is there a token in its bucket, in Redis's clock? It is counted, too.
-- ARGV: prefix, label, rate (requests in 1000 s), burst
-- The bucket is kept as the time (us) at which it will be full again: each request moves it by the
-- time that one token takes, and may not move it further ahead than burst tokens.
-- Returns allowed (1, 0), tokens left, ms until it is full, ms until the next request may come.
local prefix, label = ARGV[1], ARGV[2]
local per_token = 1e9 / tonumber(ARGV[3])
local most = per_token * tonumber(ARGV[4])
local DAY_S, KEEP_S = 86400, 40 * 86400

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local bucket = prefix .. 'rate:' .. label
local full = tonumber(redis.call('GET', bucket)) or now
-- A clock that was set back, or a lower burst, must not shut a key out for longer than its bucket.
local too_far = full > now + most
full = math.max(now, math.min(full, now + most))

local after = full + per_token
local allowed = after - now <= most + 0.5
if allowed or too_far then
    full = allowed and after or full
    local keep_ms = math.ceil((full - now) / 1000) + 1000
    redis.call('SET', bucket, string.format('%.0f', full), 'PX', string.format('%.0f', keep_ms))
end

local usage = prefix .. 'usage:' .. label .. ':' .. math.floor(time[1] / DAY_S)
local field = allowed and 'requests' or 'rate_limited'
if redis.call('HINCRBY', usage, field, 1) == 1 then
    redis.call('EXPIRE', usage, KEEP_S)
end

local wait_ms = allowed and 0 or math.ceil((after - now - most) / 1000)
return {allowed and 1 or 0, math.floor((now + most - full) / per_token + 1e-6),
    math.ceil((full - now) / 1000), wait_ms}
