-- Asks one turn of a conversation to stop: the one in work, else the one that is about to begin.
-- KEYS: seen (by the message that asks), lease, mailbox
-- ARGV: order of that message, milliseconds to remember it, channel, key
-- Returns 1, or 0 (then nothing was stored) if no turn is older than the message. A repeated call,
-- or the same message offered again, changes nothing and is answered 1.
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 1
end
local held = redis.call('HMGET', KEYS[2], 'taken', 'epoch', 'closed')
-- A turn that has its final text has nothing left to stop.
if held[3] then
  return 0
end
-- What was taken is a JSON array of members, and a member begins with the order of its message.
local first = held[1] and string.sub(held[1], 3) or redis.call('ZRANGE', KEYS[3], 0, 0)[1]
if not first or string.sub(first, 1, #ARGV[1]) >= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], '', 'PX', ARGV[2])
redis.call('HSET', KEYS[2], 'stop', ARGV[1])
if held[1] then
  redis.call('PUBLISH', ARGV[3], held[2] .. ' ' .. ARGV[4])
end
return 1
