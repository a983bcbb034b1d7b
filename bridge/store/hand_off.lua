-- Passes the turn of a lease on: a new token, a higher epoch, and the attempt is not counted.
-- KEYS: lease, ready
-- ARGV: epoch, token, group, key
-- Returns 1, or 0 if the lease is not held (any more): a repeated call does nothing.
local held = redis.call('HMGET', KEYS[1], 'epoch', 'token')
if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] then
  return 0
end
redis.call('XACK', KEYS[2], ARGV[3], ARGV[2])
redis.call('XDEL', KEYS[2], ARGV[2])
redis.call('HDEL', KEYS[1], 'owner')
redis.call('HINCRBY', KEYS[1], 'attempt', -1)
redis.call('HSET', KEYS[1],
  'epoch', string.format('%.0f', tonumber(ARGV[1]) + 1),
  'token', redis.call('XADD', KEYS[2], '*', 'key', ARGV[4]))
return 1
