import { PRELUDE } from './prelude.js';

/** Arguments: lease id, hold in milliseconds. */
export const RELEASE = `${PRELUDE}
if not isMember then return NOT_A_MEMBER end
local id, holdMs = ARGV[8], tonumber(ARGV[9])
local lease = slots[id]
if lease and holdMs == 0 then
  redis.call('HDEL', key, 'slot:' .. id)
  slots[id] = nil
elseif lease and lease.expiresAt > now then
  for kind, demand in pairs({ demand = demands[lease.caller], foreground = foregrounds[lease.caller] }) do
    if lease.inFlight then
      advancePeriod(demand)
      demand.currentHold = math.max(demand.currentHold, now + holdMs - (lease.expiresAt - leaseMs))
      writeDemand(kind, lease.caller, demand)
    end
  end
  lease.expiresAt, lease.inFlight, lease.stamp, lease.owner = now + holdMs, false, nextStamp(), replica
  writeLease(id, lease)
end
save()
return reply(snapshot(activeLeases(), recoveryWindow()))
`;

export const REDUCE = `${PRELUDE}
if not isMember then return NOT_A_MEMBER end
local capacity = currentLimit()
if state.reducedAt and now - state.reducedAt < WINDOW_MS then
  save()
  return reply(0, capacity)
end
local reducedTo = math.max(1, math.floor(capacity / 2))
state.reducedAt = now
save('reducedTo', reducedTo)
return reply(1, reducedTo)
`;
