import { PRELUDE } from './prelude.js';

/** Arguments: fallback slots that the replica uses, then id, caller and remaining time of each lease; -1: in flight. */
export const JOIN = `${PRELUDE}
local used = tonumber(ARGV[8])
if own and own.incarnation > incarnation then return NOT_A_MEMBER end
if #fields == 0 then
  warmupMs, state.warmupUntil = RECOVERY_WINDOW_MS, now + RECOVERY_WINDOW_MS
end
for id, lease in pairs(slots) do
  if lease.owner == replica then
    redis.call('HDEL', key, 'slot:' .. id)
    slots[id] = nil
  end
end
local stamp = nextStamp()
for index = 9, #ARGV, 3 do
  local expiresInMs = tonumber(ARGV[index + 2])
  local inFlight = expiresInMs < 0
  writeLease(ARGV[index], {
    expiresAt = now + (inFlight and leaseMs or expiresInMs), inFlight = inFlight, stamp = stamp, owner = replica,
    caller = ARGV[index + 1],
  })
end
state.epoch = state.epoch + 1
own = { incarnation = incarnation, acknowledgedEpoch = 0, joinEpoch = state.epoch, joinedAt = now }
return updateMembership(used)
`;

/** Arguments: acknowledged fallback slots, acknowledged epoch. */
export const HEARTBEAT = `${PRELUDE}
if not isMember then return NOT_A_MEMBER end
own.acknowledgedEpoch = tonumber(ARGV[9])
-- A late heartbeat counts as a join: all replicas may have been stopped, and this one may be the first that continues.
if now - own.lastSeenAt > RECOVERY_WINDOW_MS then own.joinedAt = now end
-- A replica that has just joined removes no member: others may have lost the store at the same time.
if now - own.joinedAt >= RECOVERY_WINDOW_MS and warmupMs == 0 then
  for id, member in pairs(members) do
    if id ~= replica and now - member.lastSeenAt > MEMBER_TIMEOUT_MS then
      redis.call('HDEL', key, 'member:' .. id)
      members[id] = nil
    elseif member.lastSeenAt > now then
      member.lastSeenAt = now
      writeMember(id, member)
    end
  end
end
return updateMembership(tonumber(ARGV[8]))
`;

export const LEAVE = `
redis.call('HDEL', KEYS[1], 'member:' .. ARGV[1])
return {}
`;
