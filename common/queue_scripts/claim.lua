-- Makes the worker the owner of a job that BLMOVE has put into its in-flight list. Sent in one
-- write with the BLMOVE. The job is at the list's head as a rule; when it is not (BLMOVE timed
-- out, or the job had expired), the rest is looked through, which also finds what was handed to a
-- connection that had died.
-- ARGV: prefix, worker, language
-- Returns {now_us, epoch, attempts, queue_us, id, element, blob (or nil), buried}, or the number
-- buried when there is no job to run. buried: elements moved to the dead-letter list.
local worker, language = ARGV[2], ARGV[3]
local inflight = prefix .. 'inflight:' .. worker
local now = now_us()
local buried = 0

local function claim(element)
    local id = element_id(element)
    if not id then
        redis.call('LREM', inflight, 1, element)
        bury(element)
        buried = buried + 1
        return nil
    end
    local job = prefix .. 'job:' .. id
    local was = redis.call('HMGET', job, 'state', 'language', 'start_by', 'submitted', 'attempts',
        'epoch', 'answer_by')
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
    if now > was[3] * 1000 then
        redis.call('LREM', inflight, 1, element)
        publish_error(id, was[7], 'queue_timeout', 'expired')
        return nil
    end
    local epoch, attempts = was[6] + 1, was[5] + 1
    redis.call('HSET', job, 'state', 'running', 'owner', worker, 'epoch', epoch,
        'attempts', attempts, 'claimed', integer(now))
    local blob = redis.call('GET', prefix .. 'blob:' .. id)
    return {now, epoch, attempts, now - was[4], id, element, blob, buried}
end

local head = redis.call('LINDEX', inflight, 0)
if not head then
    return 0
end
redis.call('EXPIRE', inflight, LIST_KEEP_S)
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
