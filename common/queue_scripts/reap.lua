-- A worker's heartbeat, and what it puts right in its own in-flight list.
-- ARGV: prefix, mode, worker, and
--   mode beat: info (JSON about the worker, shown to people), expiry_ms, check (1: look through the
--     list), known (ids of the jobs that the worker has, joined), grace_ms
--   mode release: id, epoch, element: the worker gives back a job that it has not started
-- Returns beat: {elements in the list, put back, answered, removed}; release: 1 done, 0 not owner.
local mode, worker = ARGV[2], ARGV[3]
local inflight = prefix .. 'inflight:' .. worker
local now = now_us()

-- The next job that is taken is the one at the queue's right end.
local function put_back(id, language, element)
    redis.call('LREM', inflight, 1, element)
    redis.call('HSET', prefix .. 'job:' .. id, 'state', 'queued', 'owner', '')
    redis.call('RPUSH', prefix .. 'queue:' .. language, element)
    redis.call('EXPIRE', prefix .. 'queue:' .. language, LIST_KEEP_S)
end

if mode == 'release' then
    local id, epoch, element = ARGV[4], ARGV[5], ARGV[6]
    local was = redis.call('HMGET', prefix .. 'job:' .. id, 'state', 'owner', 'epoch', 'language')
    if was[1] ~= 'running' or was[2] ~= worker or was[3] ~= epoch then
        return 0
    end
    redis.call('HINCRBY', prefix .. 'job:' .. id, 'attempts', -1)
    put_back(id, was[4], element)
    return 1
end

local info, expiry_ms, check, known, grace_ms = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
redis.call('HSET', prefix .. 'worker:' .. worker, 'beat', integer(now), 'info', info)
redis.call('PEXPIRE', prefix .. 'worker:' .. worker, expiry_ms)
redis.call('ZADD', prefix .. 'workers', integer(now / 1000), worker)
redis.call('EXPIRE', prefix .. 'workers', LIST_KEEP_S)

local counts = {redis.call('LLEN', inflight), 0, 0, 0}
if check == '1' then
    redis.call('ZREMRANGEBYSCORE', prefix .. 'workers', '-inf',
        integer(now / 1000 - LIST_KEEP_S * 1000))
end
if check ~= '1' or counts[1] == 0 then
    return counts
end

-- Which of put back (2), answered (3), removed (4) became of the element; nil: left alone.
local function reconcile(element)
    local id = element_id(element)
    if not id then
        redis.call('LREM', inflight, 1, element)
        bury(element)
        return 4
    end
    if string.find(known, id, 1, true) then
        return nil
    end
    local was = redis.call('HMGET', prefix .. 'job:' .. id, 'state', 'owner', 'start_by',
        'attempts', 'claimed', 'language', 'answer_by')
    if was[1] == 'running' and was[2] == worker then
        if now - was[5] < grace_ms * 1000 then
            return nil -- the reply to the claim may still be on its way
        end
        if tonumber(was[4]) >= MAX_ATTEMPTS or now > was[3] * 1000 then
            redis.call('LREM', inflight, 1, element)
            publish_error(id, was[7], 'worker_lost', 'lost')
            return 3
        end
        put_back(id, was[6], element)
        return 2
    end
    if was[1] == 'queued' and now > was[3] * 1000 then
        redis.call('LREM', inflight, 1, element)
        publish_error(id, was[7], 'queue_timeout', 'expired')
        return 3
    end
    if was[1] == 'queued' then
        put_back(id, was[6], element)
        return 2
    end
    -- Answered, cancelled, expired, or in other hands.
    redis.call('LREM', inflight, 1, element)
    return 4
end

for _, element in ipairs(redis.call('LRANGE', inflight, 0, -1)) do
    local outcome = reconcile(element)
    if outcome then
        counts[outcome] = counts[outcome] + 1
    end
end
redis.call('EXPIRE', inflight, LIST_KEEP_S)
return counts
