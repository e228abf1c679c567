-- The counters of a key on the last days, today first.
-- ARGV: prefix, label, number of days, and the names of the counters
-- Returns a list of [day since the epoch, each counter]; days without any are left out.
local today = math.floor(redis.call('TIME')[1] / 86400)
local days = {}

for day = today, today - tonumber(ARGV[3]) + 1, -1 do
    local usage = ARGV[1] .. 'usage:' .. ARGV[2] .. ':' .. day
    local values = redis.call('HMGET', usage, unpack(ARGV, 4))
    local found = false
    for i, value in ipairs(values) do
        found = found or value
        values[i] = tonumber(value) or 0
    end
    if found then
        table.insert(values, 1, day)
        days[#days + 1] = values
    end
end
return days
