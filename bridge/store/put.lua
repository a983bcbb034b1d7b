-- Takes a message into a mailbox, once, and signals a token if the conversation had none.
-- KEYS: seen, mailbox, lease, ready
-- ARGV: nonce of the call, member, key, milliseconds to remember, most messages that may wait
-- Returns "new", "duplicate" or "full" (then nothing was stored). A repeated call, with the same
-- nonce, is answered like the first.
local nonce = redis.call('GET', KEYS[1])
if nonce then
  return nonce == ARGV[1] and 'new' or 'duplicate'
end
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[5]) then
  return 'full'
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[4])
redis.call('ZADD', KEYS[2], 0, ARGV[2])
if redis.call('HEXISTS', KEYS[3], 'token') == 0 then
  redis.call('HSET', KEYS[3], 'token', redis.call('XADD', KEYS[4], '*', 'key', ARGV[3]))
  redis.call('PERSIST', KEYS[3])
end
return 'new'
