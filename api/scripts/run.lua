-- Records of runs: run:<id>, a hash; runs:<owner>, a sorted set of ids by their time; openruns, the
-- same of those without an end, by when to look at them next. A run's job has the id behind "run_".
-- All keys are made from the prefix; times are Redis's own, in ms.
-- ARGV: prefix, mode, and
--   begin  id, owner, keep ms, most records of an owner, language, metadata (JSON), key and body of
--          an idempotent request, or two empty strings
--          {1, ms}: made; {0, id}: known by that key; {-1}: the key belongs to another body
--   finish id, owner, created ms, keep ms, most, language, metadata, before, artifacts,
--          after
--          The object as three pieces of JSON. 1: kept, 0: it has had an end before.
--   drop   id: it was never run. 1, or 0: it has an end.
--   look   id, owner, entry, count
--          nil: no such run of that owner; else {description}, and, unless entry is empty, up to
--          count events behind it
--   list   owner, after (id or empty), limit, newest first (0, 1), bytes
--          {more (0, 1), {id, description}...}; nil: there is no run `after`
--   sweep  count
--          {{id, owner, description}...}: runs that have a result, or none any more, and that
--          nobody has given an end
local prefix, mode = ARGV[1], ARGV[2]
local SECOND_MS = 1000
local LOST_MS = 15000     -- a run without a job, after this, was never submitted
local GRACE_MS = 3000     -- after answer_by: whoever waits for it is about to say so
local OPEN_KEEP_MS = 7200000 -- longer than any job may wait and run
local open_runs = prefix .. 'openruns'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function text(number)
    return string.format('%.0f', number)
end

local function key(id)
    return prefix .. 'run:' .. id
end

local function job_of(id)
    return string.sub(id, 5)
end

local function forget(owner, id)
    redis.call('UNLINK', key(id))
    redis.call('ZREM', prefix .. 'runs:' .. owner, id)
    redis.call('ZREM', open_runs, id)
end

-- Puts a run into its owner's list, whose oldest are dropped when there are too many.
local function enlist(id, owner, created, keep, most)
    local list = prefix .. 'runs:' .. owner
    redis.call('ZADD', list, created, id)
    redis.call('PEXPIRE', list, text(keep + OPEN_KEEP_MS))
    redis.call('ZREMRANGEBYSCORE', list, '-inf', text(now - keep - OPEN_KEEP_MS))
    local extra = redis.call('ZCARD', list) - most
    if extra > 0 then
        for _, old in ipairs(redis.call('ZRANGE', list, 0, extra - 1)) do
            forget(owner, old)
        end
    end
end

-- {1, created, before, artifacts, after}, or, of a run without an end, {0, created, language,
-- metadata, state of its job, claimed us, answer_by ms, now ms, result or nil}.
local function describe(id, was)
    if was[2] then
        return {1, was[3], was[2], was[4], was[5]}
    end
    local job = redis.pcall('HMGET', prefix .. 'job:' .. job_of(id), 'state', 'claimed',
        'answer_by')
    local result = redis.call('GET', prefix .. 'result:' .. job_of(id))
    return {0, was[3], was[6], was[7], job[1] or '', job[2] or '0', job[3] or '0', text(now),
        result}
end

local function read(id)
    return redis.call('HMGET', key(id), 'owner', 'before', 'created', 'artifacts', 'after',
        'language', 'metadata', 'seen')
end

local function begin(id, owner, keep, most, language, metadata, name, body)
    local same = ''
    if name ~= '' then
        same = prefix .. 'samerun:' .. owner .. ':' .. redis.sha1hex(name)
        local known = redis.call('GET', same)
        local digest = redis.sha1hex(body)
        if known then
            local first = string.sub(known, 42)
            if string.sub(known, 1, 40) ~= digest then
                return {-1}
            end
            return {0, first}
        end
        redis.call('SET', same, digest .. ' ' .. id, 'PX', keep)
    end
    redis.call('HSET', key(id), 'owner', owner, 'created', text(now), 'language', language,
        'metadata', metadata, 'same', same)
    redis.call('PEXPIRE', key(id), text(tonumber(keep) + OPEN_KEEP_MS))
    enlist(id, owner, text(now), tonumber(keep), tonumber(most))
    redis.call('ZADD', open_runs, text(now + 2 * SECOND_MS), id)
    redis.call('PEXPIRE', open_runs, text(OPEN_KEEP_MS))
    return {1, text(now)}
