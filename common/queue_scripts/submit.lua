-- Puts a job into its language's queue, unless that is full.
-- ARGV: prefix, id, language, max_depth (0: any), wait_ms, answer_ms (start_by to answer_by),
--       at_head (0, 1), again (1: may have been submitted before), job-map, blob ('': none),
--       max_attempts, name ('': none): the client's own, which no other job may have
-- Returns {1, now_us, start_by_ms, answer_by_ms}, {0, depth} when the queue is full, or {-1} when
-- another job has this id or name.
local id, language, max_depth = ARGV[2], ARGV[3], tonumber(ARGV[4])
local job, queue = prefix .. 'job:' .. id, prefix .. 'queue:' .. language
local now = now_us()

local known = read_job(id, 'start_by', 'answer_by')
if known and known[1] and ARGV[8] == '1' then
    return {1, now, tonumber(known[1]), tonumber(known[2])}
end
if not known or known[1] then
    return {-1}
end

if max_depth > 0 then
    local depth = redis.call('LLEN', queue)
    if depth >= max_depth then
        wake(id)
        return {0, depth}
    end
end

local start_by = math.floor(now / 1000) + tonumber(ARGV[5])
local answer_by = start_by + tonumber(ARGV[6])
local expiry = keep_until(answer_by)
if ARGV[12] and ARGV[12] ~= ''
    and not redis.call('SET', prefix .. 'name:' .. ARGV[12], id, 'NX', 'PXAT', expiry) then
    return {-1}
end
redis.call('HSET', job, 'state', 'queued', 'language', language, 'attempts', 0, 'epoch', 0,
    'owner', '', 'submitted', integer(now), 'start_by', integer(start_by),
    'answer_by', integer(answer_by), 'max_attempts', ARGV[11] or DEFAULT_ATTEMPTS)
redis.call('PEXPIREAT', job, expiry)
if ARGV[10] ~= '' then
    redis.call('SET', prefix .. 'blob:' .. id, ARGV[10], 'PXAT', expiry)
end
redis.call(ARGV[7] == '1' and 'RPUSH' or 'LPUSH', queue,
    make_element(start_by, answer_by, id, ARGV[9]))
redis.call('EXPIRE', queue, LIST_KEEP_S)
return {1, now, start_by, answer_by}
