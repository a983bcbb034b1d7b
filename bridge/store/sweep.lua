-- Forgets the consumers of processes that are gone and left nothing pending.
-- KEYS: ready
-- ARGV: group, milliseconds of silence that mean gone
-- Returns 0. Repeating it changes nothing; a consumer that lives after all is made anew.
for _, fields in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local consumer = {}
  for i = 1, #fields, 2 do
    consumer[fields[i]] = fields[i + 1]
  end
  if consumer.pending == 0 and consumer.idle > tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer.name)
  end
end
return 0