end

local function finish(id, owner, created, keep, most, language, metadata, before, artifacts, after)
    local had = redis.call('HMGET', key(id), 'before', 'created')
    redis.call('ZREM', open_runs, id)
    redis.call('UNLINK', prefix .. 'job:' .. job_of(id), prefix .. 'result:' .. job_of(id))
    if had[1] then
        return 0
    end
    created = had[2] or created
    redis.call('HSET', key(id), 'owner', owner, 'created', created, 'language', language,
        'metadata', metadata, 'before', before, 'artifacts', artifacts, 'after', after)
    redis.call('PEXPIRE', key(id), keep)
    if not had[2] then -- its beginning was lost
        enlist(id, owner, created, tonumber(keep), tonumber(most))
    end
    return 1
end

local function drop(id)
    local was = redis.call('HMGET', key(id), 'owner', 'before', 'same')
    if not was[1] or was[2] then
        return 0
    end
    if was[3] and was[3] ~= '' then
        redis.call('UNLINK', was[3])
    end
    forget(was[1], id)
    return 1
end

local function look(id, owner, entry, count)
    local was = read(id)
    if was[1] ~= owner then
        return nil
    end
    local found = describe(id, was)
    if entry ~= '' then
        local events = prefix .. 'events:' .. job_of(id)
        return {found, redis.call('XRANGE', events, '(' .. entry, '+', 'COUNT', count)}
    end
    return {found}
end

local function list(owner, after, limit, newest_first, bytes)
    local runs = prefix .. 'runs:' .. owner
    local back = newest_first == '1'
    local from = 0
    if after ~= '' then
        local at = redis.call(back and 'ZREVRANK' or 'ZRANK', runs, after)
        if not at then
            return nil
        end
        from = at + 1
    end
    local found, size = {0}, 0
    local ids = redis.call(back and 'ZREVRANGE' or 'ZRANGE', runs, from, from + limit)
    for _, id in ipairs(ids) do
        local was = read(id)
        if was[1] == owner then
            size = size + #(was[2] or '') + #(was[4] or '') + #(was[5] or '')
            if #found > tonumber(limit) or (size > tonumber(bytes) and #found > 1) then
                found[1] = 1
                break
            end
            local told = describe(id, was)
            if told[1] == 0 then
                told[9] = false -- the result
            end
            table.insert(found, {id, told})
        elseif not was[1] then
            redis.call('ZREM', runs, id)
        end
    end
    return found
end

-- Whether a run without an end is due for one: 1 now; 0 not yet; -1 it is no run any more.
local function is_due(id, was)
    if not was[1] or was[2] then
        return -1
    end
    local job = redis.pcall('HMGET', prefix .. 'job:' .. job_of(id), 'state', 'answer_by')
    if redis.call('EXISTS', prefix .. 'result:' .. job_of(id)) == 1 then
        if was[8] then
            return 1
        end
        redis.call('HSET', key(id), 'seen', '1') -- whoever waits for it comes first
        return 0
    end
    if job[2] then
        return now > tonumber(job[2]) + GRACE_MS and 1 or 0
    end
    return now > tonumber(was[3]) + LOST_MS and 1 or 0
end

local function sweep(count)
    local found = {}
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', open_runs, '-inf', text(now), 'LIMIT', 0,
        count)) do
        local was = read(id)
        local due = is_due(id, was)
        if due < 0 then
            redis.call('ZREM', open_runs, id)
        else
            -- Another process looks at it again when this one has not finished it.
            redis.call('ZADD', open_runs, text(now + (due == 1 and 5 or 1) * SECOND_MS), id)
        end
        if due == 1 then
            table.insert(found, {id, was[1], describe(id, was)})
        end
    end
    return found
end

local modes = {begin = begin, finish = finish, drop = drop, look = look, list = list, sweep = sweep}
return modes[mode](unpack(ARGV, 3))
