import { PRELUDE } from './prelude.js';

/** Arguments: fallback slots that the replica uses, then id, caller and remaining time of each lease; -1: in flight. */
export const JOIN = `${PRELUDE}
local claimed = tonumber(ARGV[5])
if own and own.incarnation > incarnation then return { 0, 0, 0 } end
if redis.call('EXISTS', stateKey) == 0 then
  redis.call('HSET', stateKey, 'warmupUntil', string.format('%.3f', now + RECOVERY_WINDOW_MS))
end
for id, entry in each(slotsKey) do
  if string.match(entry, '^%S+ %d (%S+) ') == replica then redis.call('HDEL', slotsKey, id) end
end
for index = 6, #ARGV, 3 do
  local expiresInMs = tonumber(ARGV[index + 2])
  local inFlight = expiresInMs < 0
  writeLease(ARGV[index], now + (inFlight and leaseMs or expiresInMs), ARGV[index + 1], inFlight and 1 or 0)
end
own = {
  incarnation = incarnation, acknowledgedEpoch = 0, joinEpoch = redis.call('HINCRBY', stateKey, 'epoch', 1), joinedAt = now,
}
return { updateMembership(claimed) }
`;

/** Arguments: acknowledged fallback slots, acknowledged epoch. */
export const HEARTBEAT = `${PRELUDE}
if not isMember() then return NOT_A_MEMBER end
own.acknowledgedEpoch = tonumber(ARGV[6])
-- A late heartbeat counts as a join: the store may have been stopped, and may have received the heartbeat before that.
if now - own.lastSeenAt > RECOVERY_WINDOW_MS then own.joinedAt = now end
-- A replica that has just joined removes no member: others may have lost the store at the same time.
if now - own.joinedAt >= RECOVERY_WINDOW_MS and warmupMs() == 0 then
  for id, entry in each(membersKey) do
    if id ~= replica and now - cjson.decode(entry).lastSeenAt > MEMBER_TIMEOUT_MS then redis.call('HDEL', membersKey, id) end
  end
end
return { updateMembership(tonumber(ARGV[5])) }
`;

export const LEAVE = `${PRELUDE}
redis.call('HDEL', membersKey, replica)
return {}
`;
