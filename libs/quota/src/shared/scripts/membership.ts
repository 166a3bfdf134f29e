import { PRELUDE } from './prelude.js';

/** ARGV: the part that the replica keeps to, slots in all, how long a slot is lent at most, then id, caller and time of each. */
export const JOIN = `${PRELUDE}
local claimed, maxSlots, maxLeaseMs = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
if own and own.incarnation > tonumber(incarnation) then return { 0, 0, 0 } end
if redis.call('EXISTS', state) == 0 then
  redis.call('HSET', state, 'warmupUntil', string.format('%.3f', now + RECOVERY_WINDOW_MS))
end
for id, entry in each(slots) do
  if string.match(entry, '^%S+ %d (%S+) ') == replica then redis.call('HDEL', slots, id) end
end
for index = 6, #ARGV, 3 do
  local holdMs = tonumber(ARGV[index + 2])
  writeLease(ARGV[index], now + (holdMs < 0 and maxLeaseMs or holdMs), ARGV[index + 1], holdMs < 0 and 1 or 0)
end
own = { incarnation = incarnation, acknowledgedEpoch = 0, joinEpoch = redis.call('HINCRBY', state, 'epoch', 1), joinedAt = now }
return { updateMembership(claimed, maxSlots) }
`;

/** ARGV: the part that the replica keeps to, the era that it has heard, slots in all. */
export const HEARTBEAT = `${PRELUDE}
if not isMember() then return { 'not-a-member' } end
own.acknowledgedEpoch = tonumber(ARGV[4])
-- Who has just come does not say who is gone: the others may have been away as long.
if now - own.joinedAt >= RECOVERY_WINDOW_MS and warmupMs() == 0 then
  for id, entry in each(members) do
    if id ~= replica and now - parseMember(entry).lastSeenAt > MEMBER_TIMEOUT_MS then redis.call('HDEL', members, id) end
  end
end
return { 'ok', updateMembership(tonumber(ARGV[3]), tonumber(ARGV[5])) }
`;

export const LEAVE = `${PRELUDE}
redis.call('HDEL', members, replica)
return {}
`;
