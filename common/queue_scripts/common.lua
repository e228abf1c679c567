-- Put before each script. All keys are on one server and are made from the prefix; times are
-- Redis's own: microseconds (_us) or milliseconds (_ms) since the epoch.
local prefix = ARGV[1]
local KEEP_MS = 60000         -- records outlive answer_by by this
local LIST_KEEP_S = 86400     -- an idle list; longer than any job may wait
local DEFAULT_ATTEMPTS = 2    -- runs of a job whose worker was lost, when its client said nothing
local DEAD_COUNT = 100        -- elements kept in the dead-letter list

local function now_us()
    local time = redis.call('TIME')
    return time[1] * 1000000 + time[2]
end

local function integer(number)
    return string.format('%.0f', number)
end

-- When a job's records expire, in ms; answer_by may be false (the job's hash is gone).
local function keep_until(answer_by)
    return integer((tonumber(answer_by) or now_us() / 1000) + KEEP_MS)
end

local function wake(id)
    redis.call('LPUSH', prefix .. 'reply:' .. id, '1')
    redis.call('PEXPIRE', prefix .. 'reply:' .. id, KEEP_MS)
end

-- [version, start_by, answer_by, id, job]: a one-byte array header in front of the first four, and
-- the job as its client packed it. Only the first four are read here: cmsgpack knows no bytes type.
local function make_element(start_by, answer_by, id, job)
    return '\149' .. cmsgpack.pack(1, tonumber(start_by), tonumber(answer_by), id) .. job
end

-- id and start_by (ms) of the job in an element; nil when the element is not one of ours.
local function read_element(element)
    local header = string.byte(element)
    if not header or header < 0x95 or header > 0x9f then
        return nil
    end
    local good, _, _, start_by, _, id = pcall(cmsgpack.unpack_limit, element, 4, 1)
    if not good or type(id) ~= 'string' or not string.find(id, '^[%w._-]+$') then
        return nil
    end
    return id, tonumber(start_by)
end

-- Fields of a job's hash, in a table with as many entries, each false when it is missing; nil when
-- something else stands under the job's key.
local function read_job(id, ...)
    local was = redis.pcall('HMGET', prefix .. 'job:' .. id, ...)
    if was.err then
        return nil
    end
    return was
end

-- Sets an element aside for people to look at: [1, when (ms), worker, why, element].
local function bury(element, worker, why)
    local letter = cmsgpack.pack({1, math.floor(now_us() / 1000), worker, why, element})
    redis.call('LPUSH', prefix .. 'dead', letter)
    redis.call('LTRIM', prefix .. 'dead', 0, DEAD_COUNT - 1)
    redis.call('EXPIRE', prefix .. 'dead', LIST_KEEP_S)
end
local NOT_OURS = 'This is no job of this version, or of any.'
local FOREIGN = 'Something else than a job\'s record stands under the job\'s key.'

-- Stores an answer that no worker sent, and leaves the job in a final state.
local function publish(id, answer_by, result, state)
    redis.call('SET', prefix .. 'result:' .. id, result, 'PXAT', keep_until(answer_by))
    redis.call('HSET', prefix .. 'job:' .. id, 'state', state)
    redis.call('DEL', prefix .. 'blob:' .. id)
    wake(id)
end

local function publish_error(id, answer_by, code, state)
    publish(id, answer_by, cmsgpack.pack({
        v = 1, id = id, error = code, verdict = 'none', detail = '', worker = '',
    }), state)
end

-- A job in the queue whose start_by is over. When it was started before, and lost its worker, its
-- client must not take it for one that was never run.
local function publish_expired(id, answer_by, attempts)
    if (tonumber(attempts) or 0) > 0 then
        publish_error(id, answer_by, 'worker_lost', 'lost')
    else
        publish_error(id, answer_by, 'queue_timeout', 'expired')
    end
end
