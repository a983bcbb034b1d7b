-- Keeps a lease for another term.
-- KEYS: lease, ready
-- ARGV: epoch, token, group, consumer
-- Returns "held", "stop" if the turn shall stop, or "lost". Repeating it changes nothing.
local held = redis.call('HMGET', KEYS[1], 'epoch', 'token', 'stop')
if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] then
  return 'lost'
end
redis.call('XCLAIM', KEYS[2], ARGV[3], ARGV[4], 0, ARGV[2], 'JUSTID')
return held[3] and 'stop' or 'held'
