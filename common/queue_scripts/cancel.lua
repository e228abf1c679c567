-- Ends a job for whose answer nobody waits any more, or whose time is over.
-- ARGV: prefix, id, language, mode, job-map (as submitted)
--   mode start_by: only when it is still queued after start_by: answer queue_timeout
--   mode answer_by: the client gives up: as hangup, but the state is what the client answers from
--   mode hangup: queued: never run; running: tell its worker to kill it
-- Returns the state before: 'queued', 'running', 'done', 'cancelled', 'expired', 'missing'.
local id, language, mode = ARGV[2], ARGV[3], ARGV[4]
local job = prefix .. 'job:' .. id
local was = redis.call('HMGET', job, 'state', 'owner', 'start_by', 'answer_by')
local state = was[1]

if not state then
    return 'missing'
end
if mode == 'start_by' and (state ~= 'queued' or now_us() <= was[3] * 1000) then
    return state
end
if state == 'queued' then
    redis.call('LREM', prefix .. 'queue:' .. language, -1,
        make_element(was[3], was[4], id, ARGV[5]))
    if mode == 'hangup' then
        redis.call('HSET', job, 'state', 'cancelled')
        redis.call('DEL', prefix .. 'blob:' .. id)
    else
        publish_error(id, was[4], 'queue_timeout', 'expired')
    end
elseif state == 'running' then
    local channel = prefix .. 'cancel:' .. was[2]
    redis.call('LPUSH', channel, id)
    redis.call('PEXPIRE', channel, KEEP_MS)
end
-- The client's connection may still block on this.
wake(id)
return state
