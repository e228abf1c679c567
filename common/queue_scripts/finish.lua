-- Stores a job's result and wakes who waits for it, if the worker still owns the job. May be
-- repeated.
-- ARGV: prefix, worker, id, epoch, element, result, dead (1: keep the element as a dead letter)
-- Returns 1: done (now or before), 0: the job belongs to somebody else, or was answered.
local worker, id, epoch, element = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local job = prefix .. 'job:' .. id
local was = redis.call('HMGET', job, 'state', 'owner', 'epoch', 'answer_by')

if was[1] and (was[2] ~= worker or was[3] ~= epoch) then
    redis.call('LREM', prefix .. 'inflight:' .. worker, 1, element)
    return 0
end
if was[1] == 'done' then
    return 1
end
if was[1] and was[1] ~= 'running' then
    redis.call('LREM', prefix .. 'inflight:' .. worker, 1, element)
    return 0
end
-- First the one that Redis refuses when it is out of memory: then nothing is half done.
-- Without a record (Redis came back without it) the answer is still worth giving.
redis.call('SET', prefix .. 'result:' .. id, ARGV[6], 'PXAT', keep_until(was[4]))
redis.call('LREM', prefix .. 'inflight:' .. worker, 1, element)
wake(id)
if was[1] then
    redis.call('HSET', job, 'state', 'done')
end
redis.call('DEL', prefix .. 'blob:' .. id)
if ARGV[7] == '1' then
    bury(element)
end
return 1
