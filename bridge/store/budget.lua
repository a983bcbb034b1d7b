-- Takes a slot in all limits at once, or in none: GCRA by the server's clock, for n limits.
-- KEYS: n paces (theoretical arrival times), then n holds; all in microseconds since 1970
-- ARGV: share of each burst to leave (0 to 1), then per limit: interval in microseconds, burst
-- Returns 0, or the microseconds to wait. A repeated call takes another slot: harmless, replies
-- get slower by one.
-- https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
local n = #KEYS / 2
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local wait, arrivals = 0, {}
for i = 1, n do
  local interval, burst = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local arrival = math.max(now, tonumber(redis.call('GET', KEYS[i]) or '0'))
  local held = tonumber(redis.call('GET', KEYS[n + i]) or '0')
  if held > 0 then
    -- As if the burst had been used up when the hold ends: after it, one call an interval.
    arrival = math.max(arrival, held + (burst - 1) * interval)
  end
  local tolerance = interval * math.max(1, burst * (1 - tonumber(ARGV[1])))
  arrivals[i] = arrival + interval
  wait = math.max(wait, arrivals[i] - tolerance - now)
end
if wait > 0 then
  return math.ceil(wait)
end
for i = 1, n do
  local life = math.ceil((arrivals[i] - now) / 1000) + 1000
  redis.call('SET', KEYS[i], string.format('%.0f', arrivals[i]), 'PX', life)
end
return 0
