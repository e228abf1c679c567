-- For whoever cleans up, who is one at a time: takes the lock, or keeps it, and looks who refers to
-- some contents.
-- ARGV: prefix, who it is, for how long the lock holds (ms; 0: gives it back), hashes of 64 digits
--       each, one after the other
-- Returns those that nobody refers to; false when another process has the lock.
local key = prefix .. 'storage_sweeper'
local holder = redis.call('GET', key)

if holder and holder ~= ARGV[2] then
    return false
end
if ARGV[3] == '0' then
    redis.call('DEL', key)
    return {}
end
redis.call('SET', key, ARGV[2], 'PX', ARGV[3])
redis.call('EXPIRE', prefix .. 'storage', 40 * 86400) -- somebody is still there (storage_claim.lua)
local orphans = {}
for at = 1, #ARGV[4], 64 do
    local hash = string.sub(ARGV[4], at, at + 63)
    local refs = prefix .. 'refs:' .. hash
    redis.call('ZREMRANGEBYSCORE', refs, '-inf', integer(now))
    if redis.call('EXISTS', refs) == 0 then
        orphans[#orphans + 1] = hash
    end
end
return orphans
