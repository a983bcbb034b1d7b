-- Makes whoever read a token the one holder of its conversation, with a higher epoch.
-- KEYS: lease, mailbox, ready, dead
-- ARGV: token, owner (a nonce of the call), group, consumer, key, most attempts
-- Returns {epoch, attempt, taken, record, waiting, 1 if the turn shall stop, else 0}, or false for
-- a token that is stale (it is removed) or pending with somebody else by now. A repeated call, with
-- the same owner, gets the same epoch and attempt.
local token, owner, group = ARGV[1], ARGV[2], ARGV[3]
if redis.call('HGET', KEYS[1], 'token') ~= token then
  redis.call('XACK', KEYS[3], group, token)
  redis.call('XDEL', KEYS[3], token)
  return false
end
if #redis.call('XPENDING', KEYS[3], group, token, token, 1, ARGV[4]) == 0 then
  return false
end

local taken = redis.call('HGET', KEYS[1], 'taken') or ''
local record = redis.call('HGET', KEYS[1], 'record') or ''
local waiting = redis.call('ZRANGE', KEYS[2], 0, -1)
if redis.call('HGET', KEYS[1], 'owner') ~= owner then
  -- Server time keeps epochs growing even if a failover lost the last of them.
  local time = redis.call('TIME')
  local epoch = time[1] * 1000 + math.floor(time[2] / 1000)
  local last = tonumber(redis.call('HGET', KEYS[1], 'epoch') or '0')
  if epoch <= last then epoch = last + 1 end
  redis.call('HSET', KEYS[1], 'epoch', string.format('%.0f', epoch), 'owner', owner)
  if redis.call('HINCRBY', KEYS[1], 'attempt', 1) == tonumber(ARGV[6]) + 1 then
    local messages = taken ~= '' and taken or cjson.encode({waiting[1]})
    redis.call('XADD', KEYS[4], 'MAXLEN', '~', '1000', '*',
      'key', ARGV[5], 'messages', messages, 'record', record)
    redis.call('EXPIRE', KEYS[4], 2592000)
  end
end
local state = redis.call('HMGET', KEYS[1], 'epoch', 'attempt')
return {state[1], state[2], taken, record, waiting, redis.call('HEXISTS', KEYS[1], 'stop')}
