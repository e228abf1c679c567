-- Ends a job for whose answer nobody waits any more, or whose time is over.
-- ARGV: prefix, id (in mode cancel also a name), language, mode, job-map (as submitted)
--   mode start_by: only when it is still queued after start_by: answers queue_timeout, or
--     worker_lost when it was started before
--   mode answer_by: the client gives up: as hangup, but the state is what the client answers from
--   mode hangup: queued: never run; running: tell its worker to kill it
--   mode cancel: as hangup, by somebody else than its client, which gets the verdict cancelled.
--     language and job-map are not looked at: the queue is searched.
-- Returns the state before: 'queued', 'running', 'done', 'cancelled', 'expired', 'missing'.
local id, mode = ARGV[2], ARGV[4]
local named = mode == 'cancel' and redis.call('GET', prefix .. 'name:' .. id)
id = named or id
local job = prefix .. 'job:' .. id
local was = read_job(id, 'state', 'owner', 'start_by', 'answer_by', 'language', 'attempts')
local state = was and was[1]

if not state then
    return named and 'done' or 'missing' -- answered, and its record deleted
end
if mode == 'start_by' and (state ~= 'queued' or now_us() <= (tonumber(was[3]) or 0) * 1000) then
    return state
end

-- cmsgpack knows no bytes type: the two empty streams are written by hand.
local function cancelled_result()
    local empty = '\196\0'
    local pack = cmsgpack.pack
    return '\222\0\17' .. pack('v', 1, 'id', id, 'error', 'none', 'verdict', 'cancelled',
        'detail', 'It was cancelled before it was run.', 'worker', '', 'exit_code', -1,
        'term_signal', 0, 'out_dropped', 0, 'err_dropped', 0, 'queue_us', 0, 'exec_us', 0,
        'cpu_us', 0, 'memory_peak_bytes', 0, 'minor_faults', 0, 'out') .. empty
        .. pack('err') .. empty
end

local function remove_from_queue()
    local queue = prefix .. 'queue:' .. was[5]
    if mode ~= 'cancel' then
        redis.call('LREM', queue, -1, make_element(was[3], was[4], id, ARGV[5]))
        return
    end
    for _, element in ipairs(redis.call('LRANGE', queue, 0, -1)) do
        if read_element(element) == id then
            redis.call('LREM', queue, -1, element)
        end
    end
end

if state == 'queued' then
    remove_from_queue()
    if mode == 'hangup' then
        redis.call('HSET', job, 'state', 'cancelled')
        redis.call('DEL', prefix .. 'blob:' .. id)
    elseif mode == 'cancel' then
        publish(id, was[4], cancelled_result(), 'cancelled')
    else
        publish_expired(id, was[4], was[6])
    end
elseif state == 'running' then
    local channel = prefix .. 'cancel:' .. was[2]
    redis.call('LPUSH', channel, id)
    redis.call('PEXPIRE', channel, KEEP_MS)
end
-- The client's connection may still block on this.
if mode ~= 'cancel' then
    wake(id)
end
return state
