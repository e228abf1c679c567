-- What a key has used, added to the counters of the day in Redis's clock.
-- ARGV: prefix, label, and pairs of a field and how much more of it
local KEEP_S = 40 * 86400
local day = math.floor(redis.call('TIME')[1] / 86400)
local usage = ARGV[1] .. 'usage:' .. ARGV[2] .. ':' .. day

for i = 3, #ARGV, 2 do
    redis.call('HINCRBY', usage, ARGV[i], ARGV[i + 1])
end
redis.call('EXPIRE', usage, KEEP_S)
return 1
