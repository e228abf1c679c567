-- The heartbeats of the workers in the registry. ARGV: prefix, most.
-- Returns {age of the beat in ms, id, the flat list of the hash's fields and values} of each; the
-- list is empty when the hash has expired.
local prefix = ARGV[1]
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local rows = {}

local registered = redis.call('ZRANGEBYSCORE', prefix .. 'workers', '-inf', '+inf', 'WITHSCORES',
    'LIMIT', 0, ARGV[2])
for i = 1, #registered, 2 do
    local hash = redis.pcall('HGETALL', prefix .. 'worker:' .. registered[i])
    if hash.err then
        hash = {}
    end
    rows[#rows + 1] = {math.max(0, now_ms - registered[i + 1]), registered[i], hash}
end
return rows
