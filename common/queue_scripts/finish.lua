-- Stores a job's result and wakes who waits for it, if the worker still owns the job. May be
-- repeated.
-- ARGV: prefix, worker, id, epoch, element, result, why ('': nothing; else the element is kept as a
--       dead letter with this sentence)
-- Returns 1: done (now or before), 0: the job belongs to somebody else, or was answered.
local worker, id, epoch, element = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local job = prefix .. 'job:' .. id
local was = read_job(id, 'state', 'owner', 'epoch', 'answer_by')

if not was then -- another program has written there
    redis.call('LREM', prefix .. 'inflight:' .. worker, 1, element)
    bury(element, worker, FOREIGN)
    return 0
end
if was[1] and (was[2] ~= worker or was[3] ~= epoch) then
    -- Else the element is that of the worker's own next claim, or of the move before it.
    if was[2] ~= worker and was[1] ~= 'queued' then
        redis.call('LREM', prefix .. 'inflight:' .. worker, 1, element)
    end
    return 0
end
if was[1] == 'done' then
    return 1
end
if was[1] and was[1] ~= 'running' then
    redis.call('LREM', prefix .. 'inflight:' .. worker, 1, element)
    return 0
end
-- First a write that Redis does not refuse when it is out of memory: after it, it refuses none, so
-- nothing is half done, and what has been computed is not lost.
-- Without a record (Redis came back without it) the answer is still worth giving.
redis.call('LREM', prefix .. 'inflight:' .. worker, 1, element)
redis.call('SET', prefix .. 'result:' .. id, ARGV[6], 'PXAT', keep_until(was[4]))
wake(id)
if was[1] then
    redis.call('HSET', job, 'state', 'done')
end
redis.call('DEL', prefix .. 'blob:' .. id)
if ARGV[7] ~= '' then
    bury(element, worker, ARGV[7])
end
return 1
