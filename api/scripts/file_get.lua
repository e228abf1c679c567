-- ARGV: prefix, kind, id
-- Returns the record, or nothing.
return read_record(ARGV[2], ARGV[3]) or {}
