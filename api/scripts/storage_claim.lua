-- Which STORAGE_DIR the service has: the first one that a process comes with.
-- ARGV: prefix, id of the directory, for how long it is remembered after the last process (s)
-- Returns the id that counts.
local key = prefix .. 'storage'
local id = redis.call('GET', key)

if not id then
    id = ARGV[2]
end
redis.call('SET', key, id, 'EX', ARGV[3])
return id
