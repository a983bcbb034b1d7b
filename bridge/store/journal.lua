-- Writes down what a turn has done so far.
-- KEYS: lease
-- ARGV: epoch, token, record, "close" if from now on the turn can no longer be stopped
-- Returns 1, 2 if the turn shall stop, or 0 for a lost lease. Repeating it changes nothing.
local held = redis.call('HMGET', KEYS[1], 'epoch', 'token')
if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], 'record', ARGV[3])
if ARGV[4] == 'close' then
  redis.call('HSET', KEYS[1], 'closed', '1')
end
return 1 + redis.call('HEXISTS', KEYS[1], 'stop')
