import { PRELUDE } from './prelude.js';

/** ARGV: the part that the replica keeps to, slots in all, how long a slot is lent at most, then id, caller and time of each. */
export const JOIN = `${PRELUDE}
local keeps, full, longest = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
if own and own.coming > tonumber(coming) then return { 0, 0, 0 } end
if redis.call('EXISTS', state) == 0 then
  redis.call('HSET', state, 'newUntil', string.format('%.3f', now + CAUTION))
end
for id, taken in each(slots) do
  if string.match(taken, '^%S+ %d (%S+) ') == replica then redis.call('HDEL', slots, id) end
end
for index = 6, #ARGV, 3 do
  local held = tonumber(ARGV[index + 2])
  lease(ARGV[index], now + (held < 0 and longest or held), ARGV[index + 1], held < 0 and 1 or 0)
end
own = { coming = coming, heard = 0, since = redis.call('HINCRBY', state, 'era', 1), joinedAt = now }
return { standing(keeps, full) }
`;

/** ARGV: the part that the replica keeps to, the era that it has heard, slots in all. */
export const BEAT = `${PRELUDE}
if not known() then return { 'stranger' } end
own.heard = tonumber(ARGV[4])
-- Who has just come does not say who is gone: the others may have been away as long.
if now - own.joinedAt >= CAUTION and newFor() == 0 then
  for id, entry in each(replicas) do
    if id ~= replica and now - member(entry).seenAt > GONE_AFTER then redis.call('HDEL', replicas, id) end
  end
end
return { 'known', standing(tonumber(ARGV[3]), tonumber(ARGV[5])) }
`;

export const LEAVE = `${PRELUDE}
redis.call('HDEL', replicas, replica)
return {}
`;
