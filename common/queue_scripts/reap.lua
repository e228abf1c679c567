-- Workers: that they live, what they hold, and what becomes of it when they do not.
-- ARGV: prefix, mode, and
--   beat: worker, about (a flat JSON object: the fields of the worker's hash), expiry_ms, check (1:
--     compare the in-flight list), known (what the worker holds: id:epoch, each with a comma
--     behind it), grace_ms
--       returns {elements in the list, counts, id and epoch of each known job that is no longer the
--       worker's}, or false when another instance has this worker's name; sweeps too
--   sweep: expiry_ms, languages (each with a comma behind it)
--       returns {counts, dead letters, live workers, {language, depth, workers, slots, busy}...}
--   release: worker, id, epoch, element: gives back a job that was not started; not counted
--   return: worker, id, epoch, element: gives back a job that was started; counted
--       both return 1, or 0 when the worker does not own the job
--   leave: worker: it ends, and has nothing any more or never will answer it; returns counts
--   evict: worker: the same, of another worker; returns counts or false when nobody knows it
--   requeue: id: takes a running job from its worker; returns the state before, or 'missing'
-- counts: {retried, lost, returned, expired, removed}
local mode = ARGV[2]
local now = now_us()
local counts = {0, 0, 0, 0, 0}
local workers = prefix .. 'workers'

-- Nobody has swept for so long: Redis was away, or everybody was away from it.
local SWEEP_GAP_MS = 3000
local EXPIRED_AT_ONCE = 100   -- jobs of one queue
local DEAD_LOOKED_AT = 1000
local STRAGGLER_MS = 3000     -- longer than a BLMOVE blocks

-- Whether a missing beat says that a worker is dead. After a gap every worker has the time of an
-- expiry to be heard again: else the first to come back would take over the jobs of the others.
local function beats_can_be_trusted(expiry_ms)
    local sweeps = prefix .. 'sweeps'
    local was = redis.call('HMGET', sweeps, 'last', 'quiet_until')
    local now_ms = math.floor(now / 1000)
    local quiet_until = tonumber(was[2]) or 0
    if not was[1] or now_ms - was[1] > SWEEP_GAP_MS then
        quiet_until = now_ms + expiry_ms
    end
    -- First a write that Redis does not refuse when it is out of memory: then it refuses none.
    redis.call('EXPIRE', sweeps, LIST_KEEP_S)
    redis.call('HSET', sweeps, 'last', integer(now_ms), 'quiet_until', integer(quiet_until))
    redis.call('EXPIRE', sweeps, LIST_KEEP_S)
    return now_ms >= quiet_until
end

-- Takes over one dead worker's jobs at a time: a script must be short. It stays in the registry
-- until a BLMOVE that it had under way has ended for sure, so that what that moved is found, too.
local function sweep(expiry_ms)
    if not beats_can_be_trusted(expiry_ms) then
        return
    end
    local dead = redis.call('ZRANGEBYSCORE', workers, '-inf',
        '(' .. integer(now / 1000 - expiry_ms), 'WITHSCORES', 'LIMIT', 0, DEAD_LOOKED_AT)
    for i = 1, #dead, 2 do
        if redis.call('EXISTS', inflight_of(dead[i])) == 1 then
            take_jobs(dead[i], counts)
            return
        elseif now / 1000 - dead[i + 1] > expiry_ms + STRAGGLER_MS then
            strike_off(dead[i])
        end
    end
end

-- Answers what has waited for too long at the queue's old end: its client may be gone, and while no
-- worker takes jobs it would fill the queue.
local function expire_queue(language)
    local queue = prefix .. 'queue:' .. language
    for _ = 1, EXPIRED_AT_ONCE do
        local element = redis.pcall('LINDEX', queue, -1)
        if not element or element.err then
            return
        end
        local id, start_by = read_element(element)
        if not id or not start_by or now <= start_by * 1000 then
            return
        end
        redis.call('RPOP', queue)
        local job = read_job(id, 'state', 'answer_by', 'attempts')
        if job and job[1] == 'queued' then
            publish_expired(id, job[2], job[3])
            counts[EXPIRED] = counts[EXPIRED] + 1
        end
    end
end

local function owns(job, worker, epoch)
    return job and job.state == 'running' and job.owner == worker and job.epoch == epoch
end

-- Of what the worker holds, the jobs whose record says that another has them now.
local function no_longer_owned(worker, known)
    local lost = {}
    for id, epoch in string.gmatch(known, '([%w._-]+):(%d+),') do
        local job = read_owned(id)
        if job and job.state and not owns(job, worker, epoch) then
            lost[#lost + 1] = id
            lost[#lost + 1] = tonumber(epoch)
        end
    end
    return lost
end

local function beat()
    local worker, about, expiry_ms, check, known, grace_ms = unpack(ARGV, 3, 8)
    local key = prefix .. 'worker:' .. worker
    local fields = cjson.decode(about)
    local other = redis.pcall('HGET', key, 'instance')
    if type(other) == 'string' and other ~= fields.instance then
        return false
    end
    redis.call('DEL', key)
    redis.call('HSET', key, 'beat', integer(now))
    for field, value in pairs(fields) do
        redis.call('HSET', key, field, value)
    end
    redis.call('PEXPIRE', key, expiry_ms)
    redis.call('ZADD', workers, integer(now / 1000), worker)
    redis.call('EXPIRE', workers, LIST_KEEP_S)
    if check == '1' then
        recover_all(worker, function(id, job)
            -- Known, or the reply to the claim may still be on its way.
            return string.find(known, id, 1, true) or now - job.claimed < grace_ms * 1000
        end, counts)
        redis.call('EXPIRE', inflight_of(worker), LIST_KEEP_S)
    end
    sweep(tonumber(expiry_ms))
    local held = redis.pcall('LLEN', inflight_of(worker))
    return {type(held) == 'number' and held or 0, counts, no_longer_owned(worker, known)}
end

-- The fields of a worker's hash by name.
local function about_worker(worker)
    local flat, fields = redis.pcall('HGETALL', prefix .. 'worker:' .. worker), {}
    for i = 1, #flat, 2 do
        fields[flat[i]] = flat[i + 1]
    end
    if fields.info and not fields.state then -- of version 0.1.0, which knew Python only
        local good, info = pcall(cjson.decode, fields.info)
        if good and type(info) == 'table' then
            fields['busy:python'] = info.held
            fields['slots:python'] = (info.held or 0) + (info.capacity or 0)
        end
    end
    return fields
end

-- Adds up what the live workers say of themselves. Those that drain only have what they still run.
local function survey(expiry_ms, languages)
    local rows, order, live = {}, {}, 0
    local function row(language)
        if not rows[language] then
            rows[language] = {language, 0, 0, 0, 0}
            order[#order + 1] = rows[language]
        end
        return rows[language]
    end
    for language in string.gmatch(languages, '([^,]+),') do
        row(language)
    end
    for _, worker in ipairs(redis.call('ZRANGEBYSCORE', workers,
            integer(now / 1000 - expiry_ms), '+inf')) do
        live = live + 1
        local about = about_worker(worker)
        for field, value in pairs(about) do
            local what, language = string.match(field, '^(%a+):(.+)$')
            if what == 'slots' and about.state ~= 'draining' then
                local of = row(language)
                of[3], of[4] = of[3] + 1, of[4] + (tonumber(value) or 0)
            elseif what == 'busy' then
                row(language)[5] = row(language)[5] + (tonumber(value) or 0)
            end
        end
    end
    for language, of in pairs(rows) do
        expire_queue(language)
        local depth = redis.pcall('LLEN', prefix .. 'queue:' .. language)
        of[2] = type(depth) == 'number' and depth or 0
    end
    return live, order
end

local function sweep_and_survey()
    local expiry_ms = tonumber(ARGV[3])
    sweep(expiry_ms)
    local live, rows = survey(expiry_ms, ARGV[4])
    local letters = redis.pcall('LLEN', prefix .. 'dead')
    return {counts, type(letters) == 'number' and letters or 0, live, unpack(rows)}
end

local function give_back(counted)
    local worker, id, epoch, element = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
    local job = read_owned(id)
    if not owns(job, worker, epoch) then
        return 0
    end
    if counted then
        retake(worker, id, job, element)
    else
        redis.call('HINCRBY', prefix .. 'job:' .. id, 'attempts', -1)
        put_back(worker, id, job.language, element)
    end
    return 1
end

local function evict()
    if not redis.call('ZSCORE', workers, ARGV[3])
            and redis.call('EXISTS', inflight_of(ARGV[3])) == 0 then
        return false
    end
    take_over(ARGV[3], counts)
    return counts
end

local function requeue()
    local id = ARGV[3]
    local job = read_owned(id)
    if not job or not job.state then
        return 'missing'
    end
    if job.state ~= 'running' then
        return job.state
    end
    for _, element in ipairs(redis.call('LRANGE', inflight_of(job.owner), 0, -1)) do
        if read_element(element) == id then
            retake(job.owner, id, job, element)
            -- Its worker finds out with its next beat, and ends what it runs.
            break
        end
    end
    return 'running'
end

if mode == 'beat' then
    return beat()
elseif mode == 'sweep' then
    return sweep_and_survey()
elseif mode == 'release' then
    return give_back(false)
elseif mode == 'return' then
    return give_back(true)
elseif mode == 'leave' then
    take_over(ARGV[3], counts)
    return counts
elseif mode == 'evict' then
    return evict()
elseif mode == 'requeue' then
    return requeue()
end
return redis.error_reply('ERR reap: mode ' .. tostring(mode))
