import { PRELUDE } from './prelude.js';

/** Arguments: lease id, caller, new calls, pending calls. */
export const ACQUIRE = `${PRELUDE}
if not isMember then return NOT_A_MEMBER end
local id, caller, newCalls, pendingCalls = ARGV[8], ARGV[9], tonumber(ARGV[10]), tonumber(ARGV[11])
local leases = activeLeases()
local capacity = currentLimit()
local recoveryMs = recoveryWindow()
local period = math.floor(now / PERIOD_MS)

-- The demand of each caller: fairness/demand-tracker.ts.
local active = {}
local requester = {
  period = period, previousPeak = 0, currentPeak = 0, spanStartedAt = now, callsInSpan = 0, lastServedAt = -1,
}
for name, demand in pairs(demands) do
  demand.caller = name
  demand.spanStartedAt, demand.lastServedAt = math.min(demand.spanStartedAt, now), math.min(demand.lastServedAt, now)
  if demand.period ~= period then
    demand.previousPeak = demand.period == period - 1 and demand.currentPeak or 0
    demand.currentPeak, demand.period = 0, period
  end
  if name == caller then
    requester = demand
  elseif demand.previousPeak > 0 or demand.currentPeak > 0 then
    table.insert(active, demand)
  else
    redis.call('HDEL', key, 'demand:' .. name)
  end
end
if now - requester.spanStartedAt >= TYPICAL_HOLD_MS then requester.spanStartedAt, requester.callsInSpan = now, 0 end
requester.callsInSpan = requester.callsInSpan + newCalls
requester.currentPeak = math.max(requester.currentPeak, (leases.byCaller[caller] or 0) + pendingCalls, requester.callsInSpan)
requester.caller = caller
table.insert(active, requester)
for _, demand in ipairs(active) do
  demand.slots, demand.used, demand.share = math.max(demand.previousPeak, demand.currentPeak), leases.byCaller[demand.caller] or 0, 0
end

-- The share of each caller: fairness/max-min-shares.ts.
local function byMostRecentlyServed(a, b)
  if a.lastServedAt ~= b.lastServedAt then return a.lastServedAt > b.lastServedAt end
  return a.caller > b.caller
end
table.sort(active, byMostRecentlyServed)
local eligible = {}
for index = math.max(1, #active - capacity + 1), #active do
  active[index].rank = index
  table.insert(eligible, active[index])
end
table.sort(eligible, function(a, b)
  if a.slots ~= b.slots then return a.slots < b.slots end
  return a.rank < b.rank
end)
local remaining = capacity
for index, demand in ipairs(eligible) do
  demand.share = math.min(demand.slots, math.floor(remaining / (#eligible - index + 1)))
  remaining = remaining - demand.share
end
for _, demand in ipairs(active) do
  demand.deficit, demand.withinShare = math.max(0, demand.share - demand.used), demand.share == demand.slots
end

-- Whether the caller may lease one more slot: fairness/fair-share.ts.
local free = capacity - leases.count
for _, other in ipairs(active) do
  if other ~= requester then
    if requester.deficit == 0 or (other.withinShare and not requester.withinShare) then
      free = free - other.deficit
    elseif other.used < requester.used or (other.used == requester.used and other.lastServedAt < requester.lastServedAt) then
      free = free - math.min(1, other.deficit)
    end
  end
end
local decision = 'granted'
if free <= 0 then
  decision = (requester.deficit > 0 or #active == 1) and 'quota' or 'share'
elseif recoveryMs > 0 and leases.own >= own.fallbackSlots then
  decision = 'quota'
end
if decision == 'granted' then
  writeLease(id, now + leaseMs, true, state.stamp, replica, caller)
  requester.lastServedAt = now
  table.insert(leases.expiresInMs, -1)
  leases.count = leases.count + 1
end
save('demand:' .. caller, string.format('%.0f %.0f %.0f %.3f %.0f %.3f', period, requester.previousPeak,
  requester.currentPeak, requester.spanStartedAt, requester.callsInSpan, requester.lastServedAt))
return reply(decision, snapshot(leases, recoveryMs))
`;
