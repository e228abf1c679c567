-- Makes the worker the owner of a job that BLMOVE has put into its in-flight list. Sent in one
-- write with the BLMOVE. The job is at the list's head as a rule; when it is not (BLMOVE timed
-- out, or the job had expired), the rest is looked through, which also finds what was handed to a
-- connection that had died.
-- ARGV: prefix, worker, language
-- Returns {now_us, epoch, attempts, queue_us, id, element, blob (or nil), buried}, or the number
-- buried when there is no job to run. buried: elements moved to the dead-letter list.
local worker, language = ARGV[2], ARGV[3]
local inflight = inflight_of(worker)
local now = now_us()
local buried = 0

local function claim(element)
    local id = read_element(element)
    local was = id and read_job(id, 'state', 'language', 'start_by', 'submitted', 'attempts',
        'epoch', 'answer_by')
    if not was then
        bury_inflight(worker, element, id and FOREIGN or NOT_OURS)
        buried = buried + 1
        return nil
    end
    if was[1] ~= 'queued' then
        if was[1] ~= 'running' then
            -- Answered, cancelled, or so old that its record has expired.
            redis.call('LREM', inflight, 1, element)
        end
        return nil
    end
    if was[2] ~= language then
        return nil
    end
    if now > (tonumber(was[3]) or 0) * 1000 then
        expire(worker, id, was[7], was[5], element)
        return nil
    end
    local epoch, attempts = (tonumber(was[6]) or 0) + 1, (tonumber(was[5]) or 0) + 1
    redis.call('HSET', prefix .. 'job:' .. id, 'state', 'running', 'owner', worker,
        'epoch', epoch, 'attempts', attempts, 'claimed', integer(now))
    local blob = redis.call('GET', prefix .. 'blob:' .. id)
    return {now, epoch, attempts, now - (tonumber(was[4]) or now), id, element, blob, buried}
end

local head = redis.call('LINDEX', inflight, 0)
if not head then
    return 0
end
redis.call('EXPIRE', inflight, LIST_KEEP_S)
-- A worker that was taken for dead a moment ago may have had this BLMOVE under way: who holds a job
-- is in the registry, so that the job can be found.
if redis.call('ZADD', prefix .. 'workers', 'NX', integer(now / 1000), worker) == 1 then
    redis.call('EXPIRE', prefix .. 'workers', LIST_KEEP_S)
end
local claimed = claim(head)
if claimed then
    return claimed
end
for _, element in ipairs(redis.call('LRANGE', inflight, 0, -1)) do
    claimed = claim(element)
    if claimed then
        return claimed
    end
end
return buried
