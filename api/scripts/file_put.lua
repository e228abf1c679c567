-- A record of a content that is in place, if the owner's quota allows it.
-- ARGV: prefix, owner, kind, id, bytes, time to live (s), quota in bytes, quota in files, sha256,
--       name, label, type
-- Returns the record, as read_record() has it; or the bytes and the number that the owner has.
local owner, kind, id = ARGV[2], ARGV[3], ARGV[4]
local bytes, expires = tonumber(ARGV[5]), now + ARGV[6] * 1000
local ends, sizes = prefix .. 'file_ends:' .. owner, prefix .. 'file_sizes:' .. owner
local member = kind .. ':' .. id

purge(owner)
local total = tonumber(redis.call('HGET', sizes, 'total')) or 0
local count = redis.call('ZCARD', ends)
if total + bytes > tonumber(ARGV[7]) or count >= tonumber(ARGV[8]) then
    return {total, count}
end

local record = prefix .. kind .. ':' .. id
redis.call('HSET', record, 'owner', owner, 'bytes', ARGV[5], 'created', integer(now), 'expires',
           integer(expires), 'sha256', ARGV[9], 'name', ARGV[10], 'label', ARGV[11], 'type',
           ARGV[12])
redis.call('PEXPIREAT', record, integer(expires))
redis.call('ZADD', ends, integer(expires), member)
redis.call('HSET', sizes, member, ARGV[5])
redis.call('HINCRBY', sizes, 'total', ARGV[5])
redis.call('ZADD', prefix .. 'refs:' .. ARGV[9], integer(expires), member)
keep(ends, expires)
keep(sizes, expires)
keep(prefix .. 'refs:' .. ARGV[9], expires)
if kind == 'file' then
    -- No two at the same time, so that a page ends between two of them.
    local list = prefix .. 'files:' .. owner
    local last = redis.call('ZREVRANGE', list, 0, 0, 'WITHSCORES')[2]
    redis.call('ZADD', list, integer(math.max(now_us, (tonumber(last) or 0) + 1)), id)
    keep(list, expires)
end
return read_record(kind, id)
