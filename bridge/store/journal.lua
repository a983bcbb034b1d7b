-- Writes down what a turn has done so far.
-- KEYS: lease
-- ARGV: epoch, token, record
-- Returns 1, or 0 for a lost lease. Repeating it changes nothing.
local held = redis.call('HMGET', KEYS[1], 'epoch', 'token')
if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], 'record', ARGV[3])
return 1
