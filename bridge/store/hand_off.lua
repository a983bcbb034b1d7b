-- Passes a token on, claimed or not: a new token, a higher epoch, and the attempt is not counted.
-- KEYS: lease, ready
-- ARGV: token, owner (that claimed it, or would have), group, consumer, key
-- Returns 1, or 0 if the token is not ours (any more): a repeated call does nothing.
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1]
    or #redis.call('XPENDING', KEYS[2], ARGV[3], ARGV[1], ARGV[1], 1, ARGV[4]) == 0 then
  return 0
end
redis.call('XACK', KEYS[2], ARGV[3], ARGV[1])
redis.call('XDEL', KEYS[2], ARGV[1])
if redis.call('HGET', KEYS[1], 'owner') == ARGV[2] then
  redis.call('HDEL', KEYS[1], 'owner')
  redis.call('HINCRBY', KEYS[1], 'attempt', -1)
  redis.call('HINCRBY', KEYS[1], 'epoch', 1)
end
redis.call('HSET', KEYS[1], 'token', redis.call('XADD', KEYS[2], '*', 'key', ARGV[5]))
return 1
