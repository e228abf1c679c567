-- ARGV: prefix, owner, kind, id
-- Returns the record that was; nothing when there is none, or it is another's.
local owner, kind, id = ARGV[2], ARGV[3], ARGV[4]
local record = read_record(kind, id)

if not record or record[2] ~= owner then
    return {}
end
redis.call('DEL', prefix .. kind .. ':' .. id)
redis.call('ZREM', prefix .. 'refs:' .. record[6], kind .. ':' .. id)
uncount(owner, kind .. ':' .. id)
return record
