-- Asks the running turn of a conversation to stop; what waits in the mailbox stays.
-- KEYS: lease
-- ARGV: channel, key
-- Returns 1, or 0 if no turn is running. The wish goes with the turn it was meant for, so a
-- repeated call changes nothing.
if redis.call('HEXISTS', KEYS[1], 'owner') == 0 and redis.call('HEXISTS', KEYS[1], 'taken') == 0 then
  return 0
end
redis.call('HSET', KEYS[1], 'stop', '1')
redis.call('PUBLISH', ARGV[1], ARGV[2])
return 1
