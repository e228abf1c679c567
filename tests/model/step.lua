-- Runs the queue's scripts on states of Redis that are put there before and read back afterwards.
-- ARGV: as often as wanted: a state, the time (ms), sequences of commands (JSON).
--   A state is what snapshot() makes: [[key, expires (ms), value]...], sorted, as JSON.
--   A sequence starts from the state each time. Its commands: ["<script>", argument...],
--   ["CLOCK", ms] (time passes, keys expire) or any of Redis.
-- Returns, for each sequence: the replies to its commands (JSON), and the state afterwards.
--
-- The scripts stand here as functions of `redis` and ARGV (SCRIPTS is replaced by them), their text
-- unchanged. Their `redis` is the real one, but TIME and what counts from it are the model's: so
-- time stands still until the model moves it. Times lie in the far future: Redis expires nothing.
local clock_ms = 0
local LATER = 4000000060000     -- for keys that expire after all that is looked at
local real = redis

-- What stands in Redis is `base` (rows by key), but for the keys in `dirty`.
local base, dirty = {}, {}
local READS = {GET = 1, HGET = 1, HMGET = 1, HGETALL = 1, LRANGE = 1, LINDEX = 1, LLEN = 1,
               EXISTS = 1, ZSCORE = 1, ZRANGEBYSCORE = 1}
local SEVERAL = {DEL = 1, UNLINK = 1, LMOVE = 1}

local function note(name, key, ...)
    if key and not READS[name] then
        dirty[key] = true
        for _, other in ipairs(SEVERAL[name] and {...} or {}) do
            dirty[other] = true
        end
    end
end

local function with_clock(call)
    return function(name, key, ...)
        note(name, key, ...)
        if name == 'TIME' then
            return {string.format('%.0f', math.floor(clock_ms / 1000)),
                    string.format('%.0f', clock_ms % 1000 * 1000)}
        elseif name == 'EXPIRE' then
            return call('PEXPIREAT', key, string.format('%.0f', clock_ms + (...) * 1000))
        elseif name == 'PEXPIRE' then
            return call('PEXPIREAT', key, string.format('%.0f', clock_ms + (...)))
        end
        return call(name, key, ...)
    end
end
local modelled = {call = with_clock(real.call), pcall = with_clock(real.pcall),
                  error_reply = real.error_reply}

local scripts = {}
SCRIPTS

