-- A page of an owner's files, the newest first, or (order 'asc') the oldest.
-- ARGV: prefix, owner, how many at most, order, the id after which it begins or ''
-- Returns whether there are more (1, 0) and the records; or nothing when there is no such id.
local owner, most = ARGV[2], tonumber(ARGV[3])
local list = prefix .. 'files:' .. owner
local newest_first = ARGV[4] ~= 'asc'
local bound = newest_first and '+inf' or '-inf'

purge(owner)
if ARGV[5] ~= '' then
    local score = redis.call('ZSCORE', list, ARGV[5])
    if not score then
        return {}
    end
    bound = '(' .. integer(score)
end

local ids
if newest_first then
    ids = redis.call('ZREVRANGEBYSCORE', list, bound, '-inf', 'LIMIT', 0, most + 1)
else
    ids = redis.call('ZRANGEBYSCORE', list, bound, '+inf', 'LIMIT', 0, most + 1)
end
local page = {#ids > most and 1 or 0}
for i = 1, math.min(#ids, most) do
    page[#page + 1] = read_record('file', ids[i])
end
return page
