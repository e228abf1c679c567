-- Put before claim and reap: what becomes of the elements of a worker's in-flight list.
local function inflight_of(worker)
    return prefix .. 'inflight:' .. worker
end

-- Back to the queue, uncounted or counted before. The next job that is taken is the one at the
-- queue's right end.
local function put_back(worker, id, language, element)
    redis.call('LREM', inflight_of(worker), 1, element)
    redis.call('HSET', prefix .. 'job:' .. id, 'state', 'queued', 'owner', '')
    redis.call('RPUSH', prefix .. 'queue:' .. language, element)
    redis.call('EXPIRE', prefix .. 'queue:' .. language, LIST_KEEP_S)
end

local function expire(worker, id, answer_by, attempts, element)
    redis.call('LREM', inflight_of(worker), 1, element)
    publish_expired(id, answer_by, attempts)
end

local function bury_inflight(worker, element, why)
    redis.call('LREM', inflight_of(worker), 1, element)
    bury(element, worker, why)
end

-- What retake() and recover() have done: names of the counts that reap returns.
local RETRIED, LOST, RETURNED, EXPIRED, REMOVED = 1, 2, 3, 4, 5

local OWNED = {'state', 'owner', 'start_by', 'attempts', 'claimed', 'language', 'answer_by',
    'max_attempts', 'epoch'}
local function read_owned(id)
    local was = read_job(id, unpack(OWNED))
    if not was then
        return nil
    end
    local job = {}
    for i, name in ipairs(OWNED) do
        job[name] = was[i]
    end
    job.start_by, job.claimed = tonumber(job.start_by) or 0, tonumber(job.claimed) or 0
    return job
end

-- A running job is taken from its worker: run again while attempts and time are left, else lost.
local function retake(worker, id, job, element)
    local most = tonumber(job.max_attempts) or DEFAULT_ATTEMPTS
    if (tonumber(job.attempts) or most) >= most or now_us() > job.start_by * 1000 then
        redis.call('LREM', inflight_of(worker), 1, element)
        publish_error(id, job.answer_by, 'worker_lost', 'lost')
        return LOST
    end
    put_back(worker, id, job.language, element)
    return RETRIED
end

-- An element that its worker does not know, or whose worker is dead. leave_alone(job): a running
-- job of this worker that shall stay.
local function recover(worker, element, leave_alone)
    local id = read_element(element)
    local job = id and read_owned(id)
    if not job then
        bury_inflight(worker, element, id and FOREIGN or NOT_OURS)
        return REMOVED
    end
    if job.state == 'running' and job.owner == worker then
        return not leave_alone(id, job) and retake(worker, id, job, element) or nil
    end
    if job.state == 'queued' and now_us() > job.start_by * 1000 then
        expire(worker, id, job.answer_by, job.attempts, element)
        return EXPIRED
    end
    if job.state == 'queued' then -- moved, never claimed
        put_back(worker, id, job.language, element)
        return RETURNED
    end
    -- Answered, cancelled, expired, or in other hands.
    redis.call('LREM', inflight_of(worker), 1, element)
    return REMOVED
end

-- Goes through the whole list and adds what it has done to counts.
local function recover_all(worker, leave_alone, counts)
    local elements = redis.pcall('LRANGE', inflight_of(worker), 0, -1)
    if elements.err then -- not a list
        return
    end
    -- Newest first: of those that go back, the oldest is then the next to be taken.
    for _, element in ipairs(elements) do
        local outcome = recover(worker, element, leave_alone)
        if outcome then
            counts[outcome] = counts[outcome] + 1
        end
    end
end

-- All that a worker has. Whatever it still does is fenced.
local function take_jobs(worker, counts)
    recover_all(worker, function() return false end, counts)
    redis.call('DEL', inflight_of(worker), prefix .. 'cancel:' .. worker,
        prefix .. 'worker:' .. worker)
end

local function strike_off(worker)
    redis.call('ZREM', prefix .. 'workers', worker)
end

-- Both, at once: of a worker that leaves, or that an operator wants away.
local function take_over(worker, counts)
    take_jobs(worker, counts)
    strike_off(worker)
end
