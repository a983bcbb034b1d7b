-- Ends the turn of a lease: gives the conversation free, or a new token at the tail if more waits.
-- KEYS: lease, mailbox, ready
-- ARGV: epoch, token, group, key, seconds to remember the epoch
-- Returns 1, or 0 if the lease is not held (any more): a repeated call does nothing.
local held = redis.call('HMGET', KEYS[1], 'epoch', 'token')
if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] then
  return 0
end
redis.call('XACK', KEYS[3], ARGV[3], ARGV[2])
redis.call('XDEL', KEYS[3], ARGV[2])
redis.call('HDEL', KEYS[1], 'token', 'owner', 'attempt', 'taken', 'record', 'stop', 'closed')
if redis.call('ZCARD', KEYS[2]) > 0 then
  redis.call('HSET', KEYS[1], 'token', redis.call('XADD', KEYS[3], '*', 'key', ARGV[4]))
else
  redis.call('EXPIRE', KEYS[1], ARGV[5])
end
return 1