local function sorted_pairs(flat)
    local names, by_name, out = {}, {}, {}
    for i = 1, #flat, 2 do
        names[#names + 1] = flat[i]
        by_name[flat[i]] = flat[i + 1]
    end
    table.sort(names)
    for _, name in ipairs(names) do
        out[#out + 1] = name
        out[#out + 1] = by_name[name]
    end
    return out
end

-- By the word before the colon. One wake-up or cancellation does what many do: each is cut to one.
local readers = {
    job = function(key) return sorted_pairs(real.call('HGETALL', key)) end,
    queue = function(key) return real.call('LRANGE', key, 0, -1) end,
    reply = function(key) return real.call('LRANGE', key, 0, 0) end,
    workers = function(key) return sorted_pairs(real.call('ZRANGE', key, 0, -1, 'WITHSCORES')) end,
    result = function(key) return real.call('GET', key) end,
}
readers.worker, readers.sweeps = readers.job, readers.job
readers.inflight, readers.dead = readers.queue, readers.queue
readers.cancel, readers.blob = readers.reply, readers.result

local function kind_of(key)
    return string.match(key, '^m:(%a+)')
end

local function expires(key)
    return real.call('PEXPIRETIME', key)
end

-- What makes no difference any more is made equal, so that there are fewer states: when a list of
-- 24 hours or a wake-up expires (only that it does), times of which only the age counts.
local KEPT = {queue = true, inflight = true, workers = true, sweeps = true, dead = true,
              reply = true, cancel = true}
local AGES = {last = 3001, quiet_until = 0, claimed = 4001}
local WORKER_AGE = 5001

local function settle(kind, value)
    for i = 1, #value, 2 do
        local age = kind == 'workers' and WORKER_AGE or AGES[value[i]]
        local unit = value[i] == 'claimed' and 1000 or 1
        if age and (kind == 'workers' or kind == 'sweeps' or kind == 'job')
                and value[i + 1] / unit < clock_ms - age + 1 then
            value[i + 1] = '1'
        end
    end
    return value
end

local function copied(value)
    return type(value) == 'table' and {unpack(value)} or value
end

local function read_row(key)
    local kind, expiry = string.match(key, '^m:(%a+)'), expires(key)
    if expiry ~= -2 then
        return {key, KEPT[kind] and expiry >= 0 and LATER or expiry, readers[kind](key)}
    end
end

local function snapshot()
    local rows = {}
    for key in pairs(dirty) do
        rows[#rows + 1] = read_row(key)
    end
    for key, row in pairs(base) do
        if not dirty[key] then
            rows[#rows + 1] = {key, row[2], copied(row[3])}
        end
    end
    table.sort(rows, function(a, b) return a[1] < b[1] end)
    for _, row in ipairs(rows) do
        if type(row[3]) == 'table' then
            settle(string.match(row[1], '^m:(%a+)'), row[3])
        end
    end
    return rows[1] and cjson.encode(rows) or '[]'
end

local writers = {
    job = function(key, value) real.call('HSET', key, unpack(value)) end,
    queue = function(key, value) real.call('RPUSH', key, unpack(value)) end,
    result = function(key, value) real.call('SET', key, value) end,
    workers = function(key, value)
        for i = 1, #value, 2 do
            real.call('ZADD', key, value[i + 1], value[i])
        end
    end,
}
writers.worker, writers.sweeps = writers.job, writers.job
writers.inflight, writers.dead, writers.reply = writers.queue, writers.queue, writers.queue
writers.cancel, writers.blob = writers.queue, writers.result

local function put(row)
    local key, expiry, value = row[1], row[2], row[3]
    writers[kind_of(key)](key, value)
    if expiry >= 0 then
        real.call('PEXPIREAT', key, string.format('%.0f', expiry))
    end
end

local function restore()
    for key in pairs(dirty) do
        real.call('DEL', key)
        if base[key] then
            put(base[key])
        end
    end
    dirty = {}
end

local function become(rows)
    for key in pairs(base) do
        dirty[key] = true
    end
    base = {}
    for _, row in ipairs(rows) do
        base[row[1]] = row
        dirty[row[1]] = true
    end
end

local function set_clock(ms)
    clock_ms = ms
    local found = {}
    for key, row in pairs(base) do
        found[key] = row[2]
    end
    for key in pairs(dirty) do
        found[key] = expires(key)
    end
    for key, expiry in pairs(found) do
        if expiry >= 0 and expiry <= ms then
            real.call('DEL', key)
            dirty[key] = true
        end
    end
    return ms
end

local function run(command)
    local name = command[1]
    if name == 'CLOCK' then
        return set_clock(command[2])
    elseif not scripts[name] then
        return modelled.call(unpack(command))
    end
    local arguments = {'m:'}
    for i = 2, #command do
        arguments[i] = command[i]
    end
    return scripts[name](modelled, arguments)
end

local answer = {}
real.call('FLUSHDB')
for i = 1, #ARGV, 3 do
    become(cjson.decode(ARGV[i]))
    for _, sequence in ipairs(cjson.decode(ARGV[i + 2])) do
        local replies = {}
        restore()
        clock_ms = tonumber(ARGV[i + 1])
        for at, command in ipairs(sequence) do
            local reply = run(command)
            replies[at] = reply == nil and false or reply
        end
        answer[#answer + 1] = cjson.encode(replies)
        answer[#answer + 1] = snapshot()
    end
end
return answer
