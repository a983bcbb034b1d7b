-- Grants nothing in a scope for some time; extends a hold, never shortens it.
-- KEYS: hold
-- ARGV: microseconds to hold, milliseconds to remember it after its end
-- Returns 0. A repeated call extends the hold by the time between the two.
local time = redis.call('TIME')
local till = time[1] * 1000000 + time[2] + tonumber(ARGV[1])
if till > tonumber(redis.call('GET', KEYS[1]) or '0') then
  local life = math.ceil(tonumber(ARGV[1]) / 1000) + tonumber(ARGV[2])
  redis.call('SET', KEYS[1], string.format('%.0f', till), 'PX', life)
end
return 0
