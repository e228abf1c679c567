-- Put before each script about files. All keys are made from the prefix; all times are Redis's own,
-- in milliseconds unless a name says otherwise.
--
--   file:<id>, artifact:<id>   hash: owner, bytes, created, expires, sha256, name, label, type
--   files:<owner>              zset of ids of files by when they came (us)
--   file_ends:<owner>          zset of <kind>:<id> by when they expire; what counts for the quota
--   file_sizes:<owner>         hash: <kind>:<id> to bytes, and `total`
--   refs:<sha256>              zset of <kind>:<id> by when they expire: who refers to a content
local prefix = ARGV[1]
local PURGE_MOST = 1000
local FIELDS = {'owner', 'bytes', 'created', 'expires', 'sha256', 'name', 'label', 'type'}

local function integer(number)
    return string.format('%.0f', number)
end

local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local now = math.floor(now_us / 1000)

-- The key lives until then, if it would not for longer.
local function keep(key, until_ms)
    if redis.call('PTTL', key) < until_ms - now then
        redis.call('PEXPIREAT', key, integer(until_ms))
    end
end

-- No longer counted for the owner's quota.
local function uncount(owner, member)
    local sizes = prefix .. 'file_sizes:' .. owner
    local bytes = redis.call('HGET', sizes, member)
    if bytes then
        redis.call('HDEL', sizes, member)
        redis.call('HINCRBY', sizes, 'total', integer(0 - bytes)) -- no '-0': Redis has none
    end
    redis.call('ZREM', prefix .. 'file_ends:' .. owner, member)
    redis.call('ZREM', prefix .. 'files:' .. owner, string.match(member, '[^:]*$'))
end

local function purge(owner)
    local ends = prefix .. 'file_ends:' .. owner
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', ends, '-inf', integer(now), 'LIMIT', 0,
                                       PURGE_MOST)) do
        uncount(owner, member)
    end
end

local function read_record(kind, id)
    local values = redis.call('HMGET', prefix .. kind .. ':' .. id, unpack(FIELDS))
    if not values[1] then
        return nil
    end
    table.insert(values, 1, id)
    return values
end

