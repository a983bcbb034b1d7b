-- Moves messages from the mailbox into the turn of the lease.
-- KEYS: lease, mailbox
-- ARGV: epoch, token, then the prefix of each message's member
-- Returns {what the turn has taken, as a JSON array of members; 1 if it shall stop, else 0}, or
-- false for a lost lease. A turn takes once: a repeated call moves nothing more.
local held = redis.call('HMGET', KEYS[1], 'epoch', 'token', 'taken', 'stop')
if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] then
  return false
end
local stop = held[4]
if held[3] then
  return {held[3], stop and 1 or 0}
end
local taken = {}
for i = 3, #ARGV do
  -- By prefix, because another version of the bridge may have written the rest differently.
  local first, last = '[' .. ARGV[i], '(' .. ARGV[i] .. '\255'
  for _, member in ipairs(redis.call('ZRANGEBYLEX', KEYS[2], first, last)) do
    taken[#taken + 1] = member
    redis.call('ZREM', KEYS[2], member)
  end
end
if #taken == 0 then
  return {'[]', 0}
end
if stop and string.sub(taken[1], 1, #stop) >= stop then
  -- Whoever asked for the stop had not asked this yet.
  redis.call('HDEL', KEYS[1], 'stop')
  stop = false
end
local encoded = cjson.encode(taken)
redis.call('HSET', KEYS[1], 'taken', encoded)
return {encoded, stop and 1 or 0}
